"""Columns that are left out, labels that the server does not show, definitions while a load runs."""

import unittest

from harness import compare
from harness.case import SystemTest
from harness.penstock import ApiError, mapping, pipe_spec
from harness.sources import MariaDB118, MariaDB1011, MySQL97
from harness.wait import wait_until

# Types that a pipe cannot replicate at all in some version, or whose cells have forms of their own
# in the log, and a value of each.
ODD_MARIADB = {
    "g": ("GEOMETRY", "ST_GeomFromText('POINT(1 2)')"), "i6": ("INET6", "'2001:db8::1'"),
    "u": ("UUID", "'123e4567-e89b-12d3-a456-000000000000'"),
    "c10": ("VARCHAR(10) COMPRESSED", "'ababab'"),
    "c255": ("VARCHAR(255) COMPRESSED", "REPEAT('ab', 100)"),
    "c9k": ("VARCHAR(9000) COMPRESSED", "REPEAT('ab', 4000)"),
    "ct": ("TINYTEXT COMPRESSED", "REPEAT('x', 200)"),
    "cl": ("LONGBLOB COMPRESSED", "REPEAT('blob', 9000)")}
ODD_MARIADB118 = {**ODD_MARIADB, "v": ("VECTOR(3)", "VEC_FromText('[1,2,3]')")}
ODD_MYSQL = {"g": ("GEOMETRY", "ST_GeomFromText('POINT(1 2)')"),
             "p": ("POLYGON", "ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))')"),
             "v": ("VECTOR(3)", "STRING_TO_VECTOR('[1,2,3]')"),
             "j": ("JSON", "'{\"a\": [1, 2.5, null]}'")}
# Of all servers.
USUAL = {"de": ("DECIMAL(20,7)", "-12.5"), "bi": ("BIT(17)", "b'101'"), "tm": ("TIME(3)", "'-1:00'"),
         "ts": ("TIMESTAMP(5)", "'2024-02-29 01:02:03.5'"), "en": ("ENUM('a','b')", "'b'"),
         "se": ("SET('a','b')", "'a,b'"), "la": ("VARCHAR(20) CHARACTER SET latin1", "'é'"),
         "ch": ("CHAR(200)", "REPEAT('ü', 100)"), "lo": ("LONGTEXT", "REPEAT('z', 70000)")}


class Excluded:
    """A column that is left out may be of any type: changes of its table are followed."""

    odd = {}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def insert(self, number, filled):
        values = [value if filled else "NULL" for _, value in {**self.odd, **USUAL}.values()]
        self.source.run("SET sql_mode=''", f"INSERT INTO shop.odd VALUES ({number},"
                        f"{','.join(values)},{number * 10})")

    def test_changes_beside_excluded_columns(self):
        columns = {**self.odd, **USUAL}
        self.source.run("CREATE DATABASE shop", "CREATE TABLE shop.odd (id INT PRIMARY KEY,"
                        + ",".join(f"`{name}` {kind}" for name, (kind, _) in columns.items())
                        + ", last INT NOT NULL)")
        self.insert(1, filled=True)
        self.insert(2, filled=False)
        spec = self.spec([])
        spec["source"]["mysql"]["tableMappings"].append(
            mapping("shop", "odd", excludedColumns=list(columns)))
        pipe = self.penstock.create(spec)
        self.penstock.await_state(pipe, "Running")
        self.insert(3, filled=True)
        self.insert(4, filled=False)
        self.insert(5, filled=True)
        self.source.run("UPDATE shop.odd SET last = last + 1, en = 'a' WHERE id IN (1, 2, 3)",
                        "DELETE FROM shop.odd WHERE id = 5")
        self.await_caught_up()
        self.assertEqual(4 + 1, self.assert_equal(spec))
        self.assert_not_read(columns)

    def assert_not_read(self, columns):
        """Of the server's digests of statements; MariaDB keeps none by default."""
        selects = self.source.run(
            "SELECT digest_text FROM performance_schema.events_statements_summary_by_digest "
            "WHERE digest_text LIKE 'SELECT%FROM `shop`%`odd`%' AND digest_text NOT LIKE '%LIMIT%' "
            "AND digest_text NOT LIKE 'SELECT ?%'")  # what check asks, of no row
        if self.source_class is MySQL97:
            self.assertEqual(1, len(selects), selects)
        for (select,) in selects:
            for name in columns:
                self.assertNotIn(f"`{name}`", select)


class ExcludedMySQL(Excluded, SystemTest):
    source_class = MySQL97
    odd = ODD_MYSQL


class ExcludedMySQLMinimal(Excluded, SystemTest):
    source_class = MySQL97
    source_options = {"binlog_row_metadata": "MINIMAL"}
    odd = ODD_MYSQL


class ExcludedMariaDB(Excluded, SystemTest):
    source_class = MariaDB1011
    odd = ODD_MARIADB


class ExcludedMariaDB118(Excluded, SystemTest):
    source_class = MariaDB118
    source_options = {"binlog_row_metadata": "NO_LOG"}
    odd = ODD_MARIADB118


