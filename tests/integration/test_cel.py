"""Routing by an expression, every mode of it; the oracle evaluates with the readers' own CEL."""
import json
import random
import subprocess
import sys

import pytest

import harness

REGIONS = ["eu", "us", "ap", "é"]


def orders(count, partitions=3, seed=1, keys=60, bad=0):
    """Each key has a region and a tier for good, so that its rows meet in one shard."""
    rng = random.Random(seed)
    for i in range(count):
        key = rng.randrange(keys)
        value = {"region": REGIONS[key % 4], "tier": key % 7 - 3, "price": key * 0.25, "n": i}
        if i < bad:
            value = [{"tier": 1, "n": i}, {"region": None, "tier": 1}, {"region": 5, "tier": 1}][i % 3]
        yield {"key": str(key), "value": json.dumps(value), "partition": i % partitions,
               "timestamp_ms": 1_700_000_000_000 + i, "headers": [("zone", b"z%d" % (key % 3))]}


COLUMNS = [{"name": "key", "type": "int"}, {"name": "region", "type": "string", "from": "json:/region"},
           {"name": "tier", "type": "int", "from": "json:/tier"}, {"name": "zone", "type": "string", "from": "header:zone"}]
MODES = {
    "direct": {"shards": 5, "cel": {"expr": "(tier + 10) % 5", "columns": COLUMNS}},
    "direct-by-ids": {"shards": None, "cel": {"expr": "region == 'eu' ? 0 : region.startsWith('u') ? 1 : 2", "columns": COLUMNS}},
    "key-only": {"shards": 8, "cel": {"expr": "shard_hash(key) % 8u", "columns": COLUMNS[:1]}},
    "listed": {"shards": None, "cel": {"expr": "region", "columns": COLUMNS, "routing_values": ["us", "eu", "é", "ap", "sa"]}},
    "listed-integers": {"shards": None, "cel": {"expr": "tier % 3", "columns": COLUMNS, "routing_values": [0, -1, -2, 1, 2]}},
    "inferred": {"shards": None, "cel": {"expr": "region + '/' + zone", "columns": COLUMNS, "infer_routing_values": True}},
    "inferred-integers": {"shards": None, "cel": {"expr": "tier", "columns": COLUMNS, "infer_routing_values": True}},
    "by-columns": {"shards": 6, "cel": {"columns": COLUMNS[1:3]}},
    "by-columns-inferred": {"shards": None, "cel": {"columns": [COLUMNS[3]]}},
}
# what `check` says of their shards
SAYS = {"direct": "5", "direct-by-ids": "as many as the expression gives numbers", "key-only": "8", "listed": "5, one a routing value",
        "listed-integers": "5, one a routing value", "by-columns": "6",
        **dict.fromkeys(("inferred", "inferred-integers", "by-columns-inferred"), "one for each value that the expression has in the window")}


def settings_of(mode, name):
    return {"topics": [{"name": name, "key": {"from": "key", "encoding": "u64be"}}],
            "snapshot": {"routing": "cel", **MODES[mode]}, "dead_letter": {"policy": "drop"}}


@pytest.mark.parametrize("mode", MODES)
def test_modes(new_job, topics, name, mode):
    topics.create(name, 3)
    job = new_job(**settings_of(mode, name))
    for seed in range(2):
        topics.send(name, list(orders(300, seed=seed)))
        job.build()
    report = job.check(clean=True)
    assert report.snapshots == 2 and report.rejected == 0
    given = [c["name"] for c in MODES[mode]["cel"]["columns"]]
    values = {"region": "us", "tier": "-1", "zone": "z1"}
    columns = [word for name, text in values.items() if name in given for word in ("--column", f"{name}={text}")]
    way = job.json("route", "--explain", *columns, "17")
    assert way["routing"] == "cel" and way["cel_expr"] == job.current().sharding["cel_expr"]
    assert {name: way["columns"][name] for name in values if name in given} == \
        {name: text for name, text in values.items() if name in given}
    assert job.json("verify")["verdict"] == "equal"
    said = job.command("check")
    assert f"  shards       {SAYS[mode]}, holding" in said and f"  routing      {way['cel_expr']}\n" in said, said


