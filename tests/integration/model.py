"""What DESIGN and PROTOCOL say a snapshot must hold, in plain Python, written without the C code.

A record becomes a Row or a Reject (decode). The recorded builds decide which build a row belongs to
(judge). Rows of a build become the content of its shards (fold).
"""
import base64
import dataclasses
import datetime
import decimal
import json
import math
import re
import struct

import xxhash

NONE_LOW = -(2**63)
NONE_HIGH = 2**63 - 1


class Reject(Exception):
    """A record that cannot be used; str() is the cause."""


@dataclasses.dataclass(frozen=True)
class Record:
    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple = ()


@dataclasses.dataclass(slots=True)
class Row:
    topic: str
    partition: int
    offset: int
    event_time_us: int
    key: object  # logical: int, str or bytes
    stored: bytes
    routing: bytes
    value: bytes | None  # None: a tombstone
    token: object = None  # of a routing expression

    @property
    def place(self):
        return self.topic, self.partition, self.offset


# ---- records -------------------------------------------------------------------------------------

def lookup(document, pointer):
    """RFC 6901. Raises KeyError where nothing is there."""
    if pointer == "":
        return document
    if not pointer.startswith("/"):
        raise KeyError(pointer)
    for token in pointer[1:].split("/"):
        token = token.replace("~1", "/").replace("~0", "~")
        if isinstance(document, list):
            if not re.fullmatch(r"0|[1-9][0-9]*", token) or int(token) >= len(document):
                raise KeyError(pointer)
            document = document[int(token)]
        elif isinstance(document, dict):
            document = document[token]
        else:
            raise KeyError(pointer)
    return document


def _no_constants(name):
    raise ValueError(name)


def parse_json(payload):
    """RFC 8259; numbers with a fraction or an exponent are Decimals, so that nothing is rounded."""
    try:
        return json.loads(payload.decode("utf-8"), parse_constant=_no_constants, parse_float=decimal.Decimal)
    except (ValueError, RecursionError):
        raise Reject("bad_json") from None


class Decoder:
    """One topic's settings, as in DESIGN section 7."""

    def __init__(self, topic, limits=None, vectors={}, routing=None):
        self.name = topic["name"]
        self.routing = routing  # cel_model.CelRouting; None: by hash
        key = topic.get("key", {})
        self.key_from = key.get("from", "key")
        self.encoding = key["encoding"]
        self.form = key.get("form", "text")
        self.fields = topic.get("value", {}).get("fields")
        event_time = topic.get("event_time", {})
        self.time_from = event_time.get("from", "timestamp")
        self.unit = event_time.get("unit", "ms")
        self.vector = topic.get("vector", {})
        self.dim, self.metric = vectors.get("dim", 0), vectors.get("metric", "cosine")
        sources = [self.key_from, self.time_from] + [field["from"] for field in self.fields or ()]
        sources += [column.get("from", "key") for column in routing.columns] if routing else []
        sources += [self.vector[part] for part in ("from", "id", "payload") if part in self.vector]
        self.is_json = topic.get("format") == "json" or any(s.startswith("json:") for s in sources)
        limits = limits or {}
        self.min_key = 0
        self.max_key = limits.get("max_key_bytes", 4 << 10)
        self.max_value = limits.get("max_value_bytes", 16 << 20)

    def __call__(self, record):
        tombstone = record.value is None
        document = parse_json(record.value) if self.is_json and not tombstone else None
        key = self._key(record, document)
        stored, routing = encode_key(key, self.encoding)
        event_time = self._event_time(record, document)
        value = None if tombstone else self._value(record, document)
        if len(stored) < self.min_key:
            raise Reject("no_key")
        if len(stored) > self.max_key or len(value or b"") > self.max_value:
            raise Reject("too_large")
        if self.dim and self.vector and not tombstone:
            self._check_vector(record, document, key)
        token = self.routing.token(self, key, record, document) if self.routing else None
        return Row(record.topic, record.partition, record.offset, event_time, key, stored, routing, value, token)

    def _check_vector(self, record, document, key):
        """A vector that is there has the dimension and is finite, and an id, which is a text or an integer."""
        def found(source):
            try:
                return self._find(source, record, document)
            except KeyError:
                return None
        vector = found(self.vector["from"])
        if vector is None:
            if self.vector.get("required", True):
                raise Reject("vector")
            return
        try:
            if isinstance(vector, bytes):
                numbers = struct.unpack(f"<{self.dim}f", vector)
            elif isinstance(vector, list) and not any(isinstance(x, (bool, str)) for x in vector):
                numbers = struct.unpack(f"<{self.dim}f", struct.pack(f"<{self.dim}f", *vector))
            else:
                raise Reject("vector")
        except (struct.error, OverflowError):
            raise Reject("vector") from None
        if not all(map(math.isfinite, numbers)) or (self.metric == "cosine" and not any(numbers)):
            raise Reject("vector")
        original = found(self.vector["id"]) if "id" in self.vector else key
        if isinstance(original, bool) or not isinstance(original, (str, bytes, int)):
            raise Reject("vector")
        if isinstance(original, bytes) and not isinstance(as_json(original), str):
            raise Reject("vector")

    def _find(self, source, record, document):
        """What a source names: bytes, a JSON value or a number. KeyError: nothing there."""
        if source.startswith("json:"):
            if record.value is None:
                raise KeyError(source)
            return lookup(document, source[5:])
        if source.startswith("header:"):
            found = [value for name, value in record.headers if name == source[7:]]
            value = found[-1] if found else None
        else:
            value = getattr(record, {"timestamp": "timestamp_ms"}.get(source, source))
        if value is None:
            raise KeyError(source)
        return value

    def _key(self, record, document):
        try:
            raw = self._find(self.key_from, record, document)
        except KeyError:
            raise Reject("no_key") from None
        if raw is None:
            raise Reject("no_key")
        return logical_key(raw, self.encoding, self.form)

    def _event_time(self, record, document):
        source = self.time_from
        if source.startswith("json:") and record.value is None:
            source = "timestamp"  # a tombstone has no other place for it
        if source == "timestamp":
            if record.timestamp_ms < 0:
                raise Reject("no_event_time")
            return record.timestamp_ms * 1000
        try:
            raw = self._find(source, record, document)
        except KeyError:
            raw = None
        if raw is None:
            raise Reject("no_event_time")
        return event_time_us(raw, self.unit)

    def _value(self, record, document):
        if self.fields is None:
            return record.value
        out = {}
        for field in self.fields:
            try:
                found = self._find(field["from"], record, document)
                if field["from"] == "value" and self.is_json:
                    found = document
            except KeyError:
                if field.get("required"):
                    raise Reject("no_field") from None
                found = None
            out[field["name"]] = as_json(found)
        return json.dumps(out, separators=(",", ":"), default=float).encode()


