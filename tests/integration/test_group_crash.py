"""Three members, one of them dies at a named step: the others finish what it began, or do it again."""
import pytest

from test_content import plain

OFFSETS = {"trigger": "offsets", "every_records": 90}
SHORT = {"session_timeout": "4s"}
LONG = pytest.mark.long  # the others are enough for every day
LEADER_STEPS = ("closed", pytest.param("planned", marks=LONG), "staged", "committed", pytest.param("manifest-put", marks=LONG),
                pytest.param("swapping", marks=LONG), "pointer-swapped", pytest.param("published", marks=LONG),
                pytest.param("cleaned", marks=LONG))
PUBLISHED = ("published", "cleaned")
DECIDED = ("committed", "manifest-put", "swapping", "pointer-swapped", *PUBLISHED)
MEMBER_STEPS = (pytest.param("sealed", marks=LONG), "ready", "part-stored", pytest.param("part-told", marks=LONG),
                "attempt-uploaded", pytest.param("attempt-told", marks=LONG))
# a leader is a member, too, and passes them before anything is decided
BOTH_STEPS = tuple(pytest.param(step, marks=LONG) for step in ("sealed", "ready", "part-stored", "part-told",
                                                               "attempt-uploaded", "attempt-told"))


def send(topics, name, seed, partitions=3):
    topics.send(name, plain(90, partitions, keys=1000, seed=seed))


def go_on(group, topics, name, victim):
    """The dead one is missed, then it comes back."""
    group.wait_for_published(1)
    send(topics, name, 2)
    group.wait_for_published(2)
    assert not victim.is_running()
    victim.start()
    group.wait_for_shares()
    send(topics, name, 3)
    group.wait_for_published(3)
    report = group.finish()
    assert report.snapshots == 3 and sum(len(b.rows) for b in report.builds.values()) == 270
    return report


@pytest.mark.slow
@pytest.mark.parametrize("step", LEADER_STEPS + BOTH_STEPS)
def test_the_leader_dies_at(new_group, topics, name, step):
    group = new_group(window=OFFSETS, kafka=SHORT).start()
    leader = group.leader()
    leader.die_at(step)
    send(topics, name, 1)
    assert leader.process.wait() == -9, leader.tail()
    term = group.ledger.leaders[-1][1]
    go_on(group, topics, name, leader)
    first = group.ledger.history("COMMIT")[0]
    published = group.ledger.history("PUBLISHED")[0]
    # what was decided is what the next term publishes; what was not is decided by the next term
    assert (int(first["term"]) == term) == (step in DECIDED)
    assert (int(published["term"]) == term) == (step in PUBLISHED)
    assert published["run_id"] == first["run_id"]
    # the cut is final (R3)
    assert len({str(c["partitions"]) for c in group.ledger.history("CLOSE") if int(c["build"]) == 1}) == 1


@pytest.mark.slow
@pytest.mark.parametrize("step", MEMBER_STEPS)
def test_a_member_dies_at(new_group, topics, name, step):
    group = new_group(window=OFFSETS, kafka=SHORT).start()
    victim = group.others(group.leader())[0]
    victim.die_at(step)
    send(topics, name, 1)
    assert victim.process.wait() == -9, victim.tail()
    go_on(group, topics, name, victim)
