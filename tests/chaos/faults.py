"""What can go wrong, each as a class: `begin` does it and says what, `end` takes it back."""
import time

from kafka.errors import KafkaError

STEPS = ("closed", "sealed", "ready", "planned", "part-stored", "part-told", "attempt-uploaded", "attempt-told", "staged",
         "committed", "manifest-put", "swapping", "pointer-swapped", "published", "cleaned")
STEPS_OF_A_STATE = ("carried-order", "carried-file")
REGISTRY = {}


def fault(cls):
    REGISTRY[cls.name] = cls
    return cls


class Fault:
    name = ""
    nodes = 1  # brokers it needs
    seconds = (0.5, 4.0)

    def __init__(self, world, rng):
        self.world, self.rng = world, rng
        self.until = time.monotonic() + rng.uniform(*self.seconds)

    def begin(self):
        """Does it and returns what was done, or None where there was nothing to do."""
        raise NotImplementedError

    def end(self):
        pass

    def leader(self):
        """The running member that leads, or None."""
        name = self.world.ledger.leader()
        return next((m for m in self.world.group.running() if m.name == name and not m.sleeping), None)

    def awake(self, but=None):
        found = [m for m in self.world.group.running() if not m.sleeping and m is not but]
        return self.rng.choice(found) if found else None

    def steps(self):
        """What the members of this group pass."""
        state = self.world.group.settings["snapshot"].get("contents") == "state"
        return STEPS + (STEPS_OF_A_STATE if state else ())

    def lane(self):
        return self.rng.choice(self.world.cluster.lanes)


# ---- processes ------------------------------------------------------------------------------------

class Kill(Fault):
    def victim(self):
        raise NotImplementedError

    def begin(self):
        member = self.victim()
        if member is None:
            return None
        member.kill()
        lost = ""
        if self.rng.random() < 0.2:
            member.lose_work()
            lost = ", its work folder is lost"
        rest = self.rng.choice((0.1, 0.5, 2.0, 8.0))
        member.resting_until = time.monotonic() + rest
        return f"kill -9 of {member.name}, for {rest:g} s{lost}"


@fault
class KillLeader(Kill):
    name = "kill-leader"

    def victim(self):
        return self.leader()


@fault
class KillMember(Kill):
    name = "kill-member"

    def victim(self):
        return self.awake(but=self.leader())


@fault
class KillAtStep(Fault):
    """A member will die at a named step, when it comes to it."""
    name = "kill-at-step"

    def begin(self):
        member = self.leader() if self.rng.random() < 0.5 else self.awake()
        if member is None:
            return None
        step, times = self.rng.choice(self.steps()), self.rng.choice((1, 1, 2, 3))
        member.die_at(f"{step}:{times}")
        return f"{member.name} will die at {step}, time {times}"


@fault
class SleepAtStep(Fault):
    """A member falls asleep at a named step, for longer than its session."""
    name = "sleep-at-step"
    seconds = (9.0, 16.0)

    def begin(self):
        self.member = self.leader() if self.rng.random() < 0.7 else self.awake()
        if self.member is None:
            return None
        step, times = self.rng.choice(self.steps()), self.rng.choice((1, 1, 2))
        self.member.sleep_at(f"{step}:{times}")
        return f"{self.member.name} will fall asleep at {step}, time {times}"

    def end(self):
        self.member.wake()


@fault
class Sleep(Fault):
    name = "sleep"
    seconds = (1.0, 12.0)

    def begin(self):
        self.member = self.leader() if self.rng.random() < 0.6 else self.awake()
        if self.member is None:
            return None
        self.member.sleep()
        return f"SIGSTOP of {self.member.name}, for {self.until - time.monotonic():.1f} s"

    def end(self):
        self.member.wake()


@fault
class Restart(Fault):
    name = "restart"

    def begin(self):
        member = self.awake()
        if member is None:
            return None
        member.leave(self.rng.uniform(0, 3))
        return f"SIGTERM of {member.name}"


@fault
class Scale(Fault):
    """Members leave, down to one, or one more joins; later they are as many as before."""
    name = "scale"
    seconds = (6.0, 14.0)

    def begin(self):
        if self.world.busy("scale"):
            return None
        world = self.world
        count = self.rng.choice((1, 1, max(1, len(world.usual) - 1), len(world.group.members)))
        world.wanted = sorted(self.rng.sample(world.group.members, count), key=lambda m: m.name)
        for member in world.group.running():
            if member not in world.wanted:
                member.leave()
        return f"{', '.join(m.name for m in world.wanted)} for {self.until - time.monotonic():.1f} s"

    def end(self):
        world = self.world
        world.wanted = list(world.usual)
        for member in world.group.running():
            if member not in world.wanted:
                member.leave()
        world.free("scale")


