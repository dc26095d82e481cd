"""Reads a published snapshot as a stranger would: objects by path or by boto3, SQLite by sqlite3.

Everything here checks while it reads (the snapshot format, sections 1 to 9 and 11); a fault is a Broken.
"""
import datetime
import hashlib
import json
import os
import pathlib
import re
import sqlite3
import tempfile

import sidecar
import vector_tables
import yaml
from sqlite_file import PAGE_SIZES, Broken, Pages, check_header, need

MANIFEST_DIR = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z)_run_id=([^/]+)$")
ISO_TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z$")
UUID = r"[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}"
# as SQLite describes them: name, type, NOT NULL, default, place in the primary key
BUILD_META = [(name, kind, 1, "'{}'" if name == "custom" else None, 0) for name, kind in (
    ("run_id", "TEXT"), ("created_at", "TEXT"), ("num_dbs", "INTEGER"), ("s3_prefix", "TEXT"), ("key_col", "TEXT"),
    ("sharding", "TEXT"), ("db_path_template", "TEXT"), ("shard_prefix", "TEXT"), ("format_version", "INTEGER"),
    ("key_encoding", "TEXT"), ("custom", "TEXT"))]
SHARDS = [("db_id", "INTEGER", 1, None, 1), ("db_url", "TEXT", 0, None, 0), ("attempt", "INTEGER", 1, None, 0),
          ("row_count", "INTEGER", 1, None, 0), ("db_bytes", "INTEGER", 1, None, 0), ("min_key", "TEXT", 0, None, 0),
          ("max_key", "TEXT", 0, None, 0), ("checkpoint_id", "TEXT", 0, None, 0), ("writer_info", "TEXT", 1, "'{}'", 0)]
RUN_RECORD = ["db_path_template", "error_message", "error_type", "format_version", "lease_expires_at", "manifest_ref",
              "run_id", "s3_prefix", "shard_prefix", "started_at", "status", "updated_at", "writer_type"]
