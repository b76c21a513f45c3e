"""Runs one scenario on running servers: both copies through a pipe, then every comparison."""

import contextlib
import random

from . import compare
from .penstock import ApiError, mapping, pipe_spec
from .proxy import Proxy
from .wait import wait_until

COPIES = ("before", "while")
MARKER = "penstock_marker"
HARSH = {"pullBatchSize": 1, "snapshotNumRowsPerPartition": 2, "syncIntervalMilliseconds": 1}
SECONDS = 60
CUT_BYTES_MAX = 20_000


class Cuts:
    """Bytes after which connections are cut, from a seed: about every second one, at lengths of
    all magnitudes. After `cuts_max` none, so that there is an end."""

    def __init__(self, seed, cuts_max=8):
        self._random = random.Random(seed)
        self._left = cuts_max

    def __call__(self):
        if self._left <= 0 or self._random.random() < 0.5:
            return None
        self._left -= 1
        return int(CUT_BYTES_MAX ** self._random.random())


class ScenarioRun:
    """`scenario` on `source` through `penstock` into `clickhouse`, as `combination` says. Its
    databases and its pipe bear the scenario's name; they are removed at the end."""

    def __init__(self, scenario, combination, source, clickhouse, penstock, seed):
        self._scenario = scenario
        self._harsh = combination.harsh
        self._mechanism = combination.mechanism
        self._source = source
        self._clickhouse = clickhouse
        self._penstock = penstock
        self._cuts = Cuts(f"{seed} {scenario.name} {combination}")
        self._name = scenario.identifier
        self._schemas = {copy: f"{self._name}_{copy}" for copy in COPIES}
        self._pipe = None
        self._markers = 0
        self.cuts = 0  # connections that were cut, known after run()

    def run(self):
        """Raises what is wrong."""
        try:
            self._run()
        finally:
            self._remove()

    def _run(self):
        for copy in COPIES:
            self._source.run(f"CREATE DATABASE `{self._schemas[copy]}`")
            self._execute("tables", copy)
        self._source.run(f"CREATE TABLE `{self._schemas['while']}`.{MARKER} (id INT PRIMARY KEY)")
        self._execute("rows", "before")
        with contextlib.ExitStack() as stack:
            proxy = stack.enter_context(Proxy(self._source.port)) if self._harsh else None
            try:
                if self._scenario.error:
                    self._expect_error(proxy)
                else:
                    self._replicate(proxy)
            finally:
                self.cuts = proxy.cuts if proxy else 0

    def _replicate(self, proxy):
        self._create(proxy)
        self._penstock.await_state(self._pipe, "Running", seconds=SECONDS)
        self._execute("rows", "while")
        self._await_caught_up()
        self._assert_equal("rows")
        if self._scenario.statements["changes"]:
            for copy in COPIES:
                self._execute("changes", copy)
            self._await_caught_up()
            self._assert_equal("changes")
        for expectation in self._scenario.expected:
            self._assert_expected(*expectation)

    def _execute(self, section, copy):
        statements = self._scenario.statements[section]
        with contextlib.closing(self._source.connect(database=self._schemas[copy])) as connection:
            with connection.cursor() as cursor:
                for statement in statements:
                    try:
                        cursor.execute(statement)
                    except Exception as error:
                        raise AssertionError(f"section {section}, {copy}: {error}\n"
                                             f"in: {statement[:500]}") from None

    # --- the pipe ---

    def _tables(self):
        """[(table, what its mapping adds)] of one copy."""
        rows = self._source.run("SELECT table_name FROM information_schema.tables WHERE "
                                f"table_schema = '{self._schemas['before']}' ORDER BY table_name")
        chosen = [(name, self._scenario.mappings.get(name, {})) for (name,) in rows]
        return [(name, more) for name, more in chosen if more is not None]

    def _mappings(self):
        tables = [mapping(self._schemas[copy], name, f"{name}_{copy}", **more)
                  for name, more in self._tables() for copy in COPIES]
        return [*tables, mapping(self._schemas["while"], MARKER)]

    def _spec(self, proxy):
        settings = {"replicationMechanism": self._mechanism,
                    **(HARSH if self._harsh else {}), **self._scenario.settings}
        place = {"port": proxy.port} if proxy else {}
        return pipe_spec(self._source.endpoint(**place), self._clickhouse.endpoint(),
                         self._mappings(), database=self._name, name=self._name, **settings)

    def _create(self, proxy):
        """Connections are cut from here on, not in the checks, which do not try again."""
        self._pipe = self._penstock.create(self._spec(proxy))
        if proxy:
            proxy.cut_after = self._cuts

    def _expect_error(self, proxy):
        wanted = self._scenario.error
        try:
            self._create(proxy)
        except ApiError as refused:
            if wanted not in refused.text:
                raise AssertionError(f"refused, but not for {wanted!r}: {refused.text}") from None
            return
        self._penstock.await_state(self._pipe, "Running", "Degraded", "Failed")
        if not self._trouble():
            self._execute("rows", "while")
        reason = wait_until(self._trouble, f"the failure {wanted!r}", SECONDS)
        if wanted not in reason:
            raise AssertionError(f"failed, but not for {wanted!r}: {reason}")

    def _trouble(self):
        """Why the pipe has failed, or does not follow a table; "" while it only has to try again."""
        status = self._penstock.status(self._pipe)
        reasons = [table["quarantine"]["reason"] for table in status["tables"] if table["quarantine"]]
        if status["state"] == "Failed":
            reasons.append(status["reason"])
        return "; ".join(reasons)

    def _await_caught_up(self):
        """Tables of a batch are written side by side, batches one after the other: the second marker
        tells that the batch of the first one is whole."""
        self._await_marker()
        self._await_marker()

    def _await_marker(self):
        self._markers += 1
        last = self._markers
        self._source.run(f"INSERT INTO `{self._schemas['while']}`.{MARKER} VALUES ({last})")

        def arrived():
            if self._clickhouse.query(f"SELECT count() FROM `{self._name}`.{MARKER} FINAL "
                                      f"WHERE id = {last}") == "1\n":
                return True
            trouble = self._trouble()
            if trouble:
                raise AssertionError(f"the pipe is in trouble: {trouble}")
            return False
        wait_until(arrived, lambda: "the last rows in ClickHouse; the pipe: "
                   f"{self._penstock.status(self._pipe)}", SECONDS, every=0.05)

    def _remove(self):
        if self._pipe:
            self._penstock.delete(self._pipe)
        self._clickhouse.query(f"DROP DATABASE IF EXISTS `{self._name}` SYNC")
        self._source.run(*(f"DROP DATABASE IF EXISTS `{schema}`" for schema in self._schemas.values()))

    # --- comparing ---

    def _assert_equal(self, section):
        differences = []

        def same():
            differences[:] = self._differences()
            return not differences
        wait_until(same, lambda: f"equal after section {section}:\n" + "\n".join(differences), 5,
                   every=0.1)

    def _differences(self):
        lines = []
        for name, more in self._tables():
            for copy in COPIES:
                place = (self._schemas[copy], name)
                found = compare.compare_table(
                    self._source.connect, self._clickhouse.url, place,
                    (self._name, f"{name}_{copy}"), more.get("excludedColumns", ()),
                    key=self._unique_key(*place))
                lines += [f"{name}, {copy}: {line}" for line in found.differences]
            lines += self._differences_of_copies(name)
        return lines

    def _unique_key(self, schema, table):
        """Columns of the primary key, or of the first unique one."""
        rows = self._source.run(
            "SELECT index_name, column_name FROM information_schema.statistics WHERE table_schema = "
            f"'{schema}' AND BINARY table_name = '{table}' AND non_unique = 0 "
            "ORDER BY index_name <> 'PRIMARY', index_name, seq_in_index")
        return [column for index, column in rows if index == rows[0][0]]

    def _differences_of_copies(self, table):
        """Rows of one copy that the other has not, every column as the bytes of its text."""
        names = [name for name in compare.target_types(self._clickhouse.url, self._name,
                                                       f"{table}_before")
                 if not name.startswith("_penstock_")]
        fields = ",".join(f"hex(toString({compare.quote_target(name)}))" for name in names)
        rows = {copy: set(self._clickhouse.query(
            f"SELECT {fields} FROM {self._copy(table, copy)} FORMAT TSV").splitlines())
            for copy in COPIES}
        return [f"{table}: only in the copy written {copy} streaming: {row[:500]}"
                for copy, other in (COPIES, COPIES[::-1]) for row in sorted(rows[copy] - rows[other])]

    def _copy(self, table, copy):
        return (f"{compare.quote_target(self._name)}.{compare.quote_target(f'{table}_{copy}')} "
                "FINAL WHERE _penstock_is_deleted = 0")

    def _assert_expected(self, table, columns, wanted):
        for copy in COPIES:
            text = self._clickhouse.query(f"SELECT {columns} FROM {self._copy(table, copy)} "
                                          "ORDER BY 1 FORMAT TSV")
            rows = [line.replace("\t", " | ") for line in text.splitlines()]
            if rows != wanted:
                raise AssertionError("\n".join([f"{table}, {copy}: expected", *wanted, "found",
                                                *rows]))
