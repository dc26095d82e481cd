"""Contents `state` with state_order = "exact": a late record has its place, whichever build it comes in."""
import random

import pytest

import model
import order_object
from cluster import FaultyS3
from test_group_crash import LONG
from test_state import lines, newest
from test_verify import DIFFERS, verify


def row(key, second, value="", partition=0):
    """An empty value: a tombstone."""
    return {"key": key, "value": value or None, "partition": partition, "timestamp_ms": 1_700_000_000_000 + second * 1000}


def shard_of(key, shards):
    return model.shard_of(key.encode(), shards)


def test_late_records_and_deleted_keys(new_job, topics, name):
    """An older record neither overwrites a newer one nor revives a key, also where a shard has deleted keys alone; what
    is unchanged is copied with its order object."""
    topics.create(name, 1)
    job = new_job(on_s3=True, snapshot={"contents": "state", "state_order": "exact", "order": "event_time", "shards": 4})
    keys = [f"key-{i}" for i in range(40)]
    gone = [key for key in keys if shard_of(key, 4) == 2]
    kept = [key for key in keys if key not in gone]
    topics.send(name, [row(key, 10, "first") for key in keys])
    job.build()
    topics.send(name, [row(kept[0], 50, "newest"), row(kept[1], 50)] + [row(key, 60) for key in gone])
    job.build()
    manifest = newest(job.check(clean=True))
    assert [e["db_id"] for e in manifest.shards] == [0, 1, 3]
    assert [shard for shard, _ in manifest.lineage["made_of"]["orders"]] == [2]
    job.command("cleanup")  # takes attempts that nobody names; the lineage names this one
    # late ones: an older value, a deleted key, one of the shard that has none left; and one that is newer
    topics.send(name, [row(kept[0], 30, "late"), row(kept[1], 30, "revived"), row(gone[0], 59, "revived"),
                       row(gone[1], 61, "back")])
    job.build()
    rows = job.rows()
    assert rows[kept[0].encode()] == b"newest" and kept[1].encode() not in rows
    assert rows[gone[1].encode()] == b"back" and gone[0].encode() not in rows
    topics.send(name, [row(gone[1], 70)])
    job.build()
    # nothing but copies, the order object of the empty shard among them
    other = next(key for key in keys if shard_of(key, 4) == 0)
    topics.send(name, [row(other, 80, "changed")])
    output = job.build().output()
    assert len(lines(output, "carry over shard")) == 3
    # another number of shards: deleted keys go along
    job.write(snapshot={"shards": 3})
    topics.send(name, [row(gone[2], 20, "revived"), row("new", 20, "new")])
    assert lines(job.build().output(), "makes the whole state anew")
    assert gone[2].encode() not in job.rows() and job.rows()[b"new"] == b"new"
    assert job.check(clean=True).snapshots == 6
    job.write(snapshot={"shards": 4})
    for key in job.manifests()[1:5]:
        assert verify(job, "--run", key.split("run_id=")[1].split("/")[0])["verdict"] == "equal"


def test_many_builds_with_retention_and_a_crash(new_job, topics, name):
    """By offset: the records of the second partition are newer than all of the first."""
    topics.create(name, 2)
    job = new_job(window={"trigger": "offsets", "every_records": 60}, snapshot={
        "contents": "state", "state_order": "exact", "shards": 3, "keep_last": 2, "cleanup_grace": "0s"})
    rng = random.Random(6)
    process = job.start()
    for round_ in range(4):
        keys = [f"key-{rng.randrange(25)}" for _ in range(60)]
        topics.send(name, [row(key, round_, "" if rng.random() < 0.4 else f"{round_}/{i}", i % 2) for i, key in enumerate(keys)])
        process.wait_for(lambda r=round_: job.published() > r, f"snapshot {round_ + 1}")
    assert process.stop() == 0
    topics.send(name, [row("key-1", 9, "x", 1)] * 30 + [row("key-2", 9, "y")] * 30)
    process = job.start(env={"TIDEMARK_TEST_CRASH_AT": "attempt-uploaded"})
    assert process.wait() in (137, -9), process.output()[-2000:]
    process = job.start()
    process.wait_for(lambda: job.published() > 4, "the fifth state")
    job.wait_until_clean()
    assert process.stop() == 0
    assert job.check(clean=True).snapshots == 2
    job.check(clean=True)


