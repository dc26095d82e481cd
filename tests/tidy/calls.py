#!/usr/bin/env python3
"""Looks at who calls whom, in the libraries as they were built (static, without link-time optimisation).

    calls.py --pure LIBRARY…       no call of a clock, a thread, a file or a socket
    calls.py --circles LIBRARY…    no two files that call each other, also not by way of others
"""
import collections
import re
import subprocess
import sys

IMPURE = re.compile(
    r"^(time|clock|clock_gettime|gettimeofday|localtime(_r)?|gmtime(_r)?|mktime|nanosleep|usleep|sleep|"
    r"pthread_.*|thrd_.*|mtx_.*|cnd_.*|"
    r"open(at|64|dir)?|close|read|pread|write|pwrite|lseek(64)?|stat(64)?|fstat(64)?|unlink|rename|mkdir|mmap(64)?|"
    r"fopen(64)?|fclose|fread|fwrite|fprintf|vfprintf|printf|vprintf|puts|putchar|fputs|fputc|fgets|perror|"
    r"stdin|stdout|stderr|__(f|v|vf)?printf_chk|"
    r"socket|connect|bind|listen|accept|send(to|msg)?|recv(from|msg)?|poll|select|epoll_.*|getaddrinfo|"
    r"rand|srand|random|getrandom|arc4random.*|getenv|secure_getenv|system|popen|fork|exec.*)$"
)
# A failed CHECK says where, on the way to abort().
ALLOWED = {"check.c.o": {"write", "fprintf", "stderr", "__fprintf_chk"}}


def objects_of(libraries):
    """{(library, member): (defined symbols, undefined symbols)}"""
    objects = collections.defaultdict(lambda: (set(), set()))
    for library in libraries:
        out = subprocess.run(["nm", library], capture_output=True, text=True, check=True).stdout
        member = ""
        for line in out.split("\n"):
            if line.endswith(".o:"):
                member = line[:-1]
                continue
            words = line.split()
            if len(words) < 2:
                continue
            symbol = words[-1].split("@")[0]
            if words[-2] in "Uw":
                objects[library, member][1].add(symbol)
            elif words[-2].isupper():
                objects[library, member][0].add(symbol)
    return objects


def check_pure(objects):
    bad = 0
    for (library, member), (_, undefined) in sorted(objects.items()):
        for symbol in sorted(undefined):
            if IMPURE.match(symbol) and symbol not in ALLOWED.get(member, ()):
                print(f"{library}({member}): calls {symbol}")
                bad += 1
    return bad


def check_circles(objects):
    """Tarjan's strongly connected components of the graph of calls between objects."""
    home = {symbol: name for name, (defined, _) in objects.items() for symbol in defined}
    graph = {name: {home[s] for s in undefined if s in home and home[s] != name} for name, (_, undefined) in objects.items()}
    index, low, stack, on_stack, circles = {}, {}, [], set(), []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        on_stack.add(node)
        for other in graph[node]:
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in on_stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            circle = []
            while True:
                other = stack.pop()
                on_stack.discard(other)
                circle.append(other)
                if other == node:
                    break
            if len(circle) > 1:
                circles.append(circle)

    sys.setrecursionlimit(10000)
    for node in sorted(graph):
        if node not in index:
            visit(node)
    for circle in circles:
        members = {name for name in circle}
        print("a circle of " + ", ".join(sorted(member.removesuffix(".c.o") for _, member in circle)))
        for name in sorted(members):
            for symbol in sorted(objects[name][1]):
                if home.get(symbol) in members and home[symbol] != name:
                    print(f"    {name[1].removesuffix('.c.o')} uses {symbol} of {home[symbol][1].removesuffix('.c.o')}")
    return len(circles)


def main():
    what, libraries = sys.argv[1], sys.argv[2:]
    objects = objects_of(libraries)
    bad = {"--pure": check_pure, "--circles": check_circles}[what](objects)
    print(f"{len(objects)} objects, {bad} breaches")
    if not objects:
        print("nothing was looked at")
    return 1 if bad or not objects else 0


if __name__ == "__main__":
    sys.exit(main())
