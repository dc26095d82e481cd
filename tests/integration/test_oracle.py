"""The oracle itself: it agrees with the golden vectors, and it notices planted faults."""
import json
import pathlib
import shutil
import sqlite3

import pytest

import harness
import model
import snapshot
from test_content import plain

VECTORS = harness.ROOT / "tests/vectors"


def row(offset, window, key=None, value=b"v"):
    key = key or f"k{offset}".encode()
    return model.Row("t", 0, offset, window * 1_000_000, key, key, key, value)


def step(build, from_us, to_us, cut, seen_end, tail_from, bound=model.NONE_HIGH, joined=False):
    place = ("t", 0)
    return model.Step(build, from_us, to_us, bound, {place: cut}, {place: seen_end}, {place: tail_from},
                      frozenset([place]) if joined else frozenset())


def test_routing_agrees_with_the_vectors():
    lines = (VECTORS / "routing_hash.jsonl").read_text().splitlines()
    checked = 0
    for line in lines:
        vector = json.loads(line)
        if not vector.get("error"):
            assert model.shard_of(bytes.fromhex(vector["routing_hex"]), int(vector["num_dbs"])) == int(vector["db_id"])
            checked += 1
    assert checked > 100


# in manifest_example row_count counts rows that were replaced, too, as the library does
GOLDEN = ("manifest_example_cel", "manifest_example_cel_int", "manifest_example_sparse", "page_auto", "sidecar_64k",
          "sidecar_deep", "vector_example")


def read_golden(folder):
    """The rows of all shards; everything is checked on the way."""
    store = snapshot.FileStore(f"file://{folder}")
    rows = 0
    for manifest in snapshot.read_manifests(store):
        store.url = manifest.meta["s3_prefix"]
        assert snapshot.read_pointer(store)["run_id"] == manifest.run_id
        snapshot.check_run_records(store, "runs")
        for entry in manifest.shards:
            shard = snapshot.Shard(store, manifest, entry)
            rows += len(shard.rows)
            if manifest.custom.get("sqlite_sidecar", {}).get("page_size") == "auto":
                assert shard.page_size == snapshot.auto_page_size(shard.rows)
            if shard.vector:
                assert shard.vectors
    return rows


@pytest.mark.parametrize("name", GOLDEN)
def test_reads_the_golden_snapshots(name):
    assert read_golden(VECTORS / name / "objects") == sum(
        len(shard["rows"]) for shard in json.loads((VECTORS / name / "decoded.json").read_text())["shards"])


def change_sql(path, statement):
    database = sqlite3.connect(path)
    database.execute("PRAGMA writable_schema = ON")
    database.execute(statement)
    database.commit()
    database.close()


