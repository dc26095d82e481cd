"""Three brokers: the one that leads is killed, stopped in order, put to sleep, and all leaders move."""
import time

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
            # For longer than a session: whose coordinator it was ends its session by its own clock, and its next
            # heartbeat fences it, when the broker is back. It is no duplicate, and goes on.
            for node in (1, 2, 3):
                kafka.call("pause", node)
            time.sleep(8)
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
