"""What holds a snapshot back: a rate, and a source that has much to do."""

import contextlib
import re
import threading
import time
import unittest

from harness.case import SystemTest
from harness.sources import MariaDB1011, MySQL97
from harness.wait import wait_until

ROWS = 8192


class Throttle:
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def setUp(self):
        self.fresh_shop()
        self.source.run("CREATE TABLE shop.t (id INT AUTO_INCREMENT PRIMARY KEY, v INT)",
                        "INSERT INTO shop.t (v) VALUES (7)",
                        *["INSERT INTO shop.t (v) SELECT id FROM shop.t"] * 13)

    def tearDown(self):
        self.delete_pipes()

    def test_rows_a_second(self):
        spec = self.spec(["t"], snapshotRowsPerSecond=2000)
        started = time.monotonic()
        pipe = self.penstock.create(spec)
        self.penstock.await_state(pipe, "Snapshot")
        self.source.run("INSERT INTO shop.t (v) VALUES (1)")
        # The stream is not held back.
        wait_until(lambda: self.penstock.status(pipe)["tables"][0]["rowsInserted"] == 1, "the insert")
        self.assertEqual("Snapshot", self.penstock.state(pipe))
        self.penstock.await_state(pipe, "Running")
        self.assertGreater(time.monotonic() - started, ROWS / 2000 - 0.1)
        self.await_caught_up()
        self.assertGreater(self.assert_equal(spec), ROWS)

    def test_a_busy_source(self):
        spec = self.spec(["t"], snapshotMaxThreadsRunning=9)
        with contextlib.ExitStack() as sleepers:
            connections = [sleepers.enter_context(self.source.connect()) for _ in range(12)]
            threads = [threading.Thread(target=self.sleep, args=(connection,))
                       for connection in connections]
            for thread in threads:
                thread.start()
            pipe = self.penstock.create(spec)
            wait_until(lambda: "held back" in self.penstock.status(pipe)["retrying"], "held back")
            self.assertEqual(0, self.penstock.status(pipe)["tables"][0]["rowsLoaded"])
            for connection in connections:
                self.source.run(f"KILL QUERY {connection.thread_id()}")
            for thread in threads:
                thread.join()
        self.penstock.await_state(pipe, "Running")
        self.assertEqual("", self.penstock.status(pipe)["retrying"])
        self.await_caught_up()
        self.assertGreater(self.assert_equal(spec), ROWS)

    @staticmethod
    def sleep(connection):
        with connection.cursor() as cursor, contextlib.suppress(Exception):
            cursor.execute("SELECT SLEEP(600)")


class ThrottleMySQL(Throttle, SystemTest):
    source_class = MySQL97


class ThrottleMariaDB(Throttle, SystemTest):
    source_class = MariaDB1011


class ReplicaThrottle:
    """A source that is itself a replica, and behind."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.primary = cls.use(cls.source_class.family, lambda: cls.source_class(server_id="7"))
        cls.start_all()
        cls.source.replicate_from(cls.primary)

    def setUp(self):
        self.fresh_shop()
        self.primary.run("DROP DATABASE IF EXISTS shop", "CREATE DATABASE shop",
                         "CREATE TABLE shop.t (id INT PRIMARY KEY)", "INSERT INTO shop.t VALUES (1)",
                         "CREATE TABLE shop.other (id INT PRIMARY KEY)",
                         "CREATE TABLE shop.marker (id INT PRIMARY KEY)")
        self.await_replicated("marker")

    def tearDown(self):
        self.delete_pipes()

    def await_replicated(self, table):
        wait_until(lambda: self.source.run("SELECT 1 FROM information_schema.tables WHERE "
                                           f"table_schema = 'shop' AND table_name = '{table}'"),
                   "replicated")

    def held_back(self, why):
        """A pipe that waits for the source to catch up, and does not touch the table."""
        pipe = self.penstock.create(self.spec(["t"], snapshotMaxReplicaLagSeconds=1))
        wait_until(lambda: f"held back: {why}" in self.penstock.status(pipe)["retrying"], why)
        self.assertEqual("Snapshot", self.penstock.state(pipe))
        self.assertEqual(0, self.penstock.status(pipe)["tables"][0]["rowsLoaded"])
        return pipe

    def assert_goes_on(self, pipe):
        self.penstock.await_state(pipe, "Running")
        self.assertEqual("", self.penstock.status(pipe)["retrying"])
        self.assertEqual("1\n", self.clickhouse.query("SELECT id FROM replica.t FINAL"))

    def test_a_replica_that_is_behind(self):
        with contextlib.closing(self.source.connect()) as blocker, blocker.cursor() as cursor:
            cursor.execute("LOCK TABLES shop.other READ")
            self.primary.run("INSERT INTO shop.other VALUES (1)")
            wait_until(lambda: self.lag_of_check() > 1, "behind")
            pipe = self.held_back("the source is")
        self.assert_goes_on(pipe)

    def test_a_replica_that_is_stopped(self):
        self.source.run(self.source.stop_applying)
        pipe = self.held_back("replication is stopped")
        self.source.run(self.source.start_replica)
        self.assert_goes_on(pipe)

    def finding(self, source, **settings):
        spec = self.spec(["t"], **settings)
        spec["source"]["mysql"].update(source)
        return [(finding["severity"], finding["message"])
                for finding in self.penstock.check(spec)["findings"]
                if finding["check"] == "replica_lag"]

    def lag_of_check(self):
        ((severity, message),) = self.finding(self.source.endpoint(), snapshotMaxReplicaLagSeconds=1)
        self.assertEqual("ok", severity)
        return int(re.fullmatch(r"the source is (\d+) s behind the server it replicates", message)[1])

    def test_check(self):
        own = self.source.endpoint()
        self.assertEqual([("ok", "not needed: no snapshotMaxReplicaLagSeconds")], self.finding(own))
        self.assertLess(self.lag_of_check(), 5)
        ((severity, message),) = self.finding(self.primary.endpoint(), snapshotMaxReplicaLagSeconds=1)
        self.assertEqual("warning", severity)
        self.assertIn("replicates no other server", message)

    def test_without_the_privilege(self):
        """Nothing is held back, and check says so."""
        self.source.run("DROP USER IF EXISTS few", "CREATE USER few IDENTIFIED BY 'secret'",
                        f"GRANT SELECT, RELOAD, REPLICATION SLAVE{self.few} ON *.* TO few")
        credentials = {"credentials": {"username": "few", "password": "secret"}}
        ((severity, message),) = self.finding(credentials, snapshotMaxReplicaLagSeconds=1)
        self.assertEqual("warning", severity)
        self.assertIn("may not ask", message)
        if self.few:  # else the user may not follow the log either
            spec = self.spec(["t"], snapshotMaxReplicaLagSeconds=1)
            spec["source"]["mysql"].update(credentials)
            self.source.run(self.source.stop_applying)
            self.penstock.await_state(self.penstock.create(spec), "Running")
            self.source.run(self.source.start_replica)


class ReplicaThrottleMariaDB(ReplicaThrottle, SystemTest):
    source_class = MariaDB1011
    source_options = {"log_slave_updates": "ON"}
    few = ", BINLOG MONITOR"


class ReplicaThrottleMySQL(ReplicaThrottle, SystemTest):
    source_class = MySQL97
    few = ""


if __name__ == "__main__":
    unittest.main()
