#!/usr/bin/env python3
"""get, multiget, route, info, shards, history: what they print, and how they end."""
import base64
import glob
import hashlib
import json
import math
import sqlite3

import golden


class Get(golden.Case):
    def test_every_key_of_the_golden_snapshot(self):
        url = self.copy("manifest_example")
        rows = [row for shard in golden.decoded("manifest_example")["shards"] for row in shard["rows"]]
        for row in rows[::7]:
            code, value, errors = self.run_bytes("get", "-s", url, int(row["k"], 16))
            self.assertEqual((code, errors), (0, ""))
            self.assertEqual(len(value), row["v_len"])
            self.assertEqual(hashlib.sha256(value).hexdigest(), row["v_sha256"])

    def test_json_says_the_same(self):
        url = self.copy("manifest_example")
        run_id = golden.decoded("manifest_example")["manifest"]["build_meta"]["run_id"]
        seen = set()
        for key, (db_id, length) in list(golden.integer_keys("manifest_example").items())[:40]:
            answer = self.expect_json(0, "get", "-s", url, key)
            self.assertEqual(answer["db_id"], db_id)
            self.assertEqual((answer["found"], answer["key"], answer["run_id"]), (True, str(key), run_id))
            value = answer["value"]
            value = base64.b64decode(value) if answer["encoding"] == "base64" else value.encode()
            self.assertEqual(len(value), length)
            self.assertEqual(value, self.run_bytes("get", "-s", url, key)[1])
            seen.add(answer["encoding"])
        self.assertIn("utf8", seen)

    def test_bytes_that_are_no_text(self):
        url = self.copy("manifest_example")
        for shard in self.folder.glob("snapshot/shards/*/*/*/shard.db"):
            database = sqlite3.connect(shard)
            database.execute("UPDATE kv SET v = x'00ff41'")
            database.commit()
            database.close()
        key = next(iter(golden.integer_keys("manifest_example")))
        answer = self.expect_json(0, "get", "-s", url, key)
        self.assertEqual((answer["encoding"], answer["value"]), ("base64", "AP9B"))
        self.assertEqual(self.run_bytes("get", "-s", url, key)[1], b"\x00\xffA")

    def test_a_key_that_is_not_there(self):
        url = self.copy("manifest_example")
        out, errors = self.expect(4, "get", "-s", url, 186)
        self.assertEqual(out, "")
        self.assertIn("186 is not in run", errors)
        self.assertEqual(self.expect_json(4, "get", "-s", url, 186)["found"], False)

    def test_keys_the_encoding_cannot_hold(self):
        url = self.copy("manifest_example")
        for key in ("abc", "1.5", "", "18446744073709551616", str(2**64 - 1)):
            self.expect(2, "get", "-s", url, key)
        self.expect(2, "get", "-s", url, "--", "-1")
        # the largest key with routing bytes
        self.assertEqual(self.expect_json(4, "get", "-s", url, 2**63 - 1)["found"], False)

    def test_text_keys(self):
        url = self.copy("sidecar_deep")
        self.expect(4, "get", "-s", url, "no such key")
        self.assertEqual(self.expect_json(0, "info", "-s", url)["key_encoding"], "utf8")

    def test_sparse_snapshot(self):
        url = self.copy("manifest_example_sparse")
        for key in golden.integer_keys("manifest_example_sparse"):
            self.expect(0, "get", "-s", url, key)
        for key in range(40, 60):
            self.expect(4, "get", "-s", url, key)

    def test_routing_by_expression(self):
        url = self.copy("manifest_example_cel")
        out, errors = self.expect(2, "get", "-s", url, "u0")
        self.assertEqual(out, "")
        self.assertIn("the expression `region` wants the columns region (string), too", errors)
        self.expect(2, "route", "-s", url, "u0")
        _, errors = self.expect(2, "get", "-s", url, "--column", "region=mars", "u0")
        self.assertIn("mars is not among the routing values", errors)
        _, errors = self.expect(2, "get", "-s", url, "--column", "regio=eu", "u0")
        self.assertIn("has no column 'regio'", errors)
        self.expect(4, "get", "-s", url, "--column", "region=us", "u0")
        rows = [json.loads(line) for line in (golden.VECTORS / "manifest_example_cel/input.jsonl").open()]
        for row in rows:
            column = f"region={row['cols']['region']}"
            out, _ = self.expect(0, "get", "-s", url, "--column", column, row["key"])
            self.assertEqual(out, bytes.fromhex(row["value"]).decode())
        way = self.expect_json(0, "route", "-s", url, "--column", "region=us", "--explain", "u0")
        self.assertEqual((way["db_id"], way["value"], way["columns"]), (1, '"us"', {"region": "us"}))
        out, _ = self.expect(0, "route", "-s", url, "--column", "region=us", "--explain", "u0")
        self.assertEqual(out.split("\n")[:4], ["expression   region", "column       region (string) = us",
                                               'value        "us"', "token        number 1 of the routing values"])
        info = self.expect_json(0, "info", "-s", url)
        self.assertEqual((info["routing"], info["cel_expr"]), ("cel", "region"))
        self.assertEqual(len(self.expect_json(0, "shards", "-s", url)["shards"]), info["shards_with_rows"])

    def test_other_page_sizes(self):
        for name in ("page_auto", "sidecar_64k"):
            url = self.copy(name, name)
            for key in list(golden.integer_keys(name))[::5]:
                self.expect(0, "get", "-s", url, key)


