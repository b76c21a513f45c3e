"""Transactions that are much larger than a batch: what was written of one is not written again when
its reading is cut, by a crash or by the network."""

import unittest

from harness.case import SystemTest, rounds
from harness.clickhouse import ClickHouse
from harness.penstock import Penstock
from harness.process import Folder
from harness.proxy import Proxy
from harness.sources import MariaDB1011, MySQL97
from harness.wait import wait_until

ROWS = 24_000
BATCH_ROWS_MAX = 6_000  # of 128 KiB each: the batch that is written, and the one that is decoded


class GiantTransactions:
    """Rows as inserted are counted without FINAL and without merges: one that was written twice is
    there twice."""

    settings = {}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_source()
        cls.clickhouse = cls.use("clickhouse", ClickHouse)
        config = cls.enterClassContext(Folder("config")) / "penstock.yaml"
        config.write_text("memory: {limit: 4MiB}\n")
        cls.penstock = cls.enterClassContext(Penstock("--test-limits", "--config", config))

    def setUp(self):
        self.fresh_shop()
        self.source.run("CREATE TABLE shop.t (id INT PRIMARY KEY, n INT, v VARCHAR(40))",
                        "CREATE TABLE shop.u (id INT PRIMARY KEY, n INT)")
        self.proxy = self.enterContext(Proxy(self.source.port))
        self.spec_ = self.spec(["t", "u"], syncIntervalMilliseconds=100, **self.settings)
        self.spec_["source"]["mysql"]["port"] = self.proxy.port
        self.pipe = self.penstock.create(self.spec_)
        self.addCleanup(self.penstock.delete, self.pipe)
        self.penstock.await_state(self.pipe, "Running")
        self.clickhouse.query("SYSTEM STOP MERGES replica.t")

    def write(self):
        """One transaction, of which the log comes slowly."""
        self.proxy.down_per_second = 500_000
        connection = self.source.connect(database="shop", autocommit=False)
        with connection.cursor() as cursor:
            for start in range(0, ROWS, 4000):
                numbers = range(start, start + 4000)
                cursor.executemany("INSERT INTO t VALUES (%s, 0, %s)",
                                   [(n, f"value of {n}") for n in numbers])
                cursor.execute("SAVEPOINT s")
                cursor.executemany("INSERT INTO u VALUES (%s, %s)",
                                   [(n, n) for n in numbers if n % 10 == 0])
            cursor.execute("UPDATE t SET n = 1 WHERE id % 3 = 0")
        connection.commit()
        connection.close()

    def written(self):
        return int(self.clickhouse.query("SELECT countIf(n = 0) FROM replica.t"))

    def finish(self, times_cut, rewritten_max):
        self.proxy.down_per_second = None
        self.await_caught_up()
        self.assert_equal(self.spec_)
        self.assertLessEqual(self.written() - ROWS, rewritten_max * times_cut)

    def test_killed_in_it(self):
        self.write()
        kills = rounds(3)
        for _ in range(kills):
            before = self.written()
            wait_until(lambda n=before: self.written() > n, "more rows of the transaction", 60)
            self.penstock.restart()
        self.finish(kills, rewritten_max=BATCH_ROWS_MAX)

    def test_connection_cut_in_it(self):
        """What was taken of it is written once, whatever becomes of the connection."""
        self.write()
        cuts = rounds(3)
        for _ in range(cuts):
            before = self.written()
            wait_until(lambda n=before: self.written() > n, "more rows of the transaction", 60)
            self.proxy.cut()
        self.finish(cuts, rewritten_max=0)

    def test_paused_in_it(self):
        self.write()
        wait_until(lambda: self.written() > 0, "rows of the transaction", 60)
        self.penstock.order(self.pipe, "stop")
        self.penstock.await_state(self.pipe, "Paused")
        self.assertLess(self.written(), ROWS)
        self.penstock.order(self.pipe, "start")
        self.finish(1, rewritten_max=0)


class GiantTransactionsMySQL(GiantTransactions, SystemTest):
    source_class = MySQL97


class GiantTransactionsMySQLByFile(GiantTransactions, SystemTest):
    source_class = MySQL97
    settings = {"replicationMechanism": "FILE_POS"}


class GiantTransactionsMariaDB(GiantTransactions, SystemTest):
    source_class = MariaDB1011


if __name__ == "__main__":
    unittest.main()