def test_from_order_by_build_and_back(new_job, topics, name):
    """What was there before is older than all records that come; both changes are announced."""
    topics.create(name, 1)
    job = new_job(snapshot={"contents": "state", "order": "event_time", "shards": 2})
    topics.send(name, [row("a", 50, "first"), row("b", 50, "first"), row("c", 50)])
    job.build()
    job.write(snapshot={"state_order": "exact"})
    topics.send(name, [row("a", 20, "earlier, and yet newer"), row("c", 20, "remembered by nobody")])
    assert lines(job.build().output(), "exact order")
    topics.send(name, [row("a", 10, "late"), row("b", 10, "later than what was there before")])
    assert not lines(job.build().output(), "makes the whole state anew")
    assert job.rows() == {b"a": b"earlier, and yet newer", b"b": b"later than what was there before",
                          b"c": b"remembered by nobody"}
    report = job.check(clean=True)
    assert verify(job)["verdict"] == "equal" and report.snapshots == 3
    job.write(snapshot={"state_order": "build"})
    topics.send(name, [row("a", 1, "by build")])
    assert lines(job.build().output(), "order by build")
    assert job.rows()[b"a"] == b"by build"
    job.check(clean=True)


def test_a_damaged_order_object(new_job, topics, name):
    """verify says which; a build that needs it says so too, and publishes nothing."""
    topics.create(name, 1)
    job = new_job(snapshot={"contents": "state", "state_order": "exact", "shards": 1})
    topics.send(name, [row("a", 1, "1"), row("b", 1)])
    job.build()
    key = next(key for key in job.store.keys() if key.endswith("/shard.order"))
    whole = job.store.get(key)
    assert {k: v[3] for k, v in order_object.read(whole).items()} == {b"a": False, b"b": True}
    job.store.put(key, whole[:40] + b"?" + whole[41:])
    report = verify(job, code=DIFFERS)
    assert any("order object" in finding["what"] for finding in report["findings"]), report
    before = job.pointer()
    topics.send(name, [row("a", 2, "2")])
    process = job.spawn("build")
    process.wait_for_text("checksum")
    assert process.stop() != 0 and job.pointer() == before
    job.store.delete(key)
    report = verify(job, code=DIFFERS)
    assert any("order object" in finding["what"] for finding in report["findings"]), report
    job.store.put(key, whole)
    job.build()
    assert verify(job)["verdict"] == "equal" and job.rows() == {b"a": b"2"}
    job.check(clean=True)


@pytest.mark.parametrize("step", ["carried-order:2", pytest.param("carried-file:1", marks=LONG), "carried-file:3"])
def test_crash_while_shards_are_copied(new_job, topics, name, step):
    """Some copies are there, some in part: the next start makes the same state, and nothing is left over."""
    topics.create(name, 1)
    job = new_job(on_s3=True, window={"trigger": "offsets", "every_records": 20}, snapshot={
        "contents": "state", "state_order": "exact", "shards": 6, "keep_last": 2, "cleanup_grace": "0s"})
    topics.send(name, [row(f"key-{i}", 1, "first") for i in range(20)])
    process = job.start()
    process.wait_for(lambda: job.published() == 1, "the first state")
    assert process.stop() == 0
    topics.send(name, [row("key-1", 2, "second")] * 20)
    process = job.start(env={"TIDEMARK_TEST_CRASH_AT": step})
    assert process.wait() in (137, -9), process.output()[-2000:]
    topics.send(name, [row("key-2", 3)] * 20)
    process = job.start()
    process.wait_for(lambda: job.published() == 3, "the third state")
    job.wait_until_clean()
    assert process.stop() == 0
    report = job.check(clean=True)
    assert report.snapshots == 2 and job.rows()[b"key-1"] == b"second" and b"key-2" not in job.rows()


@pytest.mark.parametrize("action", [
    {"action": "status", "status": 500, "code": "InternalError"},
    pytest.param({"action": "status", "status": 503, "code": "SlowDown"}, marks=LONG),
    pytest.param({"action": "drop"}, marks=LONG),
    {"action": "drop_after"},
])
def test_copies_that_fail(new_job, topics, s3, name, tmp_path, action):
    """A copy is tried again; one that fails for good is another attempt, after a pause. An answer that is lost is
    settled by looking: the same state comes of it."""
    topics.create(name, 1)
    way = FaultyS3(s3, tmp_path)
    job = new_job(on_s3=True, snapshot={"contents": "state", "state_order": "exact", "shards": 3, "attempt_backoff": "200ms",
                                        "max_attempts": 5},
                  s3={"endpoint": s3.endpoint, "max_retries": 1})
    topics.send(name, [row(f"key-{i}", 1, "first") for i in range(30)])
    job.build()
    before = newest(job.check(clean=True))
    topics.send(name, [row("key-1", 2, "second")])
    job.write(s3={"endpoint": way.endpoint})
    way.rules([{**action, "method": "PUT", "header": "x-amz-copy-source", "times": 5}])
    output = job.build().output()
    assert sum("x-amz" in line or action["action"] in line for line in way.log()) >= 5
    job.write(s3={"endpoint": s3.endpoint})
    report = job.check(clean=True)
    after = newest(report)
    assert report.snapshots == 2 and job.rows()[b"key-1"] == b"second"
    same = {e["checkpoint_id"] for e in before.shards} & {e["checkpoint_id"] for e in after.shards}
    assert len(same) == 2, output[-2000:]
    assert verify(job)["verdict"] == "equal"
