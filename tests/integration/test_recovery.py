"""A service that dies at any moment: the next start finishes or redoes, nothing is lost or doubled."""
import random
import signal
import time

import pytest

import harness
from test_content import plain

EVERY = {"trigger": "offsets", "every_records": 100}


def crash_and_go_on(job, topics, name, step):
    topics.create(name, 2)
    topics.send(name, plain(100, 2, keys=1000))
    process = job.start(env={"TIDEMARK_TEST_CRASH_AT": step})
    assert process.wait() in (137, -9), process.output()[-2000:]
    topics.send(name, plain(100, 2, keys=1000, seed=2))
    process = job.start()
    process.wait_for(lambda: job.published() >= 2, "two snapshots")
    job.wait_until_clean()
    assert process.stop() == 0
    report = job.check(clean=True)
    assert report.snapshots == 2
    assert sum(len(b.rows) for b in report.builds.values()) == 200
    # a CLOSE is final: what was cut before the crash was built with that very cut
    assert len(report.manifests) == 2


@pytest.mark.parametrize("step", [step for step in harness.CRASH_STEPS if step != "cleaned"])
def test_crash_at(new_job, topics, name, step):
    crash_and_go_on(new_job(window=EVERY), topics, name, step)


def test_crash_at_cleaned(new_job, topics, name):
    """The only step that needs something to clean up: an older snapshot."""
    job = new_job(window=EVERY, snapshot={"keep_last": 1, "cleanup_grace": "0s"})
    topics.create(name, 2)
    process = job.start(env={"TIDEMARK_TEST_CRASH_AT": "cleaned"})
    for seed in range(2):
        topics.send(name, plain(100, 2, seed=seed))
        wait_or_end(process, lambda s=seed: job.published() > s)
    assert process.wait() in (137, -9), process.output()[-2000:]
    topics.send(name, plain(100, 2, seed=5))
    process = job.start()
    process.wait_for(lambda: job.published() >= 3, "the third snapshot")
    job.wait_until_clean()
    assert process.stop() == 0
    assert job.check(clean=True).snapshots == 1


def wait_or_end(process, condition):
    harness.wait_for(lambda: condition() or not process.is_running(), "a snapshot, or the crash")


@pytest.mark.parametrize("step", ["attempt-uploaded", "committed", "manifest-put", "pointer-swapped"])
def test_crash_on_s3_at(new_job, topics, name, step):
    crash_and_go_on(new_job(window=EVERY, on_s3=True), topics, name, step)


@pytest.mark.parametrize("seed", range(2))
def test_kill_at_random(new_job, topics, name, seed):
    rng = random.Random(seed)
    topics.create(name, 3)
    job = new_job(window=EVERY)
    sent = 0
    for round_ in range(8):
        count = rng.randrange(20, 200)
        topics.send(name, plain(count, 3, keys=500, seed=100 * seed + round_))
        sent += count
        process = job.start()
        time.sleep(rng.uniform(0.5, 6))
        process.kill()
    topics.send(name, plain(100, 3, seed=7))
    sent += 100
    process = job.start()
    process.wait_for(lambda: committed_rows(job) > sent - 100, "the rest")
    job.wait_until_clean()
    assert process.stop() == 0
    report = job.check(clean=True)
    assert report.records == sent and report.snapshots >= 1


def committed_rows(job):
    return sum(int(p["account"].get("read", 0)) for c in job.records_of_chain() for p in c["partitions"])


def test_restart_in_the_middle(new_job, topics, name):
    """An orderly stop while rows wait in the buffers: they are in the next snapshot, once."""
    topics.create(name, 2)
    job = new_job(window=EVERY)
    topics.send(name, plain(60, 2))
    process = job.start()
    process.wait_for(lambda: job.records("PROGRESS"), "progress")
    time.sleep(1)
    assert process.stop() == 0
    topics.send(name, plain(60, 2, seed=3))
    process = job.start()
    process.wait_for(lambda: job.published() >= 1, "a snapshot")
    assert process.stop() == 0
    report = job.check(clean=True)
    assert report.snapshots == 1 and sum(len(b.rows) for b in report.builds.values()) >= 100


def test_lost_work_folder(new_job, topics, name, tmp_path):
    """The local checkpoint is only a shortcut: without it everything is read again."""
    topics.create(name, 1)
    job = new_job(window=EVERY)
    topics.send(name, plain(150))
    process = job.start()
    process.wait_for(lambda: job.published() >= 1, "a snapshot")
    process.kill()
    for path in sorted((tmp_path / "work").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    topics.send(name, plain(100, seed=2))
    process = job.start()
    process.wait_for(lambda: job.published() >= 2, "the second one")
    job.wait_until_clean()
    assert process.stop() == 0
    assert job.check(clean=True).snapshots >= 2


def test_a_second_member_waits(new_job, topics, name):
    topics.create(name, 2)
    job = new_job(window=EVERY)
    topics.send(name, plain(100, 2))
    one = job.start()
    one.wait_for(lambda: job.published() >= 1, "a snapshot")
    two = job.start(member="two")
    two.wait_for(lambda: "wait" in two.output(), "that it waits")
    topics.send(name, plain(100, 2, seed=2))
    one.wait_for(lambda: job.published() >= 2, "the second snapshot")
    assert two.is_running()
    assert two.stop() == 0
    topics.send(name, plain(100, 2, seed=3))
    one.wait_for(lambda: job.published() >= 3, "the third snapshot")
    job.wait_until_clean()
    assert one.stop() == 0
    assert job.check(clean=True).snapshots == 3


def test_a_member_that_slept_is_harmless(new_job, topics, name):
    """SIGSTOP past the session timeout, while its successor goes on; then it wakes."""
    topics.create(name, 2)
    job = new_job(window=EVERY)
    topics.send(name, plain(100, 2))
    sleeper = job.start()
    sleeper.wait_for(lambda: job.published() >= 1, "a snapshot")
    sleeper.signal(signal.SIGSTOP)
    topics.send(name, plain(100, 2, seed=2))
    heir = job.start(member="two")
    try:
        heir.wait_for(lambda: job.published() >= 2, "the heir's snapshot")
    finally:
        sleeper.signal(signal.SIGCONT)
    time.sleep(2)
    topics.send(name, plain(100, 2, seed=3))
    harness.wait_for(lambda: job.published() >= 3, "the third snapshot")
    job.wait_until_clean()
    for process in (sleeper, heir):
        process.stop()
    assert job.check(clean=True).snapshots == 3


def test_the_broker_dies(new_job, topics, kafka, name):
    topics.create(name, 2)
    job = new_job(window=EVERY)
    topics.send(name, plain(100, 2))
    process = job.start()
    process.wait_for(lambda: job.published() >= 1, "a snapshot")
    kafka.call("kill")
    time.sleep(1)
    kafka.call("restart", 1)
    topics.send(name, plain(100, 2, seed=2))
    process.wait_for(lambda: job.published() >= 2, "the second snapshot", timeout=90)
    assert process.stop() == 0
    assert job.check(clean=True).snapshots == 2
