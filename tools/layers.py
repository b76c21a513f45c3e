#!/usr/bin/python3
"""Checks that src/ includes only downward. The tables here are the rule (design of the house).

    tools/layers.py               checks the tree; prints FILE:LINE: what is wrong; exit 1 if any
    tools/layers.py --self-test   shows that a bad include of each kind is found
"""

import pathlib
import re
import sys
import tempfile

# room: (rank, rooms it may include beside itself). "" is a file directly in src/.
ROOMS = {
    "base": (0, set()),
    "obs": (1, {"base"}),
    "model": (1, {"base"}),
    "mysql/wire": (2, {"base", "obs", "model"}),
    "mysql/binlog": (2, {"base", "model"}),
    "ddl": (2, {"base", "model"}),
    "clickhouse": (2, {"base", "obs"}),
    "catalog": (2, {"base", "obs", "model"}),
    "typemap": (3, {"base", "model", "clickhouse"}),
    "snapshot": (4, {"base", "obs", "model", "mysql/wire", "mysql/binlog", "ddl", "clickhouse",
                     "typemap"}),
    "stream": (4, {"base", "obs", "model", "mysql/wire", "mysql/binlog", "ddl", "clickhouse",
                   "typemap"}),
    "pipe": (5, {"base", "obs", "model", "mysql/wire", "mysql/binlog", "ddl", "clickhouse",
                 "catalog", "typemap", "snapshot", "stream"}),
    "api": (6, {"base", "obs", "model", "pipe"}),
    "cli": (7, {"base", "obs", "model", "clickhouse", "catalog", "pipe", "api"}),
    "": (8, {"base", "obs", "cli"}),
}

# Libraries that only some rooms may include: their types and exceptions stop there.
LIBRARIES = {
    r"mysql\.h|mysql/.*|errmsg\.h|mysqld_error\.h|mariadb_.*": {"mysql/wire"},
    r"openssl/.*": {"mysql/wire", "api", "cli"},
    r"curl/.*": {"clickhouse", "cli"},
    r"lz4.*|zstd.*": {"clickhouse", "mysql/binlog"},
    r"zlib\.h": {"mysql/binlog"},
    r"SQLiteCpp/.*|sqlite3\.h": {"catalog"},
    r"sodium.*": {"catalog"},
    r"nlohmann/.*": {"catalog", "pipe", "api", "cli"},  # never on the row path
    r"httplib\.h": {"api"},
    r"prometheus/.*": {"obs"},
    r"spdlog/.*": {"obs"},
    r"yaml-cpp/.*|CLI/.*": {"cli"},
}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def room_of(path):
    """The room a path under src/ is in, or None for a folder that is no room."""
    parts = pathlib.PurePosixPath(path).parts[:-1]
    for length in range(len(parts), -1, -1):
        room = "/".join(parts[:length])
        if room in ROOMS and (room or not parts):
            return room
    return None


def check_include(room, bracket, target):
    """What is wrong with one include in a file of `room`; None when nothing is."""
    if bracket == '"':
        other = room_of(target)
        if other is None:
            return f'"{target}" is in no room: write the path from src/'
        if other != room and other not in ROOMS[room][1]:
            return f'{room or "src"} may not include "{target}" (room {other or "src"})'
        return None
    for pattern, rooms in LIBRARIES.items():
        if re.fullmatch(pattern, target) and room not in rooms:
            return f"<{target}> belongs to {', '.join(sorted(rooms))}, not to {room or 'src'}"
    return None


def check_tree(src):
    findings = []
    for path in sorted(src.rglob("*")):
        if path.suffix not in (".cc", ".h"):
            continue
        relative = path.relative_to(src).as_posix()
        room = room_of(relative)
        if room is None:
            findings.append(f"{relative}:1: this folder is in no row of tools/layers.py")
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            match = INCLUDE.match(line)
            problem = match and check_include(room, *match.groups())
            if problem:
                findings.append(f"{relative}:{number}: {problem}")
    return findings


def check_table():
    """Each room may include only rooms of lower rank, so there can be no cycle."""
    return [f"{room}: may not name {other}, which is not of lower rank"
            for room, (rank, allowed) in ROOMS.items()
            for other in allowed if ROOMS[other][0] >= rank]


def self_test():
    samples = {
        "base/a.h": ('#include "model/value.h"', True),
        "model/a.h": ('#include "obs/log.h"', True),
        "mysql/wire/a.cc": ('#include "mysql/binlog/event.h"', True),
        "stream/a.cc": ('#include "catalog/catalog.h"', True),
        "stream/b.cc": ('#include <nlohmann/json.hpp>', True),
        "pipe/checks/a.cc": ('#include "api/server.h"', True),
        "attic/a.cc": ("", True),
        "stream/c.cc": ('#include "gtid.h"', True),
        "pipe/checks/b.cc": ('#include "catalog/catalog.h"', False),
        "stream/d.cc": ('#include "stream/session.h"\n#include <vector>', False),
        "main.cc": ('#include "cli/commands.h"', False),
    }
    with tempfile.TemporaryDirectory() as folder:
        src = pathlib.Path(folder)
        for name, (text, _) in samples.items():
            (src / name).parent.mkdir(parents=True, exist_ok=True)
            (src / name).write_text(text + "\n")
        found = {line.split(":")[0] for line in check_tree(src)}
    wanted = {name for name, (_, bad) in samples.items() if bad}
    return [f"self-test: {name} " + ("was not found" if name in wanted else "was found wrongly")
            for name in sorted(found ^ wanted)]


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    findings = check_table()
    findings += self_test() if "--self-test" in sys.argv else check_tree(root / "src")
    print("\n".join(findings), end="\n" if findings else "")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
