"""Random writes while tables of every kind of key are loaded: at the end both sides are equal.

Each seed is a pipe of its own, with a schema, a writer, and a load that a limit of rows a second
makes long enough. PENSTOCK_SEED repeats the one of a failure.
"""

import concurrent.futures
import contextlib
import os
import random
import threading
import unittest
import uuid

import pymysql

from harness import compare
from harness.case import SystemTest, new_seed, rounds
from harness.clickhouse import ClickHouse
from harness.penstock import Penstock, mapping, pipe_spec
from harness.sources import MariaDB1011, MySQL97
from harness.wait import pause, wait_until

SEEDS = 26  # a server
SEEDS_AT_ONCE = 13
PLACES = 1_000_000  # a key is made of a place among so many, in the order of its index
CONFLICTS = {1062, 1205, 1213}  # a key that is there, a lock, a deadlock


def letters(place, upper):
    """Of a place, in the order of places under a collation without case."""
    text = "".join(chr(ord("a") + place // 10**digit % 10) for digit in range(5, -1, -1))
    return "".join(c.upper() if upper >> i & 1 else c for i, c in enumerate(text))


# Columns and key; how a key is made of its place and a random number of 6 bits.
KINDS = {
    "integers": ("k BIGINT, PRIMARY KEY (k)", lambda place, bits: (place**2 - 7_000_000,)),
    "pairs": ("k INT, l VARCHAR(9), PRIMARY KEY (k, l)",
              lambda place, bits: (place // 5000, f"{place % 5000:05}")),
    "tenants": ("k INT, l INT UNSIGNED, PRIMARY KEY (k, l)",
                lambda place, bits: (3 + (place > 900_000), place)),
    "caseless": ("k VARCHAR(20), PRIMARY KEY (k)", lambda place, bits: (letters(place, bits),)),
    "uuids": ("k CHAR(36) CHARACTER SET ascii, PRIMARY KEY (k)",
              lambda place, bits: (str(uuid.UUID(int=place << 107)),)),
    "amounts": ("k DECIMAL(12,3), PRIMARY KEY (k)", lambda place, bits: (f"{place / 8 - 9999:.3f}",)),
    "moments": ("k DATETIME(3), PRIMARY KEY (k)",
                lambda place, bits: (f"20{place // 28000 + 10}-03-{place // 1000 % 28 + 1:02} "
                                     f"07:00:00.{place % 1000:03}",)),
    "bytes": ("k VARBINARY(9), PRIMARY KEY (k)",
              lambda place, bits: (place.to_bytes(3, "big") + b"\0\xff",)),
    # No two rows are equal, by the model.
    "keyless": ("k INT, KEY (k)", lambda place, bits: (place * 3,)),
    "unique": ("i INT AUTO_INCREMENT, k INT NOT NULL, KEY (i), UNIQUE (k)",
               lambda place, bits: (-PLACES + place,)),
}
ROWS = 110


class Table:
    """One table and the model of it: the places that have rows."""

    def __init__(self, schema, kind, generator):
        columns, self.key_of = KINDS[kind]
        self.kind = kind
        self.random = generator
        self.places = set(generator.sample(range(PLACES), ROWS))
        self.name = f"`{schema}`.`{kind}`"
        self.definition = f"CREATE TABLE {self.name} ({columns}, v INT, w VARCHAR(99))"
        self.columns = ("k", "l")[:len(self.key_of(0, 0))]
        self.where = " AND ".join(f"{column} = %s" for column in self.columns)
        self.done = 0.0  # about how much of it the load has read

    def key(self, place):
        return self.key_of(place, self.random.randrange(64))

    def row(self, place):
        r = self.random
        return (*self.key(place), r.randrange(10**6), r.choice([None, "", "é", "w" * r.randrange(99)]))

    def insert(self, verb="INSERT"):
        columns = (*self.columns, "v", "w")
        return (f"{verb} INTO {self.name} ({', '.join(columns)}) "
                f"VALUES ({', '.join(['%s'] * len(columns))})")

    def near_cursor(self, places):
        """One of `places`, which is a sorted list: anywhere, or where the load is reading."""
        if self.random.random() < 0.4:
            return self.random.choice(places)
        at = int(len(places) * self.done + self.random.gauss(0, len(places) / 8))
        return places[max(0, min(at, len(places) - 1))]

    def there(self):
        return self.near_cursor(sorted(self.places)) if self.places else None

    def free(self):
        place = self.near_cursor(range(PLACES))
        while place in self.places:
            place = (place + 1) % PLACES
        return place


class Writer:
    """A thread of random transactions on the tables, from its start until stop()."""

    def __init__(self, source, tables, generator):
        self.source = source
        self.tables = tables
        self.random = generator
        self.error = None
        self.transactions = 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._thread.start()

    def stop(self):
        self._stopped.set()
        self._thread.join()
        if self.error:
            raise self.error

    # --- what happens to a row; each keeps the model up to date ---

    def insert(self, table, cursor):
        place = table.free()
        cursor.execute(table.insert(), table.row(place))
        table.places.add(place)

    def update(self, table, cursor):
        cursor.execute(f"UPDATE {table.name} SET v = v + 1, w = %s WHERE {table.where}",
                       (table.row(0)[-1], *table.key(table.there())))

    def delete(self, table, cursor):
        place = table.there()
        self._delete(table, cursor, place)
        return place

    def _delete(self, table, cursor, place):
        cursor.execute(f"DELETE FROM {table.name} WHERE {table.where}", table.key(place))
        table.places.discard(place)

    def again(self, table, cursor):
        place = self.delete(table, cursor)
        cursor.execute(table.insert(), table.row(place))
        table.places.add(place)

    def replace(self, table, cursor):
        """Of a key that is there, under a collation without case perhaps spelled otherwise."""
        if table.kind == "keyless":
            self.again(table, cursor)
        elif self.random.random() < 0.5:
            cursor.execute(table.insert("REPLACE"), table.row(table.there()))
        else:
            cursor.execute(table.insert() + " ON DUPLICATE KEY UPDATE v = -v, w = 'both'",
                           table.row(table.there()))

    def _move(self, table, cursor, place, to):
        keys = ", ".join(f"{column} = %s" for column in table.columns)
        cursor.execute(f"UPDATE {table.name} SET {keys}, v = v + 1 WHERE {table.where}",
                       (*table.key(to), *table.key(place)))
        table.places.discard(place)
        table.places.add(to)

    def move(self, table, cursor):
        self._move(table, cursor, table.there(), table.free())

    def respell(self, table, cursor):
        place = table.there()
        self._move(table, cursor, place, place)

    def exchange(self, table, cursor):
        """Two rows take each other's key."""
        one, other, between = table.there(), self.random.choice(list(table.places)), table.free()
        for place, to in ((one, between), (other, one), (between, other)):
            if place in table.places:
                self._move(table, cursor, place, to)

    def range(self, table, cursor):
        """A statement over many rows, of every partition."""
        cursor.execute(f"UPDATE {table.name} SET v = v + 100 WHERE v %% 7 = %s",
                       (self.random.randrange(7),))

    CHANGES = [insert, insert, update, update, delete, again, replace, move, move, respell, exchange,
               range]

    # --- transactions ---

    def _change(self, cursor, tables):
        table = self.random.choice(tables)
        change = self.random.choice(self.CHANGES if len(table.places) > 20 else [Writer.insert])
        change(self, table, cursor)

    def _some(self, connection, cursor, tables):
        """A few changes, perhaps some undone by a savepoint."""
        for _ in range(self.random.choice([1, 1, 2, 5])):
            self._change(cursor, tables)
        if self.random.random() < 0.2:
            before = [set(table.places) for table in tables]
            cursor.execute("SAVEPOINT here")
            self._change(cursor, tables)
            cursor.execute("ROLLBACK TO SAVEPOINT here")
            for table, places in zip(tables, before):
                table.places = places

    @contextlib.contextmanager
    def _transaction(self, connection, tables):
        """Undone, and the model with it, after a conflict or by chance."""
        before = [set(table.places) for table in tables]
        undo = self.random.random() < 0.15
        try:
            yield
        except pymysql.err.MySQLError as error:
            if error.args[0] not in CONFLICTS:
                raise
            undo = True
        if undo:
            connection.rollback()
            for table, places in zip(tables, before):
                table.places = places
        else:
            connection.commit()
        self.transactions += 1

    def _run(self):
        try:
            with contextlib.ExitStack() as stack:
                short, long = (stack.enter_context(self.source.connect(autocommit=False))
                               for _ in range(2))
                while not self._stopped.is_set():
                    self._rounds(short, long)
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def _rounds(self, short, long):
        """A transaction on one table that stays open while others come and go on the rest."""
        chosen = self.random.choice(self.tables)
        rest = [table for table in self.tables if table is not chosen]
        with long.cursor() as slow, short.cursor() as fast, self._transaction(long, [chosen]):
            for _ in range(self.random.randrange(8)):
                self._some(long, slow, [chosen])
                with self._transaction(short, rest):
                    self._some(short, fast, rest)
                self._stopped.wait(self.random.uniform(0, 0.06))


class Race:
    """One seed: its schema, pipe and writer."""

    def __init__(self, test, seed):
        self.test = test
        self.seed = seed
        self.schema = f"race_{seed}"
        generator = random.Random(seed)
        kinds = generator.sample(list(KINDS), 3)
        self.tables = [Table(self.schema, kind, generator) for kind in kinds]
        self.writer = Writer(test.source, self.tables, generator)
        test.source.run(f"CREATE DATABASE `{self.schema}`",
                        f"CREATE TABLE `{self.schema}`.marker (id INT PRIMARY KEY)",
                        *(table.definition for table in self.tables))
        with test.source.connect() as connection, connection.cursor() as cursor:
            for table in self.tables:
                cursor.executemany(table.insert(), [table.row(place) for place in table.places])
        self.mappings = [mapping(self.schema, kind, identicalRowsMayCollapse=kind == "keyless")
                         for kind in [*kinds, "marker"]]
        for one in self.mappings:
            if one["sourceTable"] == "keyless" and generator.random() < 0.7:
                one["partitionKey"] = "k"
        self.settings = {"snapshotNumRowsPerPartition": generator.choice([7, 15, 40, 150]),
                         "snapshotRowsPerSecond": generator.choice([100, 200]),
                         "snapshotNumberOfParallelTables": generator.randrange(2, 4),
                         "initialLoadParallelism": generator.randrange(1, 4),
                         "syncIntervalMilliseconds": generator.choice([10, 100, 700]),
                         "pullBatchSize": generator.choice([1, 20, 100_000])}
        self.pipe = None

    def begin(self):
        self.writer.start()
        wait_until(lambda: self.writer.transactions or self.writer.error, "the first transaction")
        self.pipe = self.test.penstock.create(pipe_spec(
            self.test.source.endpoint(), self.test.clickhouse.endpoint(), self.mappings,
            database=self.schema, name=self.schema, **self.settings))

    def is_loading(self):
        """Looks where the load is, and tells it to the writer, which ends with it."""
        status = self.test.penstock.status(self.pipe)
        self.test.assertNotIn(status["state"], ("Failed", "Paused"), status)
        for table, told in zip(self.tables, status["tables"]):
            table.done = min(1, told["rowsLoaded"] / ROWS)
        if status["state"] == "Running":
            self.writer.stop()
        return status["state"] != "Running"

    def await_caught_up(self):
        self.test.await_caught_up(self.schema, self.schema)

    def compare(self):
        for table in self.tables:
            self.test.assertEqual(len(table.places), self.test.source.run(
                f"SELECT COUNT(*) FROM {table.name}")[0][0], f"the model of {table.name}")
            result = compare.compare_table(
                self.test.source.connect, self.test.clickhouse.url, (self.schema, table.kind),
                (self.schema, table.kind), key=table.columns)
            self.test.assertEqual([], result.differences, f"{table.name}, {self.settings}")


class WritesDuringLoad:
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_source()
        cls.clickhouse = cls.use("clickhouse", ClickHouse)
        cls.penstock = cls.enterClassContext(Penstock("--test-limits"))

    def run_races(self, seeds):
        """Side by side, with penstock killed up to two times."""
        races = [Race(self, seed) for seed in seeds]
        generator = random.Random(seeds[0])
        for race in races:
            race.begin()
        moments = sorted(generator.uniform(0.1, 0.9) for _ in range(generator.randrange(3)))
        loading = races
        while loading := [race for race in loading if race.is_loading()]:
            done = [table.done for race in races for table in race.tables]
            if moments and sum(done) / len(done) > moments[0]:
                moments.pop(0)
                self.penstock.restart()
            pause(0.1)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            list(pool.map(Race.await_caught_up, races))
        for race in races:
            with self.subTest(seed=race.seed):
                race.compare()
            self.penstock.delete(race.pipe)
            self.source.run(f"DROP DATABASE `{race.schema}`")

    def test_writes_during_load(self):
        count = 1 if os.environ.get("PENSTOCK_SEED") else SEEDS * rounds(1)
        seeds = [new_seed() for _ in range(count)]
        for start in range(0, count, SEEDS_AT_ONCE):
            self.run_races(seeds[start:start + SEEDS_AT_ONCE])


class WritesDuringLoadMySQL(WritesDuringLoad, SystemTest):
    source_class = MySQL97


class WritesDuringLoadMariaDB(WritesDuringLoad, SystemTest):
    source_class = MariaDB1011


if __name__ == "__main__":
    unittest.main()
