"""`tidemark verify`: equal where it is, each planted fault by its name, and what nobody can prove any more."""
import json
import pathlib
import sqlite3

import pytest
from kafka.admin import ConfigResource, ConfigResourceType

import harness
from produce import COMPACTED
from test_content import plain
from test_group import cut_to
from test_lost_range import EVERY, delete_records_below, publish_over_a_lost_range
from test_windows import BY_TIME, at

EQUAL, SETTINGS, DIFFERS, UNPROVED = 0, 3, 13, 14


def verify(job, *arguments, code=EQUAL):
    """The report; the command must end with `code`, and leave nothing behind."""
    result = job.command("verify", "--json", *arguments, check=False)
    assert result.returncode == code, result.stdout + result.stderr
    assert not list(pathlib.Path(job.settings["limits"]["work_folder"]).glob("verify*"))
    return json.loads(result.stdout) if code != SETTINGS else result.stderr


def findings(report, kind):
    return [f for f in report["findings"] if f["kind"] == kind]


def runs(job):
    """Of all snapshots, oldest first."""
    return [s["run_id"] for s in reversed(job.json("history")["snapshots"])]


def shard_files(job, manifest=None):
    manifest = manifest or job.current()
    return {e["db_id"]: pathlib.Path(e["db_url"].removeprefix("file://")) / "shard.db" for e in manifest.shards}


# ---- equal ----------------------------------------------------------------------------------------

def test_windows_by_event_time(new_job, topics, name):
    """Late rows, rows carried over, and one from the future; each of three snapshots, after a restart too."""
    topics.create(name, 2)
    job = new_job(window={**BY_TIME, "late": "next", "future": "keep", "idle_after": "1s"})
    topics.send(name, [at(0, 1), at(1, 1, key="ahead"), at(0, 2, partition=1), at(2, 1, partition=1), at(1, 9), at(0, 7)])
    process = job.start()
    process.wait_for(lambda: job.published() >= 1, "window 0")
    topics.send(name, [at(0, 3, key="late"), {**at(9, 0, key="far"), "timestamp_ms": 4_000_000_000_000},
                       at(2, 5), at(3, 1), at(3, 1, partition=1)])
    process.wait_for(lambda: job.published() >= 3, "window 2")
    assert process.stop() == 0
    job.check()
    accounts = []
    for run in runs(job):
        report = verify(job, "--run", run)
        assert report["verdict"] == "equal" and report["same_files"] > 0 and report["by_rows"] == 0
        accounts.append(job.json("info", "--run", run)["lineage"]["account"])
    assert sum(a["carried_in"] for a in accounts) > 0 and sum(a["carried_out"] for a in accounts) > 0


@pytest.mark.parametrize("window", [{"trigger": "offsets", "every_records": 100},
                                    {"trigger": "schedule", "every": "1s"}])
def test_other_triggers(new_job, topics, name, window):
    topics.create(name, 1)
    job = new_job(window=window, snapshot={"shards": None, "max_keys_per_shard": 20})
    topics.send(name, plain(120, seed=1))
    process = job.start()
    process.wait_for(lambda: job.published() >= 1, "a snapshot")
    topics.send(name, plain(120, seed=2))
    process.wait_for(lambda: cut_to(job) > 140, "a build of what came later")
    job.wait_until_clean()
    assert process.stop() == 0
    verdicts = [verify(job, "--run", run)["verdict"] for run in runs(job)]
    assert len(verdicts) >= 2 and set(verdicts) == {"equal"}, verdicts


