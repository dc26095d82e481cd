"""A store that is reached by TLS with a certificate of its own."""
import time

import harness
import pytest
import secured
from test_content import plain


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return secured.make_certificates(tmp_path_factory.mktemp("certificates") / "store")


@pytest.fixture(scope="module")
def store(tmp_path_factory, certificates):
    server = harness.S3(tmp_path_factory.mktemp("s3-tls") / "server")
    server.environment["S3_TLS"] = str(certificates)
    try:
        yield server.start("versitygw")
    finally:
        server.stop()


@pytest.fixture
def job(new_job, store, certificates, topics, name):
    topics.create(name, 2)
    topics.send(name, plain(100, 2))
    job = new_job(snapshot={"store": f"s3://{name}/snap"},
                  s3={"endpoint": store.endpoint, "region": "us-east-1", "addressing": "path", "ca_file": f"{certificates}/ca.pem"})
    job.environment.update(store.credentials)
    job.store.make_bucket()
    return job


def test_all_of_it(job, certificates):
    job.build()
    rows = job.rows()
    assert len(rows) == len({record["key"] for record in plain(100, 2)})
    key, value = next(iter(rows.items()))
    assert job.command("get", key.decode()).rstrip("\n").encode() == value
    assert "equal" in job.command("verify") and "FAIL" not in job.command("doctor", check=False).stdout
    job.check()
    # what AWS's own tools take, too
    job.write(s3={"ca_file": None})
    assert job.command("get", key.decode(), env={"AWS_CA_BUNDLE": f"{certificates}/ca.pem"}).rstrip("\n").encode() == value


REFUSED = {
    "other": "{certificates}/other.pem",
    "none": None,
    "missing": "/no/such/ca.pem",
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_certificate_that_is_not_trusted(job, store, certificates, what):
    """Nothing is tried again, whichever command it is, and the setting is named."""
    ca_file = REFUSED[what] and REFUSED[what].format(certificates=certificates)
    job.write(s3={"ca_file": ca_file})
    for command in (("run",), ("build",), ("info",), ("get", "key-1"), ("doctor",)):
        begin = time.monotonic()
        result = job.command(*command, check=False)
        said = result.stdout + result.stderr
        assert result.returncode == 3, said
        assert store.endpoint in said and "look at s3.ca_file" in said, said
        assert time.monotonic() - begin < 20
        if what == "missing":
            assert ca_file in said
    assert not harness.oracle.store_of({**job.settings, "s3": {**job.settings["s3"], "ca_file": f"{certificates}/ca.pem"}}, job.environment).keys()


def test_no_tls_where_it_is_wanted(job, store):
    job.write(s3={"endpoint": store.endpoint.replace("https", "http"), "max_retries": 1})
    result = job.command("build", check=False)
    said = result.stdout + result.stderr
    assert result.returncode == 5 and f"{job.settings['s3']['endpoint']}: " in said, said


def test_tls_where_there_is_none(job, s3):
    job.write(s3={"endpoint": s3.endpoint.replace("http", "https"), "max_retries": 1})
    result = job.command("build", check=False)
    said = result.stdout + result.stderr
    assert result.returncode == 5 and s3.endpoint.replace("http", "https") in said and "look at s3.endpoint" in said, said