def as_json(value):
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}


def logical_key(raw, encoding, form):
    if encoding in ("u64be", "u32be"):
        if isinstance(raw, bytes):
            if form == "binary":
                if len(raw) != {"u64be": 8, "u32be": 4}[encoding]:
                    raise Reject("key_type")
                return int.from_bytes(raw, "big")
            if not re.fullmatch(rb"-?[0-9]+", raw):
                raise Reject("key_type")
            return int(raw)
        if isinstance(raw, bool) or not isinstance(raw, int):
            raise Reject("key_type")
        return raw
    if encoding == "utf8" and isinstance(raw, bytes):
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            raise Reject("key_type") from None
    if isinstance(raw, str):
        return raw if encoding == "utf8" else raw.encode()
    if isinstance(raw, bytes):
        return raw
    raise Reject("key_type")


def encode_key(key, encoding):
    """(stored bytes, routing bytes): SNAPSHOT-FORMAT section 4."""
    if isinstance(key, int):
        width = {"u64be": 8, "u32be": 4}[encoding]
        if not 0 <= key < 1 << (8 * width) or key > 2**63 - 1:
            raise Reject("key_range")
        return key.to_bytes(width, "big"), key.to_bytes(8, "little", signed=True)
    data = key.encode() if isinstance(key, str) else key
    return data, data


UNITS = {"s": 1_000_000, "ms": 1_000, "us": 1}


def event_time_us(raw, unit):
    if isinstance(raw, bytes):
        raw = raw.decode("utf-8", "replace")
    if unit == "rfc3339":
        if not isinstance(raw, str):
            raise Reject("bad_event_time")
        try:
            when = datetime.datetime.fromisoformat(raw.replace("Z", "+00:00").replace("z", "+00:00"))
        except ValueError:
            raise Reject("bad_event_time") from None
        if when.tzinfo is None:
            raise Reject("bad_event_time")
        delta = when - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
        return (delta.days * 86400 + delta.seconds) * 1_000_000 + delta.microseconds
    if isinstance(raw, bool) or not isinstance(raw, (int, str, decimal.Decimal)):
        raise Reject("bad_event_time")
    if isinstance(raw, str) and not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?", raw):
        raise Reject("bad_event_time")
    return math.floor(decimal.Decimal(raw) * UNITS[unit])  # cut off towards the past


# ---- routing --------------------------------------------------------------------------------------

def shard_of(routing, num_dbs):
    return xxhash.xxh3_64_intdigest(routing) % num_dbs


