"""Sysbench's OLTP mixes against the source while a pipe follows, compared in full at the end: 5 s of
each in CI, and as many times of it as PENSTOCK_ROUNDS says in a soak (720: an hour)."""

import subprocess
import unittest

from harness.case import SystemTest, rounds
from harness.penstock import mapping, pipe_spec
from harness.sources import MariaDB1011, MySQL97

SECONDS = 5
TABLES = 4
ROWS = 5000
MIXES = {"oltp_read_write": 60, "oltp_write_only": 60, "oltp_insert": 100}  # transactions a second


class Sysbench:
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def setUp(self):
        self.fresh_shop()

    def tearDown(self):
        self.delete_pipes()

    def sysbench(self, mix, *words):
        """A process of it; its output goes to a file of its own."""
        with open(self.penstock.folder / f"{mix}.log", "w", encoding="utf-8") as log:
            return subprocess.Popen(
                ["sysbench", mix, "--db-driver=mysql", f"--mysql-socket={self.source.socket}",
                 "--mysql-user=root", "--mysql-db=shop", f"--tables={TABLES}", f"--table-size={ROWS}",
                 *words], stdout=log, stderr=subprocess.STDOUT)

    def finished(self, mix, process, seconds):
        code = process.wait(seconds)
        text = (self.penstock.folder / f"{mix}.log").read_text(encoding="utf-8")
        self.assertEqual(0, code, text)
        return text

    def test_mixes_at_once(self):
        self.finished("oltp_read_write", self.sysbench("oltp_read_write", "prepare"), 120)
        spec = pipe_spec(self.source.endpoint(), self.clickhouse.endpoint(),
                         [mapping("shop", f"sbtest{number + 1}") for number in range(TABLES)])
        self.penstock.create(spec)
        seconds = SECONDS * rounds(1)
        running = {mix: self.sysbench(mix, "--threads=2", f"--time={seconds}", f"--rate={rate}",
                                      "--mysql-ignore-errors=1062,1213,1205,1020", "run")
                   for mix, rate in MIXES.items()}
        for mix, process in running.items():
            text = self.finished(mix, process, seconds + 60)
            self.assertRegex(text, r"transactions: +[1-9]")
        rows = self.assert_equal(spec, seconds=60)
        self.assertGreaterEqual(rows, TABLES * ROWS)


class SysbenchMySQL(Sysbench, SystemTest):
    source_class = MySQL97


class SysbenchMariaDB(Sysbench, SystemTest):
    source_class = MariaDB1011


if __name__ == "__main__":
    unittest.main()
