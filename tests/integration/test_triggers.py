"""What closes a window when it is not event time: the clock, a number of records, a vector, a hand."""
import time

import pytest

from test_content import plain
from test_group import cut_to


def grow(job, process, count):
    process.wait_for(lambda: job.published() >= count, f"{count} snapshots", timeout=100)


def test_every_few_seconds(new_job, topics, name):
    topics.create(name, 2)
    job = new_job(window={"trigger": "schedule", "every": "2s"})
    process = job.start()
    for round_ in range(3):
        topics.send(name, plain(50, 2, seed=round_))
        grow(job, process, round_ + 1)
    process.wait_for(lambda: cut_to(job) == 150, "that a tick between the records of a round is followed by another")
    job.wait_until_clean()
    assert process.stop() == 0
    report = job.check(clean=True)
    assert report.snapshots >= 3 and sum(len(b.rows) for b in report.builds.values()) == 150
    ticks = [int(c["tick_us"]) for c in report.ledger.head.commits]
    assert all(tick % 2_000_000 == 0 for tick in ticks) and len(set(ticks)) == len(ticks)


@pytest.mark.slow
def test_cron(new_job, topics, name):
    topics.create(name, 1)
    job = new_job(window={"trigger": "schedule", "cron": "* * * * *"})
    topics.send(name, plain(50))
    process = job.start()
    grow(job, process, 1)
    assert process.stop() == 0
    report = job.check(clean=True)
    assert report.rows > 0 and int(report.ledger.head.commits[0]["tick_us"]) % 60_000_000 == 0


def test_every_n_records(new_job, topics, name):
    topics.create(name, 2)
    job = new_job(window={"trigger": "offsets", "every_records": 100})
    process = job.start()
    for round_ in range(3):
        topics.send(name, plain(100, 2, seed=round_))
        grow(job, process, round_ + 1)
    assert process.stop() == 0
    report = job.check(clean=True)
    assert sum(len(b.rows) for b in report.builds.values()) == 300


def test_every_n_records_of_a_new_partition(new_job, topics, name):
    """It counts as soon as a member reads it, not only when the leader asks the brokers again by itself, once a minute."""
    topics.create(name, 1)
    job = new_job(window={"trigger": "offsets", "every_records": 100},
                  kafka={"properties": [["topic.metadata.refresh.interval.ms", "1000"]]})
    process = job.start()
    topics.send(name, plain(100))
    grow(job, process, 1)
    topics.grow(name, 2)
    topics.send(name, [{**record, "partition": 1} for record in plain(100, seed=2)])
    process.wait_for(lambda: job.published() >= 2, "a snapshot with it", timeout=30)
    assert process.stop() == 0
    report = job.check(clean=True)
    assert sum(len(b.rows) for b in report.builds.values()) == 200


def test_a_vector(new_job, topics, name):
    topics.create(name, 2)
    topics.send(name, plain(100, 2))
    job = new_job(window={"trigger": "offsets", "offsets": [[name, 0, 30], [name, 1, 7]]})
    process = job.start()
    grow(job, process, 1)
    assert process.stop() == 0
    report = job.check(clean=True)
    assert report.ledger.head.steps[0].cuts == {(name, 0): 30, (name, 1): 7}
    assert [len(b.rows) for b in report.builds.values()] == [37]


def test_by_hand(job, topics, name):
    topics.create(name, 2)
    process = job.start()
    process.wait_for(lambda: job.records("LEADER"), "a leader")
    for round_ in range(2):
        topics.send(name, plain(40, 2, seed=round_))
        job.command("trigger")
        grow(job, process, round_ + 1)
    time.sleep(1)
    assert process.stop() == 0
    report = job.check(clean=True)
    assert [len(b.rows) for b in report.builds.values()] == [40, 40]
