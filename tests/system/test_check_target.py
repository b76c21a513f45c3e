"""What the checks say of a destination and of its tables, and how `penstock check` prints it."""

import copy
import json
import os
import pty
import re
import subprocess
import unittest

import yaml

from harness.case import SystemTest
from harness.findings import Findings
from harness.penstock import ApiError, mapping
from harness.process import program


class Targets(Findings, SystemTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()
        cls.source.run("CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY, v INT)",
                       "CREATE TABLE shop.u (id INT PRIMARY KEY)")

    def setUp(self):
        self.clickhouse.query("DROP DATABASE IF EXISTS replica SYNC")
        self.good = self.spec(["t", "u"])

    def make_targets(self, spec=None):
        for statement in self.penstock.check(spec or self.good)["ddl"]:
            self.clickhouse.query(statement)

    def test_targets_that_fit(self):
        self.found("target_tables", "ok")
        self.make_targets()
        self.assertIn("3 target tables exist; they are empty, fit",
                      self.found("target_tables", "ok")["message"])

    def test_every_target_that_does_not_fit_is_named(self):
        self.make_targets()
        self.clickhouse.query("ALTER TABLE replica.t DROP COLUMN v")
        self.clickhouse.query("INSERT INTO replica.marker (id) VALUES (1)")
        self.clickhouse.query("DROP TABLE replica.u SYNC")
        self.clickhouse.query("CREATE TABLE replica.u (id Int32) ENGINE = Log")
        messages = [finding["message"] for finding in self.findings("target_tables")
                    if finding["severity"] == "error"]
        self.assertEqual(3, len(messages), messages)
        for words in ("no column v", "`replica`.`marker` exists and holds rows",
                      "`replica`.`u` exists with another engine"):
            self.assertIn(words, "".join(messages))

    def test_what_another_pipe_has(self):
        """Its name, and its targets, with rows or empty: `create` refuses the same."""
        self.source.run("REPLACE INTO shop.t VALUES (1, 1)")
        first = self.penstock.create(self.good)
        self.addCleanup(self.delete_pipes)
        self.penstock.await_state(first, "Running")
        self.assertIn("a pipe named pipe exists", self.found("pipe_name", "error")["message"])
        owned = self.findings("target_owners")
        self.assertEqual(3, len(owned), owned)
        for finding in owned:
            self.assertIn("belongs to the pipe pipe", finding["message"])
            self.assertIn("Choose another targetTable", finding["remedy"])
        self.found("target_tables", "ok")
        with self.assertRaises(ApiError) as refused:
            self.penstock.create(self.good)
        for words in ("pipe_name", "replica.t belongs", "replica.u belongs"):
            self.assertIn(words, refused.exception.text)
        self.assertNotIn("Drop or empty it", refused.exception.text)
        other = self.of_tables("t", "u")
        for of_one in other["source"]["mysql"]["tableMappings"]:
            of_one["targetTable"] += "_2"
        other["name"] = "other"
        self.assertTrue(self.penstock.check(other)["ok"])
        other = self.penstock.create(other)
        with self.assertRaises(ApiError) as refused:
            self.penstock.api(f"{self.penstock.pipes_path()}/{other}", "PATCH", {"source": {"mysql": {
                "tableMappingsToAdd": [mapping("shop", "marker", "t")]}}})
        self.assertIn("replica.t belongs to the pipe pipe", refused.exception.text)
        self.assertNotIn("Drop or empty it", refused.exception.text)

    def test_a_database_that_cannot_exchange_tables(self):
        self.clickhouse.query("CREATE DATABASE replica ENGINE = Memory")
        error = self.found("destination_database", "error")
        self.assertIn("Memory", error["message"])
        self.clickhouse.query(error["statement"])
        spec = copy.deepcopy(self.good)
        spec["destination"]["database"] = "replica_atomic"
        self.found("destination_database", "ok", spec)
        self.clickhouse.query("DROP DATABASE replica_atomic SYNC")
        spec["destination"]["database"] = "default"  # of the embedded server
        error = self.found("destination_database", "error", spec)
        self.assertIn("`penstock create -f` or the API", error["remedy"])
        self.assertEqual("", error["statement"])

    def test_views_on_targets(self):
        self.found("materialized_views", "ok")
        self.make_targets()
        self.found("materialized_views", "ok")
        self.clickhouse.query("CREATE TABLE replica.sums (n UInt64) ENGINE = MergeTree ORDER BY n")
        self.clickhouse.query("CREATE TABLE replica.kept (n UInt64) ENGINE = MergeTree ORDER BY n "
                              "SETTINGS non_replicated_deduplication_window = 100")
        self.clickhouse.query("CREATE TABLE replica.last (n UInt64) ENGINE = ReplacingMergeTree "
                              "ORDER BY n")
        for view, target in (("a", "TO replica.sums"), ("b", "TO replica.kept"),
                             ("c", "TO replica.last"), ("d", "ENGINE = MergeTree ORDER BY n")):
            self.clickhouse.query(f"CREATE MATERIALIZED VIEW replica.{view} {target} AS "
                                  "SELECT id AS n FROM replica.t")
        message = self.found("materialized_views", "warning")["message"]
        views, _, without = message.partition("deduplication window")
        for view in "abd":
            self.assertIn(f"replica.{view} on t", views)
        self.assertNotIn("replica.c ", views)
        self.assertIn("replica.sums", without)
        self.assertIn("replica..inner", without)
        self.assertNotIn("replica.kept", without)
        for view in "abd":
            self.clickhouse.query(f"DROP TABLE replica.{view} SYNC")
        self.found("materialized_views", "ok")


class Report(Findings, SystemTest):
    """The command line: text, JSON, YAML, colours, exit codes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()
        cls.source.run("CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY)",
                       "CREATE TABLE shop.nokey (v INT)")

    def setUp(self):
        self.good = self.spec(["t"])

    def write(self, spec):
        path = self.penstock.folder / "pipe.yaml"
        path.write_text(yaml.safe_dump(spec))
        return path

    def check(self, spec, *words):
        return self.penstock.cli("check", "-f", self.write(spec), *words)

    def test_text(self):
        code, out, err = self.check(self.good)
        self.assertEqual((0, ""), (code, err))
        lines = out.splitlines()
        self.assertEqual("source", lines[0])
        self.assertEqual(["source", "tables", "destination"],
                         [line for line in lines if re.fullmatch("[a-z]+", line)])
        findings = [line for line in lines if line.startswith("  ok ")]
        self.assertEqual(1, len({re.match(r"  ok +\w+ +", line).end() for line in findings}))
        self.assertTrue(any(re.fullmatch(r"\d+ ok", line) for line in lines), out)
        self.assertIn("What create would run:", out)
        self.assertNotIn("\x1b", out)

    def test_every_error_at_once(self):
        spec = self.changed(tableMappings=[mapping("shop", "nokey"), mapping("shop", "gone")],
                            serverId=1)
        code, out, err = self.check(spec)
        self.assertEqual(1, code)
        for check in ("server_id", "tables_exist", "table_keys"):
            self.assertRegex(out, rf"  error +{check} ")
        self.assertRegex(out, r"\n +ALTER TABLE `shop`.`nokey` ADD COLUMN [^\n]*;\n")
        self.assertIn("3 errors, ", err)
        code, _, err = self.penstock.cli("create", "-f", self.write(spec))
        self.assertEqual(1, code)
        for check in ("server_id: ", "tables_exist: ", "table_keys: "):
            self.assertIn(check, err)

    def test_what_is_not_run(self):
        code, out, _ = self.check(self.changed(port=1))
        self.assertEqual(1, code)
        self.assertRegex(out, r"  not run +binlog_format +there is no connection to the source\n")
        self.assertRegex(out, r"  not run +target_tables +no table's definition could be read\n")
        self.assertRegex(out, r"  ok +destination_database ")
        self.assertRegex(out, r"\n1 error, \d+ ok, \d+ not run\n")

    def test_documents(self):
        code, out, _ = self.check(self.good, "--output", "json")
        self.assertEqual(0, code)
        from_json = json.loads(out)
        code, out, _ = self.check(self.good, "--output", "yaml")
        self.assertEqual(0, code)
        from_yaml = yaml.safe_load(out)
        # Where the log is may have moved.
        for report in (from_json, from_yaml):
            for finding in report["findings"]:
                if finding["check"] == "start_position":
                    finding["message"] = ""
        self.assertEqual(from_json, from_yaml)

    def test_a_wrong_command_line(self):
        self.assertEqual(2, self.penstock.cli("check")[0])
        self.assertEqual(2, self.check(self.good, "--output", "xml")[0])

    def on_a_terminal(self, spec, **env):
        """What is printed on one."""
        inner, outer = pty.openpty()
        with subprocess.Popen([str(program("penstock")), "check", "-f", str(self.write(spec))],
                              stdout=outer, stderr=subprocess.DEVNULL,
                              env={"PENSTOCK_SERVER": self.penstock.url, "TERM": "xterm",
                                   **env}) as process:
            os.close(outer)
            text = b""
            while True:
                try:
                    text += os.read(inner, 65536)
                except OSError:  # closed at the other end
                    break
            process.wait()
        os.close(inner)
        return text.decode()

    def test_colours_on_a_terminal_only(self):
        text = self.on_a_terminal(self.changed(port=1))
        self.assertIn("\x1b[1;31merror\x1b[0m", text)
        self.assertIn("\x1b[2mnot run\x1b[0m", text)
        self.assertNotIn("\x1b", self.on_a_terminal(self.good, NO_COLOR="1"))


if __name__ == "__main__":
    unittest.main()
