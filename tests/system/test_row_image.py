"""binlog_row_image: what the log holds of a changed row."""

import json
import unittest

import pymysql

from harness import workload
from harness.case import SystemTest, new_seed, rounds, scale
from harness.sources import USER, MariaDB118, MariaDB1011, MySQL97
from harness.wait import pause, wait_until

DEADLOCK = 1213
MARKER_ROWS = 1


class RowImages:
    """A workload under the server's own row image, beside changes under others; penstock is killed
    in between."""

    images = ("FULL",)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def change_all(self, image):
        """Changes with this row image; false when the workload's own came in between."""
        try:
            self.source.run(f"SET binlog_row_image = '{image}'",
                            "UPDATE shop.ledger SET target = target + 1, body = NULL",
                            "UPDATE IGNORE shop.accounts SET note = 'x', id = id + 200000 "
                            "WHERE id % 50 = 0 AND id < 5000")
        except pymysql.err.OperationalError as error:
            if error.args[0] != DEADLOCK:
                raise
            return False
        return True

    def test_rows_end_whole(self):
        seed = new_seed()
        workload.create(self.source)
        workload.Writer(self.source, seed).fill(accounts=3000)
        spec = self.spec(workload.TABLES)
        with workload.Workload(self.source, seed):
            self.penstock.await_state(self.penstock.create(spec), "Running", seconds=30 * scale())
            for image in self.images * rounds(1):
                pause(1)
                self.penstock.restart()
                wait_until(lambda i=image: self.change_all(i), "changes beside the workload")
        self.await_caught_up(seconds=60 * scale())
        self.assertGreater(self.assert_equal(spec), 5000)


class FullNoDuplicates(RowImages, SystemTest):
    """The second image of an update holds only what changed."""

    source_class = MariaDB118
    source_options = {"binlog_row_image": "FULL_NODUP"}
    images = ("FULL", "FULL_NODUP")


class MinimalMySQL(RowImages, SystemTest):
    """Images that lack columns: the rows are read again."""

    source_class = MySQL97
    source_options = {"binlog_row_image": "MINIMAL"}
    images = ("MINIMAL", "FULL", "NOBLOB")


class MinimalMySQLByFile(RowImages, SystemTest):
    """By file, what a SELECT sees of the log is told by log_status only."""

    source_class = MySQL97
    source_options = {"binlog_row_image": "MINIMAL", "gtid_mode": "OFF",
                      "enforce_gtid_consistency": "OFF", "max_binlog_size": "131072",
                      "binlog_row_metadata": "MINIMAL"}
    images = ("MINIMAL",)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.source.run(f"GRANT BACKUP_ADMIN ON *.* TO '{USER['username']}'@'%'")


class MinimalMariaDB(RowImages, SystemTest):
    source_class = MariaDB1011
    source_options = {"binlog_row_image": "MINIMAL"}
    images = ("MINIMAL", "FULL", "NOBLOB")


class NoBlobMySQL(RowImages, SystemTest):
    source_class = MySQL97
    source_options = {"binlog_row_image": "NOBLOB"}
    images = ("NOBLOB", "MINIMAL")


class NoBlobMariaDB(RowImages, SystemTest):
    source_class = MariaDB118
    source_options = {"binlog_row_image": "NOBLOB"}
    images = ("NOBLOB", "FULL_NODUP")


