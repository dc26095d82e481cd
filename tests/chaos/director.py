"""A seeded director: a group of members, a producer and two watchers, and faults one after the other.

A life is one group; it has rounds. A round: faults for a while, then none; what was produced must be published, and
the oracle compares everything.
"""
import collections
import contextlib
import dataclasses
import pathlib
import random
import time

import faults
import harness
import topics as reader
from kafka.errors import KafkaError, TopicAlreadyExistsError
from members import Group
from mix import choose_settings, describe, topic_settings
from producer import Producer, check_acked

FAULTS_AT_ONCE = 3
CORRUPT = 12  # an exit code: stored bytes are not what was written
GRACE = 120.0  # seconds in which a group without faults must have published everything


class Lost(AssertionError):
    pass


@dataclasses.dataclass
class Figures:
    faults: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    rounds: int = 0
    lives: int = 0
    states: int = 0  # of the lives, with contents = "state"
    routed: int = 0  # of the lives, by an expression
    carried: int = 0  # shards of a state that were copied
    windows: int = 0
    empty: int = 0
    aborted: int = 0
    terms: int = 0
    swept: int = 0
    records: int = 0
    rows: int = 0
    late: int = 0
    future: int = 0
    pointer_moves: int = 0
    pointer_looks: int = 0
    snapshots_opened: int = 0
    transactions: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    restarts: int = 0
    ends: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    slowest: float = 0.0

    def table(self, good=True):
        lines = [f"{'fault':<24} times"]
        lines += [f"{name:<24} {count:5}" for name, count in sorted(self.faults.items())]
        lines += ["", f"{'faults injected':<24} {sum(self.faults.values()):9}"]
        for title, value in (
                ("groups", self.lives), ("groups with a state", self.states), ("groups by expression", self.routed),
                ("shards carried over", self.carried),
                ("rounds checked", self.rounds), ("leaders' terms", self.terms),
                ("windows published", self.windows), ("windows without rows", self.empty), ("runs aborted", self.aborted),
                ("swept: landed too late", self.swept),
                ("records checked", self.records), ("rows in snapshots", self.rows), ("late records", self.late),
                ("records of the future", self.future), ("transactions committed", self.transactions["committed"]),
                ("transactions aborted", self.transactions["aborted"]), ("transactions hung", self.transactions["hung"]),
                ("process starts", self.restarts), ("moves of the pointer", self.pointer_moves),
                ("looks at the pointer", self.pointer_looks), ("snapshots opened", self.snapshots_opened)):
            lines.append(f"{title:<24} {value:9}")
        if good:  # the first of any of them ends the run
            lines += [f"{title:<24} {0:9}" for title in ("losses", "duplicates", "objects leaked")]
        lines.append(f"{'slowest recovery':<24} {self.slowest:8.1f}s")
        for code, count in sorted(self.ends.items()):
            lines.append(f"{'ended by itself with ' + str(code):<24} {count:9}")
        return "\n".join(lines)


def create_topic(maker, name, partitions, replicas):
    """A broker may just be back from the life before, and is not known to everybody yet."""
    for left in reversed(range(20)):
        try:
            maker.create(name, partitions, replicas=replicas)
            return
        except TopicAlreadyExistsError:  # made by a try whose answer was lost
            maker.wait_for_partitions(name, partitions)
            return
        except (KafkaError, TimeoutError):
            if left == 0:
                raise
            time.sleep(1)
            with contextlib.suppress(KafkaError):
                maker.renew()