KEY_TEXT_MAX = 4096  # bytes of JSON; the service writes NULL for the text of a longer key


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
    def __init__(self, url, endpoint, access, secret, region="us-east-1", ca_file=None):
        import boto3
        from botocore.config import Config
        self.url = url.rstrip("/")
        self.bucket, _, self.prefix = self.url.removeprefix("s3://").partition("/")
        self.client = boto3.client(
            "s3", endpoint_url=endpoint, aws_access_key_id=access, aws_secret_access_key=secret, region_name=region,
            verify=ca_file,
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


def is_time(text):
    """ISO-8601, UTC, six digits of a second or none; six zeros are not written."""
    return isinstance(text, str) and ISO_TIME.match(text) is not None and not text.endswith(".000000Z")


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
    need(is_time(pointer["updated_at"]), f"updated_at {pointer['updated_at']}")
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


def read_table(connection, table, columns):
    """Rows as dictionaries, in the order that they are stored in; each value of its column's type."""
    have = [row[1:] for row in connection.execute(f"PRAGMA table_info({table})")]
    need(have == columns, f"columns of {table}: {have}")
    rows = [dict(zip([column[0] for column in columns], row)) for row in connection.execute(f"SELECT * FROM {table}")]
    for row in rows:
        for name, kind, not_null, _, _ in columns:
            types = {"TEXT": (str,), "INTEGER": (int,)}[kind] + (() if not_null else (type(None),))
            need(isinstance(row[name], types), f"{table}: {name} is {row[name]!r}")
    return rows


class Manifest:
    def __init__(self, store, key):
        self.key = key
        folder = key.split("/")[1]
        match = MANIFEST_DIR.match(folder)
        need(match, f"{folder} is no manifest folder's name")
        self.time, self.run_id = match.groups()
        self.bytes = store.get(key)
        need(self.bytes is not None, f"{key} is missing")
        check_header(self.bytes, key)
        with_sqlite(self.bytes, self._read)

    def _read(self, connection):
        need(connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)], f"{self.key} is damaged")
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema ORDER BY name")]
        need(names == ["build_meta", "shards"], f"tables of the manifest: {names}")
        metas = read_table(connection, "build_meta", BUILD_META)
        need(len(metas) == 1, "build_meta has not one row")
        self.meta = metas[0]
        need(self.meta["format_version"] == 4, "format_version of the manifest")
        need(self.meta["run_id"] == self.run_id, "run_id is not the folder's")
        need(is_time(self.meta["created_at"]), f"created_at {self.meta['created_at']}")
        need(self.meta["num_dbs"] > 0, "num_dbs")
        need(self.meta["key_encoding"] in ("u64be", "u32be", "utf8", "raw"), "key_encoding")
        self.sharding = json.loads(self.meta["sharding"])
        need(is_sorted_json(self.meta["sharding"]), "the members of sharding are not sorted")
        self._check_sharding(self.sharding)
        self.custom = json.loads(self.meta["custom"])
        need(is_sorted_json(self.meta["custom"]), "the members of custom are not sorted")
        self.shards = read_table(connection, "shards", SHARDS)
        for shard in self.shards:
            self._check_shard(shard)
        for column in ("db_url", "checkpoint_id"):
            need(len({shard[column] for shard in self.shards}) == len(self.shards), f"two shards have one {column}")

    def _check_sharding(self, sharding):
        need(set(sharding) == {"strategy", "hash_algorithm", "cel_expr", "cel_columns", "routing_values"},
             f"sharding has members {sorted(sharding)}")
        need(sharding["hash_algorithm"] == "xxh3_64" and sharding["strategy"] in ("hash", "cel"), f"sharding {sharding}")
        expression, columns, values = (sharding[name] for name in ("cel_expr", "cel_columns", "routing_values"))
        if sharding["strategy"] == "hash":
            need(expression is columns is values is None, f"hash with {sharding}")
            return
        need(isinstance(expression, str) and expression and isinstance(columns, dict) and columns, f"sharding {sharding}")
        need(set(columns.values()) <= {"int", "uint", "double", "bool", "string", "bytes"}, f"cel_columns {columns}")
        if values is not None:
            need({type(value) for value in values} in (set(), {int}, {str}), f"routing_values {values}")
            need(len(set(values)) == len(values), f"routing_values {values}")
            need(self.meta["num_dbs"] == max(1, len(values)), f"num_dbs {self.meta['num_dbs']} of {values}")

    def _check_shard(self, shard):
        need(0 <= shard["db_id"] < self.meta["num_dbs"], f"db_id {shard['db_id']}")
        need(shard["row_count"] > 0, "a row for an empty shard")
        need(shard["attempt"] >= 0 and shard["db_bytes"] > 0, f"shard {shard}")
        folder = self.meta["db_path_template"].format(db_id=shard["db_id"])
        url = "/".join((self.meta["s3_prefix"], self.meta["shard_prefix"], f"run_id={self.run_id}", folder,
                        f"attempt={shard['attempt']:02}"))
        need(shard["db_url"] == url, f"db_url {shard['db_url']}, expected {url}")
        need(re.fullmatch(UUID if self.backend == "sqlite" else "[0-9a-f]{32}", shard["checkpoint_id"] or ""), "checkpoint_id")
        for column in ("min_key", "max_key"):
            text = shard[column]
            need(text is None or (is_sorted_json(text) and type(json.loads(text)) in (int, str)), f"{column} {text}")
        info = json.loads(shard["writer_info"])
        need(is_sorted_json(shard["writer_info"]), "the members of writer_info are not sorted")
        need(set(info) == {"attempt", "duration_ms", "stage_id", "task_attempt_id"}, f"writer_info {info}")
        need(info["attempt"] == shard["attempt"], "attempt of writer_info")
        need(type(info["duration_ms"]) is int and info["duration_ms"] >= 0, f"writer_info {info}")
        need({type(info["stage_id"]), type(info["task_attempt_id"])} <= {int, type(None)}, f"writer_info {info}")

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


# ---- run records ----

