"""Three members, and what befalls one of them: its network, its disk, its clock; and producers that abort or hang."""
import json
import time

import pytest

import harness
from test_content import plain
from topics import read_topic

OFFSETS = {"trigger": "offsets", "every_records": 90}
SHORT = {"session_timeout": "4s"}


def send(topics, name, seed, partitions=3):
    topics.send(name, plain(90, partitions, keys=1000, seed=seed))


@pytest.mark.slow
@pytest.mark.parametrize("who", ("leader", pytest.param("member", marks=pytest.mark.long)))
def test_the_network_of_one(new_group, topics, name, who):
    """Reset, half closed, slow, then cut off for longer than its session: the others go on; it comes back."""
    group = new_group(window=OFFSETS, kafka=SHORT).start()
    victim = group.leader() if who == "leader" else group.others(group.leader())[0]
    ways = (victim.lane.kafka, victim.lane.store)
    done = 0
    for disturb in ("cut", "half_close"):
        for way in ways:
            getattr(way, disturb)()
        done += 1
        send(topics, name, done)
        group.wait_for_published(done)
    for way in ways:
        way.delay = 0.05
    done += 1
    send(topics, name, done)
    group.wait_for_published(done)
    victim.lane.kafka.delay = victim.lane.store.delay = 0
    victim.lane.kafka.held = True
    done += 1
    send(topics, name, done)
    group.wait_for_published(done)
    assert group.ledger.leader() != victim.name
    victim.lane.calm()
    harness.wait_for(lambda: group.ledger.owned(victim.name) == 1, "that it has its share again")
    done += 1
    send(topics, name, done)
    group.wait_for_published(done)
    report = group.finish()
    assert report.snapshots == done and sum(len(b.rows) for b in report.builds.values()) == 90 * done


@pytest.mark.slow
@pytest.mark.parametrize("disk,who", (("small", "member"), pytest.param("limit", "member", marks=pytest.mark.long),
                                      pytest.param("small", "leader", marks=pytest.mark.long)))
def test_a_full_disk(new_group, topics, name, disk, who):
    """One member cannot write, so its rows cannot be handed on: the build waits for it, and nothing is lost.

    Its disk is a small one of its own, which is really full, or where nothing can be mounted its files may not grow.
    """
    group = new_group(window=OFFSETS, kafka=SHORT)
    if disk == "small":
        for member in group.members:  # whoever will lead
            member.small_disk(8)
    group.start()
    leader = group.leader()
    victim = leader if who == "leader" else group.others(leader)[0]
    send(topics, name, 1)
    group.wait_for_published(1)
    victim.fill_disk(0)
    send(topics, name, 2)
    group.ledger.wait_for("PLAN", 2)
    time.sleep(2)  # some attempts; what they say cannot be written to the log either
    assert len(group.ledger.published) == 1
    victim.fill_disk(None)
    group.wait_for_published(2)
    assert victim.is_running(), victim.tail()
    send(topics, name, 3)
    group.wait_for_published(3)
    report = group.finish()
    assert report.snapshots == 3


@pytest.mark.slow
def test_clocks_step(new_group, topics, name):
    """A leader whose clock jumps by an hour, forth and back; a member that does not lead; and one that is off when it begins does not lead."""
    group = new_group(window={"trigger": "schedule", "every": "2s"}, kafka=SHORT).start()
    for seed, step in enumerate((3600, 0, -3600, 0, 3600, -3600, 0)):
        # the last three times it is another member, which must do its part all the same
        (group.leader() if seed < 4 else group.others(group.leader())[0]).step_clock(step)
        before = len(group.ledger.published)
        send(topics, name, seed)
        group.wait_for_published(before + 1)
    wrong = group.leader()
    wrong.kill()
    wrong.step_clock(300)
    harness.wait_for(lambda: group.ledger.leader() != wrong.name, "another leader")
    wrong.start()
    group.wait_for_shares()
    for member in group.others(wrong):  # now it alone could lead
        member.stop()
    harness.wait_for(lambda: "too far from the broker's" in wrong.process.output(), "that it refuses to lead")
    before = len(group.ledger.published)
    send(topics, name, 9)
    time.sleep(4)
    assert len(group.ledger.published) == before
    wrong.step_clock(0)
    group.wait_for_published(before + 1)
    group.finish()


