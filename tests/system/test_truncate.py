"""TRUNCATE is carried out in its order, whatever is in the middle of what."""

import random
import unittest

from harness.case import SystemTest, new_seed, rounds
from harness.proxy import Proxy
from harness.sources import MariaDB1011, MySQL97
from harness.wait import wait_until

ROWS = 4096


class Truncate:
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def setUp(self):
        self.fresh_shop()
        self.source.run("CREATE TABLE shop.t (id INT AUTO_INCREMENT PRIMARY KEY, v INT)",
                        "CREATE TABLE shop.other (id INT PRIMARY KEY)",
                        "INSERT INTO shop.other VALUES (1)")

    def tearDown(self):
        self.delete_pipes()

    def fill(self, value):
        """Rows that have `value`, after those that are there."""
        self.source.run("BEGIN", f"INSERT INTO shop.t (v) VALUES ({value})",
                        *[f"INSERT INTO shop.t (v) SELECT v FROM shop.t WHERE v = {value}"] * 12,
                        "COMMIT")

    def assert_followed(self, spec, pipe):
        self.await_caught_up()
        compared = self.assert_equal(spec)
        states = {table["state"] for table in self.penstock.status(pipe)["tables"]}
        self.assertEqual({"following"}, states)
        return compared

    def test_between_changes(self):
        spec = self.spec(["t", "other"], syncIntervalMilliseconds=100)
        pipe = self.penstock.create(spec)
        self.penstock.await_state(pipe, "Running")
        for value in range(3):
            self.fill(value)
            self.source.run("TRUNCATE TABLE shop.t", "INSERT INTO shop.t (v) VALUES (7), (8)",
                            "TRUNCATE shop.t", "INSERT INTO shop.other SELECT MAX(id) + 1 FROM shop.other",
                            "INSERT INTO shop.t (v) VALUES (9)")
        self.source.run("UPDATE shop.t SET v = 10")
        self.assertEqual(6, self.assert_followed(spec, pipe))

    def test_during_the_load(self):
        """Rows that were read before it go; what comes after it is in the log, and the load of the
        table is over."""
        self.fill(1)
        spec = self.spec(["t", "other"], snapshotRowsPerSecond=1500, initialLoadParallelism=2,
                         snapshotNumRowsPerPartition=1000)
        pipe = self.penstock.create(spec)
        wait_until(lambda: (self.penstock.status(pipe)["tables"] or [{"partitionsDone": 0}])[0]
                   ["partitionsDone"] > 0, "a partition")
        self.assertEqual("Snapshot", self.penstock.state(pipe))
        self.source.run("TRUNCATE shop.t", "INSERT INTO shop.t (v) VALUES (5), (6)")
        self.penstock.await_state(pipe, "Running")
        self.assertEqual(4, self.assert_followed(spec, pipe))

    def test_an_insert_that_was_sent_in_part(self):
        """Its rows do not come after the TRUNCATE, though the one who sent them is dead."""
        endpoint = self.clickhouse.endpoint()
        with Proxy(self.clickhouse.http_port) as proxy:
            spec = self.spec(["t", "other"], syncIntervalMilliseconds=100)
            spec["destination"]["clickhouse"] = {**endpoint,
                                                 "url": f"http://127.0.0.1:{proxy.port}"}
            pipe = self.penstock.create(spec)
            self.penstock.await_state(pipe, "Running")
            proxy.hold_answer_of = b"INSERT INTO `replica`.`t`"
            self.fill(3)
            wait_until(lambda: proxy.holding, "half an insert")
            proxy.hold_answer_of = None
            self.source.run("TRUNCATE shop.t", "INSERT INTO shop.t (v) VALUES (4)")
            self.penstock.kill()
            self.penstock.start()
            wait_until(lambda: self.clickhouse.query("SELECT count() FROM replica.t") == "1\n",
                       "the TRUNCATE", 60)
            proxy.release()
            self.assert_followed(spec, pipe)
            wait_until(lambda: self.clickhouse.query(
                "SELECT count() FROM system.processes WHERE query_kind = 'Insert'") == "0\n", "no insert")
            self.assertEqual("1\n", self.clickhouse.query("SELECT count() FROM replica.t"))

    def test_kills(self):
        """Of penstock and of ClickHouse, between writes and TRUNCATEs, the load's among them."""
        chance = random.Random(new_seed())
        for _ in range(rounds(3)):
            self.setUp()
            self.fill(0)
            spec = self.spec(["t", "other"], syncIntervalMilliseconds=50, initialLoadParallelism=2,
                             snapshotNumRowsPerPartition=1000, snapshotRowsPerSecond=6000)
            pipe = self.penstock.create(spec)
            for step in range(12):
                if chance.random() < 0.4:
                    self.source.run("TRUNCATE shop.t")
                self.source.run(f"INSERT INTO shop.t (v) VALUES ({step}), ({step + 1})",
                                "UPDATE shop.t SET v = v + 1 WHERE id % 3 = 0")
                if chance.random() < 0.3:
                    chance.choice([self.penstock, self.clickhouse]).restart()
            self.penstock.await_state(pipe, "Running")
            self.assert_followed(spec, pipe)
            self.delete_pipes()


class TruncateMySQL(Truncate, SystemTest):
    source_class = MySQL97


class TruncateMariaDB(Truncate, SystemTest):
    source_class = MariaDB1011


if __name__ == "__main__":
    unittest.main()
