"""Several members: partitions move, take along what was read of them, and nothing is lost or doubled."""
import re

import harness
from test_checkpoint import records_read
from test_content import plain

MOVES = {"handover_bytes": 1, "handover_at_stop": True}


def owners(job):
    """partition -> (member, position), as the members say it."""
    newest = {}
    for record in job.records("PROGRESS"):
        newest[record["member"]] = record
    return {p["partition"]: (record["member"], p["position"]) for record in newest.values()
            if not record.get("leaving") for p in record.get("partitions", ()) if p.get("owned")}


def group_has_read(job, count, partitions, members=None):
    found = owners(job)
    return (len(found) == partitions and sum(position for _, position in found.values()) >= count
            and (members is None or len({member for member, _ in found.values()}) == members))


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
    assert one.stop() == 0
    assert records_read(one) + records_read(two) == 2200
    report = job.check(clean=True)
    assert report.snapshots == 1
    assert not [k for k in job.store.keys() if k.startswith("parts/")]
