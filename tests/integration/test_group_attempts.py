"""Who builds, and what becomes of an attempt that is slow."""
import harness
from test_content import plain

SLOW = "db=00000/attempt=01/shard.db"  # whoever begins shard 0


def test_a_standby_builds_and_a_slow_attempt_gets_company(new_group, topics, name):
    """Three members have a third of the rows each, the fourth has none and takes shards all the same. Then the store
    takes a shard file of one member, and keeps it waiting for the answer: a second attempt beside the first is the one
    that is published, long before the first would have ended, and the file of the first is deleted."""
    group = new_group(members=4, window={"trigger": "offsets", "every_records": 240},
                      s3={"request_timeout": "25s", "deadline": "40s"},
                      snapshot={"shards": 8, "attempt_timeout": "2m", "speculative_after": "1s"})
    for member in group.members:
        member.start()
    names = [m.name for m in group.members]
    harness.wait_for(lambda: sorted(map(group.ledger.owned, names)) == [0, 1, 1, 1]
                     and all(group.ledger.get("progress/" + n) for n in names), "three owners and a standby")
    topics.send(name, plain(240, 3, keys=1000, seed=1))
    group.wait_for_published(1)
    first = group.ledger.history("PLAN")[0]
    owners = {c["member"] for c in first["contributions"]}
    built = {a["member"] for a in group.ledger.history("ATTEMPT") if a["run_id"] == first["run_id"] and a.get("ok")}
    assert len(owners) == 3 and built - owners, (first, built)

    slow = {"action": "hang_after", "method": "PUT", "match": SLOW.replace("=", "%3D"), "seconds": 20}
    for member in group.members:
        member.lane.faults.rules([slow])
    topics.send(name, plain(240, 3, keys=1000, seed=2))
    group.wait_for_published(2)
    head = group.ledger.get("commit")
    plan = [p for p in group.ledger.history("PLAN") if p["run_id"] == head["run_id"]][-1]
    beside = [a for a in plan["attempts"] if a[0] == 0]
    assert int(head["winners"][0]) == 2 and [a[1] for a in beside] == [1], (head["winners"], plan)
    assert plan["members"][beside[0][2]] != plan["members"][plan["shards"][0][0]]
    report = group.finish()  # clean: nothing that no snapshot names is left
    assert report.snapshots == 2 and not [k for k in group.store.keys() if f"run_id={head['run_id']}/{SLOW}" in k]
