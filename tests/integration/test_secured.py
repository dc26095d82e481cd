"""A cluster with TLS, users and rights: what works with exactly the rights of docs/operations.md, and what is said without one."""
import json
import re
import time
import urllib.request

import harness
import oracle
import pytest
import secured
from produce import Topics
from test_content import plain

WRONG = "wr0ng-s3cr3t"


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    folder = tmp_path_factory.mktemp("secured")
    server = secured.SecuredKafka(folder / "node", secured.make_certificates(folder / "certificates"))
    try:
        yield server.start(1)
    finally:
        server.stop()


@pytest.fixture(scope="module")
def plain_topics(broker):
    maker = Topics(broker.bootstrap)
    yield maker
    maker.close()


@pytest.fixture
def rights(broker):
    made = secured.Rights(broker.bootstrap)
    yield made
    made.close()


@pytest.fixture
def new_secured(new_job, broker, tmp_path):
    """A function that makes a Job whose user is `user`; its password is in a file."""
    for user, password in {**secured.USERS, "wrong": WRONG}.items():
        (tmp_path / user).write_text(password + "\n")

    def make(user="member", password=None, mechanism="PLAIN", suffix="", **change):
        properties = {
            "security.protocol": "SASL_SSL", "sasl.mechanism": mechanism, "sasl.username": user,
            "sasl.password": f"${{file:{tmp_path}/{password or user}}}", "ssl.ca.location": f"{broker.certificates}/ca.pem",
        }
        properties.update(change.pop("properties", {}))
        pairs = [[name, value] for name, value in properties.items() if value is not None]
        job = new_job(suffix, kafka={"brokers": broker.secured, "properties": pairs}, **change)
        job.kafka = broker  # the tests' own clients take the plain listener
        return job

    return make


def needed(topic, group, ledger=None):
    """The list of docs/operations.md, "Secured clusters"."""
    return [("topic", topic, "Read DescribeConfigs"), ("topic", ledger or f"{group}.coordination", "Read Write DescribeConfigs Create"),
            ("group", group, "Read"), ("group", f"{group}.leader", "Read"), ("transactional-id", f"{group}.leader", "Write")]


def assert_no_secret(*texts):
    for text in texts:
        for secret in secured.SECRETS:
            assert secret not in text


def run_to_end(job, command, *arguments, code):
    """A command to its end: everything it said, and how many seconds it took."""
    begin = time.monotonic()
    result = job.command(command, *arguments, check=False, timeout=100)
    said = result.stdout + result.stderr
    assert result.returncode == code, said[-3000:]
    assert_no_secret(said)
    return said, time.monotonic() - begin


def test_a_group_with_its_rights(new_secured, broker, plain_topics, rights, name):
    """Two members and all commands, over TLS with a password, with the documented rights and no others."""
    plain_topics.create(name, 4)
    plain_topics.send(name, plain(400, 4, keys=300))
    job = new_secured(window={"trigger": "offsets", "every_records": 400}, status={"listen": "127.0.0.1:0"})
    rights.set(needed(name, name))
    said = [job.command("check"), job.command("doctor", check=False).stdout]
    assert "FAIL" not in said[1], said[1]
    one, two = job.start(), job.start(member="two")
    one.wait_for(lambda: job.published() >= 1, "a snapshot")
    for process in (one, two):
        process.wait_for_text("assigned 2 partitions")
    plain_topics.send(name, plain(400, 4, keys=300, seed=2))
    one.wait_for(lambda: job.published() >= 2, "another snapshot")
    place = re.search(r"the status server listens on ([0-9.:]+)", one.output())[1]
    pages = [urllib.request.urlopen(f"http://{place}/{page}", timeout=20).read().decode() for page in ("status", "metrics")]
    status = json.loads(pages[0])
    assert sum(p["lag"] for p in status["partitions"]) == 0
    said += [job.command(*words) for words in (("status",), ("status", "--json"), ("history",), ("trigger",), ("verify",),
                                                ("hold", "--why", "a try"), ("resume", "--adopt"))]
    assert "equal" in said[-3]
    assert two.stop() == 0 and one.stop() == 0
    said.append(job.build().output())
    onlooker = secured.Rights(broker.bootstrap, "nobody")
    onlooker.set([("topic", name, "Read DescribeConfigs"), ("topic", f"{name}.coordination", "Read DescribeConfigs"), ("group", name, "Read")])
    looks = new_secured(user="nobody", suffix="-looks", group=name, snapshot=job.settings["snapshot"])
    looks.write(topics=job.settings["topics"], window=job.settings["window"])
    said += [looks.command("status"), looks.command("verify"), looks.command("history")]
    refused, _ = run_to_end(looks, "hold", "--why", "x", code=3)
    assert f"what is needed: Write on the topic {name}.coordination" in refused
    onlooker.set([])
    onlooker.close()
    assert_no_secret(*said, *pages, one.output(), two.output(), *(str(d) for _, _, d in job.ledger()))
    oracle.check({**job.settings, "kafka": {**job.settings["kafka"], "brokers": broker.bootstrap}}, job.environment)


