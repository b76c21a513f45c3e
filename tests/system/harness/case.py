"""What the system tests share: a source, a ClickHouse, a penstock, and "now they are equal"."""

import os
import random
import unittest

from . import compare
from .clickhouse import ClickHouse
from .penstock import Penstock, mapping, pipe_spec
from .process import Unavailable
from .sources import MariaDB1011
from .wait import wait_until


def rounds(few):
    """How often a test repeats what it does: `few` in CI, PENSTOCK_ROUNDS in a soak."""
    return int(os.environ.get("PENSTOCK_ROUNDS") or few)


def scale():
    """How much larger and longer a soak is than CI, where it is 1: of data, and of time limits."""
    return max(1, rounds(1) / 5)


def new_seed():
    """PENSTOCK_SEED or a new one; printed, so that a failure can be repeated."""
    seed = int(os.environ.get("PENSTOCK_SEED") or random.SystemRandom().randrange(2**32))
    print(f"seed: PENSTOCK_SEED={seed}", flush=True)
    return seed


def required(name):
    return name in os.environ.get("PENSTOCK_REQUIRE", "").split(",")


class SystemTest(unittest.TestCase):
    """Starts servers that live as long as the class. A server that is not installed skips the test,
    unless PENSTOCK_REQUIRE names its family."""

    source_class = MariaDB1011
    source_options = {}

    @classmethod
    def use(cls, family, factory):
        """Enters what factory() returns for the life of the class."""
        try:
            return cls.enterClassContext(factory())
        except Unavailable as missing:
            if required(family):
                raise
            raise unittest.SkipTest(str(missing)) from None

    @classmethod
    def start_source(cls):
        cls.source = cls.use(cls.source_class.family,
                             lambda: cls.source_class(**cls.source_options))

    @classmethod
    def start_all(cls):
        cls.start_source()
        cls.clickhouse = cls.use("clickhouse", ClickHouse)
        cls.penstock = cls.enterClassContext(Penstock())

    def fresh_shop(self):
        """An empty schema at the source, and nothing at the destination."""
        self.clickhouse.query("DROP DATABASE IF EXISTS replica SYNC")
        self.source.run("DROP DATABASE IF EXISTS shop", "CREATE DATABASE shop")

    def delete_pipes(self):
        for pipe in self.penstock.pipes():
            self.penstock.delete(pipe["id"])

    def spec(self, tables, schema="shop", **settings):
        """A pipe of `tables` of `schema`, and of the marker table."""
        self.source.run(f"CREATE TABLE IF NOT EXISTS `{schema}`.marker (id INT PRIMARY KEY)")
        mappings = [mapping(schema, table) for table in [*tables, "marker"]]
        return pipe_spec(self.source.endpoint(), self.clickhouse.endpoint(), mappings, **settings)

    def await_caught_up(self, schema="shop", database="replica", seconds=60):
        """Returns when all that was committed before is in ClickHouse. Tables of a batch are written
        side by side, batches one after the other: so the second of two markers, written when the
        first one is there, tells that the first one's batch is whole."""
        first = self._await_marker(schema, database, seconds)
        self._await_marker(schema, database, seconds, replaces=first)

    def _await_marker(self, schema, database, seconds, replaces=0):
        rows = self.source.run(f"SELECT COALESCE(MAX(id), 0) + 1 FROM `{schema}`.marker")
        last = int(rows[0][0])
        self.source.run("BEGIN", f"INSERT INTO `{schema}`.marker VALUES ({last})",
                        f"DELETE FROM `{schema}`.marker WHERE id = {replaces}", "COMMIT")

        def arrived():
            try:
                return self.clickhouse.query(f"SELECT count() FROM {database}.marker FINAL "
                                             f"WHERE id = {last}") == "1\n"
            except RuntimeError:  # not created yet
                return False
        wait_until(arrived, lambda: f"marker {last} in ClickHouse\n{self.penstock.process.tail()}",
                   seconds, every=0.05)
        return last

    def assert_equal(self, spec, seconds=15):
        """Source and ClickHouse hold the same rows, at once or within `seconds`. Returns the number
        of rows compared."""
        def same():
            results = compare.compare(self.source.connect, self.clickhouse.url,
                                      spec["source"]["mysql"]["tableMappings"],
                                      spec["destination"]["database"])
            self.differences = [f"{table}: {line}" for table, result in results.items()
                                for line in result.differences]
            return not self.differences and sum(result.rows for result in results.values())
        # A look at large tables may itself take as long.
        return same() or wait_until(same, lambda: "equal:\n" + "\n".join(self.differences), seconds,
                                    every=0.3)
