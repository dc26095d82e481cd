"""Contents `state`: every snapshot holds the newest row of every key so far."""
import random

import pytest

from test_content import plain


def rows(keys, round_, partitions=1, deleted=()):
    """One row a key, or a tombstone."""
    return [{"key": key, "value": None if key in deleted else f"{key} of round {round_}", "partition": i % partitions,
             "timestamp_ms": 1_700_000_000_000 + round_ * 1000 + i} for i, key in enumerate(keys)]


def shard_of(manifest, db_id):
    return next((e for e in manifest.shards if e["db_id"] == db_id), None)


def newest(report):
    return max(report.manifests, key=lambda m: m.key)


def lines(log, text):
    return [line for line in log.splitlines() if text in line]


def test_what_is_unchanged_is_copied(new_job, topics, name):
    """Updates, deletions and late rows over four builds on S3; a shard without new rows is the same file under
    another name, and what was built here is not downloaded again."""
    topics.create(name, 2)
    job = new_job(on_s3=True, snapshot={"contents": "state", "shards": 8})
    topics.send(name, plain(2000, 2, keys=600))
    job.build()
    first = newest(job.check(clean=True))
    topics.send(name, rows(["key-1"], 1, 2))
    output = job.build().output()
    report = job.check(clean=True)
    second = newest(report)
    same = [e for e in second.shards if e["checkpoint_id"] == shard_of(first, e["db_id"])["checkpoint_id"]]
    assert len(first.shards) == len(second.shards) == 8 and len(same) == 7
    for entry in same:
        before = shard_of(first, entry["db_id"])
        assert f"run_id={second.run_id}/" in entry["db_url"] and before["db_url"] != entry["db_url"]
        assert {k: entry[k] for k in ("row_count", "db_bytes", "min_key", "max_key")} == {
            k: before[k] for k in ("row_count", "db_bytes", "min_key", "max_key")}
    assert len(lines(output, "carry over shard")) == 7 and len(lines(output, 'text="build shard')) == 1
    assert not lines(output, "is downloaded again")
    assert second.lineage["made_of"]["base"] == first.run_id and "whole" not in second.lineage["made_of"]
    # a key that goes, one that comes back, one that was never there
    topics.send(name, rows(["key-1", "key-2", "none"], 2, deleted=("key-1", "none")))
    job.build()
    assert b"key-1" not in job.rows() and job.rows()[b"key-2"] == b"key-2 of round 2"
    topics.send(name, rows(["key-1"], 3))
    job.build()
    assert job.rows()[b"key-1"] == b"key-1 of round 3"
    report = job.check(clean=True)
    assert report.snapshots == 4 and report.tombstones == 2


def test_a_state_that_loses_all_its_keys(new_job, topics, name):
    topics.create(name, 1)
    job = new_job(snapshot={"contents": "state", "shards": 2})
    keys = [f"key-{i}" for i in range(20)]
    topics.send(name, rows(keys, 0))
    job.build()
    topics.send(name, rows(keys, 1, deleted=keys))
    job.build()
    assert job.rows() == {} and newest(job.check(clean=True)).shards == []
    topics.send(name, rows(["back"], 2))
    job.build()
    assert job.rows() == {b"back": b"back of round 2"}
    job.check(clean=True)


def test_a_window_without_rows_is_published(new_job, topics, name):
    """With empty = "publish": every shard is copied, by whoever is there."""
    topics.create(name, 1)
    job = new_job(on_s3=True, window={"empty": "publish"}, snapshot={"contents": "state", "shards": 3})
    topics.send(name, rows(["a", "b", "c", "d"], 0))
    job.build()
    before = job.rows()
    output = job.build().output()
    report = job.check(clean=True)
    assert report.snapshots == 2 and job.rows() == before and len(lines(output, "carry over shard")) == 3


