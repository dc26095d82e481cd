"""What the bench scripts share: the release they measure, and the tables of docs/performance.md."""
import os
import pathlib
import platform
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = pathlib.Path(os.environ.get("TIDEMARK_BUILD", ROOT / "build")) / "release"
PAGE = ROOT / "docs/performance.md"


def say(text):
    print(text, file=sys.stderr, flush=True)


def run(arguments, **options):
    return subprocess.run([str(a) for a in arguments], check=True, **options)


def compile_release():
    launcher = ["-DCMAKE_C_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
    with open(os.devnull, "w") as quiet:
        run(["cmake", "-S", ROOT, "-B", BUILD, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=RelWithDebInfo", *launcher], stdout=quiet)
        run(["cmake", "--build", BUILD, "--target", "tidemark", "bench"], stdout=quiet)


def machine():
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return f"{os.cpu_count()} cores of {cpu}, {memory:.0f} GiB, Linux {platform.release()}; broker, client and service share them"


def write_table(script, rows, into_page):
    """Prints the rows; into_page: also between the markers `<!-- table of SCRIPT -->` and `<!-- end of the table -->`."""
    table = "| | |\n|---|---|\n" + "".join(f"| {a} | {b} |\n" for a, b in rows) + f"\nMachine: {machine()}.\n"
    print(table)
    if into_page:
        before, mark, rest = PAGE.read_text().partition(f"<!-- table of {script} -->")
        after = rest.partition("<!-- end of the table -->")[2]
        PAGE.write_text(before + mark + "\n" + table + "<!-- end of the table -->" + after)
