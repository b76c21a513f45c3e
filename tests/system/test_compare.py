"""The comparer itself: it must see one altered value, one missing row, one extra row."""

import unittest

from harness import compare
from harness.case import SystemTest
from harness.clickhouse import ClickHouse
from harness.sources import MariaDB1011, MySQL97

COLUMNS = {  # name: (type in the source, type in ClickHouse)
    "id": ("BIGINT UNSIGNED PRIMARY KEY", "UInt64"),
    "i": ("INT", "Nullable(Int32)"),
    "num": ("DECIMAL(65,30)", "Nullable(Decimal(65,30))"),
    "f": ("FLOAT", "Nullable(Float32)"),
    "d": ("DOUBLE", "Nullable(Float64)"),
    "b": ("BIT(64)", "Nullable(UInt64)"),
    "y": ("YEAR", "Nullable(UInt16)"),
    "t": ("VARCHAR(40)", "Nullable(String)"),
    "bin": ("VARBINARY(40)", "Nullable(String)"),
    "e": ("ENUM('a','b')", "LowCardinality(Nullable(String))"),
    "da": ("DATE", "Nullable(Date32)"),
    "dt": ("DATETIME(6)", "Nullable(DateTime64(6,'UTC'))"),
    "ts": ("TIMESTAMP(3) NULL", "Nullable(DateTime64(3,'UTC'))"),
    "ti": ("TIME(6)", "Nullable(Time64(6))"),
    "j": ("JSON", "Nullable(String)"),
}
# In a table of their own: name: (type in the source, type in ClickHouse, a value in the source's
# SQL, the same in ClickHouse's, another).
WKT = "'GEOMETRYCOLLECTION(POINT(1.5 -2),LINESTRING(0 0,1e22 0.1))'"
COMMON_COLUMNS = {
    "g": ("GEOMETRY", "Nullable(String)", f"ST_GeomFromText({WKT})", WKT,
          WKT.replace("0.1", "0.2")),
    "p": ("POINT", "Nullable(String)", "POINT(100000,-1)", "'POINT(1e5 -1)'", "'POINT(-1 100000)'"),
}
MARIADB_COLUMNS = {
    "u": ("UUID", "Nullable(UUID)", "'00112233-4455-1677-8899-aabbccddee00'",
          "'00112233-4455-1677-8899-aabbccddee00'", "'00112233-4455-1677-8899-aabbccddee01'"),
    "a": ("INET4", "Nullable(IPv4)", "'1.2.3.4'", "'1.2.3.4'", "'4.3.2.1'"),
    "s": ("INET6", "Nullable(IPv6)", "'fe80::1'", "'fe80::1'", "'fe80::100'"),
}
MYSQL_COLUMNS = {
    "v": ("VECTOR(3)", "Array(Float32)", "STRING_TO_VECTOR('[1,-2.5,0.1]')", "[1,-2.5,0.1]",
          "[1,-2.5]"),
}
# Values in the source's SQL; in ClickHouse's where that differs.
ROWS = [
    ["1", "-2147483648", "'-12345678901234567890123456789012345.000000000000000000000000000001'",
     "1.5", "0.1", ("b'1'", "1"), "1901", r"'täb\t\'\\ '", ("x'00FF0A'", r"unhex('00FF0A')"), "'a'",
     "'1900-01-01'", "'2024-02-29 23:59:59.999999'", "'2038-01-19 03:14:07.499'",
     "'-838:59:58.999999'", """'{"a": [1, "x"]}'"""],
    ["2", "0", "'0'", "-0.25", "-1.7976931348623157e308",
     ("b'1111111111111111111111111111111111111111111111111111111111111111'",
      "18446744073709551615"), "2155", "''", "''", "'b'", "'2299-12-31'",
     "'2299-12-31 23:59:59.999999'", "'1970-01-01 00:00:01.000'", "'08:05:00.000000'", "'[]'"],
    ["18446744073709551615"] + ["NULL"] * 14,
]


