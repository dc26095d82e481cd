#!/usr/bin/env python3
"""The independent proof: reads what was produced and what was published, and compares.

    oracle.py --settings FILE.cfg [--clean]

Topics are read by another client than the service's, the snapshot by sqlite3 and boto3 or plain
files, and what it must hold is worked out by model.py. Exit code 1 names the first difference.
"""
import argparse
import dataclasses
import json
import os
import re
import sys

import model
import order_object
import snapshot
from cel_model import CelRouting
import topics
from ledger import Ledger, number, place
from snapshot import Broken, need


@dataclasses.dataclass
class Report:
    """What was looked at, for tests that want to know that it was not nothing."""
    snapshots: int = 0
    rows: int = 0
    records: int = 0
    rejected: int = 0
    late: int = 0
    future: int = 0
    superseded: int = 0
    tombstones: int = 0
    empty_builds: int = 0
    builds: dict = dataclasses.field(default_factory=dict)  # run_id -> model.Build
    ledger: Ledger = None
    manifests: list = dataclasses.field(default_factory=list)


def store_of(settings, environment=None):
    environment = os.environ if environment is None else environment
    url = settings["snapshot"]["store"]
    if url.startswith("file://"):
        return snapshot.FileStore(url)
    return snapshot.S3Store(url, settings.get("s3", {}).get("endpoint"), environment["AWS_ACCESS_KEY_ID"],
                            environment["AWS_SECRET_ACCESS_KEY"], settings.get("s3", {}).get("region", "us-east-1"),
                            settings.get("s3", {}).get("ca_file"))


