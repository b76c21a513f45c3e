"""Tables that were set aside are followed again, from where they were left, beside all others."""

import random
import threading
import unittest

import pymysql

from harness.case import SystemTest, new_seed, rounds
from harness.clickhouse import ClickHouse
from harness.penstock import ApiError, Penstock, mapping
from harness.process import Folder
from harness.proxy import Proxy
from harness.sources import MariaDB1011, MySQL97
from harness.wait import pause, wait_until


class Counter:
    """Writes while it is entered: rows come with v = 0, and each change adds one. So a table that
    keeps every change has each (id, v) once."""

    TABLES = ("t", "facts", "other")

    def __init__(self, source, seed):
        self._source = source
        self._random = random.Random(seed)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.error = None

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        if self.error:
            raise self.error

    def _run(self):
        try:
            connection = self._source.connect(database="shop")
            with connection, connection.cursor() as cursor:
                while not self._stop.is_set():
                    self._transaction(cursor)
                    pause(0.005)
        except pymysql.err.Error as error:
            self.error = error

    def _transaction(self, cursor):
        cursor.execute("BEGIN")
        for _ in range(self._random.randrange(1, 4)):
            table = self._random.choice(self.TABLES)
            low = self._random.randrange(1, 2000)
            cursor.execute(self._random.choice([
                f"INSERT INTO {table} (v) VALUES " + ",".join(["(0)"] * self._random.randrange(1, 40)),
                f"UPDATE {table} SET v = v + 1 WHERE id BETWEEN {low} AND {low + 20}",
                f"DELETE FROM {table} WHERE id = {low}" if table == "t"
                else f"UPDATE {table} SET v = v + 1 WHERE id = {low}"]))
        cursor.execute(self._random.choice(["COMMIT"] * 9 + ["ROLLBACK"]))


