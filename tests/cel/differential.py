#!/usr/bin/env python3
"""Compares our CEL with the one that readers of the format use (the package cel-expr-python).

    tests/cel/differential.py CEL_SAY [--seed N] [--count N]     exit code 1 when they differ

Expressions are made at random from a grammar, over columns of all types, with values that are likely to
overflow, divide by zero and miss; beside them stand those of tests/cel/expressions.txt, one a line. What
is compared: that both refuse an expression or neither does, that both fail or neither does, and the value.
Where we differ on purpose, `excused` says why.
"""
import argparse
import datetime
import json
import math
import os
import pathlib
import random
import struct
import subprocess
import sys

from cel_expr_python import cel

HERE = pathlib.Path(__file__).resolve().parent
COLUMNS = {"i": "int", "j": "int", "u": "uint", "d": "double", "f": "bool", "s": "string", "t": "string", "y": "bytes"}
TYPES = {"int": cel.Type.INT, "uint": cel.Type.UINT, "double": cel.Type.DOUBLE, "bool": cel.Type.BOOL,
         "string": cel.Type.STRING, "bytes": cel.Type.BYTES}
KINDS = {"INT": "int", "UINT": "uint", "DOUBLE": "double", "BOOL": "bool", "STRING": "string", "BYTES": "bytes",
         "NULL": "null_type", "TIMESTAMP": "google.protobuf.Timestamp", "DURATION": "google.protobuf.Duration",
         "TYPE": "type"}
VALUES = {
    "int": [0, 1, -1, 2, 3, 7, 10, 255, -(2**63), 2**63 - 1, 2**53 + 1, 1700000000],
    "uint": [0, 1, 2, 3, 8, 2**63, 2**64 - 1, 2**53 + 1],
    "double": [0.0, -0.0, 1.0, -1.5, 0.1, 1e6, 1e21, 1e-7, 123456.0, 1234567.0, math.nan, math.inf, 9223372036854775807.0,
               5e-324],
    "bool": [True, False],
    "string": ["", "a", "ab", "abc", "b", "é", "h\u00e9\U0001F600", "12", "-7", " 3 ", "1.5", "true", "x\u0000y", "^a.c$",
               "2024-02-29T23:59:60.5Z", "1h30m", "-1.5s", "("],
    "bytes": [b"", b"a", b"ab", b"\xff\x01", b"\xc3\xa9", b"a\x00b"],
}
ENVIRONMENT = cel.NewEnv(variables={name: TYPES[kind] for name, kind in COLUMNS.items()})


