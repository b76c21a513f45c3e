"""A table that cannot be followed is set aside, whatever it was in the middle of; the others go on."""

import unittest

from harness.case import SystemTest
from harness.sources import MariaDB1011, MySQL97
from harness.wait import wait_until


class Quarantine:
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def setUp(self):
        self.fresh_shop()
        self.source.run("CREATE TABLE shop.t (id INT PRIMARY KEY, a INT NOT NULL, b INT NOT NULL)",
                        "CREATE TABLE shop.other (id INT PRIMARY KEY, v INT)",
                        "INSERT INTO shop.t VALUES (1, 10, 20)", "INSERT INTO shop.other VALUES (1, 1)")

    def tearDown(self):
        self.delete_pipes()

    def fill(self, table):
        """4,096 rows, all like the first."""
        columns = {"t": "a, b", "other": "v"}[table]
        self.source.run(*[f"INSERT INTO shop.{table} SELECT id + {1 << n}, {columns} "
                          f"FROM shop.{table}" for n in range(12)])

    def table(self, pipe, name):
        """None before the end of Setup."""
        return next((table for table in self.penstock.status(pipe)["tables"]
                     if table["sourceTable"] == name), None)

    def await_quarantine(self, pipe, name="t"):
        """The reason, when the table is set aside."""
        wait_until(lambda: self.table(pipe, name)["state"] == "quarantined",
                   lambda: f"{name} quarantined\n{self.penstock.process.tail()}", 30)
        quarantine = self.table(pipe, name)["quarantine"]
        self.assertNotEqual("", quarantine["position"])
        return quarantine["reason"]

    def assert_others_flow(self, spec):
        """The other tables are followed, now and after a restart of penstock."""
        for value in (-2, -3):
            self.source.run(f"INSERT INTO shop.other VALUES ({value}, {value})",
                            f"UPDATE shop.other SET v = v + {value}")
            self.await_caught_up()
            self.assert_equal(self.without(spec, "t"))
            self.penstock.kill()
            self.penstock.start()

    @staticmethod
    def without(spec, name):
        mysql = spec["source"]["mysql"]
        left = [m for m in mysql["tableMappings"] if m["sourceTable"] != name]
        return {**spec, "source": {"mysql": {**mysql, "tableMappings": left}}}

    def replica(self, columns="*", table="t"):
        return self.clickhouse.query(f"SELECT {columns} FROM replica.{table} FINAL ORDER BY id "
                                     "FORMAT TSV")

    def replicate(self, **settings):
        spec = self.spec(["t", "other"], **settings)
        pipe = self.penstock.create(spec)
        self.penstock.await_state(pipe, "Running")
        return spec, pipe

    def load_slowly(self):
        """In the middle of t, of which partitions are read and others are to come."""
        spec = self.spec(["t", "other"], snapshotRowsPerSecond=2000, initialLoadParallelism=1,
                         snapshotNumRowsPerPartition=1000)
        pipe = self.penstock.create(spec)
        wait_until(lambda: (self.table(pipe, "t") or {"partitionsDone": 0})["partitionsDone"] > 1,
                   "partitions")
        return spec, pipe

    def test_schema_change(self):
        spec, pipe = self.replicate()
        self.source.run("INSERT INTO shop.t VALUES (2, 11, 21)",
                        "ALTER TABLE shop.t CHANGE a b INT NOT NULL, CHANGE b a INT NOT NULL",
                        "INSERT INTO shop.t VALUES (3, 12, 22)")
        reason = self.await_quarantine(pipe)
        self.assertIn("ALTER TABLE shop.t CHANGE a b", reason)
        self.assertIn("Resync the table (penstock resync pipe --table shop.t)", reason)
        self.assertNotIn("remove-table", reason)
        self.penstock.await_state(pipe, "Degraded")
        self.assertIn("shop.t", self.penstock.status(pipe)["reason"])
        self.assert_others_flow(spec)
        self.assertEqual("1\t10\t20\n2\t11\t21\n", self.replica("id, a, b"))
        self.assertEqual("Degraded", self.penstock.state(pipe))
        for command in ("show", "tables"):
            _, out, _ = self.penstock.cli(command, "pipe")
            self.assertIn("quarantined  shop.t", out)
            self.assertIn("ALTER TABLE shop.t CHANGE a b", out)
        self.assertIn("quarantine", self.penstock.cli("events", "pipe")[1])

    def test_pause_and_resume(self):
        spec, pipe = self.replicate()
        self.source.run("DROP TABLE shop.t")
        self.assertRegex(self.await_quarantine(pipe), r"penstock resync pipe --table shop\.t\), or take "
                         r"it out of the pipe \(penstock remove-table pipe shop\.t\)")
        self.penstock.order(pipe, "stop")
        self.penstock.await_state(pipe, "Paused")
        self.penstock.order(pipe, "start")
        self.penstock.await_state(pipe, "Degraded")
        self.assert_others_flow(spec)

    def test_columns_swapped_during_a_load(self):
        """What was read before is as it was; nothing is read or followed by the wrong definition."""
        self.fill("t")
        spec, pipe = self.load_slowly()
        self.source.run("ALTER TABLE shop.t CHANGE a b INT NOT NULL, CHANGE b a INT NOT NULL",
                        "UPDATE shop.t SET a = a + 1 WHERE id % 3 = 0")
        self.await_quarantine(pipe)
        self.penstock.await_state(pipe, "Degraded")
        self.assertEqual("0\n", self.clickhouse.query(
            "SELECT count() FROM replica.t WHERE a != 10 OR b != 20"))
        self.assert_others_flow(spec)

    def test_definition_changed_behind_the_log(self):
        """The log does not tell; the load sees it."""
        self.fill("t")
        spec, pipe = self.load_slowly()
        self.source.run("SET sql_log_bin = 0", "ALTER TABLE shop.t CHANGE a c INT NOT NULL")
        self.assertIn("definition", self.await_quarantine(pipe))
        self.penstock.await_state(pipe, "Degraded")
        self.assert_others_flow(spec)

    def test_target_dropped_by_hand(self):
        spec, pipe = self.replicate()
        self.clickhouse.query("DROP TABLE replica.t SYNC")
        self.source.run("INSERT INTO shop.t VALUES (2, 1, 1)", "INSERT INTO shop.other VALUES (9, 9)")
        self.assertIn("replica.t", self.await_quarantine(pipe))
        self.assert_others_flow(spec)

    def test_load_without_the_right(self):
        """Rights to one of the tables are taken away while it waits for its load."""
        endpoint = self.source.endpoint()
        self.fill("other")
        self.source.run("CREATE USER IF NOT EXISTS few@'%' IDENTIFIED BY 'few'",
                        "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO few@'%'",
                        "CREATE TABLE shop.marker (id INT PRIMARY KEY)",
                        *[f"GRANT SELECT ON shop.{table} TO few@'%'"
                          for table in ("t", "other", "marker")])
        spec = self.spec(["other", "t"], snapshotRowsPerSecond=2000, snapshotNumRowsPerPartition=1000,
                         snapshotNumberOfParallelTables=1)
        spec["source"]["mysql"].update(endpoint, credentials={"username": "few", "password": "few"})
        pipe = self.penstock.create(spec)
        self.penstock.await_state(pipe, "Snapshot")
        self.source.run("REVOKE SELECT ON shop.t FROM few@'%'")
        self.assertIn("Grant SELECT", self.await_quarantine(pipe))
        self.penstock.await_state(pipe, "Degraded")
        self.assert_others_flow(spec)


class QuarantineMySQL(Quarantine, SystemTest):
    source_class = MySQL97


class QuarantineMariaDB(Quarantine, SystemTest):
    source_class = MariaDB1011


if __name__ == "__main__":
    unittest.main()
