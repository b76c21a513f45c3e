"""Every type at its limits, by snapshot and by the log: equal to the source, and to each other."""

import unittest

from harness.case import SystemTest
from harness.penstock import ApiError, mapping, pipe_spec
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


def geometries(*texts):
    return [f"ST_GeomFromText('{text}')" for text in texts]


COLLECTIONS = geometries("GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(0 0,-1 1e300))",
                         "GEOMETRYCOLLECTION EMPTY")
TYPES |= {
    "ge": ("GEOMETRY", geometries("POINT(100000 -0.1)", "LINESTRING(0 0,1e-6 123456789.125)") +
           ["ST_GeomFromText('POINT(45.5 -120.25)', 4326)"] + COLLECTIONS),
    "gp": ("POINT", geometries("POINT(1 2)", "POINT(0.30000000000000004 5e-324)",
                               "POINT(1.7976931348623157e308 -1e22)")),
    "gl": ("LINESTRING", geometries("LINESTRING(0 0,1 1)", "LINESTRING(1e15 1e14,1e-5 9.9e-6)")),
    "ga": ("POLYGON", geometries("POLYGON((0 0,10 0,10 10,0 0),(5 5,7 5,7 7,5 5))")),
    "gmp": ("MULTIPOINT", geometries("MULTIPOINT(0 0,1 1)", "MULTIPOINT(1 1)")),
    "gml": ("MULTILINESTRING", geometries("MULTILINESTRING((0 0,1 1),(2 2,3 3,4 4))")),
    "gma": ("MULTIPOLYGON", geometries("MULTIPOLYGON(((0 0,10 0,10 10,0 0)),"
                                       "((1 1,9 1,9 9,1 1),(2 2,3 2,3 3,2 2)))")),
    "gc": ("GEOMETRYCOLLECTION", COLLECTIONS),
}
# MySQL's JSON holds more than text says; what is larger than 64 KiB has another binary form.
MYSQL_JSON = ["CAST(1.10 AS JSON)", "CAST(CAST('2024-02-29' AS DATE) AS JSON)",
              "CAST(CAST('2024-02-29 01:02:03.000004' AS DATETIME(6)) AS JSON)",
              "CAST(CAST('-12:00:00.5' AS TIME(6)) AS JSON)", "CAST(x'00FF' AS JSON)",
              "JSON_OBJECT('long', REPEAT('x', 100000), 'n', 1)",
              "JSON_ARRAY(REPEAT('a', 200), 1e0, 100000, 5000000000, 1.0E0, 123456.789E10)"]
MYSQL_TYPES = {
    **TYPES, "js": ("JSON", TYPES["js"][1] + MYSQL_JSON),
    "gc": ("GEOMETRYCOLLECTION", COLLECTIONS + geometries(
        "GEOMETRYCOLLECTION(GEOMETRYCOLLECTION EMPTY,GEOMETRYCOLLECTION(POINT(3 4)))")),
    "ve": ("VECTOR(70)", ["STRING_TO_VECTOR('[1,-2.5,3.4e38,1e-37,0]')", "x'FFFF7F7F01000080'",
                          "STRING_TO_VECTOR(CONCAT('[0.1', REPEAT(',0',69), ']'))"]),
}
MARIADB_TYPES = {
    **TYPES,
    "y2": ("YEAR(2)", ["99", "0", "1", "70"]),
    "uu": ("UUID", ["'00112233-4455-6677-8899-aabbccddeeff'",  # the server stores these two in
                    "'00112233-4455-1677-8899-aabbccddee00'",  # another order each
                    "'00000000-0000-0000-0000-000000000000'",
                    "'ffffffff-ffff-ffff-ffff-ffffffffffff'"]),
    "i4": ("INET4", ["'1.2.3.4'", "'0.0.0.0'", "'255.255.255.255'", "'10.0.0.0'", "'0.0.0.1'"]),
    "i6": ("INET6", ["'2001:db8::1'", "'::'", "'::ffff:1.2.3.0'", "'fe80::'",
                     "'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'"]),
    "cv": ("VARCHAR(300) COMPRESSED", ["REPEAT('水',300)", "''", "'a'", "REPEAT('ab',150)"]),
    "cb": ("VARBINARY(254) COMPRESSED", ["x'00'", "REPEAT(x'FF00',127)", "''"]),
    "ct": ("TEXT COMPRESSED", ["REPEAT('é',30000)", "'plain'", "CONCAT(MD5(1),MD5(2),MD5(3))"]),
    "cl": ("LONGBLOB COMPRESSED", ["REPEAT(x'00010203',500000)", "''", "x'8A00'"]),
}
DEFLATE_SETTINGS = [
    f"SET column_compression_threshold={threshold}, column_compression_zlib_wrap={wrap}, "
    f"column_compression_zlib_level={level}, column_compression_zlib_strategy={strategy}"
    for threshold, wrap, level, strategy in (
        (100, 0, 6, "DEFAULT_STRATEGY"), (0, 0, 1, "FILTERED"), (0, 1, 9, "HUFFMAN_ONLY"),
        (1000000000, 1, 6, "RLE"), (0, 1, 1, "FIXED"))]


