#!/usr/bin/python3
"""The cost of decoding and writing a value, by type and by way (bench/types_bench.cc), as a table.

    PENSTOCK_BUILD the build to measure (build/release)

Absolute figures of this machine, with no gate. GB/s are of the bytes that the source sends.
"""

import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
SECONDS_EACH = 0.1


def measure():
    """{name: {way: (items a second, bytes a second)}} in the order of the program."""
    binary = ROOT / os.environ.get("PENSTOCK_BUILD", "build/release") / "types_bench"
    done = subprocess.run([binary, f"--benchmark_min_time={SECONDS_EACH}",
                           "--benchmark_format=json"], check=True, stdout=subprocess.PIPE)
    figures = {}
    for run in json.loads(done.stdout)["benchmarks"]:
        name, _, way = run["name"].rpartition("/")
        figures.setdefault(name, {})[way] = (run["items_per_second"], run["bytes_per_second"])
    return figures


def lines(figures):
    yield f"{'decoding and writing':22}{'log':>14}{'':>8}{'snapshot':>12}"
    yield f"{'a value of':22}{'ns':>10}{'GB/s':>10}{'ns':>10}{'GB/s':>10}"
    for name, ways in figures.items():
        cells = "".join(f"{1e9 / items:10.1f}{size / 1e9:10.2f}"
                        for items, size in (ways["log"], ways["snapshot"]))
        if name == "orders":
            rows = ", ".join(f"{ways[way][0] / 1e6:.1f} M rows/s by {way}" for way in ways)
            yield f"{'orders, 12 columns':22}{cells}   {rows}"
        else:
            yield f"{name:22}{cells}"


def main():
    for line in lines(measure()):
        print(line, flush=True)


if __name__ == "__main__":
    main()
