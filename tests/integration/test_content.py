"""What ends up in a snapshot: keys, values, tombstones, transactions, compaction, bad records."""
import json
import random
import re
import struct

import pytest

import harness
import snapshot
from produce import COMPACTED, produce_many
from topics import read_topic, topic_names


def plain(count, partitions=1, keys=50, seed=1):
    rng = random.Random(seed)
    return [{"key": f"key-{rng.randrange(keys)}", "value": f"value {i}", "partition": i % partitions,
             "timestamp_ms": 1_700_000_000_000 + i} for i in range(count)]


def test_one_build(job, topics, name):
    topics.create(name, 3)
    topics.send(name, plain(600, 3))
    job.build()
    report = job.check(clean=True)
    assert report.snapshots == 1 and report.rows == 50 and report.superseded == 550


def test_the_longest_keys(new_job, topics, name):
    """The manifest has no room for the text of one; readers find its row by the key."""
    topics.create(name, 1)
    job = new_job(snapshot={"shards": 1})
    keys = ["", "A" * 4094, "A" * 4095, "z" * 4096, "\u00fc" * 2048]
    topics.send(name, [{"key": key, "value": f"value {i}"} for i, key in enumerate(keys)])
    job.build()
    assert job.check(clean=True).rows == 5
    shard, = job.current().shards
    assert shard["min_key"] == '""' and shard["max_key"] is None
    assert job.json("get", keys[-1])["value"] == "value 4"
    assert job.json("verify")["verdict"] == "equal"


def test_build_goes_on_where_the_last_one_ended(job, topics, name):
    topics.create(name, 2)
    for round_ in range(3):
        topics.send(name, plain(100, 2, seed=round_))
        job.build()
    report = job.check(clean=True)
    assert report.snapshots == 3
    assert [len(b.rows) for b in report.builds.values()] == [100, 100, 100]


def test_build_without_new_records(job, topics, name):
    topics.create(name, 2)
    topics.send(name, plain(10, 2))
    job.build()
    first = job.pointer()
    job.build()
    assert job.pointer() == first
    report = job.check(clean=True)
    assert report.snapshots == 1 and report.empty_builds <= 1


def test_s3(new_job, topics, name):
    topics.create(name, 3)
    job = new_job(on_s3=True)
    for seed in range(2):
        topics.send(name, plain(400, 3, seed=seed))
        job.build()
    report = job.check(clean=True)
    assert report.snapshots == 2
    for manifest in report.manifests:
        assert job.store.content_type(manifest.key) == "application/x-sqlite3"
    assert job.store.content_type("_CURRENT") == "application/json"


def test_aborted_records_are_not_there(job, topics, name):
    topics.create(name, 2)
    for number, outcome in enumerate(["commit", "abort", "commit", "abort", "commit"]):
        records = [{"key": f"{outcome}-{i}", "value": f"{outcome} {number}", "partition": i % 2} for i in range(40)]
        topics.transaction(name, records, outcome, name=f"{name}-tx")
    topics.send(name, [{"key": "last", "value": "plain", "partition": 0}])
    job.build()
    report = job.check(clean=True)
    rows = job.rows()
    assert len(rows) == 41 and not any(key.startswith(b"abort") for key in rows)
    assert all(value in (b"commit 4", b"plain") for value in rows.values())
    # gaps of markers and aborted records are no records
    assert sum(a["read"] for b in report.builds.values() for a in b.accounts.values()) == 121


def test_only_aborted_records(job, topics, name):
    topics.create(name, 1)
    topics.transaction(name, plain(20), "abort")
    job.build()
    assert job.check().snapshots == 0 and job.pointer() is None


def test_the_build_ends_before_an_open_transaction(job, topics, name):
    topics.create(name, 2)
    topics.send(name, [{"key": f"before-{i}", "value": "x", "partition": i % 2} for i in range(20)])
    finish = topics.transaction(name, [{"key": "open", "value": "x", "partition": 1}], "hang")
    topics.send(name, [{"key": "behind", "value": "x", "partition": 1}, {"key": "beside", "value": "x", "partition": 0}])
    job.build()
    rows = job.rows()
    assert b"beside" in rows and b"open" not in rows and b"behind" not in rows
    finish(commit=True)
    job.build()
    assert set(job.rows()) == {b"open", b"behind"}
    assert job.check(clean=True).snapshots == 2


