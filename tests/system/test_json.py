"""JSON documents of MySQL: the same text by snapshot, by the log, and by differences in the log."""

import contextlib
import json
import random
import unittest

import pymysql

from harness.case import SystemTest, new_seed, rounds
from harness.documents import DUPLICATE, TOO_DEEP, Documents, Edits
from harness.sources import MySQL97

ROWS = 1500
EDITS = 3000


class JsonDocuments(SystemTest):
    """Thousands of random documents, made by SQL."""

    source_class = MySQL97

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def insert(self, documents, count):
        statements = [f"INSERT INTO shop.whole (j) VALUES "
                      f"{', '.join(f'({documents.document()})' for _ in range(25))}"
                      for _ in range(count // 25)]
        self.source.run("SET sql_mode=''", *statements)

    def test_same_text_both_ways(self):
        documents = Documents(random.Random(new_seed()))
        self.source.run("CREATE DATABASE shop", "CREATE TABLE shop.whole "
                        "(id INT AUTO_INCREMENT PRIMARY KEY, twin INT, j JSON)")
        self.insert(documents, ROWS)
        spec = self.spec(["whole"])
        self.penstock.await_state(self.penstock.create(spec), "Running")
        # Each of the snapshot's documents once more, now from the log.
        self.source.run("INSERT INTO shop.whole (twin, j) SELECT id, j FROM shop.whole")
        self.insert(documents, rounds(1) * ROWS)
        self.await_caught_up()
        self.assertGreaterEqual(self.assert_equal(spec), 3 * ROWS)
        self.assertEqual("", self.clickhouse.query(
            "SELECT log.id FROM replica.whole AS log FINAL JOIN replica.whole AS snapshot FINAL "
            "ON log.twin = snapshot.id WHERE log.j != snapshot.j"))


class PartialJson:
    """Thousands of random edits of which the log holds only differences."""

    source_class = MySQL97

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def start_pipe(self):
        documents = Documents(self.random)
        self.source.run("CREATE DATABASE shop", "SET sql_mode=''", "CREATE TABLE shop.docs "
                        "(id INT PRIMARY KEY, j JSON, note VARCHAR(20), k JSON, n INT, w JSON)",
                        *(f"INSERT INTO shop.docs VALUES ({n}, {documents.document()}, 'note', "
                          f"{documents.document() if n % 4 else 'NULL'}, 0, "
                          f"{documents.document() if n % 3 else 'NULL'})" for n in range(300)))
        spec = self.spec(["docs"])
        self.pipe = self.penstock.create(spec)
        self.penstock.await_state(self.pipe, "Running")
        return spec

    def assignments(self, row):
        """What an update changes: mostly j by an edit, others by an edit, as a whole, or not."""
        edits, documents, r = Edits(self.random), Documents(self.random), self.random
        changes = []
        for column, text in zip("jkw", row[1:]):
            chance = r.random()
            # A document that grows without end would only make the test slow.
            if text is None or len(text) > 100_000 or chance < 0.03:
                changes.append(f"{column} = {documents.document()}")
            elif chance < (0.8 if column == "j" else 0.3):
                changes.append(f"{column} = {edits.edit(column, json.loads(text))}")
            elif chance > 0.98:
                changes.append(f"{column} = NULL")
        if r.random() < 0.3 or not changes:
            changes.append("n = n + 1")
        if r.random() < 0.05:
            changes.append("id = id + 1000")
        return ", ".join(changes)

    def change(self, cursor):
        """One statement; those that the server itself refuses are none."""
        r = self.random
        cursor.execute("SELECT id, j, k, w FROM docs ORDER BY id LIMIT 1 OFFSET %s",
                       (r.randrange(300),))
        row = cursor.fetchone()
        last = row[0] + r.choice([0, 0, 0, 3, 20])
        statement = (f"UPDATE docs SET {self.assignments(row)} WHERE id BETWEEN {row[0]} AND {last} "
                     "ORDER BY id DESC")
        try:
            cursor.execute(statement)
        except pymysql.MySQLError as error:
            if error.args[0] not in (TOO_DEEP, DUPLICATE):
                raise AssertionError(f"{error} in {statement[:3000]}") from error

    def partial_events(self):
        """How many events of the log hold differences."""
        return sum(1 for (name, *_) in self.source.run("SHOW BINARY LOGS")
                   for event in self.source.run(f"SHOW BINLOG EVENTS IN '{name}'")
                   if event[2] == "Update_rows_partial")

    def test_differences_are_applied(self):
        self.random = random.Random(new_seed())
        spec = self.start_pipe()
        with contextlib.closing(self.source.connect(database="shop")) as connection:
            with connection.cursor() as cursor:
                cursor.execute("SET sql_mode=''")
                for number in range(rounds(1) * EDITS):
                    self.change(cursor)
                    if number % 1000 == 999:
                        self.await_caught_up()
                        self.assert_equal(spec)
        self.assertGreater(self.partial_events(), EDITS // 2)
        self.assertEqual("Running", self.penstock.state(self.pipe))


class PartialJsonFullMetadata(PartialJson, SystemTest):
    source_options = {"binlog_row_value_options": "PARTIAL_JSON"}


class PartialJsonMinimalMetadata(PartialJson, SystemTest):
    source_options = {"binlog_row_value_options": "PARTIAL_JSON", "binlog_row_metadata": "MINIMAL"}


class PartialJsonWithoutDocuments(SystemTest):
    """A session whose row image is MINIMAL: the earlier document is not in the log."""

    source_class = MySQL97

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def test_the_pipe_says_what_to_do(self):
        self.source.run("CREATE DATABASE shop", "CREATE TABLE shop.docs (id INT PRIMARY KEY, j JSON)",
                        "INSERT INTO shop.docs VALUES (1, '{\"a\": \"a text of some length\"}')")
        pipe = self.penstock.create(self.spec(["docs"]))
        self.penstock.await_state(pipe, "Running")
        self.source.run(
            "SET binlog_row_image = 'MINIMAL', binlog_row_value_options = 'PARTIAL_JSON'",
            "UPDATE shop.docs SET j = JSON_SET(j, '$.a', 'x')")
        self.penstock.await_state(pipe, "Degraded")
        self.assertIn("binlog_row_image", json.dumps(self.penstock.status(pipe)))


if __name__ == "__main__":
    unittest.main()
