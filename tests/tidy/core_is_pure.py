#!/usr/bin/env python3
"""Looks into the libraries of core for calls of a clock, a thread, a file or a socket.

    core_is_pure.py LIBRARY…      (static libraries, built without link-time optimisation)
"""
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


def main():
    bad = 0
    objects = 0
    for library in sys.argv[1:]:
        out = subprocess.run(["nm", "--undefined-only", library], capture_output=True, text=True, check=True).stdout
        member = ""
        for line in out.split("\n"):
            if line.endswith(".o:"):
                member = line[:-1]
                objects += 1
                continue
            symbol = line.split()[-1].split("@")[0] if line.split() else ""
            if IMPURE.match(symbol) and symbol not in ALLOWED.get(member, ()):
                print(f"{library}({member}): calls {symbol}")
                bad += 1
    print(f"{objects} objects, {bad} impure calls")
    if objects == 0:
        print("nothing was looked at")
        return 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