class Types:
    """One table of nullable columns and one of not-null ones; each row is written twice."""

    types = TYPES
    settings = ["SET @unused=0"]  # of the sessions that write, in turn
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
                            self.settings[number % len(self.settings)],
                            f"INSERT INTO types.`{table}` VALUES ({number + offset},"
                            f"{','.join(values)})")
        if table == "given":
            self.write_defaults(offset)

    def write_defaults(self, offset):
        """A row of what the server stores where it is given nothing and must not store NULL."""
        given = {"id": str(self.copies - 1 + offset)}
        if "js" in self.types:  # '' is none
            given["js"] = "'[]'"
        if self.source.family == "mysql":  # has no default for geometries
            given |= {name: values[0] for name, (_, values) in self.types.items()
                      if values[0].startswith("ST_")}
        self.source.run("SET sql_mode=''", f"INSERT INTO types.given ({','.join(given)}) VALUES "
                        f"({','.join(given.values())})")

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
    types = MARIADB_TYPES
    settings = DEFLATE_SETTINGS


class TypesMariaDB118(Types, SystemTest):
    """In a server whose own time zone is another."""

    source_class = MariaDB118
    source_options = {"default_time_zone": "-03:30"}
    settings = DEFLATE_SETTINGS
    types = {
        **MARIADB_TYPES,
        "ts6": ("TIMESTAMP(6)", TYPES["ts6"][1] + ["'2106-02-07 06:28:15.999999'",
                                                   "'2038-01-19 03:14:08'"]),
        "ve": ("VECTOR(3)", ["VEC_FromText('[1,-2.5,0.1]')", "VEC_FromText('[0,0,0]')",
                             "x'FFFF7F7F0100008000000000'"]),
        "vel": ("VECTOR(70)", ["VEC_FromText(CONCAT('[0.1', REPEAT(',0',69), ']'))"]),
    }


class TypesMySQL(Types, SystemTest):
    source_class = MySQL97
    types = MYSQL_TYPES


class TypesMySQLMinimal(Types, SystemTest):
    """No metadata about the columns in the log; a server whose own time zone is another."""

    source_class = MySQL97
    source_options = {"binlog_row_metadata": "MINIMAL", "default_time_zone": "+05:45"}
    types = MYSQL_TYPES


class OldTemporals(Types):
    """Columns made with MariaDB's mysql56_temporal_format=OFF, and a log without metadata."""

    source_options = {"mysql56_temporal_format": "OFF", "binlog_row_metadata": "NO_LOG"}
    types = {"ti": ("TINYINT", ["1"])} | {
        f"{kind.lower()}{digits}": (f"{kind}({digits})", values)
        for kind, values in (
            ("DATETIME", ["'2024-02-29 12:34:56.123456'", "'0000-00-00 00:00:00'",
                          "'9999-12-31 23:59:59.999999'", "'1900-01-01 00:00:00.000001'",
                          "'2024-00-15 00:00:00.5'", "'1969-12-31 23:59:59.5'"]),
            ("TIMESTAMP", ["'2024-02-29 12:34:56.123456'", "'0000-00-00 00:00:00'",
                           "'1970-01-01 00:00:01.000001'", "'2038-01-19 03:14:07.999999'"]),
            ("TIME", ["'12:34:56.123456'", "'-838:59:59.999999'", "'838:59:59.999999'",
                      "'-00:00:00.000001'", "'-12:34:56.75'", "'00:00:00'"]))
        for digits in range(7)}