def change_text(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


MANIFEST, RECORD, SHARD, SIDECAR = "manifests/*/manifest", "runs/*/run.yaml", "shards/*/*/*/shard.db", "shards/*/*/*/shard.sidecar"
STRANGE = {
    "columns of shards": (MANIFEST, "UPDATE sqlite_schema SET sql = replace(sql, 'INTEGER NOT NULL PRIMARY', 'INTEGER PRIMARY')"),
    "num_dbs is b'3'": (MANIFEST, "UPDATE build_meta SET num_dbs = x'33'"),
    "row_count is 1.5": (MANIFEST, "UPDATE shards SET row_count = 1.5"),
    "created_at": (MANIFEST, "UPDATE build_meta SET created_at = '2026-11-23T11:01:02.000000Z'"),
    "key_encoding": (MANIFEST, "UPDATE build_meta SET key_encoding = 'u16be'"),
    "sharding are not sorted": (MANIFEST, "UPDATE build_meta SET sharding = '{\"x\":1,\"a\":2}'"),
    "routing_values": (MANIFEST, "UPDATE build_meta SET sharding = replace(sharding, '\"eu\"', '1')"),
    "db_url": (MANIFEST, "UPDATE shards SET db_url = db_url || '/'"),
    "attempt": (MANIFEST, "UPDATE shards SET attempt = 1"),
    "one checkpoint_id": (MANIFEST, "UPDATE shards SET checkpoint_id = 'f86e2f9b0d4042eb83acc8200c685f1b'"),
    "checkpoint_id": (MANIFEST, "UPDATE shards SET checkpoint_id = replace(checkpoint_id, '4', '5')"),
    "min_key 1.0": (MANIFEST, "UPDATE shards SET min_key = '1.0'"),
    "max_key": (MANIFEST, "UPDATE shards SET max_key = '\"é\"'"),
    "writer_info": (MANIFEST, "UPDATE shards SET writer_info = replace(writer_info, '\"duration_ms\": 0', '\"duration_ms\": 0.5')"),
    "tables of the manifest": (MANIFEST, "CREATE INDEX more ON shards (attempt)"),
    "versions or ids": (SHARD, "PRAGMA user_version = 7"),
    "no BLOB": (SHARD, "UPDATE kv SET v = 'text'"),
    "six digits": (RECORD, ("started_at: '", "started_at: '2026-11-23T11:01:01.000000Z' #")),
    "a lease": (RECORD, ("status: succeeded", "status: running")),
    "error_type": (RECORD, ("error_type: null", "error_type: x")),
    "has members": (RECORD, ("run_id:", "runid:")),
    "without quotes": (SIDECAR, None),
}


@pytest.mark.parametrize("said", STRANGE)
def test_refuses_what_the_format_does_not_have(tmp_path, said):
    shutil.copytree(VECTORS / "manifest_example_cel/objects", tmp_path / "objects")
    assert read_golden(tmp_path / "objects") == 60
    pattern, change = STRANGE[said]
    path = next((tmp_path / "objects").glob(pattern))
    path.chmod(0o600)
    if pattern == RECORD:
        change_text(path, *change)
    elif pattern == SIDECAR:
        data = path.read_bytes()
        path.write_bytes(data[:18] + data[18:].replace(b'"', b"'", 2))  # the quotes of the tag
    else:
        change_sql(path, change)
    with pytest.raises(snapshot.Broken, match="started_at" if said == "six digits" else said.replace("(", ".")):
        read_golden(tmp_path / "objects")


def test_a_row_of_a_later_window_below_the_cut():
    steps = [step(1, model.NONE_LOW, 3_000_000, 2, 0, 0), step(2, 3_000_000, 4_000_000, 3, 2, 1)]
    rows = [row(0, 1), row(1, 3), row(2, 2)]
    builds = model.assign(rows, [], steps)
    assert [[r.offset for r in b.rows] for b in builds.values()] == [[0], [1, 2]]
    for build in builds.values():
        model.fold(build)
        assert [model.imbalance(a) for a in build.accounts.values()] == [0]
    assert builds[2].accounts[("t", 0)]["carried_in"] == 1


def test_late_and_future_by_the_recorded_cuts():
    steps = [step(1, model.NONE_LOW, 1_000_000, 2, 0, 0, bound=50_000_000),
             step(2, 1_000_000, 2_000_000, 5, 2, 2, bound=50_000_000)]
    rows = [row(0, 0), row(1, 90), row(2, 0), row(3, 1)]
    kinds = [model.judge(steps, ("t", 0), r.offset, r.event_time_us) for r in rows]
    assert kinds == [("on_time", 1), ("future", 1), ("late", 2), ("on_time", 2)]
    dropped = model.assign(rows, [], steps, late="drop")
    assert [r.offset for r in dropped[2].late] == [2] and dropped[2].accounts[("t", 0)]["late"] == 1


@pytest.fixture
def published(job, topics, name):
    topics.create(name, 2)
    topics.send(name, plain(200, 2))
    job.build()
    job.check(clean=True)
    return job


def shard_files(job):
    return sorted(pathlib.Path(job.store.root).rglob("shard.db"))


def change_row(job):
    with sqlite3.connect(shard_files(job)[0]) as db:
        db.execute("UPDATE kv SET v = x'00' WHERE k = (SELECT min(k) FROM kv)")


def drop_row(job):
    with sqlite3.connect(shard_files(job)[0]) as db:
        db.execute("DELETE FROM kv WHERE k = (SELECT k FROM kv ORDER BY k LIMIT 1 OFFSET 1)")


def swap_shards(job):
    one, two = shard_files(job)[:2]
    data = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(data)


def leak(job):
    job.store.put("shards/run_id=gone/db=00000/attempt=01/shard.db", b"x")


def break_pointer(job):
    pointer = json.loads(job.store.get("_CURRENT"))
    pointer["run_id"] = "somebody"
    job.store.put("_CURRENT", snapshot.stable_json(pointer).encode())


def strange_manifest(job):
    key = job.manifests()[0]
    job.store.put("manifests/2030-01-01T00:00:00.000000Z_run_id=strange/manifest", job.store.get(key))


def lose_manifest(job):
    job.store.delete(job.manifests()[0])


def spoil_sidecar(job):
    key = next(k for k in job.store.keys() if k.endswith("shard.sidecar"))
    data = bytearray(job.store.get(key))
    data[-20] ^= 1
    job.store.put(key, bytes(data))


@pytest.mark.parametrize("fault", [change_row, drop_row, swap_shards, leak, break_pointer, strange_manifest, lose_manifest,
                                   spoil_sidecar])
def test_notices(published, fault):
    fault(published)
    with pytest.raises(Exception) as caught:
        published.check(clean=True)
    assert "TimeoutError" not in type(caught.value).__name__


def test_notices_a_record_that_was_never_read(published, topics, name):
    """A record below the cut that the service did not publish: here by changing the recorded cut."""
    import oracle
    import topics as topics_module
    real = topics_module.read_ledger

    def shifted(*arguments):
        records = real(*arguments)
        for _, _, document in records:
            if document and document.get("kind") in ("CLOSE", "COMMIT"):
                document["partitions"][0]["cut"] = int(document["partitions"][0]["cut"]) + 1
        return records

    topics.send(name, [{"key": "unseen", "value": "x", "partition": 0}])
    published.check()
    topics_module.read_ledger = shifted
    try:
        with pytest.raises(oracle.Broken):
            published.check()
    finally:
        topics_module.read_ledger = real
