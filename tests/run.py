#!/usr/bin/python3
"""Builds and runs all tests; ends with one line: N passed, N failed, N skipped.

    tests/run.py [unit] [static] [fuzz] [system] [-k TEXT]     all four kinds without a name

unit: the test programs of src/ through ctest, each test case counted. static: layers, tidy,
format. fuzz: tools/fuzz.py, a test for each target. system: tests/system/test_*.py and tests/api/test_*.py, each class in a process of its
own, PENSTOCK_JOBS of them (default: 3, since most of their time is waiting) at once; -k runs only the classes whose name holds TEXT. PENSTOCK_BUILD names another
build folder (default build/dev, which is built first). What a sanitizer reports, in whatever process
of a class, makes the class fail.
"""

import argparse
import concurrent.futures
import dataclasses
import itertools
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
# The folders of the system tests; those of one may use modules of those before it.
SYSTEM = [ROOT / "tests" / "system", ROOT / "tests" / "api"]
CLASS_SECONDS_MAX = 900 + 60 * int(os.environ.get("PENSTOCK_ROUNDS") or 0)
LOG_LINES = 60


@dataclasses.dataclass
class Counts:
    """Tests by outcome."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def build_folder():
    return ROOT / os.environ.get("PENSTOCK_BUILD", "build/dev")


def build():
    """True when it builds. A folder named by the caller is taken as it is."""
    if "PENSTOCK_BUILD" in os.environ:
        return True
    configure = subprocess.run(["cmake", "--preset", "dev"], cwd=ROOT, stdout=subprocess.DEVNULL,
                               check=False)
    command = ["cmake", "--build", str(build_folder())]
    return configure.returncode == 0 and subprocess.run(command, cwd=ROOT,
                                                        check=False).returncode == 0


def sanitizer_environment(**options):
    """For programs of a build with sanitizers: `options` beside what the caller's variables say."""
    words = ":".join(f"{name}={value}" for name, value in options.items())
    names = [f"{name}_OPTIONS" for name in ("ASAN", "TSAN", "UBSAN")]
    return {name: f"{os.environ.get(name, '')}:{words}".strip(":") for name in names}


# --- unit --------------------------------------------------------------------------------------


def count_gtest(path):
    counts = Counts()
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        if case.find("failure") is not None:
            counts.failed += 1
        elif case.get("result") in ("skipped", "suppressed") or case.get("status") == "notrun":
            counts.skipped += 1
        else:
            counts.passed += 1
    return counts


def run_unit():
    with tempfile.TemporaryDirectory(prefix="penstock-unit-") as folder:
        junit = pathlib.Path(folder) / "ctest.xml"
        reports = pathlib.Path(folder) / "gtest"
        reports.mkdir()
        subprocess.run(["ctest", "--test-dir", str(build_folder()), "--output-on-failure",
                        "--parallel", str(os.cpu_count()), "--timeout", "900", "--output-junit",
                        str(junit)], cwd=ROOT, check=False,
                       env={**os.environ, "GTEST_OUTPUT": f"xml:{reports}/", "GTEST_COLOR": "no"})
        counts = Counts()
        for report in reports.glob("*.xml"):
            counts.add(count_gtest(report))
        # A program that died left no report; one that ctest saw fail counts at least once.
        programs = list(xml.etree.ElementTree.parse(junit).iter("testcase"))
        dead = sum(1 for program in programs if program.get("status") not in ("run", "passed"))
        counts.failed = max(counts.failed, dead)
        if not programs:
            print("unit: no test programs were built")
            counts.failed += 1
    return counts


# --- static ------------------------------------------------------------------------------------

STATIC = [["tools/layers.py"], ["tools/layers.py", "--self-test"], ["tools/tidy.py"],
          ["tools/tidy.py", "--self-test"], ["tools/lint.py", "--format"]]


def run_static():
    counts = Counts()
    for words in STATIC:
        done = subprocess.run([sys.executable, *words], cwd=ROOT, check=False)
        if done.returncode:
            counts.failed += 1
            print(f"FAILED static: {' '.join(words)}")
        else:
            counts.passed += 1
    return counts


# --- fuzz --------------------------------------------------------------------------------------


def run_fuzz():
    """PENSTOCK_FUZZ_SECONDS of each target; its last line counts."""
    child = subprocess.Popen([sys.executable, "tools/fuzz.py"], cwd=ROOT, stdout=subprocess.PIPE,
                             text=True)
    line = ""
    for line in child.stdout:
        print(line, end="", flush=True)
    counted = re.fullmatch(r"(\d+) passed, (\d+) failed, (\d+) skipped\n", line)
    counts = Counts(*map(int, counted.groups())) if counted else Counts(failed=1)
    if child.wait() and not counts.failed:
        counts.failed = 1
    return counts


# --- system ------------------------------------------------------------------------------------


