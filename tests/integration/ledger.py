"""The coordination topic as a history: which builds were committed, on what, with which cuts.

The log of a test's ledger is young, so CLOSE records are still there. Where they are not (a long-lived
ledger, compacted), the lineage of each manifest gives the same steps.
"""
import dataclasses

from model import NONE_HIGH, NONE_LOW, Step
from snapshot import need


def number(value, absent):
    """Integers beyond 2^53 travel as decimal texts."""
    return absent if value is None else int(value)


def place(entry):
    return entry["topic"], entry["partition"]


@dataclasses.dataclass
class Chain:
    """Builds that stand on each other, oldest first."""
    steps: list
    commits: list  # the COMMIT of each step


class Ledger:
    def __init__(self, records):
        self.records = records
        self.closes = {}  # build -> the CLOSE that holds at this point of the log
        self.runs = {}  # run_id -> COMMIT with a snapshot of its own
        self.published = []
        self.condemned = set()
        self.given_up = []  # chains that `resume --from-here` left behind
        self.head = Chain([], [])
        self.aborted = []
        self.handovers = {}  # key -> HANDOVER of a build that is still to come
        for offset, key, document in records:
            if document is None:
                if key.startswith("condemn/"):
                    self.condemned.add(key.partition("/")[2])
                self.handovers.pop(key, None)
                continue
            kind = document.get("kind") or document.get("type")
            if kind == "HANDOVER":
                self.handovers[key] = document
            getattr(self, "_" + str(kind).lower(), lambda *a: None)(document)

    def _close(self, close):
        step = Step(
            build=int(close["build"]), from_us=number(close.get("from_us"), NONE_LOW),
            to_us=number(close.get("to_us"), NONE_HIGH),
            future_bound_us=number(close.get("future_bound_us"), NONE_HIGH),
            cuts={place(p): int(p["cut"]) for p in close["partitions"]},
            seen_end={place(p): int(p["seen_end"]) for p in close["partitions"]},
            tail_from={place(p): int(p["tail_from"]) for p in close["partitions"]},
            joined=frozenset(place(p) for p in close["partitions"] if p.get("joined")))
        before = self.closes.get(step.build)
        committed = [c["build"] for c in self.head.commits]
        if before is not None and int(step.build) not in committed and before[1] == close.get("parent"):
            need(before[0] == step, f"two CLOSEs of build {step.build} on one parent differ (R3)")
        self.closes[step.build] = step, close.get("parent")

    def _commit(self, commit):
        kind = commit["commit_kind"]
        build = int(commit["build"])
        if kind in ("resumed", "adopted"):
            self._back_to(commit["run_id"])
            return
        need(build in self.closes, f"COMMIT of build {build} without a CLOSE")
        step = self.closes[build][0]
        if self.head.steps:
            last = self.head.steps[-1]
            need(build > last.build, f"COMMIT of build {build} after {last.build}")
            for where, cut in last.cuts.items():
                need(step.seen_end.get(where) == cut, f"build {build}: seen_end of {where} is not the cut of its parent")
        for p in commit["partitions"]:
            need(int(p["cut"]) == step.cuts[place(p)], f"build {build}: COMMIT and CLOSE differ in a cut")
        self.head.steps.append(step)
        self.head.commits.append(commit)
        if kind == "build":
            need(commit["run_id"] not in self.runs, f"run {commit['run_id']} is committed twice")
            self.runs[commit["run_id"]] = commit

    def _back_to(self, run_id):
        """The snapshot that a RESUME or an adoption makes the head; what came after it is given up."""
        place_of = [i for i, commit in enumerate(self.head.commits) if commit["run_id"] == run_id]
        need(place_of, f"the head is {run_id} now, which is in no chain")
        keep = place_of[0] + 1
        if keep < len(self.head.commits):
            self.given_up.append(Chain(list(self.head.steps), list(self.head.commits)))
            self.head = Chain(self.head.steps[:keep], self.head.commits[:keep])

    def _published(self, published):
        self.published.append(published["run_id"])

    def _condemn(self, condemn):
        if condemn.get("whole_run"):
            self.condemned.add(condemn["run_id"])

    def _spare(self, spare):
        self.condemned.discard(spare["run_id"])

    def _aborted(self, aborted):
        self.aborted.append(aborted)

    def kinds(self, kind):
        return [d for _, _, d in self.records if d is not None and (d.get("kind") or d.get("type", "")).lower() == kind]