class Retry:
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def setUp(self):
        self.seed = new_seed()
        self.random = random.Random(self.seed)
        self.fresh_shop()
        for table in Counter.TABLES:
            self.source.run(f"CREATE TABLE shop.{table} (id INT PRIMARY KEY AUTO_INCREMENT, v INT NOT NULL)",
                            f"INSERT INTO shop.{table} (v) VALUES (0), (0), (0), (0), (0)")

    def tearDown(self):
        self.delete_pipes()

    def replicate(self, clickhouse=None, **settings):
        """t, other, and facts, which keeps every change."""
        spec = self.spec(["t", "other"], **settings)
        spec["destination"]["clickhouse"] = clickhouse or self.clickhouse.endpoint()
        spec["source"]["mysql"]["tableMappings"].append(
            mapping("shop", "facts", tableEngine="MergeTree"))
        pipe = self.penstock.create(spec)
        self.penstock.await_state(pipe, "Running")
        self.await_caught_up()
        return spec, pipe

    def table(self, pipe, name):
        return next(table for table in self.penstock.status(pipe)["tables"]
                    if table["sourceTable"] == name)

    def quarantine(self, pipe, *names):
        """Their targets are away; a change of each is met."""
        for name in names:
            self.clickhouse.query(f"RENAME TABLE replica.{name} TO replica.{name}_away")
            self.source.run(f"INSERT INTO shop.{name} (v) VALUES (0)")
        for name in names:
            wait_until(lambda: self.table(pipe, name)["state"] == "quarantined",
                       lambda: f"{name} quarantined\n{self.penstock.process.tail()}", 30)

    def bring_back(self, *names):
        for name in names:
            self.clickhouse.query(f"RENAME TABLE replica.{name}_away TO replica.{name}")

    def purge(self):
        newest = self.source.run("SHOW BINARY LOGS")[-1][0]
        wait_until(lambda: self.source.run(f"PURGE BINARY LOGS TO '{newest}'",
                                           "SHOW BINARY LOGS")[0][0] == newest, "purged")

    def retry(self, *tables, wait=True):
        words = [word for table in tables for word in ("--table", table)]
        return self.penstock.cli("retry", "pipe", *words, *(["--wait"] if wait else []))

    def assert_same(self, spec):
        """And each change of facts is there once."""
        self.await_caught_up()
        mysql = spec["source"]["mysql"]
        left = [m for m in mysql["tableMappings"] if m["sourceTable"] != "facts"]
        self.assert_equal({**spec, "source": {"mysql": {**mysql, "tableMappings": left}}})
        wanted = self.source.run("SELECT count(*), sum(v) + count(*) FROM shop.facts")[0]
        self.assertEqual(f"{wanted[0]}\t{wanted[1]}\t{wanted[1]}\n", self.clickhouse.query(
            "SELECT uniqExact(id), count(), uniqExact(id, v) FROM replica.facts FORMAT TSV"))

    def test_a_target_that_is_back(self):
        """What came meanwhile is written, once; the others flow all the time."""
        spec, pipe = self.replicate()
        with Counter(self.source, self.seed):
            self.quarantine(pipe, "t", "facts")
            self.await_caught_up()
            self.penstock.await_state(pipe, "Degraded")
            before = self.table(pipe, "t")["quarantine"]["position"]
            self.bring_back("t", "facts")
            code, _, error = self.retry()
            self.assertEqual((0, ""), (code, error), self.penstock.process.tail())
            self.penstock.await_state(pipe, "Running")
        self.assertIsNone(self.table(pipe, "t")["quarantine"])
        self.assert_same(spec)
        events = self.penstock.cli("events", "pipe")[1]
        self.assertIn("followed again", events)
        self.assertIn(before[-10:], events)


    def test_killed_while_it_goes_on(self):
        """At whatever moment: it goes on, and nothing is lost or doubled."""
        spec, pipe = self.replicate(pullBatchSize=50)
        with Counter(self.source, self.seed):
            for _ in range(rounds(2)):
                self.quarantine(pipe, "t", "facts")
                pause(1)
                self.bring_back("t", "facts")
                self.assertEqual(0, self.retry(wait=False)[0])
                for _ in range(4):
                    pause(self.random.choice([0, 0.05, 0.2, 0.5]))
                    self.penstock.restart()
                self.penstock.await_state(pipe, "Running")
        self.assert_same(spec)

    def test_paused_while_it_goes_on(self):
        spec, pipe = self.replicate(pullBatchSize=20)
        self.quarantine(pipe, "t", "facts")
        with Counter(self.source, self.seed):
            pause(1)
            self.bring_back("t", "facts")
            self.penstock.order(pipe, "stop")
            self.penstock.await_state(pipe, "Paused")
            self.assertEqual(0, self.retry(wait=False)[0])
            self.assertTrue(self.table(pipe, "t")["quarantine"]["retrying"])
            for _ in range(3):
                self.penstock.order(pipe, "start")
                pause(self.random.choice([0, 0.1, 0.3]))
                self.penstock.order(pipe, "stop")
                self.penstock.await_state(pipe, "Paused", seconds=3)
            self.penstock.order(pipe, "start")
            self.penstock.await_state(pipe, "Running")
        self.assert_same(spec)

    def test_the_cause_is_still_there(self):
        """A definition that cannot be followed; a target that is still away."""
        spec, pipe = self.replicate()
        self.quarantine(pipe, "facts")
        self.source.run("ALTER TABLE shop.t CHANGE v w BIGINT NOT NULL", "INSERT INTO shop.t VALUES (99, 1)")
        wait_until(lambda: self.table(pipe, "t")["quarantine"], "t quarantined")
        code, _, error = self.retry("shop.t")
        self.assertEqual(1, code)
        self.assertIn("CHANGE v w", error)
        self.assertIn("esync the table", error)
        code, _, error = self.retry("shop.facts")
        self.assertEqual(1, code)
        self.assertIn("its target is gone", error)
        self.bring_back("facts")
        self.assertIn("still quarantined: shop.t", self.retry()[2])
        wait_until(lambda: not self.table(pipe, "facts")["quarantine"], "facts followed")
        self.assertEqual("Degraded", self.penstock.state(pipe))
        self.penstock.cli("resync", "pipe", "--table", "shop.t", "--wait")
        self.penstock.await_state(pipe, "Running")
        self.assert_same(spec)

    def test_the_log_is_gone(self):
        spec, pipe = self.replicate()
        self.quarantine(pipe, "t")
        self.bring_back("t")
        self.await_caught_up()
        self.source.run("FLUSH BINARY LOGS")
        self.await_caught_up()
        self.purge()
        code, _, error = self.retry()
        self.assertEqual(1, code)
        self.assertIn("Resync the table (penstock resync pipe --table shop.t)", error)
        self.assertEqual("Degraded", self.penstock.state(pipe))
        self.assertFalse(self.table(pipe, "t")["quarantine"]["retrying"])
        self.assertEqual(0, self.penstock.cli("resync", "pipe", "--table", "shop.t", "--wait")[0])
        self.penstock.await_state(pipe, "Running")
        self.assert_same(spec)

    def lose_an_insert(self):
        """Of facts: its rows are there, the target is away when it is asked what became of it."""
        proxy = self.enterContext(Proxy(self.clickhouse.http_port))
        clickhouse = {**self.clickhouse.endpoint(), "url": f"http://127.0.0.1:{proxy.port}"}
        spec, pipe = self.replicate(clickhouse)
        proxy.hold_answer_of = b"INSERT INTO `replica`.`facts`"
        self.source.run("INSERT INTO shop.facts (v) VALUES (0), (0), (0)")
        wait_until(lambda: proxy.holding, "the insert")
        self.penstock.kill()
        proxy.hold_answer_of = None
        proxy.release(cut=True)
        wait_until(lambda: self.clickhouse.query("SELECT count() FROM replica.facts") == "8\n",
                   "the rows")
        self.clickhouse.query("RENAME TABLE replica.facts TO replica.facts_away")
        self.penstock.start()
        wait_until(lambda: self.table(pipe, "facts")["state"] == "quarantined", "quarantined")
        self.assertIn("what became of an insert", self.table(pipe, "facts")["quarantine"]["reason"])
        return spec, pipe

    def test_a_target_that_is_away_at_the_start(self):
        """What became of an insert is asked when the table is back: it is not written again."""
        spec, _ = self.lose_an_insert()
        self.penstock.restart()
        self.await_caught_up()
        self.bring_back("facts")
        self.assertEqual((0, ""), self.retry()[::2])
        self.assert_same(spec)

    def test_a_target_that_is_away_when_all_is_loaded_anew(self):
        """From the log as it is then: what became of the insert is of no matter."""
        spec, pipe = self.lose_an_insert()
        self.penstock.kill()
        self.source.run("INSERT INTO shop.facts (v) VALUES (0)", "FLUSH BINARY LOGS")
        self.purge()
        self.penstock.start()
        self.penstock.await_state(pipe, "Failed")
        self.assertEqual(0, self.penstock.cli("resync", "pipe")[0])
        self.penstock.await_state(pipe, "Running")
        wanted = self.source.run("SELECT count(*) FROM shop.facts")[0][0]
        self.assertEqual(f"{wanted}\n", self.clickhouse.query("SELECT count() FROM replica.facts"))

    def test_what_cannot_be_retried(self):
        _, pipe = self.replicate()
        self.assertIn("No table of the pipe is quarantined", self.retry()[2])
        self.assertIn("shop.t is not quarantined", self.retry("shop.t")[2])
        self.assertIn("shop.nothing is not mapped", self.retry("shop.nothing")[2])
        with self.assertRaises(ApiError) as refused:
            self.penstock.order(pipe, "retry")
        self.assertEqual(400, refused.exception.status)
        ddl = self.clickhouse.query("SHOW CREATE TABLE replica.t FORMAT TSVRaw")
        self.quarantine(pipe, "t")
        self.clickhouse.query(ddl)  # empty: not what was there
        self.assertIn("its target has lost its rows", self.retry()[2])

    def test_after_a_resync_that_was_given_up(self):
        """Its target is from before that resync: nothing of it may go on from where that ended."""
        spec, pipe = self.replicate(snapshotRowsPerSecond=400)
        self.quarantine(pipe, "t")
        self.bring_back("t")
        values = ",".join(["(0)"] * 2000)
        self.source.run("INSERT INTO shop.t (v) VALUES (7)", f"INSERT INTO shop.other (v) VALUES {values}")
        self.penstock.cli("resync", "pipe", "--table", "shop.t", "--table", "shop.other")
        def states():
            return {partition["state"] for partition in self.penstock.partitions(pipe, "?table=shop.t")}
        wait_until(lambda: not self.table(pipe, "t")["quarantine"] and states() == {"loaded"},
                   "t loaded, beside its target")
        self.source.run("ALTER TABLE shop.t CHANGE v w BIGINT NOT NULL", "INSERT INTO shop.t (w) VALUES (8)")
        wait_until(lambda: self.table(pipe, "t")["quarantine"], "t quarantined")
        self.assertEqual("Snapshot", self.penstock.state(pipe))
        self.penstock.await_state(pipe, "Degraded")
        code, _, error = self.retry("shop.t")
        self.assertEqual(1, code)
        self.assertIn("its load did not come to its end", error)
        self.penstock.cli("resync", "pipe", "--table", "shop.t", "--wait")
        self.penstock.await_state(pipe, "Running")
        self.assert_same(spec)

    def test_columns_and_truncate_meanwhile(self):
        """What the log tells of the table is done in its order; the definition stays."""
        spec, pipe = self.replicate()
        self.quarantine(pipe, "t", "facts")
        self.source.run("ALTER TABLE shop.t ADD COLUMN w INT NOT NULL DEFAULT 7",
                        "TRUNCATE shop.t", "INSERT INTO shop.t (v) VALUES (1), (2)",
                        "ALTER TABLE shop.facts ADD COLUMN w INT NULL",
                        "INSERT INTO shop.facts (v, w) VALUES (0, 5)")
        self.bring_back("t", "facts")
        self.assertEqual((0, ""), self.retry()[::2])
        self.source.run("UPDATE shop.t SET w = 8 WHERE v = 2")
        self.assert_same(spec)
        self.assertEqual("2\n", self.clickhouse.query("SELECT count() FROM replica.t FINAL"))
        self.assertEqual("5\n", self.clickhouse.query("SELECT sum(w) FROM replica.facts"))

    def test_prepared_transactions(self):
        """One prepared before the table was set aside, of which only its load can tell; then one
        within, whose rows come with its commit."""
        spec, pipe = self.replicate()
        with self.source.connect(database="shop") as link, link.cursor() as cursor:
            def prepare(xid, value):
                cursor.execute(f"XA START '{xid}'")
                cursor.execute(f"INSERT INTO t (v) VALUES ({value})")
                cursor.execute(f"XA END '{xid}'")
                cursor.execute(f"XA PREPARE '{xid}'")
            prepare("before", 11)
            self.await_caught_up()
            self.quarantine(pipe, "t")
            cursor.execute("XA COMMIT 'before'")
            self.bring_back("t")
            self.retry(wait=False)
            self.penstock.await_state(pipe, "Running")
            self.assert_same(spec)
            self.assertIn("resynced by itself", self.penstock.cli("events", "pipe")[1])
            self.quarantine(pipe, "t")
            prepare("within", 12)
            self.bring_back("t")
            self.assertEqual((0, ""), self.retry()[::2])
            cursor.execute("XA COMMIT 'within'")
        self.assert_same(spec)
        self.assertEqual("1\n", self.clickhouse.query(
            "SELECT count() FROM replica.t FINAL WHERE v = 12"))


