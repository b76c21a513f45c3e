"""A hundred pipes in one process, created, paused, resynced and deleted side by side while their
tables are written to; and pipes in trouble beside others that are not."""

import concurrent.futures
import os
import random
import unittest

from harness.case import SystemTest, new_seed, rounds
from harness.penstock import ApiError, mapping, pipe_spec
from harness.proxy import Proxy
from harness.sources import MariaDB1011, MySQL97
from harness.wait import wait_until
from harness.workload import Workload

PIPES = 100 if rounds(1) >= 30 else 30
COMMANDERS = 8
COMMANDS = 5 * PIPES
ROWS = 300
MEMORY_MIB_MAX = 500
# Beside those that serve everybody.
THREADS_PER_PIPE = 8


class TableWriter:
    """Writes to a table of many, one row or a few at a time; what Workload drives."""

    def __init__(self, source, seed):
        self._random = random.Random(seed)
        self._connection = source.connect(database="shop", autocommit=True)
        self.transactions = 0

    def step(self):
        table = f"t{self._random.randrange(PIPES)}"
        row = self._random.randrange(2 * ROWS)
        statement = self._random.choice([
            f"REPLACE INTO {table} VALUES ({row}, {row}, 'new')",
            f"UPDATE {table} SET n = n + 1 WHERE id BETWEEN {row} AND {row + 9}",
            f"DELETE FROM {table} WHERE id = {row}"])
        with self._connection.cursor() as cursor:
            cursor.execute(statement)
        self.transactions += 1

    def close(self):
        self._connection.close()


class Commander:
    """The user of some pipes, each of its own table; orders what may be refused."""

    def __init__(self, test, numbers, seed):
        self.test = test
        self.random = random.Random(seed)
        self.pipes = {number: test.create(number, 0) for number in numbers}
        self.generation = 0
        self.refused = 0

    def run(self, commands):
        for _ in range(commands):
            number = self.random.choice(list(self.pipes))
            order = self.random.choice(["stop", "stop", "start", "start", "resync", "replace"])
            if order == "replace":
                self.replace(number)
                continue
            try:
                self.test.penstock.order(self.pipes[number], order)
            except ApiError as error:  # not in that state
                if error.status != 400:
                    raise
                self.refused += 1

    def replace(self, number):
        """Deletes the pipe, and has its table taken up by another."""
        self.generation += 1
        self.test.penstock.delete(self.pipes[number])
        self.test.clickhouse.query(f"DROP TABLE IF EXISTS replica.t{number} SYNC")
        self.pipes[number] = self.test.create(number, self.generation)

    def start_all(self):
        for pipe in self.pipes.values():
            self.test.penstock.await_state(pipe, *WITHOUT_COMMAND, seconds=120)
            if self.test.penstock.state(pipe) == "Paused":
                self.test.penstock.order(pipe, "start")


WITHOUT_COMMAND = ("Setup", "Snapshot", "Running", "Resync", "Paused", "Provisioning")


