"""Reads a shard's order object (docs/snapshot-format.md, section 14) as a stranger would."""
import struct

import xxhash
import zstandard

from snapshot import need


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def zigzag(value):
    return (value >> 1) ^ -(value & 1)


def signed(value):
    """Differences wrap at 64 bits."""
    return (value + 2**63) % 2**64 - 2**63


def read_sources(index):
    count, at = varint(index, 0)
    sources = []
    for _ in range(count):
        size, at = varint(index, at)
        topic = index[at:at + size].decode()
        partition, at = varint(index, at + size)
        sources.append((topic, partition))
    return sources


def read_rows(payload, sources):
    offset_base, time_base = struct.unpack_from("<qq", payload)
    at = 16
    while at < len(payload):
        fields = []
        for _ in range(5):
            value, at = varint(payload, at)
            fields.append(value)
        key_size, value_size, source, offset, time = fields
        need(value_size < 2, "an order object with a value")
        key = payload[at:at + key_size]
        at += key_size
        yield key, (sources[source], signed(offset_base + zigzag(offset)), signed(time_base + zigzag(time)),
                    value_size == 1)


def read(data):
    """key -> ((topic, partition), offset, event time in microseconds, deleted)."""
    magic, version, order = struct.unpack_from("<8sII", data)
    need(magic == b"TMSPILL\0" and version == 1 and order in (0, 1), "an order object's header")
    place, size, count, checksum, own, end = struct.unpack_from("<QQQQQ8s", data, len(data) - 48)
    index = data[place:place + size]
    need(end == b"TMSPEND\0" and own == xxhash.xxh3_64_intdigest(data[-48:-16]), "an order object's footer")
    need(checksum == xxhash.xxh3_64_intdigest(index) and place + size + 48 == len(data), "an order object's index")
    sources = read_sources(index)
    rows, at, last = {}, 16, None
    while at < place:
        raw_bytes, stored_bytes, _, codec, _ = struct.unpack_from("<IIIIQ", data, at)
        payload = data[at + 24:at + 24 + stored_bytes]
        payload = zstandard.ZstdDecompressor().decompress(payload, raw_bytes) if codec == 1 else payload
        for key, row in read_rows(payload, sources):
            need(last is None or key > last, "keys of an order object do not ascend")
            rows[key], last = row, key
        at += 24 + stored_bytes
    need(len(rows) == count, "an order object's number of rows")
    used = {row[0] for row in rows.values()}
    need(used == set(sources) and sources == sorted(sources), f"an order object of {sources} has rows of {used}")
    return rows
