#!/usr/bin/env python3
"""Checks the conventions that a compiler does not: who includes whom, what core may touch, the layout.

    tests/tidy/tidy.py            says every breach, one a line; exit code 1 if there is any
    tests/tidy/tidy.py --fix      lets clang-format rewrite the files first
"""
import argparse
import collections
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LINES_MAX = 500
COLUMNS_MAX = 100

# A foreign header, and the only folders that may include it ("" is the whole of src/).
FOREIGN = {
    r"librdkafka/.*": ["adapters/kafka", "cli/demo"],
    r"curl/.*": ["adapters/s3"],
    r"openssl/.*": ["adapters/crypto", "adapters/s3"],
    r"expat\.h": ["adapters/s3"],
    r"sqlite3\.h": ["adapters/sqlite"],
    r"libconfig\.h": ["consumer/settings"],
    r"microhttpd\.h": ["consumer/status"],
    r"pthread\.h|threads\.h": ["adapters/os"],
    r"cjson/.*": ["core/base"],
    r"yaml\.h": ["core/snapshot"],
    r"xxhash\.h": ["core"],
    r"zstd.*\.h": ["core/spill", "core/snapshot"],
    r"re2/.*": ["core/route/cel"],
    r"criterion/.*": [],
}
# What core never sees: clocks, threads, files, sockets. The message of a failed CHECK, in check.c, is
# the one thing that core writes.
IMPURE = re.compile(
    r"^(time|sys/time|pthread|threads|fcntl|unistd|dirent|poll|signal|netdb|sys/(socket|stat|mman|epoll|"
    r"types|file|uio|wait)|arpa/.*|netinet/.*)\.h$|^(sys|arpa|netinet)/(socket|stat|mman|epoll).*"
)
STREAMS = re.compile(
    r"\b(FILE|stdin|stdout|stderr|fopen|fclose|fread|fwrite|fprintf|printf|puts|fputs|fgets|putchar|perror)\b(?!\")"
)
# Folder -> what of ours it may include, by prefix; its own folder always.
MAY_INCLUDE = {
    "core/base": ["core/base"],
    "core/record": ["core/base"],
    "core/route": ["core/base", "core/record"],
    "core/route/cel": ["core/base", "core/record", "core/route"],
    "core/window": ["core/base", "core/record", "core/route"],
    "core/spill": ["core/base", "core/record", "core/route"],
    "core/snapshot": ["core/base", "core/record", "core/route"],
    "core/coord": ["core/base", "core/record", "core/route", "core/window", "core/spill", "core/snapshot",
                   "core/settings.h"],
    "core": ["core"],
    "adapters": ["core", "adapters/os"],
    "checkpoint/spill": ["core", "adapters/sqlite/sqlite_checkpoint.h", "adapters/os", "adapters/crypto"],
    "checkpoint/reading": ["core", "adapters/sqlite/sqlite_manifest.h", "adapters/os", "adapters/crypto"],
    "checkpoint/shards": ["core", "adapters/os", "adapters/crypto", "checkpoint/spill", "checkpoint/reading"],
    "checkpoint/leader": ["core", "adapters/sqlite/sqlite_manifest.h", "adapters/os", "adapters/crypto",
                          "checkpoint/reading"],
    "consumer/settings": ["core", "adapters"],
    "consumer/rows": ["core", "adapters", "checkpoint"],
    "consumer/wiring": ["core", "adapters", "checkpoint"],
    "consumer/operator": ["core", "adapters", "checkpoint"],
    "consumer/intake": ["core", "adapters", "checkpoint", "consumer/rows"],
    "consumer/member": ["core", "adapters", "checkpoint", "consumer/rows", "consumer/intake"],
    "consumer/status": ["core", "adapters", "checkpoint", "consumer/member", "consumer/operator", "consumer/wiring"],
    "consumer": ["core", "adapters", "checkpoint", "consumer/settings", "consumer/rows", "consumer/wiring",
                 "consumer/operator", "consumer/intake", "consumer/member", "consumer/status"],
    "consumer/doctor": ["core", "adapters", "checkpoint", "consumer"],
    "consumer/verify": ["core", "adapters", "checkpoint", "consumer"],
    "cli": ["core", "adapters", "checkpoint", "consumer", "cli"],
    "library": ["core", "adapters", "checkpoint", "consumer/wiring"],
}
WIRING = {"consumer/wiring/wiring.c", "consumer/wiring/wiring_kv.c"}
EVERYBODYS = ("adapters/os", "adapters/crypto")
# Words that would tie the project to the place where it was made.
FORBIDDEN = [
    (re.compile(r"\.\./shar" + r"ed"), "a folder outside the project"),
    (re.compile(r"/wor" + r"k/"), "a path of one machine"),
    (re.compile(r"/ro" + r"ot/"), "a path of one machine"),
    (re.compile(r"proxy\.golang\." + r"org|pypi\." + r"org|repo1?\.maven\." + r"org|registry\.npmjs\." + r"org|crates\."
                + r"io/api|files\.pythonhosted\." + r"org"), "the host of a package registry"),
]
OPENING = re.compile(r"\A/\* (.+?)\*/", re.S)
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)


