"""Reads the tables of vectors beside the rows (the snapshot format, section 9), without the extension that made them."""
import json
import math
import struct

from sqlite_file import need


def read(connection, dim, keys):
    """Id -> (place of the row, float32 numbers, payload or None). `keys`: the stored keys, ascending."""
    chunks = dict(connection.execute("SELECT rowid, vectors FROM vec_index_vector_chunks00"))
    valid = dict(connection.execute("SELECT chunk_id, validity FROM vec_index_chunks"))
    vectors = {}
    for row, chunk, at in connection.execute("SELECT rowid, chunk_id, chunk_offset FROM vec_index_rowids"):
        need(valid[chunk][at // 8] >> at % 8 & 1, f"vector {row} is not valid in its chunk")
        vectors[row] = struct.unpack(f"<{dim}f", chunks[chunk][4 * dim * at:4 * dim * (at + 1)])
        need(all(map(math.isfinite, vectors[row])), f"vector {row} is not finite")
    need(sum(bin(byte).count("1") for bits in valid.values() for byte in bits) == len(vectors), "vectors without a row id")
    payloads = dict(connection.execute("SELECT rowid, payload FROM vec_payloads"))
    found = {}
    for row, text in connection.execute("SELECT internal_id, original_id FROM vec_id_map ORDER BY internal_id"):
        original = json.loads(text)
        need(set(original) == {"v", "t"} and original["t"] == {int: "int", str: "str"}.get(type(original["v"])),
             f"original_id {text}")
        need(0 <= row < len(keys) and row in vectors, f"vector {row} of {len(keys)} rows")
        payload = json.loads(payloads.pop(row, "null"))
        found[row] = original["v"], vectors[row], payload
    need(found.keys() == vectors.keys() and not payloads, "vectors, their ids and their payloads are of other rows")
    return found
