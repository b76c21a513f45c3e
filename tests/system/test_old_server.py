"""MySQL 5.6, from before the log told anything of its columns: snapshot and stream."""

import unittest

from harness import workload
from harness.case import SystemTest, new_seed, rounds, scale
from harness.sources import MySQL56
from harness.wait import pause


class OldServer:
    """A workload while penstock is killed, and what the checks say beforehand."""

    start_position = "by file; to read its start position the pipe takes a global read lock"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def setUp(self):
        self.fresh_shop()

    def tearDown(self):
        self.delete_pipes()

    def make_tables(self):
        """It has no JSON."""
        self.source.run(*(
            f"CREATE TABLE shop.{name} ({columns.replace('JSON', 'LONGTEXT')})"
            for name, columns in workload.TABLES.items()))

    def test_replicates(self):
        seed = new_seed()
        self.make_tables()
        workload.Writer(self.source, seed).fill(accounts=3000)
        spec = self.spec(workload.TABLES)
        said = {finding["check"]: finding for finding in self.penstock.check(spec)["findings"]}
        self.assertIn("MySQL 5.6", said["source_version"]["message"])
        self.assertIn(self.start_position, said["start_position"]["message"])
        self.assertNotIn("error", [finding["severity"] for finding in said.values()])
        with workload.Workload(self.source, seed):
            self.penstock.await_state(self.penstock.create(spec), "Running", seconds=60 * scale())
            for _ in range(rounds(3)):
                pause(0.5)
                self.penstock.restart()
        self.await_caught_up(seconds=60 * scale())
        self.assertGreater(self.assert_equal(spec), 3000)

    def test_schema_changes_are_noticed(self):
        """Of what the types in the log tell, and of the statements."""
        self.source.run("CREATE TABLE shop.t (id INT PRIMARY KEY, v INT)",
                        "CREATE TABLE shop.u (id INT PRIMARY KEY)")
        pipe = self.penstock.create(self.spec(["t", "u"]))
        self.penstock.await_state(pipe, "Running")
        self.source.run("INSERT INTO shop.t VALUES (1, 1)", "ALTER TABLE shop.t MODIFY v BIGINT",
                        "INSERT INTO shop.t VALUES (2, 2)", "INSERT INTO shop.u VALUES (1)")
        self.penstock.await_state(pipe, "Degraded")
        self.await_caught_up()
        self.assertEqual("1\t1\n", self.clickhouse.query("SELECT id, v FROM replica.t FINAL"))
        self.assertEqual("1\n", self.clickhouse.query("SELECT id FROM replica.u FINAL"))


class OldServerByFile(OldServer, SystemTest):
    source_class = MySQL56


class OldServerRowsV1(OldServer, SystemTest):
    """Rows events of version 1, files of 64 KB, no checksums."""

    source_class = MySQL56
    source_options = {"log_bin_use_v1_row_events": "ON", "binlog_checksum": "NONE",
                      "max_binlog_size": "65536", "binlog_rows_query_log_events": "OFF"}


class OldServerGtid(OldServer, SystemTest):
    source_class = MySQL56
    source_options = {"gtid_mode": "ON", "enforce_gtid_consistency": "ON",
                      "log_slave_updates": "ON", "binlog_rows_query_log_events": "ON"}
    start_position = "by mysql_gtid, now at"


if __name__ == "__main__":
    unittest.main()
