"""What a load does with its time: where it goes on after a kill or a pause, when its first rows are
there, how large its partitions are."""

import unittest

from harness.case import SystemTest
from harness.clickhouse import ClickHouse
from harness.penstock import Penstock
from harness.sources import MariaDB1011, MySQL97
from harness.wait import wait_until

ROWS = 1 << 14
PARTITION = 400


class Load:
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_source()
        cls.clickhouse = cls.use("clickhouse", ClickHouse)
        cls.penstock = cls.enterClassContext(Penstock("--test-limits"))

    def setUp(self):
        self.fresh_shop()
        self.source.run("CREATE TABLE shop.t (id INT AUTO_INCREMENT PRIMARY KEY, v INT)",
                        "INSERT INTO shop.t (v) VALUES (7)",
                        *["INSERT INTO shop.t (v) SELECT id FROM shop.t"] * 14,
                        "ANALYZE TABLE shop.t")

    def tearDown(self):
        self.delete_pipes()

    def create(self, **settings):
        self.pipe = self.penstock.create(self.spec(["t"], **settings))

    def loaded(self):
        """The partitions of t that are in: when, by number."""
        return {one["partition"]: one["finishedAt"]
                for one in self.penstock.api(f"{self.penstock.pipes_path()}/{self.pipe}/partitions")
                if one["sourceTable"] == "t" and one["state"] == "loaded"}

    def await_share(self, share):
        """Until so much of t is in, while the load goes on."""
        wanted = int(ROWS / PARTITION * share)
        wait_until(lambda: len(self.loaded()) >= wanted, f"{wanted} partitions", 60)
        self.assertEqual("Snapshot", self.penstock.state(self.pipe))

    def test_kills_and_a_pause(self):
        """It goes on with what is left: nothing that was in is read again."""
        self.create(snapshotNumRowsPerPartition=PARTITION, snapshotRowsPerSecond=1500)
        for share in (0.1, 0.3, 0.5, 0.9):
            self.await_share(share)
            if share == 0.3:
                self.penstock.order(self.pipe, "stop")
                self.penstock.await_state(self.pipe, "Paused")
                before = self.loaded()
                self.penstock.order(self.pipe, "start")
            else:
                before = self.loaded()
                self.penstock.restart()
            self.source.run("UPDATE shop.t SET v = v + 1 WHERE id % 7 = 0")
            self.assertLessEqual(before.items(), self.loaded().items(), f"at {share}")
            self.penstock.await_state(self.pipe, "Snapshot")
        self.penstock.await_state(self.pipe, "Running")
        self.assertLessEqual(before.items(), self.loaded().items())
        self.await_caught_up()
        self.assertGreater(self.assert_equal(self.penstock.pipe(self.pipe)), ROWS)

    def test_first_rows_come_before_the_plan_ends(self):
        """As in a table of any size: few statements, and a few of many partitions."""
        self.source.run("SET GLOBAL log_output = 'TABLE', GLOBAL general_log = ON",
                        "TRUNCATE mysql.general_log")
        self.create(snapshotNumRowsPerPartition=100, snapshotRowsPerSecond=200)
        wait_until(lambda: self.penstock.status(self.pipe)["snapshot"]["rowsLoaded"], "rows")
        self.source.run("SET GLOBAL general_log = OFF")
        self.assertNotEqual("0\n", self.clickhouse.query("SELECT count() FROM replica.t"))
        planned = self.penstock.status(self.pipe)["tables"][0]["partitions"]
        self.assertLess(planned, ROWS / 100 / 5)
        asked = self.source.run("SELECT COUNT(*) FROM mysql.general_log WHERE argument LIKE "
                                "'/* penstock pipe */ %FROM `shop`.`t`%'")[0][0]
        self.assertLess(asked, planned * 20)

    def test_partitions_that_take_long_make_the_next_ones_smaller(self):
        """With --test-limits a partition has a second. Two are planned while the first is read."""
        self.source.run("DELETE FROM shop.t WHERE id > (SELECT * FROM (SELECT id FROM shop.t ORDER BY "
                        "id LIMIT 1 OFFSET 4000) AS last)", "ANALYZE TABLE shop.t")
        self.create(snapshotNumRowsPerPartition=1000, snapshotRowsPerSecond=500,
                    initialLoadParallelism=1)
        self.penstock.await_state(self.pipe, "Running")
        rows = [one["rows"] for one in sorted(
            self.penstock.api(f"{self.penstock.pipes_path()}/{self.pipe}/partitions"),
            key=lambda one: one["partition"]) if one["sourceTable"] == "t"]
        self.assertGreater(rows[0], 600, rows)
        self.assertGreater(len(rows), 4, rows)
        self.assertLess(max(rows[3:]), 800, rows)


class LoadMySQL(Load, SystemTest):
    source_class = MySQL97


class LoadMariaDB(Load, SystemTest):
    source_class = MariaDB1011


if __name__ == "__main__":
    unittest.main()
