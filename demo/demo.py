#!/usr/bin/python3
"""The demo: a live shop in MariaDB (or MySQL) replicated into ClickHouse, shown as it goes.

Started by run.sh, which has built everything. With a terminal it runs until Ctrl-C; otherwise, or
with DEMO_SECONDS, it stops by itself, compares both sides row for row, and exits 0 or 1.
"""

import contextlib
import os
import pathlib
import shutil
import signal
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "system"))

# pylint: disable=wrong-import-position
import yaml  # noqa: E402

import shop  # noqa: E402
from harness import compare  # noqa: E402
from harness.penstock import Penstock  # noqa: E402
from harness.process import free_port, program  # noqa: E402
from harness.sources import SOURCES  # noqa: E402
from harness.wait import DeadlineExceeded, pause, wait_until  # noqa: E402

DATA = ROOT / "build" / "demo"
BAR = 24
SECONDS_WITHOUT_TERMINAL = 30
LOAD_SECONDS_MAX = 600


def say(text=""):
    print(text, flush=True)


def relative(path):
    return os.path.relpath(path, os.getcwd())


class Screen:
    """Lines that stay, and below them a block that is drawn anew each time."""

    def __init__(self):
        self._terminal = sys.stdout.isatty()
        self._drawn = 0

    def line(self, text):
        self._clear()
        say(text)

    def block(self, lines):
        if self._terminal:
            self._clear()
            say("\n".join(lines))
            self._drawn = len(lines)

    def keep(self, lines):
        """Leaves the block as it is now."""
        self._clear()
        say("\n".join(lines))

    def _clear(self):
        if self._drawn:
            sys.stdout.write(f"\x1b[{self._drawn}F\x1b[J")
            self._drawn = 0


def bar(table):
    """A table's progress: bar, rows, partitions done of those planned."""
    planned, done = table["partitions"], table["partitionsDone"]
    share = done / planned if planned else 0
    if table["state"] in ("following", "loaded"):
        share = 1
    filled = round(share * BAR)
    return (f"  {table['sourceTable']:12} {'█' * filled}{'░' * (BAR - filled)} {share:4.0%}  "
            f"{table['rowsLoaded']:>9,} rows  {done}/{planned}")


