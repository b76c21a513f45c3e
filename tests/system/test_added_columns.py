"""Columns that ALTER TABLE adds to a table that is followed come to its target in their order."""

import random
import threading
import unittest

from harness.case import SystemTest, new_seed, rounds
from harness.sources import MariaDB118, MariaDB1011, MySQL97
from harness.wait import wait_until

# Rows that are there already hold the default, or what the type has in its place.
COLUMNS = [
    "i INT", "u INT UNSIGNED NOT NULL DEFAULT 4000000000", "big BIGINT DEFAULT -9223372036854775808",
    "ubig BIGINT UNSIGNED DEFAULT '18446744073709551615'", "tiny TINYINT NOT NULL", "b BOOL DEFAULT TRUE",
    "small SMALLINT(5) UNSIGNED", "medium MEDIUMINT NOT NULL DEFAULT 7", "bits BIT(12) NOT NULL",
    "price DECIMAL(10,2) NOT NULL DEFAULT 12.5", "d NUMERIC DEFAULT -7", "huge DECIMAL(65,30) DEFAULT 0.1",
    "f FLOAT DEFAULT 1.1", "dd DOUBLE PRECISION NOT NULL DEFAULT 0.1", "dx DOUBLE",
    "v VARCHAR(20) DEFAULT 'it''s \\\\ \"x\"\\n' COMMENT 'a, (b)'", "c CHAR(5) NOT NULL DEFAULT 'ab '",
    "l1 VARCHAR(10) CHARACTER SET latin1", "l1d CHAR(10) CHARSET latin1 COLLATE latin1_bin DEFAULT 'plain'",
    "m4 VARCHAR(10) CHARACTER SET utf8mb4 NOT NULL DEFAULT 'größe 🐬'", "cp VARCHAR(10) COLLATE cp1251_general_ci",
    "e ENUM('x','it''s','zoë') NOT NULL", "e2 ENUM('a','b') CHARACTER SET latin1 DEFAULT 'b'",
    "s SET('p','q','r') DEFAULT 'p,r'", "s2 SET('p') NOT NULL",
    "day DATE DEFAULT '2024-02-29'", "at DATETIME(3) NOT NULL DEFAULT '2024-01-02 03:04:05.678'",
    "at0 DATETIME DEFAULT '1999-12-31'", "ts TIMESTAMP NULL", "ti TIME(2) DEFAULT '-12:34:56.78'",
    "y YEAR NOT NULL DEFAULT 1999", "j JSON", "txt TEXT", "txt2 MEDIUMTEXT NOT NULL",
    "vb VARBINARY(9) DEFAULT 'bytes'", "bin BINARY(3)", "blo BLOB", "p POINT",
]
# What is written to them afterwards; of the others it is NULL or the default.
VALUES = {"i": "5", "u": "1", "ubig": "3", "b": "0", "price": "3.25", "v": "'ÄÖ'", "l1": "'naïve'",
          "m4": "'日本'", "cp": "'да'", "e": "'zoë'", "e2": "'a'", "s": "'q'", "day": "'2025-05-05'",
          "at": "'2025-05-05 05:05:05.005'", "ts": "'2025-05-05 05:05:05'", "ti": "'01:02:03.04'",
          "j": "'{\"k\": [1, null]}'", "txt": "'texte'", "bin": "'a'", "blo": "X'00FF'", "bits": "5",
          "p": "ST_GeomFromText('POINT(1 2)')", "f": "2.5", "dx": "1e300"}


