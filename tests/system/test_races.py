"""Races of a load with what happens at its source, each forced: the start position, definitions,
prepared transactions, servers that are behind, logs that are purged."""

import contextlib
import threading
import unittest

import pymysql

from harness import workload
from harness.case import SystemTest, new_seed
from harness.proxy import Proxy
from harness.sources import MariaDB1011, MySQL97
from harness.wait import pause, wait_until


class WithProxy(SystemTest):
    """A source with a table t behind a proxy, a ClickHouse and a penstock."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def setUp(self):
        self.fresh_shop()
        self.source.run("CREATE TABLE shop.t (id INT PRIMARY KEY, v VARCHAR(20))",
                        "INSERT INTO shop.t VALUES (1, 'a'), (2, 'b')")
        self.proxy = self.enterContext(Proxy(self.source.port))

    def tearDown(self):
        self.delete_pipes()

    def through_proxy(self, **settings):
        spec = self.spec(["t"], **settings)
        spec["source"]["mysql"]["port"] = self.proxy.port
        return spec

    def await_equal(self, spec, rows):
        """`rows` of t and the marker."""
        self.await_caught_up()
        self.assertEqual(rows + 1, self.assert_equal(spec))

    def prepare_xa(self):
        if self.source.family == "mysql":
            self.source.run("GRANT XA_RECOVER_ADMIN ON *.* TO penstock")
        self.addCleanup(self.end_xa, "ROLLBACK")
        self.source.run("XA START 'open one'", "INSERT INTO shop.t VALUES (9, 'xa')",
                        "XA END 'open one'", "XA PREPARE 'open one'")

    def end_xa(self, verb):
        with contextlib.suppress(pymysql.err.MySQLError):  # it is over
            self.source.run(f"XA {verb} 'open one'")

    def hold_setup_at(self, words, spec):
        """Creates the pipe, and returns when its setup, not the checks before it, has asked the
        source for `words`. The answer is held until proxy.release()."""
        self.prepare_xa()
        pipe = self.penstock.create(spec)
        wait_until(lambda: "open one" in self.penstock.status(pipe)["retrying"], "setup waits")
        self.proxy.hold_answer_of = words
        self.end_xa("COMMIT")
        wait_until(lambda: self.proxy.holding, f"setup asks for {words}")
        self.proxy.hold_answer_of = None
        return pipe


class StartPosition:
    """A transaction that is in the log, and that no SELECT sees: it waits for the acknowledgement of
    a replica that does not exist."""

    def semi_sync(self, on):
        raise NotImplementedError

    @contextlib.contextmanager
    def waiting_transaction(self):
        """Its rows are a new one, a changed and a deleted one. Commits on leaving."""
        end = self.source.run(self.show_position)[0][1]
        self.semi_sync(True)

        def write():
            self.source.run("BEGIN", "INSERT INTO shop.t VALUES (3, 'waits')",
                            "UPDATE shop.t SET v = 'changed' WHERE id = 1",
                            "DELETE FROM shop.t WHERE id = 2", "COMMIT")
        thread = threading.Thread(target=write, daemon=True)
        thread.start()
        try:
            wait_until(lambda: self.source.run(self.show_position)[0][1] > end, "it is in the log")
            self.assertEqual(2, self.source.run("SELECT COUNT(*) FROM shop.t WHERE v < 'c'")[0][0])
            yield
        finally:
            self.semi_sync(False)
            thread.join()

    def rows_of_both_ways(self, pipe):
        table = self.penstock.status(pipe)["tables"][0]
        return table["rowsLoaded"], table["rowsInserted"]

    def test_waits_all_along(self):
        """The load ends before it is visible: it comes by the log."""
        for mechanism in ("GTID", "FILE_POS"):
            with self.subTest(mechanism=mechanism):
                self.setUp()
                spec = self.through_proxy(replicationMechanism=mechanism)
                with self.waiting_transaction():
                    pipe = self.penstock.create(spec)
                    if self.position_waits(mechanism):
                        pause(0.5)
                        self.assertEqual("Setup", self.penstock.state(pipe))
                        self.semi_sync(False)
                    self.penstock.await_state(pipe, "Running")
                if not self.position_waits(mechanism):
                    wait_until(lambda p=pipe: self.rows_of_both_ways(p) == (2, 1), "loaded 2, then 1")
                self.await_equal(spec, rows=2)
                self.penstock.delete(pipe)

    def test_becomes_visible_between_position_and_select(self):
        """It comes both ways, and is there once."""
        spec = self.through_proxy()
        self.proxy.hold_answer_of = b"SET SESSION TRANSACTION ISOLATION LEVEL"
        with self.waiting_transaction():
            pipe = self.penstock.create(spec)
            wait_until(lambda: self.proxy.holding, "a reader is connected")
        self.proxy.hold_answer_of = None
        self.proxy.release()
        self.penstock.await_state(pipe, "Running")
        self.await_equal(spec, rows=2)
        self.assertEqual((2, 1), self.rows_of_both_ways(pipe))

    def position_waits(self, mechanism):
        """Whether the position is only told when the transaction is visible."""
        return False


class StartPositionMySQL(StartPosition, WithProxy):
    source_class = MySQL97
    show_position = "SHOW BINARY LOG STATUS"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.source.run("INSTALL PLUGIN rpl_semi_sync_source SONAME 'semisync_source.so'")

    def semi_sync(self, on):
        self.source.run("SET GLOBAL rpl_semi_sync_source_timeout = 600000",
                        f"SET GLOBAL rpl_semi_sync_source_enabled = {int(on)}")

    def position_waits(self, mechanism):
        return mechanism == "FILE_POS"


class StartPositionMariaDB(StartPosition, WithProxy):
    source_class = MariaDB1011
    show_position = "SHOW MASTER STATUS"

    def semi_sync(self, on):
        self.source.run("SET GLOBAL rpl_semi_sync_master_timeout = 600000",
                        "SET GLOBAL rpl_semi_sync_master_wait_point = AFTER_SYNC",
                        f"SET GLOBAL rpl_semi_sync_master_enabled = {int(on)}")


class Setup:
    """What must fit the start position."""

    def test_definitions_read_before_an_alter_and_the_position_after(self):
        self.alter_while_held(b"information_schema")

    def test_position_read_before_an_alter_and_definitions_after(self):
        self.alter_while_held(self.position_query)

    def alter_while_held(self, words):
        spec = self.through_proxy()
        pipe = self.hold_setup_at(words, spec)
        self.source.run("INSERT INTO shop.t VALUES (3, 'before')",
                        "ALTER TABLE shop.t ADD COLUMN w INT DEFAULT 7 FIRST",
                        "INSERT INTO shop.t VALUES (8, 4, 'after')")
        self.proxy.release()
        self.penstock.await_state(pipe, "Running")
        self.source.run("UPDATE shop.t SET w = 1 WHERE id = 3")
        self.await_equal(spec, rows=5)

    def test_prepared_transaction_that_stays(self):
        """Waited for, then refused with its id; and started when it is gone."""
        self.prepare_xa()
        spec = self.through_proxy()
        pipe = self.penstock.create(spec)
        wait_until(lambda: "open one" in self.penstock.status(pipe)["retrying"], "its id is said")
        self.penstock.await_state(pipe, "Failed", seconds=100)
        reason = self.penstock.pipe(pipe)["reason"]
        self.assertIn("open one", reason)
        self.assertIn("XA RECOVER", reason)
        self.assertEqual("", self.penstock.status(pipe)["retrying"])
        self.end_xa("ROLLBACK")
        self.penstock.order(pipe, "start")
        self.penstock.await_state(pipe, "Running")
        self.await_equal(spec, rows=2)


class SetupMySQL(Setup, WithProxy):
    source_class = MySQL97
    position_query = b"SELECT @@global.gtid_executed"


class SetupMariaDB(Setup, WithProxy):
    source_class = MariaDB1011
    position_query = b"binlog_snapshot_file"


class ServerBehind:
    """A proxy leads a reader to a server that is behind: nothing of it is taken."""

    readers = "SELECT id FROM information_schema.processlist WHERE user = 'penstock'"

    def test_reader_on_a_server_that_is_behind(self):
        older = self.use(self.source.family, self.source_class)
        older.run("CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY, v VARCHAR(20))",
                  "INSERT INTO shop.t VALUES (1, 'old'), (7, 'gone')")
        self.source.run("INSERT INTO shop.t VALUES (3, 'c')")
        spec = self.through_proxy(initialLoadParallelism=1, snapshotNumberOfParallelTables=1)
        self.proxy.hold_answer_of = b"SET SESSION TRANSACTION ISOLATION LEVEL"
        pipe = self.penstock.create(spec)
        wait_until(lambda: self.proxy.holding, "a reader is connected")
        wait_until(lambda: self.penstock.status(pipe)["lagSeconds"] is not None, "a stream flows")
        self.proxy.hold_answer_of = None
        self.proxy.target = older.port
        self.proxy.release(cut=True)
        wait_until(lambda: "has not executed the start position"
                   in self.penstock.status(pipe)["retrying"], "the reader is refused")
        self.assertEqual("Snapshot", self.penstock.state(pipe))
        self.proxy.target = self.source.port
        self.penstock.await_state(pipe, "Running")
        self.await_equal(spec, rows=3)


class ServerBehindMySQL(ServerBehind, WithProxy):
    source_class = MySQL97


class ServerBehindMariaDB(ServerBehind, WithProxy):
    source_class = MariaDB1011


class PurgedLogs:
    """A load that lasts longer than the log is kept."""

    LAG_SECONDS_MAX = 3

    def purge(self):
        """The log up to what is consumed, which is more than it was; its first file."""
        consumed = self.source.run("SHOW BINARY LOGS")[-1][0]
        self.source.run("FLUSH BINARY LOGS")
        self.await_caught_up()
        return self.source.run(f"PURGE BINARY LOGS TO '{consumed}'", "SHOW BINARY LOGS")[0][0]

    def test_logs_purged_as_they_are_consumed(self):
        seed = new_seed()
        self.fresh_shop()
        workload.create(self.source)
        workload.Writer(self.source, seed).fill(accounts=3000)
        spec = self.spec(workload.TABLES, snapshotRowsPerSecond=800)
        first = self.source.run("SHOW BINARY LOGS")[-1][0]
        with workload.Workload(self.source, seed) as writers:
            pipe = self.penstock.create(spec)
            self.penstock.await_state(pipe, "Snapshot")
            wait_until(lambda: self.purge() > first, "the log of the start is gone")
            self.assertEqual("Snapshot", self.penstock.state(pipe))
            self.penstock.restart()
            self.assertEqual("Snapshot", self.penstock.state(pipe))
            while self.penstock.await_state(pipe, "Snapshot", "Running") == "Snapshot":
                self.purge()
            self.assertLess(self.penstock.status(pipe)["lagSeconds"], self.LAG_SECONDS_MAX)
            self.assertGreater(writers.transactions, 100)
        self.await_caught_up()
        self.assert_equal(spec)


class PurgedLogsMySQL(PurgedLogs, WithProxy):
    source_class = MySQL97


class PurgedLogsMariaDB(PurgedLogs, WithProxy):
    source_class = MariaDB1011


if __name__ == "__main__":
    unittest.main()
