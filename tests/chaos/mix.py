"""How a group runs: each life of a chaos run has settings of its own, by its seed."""

KEY = [{"name": "key", "type": "string"}]
ZONE = [{"name": "zone", "type": "string", "from": "header:zone"}]  # as the producer gives it, for good by key
EVENT_TIME = {"trigger": "event_time", "size": "10s", "out_of_orderness": "2s", "idle_after": "2s"}

# what a window can be divided by, and what a state can: old rows have no columns, and a count must not follow the rows
BY_HASH = ({"shards": 4}, {"shards": 7})
BY_KEY = (
    {"routing": "cel", "shards": 5, "cel": {"columns": KEY}},
    {"routing": "cel", "cel": {"columns": KEY, "expr": "key < 'k5' ? 'low' : key.endsWith('7') ? 'seven' : 'high'",
                               "routing_values": ["high", "low", "seven"]}},
)
BY_ROWS = (
    {"max_keys_per_shard": 150},
    {"routing": "cel", "cel": {"columns": ZONE, "expr": "zone + '!'", "infer_routing_values": True}},
    {"routing": "cel", "shards": 3, "cel": {"columns": ZONE}},
)


def choose_settings(rng, topic):
    """The groups of a settings file that differ from life to life."""
    window = rng.choice((
        EVENT_TIME,
        {**EVENT_TIME, "out_of_orderness": "1s", "allowed_lateness": "5s", "late": rng.choice(("next", "drop"))},
        {"trigger": "offsets", "every_records": rng.choice((200, 1000))},
        {"trigger": "schedule", "every": "2s"},
    ))
    state = rng.random() < 0.4
    shape = rng.choice((*BY_HASH, *BY_KEY) if state else (*BY_HASH, *BY_KEY, *BY_ROWS))
    snapshot = {"shards": None, **shape, "order": rng.choice(("offset", "event_time"))}
    if state:
        snapshot.update({"contents": "state", "state_order": rng.choice(("build", "exact"))})
    if rng.random() < 0.3:  # nearly every attempt gets a second one beside it
        snapshot.update({"speculative_after": "100ms", "speculative_factor": 1, "speculative_share": 0.0})
    if rng.random() < 0.4:
        snapshot["keep_last"] = 3
    settings = {"window": window, "snapshot": snapshot}
    if rng.random() < 0.5:  # whatever was read goes along with its partition, and to the disk now and then
        settings["limits"] = {"handover_bytes": 1, "handover_at_stop": rng.random() < 0.5, "checkpoint_interval": "1s",
                              "checkpoint_bytes": 1}
    settings["topics"] = [topic_settings(topic)]
    return settings


def topic_settings(topic):
    return {"name": topic, "key": {"from": "key", "encoding": "utf8"}, "event_time": {"from": "json:/t", "unit": "ms"}}


def describe(settings):
    """One line for the one who reads a failure."""
    shown = {**settings["window"], **settings["snapshot"], **settings.get("limits", {})}
    return ", ".join(f"{name}={value}" for name, value in shown.items() if value is not None)
