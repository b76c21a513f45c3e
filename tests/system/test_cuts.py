"""Networks that break: connections cut at random bytes in both directions, and answers that are lost
after the work was done. At the end everything is equal."""

import random
import unittest

from harness import workload
from harness.case import SystemTest, new_seed, rounds, scale
from harness.proxy import Proxy
from harness.sources import MariaDB1011, MySQL97
from harness.wait import wait_until


class Cuts:
    """A load beside a snapshot and a stream, both over links that break."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def setUp(self):
        self.seed = new_seed()
        self.random = random.Random(self.seed)
        self.fresh_shop()
        workload.create(self.source)
        workload.Writer(self.source, self.seed).fill(accounts=3000)
        self.to_source = self.enterContext(Proxy(self.source.port))
        self.to_clickhouse = self.enterContext(Proxy(self.clickhouse.http_port))
        self.spec_ = self.spec(workload.TABLES, syncIntervalMilliseconds=100)
        self.spec_["source"]["mysql"]["port"] = self.to_source.port
        self.spec_["destination"]["clickhouse"]["url"] = (
            f"http://127.0.0.1:{self.to_clickhouse.port}")
        self.pipe = self.penstock.create(self.spec_)
        self.addCleanup(self.penstock.delete, self.pipe)
        self.penstock.await_state(self.pipe, "Snapshot", "Running")

    def some_bytes(self):
        """Of every order of magnitude, so that each part of a conversation is cut now and then."""
        return round(10 ** self.random.uniform(1, 5.5))

    def clickhouse_up(self):
        """libchdb aborts now and then when a client is gone in the middle of a request; whoever runs it
        starts it again, as `serve --embedded-clickhouse` does."""
        if not self.clickhouse.process.running():
            print(f"ClickHouse ended with {self.clickhouse.process.exit_code()}", flush=True)
            self.clickhouse.start()
        return True

    def finish(self):
        wait_until(lambda: self.clickhouse_up() and self.penstock.state(self.pipe) == "Running",
                   "Running", 120 * scale())
        self.await_caught_up(seconds=120 * scale())
        self.assertGreater(self.assert_equal(self.spec_, seconds=15 * scale()), 3000)

    def test_cut_at_random_bytes(self):
        proxies = (self.to_source, self.to_clickhouse)
        with workload.Workload(self.source, self.seed):
            for proxy in proxies:
                proxy.cut_after = proxy.cut_up_after = self.some_bytes
                proxy.cut()
            for proxy in proxies:
                wait_until(lambda p=proxy: self.clickhouse_up() and p.cuts >= 4 * rounds(1),
                           "connections cut", 120 * scale())
            for proxy in proxies:
                proxy.cut_after = proxy.cut_up_after = None
                proxy.cut()
        self.finish()

    def test_answers_of_inserts_lost(self):
        with workload.Workload(self.source, self.seed):
            self.to_clickhouse.lose_answer_of = b"INSERT"
            wait_until(lambda: self.to_clickhouse.lost >= 5 * rounds(1), "answers lost",
                       120 * scale())
            self.to_clickhouse.lose_answer_of = None
        self.finish()


class CutsMySQL(Cuts, SystemTest):
    source_class = MySQL97


class CutsMariaDB(Cuts, SystemTest):
    source_class = MariaDB1011


if __name__ == "__main__":
    unittest.main()
