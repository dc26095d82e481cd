"""Reads a published snapshot as a stranger would: objects by path or by boto3, SQLite by sqlite3.

Everything here checks while it reads (SNAPSHOT-FORMAT sections 1 to 7); a fault is a Broken.
"""
import hashlib
import json
import os
import pathlib
import re
import sqlite3
import struct
import tempfile

import zstandard

MANIFEST_DIR = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z)_run_id=([^/]+)$")
ISO_TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z$")
PAGE_SIZES = (4096, 8192, 16384, 32768, 65536)


class Broken(AssertionError):
    pass


def need(condition, text):
    if not condition:
        raise Broken(text)


# ---- stores ---------------------------------------------------------------------------------------

class FileStore:
    def __init__(self, url):
        self.url = url.rstrip("/")
        self.root = pathlib.Path(self.url.removeprefix("file://"))

    def keys(self):
        found = []
        for folder, _, names in os.walk(self.root):
            # the service's lock and its unfinished files are no objects
            found += [os.path.relpath(os.path.join(folder, name), self.root) for name in names
                      if not name.startswith(".tidemark")]
        return sorted(found)

    def get(self, key):
        try:
            return (self.root / key).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def etag(self, key):
        return None  # a file has no tag of its own; the service's is its content's

    def put(self, key, data):
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def delete(self, key):
        (self.root / key).unlink()


class S3Store:
    def __init__(self, url, endpoint, access, secret, region="us-east-1"):
        import boto3
        from botocore.config import Config
        self.url = url.rstrip("/")
        self.bucket, _, self.prefix = self.url.removeprefix("s3://").partition("/")
        self.client = boto3.client(
            "s3", endpoint_url=endpoint, aws_access_key_id=access, aws_secret_access_key=secret, region_name=region,
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 5}))

    def make_bucket(self):
        self.client.create_bucket(Bucket=self.bucket)

    def _name(self, key):
        return f"{self.prefix}/{key}"

    def keys(self):
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix + "/")
        return sorted(item["Key"][len(self.prefix) + 1:] for page in pages for item in page.get("Contents", ()))

    def get(self, key):
        try:
            return self.client.get_object(Bucket=self.bucket, Key=self._name(key))["Body"].read()
        except self.client.exceptions.NoSuchKey:
            return None

    def etag(self, key):
        return self.client.head_object(Bucket=self.bucket, Key=self._name(key))["ETag"]

    def content_type(self, key):
        return self.client.head_object(Bucket=self.bucket, Key=self._name(key))["ContentType"]

    def put(self, key, data):
        self.client.put_object(Bucket=self.bucket, Key=self._name(key), Body=data)

    def delete(self, key):
        self.client.delete_object(Bucket=self.bucket, Key=self._name(key))


# ---- pointer and manifest -------------------------------------------------------------------------