def test_compacted_topic(job, topics, kafka, name):
    topics.create(name, 2, COMPACTED)
    for round_ in range(4):
        topics.send(name, [{"key": f"k{i}", "value": f"round {round_}", "partition": i % 2} for i in range(100)])

    def is_compacted():
        offsets = [r.offset for r in read_topic(kafka.bootstrap, name) if r.partition == 0 and r.key.startswith(b"k")]
        return len(offsets) < 150 and offsets

    topics.compact(name, 2, is_compacted)
    topics.send(name, [{"key": "k3", "value": "after", "partition": 1}])
    job.build()
    job.check(clean=True)
    rows = job.rows()
    assert rows[b"k3"] == b"after"
    # a cleaner that was quick needed no filler
    assert {key for key in rows if not key.startswith(b"filler-")} == {b"k%d" % i for i in range(100)}


def test_several_topics(new_job, topics, name):
    other = topics.create(name + "-b", 2)
    topics.create(name, 1)
    job = new_job(topics=[
        {"name": name, "key": {"from": "key", "encoding": "u64be"}},
        {"name": other, "key": {"from": "json:/id", "encoding": "u64be"},
         "value": {"fields": [{"name": "name", "from": "json:/name"}, {"name": "topic", "from": "topic"}]},
         "event_time": {"from": "json:/at", "unit": "rfc3339"}},
    ])
    topics.send(name, [{"key": str(i), "value": f"plain {i}"} for i in range(30)])
    topics.send(other, [{"value": {"id": i, "name": f"n{i}", "at": "2026-03-14T10:30:00.123456Z"}, "partition": i % 2}
                        for i in range(20, 50)])
    job.build()
    report = job.check(clean=True)
    rows = job.rows()
    assert report.rows == 50
    # the same key in two topics: the topic whose name sorts last wins
    assert json.loads(rows[(25).to_bytes(8, "big")]) == {"name": "n25", "topic": other}


@pytest.mark.parametrize("encoding, keys", [
    ("u64be", ["0", "1", "17", str(2**32), str(2**63 - 1)]),
    ("u32be", ["0", "7", str(2**32 - 1)]),
    ("utf8", ["plain", "zäh", "\U0001f30d", "with blank", "0"]),
    ("raw", [b"\x00", b"\xff\xfe", b"text", bytes(range(64))]),
])
def test_key_encodings(new_job, topics, name, encoding, keys):
    topics.create(name, 2)
    job = new_job(topics=[{"name": name, "key": {"from": "key", "encoding": encoding}}], snapshot={"shards": 3})
    topics.send(name, [{"key": key, "value": f"v{i}", "partition": i % 2} for i, key in enumerate(keys)])
    job.build()
    assert job.check(clean=True).rows == len(keys)
    if encoding.endswith("be"):
        width = 8 if encoding == "u64be" else 4
        assert set(job.rows()) == {int(key).to_bytes(width, "big") for key in keys}


def test_binary_integer_keys(new_job, topics, name):
    topics.create(name, 1)
    job = new_job(topics=[{"name": name, "key": {"from": "key", "encoding": "u64be", "form": "binary"}}])
    topics.send(name, [{"key": struct.pack(">Q", i), "value": "x"} for i in (0, 5, 2**40, 2**63 - 1)])
    job.build()
    assert job.check(clean=True).rows == 4


def test_json_values(new_job, topics, name):
    topics.create(name, 1)
    job = new_job(topics=[{
        "name": name, "key": {"from": "json:/user/id", "encoding": "utf8"},
        "value": {"fields": [{"name": "amount", "from": "json:/amount"}, {"name": "tags", "from": "json:/tags"},
                             {"name": "first", "from": "json:/tags/0"}, {"name": "none", "from": "json:/absent"}]},
        "event_time": {"from": "json:/t", "unit": "s"}}])
    topics.send(name, [
        {"value": {"user": {"id": "a"}, "amount": 12345678901234567890, "tags": ["x", {"y": None}], "t": 1700000000.25}},
        {"value": {"user": {"id": "b~/c"}, "amount": 1.5, "tags": [], "t": 1700000001}},
        {"value": {"user": {"id": "zäh \"q\""}, "amount": None, "t": 1700000001, "tags": True}},
    ])
    job.build()
    assert job.check(clean=True).rows == 3
    assert job.rows()[b"a"].startswith(b'{"amount":12345678901234567890,')