class OldTemporalsMariaDB(OldTemporals, SystemTest):
    source_class = MariaDB1011


class OldTemporalsMariaDB118(OldTemporals, SystemTest):
    source_class = MariaDB118


class Generated:
    """Generated, invisible and hidden columns under changes of every kind."""

    tables = {}  # name: columns and keys beside id, a, t

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def create_tables(self):
        self.source.run("CREATE DATABASE gen", *(
            f"CREATE TABLE gen.`{name}` (id INT PRIMARY KEY, a INT, t VARCHAR(40), {columns})"
            for name, columns in self.tables.items()))

    def change(self, first):
        for name in self.tables:
            table, rows = f"gen.`{name}`", range(first, first + 8)
            self.source.run(
                *(f"INSERT INTO {table} (id, a, t) VALUES ({n}, {n * 7}, 'Text {n}')"
                  for n in rows),
                f"INSERT INTO {table} (id) VALUES ({first + 8})",
                f"UPDATE {table} SET a = a + 1 WHERE id >= {first + 2}",
                f"UPDATE {table} SET t = CONCAT(t, '!') WHERE id = {first + 3}",
                f"UPDATE {table} SET a = NULL, t = NULL WHERE id = {first + 4}",
                f"REPLACE INTO {table} (id, a, t) VALUES ({first + 5}, 5, 'replaced')",
                f"INSERT INTO {table} (id, a, t) VALUES ({first + 6}, 1, 'no') "
                "ON DUPLICATE KEY UPDATE a = 66",
                f"DELETE FROM {table} WHERE id = {first + 7}",
                f"UPDATE {table} SET id = {first + 9} WHERE id = {first + 8}")

    def test_by_both_ways(self):
        self.create_tables()
        self.change(0)
        spec = self.spec(self.tables, schema="gen")
        pipe = self.penstock.create(spec)
        self.penstock.await_state(pipe, "Running")
        self.change(100)
        self.await_caught_up(schema="gen")
        self.assertGreater(self.assert_equal(spec), 15 * len(self.tables))


GENERATED = {
    "numbers": "v INT AS (a * 2) VIRTUAL, s INT AS (a * 3) STORED, b INT DEFAULT 5, INDEX (v)",
    "texts": "v VARCHAR(50) AS (CONCAT(t, '?')) VIRTUAL, s TEXT AS (UPPER(t)) STORED, "
             "w TEXT AS (CONCAT('<', t)) VIRTUAL, b INT, UNIQUE (v)",
    "unseen": "b INT INVISIBLE DEFAULT 3, c VARCHAR(9) INVISIBLE",
}


class GeneratedMariaDB(Generated, SystemTest):
    source_class = MariaDB1011
    tables = {**GENERATED, "hashed": "h TEXT DEFAULT 'x', UNIQUE (t, id, h), UNIQUE (h, id), "
                                     "later INT DEFAULT 1"}


class GeneratedMariaDBNoMetadata(GeneratedMariaDB):
    source_options = {"binlog_row_metadata": "NO_LOG"}


class GeneratedMySQL(Generated, SystemTest):
    source_class = MySQL97
    tables = {**GENERATED, "functional": "b INT DEFAULT 2, INDEX ((a + 1)), INDEX ((LOWER(t)), b)"}

    def create_tables(self):
        super().create_tables()
        # The columns of functional indexes, which no statement shows, come before this one.
        self.source.run("ALTER TABLE gen.functional ADD COLUMN after VARCHAR(20) DEFAULT 'later'",
                        "SET sql_generate_invisible_primary_key=ON",
                        "CREATE TABLE gen.keyless (a INT, t VARCHAR(20))",
                        "INSERT INTO gen.keyless VALUES (1, 'one'), (1, 'one'), (2, NULL)")

    def test_the_invisible_primary_key(self):
        spec = self.spec(["keyless"], schema="gen")
        spec["name"], spec["destination"]["database"] = "keyless", "keyless"
        pipe = self.penstock.create(spec)
        self.penstock.await_state(pipe, "Running")
        self.source.run("INSERT INTO gen.keyless VALUES (3, 'three'), (3, 'three')",
                        "UPDATE gen.keyless SET t = 'two' WHERE a = 2",
                        "DELETE FROM gen.keyless WHERE a = 1 LIMIT 1")
        self.await_caught_up(schema="gen", database="keyless")
        self.assertGreater(self.assert_equal(spec), 4)