def shard_count(rows, max_keys_per_shard):
    return max(1, -(-rows // max_keys_per_shard))


# ---- builds ---------------------------------------------------------------------------------------

@dataclasses.dataclass
class Step:
    """What one build's CLOSE says, for the rule that gives every row its build."""
    build: int
    from_us: int  # event times below it were closed before
    to_us: int  # event times from it on stay open
    future_bound_us: int
    cuts: dict  # (topic, partition) -> cut
    seen_end: dict
    tail_from: dict
    joined: frozenset = frozenset()


def judge(steps, place, offset, event_time_us):
    """(kind, build) of a row by R2, R7 and R24; kind is open, on_time, late or future."""
    first = True
    for step in steps:
        cut = step.cuts.get(place)
        if cut is None or cut <= offset:
            continue
        if first and event_time_us > step.future_bound_us:
            return "future", step.build
        first = False
        if event_time_us < step.to_us:
            low = NONE_LOW if place in step.joined else step.from_us
            return ("on_time" if event_time_us >= low else "late"), step.build
    return "open", 0


ACCOUNT = ("read", "carried_in", "stored", "superseded", "tombstones", "late", "future", "rejected", "filtered",
           "carried_out")


@dataclasses.dataclass
class Build:
    """The expected content of one build."""
    build: int
    rows: list
    late: list
    future: list
    accounts: dict  # (topic, partition) -> {name: count}
    content: dict = dataclasses.field(default_factory=dict)  # stored key -> Row
    state: object = None  # State, of contents `state`


def assign(rows, rejects, steps, late="next", future="keep"):
    """Gives every row its build, and makes the accounts of all of them: {build: Build}."""
    builds = {s.build: Build(s.build, [], [], [], {p: dict.fromkeys(ACCOUNT, 0) for p in s.cuts}) for s in steps}
    member = []  # (place, offset, build or None)
    for row in rows:
        place = (row.topic, row.partition)
        kind, build = judge(steps, place, row.offset, row.event_time_us)
        member.append((place, row.offset, build))
        if kind == "open":
            continue
        target = builds[build]
        if kind == "late" and late != "next":
            target.late.append(row)
            target.accounts[place]["late"] += 1
        elif kind == "future" and future != "keep":
            target.future.append(row)
            target.accounts[place]["future"] += 1
        else:
            target.rows.append(row)
    _count_flow(builds, steps, member, rejects)
    return builds


def _count_flow(builds, steps, member, rejects):
    """read, rejected, carried_in and carried_out by the ranges [seen_end, cut) of R1."""
    for step in steps:
        accounts = builds[step.build].accounts
        for place, offset, build in member:
            if place not in step.cuts or offset >= step.cuts[place]:
                continue
            below = offset < step.seen_end.get(place, 0)
            if not below:
                accounts[place]["read"] += 1
            elif build == 0 or build >= step.build:
                accounts[place]["carried_in"] += 1
            if build == 0 or build > step.build:
                accounts[place]["carried_out"] += 1
        for place, offset in rejects:
            if place in step.cuts and step.seen_end.get(place, 0) <= offset < step.cuts[place]:
                accounts[place]["read"] += 1
                accounts[place]["rejected"] += 1


@dataclasses.dataclass
class State:
    """What a chain of state builds knows: of every key its newest row, deleted ones too where orders are kept."""
    exact: bool
    rows: dict  # key -> Row
    unknown: set  # keys whose row is from before orders were kept: older than any other


def fold(build, order="offset", base=None, exact=False):
    """Newest row of every key; counts stored, superseded and tombstones. `base`: the State of the head; None: a
    window. Returns the State after the build."""
    def age(row):
        place = (row.topic, row.partition, row.offset)
        return (row.event_time_us, *place) if order == "event_time" else place

    base = base or State(exact, {}, set())
    kept = dict(base.rows) if exact else {}
    unknown = base.unknown if base.exact else set(base.rows)
    newest = {key: row for key, row in kept.items() if key not in unknown}
    for row in build.rows:
        other = newest.get(row.stored)
        if other is None or age(row) > age(other):
            newest[row.stored] = row
    for row in build.rows:
        account = build.accounts[(row.topic, row.partition)]
        if newest[row.stored] is not row:
            account["superseded"] += 1
        elif row.value is None:
            account["tombstones"] += 1
        else:
            account["stored"] += 1
    rows = {**base.rows, **newest}
    build.content = {key: row for key, row in rows.items() if row.value is not None}
    return State(exact, rows if exact else build.content, unknown - newest.keys() if exact else set())


def imbalance(account):
    """0 where the identity of R1 holds."""
    return (account["read"] + account["carried_in"]) - sum(account.get(name, 0) for name in ACCOUNT[2:])
