"""A short run of the chaos suite with a fixed seed; scripts/chaos runs it for as long as one likes."""
import pytest
from kafka.errors import KafkaTimeoutError

from director import Director
from producer import Producer


class StuckClient:
    """Its flush never ends well, and its close neither, as with a batch that the client has forgotten."""
    def __init__(self):
        self.ended = False
        self._sender = self

    def partitions_for(self, _):
        return {0}

    def send(self, **_):
        return None

    def flush(self, timeout=None):
        raise KafkaTimeoutError("a batch that is never sent")

    close = flush

    def force_close(self):
        self.ended = True


def test_a_stuck_client_is_thrown_away():
    """Else rounds go by in which nothing is written, and all that was written is published."""
    clients = []
    producer = Producer("nowhere", "topic", 1, seed=1)
    producer._client = lambda: clients.append(StuckClient()) or clients[-1]
    for _ in range(2):
        with pytest.raises(KafkaTimeoutError):
            producer._send_plain([producer._record()])
    assert [client.ended for client in clients] == [True, True]
    producer.plain = StuckClient()
    producer.thread.start()
    producer.ended.set()
    producer.close()


@pytest.mark.slow
def test_a_short_mix(cluster, topics, tmp_path):
    lines = []
    director = Director(cluster, topics, tmp_path, seed=10, say=lines.append)
    try:
        figures = director.run(lives=1, rounds=2, round_seconds=12)
    finally:
        print("\n".join(lines))
        print(director.figures.table(good=False))
    assert sum(figures.faults.values()) >= 5 and figures.rounds == 2 and figures.windows >= 1
