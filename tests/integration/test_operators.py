"""What an operator does, and what the service makes of it: rollback, hold, resume, clean-up, reading."""
import json
import pathlib
import shutil
import signal
import sqlite3
import time

import pytest

import harness
from test_content import plain

EVERY = {"trigger": "offsets", "every_records": 100}


def publish(job, topics, name, process, round_, partitions=1):
    topics.send(name, plain(100, partitions, seed=round_))
    process.wait_for(lambda: job.published() >= round_, f"snapshot {round_}")
    return job.pointer()["run_id"]


def start_with_two(job, topics, name, partitions=1):
    topics.create(name, partitions)
    process = job.start()
    runs = [publish(job, topics, name, process, round_, partitions) for round_ in (1, 2)]
    return process, runs


def test_rollback_holds_and_adopt_goes_on(new_job, topics, name):
    job = new_job(window=EVERY)
    process, runs = start_with_two(job, topics, name)
    job.command("rollback", runs[0])
    assert job.pointer()["run_id"] == runs[0]
    # under the hold builds are committed, but nothing is published over the operator's pointer
    topics.send(name, plain(100, 1, seed=3))
    process.wait_for(lambda: len([c for c in job.records("COMMIT")]) >= 3, "a third COMMIT")
    time.sleep(2)
    assert job.pointer()["run_id"] == runs[0]
    job.command("resume", "--adopt")
    process.wait_for(lambda: job.pointer()["run_id"] not in runs, "a newer snapshot")
    assert process.stop() == 0
    report = job.check(clean=True)
    assert sum(len(b.rows) for b in report.builds.values()) == 300


@pytest.mark.parametrize("partitions", [1, 3])
def test_rollback_and_build_again_from_here(new_job, topics, name, partitions):
    job = new_job(window=EVERY)
    process, runs = start_with_two(job, topics, name, partitions)
    topics.send(name, plain(30, partitions, seed=9))  # read already when all partitions go back
    time.sleep(1)
    job.command("rollback", runs[0])
    job.command("resume", "--from-here")
    # the records of the second snapshot are built again, on top of the first
    process.wait_for(lambda: job.pointer()["run_id"] not in runs, "another second snapshot")
    assert process.stop() == 0
    report = job.check()
    assert len(report.ledger.given_up) == 1
    head = report.ledger.head
    first, second = (len(report.builds[c["run_id"]].rows) for c in head.commits if c["run_id"] in report.builds)
    assert first == 100 <= second <= 130  # a PROGRESS of the middle of the reading may close it
    assert head.steps[1].seen_end == head.steps[0].cuts


def test_hold(new_job, topics, name):
    job = new_job(window=EVERY)
    process, runs = start_with_two(job, topics, name)
    job.command("hold", "--why", "a look at the data")
    topics.send(name, plain(100, 1, seed=3))
    time.sleep(3)
    assert job.pointer()["run_id"] == runs[1]
    assert "a look at the data" in job.command("status")
    # a restart does not forget it
    assert process.stop() == 0
    process = job.start()
    time.sleep(4)
    assert job.pointer()["run_id"] == runs[1]
    job.command("resume", "--adopt")
    process.wait_for(lambda: job.pointer()["run_id"] != runs[1], "the third snapshot")
    assert process.stop() == 0
    assert job.check(clean=True).snapshots == 3


def test_a_build_under_a_hold(new_job, topics, name):
    """A job ends, with the hold's exit code and words; when somebody resumed, the next one builds all, once."""
    job = new_job()
    topics.create(name, 1)
    topics.send(name, plain(100, 1))
    job.build()
    first = job.pointer()
    topics.send(name, plain(100, 1, seed=2))
    job.command("hold", "--why", "a look at the prices", "--timeout", "5s")  # nobody leads: the next leader obeys it
    for _ in range(2):
        process = job.spawn("build")
        assert process.wait() == 7, process.output()
        assert "a look at the prices" in process.output() and "tidemark resume --adopt" in process.output(), process.output()
    assert job.pointer() == first
    assert job.json("status")["triggers_waiting"] == 0, "wishes for builds that nobody waits for"
    # the answer to the hold waits for the next leader, too; and a hold may come while a build is under way
    job.command("resume", "--adopt", "--timeout", "5s", check=False)
    process = job.spawn("build", env={"TIDEMARK_TEST_STOP_AT": "planned"})
    state = pathlib.Path(f"/proc/{process.popen.pid}/stat")
    process.wait_for(lambda: state.read_text().rpartition(")")[2].split()[0] == "T", "that it sleeps")
    job.command("hold", "--why", "lunch", "--timeout", "1s", check=False)
    process.signal(signal.SIGCONT)
    assert process.wait() == 7, process.output()
    assert "lunch" in process.output() and job.pointer() == first
    job.command("resume", "--adopt", "--timeout", "5s", check=False)
    job.build()
    assert job.pointer() != first
    assert sum(len(b.rows) for b in job.check(clean=True).builds.values()) == 200


