"""Targets that keep every change: MergeTree, and Null with the materialized views on it."""

import random
import unittest

from harness.case import SystemTest, new_seed
from harness.clickhouse import ClickHouse
from harness.penstock import Penstock, mapping
from harness.sources import MariaDB1011, MySQL97
from harness.wait import pause, wait_until


class Engines:
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def setUp(self):
        self.fresh_shop()
        self.source.run("CREATE TABLE shop.t (id INT PRIMARY KEY, v INT NOT NULL)",
                        "INSERT INTO shop.t VALUES (1, 10), (2, 20)")

    def tearDown(self):
        self.delete_pipes()

    def engine_spec(self, engine, *tables, **settings):
        """A pipe of these tables with the engine, and of the marker."""
        spec = self.spec([], **settings)
        spec["source"]["mysql"]["tableMappings"] += [
            mapping("shop", table, tableEngine=engine) for table in tables]
        return spec

    def replicate(self, engine, *tables, **settings):
        spec = self.engine_spec(engine, *tables, **settings)
        pipe = self.penstock.create(spec)
        self.penstock.await_state(pipe, "Running")
        return spec, pipe

    def history(self, table="t", columns="id, v"):
        """What was done, in the order of the source."""
        return [line.split("\t") for line in self.clickhouse.query(
            f"SELECT _penstock_kind, _penstock_is_deleted, {columns} FROM replica.{table} "
            "ORDER BY _penstock_version, id").splitlines()]

    def findings(self, spec, name):
        return [f for f in self.penstock.check(spec)["findings"] if f["check"] == name]

    CHANGES = ("INSERT INTO shop.t VALUES (3, 30)", "UPDATE shop.t SET v = v + 1 WHERE id <> 2",
               "DELETE FROM shop.t WHERE id = 2", "UPDATE shop.t SET id = 4 WHERE id = 3")
    HISTORY = [["insert", "0", "1", "10"], ["insert", "0", "2", "20"], ["insert", "0", "3", "30"],
               ["update", "0", "1", "11"], ["update", "0", "3", "31"], ["delete", "1", "2", "20"],
               ["delete", "1", "3", "31"], ["update", "0", "4", "31"]]

    def test_merge_tree_keeps_every_change(self):
        """One row each; only an update of the key is two, so that a key's last row tells."""
        spec, _ = self.replicate("MergeTree", "t")
        self.assertTrue(self.penstock.check(spec)["findings"])
        self.source.run(*self.CHANGES)
        self.await_caught_up()
        self.assertEqual(self.HISTORY, self.history())
        self.assertEqual("MergeTree\t(id)\n", self.clickhouse.query(
            "SELECT engine, sorting_key FROM system.tables WHERE database = 'replica' "
            "AND name = 't'"))

    def test_without_a_key(self):
        self.source.run("CREATE TABLE shop.log (id INT NULL, v VARCHAR(9))",
                        "INSERT INTO shop.log VALUES (1, 'a'), (1, 'a'), (NULL, NULL)")
        spec, _ = self.replicate("MergeTree", "log")
        self.assertEqual(["ok"], [f["severity"] for f in self.findings(spec, "table_keys")])
        self.source.run("INSERT INTO shop.log VALUES (1, 'a')",
                        "UPDATE shop.log SET v = 'b' WHERE id IS NULL",
                        "DELETE FROM shop.log WHERE id = 1")
        self.await_caught_up()
        kinds = sorted(tuple(row) for row in self.history("log"))
        same = [("delete", "1", "1", "a")] * 3 + [("insert", "0", "1", "a")] * 3
        self.assertEqual(same + [("insert", "0", "\\N", "\\N"), ("update", "0", "\\N", "b")], kinds)

    def test_null_feeds_views(self):
        """At least once, and `check` says so; the views there are named."""
        self.clickhouse.query("CREATE DATABASE replica")
        spec = self.engine_spec("Null", "t")
        self.clickhouse.query(self.penstock.check(spec)["ddl"][-1])
        self.clickhouse.query("CREATE TABLE replica.sink (id Int32, v Int32, kind String) "
                              "ENGINE = MergeTree ORDER BY id")
        self.clickhouse.query("CREATE MATERIALIZED VIEW replica.feed TO replica.sink AS SELECT id, "
                              "v, toString(_penstock_kind) AS kind FROM replica.t")
        said = self.findings(spec, "table_engines") + self.findings(spec, "materialized_views")
        self.assertEqual(["warning", "warning"], [f["severity"] for f in said])
        self.assertIn("at least once", said[0]["message"])
        self.assertIn("replica.feed on t", said[1]["message"])
        pipe = self.penstock.create(spec)
        self.penstock.await_state(pipe, "Running")
        self.source.run(*self.CHANGES, "TRUNCATE shop.t", "INSERT INTO shop.t VALUES (9, 9)")
        self.await_caught_up()
        self.assertEqual(sorted([kind, key, v] for kind, _, key, v in
                                [*self.HISTORY, ["insert", "0", "9", "9"]]),
                         sorted(line.split("\t") for line in self.clickhouse.query(
                             "SELECT kind, id, v FROM replica.sink").splitlines()))

    def test_rows_that_are_not_whole(self):
        """Reading a row again would show its last state only."""
        self.source.run("SET GLOBAL binlog_row_image = 'MINIMAL'")
        self.addCleanup(self.source.run, "SET GLOBAL binlog_row_image = 'FULL'")
        spec = self.engine_spec("MergeTree", "t")
        said = self.findings(spec, "binlog_row_image")
        self.assertEqual("error", said[0]["severity"])
        self.assertIn("keeps every change", said[0]["message"])
        self.source.run("SET GLOBAL binlog_row_image = 'FULL'")
        pipe = self.penstock.create(spec)
        self.penstock.await_state(pipe, "Running")
        self.source.run("SET SESSION binlog_row_image = 'MINIMAL'", "DELETE FROM shop.t WHERE id = 1")
        self.penstock.await_state(pipe, "Degraded")
        reason = self.penstock.status(pipe)["tables"][1]["quarantine"]["reason"]
        self.assertIn("keeps every change", reason)