class Maker:
    """Expressions: mostly of the wanted type, now and then of another."""

    def __init__(self, rng):
        self.rng = rng
        self.variables = []

    def pick(self, *options):
        return self.rng.choice(options)

    def make(self, kind, depth):
        if self.rng.random() < 0.03:
            kind = self.pick("int", "uint", "double", "bool", "string", "bytes", "list", "map", "time", "span", "null")
        return getattr(self, "make_" + kind)(depth)

    def leaf(self, kind):
        names = [n for n, k in COLUMNS.items() if k == kind] + [n for n, k in self.variables if k == kind]
        if names and self.rng.random() < 0.6:
            return self.rng.choice(names)
        value = self.rng.choice(VALUES[kind])
        if kind == "bool":
            return "true" if value else "false"
        if kind == "uint":
            return f"{value}u"
        if kind == "double":
            if math.isnan(value) or math.isinf(value):
                return "(0.0/0.0)" if math.isnan(value) else "(1.0/0.0)"
            text = repr(abs(value))
            text = text if "e" in text or "." in text else text + ".0"
            return f"({'-' if math.copysign(1, value) < 0 else ''}{text})"
        if kind == "int":
            return f"({value})" if value < 0 else str(value)
        if kind == "bytes":
            return "b'" + "".join(f"\\x{c:02x}" for c in value) + "'"
        return json.dumps(value) if self.rng.random() < 0.9 else "'''" + value.replace("\x00", "") + "'''"

    def binary(self, kind, operators, depth):
        return f"({self.make(kind, depth - 1)} {self.rng.choice(operators)} {self.make(kind, depth - 1)})"

    def choose(self, kind, depth):
        return f"({self.make('bool', depth - 1)} ? {self.make(kind, depth - 1)} : {self.make(kind, depth - 1)})"

    def element(self, kind, depth):
        return self.pick(f"{self.make_list_of(kind, depth - 1)}[{self.make('int', depth - 1)}]",
                         f"{{'a': {self.make(kind, depth - 1)}, 'ab': {self.make(kind, depth - 1)}}}"
                         f"[{self.make('string', depth - 1)}]",
                         f"{{'a': {self.make(kind, depth - 1)}}}.{self.pick('a', 'a', 'b')}")

    def loop(self, macro, depth, body):
        kind = self.pick("int", "string", "uint", "double")
        name = self.pick("x", "y", "z", "i")
        source = self.make_list_of(kind, depth - 1)
        if kind == "string" and macro not in ("map", "filter") and self.rng.random() < 0.3:  # readers' maps have no order
            source = self.make_map(depth - 1)
        self.variables.append((name, kind))
        text = f"{source}.{macro}({name}, {body(kind)})"
        self.variables.pop()
        return text

    def make_int(self, depth):
        if depth <= 0:
            return self.leaf("int")
        return self.pick(
            lambda: self.binary("int", ["+", "-", "*", "/", "%"], depth),
            lambda: self.choose("int", depth),
            lambda: f"-{self.make('int', depth - 1)}",
            lambda: f"int({self.make(self.pick('uint', 'double', 'string', 'int', 'time'), depth - 1)})",
            lambda: f"size({self.make(self.pick('string', 'bytes', 'list', 'map'), depth - 1)})",
            lambda: f"{self.make(self.pick('string', 'bytes', 'list'), depth - 1)}.size()",
            lambda: self.element("int", depth),
            lambda: self.make("time", depth - 1) + "." + self.pick(
                "getFullYear", "getMonth", "getDayOfYear", "getDayOfMonth", "getDate", "getDayOfWeek", "getHours",
                "getMinutes", "getSeconds", "getMilliseconds") + self.pick("()", "('+02:30')", "('-11:00')", "('UTC')"),
            lambda: self.make("span", depth - 1) + "." + self.pick("getHours", "getMinutes", "getSeconds",
                                                                   "getMilliseconds") + "()",
        )()

    def make_uint(self, depth):
        if depth <= 0:
            return self.leaf("uint")
        return self.pick(
            lambda: self.binary("uint", ["+", "-", "*", "/", "%"], depth),
            lambda: self.choose("uint", depth),
            lambda: f"uint({self.make(self.pick('uint', 'double', 'string', 'int'), depth - 1)})",
            lambda: self.element("uint", depth),
        )()

    def make_double(self, depth):
        if depth <= 0:
            return self.leaf("double")
        return self.pick(
            lambda: self.binary("double", ["+", "-", "*", "/"], depth),
            lambda: self.choose("double", depth),
            lambda: f"-{self.make('double', depth - 1)}",
            lambda: f"double({self.make(self.pick('uint', 'double', 'string', 'int'), depth - 1)})",
        )()

    def make_bool(self, depth):
        if depth <= 0:
            return self.leaf("bool")
        kind = self.pick("int", "uint", "double", "string", "bytes", "bool", "time", "span")
        return self.pick(
            lambda: self.binary("bool", ["&&", "||"], depth),
            lambda: self.binary(kind, ["==", "!=", "<", "<=", ">", ">="], depth),
            lambda: f"!{self.make('bool', depth - 1)}",
            lambda: f"({self.make(kind, depth - 1)} in {self.make_list_of(kind, depth - 1)})",
            lambda: f"({self.make('string', depth - 1)} in {self.make('map', depth - 1)})",
            lambda: f"has({self.make('map', depth - 1)}.{self.pick('a', 'b', 'ab')})",
            lambda: f"{self.make('string', depth - 1)}.{self.pick('contains', 'startsWith', 'endsWith')}"
                    f"({self.make('string', depth - 1)})",
            lambda: f"{self.make('string', depth - 1)}.matches({self.pick('s', repr('a+'), repr('^[a-c]*$'), repr('é'))})",
            lambda: f"bool({self.make(self.pick('string', 'bool'), depth - 1)})",
            lambda: self.loop(self.pick("all", "exists", "exists_one"), depth, lambda k: self.make("bool", depth - 1)),
            lambda: self.choose("bool", depth),
            lambda: f"(dyn({self.make(kind, depth - 1)}) {self.pick('==', '!=', '<', '>=')} "
                    f"{self.make(self.pick('int', 'uint', 'double', 'string'), depth - 1)})",
            lambda: f"({self.make('list', depth - 1)} == {self.make('list', depth - 1)})",
            lambda: f"(type({self.make(kind, depth - 1)}) == {self.pick('int', 'string', 'double', 'type(i)', 'bytes')})",
        )()

    def make_string(self, depth):
        if depth <= 0:
            return self.leaf("string")
        return self.pick(
            lambda: self.binary("string", ["+"], depth),
            lambda: self.choose("string", depth),
            lambda: f"string({self.make(self.pick('uint', 'double', 'string', 'int', 'bool', 'bytes', 'time', 'span'), depth - 1)})",
            lambda: self.element("string", depth),
        )()

    def make_bytes(self, depth):
        if depth <= 0:
            return self.leaf("bytes")
        return self.pick(lambda: self.binary("bytes", ["+"], depth), lambda: self.choose("bytes", depth),
                         lambda: f"bytes({self.make('string', depth - 1)})")()

    def make_list_of(self, kind, depth):
        items = [self.make(kind, depth - 1) for _ in range(self.rng.randrange(4))]
        plain = "[" + ", ".join(items) + "]"
        return plain if depth <= 0 or self.rng.random() < 0.7 else f"({plain} + {self.make_list_of(kind, depth - 1)})"

    def make_list(self, depth):
        if depth <= 0 or self.rng.random() < 0.4:
            return self.make_list_of(self.pick("int", "string", "double"), depth)
        return self.pick(
            lambda: self.loop("map", depth, lambda k: self.make(self.pick("int", "string"), depth - 1)),
            lambda: self.loop("map", depth,
                              lambda k: f"{self.make('bool', depth - 1)}, {self.make('int', depth - 1)}"),
            lambda: self.loop("filter", depth, lambda k: self.make("bool", depth - 1)),
        )()

    def make_map(self, depth):
        return "{" + ", ".join(f"{self.pick(repr('a'), repr('b'), repr('ab'), 's')}: {self.make('int', depth - 1)}"
                               for _ in range(self.rng.randrange(3))) + "}"

    def make_time(self, depth):
        if depth <= 0 or self.rng.random() < 0.5:
            return self.pick("timestamp(t)", "timestamp(i)", "timestamp('2024-02-29T12:30:45.678Z')",
                             "timestamp('1969-12-31T23:59:59.999-01:30')")
        return self.pick(lambda: f"({self.make('time', depth - 1)} {self.pick('+', '-')} {self.make('span', depth - 1)})",
                         lambda: self.choose("time", depth))()

    def make_span(self, depth):
        if depth <= 0 or self.rng.random() < 0.5:
            return self.pick("duration(t)", "duration('1h30m0.5s')", "duration('-90s')", "duration('315576000000s')")
        return self.pick(lambda: self.binary("span", ["+", "-"], depth),
                         lambda: f"({self.make('time', depth - 1)} - {self.make('time', depth - 1)})")()

    def make_null(self, depth):
        return "null"


