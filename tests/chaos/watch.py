"""Two watchers that never rest: one follows the ledger, one the pointer, each past all proxies."""
import json
import re
import threading
import time

import harness
import snapshot
from kafka import KafkaConsumer, TopicPartition
from ledger import number

RUN = re.compile(r"b(\d+)-t(\d+)-[0-9a-f]{8}$")


class LedgerWatch:
    """What the ledger says by now: who leads, what is published, what waits to be deleted."""

    def __init__(self, bootstrap, group):
        self.topic = TopicPartition(group + ".coordination", 0)
        self.bootstrap = bootstrap
        self.lock = threading.Lock()
        self.records = {}  # the newest of each key
        self.leaders = []  # (member, offset), oldest first
        self.published = []
        self.log = {}  # kind -> all records of it, oldest first
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True, name="ledger-watch")
        self.thread.start()

    def _run(self):
        position = 0
        while not self.ended.is_set():
            try:
                position = self._follow(position)
            except Exception:  # a broker that is down is what the run is about
                time.sleep(0.3)

    def _follow(self, position):
        consumer = KafkaConsumer(bootstrap_servers=self.bootstrap, isolation_level="read_committed",
                                 enable_auto_commit=False, auto_offset_reset="earliest", fetch_max_wait_ms=100)
        try:
            if not consumer.partitions_for_topic(self.topic.topic):
                time.sleep(0.2)
                return position
            consumer.assign([self.topic])
            consumer.seek(self.topic, position)
            while not self.ended.is_set():
                for batch in consumer.poll(timeout_ms=200).values():
                    for record in batch:
                        self._take(record)
                        position = record.offset + 1
            return position
        finally:
            consumer.close()

    def _take(self, record):
        document = json.loads(record.value) if record.value is not None else None
        key = record.key.decode()
        with self.lock:
            if document is None:
                self.records.pop(key, None)
                return
            self.records[key] = document
            kind = document.get("kind")
            self.log.setdefault(kind, []).append(document)
            if kind == "LEADER":
                self.leaders.append((document["member"], record.offset))
            elif kind == "PUBLISHED":
                self.published.append(document["run_id"])

    def get(self, key):
        with self.lock:
            return self.records.get(key)

    def history(self, kind):
        """All records of a kind that were ever seen, oldest first."""
        with self.lock:
            return list(self.log.get(kind, ()))

    def leader(self):
        with self.lock:
            return self.leaders[-1][0] if self.leaders else None

    def wait_for(self, kind, count):
        harness.wait_for(lambda: len(self.history(kind)) >= count, f"{count} {kind}")

    def owned(self, member):
        """How many partitions a member says that it owns."""
        progress = self.get("progress/" + member)
        return sum(1 for p in (progress or {}).get("partitions", ()) if p.get("owned"))

    def cuts(self):
        """The head's cuts, where it is behind the pointer."""
        with self.lock:
            head, published = self.records.get("commit"), self.records.get("published")
        if head is None:
            return {}
        if head["commit_kind"] != "empty" and (published is None or published["run_id"] != head["run_id"]):
            return {}
        return {(p["topic"], p["partition"]): int(p["cut"]) for p in head["partitions"]}

    def closed_to_us(self):
        head = self.get("commit")
        return number(head.get("closed_to_us"), -2**63) if head else -2**63

    def waits_for_delete(self):
        with self.lock:
            return [k for k in self.records if k.startswith(("condemn/", "plan/", "aborted/"))]

    def close(self):
        self.ended.set()
        self.thread.join(10)


class PointerWatch:
    """Polls _CURRENT: it moves only forward, and names a listed manifest whose shards all open."""

    def __init__(self, group):
        self.store = snapshot.S3Store(group.settings["snapshot"]["store"], group.cluster.s3.endpoint,
                                      group.environment["AWS_ACCESS_KEY_ID"], group.environment["AWS_SECRET_ACCESS_KEY"])
        self.faults = []
        self.seen = []  # the runs it named, in order
        self.looks = 0
        self.opened = 0  # snapshots that were opened whole
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True, name="pointer-watch")
        self.thread.start()

    def _run(self):
        last = None
        while not self.ended.is_set():
            try:
                pointer = snapshot.read_pointer(self.store)
                self.looks += 1
                if pointer is not None and (last is None or pointer != last):
                    self._moved(last, pointer)
                    last = pointer
                elif pointer is None and last is not None:
                    self.faults.append(f"_CURRENT is gone, it named {last['run_id']}")
            except snapshot.Broken as broken:
                self.faults.append(str(broken))
            except Exception as error:  # a store that is down says nothing about the pointer
                self.last_error = error
                time.sleep(0.2)
            time.sleep(0.03)

    def _moved(self, last, pointer):
        self.seen.append(pointer["run_id"])
        if last is not None:
            old, new = (RUN.match(p["run_id"]) for p in (last, pointer))
            snapshot.need(int(new.group(1)) > int(old.group(1)) and pointer["updated_at"] > last["updated_at"],
                          f"_CURRENT went from {last} to {pointer}")
        try:
            key = pointer["manifest_ref"][len(self.store.url) + 1:]
            snapshot.need(key in self.store.keys(), f"{key} is not listed")
            snapshot.read_rows(self.store, snapshot.Manifest(self.store, key))
            self.opened += 1
        except snapshot.Broken as broken:
            # a snapshot may be deleted as soon as the pointer names another
            if snapshot.read_pointer(self.store) == pointer:
                raise snapshot.Broken(f"{pointer['run_id']}: {broken}") from None

    def close(self):
        self.ended.set()
        self.thread.join(30)
        snapshot.need(not self.faults, "; ".join(self.faults[:5]))
