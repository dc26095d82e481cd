"""Three members and a store that lies: every kind of answer at every place of a build, and of the clean-up."""
import time

import pytest

import faults
import harness
from test_content import plain

OFFSETS = {"trigger": "offsets", "every_records": 60}
SHORT = {"request_timeout": "1s", "deadline": "10s"}
WRITES = ("500", "503 SlowDown", "409", "412", "500 after it was done", "412 after it was done", "no answer, nothing done",
          "no answer after it was done", "a time-out after it was done", "a time-out, done later")
PLAIN = tuple(answer for answer in WRITES if answer not in faults.FOR_CONDITIONS)
READS = ("500", "503 SlowDown", "no answer, nothing done", "a time-out after it was done", "a body cut off")
BUILD = {
    "a shard's upload": WRITES, "a sidecar's upload": PLAIN, "a part's upload": WRITES, "staging": WRITES,
    "the manifest's put": WRITES, "the pointer's swap": WRITES, "a run's note": PLAIN,
    "a builder's read of a part": READS, "a read of what is staged": READS, "the pointer's read": READS,
    "a look at a shard": READS[:-1],  # its answer has no body
}
CLEAN_UP = {"a listing": READS, "a delete": PLAIN, "a delete of one": PLAIN}


def single(places):
    """One answer at one place."""
    return [[(place, answer)] for place, answers in places.items() for answer in answers]


def together(places):
    """An answer at every place, until each was everywhere."""
    return [[(place, answers[(turn + k) % len(answers)]) for k, (place, answers) in enumerate(places.items())]
            for turn in range(max(map(len, places.values())))]


WAYS = pytest.mark.parametrize("way", (together, pytest.param(single, marks=pytest.mark.long)))


def applied(group, rule):
    """The store of at least one member has answered so."""
    lines = [line.split(" ") for member in group.members for line in member.lane.faults.log()]
    return any(method == rule["method"] and rule["match"] in path and action == rule["action"]
               for method, path, action in lines)


def window(group, topics, name, number, case=()):
    """One more snapshot, while each member's store answers as the case says, once at each place."""
    rules = [faults.store_rule(place, answer, 1) for place, answer in case]
    for rule in rules:
        if "seconds" in rule:
            rule["seconds"] = 2  # longer than a request may take
    for member in group.members:
        member.lane.faults.rules(rules)
    topics.send(name, plain(60, 3, keys=1000, seed=number))
    group.wait_for_published(number)
    for rule, what in zip(rules, case):
        harness.wait_for(lambda: applied(group, rule), f"{what} in {case}")


def run_windows(group, topics, name, cases):
    group.start()
    window(group, topics, name, 1)
    for number, case in enumerate(cases, 2):
        window(group, topics, name, number, case)
    for member in group.members:
        member.lane.faults.rules([])
    return group.finish()


@pytest.mark.slow
@WAYS
def test_every_answer_at_every_place(new_group, topics, name, way):
    cases = way(BUILD)
    group = new_group(window=OFFSETS, s3=SHORT)
    report = run_windows(group, topics, name, cases)
    assert report.snapshots == len(cases) + 1 and sum(len(b.rows) for b in report.builds.values()) == 60 * report.snapshots


@pytest.mark.slow
@WAYS
def test_every_answer_to_clean_up(new_group, topics, name, way):
    """Each snapshot lets the one before be deleted; what a failed clean-up left is deleted by a later one."""
    group = new_group(window=OFFSETS, s3=SHORT, snapshot={"keep_last": 1})
    report = run_windows(group, topics, name, way(CLEAN_UP))
    assert report.snapshots == 1 and report.rows + report.superseded == 60


@pytest.mark.slow
def test_the_store_is_away(new_group, topics, name):
    """For everybody, and longer than a request's deadline: nothing is published, and the cut is built when it is back."""
    group = new_group(window=OFFSETS, snapshot={"attempt_timeout": "3s"},
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
