"""Tables of a pipe of replicationMode snapshot are loaded anew: it is Completed again."""

import unittest

from harness.case import SystemTest
from harness.sources import MariaDB1011, MySQL97
from harness.wait import wait_until

ROWS = 4096


class ResyncOnce:
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def setUp(self):
        self.fresh_shop()
        self.source.run("CREATE TABLE shop.t (id INT PRIMARY KEY, v INT NOT NULL)",
                        "CREATE TABLE shop.other (id INT PRIMARY KEY, v INT)",
                        "INSERT INTO shop.t VALUES (1, 1)", "INSERT INTO shop.other VALUES (1, 1)",
                        *[f"INSERT INTO shop.t SELECT id + {1 << n}, v FROM shop.t"
                          for n in range(12)])

    def tearDown(self):
        self.delete_pipes()

    def load(self, **settings):
        self.spec_ = self.spec(["t", "other"], replicationMode="snapshot", **settings)
        self.pipe = self.penstock.create(self.spec_)
        self.penstock.await_state(self.pipe, "Completed")
        self.assert_equal(self.spec_)

    def resync(self, *tables):
        words = [word for table in tables for word in ("--table", table)]
        code, _, error = self.penstock.cli("resync", "pipe", *words)
        self.assertEqual(0, code, error)

    def finish(self):
        self.penstock.await_state(self.pipe, "Completed")
        self.assert_equal(self.spec_)
        self.assertEqual(["marker", "other", "t"], self.clickhouse.query(
            "SELECT name FROM system.tables WHERE database = 'replica' ORDER BY name").split())

    def count(self, table="t"):
        return int(self.clickhouse.query(f"SELECT count() FROM replica.{table}"))

    def is_begun(self):
        table = self.penstock.status(self.pipe)["tables"][0]
        return 0 < table["partitionsDone"] < table["partitions"]

    def begin_slowly(self):
        """A resync with some partitions read; the old rows are there."""
        self.load(snapshotRowsPerSecond=4000)
        self.source.run("DELETE FROM shop.t WHERE id % 2 = 0")
        self.resync()
        wait_until(self.is_begun, "a partition")
        self.assertEqual("Snapshot", self.penstock.state(self.pipe))
        self.assertEqual(ROWS, self.count())

    def test_again_and_again(self):
        """With what the source has by now: rows that are gone, other columns, another key."""
        self.load()
        for statements in (
                ["DELETE FROM shop.t WHERE id % 3 = 0", "UPDATE shop.t SET v = 7 WHERE id % 5 = 0"],
                ["ALTER TABLE shop.t ADD w VARCHAR(10) DEFAULT 'w', MODIFY v BIGINT",
                 "INSERT INTO shop.t VALUES (0, 3000000000, 'x')"],
                ["ALTER TABLE shop.t DROP PRIMARY KEY, ADD PRIMARY KEY (w, id), DROP COLUMN v"]):
            self.source.run(*statements)
            self.resync()
            self.finish()
        table = self.penstock.status(self.pipe)["tables"][0]
        self.assertEqual((self.count(), "loaded"), (table["rowsLoaded"], table["state"]))
        self.assertIn("ORDER BY (`w`, `id`)", table["ddl"])
        events = self.penstock.cli("events", "pipe")[1]
        for step in ("Completed to Setup", "Setup to Snapshot", "Snapshot to Resync",
                     "Resync to Completed"):
            self.assertEqual(3, events.count(step) - (step == "Setup to Snapshot"), step)

    def test_of_one_table(self):
        self.load()
        self.source.run("UPDATE shop.t SET v = 2", "UPDATE shop.other SET v = 2")
        for _ in range(2):
            self.resync("shop.other")
            self.penstock.await_state(self.pipe, "Completed")
        self.assertEqual(["2", "1"], [self.clickhouse.query(
            f"SELECT max(v) FROM replica.{table}").strip() for table in ("other", "t")])
        self.assertEqual(ROWS, self.penstock.status(self.pipe)["tables"][0]["rowsLoaded"])
        self.resync("shop.t")
        self.finish()

    def test_killed(self):
        self.begin_slowly()
        self.penstock.restart()
        self.assertEqual(ROWS, self.count())
        self.finish()

    def test_paused_and_resumed(self):
        self.begin_slowly()
        self.penstock.order(self.pipe, "stop")
        self.penstock.await_state(self.pipe, "Paused")
        self.penstock.order(self.pipe, "start")
        self.finish()

    def test_paused_and_begun_again(self):
        self.begin_slowly()
        self.penstock.order(self.pipe, "stop")
        self.penstock.await_state(self.pipe, "Paused")
        self.resync("shop.t")
        self.finish()

    def test_begun_again_while_it_loads(self):
        self.begin_slowly()
        self.resync("shop.other")
        self.finish()

    def test_deleted(self):
        self.begin_slowly()
        self.penstock.delete(self.pipe)
        self.assertEqual("marker\nother\nt\n", self.clickhouse.query(
            "SELECT name FROM system.tables WHERE database = 'replica' ORDER BY name"))
        self.assertEqual(ROWS, self.count())

    def test_a_table_that_is_gone(self):
        """The pipe fails and says so; what was loaded stays, and a start goes on."""
        self.load()
        self.source.run("DROP TABLE shop.other", "UPDATE shop.t SET v = 3")
        self.resync()
        self.penstock.await_state(self.pipe, "Failed")
        self.assertIn("table shop.other does not exist", self.penstock.status(self.pipe)["reason"])
        self.assertEqual(1, self.count("other"))
        self.source.run("CREATE TABLE shop.other (id INT PRIMARY KEY, v INT)")
        self.penstock.order(self.pipe, "start")
        self.finish()

    def test_a_target_with_rows_of_another(self):
        """A first load replaces nothing; a resync that is ordered does."""
        self.load(snapshotRowsPerSecond=4000)
        self.penstock.delete(self.pipe)
        self.clickhouse.query("DROP DATABASE replica SYNC")
        self.pipe = self.penstock.create(self.spec_)
        self.penstock.await_state(self.pipe, "Snapshot")
        self.clickhouse.query("INSERT INTO replica.t (id, v) VALUES (-1, 0)")
        self.penstock.await_state(self.pipe, "Failed")
        self.assertIn("holds rows now", self.penstock.status(self.pipe)["reason"])
        self.resync()
        self.finish()


class ResyncOnceMySQL(ResyncOnce, SystemTest):
    source_class = MySQL97


class ResyncOnceMariaDB(ResyncOnce, SystemTest):
    source_class = MariaDB1011


if __name__ == "__main__":
    unittest.main()