@pytest.mark.slow
def test_times_do_not_go_back(new_group, topics, name):
    """A clock that is a little ahead, as any may be, then right again: readers see later times all the same."""
    group = new_group(window=OFFSETS, kafka=SHORT).start()
    for seed, step in enumerate((20, 0), 1):
        for member in group.members:
            member.step_clock(step)
        send(topics, name, seed)
        group.wait_for_published(seed)
    assert group.finish().snapshots == 2  # and the watch of the pointer has seen nothing strange


@pytest.mark.slow
def test_transactions_that_abort_and_hang(new_group, topics, name):
    """What was aborted is nowhere; behind an open transaction the partition is blocked, which the status names."""
    group = new_group(window={"trigger": "event_time", "size": "10s", "out_of_orderness": "0s", "idle_after": "1s"},
                      kafka=SHORT).start()

    def at(second, count=30, seed=0):
        return [{"key": f"key-{seed}-{i}", "value": f"value {i}", "partition": i % 3,
                 "timestamp_ms": 1_700_000_000_000 + 1000 * second} for i in range(count)]
    topics.transaction(name, at(1, seed=1))
    topics.transaction(name, at(2, seed=2), outcome="abort")
    finish = topics.transaction(name, [{"key": "hanging", "value": "v", "partition": 0,
                                        "timestamp_ms": 1_700_000_000_000 + 3000}], outcome="hang")
    topics.send(name, at(11, seed=3))
    topics.send(name, at(22, seed=4))
    owner = harness.wait_for(lambda: next((m.name for m in group.members if any(
        p.get("state") == "blocked" for p in (group.ledger.get("progress/" + m.name) or {}).get("partitions", ()))), None),
        "a blocked partition")
    time.sleep(2)
    assert not group.ledger.published, "an open transaction holds the window open"
    text = harness.subprocess.run([str(harness.BINARY), "status", "--json", "-c", str(group.members[0].file)],
                                  env=group.environment, capture_output=True, text=True, timeout=30).stdout
    assert "blocked" in json.dumps(json.loads(text)), (owner, text)
    finish(commit=False)
    group.wait_for_published(1)
    topics.send(name, at(40, seed=5))
    group.wait_for_published(2)
    report = group.finish()
    keys = {key for build in report.builds.values() for key in (row.stored for row in build.rows)}
    assert not any(key.startswith((b"key-2-", b"hanging")) for key in keys)


@pytest.mark.slow
@pytest.mark.parametrize("letters", (30_000, 90_000))
def test_a_stop_while_dead_letters_cannot_be_sent(new_group, topics, name, letters):
    """Kafka is away, and what was fetched before makes dead letters: SIGTERM ends the process in time all the same. Of
    90,000 letters the producer cannot hold all, and the intake waits in the middle of a batch."""
    dead = topics.create(name + "-dead")
    group = new_group(partitions=1, members=1, kafka={"session_timeout": "30s"}, window={"trigger": "offsets", "every_records": letters + 20},
                      dead_letter={"policy": "topic", "topic": dead},
                      limits={"stop_timeout": "2s", "records_per_second": 20_000}).start()
    member = group.members[0]
    good = plain(20, 1, keys=1000)
    bad = [{"value": str(i), "partition": 0} for i in range(letters)]  # without a key
    topics.send(name, good[:10] + bad + good[10:19])

    def position():
        progress = group.ledger.get("progress/" + member.name)
        return sum(int(p["position"]) for p in progress["partitions"] if p.get("owned"))
    member.process.wait_for(lambda: position() > 10, "that it reads")
    member.lane.kafka.held = member.lane.kafka.refused = True
    time.sleep(letters / 20_000 + 1)
    begin = time.monotonic()
    assert member.stop() == 0
    assert time.monotonic() - begin < 14, member.tail()
    assert "the stop was not orderly" in member.process.output()
    member.lane.calm()
    member.start()
    topics.send(name, good[19:])
    group.wait_for_published(1)
    report = group.finish()
    assert sum(len(b.rows) for b in report.builds.values()) == 20 and report.rejected == letters
    offsets = {int(dict(letter.headers)["tidemark.offset"]) for letter in read_topic(topics.bootstrap, dead)}
    assert offsets == set(range(10, 10 + letters))
