"""Snapshots with vectors: what the service publishes is what was sent, in the tables that sqlite-vec keeps."""
import json
import math
import random
import sqlite3
import struct

import sqlite_vec

import harness

DIM = 8


def records(count, partitions, rng):
    for i in range(count):
        document = {"k": rng.randrange(60), "v": [round(rng.uniform(-2, 2), 3) for _ in range(DIM)], "i": i}
        if i % 7 == 0:
            document["v"] = None
        if i % 3 == 0:
            document["p"] = {"n": i}
        yield {"value": document, "partition": i % partitions}


def bad_records():
    vector = [1.0] * DIM
    return [{"value": {"k": 1000 + i, "v": v}, "partition": 0} for i, v in enumerate(
        [vector[1:], vector + [1.0], "text", [0.0] * DIM, vector[1:] + [1e99], vector[1:] + [None]])]


def read_vectors(store, entry, folder):
    """Row id -> float32 bytes, from the extension's own tables: not every Python can load the extension."""
    path = folder / f"{entry['db_id']}.db"
    path.write_bytes(store.get(entry["db_url"][len(store.url) + 1:] + "/shard.db"))
    database = sqlite3.connect(path)
    chunks = dict(database.execute("SELECT rowid, vectors FROM vec_index_vector_chunks00"))
    places = database.execute("SELECT rowid, chunk_id, chunk_offset FROM vec_index_rowids").fetchall()
    vectors = {row: chunks[chunk][4 * DIM * at:4 * DIM * (at + 1)] for row, chunk, at in places}
    return database, vectors


def test_vectors(new_job, topics, name, tmp_path):
    job = new_job(
        topics=[{"name": name, "key": {"from": "json:/k", "encoding": "u64be"},
                 "vector": {"from": "json:/v", "payload": "json:/p", "required": False}}],
        vectors={"dim": DIM, "metric": "cosine", "extension": sqlite_vec.loadable_path() + ".so"},
        snapshot={"shards": 3}, dead_letter={"policy": "drop"})
    topics.create(name, 2)
    rng = random.Random(5)
    made = list(records(500, 2, rng))
    topics.send(name, made)
    topics.send(name, bad_records())
    topics.send(name, [{"key": "x", "value": {"k": 7, "v": [1.0] * DIM, "p": [1, 2]}, "partition": 1}])
    job.build()
    report = job.check()
    assert report.rows >= 55

    # the newest row of each key by (partition, offset), with or without a vector
    newest = {}
    for partition in (0, 1):
        for record in made:
            if record["partition"] == partition:
                newest[record["value"]["k"]] = record["value"]
    newest[7] = {"k": 7, "v": [1.0] * DIM, "p": [1, 2]}

    manifest = job.current()
    custom = manifest.custom["vector"]
    assert custom == {"dim": DIM, "metric": "cosine", "index_type": "hnsw", "quantization": None, "unified": True,
                      "backend": "sqlite-vec", "kv_backend": "sqlite-vec"}
    found = {}
    for entry in manifest.shards:
        database, vectors = read_vectors(job.store, entry, tmp_path)
        payloads = dict(database.execute("SELECT rowid, payload FROM vec_payloads"))
        ids = dict(database.execute("SELECT internal_id, original_id FROM vec_id_map"))
        for row_id, vector in vectors.items():
            found[json.loads(ids[row_id])["v"]] = (vector, json.loads(payloads.get(row_id, "null")))
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        database.close()
    with_vector = {k: document for k, document in newest.items() if document["v"] is not None}
    assert found == {k: (struct.pack(f"<{DIM}f", *d["v"]), d.get("p")) for k, d in with_vector.items()}

    # read again from Kafka and made again: byte for byte the same
    proof = job.json("verify")
    assert (proof["verdict"], proof["same_files"], proof["findings"]) == ("equal", 3, [])

    # the program's search, over all shards
    wanted = [rng.uniform(-1, 1) for _ in range(DIM)]

    def distance(key):
        v = with_vector[key]["v"]
        return 1 - sum(a * b for a, b in zip(v, wanted)) / math.hypot(*v) / math.hypot(*wanted)

    answer = job.json("search", "--vector", json.dumps(wanted), "-k", "12")
    assert [r["id"] for r in answer["results"]] == sorted(with_vector, key=distance)[:12]
    assert [r["payload"] for r in answer["results"]] == [with_vector[r["id"]].get("p") for r in answer["results"]]
    assert job.json("get", "7")["value"] == json.dumps(newest[7], separators=(",", ":"))


