"""Three members and a store that lies: every kind of answer at every place of a build, one window each."""
import time

import pytest

import faults
from test_content import plain

# where, and what the store does there to the first requests
CASES = [(place, answer) for place in
         ("a shard's upload", "a part's upload", "staging", "the manifest's put", "the pointer's swap")
         for answer in ("500", "503 SlowDown", "409", "412", "500 after it was done", "412 after it was done",
                        "no answer, nothing done", "no answer after it was done", "a time-out after it was done")]
CASES += [(place, answer) for place in ("a builder's read of a part", "a read of what is staged", "the pointer's read")
          for answer in ("500", "no answer, nothing done", "a body cut off")]


@pytest.mark.slow
def test_every_answer_at_every_place(new_group, topics, name):
    group = new_group(window={"trigger": "offsets", "every_records": 60}, s3={"request_timeout": "2s", "deadline": "10s"})
    group.start()
    done = 0
    for seed, (place, answer) in enumerate(CASES):
        rule = faults.store_rule(place, answer, 1)
        if rule["action"] == "hang_after":
            rule["seconds"] = 3
        for member in group.members:
            member.lane.faults.rules([rule])
        topics.send(name, plain(60, 3, keys=1000, seed=seed))
        done += 1
        group.wait_for_published(done)
    for member in group.members:
        member.lane.faults.rules([])
    report = group.finish()
    assert report.snapshots == len(CASES) and sum(len(b.rows) for b in report.builds.values()) == 60 * len(CASES)


@pytest.mark.slow
def test_the_store_is_away(new_group, topics, name):
    """For everybody, and longer than a request's deadline: nothing is published, and the cut is built when it is back."""
    group = new_group(window={"trigger": "offsets", "every_records": 60}, snapshot={"attempt_timeout": "3s"},
                      s3={"connect_timeout": "1s", "request_timeout": "1s", "deadline": "3s", "max_retries": 1})
    group.start()
    topics.send(name, plain(60, 3, keys=1000, seed=1))
    group.wait_for_published(1)
    for member in group.members:
        member.lane.store.refused = True
        member.lane.store.cut()
    topics.send(name, plain(60, 3, keys=1000, seed=2))
    time.sleep(8)
    assert len(group.ledger.published) == 1
    for member in group.members:
        member.lane.store.calm()
    group.wait_for_published(2)
    report = group.finish()
    assert report.snapshots == 2
    assert len({str(c["partitions"]) for c in group.ledger.history("CLOSE") if int(c["build"]) == 2}) == 1
