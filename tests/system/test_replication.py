"""Snapshot, then a random mix of changes, on each kind of source: equal at the end."""

import unittest

from harness import workload
from harness.case import SystemTest, new_seed, rounds, scale
from harness.penstock import ApiError, mapping, pipe_spec
from harness.sources import MariaDB118, MariaDB1011, MySQL97
from harness.wait import pause, wait_until


class Replication:
    """A mix of changes while the snapshot runs and after it."""

    settings = {}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def test_mix_while_loading_and_after(self):
        seed = new_seed()
        workload.create(self.source)
        workload.Writer(self.source, seed).fill(accounts=6000 * rounds(1))
        spec = self.spec(workload.TABLES, **self.settings)
        with workload.Workload(self.source, seed) as load:
            pipe = self.penstock.create(spec)
            self.penstock.await_state(pipe, "Running", seconds=60 * scale())
            loaded = load.transactions
            wait_until(lambda: load.transactions > loaded + 400, "400 transactions", 60)
        self.await_caught_up(seconds=60 * scale())
        self.assertGreater(self.assert_equal(spec, seconds=15 * scale()), 5000)


class ReplicationMySQL(Replication, SystemTest):
    source_class = MySQL97


class ReplicationMariaDB(Replication, SystemTest):
    source_class = MariaDB1011


class ReplicationMariaDB118(Replication, SystemTest):
    source_class = MariaDB118


class ReplicationMySQLMinimalMetadata(Replication, SystemTest):
    """MySQL's own default for the row metadata."""

    source_class = MySQL97
    source_options = {"binlog_row_metadata": "MINIMAL"}


class ReplicationMySQLByFile(Replication, SystemTest):
    source_class = MySQL97
    source_options = {"gtid_mode": "OFF", "enforce_gtid_consistency": "OFF",
                      "max_binlog_size": "131072"}
    settings = {"replicationMechanism": "FILE_POS"}


class ReplicationMariaDBDefaults(Replication, SystemTest):
    """MariaDB's own defaults: no row metadata, no checksum; small log files, so many rotations."""

    source_class = MariaDB1011
    source_options = {"binlog_row_metadata": "NO_LOG", "binlog_checksum": "NONE",
                      "max_binlog_size": "131072"}