@fault
class TopicAdded(Fault):
    """The settings get one more topic, and the members are started again with them, one after the other."""
    name = "topic-added"
    seconds = (0.0, 0.1)

    def begin(self):
        if len(self.world.topics) > 2 or self.rng.random() < 0.5:
            return None
        try:
            name = self.world.add_topic()
        except (KafkaError, TimeoutError):  # a broker that is down
            return None
        for i, member in enumerate(self.world.group.running()):
            member.leave(self.rng.uniform(0, 3) * i)
        return f"{name}, and members with other settings for a while"


@fault
class PartitionAdded(Fault):
    name = "partition-added"
    seconds = (0.0, 0.1)

    def begin(self):
        topic = self.rng.choice(self.world.topics)
        if self.world.producer.partitions[topic] >= 9:
            return None
        try:
            count = self.world.grow(topic)
        except (KafkaError, TimeoutError):
            return None
        return f"{topic} has {count} partitions"


# ---- the network ----------------------------------------------------------------------------------

class Network(Fault):
    """Of one member's way to the brokers, or to the store."""
    way = ""

    def begin(self):
        lane = self.lane()
        self.side = getattr(lane, self.way)
        self.address = lane
        what = self.disturb()
        return f"m{lane.number}'s way to the {'brokers' if self.way == 'kafka' else 'store'}: {what}"

    def disturb(self):
        raise NotImplementedError

    def end(self):
        self.side.calm()

    def left(self):
        return f"{self.until - time.monotonic():.1f} s"


class Cut(Network):
    seconds = (0.0, 0.1)

    def disturb(self):
        self.side.cut()
        return "all connections reset"


class HalfClose(Network):
    def disturb(self):
        self.side.half_close()
        return "half closed"

    def end(self):
        self.side.cut()  # what is left of them


class Delay(Network):
    seconds = (2.0, 8.0)

    def disturb(self):
        self.side.delay = self.rng.choice((0.05, 0.2, 1.0))
        return f"{self.side.delay:g} s late, for {self.left()}"


class Hold(Network):
    seconds = (1.0, 12.0)

    def disturb(self):
        self.side.held = True
        return f"nothing comes through, for {self.left()}"


class Refuse(Network):
    seconds = (1.0, 9.0)

    def disturb(self):
        self.side.refused = True
        self.side.cut()
        return f"refused, for {self.left()}"


for _kind, _title in ((Cut, "cut"), (HalfClose, "half-close"), (Delay, "delay"), (Hold, "hold"), (Refuse, "refuse")):
    for _way, _prefix in (("kafka", "net"), ("store", "store")):
        fault(type(f"{_kind.__name__}{_way.title()}", (_kind,), {"name": f"{_prefix}-{_title}", "way": _way}))


# ---- the store ------------------------------------------------------------------------------------

# what a request is for: method, text in its path
REQUESTS = {
    "a shard's upload": ("PUT", "/shard.db"), "a sidecar's upload": ("PUT", "/shard.sidecar"),
    "a part's upload": ("PUT", "/parts/"), "a look at a part": ("HEAD", "/parts/"), "a builder's read of a part": ("GET", "/parts/"),
    "staging": ("PUT", "manifest.staged"), "a read of what is staged": ("GET", "manifest.staged"),
    "the manifest's put": ("PUT", "/manifests/"), "the pointer's read": ("GET", "_CURRENT"),
    "the pointer's swap": ("PUT", "_CURRENT"), "a listing": ("GET", "list-type"), "a delete": ("POST", "delete"),
    "a delete of one": ("DELETE", ""), "a look at a shard": ("HEAD", "/shard.db"), "a run's note": ("PUT", "/runs/"),
    "any request": (None, ""),
}
ANSWERS = {
    "500": {"action": "status", "status": 500, "code": "InternalError"},
    "503 SlowDown": {"action": "status", "status": 503, "code": "SlowDown", "headers": {"Retry-After": "1"}},
    "409": {"action": "status", "status": 409, "code": "ConditionalRequestConflict"},
    "412": {"action": "status", "status": 412, "code": "PreconditionFailed"},
    "500 after it was done": {"action": "after_status", "status": 500, "code": "InternalError"},
    "412 after it was done": {"action": "after_status", "status": 412, "code": "PreconditionFailed"},
    "no answer, nothing done": {"action": "drop"},
    "no answer after it was done": {"action": "drop_after"},
    "a time-out after it was done": {"action": "hang_after", "seconds": 7},
    "a time-out, done later": {"action": "late", "seconds": 7},
}
TRUNCATED = {"action": "truncate", "bytes": 100}
FOR_CONDITIONS = ("409", "412", "412 after it was done")  # nobody answers so without If-Match, If-None-Match