class Multiget(golden.Case):
    def test_order_and_missing_keys(self):
        url = self.copy("manifest_example")
        keys = list(golden.integer_keys("manifest_example"))[:5]
        wanted = [keys[3], 186, keys[0], keys[3], 187]
        answer = self.expect_json(4, "multiget", "-s", url, *wanted)
        self.assertEqual([int(item["key"]) for item in answer["results"]], wanted)
        self.assertEqual([item["found"] for item in answer["results"]], [True, False, True, True, False])
        self.assertEqual((answer["found"], answer["missing"]), (3, 2))

    def test_keys_from_standard_input(self):
        url = self.copy("manifest_example")
        keys = list(golden.integer_keys("manifest_example"))
        lines = "\n".join(map(str, keys * 20))  # more than are looked up at once
        answer = self.expect_json(0, "multiget", "-s", url, keys[5], "-", keys[6], stdin=lines.encode())
        self.assertEqual([int(i["key"]) for i in answer["results"]], [keys[5], *keys * 20, keys[6]])
        self.assertEqual(answer["missing"], 0)

    def test_lines_for_people_have_no_control_characters(self):
        url = self.copy("manifest_example")
        keys = list(golden.integer_keys("manifest_example"))[:3]
        for shard in self.folder.glob("snapshot/shards/*/*/*/shard.db"):
            database = sqlite3.connect(shard)
            database.execute("UPDATE kv SET v = x'611b5b2fff0a'")
            database.commit()
            database.close()
        out, _ = self.expect(0, "multiget", "-s", url, *keys)
        self.assertEqual(out, "".join(f"{key}\ta\\x1b[/\\xff\\x0a\n" for key in keys))


