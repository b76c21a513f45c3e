"""Every type at its limits, by snapshot and by the log: equal to the source, and to each other."""

import unittest

from harness.case import SystemTest
from harness.penstock import mapping, pipe_spec
from harness.sources import MariaDB118, MariaDB1011, MySQL97
from harness.wait import wait_until

LONG_ENUM = ",".join(f"'member{n}'" for n in range(300))
SET_64 = ",".join(f"'m{n}'" for n in range(64))
ALL_64 = ",".join(f"m{n}" for n in range(64))
DATES = ["'0000-00-00'", "'2024-00-15'", "'2024-02-00'", "'1000-01-01'", "'1899-12-31'", "'1900-01-01'",
         "'1969-12-31'", "'1970-01-01'", "'2024-02-29'", "'2299-12-31'", "'2300-01-01'", "'9999-12-31'"]
# Column: (type, values as SQL). NULL is tried for every column besides.
TYPES = {
    "ti": ("TINYINT", ["-128", "127", "0"]),
    "tu": ("TINYINT UNSIGNED", ["0", "255"]),
    "t1": ("TINYINT(1)", ["-1", "0", "1", "2", "127"]),
    "si": ("SMALLINT", ["-32768", "32767"]),
    "su": ("SMALLINT UNSIGNED", ["0", "65535"]),
    "mi": ("MEDIUMINT", ["-8388608", "8388607", "-1"]),
    "mu": ("MEDIUMINT UNSIGNED", ["0", "16777215", "8388608"]),
    "ii": ("INT", ["-2147483648", "2147483647"]),
    "iu": ("INT UNSIGNED", ["0", "4294967295"]),
    "iz": ("INT(8) ZEROFILL", ["42"]),
    "bi": ("BIGINT", ["-9223372036854775808", "9223372036854775807"]),
    "bu": ("BIGINT UNSIGNED", ["0", "18446744073709551615"]),
    "d2": ("DECIMAL(10,2)", ["12.30", "-12.30", "-99999999.99", "99999999.99", "0", "-0.01"]),
    "d0": ("DECIMAL(18,0)", ["999999999999999999", "-999999999999999999", "7"]),
    "d19": ("DECIMAL(19,4)", ["999999999999999.9999", "-0.0001"]),
    "d38": ("DECIMAL(38,10) UNSIGNED", ["9999999999999999999999999999.9999999999", "0.0000000001"]),
    "d65": ("DECIMAL(65,30)", ["-99999999999999999999999999999999999.999999999999999999999999999999",
                               "0.000000000000000000000000000001", "1"]),
    "d5": ("DECIMAL(5,5)", ["0.99999", "-0.00001"]),
    "fl": ("FLOAT", ["0.1", "-1.5", "3.4028234e38", "1.17549435e-38", "16777216", "1e-45"]),
    "db": ("DOUBLE", ["0.1", "-1.7976931348623157e308", "2.2250738585072014e-308", "5e-324",
                      "123456789.123456789", "0.30000000000000004", "1e22", "9007199254740993"]),
    "b1": ("BIT(1)", ["b'0'", "b'1'"]),
    "b10": ("BIT(10)", ["b'1111111111'", "b'1000000001'"]),
    "b64": ("BIT(64)", ["0xFFFFFFFFFFFFFFFF", "0x8000000000000000", "b'1'"]),
    "ye": ("YEAR", ["1901", "2155", "0", "2024"]),
    "ch": ("CHAR(10)", ["'abc'", "''", "'a  '", "'ñ水🚰'", "REPEAT('🚰',10)"]),
    "vc": ("VARCHAR(20)", ["'abc'", "''", "'a  '", "'\\0x'", "'ñ水🚰'", "'tab\\tnew\\nquote\\''"]),
    "vl": ("VARCHAR(2000)", ["REPEAT('水',2000)", "REPEAT('a',255)", "REPEAT('a',256)"]),
    "tt": ("TINYTEXT", ["REPEAT('a',255)", "''"]),
    "tx": ("TEXT", ["REPEAT('é',30000)", "'x'"]),
    "mt": ("MEDIUMTEXT", ["REPEAT('z',70000)", "'水'"]),
    "lt": ("LONGTEXT", ["REPEAT('long ',400000)", "''"]),
    "bn": ("BINARY(16)", ["x'00'", "x'FF00'", "REPEAT('a',16)"]),
    "vb": ("VARBINARY(300)", ["''", "x'00FF00'", "REPEAT(x'FE',300)"]),
    "tb": ("TINYBLOB", ["x'00'", "REPEAT(x'0D0A',100)"]),
    "bl": ("BLOB", ["REPEAT(x'00FF',30000)", "''"]),
    "mb": ("MEDIUMBLOB", ["REPEAT(x'80',70000)"]),
    "lb": ("LONGBLOB", ["REPEAT(x'00010203',500000)", "x'C3'"]),
    "da": ("DATE", DATES),
    "dt0": ("DATETIME", [d[:-1] + " 12:34:56'" for d in DATES]),
    "dt3": ("DATETIME(3)", ["'1900-01-01 00:00:00.001'", "'2299-12-31 23:59:59.999'",
                            "'9999-12-31 23:59:59.999'", "'1969-12-31 23:59:59.5'"]),
    "dt6": ("DATETIME(6)", ["'1000-01-01 00:00:00.000001'", "'2024-06-30 23:59:59.999999'",
                            "'9999-12-31 23:59:59.999999'", "'0000-00-00 00:00:00'"]),
    "ts0": ("TIMESTAMP", ["'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'", "'0000-00-00 00:00:00'"]),
    "ts2": ("TIMESTAMP(2)", ["'2024-03-31 01:30:00.25'", "'2024-10-27 01:30:00.99'"]),
    "ts6": ("TIMESTAMP(6)", ["'1970-01-01 00:00:01.000001'", "'2038-01-19 03:14:07.499999'"]),
    "tm0": ("TIME", ["'-838:59:59'", "'838:59:59'", "'00:00:00'", "'-00:00:01'"]),
    "tm1": ("TIME(1)", ["'-00:00:00.1'", "'08:05:09.9'"]),
    "tm4": ("TIME(4)", ["'-123:45:06.0001'", "'12:00:00.9999'"]),
    "tm6": ("TIME(6)", ["'-838:59:58.999999'", "'838:59:58.999999'", "'-00:00:00.000001'"]),
    "en": ("ENUM('a','B','水','')", ["'a'", "'水'", "''", "'not one of them'"]),
    "el": (f"ENUM({LONG_ENUM})", ["'member0'", "'member255'", "'member299'"]),
    "se": ("SET('x','y','z')", ["''", "'x'", "'z,x'"]),
    "sl": (f"SET({SET_64})", [f"'{ALL_64}'", "'m63'", "''"]),
    "js": ("JSON", ["'null'", "'true'", "'{}'", "'[]'", "'17'", "'-1'", "'18446744073709551615'",
                    "'-9223372036854775808'", "'1.5'", "'0.1'", "'1e100'", "'\"\"'",
                    "'{\"b\": [1, 2.50, null, {\"c\": \"é水🚰\"}], \"a\": \"q\\\\\"\\\\\\\\ \\\\u0001 /\"}'",
                    "'{\"\": 1, \"aa\": 2, \"b\": 3}'"]),
}
# MySQL's JSON holds more than text says; what is larger than 64 KiB has another binary form.
MYSQL_JSON = ["CAST(1.10 AS JSON)", "CAST(CAST('2024-02-29' AS DATE) AS JSON)",
              "CAST(CAST('2024-02-29 01:02:03.000004' AS DATETIME(6)) AS JSON)",
              "CAST(CAST('-12:00:00.5' AS TIME(6)) AS JSON)", "CAST(x'00FF' AS JSON)",
              "JSON_OBJECT('long', REPEAT('x', 100000), 'n', 1)",
              "JSON_ARRAY(REPEAT('a', 200), 1e0, 100000, 5000000000, 1.0E0, 123456.789E10)"]


