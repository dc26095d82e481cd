"""Several members: partitions move, take along what was read of them, and nothing is lost or doubled."""
import os
import pathlib
import re
import signal

import harness
from test_checkpoint import records_read
from test_content import plain

MOVES = {"handover_bytes": 1, "handover_at_stop": True, "handover_wait": "1m"}


def owners(job):
    """partition -> (member, position), as the members say it."""
    newest = {}
    for record in job.records("PROGRESS"):
        newest[record["member"]] = record
    return {p["partition"]: (record["member"], p["position"]) for record in newest.values()
            if not record.get("leaving") for p in record.get("partitions", ()) if p.get("owned")}


# by default it takes the client up to half a minute to hear of a new partition
SOON_SEEN = {"properties": [["topic.metadata.refresh.interval.ms", "2000"]]}


def group_has_read(job, count, partitions, members=None):
    found = owners(job)
    return (len(found) == partitions and sum(position for _, position in found.values()) >= count
            and (members is None or len({member for member, _ in found.values()}) == members))


def cut_to(job):
    """The records that are in builds."""
    commits = job.records("COMMIT")
    return sum(p["cut"] for p in commits[-1]["partitions"]) if commits else 0


def adopted(processes):
    return sum(len(re.findall(r"adopted \S+\[\d+\] from", p.output())) for p in processes)


def test_one_two_one(new_job, topics, name):
    """The window is open all the time: each of its records is read once, whoever owns its partition."""
    job = new_job(window={"trigger": "offsets", "every_records": 2000}, limits=MOVES)
    topics.create(name, 4)
    topics.send(name, plain(800, 4, keys=5000))
    one = job.start()
    one.wait_for(lambda: group_has_read(job, 800, 4), "that all is read")
    two = job.start(member="two")
    two.wait_for(lambda: group_has_read(job, 800, 4, members=2), "that two has its share")
    assert adopted([two]) == 2, two.output()[-3000:]
    topics.send(name, plain(800, 4, keys=5000, seed=2))
    two.wait_for(lambda: group_has_read(job, 1600, 4, members=2), "that all is read")
    assert two.stop() == 0
    one.wait_for(lambda: group_has_read(job, 1600, 4, members=1), "that one has it all again")
    assert adopted([one]) == 2, one.output()[-3000:]
    topics.send(name, plain(600, 4, keys=5000, seed=3))
    one.wait_for(lambda: job.published() >= 1, "a snapshot")
    one.wait_for(lambda: group_has_read(job, 2200, 4), "that all is read")
    job.wait_until_clean()
    assert one.stop() == 0
    assert records_read(one) + records_read(two) == 2200
    report = job.check(clean=True)
    assert report.snapshots == 1
    assert not [k for k in job.store.keys() if k.startswith("parts/")]


def flip(path, at):
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