class Search(golden.Case):
    """The golden snapshot with vectors, whose library's own search is by cosine."""
    EXTENSION = next(iter(glob.glob(str(golden.VECTORS.parents[1] / "build/venv/lib/python3*/site-packages/sqlite_vec/vec0.so"))), "none")

    def vectors(self):
        lines = (golden.VECTORS / "vector_example/input.jsonl").read_text().splitlines()
        return {row["vec"]["id"]: row["vec"] for row in map(json.loads, lines)}

    def distance(self, a, b):
        return 1 - sum(x * y for x, y in zip(a, b)) / math.hypot(*a) / math.hypot(*b)

    def test_the_nearest_of_all_shards(self):
        url = self.copy("vector_example")
        vectors = self.vectors()
        for wanted in ([1, 0, 0, 0], vectors[3]["v"], [0.1, -2.5e-1, 3, -0.5]):
            near = sorted(vectors, key=lambda i: self.distance(vectors[i]["v"], wanted))[:5]
            for reading in ("auto", "range"):
                answer = self.expect_json(0, "search", "-s", url, "--extension", self.EXTENSION, "--reading", reading,
                                          "-k", 5, "--vector", json.dumps(wanted))
                self.assertEqual([r["id"] for r in answer["results"]], near)
                for result in answer["results"]:
                    self.assertAlmostEqual(result["distance"], self.distance(vectors[result["id"]]["v"], wanted), 5)
                    self.assertEqual(result["payload"], vectors[result["id"]]["payload"])
        out, _ = self.expect(0, "search", "-s", url, "--extension", self.EXTENSION, "--vector", "-", "-k", 2,
                             stdin=json.dumps(vectors[0]["v"]).encode())
        self.assertEqual([line.split()[1] for line in out.splitlines()], ["ID", "0", "6"])
        self.assertEqual(self.expect_json(0, "search", "-s", url, "--extension", self.EXTENSION, "--vector", "[1,1,1,1]",
                                          "-k", 100)["metric"], "cosine")

    def test_what_is_wrong(self):
        url = self.copy("vector_example")
        search = ("search", "-s", url, "--vector")
        self.assertIn("sqlite-vec", self.expect(3, *search, "[1,2,3,4]")[1])
        self.assertIn("/nowhere/vec0.so", self.expect(3, *search, "[1,2,3,4]", "--extension", "/nowhere/vec0.so")[1])
        for wrong in ("[1,2]", "[0,0,0,0]", "x", "[1,2,3,4,5]"):
            self.assertIn("--vector", self.expect(2, *search, wrong, "--extension", self.EXTENSION)[1])
        self.expect(2, *search, "[1,2,3,4]", "--extension", self.EXTENSION, "-k", 0)
        other = self.copy("manifest_example", "other")
        self.assertIn("no vectors", self.expect(2, "search", "-s", other, "--vector", "[1]", "--extension", self.EXTENSION)[1])


class Route(golden.Case):
    def test_agrees_with_where_the_keys_are(self):
        url = self.copy("manifest_example_sparse")
        for key, (db_id, _) in golden.integer_keys("manifest_example_sparse").items():
            answer = self.expect_json(0, "route", "-s", url, key)
            self.assertEqual((answer["db_id"], answer["num_dbs"]), (db_id, 11))
            self.assertTrue(answer["db_url"].startswith(url))
        empty = [self.expect_json(0, "route", "-s", url, key) for key in range(30)]
        self.assertTrue(any(answer["db_url"] is None and answer["row_count"] == 0 for answer in empty))