class DeleteOnMerge:
    """With the limits for tests a cleanup is due every second."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_source()
        cls.clickhouse = cls.use("clickhouse", ClickHouse)
        cls.penstock = cls.enterClassContext(Penstock("--test-limits"))

    def test_deleted_rows_go(self):
        """Whatever is inserted again, deleted again and killed meanwhile."""
        self.fresh_shop()
        self.source.run("CREATE TABLE shop.t (a INT, b VARCHAR(9), v INT, PRIMARY KEY (a, b))",
                        "INSERT INTO shop.t VALUES " + ",".join(f"({n}, 'b{n}', 0)" for n in range(99)))
        spec = self.spec(["t"], deleteOnMerge=True)
        pipe = self.penstock.create(spec)
        self.addCleanup(self.delete_pipes)
        self.penstock.await_state(pipe, "Running")
        chance = random.Random(new_seed())
        for step in range(60):
            low = chance.randrange(99)
            self.source.run(f"DELETE FROM shop.t WHERE a BETWEEN {low} AND {low + 9}",
                            f"REPLACE INTO shop.t VALUES ({low + 3}, 'b{low + 3}', {step})",
                            f"UPDATE shop.t SET b = 'moved' WHERE a = {chance.randrange(99)}")
            pause(0.05)
            if step == 30:
                self.penstock.restart()
        self.await_caught_up()
        self.assert_equal(spec)

        def no_deleted_key():
            self.source.run("UPDATE shop.t SET v = v + 1 LIMIT 1")  # a cleanup follows a batch
            return "" == self.clickhouse.query(
                "SELECT a FROM replica.t GROUP BY a, b "
                "HAVING argMax(_penstock_is_deleted, _penstock_version) = 1 LIMIT 1")
        wait_until(no_deleted_key, self.penstock.process.tail, every=0.3)
        self.await_caught_up()
        self.assert_equal(spec)

    def test_switched_on_while_the_pipe_runs(self):
        self.fresh_shop()
        self.source.run("CREATE TABLE shop.t (id INT PRIMARY KEY, v INT)",
                        "INSERT INTO shop.t VALUES (1, 0), (2, 0)")
        pipe = self.penstock.create(self.spec(["t"]))
        self.addCleanup(self.delete_pipes)
        self.penstock.await_state(pipe, "Running")
        self.source.run("DELETE FROM shop.t WHERE id = 1")
        self.await_caught_up()

        def deleted():
            self.source.run("UPDATE shop.t SET v = v + 1")  # a cleanup follows a batch
            return self.clickhouse.query("SELECT count() FROM replica.t WHERE _penstock_is_deleted "
                                         "AND id = 1").strip()
        pause(2)  # a cleanup would be due
        self.assertEqual("1", deleted())
        self.penstock.api(f"{self.penstock.pipes_path()}/{pipe}", "PATCH", {
            "source": {"mysql": {"settings": {"deleteOnMerge": True}}}})
        wait_until(lambda: deleted() == "0", self.penstock.process.tail, every=0.3)


class DeleteOnMergeMariaDB(DeleteOnMerge, SystemTest):
    source_class = MariaDB1011


class EnginesMySQL(Engines, SystemTest):
    source_class = MySQL97


class EnginesMariaDB(Engines, SystemTest):
    source_class = MariaDB1011


if __name__ == "__main__":
    unittest.main()
