"""Every type at its limits, by snapshot and by the log: equal to the source, and to each other."""

import sys
import unittest

from harness.case import SystemTest
from harness.clickhouse import ClickHouse
from harness.penstock import ApiError, Penstock, mapping, pipe_spec
from harness.process import ROOT
from harness.sources import MariaDB118, MariaDB1011, MySQL56, MySQL97
from harness.wait import wait_until

sys.path.insert(0, str(ROOT / "tests" / "data"))
from types_table import (MARIADB118_TYPES, MARIADB_TYPES, MYSQL_TYPES, OLD_TEMPORALS,  # noqa: E402
                         TYPES, fractions, rows)

# All of another zone than the sessions of the source and the ones that write.
SOURCE_ZONE, PENSTOCK_ZONE, CLICKHOUSE_ZONE = "Europe/Berlin", "Australia/Sydney", "Asia/Kathmandu"
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
        cls.source = cls.use(cls.source_class.family, lambda: cls.source_class(
            env={"TZ": SOURCE_ZONE}, **cls.source_options))
        cls.clickhouse = cls.use("clickhouse", lambda: ClickHouse(env={"TZ": CLICKHOUSE_ZONE}))
        cls.penstock = cls.enterClassContext(Penstock(env={"TZ": PENSTOCK_ZONE}))

    def write(self, table, offset):
        for number, values in enumerate(rows(self.types, table == "nullable"), 1):
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
        self.update_all(wanted)
        self.assert_equal(spec, seconds=30)
        self.delete_all(wanted)

    def update_all(self, tables):
        """Every value becomes the next row's, by update images."""
        for table in tables:
            values = list(rows(self.types, table == "nullable"))
            for number, after in enumerate(values[1:] + values[:1], 1):
                changes = ",".join(f"`{name}`={value}" for name, value in zip(self.types, after))
                self.source.run("SET sql_mode='ALLOW_INVALID_DATES'",
                                self.settings[number % len(self.settings)],
                                f"UPDATE types.`{table}` SET {changes} "
                                f"WHERE id IN ({number}, {number + self.copies})")

    def delete_all(self, tables):
        """Whole rows as the log tells them, taken away again."""
        for table in tables:
            self.source.run(f"UPDATE types.`{table}` SET ti = 1", f"DELETE FROM types.`{table}`")
        for table in tables:
            wait_until(lambda t=table: self.clickhouse.query(
                f"SELECT count() FROM replica.`{t}` FINAL WHERE NOT _penstock_is_deleted") == "0\n",
                f"no rows in {table}")


class TypesMySQL56(Types, SystemTest):
    """An old server, whose log tells nothing of the columns. InnoDB's rows are too short for it."""

    source_class = MySQL56
    source_options = {"default_storage_engine": "MyISAM"}
    types = {name: kind for name, kind in TYPES.items() if name not in ("js", "ge", "gc")}


class TypesMariaDB(Types, SystemTest):
    source_class = MariaDB1011
    types = MARIADB_TYPES
    settings = DEFLATE_SETTINGS


class TypesMariaDBNoMetadata(TypesMariaDB):
    source_options = {"binlog_row_metadata": "NO_LOG"}


class TypesMariaDB118(Types, SystemTest):
    """In a server whose own time zone is another."""

    source_class = MariaDB118
    source_options = {"default_time_zone": "-03:30"}
    settings = DEFLATE_SETTINGS
    types = MARIADB118_TYPES


class TypesMariaDB118NoMetadata(TypesMariaDB118):
    source_options = {"binlog_row_metadata": "NO_LOG", "default_time_zone": "+03:00"}


class TypesMySQL(Types, SystemTest):
    source_class = MySQL97
    types = MYSQL_TYPES


class TypesMySQLMinimal(Types, SystemTest):
    """No metadata about the columns in the log; a server whose own time zone is another."""

    source_class = MySQL97
    source_options = {"binlog_row_metadata": "MINIMAL", "default_time_zone": "+05:45"}
    types = MYSQL_TYPES


# The gap and the doubled hour of New York, then of Berlin, as a session there and one in UTC say them.
ZONE_EDGES = [f"2024-{moment}" for moment in (
    "03-10 01:59:59", "03-10 02:00:00", "03-10 02:30:00", "03-10 03:00:00", "03-10 06:59:59",
    "03-10 07:00:00", "11-03 00:59:59", "11-03 01:00:00", "11-03 01:30:00", "11-03 01:59:59",
    "11-03 02:00:00", "11-03 05:30:00", "11-03 06:30:00", "03-31 01:30:00", "03-31 02:30:00",
    "10-27 00:30:00", "10-27 01:30:00", "10-27 02:30:00", "07-01 12:00:00")]


class NamedZone(Types):
    """Sessions in a zone with summer time by its name, in turn with those in UTC, write to a server
    in another such zone."""

    zone = "America/New_York"
    settings = [f"SET time_zone='{zone}'", "SET time_zone='+00:00'"]
    # Of an odd number, and twice: so each is said in both zones.
    types = {"ti": ("TINYINT", ["1"])} | {
        f"{kind.lower()}{digits}": (f"{kind}({digits})", fractions(ZONE_EDGES, digits) * 2)
        for kind in ("TIMESTAMP", "DATETIME") for digits in (0, 3, 6)}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.source.load_zone(cls.zone)

    def assert_same_both_ways(self, table):
        super().assert_same_both_ways(table)
        if table == "nullable":
            self.assert_as_the_session_says()

    def assert_as_the_session_says(self):
        columns = [name for name, (kind, _) in self.types.items() if kind.startswith("TIMESTAMP")]
        said = self.source.run(self.settings[0], "SELECT CONCAT_WS('\t', id, " + ",".join(
            f"COALESCE(`{name}`, '\\\\N')" for name in columns)
            + ") FROM types.nullable ORDER BY id")
        replicated = self.clickhouse.query("SELECT id, " + ",".join(
            f"toString(toTimeZone(`{name}`, '{self.zone}'))" for name in columns)
            + " FROM replica.nullable FINAL ORDER BY id")
        self.assertEqual([line for line, in said], replicated.splitlines())
        self.assertEqual((("2024-03-10 02:30:00",), ("2024-03-10 07:00:00",)), self.source.run(
            "SELECT DISTINCT CAST(timestamp0 AS CHAR) AS moment FROM types.nullable "
            "WHERE datetime0 = '2024-03-10 02:30:00' ORDER BY moment"))


class NamedZoneMariaDB(NamedZone, SystemTest):
    source_class = MariaDB1011


class NamedZoneMySQL(NamedZone, SystemTest):
    source_class = MySQL97


class OldTemporals(Types):
    """Columns made with MariaDB's mysql56_temporal_format=OFF, and a log without metadata."""

    source_options = {"mysql56_temporal_format": "OFF", "binlog_row_metadata": "NO_LOG"}
    types = {"ti": ("TINYINT", ["1"]), **OLD_TEMPORALS}


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
    """A server whose log leaves generated columns out of updated rows: they are read again."""

    source_class = MariaDB118
    tables = GeneratedMariaDB.tables


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
