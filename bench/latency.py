"""How long a change takes from its commit until a query sees it, and what a pipe costs at rest."""

import contextlib
import random
import statistics
import threading
import time

from figures import Meter, rss_mib
from harness.penstock import mapping
from harness.wait import pause, wait_until
from shapes import SCHEMA

SYNC_MILLISECONDS = 100
ROWS_PER_SECOND = 1000
TRANSACTION_ROWS = 2
SECONDS = 15
AT_REST_SECONDS = 10
FIRST_ROWS = 15
IDLE_PIPES = 100
DATABASE = "bench_latency"


class Latency:
    """Of a table that a pipe with a short interval follows."""

    def __init__(self, bench):
        self.bench = bench
        self.next_id = 1

    def run(self):
        """{what: figure}, with units in the names."""
        self.bench.source.run(f"CREATE TABLE {SCHEMA}.ticks (id INT PRIMARY KEY, v VARCHAR(40))")
        spec = self.bench.spec("ticks", [mapping(SCHEMA, "ticks")], DATABASE,
                               syncIntervalMilliseconds=SYNC_MILLISECONDS)
        pipe = self.bench.penstock.create(spec)
        self.bench.penstock.await_state(pipe, "Running")
        with contextlib.closing(self.bench.source.connect(database=SCHEMA,
                                                          autocommit=False)) as connection:
            firsts = [self._first_row(connection) for _ in range(FIRST_ROWS)]
            under_load = self._under_load(connection)
        meter = Meter({"penstock": self.bench.penstock.process.pid})
        pause(AT_REST_SECONDS)
        at_rest = 100 * meter.cpu()["penstock"] / AT_REST_SECONDS
        self.bench.penstock.delete(pipe)
        percentiles = statistics.quantiles(under_load, n=100)
        return {"median ms": percentiles[49], "p99 ms": percentiles[98],
                "first row of an idle pipe, median ms": statistics.median(firsts),
                "first row of an idle pipe, longest ms": max(firsts), "idle CPU %": at_rest}

    def _commit(self, connection, rows):
        """The ids of one transaction, and when it was committed."""
        ids = range(self.next_id, self.next_id + rows)
        self.next_id += rows
        with connection.cursor() as cursor:
            for number in ids:
                cursor.execute("INSERT INTO ticks VALUES (%s, %s)", (number, f"row {number}"))
        connection.commit()
        return ids[-1], time.monotonic()

    def _highest(self):
        return int(self.bench.query(f"SELECT max(id) FROM {DATABASE}.ticks"))

    def _first_row(self, connection):
        pause(random.uniform(1, 1.5))
        number, committed = self._commit(connection, 1)
        wait_until(lambda: self._highest() >= number, "the row", every=0.001)
        return 1000 * (time.monotonic() - committed)

    def _under_load(self, connection):
        """Milliseconds of every transaction; one thread writes while this one looks."""
        committed, seen = [], []
        begun = time.monotonic()

        def write():
            period = TRANSACTION_ROWS / ROWS_PER_SECOND
            for number in range(round(SECONDS / period)):
                pause(max(0, begun + number * period - time.monotonic()))
                committed.append(self._commit(connection, TRANSACTION_ROWS))

        writer = threading.Thread(target=write)
        writer.start()
        while writer.is_alive() or seen[-1][0] < committed[-1][0]:
            highest = self._highest()
            seen.append((highest, time.monotonic()))
            pause(0.002)
        writer.join()
        latencies, looks = [], iter(seen)
        highest, at = next(looks)
        for number, when in committed:
            while highest < number:
                highest, at = next(looks)
            latencies.append(1000 * (at - when))
        return latencies


def idle_pipes(bench):
    """MiB of a process with many pipes at rest, and their CPU together in percent."""
    bench.source.run(*(f"CREATE TABLE {SCHEMA}.idle_{n} (id INT PRIMARY KEY)"
                       for n in range(IDLE_PIPES)))
    pipes = [bench.penstock.create(bench.spec(f"idle_{n}", [mapping(SCHEMA, f"idle_{n}")],
                                              DATABASE)) for n in range(IDLE_PIPES)]
    for pipe in pipes:
        bench.penstock.await_state(pipe, "Running")
    meter = Meter({"penstock": bench.penstock.process.pid})
    pause(AT_REST_SECONDS)
    cpu = 100 * meter.cpu()["penstock"] / AT_REST_SECONDS
    figure = rss_mib(bench.penstock.process.pid)
    for pipe in pipes:
        bench.penstock.delete(pipe)
    return {"MiB": figure, "CPU %": cpu}