def test_a_state_keeps_its_vectors(new_job, topics, name):
    """A row that the second build does not touch comes out of the first one's file, with its vector."""
    job = new_job(
        topics=[{"name": name, "key": {"from": "json:/k", "encoding": "u64be"}, "vector": {"from": "json:/v", "payload": "json:/p"}}],
        vectors={"dim": 2, "metric": "l2", "extension": sqlite_vec.loadable_path() + ".so"},
        snapshot={"shards": 1, "contents": "state"})
    topics.create(name, 1)
    topics.send(name, [{"value": {"k": k, "v": [k, -k], "p": k}} for k in range(6)])
    job.build()
    topics.send(name, [{"value": {"k": 3, "v": [100, 100], "p": "new"}}, {"value": {"k": 9, "v": [2.25, -2]}}])
    job.build()
    job.check()
    answer = job.json("search", "--vector", "[1.9, -1.9]", "-k", "4")
    assert [(r["id"], r["payload"]) for r in answer["results"]] == [(2, 2), (9, None), (1, 1), (0, 0)]
    assert job.json("search", "--vector", "[99, 99]", "-k", "1")["results"][0]["payload"] == "new"
    assert job.json("verify")["verdict"] == "equal"


def test_a_state_whose_vectors_change(new_job, topics, name):
    """Another metric, or no vectors any more: all of it anew, announced. Rows get no vectors that they never had."""
    extension = sqlite_vec.loadable_path() + ".so"
    topic = {"name": name, "key": {"from": "json:/k", "encoding": "u64be"}, "vector": {"from": "json:/v"}}
    without = {key: value for key, value in topic.items() if key != "vector"}
    job = new_job(topics=[topic], vectors={"dim": 2, "metric": "l2", "extension": extension},
                  snapshot={"shards": 2, "contents": "state"})
    topics.create(name, 1)
    topics.send(name, [{"value": {"k": k, "v": [k + 1, k]}} for k in range(8)])
    job.build()

    def change(key, **settings):
        job.write(**settings)
        topics.send(name, [{"value": {"k": key, "v": [key + 1, key]}}])
        output = job.build().output()
        assert "makes the whole state anew" in output
        assert job.json("verify")["verdict"] == "equal" and len(job.rows()) == 8
        job.check()
        return output

    assert "vectors: dim 2, cosine" in change(3, vectors={"metric": "cosine"})
    assert job.current().custom["vector"]["metric"] == "cosine"
    assert job.json("search", "--vector", "[1, 0]", "-k", "1")["results"][0]["id"] == 0
    assert "vectors: none" in change(4, topics=[without], vectors=None)
    assert "vector" not in job.current().custom

    # and not back, nor to another dimension: that takes a new state
    pointer = job.pointer()
    job.write(topics=[topic], vectors={"dim": 2, "metric": "cosine", "extension": extension})
    topics.send(name, [{"value": {"k": 5, "v": [1, 2]}}])
    process = job.start()
    job.command("trigger", "--no-wait", check=False)
    process.wait_for_text("its rows cannot be given any of dim 2, cosine")
    assert process.stop() == 0 and job.pointer() == pointer


def test_a_key_that_is_no_id(new_job, topics, name):
    """An id is a text or an integer: a key of other bytes cannot be one. Without a vector it needs none."""
    job = new_job(
        topics=[{"name": name, "key": {"from": "key", "encoding": "raw"}, "vector": {"from": "json:/v", "required": False}}],
        vectors={"dim": 2, "metric": "l2", "extension": sqlite_vec.loadable_path() + ".so"}, snapshot={"shards": 2},
        dead_letter={"policy": "drop"})
    topics.create(name, 1)
    topics.send(name, [{"key": key, "value": value} for key, value in (
        (b"\xff\xfe", {"v": [1, 2]}), (b"\xff\xfd", {}), (b"ab", {"v": [3, 4]}), (b"", {"v": [0, 0]}))])
    job.build()
    report = job.check(clean=True)
    assert (report.rows, report.rejected) == (3, 1)
    answer = job.json("search", "--vector", "[3, 4]", "-k", "3")
    assert [r["id"] for r in answer["results"]] == ["ab", ""]


def test_without_the_extension(new_job, topics, name):
    job = new_job(
        topics=[{"name": name, "key": {"from": "key", "encoding": "utf8"}, "vector": {"from": "json:/v"}}],
        vectors={"dim": 2, "extension": "/nowhere/vec0.so"})
    topics.create(name, 1)
    process = job.spawn("build")
    assert process.wait() == 3
    assert "sqlite-vec" in process.output() and "/nowhere/vec0.so" in process.output()
