"""The commands on a real service: what an operator is told, and reading from a real S3 server."""
import json
import signal
import subprocess

import pytest

import harness
from test_content import plain


def run(job, *arguments, env=None, stdin=""):
    """The program without a settings file; (exit code, output, errors)."""
    result = subprocess.run([str(harness.BINARY), *map(str, arguments)], input=stdin, capture_output=True, text=True,
                            timeout=harness.PATIENCE, env={**job.environment, **(env or {})})
    return result.returncode, result.stdout, result.stderr


def test_readers_on_s3(new_job, topics, s3, name, tmp_path):
    """Without a settings file: the URL on the command line, the rest from the environment."""
    job = new_job(on_s3=True)
    topics.create(name, 2)
    topics.send(name, plain(300, 2))
    job.build()
    rows = {key.decode(): value.decode() for key, value in job.rows().items()}
    assert len(rows) == 50
    url = job.settings["snapshot"]["store"]
    cache = tmp_path / "cache"
    env = {"AWS_ENDPOINT_URL": s3.endpoint, "AWS_REGION": "us-east-1"}
    reader = ["--snapshot", url, "--cache", cache]

    code, out, errors = run(job, "multiget", *reader, "--json", "-", env=env, stdin="\n".join(rows))
    assert code == 0, errors
    answer = json.loads(out)
    assert {item["key"]: item["value"] for item in answer["results"]} == rows
    files = sorted(cache.iterdir())
    assert len(files) == 4 and all(f.name.endswith(".db") for f in files)

    # by range: the sidecar while it is opened, then one page for the key
    key = next(iter(rows))
    code, out, errors = run(job, "get", "--snapshot", url, "--reading", "range", "--json", key, env=env)
    assert code == 0, errors
    answer = json.loads(out)
    assert (answer["value"], answer["by_range"]) == (rows[key], True)
    assert (answer["opening"]["requests"], answer["look_up"]["requests"]) == (3, 1)

    # what was downloaded is not asked for again: it answers after the store has lost it
    key = next(iter(rows))
    for object_key in job.store.keys():
        if object_key.endswith("shard.db"):
            job.store.delete(object_key)
    assert run(job, "get", *reader, key, env=env)[:2] == (0, rows[key])
    other = ["--snapshot", url, "--cache", tmp_path / "other"]
    assert run(job, "get", *other, key, env=env)[0] == 12
    assert run(job, "get", *reader, "no such key", env=env)[0] == 4
    assert run(job, "info", "-s", url, "--json", env=env)[0] == 0

    # what an operator must change, and what does not answer, end differently
    wrong = {**env, "AWS_SECRET_ACCESS_KEY": "wrong"}
    code, _, errors = run(job, "info", "-s", url, env=wrong)
    assert code == 3, errors
    assert "wrong" not in errors


def test_exit_codes(new_job, topics, s3, name):
    """What does not answer, and what somebody must change, as docs/exit-codes.md has it: all at the same time."""
    topics.create(name, 1)
    topics.create("wrong-" + name + ".coordination", 2)
    runner = new_job(group="held-" + name, topics=[{"name": name, "key": {"from": "key", "encoding": "utf8"}}])
    runner.start().wait_for_text("part=service")
    quick = ["--set", "s3.max_retries=1"]
    cases = {
        "store refused": (5, "build", [*quick, "--set", "s3.endpoint=http://127.0.0.1:1"], {}, "Failed to connect"),
        "store has no name": (5, "build", [*quick, "--set", "s3.endpoint=http://no-such-host.invalid"], {}, "resolve"),
        "store forbids": (3, "build", quick, {"AWS_SECRET_ACCESS_KEY": "wrong"}, "403"),
        "no bucket": (3, "build", [*quick, "--set", "snapshot.store=s3://no-such-bucket/x"], {}, "NoSuchBucket"),
        "store refused, when read": (5, "info", [*quick, "--set", "s3.endpoint=http://127.0.0.1:1"], {}, "Failed to connect"),
        "broker refused": (6, "status", ["--set", "kafka.brokers=127.0.0.1:1"], {}, "Connection refused"),
        "broker has no name": (6, "status", ["--set", "kafka.brokers=no-such-host.invalid:1"], {}, "resolve"),
        "no topic": (3, "build", ["--set", "topics[0].name=missing"], {}, 'no topic "missing"'),
        "ledger made by hand": (3, "build", ["--set", f"group=wrong-{name}"], {}, "partitions is 2"),
        "work folder in use": (3, "run", ["--set", f"limits.work_folder={runner.settings['limits']['work_folder']}"], {}, "in use by"),
        "bad settings": (3, "check", ["--set", "window.size=never"], {}, "window.size"),
        "bad command line": (2, "status", ["--wotch"], {}, "--watch"),
        "no ledger": (4, "status", ["--set", "group=never-was"], {}, "never-was.coordination"),
    }
    job = new_job(on_s3=True)
    processes = {case: job.spawn(command, *arguments, env=env, member=f"m{i}" if "folder" not in case else None)
                 for i, (case, (_, command, arguments, env, _)) in enumerate(cases.items())
                 if command in ("build", "run")}
    for case, (code, command, arguments, env, text) in cases.items():
        if case in processes:
            got, said = processes[case].wait(), processes[case].output()
        else:
            result = job.command(command, *arguments, env=env, check=False)
            got, said = result.returncode, result.stdout + result.stderr
        assert got == code and text in said, f"{case}: {got}, wanted {code}\n{said}"


