"""Chosen types, codecs, nullability; what became of values that ClickHouse cannot hold."""

import unittest

from harness.case import SystemTest
from harness.penstock import ApiError, mapping, pipe_spec
from harness.sources import MariaDB1011, MySQL97

COLUMNS = {
    # name: (type of the source, targetType, type in ClickHouse, [(value as SQL, as ClickHouse prints it)])
    "i": ("TINYINT NOT NULL", "Int64", "Int64", [("-128", "-128"), ("127", "127")]),
    "u": ("INT UNSIGNED NOT NULL", "Int64", "Int64", [("0", "0"), ("4294967295", "4294967295")]),
    "n": ("BIGINT UNSIGNED NULL", "String", "Nullable(String)",
          [("18446744073709551615", "18446744073709551615"), ("NULL", "\\N")]),
    "d": ("DECIMAL(10,2) NULL", "Decimal(40, 4)", "Nullable(Decimal(40, 4))",
          [("-12.30", "-12.3"), ("99999999.99", "99999999.99")]),
    "w": ("DECIMAL(30,5) NOT NULL", "String", "String",
          [("-0.00001", "-0.00001"), ("7", "7.00000")]),
    "day": ("DATE NULL", "String", "Nullable(String)",
            [("'0000-00-00'", "0000-00-00"), ("'9999-12-31'", "9999-12-31")]),
    "short": ("DATE NULL", "Date", "Nullable(Date)",
              [("'1960-01-01'", "1970-01-01"), ("'2024-02-29'", "2024-02-29")]),
    "at": ("DATETIME(3) NOT NULL", "String", "String",
           [("'1000-01-01 01:02:03.004'", "1000-01-01 01:02:03.004"),
            ("'2024-02-00 00:00:00'", "2024-02-00 00:00:00.000")]),
    "seen": ("TIMESTAMP NULL", "DateTime('Asia/Tokyo')", "Nullable(DateTime('Asia/Tokyo'))",
             [("'2024-01-01 00:00:00'", "2024-01-01 09:00:00"), ("NULL", "\\N")]),
    "took": ("TIME(1) NOT NULL", "String", "String",
             [("'-838:59:58.9'", "-838:59:58.9"), ("'01:02:03'", "01:02:03.0")]),
    "flag": ("TINYINT(1) NOT NULL", "Bool", "Bool", [("1", "true"), ("2", "true")]),
    "f": ("FLOAT NULL", "Float64", "Nullable(Float64)", [("1.5", "1.5"), ("NULL", "\\N")]),
    "word": ("VARCHAR(20) NULL", "LowCardinality(String)", "LowCardinality(Nullable(String))",
             [("'水'", "水"), ("NULL", "\\N")]),
    "e": ("ENUM('a','b''c') NOT NULL", "Enum8", "Enum8('' = 0, 'a' = 1, 'b\\'c' = 2)",
          [("'a'", "a"), ("'b''c'", "b\\'c")]),
    "fixed": ("BINARY(4) NOT NULL", "FixedString(4)", "FixedString(4)",
              [("'abcd'", "abcd"), ("x'65666768'", "efgh")]),
    "doc": ("JSON NULL", "JSON", "Nullable(JSON)",
            [("'{\"a\": [1, 2.5, \"x\"]}'", '{"a":[1,2.5,"x"]}'), ("'[1]'", "\\N")]),
    "y": ("YEAR NOT NULL", "String", "String", [("0", "0000"), ("2155", "2155")]),
}
# Of one writing of both rows: column, clamped, nulled, replaced.
CHANGES = {"short": (1, 0, 0), "flag": (1, 0, 0), "doc": (0, 1, 0)}


