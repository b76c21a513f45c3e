"""The load of a MergeTree beside the stream: one moment of the source, then every change after it."""

import unittest

from harness import workload
from harness.case import SystemTest, new_seed, rounds
from harness.penstock import mapping
from harness.proxy import Proxy
from harness.sources import MariaDB1011, MySQL97
from harness.wait import wait_until


class EnginesLoad:
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def setUp(self):
        self.fresh_shop()
        self.source.run("CREATE TABLE shop.t (id INT PRIMARY KEY, n INT NOT NULL, note CHAR(40) "
                        "NOT NULL DEFAULT 'a note')",
                        "INSERT INTO shop.t (id, n) VALUES (1, 0)",
                        *[f"INSERT INTO shop.t (id, n) SELECT id + {1 << k}, n FROM shop.t"
                          for k in range(13)],
                        "CREATE TABLE shop.u (id INT PRIMARY KEY, n INT NOT NULL)",
                        "INSERT INTO shop.u SELECT id, 0 FROM shop.t LIMIT 2000", "ANALYZE TABLE shop.t")
        self.proxy = self.enterContext(Proxy(self.source.port))
        self.seed = new_seed()

    def tearDown(self):
        self.delete_pipes()

    def replicate(self, **settings):
        spec = self.spec(["u"], initialLoadParallelism=2, **settings)
        spec["source"]["mysql"]["tableMappings"].append(mapping("shop", "t", tableEngine="MergeTree"))
        spec["source"]["mysql"]["port"] = self.proxy.port
        pipe = self.penstock.create(spec)
        return pipe

    def loaded(self, pipe):
        """Partitions of t that are loaded, while there are others."""
        for table in self.penstock.status(pipe)["tables"]:
            if table["sourceTable"] == "t" and table["partitionsDone"] < table["partitions"]:
                return table["partitionsDone"]
        return 0

    def changing(self):
        """One statement after the other adds 1 to rows all over the table."""
        return workload.Repeated(self.source, "UPDATE shop.t SET n = n + 1 WHERE id % 97 = "
                                              "FLOOR(RAND() * 97) LIMIT 20")

    def assert_every_change_once(self):
        """Of each row all values of n that it had, from what the load saw on, none twice."""
        self.await_caught_up()
        counted = self.source.run("SELECT COUNT(*), SUM(n) FROM shop.t")[0]
        self.assertEqual("", self.clickhouse.query(
            "SELECT id, groupArray(n) FROM replica.t GROUP BY id HAVING count() != "
            "max(n) - min(n) + 1 OR uniqExact(n) != count() OR countIf(_penstock_kind = 'insert') "
            "!= 1 OR argMin(n, _penstock_kind = 'update') != min(n) LIMIT 5"))
        self.assertEqual(f"{counted[0]}\t{counted[1]}\n", self.clickhouse.query(
            "SELECT count(), sum(n) FROM (SELECT max(n) AS n FROM replica.t GROUP BY id)"))
        self.assertEqual("marker\nt\nu\n", self.clickhouse.query(
            "SELECT name FROM system.tables WHERE database = 'replica' ORDER BY name"))

    def test_while_rows_change(self):
        for _ in range(rounds(2)):
            self.proxy.down_per_second = 400_000
            with self.changing() as changes:
                pipe = self.replicate()
                self.penstock.await_state(pipe, "Running")
                changes.await_more()
            self.assert_every_change_once()
            self.proxy.down_per_second = None
            self.delete_pipes()
            self.clickhouse.query("DROP DATABASE replica SYNC")

    def disturbed(self, disturb):
        """A load that has some partitions is disturbed, again and again."""
        with self.changing() as changes:
            self.proxy.down_per_second = 150_000
            pipe = self.replicate()
            for _ in range(rounds(2)):
                wait_until(lambda: self.loaded(pipe), self.penstock.process.tail)
                disturb(pipe)
            self.proxy.down_per_second = None
            self.penstock.await_state(pipe, "Running")
            changes.await_more()
        self.assert_every_change_once()

    def test_penstock_killed(self):
        self.disturbed(lambda pipe: self.penstock.restart())

    def test_clickhouse_killed(self):
        self.disturbed(lambda pipe: self.clickhouse.restart())

    def test_source_lost(self):
        self.disturbed(lambda pipe: self.proxy.cut())

    def test_resync(self):
        with self.changing() as changes:
            pipe = self.replicate()
            self.penstock.await_state(pipe, "Running")
            self.clickhouse.query("ALTER TABLE replica.t DELETE WHERE id % 3 = 0 SETTINGS mutations_sync=2")
            self.proxy.down_per_second = 300_000
            self.proxy.cut()
            self.assertEqual(0, self.penstock.cli("resync", "pipe", "--table", "shop.t")[0])
            self.penstock.await_state(pipe, "Snapshot")
            self.penstock.await_state(pipe, "Running")
            changes.await_more()
        self.assert_every_change_once()


class EnginesLoadMySQL(EnginesLoad, SystemTest):
    source_class = MySQL97


class EnginesLoadMariaDB(EnginesLoad, SystemTest):
    source_class = MariaDB1011


class EnginesLoadByFile(EnginesLoad, SystemTest):
    source_class = MySQL97
    source_options = {"gtid_mode": "OFF", "enforce_gtid_consistency": "OFF"}


if __name__ == "__main__":
    unittest.main()
