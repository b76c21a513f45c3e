"""The scenarios of tests/scenarios, on every server, with usual and with harsh settings.

PENSTOCK_SCENARIO=TEXT picks those whose name (section/file) holds TEXT.
"""

import collections
import concurrent.futures
import dataclasses
import itertools
import os
import traceback
import unittest

from harness import scenario as scenarios
from harness.case import SystemTest, new_seed
from harness.clickhouse import ClickHouse
from harness.penstock import ApiError, Penstock
from harness.process import Folder
from harness.scenario_run import ScenarioRun
from harness.sources import SOURCES

PIPES_AT_ONCE = 6
SYSTEM_ZONE = "Europe/Berlin"  # of the source server's machine
CLICKHOUSE_ZONE = "Asia/Tokyo"
HARSH_CONFIG = "memory: {limit: 8KiB}\n"  # with the limits for tests, batches of 256 bytes


def version_of(server):
    """("mariadb", (10, 11))"""
    source = SOURCES[server]
    return source.family, tuple(map(int, source.name.rpartition("-")[2].split(".")))


class Scenarios(SystemTest):
    """All scenarios of one server run when the class is set up, several at once; each is then a
    test that tells how its run went. Those that ask for options of the server get one of their
    own."""

    server = ""
    harsh = False
    scenarios = []
    cuts = 0

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.seed = new_seed()
        cls.clickhouse = cls.use("clickhouse", lambda: ClickHouse(env={"TZ": CLICKHOUSE_ZONE}))
        cls.penstock = cls.enterClassContext(cls.start_penstock())
        cls.failures = collections.defaultdict(list)  # by name: texts
        groups = collections.defaultdict(list)
        for one in cls.scenarios:
            groups[tuple(one.options.items())].append(one)
        for options, members in groups.items():
            source = cls.use(SOURCES[cls.server].family, lambda more=options: SOURCES[cls.server](
                env={"TZ": SYSTEM_ZONE}, **dict(more)))
            cls.run_group(source, members)
        if cls.harsh:
            print(f"{cls.server}: {cls.cuts} connections were cut", flush=True)

    @classmethod
    def start_penstock(cls):
        if not cls.harsh:
            return Penstock("--test-limits")
        config = cls.enterClassContext(Folder("config")) / "penstock.yaml"
        config.write_text(HARSH_CONFIG)
        return Penstock("--test-limits", "--config", config)

    @classmethod
    def run_group(cls, source, members):
        """Scenarios of one combination run side by side: much of it is global to the server."""
        waves = collections.defaultdict(list)
        for one in members:
            for combination in cls.combinations(one):
                waves[dataclasses.astuple(combination)].append((one, combination))
        for _, runs in sorted(waves.items()):
            combination = runs[0][1]
            source.run(f"SET GLOBAL binlog_row_metadata = '{combination.metadata}'",
                       f"SET GLOBAL time_zone = '{combination.zone}'")
            print(f"{combination}: {' '.join(one.name for one, _ in runs)}", flush=True)
            with concurrent.futures.ThreadPoolExecutor(PIPES_AT_ONCE) as pool:
                list(pool.map(lambda run, s=source: cls.run_one(s, *run), runs))

    @classmethod
    def combinations(cls, one):
        """All in a soak, else one."""
        if os.environ.get("PENSTOCK_ROUNDS"):
            return scenarios.all_combinations(cls.server, cls.harsh)
        return [scenarios.share(one, scenarios.chosen_combinations(cls.server, cls.harsh))]

    @classmethod
    def run_one(cls, source, one, combination):
        run = ScenarioRun(one, combination, source, cls.clickhouse, cls.penstock, cls.seed)
        try:
            run.run()
        except Exception as error:
            where = "" if isinstance(error, (AssertionError, ApiError)) else traceback.format_exc()
            cls.failures[one.name].append(f"{combination}: {error}\n{where}")
        cls.cuts += run.cuts

    @classmethod
    def add_tests(cls):
        cls.scenarios = [one for one in scenarios.load(os.environ.get("PENSTOCK_SCENARIO", ""))
                         if one.applies_to(*version_of(cls.server))]
        for one in cls.scenarios:
            def test(self, name=one.name):
                if self.failures[name]:
                    self.fail(f"tests/scenarios/{name}.sql\n" + "\n".join(self.failures[name]))
            test.__doc__ = one.title
            setattr(cls, f"test_{one.identifier}", test)


class ScenariosMySQL(Scenarios):
    server = "mysql"


class ScenariosMySQLHarsh(Scenarios):
    server = "mysql"
    harsh = True


class ScenariosMariaDB(Scenarios):
    server = "mariadb"


class ScenariosMariaDBHarsh(Scenarios):
    server = "mariadb"
    harsh = True


class ScenariosMariaDB118(Scenarios):
    server = "mariadb118"


class ScenariosMariaDB118Harsh(Scenarios):
    server = "mariadb118"
    harsh = True


for _class in Scenarios.__subclasses__():
    _class.add_tests()


def together(one, other):
    """Whether two values can meet at all."""
    return {one, other} != {"mysql", "NO_LOG"}


class Combinations(unittest.TestCase):
    """The choice itself."""

    def test_every_two_values_meet(self):
        factors = [scenarios.SERVERS, (False, True), scenarios.METADATA, scenarios.ZONES,
                   scenarios.MECHANISMS]
        chosen = [(c.server, c.harsh, c.metadata, c.zone, c.mechanism)
                  for server in scenarios.SERVERS for harsh in (False, True)
                  for c in scenarios.chosen_combinations(server, harsh)]
        for first, second in itertools.combinations(range(len(factors)), 2):
            for pair in itertools.product(factors[first], factors[second]):
                if together(*pair):
                    self.assertIn(pair, {(c[first], c[second]) for c in chosen})

    def test_every_scenario_runs_somewhere(self):
        for one in scenarios.load():
            self.assertTrue(any(one.applies_to(*version_of(server)) for server in SOURCES), one.name)

    def test_every_choice_is_run(self):
        for server in scenarios.SERVERS:
            for harsh in (False, True):
                choice = scenarios.chosen_combinations(server, harsh)
                run = {scenarios.share(one, choice) for one in scenarios.load()
                       if one.applies_to(*version_of(server))}
                self.assertEqual(set(choice), run)


if __name__ == "__main__":
    unittest.main()