class World:
    """One life: a group on a cluster, with everything that watches it."""

    def __init__(self, cluster, maker, folder, name, seed, say, members=3):
        self.rng = random.Random(f"life {seed}")
        self.cluster, self.maker, self.say, self.name = cluster, maker, say, name
        partitions = self.rng.choice((3, 6))
        create_topic(maker, name, partitions, self.replicas)
        chosen = choose_settings(self.rng, name)
        say(f"group {name}: {members} members, {partitions} partitions, {describe(chosen)}")
        # one more than the usual number, for the times when the group grows
        self.group = Group(cluster, folder, name, chosen.pop("topics"), chosen, members + 1)
        self.usual = self.group.members[:members]
        self.wanted = list(self.usual)  # who shall run
        self.event_time = chosen["window"]["trigger"] == "event_time"
        self.ledger, self.pointer = self.group.ledger, self.group.pointer
        self.producer = Producer(cluster.kafka.bootstrap, name, partitions, seed)
        self.producer.narrow = chosen["snapshot"].get("contents") == "state" and self.rng.random() < 0.7
        self.taken = set()  # what only one fault at a time may disturb

    @property
    def replicas(self):
        return 3 if self.cluster.nodes >= 3 else 1

    def start(self):
        for member in self.wanted:
            member.start()
        self.producer.start()

    @property
    def topics(self):
        return [topic["name"] for topic in self.group.settings["topics"]]

    def ends(self, isolation="read_committed"):
        """(topic, partition) -> last stable offset."""
        return {(topic, partition): end for topic in self.topics
                for partition, end in reader.end_offsets(self.cluster.kafka.bootstrap, topic, isolation).items()}

    def stable_ends(self):
        """The same where no transaction is open any more; what lies behind one can be read by nobody. Else None."""
        ends = self.ends()
        return ends if ends == self.ends("read_uncommitted") else None

    def settled_ends(self):
        """stable_ends, as soon as all transactions are over."""
        try:
            return harness.wait_for(self.stable_ends, "the end of all transactions", timeout=30)
        except TimeoutError:
            ended = self.cluster.end_forgotten(self.ends())
            if ended:
                self.say(f"the broker had forgotten a transaction, ended by hand in {ended} partitions")
        # one that the producer began and could not end takes a minute
        return harness.wait_for(self.stable_ends, "the end of all transactions", timeout=GRACE)

    def add_topic(self):
        """One more topic for the settings of whoever starts from now on."""
        name = f"{self.name}-more{len(self.topics)}"
        create_topic(self.maker, name, 2, self.replicas)
        self.group.settings["topics"].append(topic_settings(name))
        self.producer.partitions[name] = 2
        return name

    def grow(self, topic):
        """One more partition for a topic that is read."""
        count = self.producer.partitions[topic] + 1
        self.maker.grow(topic, count)
        self.producer.partitions[topic] = count
        return count

    def busy(self, what):
        """True when another fault has it already; else it is ours until `free`."""
        if what in self.taken:
            return True
        self.taken.add(what)
        return False

    def free(self, what):
        self.taken.discard(what)

    def tend(self, figures):
        """Starts again who is down; an end that nobody asked for is counted, a crash is a failure."""
        for member in self.group.members:
            if member.is_running():
                continue
            code = member.end_code()
            if code is not None and not member.judged:
                member.judged = True
                self._judge(member, code, figures)
                if member.resting_until == 0.0:
                    member.resting_until = time.monotonic() + 0.5
            if member in self.wanted and time.monotonic() >= member.resting_until:
                member.resting_until = 0.0
                member.start()
                figures.restarts += 1

    def _judge(self, member, code, figures):
        crashed = code < 0 and not (code == -9 and member.expected_end)
        if crashed or code == CORRUPT:
            raise Lost(f"{member.name} ended with {code}:\n{member.tail()}")
        if code not in (0, -9):
            figures.ends[code] += 1
            self.say(f"{member.name} ended by itself with {code}: {member.tail(200).strip().splitlines()[-1:]}")

    def close(self):
        self.producer.ended.set()
        self.group.close()


