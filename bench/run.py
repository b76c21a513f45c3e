#!/usr/bin/python3
"""The benchmark: what a value of each type costs (value_costs.py), then end to end: the orders table
from MySQL 9.7, all ways in one run.

    BENCH_ROWS     rows of the table (2000000)
    BENCH_ROUNDS   times each way is taken, in turns; medians count (3)
    PENSTOCK_BUILD the build to measure (build/release)

Gates are ratios within the run, so they hold on any machine; absolute figures are only told. Exit
code 1 when a gate fails, or when a copy is not equal to its source.
"""

import contextlib
import hashlib
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "system"))
os.environ.setdefault("PENSTOCK_BUILD", "build/release")

# pylint: disable=wrong-import-position
import value_costs  # noqa: E402
from harness import compare  # noqa: E402
from harness.clickhouse import ClickHouse, clickhouse_query  # noqa: E402
from harness.penstock import Penstock, mapping  # noqa: E402
from harness.process import Folder, cache_folder, program  # noqa: E402
from harness.sources import MySQL97  # noqa: E402
from harness.wait import wait_until  # noqa: E402

ROWS = int(os.environ.get("BENCH_ROWS", "2000000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
SNAPSHOT_RATIO_MAX = 1.0   # of ClickHouse's own mysql() table function
CATCH_UP_RATIO_MAX = 5.0   # of a plain insert of the same rows in Native
PEAK_MIB_MAX = 300
TRANSACTION_ROWS = 50_000  # of the backlog

COLUMNS = """
    id BIGINT NOT NULL PRIMARY KEY, customer_id INT NOT NULL, product_id INT UNSIGNED NOT NULL,
    quantity SMALLINT NOT NULL, status ENUM('new','paid','shipped','returned') NOT NULL,
    amount DECIMAL(12,2) NOT NULL, note VARCHAR(100) NOT NULL, rate DOUBLE NOT NULL,
    created DATETIME(6) NOT NULL, updated TIMESTAMP NOT NULL, due DATE NULL, attributes JSON NULL"""
VALUES = """
    n, h % 100000, h DIV 7 % 5000, 1 + h % 20, 1 + h % 4, (h % 10000000) / 100,
    CONCAT('note ', h, ' of order ', n), h / 997, TIMESTAMP('2024-01-01') + INTERVAL h MICROSECOND,
    TIMESTAMP('2024-01-01') + INTERVAL h % 50000000 SECOND,
    IF(h % 10 = 0, NULL, DATE('2024-01-01') + INTERVAL h % 700 DAY),
    JSON_OBJECT('channel', ELT(1 + h % 3, 'web', 'shop', 'phone'), 'score', h % 1000)"""
TARGET = """
    id Int64, customer_id Int32, product_id UInt32, quantity Int16, status LowCardinality(String),
    amount Decimal(12,2), note String, rate Float64, created DateTime64(6,'UTC'),
    updated DateTime64(0,'UTC'), due Nullable(Date32), attributes Nullable(String),
    _penstock_version UInt64, _penstock_is_deleted UInt8,
    _penstock_synced_at DateTime64(9) DEFAULT now64()"""
ENGINE = "ReplacingMergeTree(_penstock_version, _penstock_is_deleted) ORDER BY id"


def say(text):
    print(text, flush=True)


# --- the source --------------------------------------------------------------------------------


def make_table(folder):
    """A data directory with the table in it, stopped in order."""
    say(f"making {ROWS} rows (kept in the cache for the next run)")
    with MySQL97(folder=folder, innodb_buffer_pool_size="1G") as source:
        powers = (ROWS - 1).bit_length()
        source.run("SET sql_log_bin = 0", "CREATE DATABASE bench", "USE bench",
                   f"CREATE TABLE orders ({COLUMNS})", "CREATE TABLE n (n INT PRIMARY KEY)",
                   "INSERT INTO n VALUES (1)",
                   *(f"INSERT INTO n SELECT n + {1 << power} FROM n" for power in range(powers)),
                   f"INSERT INTO orders SELECT {VALUES} FROM (SELECT n, CRC32(n * 7919) AS h FROM n "
                   f"WHERE n <= {ROWS}) AS source", "DROP TABLE n",
                   "CREATE USER 'bench'@'%' IDENTIFIED BY ''", "GRANT ALL ON *.* TO 'bench'@'%'")
        source.process.terminate()


def prepared_source(folder):
    """A private copy of the prepared server."""
    key = hashlib.sha256((MySQL97.version_key() + COLUMNS + VALUES).encode()).hexdigest()[:12]
    ready = cache_folder() / "bench" / f"orders-{ROWS}-{key}"
    if not ready.exists():
        unfinished = ready.with_name(f"new-{os.getpid()}")
        try:
            make_table(unfinished)
            unfinished.rename(ready)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    subprocess.run(["cp", "-a", "--sparse=always", "--reflink=auto", ready / "data",
                    folder / "data"], check=True)
    return MySQL97(folder=folder, innodb_buffer_pool_size="2G")


# --- the ways ----------------------------------------------------------------------------------


class Meter:
    """CPU seconds and the peak of resident memory of a process."""

    def __init__(self, pid):
        self._pid = pid
        self._start = self._cpu()

    def _cpu(self):
        fields = pathlib.Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def cpu_seconds(self):
        return self._cpu() - self._start

    def peak_mib(self):
        for line in pathlib.Path(f"/proc/{self._pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
        raise RuntimeError("no VmHWM")


class Bench:
    """The servers, and the figures so far: {way: [seconds]}."""

    def __init__(self, source, clickhouse, penstock):
        self.source, self.clickhouse, self.penstock = source, clickhouse, penstock
        self.seconds = {}
        self.cpu = {}
        self.peak = {}
        self.unequal = []

    def note(self, way, seconds, meter=None):
        self.seconds.setdefault(way, []).append(seconds)
        if meter:
            self.cpu.setdefault(way, []).append(meter.cpu_seconds())
            self.peak[way] = max(meter.peak_mib(), self.peak.get(way, 0))
        say(f"  {way}: {seconds:.2f} s")

    def bare_read(self, binary):
        done = subprocess.run([binary, "127.0.0.1", str(self.source.port), "bench", "",
                               "SELECT * FROM bench.orders"], check=True, capture_output=True,
                              text=True)
        seconds, rows = done.stdout.split()
        assert int(rows) == ROWS, rows
        self.note("bare read", float(seconds))

    def target(self, name):
        self.clickhouse.query("CREATE DATABASE IF NOT EXISTS bench")
        self.clickhouse.query(f"DROP TABLE IF EXISTS bench.{name} SYNC")
        self.clickhouse.query(f"CREATE TABLE bench.{name} ({TARGET}) ENGINE = {ENGINE}")

    def mysql_function(self):
        self.target("by_function")
        started = time.monotonic()
        self.clickhouse.query(
            "INSERT INTO bench.by_function SELECT *, 1, 0, now64() FROM mysql("
            f"'127.0.0.1:{self.source.port}', 'bench', 'orders', 'bench', '')")
        self.note("mysql()", time.monotonic() - started)

    def spec(self, table):
        endpoint = self.source.endpoint(credentials={"username": "bench", "password": ""})
        return {"name": table, "source": {"mysql": {
            **endpoint, "settings": {"replicationMode": "cdc", "syncIntervalSeconds": 1},
            "tableMappings": [mapping("bench", table)]}},
            "destination": {"database": "bench_copy", "clickhouse": self.clickhouse.endpoint()}}

    def count(self, table):
        return int(self.clickhouse.query(f"SELECT count() FROM bench_copy.{table}"))

    def check_equal(self, table):
        result = compare.compare_table(self.source.connect, self.clickhouse.url, ("bench", table),
                                       ("bench_copy", table))
        if not result.equal or result.rows != ROWS:
            self.unequal += result.differences or [f"{table}: {result.rows} rows"]

    def snapshot(self, last):
        """From the order to create the pipe until the table is in."""
        self.penstock.restart()
        meter = Meter(self.penstock.process.pid)
        started = time.monotonic()
        pipe = self.penstock.create(self.spec("orders"))
        self.penstock.await_state(pipe, "Running", seconds=600)
        self.note("penstock snapshot", time.monotonic() - started, meter)
        assert self.count("orders") == ROWS
        if last:
            self.check_equal("orders")
        self.penstock.delete(pipe)
        if not last:
            self.clickhouse.query("DROP TABLE bench_copy.orders SYNC")

    def write_backlog(self):
        for start in range(0, ROWS, TRANSACTION_ROWS):
            self.source.run(f"INSERT INTO bench.backlog SELECT * FROM bench.orders WHERE "
                            f"id > {start} AND id <= {start + TRANSACTION_ROWS}")

    def catch_up(self, last):
        """From resume until every row that was written while paused is in ClickHouse."""
        self.source.run("DROP TABLE IF EXISTS bench.backlog", "CREATE TABLE bench.backlog LIKE "
                        "bench.orders")
        self.penstock.restart()
        pipe = self.penstock.create(self.spec("backlog"))
        self.penstock.await_state(pipe, "Running")
        self.penstock.order(pipe, "stop")
        self.penstock.await_state(pipe, "Paused")
        self.write_backlog()
        meter = Meter(self.penstock.process.pid)
        started = time.monotonic()
        self.penstock.order(pipe, "start")
        wait_until(lambda: self.count("backlog") >= ROWS, "the backlog in ClickHouse", 600)
        self.note("penstock catch-up", time.monotonic() - started, meter)
        if last:
            self.check_equal("backlog")
        self.penstock.delete(pipe)
        self.clickhouse.query("DROP TABLE bench_copy.backlog SYNC")

    def native_insert(self):
        rows = clickhouse_query(self.clickhouse.url,
                                "SELECT * FROM bench.by_function ORDER BY id FORMAT Native")
        self.target("by_native")
        started = time.monotonic()
        clickhouse_query(self.clickhouse.url, "INSERT INTO bench.by_native FORMAT Native", rows)
        self.note("Native insert", time.monotonic() - started)

    # --- the verdict ---

    def median(self, way):
        return statistics.median(self.seconds[way])

    def report(self):
        say(f"\n{ROWS} rows, medians of {ROUNDS}:\n")
        say(f"{'':20}{'seconds':>9}{'rows/s':>12}{'CPU s':>8}{'peak MiB':>10}")
        for way in self.seconds:
            cpu = f"{statistics.median(self.cpu[way]):8.2f}" if way in self.cpu else " " * 8
            peak = f"{self.peak[way]:10.0f}" if way in self.peak else ""
            say(f"{way:20}{self.median(way):9.2f}{ROWS / self.median(way):12,.0f}{cpu}{peak}")
        snapshot = self.median("penstock snapshot")
        gates = [
            ("snapshot / mysql()", snapshot / self.median("mysql()"), SNAPSHOT_RATIO_MAX),
            ("catch-up / Native insert", self.median("penstock catch-up") /
             self.median("Native insert"), CATCH_UP_RATIO_MAX),
            ("peak memory, MiB", max(self.peak.values()), PEAK_MIB_MAX)]
        say(f"\n{'snapshot / bare read':28}{snapshot / self.median('bare read'):8.2f}")
        for name, figure, limit in gates:
            say(f"{name:28}{figure:8.2f}   gate: at most {limit:<6g} "
                f"{'passed' if figure <= limit else 'FAILED'}")
        for line in self.unequal[:10]:
            say(f"NOT EQUAL: {line}")
        return all(figure <= limit for _, figure, limit in gates) and not self.unequal


def build_reader():
    binary = program("bare_read")
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libmariadb"], check=True,
                           capture_output=True, text=True).stdout.split()
    subprocess.run(["cc", "-O2", "-o", binary, ROOT / "bench" / "bare_read.c", *flags], check=True)
    return binary


def main():
    value_costs.main()
    say("")
    reader = build_reader()
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(Folder("bench"))
        source = stack.enter_context(prepared_source(folder))
        bench = Bench(source, stack.enter_context(ClickHouse()), stack.enter_context(Penstock()))
        source.run("SELECT SUM(LENGTH(note)) FROM bench.orders")  # into memory
        for number in range(ROUNDS):
            say(f"round {number + 1} of {ROUNDS}")
            last = number == ROUNDS - 1
            bench.bare_read(reader)
            bench.mysql_function()
            bench.snapshot(last)
            bench.native_insert()
            bench.catch_up(last)
        return 0 if bench.report() else 1


if __name__ == "__main__":
    sys.exit(main())