class Demo:
    """What was started, and what is shown of it."""

    def __init__(self, kind, seconds):
        self.kind = kind
        self.seconds = seconds
        self.screen = Screen()
        self.source = None
        self.penstock = None
        self.clickhouse_url = None
        self.spec = None
        self.name = None
        self.pipe = None

    # --- starting ---

    def start(self, stack):
        shutil.rmtree(DATA, ignore_errors=True)
        DATA.mkdir(parents=True)
        say(f"Starting a private {self.kind}, and filling the shop …")
        self.source = stack.enter_context(SOURCES[self.kind](folder=DATA / self.kind))
        shop.fill(self.source)
        rows = sum(int(self.source.run(f"SELECT COUNT(*) FROM shop.{table}")[0][0])
                   for table in shop.TABLES)
        say(f"  127.0.0.1:{self.source.port}, {rows:,} rows in {len(shop.TABLES)} tables: "
            f"{', '.join(shop.TABLES)}")
        say("Starting penstock serve --embedded-clickhouse …")
        port = free_port()
        self.clickhouse_url = f"http://127.0.0.1:{port}"
        self.penstock = stack.enter_context(Penstock(
            "--embedded-clickhouse", "--clickhouse-http-port", str(port),
            folder=DATA / "penstock"))
        say(f"  API at {self.penstock.url}, ClickHouse at {self.clickhouse_url}")

    def pipe_file(self):
        """The example's pipe with this run's address and password."""
        spec = yaml.safe_load((ROOT / "examples" / f"shop-{self.kind}.yaml").read_text())
        mysql = spec["source"]["mysql"]
        mysql.update(self.source.endpoint(), type=mysql.get("type", self.source.family))
        path = DATA / "pipe.yaml"
        path.write_text(yaml.safe_dump(spec, sort_keys=False, allow_unicode=True))
        path.chmod(0o600)
        self.spec = spec
        return path

    def create(self):
        path = self.pipe_file()
        say(f"\nCreating the pipe of examples/shop-{self.kind}.yaml (with this run's port: "
            f"{relative(path)})")
        code, _, error = self.penstock.cli("create", "-f", path)
        if code:
            raise RuntimeError(error)
        self.name = self.spec["name"]
        self.pipe = self.penstock.find(self.name)

    # --- showing ---

    def status(self):
        return self.penstock.status(self.pipe)

    def show_states(self):
        """Each state as it comes, bars while the snapshot runs; returns once it is Running. Raises
        RuntimeError where that does not come."""
        shown, started = None, time.monotonic()
        while True:
            status = self.status()
            bars = [bar(table) for table in status["tables"]]
            if status["state"] != shown:
                self.screen.line(f"  {time.monotonic() - started:5.1f} s  {status['state']}")
                shown = status["state"]
            if shown == "Failed":
                raise RuntimeError(status["reason"])
            if shown == "Running":
                self.screen.keep(bars)
                return
            if time.monotonic() - started > LOAD_SECONDS_MAX:
                raise RuntimeError(f"still {shown} after {LOAD_SECONDS_MAX} s: {status['retrying']}")
            self.screen.block(bars + [f"  retrying: {status['retrying']}"] * bool(status["retrying"]))
            pause(0.1)

    def show_help(self):
        tool = f"{relative(program('penstock'))} --server {self.penstock.url}"
        database = self.spec["destination"]["database"]
        say("\nThe shop goes on selling. From another terminal:")
        say(f"  echo 'SELECT status, count(), sum(total) FROM {database}.orders FINAL "
            "WHERE _penstock_is_deleted = 0 GROUP BY status' |")
        say(f"    curl -sS '{self.clickhouse_url}/?default_format=PrettyCompact' --data-binary @-")
        for command in ("status {} --watch", "pause {}", "resume {}", "tables {}"):
            say(f"  {tool} {command.format(self.name)}")
        say("Ctrl-C stops everything.\n" if self.seconds is None else
            f"It runs for {self.seconds} s.\n")

    def show_stream(self, customers):
        """A line a second, until the time is over or Ctrl-C."""
        started = time.monotonic()
        last = customers.transactions
        while self.seconds is None or time.monotonic() - started < self.seconds:
            pause(1)
            status = self.status()
            lag = status["lagSeconds"]
            made = customers.transactions - last
            last = customers.transactions
            say(f"  {time.strftime('%H:%M:%S')} {status['state']}  "
                f"lag {'?' if lag is None else f'{lag:.2f}'} s  "
                f"shop {made} transactions/s  {status['rowsPerSecond']:,.0f} rows/s  "
                f"batch {status['lastBatchRows']:,} rows, {status['lastBatchMilliseconds']} ms"
                + (f"  retrying: {status['retrying']}" if status["retrying"] else ""))
            if customers.error:
                raise customers.error

    # --- the end ---

    def compare(self):
        """Both sides, row for row; False when they differ."""
        mappings = self.spec["source"]["mysql"]["tableMappings"]
        mappings = [each for each in mappings if each["sourceTable"] != "*"]
        results = {}

        def equal():
            results.update(compare.compare(self.source.connect, self.clickhouse_url, mappings,
                                           self.spec["destination"]["database"]))
            return all(result.equal for result in results.values())
        say("\nThe shop is closed. Comparing source and ClickHouse, row for row …")
        with contextlib.suppress(DeadlineExceeded):
            wait_until(equal, "equal", seconds=60, every=1)
        for table, result in results.items():
            say(f"  {table:14}{result.rows:>9,} rows  "
                f"{'equal' if result.equal else 'DIFFERENT: ' + result.differences[0]}")
        return all(result.equal for result in results.values())

    def run(self):
        with contextlib.ExitStack() as stack:
            self.start(stack)
            customers = stack.enter_context(shop.Customers(self.source))
            self.create()
            self.show_states()
            self.show_help()
            try:
                self.show_stream(customers)
            except KeyboardInterrupt:
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                say("\nStopping …")
                return 0
            customers.stop()
            equal = self.compare()
            say("\nSame rows, same values." if equal else "\nThe two sides differ.")
            return 0 if equal else 1


def main():
    kind = sys.argv[1] if len(sys.argv) > 1 else "mariadb"
    seconds = os.environ.get("DEMO_SECONDS")
    if seconds is None and not sys.stdout.isatty():
        seconds = SECONDS_WITHOUT_TERMINAL
    demo = Demo(kind, None if seconds is None else int(seconds))
    try:
        return demo.run()
    except KeyboardInterrupt:
        say("\nStopped.")
        return 130
    finally:
        say(f"Everything that was started is stopped. The data is in {relative(DATA)}: "
            f"{kind}/, penstock/.")


if __name__ == "__main__":
    sys.exit(main())
