"""Reads topics with kafka-python, a client that shares no code with librdkafka."""
import json

from kafka import KafkaConsumer, TopicPartition

from model import Record


def partitions_of(bootstrap, topic):
    consumer = KafkaConsumer(bootstrap_servers=bootstrap)
    try:
        return sorted(consumer.partitions_for_topic(topic) or ())
    finally:
        consumer.close()


def topic_names(bootstrap):
    consumer = KafkaConsumer(bootstrap_servers=bootstrap)
    try:
        return sorted(consumer.topics())
    finally:
        consumer.close()


def read_topic(bootstrap, topic, ends=None):
    """All records that read_committed shows, as Records, up to the last stable offsets (or `ends`, by partition)."""
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap, isolation_level="read_committed", enable_auto_commit=False,
        auto_offset_reset="earliest", max_poll_records=10000, fetch_max_bytes=64 << 20,
        max_partition_fetch_bytes=16 << 20)
    try:
        places = [TopicPartition(topic, p) for p in sorted(consumer.partitions_for_topic(topic) or ())]
        if not places:
            raise LookupError(f"topic {topic} is not there")
        consumer.assign(places)
        stable = consumer.end_offsets(places)  # read_committed: the last stable offset
        goal = {p: stable[p] if ends is None else min(ends.get(p.partition, 0), stable[p]) for p in places}
        consumer.seek_to_beginning()
        out = []
        # by position, not by a record's offset: the last offset may be a transaction's marker
        while any(consumer.position(p) < goal[p] for p in places):
            for place, batch in consumer.poll(timeout_ms=500, max_records=50000).items():
                for r in batch:
                    if r.offset < goal[place]:
                        out.append(Record(topic, r.partition, r.offset, r.timestamp, r.key, r.value, tuple(r.headers)))
        return out
    finally:
        consumer.close()


def end_offsets(bootstrap, topic, isolation="read_committed"):
    """{partition: last stable offset}, or the high watermarks with read_uncommitted."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, isolation_level=isolation)
    try:
        places = [TopicPartition(topic, p) for p in sorted(consumer.partitions_for_topic(topic) or ())]
        return {p.partition: end for p, end in consumer.end_offsets(places).items()}
    finally:
        consumer.close()


def read_ledger(bootstrap, topic):
    """The records of the coordination topic as (offset, key, document); document None: a tombstone."""
    return [(r.offset, r.key.decode(), json.loads(r.value) if r.value is not None else None)
            for r in read_topic(bootstrap, topic)]