def reference(expression, row):
    """What the readers' CEL says, in the form of cel_say."""
    try:
        compiled = ENVIRONMENT.compile(expression)
    except Exception as problem:  # the binding raises RuntimeError and ValueError alike
        return {"error": "compile", "text": str(problem)}
    try:
        value = compiled.eval(data=row)
        kind = str(value.type())
        if kind == "ERROR":
            return {"error": "eval", "text": str(value.value())}
        return {"t": KINDS.get(kind, kind.split("<")[0].lower()), "v": value.plain_value()}
    except Exception as problem:
        return {"error": "eval", "text": str(problem)}


def plain(ours):
    """A value of cel_say as Python has it."""
    kind, value = ours["t"], ours["v"]
    if kind in ("int", "uint"):
        return int(value)
    if kind == "double":
        return struct.unpack(">d", bytes.fromhex(value))[0]
    if kind == "bytes":
        return bytes.fromhex(value)
    if kind == "list":
        return [plain(item) for item in value]
    if kind == "map":
        items = [plain(item) for item in value]
        return list(zip(items[::2], items[1::2]))
    return value


def same(ours, theirs):
    if isinstance(ours, float) or isinstance(theirs, float):
        return isinstance(ours, (int, float)) and isinstance(theirs, (int, float)) and (
            struct.pack(">d", ours) == struct.pack(">d", theirs) or (ours != ours and theirs != theirs))
    if isinstance(ours, bytes):
        return ours == bytes(theirs)
    if isinstance(ours, list):
        theirs = list(theirs.items()) if hasattr(theirs, "items") else list(theirs)
        if theirs and isinstance(theirs[0], tuple):
            return sorted(map(repr, ours)) == sorted(map(repr, theirs))
        return len(ours) == len(theirs) and all(same(a, b) for a, b in zip(ours, theirs))
    return ours == theirs or isinstance(theirs, (datetime.datetime, datetime.timedelta, cel.Type))