def test_other_shards_make_it_anew(new_job, topics, name):
    """Another number of shards, another key width: all of it from the base, and said so; then carried over again."""
    topics.create(name, 1)
    job = new_job(topics=[{"name": name, "key": {"from": "key", "encoding": "u32be"}}],
                  snapshot={"contents": "state", "shards": 4})
    numbers = [str(i) for i in range(300)]
    topics.send(name, rows(numbers, 0))
    job.build()
    for round_, change in enumerate([{"shards": 6}, {"shards": 6, "page_size": 8192}], 1):
        job.write(snapshot=change)
        topics.send(name, rows(["7"], round_))
        output = job.build().output()
        assert lines(output, "makes the whole state anew")
        manifest = newest(job.check())
        assert manifest.lineage["made_of"]["whole"] is True and len(manifest.shards) == 6
    topics.send(name, rows(["8"], 3))
    output = job.build().output()
    assert not lines(output, "makes the whole state anew") and len(lines(output, "carry over shard")) == 5
    assert job.check(clean=True).snapshots == 4 and len(job.rows()) == 300
    # wider keys: the same integers, stored otherwise
    job.write(topics=[{"name": name, "key": {"from": "key", "encoding": "u64be"}}])
    topics.send(name, rows(["9"], 4))
    output = job.build().output()
    assert lines(output, "makes the whole state anew")
    assert len(job.rows()) == 300 and all(len(key) == 8 for key in job.rows())
    assert job.command("get", "9").strip() == "9 of round 4" and job.command("get", "10").strip() == "10 of round 0"


def test_a_window_does_not_become_a_state(new_job, topics, name):
    topics.create(name, 1)
    job = new_job()
    topics.send(name, rows(["a"], 0))
    job.build()
    first = job.pointer()
    job.write(snapshot={"contents": "state"})
    topics.send(name, rows(["b"], 1))
    process = job.start()
    job.command("trigger", "--no-wait", check=False)
    process.wait_for_text("holds a window, and no state can be made of it")
    assert process.stop() == 0
    process = job.spawn("build")  # a job must end
    assert process.wait() == 3 and "tidemark: no build is begun: snapshot" in process.output(), process.output()
    assert job.pointer() == first
    # back to windows it goes on, and nothing was lost
    job.write(snapshot={"contents": "window"})
    job.build()
    assert job.rows() == {b"b": b"b of round 1"}


def test_rollback_from_here_and_hold(new_job, topics, name):
    """The base is the head's snapshot: under HOLD one that no pointer names yet, after --from-here an older one."""
    topics.create(name, 2)
    job = new_job(window={"trigger": "offsets", "every_records": 50}, snapshot={"contents": "state", "shards": 3})
    process = job.start()
    runs = []
    for round_ in range(2):
        topics.send(name, plain(50, 2, keys=200, seed=round_))
        process.wait_for(lambda r=round_: job.published() > r, f"snapshot {round_ + 1}")
        runs.append(job.pointer()["run_id"])
    job.command("hold")
    for round_ in range(2, 4):
        topics.send(name, plain(50, 2, keys=200, seed=round_))
        process.wait_for(lambda r=round_: len(job.records_of_chain()) > r, f"COMMIT {round_ + 1}")
    assert job.pointer()["run_id"] == runs[1]
    job.command("resume", "--adopt")
    process.wait_for(lambda: job.pointer()["run_id"] not in runs, "the fourth snapshot")
    job.check()
    job.command("rollback", runs[0])
    job.command("resume", "--from-here")
    process.wait_for(lambda: job.pointer()["run_id"] != runs[0], "all of it again, on the first")
    assert process.stop() == 0
    job.check()


