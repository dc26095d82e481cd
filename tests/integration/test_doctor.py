"""`tidemark doctor`: each thing that is wrong is one line, and the rest goes on."""
import json
import re
import socket
import pathlib

import pytest


def doctor(job, code):
    result = job.command("doctor", "--json", check=False, timeout=100)
    assert result.returncode == code, result.stdout + result.stderr
    report = json.loads(result.stdout)
    return {line["check"]: (line["level"], line["text"]) for line in report["checks"]}


@pytest.mark.parametrize("on_s3", [False, True])
def test_all_right(new_job, topics, name, on_s3):
    topics.create(name, 3)
    topics.send(name, [{"key": "k", "value": "v"}])
    job = new_job(on_s3=on_s3)
    lines = doctor(job, 15)  # one broker, an old client, no ledger yet
    assert lines["ledger"][0] == "warn" and "first start" in lines["ledger"][1]
    assert lines["status.listen"][0] == "ok"
    for check in ("brokers", f"topic {name}", "reading", "group", "store", "store clock", "work folder"):
        assert lines[check][0] == "ok", lines
    assert "3 partitions can be read" in lines["reading"][1]
    assert job.store.keys() == [] and list(pathlib.Path(job.settings["limits"]["work_folder"]).iterdir()) == []
    assert job.ledger() == []
    job.build()
    lines = doctor(job, 15)
    assert "replica" in lines["ledger"][1] and "ledger settings" not in lines
    assert lines["broker clock"][1].startswith("not compared: no member")
    assert job.command("doctor", check=False).stdout.count("\n") == len(lines)


def test_a_ledger_made_by_hand(new_job, topics, name):
    """With a broker's defaults it works, and each start reads all that was never compacted."""
    topics.create(name, 1)
    job = new_job()
    topics.create(job.settings["group"] + ".coordination", 1, {"cleanup.policy": "compact", "message.timestamp.type": "LogAppendTime"})
    lines = doctor(job, 15)
    level, text = lines["ledger settings"]
    assert lines["ledger"][0] == "warn" and level == "warn"
    assert "segment.ms is 604800000, better 3600000" in text and "min.cleanable.dirty.ratio is 0.50" in text


def test_beside_a_member(new_job, topics, name):
    """It has the port and the work folder, and shows the brokers' clock."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{free.getsockname()[1]}"
    topics.create(name, 1)
    job = new_job(status={"listen": place})
    process = job.start()
    process.wait_for_text(f"the status server listens on {place}")
    process.wait_for(lambda: job.records("PROGRESS"), "a member in the ledger")
    lines = doctor(job, 15)
    assert lines["status.listen"][0] == "ok" and "member one runs" in lines["status.listen"][1], lines
    assert lines["broker clock"][0] == "ok" and lines["broker clock"][1].startswith("within "), lines
    job.write(limits={"work_folder": str(job.folder / "another")})
    assert doctor(job, 3)["status.listen"] == ("FAIL", f"{place} is taken by another process; set status.listen to another port")
    assert process.stop() == 0


def test_what_is_wrong(new_job, topics, name):
    """Retention below a window, a topic that is not there, a ledger made by hand, folders that cannot be."""
    hour = 3_600_000
    topics.create(name, 1, {"retention.ms": str(hour), "segment.ms": str(hour)})
    topics.create(name + ".coordination", 2)
    job = new_job(window={"trigger": "event_time", "size": "2h", "out_of_orderness": "0s"},
                  dead_letter={"policy": "topic", "topic": name + "-letters"},
                  limits={"work_folder": "/proc/no-such-folder"})
    lines = doctor(job, 3)
    assert lines[f"topic {name}"][0] == "FAIL" and "retention.ms is 1.0 h" in lines[f"topic {name}"][1]
    assert lines["ledger"][0] == "FAIL" and "partitions is 2, must be 1" in lines["ledger"][1]
    assert lines["dead letters"][0] == "FAIL"
    assert lines["work folder"][0] == "FAIL" and lines["store"][0] == "ok" and lines["reading"][0] == "ok"
    job.write(window={"size": "30m"}, topics=[*job.settings["topics"], {"name": "missing", "key": {"from": "key", "encoding": "utf8"}}])
    lines = doctor(job, 3)
    assert lines[f"topic {name}"][0] == "warn" and lines["topic missing"][0] == "FAIL" and "reading" not in lines
    assert not lines["topic missing"][1].startswith("topic missing"), lines  # the check has the name already


def test_nobody_there(new_job, topics, name):
    job = new_job(on_s3=True, kafka={"brokers": "127.0.0.1:1"})
    job.write(s3={"endpoint": "http://127.0.0.1:1", "max_retries": 0})
    report = job.command("doctor", "--set", "log.level=info", check=False)
    assert report.returncode == 3 and report.stderr == ""  # what the Kafka client says is in the line
    for line in ("FAIL  brokers: .*Connection refused", "FAIL  store: .*Failed to connect", "ok    work folder: "):
        assert re.search("^" + line, report.stdout, re.M), report.stdout