class AddedTypes:
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def setUp(self):
        self.fresh_shop()
        self.source.run("CREATE TABLE shop.t (id INT PRIMARY KEY, v0 VARCHAR(20)) CHARSET utf8mb4",
                        "INSERT INTO shop.t VALUES (1, 'a'), (2, 'b'), (3, NULL)")

    def tearDown(self):
        self.source.run("SET GLOBAL binlog_row_metadata = 'FULL'")
        self.delete_pipes()

    def replicate(self, tables=("t",), engine=None, **settings):
        spec = self.spec(list(tables), **settings)
        if engine:
            spec["source"]["mysql"]["tableMappings"][0]["tableEngine"] = engine
        pipe = self.penstock.create(spec)
        self.penstock.await_state(pipe, "Running")
        return spec, pipe

    def events(self, pipe, kind):
        events = self.penstock.api(f"{self.penstock.pipes_path()}/{pipe}/events")
        return [event["text"] for event in events if event["kind"] == kind]

    def assert_followed(self, spec, pipe, resyncs=0):
        """All is equal, and no table was loaded anew but so often."""
        self.await_caught_up()
        rows = self.assert_equal(spec)
        self.assertEqual([], [table["quarantine"] for table in self.penstock.status(pipe)["tables"]
                              if table["quarantine"]])
        self.assertEqual(resyncs, len(self.events(pipe, "quarantine")), self.events(pipe, "quarantine"))
        return rows

    def test_types(self):
        """Old rows, rows written later, and rows changed later, column by column."""
        spec, pipe = self.replicate()
        for number, column in enumerate(COLUMNS):
            name = column.split()[0]
            place = ("", " FIRST", " AFTER id", " AFTER v0")[number % 4]
            self.source.run(f"ALTER TABLE shop.t ADD COLUMN {column}{place}", "SET sql_mode = ''",
                            f"INSERT INTO shop.t (id, v0) VALUES ({10 + number}, '{name}')")
            if name in VALUES:
                self.source.run("SET sql_mode = ''", f"INSERT INTO shop.t (id, {name}) VALUES ({100 + number}, {VALUES[name]})",
                                f"UPDATE shop.t SET {name} = {VALUES[name]} WHERE id = 1")
        self.assertEqual(3 + len(COLUMNS) + len(VALUES) + 1, self.assert_followed(spec, pipe))
        self.assertEqual(len(COLUMNS), len(self.events(pipe, "ddl")) - 1)
        order = self.clickhouse.query("SELECT name FROM system.columns WHERE database = 'replica' "
                                      "AND table = 't' AND name NOT LIKE '\\_penstock%' ORDER BY position")
        self.assertEqual([row[0] for row in self.source.run(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = 'shop' AND "
            "table_name = 't' ORDER BY ordinal_position")], order.split())
        self.penstock.restart()
        self.source.run("UPDATE shop.t SET v0 = 'z'", "DELETE FROM shop.t WHERE id = 2")
        self.assert_followed(spec, pipe)
        self.assertIn("ADD COLUMN IF NOT EXISTS `ubig`", self.penstock.status(pipe)["tables"][0]["ddl"])

    def test_types_that_are_there(self):
        """A shard finds the columns of another; its old rows show what they should."""
        self.source.run("CREATE TABLE shop.u LIKE shop.t", "INSERT INTO shop.u SELECT * FROM shop.t")
        spec = self.spec(["t", "u"])
        spec["source"]["mysql"]["tableMappings"][1]["targetTable"] = "t"
        pipe = self.penstock.create(spec)
        self.penstock.await_state(pipe, "Running")
        added = ", ".join(f"ADD {column}" for column in COLUMNS)
        self.source.run("SET sql_mode = ''", f"ALTER TABLE shop.t {added}", f"ALTER TABLE shop.u {added}")
        self.assert_followed(spec, pipe)

    def test_many_at_once(self):
        spec, pipe = self.replicate()
        self.source.run("ALTER TABLE shop.t ADD (a INT DEFAULT 1, b INT DEFAULT 2), ADD c INT DEFAULT 3 FIRST, "
                        "ADD INDEX (a), COMMENT 'more', ADD d INT DEFAULT 4 AFTER a",
                        "INSERT INTO shop.t (id) VALUES (4)", "UPDATE shop.t SET b = 9 WHERE id = 1")
        self.assertEqual(5, self.assert_followed(spec, pipe))