class Overrides:
    """Each value by both ways: row n and row n + 10 are equal."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def setUp(self):
        self.fresh_shop()

    def tearDown(self):
        self.delete_pipes()

    def spec_with(self, table, **options):
        return pipe_spec(self.source.endpoint(), self.clickhouse.endpoint(),
                         [{**mapping("shop", table), **options}, mapping("shop", "marker")])

    def write(self, offset):
        for row in range(2):
            values = ",".join(values[row][0] for *_, values in COLUMNS.values())
            self.source.run("SET sql_mode='ALLOW_INVALID_DATES'",
                            f"INSERT INTO shop.t VALUES ({row + offset},{values})")

    def test_chosen_types(self):
        self.source.run(
            "SET sql_mode=''", "CREATE TABLE shop.marker (id INT PRIMARY KEY)",
            "CREATE TABLE shop.t (id INT PRIMARY KEY, "
            + ",".join(f"`{name}` {kind}" for name, (kind, *_) in COLUMNS.items()) + ")")
        self.write(0)
        overrides = [{"sourceColumn": name, "targetType": target}
                     for name, (_, target, *_) in COLUMNS.items()]
        overrides[0]["codec"] = "Delta, ZSTD(3)"
        pipe = self.penstock.create(self.spec_with("t", columnOverrides=overrides))
        self.penstock.await_state(pipe, "Running")
        self.write(10)
        self.await_caught_up()
        for name, (_, _, declared, values) in COLUMNS.items():
            with self.subTest(column=name):
                self.assertEqual(declared + "\n", self.clickhouse.query(
                    "SELECT type FROM system.columns WHERE database = 'replica' AND table = 't' "
                    f"AND name = '{name}' FORMAT TSVRaw"))
                expected = "".join(f"{value}\n" for _, value in values * 2)
                self.assertEqual(expected, self.clickhouse.query(
                    f"SELECT `{name}` FROM replica.t FINAL ORDER BY id"))
        self.assertEqual("CODEC(Delta(8), ZSTD(3))\n", self.clickhouse.query(
            "SELECT compression_codec FROM system.columns WHERE database = 'replica' "
            "AND table = 't' AND name = 'i'"))
        self.assert_counted(pipe, 2)
        self.penstock.restart()
        self.penstock.await_state(pipe, "Running")
        self.write(20)
        self.await_caught_up()
        self.assert_counted(pipe, 3)

    def assert_counted(self, pipe, times):
        """Every changed value is counted, by both ways and across a restart; each kind is one event."""
        status = self.penstock.status(pipe)
        columns = {c["column"]: tuple(c[kind] // times for kind in ("clamped", "nulled", "replaced"))
                   for c in status["tables"][0]["changedColumns"]}
        self.assertEqual(CHANGES, columns)
        self.assertEqual(times * len(CHANGES), status["tables"][0]["valuesChanged"])
        code, out, err = self.penstock.cli("tables", status["name"])
        self.assertEqual(0, code, err)
        self.assertRegex(out, rf"shop\.t\.short +{times} +0 +0\n")
        code, out, err = self.penstock.cli("events", status["name"])
        self.assertEqual(len(CHANGES), out.count("value_changed"), out + err)
        self.assertIn("shop.t.doc holds a value", out)

    def test_null_becomes_the_default(self):
        self.source.run(
            "SET sql_mode=''", "CREATE TABLE shop.marker (id INT PRIMARY KEY)",
            "CREATE TABLE shop.n (id INT PRIMARY KEY, i INT, v VARCHAR(5), d DATE, t TIME(3), "
            "x DECIMAL(30,2), e ENUM('a','b'), f DOUBLE, b VARBINARY(3), ts TIMESTAMP NULL, j JSON)",
            "INSERT INTO shop.n (id) VALUES (1)")
        spec = self.spec_with("n")
        spec["source"]["mysql"]["settings"]["allowNullableColumns"] = False
        pipe = self.penstock.create(spec)
        self.penstock.await_state(pipe, "Running")
        self.source.run("INSERT INTO shop.n (id) VALUES (2)")
        self.await_caught_up()
        row = "0\t\t1970-01-01\t00:00:00.000\t0\t\t0\t\t1970-01-01 00:00:00\t\n"
        self.assertEqual(row * 2, self.clickhouse.query(
            "SELECT * EXCEPT (id, _penstock_version, _penstock_is_deleted, _penstock_synced_at) "
            "FROM replica.n FINAL ORDER BY id"))

    def test_refused_choices(self):
        self.source.run("CREATE TABLE shop.marker (id INT PRIMARY KEY)",
                        "CREATE TABLE shop.t (id INT PRIMARY KEY, v INT, at TIMESTAMP NULL)")
        for override, words in (
                ({"sourceColumn": "v", "targetType": "Int8"}, "cannot be Int8"),
                ({"sourceColumn": "absent", "codec": "LZ4"}, "absent, which does not exist"),
                ({"sourceColumn": "v", "codec": "LZ4) DEFAULT (1"}, "is no codec"),
                ({"sourceColumn": "at", "targetType": "DateTime('No/Where')"}, "No/Where"),
                ({"sourceColumn": "v"}, "targetType: give it, or codec")):
            with self.subTest(override=override):
                with self.assertRaises(ApiError) as refused:
                    self.penstock.create(self.spec_with("t", columnOverrides=[override]))
                self.assertIn(words, refused.exception.text)
                self.assertEqual([], self.penstock.pipes())

    def test_key_that_cannot_hold_a_value(self):
        """check warns and offers String; the row is never written; with String it is."""
        self.source.run("SET sql_mode=''", "CREATE TABLE shop.marker (id INT PRIMARY KEY)",
                        "CREATE TABLE shop.k (day DATE PRIMARY KEY, v INT)",
                        "INSERT INTO shop.k VALUES ('2024-01-01', 1)")
        spec = self.spec_with("k")
        report = self.penstock.check(spec)
        warnings = [f for f in report["findings"] if f["check"] == "key_values"
                    and f["severity"] == "warning"]
        self.assertEqual(1, len(warnings), report)
        self.assertIn("shop.k.day", warnings[0]["message"])
        self.assertIn("targetType: String", warnings[0]["remedy"])
        pipe = self.penstock.create(spec)
        self.penstock.await_state(pipe, "Running")
        self.source.run("SET sql_mode=''", "INSERT INTO shop.k VALUES ('0000-00-00', 2)")
        self.penstock.await_state(pipe, "Degraded")
        quarantined = self.penstock.status(pipe)["tables"][0]
        self.assertIn("day", quarantined["quarantine"]["reason"])
        self.assertEqual("1\n", self.clickhouse.query("SELECT count() FROM replica.k"))
        self.penstock.delete(pipe)
        self.clickhouse.query("DROP DATABASE replica SYNC")

        spec = self.spec_with("k", columnOverrides=[{"sourceColumn": "day", "targetType": "String"}])
        report = self.penstock.check(spec)
        self.assertEqual([], [f for f in report["findings"] if f["check"] == "key_values"
                              and f["severity"] == "warning"])
        pipe = self.penstock.create(spec)
        self.penstock.await_state(pipe, "Running")
        self.source.run("SET sql_mode=''", "DELETE FROM shop.k WHERE day = '2024-01-01'",
                        "INSERT INTO shop.k VALUES ('2024-00-00', 3), ('9999-12-31', 4)")
        self.await_caught_up()
        self.assertEqual("0000-00-00\t2\n2024-00-00\t3\n9999-12-31\t4\n", self.clickhouse.query(
            "SELECT day, v FROM replica.k FINAL WHERE NOT _penstock_is_deleted ORDER BY day"))
        self.penstock.delete(pipe)


class OverridesMySQL(Overrides, SystemTest):
    source_class = MySQL97


class OverridesMariaDB(Overrides, SystemTest):
    source_class = MariaDB1011


if __name__ == "__main__":
    unittest.main()
