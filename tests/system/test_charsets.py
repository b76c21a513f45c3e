"""Every character set of the servers: by snapshot and by the log, equal to what the server itself
makes of it in utf8mb4, and to each other."""

import contextlib
import random
import shutil
import unittest

from harness.case import SystemTest, new_seed
from harness.penstock import mapping, pipe_spec
from harness.sources import MariaDB118, MariaDB1011, MySQL97
from harness.wait import wait_until

CHARACTERS_PER_ROW = 256
PLANES_TAKEN = 17  # of the blocks of 256 characters above U+FFFF every 17th
LEADS_OF_THREE = {"ujis": 0x8f, "eucjpms": 0x8f}
BEYOND_TWO_BYTES = ("gb18030", "utf16", "utf16le", "utf32", "utf8mb4")
# Without surrogates, which ucs2 and utf32 of MariaDB take for characters; they become '?' here.
NO_SURROGATES = ("ucs2", "utf32")


def ids_equal_both_ways(clickhouse, table, columns, copies):
    """Rows n and n + copies hold the same; the answer is empty then."""
    return clickhouse.query(
        f"SELECT id % {copies} AS n, uniqExact(tuple({','.join(f'`{c}`' for c in columns)})) AS d, "
        f"count() FROM replica.`{table}` FINAL GROUP BY n HAVING d != 1 OR count() != 2")


