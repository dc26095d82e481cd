"""Records that retention took before any build held them: said, stopped at, and given up only by an operator."""
from kafka import KafkaAdminClient, TopicPartition

from test_content import plain

EVERY = {"trigger": "offsets", "every_records": 100}


def delete_records_below(bootstrap, topic, offset):
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        admin.delete_records({TopicPartition(topic, 0): offset})
    finally:
        admin.close()


def publish_over_a_lost_range(job, topics, name, kafka):
    """Two snapshots; [100, 130) is gone before the second, which an operator lets go."""
    topics.create(name, 1)
    topics.send(name, plain(100, 1, seed=1))
    process = job.start()
    process.wait_for(lambda: job.published() >= 1, "the first snapshot")
    assert process.stop() == 0
    topics.send(name, plain(150, 1, seed=2))
    delete_records_below(kafka.bootstrap, name, 130)
    process = job.start()
    process.wait_for_text("100 to 130 are gone")
    assert job.published() == 1
    job.command("skip", name, "0", "100", "130", "--why", "retention was too short")
    process.wait_for(lambda: job.published() >= 2, "the second snapshot")
    assert process.stop() == 0


def test_a_lost_range_stops_the_build_until_it_is_skipped(new_job, topics, name, kafka):
    job = new_job(window=EVERY)
    publish_over_a_lost_range(job, topics, name, kafka)
    assert job.pointer()["run_id"].startswith("b2-")
    rows = job.json("info")["lineage"]["account"]
    assert rows["read"] >= 70


def test_a_build_waits_no_longer_than_it_may(new_job, topics, name, kafka):
    job = new_job(window={"trigger": "manual"})
    topics.create(name, 1)
    topics.send(name, plain(100, 1, seed=1))
    job.build()
    topics.send(name, plain(150, 1, seed=2))
    delete_records_below(kafka.bootstrap, name, 130)
    late = job.command("build", "--timeout", "5s", check=False)
    assert late.returncode == 10, late.stderr
    assert "--timeout is over, and the build is not published. Last seen: " in late.stderr
    job.command("skip", name, "0", "100", "130", "--why", "retention was too short", "--timeout", "1s", check=False)
    job.command("build", "--timeout", "1m")
    assert job.pointer()["run_id"].startswith("b2-")  # of the build that was late, or of the new one
    assert job.json("info")["lineage"]["account"]["read"] == 120
    assert job.command("build", "--timeout", "5 apples", check=False).returncode == 2