class AddedColumns(AddedTypes):
    def test_dates_of_old_rows_that_are_none(self):
        """ClickHouse has a default of its own for dates."""
        spec, pipe = self.replicate()
        self.source.run("SET sql_mode = ''", "ALTER TABLE shop.t ADD none DATE NOT NULL, "
                        "ADD at DATETIME NOT NULL", "INSERT INTO shop.t (id, none) VALUES (4, '2024-02-29')")
        self.assertEqual(5, self.assert_followed(spec, pipe))

    def test_beside_writes_and_kills(self):
        """Of penstock and of ClickHouse, while rows are written and columns come."""
        chance = random.Random(new_seed())
        for _ in range(rounds(1)):
            self.setUp()
            spec, pipe = self.replicate(syncIntervalMilliseconds=50)
            ended = threading.Event()

            def write():
                number = 100
                while not ended.is_set():
                    number += 1
                    self.source.run(f"INSERT INTO shop.t (id, v0) VALUES ({number}, 'x')",
                                    "UPDATE shop.t SET v0 = CONCAT(id, 'y') WHERE id % 7 = 0",
                                    f"DELETE FROM shop.t WHERE id = {number - 20}")
            writer = threading.Thread(target=write)
            writer.start()
            try:
                for column in range(10):
                    place = chance.choice(["", " FIRST", " AFTER v0"])
                    self.source.run(f"ALTER TABLE shop.t ADD c{column} INT NOT NULL DEFAULT {column}{place}",
                                    f"UPDATE shop.t SET c{column} = id WHERE id % 3 = 0")
                    if chance.random() < 0.5:
                        chance.choice([self.penstock, self.penstock, self.clickhouse]).restart()
            finally:
                ended.set()
                writer.join()
            self.assert_followed(spec, pipe)
            self.delete_pipes()

    def test_killed_between_the_column_and_the_checkpoint(self):
        """The column is there, and nobody knows: it is added again, which does nothing."""
        spec, pipe = self.replicate()
        self.source.run("INSERT INTO shop.t VALUES (4, 'd')")
        self.await_caught_up()
        self.penstock.kill()
        self.clickhouse.query("ALTER TABLE replica.t ADD COLUMN w Int32 DEFAULT 7 AFTER id")
        self.source.run("INSERT INTO shop.t VALUES (5, 'e')",
                        "ALTER TABLE shop.t ADD w INT NOT NULL DEFAULT 7 AFTER id",
                        "INSERT INTO shop.t VALUES (6, 8, 'f')", "UPDATE shop.t SET w = 9 WHERE id = 1")
        self.penstock.start()
        self.assertEqual(6 + 2, self.assert_followed(spec, pipe))

    def test_every_change_kept(self):
        """A MergeTree target: each change once."""
        _, pipe = self.replicate(engine="MergeTree")
        self.source.run("INSERT INTO shop.t VALUES (4, 'd')",
                        "ALTER TABLE shop.t ADD w INT NOT NULL DEFAULT 7 FIRST",
                        "UPDATE shop.t SET w = 8 WHERE id = 4")
        self.penstock.restart()
        self.await_caught_up()
        self.penstock.restart()
        self.source.run("DELETE FROM shop.t WHERE id = 1")
        self.await_caught_up()
        self.assertEqual("1\t7\tinsert\n1\t7\tdelete\n2\t7\tinsert\n3\t7\tinsert\n4\t7\tinsert\n4\t8\tupdate\n",
                         self.clickhouse.query("SELECT id, w, _penstock_kind FROM replica.t ORDER BY id, "
                                               "_penstock_version"))
        self.assertEqual([], self.events(pipe, "quarantine"))

    def test_excluded_columns_stay_away(self):
        self.source.run("ALTER TABLE shop.t ADD secret INT DEFAULT 1")
        spec = self.spec(["t"])
        spec["source"]["mysql"]["tableMappings"][0]["excludedColumns"] = ["secret"]
        pipe = self.penstock.create(spec)
        self.penstock.await_state(pipe, "Running")
        self.source.run("ALTER TABLE shop.t ADD w INT DEFAULT 7 FIRST", "INSERT INTO shop.t VALUES (1, 4, 'd', 2)")
        self.await_caught_up()
        self.assertEqual("1\t7\ta\n2\t7\tb\n3\t7\t\\N\n4\t1\td\n",
                         self.clickhouse.query("SELECT id, w, v0 FROM replica.t FINAL ORDER BY id"))
        self.assertEqual([], self.events(pipe, "quarantine"))

    def test_what_the_log_does_not_tell_is_loaded(self):
        """Values that old rows got from the moment, an expression or a counter; and a key that is the row."""
        self.source.run("CREATE TABLE shop.keyless (n INT)", "INSERT INTO shop.keyless VALUES (1)")
        spec = self.spec(["t", "keyless"])
        spec["source"]["mysql"]["tableMappings"][1]["identicalRowsMayCollapse"] = True
        pipe = self.penstock.create(spec)
        self.penstock.await_state(pipe, "Running")
        for resyncs, statement in enumerate([
                "ALTER TABLE shop.t ADD a DATETIME(6) DEFAULT CURRENT_TIMESTAMP(6)",
                "ALTER TABLE shop.t ADD b INT DEFAULT (1 + 1)",
                "ALTER TABLE shop.t ADD c INT AS (id + 1)",
                "ALTER TABLE shop.t ADD d INT NOT NULL AUTO_INCREMENT UNIQUE",
                "ALTER TABLE shop.keyless ADD e INT DEFAULT 7"], start=1):
            self.source.run("INSERT INTO shop.t (id) SELECT MAX(id) + 1 FROM shop.t", statement,
                            "INSERT INTO shop.t (id) SELECT MAX(id) + 1 FROM shop.t")
            wait_until(lambda count=resyncs: len(self.events(pipe, "quarantine")) == count,
                       statement, 30)
            self.penstock.await_state(pipe, "Running")
            self.await_caught_up()
            self.assert_equal(self.without_keyless(spec))
        self.assertEqual("1\t7\n", self.clickhouse.query("SELECT n, e FROM replica.keyless FINAL"))
        self.assertIn("resynced by itself", "".join(self.events(pipe, "state")))

    @staticmethod
    def without_keyless(spec):
        mysql = spec["source"]["mysql"]
        left = [m for m in mysql["tableMappings"] if m["sourceTable"] != "keyless"]
        return {**spec, "source": {"mysql": {**mysql, "tableMappings": left}}}

    def test_during_the_load(self):
        self.source.run(*[f"INSERT INTO shop.t SELECT id + {4 << n}, v0 FROM shop.t" for n in range(10)])
        spec = self.spec(["t"], snapshotRowsPerSecond=1500, initialLoadParallelism=1)
        pipe = self.penstock.create(spec)
        wait_until(lambda: (self.penstock.status(pipe)["tables"] or [{"partitionsDone": 0}])[0]
                   ["partitionsDone"] > 0, "a partition")
        self.assertEqual("Snapshot", self.penstock.state(pipe))
        self.source.run("ALTER TABLE shop.t ADD w INT NOT NULL DEFAULT 7 FIRST",
                        "UPDATE shop.t SET w = id WHERE id % 3 = 0")
        self.await_caught_up()
        self.assertEqual("Snapshot", self.penstock.state(pipe))
        self.source.run("UPDATE shop.t SET w = -id WHERE id % 100 = 0", "ALTER TABLE shop.t ADD x INT",
                        "INSERT INTO shop.t VALUES (8, -1, 'z', 9)")
        self.penstock.await_state(pipe, "Running")
        self.assert_followed(spec, pipe)

    def test_names_that_are_not_logged(self):
        """Without FULL metadata the table is set aside, and the remedy names it."""
        self.source.run(f"SET GLOBAL binlog_row_metadata = '{self.without_names}'")
        warned = [finding for finding in self.penstock.check(self.spec(["t"]))["findings"]
                  if finding["check"] == "binlog_row_metadata"]
        self.assertEqual("warning", warned[0]["severity"])
        self.assertIn("binlog_row_metadata = 'FULL'", warned[0]["statement"])
        spec, pipe = self.replicate()
        self.source.run("INSERT INTO shop.t VALUES (4, 'd')", "ALTER TABLE shop.t ADD w INT DEFAULT 7 FIRST",
                        "INSERT INTO shop.t VALUES (7, 5, 'e')")
        self.penstock.await_state(pipe, "Degraded")
        reason = self.penstock.status(pipe)["tables"][0]["quarantine"]["reason"]
        self.assertIn("ADD w INT", reason)
        self.assertIn("binlog_row_metadata='FULL'", reason)
        self.source.run("SET GLOBAL binlog_row_metadata = 'FULL'")
        self.assertEqual(0, self.penstock.cli("resync", "pipe", "--table", "shop.t")[0])
        self.penstock.await_state(pipe, "Running")
        self.source.run("ALTER TABLE shop.t ADD x INT DEFAULT 8 FIRST")
        self.assert_followed(spec, pipe, resyncs=1)

    def test_a_target_with_another_column_of_the_name(self):
        _, pipe = self.replicate()
        self.clickhouse.query("ALTER TABLE replica.t ADD COLUMN w String")
        self.source.run("ALTER TABLE shop.t ADD w INT", "INSERT INTO shop.t VALUES (4, 'd', 1)")
        self.penstock.await_state(pipe, "Degraded")
        reason = self.penstock.status(pipe)["tables"][0]["quarantine"]["reason"]
        self.assertIn("no column w of type Nullable(Int32)", reason)


