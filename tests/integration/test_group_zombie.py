"""A leader that sleeps past its session at the worst moments, and wakes when another has gone on."""
import pytest

import harness
from test_content import plain

OFFSETS = {"trigger": "offsets", "every_records": 90}
SHORT = {"session_timeout": "4s"}


def send(topics, name, seed):
    topics.send(name, plain(90, 3, keys=1000, seed=seed))


@pytest.mark.slow
@pytest.mark.parametrize("step", (pytest.param("staged", marks=pytest.mark.long),
                                  pytest.param("committed", marks=pytest.mark.long), "swapping"))
def test_a_leader_sleeps_and_wakes(new_group, topics, name, step):
    """Before COMMIT, after it, and between the pointer's read and its swap."""
    group = new_group(window=OFFSETS, kafka=SHORT).start()
    zombie = group.leader()
    zombie.sleep_at(step)
    send(topics, name, 1)
    harness.wait_for(zombie.is_stopped, f"the leader's sleep at {step}")
    zombie.sleeping = True
    term = group.ledger.leaders[-1][1]
    group.wait_for_published(1)
    send(topics, name, 2)
    group.wait_for_published(2)
    zombie.wake()
    harness.wait_for(lambda: "not elected any more" in zombie.process.output(), "that it sees it")
    send(topics, name, 3)
    group.wait_for_published(3)
    # what it left behind was finished by another, and nothing was published in its name after it woke
    assert all(int(p["term"]) > term for p in group.ledger.history("PUBLISHED"))
    report = group.finish()
    assert report.snapshots == 3 and sum(len(b.rows) for b in report.builds.values()) == 270


@pytest.mark.slow
def test_a_swap_lands_late(new_group, topics, name):
    """The leader's swap is under way when it dies; it lands when others have published more."""
    group = new_group(window=OFFSETS, kafka=SHORT).start()
    send(topics, name, 1)
    group.wait_for_published(1)
    leader = group.leader()
    leader.lane.faults.rules([{"action": "late", "method": "PUT", "match": "_CURRENT", "seconds": 14, "times": 1}])
    send(topics, name, 2)
    harness.wait_for(lambda: any("_CURRENT late" in line for line in leader.lane.faults.log()), "the swap under way")
    leader.kill()
    group.wait_for_published(2)
    send(topics, name, 3)
    group.wait_for_published(3)
    late = harness.time.monotonic() + 15
    harness.wait_for(lambda: harness.time.monotonic() > late, "the late write")
    report = group.finish()
    assert report.snapshots == 3


@pytest.mark.slow
@pytest.mark.long
def test_a_member_sleeps_through_a_build(new_group, topics, name):
    """Its rows are read again by the others; it wakes with an attempt that nobody wants any more."""
    group = new_group(window=OFFSETS, kafka=SHORT).start()
    sleeper = group.others(group.leader())[0]
    sleeper.sleep_at("attempt-uploaded")
    send(topics, name, 1)
    harness.wait_for(sleeper.is_stopped, "its sleep")
    sleeper.sleeping = True
    group.wait_for_published(1)
    send(topics, name, 2)
    group.wait_for_published(2)
    sleeper.wake()
    send(topics, name, 3)
    group.wait_for_published(3)
    report = group.finish()
    assert report.snapshots == 3 and sum(len(b.rows) for b in report.builds.values()) == 270