def test_two_members(new_job, topics, name):
    """Rows go to whoever builds the shard; the base comes from the store, or from where the shard was built."""
    topics.create(name, 4)
    job = new_job(on_s3=True, window={"trigger": "offsets", "every_records": 400},
                  snapshot={"contents": "state", "shards": 4})
    processes = [job.start(), job.start(member="two")]
    rng = random.Random(4)
    for round_ in range(4):
        keys = [f"key-{rng.randrange(500)}" for _ in range(400)]
        topics.send(name, rows(keys, round_, 4, deleted=set(keys[:40])))
        processes[0].wait_for(lambda r=round_: job.published() > r, f"snapshot {round_ + 1}")
    job.wait_until_clean()
    for process in processes:
        assert process.stop() == 0
    report = job.check(clean=True)
    assert report.snapshots >= 4 and report.tombstones > 0


def test_gates(new_job, topics, name):
    """A build that a gate refuses leaves the pointer alone and says why; a person, or other gates, let it through."""
    topics.create(name, 1)
    job = new_job(on_s3=True, window={"trigger": "offsets", "every_records": 20},
                  snapshot={"contents": "state", "shards": 4},
                  gates={"max_row_change": 0.5, "canary_keys": ["key-0", "key-7"]})
    process = job.start()
    topics.send(name, rows([f"key-{i}" for i in range(20)], 0))
    process.wait_for(lambda: job.published() == 1, "the first snapshot")
    first = job.pointer()
    # one key is deleted, another changed: shards without rows are copied, and looked into by range
    topics.send(name, rows(["key-7"] + ["key-1"] * 19, 1, deleted=["key-7"]))
    process.wait_for(lambda: job.records("GATED"), "the gate's word")
    assert job.pointer() == first
    assert "key key-7 is not there" in job.command("status")
    status = job.json("status")
    assert status["phase"] == "gated" and "key key-7 is not there" in status["text"]
    assert "--why" in job.command("accept", check=False).stderr
    assert "not another" in job.command("accept", "another", "--why", "x", check=False).stderr
    job.command("accept", "--wait", "--why", "key-7 was sold")
    assert job.pointer() != first and b"key-7" not in job.rows()
    assert "no gate keeps" in job.command("accept", "--why", "again", check=False).stderr
    # 20 rows more than 19: too much, until the settings say otherwise
    topics.send(name, rows([f"more-{i}" for i in range(20)], 2))
    process.wait_for(lambda: len(job.records("GATED")) > 1, "the gate's second word")
    assert any("39 rows" in reason for reason in job.records("GATED")[-1]["reasons"])
    assert process.stop() == 0
    job.settings["gates"] = {"canary_keys": ["key-0"]}
    process = job.start()
    process.wait_for(lambda: job.published() >= 3, "the third snapshot")
    assert process.stop() == 0
    assert job.check(clean=True).snapshots == 3 and len(job.rows()) == 39


@pytest.mark.parametrize("step", ["attempt-uploaded", "committed"])
def test_crash_of_a_state_build_at(new_job, topics, name, step):
    """The next start makes the same state again, on the same base: nothing twice, nothing lost, nothing left over."""
    topics.create(name, 2)
    job = new_job(window={"trigger": "offsets", "every_records": 50}, snapshot={"contents": "state", "shards": 6, "keep_last": 2,
                                                                                "cleanup_grace": "0s"})
    topics.send(name, plain(50, 2, keys=200))
    process = job.start()
    process.wait_for(lambda: job.published() == 1, "the first state")
    assert process.stop() == 0
    # few keys: most shards are copied
    topics.send(name, rows(["key-1", "key-2"] * 25, 1, 2, deleted=["key-2"]))
    process = job.start(env={"TIDEMARK_TEST_CRASH_AT": step})
    assert process.wait() in (137, -9), process.output()[-2000:]
    topics.send(name, rows(["key-3"] * 50, 2, 2))
    process = job.start()
    process.wait_for(lambda: job.published() >= 3, "the third state")
    job.wait_until_clean()
    assert process.stop() == 0
    report = job.check(clean=True)
    assert report.snapshots == 2 and b"key-2" not in job.rows() and job.rows()[b"key-1"] == b"key-1 of round 1"
