#!/usr/bin/env python3
"""libtidemark as its users get it: installed, found by pkg-config, compiled against, shared and static."""
import os
import pathlib
import subprocess

import golden

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("TIDEMARK_BUILD", ROOT / "build/dev"))
CC = os.environ.get("CC", "cc")


class Installed(golden.Case):
    def setUp(self):
        super().setUp()
        self.prefix = self.folder / "prefix"
        self.call("cmake", "--install", BUILD, "--prefix", self.prefix)
        folders = [str(p.parent) for p in self.prefix.rglob("tidemark.pc")]
        self.assertEqual(len(folders), 1)
        path = os.environ.get("PKG_CONFIG_PATH")
        self.environment["PKG_CONFIG_PATH"] = ":".join(folders + ([path] if path else []))
        self.libraries = pathlib.Path(folders[0]).parent

    def call(self, *command):
        result = subprocess.run(list(map(str, command)), capture_output=True, text=True, env=self.environment)
        self.assertEqual(result.returncode, 0, f"{command}: {result.stdout[-2000:]}{result.stderr[-2000:]}")
        return result.stdout

    def flags(self, *options):
        return self.call("pkg-config", *options, "tidemark").split()

    def read(self, program, *arguments):
        return subprocess.run([str(program), *map(str, arguments)], capture_output=True, text=True,
                              env={**self.environment, "LD_LIBRARY_PATH": str(self.libraries)})

    def check_program(self, program):
        url = self.copy("manifest_example", program.name + "-snapshot")
        keys = golden.integer_keys("manifest_example")
        first = self.read(program, url)
        self.assertEqual(first.returncode, 0, first.stderr)
        wanted = [f"{key}\t{keys[key][1]} bytes" for key in sorted(keys)[:10]]
        self.assertEqual(first.stdout.splitlines(), wanted)
        for key in list(keys)[::20]:
            have = self.read(program, url, key)
            self.assertEqual((have.returncode, len(have.stdout.encode())), (0, keys[key][1] + 1))
        self.assertEqual(self.read(program, url, 186).returncode, 4)
        nothing = self.read(program, f"file://{self.folder}/nothing")
        self.assertEqual(nothing.returncode, 1)
        self.assertIn("_CURRENT", nothing.stderr)

    def test_the_example_and_what_is_visible(self):
        source = next(self.prefix.rglob("read_snapshot.c"))
        strict = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", source]
        shared = self.folder / "shared"
        self.call(CC, *strict, *self.flags("--cflags", "--libs"), "-o", shared)
        self.check_program(shared)
        needed = self.call("objdump", "-p", shared)
        self.assertIn("libtidemark.so.", needed)
        static = self.folder / "static"
        private = [f for f in self.flags("--static", "--libs") if f != "-ltidemark"]
        self.call(CC, *strict, *self.flags("--cflags"), self.libraries / "libtidemark.a", *private, "-o", static)
        self.assertNotIn("libtidemark", self.call("objdump", "-p", static))
        self.check_program(static)

        # the header in C++ too; nothing but its functions is visible, and readers load no Kafka client
        self.call("c++", "-std=c++11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-x", "c++",
                  *self.flags("--cflags"), self.prefix / "include/tidemark.h")
        for symbols in (self.call("nm", "-D", "--defined-only", self.libraries / "libtidemark.so"),
                        self.call("nm", "-g", "--defined-only", self.libraries / "libtidemark.a")):
            names = [line.split()[-1] for line in symbols.splitlines() if len(line.split()) == 3]
            self.assertGreater(len(names), 20)
            self.assertEqual([name for name in names if not name.startswith("tidemark_")], [])
        self.assertNotIn("rdkafka", self.call("objdump", "-p", self.libraries / "libtidemark.so"))


if __name__ == "__main__":
    golden.main()