class Rereads:
    """Single changes whose rows are read again."""

    source_options = {"binlog_row_image": "MINIMAL"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def setUp(self):
        self.fresh_shop()

    def tearDown(self):
        self.delete_pipes()

    def sorted_by(self, table, *keys):
        spec = self.spec([table])
        spec["source"]["mysql"]["tableMappings"][0].update(
            {"useCustomSortingKey": True, "sortingKeys": keys} if keys else {})
        return spec

    def test_keys_of_every_type(self):
        """A row with each key is changed in one other column, in a table of its own."""
        keys = {"TINYINT": ["-128", "5"], "BIGINT UNSIGNED": ["18446744073709551615"],
                "DECIMAL(30,10)": ["-0.0000000001", "12345678901234567890.5"],
                "DECIMAL(6,3)": ["-0.005", "7"], "FLOAT": ["0.1", "-3e30"],
                "DOUBLE": ["1e-300", "0.1"], "BIT(20)": ["b'10000000000000000001'"],
                "CHAR(4) CHARACTER SET latin1": ["'é '"],
                "VARCHAR(9) CHARACTER SET sjis": ["_sjis X'835C'"],
                "VARCHAR(9) CHARACTER SET utf16": ["'水路🚰'", "''"],
                "VARBINARY(9)": ["X'00FF27'"], "BINARY(4)": ["X'0100'"], "DATE": ["'2024-02-29'"],
                "DATETIME(6)": ["'2024-03-31 02:30:00.000001'"],
                "TIMESTAMP(3)": ["'2024-03-31 00:30:00.123'", "'1970-01-01 00:00:01'"],
                "TIME(2)": ["'-838:59:59'", "'-00:00:00.5'", "'23:00:00.25'"], "YEAR": ["2155"],
                "ENUM('a','it''s','é')": ["'it''s'", "'é'"], "SET('a','b')": ["'a,b'"],
                **self.more_keys}
        for number, (of_type, values) in enumerate(keys.items()):
            table = f"shop.t{number}"
            self.source.run(
                f"CREATE TABLE {table} (k {of_type} NOT NULL PRIMARY KEY, v INT, w INT)",
                *(f"INSERT INTO {table} VALUES ({value}, 1, 2)" for value in values))
        spec = self.spec([f"t{number}" for number in range(len(keys))])
        self.penstock.await_state(self.penstock.create(spec), "Running")
        self.source.run(*(f"UPDATE shop.t{number} SET v = v + 1" for number in range(len(keys))))
        self.await_caught_up()
        self.assertEqual(sum(map(len, keys.values())), self.assert_equal(spec) - MARKER_ROWS)

    def test_rows_that_are_gone_or_moved_when_they_are_read_again(self):
        self.source.run("CREATE TABLE shop.t (a INT DEFAULT 100, b VARCHAR(9), v INT DEFAULT 7, w TEXT, "
                        "PRIMARY KEY (b, a))",
                        "INSERT INTO shop.t VALUES (1, 'x', 1, 'one'), (2, 'x', 1, 'two'), "
                        "(3, 'y', 1, 'three'), (4, 'y', 1, 'four')")
        spec = self.sorted_by("t", "a")
        pipe = self.penstock.create(spec)
        self.penstock.await_state(pipe, "Running")
        self.penstock.order(pipe, "stop")
        self.penstock.await_state(pipe, "Paused")
        self.source.run("UPDATE shop.t SET v = 2 WHERE a = 1", "DELETE FROM shop.t WHERE a = 1",
                        "UPDATE shop.t SET v = 2 WHERE a = 2", "UPDATE shop.t SET b = 'X' WHERE a = 2",
                        "UPDATE shop.t SET a = 30 WHERE a = 3", "UPDATE shop.t SET a = 3 WHERE a = 30",
                        "DELETE FROM shop.t WHERE a = 4", "INSERT INTO shop.t (a, b) VALUES (4, 'y')",
                        "UPDATE shop.t SET w = 'new' WHERE a = 4",
                        "INSERT INTO shop.t (b, v) VALUES ('z', 3)",
                        "INSERT INTO shop.t (a, b, w) VALUES (5, 'z', REPEAT('long', 10000))")
        self.penstock.order(pipe, "start")
        self.await_caught_up()
        self.assertEqual(5, self.assert_equal(spec) - MARKER_ROWS)

    def test_many_rows_and_a_destination_that_is_gone_for_a_while(self):
        self.source.run("CREATE TABLE shop.t (id INT AUTO_INCREMENT PRIMARY KEY, v INT, w TEXT)",
                        "INSERT INTO shop.t (v, w) VALUES (1, 'w'), (2, REPEAT('x', 1000))",
                        *["INSERT INTO shop.t (v, w) SELECT v, w FROM shop.t"] * 14)
        spec = self.spec(["t"])
        self.penstock.await_state(self.penstock.create(spec), "Running")
        self.source.run("UPDATE shop.t SET v = v + 1")
        self.clickhouse.restart()
        self.source.run("UPDATE shop.t SET v = v * 2 WHERE id % 3 = 0")
        self.await_caught_up(seconds=60 * scale())
        self.assertEqual(32768, self.assert_equal(spec) - MARKER_ROWS)

    def test_tables_sorted_otherwise_are_refused(self):
        """At creation; and when the image changes under a running pipe."""
        self.source.run("CREATE TABLE shop.t (id INT PRIMARY KEY, v INT NOT NULL, w TEXT)",
                        "CREATE TABLE shop.u (id INT NOT NULL UNIQUE, v INT, w TEXT)",
                        "INSERT INTO shop.t VALUES (1, 1, 'x')")
        for spec in (self.sorted_by("t", "v"), self.sorted_by("u")):
            errors = [finding for finding in self.penstock.check(spec)["findings"]
                      if finding["severity"] == "error"]
            self.assertEqual(["binlog_row_image"], [error["check"] for error in errors])
            self.assertIn("sorting key", errors[0]["message"])
        self.source.run("SET GLOBAL binlog_row_image = 'FULL'")
        try:
            pipe = self.penstock.create(self.sorted_by("t", "v"))
            self.penstock.await_state(pipe, "Running")
            self.source.run("SET binlog_row_image = 'MINIMAL'", "UPDATE shop.t SET w = 'y'")
            self.penstock.await_state(pipe, "Degraded")
            self.assertIn("binlog_row_image", json.dumps(self.penstock.status(pipe)))
        finally:
            self.source.run("SET GLOBAL binlog_row_image = 'MINIMAL'")


class RereadsMySQL(Rereads, SystemTest):
    source_class = MySQL97
    more_keys = {"VARCHAR(9) CHARACTER SET gb18030": ["'水路'"]}


class RereadsMariaDB(Rereads, SystemTest):
    source_class = MariaDB118
    more_keys = {"UUID": ["'123e4567-e89b-12d3-a456-426655440000'"], "INET6": ["'2001:db8::ff00'"],
                 "INET4": ["'192.0.2.1'"]}


if __name__ == "__main__":
    unittest.main()