def store_rule(request, answer, times):
    """A rule of s3_faults.py."""
    method, match = REQUESTS[request]
    rule = dict(TRUNCATED if answer == "a body cut off" else ANSWERS[answer])
    if answer in FOR_CONDITIONS:
        rule["header"] = "if-match" if request == "the pointer's swap" else "if-none-match"
    rule.update({"match": match, "times": times}, **({"method": method} if method else {}))
    return rule


@fault
class StoreAnswers(Fault):
    name = "store-answers"
    seconds = (2.0, 9.0)

    def begin(self):
        address = self.lane()
        request = self.rng.choice(sorted(REQUESTS))
        method = REQUESTS[request][0]
        answers = sorted(ANSWERS) if method == "PUT" else sorted(set(ANSWERS) - set(FOR_CONDITIONS))
        if method == "GET":
            answers.append("a body cut off")
        answer = self.rng.choice(answers)
        times = self.rng.choice((1, 2, 5, 20))
        address.faults.rules([store_rule(request, answer, times)])
        self.address = address
        return f"m{address.number}, {request}: {answer}, {times} times"

    def end(self):
        self.address.faults.rules([])


@fault
class StoreRestart(Fault):
    name = "store-restart"
    seconds = (0.5, 6.0)

    def begin(self):
        if self.world.busy("s3"):
            return None
        self.world.cluster.s3.halt()
        return f"the S3 server is gone, for {self.until - time.monotonic():.1f} s"

    def end(self):
        self.world.cluster.s3.go_on()
        self.world.free("s3")


# ---- brokers --------------------------------------------------------------------------------------

class Broker(Fault):
    """One at a time: with two of three away nothing can be written, which is no fault of ours."""
    def begin(self):
        if self.world.busy("broker"):
            return None
        self.node = self.rng.randrange(self.world.cluster.nodes) + 1
        return self.disturb() + f" of broker {self.node}, for {self.until - time.monotonic():.1f} s"

    def disturb(self):
        raise NotImplementedError

    def end(self):
        self.world.cluster.kafka.call("restart", self.node)
        self.world.free("broker")


@fault
class BrokerKill(Broker):
    name = "broker-kill"
    seconds = (0.5, 6.0)

    def disturb(self):
        self.world.cluster.kafka.call("kill", self.node)
        return "kill -9"


@fault
class BrokerBounce(Broker):
    """An orderly stop: its partitions get other leaders first."""
    name = "broker-bounce"
    nodes = 3

    def disturb(self):
        self.world.cluster.kafka.call("stop", self.node)
        return "SIGTERM"


@fault
class BrokerPause(Broker):
    name = "broker-pause"
    seconds = (1.0, 8.0)

    def disturb(self):
        self.world.cluster.kafka.call("pause", self.node)
        return "SIGSTOP"

    def end(self):
        self.world.cluster.kafka.call("resume", self.node)
        self.world.free("broker")


@fault
class MoveLeaders(Fault):
    """Every partition gets the next broker as its leader, also those of the ledger and of the groups."""
    name = "leaders-move"
    nodes = 3
    seconds = (0.0, 0.1)

    def begin(self):
        try:
            moved = self.world.cluster.move_leaders()
        except Exception:  # a broker that is down
            return None
        return f"{moved} partitions have other leaders"


# ---- disk, clock, transactions --------------------------------------------------------------------

@fault
class DiskFull(Fault):
    name = "disk-full"
    seconds = (1.0, 8.0)

    def begin(self):
        self.member = self.awake()
        if self.member is None:
            return None
        room = self.rng.choice((0, 2000, 9000))
        self.member.fill_disk(room)
        return f"{self.member.name} cannot write files above {room} bytes, for {self.until - time.monotonic():.1f} s"

    def end(self):
        self.member.fill_disk(None)


@fault
class ClockStep(Fault):
    name = "clock-step"
    seconds = (1.0, 10.0)

    def begin(self):
        self.member = self.leader() if self.rng.random() < 0.6 else self.awake()
        if self.member is None:
            return None
        step = self.rng.choice((0.5, 5, 90, 3600)) * self.rng.choice((-1, 1))
        self.member.step_clock(step)
        return f"{self.member.name}'s clock is off by {step:g} s, for {self.until - time.monotonic():.1f} s"

    def end(self):
        self.member.step_clock(0)


@fault
class AbortedTransaction(Fault):
    name = "txn-abort"
    seconds = (0.0, 0.1)

    def begin(self):
        self.world.producer.ask("abort")
        return "a producer aborts a transaction"


@fault
class HangingTransaction(Fault):
    name = "txn-hang"
    seconds = (6.0, 9.0)

    def begin(self):
        if self.world.busy("transaction"):
            return None
        self.world.producer.ask("hang")
        return "a producer leaves a transaction open, which the broker ends after 8 s"

    def end(self):
        self.world.free("transaction")