def test_watching(new_job, topics, name):
    """`status --watch` in a pipe: one answer below the other, until a signal, which is a good end."""
    job = new_job()
    topics.create(name, 1)
    job.build()
    process = job.spawn("status", "--watch=1")
    process.wait_for(lambda: process.output().count("group        ") >= 3, "three answers")
    assert "\033" not in process.output()
    process.signal(signal.SIGINT)
    assert process.wait() == 0
    process = job.spawn("status", "--watch=1", "--json")
    process.wait_for(lambda: process.output().count("\n") >= 2, "two answers")
    process.signal(signal.SIGTERM)
    assert process.wait() == 0
    assert [json.loads(line)["group"] for line in process.output().splitlines()][:2] == [job.settings["group"]] * 2


def test_a_wish_and_its_answer(new_job, topics, name):
    job = new_job()
    topics.create(name, 2)
    topics.send(name, plain(100, 2))
    process = job.start()
    process.wait_for(lambda: job.records("PROGRESS"), "a member in the ledger")
    first = job.json("trigger", "--wait", "--why", "the first")
    assert (first["state"], first["text"].startswith(f"build {first['build']}")) == ("published", True)
    assert job.pointer()["run_id"] == first["run_id"]
    nothing = job.json("trigger", "--wait")
    assert (nothing["state"], nothing["run_id"]) == ("published", None)
    status = job.json("status")
    assert status["alive"] and status["leader"] == "one" and status["lag"] == 0
    assert status["head"]["run_id"] == first["run_id"] and status["pointer"]["is_head"]
    assert sum(p["cut"] for p in status["partitions"]) == 100

    assert job.json("hold", "--why", "lunch")["state"] == "held"
    status = job.json("status")
    assert (status["phase"], status["hold"]["why"], status["hold"]["held"]) == ("holding", "lunch", True)
    assert job.json("resume", "--adopt")["state"] == "resumed"
    assert job.json("resume", "--adopt")["state"] == "not_held"

    # the service cleans up by itself
    assert job.command("cleanup", check=False).returncode == 7
    assert process.stop() == 0
    status = job.json("status")
    assert not status["alive"] and status["members"][0]["state"] == "left"
    assert job.json("hold", check=True)["state"] == "no_leader"


def test_a_cut_by_hand(new_job, topics, name):
    job = new_job()
    topics.create(name, 1)
    topics.send(name, plain(100, 1))
    process = job.start()
    process.wait_for(lambda: job.records("PROGRESS"), "a member in the ledger")
    for cut, text in ((f"{name}/0=101", "can be read up to offset 100, not 101"), (f"{name}/1=0", f"there is no partition {name}/1")):
        refused = job.command("trigger", "--cut", cut, check=False)
        assert refused.returncode == 2 and text in refused.stderr
    assert not job.records("TRIGGER")
    answer = job.json("trigger", "--wait", "--cut", f"{name}/0=40")
    assert answer["state"] == "published"
    info = job.json("info")
    assert [(p["cut"], p["account"]["read"]) for p in info["lineage"]["partitions"]] == [(40, 40)]
    refused = job.command("trigger", "--cut", f"{name}/0=39", check=False)
    assert refused.returncode == 2 and f"{name}/0 is published up to offset 40, and 39 is below that" in refused.stderr
    assert len(job.records("COMMIT")) == 1
    assert process.stop() == 0


@pytest.mark.parametrize("command", ["status", "cleanup"])
def test_no_broker(new_job, command):
    job = new_job(kafka={"brokers": "127.0.0.1:1", "session_timeout": "6s"})
    result = job.command(command, check=False, timeout=100)
    assert result.returncode == 6, result.stderr
    assert len(result.stderr.splitlines()) == 1, result.stderr
