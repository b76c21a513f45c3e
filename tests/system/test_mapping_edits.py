"""The mapping of a table is changed in its place: removed and added by one change."""

import unittest

from harness.case import SystemTest
from harness.penstock import ApiError, mapping
from harness.sources import MariaDB1011, MySQL97
from harness.wait import wait_until


class MappingEdits:
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def setUp(self):
        self.fresh_shop()
        for table in "t", "u":
            self.source.run(f"CREATE TABLE shop.{table} (id INT PRIMARY KEY AUTO_INCREMENT, v INT NOT NULL, "
                            "w VARCHAR(20), KEY (v))",
                            f"INSERT INTO shop.{table} (v, w) VALUES (1, 'a'), (2, 'b'), (3, 'c')")

    def tearDown(self):
        self.delete_pipes()

    def create(self, **settings):
        self.spec_ = self.spec(["t", "u"], syncIntervalMilliseconds=100, **settings)
        self.pipe = self.penstock.create(self.spec_)
        self.penstock.await_state(self.pipe, "Running", "Snapshot")

    def remap(self, table="u", **settings):
        to = mapping("shop", table, **settings)
        self.penstock.api(f"{self.penstock.pipes_path()}/{self.pipe}", "PATCH", {"source": {"mysql": {
            "tableMappingsToRemove": [mapping("shop", table)], "tableMappingsToAdd": [to]}}})
        mapped = self.spec_["source"]["mysql"]["tableMappings"]
        mapped[:] = [to if one["sourceTable"] == table else one for one in mapped]
        self.assertEqual(mapped, self.penstock.pipe(self.pipe)["source"]["mysql"]["tableMappings"])

    def finish(self):
        wait_until(lambda: self.penstock.state(self.pipe) == "Running" and not self.table("u")["quarantine"],
                   lambda: f"Running\n{self.penstock.process.tail()}", 60)
        self.source.run("UPDATE shop.u SET v = v + 10 WHERE id > 1", "DELETE FROM shop.u WHERE id = 1",
                        "INSERT INTO shop.t (v) VALUES (8)")
        self.await_caught_up()
        self.assert_equal(self.spec_)

    def table(self, name):
        return next(table for table in self.penstock.status(self.pipe)["tables"]
                    if table["sourceTable"] == name)

    def loads(self):
        path = f"{self.penstock.pipes_path()}/{self.pipe}/events"
        return sum("Setup to Snapshot" in event["text"] for event in self.penstock.api(path))

    def target(self, what):
        return self.clickhouse.query(f"SELECT {what} FROM system.tables WHERE database = 'replica' "
                                     "AND name = 'u'").strip()

    def test_what_shapes_the_target(self):
        """The table is loaded anew by itself, and what comes meanwhile is not lost."""
        self.create()
        self.remap(excludedColumns=["w"], useCustomSortingKey=True, sortingKeys=["v"])
        self.source.run("INSERT INTO shop.u (v, w) VALUES (4, 'd')", "UPDATE shop.u SET v = 9 WHERE id = 2")
        self.finish()
        self.assertEqual("v, id", self.target("sorting_key"))
        self.assertEqual("0\n", self.clickhouse.query(
            "SELECT count() FROM system.columns WHERE database = 'replica' AND table = 'u' AND name = 'w'"))
        self.remap(tableEngine="MergeTree")
        wait_until(lambda: self.target("engine") == "MergeTree", "the history")
        self.remap(tableEngine="MergeTree", partitionBy="id % 2")
        wait_until(lambda: self.target("partition_key") == "id % 2", "the partitions")
        self.penstock.await_state(self.pipe, "Running")
        self.assertEqual(0, self.penstock.cli("resync", "pipe", "--wait")[0])
        self.assertEqual("id % 2", self.target("partition_key"))

    def test_what_only_loads_go_by(self):
        self.create()
        self.finish()
        self.remap(partitionKey="v")
        self.assertIsNone(self.table("u")["quarantine"])
        self.finish()
        self.assertEqual(1, self.loads())
        self.assertEqual(0, self.penstock.cli("resync", "pipe", "--table", "shop.u", "--wait")[0])
        self.finish()

    def test_in_the_middle_of_its_load(self):
        self.source.run("INSERT INTO shop.u (v) SELECT a.v FROM shop.u a, shop.u b, shop.u c, shop.u d, "
                        "shop.u e, shop.u f, shop.u g")
        self.create(snapshotRowsPerSecond=1000, snapshotNumRowsPerPartition=1000)
        wait_until(lambda: self.table("u")["rowsLoaded"] != 0, "rows of u")
        self.remap(partitionKey="v")
        self.finish()

    def test_while_paused(self):
        self.create()
        self.penstock.order(self.pipe, "stop")
        self.penstock.await_state(self.pipe, "Paused")
        self.remap(excludedColumns=["w"])
        self.assertEqual("Paused", self.penstock.state(self.pipe))
        self.assertIn("mapping", self.table("u")["quarantine"]["reason"])
        self.penstock.restart()
        self.penstock.order(self.pipe, "start")
        self.finish()

    def test_killed(self):
        self.create()
        self.remap(excludedColumns=["w"])
        self.penstock.restart()
        self.remap("t", excludedColumns=["w"])
        self.finish()

    def test_refused(self):
        self.create()
        for wanted, settings in (("v", {"excludedColumns": ["none"]}), ("id", {"excludedColumns": ["id"]}),
                                 ("none", {"partitionKey": "none"})):
            with self.assertRaisesRegex(ApiError, wanted):
                self.remap(**settings)
        self.assertEqual("Running", self.penstock.state(self.pipe))
        self.finish()


class MappingEditsMySQL(MappingEdits, SystemTest):
    source_class = MySQL97


class MappingEditsMariaDB(MappingEdits, SystemTest):
    source_class = MariaDB1011


if __name__ == "__main__":
    unittest.main()
