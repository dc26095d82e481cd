"""Nothing grows without an end: reading pauses and says why when nothing can be published, and the ledger stays small."""
import random

import harness
from test_content import plain
from test_status import Status

T0 = 1_700_000_040_000  # the start of a minute
MINUTE = 60_000
BY_TIME = {"trigger": "event_time", "size": "60s", "out_of_orderness": "0s", "allowed_lateness": "0s", "idle_after": "1h",
           "max_open_windows": 2, "late": "next"}


def minutes(first, count, each=20, partitions=2):
    """Rows of windows one after the other."""
    return [{"key": f"k{i % 50}", "value": f"{first}-{i}", "partition": i % partitions,
             "timestamp_ms": T0 + first * MINUTE + i * MINUTE // each} for i in range(count * each)]


def live(job):
    """The live records of the ledger: the newest of each key that is no tombstone."""
    newest = {key: document for _, key, document in job.ledger()}
    return {key: document for key, document in newest.items() if document is not None}


def paused_by(status):
    return status.json()["member"]["paused_by"]


def test_the_store_is_away(new_group, topics, name):
    """For every member: they read on to their bound, pause and say why; when it is back all is published."""
    windows = 8
    group = new_group(partitions=2, members=2, window=BY_TIME, snapshot={"attempt_timeout": "3s"},
                      s3={"connect_timeout": "1s", "request_timeout": "1s", "deadline": "3s", "max_retries": 1},
                      status={"listen": "127.0.0.1:0"})
    group.start()
    topics.send(name, minutes(0, 2))
    group.wait_for_published(1)
    for member in group.members:
        member.lane.store.refused = True
        member.lane.store.cut()
    before = len(group.ledger.published)
    topics.send(name, minutes(2, windows - 2))
    statuses = [Status(member.process) for member in group.members]
    for status in statuses:
        harness.wait_for(lambda s=status: paused_by(s) == "window.max_open_windows", "a pause, with the setting")
        assert status.metrics()['tidemark_partitions_paused{reason="max_open_windows"}'] >= 1
    for member in group.members:
        member.process.wait_for_text("are not read on: they are window.max_open_windows ahead")
    for more in (1, 2):
        topics.send(name, minutes(windows, 1))
        windows += 1
        harness.wait_for(lambda: (statuses[0].json()["lag"] or 0) >= 20 * more, "lag that grows")
    assert all(member.is_running() for member in group.members)
    assert len(group.ledger.published) <= before + 1  # at most what was decided when the store went away
    for member in group.members:
        member.lane.store.calm()
    group.wait_for_published(windows - 1)
    for status in statuses:
        harness.wait_for(lambda s=status: paused_by(s) is None, "the end of the pause")
    report = group.finish()
    assert report.snapshots == windows - 1  # the last one is open
    assert sum(len(b.rows) for b in report.builds.values()) == 20 * windows - 20


SMALL_DISK = {"disk_budget": "64MiB", "memory_budget": "64MiB"}


def test_rows_that_fill_the_disk(new_job, topics, name):
    """A trigger that never comes: reading stops at the mark of the disk; a build by hand makes room, and it goes on."""
    job = new_job(window={"trigger": "manual"}, limits=SMALL_DISK)
    topics.create(name, 2)
    rng = random.Random(4)

    def send(count):
        topics.send(name, [{"key": f"k{rng.random()}", "value": rng.randbytes(500_000), "partition": i % 2} for i in range(count)])

    send(76)
    process = job.start()
    status = Status(process)
    process.wait_for(lambda: paused_by(status) == "limits.disk_budget", "a pause for want of room")
    assert status.metrics()['tidemark_partitions_paused{reason="disk_budget"}'] == 2
    send(10)
    process.wait_for_text("fill most of limits.disk_budget (")
    member = status.json()["member"]
    assert member["records"]["read"] <= 76 and not member["disk"]["full"] and member["disk"]["used"] < 64 << 20
    job.command("trigger", "--wait")
    process.wait_for(lambda: paused_by(status) is None, "the end of the pause")
    process.wait_for(lambda: status.json()["member"]["records"]["read"] == 86, "the rest")
    assert process.stop() == 0
    report = job.check(clean=True)
    assert report.snapshots == 1 and sum(len(b.rows) for b in report.builds.values()) == 86


def test_more_records_than_the_disk_takes(new_job, topics, name):
    """So many records as the trigger counts never fit on the disk: each build is closed for those that do."""
    job = new_job(window={"trigger": "offsets", "every_records": 1_000_000}, limits=SMALL_DISK)
    topics.create(name, 2)
    rng = random.Random(5)
    process = job.start()
    for part in range(2):
        topics.send(name, [{"key": f"k{part}-{i}", "value": rng.randbytes(500_000), "partition": i % 2} for i in range(76)])
    process.wait_for_text("closed before window.every_records: the disk of ")
    status = Status(process)
    process.wait_for(lambda: status.json()["member"]["records"]["read"] == 152 and paused_by(status) is None, "all of them")
    job.command("trigger", "--wait")
    assert process.stop() == 0
    report = job.check(clean=True)
    assert report.snapshots >= 2 and sum(len(b.rows) for b in report.builds.values()) == 152


def test_the_ledger_stays_small(new_job, topics, name):
    """Windows one after the other, and members whose names never come back: the live records stay as many."""
    job = new_job(window={**BY_TIME, "max_open_windows": 16}, snapshot={"keep_last": 2, "cleanup_grace": "0s"})
    topics.create(name, 2)
    sizes = []

    def settle(windows):
        harness.wait_for(lambda: cut_windows(job) >= windows and settled(job), f"{windows} windows, and no more to tidy up")
        sizes.append(len(live(job)))

    member = None
    for step in range(3):
        if member is not None:
            assert member.stop() == 0
        member = job.start(member=f"pod-{step}")
        topics.send(name, minutes(10 * step, 10))
        settle(10 * step + 9)
    topics.send(name, minutes(30, 2))
    settle(31)
    # members that are silent for owner_timeout are retired when another has read as much
    harness.wait_for(lambda: sum(key.startswith("progress/") for key in live(job)) == 1, "one PROGRESS", timeout=120)
    left = sorted(key.partition("/")[0] for key in live(job))
    assert left == ["commit", "leader", "progress", "published"], left
    assert max(sizes) <= len(left) + 2, sizes  # those that are not retired yet
    job.wait_until_clean()
    assert member.stop() == 0
    assert job.check(clean=True).snapshots == 2


def cut_windows(job):
    commits = job.records("COMMIT")
    return (int(commits[-1]["closed_to_us"]) // 1000 - T0) // MINUTE if commits else 0


def settled(job):
    """Nothing is open, and what is done with has its tombstones."""
    return all(key in ("leader", "commit", "published") or key.startswith("progress/") for key in live(job))
