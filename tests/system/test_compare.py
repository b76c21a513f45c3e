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


class CompareMySQL(Compare, SystemTest):
    source_class = MySQL97


if __name__ == "__main__":
    unittest.main()
