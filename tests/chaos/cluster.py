"""The ground of a chaos run: brokers and a store behind proxies, a lane of its own for each member."""
import json
import pathlib
import subprocess
import sys
import urllib.request

import harness
from kafka import TopicPartition
from kafka.admin import KafkaAdminClient
from tcp_proxy import TcpProxy

LANES = 3
PREFERRED = 0  # kind of an election


class FaultyS3:
    """s3_faults.py in front of the S3 server."""

    def __init__(self, s3, folder):
        environment = {**harness.os.environ, **s3.credentials, "S3_OWNER": str(harness.os.getpid())}
        out = subprocess.run([sys.executable, str(harness.SUPPORT / "s3_faults.py"), s3.endpoint], env=environment,
                             capture_output=True, text=True, check=True, timeout=30).stdout
        self.endpoint = out.strip().partition("=")[2]

    @property
    def port(self):
        return int(self.endpoint.rpartition(":")[2])

    def rules(self, rules):
        request = urllib.request.Request(self.endpoint + "/_faults", json.dumps(rules).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=10):
            pass

    def log(self):
        with urllib.request.urlopen(self.endpoint + "/_log", timeout=10) as answer:
            return answer.read().decode().splitlines()


class LaneAddress:
    """How one member reaches the brokers and the store, and what can be done to both ways."""

    def __init__(self, number, proxy, kafka, store):
        self.number = number
        self.kafka, self.store = proxy.lane(), proxy.lane()
        places = []
        for address in kafka.bootstrap.split(","):
            port = int(address.rpartition(":")[2]) + 1000 * number
            proxy.listen(self.kafka, f"127.0.1.{number}", port, f"127.0.2.{number}", port)
            places.append(f"127.0.2.{number}:{port}")
        self.brokers = ",".join(places)
        self.faults = store
        self.endpoint = f"http://127.0.0.1:{proxy.listen(self.store, '127.0.0.1', store.port)}"

    def calm(self):
        self.kafka.calm()
        self.store.calm()
        self.faults.rules([])


class Cluster:
    """Brokers (with lanes), an S3 server, and for each lane a TCP proxy and a store that can lie."""

    def __init__(self, kafka, s3, folder, lanes=LANES):
        self.kafka, self.s3 = kafka, s3
        self.folder = pathlib.Path(folder)
        self.proxy = TcpProxy()
        self.lanes = [LaneAddress(i + 1, self.proxy, kafka, FaultyS3(s3, folder)) for i in range(lanes)]

    @property
    def nodes(self):
        return len(self.kafka.bootstrap.split(","))

    def calm(self):
        for lane in self.lanes:
            lane.calm()

    def move_leaders(self):
        """The next replica of every partition becomes the preferred one, and then the leader."""
        admin = KafkaAdminClient(bootstrap_servers=self.kafka.bootstrap)
        try:
            wanted = {}
            for topic in admin.describe_topics():
                for partition in topic["partitions"]:
                    replicas = partition["replica_nodes"]
                    if len(replicas) > 1:
                        wanted[TopicPartition(topic["name"], partition["partition_index"])] = [*replicas[1:], replicas[0]]
            admin.alter_partition_reassignments(wanted)
            admin.elect_leaders(PREFERRED, raise_errors=False)
            return len(wanted)
        finally:
            admin.close()

    def close(self):
        self.proxy.close()