class Types:
    """One table of nullable columns and one of not-null ones; each row is written twice."""

    types = TYPES
    copies = 1000  # the second writing of row n is row n + copies

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def values(self, nullable):
        """Rows that together hold every value of every column."""
        rows = max(len(values) for _, values in self.types.values()) + nullable
        for row in range(rows):
            yield ["NULL" if nullable and row == rows - 1 else values[row % len(values)]
                   for _, values in self.types.values()]

    def write(self, table, offset):
        for number, values in enumerate(self.values(table == "nullable"), 1):
            self.source.run("SET sql_mode='ALLOW_INVALID_DATES'",
                            f"INSERT INTO types.`{table}` VALUES ({number + offset},"
                            f"{','.join(values)})")

    def assert_same_both_ways(self, table):
        columns = [f"hex(toString(`{name}`))" if self.types[name][0] != "DOUBLE"
                   and self.types[name][0] != "FLOAT" else f"toString(`{name}`)"
                   for name in self.types]
        rows = self.clickhouse.query(
            f"SELECT id % {self.copies} AS n, uniqExact(tuple({','.join(columns)})) AS different, "
            f"count() FROM replica.`{table}` FINAL GROUP BY n "
            "HAVING different != 1 OR count() != 2")
        self.assertEqual("", rows, f"rows of {table} that differ between snapshot and log")

    def test_every_value_both_ways(self):
        self.source.run("CREATE DATABASE types")
        for table, null in (("nullable", "NULL"), ("given", "NOT NULL")):
            self.source.run("SET sql_mode=''", f"CREATE TABLE types.`{table}` (id INT PRIMARY KEY, "
                            + ",".join(f"`{name}` {kind} {null}"
                                       for name, (kind, _) in self.types.items()) + ")")
            self.write(table, 0)
        spec = pipe_spec(self.source.endpoint(), self.clickhouse.endpoint(),
                         [mapping("types", "nullable"), mapping("types", "given")])
        pipe = self.penstock.create(spec)
        self.penstock.await_state(pipe, "Running")
        for table in ("nullable", "given"):
            self.write(table, self.copies)
        wanted = {table: int(self.source.run(f"SELECT COUNT(*) FROM types.`{table}`")[0][0])
                  for table in ("nullable", "given")}
        for table, count in wanted.items():
            wait_until(lambda t=table, n=count: self.clickhouse.query(
                f"SELECT count() FROM replica.`{t}` FINAL") == f"{n}\n", f"{count} rows in {table}")
        self.assert_equal(spec, seconds=2)
        for table in ("nullable", "given"):
            self.assert_same_both_ways(table)
        self.delete_all(wanted)

    def delete_all(self, tables):
        """Whole rows as the log tells them, taken away again."""
        for table in tables:
            self.source.run(f"UPDATE types.`{table}` SET ti = 1", f"DELETE FROM types.`{table}`")
        for table in tables:
            wait_until(lambda t=table: self.clickhouse.query(
                f"SELECT count() FROM replica.`{t}` FINAL WHERE NOT _penstock_is_deleted") == "0\n",
                f"no rows in {table}")


