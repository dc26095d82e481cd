"""A database file of SQLite by its bytes: the header, the pages of every tree, the chains of overflow pages.

Nothing of it is asked of SQLite, so that what the service writes is held to the file format itself.
"""
import struct

PAGE_SIZES = (4096, 8192, 16384, 32768, 65536)
INTERIOR = (2, 5)
KINDS = (2, 5, 10, 13)


class Broken(AssertionError):
    pass


def need(condition, text):
    if not condition:
        raise Broken(text)


def u16(data, at):
    return struct.unpack_from(">H", data, at)[0]


def u32(data, at):
    return struct.unpack_from(">I", data, at)[0]


def varint(data, at):
    """A number of 1 to 9 bytes, and where it ends."""
    value = 0
    for i in range(8):
        value = value << 7 | data[at + i] & 0x7f
        if data[at + i] < 0x80:
            return value, at + i + 1
    return value << 8 | data[at + 8], at + 9


def check_header(data, title):
    """What a file has that was written whole, without a log, and closed. The page size."""
    need(data[:16] == b"SQLite format 3\0", f"{title} is no SQLite database")
    size = u16(data, 16)
    size = 65536 if size == 1 else size
    need(size in PAGE_SIZES, f"{title}: pages of {size}")
    need(data[18] == data[19] == 1, f"{title}: WAL")
    need(data[20] == 0, f"{title}: reserves bytes on its pages")
    need(len(data) == size * u32(data, 28), f"{title}: {len(data)} bytes, {u32(data, 28)} pages of {size}")
    need(data[24:28] == data[92:96], f"{title}: the header's count of pages is not of the last change")
    need(u32(data, 32) == u32(data, 36) == 0, f"{title}: has free pages")
    need(u32(data, 44) == 4 and u32(data, 56) == 1, f"{title}: schema format {u32(data, 44)}, encoding {u32(data, 56)}")
    need(not any(data[52:56]) and not any(data[60:92]), f"{title}: vacuum, versions or ids in the header")
    return size


class Pages:
    """Every page of a file once: in a tree, or in a chain of overflow pages."""

    def __init__(self, data, size, roots):
        self.data, self.size = data, size
        self.count = len(data) // size
        self.seen = set()
        self.resident = set()  # interior pages, and all of the schema
        self.chains = {}  # an overflow page that a cell points to -> the chain that it begins
        self._walk(1, True)
        for root in roots:
            self._walk(root, False)
        need(len(self.seen) == self.count, f"{self.count - len(self.seen)} pages are in no tree")

    def page(self, number):
        return self.data[(number - 1) * self.size:number * self.size]

    def _see(self, number):
        need(1 <= number <= self.count and number not in self.seen, f"page {number} is there twice, or not at all")
        self.seen.add(number)

    def _walk(self, number, schema):
        self._see(number)
        page, base = self.page(number), 100 if number == 1 else 0
        kind = page[base]
        need(kind in KINDS, f"page {number} is no B-tree page")
        if schema or kind in INTERIOR:
            self.resident.add(number)
        header = 12 if kind in INTERIOR else 8
        for i in range(u16(page, base + 3)):
            at = u16(page, base + header + 2 * i)
            if kind in INTERIOR:
                self._walk(u32(page, at), schema)
                at += 4
            if kind != 5:  # an interior page of a table has keys alone
                self._payload(page, at, kind)
        if kind in INTERIOR:
            self._walk(u32(page, base + 8), schema)

    def _payload(self, page, at, kind):
        size, at = varint(page, at)
        if kind == 13:
            _, at = varint(page, at)
        most = self.size - 35 if kind == 13 else (self.size - 12) * 64 // 255 - 23
        if size <= most:
            return
        least = (self.size - 12) * 32 // 255 - 23
        here = least + (size - least) % (self.size - 4)
        head = number = u32(page, at + (here if here <= most else least))
        chain = []
        while number != 0:
            self._see(number)
            chain.append(number)
            number = u32(self.page(number), 0)
        self.chains[head] = chain
