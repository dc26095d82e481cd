"""Routing by an expression, as a reader does it: with the readers' own CEL, not with ours."""
import json
import re

import xxhash
from cel_expr_python import cel

from model import Reject

TYPES = {"int": cel.Type.INT, "uint": cel.Type.UINT, "double": cel.Type.DOUBLE, "bool": cel.Type.BOOL,
         "string": cel.Type.STRING, "bytes": cel.Type.BYTES}
LIMIT = 65536


def shard_hash(value):
    if isinstance(value, int):
        data = value.to_bytes(8, "little", signed=True)
    else:
        data = value.encode() if isinstance(value, str) else bytes(value)
    return xxhash.xxh3_64_intdigest(data)


HASH = cel.FunctionDecl("shard_hash", [
    cel.Overload(f"shard_hash_{kind}", cel.Type.UINT, [TYPES[kind]], False, shard_hash)
    for kind in ("int", "uint", "string", "bytes")])


def by_columns(columns, separator, shards):
    """The expression that stands for a list of columns (snapshot format, section 5)."""
    if len(columns) == 1 and columns[0]["type"] not in ("double", "bool"):
        text = columns[0]["name"]
    else:
        text = f" + {json.dumps(separator)} + ".join(c["name"] if c["type"] == "string" else f"string({c['name']})" for c in columns)
    return f"shard_hash({text}) % {shards}u" if shards else text


def from_bytes(data, kind):
    """A header or a message key as a column. ValueError: it is none."""
    if kind == "bytes":
        return data
    text = data.decode("utf-8")
    if kind in ("int", "uint"):
        return int(text) if re.fullmatch(r"-?[0-9]+", text) else text
    if kind == "bool":
        return {"true": True, "false": False}.get(text, text)
    return float(text) if kind == "double" else text


class CelRouting:
    def __init__(self, wanted):
        group = wanted["cel"]
        self.columns = group["columns"]
        self.shards = wanted.get("shards")
        self.values = group.get("routing_values")
        self.infers = group.get("infer_routing_values", "expr" not in group and self.shards is None)
        self.expression = group.get("expr") or by_columns(self.columns, group.get("separator", ":"), self.shards)
        environment = cel.NewEnv(variables={c["name"]: TYPES[c["type"]] for c in self.columns}, functions=[HASH])
        self.program = environment.compile(self.expression)

    def bind(self, decoder, key, record, document):
        data = {}
        for column in self.columns:
            if column["name"] == "key":
                data["key"] = key
                continue
            try:
                found = decoder._find(column["from"], record, document)
                if isinstance(found, bytes) or column["from"] == "topic":
                    found = from_bytes(found if isinstance(found, bytes) else found.encode(), column["type"])
                elif column["type"] == "double" and not isinstance(found, (bool, int, str)):
                    found = float(found)
            except (KeyError, ValueError):
                continue
            data[column["name"]] = found
        return data

    def token(self, decoder, key, record, document):
        """What decides about the shard. Reject: nothing does."""
        result = self.program.eval(data=self.bind(decoder, key, record, document))
        kind, value = str(result.type()), result.value()
        if kind not in ("INT", "UINT", "STRING"):
            raise Reject("route")
        if self.values is not None:
            if value not in self.values:
                raise Reject("route")
        elif not self.infers and not (kind != "STRING" and 0 <= value < (self.shards or LIMIT)):
            raise Reject("route")
        return value

    def divide(self, tokens):
        """(the manifest's sharding, num_dbs, token -> shard) of a build whose records have these tokens."""
        values = self.values if not self.infers else sorted(set(tokens))
        sharding = {"strategy": "cel", "hash_algorithm": "xxh3_64", "cel_expr": self.expression,
                    "cel_columns": {c["name"]: c["type"] for c in self.columns}, "routing_values": values}
        if values is not None:
            return sharding, max(1, len(values)), values.index
        if self.shards is None and set(tokens) != set(range(len(set(tokens)))):
            raise AssertionError(f"shard numbers that are not 0 to n - 1: {sorted(set(tokens))[:20]}")
        return sharding, self.shards or max(1, len(set(tokens))), lambda token: token