class Describe(golden.Case):
    def test_info(self):
        url = self.copy("manifest_example")
        meta = golden.decoded("manifest_example")["manifest"]["build_meta"]
        info = self.expect_json(0, "info", "-s", url)
        for name in ("run_id", "created_at", "num_dbs", "key_encoding"):
            self.assertEqual(info[name], meta[name])
        self.assertEqual((info["key_column"], info["routing"], info["current"]), ("_key", "hash", True))
        self.assertIsNone(info["lineage"])
        out, _ = self.expect(0, "info", "-s", url)
        self.assertIn(meta["run_id"] + " (current)", out)

    def test_shards(self):
        url = self.copy("manifest_example")
        shards = self.expect_json(0, "shards", "-s", url)["shards"]
        wanted = golden.decoded("manifest_example")["manifest"]["shards"]
        self.assertEqual([s["checkpoint_id"] for s in shards], [w["checkpoint_id"] for w in wanted])
        self.assertEqual([s["row_count"] for s in shards], [w["row_count"] for w in wanted])
        out, _ = self.expect(0, "shards", "-s", url)
        self.assertTrue(all(shard["db_url"] in out for shard in shards))
        self.assertEqual(len(out.splitlines()), 1 + len(shards))

    def test_history_and_older_runs(self):
        url = self.copy("manifest_example")
        run_id = golden.decoded("manifest_example")["manifest"]["build_meta"]["run_id"]
        manifest = next(self.folder.glob("snapshot/manifests/*/manifest"))
        older = self.folder / "snapshot/manifests/2026-01-01T00:00:00.000000Z_run_id=older"
        older.mkdir()
        (older / "manifest").write_bytes(manifest.read_bytes())
        database = sqlite3.connect(older / "manifest")
        database.execute("UPDATE build_meta SET run_id = 'older'")
        database.commit()
        database.close()
        broken = self.folder / "snapshot/manifests/2026-01-02T00:00:00.000000Z_run_id=broken"
        broken.mkdir()
        (broken / "manifest").write_text("no database")
        answer = self.expect_json(0, "history", "-s", url)
        self.assertEqual([s["run_id"] for s in answer["snapshots"]], [run_id, "broken", "older"])
        self.assertEqual([s["current"] for s in answer["snapshots"]], [True, False, False])
        self.assertEqual([s["readable"] for s in answer["snapshots"]], [True, False, True])
        self.assertEqual(len(self.expect_json(0, "history", "-s", url, "-n", 2)["snapshots"]), 2)
        self.assertIn("and 1 older", self.expect(0, "history", "-s", url, "-n", 2)[0])
        info = self.expect_json(0, "info", "-s", url, "--run", "older")
        self.assertEqual((info["run_id"], info["current"], info["pointer_run_id"]), ("older", False, run_id))
        self.expect(12, "info", "-s", url, "--run", "broken")
        self.expect(4, "info", "-s", url, "--run", "nobody")
        self.expect(0, "info", "-s", url, "--manifest",
                    "manifests/2026-01-01T00:00:00.000000Z_run_id=older/manifest")


class Failures(golden.Case):
    def test_nothing_published(self):
        out, errors = self.expect(4, "info", "-s", f"file://{self.folder}/nothing")
        self.assertEqual(out, "")
        self.assertIn("nothing is published", errors)
        self.assertEqual(self.expect_json(0, "history", "-s", f"file://{self.folder}/nothing")["total"], 0)

    def test_no_silent_fallback(self):
        """Other readers open an older manifest then, and show stale data."""
        url = self.copy("manifest_example")
        manifest = next(self.folder.glob("snapshot/manifests/*/manifest"))
        older = self.folder / "snapshot/manifests/2026-01-01T00:00:00.000000Z_run_id=older"
        older.mkdir()
        (older / "manifest").write_bytes(manifest.read_bytes())
        manifest.unlink()
        _, errors = self.expect(12, "get", "-s", url, 185)
        self.assertIn("cannot be opened", errors)

    def test_a_shard_that_is_gone_or_cut_off(self):
        url = self.copy("manifest_example")
        for shard in self.folder.glob("snapshot/shards/*/*/*/shard.db"):
            shard.write_bytes(shard.read_bytes()[:5000])
        self.assertIn(self.run_text("get", "-s", url, 185)[0], (12,))
        for shard in self.folder.glob("snapshot/shards/*/*/*/shard.db"):
            shard.unlink()
        self.expect(12, "get", "-s", url, 185)

    def test_a_copied_snapshot(self):
        _, errors = self.expect(2, "get", "-s", self.raw("manifest_example"), 185)
        self.assertIn("--relocated", errors)
        self.expect(0, "get", "-s", self.raw("manifest_example"), "--relocated", 185)

    def test_which_snapshot(self):
        self.expect(2, "get", 17)
        self.expect(3, "get", "-s", "http://nowhere", 17)
        self.expect(3, "get", "-s", "relative/path", 17)
        self.expect(2, "get", "-s", "file:///tmp/x")
        error = json.loads(self.run_text("get", "--json", 17)[2])
        self.assertEqual(error["error"]["kind"], "input")


if __name__ == "__main__":
    golden.main()
