"""Three brokers: the one that leads is killed, stopped in order, put to sleep, and all leaders move."""
import pytest

import harness
from cluster import LANES, Cluster
from members import Group
from produce import Topics
from test_content import plain


@pytest.mark.slow
@pytest.mark.long
def test_three_brokers(s3, tmp_path, name):
    kafka = harness.Kafka(tmp_path / "kafka", LANES)
    try:
        kafka.start(3)
        cluster = Cluster(kafka, s3, tmp_path)
        topics = Topics(kafka.bootstrap)
        topics.create(name, 3, replicas=3)
        group = Group(cluster, tmp_path / "group", name, [{"name": name, "key": {"from": "key", "encoding": "utf8"}}],
                      {"window": {"trigger": "offsets", "every_records": 90}})
        group.partitions[name] = 3
        group.start()

        def window(number):
            topics.send(name, plain(90, 3, keys=1000, seed=number))
            group.wait_for_published(number)
        try:
            window(1)
            for number, down in enumerate(("kill", "stop"), 2):
                kafka.call(down, number - 1)
                window(number)
                kafka.call("restart", number - 1)
            # Until sessions end by the members' own clocks: the next heartbeats may fence them (FENCED_INSTANCE_ID).
            # They are no duplicates, and go on.
            ended = [m.process.output().count("source: SESSTMOUT") for m in group.members]
            for node in (1, 2, 3):
                kafka.call("pause", node)
            harness.wait_for(lambda: [m.process.output().count("source: SESSTMOUT") for m in group.members] != ended,
                             "the end of a session")
            for node in (1, 2, 3):
                kafka.call("resume", node)
            window(4)
            assert [m.starts for m in group.members] == [1, 1, 1] and len(group.running()) == 3
            cluster.move_leaders()
            window(5)
            report = group.finish()
            assert report.snapshots == 5 and sum(len(b.rows) for b in report.builds.values()) == 450
        finally:
            group.close()
            topics.close()
            cluster.close()
    finally:
        kafka.stop()