def excused(expression, ours, theirs):
    """Why we may differ here; None when we may not."""
    if "exhausted" in str(ours):
        return "a limit of ours"
    if "messages cannot be made" in str(ours) or "google.protobuf.Int64Value" in expression:
        return "messages are not supported"
    if "a time zone that" in str(ours):
        return "names of places are not supported as time zones; a constant one does not compile"
    if ours.get("t") in ("google.protobuf.Timestamp", "google.protobuf.Duration", "type", "map"):
        return "only the type is compared" if theirs.get("t") == ours["t"] else None
    return None


def differs(expression, ours, theirs):
    if excused(expression, ours, theirs):
        return False
    if "error" in ours or "error" in theirs:
        return ours.get("error") != theirs.get("error")
    return ours["t"] != theirs["t"] or not same(plain(ours), theirs["v"])


def encode(kind, value):
    if kind in ("int", "uint"):
        return str(value)
    if kind == "double":
        return {"bits": struct.pack(">d", value).hex()}
    return {"hex": value.hex()} if kind == "bytes" else value


NESTED = [lambda n: "(" * n + "i" + ")" * n, lambda n: "+".join(["i"] * n), lambda n: "&&".join(["f"] * n),
          lambda n: "[" * n + "i" + "]" * n, lambda n: "!" * n + "f", lambda n: "f ? 1 : " * n + "2",
          lambda n: "dyn({})" + ".a" * n, lambda n: "dyn([])" + "[0]" * n, lambda n: "string(" * n + "i" + ")" * n,
          lambda n: "(" * n + "i" + "+1)" * n, lambda n: "{1:" * n + "i" + "}" * n,
          lambda n: "[1].exists(x," * n + "f" + ")" * n, lambda n: "(" * n + "i*1+1<2&&f||f?1:1" + ")" * n,
          lambda n: "--" * n + "i", lambda n: "-(" * n + "i" + ")" * n, lambda n: "[1].map(x, x)" + ".map(x, x)" * n,
          lambda n: "has(dyn({})" + ".a" * n + ")", lambda n: "(--" * n + "i" + ")" * n]
MARKS = [*"()[]{}.,-!?:+*/%<>=&|'\"\\ 09axub_\n`@", "==", "&&", "||", " in ", "null", "true", "dyn(", "'''", "0x", "1e", ".5"]


def mutate(text, rng):
    """A text that is nearly an expression."""
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(text) + 1)
        until = min(len(text), at + rng.choice([0, 0, 1, 1, 2, 5]))
        text = text[:at] + rng.choice(["", *MARKS]) + text[until:]
    return text


def cases(seed, count):
    rng = random.Random(seed)
    maker = Maker(rng)
    for line in (HERE / "expressions.txt").read_text().split("\n"):
        if line and not line.startswith("#"):
            yield line.replace("\\n", "\n") if line.startswith("'''") else line, random_row(rng)
    for nested in NESTED:
        for depth in range(1, 40):
            yield nested(depth), random_row(rng)
    for _ in range(count):
        kind = rng.choice(["int", "uint", "double", "bool", "string", "bytes", "list", "time", "span"])
        text = maker.make(kind, rng.randrange(1, 5))
        yield mutate(text, rng) if rng.random() < 0.2 else text, random_row(rng)


def random_row(rng):
    return {name: rng.choice(VALUES[kind]) for name, kind in COLUMNS.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cel_say")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=4000)
    arguments = parser.parse_args()
    made = list(cases(arguments.seed, arguments.count))
    lines = "".join(json.dumps({"expr": expression, "columns": COLUMNS,
                                "row": {name: encode(COLUMNS[name], value) for name, value in row.items()}}) + "\n"
                    for expression, row in made)
    said = subprocess.run([arguments.cel_say], input=lines, capture_output=True, text=True, check=True).stdout
    answers = [json.loads(line) for line in said.rstrip("\n").split("\n")]
    assert len(answers) == len(made)
    kinds, differences = {}, 0
    for (expression, row), ours in zip(made, answers):
        theirs = reference(expression, row)
        what = ours.get("error") or ours["t"]
        kinds[what] = kinds.get(what, 0) + 1
        if differs(expression, ours, theirs):
            differences += 1
            used = {name: value for name, value in row.items() if name in expression}
            print(f"{expression}\n    {used!r:.200}\n    ours   {str(ours)[:200]}\n    theirs {str(theirs)[:200]}")
    print(f"{len(made)} expressions of seed {arguments.seed}: {differences} differ; {dict(sorted(kinds.items()))}")
    return 1 if differences else 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # not through the interpreter's end, where the binding may trip over its own reference counts
