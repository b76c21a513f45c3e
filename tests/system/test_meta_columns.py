"""Meta columns by the names of ClickPipes and PeerDB, for queries that name them."""

import subprocess
import unittest

from harness.case import SystemTest
from harness.clickhouse import ClickHouse
from harness.penstock import Penstock, mapping
from harness.process import program, sanitizer_options
from harness.sources import MariaDB1011, MySQL97
from harness.wait import wait_until


class MetaColumns:
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_source()
        cls.clickhouse = cls.use("clickhouse", ClickHouse)
        cls.penstock = cls.enterClassContext(Penstock("--meta-columns", "peerdb"))

    def columns(self, table):
        return self.clickhouse.query(
            "SELECT name FROM system.columns WHERE database = 'replica' AND "
            f"table = '{table}' AND name LIKE '\\\\_%' ORDER BY name").split()

    def rows(self, table="t"):
        return self.clickhouse.query(f"SELECT id, v FROM replica.{table} FINAL "
                                     "WHERE _peerdb_is_deleted = 0 ORDER BY id").splitlines()

    def test_a_pipe_and_the_name_for_good(self):
        self.fresh_shop()
        self.source.run("CREATE TABLE shop.t (id INT PRIMARY KEY, v INT NOT NULL)",
                        "INSERT INTO shop.t VALUES (1, 10), (2, 20), (3, 30)",
                        "CREATE TABLE shop.history (id INT PRIMARY KEY, v INT NOT NULL)",
                        "CREATE TABLE shop.taken (id INT PRIMARY KEY, _peerdb_version INT)")
        spec = self.spec(["t"], deleteOnMerge=True)
        mappings = spec["source"]["mysql"]["tableMappings"]
        mappings.append(mapping("shop", "history", tableEngine="MergeTree"))
        taken = {**spec, "source": {"mysql": {**spec["source"]["mysql"], "tableMappings": [
            mapping("shop", "taken")]}}}
        self.assertIn("_peerdb_version", str([f for f in self.penstock.check(taken)["findings"]
                                              if f["severity"] == "error"]))
        pipe = self.penstock.create(spec)
        self.penstock.await_state(pipe, "Running")
        self.source.run("UPDATE shop.t SET v = 21 WHERE id = 2", "DELETE FROM shop.t WHERE id = 3",
                        "INSERT INTO shop.history VALUES (1, 1)", "DELETE FROM shop.history")
        self.await_caught_up()
        names = ["_peerdb_is_deleted", "_peerdb_synced_at", "_peerdb_version"]
        self.assertEqual(names, self.columns("t"))
        self.assertEqual(sorted([*names, "_penstock_kind"]), self.columns("history"))
        self.assertEqual(["1\t10", "2\t21"], self.rows())
        self.assertEqual("insert\ndelete\n", self.clickhouse.query(
            "SELECT _penstock_kind FROM replica.history ORDER BY _peerdb_version"))

        self.penstock.restart()
        self.source.run("ALTER TABLE shop.t ADD w INT NOT NULL DEFAULT 7",
                        "INSERT INTO shop.t VALUES (4, 40, 8)")
        self.await_caught_up()
        self.assertEqual(0, self.penstock.cli("resync", "pipe", "--wait")[0])
        self.assertEqual(["1\t10", "2\t21", "4\t40"], self.rows())
        self.source.run("DELETE FROM shop.t WHERE id = 1")
        self.await_caught_up()
        self.assertEqual(["2\t21", "4\t40"], self.rows())

        self.penstock.kill()
        refused = subprocess.run(
            [program("penstock"), "serve", "--data-dir", self.penstock.data_dir], timeout=60,
            capture_output=True, text=True, check=False, env=sanitizer_options())
        self.assertNotEqual(0, refused.returncode)
        self.assertIn("Start it with metaColumns: peerdb", refused.stderr)
        self.penstock.start()
        self.penstock.delete(pipe)
        wait_until(lambda: not self.penstock.pipes(), "no pipe")


class MetaColumnsMySQL(MetaColumns, SystemTest):
    source_class = MySQL97


class MetaColumnsMariaDB(MetaColumns, SystemTest):
    source_class = MariaDB1011


if __name__ == "__main__":
    unittest.main()
