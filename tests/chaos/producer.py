"""Writes records with known content: keys that come again, event times that jump and run late, tombstones, and
transactions that commit, abort and hang. What the broker acknowledged is remembered, to be looked for later.
"""
import json
import random
import threading
import time

from kafka import KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError

START_MS = 1_760_000_000_000  # event time zero; far from now, so nothing depends on today
FUTURE_MS = 2_500_000_000_000
HOT_RECORDS = 1000  # then other keys are written


class Producer:
    def __init__(self, bootstrap, topic, partitions, seed, rate=300, keys=2000, step_ms=20):
        self.bootstrap, self.name = bootstrap, topic
        self.partitions = {topic: partitions}  # of each topic that is written to; more may come
        self.rng = random.Random(f"producer {seed}")
        self.rate, self.keys, self.step_ms = rate, keys, step_ms
        self.number = 0
        self.narrow = False  # few keys at a time, so that most shards of a state are as they were
        self.event_ms = START_MS
        self.acked = {}  # (topic, partition, offset) -> (key, value), of what must be found
        self.doubtful = 0  # sent, and the answer was lost: there or not
        self.committed = self.aborted = self.hung = 0
        self.wish = []  # outcomes of the next transactions: "abort", or ("hang", seconds)
        self.lock = threading.Lock()
        self.writing = threading.Lock()  # by whoever uses the client
        self.paused = threading.Event()
        self.ended = threading.Event()
        self.error = None
        self.plain = None
        self.thread = threading.Thread(target=self._run, daemon=True, name="producer")

    def start(self):
        self.thread.start()
        return self

    def ask(self, outcome):
        with self.lock:
            self.wish.append(outcome)

    def close(self):
        self.ended.set()
        self.thread.join(60)
        if self.plain is not None:
            self._end(self.plain, 5)
        if self.error is not None:
            raise self.error

    # ---- records ----

    def _record(self, late_too=True):
        rng = self.rng
        self.number += 1
        self.event_ms += rng.randrange(2 * self.step_ms)
        at = self.event_ms - rng.randrange(1000)
        dice = rng.random()
        if late_too and dice < 0.03:
            at -= rng.randrange(20_000, 120_000)  # late for sure
        elif late_too and dice < 0.035:
            at = FUTURE_MS + rng.randrange(1000)
        if self.number % HOT_RECORDS == 1:
            self.hot = [rng.randrange(self.keys) for _ in range(3)]
        number = rng.choice(self.hot) if self.narrow else rng.randrange(self.keys)
        value = None
        if rng.random() > 0.05:
            value = json.dumps({"t": at, "n": self.number, "pad": "x" * rng.randrange(100)},
                               separators=(",", ":")).encode()
        topic = rng.choice(sorted(self.partitions))
        return {"topic": topic, "key": f"k{number}".encode(), "value": value, "timestamp_ms": at,
                "partition": rng.randrange(self.partitions[topic]), "headers": [("zone", b"z%d" % (number % 4))]}

    def _send(self, producer, records):
        """What was acknowledged: {(topic, partition, offset): (key, value)}."""
        self._know(producer, {record["topic"] for record in records})
        futures = [(record, producer.send(**record)) for record in records]
        producer.flush(timeout=30)
        got = {}
        for record, future in futures:
            try:
                where = future.get(timeout=30)
                got[where.topic, where.partition, where.offset] = record["key"], record["value"]
            except KafkaError:
                self.doubtful += 1
        return got

    def _know(self, producer, topics):
        """Until the client has heard of all partitions: some may be new."""
        end = time.monotonic() + 20
        while any(len(producer.partitions_for(t) or ()) < self.partitions[t] for t in topics):
            if time.monotonic() > end:
                raise KafkaTimeoutError(f"partitions of {topics}")
            producer._metadata.request_update()
            time.sleep(0.05)

    def _client(self, **more):
        return KafkaProducer(bootstrap_servers=self.bootstrap, acks="all", linger_ms=5, retries=50,
                             delivery_timeout_ms=25_000, request_timeout_ms=5000, **more)

    def _end(self, client, timeout):
        """A client with something that it cannot send would never end by itself."""
        try:
            client.close(timeout=timeout)
        except KafkaError:
            client._sender.force_close()

    def _send_plain(self, records):
        """What cannot be sent stays in a client for good, and would hold back all that comes after: it is thrown away."""
        if self.plain is None:
            self.plain = self._client()
        try:
            return self._send(self.plain, records)
        except KafkaError:
            client, self.plain = self.plain, None
            self._end(client, 0)
            raise

    def _transaction(self, records, outcome):
        client = self._client(transactional_id=f"{self.name}-{self.number}",
                              transaction_timeout_ms=60_000 if outcome == "commit" else 8_000)
        try:
            client.init_transactions()
            client.begin_transaction()
            got = self._send(client, records)
            if outcome == "commit":
                client.commit_transaction()
                self.acked.update(got)
                self.committed += 1
            elif outcome == "abort":
                client.abort_transaction()
                self.aborted += 1
            else:  # the broker ends it when its time is over
                self.hung += 1
        finally:
            self._end(client, 0 if outcome == "hang" else 5)

    # ---- the thread ----

    def _run(self):
        try:
            while not self.ended.is_set():
                if self.paused.is_set():
                    time.sleep(0.05)
                    continue
                try:
                    with self.writing:
                        self._step()
                except KafkaError:  # a broker that is down is what the run is about
                    self.doubtful += 1
                    time.sleep(0.3)
        except BaseException as error:
            self.error = error

    def _step(self):
        began = time.monotonic()
        count = self.rng.randrange(1, self.rate // 5)
        with self.lock:
            outcome = self.wish.pop(0) if self.wish else None
        if outcome is None and self.rng.random() < 0.05:
            outcome = "commit"
        records = [self._record() for _ in range(count)]
        if outcome is not None:
            self._transaction(records, outcome)
        else:
            self.acked.update(self._send_plain(records))
        time.sleep(max(0.0, count / self.rate - (time.monotonic() - began)))

    def close_window(self, size_ms):
        """Records far enough ahead in every partition that whatever was sent before belongs to a closed window."""
        with self.writing:
            self.event_ms += 2 * size_ms
            for _ in range(2):
                for topic, partition in [(t, p) for t, count in sorted(self.partitions.items()) for p in range(count)]:
                    record = {**self._record(late_too=False), "topic": topic, "partition": partition}
                    got = {}
                    for _ in range(20):  # a broker may just be back
                        got = got or self._send_plain([record])
                    self.acked.update(got)
                self.event_ms += size_ms


def check_acked(producer, records):
    """All that was acknowledged is in the topic, as it was sent; and the topic has nothing of an abort."""
    there = {(r.topic, r.partition, r.offset): (r.key, r.value) for r in records}
    lost = [place for place, content in producer.acked.items() if there.get(place) != content]
    assert not lost, f"the broker lost {len(lost)} records that it had acknowledged, such as {lost[:3]}"
    return len(there)