class TypesMariaDB(Types, SystemTest):
    source_class = MariaDB1011


class TypesMariaDB118(Types, SystemTest):
    """In a server whose own time zone is another."""

    source_class = MariaDB118
    source_options = {"default_time_zone": "-03:30"}


class TypesMySQL(Types, SystemTest):
    source_class = MySQL97
    types = {**TYPES, "js": ("JSON", TYPES["js"][1] + MYSQL_JSON)}


class TypesMySQLMinimal(Types, SystemTest):
    """No metadata about the columns in the log; a server whose own time zone is another."""

    source_class = MySQL97
    source_options = {"binlog_row_metadata": "MINIMAL", "default_time_zone": "+05:45"}
    types = {**TYPES, "js": ("JSON", TYPES["js"][1] + MYSQL_JSON)}


class Keys:
    """Key columns of many types: every row is found again by the log's changes."""

    keys = {
        "ints": "a INT UNSIGNED, b SMALLINT", "text": "a VARCHAR(50), b CHAR(5)",
        "dec": "a DECIMAL(20,3), b TINYINT", "days": "a DATE, b DATETIME(3)",
        "bins": "a BINARY(4), b VARBINARY(10)", "enums": "a ENUM('z','y','x'), b INT",
        "moments": "a TIMESTAMP(6), b YEAR"}
    samples = {
        "ints": [("4294967295", "-1"), ("0", "5"), ("7", "0")],
        "text": [("'b'", "'x'"), ("'B2'", "'x'"), ("''", "''"), ("'水 '", "'ü'")],
        "dec": [("-1.5", "1"), ("99999999999999999.999", "1"), ("0", "0")],
        "days": [("'2024-02-29'", "'1970-01-01 00:00:00.001'"), ("'1900-01-01'", "'2299-12-31'")],
        "bins": [("x'00'", "''"), ("x'FFFF'", "x'00'"), ("'abcd'", "'z'")],
        "enums": [("'z'", "1"), ("'x'", "1"), ("'y'", "-1")],
        "moments": [("'2024-10-27 01:30:00.000001'", "2024"), ("'1970-01-01 00:00:01'", "1901")]}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def test_keys_of_many_types(self):
        self.source.run("CREATE DATABASE `keys`")
        for table, columns in self.keys.items():
            self.source.run(f"CREATE TABLE `keys`.`{table}` ({columns}, v INT, PRIMARY KEY (a, b))",
                            *(f"INSERT INTO `keys`.`{table}` VALUES ({a}, {b}, 1)"
                              for a, b in self.samples[table]))
        spec = self.spec(self.keys, schema="keys")
        pipe = self.penstock.create(spec)
        self.penstock.await_state(pipe, "Running")
        for table, rows in self.samples.items():
            first, last = rows[0], rows[-1]
            self.source.run(
                f"UPDATE `keys`.`{table}` SET v = 2",
                f"DELETE FROM `keys`.`{table}` WHERE a = {last[0]} AND b = {last[1]}",
                f"INSERT INTO `keys`.`{table}` VALUES ({last[0]}, {last[1]}, 3)",
                f"DELETE FROM `keys`.`{table}` WHERE a = {first[0]} AND b = {first[1]}")
        self.await_caught_up(schema="keys")
        self.assert_equal(spec)


class KeysMariaDB(Keys, SystemTest):
    source_class = MariaDB1011


class KeysMySQL(Keys, SystemTest):
    source_class = MySQL97


if __name__ == "__main__":
    unittest.main()
