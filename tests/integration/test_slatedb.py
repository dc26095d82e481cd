"""Shards of SlateDB: what the service publishes, SlateDB's own package reads back."""
import random

import harness
import slatedb_shard
from test_content import plain

SLATEDB = {"kv": {"backend": "slatedb"}}


def records(count, keys, rng):
    for i in range(count):
        value = {"i": i, "pad": "x" * rng.randrange(300)}
        yield {"key": f"key-{rng.randrange(keys):05d}", "value": value if i % 9 else None, "partition": i % 2}


def test_slatedb(new_job, topics, name, tmp_path):
    """On a real broker and a real S3 server: rows, account, checkpoint, reading commands, proof, clean-up."""
    job = new_job(on_s3=True, window={"trigger": "manual"}, snapshot={"shards": 3, "keep_last": 1, "cleanup_grace": "1s"},
                  gates={"canary_keys": ("key-00007",)}, **SLATEDB)
    topics.create(name, 2)
    rng = random.Random(11)
    topics.send(name, list(records(4000, 900, rng)))
    # what SlateDB has no place for is rejected, record by record, as any other bad key
    topics.send(name, [{"key": "", "value": {"i": -1}, "partition": 0}, {"key": "key-00007", "value": {"i": 7}, "partition": 1}])
    job.settings["dead_letter"] = {"policy": "drop"}
    job.build()
    report = job.check(clean=True)  # each shard as of its checkpoint, by SlateDB's own package
    assert report.rows > 700 and report.rejected == 1 and report.tombstones > 50

    manifest = job.current()
    made_by = manifest.lineage["made_by"]
    assert (made_by["kv_backend"], made_by["kv_version"]) == ("slatedb", "0.17.0")
    assert "sqlite_sidecar" not in manifest.custom
    assert len({entry["checkpoint_id"] for entry in manifest.shards}) == 3
    rows = job.rows()

    # the program's own reading: downloaded, by the same library
    key = sorted(rows)[17].decode()
    cache = ("--cache", str(tmp_path / "cache"))
    assert job.json("get", key, *cache)["value"] == rows[key.encode()].decode()
    assert job.command("get", "no such key", *cache, check=False).returncode == 4
    looked_up = job.json("multiget", *(k.decode() for k in rows), *cache)["results"]
    assert {row["key"].encode(): row["value"].encode() for row in looked_up} == rows
    walked = job.json("diff", manifest.run_id, manifest.run_id, *cache)
    assert (walked["equal"], walked["same_files"], walked["changed"]) == (len(rows), 0, 0)
    refused = job.command("get", key, "--reading", "range", *cache, check=False)
    assert refused.returncode != 0 and "shard files of slatedb cannot be read by range" in refused.stderr
    assert job.json("info")["kv_backend"] == "slatedb" and "backend      slatedb" in job.command("info")

    # a reader that follows the newest state leaves notes of its own in the folder: nothing minds
    entry = manifest.shards[0]
    before = set(job.store.keys())
    found = slatedb_shard.read(job.store, entry, slatedb_shard.uniffi.ReaderMode.MANAGED_CHECKPOINT())
    assert len(found) == entry["row_count"] and set(job.store.keys()) > before

    proof = job.json("verify")
    assert proof["verdict"] == "equal" and [(f["kind"], f["what"]) for f in proof["findings"]] == [
        ("note", "slatedb never writes the same bytes twice: rows are compared instead")]
    assert proof["same_files"] == 0 and proof["rows"] == len(rows)

    # the next snapshot; with keep_last = 1 the first one goes, with all that is below its folders
    topics.send(name, list(records(500, 300, rng)) + [{"key": "key-00007", "value": {"i": 8}, "partition": 1}])
    process = job.start()
    process.wait_for(lambda: job.command("trigger", check=False).returncode == 0, "a trigger")
    process.wait_for(lambda: job.published() == 2, "the second snapshot")
    run = manifest.run_id
    process.wait_for(lambda: not any(f"run_id={run}" in key for key in job.store.keys() if not key.startswith("runs/")),
                     "that the first run is deleted")
    assert process.stop() == 0
    assert job.check(clean=True).snapshots == 1


def test_a_builder_that_is_killed_leaves_nothing(new_job, topics, name):
    """kill -9 with an attempt uploaded and nothing on record: another run publishes, and the dead one's folders go."""
    job = new_job(snapshot={"shards": 2}, **SLATEDB)
    topics.create(name, 2)
    topics.send(name, list(records(400, 100, random.Random(3))))
    process = job.spawn("build", env={"TIDEMARK_TEST_CRASH_AT": "attempt-uploaded"})
    process.wait()
    left = [key for key in job.store.keys() if "/compacted/" in key]
    assert left and job.current() is None
    job.build()
    job.command("cleanup")
    report = job.check(clean=True)
    assert report.snapshots == 1
    assert not set(left) & set(job.store.keys())


def test_an_attempt_that_fails_half_way_goes_as_a_whole(new_group, topics, name):
    """The store refuses one file of an attempt: the next attempt is published, and of the first, whose other files are
    there already, nothing is left."""
    refused = "db=00000/attempt=01/manifest/00000000000000000001"
    group = new_group(members=1, window={"trigger": "offsets", "every_records": 240}, snapshot={"shards": 2}, **SLATEDB)
    member = group.members[0]
    member.lane.faults.rules([{"action": "status", "status": 403, "code": "AccessDenied", "method": "PUT",
                               "match": refused.replace("=", "%3D")}])
    member.start()
    topics.send(name, plain(240, 3, keys=1000, seed=1))
    failed = harness.wait_for(lambda: [a for a in group.ledger.history("ATTEMPT") if not a.get("ok")], "an attempt that fails")
    assert [(a["shard"], a["attempt"]) for a in failed] == [(0, 1)] and "403" in failed[0]["error"], failed
    group.wait_for_published(1)
    assert int(group.ledger.get("commit")["winners"][0]) == 2
    report = group.finish()  # clean: nothing that no snapshot names is left
    assert report.snapshots == 1 and not [k for k in group.store.keys() if "db=00000/attempt=01" in k]


def test_what_does_not_go_together(new_job, name):
    topic = {"name": name, "key": {"from": "key", "encoding": "utf8"}, "vector": {"from": "json:/v"}}
    job = new_job(topics=[topic], snapshot={"contents": "state", "page_size": 4096, "sidecar": True}, limits={"max_key_bytes": "64KiB"},
                  vectors={"dim": 2, "extension": "/nowhere/vec0.so"}, **SLATEDB)
    result = job.command("check", check=False)
    assert result.returncode != 0
    said = result.stdout + result.stderr
    for setting in ("snapshot.contents", "snapshot.page_size", "snapshot.sidecar", "limits.max_key_bytes", "vectors.dim"):
        line = [text for text in said.splitlines() if f"{setting}:" in text]
        assert len(line) == 1 and line[0].startswith(f"{job.file}:") and "slatedb" in line[0], said
    assert "kv.backend:" not in said, f"{harness.BINARY} has no SlateDB"
