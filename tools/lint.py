#!/usr/bin/python3
"""clang-format and clang-tidy (with clang's own warnings, thread-safety among them) over src/.

    tools/lint.py            what is not known to be clean; exit 1 on any finding
    tools/lint.py FILE...    only these files
    tools/lint.py --format   clang-format only

A clean result is kept in PENSTOCK_CACHE under a hash of everything it depends on (the file, what
it includes from src/, the flags, .clang-tidy, the versions of the packages), so a file is looked
at again only after a change that could matter. Set-up: tools/setup.sh test.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "lint"
# Macros of the test libraries expand to what the full list dislikes.
TEST_CHECKS = "-*,clang-diagnostic-*,bugprone-use-after-move,readability-identifier-naming"
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)


def cache_folder():
    base = os.environ.get("PENSTOCK_CACHE") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "penstock")
    folder = pathlib.Path(base) / "lint"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def digest(*parts):
    total = hashlib.sha256()
    for part in parts:
        total.update(hashlib.sha256(part if isinstance(part, bytes) else part.encode()).digest())
    return total.hexdigest()


def run(command):
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)


def sources():
    return [path for folder in ("src", "bench") for path in sorted((ROOT / folder).rglob("*"))
            if path.suffix in (".cc", ".h")]


def check_format(files):
    result = run(["clang-format-14", "--dry-run", "--Werror", *map(str, files)])
    return [line for line in result.stdout.splitlines() if "error:" in line]


def compile_commands():
    """The compiler's flags of every .cc by its path. Precompiled headers are for one compiler only,
    so clang-tidy gets a configuration without them."""
    configured = run(["cmake", "--preset", "clang", "-B", str(BUILD), "-Wno-dev",
                      "-DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON"])
    if configured.returncode:
        sys.exit(configured.stdout)
    entries = json.loads((BUILD / "compile_commands.json").read_text())
    return {pathlib.Path(entry["file"]): entry["command"] for entry in entries}


class Contents:
    """Hash of a file together with all it includes from src/."""

    def __init__(self):
        self._direct = {}

    def _read(self, path):
        if path not in self._direct:
            data = path.read_bytes()
            names = INCLUDE.findall(data.decode(errors="replace"))
            includes = [candidate for name in names
                        for candidate in (ROOT / "src" / name, path.parent / name)
                        if candidate.is_file()]
            self._direct[path] = (data, includes)
        return self._direct[path]

    def hash(self, path):
        seen, waiting = {}, [path]
        while waiting:
            current = waiting.pop()
            if current not in seen:
                data, includes = self._read(current)
                seen[current] = data
                waiting += includes
        return digest(*(seen[key] for key in sorted(seen)))


def environment_hash():
    packages = run(["dpkg-query", "-W", "-f=${Package} ${Version}\n", "clang-tidy-14", "clang-14",
                    "lib*-dev", "nlohmann-json3-dev", "prometheus-cpp-dev"]).stdout
    return digest(packages, (ROOT / ".clang-tidy").read_bytes(), TEST_CHECKS)


def tidy(path, stamp):
    command = ["clang-tidy-14", "-p", str(BUILD), "--quiet"]
    if re.search(r"_(test|fuzz)\.cc$", path.name):
        command.append("--checks=" + TEST_CHECKS)
    result = run(["nice", *command, str(path)])
    if result.returncode == 0:
        stamp.touch()
        return []
    lines = [line for line in result.stdout.splitlines()
             if not re.match(r"\d+ warnings? (generated|treated)", line)]
    return lines or [f"{path}: clang-tidy failed without a word"]


def check_tidy(files):
    commands, contents, base = compile_commands(), Contents(), environment_hash()
    cache, work = cache_folder(), []
    for path in files:
        if path in commands:
            flags = commands[path].replace(str(ROOT), "")
            stamp = cache / digest(base, flags, contents.hash(path))
            if stamp.exists():
                os.utime(stamp)
            else:
                work.append((path, stamp))
    if work:
        print(f"lint: clang-tidy on {len(work)} of {len(files)} files", flush=True)
    findings = []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for lines in pool.map(lambda item: tidy(*item), work):
            findings += [line for line in lines if line not in findings]
    return findings


def main():
    named = [pathlib.Path(name).resolve() for name in sys.argv[1:] if not name.startswith("-")]
    files = named or sources()
    findings = check_format(files)
    if "--format" not in sys.argv:
        findings += check_tidy([path for path in files if path.suffix == ".cc"])
    print("\n".join(findings), end="\n" if findings else "")
    if "--format" not in sys.argv:
        print("lint: " + ("failed" if findings else f"{len(files)} files clean"))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
