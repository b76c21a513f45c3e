"""MariaDB's system-versioned tables: ClickHouse holds the rows that a plain SELECT gives."""

import contextlib
import random
import unittest

import pymysql

from harness.case import SystemTest, new_seed, rounds
from harness.sources import MariaDB1011, MariaDB118

TIMES = ("TIMESTAMP(6) GENERATED ALWAYS AS ROW START{0}, e TIMESTAMP(6) GENERATED ALWAYS AS ROW END"
         "{0}, v INT, note TEXT, PERIOD FOR SYSTEM_TIME (s, e)")
TABLES = {
    "hidden": "id INT PRIMARY KEY, v INT, note TEXT",
    "hashed": "id INT PRIMARY KEY, v INT, note TEXT, t TEXT, UNIQUE (t)",
    "declared": "id INT PRIMARY KEY, s " + TIMES.format(""),
    "invisible": "id INT PRIMARY KEY, s " + TIMES.format(" INVISIBLE"),
    "partly": "id INT PRIMARY KEY, v INT WITHOUT SYSTEM VERSIONING, note TEXT",
    "parted": "id INT PRIMARY KEY, v INT, note TEXT",
}
OPTIONS = {"parted": " PARTITION BY SYSTEM_TIME (PARTITION p0 HISTORY, PARTITION pc CURRENT)"}
CHANGES = 400


class Versioning:
    """Random changes, before the pipe is there and while it follows the log."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def change(self, cursor, table):
        r = self.random
        key, other, value = r.randrange(40), r.randrange(40), r.randrange(1000)
        statement = r.choice([
            f"INSERT INTO {table} (id, v, note) VALUES ({key}, {value}, 'new')",
            f"REPLACE INTO {table} (id, v, note) VALUES ({key}, {value}, NULL)",
            f"INSERT INTO {table} (id, v) VALUES ({key}, 1) ON DUPLICATE KEY UPDATE v = {value}",
            f"UPDATE {table} SET v = {value} WHERE id BETWEEN {key} AND {key + 3}",
            f"UPDATE {table} SET note = 'changed' WHERE id = {key}",
            f"UPDATE IGNORE {table} SET id = {other} WHERE id = {key}",
            f"DELETE FROM {table} WHERE id = {key}",
            f"DELETE HISTORY FROM {table} BEFORE SYSTEM_TIME NOW(6)" if value < 200 else
            f"UPDATE {table} SET v = v + 1",
        ])
        with contextlib.suppress(pymysql.err.IntegrityError):
            cursor.execute(statement)

    def make_changes(self):
        with contextlib.closing(self.source.connect(database="shop")) as connection:
            with connection.cursor() as cursor:
                for _ in range(rounds(1) * CHANGES):
                    for table in TABLES:
                        self.change(cursor, table)

    def test_current_rows_are_copied(self):
        self.random = random.Random(new_seed())
        self.source.run("CREATE DATABASE shop", "USE shop", *(
            f"CREATE TABLE {name} ({columns}) WITH SYSTEM VERSIONING{OPTIONS.get(name, '')}"
            for name, columns in TABLES.items()))
        self.make_changes()
        spec = self.spec(TABLES)
        pipe = self.penstock.create(spec)
        self.penstock.await_state(pipe, "Running")
        self.assert_equal(spec)
        self.make_changes()
        self.await_caught_up()
        self.assertGreater(self.assert_equal(spec), 60)
        self.penstock.restart()
        self.make_changes()
        self.source.run(*(f"UPDATE shop.{table} SET note = 'last'" for table in TABLES))
        self.await_caught_up()
        self.assert_equal(spec)
        for table in TABLES:
            history = self.source.run(f"SELECT COUNT(*) FROM shop.{table} FOR SYSTEM_TIME ALL")
            current = self.clickhouse.query(f"SELECT count() FROM replica.{table} FINAL "
                                            "WHERE _penstock_is_deleted = 0")
            self.assertEqual(int(current), self.source.run(
                f"SELECT COUNT(*) FROM shop.{table}")[0][0])
            self.assertGreater(history[0][0], int(current))


class Versioning1011(Versioning, SystemTest):
    source_class = MariaDB1011


class Versioning1011NoMetadata(Versioning, SystemTest):
    source_class = MariaDB1011
    source_options = {"binlog_row_metadata": "NO_LOG"}


class Versioning118(Versioning, SystemTest):
    source_class = MariaDB118


class Versioning118NoMetadata(Versioning, SystemTest):
    source_class = MariaDB118
    source_options = {"binlog_row_metadata": "NO_LOG"}


class VersioningByTransaction(SystemTest):
    """The server logs changes of such a table as statements."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def test_is_refused_by_name(self):
        self.source.run(
            "CREATE DATABASE shop", "CREATE TABLE shop.precise (id INT PRIMARY KEY, "
            "s BIGINT UNSIGNED GENERATED ALWAYS AS ROW START, "
            "e BIGINT UNSIGNED GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (s, e)) "
            "WITH SYSTEM VERSIONING")
        with self.assertRaises(Exception) as caught:
            self.penstock.create(self.spec(["precise"]))
        self.assertIn("shop.precise is versioned by transaction", str(caught.exception))


if __name__ == "__main__":
    unittest.main()