def test_a_build_that_a_gate_refuses(new_job, topics, name):
    """A job ends, with the gate's words; the next one publishes what was accepted, or what other gates let through."""
    def refused(*words, **options):
        process = job.spawn("build", **options)
        assert process.wait() == 7, process.output()
        for word in ("a gate keeps the build", "tidemark accept --why", *words):
            assert word in process.output(), process.output()

    def rows(count):
        topics.send(name, [{"key": f"key-{n}", "value": "v"} for n in range(count)])

    job = new_job(gates={"min_rows": 50, "canary_keys": ["key-7"]})
    topics.create(name, 1)
    rows(60)
    job.build()
    first = job.pointer()
    rows(7)
    for _ in range(2):
        refused("Refused build 2, run b2-", "7 rows, at least 50 are wanted (gates.min_rows)",
                "key key-7 is not there (gates.canary_keys)")
    assert job.pointer() == first
    assert job.json("status")["triggers_waiting"] == 1, "that of the build that waits, and no wish of the second job"
    rows(60)
    # the answer waits for the next leader; it publishes this build, and one of what came since
    assert "--why" not in job.command("accept", "--why", "a quiet night", "--timeout", "2s", check=False).stderr
    job.build()
    assert job.published() == 3
    rows(8)
    refused("8 rows, at least 50")
    job.settings["gates"] = {"min_rows": 5}
    job.build()
    assert job.published() == 4
    # the gates of who leads are the ones that count
    terms = len(job.records("LEADER"))
    leader = job.start()
    leader.wait_for(lambda: len(job.records("LEADER")) > terms, "that it leads")
    rows(3)
    job.settings["gates"] = {"min_rows": 1}
    # members that join may take the lead over, but for one whose clock is wrong
    clock = job.folder / "clock"
    clock.write_text(f"{300 * 1_000_000}\n")
    refused("3 rows, at least 5 are wanted", member="two", env={"TIDEMARK_TEST_CLOCK_SHIFT_FILE": str(clock)})
    assert leader.stop() == 0
    job.build()
    assert job.check(clean=True).snapshots == 5


def test_a_second_signal(new_job, topics, name):
    """Who insists does not wait, and sees by the code that the end was none in order; nothing is lost."""
    topics.create(name, 1)
    job = new_job(window=EVERY)
    process = job.start()
    publish(job, topics, name, process, 1)
    process.signal(signal.SIGTERM)
    process.signal(signal.SIGINT)
    assert process.wait() == 10
    assert "the second one: ends at once" in process.output() and "bytes received" not in process.output()
    topics.send(name, plain(100, 1, seed=2))
    process = job.start()
    process.wait_for(lambda: job.published() >= 2, "the second snapshot")
    assert process.stop() == 0
    assert job.check(clean=True).snapshots == 2


def test_somebody_elses_pointer(new_job, topics, name):
    """A pointer that no COMMIT knows is an operator: the service holds and says so."""
    job = new_job(window={**EVERY}, snapshot={"pointer_check": "1s"})
    process, runs = start_with_two(job, topics, name)
    manifest = job.manifests()[0]
    pointer = job.pointer()
    pointer.update(run_id=runs[0], manifest_ref=f"{job.store.url}/{manifest}", updated_at="2026-11-23T10:00:00.123456Z")
    job.store.put("_CURRENT", json.dumps(pointer, sort_keys=True, separators=(",", ":")).encode())
    topics.send(name, plain(100, 1, seed=3))
    process.wait_for(lambda: job.records("HOLD") or job.records("HELD"), "that it holds")
    time.sleep(2)
    assert job.pointer()["run_id"] == runs[0]
    job.command("resume", "--adopt")
    process.wait_for(lambda: job.pointer()["run_id"] not in runs, "a newer snapshot")
    assert process.stop() == 0
    assert sum(len(b.rows) for b in job.check().builds.values()) == 300