def system_classes(pattern):
    """module.Class of every test class, in the order of the files."""
    sys.path[:0] = map(str, SYSTEM)
    names = []
    for folder in SYSTEM:
        suites = unittest.TestLoader().discover(str(folder), top_level_dir=str(folder))
        for group in itertools.chain.from_iterable(suites):
            if isinstance(group, unittest.loader._FailedTest):  # a file that cannot be imported
                sys.exit(f"{group.id()}: {group._exception}")
            for test in group:
                name = f"{type(test).__module__}.{type(test).__name__}"
                if name not in names and pattern.lower() in name.lower():
                    names.append(name)
    return names


class _Report(unittest.TextTestResult):
    """Counts subtests with their test; keeps the reasons of skips."""

    def addSuccess(self, test):
        super().addSuccess(test)
        self.successes = getattr(self, "successes", 0) + 1


def work(name, report):
    """Runs one class in this process and writes its counts as JSON."""
    sys.path[:0] = map(str, SYSTEM)
    suite = unittest.defaultTestLoader.loadTestsFromName(name)
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=_Report).run(suite)
    failed = len({test.id().split(" (")[0] for test, _ in result.failures + result.errors})
    pathlib.Path(report).write_text(json.dumps({
        "passed": getattr(result, "successes", 0), "failed": failed,
        "skipped": len(result.skipped), "reasons": [reason for _, reason in result.skipped],
        "tests": suite.countTestCases()}), encoding="utf-8")


def show_logs(folder):
    """The ends of what the servers of a failed test had to say."""
    for log in sorted(pathlib.Path(folder).glob("*/log")):
        lines = log.read_text(errors="replace").splitlines()[-LOG_LINES:]
        print(f"--- {log.parent.name}", *lines, sep="\n", flush=True)


def run_class(name):
    """(name, counts, seconds, output, folder) of one class, run in a child with a folder of its own,
    which the caller removes."""
    started = time.monotonic()
    folder = tempfile.mkdtemp(prefix="penstock-test-")
    report, output = pathlib.Path(folder) / "report.json", pathlib.Path(folder) / "output"
    watched = sanitizer_environment(log_path=f"{folder}/sanitizer")
    try:
        with open(output, "w", encoding="utf-8") as stream:
            child = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", sys.executable, __file__,
                                      "--worker", name, str(report)], stdout=stream, stderr=stream,
                                     start_new_session=True,
                                     env={**os.environ, **watched, "TMPDIR": folder})
            try:
                child.wait(CLASS_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                child.kill()  # its servers die with it
                child.wait()
                print(f"not done within {CLASS_SECONDS_MAX} s", file=stream)
        findings = list(pathlib.Path(folder).glob("sanitizer.*"))
        text = "\n".join(path.read_text(errors="replace") for path in [output, *findings])
        if not report.exists():
            return name, Counts(failed=1), time.monotonic() - started, text, folder
        result = json.loads(report.read_text(encoding="utf-8"))
        counts = Counts(result["passed"], result["failed"] + len(findings), result["skipped"])
        if result["skipped"] and not result["passed"] and not result["failed"]:
            counts.skipped = max(counts.skipped, result["tests"])  # a skip of the whole class
        if result["reasons"] and not counts.failed:
            text = "\n".join(sorted(set(result["reasons"])))
        return name, counts, time.monotonic() - started, text, folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def run_system(pattern):
    counts = Counts()
    jobs = int(os.environ.get("PENSTOCK_JOBS", "3"))
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(run_class, name) for name in system_classes(pattern)]
        for future in concurrent.futures.as_completed(futures):
            name, one, seconds, text, folder = future.result()
            verdict = "FAILED " if one.failed else "skipped" if not one.passed else "passed "
            print(f"{verdict} {name}: {one} ({seconds:.0f} s)", flush=True)
            if one.failed:
                print(text, flush=True)
                show_logs(folder)
            elif one.skipped:
                print(f"        {text}", flush=True)
            if not os.environ.get("PENSTOCK_KEEP"):
                shutil.rmtree(folder, ignore_errors=True)
            counts.add(one)
    return counts


def main():
    if sys.argv[1:2] == ["--worker"]:
        work(sys.argv[2], sys.argv[3])
        return 0
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("kinds", nargs="*", choices=[[], "unit", "static", "fuzz", "system"])
    parser.add_argument("-k", dest="pattern", default="")
    arguments = parser.parse_args()
    kinds = arguments.kinds or ["static", "unit", "fuzz", "system"]

    counts = Counts()
    if "static" in kinds:
        counts.add(run_static())
    if "fuzz" in kinds:
        counts.add(run_fuzz())
    if "unit" in kinds or "system" in kinds:
        if build():
            if "unit" in kinds:
                counts.add(run_unit())
            if "system" in kinds:
                counts.add(run_system(arguments.pattern))
        else:
            print("the build failed: no unit and no system tests were run")
            counts.failed += 1
    print(counts)
    return 1 if counts.failed else 0


if __name__ == "__main__":
    sys.exit(main())