def test_topics_and_transactions_on_s3(new_job, topics, name):
    """Two topics, one compacted; open and aborted transactions; bad records. Nothing joins the group."""
    topics.create(name, 2)
    other = name + "-other"
    topics.create(other, 1, COMPACTED)
    topic = {"key": {"from": "key", "encoding": "utf8"}}
    job = new_job(on_s3=True, topics=[{"name": name, **topic}, {"name": other, **topic}],
                  dead_letter={"policy": "drop"})
    topics.send(name, plain(100, 2))
    topics.send(name, [{"value": "no key", "partition": 0}, {"key": "key-1", "value": None, "partition": 1}])
    topics.transaction(name, plain(30, 2, seed=5), "abort")
    end = topics.transaction(name, plain(10, 1, seed=6), "hang")
    topics.send(other, plain(60, seed=3))
    job.build()
    end(commit=True)
    topics.send(name, plain(20, 2, seed=8))
    before = job.store.keys()
    report = verify(job)
    assert (report["verdict"], report["shards"], report["by_rows"]) == ("equal", 4, 0)
    assert verify(job, "--sample", "1")["shards"] == 1
    assert job.store.keys() == before
    # the whole service goes on, and its next snapshot is right as well
    job.build()
    assert verify(job)["verdict"] == "equal"
    job.check(clean=True)


def test_memory(new_job, topics, kafka, name):
    """Much more data than the budget: the peak stays near it."""
    from produce import produce_many
    produce_many(harness.PRODUCER, kafka.bootstrap, name, 500_000, 4, keys=400_000, value_bytes=400)
    job = new_job(topics=[{"name": name, "key": {"from": "key", "encoding": "raw"}}],
                  limits={"memory_budget": "64MiB"})
    job.build(timeout=200)
    job.write()
    script = ("import resource, subprocess, sys; code = subprocess.call(sys.argv[1:]);"
              "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024); sys.exit(code)")
    import subprocess
    import sys
    result = subprocess.run([sys.executable, "-c", script, str(harness.BINARY), "verify", "-c", str(job.file)],
                            env=job.environment, capture_output=True, text=True, timeout=200)
    assert result.returncode == 0, result.stdout + result.stderr
    peak = int(result.stdout.splitlines()[-1])
    assert "asan" in str(harness.BINARY) or peak < 64 + 40, f"{peak} MiB"


# ---- planted faults -------------------------------------------------------------------------------

@pytest.fixture
def published(job, topics, name):
    topics.create(name, 2)
    topics.send(name, plain(200, 2))
    job.build()
    return job


def winners(job, topics, name):
    """Key -> (partition, offset) of the newest record."""
    import topics as reader
    best = {}
    for record in reader.read_topic(job.kafka.bootstrap, name):
        best[record.key] = max(best.get(record.key, (-1, -1)), (record.partition, record.offset))
    return best


def change(path, statement, *values):
    with sqlite3.connect(path) as db:
        db.execute(statement, values)
    db.close()


def test_rows_that_differ(published, topics, name):
    """A row changed, one removed, one added: each by key, shard, and the record that should have won."""
    job = published
    best = winners(job, topics, name)
    shard, path = next(iter(shard_files(job).items()))
    with sqlite3.connect(path) as db:
        keys = [key for key, in db.execute("SELECT k FROM kv ORDER BY k")]
    change(path, "UPDATE kv SET v = x'00ff' WHERE k = ?", keys[0])
    change(path, "DELETE FROM kv WHERE k = ?", keys[1])
    change(path, "INSERT INTO kv VALUES (?, ?)", b"nobody sent this", b"x")
    report = verify(job, code=DIFFERS)
    for kind, key in (("row_changed", keys[0]), ("row_missing", keys[1])):
        finding, = findings(report, kind)
        assert (finding["shard"], json.loads(finding["key"])) == (shard, key.decode())
        assert (finding["topic"], finding["partition"], finding["from"]) == (name, *best[key])
    changed, = findings(report, "row_changed")
    assert changed["found"].startswith("2 bytes, sha256 ") and changed["found"].endswith(r'"\x00\xff"')
    assert "value " in changed["expected"]
    extra, = findings(report, "row_extra")
    assert json.loads(extra["key"]) == "nobody sent this" and extra["topic"] is None
    # the sidecar is of the file that was there
    assert report["counts"]["row_changed"] == report["counts"]["row_missing"] == report["counts"]["row_extra"] == 1
    assert not findings(report, "account") and not findings(report, "manifest")
    text = job.command("verify", check=False).stdout
    assert "DIFFERS" in text and f"{name}/{best[keys[1]][0]} offset {best[keys[1]][1]}" in text
    # counted in full, listed up to the limit
    change(path, "DELETE FROM kv")
    report = verify(job, "--limit", "2", code=DIFFERS)
    assert len(findings(report, "row_missing")) == 2 and report["counts"]["row_missing"] == len(keys)