def test_headers_and_places_as_columns(new_job, topics, name):
    topics.create(name, 2)
    job = new_job(topics=[{
        "name": name, "key": {"from": "header:id", "encoding": "utf8"},
        "value": {"fields": [
            {"name": "trace", "from": "header:trace"}, {"name": "topic", "from": "topic"},
            {"name": "partition", "from": "partition"}, {"name": "offset", "from": "offset"},
            {"name": "at", "from": "timestamp"}, {"name": "payload", "from": "value"}, {"name": "key", "from": "key"}]},
        "event_time": {"from": "header:at", "unit": "ms"}}])
    topics.send(name, [
        {"key": f"k{i}", "value": f"payload {i}", "partition": i % 2, "timestamp_ms": 1_700_000_000_000 + i,
         "headers": [("id", "old"), ("id", f"id-{i}"), ("trace", bytes([i, 255])), ("at", str(1_700_000_000_000 + i))]}
        for i in range(12)])
    job.build()
    assert job.check(clean=True).rows == 12
    row = json.loads(job.rows()[b"id-3"])
    assert row == {"trace": {"base64": "A/8="}, "topic": name, "partition": 1, "offset": 1, "at": 1_700_000_000_003,
                   "payload": "payload 3", "key": "k3"}


def test_tombstones(job, topics, name):
    topics.create(name, 1)
    topics.send(name, [{"key": "a", "value": "1"}, {"key": "b", "value": "1"}, {"key": "a", "value": None},
                       {"key": "c", "value": None}, {"key": "c", "value": "back"}, {"key": "d", "value": ""}])
    job.build()
    assert job.rows() == {b"b": b"1", b"c": b"back", b"d": b""}
    report = job.check(clean=True)
    assert report.tombstones == 1 and report.superseded == 2


def test_order_by_event_time(new_job, topics, name):
    topics.create(name, 1)
    job = new_job(snapshot={"order": "event_time"})
    topics.send(name, [{"key": "a", "value": "newer", "timestamp_ms": 2_000_000}, {"key": "a", "value": "older", "timestamp_ms": 1_000_000},
                       {"key": "b", "value": "1", "timestamp_ms": 5}, {"key": "b", "value": "2", "timestamp_ms": 5}])
    job.build()
    assert job.rows() == {b"a": b"newer", b"b": b"2"}
    job.check(clean=True)


def test_shards_by_keys(new_job, topics, name):
    topics.create(name, 2)
    job = new_job(snapshot={"shards": None, "max_keys_per_shard": 100})
    topics.send(name, plain(730, 2, keys=10000))
    job.build()
    report = job.check(clean=True)
    assert report.manifests[0].meta["num_dbs"] == 8
    topics.send(name, plain(10, 2, seed=9))
    job.build()
    assert job.check(clean=True).manifests[1].meta["num_dbs"] == 1


@pytest.mark.parametrize("page_size", ["4096", "65536", "auto"])
def test_page_sizes_and_large_values(new_job, topics, name, page_size):
    topics.create(name, 1)
    size = "auto" if page_size == "auto" else int(page_size)
    job = new_job(snapshot={"page_size": size, "shards": 2})
    rng = random.Random(3)
    topics.send(name, [{"key": f"k{i}", "value": rng.randbytes(rng.choice([0, 10, 1500, 30000, 200_000]))} for i in range(150)])
    job.build()
    assert job.check(clean=True).rows == 150


BAD = [
    {"key": "good", "value": {"id": 1}},
    {"key": "json", "value": "{not json"},
    {"key": "nokey", "value": {"other": 1}},
    {"key": "range", "value": {"id": -4}},
    {"key": "type", "value": {"id": "text"}},
    {"key": "good", "value": {"id": 2}},
]
CAUSES = {1: "bad_json", 2: "no_key", 3: "key_range", 4: "key_type"}


def bad_topic(name):
    return [{"name": name, "key": {"from": "json:/id", "encoding": "u64be"}}]


def test_bad_records_dropped(new_job, topics, name):
    topics.create(name, 1)
    job = new_job(topics=bad_topic(name), dead_letter={"policy": "drop"})
    topics.send(name, BAD)
    job.build()
    report = job.check(clean=True)
    assert report.rows == 2 and report.rejected == 4


def test_bad_records_fail_the_build(new_job, topics, name):
    topics.create(name, 1)
    job = new_job(topics=bad_topic(name), dead_letter={"policy": "fail"})
    topics.send(name, BAD)
    process = job.spawn("build")
    assert process.wait() != 0
    # the first bad record is named by its place and cause
    output = process.output()
    assert "bad_json" in output and name in output
    assert re.search(rf"{name}\[0\]@(\d+) .*`tidemark skip {name} 0 \1 \d+ --why …`", output), output
    assert job.pointer() is None


