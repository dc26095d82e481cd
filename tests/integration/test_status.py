"""The status server of a real group: what it says before, during and after a build, and when something is wrong."""
import json
import os
import re
import socket
import urllib.error
import urllib.request

import harness
from test_content import plain

PLACE = re.compile(r"the status server listens on (\S+?)\"")


class Status:
    """The status server of one process."""

    def __init__(self, process):
        process.wait_for_text("the status server listens on")
        self.url = "http://" + PLACE.search(process.output()).group(1)

    def get(self, path, method="GET"):
        request = urllib.request.Request(self.url + path, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as answer:
            return answer.code, answer.headers, answer.read().decode()

    def json(self):
        status, headers, body = self.get("/status")
        assert status == 200 and headers["Content-Type"] == "application/json"
        return json.loads(body)

    def metrics(self):
        """{name{labels}: value}, with the label `group` taken out."""
        status, _, body = self.get("/metrics")
        assert status == 200
        out = {}
        for line in body.splitlines():
            if not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                out[re.sub(r"\{group=\"[^\"]*\",?", "{", name).replace("{}", "")] = float(value)
        return out

    def is_ready(self):
        return self.get("/readyz")[0] == 200


def start(job, member, *arguments, env=None):
    process = job.start(*arguments, member=member, env=env)
    return process, Status(process)


def leader_of(both):
    """The name of the member that leads, when all say the same; a member that joins may take the lead over."""
    answers = {name: status.json() for name, (_, status) in both.items()}
    names = [name for name, answer in answers.items() if answer["member"]["leads"]]
    said = {(answer["leader"], answer["term"]) for answer in answers.values()}
    return names[0] if len(names) == len(said) == 1 and said.pop()[0] == names[0] else None


def test_two_members(new_job, topics, name):
    """Before, during and after a build; then the leader dies."""
    job = new_job(on_s3=True)
    topics.create(name, 4)
    topics.send(name, plain(400, 4))
    both = {member: start(job, member) for member in ("a", "b")}
    for process, status in both.values():
        process.wait_for(status.is_ready, "/readyz answers 200")
        assert status.get("/livez")[::2] == (200, "ok\n")

    def all_read():
        return sum(s.metrics()["tidemark_records_read_total"] for _, s in both.values()) == 400
    harness.wait_for(all_read, "all records are counted")
    first = harness.wait_for(lambda: leader_of(both), "one leader")
    before = both[first][1].json()
    assert before["group"] == job.settings["group"] and before["leader"] == first
    assert before["head"] is None and before["member"]["term"] == before["term"]
    assert before["member"]["records"]["rejected"] == {} and before["live"] and before["ready"]
    assert before["publish_age_ms"] is None
    assert len(before["partitions"]) == 4 and len(before["members"]) == 2
    harness.wait_for(lambda: both["a"][1].json()["lag"] == 0, "a lag of 0")

    job.command("trigger", "--wait")
    for _, status in both.values():
        harness.wait_for(lambda s=status: s.json()["published_run_id"], "the snapshot in /status")
        after = status.json()
        assert after["head"]["published"] and after["open_build"] is None and after["windows_unpublished"] == 0
        harness.wait_for(lambda s=status: (s.json()["pointer"] or {}).get("is_head"), "the pointer in /status")
        metrics = status.metrics()
        assert metrics["tidemark_snapshots_published_total"] == 1
        assert metrics["tidemark_close_to_publish_seconds_count"] == 1
        assert 0 < metrics["tidemark_close_to_publish_seconds_sum"] < harness.PATIENCE
        assert metrics['tidemark_builds_committed_total{kind="build"}'] == 1
        stored = metrics['tidemark_build_records_total{outcome="stored"}']
        assert stored + metrics['tidemark_build_records_total{outcome="superseded"}'] == 400
        assert stored == len(job.rows())
        assert metrics["tidemark_publish_age_seconds"] < harness.PATIENCE
    attempts = [s.metrics()['tidemark_attempts_total{outcome="ok"}'] for _, s in both.values()]
    assert sum(attempts) == 4
    for _, status in both.values():
        planned = {why: status.metrics()[f'tidemark_attempts_planned_total{{why="{why}"}}']
                   for why in ("first", "again", "beside")}
        assert planned == {"first": 4, "again": 0, "beside": 0}
    assert both[first][1].metrics()['tidemark_store_requests_total{operation="put"}'] > 0

    # what the command says, the server says
    def differ():
        command, answer = job.json("status"), both["b"][1].json()
        return [field for field in ("group", "phase", "leader", "term", "published_run_id", "head", "open_build", "hold", "lag")
                if command[field] != answer[field]]
    harness.wait_for(lambda: not differ(), "that both have read as far")

    first = harness.wait_for(lambda: leader_of(both), "one leader")
    other = "b" if first == "a" else "a"
    term = both[other][1].json()["term"]
    both[first][0].kill()
    harness.wait_for(lambda: both[other][1].json()["member"]["leads"], "the other leads")
    harness.wait_for(lambda: both[other][1].json()["leader"] == other, "the ledger says so")
    assert both[other][1].json()["term"] > term
    assert both[other][1].metrics()["tidemark_term_changes_total"] >= 1
    harness.wait_for(lambda: both[other][1].metrics()["tidemark_partitions_assigned"] == 4, "all partitions")
    assert both[other][0].stop() == 0


def test_http(new_job, topics, name):
    """Methods, unknown pages, a port that is taken, and no server at all."""
    job = new_job()
    topics.create(name, 1)
    process, status = start(job, "a")
    for path in ("/livez", "/status", "/metrics"):
        code, headers, body = status.get(path, "HEAD")
        assert code == 200 and body == "" and int(headers["Content-Length"]) > 0
        code, headers, _ = status.get(path, "POST")
        assert code == 405 and headers["Allow"] == "GET, HEAD"
    code, _, body = status.get("/nothing")
    assert code == 404 and "/metrics" in body
    assert status.get("/livez?verbose")[0] == 200
    assert status.get("/" + "x" * 100000)[0] in (413, 414, 431)
    assert status.get("/livez")[0] == 200

    taken = status.url.removeprefix("http://")
    second = job.start("--set", f"status.listen={taken}", member="b")
    assert second.wait() == 3
    assert f"status.listen: {taken} is taken by another process" in second.output()
    assert str(job.file) in second.output()
    third = job.start("--set", "status.listen=off", member="b")
    third.wait_for_text("part=service")
    assert third.stop() == 0
    assert "the status server listens" not in third.output()
    assert process.stop() == 0


def test_default_port_is_taken(new_job, topics, name):
    """Nothing is set: a warning, and the service goes on without a status server."""
    job = new_job(status=None)
    topics.create(name, 1)
    with socket.socket() as holder:
        try:
            holder.bind(("127.0.0.1", 9464))
            holder.listen()
        except OSError:
            pass  # somebody else has it, which is as good
        process = job.start()
        process.wait_for_text("127.0.0.1:9464 is taken by another process")
        assert process.stop() == 0
    assert "level=warn part=status" in process.output()


def test_refused(new_job, topics, name):
    """Two members whose settings decode otherwise: the one that does not lead is not ready, and says why."""
    job = new_job()
    topics.create(name, 2)
    process, status = start(job, "a")
    process.wait_for(status.is_ready, "alone it is ready")
    both = {"a": (process, status), "b": start(job, "b", "--set", "topics[0].key.encoding=raw")}

    def says_why():
        leader = leader_of(both)
        if leader is None:
            return None
        other = both["b" if leader == "a" else "a"][1]
        code, _, body = other.get("/readyz")
        return other if code == 503 and f"settings differ from those of the leader {leader}" in body else None
    other = harness.wait_for(says_why, "not ready, with the reason")
    assert other.get("/livez")[0] == 200
    assert not other.json()["ready"] and other.metrics()["tidemark_ready"] == 0


def test_what_a_closed_build_waits_for(new_job, topics, name):
    """A member that reads slowly: the page and the command name the partition, how far it is, whose it is, and why."""
    job = new_job(limits={"records_per_second": 20})
    topics.create(name, 2)
    topics.send(name, [record for record in plain(800, 2) if record["partition"] == 1])
    process, status = start(job, "a")
    process.wait_for(status.is_ready, "/readyz answers 200")
    job.command("trigger")

    def waits():
        answer = status.json()
        return answer if (answer["open_build"] or {}).get("waits_for") and answer["members"][0]["paused"] else None
    answer = harness.wait_for(waits, "what is waited for, and why nothing is read")
    wait, = answer["open_build"]["waits_for"]
    assert (wait["topic"], wait["partition"], wait["from"], wait["cut"]) == (name, 1, 0, 400)
    assert (wait["owner"], wait["kind"]) == ("a", "reading") and 0 <= wait["position"] < 400
    assert wait["why"] == f"a has read up to {wait['position']}" and wait["why"] in answer["text"]
    assert "limits.records_per_second" in answer["members"][0]["paused"]
    said = f"build 1 waits for {name}/1 from 0 to 400: a has read up to"
    harness.wait_for(lambda: said in (status.json()["leading"] or ""), "the leader's words")
    assert status.metrics()["tidemark_open_build_waiting_partitions"] == 1
    text = job.command("status")
    assert re.search(rf"^WAITS FOR +PARTITION +FROM +CUT +POSITION +OWNER +WHY\n{name} +1 +0 +400 +\d+ +a +a has read",
                     text, re.M), text
    process.kill()


def test_a_missing_shard_number(new_job, topics, name):
    """Direct routing, and no row for shard 1: no member fails, and status says why nothing is built."""
    columns = [{"name": "key", "type": "int"}]
    job = new_job(topics=[{"name": name, "key": {"from": "key", "encoding": "u64be"}}],
                  snapshot={"routing": "cel", "shards": None, "cel": {"expr": "key % 2 * 2", "columns": columns}})
    topics.create(name, 1)
    topics.send(name, [{"key": str(i), "value": "v"} for i in range(10)])
    process = job.start(member="a")
    process.wait_for(lambda: job.records("PROGRESS"), "a member in the ledger")
    job.command("trigger")

    def says_why():
        text = job.json("status")["text"]
        return text if "none for shard 1" in text else None
    assert "is not planned" in process.wait_for(says_why, "which number is missing")
    process.kill()


def test_stuck_thread(new_job, topics, name, tmp_path):
    """Rejected records go to a pipe that nobody reads: the intake thread hangs, and /livez says so."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    keep = os.open(pipe, os.O_RDWR)  # so that it can be opened; a pipe holds 64 KiB, the service 1 MiB
    job = new_job(topics=[{"name": name, "key": {"from": "json:/id", "encoding": "utf8"}}],
                  dead_letter={"policy": "file", "path": str(pipe)}, status={"stuck_after": "2s"}, limits={"stop_timeout": "2s"})
    topics.create(name, 1)
    process, status = start(job, "a")
    process.wait_for(status.is_ready, "/readyz answers 200")
    assert status.get("/livez")[0] == 200
    topics.send(name, plain(8000, 1))

    def says_why():
        code, _, body = status.get("/livez")
        return code == 503 and "the intake thread has made no progress" in body
    harness.wait_for(says_why, "not alive, with the reason")
    assert status.metrics()['tidemark_thread_progress_age_seconds{thread="intake"}'] > 2
    assert not status.json()["live"]
    assert process.stop() == 0  # after limits.stop_timeout and ten seconds, though the thread still hangs
    os.close(keep)
