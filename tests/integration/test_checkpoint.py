"""A restart goes on from the work folder, when what is there fits; else the records are read again."""
import contextlib
import re
import sqlite3

import pytest

from test_content import plain

EVERY = {"trigger": "offsets", "every_records": 1000}
FIRST, REST = 800, 300


def read_to(job, count):
    """The records that the group has read, as it says in the ledger."""
    progress = job.records("PROGRESS")
    return progress and sum(p["position"] for p in progress[-1].get("partitions", ())) >= count


def records_read(process):
    return int(re.search(r"(\d+) records were read since", process.output()).group(1))


def saved_to(job):
    """The records that the local checkpoint on the disk is behind."""
    path = job.folder / "work/one/checkpoint.db"
    try:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            return db.execute("SELECT coalesce(sum(position), 0) FROM partitions").fetchone()[0]
    except sqlite3.OperationalError:  # it is being made
        return 0


def begin(job, topics, name):
    """Most of a window is read."""
    topics.create(name, 2)
    topics.send(name, plain(FIRST, 2, keys=3000))
    process = job.start()
    process.wait_for(lambda: read_to(job, FIRST), "that all is read")
    return process


def finish(job, topics, name, process=None):
    """The window is full and published; returns how many records the second start has read."""
    process = process or job.start()
    topics.send(name, plain(REST, 2, keys=3000, seed=2))
    process.wait_for(lambda: job.published() >= 1, "a snapshot")
    process.wait_for(lambda: read_to(job, FIRST + REST), "that all is read")
    assert process.stop() == 0
    assert job.check(clean=True).snapshots == 1
    return records_read(process), process.output()


def spill(job):
    return sorted((job.folder / "work/one/spills").glob("*.spill"))[0]


def test_a_stop_keeps_what_was_read(new_job, topics, name):
    job = new_job(window=EVERY)
    assert begin(job, topics, name).stop() == 0
    read, log = finish(job, topics, name)
    assert read == REST, log
    assert "2 of 2 partitions go on where they were read to" in log
    # and once more, behind a COMMIT: what it took is not there again, and what it left is
    process = job.start()
    topics.send(name, plain(1000, 2, seed=3))
    process.wait_for(lambda: job.published() >= 2, "the second snapshot")
    assert process.stop() == 0
    assert records_read(process) == 1000
    assert job.check(clean=True).snapshots == 2


def test_kill_keeps_the_last_checkpoint(new_job, topics, name):
    job = new_job(window=EVERY, limits={"checkpoint_interval": "1s", "checkpoint_bytes": 1})
    process = begin(job, topics, name)
    process.wait_for(lambda: saved_to(job) == FIRST, "a checkpoint of all that was read")
    process.kill()
    read, log = finish(job, topics, name)
    assert read == REST, log


def test_event_windows_go_on(new_job, topics, name):
    """Rows of a window that is still open lie below the cut: they are kept over a COMMIT and a stop."""
    job = new_job(window={"trigger": "event_time", "size": "1s", "out_of_orderness": "300ms"})
    topics.create(name, 2)
    sent = [{**r, "timestamp_ms": 1_700_000_000_000 + 5 * i} for i, r in enumerate(plain(500, 2))]
    process = job.start()
    for number, part in enumerate((sent[:250], sent[250:400], sent[400:])):
        if number > 0:
            process = job.start()
        topics.send(name, part)
        process.wait_for(lambda n=number: read_to(job, (250, 400, 500)[n]), "that all is read")
        process.wait_for(lambda n=number: job.published() >= n, "its windows are published")
        assert process.stop() == 0
        assert records_read(process) == len(part)
    assert job.check(clean=True).snapshots >= 2


@pytest.mark.parametrize("damage", ["settings", "spill", "database", "missing spill"])
def test_what_does_not_fit_is_read_again(new_job, topics, name, damage):
    job = new_job(window=EVERY)
    assert begin(job, topics, name).stop() == 0
    if damage == "settings":
        job.write(limits={"max_value_bytes": "1MiB"})
    elif damage == "spill":
        content = bytearray(spill(job).read_bytes())
        content[len(content) // 2] ^= 1
        spill(job).write_bytes(content)
    elif damage == "database":
        (job.folder / "work/one/checkpoint.db").write_bytes(b"SQLite format 3\0 and nothing else")
    elif damage == "missing spill":
        spill(job).unlink()
    read, log = finish(job, topics, name)
    assert read == FIRST + REST, log
    assert "the local checkpoint is thrown away" in log