def stable_json(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def is_sorted_json(text):
    """Members sorted, ASCII only; with or without blanks after the separators."""
    value = json.loads(text)
    return text in (stable_json(value), json.dumps(value, sort_keys=True))


def read_pointer(store):
    data = store.get("_CURRENT")
    if data is None:
        return None
    pointer = json.loads(data)
    need(data.decode("ascii") == stable_json(pointer), "_CURRENT is not in the stable form")
    need(set(pointer) == {"format_version", "manifest_content_type", "manifest_ref", "run_id", "updated_at"},
         f"_CURRENT has members {sorted(pointer)}")
    need(pointer["format_version"] == 1, "_CURRENT: format_version")
    need(pointer["manifest_content_type"] == "application/x-sqlite3", "_CURRENT: manifest_content_type")
    need(pointer["manifest_ref"].startswith(store.url + "/manifests/"), f"manifest_ref {pointer['manifest_ref']}")
    need(ISO_TIME.match(pointer["updated_at"]), f"updated_at {pointer['updated_at']}")
    return pointer


def with_sqlite(data, use):
    """Calls use(connection) on a database given as bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "x.db")
        with open(path, "wb") as file:
            file.write(data)
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            return use(connection)
        finally:
            connection.close()


class Manifest:
    def __init__(self, store, key):
        self.key = key
        folder = key.split("/")[1]
        match = MANIFEST_DIR.match(folder)
        need(match, f"{folder} is no manifest folder's name")
        self.time, self.run_id = match.groups()
        self.bytes = store.get(key)
        need(self.bytes is not None, f"{key} is missing")
        need(self.bytes.startswith(b"SQLite format 3\0"), f"{key} is no SQLite database")
        with_sqlite(self.bytes, self._read)

    def _read(self, connection):
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type='table' ORDER BY name")]
        need(names == ["build_meta", "shards"], f"tables of the manifest: {names}")
        connection.row_factory = sqlite3.Row
        metas = [dict(row) for row in connection.execute("SELECT * FROM build_meta")]
        need(len(metas) == 1, "build_meta has not one row")
        self.meta = metas[0]
        need(all(value is not None for value in self.meta.values()), "build_meta has a NULL")
        need(self.meta["format_version"] == 4, "format_version of the manifest")
        need(self.meta["run_id"] == self.run_id, "run_id is not the folder's")
        need(ISO_TIME.match(self.meta["created_at"]), "created_at")
        need(self.meta["num_dbs"] > 0, "num_dbs")
        sharding = json.loads(self.meta["sharding"])
        need(is_sorted_json(self.meta["sharding"]), "the members of sharding are not sorted")
        need(set(sharding) == {"strategy", "hash_algorithm", "cel_expr", "cel_columns", "routing_values"},
             f"sharding has members {sorted(sharding)}")
        self.sharding = sharding
        self.custom = json.loads(self.meta["custom"])
        need(is_sorted_json(self.meta["custom"]), "the members of custom are not sorted")
        self.shards = [dict(row) for row in connection.execute("SELECT * FROM shards ORDER BY db_id")]
        for shard in self.shards:
            need(0 <= shard["db_id"] < self.meta["num_dbs"], f"db_id {shard['db_id']}")
            need(shard["row_count"] > 0, "a row for an empty shard")
            need(re.fullmatch(r"[0-9a-f]{32}", shard["checkpoint_id"] or ""), "checkpoint_id")
            info = json.loads(shard["writer_info"])
            need(set(info) == {"attempt", "duration_ms", "stage_id", "task_attempt_id"}, f"writer_info {info}")
            need(info["attempt"] == shard["attempt"], "attempt of writer_info")

    @property
    def backend(self):
        return self.custom.get("tidemark", {}).get("made_by", {}).get("kv_backend", "sqlite")

    @property
    def lineage(self):
        need("tidemark" in self.custom, f"custom has members {sorted(self.custom)}")
        return self.custom["tidemark"]


def read_manifests(store):
    """All under manifests/, oldest first."""
    keys = [key for key in store.keys() if key.startswith("manifests/")]
    for key in keys:
        need(key.count("/") == 2 and key.endswith("/manifest"), f"{key} does not belong under manifests/")
    return [Manifest(store, key) for key in keys]


# ---- shards ---------------------------------------------------------------------------------------

class Shard:
    def __init__(self, store, manifest, entry):
        self.entry = entry
        url = entry["db_url"]
        need(url.startswith(store.url + "/") and not url.endswith("/"), f"db_url {url}")
        self.folder = url[len(store.url) + 1:]
        self.bytes = store.get(self.folder + "/shard.db")
        need(self.bytes is not None, f"{url}/shard.db is missing")
        need(len(self.bytes) == entry["db_bytes"], f"{url}: db_bytes")
        need(self.bytes[18] == 1 and self.bytes[19] == 1, f"{url}: WAL")
        need(self.bytes[20] == 0, f"{url}: reserves bytes on its pages")
        self.page_size = struct.unpack(">H", self.bytes[16:18])[0] or 65536
        if self.page_size == 1:
            self.page_size = 65536
        self.vector = manifest.custom.get("vector")
        self.rows = with_sqlite(self.bytes, self._read)
        need(len(self.rows) == entry["row_count"], f"{url}: row_count")
        encoding = manifest.meta["key_encoding"]
        need(entry["min_key"] == key_text(min(self.rows), encoding), f"{url}: min_key {entry['min_key']}")
        need(entry["max_key"] == key_text(max(self.rows), encoding), f"{url}: max_key {entry['max_key']}")
        self.sidecar = store.get(self.folder + "/shard.sidecar")
        if self.sidecar is not None:
            check_sidecar(self.sidecar, self.bytes, self.page_size, store.etag(self.folder + "/shard.db"))

    def _read(self, connection):
        check = connection.execute("PRAGMA integrity_check").fetchall()
        need(check == [("ok",)], f"integrity_check: {check}")
        sql = [row[0] for row in connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")]
        ours = ["CREATE TABLE kv (k BLOB PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID"]
        if self.vector:
            ours += [f"CREATE VIRTUAL TABLE vec_index USING vec0(embedding float[{self.vector['dim']}]"
                     f" distance_metric={self.vector['metric']})",
                     "CREATE TABLE vec_payloads (rowid INTEGER PRIMARY KEY, payload TEXT NOT NULL)",
                     "CREATE TABLE vec_id_map (internal_id INTEGER PRIMARY KEY, original_id TEXT NOT NULL)"]
        # the extension's own tables aside
        need([text for text in sql if not re.search(r"vec_index_|sqlite_sequence", text)] == ours, f"schema: {sql}")
        rows = connection.execute("SELECT k, v FROM kv ORDER BY k").fetchall()
        need(all(isinstance(k, bytes) and isinstance(v, bytes) for k, v in rows), "a key or value is no BLOB")
        return dict(rows)


def key_text(stored, encoding):
    """min_key and max_key: the JSON text of the logical key, None where it has none."""
    if encoding in ("u64be", "u32be"):
        return str(int.from_bytes(stored, "big"))
    try:
        return json.dumps(stored.decode("utf-8"))
    except UnicodeDecodeError:
        return None


def auto_page_size(rows):
    sizes = sorted(len(value) for value in rows.values())
    wanted = sizes[-(-95 * len(sizes) // 100) - 1] + max(len(key) for key in rows) + 12
    for size in PAGE_SIZES:
        if ((size - 12) * 64 // 255) - 23 >= wanted:
            return size
    return PAGE_SIZES[-1]


def open_shard(store, manifest, entry):
    """A Shard, or what stands for one where shards are not SQLite's."""
    if manifest.backend == "sqlite":
        return Shard(store, manifest, entry)
    from slatedb_shard import SlatedbShard  # only where it is needed
    need(manifest.backend == "slatedb", f"kv_backend {manifest.backend}")
    return SlatedbShard(store, manifest, entry)


def read_rows(store, manifest):
    """All rows of a snapshot: stored key -> (value, db_id)."""
    rows = {}
    for entry in manifest.shards:
        for key, value in open_shard(store, manifest, entry).rows.items():
            need(key not in rows, f"key {key!r} is in two shards")
            rows[key] = value, entry["db_id"]
    return rows


# ---- the sidecar, version 8 -----------------------------------------------------------------------

def page_of(data, size, number):
    return data[(number - 1) * size:number * size]


def interior_pages(data, page_size):
    """Every interior B-tree page, and every page of the schema's tree."""
    found = set()

    def walk(number, schema):
        page = page_of(data, page_size, number)
        base = 100 if number == 1 else 0
        kind = page[base]
        need(kind in (2, 5, 10, 13), f"page {number} is no B-tree page")
        if schema or kind in (2, 5):
            found.add(number)
        if kind in (2, 5):
            count = struct.unpack(">H", page[base + 3:base + 5])[0]
            for i in range(count):
                at = struct.unpack(">H", page[base + 12 + 2 * i:base + 14 + 2 * i])[0]
                walk(struct.unpack(">I", page[at:at + 4])[0], schema)
            walk(struct.unpack(">I", page[base + 8:base + 12])[0], schema)

    walk(1, True)
    roots = with_sqlite(data, lambda c: [r[0] for r in c.execute("SELECT rootpage FROM sqlite_schema WHERE rootpage > 0")])
    for root in roots:
        walk(root, False)
    return sorted(found)


def stripped(data, page_size, number):
    page = page_of(data, page_size, number)
    base = 100 if number == 1 else 0
    kind = page[base]
    if kind not in (2, 5, 10, 13):
        return page
    header = 12 if kind in (2, 5) else 8
    cells = struct.unpack(">H", page[base + 3:base + 5])[0]
    content = struct.unpack(">H", page[base + 5:base + 7])[0] or 65536
    return page[:base + header + 2 * cells] + page[content:]


def check_sidecar(sidecar, data, page_size, etag):
    need(sidecar[:4] == b"SQPC" and sidecar[4] == 8, "sidecar: magic or version")
    body_size, size, tag_length = struct.unpack("<QIB", sidecar[5:18])
    tag = sidecar[18:18 + tag_length].decode()
    need(size == page_size, "sidecar: page_size")
    if etag is not None:
        need(tag == etag, f"sidecar: tag {tag}, the store says {etag}")
    else:
        need(tag, "sidecar: no tag")
    frame = sidecar[18 + tag_length:]
    parameters = zstandard.get_frame_parameters(frame)
    need(parameters.has_checksum and parameters.content_size == body_size, "sidecar: frame without checksum or size")
    body = zstandard.ZstdDecompressor().decompress(frame)
    need(len(body) == body_size, "sidecar: body_size")
    at = 0

    def take(count):
        nonlocal at
        values = struct.unpack(f"<{count}I", body[at:at + 4 * count])
        at += 4 * count
        return values

    n = take(1)[0]
    pages = take(n)
    offsets = take(n + 1)
    chains = take(1)[0]
    heads = take(chains)
    chain_offsets = take(chains + 1)
    chain_pages = take(chain_offsets[-1])
    blob = body[at:]
    need(list(pages) == interior_pages(data, page_size), "sidecar: pages")
    need(offsets[0] == 0 and offsets[-1] == len(blob), "sidecar: offsets")
    for i, number in enumerate(pages):
        need(blob[offsets[i]:offsets[i + 1]] == stripped(data, page_size, number), f"sidecar: page {number}")
    need(list(heads) == sorted(heads) and chain_offsets[0] == 0, "sidecar: chains")
    for i, head in enumerate(heads):
        number = head
        for want in chain_pages[chain_offsets[i]:chain_offsets[i + 1]]:
            need(number == want, f"sidecar: chain of {head}")
            number = struct.unpack(">I", page_of(data, page_size, number)[:4])[0]
        need(number == 0, f"sidecar: chain of {head} ends early")


def sha256(data):
    return hashlib.sha256(data).hexdigest()