class Breaches(list):
    def say(self, path, line, text):
        where = f"{path}:{line}" if line else str(path)
        self.append(f"{where}: {text}")


def tracked(*patterns):
    """The files of the project, with those that are not committed yet."""
    out = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT, capture_output=True, text=True)
    if out.returncode == 0:
        names = out.stdout.split("\n")
    else:  # a source archive has no .git
        names = [str(p.relative_to(ROOT)) for pattern in patterns for p in ROOT.glob("**/" + pattern)
                 if "build" not in p.relative_to(ROOT).parts]
    return sorted(pathlib.PurePosixPath(n) for n in set(names) if n and (ROOT / n).is_file())


def read(path):
    return (ROOT / path).read_text(errors="replace")


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def strip_comments(text):
    """Comments become blanks, so that places stay; texts stay."""
    pattern = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.S)
    return pattern.sub(
        lambda m: m.group(0) if m.group(0).startswith('"') else re.sub(r"[^\n]", " ", m.group(0)), text)


def folder_rules(folder):
    while folder and folder not in MAY_INCLUDE:
        folder = folder.rpartition("/")[0]
    return MAY_INCLUDE.get(folder)


def under(path, prefix):
    return path == prefix or path.startswith(prefix + "/")


def may_include(source, header):
    """True when src/`source` may include src/`header`."""
    folder = source.rpartition("/")[0]
    header_folder = header.rpartition("/")[0]
    if header_folder == folder or (under(header_folder, folder) and folder not in ("adapters", "consumer")):
        return True
    if folder.startswith("adapters/"):
        other = header_folder.startswith("adapters/") and header_folder not in (folder, *EVERYBODYS)
        return (under(header, "core") or under(header, "adapters")) and not other
    if under(folder, "checkpoint") and header_folder == "adapters":
        return True
    if under(folder, "consumer") and header_folder.startswith("adapters/") and header_folder not in EVERYBODYS:
        return source in WIRING or header in ("adapters/sqlite/sqlite_manifest.h",
                                              "adapters/sqlite/sqlite_checkpoint.h")
    allowed = folder_rules(folder)
    return allowed is not None and any(under(header, prefix) for prefix in allowed)


def check_includes(path, text, breaches):
    source = str(path.relative_to("src"))
    folder = source.rpartition("/")[0]
    pure = source.startswith("core/")
    for match in INCLUDE.finditer(text):
        kind, header = match.groups()
        line = line_of(text, match.start())
        if kind == '"':
            if not (ROOT / "src" / header).is_file():
                breaches.say(path, line, f'"{header}" is not a path from src/')
            elif not may_include(source, header):
                breaches.say(path, line, f"{folder or 'src'} may not include {header}")
            continue
        for pattern, folders in FOREIGN.items():
            if re.fullmatch(pattern, header) and not any(under(folder, f) for f in folders):
                where = ", ".join(folders) or "tests"
                breaches.say(path, line, f"<{header}> belongs to {where} alone")
        if pure and IMPURE.match(header) and path.name != "check.c":
            breaches.say(path, line, f"<{header}>: core has no clock, thread, file or socket")


def check_streams(path, text, breaches):
    for number, line in enumerate(text.split("\n"), 1):
        code = re.sub(r'"(?:\\.|[^"\\])*"', '""', line)
        found = STREAMS.search(code)
        if found and path.name != "check.c" and "__attribute__" not in code:
            breaches.say(path, number, f"core uses no streams: {found.group(1)}")


def check_layout(path, raw, breaches):
    lines = raw.split("\n")
    if len(lines) - 1 > LINES_MAX:
        breaches.say(path, None, f"{len(lines) - 1} lines: over {LINES_MAX}, so its subjects are two")
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS_MAX:
            breaches.say(path, number, f"{len(line)} columns")
        if line != line.rstrip():
            breaches.say(path, number, "blanks at the end of the line")
        if "\t" in line:
            breaches.say(path, number, "a tab")
    opening = OPENING.match(raw)
    if not opening or not re.search(r"[.!?:]\s", opening.group(1) + " "):
        breaches.say(path, 1, "does not open with a comment of one sentence that says its subject")
    if path.suffix == ".h":
        guard = "TIDEMARK_" + re.sub(r"[^A-Z0-9]", "_", str(path).removeprefix("src/").upper())
        if f"#ifndef {guard}\n" not in raw:
            breaches.say(path, None, f"the include guard is not {guard}")
    if re.search(r"^typedef\s+(struct|union|enum)\b", raw, re.M):
        breaches.say(path, None, "structs and enums are not typedef'd")