class Charsets:
    """Started once per server: the tables are written before the pipe and again while it runs."""

    copies = 100_000  # the second writing of row n is row n + copies
    # Of ill-formed text MySQL leaves out what is cut off at the end. In the other character sets of
    # more than one byte it has one '?' for two bytes more often as well, and beyond U+10FFFF it still
    # sees characters.
    mysql_leaves_out = ("ascii", "cp1250", "swe7", "gb18030", "ucs2", "utf16", "utf16le")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()
        cls.source.run("CREATE DATABASE charsets", "CREATE TABLE charsets.n (n INT PRIMARY KEY)",
                       "INSERT INTO charsets.n WITH RECURSIVE d AS (SELECT 0 AS i UNION ALL SELECT i+1 "
                       "FROM d WHERE i < 255) SELECT a.i * 256 + b.i FROM d a, d b")
        cls.names = [row[0] for row in cls.source.run("SHOW CHARACTER SET") if row[0] != "binary"]
        cls.characters = {name: list(cls.characters_of(name)) for name in cls.names}

    @classmethod
    def characters_of(cls, charset):
        """Every sequence of bytes that the server takes for one character, assigned or not."""
        two = "IF(n < 256, 2, 4)" if charset not in (*NO_SURROGATES, "utf16", "utf16le") else "4"
        forms = [f"UNHEX(LPAD(HEX(n), {two}, '0'))"]
        if charset in LEADS_OF_THREE:
            forms.append(f"CONCAT(x'{LEADS_OF_THREE[charset]:02x}', UNHEX(LPAD(HEX(n), 4, '0')))")
        if charset in ("utf8mb3", "utf8mb4", "gb18030", "utf32"):
            forms.append(f"CONVERT(CONVERT(UNHEX(LPAD(HEX(n), 8, '0')) USING utf32) USING {charset})")
        if charset in BEYOND_TWO_BYTES:
            forms += [f"CONVERT(CONVERT(UNHEX(LPAD(HEX(n + {plane << 16}), 8, '0')) USING utf32) USING "
                      f"{charset})" for plane in range(1, 17)]
        found = []
        for number, form in enumerate(forms):
            taken = f"WHERE n DIV 256 % {PLANES_TAKEN} = 0 " if number >= len(forms) - 16 and (
                charset in BEYOND_TWO_BYTES) else ""
            found += cls.source.run(
                "SET sql_log_bin=0", f"CREATE TABLE charsets.taken (b VARBINARY(8), n INT, c VARCHAR(8) "
                f"CHARACTER SET {charset}) ENGINE=MyISAM", "INSERT IGNORE INTO charsets.taken "
                f"SELECT b, n, b FROM (SELECT CAST({form} AS BINARY) AS b, n FROM charsets.n {taken}) t",
                "SELECT HEX(b) FROM charsets.taken WHERE HEX(c) = HEX(b) AND CHAR_LENGTH(c) = 1 "
                "ORDER BY n")
            cls.source.run("SET sql_log_bin=0", "DROP TABLE charsets.taken")
        sequences = dict.fromkeys(row[0] for row in found)
        if charset in NO_SURROGATES:
            return [s for s in sequences if not (s[-4:-2] >= "D8" and s[-4:-2] <= "DF"
                                                 and s[:-4] in ("", "0000"))]
        return sequences

    def replicate(self, tables, write):
        """Writes, starts a pipe, writes again; the pipe's specification."""
        write(0)
        spec = pipe_spec(self.source.endpoint(), self.clickhouse.endpoint(),
                         [mapping("charsets", table) for table in tables], name=tables[0])
        pipe = self.penstock.create(spec)
        self.penstock.await_state(pipe, "Running", seconds=120)
        write(self.copies)
        for table in tables:
            count = self.source.run(f"SELECT COUNT(*) FROM charsets.`{table}`")[0][0]
            wait_until(lambda t=table, n=count: self.clickhouse.query(
                f"SELECT count() FROM replica.`{t}` FINAL") == f"{n}\n", f"{count} rows in {table}")
        self.assert_equal(spec, seconds=5)
        return pipe

    def test_every_character(self):
        """A column of each character set; rows of 256 characters."""
        self.assertGreaterEqual(len(self.names), 39)
        self.source.run("CREATE TABLE charsets.every (id INT PRIMARY KEY, " + ",".join(
            f"`{name}` VARCHAR({CHARACTERS_PER_ROW}) CHARACTER SET {name}" for name in self.names)
            + ") ROW_FORMAT=DYNAMIC")
        rows = max(-(-len(characters) // CHARACTERS_PER_ROW) for characters in self.characters.values())

        def cell(name, row):
            part = self.characters[name][row * CHARACTERS_PER_ROW:(row + 1) * CHARACTERS_PER_ROW]
            return f"x'{''.join(part)}'" if part else "NULL"

        def write(offset):
            with contextlib.closing(self.source.connect()) as connection:
                for row in range(rows):
                    connection.cursor().execute(
                        f"INSERT INTO charsets.every VALUES ({row + offset},"
                        + ",".join(cell(name, row) for name in self.names) + ")")
        pipe = self.replicate(["every"], write)
        self.assertEqual("", ids_equal_both_ways(self.clickhouse, "every", self.names, self.copies))
        self.assertEqual("0\n", self.clickhouse.query(
            "SELECT countIf(NOT isValidUTF8(concat(" + ",".join(
                f"ifNull(`{name}`, '')" for name in self.names if not name.startswith("utf8mb"))
            + "))) FROM replica.every"))
        table = self.penstock.status(pipe)["tables"][0]
        self.assertGreater(table["valuesChanged"], 0)  # characters that are not assigned

    def test_kinds_of_columns(self):
        """CHAR and its padding, VARCHAR beyond 255 bytes, TEXT; in a table per character set."""
        kinds = {"c": "CHAR(10)", "w": "CHAR(255)", "v": "VARCHAR(300)", "tt": "TINYTEXT", "tx": "TEXT",
                 "mt": "MEDIUMTEXT", "lt": "LONGTEXT"}
        tables = [f"kinds_{name}" for name in self.names]
        for name, table in zip(self.names, tables):
            self.source.run(f"CREATE TABLE charsets.{table} (id INT PRIMARY KEY, " + ",".join(
                f"{column} {kind} CHARACTER SET {name}" for column, kind in kinds.items()) + ")")

        def write(offset):
            for name, table in zip(self.names, tables):
                characters = self.characters[name]
                last = f"CONVERT(x'{characters[-1]}' USING {name})"
                middle = f"CONVERT(x'{characters[len(characters) // 2]}' USING {name})"
                texts = [["''"] * 7, ["' '"] * 7, ["'a  '"] * 7, ["'  a'"] * 7, [last] * 7, [middle] * 7,
                         [f"CONCAT({last}, ' ', {middle}, ' ')"] * 7, ["NULL"] * 7,
                         [f"REPEAT({last},{count})" for count in (10, 255, 300, 60, 5000, 9000, 20000)],
                         [f"REPEAT({middle},{count})" for count in (9, 128, 127, 40, 127, 128, 16400)],
                         [f"REPEAT('x',{count})" for count in (1, 200, 256, 63, 127, 128, 16384)]]
                self.source.run("SET sql_mode='STRICT_ALL_TABLES'", f"INSERT INTO charsets.{table} VALUES "
                                + ",".join(f"({n + offset},{','.join(row)})"
                                           for n, row in enumerate(texts)))
        self.replicate(tables, write)
        for table in tables:
            self.assertEqual("", ids_equal_both_ways(self.clickhouse, table, kinds, self.copies), table)

    def key_characters(self, name, count, rng):
        """Characters that are assigned and that the server writes back as they were."""
        sample = rng.sample(self.characters[name], min(len(self.characters[name]), count * 3))
        once = ",".join(f"({number},x'{character}')" for number, character in enumerate(sample))
        self.source.run("DROP TABLE IF EXISTS charsets.sample",
                        "CREATE TABLE charsets.sample (i INT, b VARBINARY(8))",
                        f"INSERT INTO charsets.sample VALUES {once}")
        utf8 = f"CONVERT(CONVERT(b USING {name}) USING utf8mb4)"
        return [row[0] for row in self.source.run(
            f"SELECT HEX(b) FROM charsets.sample WHERE HEX({utf8}) NOT IN ('3F', 'EFBFBD') AND "
            f"HEX(CONVERT({utf8} USING {name})) = HEX(b) LIMIT {count}")]

    def test_keys(self):
        """Partitions whose boundaries are text, in every character set; changes find their rows.
        Some of the random keys may be one for the table's collation: they are left out."""
        rng = random.Random(new_seed())
        rows, tables = 4500, [f"key_{name}" for name in self.names]
        for name, table in zip(self.names, tables):
            characters = self.key_characters(name, 300, rng)
            digits = f"CONVERT(%d USING {name})"
            values = ",".join(f"(CONCAT(CONVERT(x'{rng.choice(characters)}' USING {name}), "
                              f"{digits % number}, CONVERT(x'{rng.choice(characters)}' USING {name})),"
                              f"{number})" for number in range(rows))
            self.source.run(f"CREATE TABLE charsets.{table} (k VARCHAR(20) CHARACTER SET {name} PRIMARY KEY,"
                            " n INT)", f"INSERT IGNORE INTO charsets.{table} VALUES {values}")
        spec = self.spec(tables, schema="charsets")
        spec["name"] = "keys"
        pipe = self.penstock.create(spec)
        self.penstock.await_state(pipe, "Running", seconds=180)
        for table in self.penstock.status(pipe)["tables"]:
            if table["sourceTable"] != "marker":
                self.assertGreaterEqual(table["partitions"], 4, table)
        for table in tables:
            self.source.run(f"UPDATE charsets.{table} SET n = -n WHERE n % 3 = 0",
                            f"DELETE FROM charsets.{table} WHERE n % 7 = 1",
                            f"UPDATE IGNORE charsets.{table} SET k = CONCAT(k, 'x') WHERE n % 50 = 0")
        self.await_caught_up(schema="charsets")
        self.assert_equal(spec)
        self.end(pipe)

    def end(self, pipe):
        """Leaves the marker's target to the next pipe."""
        self.penstock.delete(pipe)
        self.clickhouse.query("DROP TABLE replica.marker SYNC")

    def exchange_files(self, table, donor):
        """Puts the rows of a MyISAM table into another of the same layout."""
        self.source.run("FLUSH TABLES")
        for suffix in ("MYD", "MYI"):
            shutil.copyfile(self.source.data / "charsets" / f"{donor}.{suffix}",
                            self.source.data / "charsets" / f"{table}.{suffix}")
        self.source.run("FLUSH TABLES")

    def make_ill_formed(self, table, charsets, rows):
        """A table with a column `cN` for each character set, holding the bytes given in hex."""
        layout = "(id INT NOT NULL, {}, n INT NOT NULL, PRIMARY KEY (id)) ENGINE=MyISAM"
        # What a character may take differs: VARBINARY(12) is VARCHAR(12) to VARCHAR(3).
        widths = {row[0]: int(row[3]) for row in self.source.run("SHOW CHARACTER SET")}
        self.source.run(
            f"CREATE TABLE charsets.{table} " + layout.format(",".join(
                f"c{i} VARCHAR({12 // widths[name]}) CHARACTER SET {name} NOT NULL"
                for i, name in enumerate(charsets))),
            "CREATE TABLE charsets.donor " + layout.format(",".join(
                f"c{i} VARBINARY(12) NOT NULL" for i in range(len(charsets)))),
            "INSERT INTO charsets.donor VALUES " + ",".join(
                f"({number}," + ",".join(f"x'{cell}'" for cell in row) + ",0)"
                for number, row in enumerate(rows)))
        self.exchange_files(table, "donor")
        self.source.run("DROP TABLE charsets.donor")

    def replicate_ill_formed(self, table, rows):
        """By the snapshot, and by the log: an update writes whole rows. A pipe per way."""
        spec = self.spec([table], schema="charsets")
        spec["name"] = table
        pipe = self.penstock.create(spec)
        self.penstock.await_state(pipe, "Running")
        self.await_caught_up(schema="charsets")
        columns = ",".join(f"hex(c{i})" for i in range(len(rows[0])))
        query = f"SELECT {columns} FROM replica.{table} FINAL ORDER BY id"
        by_snapshot = self.clickhouse.query(query)
        self.source.run(f"UPDATE charsets.{table} SET n = 1")
        self.await_caught_up(schema="charsets")
        wait_until(lambda: self.clickhouse.query(
            f"SELECT countIf(n = 1) FROM replica.{table} FINAL") == f"{len(rows)}\n", "all rows updated")
        self.assertEqual(by_snapshot, self.clickhouse.query(query))
        status = next(t for t in self.penstock.status(pipe)["tables"] if t["sourceTable"] == table)
        self.end(pipe)
        return [line.split("\t") for line in by_snapshot.splitlines()], status["valuesChanged"]

    def test_ill_formed_text(self):
        """A '?' for each byte that is no character, one for each character that is not assigned."""
        given = {"ascii": ("4180FF", "A??"), "cp1250": ("8141", "?A"), "swe7": ("5BC1", "\u00c4?"),
                 "sjis": ("81418120FF", "\u3001? ?"), "cp932": ("A082608120", "?\uff21? "),
                 "gbk": ("41812042FE5081", "A? B??"), "gb2312": ("A121A1A1A9FEF8", "?!\u3000??"),
                 "big5": ("A15AC8FEF9", "\ufffd??"), "euckr": ("C930A120A1A181", "?0? \u3000?"),
                 "ujis": ("8E41A1A18FA1A18FA1", "?A\u3000???"), "eucjpms": ("8FA1418F8EB1FE", "??A?\uff71?"),
                 "ucs2": ("0041D80041", "A??"), "utf16": ("00E9D8000041", "\u00e9?\0?"),
                 "utf16le": ("3DD800DE00DC41", "\U0001f600?\u41dc"), "utf32": ("000000E9001100", "\u00e9???"),
                 "gb18030": ("8020813081308130", "? \u0080?0")}
        charsets = [name for name in given if name in self.names]
        rng = random.Random(new_seed())
        rows = [[given[name][0] for name in charsets]]
        rows += [[self.random_bytes(name, rng) for name in charsets] for _ in range(2000)]
        self.make_ill_formed("ill", charsets, rows)
        found, changed = self.replicate_ill_formed("ill", rows)
        texts = dict(zip(charsets, (bytes.fromhex(cell).decode() for cell in found[0])))
        self.assertEqual({name: given[name][1] for name in charsets}, texts)
        self.assertGreaterEqual(changed, 2 * len(charsets))
        with contextlib.closing(self.source.connect(use_unicode=False)) as connection:
            cursor = connection.cursor()
            cursor.execute("SELECT * FROM charsets.ill ORDER BY id")
            wanted = [[cell.hex().upper() for cell in row[1:-1]] for row in cursor.fetchall()]
        for name, *cells in zip(charsets, zip(*rows), zip(*wanted), zip(*found)):
            for given_bytes, server, ours in zip(*cells):
                if name == "ucs2" and given_bytes == given[name][0]:  # the surrogate
                    continue
                if self.source.family == "mariadb":
                    self.assertEqual(server, ours, f"{name} {given_bytes}")
                elif name in self.mysql_leaves_out:
                    self.assertEqual(server, ours[:len(server)], f"{name} {given_bytes}")

    def random_bytes(self, name, rng):
        """At most 12 bytes, in hex; without what the server takes for a surrogate that stands alone,
        and for an "A" (8F 00 41)."""
        least = 1 if name in LEADS_OF_THREE else 0
        numbers = [rng.choice((rng.randrange(least, 256), rng.randrange(0xa1, 256), 0x41))
                   for _ in range(rng.randrange(13))]
        if name == "utf32":
            numbers = [rng.choice((0, 0, 1, 0x10, 0x11, 0x41)) for _ in numbers]
        if name == "ucs2":
            numbers = [number % 0xd8 for number in numbers]
        return bytes(numbers).hex()


class CharsetsMariaDB(Charsets, SystemTest):
    source_class = MariaDB1011


class CharsetsMariaDB118(Charsets, SystemTest):
    source_class = MariaDB118


class CharsetsMySQL(Charsets, SystemTest):
    source_class = MySQL97


if __name__ == "__main__":
    unittest.main()
