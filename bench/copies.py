"""The ways in which tables come to ClickHouse, each timed."""

import concurrent.futures
import http.client
import subprocess
import threading
import time

from figures import Meter, peak_mib
from harness import compare
from harness.clickhouse import clickhouse_query
from harness.penstock import mapping
from harness.wait import wait_until
from shapes import SCHEMA

COPY = "bench_copy"          # penstock's tables
OTHER = "bench_other"        # those of the other ways, which are like penstock's
TRANSACTION_ROWS = 50_000    # of the backlog
AT_ONCE = 4                  # tables by mysql(), where there are many
KEPT_SECONDS = 5             # an idle connection; ClickHouse closes it later

PENSTOCK = "penstock snapshot"
CATCH_UP = "penstock catch-up"
BARE_READ = "bare read"
NATIVE = "Native insert"
FUNCTION = "mysql()"
FUNCTIONS = f"mysql(), {AT_ONCE} at once"


def connection_of(clickhouse, mine=threading.local()):
    """Of the calling thread; it stays open for the next query."""
    port, now = clickhouse.http_port, time.monotonic()
    if getattr(mine, "port", None) != port or now - mine.used > KEPT_SECONDS:
        mine.http, mine.port = http.client.HTTPConnection("127.0.0.1", port), port
    mine.used = now
    return mine.http


def query_over(connection, sql):
    connection.request("POST", "/", sql.encode())
    reply = connection.getresponse()
    text = reply.read().decode()
    assert reply.status == 200, text
    return text


class Copies:
    """Runs the ways over the tables of a source; `figures` notes the times, `unequal` what copies
    got wrong."""

    def __init__(self, source, clickhouse, penstock, figures):
        self.source, self.clickhouse, self.penstock = source, clickhouse, penstock
        self.figures = figures
        self.unequal = []
        self._query(f"CREATE DATABASE {OTHER}")

    # --- penstock ---

    def snapshot(self, shape, is_last):
        """From the order to create the pipe until its tables are in. They stay for the other ways
        to be like them, until `forget`."""
        self.penstock.restart()
        pipes = self.penstock.pipes_path()
        meter = self._meter()
        started = time.monotonic()
        pipe = self.penstock.api(pipes, "POST", self._spec(shape.name, shape.table_names()))["id"]
        wait_until(lambda: self.penstock.api(f"{pipes}/{pipe}")["state"] == "Running",
                   self.penstock.process.tail, 600, every=0.01)  # one cheap request
        self._note(shape, PENSTOCK, time.monotonic() - started, meter)
        rows = int(self._query(f"SELECT sum(total_rows) FROM system.tables "
                               f"WHERE database = '{COPY}'"))
        assert rows == shape.rows_in_all(), rows
        if is_last:
            for table in shape.table_names()[:10]:
                self._check_equal(table, shape.rows)
        self.penstock.delete(pipe)

    def forget(self):
        for database in (COPY, OTHER):
            self._query(f"DROP DATABASE {database} SYNC")
            self._query(f"CREATE DATABASE {database}")

    def catch_up(self, shape, is_last):
        """From resume until every row that was written while paused is in ClickHouse."""
        self.source.run(f"DROP TABLE IF EXISTS {SCHEMA}.backlog",
                        f"CREATE TABLE {SCHEMA}.backlog LIKE {SCHEMA}.{shape.name}")
        self.penstock.restart()
        pipe = self.penstock.create(self._spec("backlog", ["backlog"]))
        self.penstock.await_state(pipe, "Running")
        self.penstock.order(pipe, "stop")
        self.penstock.await_state(pipe, "Paused")
        for start in range(0, shape.rows, TRANSACTION_ROWS):
            self.source.run(
                f"INSERT INTO {SCHEMA}.backlog SELECT * FROM {SCHEMA}.{shape.name} "
                f"WHERE id > {start} AND id <= {start + TRANSACTION_ROWS}")
        meter = self._meter()
        started = time.monotonic()
        self.penstock.order(pipe, "start")
        wait_until(lambda: int(self._query(f"SELECT count() FROM {COPY}.backlog")) >= shape.rows,
                   "the backlog in ClickHouse", 600)
        self._note(shape, CATCH_UP, time.monotonic() - started, meter)
        if is_last:
            self._check_equal("backlog", shape.rows)
        self.penstock.delete(pipe)

    # --- the others ---

    def bare_read(self, shape, binary):
        done = subprocess.run([binary, "127.0.0.1", str(self.source.port), SCHEMA, "",
                               f"SELECT * FROM {SCHEMA}.{shape.name}"], check=True,
                              capture_output=True, text=True)
        seconds, rows = done.stdout.split()
        assert int(rows) == shape.rows, rows
        self.figures.note(shape, BARE_READ, float(seconds))

    def native_insert(self, shape):
        """What was copied, as one insert."""
        rows = clickhouse_query(self.clickhouse.url, f"SELECT * FROM {COPY}.{shape.name} "
                                "ORDER BY id FORMAT Native")
        self._make_other(shape.name)
        started = time.monotonic()
        clickhouse_query(self.clickhouse.url, f"INSERT INTO {OTHER}.{shape.name} FORMAT Native",
                         rows)
        self.figures.note(shape, NATIVE, time.monotonic() - started)

    def mysql_function(self, shape, at_once=1):
        """ClickHouse's own reader. Tables are made within the time, as penstock makes its own."""
        self._query(f"DROP DATABASE {OTHER} SYNC")
        self._query(f"CREATE DATABASE {OTHER}")
        meter = self._meter()
        started = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            list(pool.map(self._copy_by_function, shape.table_names()))
        way = FUNCTION if at_once == 1 else FUNCTIONS
        self._note(shape, way, time.monotonic() - started, meter)

    def _copy_by_function(self, table):
        self._make_other(table)
        self._query(f"INSERT INTO {OTHER}.{table} SELECT *, 1, 0, now64() FROM mysql("
                    f"'127.0.0.1:{self.source.port}', '{SCHEMA}', '{table}', 'bench', '')")

    # --- what they share ---

    def _make_other(self, table):
        self._query(f"DROP TABLE IF EXISTS {OTHER}.{table} SYNC")
        self._query(f"CREATE TABLE {OTHER}.{table} AS {COPY}.{table}")

    def _query(self, sql):
        return query_over(connection_of(self.clickhouse), sql)

    def _meter(self):
        return Meter({"penstock": self.penstock.process.pid, "source": self.source.process.pid,
                      "ClickHouse": self.clickhouse.process.pid})

    def _note(self, shape, way, seconds, meter):
        cpu, peak = meter.cpu(), None
        if way in (PENSTOCK, CATCH_UP):
            peak = peak_mib(self.penstock.process.pid)
        else:
            del cpu["penstock"]
        self.figures.note(shape, way, seconds, cpu, peak)

    def _spec(self, name, tables):
        endpoint = self.source.endpoint(credentials={"username": "bench", "password": ""})
        return {"name": name, "source": {"mysql": {
            **endpoint, "settings": {"replicationMode": "cdc", "syncIntervalSeconds": 1},
            "tableMappings": [mapping(SCHEMA, table) for table in tables]}},
            "destination": {"database": COPY, "clickhouse": self.clickhouse.endpoint()}}

    def _check_equal(self, table, rows):
        result = compare.compare_table(self.source.connect, self.clickhouse.url, (SCHEMA, table),
                                       (COPY, table))
        if not result.equal or result.rows != rows:
            self.unequal += result.differences or [f"{table}: {result.rows} rows"]
