"""The golden snapshots as a user would have them: copied to a folder, and run against by the program."""
import functools
import json
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import tempfile
import unittest

VECTORS = pathlib.Path(__file__).resolve().parents[1] / "vectors"
PROGRAM = os.environ.get("TIDEMARK", "build/dev/src/tidemark")


def decoded(name):
    return json.loads((VECTORS / name / "decoded.json").read_text())


def stored_keys(name):
    """Stored key bytes -> (db_id, length of the value), of the rows whose key is told."""
    return {bytes.fromhex(row["k"]): (shard["db_id"], row["v_len"])
            for shard in decoded(name)["shards"] for row in shard["rows"] if "k" in row}


def integer_keys(name):
    return {int.from_bytes(key, "big"): value for key, value in stored_keys(name).items()}


def members(value):
    """The names of all members, but those of an account, and those of a user's own JSON."""
    if isinstance(value, list):
        return set().union(*map(members, value))
    if not isinstance(value, dict):
        return set()
    return set(value).union(*(members(v) for k, v in value.items() if k not in ("account", "payload")))


@functools.cache
def documented(command):
    """The words of what its help says about --json."""
    text = subprocess.run([PROGRAM, command, "--help"], capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"\w+", text.split("With --json:")[1]))


class Case(unittest.TestCase):
    """A folder of its own; run() runs the program and gives (exit code, output, errors)."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tidemark-cli-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.environment = {k: v for k, v in os.environ.items()
                            if not k.startswith(("AWS_", "TIDEMARK_", "XDG_"))}
        self.environment["HOME"] = str(self.folder)

    def run_bytes(self, *arguments, stdin=b"", env=None):
        result = subprocess.run([PROGRAM, *map(str, arguments)], input=stdin, capture_output=True,
                                env={**self.environment, **(env or {})}, timeout=60)
        return result.returncode, result.stdout, result.stderr.decode()

    def run_text(self, *arguments, **options):
        code, out, errors = self.run_bytes(*arguments, **options)
        return code, out.decode(errors="replace"), errors

    def expect(self, code, *arguments, **options):
        have, out, errors = self.run_text(*arguments, **options)
        self.assertEqual(have, code, f"{arguments}: {out}{errors}")
        return out, errors

    def expect_json(self, code, *arguments, **options):
        out, errors = self.expect(code, *arguments, "--json", **options)
        for line in errors.splitlines():
            json.loads(line)
        answer = json.loads(out)
        self.assertLessEqual(members(answer), documented(arguments[0]), f"{arguments[0]}: members its help does not name")
        return answer

    def copy(self, name, to="snapshot"):
        """A copy whose recorded URLs name the folder it is in; its URL."""
        target = self.folder / to
        shutil.copytree(VECTORS / name / "objects", target)
        url = f"file://{target}"
        pointer = json.loads((target / "_CURRENT").read_text())
        prefix = pointer["manifest_ref"].split("/manifests/")[0]
        pointer["manifest_ref"] = pointer["manifest_ref"].replace(prefix, url)
        (target / "_CURRENT").write_text(json.dumps(pointer, sort_keys=True, separators=(",", ":")))
        for manifest in target.glob("manifests/*/manifest"):
            database = sqlite3.connect(manifest)
            database.execute("UPDATE build_meta SET s3_prefix = ?", (url,))
            database.execute("UPDATE shards SET db_url = replace(db_url, ?, ?)", (prefix, url))
            database.commit()
            database.close()
        return url

    def raw(self, name):
        """The vector where it lies, with the URLs of another place in it."""
        return f"file://{VECTORS / name / 'objects'}"


def main():
    unittest.main(verbosity=2)
