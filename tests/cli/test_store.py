#!/usr/bin/env python3
"""rollback and cleanup where no service runs: what they change in a store, and what never."""
import json
import os
import shutil
import sqlite3
import time

import golden


class Offline(golden.Case):
    def setUp(self):
        super().setUp()
        self.url = self.copy("manifest_example")
        self.run_id = golden.decoded("manifest_example")["manifest"]["build_meta"]["run_id"]
        self.root = self.folder / "snapshot"

    def add_run(self, run_id, day):
        """Another published run: a copy of the first."""
        shutil.copytree(self.root / f"shards/run_id={self.run_id}", self.root / f"shards/run_id={run_id}")
        source = next(self.root.glob(f"manifests/*_run_id={self.run_id}/manifest"))
        target = self.root / f"manifests/2026-01-{day:02}T00:00:00.000000Z_run_id={run_id}/manifest"
        target.parent.mkdir()
        target.write_bytes(source.read_bytes())
        database = sqlite3.connect(target)
        database.execute("UPDATE build_meta SET run_id = ?", (run_id,))
        database.execute("UPDATE shards SET db_url = replace(db_url, ?, ?)", (self.run_id, run_id))
        database.commit()
        database.close()

    def pointer(self):
        return json.loads((self.root / "_CURRENT").read_text())

    def files(self):
        return {str(p.relative_to(self.root)) for p in self.root.rglob("*") if p.is_file()}

    def age(self, seconds):
        then = time.time() - seconds
        for path in self.root.rglob("*"):
            os.utime(path, (then, then))


class Rollback(Offline):
    def test_there_and_back(self):
        self.add_run("older", 1)
        first = self.pointer()
        answer = self.expect_json(0, "rollback", "-s", self.url, "--offline", "older")
        self.assertEqual((answer["state"], answer["from_run_id"], answer["held"]),
                         ("rolled_back", self.run_id, False))
        second = self.pointer()
        self.assertEqual(second["run_id"], "older")
        self.assertGreater(second["updated_at"], first["updated_at"])
        self.assertEqual(self.expect_json(0, "info", "-s", self.url)["run_id"], "older")
        self.expect(0, "get", "-s", self.url, 185)
        out, _ = self.expect(0, "rollback", "-s", self.url, "--offline", self.run_id)
        self.assertIn(f"_CURRENT names {self.run_id} now", out)
        self.assertNotEqual(self.pointer(), first)
        self.assertEqual(self.expect_json(0, "rollback", "-s", self.url, "--offline", self.run_id)["state"],
                         "already_current")

    def test_only_to_what_is_whole(self):
        self.add_run("older", 1)
        before = self.pointer()
        next(self.root.glob("shards/run_id=older/*/*/shard.db")).unlink()
        self.expect(4, "rollback", "-s", self.url, "--offline", "older")
        self.expect(4, "rollback", "-s", self.url, "--offline", "nobody")
        self.assertEqual(self.pointer(), before)

    def test_a_service_must_be_asked(self):
        _, errors = self.expect(2, "rollback", "-s", self.url, "older")
        self.assertIn("--offline", errors)


class Cleanup(Offline):
    def test_dry_run_changes_nothing(self):
        self.add_run("older", 1)
        self.age(7200)
        before = self.files()
        plan = self.expect_json(0, "cleanup", "-s", self.url, "--dry-run", "--keep-last", 1)
        self.assertEqual({i["run_id"]: i["goes"] for i in plan["items"]}, {self.run_id: False, "older": True})
        self.assertFalse(plan["deleted"])
        self.assertEqual(self.files(), before)

    def test_keeps_what_was_not_asked_for(self):
        self.add_run("older", 1)
        self.age(7200)
        before = self.files()
        self.assertEqual(self.expect_json(0, "cleanup", "-s", self.url, "--offline")["objects"], 0)
        self.assertEqual(self.files(), before)

    def test_old_runs_and_lost_attempts_go(self):
        self.add_run("older", 1)
        self.add_run("middle", 2)
        shard = next(self.root.glob(f"shards/run_id={self.run_id}/*"))
        (shard / "attempt=10").mkdir()
        (shard / "attempt=10/shard.db").write_text("lost")
        (self.root / "shards/run_id=dead/db=00000/attempt=00").mkdir(parents=True)
        (self.root / "shards/run_id=dead/db=00000/attempt=00/shard.db").write_text("dead")
        self.age(7200)
        plan = self.expect_json(0, "cleanup", "-s", self.url, "--offline", "--keep-last", 2)
        self.assertTrue(plan["deleted"])
        left = self.files()
        for gone in ("older", "dead", "attempt=10"):
            self.assertFalse([name for name in left if gone in name and not name.startswith("runs/")])
        for kept in ("middle", self.run_id):
            self.assertTrue([name for name in left if kept in name])
        self.expect(0, "get", "-s", self.url, 185)
        self.expect(0, "get", "-s", self.url, "--run", "middle", 185)

    def test_the_age_of_what_is_written_protects(self):
        (self.root / "shards/run_id=new/db=00000/attempt=00").mkdir(parents=True)
        (self.root / "shards/run_id=new/db=00000/attempt=00/shard.db").write_text("new")
        plan = self.expect_json(0, "cleanup", "-s", self.url, "--offline", "--keep-last", 1)
        self.assertEqual({i["run_id"]: i["reason"] for i in plan["items"]}["new"], "young")
        plan = self.expect_json(0, "cleanup", "-s", self.url, "--offline", "--keep-last", 1, "--grace", "0s")
        self.assertFalse([name for name in self.files() if "run_id=new" in name])

    def test_somebody_must_say_that_no_service_runs(self):
        before = self.files()
        _, errors = self.expect(2, "cleanup", "-s", self.url, "--keep-last", 1)
        self.assertIn("--offline", errors)
        self.assertEqual(self.files(), before)

    def test_damage_stops_it(self):
        self.add_run("older", 1)
        self.age(7200)
        (self.root / "_CURRENT").write_text("{}")
        before = self.files()
        self.expect(12, "cleanup", "-s", self.url, "--offline", "--keep-last", 1)
        self.assertEqual(self.files(), before)


if __name__ == "__main__":
    golden.main()
