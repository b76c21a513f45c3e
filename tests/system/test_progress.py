"""How far a snapshot is: by the API, on the command line, in the log, and after a restart."""

import re
import unittest

from harness.case import SystemTest
from harness.sources import MariaDB1011, MySQL97
from harness.wait import wait_until

ROWS = 8192


class Progress:
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def setUp(self):
        self.fresh_shop()
        self.make("t")

    def tearDown(self):
        self.delete_pipes()

    def make(self, table):
        self.source.run(f"CREATE TABLE shop.{table} (id INT AUTO_INCREMENT PRIMARY KEY, v INT)",
                        f"INSERT INTO shop.{table} (v) VALUES (7)",
                        *[f"INSERT INTO shop.{table} (v) SELECT id FROM shop.{table}"] * 13,
                        f"ANALYZE TABLE shop.{table}")

    def looks(self, pipe):
        """The status of the pipe, again and again until its snapshot has ended."""
        looks = []

        def ended():
            looks.append(self.penstock.status(pipe))
            return looks[-1]["state"] == "Running"
        wait_until(ended, "the end of the snapshot", 60)
        return looks

    def assert_forward(self, looks):
        """No figure of one load exceeds its estimate or goes back; only the end is 100 %."""
        for name in ("rowsLoaded", "bytesLoaded", "partitionsDone", "percent"):
            values = [look[name] for look in looks]
            self.assertEqual(sorted(values), values, name)
        for look in looks:
            self.assertLessEqual(look["rowsLoaded"], look["rowsEstimated"])
            self.assertLessEqual(look["bytesLoaded"], look["bytesEstimated"])
            done = look["rowsLoaded"] >= ROWS and look["partitionsInFlight"] == 0
            self.assertTrue(look["percent"] < 100 or done, look)
        self.assertEqual(100, looks[-1]["percent"])
        self.assertEqual(looks[-1]["rowsLoaded"], looks[-1]["rowsEstimated"])
        self.assertEqual(looks[-1]["bytesLoaded"], looks[-1]["bytesEstimated"])

    def test_figures(self):
        self.make("u")
        spec = self.spec(["t", "u"], snapshotRowsPerSecond=3000)
        pipe = self.penstock.create(spec)
        wait_until(lambda: self.penstock.status(pipe)["snapshot"]["secondsLeft"], "a time left")
        code, shown, _ = self.penstock.cli("status", "pipe")
        self.assertEqual(0, code)
        self.assertRegex(shown, r"snapshot +[█░]+ +\d+\.\d % .* rows/s  .* left  \d of 3 tables")
        looks = self.looks(pipe)
        self.assert_forward([look["snapshot"] for look in looks if look["tables"]])
        for number in range(2):
            self.assert_forward([look["tables"][number] for look in looks if look["tables"]])
        self.assertTrue(any(look["tables"][number]["partitionsInFlight"]
                            for look in looks for number in range(2)))
        last = looks[-1]["snapshot"]
        self.assertEqual((2 * ROWS, 3, 3), (last["rowsLoaded"], last["tables"], last["tablesDone"]))
        self.check_partitions(pipe)
        log = self.penstock.process.log.read_text()
        self.assertRegex(log, rf"\[shop\.t\] loaded: {ROWS} rows, \d+\.\d MB, \d+\.\d s")

        self.penstock.restart()
        self.penstock.await_state(pipe, "Running")
        self.assertEqual(last["bytesLoaded"],
                         self.penstock.status(pipe)["snapshot"]["bytesLoaded"])
        self.check_partitions(pipe)

    def check_partitions(self, pipe):
        partitions = self.penstock.partitions(pipe, "?limit=1000")
        starts = [partition["startedAt"] for partition in partitions]
        self.assertEqual(sorted(starts, reverse=True), starts)
        self.assertEqual({"loaded"}, {partition["state"] for partition in partitions})
        self.assertEqual(2 * ROWS, sum(partition["rows"] for partition in partitions))
        self.assertTrue(all(partition["milliseconds"] >= 0 for partition in partitions))
        one = self.penstock.partitions(pipe, "?table=shop.t&limit=1000")
        self.assertEqual(ROWS, sum(partition["rows"] for partition in one))
        self.assertEqual(2, len(self.penstock.partitions(pipe, "?limit=2")))
        self.assertEqual([], self.penstock.partitions(pipe, "?table=shop.marker"))  # empty
        code, shown, _ = self.penstock.cli("partitions", "pipe", "shop.u", "--limit", "3")
        self.assertEqual((0, 4), (code, len(shown.splitlines())), shown)
        self.assertTrue(re.search(r"shop\.u +\d+ +loaded +20.* kB  ", shown), shown)
        self.assertEqual(1, self.penstock.cli("partitions", "pipe", "shop.absent")[0])

    def test_rows_that_count_no_more(self):
        """A partition that is read again takes its rows back, and says so."""
        # More than what lies between the server and the reader.
        self.source.run("ALTER TABLE shop.t ADD w TEXT", "UPDATE shop.t SET w = REPEAT('w', 3000)")
        spec = self.spec(["t"], snapshotRowsPerSecond=2000, snapshotNumRowsPerPartition=100_000)
        pipe = self.penstock.create(spec)
        wait_until(lambda: self.penstock.status(pipe)["snapshot"]["rowsLoaded"], "rows")
        for row in self.source.run("SELECT id FROM information_schema.processlist WHERE "
                                   "info LIKE '/* penstock pipe */ SELECT%FROM `shop`.`t`%'"):
            self.source.run(f"KILL {row[0]}")

        def taken_back():
            events = self.penstock.api(f"{self.penstock.pipes_path()}/{pipe}/events")
            return [event for event in events if "count as loaded no more" in event["text"]]
        self.assertEqual("snapshot", wait_until(taken_back, "an event")[0]["kind"])
        self.assertIn("count as loaded no more", self.penstock.process.log.read_text())
        self.assertEqual(ROWS, self.looks(pipe)[-1]["snapshot"]["rowsLoaded"])
        self.await_caught_up()
        self.assertGreater(self.assert_equal(spec), ROWS)

    def test_a_load_that_goes_on(self):
        spec = self.spec(["t"], snapshotRowsPerSecond=2000)
        pipe = self.penstock.create(spec)
        wait_until(lambda: self.penstock.status(pipe)["snapshot"]["partitionsDone"], "a partition")
        self.penstock.restart()
        looks = self.looks(pipe)
        self.assert_forward([look["snapshot"] for look in looks if look["tables"]])
        events = self.penstock.api(f"{self.penstock.pipes_path()}/{pipe}/events")
        self.assertTrue(any("the load goes on: " in event["text"] for event in events))


class ProgressMySQL(Progress, SystemTest):
    source_class = MySQL97


class ProgressMariaDB(Progress, SystemTest):
    source_class = MariaDB1011


if __name__ == "__main__":
    unittest.main()
