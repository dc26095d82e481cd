"""A topic that is deleted and made again with more records than before: nothing of it is published, and the reason is
said. With librdkafka before 2.3 there are no topic ids: a record that was read before is compared."""
import shutil
import signal

import pytest

import harness
from test_checkpoint import read_to, records_read
from test_content import plain
from test_windows import BY_TIME, at

EVERY = {"trigger": "offsets", "every_records": 100}
SETTINGS = 3


def knows_ids():
    return harness.client_version() >= (2, 3, 0)


def begin(job, topics, name):
    """A window is published, and a part of the next one is held."""
    topics.create(name, 1)
    topics.send(name, plain(100, 1, seed=1))
    process = job.start()
    process.wait_for(lambda: job.published() >= 1, "the first snapshot")
    topics.send(name, plain(20, 1, seed=2))
    process.wait_for(lambda: read_to(job, 120), "that all is read")
    return process


def make_again(topics, name, count=400):
    topics.delete(name)
    topics.create(name, 1)
    topics.send(name, plain(count, 1, seed=3))


def expect_refused(job, process, *words, published=1):
    assert process.wait() == SETTINGS, process.output()[-3000:]
    for word in ("deleted and made again", "another `group` and `snapshot.store`", *words):
        assert word in process.output(), process.output()[-3000:]
    assert job.published() == published
    if published:
        assert job.pointer()["run_id"].startswith("b1-")


@pytest.mark.parametrize("folder", ["kept", "lost"])
def test_while_the_service_is_stopped(new_job, topics, name, folder):
    job = new_job(window=EVERY)
    assert begin(job, topics, name).stop() == 0
    make_again(topics, name)
    if folder == "lost":
        shutil.rmtree(job.folder / "work")
    by_checkpoint = folder == "kept" and not knows_ids()  # else it is thrown away
    offset, reader = (119, "this member has read") if by_checkpoint else (99, "on record by run b1-")
    for _ in range(2):  # it does not go away by itself
        expect_refused(job, job.start(), f"{name}[0] has another record at offset {offset} than the one", reader)


@pytest.mark.parametrize("published", [1, 0])
def test_while_the_service_runs(new_job, topics, name, published):
    """The process sleeps meanwhile: its client hears nothing of it and reads on in the middle of the new log. What was
    read before is looked at again before the build is ready."""
    job = new_job(window=EVERY, limits={"checkpoint_interval": "100ms", "checkpoint_bytes": 1})
    if published:
        process = begin(job, topics, name)
    else:
        topics.create(name, 1)
        topics.send(name, plain(50, 1, seed=1))
        process = job.start()
        process.wait_for(lambda: read_to(job, 50), "that all is read")
    process.signal(signal.SIGSTOP)
    make_again(topics, name, 250)
    process.signal(signal.SIGCONT)
    offset, reader = (99, "on record by run b1-") if published else (0, "this member has read")
    words = [f"{name}[0] has another record at offset {offset} than the one", reader]
    for _ in range(2):  # it does not go away by itself
        expect_refused(job, process, *words, published=published)
        if knows_ids():
            words = [f"it is not the one that build {published + 1} was closed for"]
        process = job.start()
    process.kill()
    if published:  # what the message says to do
        heir = new_job("-2", window=EVERY)
        heir.build()
        assert heir.check(clean=True).snapshots == 1


def test_between_the_close_and_the_first_snapshot(new_job, topics, name):
    """Without its work folder a member reads nothing but the new log, and no snapshot has a record of the old one. The build
    was closed by what was read of the old one, which another member may have promised."""
    topics.create(name, 1)
    topics.send(name, plain(100, 1, seed=1))
    job = new_job(window=EVERY)
    assert job.start(env={"TIDEMARK_TEST_CRASH_AT": "sealed"}).wait() != 0
    shutil.rmtree(job.folder / "work")
    make_again(topics, name)
    words = [f"{name}[0] has another record at offset 99 than the one on record for this build"]
    if knows_ids():
        words = ["it is not the one that build 1 was closed for"]
    for _ in range(2):  # it does not go away by itself
        expect_refused(job, job.start(), *words, published=0)


def test_shorter_than_what_is_on_record(new_job, topics, name):
    """Without its work folder a member reads from the row on that was carried over. The new log has that offset, and ends
    below the cut of the snapshot: there is nothing to be compared, and nothing more would ever come."""
    topics.create(name, 1)
    topics.send(name, [at(0, 1), at(1, 5), *(at(0, ms) for ms in range(10, 30)), at(1, 40)])
    job = new_job(window={**BY_TIME, "out_of_orderness": "30s"})
    process = job.start()
    process.wait_for(lambda: read_to(job, 23), "that all is read")
    topics.send(name, [at(1, 31_000)])
    process.wait_for(lambda: job.published() >= 1, "the first snapshot")
    assert process.stop() == 0
    shutil.rmtree(job.folder / "work")
    make_again(topics, name, 10)
    expect_refused(job, job.start(), f"{name}[0] ends at 10, and has no record at offset 23", "on record by run b1-")


def test_a_topic_that_is_gone_ends_the_service(new_job, topics, name):
    # by itself the client asks again only after 30 s
    job = new_job(window=EVERY, kafka={"properties": [["topic.metadata.refresh.interval.ms", "1000"]]})
    process = begin(job, topics, name)
    topics.delete(name)
    assert process.wait() == SETTINGS
    assert f"{name}[0] is gone, the topic was deleted" in process.output(), process.output()[-3000:]
    topics.create(name, 1)
    topics.send(name, plain(400, 1, seed=3))
    expect_refused(job, job.start())


def test_the_same_topic_is_read_on(new_job, topics, name):
    """One record more for each partition, which is compared and dropped."""
    job = new_job(window=EVERY)
    assert begin(job, topics, name).stop() == 0
    process = job.start()
    topics.send(name, plain(80, 1, seed=4))
    process.wait_for(lambda: job.published() >= 2, "the second snapshot")
    assert process.stop() == 0
    assert records_read(process) == 80
    assert job.check(clean=True).snapshots == 2
