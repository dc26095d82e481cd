"""Windows by event time: when they close, and where late, future and idle things go."""
import json
import time

import pytest

T0 = 1_700_000_040_000  # a minute begins here
MINUTE = 60_000
BY_TIME = {"trigger": "event_time", "size": "60s", "out_of_orderness": "0s", "allowed_lateness": "0s",
           "idle_after": "30s"}


def at(window, ms=0, key=None, partition=0, value=None):
    """A record of event window `window`."""
    when = T0 + window * MINUTE + ms
    return {"key": key or f"k{window}-{ms}", "value": value or f"w{window}+{ms}", "partition": partition,
            "timestamp_ms": when}


def snapshots(job, count):
    return lambda: len(job.manifests()) >= count and job.current() is not None


def finish(job, process, count, **options):
    """Waits for `count` snapshots, stops the service and lets the oracle look."""
    process.wait_for(lambda: job.published() >= count, f"{count} snapshots")
    assert process.stop() == 0
    report = job.check(clean=True, **options)
    assert report.snapshots == count
    return report


def keys_of(job, number):
    """Keys of the snapshot `number`, from 0, by age."""
    report = job.check()
    build = list(report.builds.values())[number]
    return {row.stored.decode() for row in build.rows}


def test_windows_close_in_order(new_job, topics, name):
    topics.create(name, 1)
    job = new_job(window=BY_TIME)
    topics.send(name, [at(w, ms) for w in range(4) for ms in range(0, 1000, 50)])
    process = job.start()
    report = finish(job, process, 3)  # the fourth is open: nothing later was seen
    assert [len(b.rows) for b in report.builds.values()] == [20, 20, 20]
    # the log says which window each build is
    minutes = [f"2023-11-14T22:{14 + window}:00Z" for window in range(4)]
    said = process.output()
    assert [f"closed build 1 (event_time, all before {minutes[1]})" in said,
            f"closed build 2 (event_time, {minutes[1]} to {minutes[2]})" in said] == [True, True], said[-3000:]
    # every window stands in one snapshot of its own
    for number, build in enumerate(report.builds.values()):
        assert {(r.event_time_us // 1000 - T0) // MINUTE for r in build.rows} == {number}


def test_out_of_order_within_the_bound(new_job, topics, name):
    topics.create(name, 1)
    job = new_job(window={**BY_TIME, "out_of_orderness": "20s", "allowed_lateness": "5s"})
    topics.send(name, [at(0, 1000), at(1, 10_000), at(0, 59_000), at(1, 24_000), at(0, 58_000), at(1, 2000)])
    process = job.start()
    time.sleep(2)
    assert job.manifests() == []  # the watermark is 1+4 s: not past the lateness of window 0
    topics.send(name, [at(1, 25_001), at(1, 30_000)])
    report = finish(job, process, 1)
    assert [len(b.rows) for b in report.builds.values()] == [3]
    assert report.late == 0


@pytest.mark.parametrize("policy", ["next", "drop", "dead_letter"])
def test_late_records(new_job, topics, name, tmp_path, policy):
    topics.create(name, 1)
    path = tmp_path / "late.jsonl"
    job = new_job(window={**BY_TIME, "late": policy}, dead_letter={"policy": "file", "path": str(path)})
    topics.send(name, [at(0, 1), at(0, 2), at(1, 1)])
    process = job.start()
    process.wait_for(snapshots(job, 1), "window 0")
    topics.send(name, [at(0, 3, key="late-one"), at(1, 2), at(0, 4, key="late-two"), at(2, 1)])
    report = finish(job, process, 2)
    second = list(report.builds.values())[1]
    stored = {row.stored for row in second.rows}
    if policy == "next":
        assert {b"late-one", b"late-two"} <= stored
        assert job.rows()[b"late-one"] == b"w0+3"
    else:
        assert not {b"late-one", b"late-two"} & stored
        assert report.late == 2
    if policy == "dead_letter":
        letters = [json.loads(line) for line in path.read_text().splitlines()]
        assert sorted(letter["offset"] for letter in letters) == [3, 5]
        assert {letter["cause"] for letter in letters} == {"late"}
    else:
        assert not path.exists() or path.read_text() == ""


def test_rows_of_the_next_window_below_the_cut(new_job, topics, name):
    """PROTOCOL A1: an offset below the cut that belongs to a later window is published with that window."""
    topics.create(name, 1)
    job = new_job(window=BY_TIME)
    topics.send(name, [at(0, 1), at(2, 1, key="ahead"), at(0, 2)])
    process = job.start()
    process.wait_for(snapshots(job, 1), "window 0")
    assert process.stop() == 0  # a restart reads the row of window 2 again, or keeps it
    topics.send(name, [at(2, 5), at(3, 1)])
    process = job.start()
    process.wait_for(lambda: b"ahead" in job.rows(), "window 2")
    assert process.stop() == 0
    report = job.check(clean=True)
    assert sum(a["carried_in"] for b in report.builds.values() for a in b.accounts.values()) > 0


def test_an_idle_partition_does_not_hold_the_window(new_job, topics, name):
    topics.create(name, 3)
    job = new_job(window={**BY_TIME, "idle_after": "1s"})
    topics.send(name, [at(0, 1, partition=0), at(0, 2, partition=1), at(1, 1, partition=0)])
    process = job.start()  # partition 1 is quiet in window 0, partition 2 was never used
    process.wait_for(snapshots(job, 1), "window 0")
    # it joins again, without moving the watermark back: its old record is late
    topics.send(name, [at(0, 9, key="from-the-idle-one", partition=2), at(2, 1, partition=0), at(2, 2, partition=1)])
    report = finish(job, process, 2)
    assert b"from-the-idle-one" in {r.stored for r in list(report.builds.values())[1].rows}


def test_a_partition_behind_an_open_transaction_is_not_idle(new_job, topics, name):
    topics.create(name, 2)
    job = new_job(window={**BY_TIME, "idle_after": "1s"})
    topics.send(name, [at(0, 1, partition=0), at(0, 2, partition=1)])
    end = topics.transaction(name, [at(0, 3, key="slow", partition=1)], "hang")
    topics.send(name, [at(1, 1, partition=0)])
    process = job.start()
    time.sleep(5)
    assert job.manifests() == [], "the window closed over an open transaction (R4a)"
    end(commit=True)
    topics.send(name, [at(1, 5, partition=1), at(1, 6, partition=0)])
    report = finish(job, process, 1)
    assert b"slow" in {r.stored for r in next(iter(report.builds.values())).rows}


@pytest.mark.parametrize("empty, least", [("skip", 2), ("publish", 6)])
def test_empty_windows(new_job, topics, name, empty, least):
    topics.create(name, 1)
    job = new_job(window={**BY_TIME, "empty": empty})
    topics.send(name, [at(0, 1), at(5, 1), at(6, 1)])
    process = job.start()
    process.wait_for(lambda: job.published() >= least, f"{least} snapshots")
    assert process.stop() == 0
    report = job.check(clean=True)
    rows = [len(b.rows) for b in report.builds.values()]
    assert report.snapshots == least and sum(rows) == 2
    if empty == "skip":
        assert rows == [1, 1]


@pytest.mark.parametrize("policy", ["keep", "dead_letter"])
def test_a_record_from_the_future(new_job, topics, name, tmp_path, policy):
    topics.create(name, 1)
    path = tmp_path / "future.jsonl"
    job = new_job(window={**BY_TIME, "future": policy}, dead_letter={"policy": "file", "path": str(path)})
    far = {"key": "far", "value": "2 days ahead", "partition": 0, "timestamp_ms": int(time.time() * 1000) + 2 * 86_400_000}
    topics.send(name, [at(0, 1), far, at(0, 2)])
    process = job.start()
    time.sleep(3)
    assert job.manifests() == [], "a record from the future moved the watermark"
    topics.send(name, [at(1, 1)])
    report = finish(job, process, 1)
    rows = job.rows()
    assert (b"far" in rows) == (policy == "keep")
    assert report.future == (0 if policy == "keep" else 1)
    # tail_from is not held back by it
    head = report.ledger.head.commits[-1]["partitions"][0]
    assert int(head["tail_from"]) > 1
    if policy == "dead_letter":
        assert [json.loads(line)["cause"] for line in path.read_text().splitlines()] == ["future"]
