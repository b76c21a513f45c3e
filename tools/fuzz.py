#!/usr/bin/python3
"""Fuzzes every decoder: builds the preset `fuzz` (clang, libFuzzer, address and undefined sanitizers)
and runs each src/**/*_fuzz.cc for a while, PENSTOCK_JOBS of them (default: 2) at once.

    tools/fuzz.py [--seconds N] [NAME...]     N: PENSTOCK_FUZZ_SECONDS, else 15; NAME: event_fuzz

A run begins with what tools/fuzz_seeds.py makes of tests/data, with the inputs that once crashed
(tests/data/fuzz/NAME/), and with what earlier runs found worth keeping (build/fuzz/corpus/NAME/).
One line a target, then: N passed, N failed, N skipped. Exit 1 on a finding, which stays in
build/fuzz/findings/NAME/: run build/fuzz/NAME on it, fix, and commit it to tests/data/fuzz/NAME/.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

import fuzz_seeds

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "fuzz"
INPUT_BYTES_MAX = 1 << 16
SECONDS_PER_INPUT_MAX = 10
MEGABYTES_MAX = 1024
START_SECONDS_MAX = 120  # reading the corpus on a busy machine
LOG_LINES = 40


def build():
    for command in (["cmake", "--preset", "fuzz"], ["cmake", "--build", "--preset", "fuzz"]):
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, check=False)
        if done.returncode:
            sys.exit(done.stdout)


def targets():
    return sorted(path.stem for path in (ROOT / "src").rglob("*_fuzz.cc"))


def corpus_folders(name):
    """Where inputs are; the first one takes new ones."""
    kept, seeds = BUILD / "corpus" / name, BUILD / "seeds" / name
    kept.mkdir(parents=True, exist_ok=True)
    fuzz_seeds.write(name, seeds, INPUT_BYTES_MAX)
    crashers = ROOT / "tests" / "data" / "fuzz" / name
    return [kept, seeds, *([crashers] if crashers.exists() else [])]


def last_number(pattern, text):
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


def run(name, seconds):
    """(whether it found nothing, the lines to print) of one target."""
    findings = BUILD / "findings" / name
    findings.mkdir(parents=True, exist_ok=True)
    log = BUILD / "findings" / f"{name}.log"
    folders = corpus_folders(name)
    command = [BUILD / name, f"-max_total_time={seconds}", f"-max_len={INPUT_BYTES_MAX}",
               f"-timeout={SECONDS_PER_INPUT_MAX}", f"-rss_limit_mb={MEGABYTES_MAX}",
               f"-artifact_prefix={findings}/", "-print_final_stats=1", *folders]
    with open(log, "wb") as stream:
        try:
            code = subprocess.run(command, stdout=stream, stderr=stream, check=False, cwd=BUILD,
                                  timeout=seconds + START_SECONDS_MAX).returncode
        except subprocess.TimeoutExpired:
            code = -1
    text = log.read_text(encoding="utf-8", errors="replace")
    runs = last_number(r"stat::number_of_executed_units:\s+(\d+)", text)
    coverage = last_number(r"\bcov: (\d+)", text)
    if code == 0 and runs > 0 and coverage > 0:
        return True, f"passed  {name}: {runs} inputs, {coverage} edges ({seconds} s)"
    tail = "\n".join(text.splitlines()[-LOG_LINES:])
    return False, f"FAILED  {name}: see {findings.relative_to(ROOT)}\n{tail}"


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--seconds", type=int,
                        default=int(os.environ.get("PENSTOCK_FUZZ_SECONDS") or 15))
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(targets())
    if unknown:
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    build()

    failed, names = 0, arguments.names or targets()
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("PENSTOCK_JOBS", "2"))) as pool:
        for sound, line in pool.map(lambda name: run(name, arguments.seconds), names):
            print(line, flush=True)
            failed += not sound
    print(f"{len(names) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