class AddedColumnsMySQL(AddedColumns, SystemTest):
    source_class = MySQL97
    without_names = "MINIMAL"

    def test_instant(self):
        spec, pipe = self.replicate()
        self.source.run("ALTER TABLE shop.t ADD w INT DEFAULT 7 FIRST, ALGORITHM=INSTANT",
                        "ALTER TABLE shop.t ADD x VARCHAR(9) DEFAULT 'x' AFTER id, ALGORITHM=INSTANT",
                        "UPDATE shop.t SET v0 = 'c' WHERE id = 3")
        self.assertEqual(4, self.assert_followed(spec, pipe))


class AddedColumnsMariaDB(AddedColumns, SystemTest):
    source_class = MariaDB1011
    without_names = "NO_LOG"

    def test_what_only_mariadb_has(self):
        spec, pipe = self.replicate()
        self.source.run("ALTER TABLE shop.t ADD IF NOT EXISTS (id INT, w INT DEFAULT 7), ADD t TEXT DEFAULT 'text'",
                        "ALTER TABLE shop.t NOWAIT ADD uu UUID NOT NULL, ADD v6 INET6",
                        "INSERT INTO shop.t (id, uu, v6) VALUES (4, UUID(), '::7')")
        self.assertEqual(5, self.assert_followed(spec, pipe))


class AddedTypesMariaDB118(AddedTypes, SystemTest):
    source_class = MariaDB118


if __name__ == "__main__":
    unittest.main()