class Compare:
    """One source and one ClickHouse with the same rows, made by hand on each side."""

    special = {}

    @classmethod
    def setUpClass(cls):
        cls.start_source()
        cls.clickhouse = cls.use("clickhouse", ClickHouse)
        values = [["(" + ",".join(v if isinstance(v, str) else v[side] for v in row) + ")"
                   for row in ROWS] for side in (0, 1)]
        cls.source.run("CREATE DATABASE s", "CREATE TABLE s.t (" + ",".join(
            f"{name} {kind}" for name, (kind, _) in COLUMNS.items()) + ")",
                       "INSERT INTO s.t VALUES " + ",".join(values[0]))
        cls.target_values = values[1]

    def setUp(self):
        self.clickhouse.query("DROP DATABASE IF EXISTS d")
        self.clickhouse.query("CREATE DATABASE d")
        self.clickhouse.query("CREATE TABLE d.t (" + ",".join(
            f"{name} {kind}" for name, (_, kind) in COLUMNS.items()) +
            ", _penstock_version UInt64, _penstock_is_deleted UInt8) "
            "ENGINE = ReplacingMergeTree(_penstock_version, _penstock_is_deleted) ORDER BY id",
            enable_time_time64_type=1)
        self.clickhouse.query(f"INSERT INTO d.t ({','.join(COLUMNS)}) VALUES "
                              + ",".join(self.target_values))

    def compare(self):
        return compare.compare_table(self.source.connect, self.clickhouse.url, ("s", "t"),
                                     ("d", "t"))

    def assert_one_difference(self, *words):
        differences = self.compare().differences
        self.assertEqual(1, len(differences), differences)
        for word in words:
            self.assertIn(word, differences[0])

    def change(self, assignments, where):
        """A newer version of the rows, with other values."""
        self.clickhouse.query(f"INSERT INTO d.t SELECT * REPLACE ({assignments}) FROM "
                              f"(SELECT * FROM d.t WHERE {where})")

    def test_equal(self):
        result = self.compare()
        self.assertEqual([], result.differences)
        self.assertEqual(len(ROWS), result.rows)

    def test_each_altered_value_is_seen(self):
        altered = {
            "i": "1", "num": "toDecimal256('0.000000000000000000000000000001', 30)",
            "f": "toFloat32(-0.25000003)", "d": "-1.7976931348623155e308",
            "b": "18446744073709551614", "y": "2154", "t": "' '", "bin": "unhex('00')", "e": "''",
            "da": "toDate32('2299-12-30')", "dt": "dt - toIntervalMicrosecond(1)",
            "ts": "ts + toIntervalMillisecond(1)", "ti": "'08:05:00.000001'::Time64(6)", "j": "'[ ]'"}
        self.assertEqual(set(COLUMNS) - {"id"}, set(altered))
        for name, value in altered.items():
            with self.subTest(column=name):
                self.setUp()
                self.change(f"{value} AS {name}, 1 AS _penstock_version", "id = 2")
                self.assert_one_difference("id=2", name)

    def test_types_that_not_every_server_has(self):
        names = ",".join(["id", *self.special])
        self.source.run("CREATE TABLE s.special (id INT PRIMARY KEY, " + ",".join(
            f"{name} {column[0]}" for name, column in self.special.items()) + ")",
            f"INSERT INTO s.special VALUES (1, {','.join(c[2] for c in self.special.values())})",
            "INSERT INTO s.special (id) VALUES (2)")
        self.clickhouse.query("CREATE TABLE d.special (id Int32, " + ",".join(
            f"{name} {column[1]}" for name, column in self.special.items()) +
            ", _penstock_version UInt64, _penstock_is_deleted UInt8) "
            "ENGINE = ReplacingMergeTree(_penstock_version, _penstock_is_deleted) ORDER BY id")
        self.clickhouse.query("INSERT INTO d.special (id) VALUES (2)")

        def compared(version, **other):
            values = [other.get(name, column[3]) for name, column in self.special.items()]
            self.clickhouse.query(f"INSERT INTO d.special ({names}, _penstock_version) "
                                  f"VALUES (1, {','.join(values)}, {version})")
            return compare.compare_table(self.source.connect, self.clickhouse.url,
                                         ("s", "special"), ("d", "special")).differences
        self.assertEqual([], compared(1))
        for version, (name, column) in enumerate(self.special.items(), 2):
            for value in (column[4], "[]" if column[1].startswith("Array") else "NULL"):
                with self.subTest(column=name, value=value):
                    differences = compared(version, **{name: value})
                    self.assertEqual(1, len(differences), differences)
                    self.assertIn(f"id=1: {name} is", differences[0])

    def test_null_is_no_value(self):
        self.change("NULL AS t, 1 AS _penstock_version", "id = 2")
        self.assert_one_difference("t is '' in the source, NULL in ClickHouse")

    def test_missing_rows_are_seen(self):
        for row in (1, 2, 18446744073709551615):
            with self.subTest(row=row):
                self.setUp()
                self.change("1 AS _penstock_is_deleted, 1 AS _penstock_version", f"id = {row}")
                self.assert_one_difference(f"id={row}", "missing in ClickHouse")

    def test_extra_rows_are_seen(self):
        for row in (0, 10, 18446744073709551614):
            with self.subTest(row=row):
                self.setUp()
                self.change(f"{row} AS id", "id = 2")
                self.assert_one_difference(f"id={row}", "only in ClickHouse")

    def test_missing_column_is_seen(self):
        self.clickhouse.query("ALTER TABLE d.t DROP COLUMN t")
        self.assert_one_difference("columns missing in ClickHouse: ['t']")


class CompareMariaDB(Compare, SystemTest):
    source_class = MariaDB1011
    special = {**COMMON_COLUMNS, **MARIADB_COLUMNS}


class CompareMySQL(Compare, SystemTest):
    source_class = MySQL97
    special = {**COMMON_COLUMNS, **MYSQL_COLUMNS}


if __name__ == "__main__":
    unittest.main()
