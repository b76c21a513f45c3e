"""Scenario files: what one says, and which combinations of servers and settings it runs in.

tests/scenarios/README.md describes the format. Everything here is without servers.
"""

import dataclasses
import itertools
import json
import pathlib
import re
import zlib

from .process import ROOT

FOLDER = ROOT / "tests" / "scenarios"
SECTIONS = ("tables", "rows", "changes")
_SERVER = re.compile(r"(mysql|mariadb)\s*(?:(>=|<)\s*([0-9.]+))?")
_DIRECTIVE = re.compile(r"-- (\w+)(?: ([^:]+?))?: *(.*)")


class Malformed(Exception):
    """A scenario file that breaks the format; the message names it."""


@dataclasses.dataclass
class Scenario:
    """One file. `before` and `while` are its two copies: see the README."""

    name: str  # "numbers/bits"
    title: str = ""
    servers: str = "mysql, mariadb"
    settings: dict = dataclasses.field(default_factory=dict)
    options: dict = dataclasses.field(default_factory=dict)   # of the server, for the whole of it
    mappings: dict = dataclasses.field(default_factory=dict)  # by table; None: not in the pipe
    expected: list = dataclasses.field(default_factory=list)  # [(table, select list, [row text])]
    error: str = ""  # a text the refusal or failure holds
    statements: dict = dataclasses.field(default_factory=dict)  # by section

    @property
    def identifier(self):
        """Fit for names of databases and test methods."""
        return re.sub(r"\W", "_", self.name)

    def applies_to(self, family, version):
        """Whether it runs on a server, for example ("mariadb", (10, 11))."""
        for word in self.servers.split(","):
            name, relation, limit = _SERVER.fullmatch(word.strip()).groups()
            if name != family:
                continue
            limit = tuple(map(int, limit.split("."))) if limit else ()
            if not relation or (version >= limit) == (relation == ">="):
                return True
        return False


def split_statements(text):
    """SQL statements; a semicolon at the end of a line ends one."""
    lines = [line for line in text.splitlines() if not line.startswith("--")]
    pieces = re.split(r";[ \t]*(?:\n|$)", "\n".join(lines))
    return [piece.strip() for piece in pieces if piece.strip()]


class _Parser:
    """Reads one file, line by line."""

    def __init__(self, path):
        self._path = path
        self._scenario = Scenario(str(path.relative_to(FOLDER).with_suffix("")))
        self._section = None
        self._sql = {section: [] for section in SECTIONS}

    def parse(self):
        for line in self._path.read_text(encoding="utf-8").splitlines():
            if line[3:] in SECTIONS and line.startswith("-- "):
                self._section = line[3:]
            elif self._section:
                self._sql[self._section].append(line)
            else:
                self._head(line)
        scenario = self._scenario
        scenario.statements = {section: split_statements("\n".join(lines))
                               for section, lines in self._sql.items()}
        for word in scenario.servers.split(","):
            if not _SERVER.fullmatch(word.strip()):
                self._fail(f"unknown server {word!r}")
        if not scenario.title or not scenario.statements["tables"]:
            self._fail("needs a title and a section of tables")
        return scenario

    def _fail(self, what):
        raise Malformed(f"{self._path.relative_to(ROOT)}: {what}")

    def _head(self, line):
        if not line.strip():
            return
        if line.startswith("--   ") and self._scenario.expected:
            self._scenario.expected[-1][2].append(line[5:].strip())
            return
        found = _DIRECTIVE.fullmatch(line)
        if not found:
            self._fail(f"not a directive: {line}")
        self._directive(*found.groups())

    def _directive(self, word, subject, value):
        scenario = self._scenario
        if word in ("title", "servers") and not subject:
            setattr(scenario, word, value)
        elif word in ("settings", "options") and not subject:
            setattr(scenario, word, json.loads(value))
        elif word == "mapping" and subject:
            scenario.mappings[subject] = json.loads(value)
        elif word == "expect" and subject == "error":
            scenario.error = value
        elif word == "expect" and subject:
            scenario.expected.append((subject, value, []))
        else:
            self._fail(f"unknown directive {word}")


def load(pick=""):
    """All scenarios whose name holds `pick`, in the order of their names."""
    files = sorted(pathlib.Path(FOLDER).glob("*/*.sql"))
    return [scenario for scenario in map(lambda path: _Parser(path).parse(), files)
            if pick in scenario.name]


# --- combinations ------------------------------------------------------------------------------

SERVERS = ("mysql", "mariadb", "mariadb118")
METADATA = ("FULL", "MINIMAL", "NO_LOG")
ZONES = ("+00:00", "-03:30", "SYSTEM")  # SYSTEM: Europe/Berlin
MECHANISMS = ("GTID", "FILE_POS")


@dataclasses.dataclass(frozen=True)
class Combination:
    """Where and how a scenario runs."""

    server: str
    harsh: bool
    metadata: str   # binlog_row_metadata
    zone: str       # the server's time zone
    mechanism: str  # replicationMechanism

    def __str__(self):
        return (f"{self.server} {'harsh' if self.harsh else 'normal'} {self.metadata} "
                f"{self.zone} {self.mechanism}")


def metadata_of(server):
    """MySQL has no NO_LOG."""
    return METADATA[:2] if server == "mysql" else METADATA


def all_combinations(server, harsh):
    return [Combination(server, harsh, *rest)
            for rest in itertools.product(metadata_of(server), ZONES, MECHANISMS)]


def chosen_combinations(server, harsh):
    """Three of them, such that over all servers, normal and harsh, each two values that can meet
    do meet."""
    row = SERVERS.index(server)
    metadata = metadata_of(server)
    return [Combination(server, harsh, metadata[number % len(metadata)],
                        ZONES[(number + row + harsh) % 3], MECHANISMS[(number + row + harsh) % 2])
            for number in range(3)]


def share(scenario, combinations):
    """The one of the chosen combinations in which the scenario runs, whatever others there are."""
    return combinations[zlib.crc32(scenario.name.encode()) % len(combinations)]