def test_shards_that_are_swapped(published):
    (a, one), (b, two) = list(shard_files(published).items())[:2]
    data = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(data)
    report = verify(published, code=DIFFERS)
    said = {f["shard"]: f["what"] for f in findings(report, "file")}
    assert said[a] == f"its file is that of shard {b}" and said[b] == f"its file is that of shard {a}"
    assert {f["expected"] for f in findings(report, "row_extra")} == {f"the key belongs to shard {a}", f"the key belongs to shard {b}"}


def test_objects_that_are_lost_or_damaged(published):
    job = published
    files = shard_files(job)
    (a, one), (b, two), (c, three) = list(files.items())[:3]
    sidecar = one.with_name("shard.sidecar")
    data = bytearray(sidecar.read_bytes())
    data[-20] ^= 1
    sidecar.write_bytes(bytes(data))
    two.unlink()
    three.write_bytes(three.read_bytes()[:1000])
    report = verify(job, code=DIFFERS)
    assert [f["shard"] for f in findings(report, "sidecar")][:1] == [a]
    assert {f["shard"] for f in findings(report, "file")} == {b, c}
    assert {f["shard"] for f in findings(report, "row_missing")} >= {b}


def edit_manifest(job, edit):
    """Writes the current manifest anew, as whoever wants to deceive would."""
    manifest = job.current()
    path = pathlib.Path(job.store.root) / manifest.key
    with sqlite3.connect(path) as db:
        edit(db)
    db.close()


def edit_lineage(db, edit):
    custom = json.loads(db.execute("SELECT custom FROM build_meta").fetchone()[0])
    edit(custom["tidemark"])
    db.execute("UPDATE build_meta SET custom = ?", [json.dumps(custom, sort_keys=True, separators=(",", ":"))])


def test_a_manifest_that_lies(published, name):
    job = published
    shards = sorted(shard_files(job))

    def edit(db):
        db.execute("UPDATE shards SET row_count = row_count + 1 WHERE db_id = ?", [shards[0]])
        db.execute("UPDATE shards SET min_key = '\"aaa\"' WHERE db_id = ?", [shards[1]])
        db.execute("UPDATE shards SET db_bytes = 5 WHERE db_id = ?", [shards[2]])
        db.execute("UPDATE shards SET checkpoint_id = (SELECT checkpoint_id FROM shards WHERE db_id = ?) WHERE db_id = ?",
                   [shards[0], shards[3]])

        def lie(lineage):
            lineage["partitions"][0]["account"]["superseded"] += 1
            lineage["partitions"][1]["account"]["rejected"] = 7
        edit_lineage(db, lie)
    edit_manifest(job, edit)
    report = verify(job, code=DIFFERS)
    said = {(f["shard"], f["what"]) for f in findings(report, "manifest")}
    assert {(shards[0], "row_count"), (shards[1], "min_key"), (shards[2], "db_bytes")} <= said
    assert len(said) == 4 and "checkpoint_id" in {what for _, what in said}
    wrong = {(f["topic"], f["partition"], f["what"]): (int(f["found"]) - int(f["expected"]))
             for f in findings(report, "account")}
    assert wrong == {(name, 0, "superseded"): 1, (name, 1, "rejected"): 7}
    assert report["same_files"] == 4


def test_a_lineage_with_another_cut(published, topics, name):
    """Cuts that were moved: rows and account say so."""
    def edit(db):
        edit_lineage(db, lambda lineage: lineage["made_of"]["partitions"][0].update(cut=90))
    edit_manifest(published, edit)
    report = verify(published, code=DIFFERS)
    assert ("read", "90", "100") in {(f["what"], f["expected"], f["found"]) for f in findings(report, "account")}


def test_other_settings_are_refused(published):
    published.write(snapshot={"shards": 5, "order": "event_time"})
    errors = verify(published, code=SETTINGS)
    assert "shards=4 there" in errors and "shards=5 here" in errors and "order=event_time here" in errors