class Director:
    def __init__(self, cluster, maker, folder, seed, say=print, names=None, members=3):
        self.cluster, self.maker, self.folder, self.seed = cluster, maker, pathlib.Path(folder), seed
        self.say, self.members = say, members
        self.kinds = [kind for name, kind in sorted(faults.REGISTRY.items())
                      if (not names or name in names) and kind.nodes <= cluster.nodes]
        self.figures = Figures()
        self.began = time.monotonic()

    def run(self, minutes=None, lives=None, rounds=3, round_seconds=25.0):
        """Until the time is over or so many lives are lived, whichever is given."""
        end = self.began + minutes * 60 if minutes else float("inf")
        life = 0
        while time.monotonic() < end and (lives is None or life < lives):
            self._life(life, rounds, round_seconds, end)
            life += 1
        return self.figures

    def _note(self, text):
        self.say(f"{time.monotonic() - self.began:7.1f}  {text}")

    def _life(self, life, rounds, round_seconds, end):
        name = f"chaos-{self.seed}-{life}"
        world = World(self.cluster, self.maker, self.folder / name, name, f"{self.seed}/{life}", self._note, self.members)
        try:
            world.start()
            harness.wait_for(world.ledger.leader, "a leader")
            for round_ in range(rounds):
                rng = random.Random(f"faults {self.seed}/{life}/{round_}")
                before = len(world.producer.acked)
                self._disturb(world, rng, round_seconds)
                self._calm(world)
                harness.wait_for(lambda: world.tend(self.figures) or len(world.producer.acked) > before,
                                 "that the producer writes: else the round shows nothing")
                self._settle(world)
                if time.monotonic() > end:
                    break
            self._finish(world)
        except BaseException:
            self._note("the members' last words:\n" + world.group.logs())
            raise
        finally:
            world.close()
            self.cluster.calm()

    def _disturb(self, world, rng, seconds):
        """Faults, some at a time, for so long."""
        end = time.monotonic() + seconds
        active = []
        due = time.monotonic() + rng.uniform(0.2, 2)
        hurry = rng.choice((0.4, 1.0, 1.0, 2.0))  # a storm, or something now and then
        while time.monotonic() < end:
            now = time.monotonic()
            for fault in [f for f in active if f.until <= now]:
                fault.end()
                active.remove(fault)
            if now >= due and len(active) < FAULTS_AT_ONCE:
                fault = rng.choice(self.kinds)(world, rng)
                what = fault.begin()
                if what is not None:
                    self.figures.faults[fault.name] += 1
                    self._note(f"{fault.name}: {what}")
                    active.append(fault)
                due = time.monotonic() + hurry * rng.choice((1, 2, 4))
            world.tend(self.figures)
            time.sleep(0.05)
        for fault in active:
            fault.end()

    # ---- calm, and the checks ----

    def _calm(self, world):
        self._note("calm")
        self.cluster.calm()
        for member in world.group.members:
            if member.is_running() and member.is_stopped():
                member.wake()
            member.resting_until = min(member.resting_until, time.monotonic())

    def _settle(self, world):
        """No fault any more: everything produced must come out, and be right."""
        figures = self.figures
        began = time.monotonic()
        world.producer.paused.set()
        goal = self._goal(world)
        while not self._reached(world, goal):
            world.tend(figures)
            for member in world.group.running():
                if member.is_stopped():
                    member.wake()
            if time.monotonic() - began > GRACE:
                raise Lost(f"not published {GRACE:g} s after the last fault: {goal}, the head has {world.ledger.cuts()}, "
                           f"closed to {world.ledger.closed_to_us()}")
            time.sleep(0.1)
        took = time.monotonic() - began
        figures.slowest = max(figures.slowest, took)
        report = self._compare(world)
        figures.rounds += 1
        self._note(f"{report.records} records, {report.snapshots} snapshots kept, all as they must be "
                   f"({took:.1f} s to recover)")
        world.producer.paused.clear()
        return report

    def _goal(self, world):
        """Where the head must come to."""
        time.sleep(0.3)  # a batch under way
        if world.event_time:
            for _ in range(20):
                try:
                    world.producer.close_window(10_000)
                    break
                except Exception:
                    time.sleep(1)
            # where it was before: the windows that it jumped over are empty, and close with the next that is not
            world.settled_ends()
            return ("time", (world.producer.event_ms - 4 * 10_000) * 1000)
        return ("offsets", world.settled_ends())

    def _reached(self, world, goal):
        if goal[0] == "time":
            return world.ledger.closed_to_us() >= goal[1] and world.ledger.cuts()
        cuts = world.ledger.cuts()
        every = world.group.settings["window"].get("every_records", 0)
        ends = world.ends()
        rest = sum(end - cuts.get(place, 0) for place, end in ends.items())
        return rest <= 0 or (every and cuts and rest <= every + len(ends))

    def _compare(self, world):
        """The oracle, until clean-up is done."""
        report = harness.check_clean(world.group.check, lambda: world.tend(self.figures))
        found = check_acked(world.producer, [record for topic in world.topics for record in
                                             reader.read_topic(self.cluster.kafka.bootstrap, topic)])
        if found < len(world.producer.acked):
            raise Lost("fewer records than were acknowledged")
        world.report = report
        return report

    def _finish(self, world):
        """Ends a life in order, and adds up its figures."""
        figures, report = self.figures, world.report
        world.producer.close()
        world.group.stop()
        world.pointer.close()
        figures.lives += 1
        snapshot = world.group.settings["snapshot"]
        figures.states += snapshot.get("contents") == "state"
        figures.routed += snapshot.get("routing") == "cel"
        runs = {plan["run_id"]: plan.get("carried", ()) for plan in world.ledger.history("PLAN")}
        figures.carried += sum(len(shards) for run, shards in runs.items() if run in report.builds)
        figures.swept += sum(c["reason"].startswith("left over") for c in world.ledger.history("CONDEMN"))
        figures.windows += len(report.builds)
        figures.empty += report.empty_builds
        figures.aborted += len(report.ledger.aborted)
        figures.terms += len(world.ledger.history("LEADER"))
        figures.records += report.records
        figures.rows += report.rows
        figures.late += report.late
        figures.future += report.future
        figures.restarts += len(world.usual)
        figures.pointer_looks += world.pointer.looks
        figures.pointer_moves += len(world.pointer.seen)
        figures.snapshots_opened += world.pointer.opened
        for kind in ("committed", "aborted", "hung"):
            figures.transactions[kind] += getattr(world.producer, kind)