def check_run_records(store, folder):
    """All of ours that are there; one may be deleted while they are looked at."""
    for key in store.keys():
        data = store.get(key) if key.startswith(folder + "/") else None
        if data is not None:
            check_run_record(store, key, data)


def check_run_record(store, key, data):
    named = re.fullmatch(rf"[A-Za-z0-9._-]+/(\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{6}}Z)_run_id=([^/]+)_({UUID})/run\.yaml", key)
    need(named, f"{key} is no run record's name")
    record = yaml.safe_load(data)
    need(isinstance(record, dict) and list(record) == RUN_RECORD, f"{key} has members {list(record)}")
    need(record["format_version"] == 1 and record["run_id"] == named[2], f"{key}: {record}")
    need(record["s3_prefix"] == store.url, f"{key}: s3_prefix {record['s3_prefix']}")
    need(record["status"] in ("running", "succeeded", "failed"), f"{key}: status {record['status']}")
    for name in ("started_at", "updated_at", "lease_expires_at"):
        need(is_time(record[name]), f"{key}: {name} {record[name]!r}")
    for name in RUN_RECORD:
        optional = name in ("error_message", "error_type", "manifest_ref")
        need(name == "format_version" or isinstance(record[name], (str, type(None)) if optional else str),
             f"{key}: {name} {record[name]!r}")
    running = record["status"] == "running"
    lease = moment(record["lease_expires_at"]) - moment(record["updated_at"])
    need(lease.total_seconds() == (600 if running else 0), f"{key}: a lease of {lease} while {record['status']}")
    need((record["error_type"] is None) == (record["status"] != "failed"), f"{key}: error_type {record['error_type']!r}")


def moment(time):
    return datetime.datetime.fromisoformat(time.replace("Z", "+00:00"))


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
        self.page_size = check_header(self.bytes, url)
        self.vector = manifest.custom.get("vector")
        self.vectors = {}  # row id -> (id, numbers, payload)
        self.rows = with_sqlite(self.bytes, self._read)
        need(len(self.rows) == entry["row_count"], f"{url}: row_count")
        encoding = manifest.meta["key_encoding"]
        width = {"u64be": 8, "u32be": 4}.get(encoding)
        need(width is None or all(len(key) == width for key in self.rows), f"{url}: keys that are not of {encoding}")
        need(entry["min_key"] == key_text(min(self.rows), encoding), f"{url}: min_key {entry['min_key']}")
        need(entry["max_key"] == key_text(max(self.rows), encoding), f"{url}: max_key {entry['max_key']}")
        self.sidecar = store.get(self.folder + "/shard.sidecar")
        pages = Pages(self.bytes, self.page_size, self.roots)
        if self.sidecar is not None:
            sidecar.check(self.sidecar, pages, store.etag(self.folder + "/shard.db"))

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
        self.roots = [row[0] for row in connection.execute("SELECT rootpage FROM sqlite_schema WHERE rootpage > 0")]
        rows = connection.execute("SELECT k, v FROM kv ORDER BY k").fetchall()
        need(all(isinstance(k, bytes) and isinstance(v, bytes) for k, v in rows), "a key or value is no BLOB")
        if self.vector:
            self.vectors = vector_tables.read(connection, self.vector["dim"], [key for key, _ in rows])
        return dict(rows)


def key_text(stored, encoding):
    """min_key and max_key: the JSON text of the logical key, None where it has none."""
    if encoding in ("u64be", "u32be"):
        return str(int.from_bytes(stored, "big"))
    try:
        text = json.dumps(stored.decode("utf-8"))
    except UnicodeDecodeError:
        return None
    return text if len(text) <= KEY_TEXT_MAX else None


def auto_page_size(rows, vector_dim=0):
    """By the sizes of the rows; with vectors there is one more cell."""
    sizes = sorted(len(value) for value in rows.values())
    wanted = sizes[-(-95 * len(sizes) // 100) - 1] + max(len(key) for key in rows) + 12
    if vector_dim > 0:
        wanted = max(wanted, 4 * vector_dim + 16 + 9 + 12)
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


def sha256(data):
    return hashlib.sha256(data).hexdigest()
