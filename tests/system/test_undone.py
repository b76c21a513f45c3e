"""Large transactions that are undone after a part of them was written: what they touched is resynced by itself."""

import unittest

from harness.case import SystemTest
from harness.clickhouse import ClickHouse
from harness.penstock import Penstock
from harness.process import Folder
from harness.sources import MariaDB1011
from harness.wait import wait_until

# With the limits for tests: batches of 256 bytes, so that any transaction is large.
CONFIG = "memory: {limit: 8KiB}\n"


class Undone(SystemTest):
    """MariaDB logs what it undoes where a temporary table is made beside; MySQL does not."""

    source_class = MariaDB1011

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_source()
        cls.clickhouse = cls.use("clickhouse", ClickHouse)
        config = cls.enterClassContext(Folder("config")) / "penstock.yaml"
        config.write_text(CONFIG)
        cls.penstock = cls.enterClassContext(Penstock("--test-limits", "--config", config))

    def setUp(self):
        self.fresh_shop()
        self.source.run("CREATE TABLE shop.t (id INT PRIMARY KEY, v INT NOT NULL)",
                        "CREATE TABLE shop.other (id INT PRIMARY KEY, v INT)",
                        "INSERT INTO shop.t VALUES (1, 1)", "INSERT INTO shop.other VALUES (1, 1)",
                        *[f"INSERT INTO shop.t SELECT id + {1 << n}, v FROM shop.t"
                          for n in range(11)])

    def tearDown(self):
        self.delete_pipes()

    def replicate(self, wanted="Running", **settings):
        spec = self.spec(["t", "other"], **settings)
        pipe = self.penstock.create(spec)
        self.penstock.await_state(pipe, wanted)
        return spec, pipe

    def undo(self, *statements, end="ROLLBACK"):
        """A transaction of about 20 row events, and its end."""
        self.source.run("BEGIN", *statements, "CREATE TEMPORARY TABLE shop.work (id INT)",
                        "INSERT INTO shop.t SELECT id + 10000, v FROM shop.t WHERE id < 10000",
                        "UPDATE shop.t SET v = v + 1", "DELETE FROM shop.t WHERE id % 3 = 0",
                        "INSERT INTO shop.work VALUES (1)", end, "INSERT INTO shop.other VALUES (7, 7)",
                        "COMMIT")

    def events(self):
        return self.penstock.cli("events", "pipe")[1]

    def assert_heals(self, spec, pipe):
        wait_until(lambda: "Resync to Running" in self.events(),
                   lambda: f"resynced\n{self.events()}\n{self.penstock.process.tail()}", 60)
        self.penstock.await_state(pipe, "Running")
        self.await_caught_up()
        self.assert_equal(spec)
        events = self.events()
        self.assertIn("shop.t: a large transaction was undone", events.replace("part of ", ""))
        self.assertIn("resynced by itself: shop.t\n", events)

    def test_rollback(self):
        spec, pipe = self.replicate()
        self.undo()
        self.assert_heals(spec, pipe)

    def test_rollback_to_savepoint(self):
        spec, pipe = self.replicate()
        self.undo("UPDATE shop.t SET v = 5 WHERE id < 9", "SAVEPOINT s", end="ROLLBACK TO s")
        self.assert_heals(spec, pipe)

    def test_during_the_load(self):
        spec, pipe = self.replicate("Snapshot", snapshotRowsPerSecond=1000)
        self.undo()
        self.assert_heals(spec, pipe)

    def test_killed_before_it_is_resynced(self):
        spec, pipe = self.replicate()
        self.undo()
        wait_until(lambda: "quarantine" in self.events(), "noticed")
        self.penstock.restart()
        self.assert_heals(spec, pipe)

    def test_paused_before_it_is_resynced(self):
        spec, pipe = self.replicate()
        self.undo()
        wait_until(lambda: "quarantine" in self.events(), "noticed")
        self.penstock.order(pipe, "stop")
        self.penstock.await_state(pipe, "Paused")
        self.penstock.order(pipe, "start")
        self.assert_heals(spec, pipe)


if __name__ == "__main__":
    unittest.main()