@pytest.mark.parametrize("layout, said", [("0", "version 0"), (None, "SQLite 3.7.0")])
def test_another_layout(published, layout, said):
    """Its files differ byte for byte, so rows are compared; nothing is called different for that. Without a version of the
    layout it was SQLite's own, of the version that is named."""
    def change(lineage):
        made_by = lineage["made_by"]
        assert made_by.pop("kv_version") not in ("0", "")
        made_by["sqlite_version"] = "3.7.0"
        if layout is not None:
            made_by["kv_version"] = layout
    edit_manifest(published, lambda db: edit_lineage(db, change))
    for path in shard_files(published).values():
        data = bytearray(path.read_bytes())
        data[96:100] = (3007000).to_bytes(4, "big")
        path.write_bytes(bytes(data))
    report = verify(published, code=DIFFERS)  # the sidecars have the header page in them
    assert report["by_rows"] == 4 and report["same_files"] == 0
    assert not any(report["counts"][kind] for kind in ("row_changed", "row_missing", "row_extra", "file", "manifest", "account"))
    assert said in findings(report, "note")[0]["what"]


# ---- not provable ---------------------------------------------------------------------------------

def test_retention(published, topics, name, kafka):
    job = published
    delete_records_below(kafka.bootstrap, name, 30)
    report = verify(job, code=UNPROVED)
    finding, = findings(report, "unproved")
    assert (finding["topic"], finding["partition"], finding["from"], finding["to"]) == (name, 0, 0, 30)
    assert "begins at 30" in finding["found"] and report["records"] == 0
    assert "equal" not in job.command("verify", check=False).stdout
    # what needs no log is compared all the same
    edit_manifest(job, lambda db: db.execute("UPDATE shards SET row_count = row_count + 1 WHERE db_id = 0"))
    report = verify(job, code=DIFFERS)
    assert [(f["shard"], f["what"]) for f in findings(report, "manifest")] == [(0, "row_count")]


def test_a_skipped_range(new_job, topics, name, kafka):
    """What an operator gave up is in the lineage, and asked for no more."""
    job = new_job(window=EVERY)
    publish_over_a_lost_range(job, topics, name, kafka)
    assert verify(job)["verdict"] == "equal"
    first = verify(job, "--run", runs(job)[0], code=UNPROVED)
    assert [(f["from"], f["to"]) for f in findings(first, "unproved")] == [(0, 100)]


def test_compaction(new_job, topics, name):
    """Records that the log cleaner took: superseded ones are noted, newest ones are not proved."""
    topics.create(name, 1, COMPACTED)
    job = new_job()
    topics.send(name, [{"key": f"k{i % 10}", "value": f"v{i}"} for i in range(100)])
    job.build()
    topics.send(name, [{"key": "k3", "value": "newer"}])

    def compacted():
        import topics as reader
        return sum(r.offset < 100 for r in reader.read_topic(job.kafka.bootstrap, name)) == 9
    topics.compact(name, 1, compacted)
    # still a compacted topic, whose cleaner has nothing to do at the defaults
    topics.admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, {"cleanup.policy": "compact"})])
    report = verify(job, code=UNPROVED)
    rows = [f for f in findings(report, "unproved") if f["key"]]
    assert [json.loads(f["key"]) for f in rows] == ["k3"]
    assert not any(report["counts"][kind] for kind in ("row_changed", "row_missing", "row_extra", "account", "file"))
    # a row that is wrong is told from one that cannot be proved
    path = next(p for p in shard_files(job).values())
    with sqlite3.connect(path) as db:
        key = next(k for k, in db.execute("SELECT k FROM kv") if k != b"k3")
    db.close()
    change(path, "UPDATE kv SET v = 'wrong' WHERE k = ?", key)
    report = verify(job, code=DIFFERS)
    assert [json.loads(f["key"]) for f in findings(report, "row_changed")] == [key.decode()]


# ---- diff -----------------------------------------------------------------------------------------

def diff(job, *arguments):
    result = job.command("diff", "--json", *arguments, check=False)
    assert result.returncode in (0, DIFFERS), result.stderr
    return result.returncode, json.loads(result.stdout)


