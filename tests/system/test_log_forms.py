"""Every form that the servers give their log: compressed, annotated, in many files, with and without
checksums, of engines without transactions."""

import contextlib
import random
import re
import threading
import unittest

import pymysql

from harness import workload
from harness.case import SystemTest, new_seed, rounds, scale
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
    """A workload that goes on while penstock is killed, of which some tables are not mapped; the log
    is flushed, and its checksums change. Each class gives it a form; compressed() counts what proves
    it."""

    settings = {}

    def compressed(self):
        return 1

    def disturb(self, moves):
        """In the files of the log as they come and go."""
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
        workload.create(self.source)
        workload.Writer(self.source, seed).fill(accounts=2000)
        mapped = [table for table in workload.TABLES if table != "codes"]
        spec = self.spec(mapped, **self.settings)
        with workload.Workload(self.source, seed):
            self.penstock.await_state(self.penstock.create(spec), "Running", seconds=60 * scale())
            self.disturb(rounds(6))
            # A file of its own, whose first events are those of the form.
            self.source.run("FLUSH BINARY LOGS")
            wait_until(self.compressed, "events of the form")
        self.await_caught_up(seconds=60 * scale())
        self.assertGreater(self.assert_equal(spec), 2000)


def event_types(source):
    """Those of the log file at hand, whose statements may be cut in the middle of a character."""
    name = source.run("SHOW BINARY LOGS")[-1][0]
    with contextlib.closing(source.connect(use_unicode=False)) as connection:
        with connection.cursor() as cursor:
            cursor.execute(f"SHOW BINLOG EVENTS IN '{name}'")
            return {row[2].decode() for row in cursor.fetchall()}


class CompressedMySQL(Forms, WithShop):
    """Transactions as payloads."""

    source_class = MySQL97
    source_options = {"binlog_transaction_compression": "ON", **ROWS_QUERIES}

    def compressed(self):
        return "Transaction_payload" in event_types(self.source)


class CompressedMySQLByFile(CompressedMySQL):
    source_options = {**CompressedMySQL.source_options, **BY_FILE, "max_binlog_size": "131072",
                      "binlog_row_metadata": "MINIMAL"}


class CompressedMariaDB(Forms, WithShop):
    """Single events."""

    source_class = MariaDB1011
    source_options = {"log_bin_compress": "ON", "log_bin_compress_min_len": "10"}

    def compressed(self):
        return {"Write_rows_compressed_v1", "Update_rows_compressed_v1",
                "Delete_rows_compressed_v1"} <= event_types(self.source)


class CompressedMariaDB118ByFile(CompressedMariaDB):
    source_class = MariaDB118
    settings = {"replicationMechanism": "FILE_POS"}


class AnnotatedMariaDB(Forms, WithShop):
    """In files of 64 KB, without metadata."""

    source_class = MariaDB1011
    source_options = {"binlog_annotate_row_events": "ON", "max_binlog_size": "65536",
                      "binlog_row_metadata": "NO_LOG"}

    def compressed(self):
        return "Annotate_rows" in event_types(self.source)


if __name__ == "__main__":
    unittest.main()