class ManyPipes:
    source_options = {"max_connections": "2000"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def setUp(self):
        self.fresh_shop()
        self.source.run(*[f"CREATE TABLE shop.t{number} (id INT PRIMARY KEY, n INT, v VARCHAR(20))"
                          for number in range(PIPES)])
        rows = ",".join(f"({row}, 0, 'old')" for row in range(ROWS))
        self.source.run(*[f"INSERT INTO shop.t{number} VALUES {rows}" for number in range(PIPES)])
        self.addCleanup(self.delete_pipes)

    def spec_of(self, number, generation, **source):
        """Of the pipe of one table."""
        return pipe_spec(self.source.endpoint(**source), self.clickhouse.endpoint(),
                         [mapping("shop", f"t{number}")], name=f"p{number}-{generation}")

    def create(self, number, generation):
        return self.penstock.create(self.spec_of(number, generation))

    def assert_all_equal(self):
        everything = pipe_spec({}, {}, [mapping("shop", f"t{number}") for number in range(PIPES)])
        rows = self.assert_equal(everything, seconds=60)
        self.assertGreater(rows, PIPES * ROWS / 2)

    def assert_fair(self):
        threads = len(os.listdir(f"/proc/{self.penstock.process.pid}/task"))
        print(f"{PIPES} pipes: {threads} threads, {self.penstock.peak_mib()} MiB at most")
        self.assertLess(threads, 60 + THREADS_PER_PIPE * PIPES)
        self.assertLess(self.penstock.peak_mib(), MEMORY_MIB_MAX)

    def test_commanded_at_once(self):
        seed = new_seed()
        with concurrent.futures.ThreadPoolExecutor(COMMANDERS) as pool, \
                Workload(self.source, seed, per_second=400, writer_class=TableWriter):
            commanders = list(pool.map(
                lambda worker: Commander(self, range(worker, PIPES, COMMANDERS),
                                         f"{seed}/{worker}"), range(COMMANDERS)))
            self.assert_fair()
            list(pool.map(lambda commander: commander.run(COMMANDS // COMMANDERS), commanders))
            list(pool.map(Commander.start_all, commanders))
            pipes = [pipe for commander in commanders for pipe in commander.pipes.values()]
            list(pool.map(lambda pipe: self.penstock.await_state(pipe, "Running", seconds=120),
                          pipes))
            self.assert_fair()
        self.assert_all_equal()
        refused = sum(commander.refused for commander in commanders)
        self.assertLess(refused, COMMANDS)
        self.assertCountEqual(pipes, [pipe["id"] for pipe in self.penstock.pipes()])
        self.delete_pipes()
        wait_until(lambda: not self.connections(), lambda: f"no connection: {self.connections()}")

    def connections(self):
        """Of pipes, at the source."""
        return self.source.run("SELECT * FROM information_schema.processlist "
                               "WHERE user = 'penstock'")

    def test_troubles_of_one_are_not_those_of_others(self):
        """One whose source refuses it, one whose source is silent, one whose target is gone, one
        whose ClickHouse is gone: every row of the others arrives meanwhile."""
        self.source.run("CREATE USER IF NOT EXISTS 'shut'@'%' IDENTIFIED BY 'shut'",
                        "GRANT ALL ON *.* TO 'shut'@'%'")
        with Proxy(self.source.port) as silent, Proxy(self.clickhouse.http_port) as gone:
            specs = [self.spec_of(number, 0) for number in range(PIPES)]
            specs[0]["source"]["mysql"]["credentials"] = {"username": "shut", "password": "shut"}
            specs[1]["source"]["mysql"]["port"] = silent.port
            specs[3]["destination"]["clickhouse"]["url"] = f"http://127.0.0.1:{gone.port}"
            with concurrent.futures.ThreadPoolExecutor(COMMANDERS) as pool:
                pipes = list(pool.map(self.penstock.create, specs))
                list(pool.map(lambda pipe: self.penstock.await_state(pipe, "Running"), pipes))
            self.source.run("DROP USER 'shut'@'%'")
            for line in self.source.run("SELECT id FROM information_schema.processlist "
                                        "WHERE user = 'shut'"):
                self.source.run(f"KILL {line[0]}")
            silent.frozen = True
            self.clickhouse.query("DROP TABLE replica.t2 SYNC")
            gone.refusing = True
            gone.cut()
            for number in range(PIPES):
                self.source.run(f"UPDATE shop.t{number} SET n = 7")
            healthy = range(4, PIPES)
            wait_until(lambda: all(self.changed(number) == ROWS for number in healthy),
                       lambda: f"all rows: {[self.changed(number) for number in healthy]}")
            states = [self.penstock.state(pipe) for pipe in pipes]
            self.assertEqual({"Running"}, set(states[4:]))
            self.assertEqual("Failed", self.penstock.await_state(pipes[0], "Failed"))
            silent.frozen = False
            silent.cut()
            gone.refusing = False
            wait_until(lambda: self.changed(1) == ROWS and self.changed(3) == ROWS,
                       "those whose server is back", 90)

    def changed(self, number):
        return int(self.clickhouse.query(
            f"SELECT count() FROM replica.t{number} FINAL WHERE n = 7"))


class ManyPipesMySQL(ManyPipes, SystemTest):
    source_class = MySQL97


class ManyPipesMariaDB(ManyPipes, SystemTest):
    source_class = MariaDB1011


if __name__ == "__main__":
    unittest.main()