def test_scram(new_secured, plain_topics, rights, name):
    """SCRAM of librdkafka before 2.6.1 cannot log in to Kafka 4, and that is said."""
    plain_topics.create(name, 1)
    plain_topics.send(name, plain(10, 1))
    job = new_secured(mechanism="SCRAM-SHA-512")
    rights.set(needed(name, name))
    if harness.client_version() >= (2, 6, 1):
        assert_no_secret(job.build().output())
    else:
        said, _ = run_to_end(job, "build", code=3)
        assert "SCRAM of librdkafka before 2.6.1" in said and "SCRAM-SHA-512" in said
    report = json.loads(job.command("doctor", "--json", check=False).stdout)
    warned = [line["text"] for line in report["checks"] if line["check"] == "login" and line["level"] == "warn"]
    assert len(warned) == (harness.client_version() < (2, 6, 1)) and all("Kafka 4" in text for text in warned), report
    said, _ = run_to_end(new_secured(mechanism="SCRAM-SHA-512", password="wrong", suffix="-wrong"), "build", code=3)
    assert "look at sasl.username and sasl.password" in said and "SCRAM-SHA-512" in said


REFUSED = {
    "password": ({"password": "wrong"}, ["Authentication failed", "with PLAIN); look at sasl.username and sasl.password"]),
    "mechanism": ({"mechanism": "SCRAM-SHA-256"}, ["supported mechanisms: SCRAM-SHA-512", "; look at sasl.mechanism"]),
    "ca": ({"properties": {"ssl.ca.location": "other.pem"}}, ["certificate verify failed", "; look at ssl.ca.location"]),
    "host": ({}, ["certificate verify failed", "; look at ssl.ca.location"]),
    "no-ca": ({"properties": {"ssl.ca.location": None}}, ["certificate verify failed", "; look at ssl.ca.location"]),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused(new_secured, broker, name, what):
    """Who is not let in hears why within seconds: 3 s, and as much again where the machine is busy."""
    change, texts = REFUSED[what]
    change = {**change, "properties": {k: v and f"{broker.certificates}/{v}" for k, v in change.get("properties", {}).items()}}
    job = new_secured(**change)
    place = broker.secured
    if what == "host":
        place = place.replace("127.0.0.1", "localhost")  # which is not in the certificate
        job.write(kafka={"brokers": place})
    for command in (("run",), ("build",), ("status",), ("hold", "--why", "x"), ("doctor",)):
        said, took = run_to_end(job, *command, code=3)
        for text in (place, *texts):
            assert text in said, said
        assert took < 15, f"{command} took {took} s"


def test_a_file_that_is_not_there(new_secured, name):
    job = new_secured(properties={"ssl.ca.location": "/no/such/ca.pem"})
    said, took = run_to_end(job, "run", code=3)
    assert 'ssl.ca.location = "/no/such/ca.pem" cannot be used' in said and took < 10


@pytest.mark.parametrize("protocol", ["PLAINTEXT", "SASL_PLAINTEXT", "SASL_SSL"])
def test_another_protocol(new_secured, broker, name, protocol):
    """It may also be a broker that is just starting, so it is waited for; what to look at is said."""
    job = new_secured(properties={"security.protocol": protocol})
    if protocol == "SASL_SSL":
        job.write(kafka={"brokers": broker.bootstrap})
    said, _ = run_to_end(job, "status", code=6)
    assert "look at security.protocol" in said and job.settings["kafka"]["brokers"] in said


def test_a_broker_that_comes_late(new_secured, broker, plain_topics, rights, name):
    """Nobody answers at first: that is waited for, longer than for one that says no."""
    plain_topics.create(name, 1)
    plain_topics.send(name, plain(10, 1))
    rights.set(needed(name, name))
    job = new_secured()
    broker.call("pause")
    try:
        process = job.spawn("build")
        time.sleep(8)
        assert process.is_running(), process.output()
    finally:
        broker.call("resume")
    assert process.wait() == 0, process.output()


def without(rights, place, word=None):
    """The rights without those of one resource, or without one of them."""
    out = []
    for kind, name, words in rights:
        if (kind, name) == place:
            words = " ".join(w for w in words.split() if word is not None and w != word)
        if words:
            out.append((kind, name, words))
    return out


MISSING = {
    "topic": (("topic", "{0}"), None, "Describe on the topic {0}"),
    "topic-read": (("topic", "{0}"), "Read", "Describe on the topic {0}"),
    "topic-configs": (("topic", "{0}"), "DescribeConfigs", "DescribeConfigs on the topic {0}"),
    "ledger": (("topic", "{0}.coordination"), None, "Describe on the topic {0}.coordination"),
    "ledger-create": (("topic", "{0}.coordination"), "Create", "Create on the topic {0}.coordination"),
    "ledger-read": (("topic", "{0}.coordination"), "Read", "Read on the topic {0}.coordination"),
    "ledger-write": (("topic", "{0}.coordination"), "Write", "Write on the topic {0}.coordination"),
    "ledger-configs": (("topic", "{0}.coordination"), "DescribeConfigs", "DescribeConfigs on the topic {0}.coordination"),
    "group": (("group", "{0}"), None, "Read on the group {0}"),
    "leader-group": (("group", "{0}.leader"), None, "Read on the group {0}.leader"),
    "transactional-id": (("transactional-id", "{0}.leader"), None, "Write on the transactional id {0}.leader"),
}


@pytest.mark.parametrize("what", MISSING)
def test_a_right_that_is_missing(new_secured, plain_topics, rights, name, what):
    """Each line of the documented list is needed, and its absence is named, at once, with the resource."""
    place, word, text = MISSING[what]
    plain_topics.create(name, 1)
    plain_topics.send(name, plain(10, 1))
    job = new_secured()
    wanted = without(needed(name, name), (place[0], place[1].format(name)), word)
    rights.set(wanted)
    said, took = run_to_end(job, "build", code=3)
    assert re.search(f"^tidemark: .*what is needed: {re.escape(text.format(name))}(?![.\\w])", said, re.M), said
    assert took < 40 and not job.store.keys()
    assert said.count("\n") < 40, "what is refused is not tried again and again"
    rights.set(needed(name, name))
    job.build()


def test_a_topic_that_may_be_described_alone(new_secured, plain_topics, rights, name):
    plain_topics.create(name, 1)
    plain_topics.send(name, plain(10, 1))
    rights.set([("topic", name, "Describe DescribeConfigs"), *needed(name, name)[1:]])
    said, _ = run_to_end(new_secured(), "build", code=3)
    assert f"what is needed: Read on the topic {name}" in said


def test_a_member_that_may_not_write(new_secured, broker, plain_topics, rights, name):
    """Another one leads: this one ends, and the group goes on."""
    plain_topics.create(name, 2)
    plain_topics.send(name, plain(100, 2))
    rights.set(needed(name, name))
    job = new_secured()
    one = job.start()
    one.wait_for_text("assigned 2 partitions")
    others = secured.Rights(broker.bootstrap, "nobody")
    others.set(without(needed(name, name), ("topic", f"{name}.coordination"), "Write"))
    two = new_secured(user="nobody", suffix="-two", group=name, member_id="two", snapshot=job.settings["snapshot"])
    two.write(topics=job.settings["topics"])
    process = two.start()
    assert process.wait() == 3
    assert f"what is needed: Write on the topic {name}.coordination" in process.output()
    others.set([])
    others.close()
    job.command("trigger", "--wait")
    assert one.stop() == 0


def test_letters_that_may_not_be_written(new_secured, plain_topics, rights, name):
    plain_topics.create(name, 1)
    plain_topics.create(name + "-letters", 1)
    plain_topics.send(name, [{"key": None, "value": "no key"}])
    rights.set([*needed(name, name), ("topic", name + "-letters", "Describe DescribeConfigs")])
    job = new_secured(dead_letter={"policy": "topic", "topic": name + "-letters"})
    said, _ = run_to_end(job, "build", code=3)
    assert f"what is needed: Write on the topic {name}-letters" in said
    rights.set([*needed(name, name), ("topic", name + "-letters", "Write")])
    job.build()