# by partition: what may happen to the object of a handover
HURT = (lambda path, rows: path.unlink(),
        lambda path, rows: os.truncate(path, rows - 1),
        lambda path, rows: flip(path, rows // 2),
        lambda path, rows: flip(path, -1))  # the exact counts, behind the rows


def test_handovers_that_cannot_be_used(new_job, topics, name):
    """Each object is hurt in another way: the new owner says so and reads the partition again; nothing is lost."""
    job = new_job(window={"trigger": "offsets", "every_records": 2000}, limits=MOVES)
    topics.create(name, 4)
    topics.send(name, plain(800, 4, keys=5000))
    one = job.start()
    one.wait_for(lambda: group_has_read(job, 800, 4), "that all is read")
    assert one.stop() == 0
    given = {record["partition"]: record for record in job.records("HANDOVER")}
    assert sorted(given) == [0, 1, 2, 3]
    for partition, hurt in enumerate(HURT):
        hurt(pathlib.Path(given[partition]["url"].removeprefix("file://")), given[partition]["bytes"])
    two = job.start(member="two")
    two.wait_for(lambda: group_has_read(job, 800, 4, members=1) and owners(job)[0][0] == "two", "that two has read it all")
    for partition in given:
        assert f"{name}/{partition} is read again, because a handover cannot be used: " in two.output()
    assert adopted([two]) == 0
    topics.send(name, plain(1400, 4, keys=5000, seed=2))
    two.wait_for(lambda: job.published() >= 1, "a snapshot")
    two.wait_for(lambda: group_has_read(job, 2200, 4, members=1), "that all is read")
    job.wait_until_clean()
    assert two.stop() == 0
    assert records_read(two) == 2200
    assert job.check(clean=True).snapshots == 1


def test_one_four_one_while_it_builds(new_job, topics, name):
    """Members come and go while windows close one after the other: the oracle wants every record once."""
    job = new_job(window={"trigger": "offsets", "every_records": 400}, limits=MOVES)
    topics.create(name, 4)
    sent = 0

    def send(count):
        nonlocal sent
        topics.send(name, plain(count, 4, keys=3000, seed=sent))
        sent += count

    send(500)
    members = [job.start()]
    members[0].wait_for(lambda: job.published() >= 1, "the first snapshot")
    for number in (2, 3, 4):
        members.append(job.start(member=f"m{number}"))
        send(300)
    members[-1].wait_for(lambda: group_has_read(job, sent, 4, members=4), "that four share the work", timeout=90)
    send(400)
    members[0].wait_for(lambda: cut_to(job) > sent - 400, "more snapshots")
    for process in members[1:]:
        send(200)
        assert process.stop() == 0
    members[0].wait_for(lambda: group_has_read(job, sent, 4, members=1), "that one has it all", timeout=90)
    send(500)
    members[0].wait_for(lambda: cut_to(job) > sent - 400, "the rest")
    job.wait_until_clean()
    assert members[0].stop() == 0
    report = job.check(clean=True)
    assert report.snapshots >= 4
    # without handovers and checkpoints every move would read its windows again
    read = sum(records_read(process) for process in members)
    assert read <= sent * 1.3, (read, sent)


def test_a_restart_within_the_session_moves_nothing(new_job, topics, name):
    job = new_job(window={"trigger": "offsets", "every_records": 5000}, kafka={"session_timeout": "20s"})
    topics.create(name, 4)
    topics.send(name, plain(400, 4))
    one, two = job.start(), job.start(member="two")
    one.wait_for(lambda: group_has_read(job, 400, 4, members=2), "that two share the work")
    before = {partition: member for partition, (member, _) in owners(job).items()}
    assigned = one.output().count("assigned ")
    assert two.stop() == 0
    two = job.start(member="two")
    two.wait_for_text("2 of 2 partitions go on where they were read to")
    topics.send(name, plain(400, 4, seed=2))
    two.wait_for(lambda: group_has_read(job, 800, 4, members=2), "that all is read")
    assert {partition: member for partition, (member, _) in owners(job).items()} == before
    assert one.output().count("assigned ") == assigned, "the other member heard nothing of it"
    assert one.stop() == 0 and two.stop() == 0


def start_reading(new_job, topics, name):
    """A member that has read half a window."""
    job = new_job(window={"trigger": "offsets", "every_records": 100})
    topics.create(name, 2)
    topics.send(name, plain(50, 2))
    process = job.start()
    process.wait_for(lambda: group_has_read(job, 50, 2), "that all is read")
    return job, process


def test_two_processes_with_one_member_id(new_job, topics, name, tmp_path):
    """On two hosts, as it were: Kafka sees to it that the older one ends."""
    job, older = start_reading(new_job, topics, name)
    newer = job.start("--set", f"limits.work_folder={tmp_path}/elsewhere")
    assert older.wait() == 9, older.output()[-2000:]  # fenced
    topics.send(name, plain(100, 2, seed=2))
    newer.wait_for(lambda: job.published() >= 1, "a snapshot of the newer one")
    assert newer.stop() == 0
    assert job.check(clean=True).snapshots == 1


def test_a_work_folder_belongs_to_one_process(new_job, topics, name):
    """Another start with it waits for the first to end, then is refused and has touched nothing, whatever its group."""
    job, first = start_reading(new_job, topics, name)
    for more in ((), ("--set", f"group={name}-other")):
        second = job.command("run", *more, check=False)
        assert second.returncode == 3, second.stderr
        assert "limits.work_folder" in second.stderr and f"process {first.popen.pid} on host" in second.stderr
    topics.send(name, plain(100, 2, seed=2))
    first.wait_for(lambda: job.published() >= 1, "a snapshot of the first one")
    # a supervisor that is quick: the old process still ends when the new one starts
    first.signal(signal.SIGTERM)
    heir = job.start()
    assert first.wait() == 0
    topics.send(name, plain(100, 2, seed=3))
    heir.wait_for(lambda: job.published() >= 2, "a snapshot of the heir")
    assert heir.stop() == 0
    assert job.check(clean=True).snapshots == 2


def test_partitions_and_topics_are_added(new_job, topics, name):
    """A partition more while it runs; then, over a restart, a topic more: all of their records count."""
    job = new_job(window={"trigger": "schedule", "every": "1s"}, kafka=SOON_SEEN)
    topics.create(name, 1)
    topics.send(name, plain(300, 1))
    process = job.start()
    process.wait_for(lambda: cut_to(job) == 300, "a snapshot")
    topics.grow(name, 3)
    topics.send(name, plain(400, 3, seed=2))
    process.wait_for(lambda: group_has_read(job, 700, 3), "that the new partitions are read")
    process.wait_for(lambda: cut_to(job) == 700, "a snapshot with them")
    job.wait_until_clean()
    assert process.stop() == 0
    second = topics.create(name + "-more", 2)
    topics.send(second, plain(300, 2, seed=3))
    job.write(topics=[*job.settings["topics"], {**job.settings["topics"][0], "name": second}])
    process = job.start()
    process.wait_for(lambda: cut_to(job) == 1000, "a snapshot with the new topic")
    job.wait_until_clean()
    assert process.stop() == 0
    report = job.check(clean=True)
    assert report.snapshots >= 3 and report.records == 1000


def test_a_topic_grows_while_its_members_restart(new_job, topics, name):
    """Members that are back within their session get what they had: nobody would ever read the new partition."""
    job = new_job(window={"trigger": "offsets", "every_records": 300}, kafka=SOON_SEEN)
    topics.create(name, 1)
    topics.send(name, plain(300, 1))
    process = job.start()
    process.wait_for(lambda: job.published() >= 1, "a snapshot")
    process.kill()
    topics.grow(name, 2)
    process = job.start()
    topics.send(name, plain(400, 2, seed=2))
    process.wait_for(lambda: group_has_read(job, 700, 2), "that the new partition is read", timeout=150)
    assert "given it to nobody" in process.output(), "there was a rebalance by itself: this test shows nothing"
    process.wait_for(lambda: job.published() >= 2, "a snapshot with it")
    job.wait_until_clean()
    assert process.stop() == 0
    assert job.check(clean=True).snapshots >= 2


def test_a_topic_is_made_again(new_job, topics, name):
    """Offsets on record mean other records: nothing is published until somebody has looked."""
    job = new_job(window={"trigger": "offsets", "every_records": 100})
    topics.create(name, 1)
    topics.send(name, plain(150))
    process = job.start()
    process.wait_for(lambda: job.published() >= 1, "a snapshot")
    pointer = job.pointer()
    assert process.stop() == 0
    topics.delete(name)
    topics.create(name, 1)
    topics.send(name, plain(40, seed=2))  # fewer: that is noticed also where the client knows no topic ids
    process = job.start()
    text = "deleted and made again"
    harness.wait_for(lambda: text in process.output() or not process.is_running(), "that it is noticed")
    process.stop()
    assert text in process.output(), process.output()[-3000:]
    # a client that knows ids tells at the start, and the stop may then write another one, of the new topic
    thrown = "the local checkpoint is thrown away" in process.output()
    assert thrown or not (job.folder / "work/one/checkpoint.db").exists(), "it belongs to the old topic"
    assert job.pointer() == pointer