def test_keep_last(new_job, topics, name):
    job = new_job(window=EVERY, snapshot={"keep_last": 2, "cleanup_grace": "1s"})
    topics.create(name, 1)
    process = job.start()
    runs = [publish(job, topics, name, process, n) for n in range(1, 5)]
    job.wait_until_clean()
    assert process.stop() == 0
    report = job.check(clean=True)
    assert [m.run_id for m in report.manifests] == runs[2:]


def test_uploads_that_land_late(new_job, topics, name):
    """What nobody told of and nobody waits for any more is found and deleted, and nothing else."""
    job = new_job(window=EVERY, on_s3=True, snapshot={"cleanup_every": "1s"})
    process, runs = start_with_two(job, topics, name)
    late = [f"shards/run_id={run}/db=00001/attempt={n}/shard.db" for run in (*runs, "b1-t0-0badcafe") for n in ("77", "78")]
    others = ["shards/run_id=of-another-tool/db=00000/attempt=00/shard.db",
              "shards/run_id=b99-t1-0badcafe/db=00000/attempt=01/shard.db"]
    for key in others + late:
        job.store.put(key, b"left behind")
    process.wait_for(lambda: not set(late) & set(job.store.keys()), "that late uploads are deleted")
    assert process.stop() == 0
    assert set(others) <= set(job.store.keys())
    for key in others:
        job.store.delete(key)
    assert job.check(clean=True).snapshots == 2


def test_cleanup_command(new_job, topics, name):
    job = new_job(window=EVERY)
    process, runs = start_with_two(job, topics, name)
    assert process.stop() == 0
    for run in ("dead", runs[1]):
        job.store.put(f"shards/run_id={run}/db=00001/attempt=77/shard.db", b"left behind")
    before = job.store.keys()
    shown = job.command("cleanup", "--dry-run")
    assert "attempt=77" in shown or "dead" in shown
    assert job.store.keys() == before
    job.command("cleanup")
    report = job.check()
    assert report.snapshots == 2
    assert not any(f"run_id={runs[1]}" in k and "attempt=77" in k for k in job.store.keys())


def test_commands_that_read(new_job, topics, name):
    job = new_job(window=EVERY)
    process, runs = start_with_two(job, topics, name)
    assert process.stop() == 0
    rows = job.rows()
    key = sorted(rows)[3]
    assert job.command("get", key.decode()).encode().rstrip(b"\n") == rows[key]
    assert job.command("get", "no such key", check=False).returncode == 4
    assert runs[1] in job.command("info")
    history = job.command("history")
    assert history.index(runs[1]) < history.index(runs[0])
    # a reader without any settings file
    result = job.command("shards")
    assert all(e["db_url"] in result or str(e["row_count"]) in result for e in job.current().shards)
    lookup = job.command("multiget", *[k.decode() for k in sorted(rows)[:5]])
    assert all(rows[k].decode() in lookup for k in sorted(rows)[:5])


def test_state_without_ledger_comes_from_the_store(new_job, topics, kafka, name):
    """R21: with the ledger lost, the service goes on from the lineage of the current manifest."""
    job = new_job(window=EVERY)
    process, runs = start_with_two(job, topics, name)
    assert process.stop() == 0
    first = job.settings["group"]
    ledger = job.ledger()
    # the same store and group of readers, an empty ledger
    job.settings["kafka"]["ledger_topic"] = first + "-second-ledger"
    topics.send(name, plain(100, 1, seed=9))
    process = job.start()
    process.wait_for(lambda: job.pointer()["run_id"] not in runs, "the third snapshot")
    assert process.stop() == 0
    current = job.current()
    parents = json.dumps(current.lineage)
    assert runs[1] in parents and len(ledger) > 0
    assert len(job.manifests()) == 3