def test_s3_and_bad_records(new_job, topics, name):
    """A record whose expression fails is counted, whatever else is in the build; readers find the rest."""
    topics.create(name, 3)
    job = new_job(on_s3=True, **settings_of("inferred", name))
    topics.send(name, list(orders(300, bad=30)))
    job.build()
    report = job.check(clean=True)
    assert report.snapshots == 1 and report.rejected == 30
    assert len(job.current().sharding["routing_values"]) == 12
    found = job.json("get", "--column", "region=us", "--column", "zone=z2", "5")
    assert json.loads(found["value"])["region"] == "us"
    missing = job.command("get", "5", check=False)
    assert missing.returncode == 2 and "wants the columns region (string), zone (string)" in missing.stderr


def test_state(new_job, topics, name):
    """A state by the hash becomes one by an expression over the key; each change of the shards makes all of it anew."""
    topics.create(name, 3)
    job = new_job(topics=[{"name": name, "key": {"from": "key", "encoding": "u64be"}}],
                  snapshot={"contents": "state", "shards": 4}, gates={"canary_keys": ["7"]})
    by_key = {"routing": "cel", "cel": {"columns": COLUMNS[:1]}}
    listed = {"expr": "key % 3 == 0 ? 'fizz' : key < 40 ? 'low' : 'high'", "columns": COLUMNS[:1]}
    changes = [({}, False), ({**by_key, "shards": 6}, True), ({}, False), ({"shards": 9}, True),
               ({"shards": None, "cel": {**listed, "routing_values": ["low", "high", "fizz"]}}, True), ({}, False)]
    topics.send(name, list(orders(400)))
    for round_, (change, whole) in enumerate(changes):
        job.write(snapshot=change)
        topics.send(name, [{"key": "7", "value": f"round {round_}", "partition": 2},
                           {"key": str(50 + round_), "value": None, "partition": 2}])
        output = job.build().output()
        assert ("makes the whole state anew" in output) == whole and ("carry over shard" in output) == (round_ in (2, 5))
        assert job.command("get", "7").strip() == f"round {round_}"
        assert job.json("verify")["verdict"] == "equal"
    assert len(job.current().shards) == 3
    runs = [name.split("run_id=")[1].split("/")[0] for name in sorted(job.manifests())]
    diff = json.loads(job.command("diff", "--json", *runs[3:5], check=False).stdout)
    assert diff["removed"] == 1 and diff["changed"] == 1 and diff["added"] == 0
    # a key that was there before has no shard in a shorter list: said, nothing is published, and it goes on
    before = job.pointer()
    job.write(snapshot={"cel": {**listed, "routing_values": ["low", "high"]}})
    topics.send(name, [{"key": "7", "value": "last", "partition": 0}])
    process = job.spawn("build")
    process.wait_for_text("is not among the routing values")
    process.stop()
    assert "of the base" in process.output() and job.pointer() == before
    job.write(snapshot={"cel": {**listed, "routing_values": ["low", "high", "fizz"]}})
    job.build()
    assert job.command("get", "7").strip() == "last"
    assert job.check(clean=True).snapshots == 7


def test_several_members(new_job, topics, name):
    """Numbers of inferred values are a member's own: what is compared and built are the values."""
    topics.create(name, 4)
    job = new_job(**settings_of("inferred", name), window={"trigger": "schedule", "every": "2s"})
    topics.send(name, list(orders(400, partitions=4)))
    members = [job.start(member=member) for member in ("one", "two")]
    harness.wait_for(lambda: job.published(), "a snapshot")
    topics.send(name, list(orders(200, partitions=4, seed=2)))
    harness.wait_for(lambda: job.published() > 1, "another snapshot")
    job.wait_until_clean()
    for process in members:
        process.stop()
    report = job.check()
    assert report.snapshots >= 2


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_expressions_mean_what_they_mean_to_readers(seed):
    """Random expressions, nested and damaged ones too, in ours and in the readers' own CEL."""
    program = harness.BINARY.parent.parent / "tests/cel/cel_say"
    script = harness.ROOT / "tests/cel/differential.py"
    result = subprocess.run([sys.executable, script, program, "--seed", str(seed), "--count", "6000"],
                            capture_output=True, text=True)
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-2000:]
    assert "0 differ" in result.stdout