class ReplicationModes(SystemTest):
    """The other replication modes, and large transactions."""

    gtid_variable, show_position = "gtid_binlog_pos", "SHOW MASTER STATUS"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def setUp(self):
        self.source.run("DROP DATABASE IF EXISTS shop", "CREATE DATABASE shop",
                        "CREATE TABLE shop.t (id INT PRIMARY KEY, v VARCHAR(20))",
                        "INSERT INTO shop.t VALUES (1,'a'),(2,'b')")
        self.clickhouse.query("DROP DATABASE IF EXISTS replica SYNC")

    def test_snapshot_only_completes(self):
        spec = self.spec(["t"], replicationMode="snapshot")
        pipe = self.penstock.create(spec)
        self.penstock.await_state(pipe, "Completed")
        self.assertEqual(2, self.assert_equal(spec))
        self.source.run("INSERT INTO shop.t VALUES (3,'c')")
        pause(1)
        self.assertEqual("2\n", self.clickhouse.query("SELECT count() FROM replica.t FINAL"))
        self.penstock.delete(pipe)

    def test_cdc_only_takes_what_comes(self):
        spec = self.spec(["t"], replicationMode="cdc_only")
        pipe = self.penstock.create(spec)
        self.penstock.await_state(pipe, "Running")
        self.source.run("INSERT INTO shop.t VALUES (3,'c')", "UPDATE shop.t SET v='B' WHERE id=2",
                        "DELETE FROM shop.t WHERE id=1")
        self.await_caught_up()
        wait_until(lambda: self.clickhouse.query(
            "SELECT id, v FROM replica.t FINAL WHERE NOT _penstock_is_deleted ORDER BY id")
            == "2\tB\n3\tc\n", "rows 2 and 3")
        self.penstock.delete(pipe)

    def test_cdc_only_from_a_given_position(self):
        """By GTID and by file, from where the source was before two changes; not from where it
        never was."""
        gtid = self.source.run(f"SELECT @@global.{self.gtid_variable}")[0][0]
        file, offset = self.source.run(self.show_position)[0][:2]
        self.source.run("INSERT INTO shop.t VALUES (3,'c')", "DELETE FROM shop.t WHERE id=1")
        for start in ({"gtid": gtid}, {"file": file, "offset": offset}):
            with self.subTest(start=start):
                spec = pipe_spec(self.source.endpoint(), self.clickhouse.endpoint(),
                                 [mapping("shop", "t")], replicationMode="cdc_only",
                                 startPosition=start)
                pipe = self.penstock.create(spec)
                self.penstock.await_state(pipe, "Running")
                wait_until(lambda: self.clickhouse.query(
                    "SELECT id, _penstock_is_deleted FROM replica.t ORDER BY id")
                    == "1\t1\n3\t0\n", "the deletion of row 1 and row 3")
                self.penstock.delete(pipe)
                self.clickhouse.query("DROP DATABASE replica SYNC")
        for start in ({"gtid": gtid + "99999"}, {"file": file, "offset": 99999999}):
            spec["source"]["mysql"]["settings"]["startPosition"] = start
            with self.assertRaisesRegex(ApiError, "has not been at startPosition"):
                self.penstock.create(spec)

    def test_large_transaction(self):
        """Much more than a batch, in one transaction that is on its way while others commit."""
        spec = self.spec(["t"], pullBatchSize=1000)
        pipe = self.penstock.create(spec)
        self.penstock.await_state(pipe, "Running")
        connection = self.source.connect(database="shop", autocommit=False)
        with connection.cursor() as cursor:
            for start in range(100, 60100, 1000):
                cursor.executemany("INSERT INTO t VALUES (%s, %s)",
                                   [(n, f"v{n}") for n in range(start, start + 1000)])
            self.source.run("INSERT INTO shop.t VALUES (5,'between')")
            cursor.execute("UPDATE t SET v = 'x' WHERE id % 3 = 0")
            cursor.execute("DELETE FROM t WHERE id % 5 = 0")
        connection.commit()
        connection.close()
        self.await_caught_up()
        self.assert_equal(spec)
        self.penstock.delete(pipe)

    def test_names_of_any_kind(self):
        """Names with dots, spaces, quotes and capitals; a target of another name; a left-out column."""
        self.source.run("CREATE DATABASE IF NOT EXISTS `a.b`",
                        "CREATE TABLE `a.b`.`My ``Table` (`i d` INT PRIMARY KEY, `va.l``ue` INT, "
                        "`select` VARCHAR(9), secret TEXT)",
                        "INSERT INTO `a.b`.`My ``Table` VALUES (1, 2, 'x', 's')")
        mappings = [mapping("a.b", "My `Table", "odd.name", excludedColumns=["secret"])]
        spec = pipe_spec(self.source.endpoint(), self.clickhouse.endpoint(), mappings)
        pipe = self.penstock.create(spec)
        self.penstock.await_state(pipe, "Running")
        self.source.run("INSERT INTO `a.b`.`My ``Table` VALUES (2, 3, 'y', 's')",
                        "UPDATE `a.b`.`My ``Table` SET `va.l``ue` = 7, secret = 't' WHERE `i d` = 1")
        wait_until(lambda: self.clickhouse.query(
            "SELECT sum(`va.l\\`ue`) FROM replica.`odd.name` FINAL") == "10\n", "both rows")
        self.assertEqual(2, self.assert_equal(spec))
        self.penstock.delete(pipe)


class ReplicationModesMySQL(ReplicationModes):
    source_class = MySQL97
    gtid_variable, show_position = "gtid_executed", "SHOW BINARY LOG STATUS"


if __name__ == "__main__":
    unittest.main()