def check_circles(sources, breaches):
    """Circles between headers. Those between the functions of different files are for calls.py."""
    graph = collections.defaultdict(set)
    for path, text in sources.items():
        if path.suffix == ".h":
            graph[str(path.relative_to("src"))] = {h for kind, h in INCLUDE.findall(text) if kind == '"'}
    state = {}

    def visit(node, trail):
        state[node] = "open"
        for other in sorted(graph.get(node, ())):
            if state.get(other) == "open":
                breaches.say("src/" + node, None, "a circle: " + " -> ".join(trail[trail.index(other):] + [other]))
            elif other not in state:
                visit(other, trail + [other])
        state[node] = "done"

    for node in sorted(graph):
        if node not in state:
            visit(node, [node])


def check_stems(paths, breaches):
    stems = collections.defaultdict(set)
    for path in paths:
        stems[path.stem].add(str(path.parent))
    for stem, folders in sorted(stems.items()):
        if len(folders) > 1:
            breaches.say("src", None, f"the stem {stem} is in {' and in '.join(sorted(folders))}")


def check_words(breaches):
    for path in tracked("*"):
        data = (ROOT / path).read_bytes()
        if b"\0" in data:
            continue
        text = data.decode(errors="replace")
        for pattern, what in FORBIDDEN:
            for match in pattern.finditer(text):
                breaches.say(path, line_of(text, match.start()), f"{match.group(0)} is {what}")


def check_packages(breaches):
    """What CMake needs, scripts/install installs."""
    wanted = set(re.findall(r"^want (\S+)", read("scripts/install"), re.M))
    for package in re.findall(r"^need\(\S+ \S+ (\S+)\)", read("cmake/Libraries.cmake"), re.M):
        if package not in wanted:
            breaches.say("scripts/install", None, f"does not install {package}, which cmake/Libraries.cmake needs")


def headers_alone(headers, breaches):
    compiler = os.environ.get("CC", "cc")

    def compile_one(path):
        return path, subprocess.run(
            [compiler, "-std=gnu17", "-D_GNU_SOURCE", "-DTIDEMARK_VERSION=\"0\"", "-I", "src", "-fsyntax-only", "-Werror",
             "-x", "c", "-include", str(path), os.devnull], cwd=ROOT, capture_output=True, text=True)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, result in pool.map(compile_one, headers):
            if result.returncode != 0:
                breaches.say(path, None, "does not compile alone: " + result.stderr.split("\n")[0])


def formatter():
    """clang-format 14, of the system or of the tests' virtual environment: versions differ in taste."""
    for name in ("clang-format-14", "clang-format", ROOT / "build/venv/bin/clang-format"):
        found = shutil.which(name)
        if found and " 14." in subprocess.run([found, "--version"], capture_output=True, text=True).stdout:
            return found
    return None


def check_format(paths, fix, breaches):
    tool = formatter()
    if tool is None:
        breaches.say(".clang-format", None, "no clang-format 14 found: scripts/test makes build/venv, which has it")
        return
    if fix:
        subprocess.run([tool, "-i", *map(str, paths)], cwd=ROOT, check=True)

    def unlike(some):
        return subprocess.run([tool, "--dry-run", *map(str, some)], cwd=ROOT, capture_output=True, text=True).stderr

    # many files a process: it starts as slowly as it reads a hundred of them
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for said in pool.map(unlike, (paths[n:n + 50] for n in range(0, len(paths), 50))):
            lines = dict(reversed(re.findall(r"^(\S+?):(\d+):\d+: warning: ", said, re.M)))
            for path, line in lines.items():
                breaches.say(path, int(line), "not as clang-format writes it (tests/tidy/tidy.py --fix)")
            if said and not lines:
                breaches.say(".clang-format", None, said.split("\n")[0])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fix", action="store_true")
    fix = parser.parse_args().fix
    breaches = Breaches()
    ours = tracked("src/*.c", "src/*.h")
    tests = tracked("tests/*.c", "tests/*.h", "bench/*.c", "bench/*.h")
    check_format(ours + tests, fix, breaches)
    sources = {path: strip_comments(read(path)) for path in ours}
    for path, text in sources.items():
        check_includes(path, text, breaches)
        check_layout(path, read(path), breaches)
        if str(path).startswith("src/core/"):
            check_streams(path, text, breaches)
    for path in tests:
        raw = read(path)
        if not OPENING.match(raw):
            breaches.say(path, 1, "does not open with a comment that says its subject")
    check_circles(sources, breaches)
    check_stems(ours, breaches)
    check_words(breaches)
    check_packages(breaches)
    headers_alone([path for path in ours if path.suffix == ".h"], breaches)
    for breach in breaches:
        print(breach)
    print(f"{len(ours) + len(tests)} files, {len(breaches)} breaches")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