def test_a_dead_letter_topic_that_is_not_there(new_job, topics, kafka, name):
    topics.create(name, 1)
    job = new_job(topics=bad_topic(name), dead_letter={"policy": "topic", "topic": name + "-dead"})
    process = job.spawn("build")
    assert process.wait() == 3
    assert f'there is no topic "{name}-dead"' in process.output() and "dead_letter.topic" in process.output()
    process = job.spawn("build", "--set", f"topics[0].name={name}-typo")
    assert process.wait() == 3
    assert f'there is no topic "{name}-typo"' in process.output()
    # settings with a mistake leave nothing behind
    assert all(not topic.startswith(job.settings["group"]) or topic == name for topic in topic_names(kafka.bootstrap))


def test_bad_records_to_a_file(new_job, topics, name, tmp_path):
    topics.create(name, 1)
    path = tmp_path / "dead.jsonl"
    job = new_job(topics=bad_topic(name), dead_letter={"policy": "file", "path": str(path)})
    topics.send(name, BAD)
    job.build()
    assert job.check(clean=True).rejected == 4
    letters = [json.loads(line) for line in path.read_text().splitlines()]
    assert {letter["offset"]: letter["cause"] for letter in letters} == CAUSES
    assert all(letter["topic"] == name and letter["partition"] == 0 for letter in letters)


def test_bad_records_to_a_topic(new_job, topics, kafka, name):
    topics.create(name, 1)
    dead = topics.create(name + "-dead", 1)
    job = new_job(topics=bad_topic(name), dead_letter={"policy": "topic", "topic": dead})
    topics.send(name, BAD)
    job.build()
    assert job.check(clean=True).rejected == 4
    letters = read_topic(kafka.bootstrap, dead)
    assert {letter.value for letter in letters} == {harness_value(BAD[i]["value"]) for i in CAUSES}
    for letter in letters:
        headers = {k: v.decode() for k, v in letter.headers}
        text = " ".join(headers.values())
        assert name in text and any(cause in text for cause in CAUSES.values())


def harness_value(value):
    return value.encode() if isinstance(value, str) else json.dumps(value, separators=(",", ":")).encode()


def test_error_budget(new_job, topics, name):
    topics.create(name, 1)
    job = new_job(topics=bad_topic(name), dead_letter={"policy": "drop", "max_errors": 3})
    topics.send(name, BAD)
    process = job.spawn("build")
    assert process.wait() != 0
    assert job.pointer() is None
    # with a budget that is large enough the same records make a snapshot
    job.settings["dead_letter"]["max_errors"] = 4
    job.build()
    assert job.check().rejected == 4


def test_same_cut_same_bytes(new_job, topics, name):
    """Two groups that read differently build the same records: every shard.db is equal, byte for byte."""
    topics.create(name, 4)
    topics.send(name, plain(3000, 4, keys=700))
    vector = [[name, p, 700 - 13 * p] for p in range(4)]
    one = new_job("-a", window={"trigger": "offsets", "offsets": vector})
    two = new_job("-b", window={"trigger": "offsets", "offsets": vector},
                  limits={"memory_budget": "64MiB", "build_threads": 1},
                  kafka={"properties": [["fetch.message.max.bytes", "2000"], ["queued.min.messages", "10"]]})
    for job in (one, two):
        process = job.start()
        process.wait_for(lambda j=job: j.published() == 1, "the snapshot of the vector")
        assert process.stop() == 0
        report = job.check(clean=True)
        assert [s.cuts for s in report.ledger.head.steps] == [{(name, p): 700 - 13 * p for p in range(4)}]
    files = []
    for job in (one, two):
        manifest = job.current()
        files.append({e["db_id"]: snapshot.Shard(job.store, manifest, e).bytes for e in manifest.shards})
    assert files[0] == files[1] and len(files[0]) == 4


@pytest.mark.slow
def test_a_million_records(new_job, topics, kafka, name):
    produce_many(harness.PRODUCER, kafka.bootstrap, name, 1_000_000, 8, keys=600_000)
    job = new_job(topics=[{"name": name, "key": {"from": "key", "encoding": "raw"}}], snapshot={"shards": 8})
    job.build(timeout=300)
    report = job.check(clean=True)
    assert report.rows == 600_000 and report.superseded == 400_000
