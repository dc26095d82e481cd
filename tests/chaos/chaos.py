#!/usr/bin/env python3
"""The real service with several members, real brokers and a real S3 server, under faults that a seed picks.

    chaos.py [--minutes N] [--seed S] [--faults a,b] [--brokers 1|3] [--members N] [--folder DIR]

Each fault is a line when it happens. After each round an independent oracle compares what was produced with what was
published; the first difference ends the run with exit code 1.
"""
import argparse
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

import faults  # noqa: E402
import harness  # noqa: E402
from cluster import LANES, Cluster  # noqa: E402
from director import Director  # noqa: E402
from produce import Topics  # noqa: E402


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--faults", help="only these, with commas: " + ", ".join(sorted(faults.REGISTRY)))
    parser.add_argument("--brokers", type=int, choices=(1, 3), default=3)
    parser.add_argument("--members", type=int, default=3)
    parser.add_argument("--folder", help="where everything is kept; default: a new one under the temporary folder")
    arguments = parser.parse_args()
    arguments.names = arguments.faults.split(",") if arguments.faults else None
    for name in arguments.names or ():
        if name not in faults.REGISTRY:
            parser.error(f"no such fault: {name}; there are {', '.join(sorted(faults.REGISTRY))}")
    return arguments


def main():
    arguments = parse()
    folder = pathlib.Path(arguments.folder or tempfile.mkdtemp(prefix="tidemark-chaos-")).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    again = f"scripts/chaos --seed {arguments.seed} --minutes {arguments.minutes:g} --brokers {arguments.brokers} " \
            f"--members {arguments.members}" + (f" --faults {arguments.faults}" if arguments.faults else "")
    print(f"{again}\nlogs, settings and stores: {folder}", flush=True)
    kafka, s3 = harness.Kafka(folder / "kafka", LANES), harness.S3(folder / "s3")
    good = False
    try:
        kafka.start(arguments.brokers)
        s3.start("versitygw")
        cluster = Cluster(kafka, s3, folder)
        director = Director(cluster, Topics(kafka.bootstrap), folder, arguments.seed,
                            lambda text: print(text, flush=True), arguments.names, arguments.members)
        try:
            director.run(minutes=arguments.minutes)
            good = True
        finally:
            print("\n" + director.figures.table(good))
            cluster.close()
    finally:
        kafka.stop()
        s3.stop()
    print("\nnothing lost, nothing twice" if good else f"\nFAILED; again: {again}\nkept: {folder}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
