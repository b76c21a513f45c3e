"""What holds a snapshot back: a rate, and a source that has much to do."""

import contextlib
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


if __name__ == "__main__":
    unittest.main()