class RetryInPieces:
    """Of a transaction larger than a batch a part is written when its table is set aside."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_source()
        cls.clickhouse = cls.use("clickhouse", ClickHouse)
        config = cls.enterClassContext(Folder("config")) / "penstock.yaml"
        config.write_text("memory: {limit: 512KiB}\n")
        cls.penstock = cls.enterClassContext(Penstock("--test-limits", "--config", config))

    def test_each_row_once(self):
        rows, kept = 30_000, "\n"
        self.fresh_shop()
        self.source.run("CREATE TABLE shop.facts (id INT PRIMARY KEY AUTO_INCREMENT, body VARCHAR(99))",
                        "INSERT INTO shop.facts (body) VALUES ('first')")
        proxy = self.enterContext(Proxy(self.source.port))
        spec = self.spec([])
        spec["source"]["mysql"]["port"] = proxy.port
        spec["source"]["mysql"]["tableMappings"].append(
            mapping("shop", "facts", tableEngine="MergeTree"))
        pipe = self.penstock.create(spec)
        self.addCleanup(self.penstock.delete, pipe)
        self.penstock.await_state(pipe, "Running")
        self.await_caught_up()
        proxy.down_per_second = 2_000_000
        with self.source.connect(database="shop", autocommit=False) as link, link.cursor() as cursor:
            cursor.executemany("INSERT INTO facts (body) VALUES (%s)", [("x" * 90,)] * rows)
            link.commit()
        def written(at_least):
            nonlocal kept
            kept = self.clickhouse.query("SELECT count() FROM replica.facts")
            return at_least <= int(kept) < rows
        wait_until(lambda: written(1000), "a part of the transaction")
        self.clickhouse.query("RENAME TABLE replica.facts TO replica.away")
        self.penstock.await_state(pipe, "Degraded")
        self.clickhouse.query("RENAME TABLE replica.away TO replica.facts")
        self.assertEqual(0, self.penstock.cli("retry", "pipe")[0])
        wait_until(lambda: written(int(kept) + 1), "more of it")
        self.penstock.restart()
        proxy.down_per_second = None
        self.penstock.await_state(pipe, "Running")
        self.await_caught_up()
        self.assertEqual(f"{rows + 1}\t{rows + 1}\n", self.clickhouse.query(
            "SELECT count(), uniqExact(id) FROM replica.facts FORMAT TSV"))


class RetryMySQL(Retry, SystemTest):
    source_class = MySQL97


class RetryMariaDB(Retry, SystemTest):
    source_class = MariaDB1011


class RetryMySQLByFile(Retry, SystemTest):
    source_class = MySQL97
    source_options = {"gtid_mode": "OFF", "enforce_gtid_consistency": "OFF"}


class RetryInPiecesMySQL(RetryInPieces, SystemTest):
    source_class = MySQL97


class RetryInPiecesMariaDB(RetryInPieces, SystemTest):
    source_class = MariaDB1011


if __name__ == "__main__":
    unittest.main()