class Labels:
    """Characters beyond U+FFFF in labels: the server's own definitions show a '?' for each."""

    labels = {
        "e4": "ENUM('a','🚰x','c?','?','')", "e16": "ENUM('🚰','b?') CHARACTER SET utf16",
        "s4": "SET('🚰','b','c?')", "e3": "ENUM('a?','水') CHARACTER SET utf8mb3",
        "many": "ENUM(" + ",".join(f"'{n}?'" for n in range(700)) + ",'🚰🚰')"}
    rows = [("'🚰x'", "'🚰'", "'🚰,c?'", "'水'", "'🚰🚰'"), ("'c?'", "'b?'", "'b'", "'a?'", "'699?'"),
            ("'?'", "NULL", "''", "NULL", "'7?'"), ("''", "'b?'", "'🚰,b,c?'", "'a?'", "'0?'")]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()
        cls.source.run("CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY,"
                       + ",".join(f"`{name}` {kind}" for name, kind in cls.labels.items())
                       + ") CHARACTER SET utf8mb4")

    def setUp(self):
        self.source.run("DROP TABLE IF EXISTS shop.marker")
        self.clickhouse.query("DROP DATABASE IF EXISTS replica SYNC")

    def tearDown(self):
        self.delete_pipes()

    def write(self, offset):
        for number, values in enumerate(self.rows):
            self.source.run(f"INSERT INTO shop.t VALUES ({number + offset},{','.join(values)})")

    def test_labels_by_both_ways(self):
        self.write(0)
        spec = self.spec(["t"])
        pipe = self.penstock.create(spec)
        self.penstock.await_state(pipe, "Running")
        self.write(100)
        self.await_caught_up()
        self.assertEqual(2 * len(self.rows) + 1, self.assert_equal(spec))
        self.assertEqual("🚰x\t🚰\t🚰,c?\n", self.clickhouse.query(
            "SELECT e4, e16, s4 FROM replica.t FINAL WHERE id = 100"))


class LabelsMySQL(Labels, SystemTest):
    source_class = MySQL97


class LabelsMariaDB(Labels, SystemTest):
    source_class = MariaDB1011

    def test_labels_that_the_server_does_not_tell(self):
        """Of a long SET MariaDB tells only the '?': refused by name, unless it has none."""
        names = ",".join(f"'{n}'" for n in range(60))
        self.source.run(f"CREATE TABLE shop.plain (id INT PRIMARY KEY, s SET({names},'水'))",
                        f"CREATE TABLE shop.wide (id INT PRIMARY KEY, s SET({names},'🚰'))")
        self.penstock.create(self.spec(["plain"]))
        with self.assertRaises(ApiError) as refused:
            self.penstock.create(pipe_spec(self.source.endpoint(), self.clickhouse.endpoint(),
                                           [mapping("shop", "wide")], database="other"))
        self.assertIn("shop.wide", refused.exception.text)
        self.assertIn("exclude", refused.exception.text.lower())


class LabelsMariaDB118(Labels, SystemTest):
    source_class = MariaDB118


class WhileLoading:
    """What does not change how rows are read does not disturb a load."""

    rows = 60_000
    other_engine = ""
    recursion_limit = ""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()
        cls.source.run("CREATE DATABASE shop")

    def tearDown(self):
        self.delete_pipes()

    def load_and(self, create, *changes):
        """Changes the table's definition in the middle of its load."""
        self.source.run("DROP TABLE IF EXISTS shop.t", create,
                        f"SET {self.recursion_limit}=1000000",
                        "INSERT INTO shop.t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL "
                        f"SELECT i + 1 FROM n WHERE i < {self.rows}) SELECT i, i, i FROM n",
                        database="shop")
        self.clickhouse.query("DROP DATABASE IF EXISTS replica SYNC")
        spec = self.spec(["t"], initialLoadParallelism=1)
        pipe = self.penstock.create(spec)
        self.penstock.await_state(pipe, "Snapshot")
        self.penstock.order(pipe, "stop")
        self.penstock.await_state(pipe, "Paused")
        loaded = int(self.clickhouse.query("SELECT count() FROM replica.t FINAL"))
        self.assertLess(loaded, self.rows, "paused in the middle of the load")
        self.source.run(*changes)
        self.penstock.order(pipe, "start")
        self.penstock.await_state(pipe, "Running")
        self.await_caught_up()
        return spec

    def test_another_engine(self):
        spec = self.load_and("CREATE TABLE shop.t (id INT PRIMARY KEY, a INT, b INT)",
                             f"ALTER TABLE shop.t ENGINE={self.other_engine}")
        self.assert_equal(spec)

    def test_a_shorter_unique_key(self):
        self.load_and(
            "CREATE TABLE shop.t (id INT NOT NULL, a INT NOT NULL, b INT NOT NULL, UNIQUE k (id, a))",
            "ALTER TABLE shop.t ADD UNIQUE j (b)")
        wait_until(lambda: not compare.compare_table(
            self.source.connect, self.clickhouse.url, ("shop", "t"), ("replica", "t"),
            key=["id", "a"]).differences, "equal")


class WhileLoadingMySQL(WhileLoading, SystemTest):
    source_class = MySQL97
    other_engine = "MyISAM"
    recursion_limit = "cte_max_recursion_depth"


class WhileLoadingMariaDB(WhileLoading, SystemTest):
    source_class = MariaDB1011
    other_engine = "Aria"
    recursion_limit = "max_recursive_iterations"


if __name__ == "__main__":
    unittest.main()
