"""Puts records into topics: plain, in transactions that commit, abort or hang, compacted, and many."""
import json
import os
import subprocess
import time

import harness
from kafka import KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewPartitions, NewTopic

COMPACTED = {
    "cleanup.policy": "compact", "segment.ms": "200", "min.cleanable.dirty.ratio": "0.001", "delete.retention.ms": "100",
    "max.compaction.lag.ms": "1000", "segment.bytes": "1048576",
}


class Topics:
    """Makes topics and records in one cluster."""

    def __init__(self, bootstrap):
        self.bootstrap = bootstrap
        self.admin = KafkaAdminClient(bootstrap_servers=bootstrap)
        self.producer = KafkaProducer(bootstrap_servers=bootstrap, linger_ms=5, enable_idempotence=False)

    def close(self):
        self.producer.close()
        self.admin.close()

    def renew(self):
        """Another admin client: one whose controller went away while it was idle may never find the new one."""
        self.admin.close()
        self.admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)

    def create(self, name, partitions=1, configs=None, replicas=1):
        # tests date records as they like; the broker refuses what is an hour ahead otherwise
        configs = {"message.timestamp.after.max.ms": str(2**63 - 1), **(configs or {})}
        self.admin.create_topics([NewTopic(name, partitions, replicas, topic_configs=configs)])
        self.wait_for_partitions(name, partitions)
        return name

    def wait_for_partitions(self, name, partitions):
        end = time.monotonic() + 10
        while time.monotonic() < end:
            self.producer._metadata.request_update()
            if len(self.producer.partitions_for(name) or ()) == partitions:
                return
            time.sleep(0.05)
        raise TimeoutError(name)

    def grow(self, name, partitions):
        self.admin.create_partitions({name: NewPartitions(partitions)})
        self.wait_for_partitions(name, partitions)

    def delete(self, name):
        self.admin.delete_topics([name])
        harness.wait_for(lambda: name not in self.admin.list_topics(), f"the end of {name}", every=0.05)

    def send(self, topic, records, producer=None):
        """Records are dicts of key, value, partition, headers, timestamp_ms; texts and objects are encoded."""
        producer = producer or self.producer
        futures = [send_one(producer, topic, record) for record in records]
        producer.flush()
        return [future.get(timeout=30).offset for future in futures]

    def transaction(self, topic, records, outcome="commit", name=None, timeout_ms=60000):
        """outcome: commit, abort, or hang; the latter returns a function that ends it."""
        producer = KafkaProducer(
            bootstrap_servers=self.bootstrap, linger_ms=5, transaction_timeout_ms=timeout_ms,
            transactional_id=name or f"{topic}-{time.monotonic_ns()}")
        producer.init_transactions()
        producer.begin_transaction()
        offsets = self.send(topic, records, producer)
        if outcome == "hang":
            def finish(commit=True):
                producer.commit_transaction() if commit else producer.abort_transaction()
                producer.close()
            return finish
        producer.commit_transaction() if outcome == "commit" else producer.abort_transaction()
        producer.close()
        return offsets

    def compact(self, topic, partitions, until, timeout=40):
        """Waits until the log cleaner has made `until()` true, rolling segments with filler records; then it stops.

        A topic that is compacted further between two readers has other records for each.
        """
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if until():
                self.admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {"cleanup.policy": "delete"})])
                return
            for partition in range(partitions):
                self.send(topic, [{"key": f"filler-{partition}", "value": str(time.monotonic_ns()),
                                   "partition": partition}])
            time.sleep(0.5)
        raise TimeoutError(f"{topic} was not compacted")


def send_one(producer, topic, record):
    return producer.send(
        topic, key=as_bytes(record.get("key")), value=as_bytes(record.get("value")), partition=record.get("partition"),
        headers=[(n, as_bytes(v)) for n, v in record.get("headers", ())], timestamp_ms=record.get("timestamp_ms"))


def as_bytes(value):
    if value is None or isinstance(value, bytes):
        return value
    return value.encode() if isinstance(value, str) else json.dumps(value, separators=(",", ":")).encode()


def produce_many(binary, bootstrap, topic, count, partitions, value_bytes=100, keys=0, seed=1):
    """`count` records by the fast producer of bench/: 8-byte random keys, of `keys` different ones."""
    subprocess.run([os.fspath(binary), "--brokers", bootstrap, "--topic", topic, "--count", str(count),
                    "--partitions", str(partitions), "--value-bytes", str(value_bytes), "--keys", str(keys),
                    "--seed", str(seed)], check=True, stdout=subprocess.DEVNULL)
