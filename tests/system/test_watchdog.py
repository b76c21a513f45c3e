"""Connections that are open and lead nowhere, and two readers of one name."""

import contextlib
import json
import unittest

from harness.case import SystemTest
from harness.penstock import Penstock
from harness.proxy import Proxy
from harness.sources import MariaDB118, MariaDB1011, MySQL97
from harness.wait import pause, wait_until


class Watched:
    """A pipe through proxies on both sides."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def setUp(self):
        self.fresh_shop()
        self.source.run("CREATE TABLE shop.t (id INT PRIMARY KEY, v LONGTEXT)",
                        "INSERT INTO shop.t VALUES (1, 'a')")
        with contextlib.ExitStack() as stack:
            self.before = stack.enter_context(Proxy(self.source.port))
            self.behind = stack.enter_context(Proxy(self.clickhouse.http_port))
            self.addCleanup(stack.pop_all().close)
        self.spec_ = self.spec(["t"])
        self.spec_["source"]["mysql"]["port"] = self.before.port
        self.spec_["destination"]["clickhouse"]["url"] = f"http://127.0.0.1:{self.behind.port}"

    def tearDown(self):
        self.before.frozen = self.behind.frozen = False
        self.delete_pipes()

    def start(self):
        self.pipe = self.penstock.create(self.spec_)
        self.penstock.await_state(self.pipe, "Running")
        self.await_caught_up()

    def await_retry(self, words, seconds):
        wait_until(lambda: words in self.penstock.status(self.pipe)["retrying"], words, seconds)

    def finish(self):
        self.await_caught_up()
        self.assert_equal(self.spec_)

    def test_source_that_is_silent(self):
        """Noticed by the heartbeats that do not come, though nothing ends the connection."""
        self.start()
        self.before.frozen = True
        self.source.run("INSERT INTO shop.t VALUES (2, 'b')")
        self.await_retry("not even a heartbeat", 20)
        self.before.cut()
        self.before.frozen = False
        self.finish()

    def test_a_row_that_takes_long_is_not_silence(self):
        """Of one event more than the time that silence is borne."""
        self.start()
        self.before.down_per_second = 150_000
        self.source.run("INSERT INTO shop.t VALUES (2, REPEAT('x', 3000000))")
        self.await_caught_up()
        events = self.penstock.api(f"{self.penstock.pipes_path()}/{self.pipe}/events")
        self.assertEqual([], [event for event in events if event["kind"] == "retry"])
        self.before.down_per_second = None
        self.finish()

    def test_destination_that_is_silent(self):
        self.start()
        self.behind.frozen = True
        self.source.run("INSERT INTO shop.t VALUES (2, 'b')")
        self.await_retry("no byte moved", 60)
        self.behind.cut()
        self.behind.frozen = False
        self.finish()


class WatchedMySQL(Watched, SystemTest):
    source_class = MySQL97


class WatchedMariaDB(Watched, SystemTest):
    source_class = MariaDB1011


class Twins:
    """Two readers of a log under one server id."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()
        cls.second = cls.enterClassContext(Penstock())

    def setUp(self):
        self.fresh_shop()
        self.source.run("CREATE TABLE shop.t (id INT PRIMARY KEY, v INT)",
                        "INSERT INTO shop.t VALUES (1, 1)")

    def tearDown(self):
        for penstock in (self.penstock, self.second):
            for pipe in penstock.pipes():
                penstock.delete(pipe["id"])

    def start(self, penstock, database, **source):
        spec = self.spec(["t"])
        spec["destination"]["database"] = database
        spec["source"]["mysql"].update(source)
        self.clickhouse.query(f"DROP DATABASE IF EXISTS {database} SYNC")
        pipe = penstock.create(spec)
        penstock.await_state(pipe, "Running")
        return pipe

    def reader_ids(self):
        """Server ids of the readers that the source knows."""
        return sorted(row[0] for row in self.source.run(self.show_replicas))

    def test_own_ids_by_default(self):
        self.start(self.penstock, "replica")
        self.start(self.second, "other")
        wait_until(lambda: len(self.reader_ids()) == 2, "two readers")
        self.assertEqual(2, len(set(self.reader_ids())))

    def test_server_id_is_honoured(self):
        self.start(self.penstock, "replica", serverId=4711)
        wait_until(lambda: self.reader_ids() == [4711], self.reader_ids)

    def test_one_id(self):
        """One of them stops and says why; the other goes on, and they do not take turns."""
        pipes = [(penstock, self.start(penstock, database, serverId=4711))
                 for penstock, database in ((self.penstock, "replica"), (self.second, "other"))]
        states = lambda: sorted(penstock.state(pipe) for penstock, pipe in pipes)
        wait_until(lambda: "Failed" in states(), lambda: json.dumps(
            [penstock.status(pipe)["retrying"] for penstock, pipe in pipes]), 30)
        pause(3)
        self.assertEqual(["Failed", "Running"], states())
        (reason,) = [penstock.status(pipe)["reason"] for penstock, pipe in pipes
                     if penstock.state(pipe) == "Failed"]
        for word in ("4711", "serverId"):
            self.assertIn(word, reason)


class TwinsMySQL(Twins, SystemTest):
    source_class = MySQL97
    show_replicas = "SHOW REPLICAS"


class TwinsMariaDB(Twins, SystemTest):
    source_class = MariaDB1011
    show_replicas = "SHOW SLAVE HOSTS"


class TwinsMariaDB118(Twins, SystemTest):
    source_class = MariaDB118
    show_replicas = "SHOW SLAVE HOSTS"


if __name__ == "__main__":
    unittest.main()
