#!/usr/bin/python3
"""The benchmark: what a value of each type costs (value_costs.py), then end to end from MySQL 9.7:
every shape of table (shapes.py) by every way of copying it (copies.py), in turns, in one run; then the
stream by itself (streams.py), from MySQL and from MariaDB.

    bench/run.py [NAME...]   orders, narrow, wide, texts, small, stream; all of them without a name

    BENCH_ROWS     rows of orders (2000000); other tables have as many as make about as many bytes
    BENCH_ROUNDS   times each way is taken; medians count (3)
    PENSTOCK_BUILD the build to measure (build/release)

Gates are ratios within the run, so they hold on any machine; absolute figures are only told. Exit
code 1 when a gate fails, or when a copy is not equal to its source.
"""

import contextlib
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "system"))
os.environ.setdefault("PENSTOCK_BUILD", "build/release")

# pylint: disable=wrong-import-position
import copies  # noqa: E402
import streams  # noqa: E402
import value_costs  # noqa: E402
from figures import Figures, StreamFigures  # noqa: E402
from harness.clickhouse import ClickHouse  # noqa: E402
from harness.penstock import Penstock  # noqa: E402
from harness.process import Folder, program  # noqa: E402
from shapes import ROWS, SCHEMA, SHAPES, prepared_source  # noqa: E402

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
CATCH_UP_RATIO_MAX = 5.0  # of a plain insert of the same rows in Native
PEAK_MIB_MAX = 200


def build_reader():
    binary = program("bare_read")
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libmariadb"], check=True,
                           capture_output=True, text=True).stdout.split()
    subprocess.run(["cc", "-O2", "-o", binary, ROOT / "bench" / "bare_read.c", *flags], check=True)
    return binary


def measure(bench, shape, reader, is_last):
    """One round of one shape."""
    bench.snapshot(shape, is_last)
    bench.mysql_function(shape)
    if shape.tables > 1:
        bench.mysql_function(shape, at_once=copies.AT_ONCE)
    if shape.name == "orders":
        bench.bare_read(shape, reader)
        bench.native_insert(shape)
        bench.catch_up(shape, is_last)
    bench.forget()


def gates(figures, shapes):
    """(name, figure, limit) of each."""
    for shape in shapes:
        fastest = figures.fastest(shape, [copies.FUNCTION, copies.FUNCTIONS])
        yield (f"{shape.name}: snapshot / mysql()",
               figures.seconds(shape, copies.PENSTOCK) / fastest, shape.ratio_max)
        if shape.name == "orders":
            yield (f"{shape.name}: catch-up / Native insert",
                   figures.seconds(shape, copies.CATCH_UP) / figures.seconds(shape, copies.NATIVE),
                   CATCH_UP_RATIO_MAX)
    yield "peak memory, MiB", figures.peak(), PEAK_MIB_MAX


def report(lines, all_gates, unequal):
    """Prints everything; whether all is well."""
    print(f"\nmedians of {ROUNDS}, with the CPU seconds of each process", *lines, sep="\n")
    print()
    passed = True
    for name, figure, limit in all_gates:
        passed &= figure <= limit
        print(f"{name:48}{figure:8.2f}   gate: at most {limit:<6g} "
              f"{'passed' if figure <= limit else 'FAILED'}")
    for line in unequal[:10]:
        print(f"NOT EQUAL: {line}")
    return passed and not unequal


def compare_copies(shapes):
    """Whether all is well."""
    reader = build_reader()
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(Folder("bench"))
        source = stack.enter_context(prepared_source(folder, list(SHAPES.values())))
        clickhouse = stack.enter_context(ClickHouse())
        figures = Figures()
        bench = copies.Copies(source, clickhouse, stack.enter_context(Penstock()), figures)
        for shape in shapes:  # into memory
            source.run(f"USE {SCHEMA}", *(f"SELECT COUNT(*) FROM {table} IGNORE INDEX (PRIMARY)"
                                          for table in shape.table_names()))
        for number in range(ROUNDS):
            print(f"round {number + 1} of {ROUNDS}", flush=True)
            for shape in shapes:
                measure(bench, shape, reader, is_last=number == ROUNDS - 1)
        lines = [line for shape in shapes for line in ("", *figures.lines(shape))]
        return report(lines, gates(figures, shapes), bench.unequal)


def stream():
    """Whether all is well."""
    figures = StreamFigures()
    unequal = streams.run(ROUNDS, figures)
    return report(["", *figures.lines()], figures.gates(ROWS), unequal)


def main():
    names = sys.argv[1:]
    if not names:
        value_costs.main()
        print(flush=True)
    shapes = [SHAPES[name] for name in names or SHAPES if name != "stream"]
    passed = compare_copies(shapes) if shapes else True
    if not names or "stream" in names:
        passed &= stream()
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