def test_another_groups_store(new_job, topics, name):
    """Two groups under one prefix: the second holds, names both, and goes on only when somebody says so."""
    job = new_job()
    topics.create(name, 1)
    topics.send(name, plain(100, 1))
    job.build()
    first, old = job.pointer()["run_id"], job.settings["group"]
    doctor = {line["check"]: line for line in json.loads(job.command("doctor", "--json", check=False).stdout)["checks"]}
    assert doctor["store group"]["level"] == "ok"
    job.settings["group"] = new = old + "-new"
    job.settings["member_id"] = "new"
    doctor = {line["check"]: line for line in json.loads(job.command("doctor", "--json", check=False).stdout)["checks"]}
    assert doctor["store group"]["level"] == "FAIL" and f"of group {old}, and this is group {new}" in doctor["store group"]["text"]
    topics.send(name, plain(100, 1, seed=2))
    process = job.start()
    process.wait_for(lambda: job.records("HOLD") or job.records("HELD"), "that it holds")
    assert job.records("COMMIT") == []
    held = job.command("status", check=False)
    assert f"{first} of group {old}, and this is group {new}" in held.stdout and "resume --adopt" in held.stdout, held.stdout
    assert job.pointer()["run_id"] == first
    # the group was renamed: that is meant
    job.command("resume", "--adopt")
    job.command("trigger", "--wait")
    assert process.stop() == 0
    assert job.current().lineage["made_by"]["group"] == new and job.pointer()["run_id"] != first
    assert len(job.rows()) == len({r["key"] for r in plain(100, 1, seed=2)}), "it goes on from the cut of the first"


def copy_golden(name, folder):
    """The golden snapshot as if its writer had published it there."""
    source = harness.ROOT / "tests/vectors" / name / "objects"
    old, new = json.loads((source / "_CURRENT").read_text())["manifest_ref"].partition("/manifests/")[0], f"file://{folder}"
    shutil.copytree(source, folder)
    for path in (folder / "_CURRENT", *folder.glob("runs/*/run.yaml")):
        path.write_text(path.read_text().replace(old, new))
    for path in folder.glob("manifests/*/manifest"):
        database = sqlite3.connect(path)
        database.execute("UPDATE build_meta SET s3_prefix = ?", (new,))
        database.execute("UPDATE shards SET db_url = replace(db_url, ?, ?)", (old, new))
        database.commit()
        database.close()


def test_a_prefix_of_another_writer(new_job, topics, name, tmp_path):
    """Its snapshot is read; nothing is published over it unasked, and it stays in the history."""
    copy_golden("manifest_example_sparse", tmp_path / "store")
    topics.create(name, 1)
    topics.send(name, [{"key": str(key), "value": f"ours {key}"} for key in (5, 7)])
    job = new_job(topics=[{"name": name, "key": {"from": "key", "encoding": "u64be"}}])
    theirs = job.pointer()
    assert theirs["run_id"] == "run-a" and job.json("get", "5")["found"]
    process = job.spawn("build")
    process.wait_for_text("holds: the ledger says nothing, the pointer names run-a")
    # a build does not wait for what an operator thinks of it; the next one finds the answer in the ledger
    assert process.wait() == 7
    assert job.pointer() == theirs
    assert job.command("resume", "--adopt", "--timeout", "5s", check=False).returncode == 7
    job.build()
    assert job.rows() == {key.to_bytes(8, "big"): b"ours %d" % key for key in (5, 7)}
    assert [entry["run_id"] for entry in job.json("history")["snapshots"]][-1] == "run-a"
    assert job.json("get", "--run", "run-a", "5")["run_id"] == "run-a"


def test_a_prefix_of_another_writer_while_the_service_runs(new_job, topics, name, tmp_path):
    """What it has read before the answer is read again, from where the setting `start` says: the head has no offset for it."""
    copy_golden("manifest_example_sparse", tmp_path / "store")
    topics.create(name, 1)
    topics.send(name, [{"key": str(key), "value": f"ours {key}"} for key in (5, 7)])
    job = new_job(topics=[{"name": name, "key": {"from": "key", "encoding": "u64be"}}], window={"trigger": "offsets", "every_records": 2})
    process = job.start()
    process.wait_for_text("holds: the ledger says nothing, the pointer names run-a")
    process.wait_for(lambda: any(int(p["position"]) == 2 for said in job.records("PROGRESS") for p in said.get("partitions", ())), "that all is read")
    job.command("resume", "--adopt")
    process.wait_for(lambda: job.published() >= 1, "a snapshot")
    assert job.rows() == {key.to_bytes(8, "big"): b"ours %d" % key for key in (5, 7)}
    assert process.stop() == 0