class GeneratedMySQLMinimal(GeneratedMySQL):
    source_options = {"binlog_row_metadata": "MINIMAL"}


class GeneratedMariaDB118(Generated, SystemTest):
    """A server whose log leaves generated columns out: refused by name, fine when excluded."""

    source_class = MariaDB118
    tables = GeneratedMariaDB.tables

    def test_by_both_ways(self):
        self.create_tables()
        self.change(0)
        spec = self.spec(self.tables, schema="gen")
        with self.assertRaisesRegex(ApiError, "column v is generated.*excludedColumns"):
            self.penstock.create(spec)
        for table in spec["source"]["mysql"]["tableMappings"]:
            table["excludedColumns"] = {"numbers": ["v", "s"], "texts": ["v", "s", "w"]}.get(
                table["sourceTable"], [])
        self.penstock.await_state(self.penstock.create(spec), "Running")
        self.change(100)
        self.await_caught_up(schema="gen")
        self.assert_equal(spec)


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
    keys = {**Keys.keys, "uuids": "a UUID, b INET4", "addresses": "a INET6, b INT"}
    samples = {
        **Keys.samples,
        "uuids": [("'00112233-4455-6677-8899-aabbccddeeff'", "'1.2.3.4'"),
                  ("'00112233-4455-1677-8899-aabbccddee00'", "'0.0.0.0'"),
                  ("'ffffffff-ffff-ffff-ffff-ffffffffffff'", "'255.0.0.0'")],
        "addresses": [("'2001:db8::'", "1"), ("'::'", "2"), ("'::ffff:1.2.3.0'", "-1")]}

    def make_old(self, table):
        """As if MariaDB 10.11.4 had made the table: its UUID index has another order."""
        schema, name = table.split(".")
        self.source.run(f"FLUSH TABLES {table}")
        with open(self.source.data / schema / f"{name}.frm", "r+b") as definition:
            definition.seek(51)  # MYSQL_VERSION_ID of the server that made it
            definition.write((101104).to_bytes(4, "little"))
        self.source.run(f"FLUSH TABLES {table}")

    def test_partitions_by_uuid(self):
        self.source.run(
            "CREATE DATABASE uuid", "CREATE TABLE uuid.old (u UUID PRIMARY KEY, n INT)",
            "CREATE TABLE uuid.new (u UUID, i INET6, n INT, PRIMARY KEY (i, u))")
        self.make_old("uuid.old")
        text = "MD5(seq * 7)"
        versions = (f"CONCAT(SUBSTR({text},1,8),'-',SUBSTR({text},9,4),'-',ELT(1+seq%4,4,7,1,0),"
                    f"SUBSTR({text},13,3),'-',ELT(1+seq%3,8,7,'c'),SUBSTR({text},17,3),'-',"
                    f"SUBSTR({text},20,12))")
        self.source.run(
            f"INSERT INTO uuid.old SELECT {versions}, seq FROM uuid.seq_1_to_9000",
            f"INSERT INTO uuid.new SELECT {versions}, CONCAT('::',HEX(seq%50)), seq "
            "FROM uuid.seq_1_to_9000")
        spec = self.spec(["old", "new"], schema="uuid", snapshotNumRowsPerPartition=1000)
        spec["name"], spec["destination"]["database"] = "uuid", "uuid"
        pipe = self.penstock.create(spec)
        self.penstock.await_state(pipe, "Running")
        self.source.run("UPDATE uuid.old SET n = n + 1 WHERE n % 5 = 0",
                        "DELETE FROM uuid.new WHERE n % 7 = 0")
        self.await_caught_up(schema="uuid", database="uuid")
        self.assert_equal(spec)


class KeysMySQL(Keys, SystemTest):
    source_class = MySQL97


if __name__ == "__main__":
    unittest.main()
