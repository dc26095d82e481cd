"""The ground of a chaos run: brokers and a store behind proxies, a lane of its own for each member."""
import json
import pathlib
import subprocess
import sys
import urllib.request

import harness
from kafka import TopicPartition
from kafka.admin import AbortTransactionSpec, KafkaAdminClient
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

    def end_forgotten(self, places):
        """Ends, as an operator does, what no coordinator will ever end: (topic, partition) -> how many.

        A single broker that was killed while a transaction was open ends it when it is back, before it knows who leads
        the partitions: it takes them for deleted, and gives them no marker (Kafka 4.4).
        """
        admin = KafkaAdminClient(bootstrap_servers=self.kafka.bootstrap)
        try:
            listed = [t for of_broker in admin.list_transactions().values() for t in of_broker]
            under_way = {t.producer_id for t in listed if t.state.value in ("Ongoing", "PrepareCommit", "PrepareAbort")}
            ended = 0
            for place, state in admin.describe_producers([TopicPartition(*place) for place in places]).items():
                for producer in state.active_producers:
                    if producer.current_transaction_start_offset >= 0 and producer.producer_id not in under_way:
                        admin.abort_transaction(AbortTransactionSpec(place, producer.producer_id, producer.producer_epoch))
                        ended += 1
            return ended
        finally:
            admin.close()

    def close(self):
        self.proxy.close()
