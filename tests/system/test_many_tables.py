"""A pipe of very many tables, most of them empty: set up, loaded, followed, in bounded memory."""

import contextlib
import threading
import time
import unittest

from harness import compare
from harness.case import SystemTest, rounds
from harness.penstock import http_json
from harness.sources import MariaDB1011, MySQL97
from harness.wait import wait_until

TABLES = 10_000 if rounds(1) >= 30 else 1_000
MAKERS = 4
MEMORY_MIB_MAX = 500
WITH_ROWS = 30  # every so manieth table
COLUMNS = ("id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40), amount DECIMAL(12,2), "
           "kind ENUM('a','b'), made DATETIME(6) DEFAULT '2024-01-01', note TEXT")


def name_of(number):
    return f"t{number:05}"


class ManyTables:
    source_options = {"table_open_cache": "4000", "open_files_limit": "20000",
                      "innodb_file_per_table": "OFF"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def make_tables(self, first):
        with contextlib.closing(self.source.connect(database="shop")) as connection:
            with connection.cursor() as cursor:
                cursor.execute("SET sql_log_bin = 0")
                for number in range(first, TABLES, MAKERS):
                    cursor.execute(f"CREATE TABLE {name_of(number)} ({COLUMNS})")
                    if number % WITH_ROWS == 0:
                        cursor.execute(f"INSERT INTO {name_of(number)} (name, kind) VALUES "
                                       + ",".join(["('x', 'a')"] * 100))

    def snapshot(self, pipe):
        return self.penstock.api(f"{self.penstock.pipes_path()}/{pipe}/status?tables=0")

    def create(self, spec):
        """The checks look at every table."""
        status, answer = http_json(f"{self.penstock.url}/v1{self.penstock.pipes_path()}", "POST",
                                   spec, timeout=600)
        self.assertEqual(200, status, answer)
        return answer["result"]["id"]

    def test_many(self):
        self.source.run("CREATE DATABASE shop")
        makers = [threading.Thread(target=self.make_tables, args=(first,))
                  for first in range(MAKERS)]
        for maker in makers:
            maker.start()
        for maker in makers:
            maker.join()

        spec = self.spec([name_of(number) for number in range(TABLES)])
        started = time.monotonic()
        pipe = self.create(spec)
        status = {}

        def running():
            status.update(self.snapshot(pipe))
            self.assertNotEqual("Failed", status["state"], status["reason"])
            return status["state"] == "Running"
        wait_until(running, lambda: f"Running: {status}\n{self.penstock.process.tail()}", 900,
                   every=0.5)
        seconds = time.monotonic() - started
        with_rows = (TABLES + WITH_ROWS - 1) // WITH_ROWS
        self.assertEqual((TABLES + 1, 100 * with_rows),
                         (status["snapshot"]["tablesDone"], status["snapshot"]["rowsLoaded"]))

        changed = [name_of(number) for number in range(7, TABLES, TABLES // 50)]
        for table in changed:
            self.source.run(f"INSERT INTO shop.{table} (name) VALUES ('later')")
        self.await_caught_up()
        loaded = [name_of(number) for number in range(0, TABLES, WITH_ROWS * (TABLES // 1000))]
        for table in changed + loaded:
            result = compare.compare_table(self.source.connect, self.clickhouse.url,
                                           ("shop", table), ("replica", table))
            self.assertEqual([], result.differences, table)
            self.assertGreater(result.rows, 0, table)
        self.assertEqual([], self.snapshot(pipe)["tables"])
        code, shown, _ = self.penstock.cli("show", "pipe")
        self.assertEqual(0, code)
        self.assertIn("snapshot", shown)
        peak = self.penstock.peak_mib()
        print(f"{TABLES} tables: {seconds:.0f} s from create to Running, {peak} MiB", flush=True)
        self.assertLess(peak, MEMORY_MIB_MAX)

        self.penstock.restart()
        self.source.run(f"INSERT INTO shop.{changed[0]} (name) VALUES ('after the restart')")
        self.await_caught_up(seconds=300)
        self.assertLess(self.penstock.peak_mib(), MEMORY_MIB_MAX)


class ManyTablesMySQL(ManyTables, SystemTest):
    source_class = MySQL97


class ManyTablesMariaDB(ManyTables, SystemTest):
    source_class = MariaDB1011


if __name__ == "__main__":
    unittest.main()
