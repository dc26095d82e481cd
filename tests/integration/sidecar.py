"""Reads a page-cache sidecar, version 8 (the snapshot format, section 7), and compares all of it with the database."""
import struct

import zstandard

from sqlite_file import INTERIOR, KINDS, need, u16


def stripped(page, number):
    """Without the gap between the cell pointers and the cells."""
    base = 100 if number == 1 else 0
    kind = page[base]
    if kind not in KINDS:
        return page
    header = 12 if kind in INTERIOR else 8
    content = u16(page, base + 5) or 65536
    return page[:base + header + 2 * u16(page, base + 3)] + page[content:]


def body_of(sidecar, page_size, etag):
    need(sidecar[:4] == b"SQPC" and sidecar[4] == 8, "sidecar: magic or version")
    body_size, size, tag_length = struct.unpack("<QIB", sidecar[5:18])
    tag = sidecar[18:18 + tag_length].decode()
    need(size == page_size, "sidecar: page_size")
    if etag is not None:
        need(tag == etag, f"sidecar: tag {tag}, the store says {etag}")
    need(tag[:1] == tag[-1:] == '"' and len(tag) > 2, f"sidecar: tag {tag} without quotes")
    frame = sidecar[18 + tag_length:]
    parameters = zstandard.get_frame_parameters(frame)
    need(parameters.has_checksum and parameters.content_size == body_size, "sidecar: frame without checksum or size")
    decompressor = zstandard.ZstdDecompressor().decompressobj()
    body = decompressor.decompress(frame)
    need(decompressor.eof and not decompressor.unused_data, "sidecar: something behind its frame")
    need(len(body) == body_size, "sidecar: body_size")
    return body


def check(sidecar, pages, etag):
    """`pages`: sqlite_file.Pages of the database. `etag`: None where the store has none to compare with."""
    body = body_of(sidecar, pages.size, etag)
    at = 0

    def take(count):
        nonlocal at
        values = list(struct.unpack_from(f"<{count}I", body, at))
        at += 4 * count
        return values

    n = take(1)[0]
    numbers = take(n)
    offsets = take(n + 1)
    count = take(1)[0]
    heads = take(count)
    chain_offsets = take(count + 1)
    chain_pages = take(chain_offsets[-1])
    blob = body[at:]
    need(numbers == sorted(pages.resident), "sidecar: pages")
    need(offsets[0] == 0 and offsets[-1] == len(blob), "sidecar: offsets")
    for i, number in enumerate(numbers):
        need(blob[offsets[i]:offsets[i + 1]] == stripped(pages.page(number), number), f"sidecar: page {number}")
    need(heads == sorted(pages.chains) and chain_offsets[0] == 0, "sidecar: heads of chains")
    for i, head in enumerate(heads):
        need(chain_pages[chain_offsets[i]:chain_offsets[i + 1]] == pages.chains[head], f"sidecar: chain of {head}")
