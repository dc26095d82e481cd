"""Settings that pace the work or decorate the manifest: what they do to a real service."""
import time

from test_content import plain


def test_a_limit_slows_down_and_never_stops(new_job, topics, name):
    """1000 records at 200 a second; one record is three seconds' worth of bytes by itself."""
    job = new_job(limits={"records_per_second": 200, "bytes_per_second": "20kB"},
                  snapshot={"custom": [["team", "a\"b"], ["level", 3], ["tags", "json:[1, {\"x\": null}]"]]})
    topics.create(name, 2)
    topics.send(name, [{"key": "large", "value": "x" * 60000, "partition": 0}])
    topics.send(name, plain(1000, 2))
    start = time.monotonic()
    job.build()
    took = time.monotonic() - start
    # 60 kB take 3 s, 1000 records another 5; one second's share comes at once, and nobody waits behind the last
    assert 5.5 < took < 50, took
    report = job.check()
    assert report.rows == 51
    custom = job.current().custom
    assert (custom["team"], custom["level"], custom["tags"]) == ("a\"b", 3, [1, {"x": None}])
    assert {"tidemark", "sqlite_sidecar"} < set(custom)
