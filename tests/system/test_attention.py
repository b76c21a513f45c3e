"""What needs attention while the pipe flows: it is Degraded, tells why, and is Running again by itself."""

import contextlib
import unittest

from harness.case import SystemTest
from harness.clickhouse import ClickHouse
from harness.metrics import Metrics
from harness.penstock import Penstock
from harness.proxy import Proxy
from harness.sources import MariaDB1011, MySQL97
from harness.wait import wait_until


class Attention:
    """With the limits of tests: 3 s of failing, answers of 0.3 s, batches of 3 s."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_source()
        cls.clickhouse = cls.use("clickhouse", ClickHouse)
        cls.penstock = cls.enterClassContext(Penstock("--test-limits"))

    def setUp(self):
        self.fresh_shop()
        self.source.run("CREATE TABLE shop.t (id INT PRIMARY KEY AUTO_INCREMENT, v INT)")
        self.proxy = self.enterContext(Proxy(self.source.port))
        self.spec_ = self.spec(["t"])
        self.spec_["source"]["mysql"]["port"] = self.proxy.port
        self.pipe = self.penstock.create(self.spec_)
        self.addCleanup(self.penstock.delete, self.pipe)
        self.penstock.await_state(self.pipe, "Running")
        self.await_caught_up()

    def write(self):
        self.source.run("INSERT INTO shop.t (v) VALUES (1)")

    def concerns(self):
        return [reason["concern"] for reason in self.penstock.status(self.pipe)["reasons"]]

    def await_concern(self, concern, word):
        """In the API, `show`, the events and the metrics."""
        wait_until(lambda: concern in self.concerns(),
                   lambda: f"{concern}\n{self.penstock.process.tail()}", 30)
        self.assertEqual("Degraded", self.penstock.state(self.pipe))
        text = next(reason["text"] for reason in self.penstock.status(self.pipe)["reasons"]
                    if reason["concern"] == concern)
        self.assertIn(word, text)
        self.assertIn(text[:40], self.penstock.cli("show", "pipe")[1])
        self.assertIn(text[:40], self.penstock.cli("events", "pipe")[1])
        self.assertEqual(1, self.metric(concern))

    def metric(self, concern):
        return Metrics(self.penstock.url).value("penstock_pipe_attention", pipe="pipe", concern=concern)

    def await_running(self, concern):
        wait_until(lambda: self.penstock.state(self.pipe) == "Running",
                   lambda: f"Running again\n{self.penstock.process.tail()}", 40)
        self.assertEqual([], self.concerns())
        self.assertEqual(0, self.metric(concern))
        self.await_caught_up()
        self.assert_equal(self.spec_)

    @contextlib.contextmanager
    def destination_hangs(self):
        self.clickhouse.process.suspend()
        try:
            yield
        finally:
            self.clickhouse.process.resume()

    def test_the_source_is_away(self):
        self.proxy.refusing = True
        self.proxy.cut()
        self.await_concern("retrying", "log: failing for over 3 s")
        self.proxy.refusing = False
        self.await_running("retrying")

    def test_the_destination_is_away(self):
        self.clickhouse.process.kill()
        self.write()
        self.await_concern("retrying", "inserts: failing for over 3 s")
        self.clickhouse.start()
        self.await_running("retrying")

    def test_a_retry_is_refused(self):
        """Its log session is; the pipe's goes on, and the retry once it is let in again."""
        self.source.run("CREATE USER IF NOT EXISTS let@'%' IDENTIFIED BY 'in'", "GRANT ALL ON *.* TO let@'%'")
        self.penstock.api(f"{self.penstock.pipes_path()}/{self.pipe}", "PATCH", {"source": {"mysql": {
            "credentials": {"username": "let", "password": "in"}}}})
        self.penstock.await_state(self.pipe, "Running")
        self.clickhouse.query("RENAME TABLE replica.t TO replica.away")
        for _ in range(10):
            self.source.run(f"INSERT INTO shop.t (v) VALUES {','.join(['(1)'] * 10_000)}")
        self.await_concern("quarantine", "shop.t")
        self.clickhouse.query("RENAME TABLE replica.away TO replica.t")
        self.await_caught_up()
        self.proxy.down_per_second = 100_000
        self.penstock.order(self.pipe, "retry")
        def sessions():
            return self.source.run("SELECT id FROM information_schema.processlist "
                                   "WHERE command LIKE 'Binlog Dump%' ORDER BY id")
        wait_until(lambda: len(sessions()) == 2, "the log session of the retry")
        self.source.run("ALTER USER let@'%' IDENTIFIED BY 'other'", f"KILL {sessions()[1][0]}")
        self.await_concern("retrying", "retry: failing for over 3 s")
        wait_until(lambda: self.penstock.status(self.pipe)["retryAttempts"] >= 5, "more of it", 30)
        self.assertEqual("Degraded", self.penstock.state(self.pipe))
        self.assertIn("Check the user name", self.penstock.cli("show", "pipe")[1])
        self.await_caught_up()
        self.source.run("ALTER USER let@'%' IDENTIFIED BY 'in'")
        self.proxy.down_per_second = None
        self.await_running("retrying")

    def test_paused(self):
        """For longer than it takes to look: the pause stays the user's, and the reasons what they were."""
        self.clickhouse.query("RENAME TABLE replica.t TO replica.away")
        self.write()
        self.await_concern("quarantine", "shop.t")
        path = f"{self.penstock.pipes_path()}/{self.pipe}/stateHistory"
        degraded = self.penstock.api(path)[0]
        with self.destination_hangs():
            self.source.run("INSERT INTO shop.marker VALUES (1000)")
            wait_until(lambda: self.penstock.status(self.pipe)["lagSeconds"] > 1, lambda: self.penstock.status(self.pipe), 8)
            self.penstock.order(self.pipe, "stop")
            self.penstock.await_state(self.pipe, "Paused")
        self.penstock.order(self.pipe, "start")
        self.assertEqual(["quarantine"], self.concerns())
        self.assertIn("shop.t", self.penstock.status(self.pipe)["reason"])
        self.await_caught_up()
        self.assertEqual(["Degraded", "Paused", "Pausing", "Degraded"],
                         [one["state"] for one in self.penstock.api(path)[:4]])
        self.assertEqual(degraded, self.penstock.api(path)[3])

    def test_the_lag_eats_into_the_retention(self):
        kept = self.source.run("SELECT @@global.binlog_expire_logs_seconds")[0][0]
        self.source.run("SET GLOBAL binlog_expire_logs_seconds = 8")
        try:
            with self.destination_hangs():
                self.write()
                self.await_concern("log_retention", "binlog_expire_logs_seconds")
        finally:
            self.source.run(f"SET GLOBAL binlog_expire_logs_seconds = {kept}")
        self.await_running("log_retention")

    def test_the_source_answers_slowly(self):
        self.proxy.down_per_second = 500
        self.await_concern("slow_source", "tell of its log")
        self.proxy.down_per_second = None
        self.await_running("slow_source")

    def test_the_destination_answers_slowly(self):
        with self.destination_hangs():
            self.write()
            wait_until(lambda: self.penstock.status(self.pipe)["lagSeconds"] > 5, "a while")
        self.await_concern("slow_destination", "last batch")
        self.await_running("slow_destination")


class AttentionMySQL(Attention, SystemTest):
    source_class = MySQL97


class AttentionMariaDB(Attention, SystemTest):
    source_class = MariaDB1011


if __name__ == "__main__":
    unittest.main()