@pytest.mark.parametrize("on_s3", [False, True])
def test_diff(new_job, topics, name, on_s3):
    """By shard, in all, by key; with another number of shards as a whole."""
    topics.create(name, 1)
    job = new_job(on_s3=on_s3)
    topics.send(name, [{"key": f"k{i}", "value": "same" if i < 30 else "old"} for i in range(40)])
    job.build()
    topics.send(name, [{"key": f"k{i}", "value": "same" if i < 30 else "new"} for i in range(2, 42)])
    job.build()
    first, second = runs(job)
    want = {"added": {"k40", "k41"}, "removed": {"k0", "k1"}, "changed": {f"k{i}" for i in range(30, 40)}}
    cache = ["--cache", str(job.folder / "cache")]
    code, report = diff(job, first, "--keys", *cache)
    assert code == DIFFERS and report["after"] == second
    assert {word: {json.loads(k["key"]) for k in report["keys"] if k["change"] == word} for word in want} == want
    assert all(sum(s[word] for s in report["shards"]) == report[word] == len(want[word]) for word in want)
    assert report["equal"] == 28 and report["keys_left_out"] == 0
    code, report = diff(job, first, second, "--keys", "--limit", "3", *cache)
    assert len(report["keys"]) == 3 and report["keys_left_out"] == 11
    code, report = diff(job, first, first, *cache)
    assert code == EQUAL and report["equal"] == 40 and report["same_files"] == 4

    job.write(snapshot={"shards": 3})
    topics.send(name, [{"key": f"k{i}", "value": "same" if i < 30 else "new"} for i in range(2, 41)])
    job.build()
    code, report = diff(job, second, "--keys", *cache)
    assert code == DIFFERS and report["shards"] == []
    assert [(k["change"], json.loads(k["key"])) for k in report["keys"]] == [("removed", "k41")]
    assert report["equal"] == 39
    assert job.command("diff", first, "b9-no-such-run", check=False).returncode == 4


# ---- contents `state` ------------------------------------------------------------------------------

def test_a_state_and_what_it_stands_on(new_job, topics, name):
    """The last build on its base; with --deep back to the first, until a fault, a gap, or other settings."""
    topics.create(name, 2)
    job = new_job(snapshot={"contents": "state", "shards": 4})
    topics.send(name, plain(300, 2, keys=80))
    job.build()
    topics.send(name, [{"key": "key-3", "value": None}, {"key": "key-4", "value": "new"}])
    job.build()
    topics.send(name, [{"key": "key-5", "value": "newer"}])
    job.build()
    job.check(clean=True)
    first, second, third = runs(job)
    report = verify(job)
    assert report["base"] == second and report["same_files"] == 4
    report = verify(job, "--deep")
    assert [r["run_id"] for r in report["older"]] == [second, first] and report["older"][1]["base"] is None
    assert {r["verdict"] for r in report["older"]} == {"equal"} and report["older"][1]["records"] >= 300
    # a key too many in the last one; its base is right
    path = next(iter(shard_files(job).values()))
    kept = path.read_bytes()
    with sqlite3.connect(path) as database:
        database.execute("DELETE FROM kv WHERE k = (SELECT min(k) FROM kv)")
    database.close()
    assert findings(verify(job, code=DIFFERS), "row_missing")
    path.write_bytes(kept)
    # one that is wrong far back is found only there
    manifest = next(m for m in job.check().manifests if m.run_id == first)
    path = next(iter(shard_files(job, manifest).values()))
    with sqlite3.connect(path) as database:
        database.execute("UPDATE kv SET v = X'00' WHERE k = (SELECT min(k) FROM kv)")
    database.close()
    assert verify(job)["verdict"] == "equal"
    assert verify(job, "--deep", code=DIFFERS)["older"][0]["run_id"] == second
    # other settings are where the proof ends; and so is a run that is gone
    job.write(snapshot={"shards": 2})
    topics.send(name, [{"key": "key-6", "value": "newest"}])
    job.build()
    report = verify(job, "--deep", code=UNPROVED)
    assert report["verdict"] == "equal" and report["base"] == third and "shards=4 there" in report["older"][0]["text"]
    job.store.delete(next(m for m in job.manifests() if third in m))
    assert third in findings(verify(job, code=UNPROVED), "unproved")[0]["text"]
