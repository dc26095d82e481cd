"""One broker and one S3 server for all tests; a group, topics and a store of its own for each."""
import itertools
import re

import pytest

import harness
from cluster import LANES, Cluster
from members import Group
from produce import Topics

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def kafka(tmp_path_factory):
    server = harness.Kafka(tmp_path_factory.mktemp("kafka") / "node", LANES)
    try:
        yield server.start(1)
    finally:
        server.stop()


@pytest.fixture(scope="session")
def s3(tmp_path_factory):
    server = harness.S3(tmp_path_factory.mktemp("s3") / "server")
    try:
        yield server.start("versitygw")
    finally:
        server.stop()


@pytest.fixture(scope="session")
def topics(kafka):
    maker = Topics(kafka.bootstrap)
    yield maker
    maker.close()


@pytest.fixture(scope="session")
def cluster(kafka, s3, tmp_path_factory):
    """The broker and the store behind proxies, for groups of several members."""
    made = Cluster(kafka, s3, tmp_path_factory.mktemp("cluster"))
    yield made
    made.close()


@pytest.fixture
def name(request):
    """A name that no other test has, for topics and groups."""
    return re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:44] + f"-{next(_numbers)}"


@pytest.fixture
def new_job(request, kafka, tmp_path, name):
    """A function that makes a Job; keyword arguments are groups of the settings file."""
    jobs = []

    def make(suffix="", on_s3=False, **change):
        title = name + suffix
        server = request.getfixturevalue("s3") if on_s3 else None
        base = {
            "group": title,
            "member_id": "one",
            "kafka": {"brokers": kafka.bootstrap, "session_timeout": "6s"},
            "topics": [{"name": name, "key": {"from": "key", "encoding": "utf8"}}],
            "window": {"trigger": "manual"},
            "snapshot": {"store": f"file://{tmp_path}/store{suffix}", "shards": 4},
            "limits": {"work_folder": f"{tmp_path}/work{suffix}"},
            "log": {"level": "debug"},
            # many on one host: each takes a port of its own
            "status": {"listen": "127.0.0.1:0"},
        }
        if server is not None:
            base["snapshot"]["store"] = f"s3://{title}/snap"
            base["s3"] = {"endpoint": server.endpoint, "region": "us-east-1", "addressing": "path"}
        job = harness.Job(tmp_path, kafka, harness.merge(base, change), server, "job" + suffix)
        if server is not None:
            job.store.make_bucket()
        jobs.append(job)
        return job

    yield make
    for job in jobs:
        job.close()


@pytest.fixture
def new_group(cluster, topics, tmp_path, name):
    """A function that makes a topic and a group of members for it, none started."""
    groups = []

    def make(partitions=3, members=3, **settings):
        topics.create(name, partitions)
        group = Group(cluster, tmp_path, name, [{"name": name, "key": {"from": "key", "encoding": "utf8"}}], settings,
                      members)
        group.partitions[name] = partitions
        groups.append(group)
        return group

    yield make
    for group in groups:
        group.close()
    cluster.calm()


@pytest.fixture
def job(new_job):
    return new_job()
