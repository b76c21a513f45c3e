"""The stream by itself: backlogs of each kind from both servers (backlogs.py), then how long a change
is on its way and what idle pipes cost (latency.py)."""

import contextlib
import time

import latency
from backlogs import BACKLOGS, write
from copies import connection_of, query_over
from figures import Meter, peak_mib
from harness import compare
from harness.clickhouse import ClickHouse, clickhouse_query
from harness.penstock import Penstock, mapping
from harness.process import Folder
from harness.sources import MariaDB1011, MySQL97
from harness.wait import wait_until
from shapes import ROWS, SCHEMA, SHAPES, prepared_source

DATABASE = "bench_stream"
NATIVE_TABLE = "native"


class Streams:
    """The pipes of one source. `unequal` lists what copies got wrong."""

    def __init__(self, source, clickhouse, penstock):
        self.source, self.clickhouse, self.penstock = source, clickhouse, penstock
        self.unequal = []

    def query(self, sql):
        return query_over(connection_of(self.clickhouse), sql)

    def spec(self, name, mappings, database, **settings):
        endpoint = self.source.endpoint(credentials={"username": "bench", "password": ""})
        return {"name": name, "source": {"mysql": {
            **endpoint, "settings": {"replicationMode": "cdc", **settings},
            "tableMappings": mappings}},
            "destination": {"database": database, "clickhouse": self.clickhouse.endpoint()}}

    def catch_up(self, backlog, position, check):
        """(seconds, CPU by process, peak MiB) from the order to create the pipe until every change
        is acknowledged by ClickHouse."""
        self.penstock.restart()
        spec = self.spec(backlog.table, [mapping(SCHEMA, backlog.table)], DATABASE,
                         replicationMode="cdc_only", syncIntervalSeconds=1,
                         startPosition={"gtid": position})
        meter = Meter({"penstock": self.penstock.process.pid, "source": self.source.process.pid,
                       "ClickHouse": self.clickhouse.process.pid})
        started = time.monotonic()
        pipe = self.penstock.create(spec)
        wait_until(lambda: self._written(pipe) >= backlog.rows, "the backlog", 600)
        seconds, cpu = time.monotonic() - started, meter.cpu()
        peak = peak_mib(self.penstock.process.pid)
        if check:
            self._check_equal(backlog.table)
        self.penstock.delete(pipe)
        return seconds, cpu, peak

    def native_insert(self):
        """Seconds of a plain insert of the orders that were caught up with."""
        table = f"{DATABASE}.{BACKLOGS['inserts'].table}"
        rows = clickhouse_query(self.clickhouse.url, f"SELECT * FROM {table} FORMAT Native")
        self.query(f"CREATE TABLE {DATABASE}.{NATIVE_TABLE} AS {table}")
        started = time.monotonic()
        clickhouse_query(self.clickhouse.url,
                         f"INSERT INTO {DATABASE}.{NATIVE_TABLE} FORMAT Native", rows)
        return time.monotonic() - started

    def forget(self):
        self.query(f"DROP DATABASE {DATABASE} SYNC")

    def _written(self, pipe):
        return sum(table["rowsInserted"] + table["rowsUpdated"] + table["rowsDeleted"]
                   for table in self.penstock.status(pipe)["tables"])  # none before its setup

    def _check_equal(self, table):
        result = compare.compare_table(self.source.connect, self.clickhouse.url, (SCHEMA, table),
                                       (DATABASE, table))
        if not result.equal:
            self.unequal += result.differences or [f"{table}: {result.rows} rows"]


def measure_backlogs(bench, label, rounds, figures):
    positions = write(bench.source, BACKLOGS.values())
    for number in range(rounds):
        for backlog in BACKLOGS.values():
            figures.note(label, backlog, bench.catch_up(backlog, positions[backlog.name],
                                                        check=number == rounds - 1))
            if backlog.name == "inserts":
                figures.note_native(label, bench.native_insert())
        bench.forget()


def run(rounds, figures):
    """Fills `figures`, a StreamFigures; what is unequal."""
    unequal = []
    for label, source_class in (("MySQL 9.7", MySQL97), ("MariaDB", MariaDB1011)):
        with contextlib.ExitStack() as stack:
            folder = stack.enter_context(Folder("bench"))
            source = stack.enter_context(
                prepared_source(folder, [SHAPES["orders"]], source_class))
            bench = Streams(source, stack.enter_context(ClickHouse()),
                            stack.enter_context(Penstock()))
            print(f"streams from {label}, {ROWS:,} rows", flush=True)
            measure_backlogs(bench, label, rounds, figures)
            bench.penstock.restart()
            figures.note_latency(label, latency.Latency(bench).run())
            bench.penstock.restart()
            figures.note_idle(label, latency.idle_pipes(bench))
            unequal += bench.unequal
    return unequal