class Oracle:
    def __init__(self, settings, environment=None):
        self.settings = settings
        self.window = settings["window"]
        self.wanted = settings["snapshot"]
        self.store = store_of(settings, environment)
        self.brokers = settings["kafka"]["brokers"]
        self.order = self.wanted.get("order", "offset")
        self.encoding = settings["topics"][0]["key"]["encoding"]
        self.routing = CelRouting(self.wanted) if self.wanted.get("routing") == "cel" else None

    def check(self, clean=False, pointer_is_newest=True):
        report = Report()
        name = self.settings["kafka"].get("ledger_topic", self.settings["group"] + ".coordination")
        report.ledger = Ledger(topics.read_ledger(self.brokers, name))
        self._read_topics(report)
        report.manifests = snapshot.read_manifests(self.store)
        self.by_run = {m.run_id: m for m in report.manifests}
        need(len(self.by_run) == len(report.manifests), "two manifests of one run")
        for chain in [*report.ledger.given_up, report.ledger.head]:
            self._check_chain(chain, report)
        for run_id in self.by_run:
            need(run_id in report.ledger.runs, f"manifest of {run_id}, which nobody committed")
        self._check_times(report)
        snapshot.check_run_records(self.store, self.wanted.get("run_registry_prefix", "runs"))
        if pointer_is_newest:
            self._check_pointer(report)
        if clean:
            self._check_leaks(report)
        return report

    def _read_topics(self, report):
        self.rows, self.rejects = [], []
        limits = {k: v for k, v in self.settings.get("limits", {}).items() if isinstance(v, int)}
        for topic in self.settings["topics"]:
            decode = model.Decoder(topic, limits, self.settings.get("vectors", {}), self.routing)
            decode.min_key = 1 if self.settings.get("kv", {}).get("backend") == "slatedb" else 0
            for record in topics.read_topic(self.brokers, topic["name"]):
                report.records += 1
                try:
                    self.rows.append(decode(record))
                except model.Reject:
                    self.rejects.append(((record.topic, record.partition), record.offset))
        report.rejected = len(self.rejects)

    # ---- builds ----

    def _check_chain(self, chain, report):
        late, future = self.window.get("late", "next"), self.window.get("future", "keep")
        builds = model.assign(self.rows, self.rejects, chain.steps, late, future)
        base = None
        for step, commit in zip(chain.steps, chain.commits):
            build = builds[step.build]
            if self.wanted.get("contents") == "state":  # an empty build repeats what the head was like
                exact = commit.get("snapshot", {}).get("state", {}).get("order") == "exact"
                base = build.state = model.fold(build, self.order, base, exact)
            else:
                model.fold(build, self.order)
            self._check_account(step, commit, build)
            if commit["commit_kind"] == "empty":
                need(not build.rows, f"build {step.build} is called empty and has {len(build.rows)} rows")
                report.empty_builds += 1
                continue
            run_id = commit["run_id"]
            rows = int(commit["snapshot"].get("rows", 0))
            need(rows == len(build.content), f"COMMIT {run_id} says {rows} rows, expected {len(build.content)}")
            if run_id in report.builds:
                continue
            report.builds[run_id] = build
            report.late += len(build.late)
            report.future += len(build.future)
            manifest = self.by_run.get(run_id)
            if manifest is None:
                need(run_id in report.ledger.condemned or run_id not in report.ledger.published,
                     f"the manifest of {run_id} is missing")
                continue
            self._check_snapshot(manifest, step, commit, build, report)

    def _check_account(self, step, commit, build):
        for entry in commit["partitions"]:
            where = place(entry)
            have = {name: int(entry.get("account", {}).get(name, 0)) for name in model.ACCOUNT}
            want = build.accounts[where]
            need(have == want, f"build {step.build}, account of {where}: "
                 + ", ".join(f"{n} {have[n]}, expected {want[n]}" for n in model.ACCOUNT if have[n] != want[n]))
            need(model.imbalance(have) == 0, f"build {step.build}, {where}: the account does not balance")

    def _check_snapshot(self, manifest, step, commit, build, report):
        meta = manifest.meta
        title = f"snapshot of build {step.build} ({manifest.run_id})"
        need(meta["key_encoding"] == self.encoding, f"{title}: key_encoding")
        need(meta["key_col"] == self.wanted.get("key_column", "_key"), f"{title}: key_col")
        need(meta["s3_prefix"] == self.store.url, f"{title}: s3_prefix {meta['s3_prefix']}")
        sharding = {"strategy": "hash", "hash_algorithm": "xxh3_64", "cel_expr": None, "cel_columns": None,
                    "routing_values": None}
        shards, index = self.wanted.get("shards"), lambda row: model.shard_of(row.routing, shards)
        page_size = self.wanted.get("page_size", "auto")
        if self.wanted.get("contents") == "state":  # it goes on over other settings of its files
            said = manifest.lineage["made_by"]["settings"]
            shards = int(re.search(r" shards=(\d+) ", said).group(1))
            page_size = int(re.search(r" page_size=(\d+) ", said).group(1)) or "auto"
            if " routing=cel " in said:
                sharding, shards, index = self._divide_state(said, shards)
        elif self.routing:
            sharding, shards, of_token = self.routing.divide([row.token for row in build.rows])
            index = lambda row: of_token(row.token)  # noqa: E731
        elif shards is None:
            shards = model.shard_count(len(build.rows), self.wanted["max_keys_per_shard"])
        backend = self.settings.get("kv", {}).get("backend", "sqlite")
        need(manifest.backend == backend, f"{title}: shards of {manifest.backend}, expected {backend}")
        need(manifest.sharding == sharding, f"{title}: sharding {manifest.sharding}, expected {sharding}")
        need(meta["num_dbs"] == shards, f"{title}: num_dbs {meta['num_dbs']}, expected {shards}")
        need(snapshot.sha256(manifest.bytes) == commit["snapshot"]["sha256"], f"{title}: sha256 of the manifest")
        have = {}
        for entry in manifest.shards:
            shard = snapshot.open_shard(self.store, manifest, entry)
            if manifest.backend == "sqlite":
                self._check_shard_file(title, entry, shard, page_size)
            for key, value in shard.rows.items():
                need(key not in have, f"{title}: {key!r} is in two shards")
                have[key] = value, entry["db_id"]
        self._compare_rows(title, have, build.content, index)
        self._check_orders(title, manifest, build, index)
        self._check_lineage(title, manifest, step, build)
        report.snapshots += 1
        report.rows += len(have)
        report.superseded += sum(a["superseded"] for a in build.accounts.values())
        report.tombstones += sum(a["tombstones"] for a in build.accounts.values())

    def _divide_state(self, said, shards):
        """By the expression over the key that these settings had."""
        expression = json.loads(re.search(r"^cel=(.*) infers=0$", said, re.M).group(1))
        columns = [{"name": name, "type": kind} for name, kind in
                   re.findall(r'^  column="(\w+)" type=(\w+) ', said, re.M)]
        values = [json.loads(value) for value in re.findall(r"^  value=(.*)$", said, re.M)]
        then = CelRouting({"shards": shards or None,
                           "cel": {"expr": expression, "columns": columns, "routing_values": values or None}})
        sharding, shards, index = then.divide([])
        return sharding, shards, lambda row: index(then.token(None, row.key, None, None))

    def _check_shard_file(self, title, entry, shard, size):
        dim = shard.vector["dim"] if shard.vector else 0
        want = snapshot.auto_page_size(shard.rows, dim) if size == "auto" else int(size)
        need(shard.page_size == want, f"{title}, shard {entry['db_id']}: page_size {shard.page_size}, expected {want}")
        if self.wanted.get("sidecar", True):
            need(shard.sidecar is not None, f"{title}, shard {entry['db_id']}: no sidecar")

    def _compare_rows(self, title, have, content, index):
        missing = content.keys() - have.keys()
        need(not missing, f"{title}: {len(missing)} keys are missing, such as {sorted(missing)[:3]}")
        extra = have.keys() - content.keys()
        need(not extra, f"{title}: {len(extra)} keys too many, such as {sorted(extra)[:3]}")
        for key, (value, db_id) in have.items():
            row = content[key]
            need(same_value(value, row.value), f"{title}: key {key!r} has {value[:80]!r}, expected {row.value[:80]!r} "
                 f"of {row.place}")
            want = index(row)
            need(db_id == want, f"{title}: key {key!r} is in shard {db_id}, belongs to {want}")

    def _order_folders(self, manifest):
        """By shard, where its order object lies: beside its file, or where the lineage says."""
        if manifest.lineage["snapshot"].get("state", {}).get("order") != "exact":
            return {}
        urls = {entry["db_id"]: entry["db_url"] for entry in manifest.shards}
        for shard, url in manifest.lineage["made_of"].get("orders", []):
            need(shard not in urls, f"shard {shard} of {manifest.run_id} has rows, and is named as one without")
            urls[shard] = url
        return {shard: url[len(self.store.url) + 1:] for shard, url in urls.items()}

    def _check_orders(self, title, manifest, build, index):
        """With exact order: every key's record, deleted keys too, and each in its shard."""
        folders = self._order_folders(manifest)
        want = {}
        state = build.state
        for key, row in (state.rows if state and state.exact else {}).items():
            known = key not in state.unknown
            want.setdefault(index(row), {})[key] = (
                ((row.topic, row.partition), row.offset, row.event_time_us, row.value is None) if known
                else (("", 0), 0, -2**63, False))
        need(folders.keys() == want.keys(), f"{title}: order objects of shards {sorted(folders)}, expected {sorted(want)}")
        for shard, folder in folders.items():
            data = self.store.get(folder + "/shard.order")
            need(data is not None, f"{title}: shard {shard} has no order object")
            have = order_object.read(data)
            need(have == want[shard], f"{title}: the order object of shard {shard} has other rows, such as "
                 f"{[(k, have.get(k), want[shard].get(k)) for k in have.keys() | want[shard].keys() if have.get(k) != want[shard].get(k)][:2]}")

    def _check_lineage(self, title, manifest, step, build):
        """The cuts and accounts again, as a reader without Kafka finds them."""
        lineage = manifest.lineage
        names = [t["name"] if isinstance(t, dict) else t for t in lineage["topics"]]
        seen = {}
        for entry in lineage["partitions"]:
            topic = entry["topic"]
            seen[names[topic] if isinstance(topic, int) else topic, entry["partition"]] = entry
        need(set(seen) == set(step.cuts), f"{title}: partitions of the lineage {sorted(seen)}")
        for where, entry in seen.items():
            cut = int(entry["cut"] if "cut" in entry else entry["seen_end"])
            need(cut == step.cuts[where], f"{title}: lineage of {where} has cut {cut}, CLOSE {step.cuts[where]}")
            account = {n: int(entry.get("account", {}).get(n, 0)) for n in model.ACCOUNT}
            need(account == build.accounts[where], f"{title}: lineage of {where} has another account")
        for entry in lineage["made_of"].get("partitions", []):
            where = entry["topic"], entry["partition"]
            for name, want in (("cut", step.cuts), ("seen_end", step.seen_end), ("tail_from", step.tail_from)):
                need(int(entry[name]) == want[where],
                     f"{title}: made_of says {name} {entry[name]} of {where}, CLOSE {want[where]}")

    # ---- the whole store ----

    def _check_times(self, report):
        times = [report.ledger.runs[m.run_id]["build"] for m in report.manifests if m.run_id in report.ledger.runs]
        chain = [int(c["build"]) for c in report.ledger.head.commits]
        in_chain = [b for b in times if b in chain]
        need(in_chain == sorted(in_chain) or report.ledger.given_up, f"manifests by time are builds {times}")

    def _check_pointer(self, report):
        pointer = snapshot.read_pointer(self.store)
        commits = [c for c in report.ledger.head.commits if c["commit_kind"] == "build"]
        if not commits:
            need(pointer is None, "a pointer without a COMMIT")
            return
        need(pointer is not None, "no pointer")
        need(pointer["run_id"] == commits[-1]["run_id"],
             f"_CURRENT names {pointer['run_id']}, the head is {commits[-1]['run_id']}")
        need(pointer["run_id"] in self.by_run, f"the manifest of {pointer['run_id']} is missing")
        need(pointer["manifest_ref"] == f"{self.store.url}/{self.by_run[pointer['run_id']].key}",
             f"manifest_ref {pointer['manifest_ref']}")

    def _check_leaks(self, report):
        keep = self.wanted.get("keep_last", 0)
        need(keep == 0 or "keep_for" in self.wanted or len(report.manifests) <= keep,
             f"{len(report.manifests)} snapshots are kept, keep_last is {keep}")
        allowed = {"_CURRENT"}
        folders = []
        for manifest in report.manifests:
            allowed.add(manifest.key)
            for entry in manifest.shards:
                folder = entry["db_url"][len(self.store.url) + 1:]
                if manifest.backend == "sqlite":
                    allowed.update((folder + "/shard.db", folder + "/shard.sidecar"))
                else:
                    folders.append(re.compile(re.escape(folder) + "/"))
            allowed.update(folder + "/shard.order" for folder in self._order_folders(manifest).values())
            folders.append(re.compile(
                rf"^{self.wanted.get('run_registry_prefix', 'runs')}/[^/]+_run_id={re.escape(manifest.run_id)}_[0-9a-f]{{32}}"
                r"/run\.yaml$"))
        # what members handed over for the build to come goes with its COMMIT
        last = int(report.ledger.head.commits[-1]["build"]) if report.ledger.head.commits else 0
        allowed.update(handover["url"][len(self.store.url) + 1:] for handover in report.ledger.handovers.values()
                       if int(handover["build"]) > last)
        leaked = [key for key in self.store.keys() if key not in allowed and not any(f.match(key) for f in folders)]
        # what was staged stays beside the shards of its run, and is deleted with them
        staged = tuple(f"{self.wanted.get('shard_prefix', 'shards')}/run_id={m.run_id}/manifest.staged"
                       for m in report.manifests)
        leaked = [key for key in leaked if not key.startswith(staged)]
        # the record of a run that failed is small and tells why; a probe that was killed leaves its object
        small = (self.wanted.get("run_registry_prefix", "runs") + "/", "_probe/")
        leaked = [key for key in leaked if not key.startswith(small)]
        need(not leaked, f"{len(leaked)} objects that nobody names: {leaked[:4]}")


def same_value(have, want):
    """Byte for byte; a JSON object of fields may stand with other blanks in it, as the payload had them."""
    if have == want:
        return True
    if not want.startswith(b"{"):
        return False
    try:
        a, b = json.loads(have), json.loads(want)
    except ValueError:
        return False
    return isinstance(a, dict) and list(a.items()) == list(b.items())


def check(settings, environment=None, **options):
    return Oracle(settings, environment).check(**options)


def load_settings(path):
    import libconf
    with open(path, encoding="utf-8") as file:
        text = os.path.expandvars(file.read())
    return libconf.loads(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--settings", required=True)
    parser.add_argument("--clean", action="store_true", help="nothing may lie in the store that no snapshot names")
    arguments = parser.parse_args()
    try:
        report = check(load_settings(arguments.settings), clean=arguments.clean)
    except Broken as broken:
        print(f"BROKEN: {broken}", file=sys.stderr)
        return 1
    print(f"{report.records} records, {report.snapshots} snapshots with {report.rows} rows, {report.superseded} superseded, "
          f"{report.tombstones} tombstones, {report.rejected} rejected, {report.late} late, {report.future} future: all as "
          "they must be")
    return 0


if __name__ == "__main__":
    sys.exit(main())
