"""Every form that the servers give their log: compressed, annotated, in many files, with and without
checksums, of engines without transactions."""

import contextlib
import os
import random
import unittest

import pymysql

from harness import workload
from harness.case import SystemTest, new_seed, rounds, scale
from harness.clickhouse import ClickHouse
from harness.penstock import Penstock
from harness.process import Folder
from harness.sources import MariaDB118, MariaDB1011, MySQL97
from harness.wait import pause, wait_until

ROWS_QUERIES = {"binlog_rows_query_log_events": "ON"}
BY_FILE = {"gtid_mode": "OFF", "enforce_gtid_consistency": "OFF"}


class WithShop(SystemTest):
    """A new shop for each test."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def setUp(self):
        self.fresh_shop()

    def tearDown(self):
        self.delete_pipes()


class Forms:
    """A workload, of which one table is not mapped, while penstock is killed, the log goes from file
    to file, past number 999,999, and its checksums change. Each class gives it a form, by which
    `in_form` tells the types of its events."""

    settings = {}
    in_form = set()

    def disturb(self, moves):
        for move in range(moves):
            pause(self.random.uniform(0, 0.5))
            self.source.run("FLUSH BINARY LOGS")
            checksum = ("NONE", "CRC32")[move % 2]
            self.source.run(f"SET GLOBAL binlog_checksum = {checksum}")
            if move % 2:
                self.penstock.restart()

    def test_workload(self):
        seed = new_seed()
        self.random = random.Random(seed)
        self.source.run(f"{self.reset} TO 999998")
        workload.create(self.source)
        workload.Writer(self.source, seed).fill(accounts=2000)
        mapped = [table for table in workload.TABLES if table != "codes"]
        spec = self.spec(mapped, **self.settings)
        with workload.Workload(self.source, seed):
            self.penstock.await_state(self.penstock.create(spec), "Running", seconds=60 * scale())
            self.disturb(rounds(6))
            # A file of its own, whose first events are those of the form.
            self.source.run("FLUSH BINARY LOGS")
            wait_until(lambda: self.in_form <= event_types(self.source), "events of the form")
        self.await_caught_up(seconds=60 * scale())
        self.assertGreater(self.assert_equal(spec), 2000)
        self.assertGreater(int(self.source.run("SHOW BINARY LOGS")[-1][0].split(".")[1]), 999_999)


def event_types(source):
    """Those of the log file at hand, whose statements may be cut in the middle of a character."""
    name = source.run("SHOW BINARY LOGS")[-1][0]
    with contextlib.closing(source.connect(use_unicode=False)) as connection:
        with connection.cursor() as cursor:
            cursor.execute(f"SHOW BINLOG EVENTS IN '{name}'")
            return {row[2].decode() for row in cursor.fetchall()}


class CompressedMySQL(Forms, WithShop):
    """Transactions as payloads, and the statements before their rows."""

    source_class = MySQL97
    source_options = {"binlog_transaction_compression": "ON", "binlog_rows_query_log_events": "ON"}
    reset = "RESET BINARY LOGS AND GTIDS"
    in_form = {"Transaction_payload"}


class CompressedMySQLByFile(CompressedMySQL):
    source_options = {**CompressedMySQL.source_options, "gtid_mode": "OFF",
                      "enforce_gtid_consistency": "OFF", "max_binlog_size": "131072",
                      "binlog_row_metadata": "MINIMAL"}


class AnnotatedMySQL(CompressedMySQL):
    source_options = {"binlog_rows_query_log_events": "ON"}
    settings = {"replicationMechanism": "FILE_POS"}
    in_form = {"Rows_query", "Write_rows"}


class CompressedMariaDB(Forms, WithShop):
    """Single events."""

    source_class = MariaDB1011
    source_options = {"log_bin_compress": "ON", "log_bin_compress_min_len": "10"}
    reset = "RESET MASTER"
    in_form = {"Write_rows_compressed_v1", "Update_rows_compressed_v1", "Delete_rows_compressed_v1"}


class CompressedMariaDB118ByFile(CompressedMariaDB):
    source_class = MariaDB118
    settings = {"replicationMechanism": "FILE_POS"}


class AnnotatedMariaDB(CompressedMariaDB):
    """In files of 64 KB, without metadata."""

    source_options = {"binlog_annotate_row_events": "ON", "max_binlog_size": "65536",
                      "binlog_row_metadata": "NO_LOG"}
    in_form = {"Annotate_rows", "Write_rows_v1"}


class GiantPayload(WithShop):
    """A compressed transaction much larger than all the memory there is for batches."""

    source_class = MySQL97
    source_options = {"binlog_transaction_compression": "ON"}
    ROWS = round(60_000 * scale())
    PEAK_MIB_MAX = 36  # 23 at rest; the transaction is 17
    BATCH_ROWS_MAX = 6_000  # of 128 KiB each: the batch that is written, and the one being decoded

    @classmethod
    def setUpClass(cls):
        super(WithShop, cls).setUpClass()
        cls.start_source()
        cls.clickhouse = cls.use("clickhouse", ClickHouse)
        config = cls.enterClassContext(Folder("config")) / "penstock.yaml"
        config.write_text("memory: {limit: 4MiB}\n")
        cls.penstock = cls.enterClassContext(Penstock("--test-limits", "--config", config))

    def written(self):
        return int(self.clickhouse.query("SELECT count() FROM replica.t"))

    def test_killed_in_it(self):
        """It goes on where it was, and holds a small part of it at a time."""
        self.source.run("CREATE TABLE shop.t (id INT PRIMARY KEY, v VARCHAR(300))")
        spec = self.spec(["t"])
        self.penstock.await_state(self.penstock.create(spec), "Running")
        self.clickhouse.query("SYSTEM STOP MERGES replica.t")
        self.source.run(
            f"INSERT INTO shop.t WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
            f"WHERE i < {self.ROWS}) SELECT /*+ SET_VAR(cte_max_recursion_depth = 1000000000) */ "
            f"i, CONCAT(i, REPEAT(' and more', 30)) FROM n")
        self.assertIn("Transaction_payload", event_types(self.source))
        kills = rounds(3)
        for _ in range(kills):
            before = self.written()
            wait_until(lambda n=before: self.written() > n, "more rows of the transaction")
            self.penstock.restart()
        self.await_caught_up()
        self.assertEqual(self.ROWS + 1, self.assert_equal(spec))
        self.assertLess(self.written() - self.ROWS, self.BATCH_ROWS_MAX * kills)
        if "san" not in os.environ.get("PENSTOCK_BUILD", ""):
            self.assertLess(self.penstock.peak_mib(), self.PEAK_MIB_MAX * scale())


class GiantPayloadByFile(GiantPayload):
    source_options = {**GiantPayload.source_options, "gtid_mode": "OFF",
                      "enforce_gtid_consistency": "OFF"}


class Special:
    """What is in a log beside rows."""

    def replicate(self, *tables):
        spec = self.spec(tables)
        pipe = self.penstock.create(spec)
        self.penstock.await_state(pipe, "Running")
        return spec, pipe

    def test_empty_transactions_move_the_position(self):
        """Else the files of a log without changes to us could not be purged."""
        _, pipe = self.replicate()
        for _ in range(3):
            gtid = self.empty_transaction()
            wait_until(lambda g=gtid: g in self.penstock.status(pipe)["position"],
                       lambda: f"{gtid} in {self.penstock.status(pipe)['position']}")

    def test_incident(self):
        """Rows of a table without transactions that the source could not log."""
        self.source.run("CREATE TABLE shop.plain (id INT PRIMARY KEY, v VARCHAR(100)) ENGINE=MyISAM",
                        "CREATE TABLE shop.t (id INT PRIMARY KEY)")
        spec, pipe = self.replicate("plain", "t")
        self.source.run("INSERT INTO shop.t VALUES (1)")
        rows = ",".join(f"({i}, REPEAT('x', 100))" for i in range(1000))
        with self.assertRaises(pymysql.err.Error):
            self.source.run(f"INSERT INTO shop.plain VALUES {rows}")
        self.source.run("INSERT INTO shop.t VALUES (2)")
        self.penstock.await_state(pipe, "Failed")
        _, shown, _ = self.penstock.cli("show", "pipe")
        self.assertIn("its log may miss changes", shown)
        self.assertIn(self.remedy, shown)
        self.assertEqual("1\n", self.clickhouse.query("SELECT count() FROM replica.t"))
        if "FLUSH" in self.remedy:
            self.source.run("FLUSH BINARY LOGS")
        self.penstock.order(pipe, "resync")
        self.penstock.await_state(pipe, "Running")
        self.await_caught_up()
        self.assert_equal(spec)


class SpecialMySQL(Special, WithShop):
    source_class = MySQL97
    source_options = {"binlog_stmt_cache_size": "4096", "max_binlog_stmt_cache_size": "4096"}

    remedy = "Resync the pipe (penstock resync)"

    def empty_transaction(self):
        uuid = self.source.run("SELECT UUID()")[0][0]
        self.source.run(f"SET gtid_next = '{uuid}:7'", "BEGIN", "COMMIT",
                        "SET gtid_next = AUTOMATIC")
        return f"{uuid}:7"

    def test_check_of_compression(self):
        """It is read, whatever its level; of the highest ones the memory is told."""
        spec = self.spec([])
        for level, severity, words in ((3, "ok", "compressed"), (22, "warning", "128 MiB")):
            self.source.run(
                "SET GLOBAL binlog_transaction_compression = ON",
                f"SET GLOBAL binlog_transaction_compression_level_zstd = {level}")
            found = [finding for finding in self.penstock.check(spec)["findings"]
                     if finding["check"] == "transaction_compression"]
            self.source.run("SET GLOBAL binlog_transaction_compression = OFF")
            self.assertEqual([severity], [finding["severity"] for finding in found])
            self.assertIn(words, found[0]["message"])


class SpecialMariaDB(Special, WithShop):
    source_class = MariaDB1011
    source_options = {"binlog_stmt_cache_size": "4096", "max_binlog_stmt_cache_size": "4096"}

    remedy = "FLUSH BINARY LOGS at the source, then resync the pipe (penstock resync)"

    def empty_transaction(self):
        self.source.run("FLUSH TABLES")
        return self.source.run("SELECT @@gtid_binlog_pos")[0][0]


class SpecialMariaDB118(SpecialMariaDB):
    source_class = MariaDB118


if __name__ == "__main__":
    unittest.main()
