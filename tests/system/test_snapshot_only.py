"""Pipes of replicationMode snapshot: all tables at one moment, whole or not at all."""

import contextlib
import random
import threading
import time
import unittest

import pymysql

from harness.case import SystemTest, new_seed, rounds
from harness.penstock import mapping
from harness.proxy import Proxy
from harness.sources import MariaDB1011, MySQL97
from harness.wait import pause, wait_until

ACCOUNTS = 6000
FIRST_BALANCE = 1000


class Transfers:
    """Writers that move money between accounts, and accounts to other numbers; each transaction
    tells in the ledger what it did. A context manager."""

    def __init__(self, source, seed, writers=3):
        self._source = source
        self._stopped = threading.Event()
        self._errors = []
        self.committed = 0
        self._threads = [threading.Thread(target=self._run, args=(f"{seed}/{number}",), daemon=True)
                         for number in range(writers)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        wait_until(lambda: self.committed or self._errors, "the first transfer")
        return self

    def __exit__(self, *_):
        self._stopped.set()
        for thread in self._threads:
            thread.join()
        if self._errors:
            raise self._errors[0]

    def _run(self, seed):
        chance = random.Random(seed)
        try:
            with contextlib.closing(self._source.connect(database="shop", autocommit=False)) as link:
                while not self._stopped.wait(0.002):
                    try:
                        with link.cursor() as cursor:
                            self._step(cursor, chance)
                        link.commit()
                        self.committed += 1
                    except pymysql.err.OperationalError as error:
                        if error.args[0] not in (1205, 1213):
                            raise
                        link.rollback()
        except Exception as error:  # pylint: disable=broad-except
            self._errors.append(error)

    @staticmethod
    def _step(cursor, chance):
        def some_account():
            cursor.execute("SELECT id, balance FROM accounts WHERE id >= %s ORDER BY id LIMIT 1 "
                           "FOR UPDATE", (chance.randrange(1, ACCOUNTS),))
            return cursor.fetchone()
        source, balance = some_account()
        if chance.random() < 0.2:
            cursor.execute("INSERT INTO accounts (balance) VALUES (%s)", (balance,))
            amount, target = balance, cursor.lastrowid
            cursor.execute("DELETE FROM accounts WHERE id = %s", (source,))
        else:
            amount, (target, _) = chance.randrange(1, 50), some_account()
            for account, change in ((source, -amount), (target, amount)):
                cursor.execute("UPDATE accounts SET balance = balance + %s WHERE id = %s",
                               (change, account))
        cursor.execute("INSERT INTO ledger (source, target, amount) VALUES (%s, %s, %s)",
                       (source, target, amount))


class SnapshotOnly:
    """Accounts and their ledger, which agree at any moment and at no two different ones."""

    privileges = "SELECT, RELOAD"
    allowed_ways = ("global read lock",)
    first_way = "under a global read lock"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()
        cls.source.run("CREATE USER loader@'%' IDENTIFIED BY 'l'",
                       f"GRANT {cls.privileges} ON *.* TO loader@'%'")

    def setUp(self):
        self.seed = new_seed()
        self.random = random.Random(self.seed)
        self.source.run("DROP DATABASE IF EXISTS shop", "CREATE DATABASE shop",
                        "CREATE TABLE shop.accounts (id BIGINT AUTO_INCREMENT PRIMARY KEY, "
                        "balance BIGINT NOT NULL, note CHAR(40) NOT NULL DEFAULT 'a note')",
                        "CREATE TABLE shop.ledger (id BIGINT AUTO_INCREMENT PRIMARY KEY, source "
                        "BIGINT NOT NULL, target BIGINT NOT NULL, amount BIGINT NOT NULL)")
        self.clickhouse.query("DROP DATABASE IF EXISTS replica SYNC")
        with contextlib.closing(self.source.connect(database="shop")) as link:
            link.cursor().executemany("INSERT INTO accounts (balance) VALUES (%s)",
                                      [(FIRST_BALANCE,)] * ACCOUNTS)
        self.source.run("ANALYZE TABLE shop.accounts")  # partitions are guessed from what it knows
        self.proxy = self.enterContext(Proxy(self.source.port))
        self.spec_ = self.spec(["accounts", "ledger"], replicationMode="snapshot",
                               initialLoadParallelism=3)
        self.spec_["source"]["mysql"].update(port=self.proxy.port, credentials={
            "username": "loader", "password": "l"})
        self.pipe = None

    def tearDown(self):
        if self.pipe:
            self.penstock.delete(self.pipe)

    # --- what is looked at ---

    def rows(self, table):
        return int(self.clickhouse.query(f"SELECT count() FROM replica.{table} FINAL"))

    def tables(self):
        return self.clickhouse.query("SELECT name FROM system.tables WHERE database = 'replica' "
                                     "ORDER BY name").split()

    def events(self, kind):
        events = self.penstock.api(f"{self.penstock.pipes_path()}/{self.pipe}/events")
        return [event["text"] for event in events if event["kind"] == kind]

    def is_begun(self):
        """Partitions of the accounts are there, and others are to come."""
        tables = self.penstock.status(self.pipe)["tables"]  # none before the end of Setup
        return tables and 0 < tables[0]["partitionsDone"] < tables[0]["partitions"]

    def check(self):
        """What `check` says of the snapshot: (severities, texts)."""
        findings = [finding for finding in self.penstock.check(self.spec_)["findings"]
                    if finding["check"] == "snapshot_consistency"]
        return ([finding["severity"] for finding in findings],
                "\n".join(finding["message"] + finding["remedy"] + finding["statement"]
                          for finding in findings))

    def assert_one_moment(self):
        """No key twice, as many accounts as ever, and each balance as its ledger says: read with FINAL,
        since a partition that was sent without an answer is sent again."""
        for table in ("accounts", "ledger"):
            self.assertEqual("0\n", self.clickhouse.query(
                f"SELECT count() - uniqExact(id) FROM replica.{table} FINAL"), f"{table}: doubled")
        self.assertEqual(ACCOUNTS, self.rows("accounts"))
        self.assertEqual("", self.clickhouse.query(
            "SELECT id, sum(x) AS wrong FROM (SELECT id, -balance AS x FROM replica.accounts FINAL "
            f"UNION ALL SELECT toInt64(number + 1), {FIRST_BALANCE} FROM numbers({ACCOUNTS}) "
            "UNION ALL SELECT target, amount FROM replica.ledger FINAL "
            "UNION ALL SELECT source, -amount FROM replica.ledger FINAL) "
            "GROUP BY id HAVING wrong != 0 LIMIT 5"))
        self.assertEqual(["accounts", "ledger", "marker"], self.tables())

    def finish(self):
        self.proxy.down_per_second = None
        self.penstock.await_state(self.pipe, "Completed")
        self.assert_one_moment()

    def begin_slowly(self):
        """A load that has some partitions, and lacks others."""
        self.proxy.down_per_second = 150_000
        self.pipe = self.penstock.create(self.spec_)
        wait_until(self.is_begun, "a partition")
        self.proxy.down_per_second = 15_000
        self.assertEqual("Snapshot", self.penstock.state(self.pipe))
        self.assertEqual(0, self.rows("accounts"), "the target before the load is whole")


class Whole(SnapshotOnly):
    """While writers go on."""

    def test_one_moment(self):
        with Transfers(self.source, self.seed) as transfers:
            for _ in range(rounds(2)):
                self.proxy.down_per_second = 300_000
                self.pipe = self.penstock.create(self.spec_)
                before = transfers.committed
                wait_until(lambda n=before: transfers.committed > n + 50 or
                           self.penstock.state(self.pipe) == "Completed", "transfers")
                self.finish()
                self.assertTrue(any(way in self.events("snapshot")[0] for way in self.allowed_ways),
                                self.events("snapshot"))
                self.penstock.delete(self.pipe)
                self.clickhouse.query("DROP DATABASE replica SYNC")
        self.pipe = None

    def test_killed(self):
        with Transfers(self.source, self.seed):
            self.begin_slowly()
            for _ in range(rounds(2)):
                pause(self.random.uniform(0, 0.3))
                self.penstock.restart()
                self.assertEqual(0, self.rows("accounts"))
            self.finish()

    def test_killed_at_any_moment(self):
        """Also while tables are exchanged: a small load that is killed again and again."""
        self.source.run("DELETE FROM shop.ledger")
        for _ in range(rounds(4)):
            self.pipe = self.penstock.create(self.spec_)
            wait_until(lambda: self.penstock.state(self.pipe) in ("Snapshot", "Completed"),
                       "the load", every=0.005)
            pause(self.random.uniform(0, 0.6))
            self.penstock.restart()
            self.finish()
            self.penstock.delete(self.pipe)
            self.clickhouse.query("DROP DATABASE replica SYNC")
        self.pipe = None

    def exchange_without_an_answer(self, disturb):
        """What disturb(proxy) does while the answer to the first exchange is on its way."""
        with Proxy(self.clickhouse.http_port) as proxy:
            self.spec_["destination"]["clickhouse"]["url"] = f"http://127.0.0.1:{proxy.port}"
            proxy.hold_answer_of = b"EXCHANGE TABLES"
            self.pipe = self.penstock.create(self.spec_)
            wait_until(lambda: proxy.holding, "an exchange")
            wait_until(lambda: self.rows("accounts"), "it is done")
            proxy.hold_answer_of = None
            disturb(proxy)
            self.finish()
        self.assertEqual(1, len(self.events("snapshot")), "the load was not done again")

    def test_exchange_whose_answer_is_lost(self):
        def lose(proxy):
            proxy.cut()
            proxy.release()
        self.exchange_without_an_answer(lose)

    def test_exchange_whose_sender_is_killed(self):
        def kill(proxy):
            self.penstock.kill()
            proxy.release()
            self.penstock.start()
        self.exchange_without_an_answer(kill)

    def test_a_loaded_table_is_gone_when_others_are_in_place(self):
        """All are loaded again: at one moment."""
        with Proxy(self.clickhouse.http_port) as proxy:
            self.spec_["destination"]["clickhouse"]["url"] = f"http://127.0.0.1:{proxy.port}"
            proxy.hold_answer_of = b"SELECT 1 FROM `replica`.`ledger` LIMIT 1"
            self.pipe = self.penstock.create(self.spec_)
            wait_until(lambda: proxy.holding and self.rows("accounts"), "one of them in place")
            self.penstock.kill()
            loaded, = [table for table in self.tables() if table.startswith("ledger_resync_")]
            self.clickhouse.query(f"DROP TABLE replica.{loaded} SYNC")
            proxy.hold_answer_of = None
            proxy.release()
            self.source.run("INSERT INTO shop.ledger (source, target, amount) VALUES (1, 2, 5)",
                            "UPDATE shop.accounts SET balance = balance - 5 WHERE id = 1",
                            "UPDATE shop.accounts SET balance = balance + 5 WHERE id = 2")
            self.penstock.start()
            self.finish()

    def test_paused_and_resumed(self):
        with Transfers(self.source, self.seed):
            self.begin_slowly()
            self.penstock.order(self.pipe, "stop")
            self.penstock.await_state(self.pipe, "Paused", seconds=10)
            self.assertEqual(0, self.rows("accounts"))
            self.penstock.order(self.pipe, "start")
            self.finish()

    def test_connection_lost(self):
        with Transfers(self.source, self.seed):
            self.begin_slowly()
            self.proxy.cut()
            wait_until(lambda: len(self.events("snapshot")) > 1, "another attempt")
            self.finish()

    def test_clickhouse_killed(self):
        """What was sent without an answer is sent again; the snapshot is not given up."""
        with Transfers(self.source, self.seed):
            self.begin_slowly()
            self.clickhouse.restart()
            self.finish()
        self.assertEqual(1, len(self.events("snapshot")))

    def test_check(self):
        _, text = self.check()
        self.assertIn(f"opened {self.first_way}", text)
        self.assertIn("starts again from nothing", text)
        self.source.run("CREATE TABLE shop.old (id INT PRIMARY KEY) ENGINE = MyISAM")
        self.spec_["source"]["mysql"]["tableMappings"].append(mapping("shop", "old"))
        severities, text = self.check()
        self.assertIn("not read at that moment: shop.old", text)
        self.assertNotIn("error", severities)

    def test_deleted(self):
        self.begin_slowly()
        self.penstock.delete(self.pipe)
        self.pipe = None
        self.assertEqual(["accounts", "ledger", "marker"], self.tables())


class WholeMySQL(Whole, SystemTest):
    source_class = MySQL97


class WholeMariaDB(Whole, SystemTest):
    source_class = MariaDB1011

    def test_check(self):
        super().test_check()
        self.assertIn("ALTER TABLE on it waits", self.check()[1])


class WithTableLocksMySQL(Whole, SystemTest):
    source_class = MySQL97
    privileges = "SELECT, LOCK TABLES"
    first_way = "under read locks"
    allowed_ways = ("LOCK TABLES",)


class WithTableLocksMariaDB(WithTableLocksMySQL):
    source_class = MariaDB1011


class LongStatements(SnapshotOnly, SystemTest):
    """MySQL: a global lock that does not get through would leave their tables closed."""

    source_class = MySQL97
    privileges = "SELECT, RELOAD, PROCESS"

    @staticmethod
    def sleep(link):
        with contextlib.suppress(pymysql.err.OperationalError):  # killed
            link.cursor().execute("SELECT SLEEP(60) FROM shop.accounts LIMIT 1")

    def test_no_global_lock_beside_a_long_statement(self):
        with contextlib.closing(self.source.connect()) as link:
            long = threading.Thread(target=self.sleep, args=(link,))
            long.start()
            wait_until(lambda: self.source.run("SELECT 1 FROM information_schema.PROCESSLIST WHERE "
                                               "INFO LIKE 'SELECT SLEEP%' AND TIME > 1"), "it runs")
            self.pipe = self.penstock.create(self.spec_)
            while self.penstock.state(self.pipe) != "Completed":
                self.source.run("SET max_execution_time = 1000, lock_wait_timeout = 1",
                                "SELECT id FROM shop.accounts LIMIT 1")
            self.finish()
            self.assertIn("nothing was committed", self.events("snapshot")[0])
            self.source.run(f"KILL {link.thread_id()}")
            long.join()


class WithoutLocks(SnapshotOnly):
    """A user who may only read."""

    privileges = "SELECT"
    allowed_ways = ("nothing was committed", "by one connection")

    test_one_moment = Whole.test_one_moment

    def test_nothing_is_written(self):
        self.assertIn("again until nothing was committed", self.check()[1])
        self.pipe = self.penstock.create(self.spec_)
        self.finish()
        self.assertIn("connections: 6", self.events("snapshot")[0])
        self.assertIn("nothing was committed", self.events("snapshot")[0])


class WithoutLocksMySQL(WithoutLocks, SystemTest):
    source_class = MySQL97


class WithoutLocksMariaDB(WithoutLocks, SystemTest):
    source_class = MariaDB1011


class OneConnection(SnapshotOnly):
    """Where nothing tells whether two transactions see the same."""

    privileges = "SELECT"
    allowed_ways = ("by one connection",)

    test_one_moment = Whole.test_one_moment

    def test_check(self):
        severities, text = self.check()
        self.assertIn("warning", severities)
        self.assertIn("by one connection", text)
        self.assertIn("GRANT RELOAD ON *.* TO ", text)


class OneConnectionMySQL(OneConnection, SystemTest):
    source_class = MySQL97
    source_options = {"gtid_mode": "OFF", "enforce_gtid_consistency": "OFF"}


class OneConnectionMariaDB(OneConnection, SystemTest):
    source_class = MariaDB1011
    source_options = {"log_bin": None}


class Definitions(SnapshotOnly):
    """Statements on the tables while they are loaded."""

    def setUp(self):
        super().setUp()
        self.spec_["source"]["mysql"]["settings"]["initialLoadParallelism"] = 1

    def alter(self, sql):
        """Runs it; the seconds that it took."""
        started = time.monotonic()
        self.source.run("SET lock_wait_timeout = 20", sql)
        return time.monotonic() - started

    def test_statements_get_through_between_partitions(self):
        self.assertNotIn("ALTER TABLE on it waits", self.check()[1])
        self.begin_slowly()
        self.proxy.down_per_second = 30_000
        self.alter("ALTER TABLE shop.accounts COMMENT = 'of no meaning'")
        self.alter("ALTER TABLE shop.ledger COMMENT = 'of no meaning'")
        self.assertEqual("Snapshot", self.penstock.state(self.pipe), "the load went on meanwhile")
        self.finish()

    def test_a_table_made_anew_starts_the_load_again(self):
        self.begin_slowly()
        self.proxy.down_per_second = 60_000
        self.alter("ALTER TABLE shop.accounts FORCE")
        self.finish()
        self.assertGreater(len(self.events("snapshot")), 1)

    def test_a_dropped_partition_starts_the_load_again(self):
        """The servers leave its rows out of older snapshots, and do not say so."""
        self.source.run("ALTER TABLE shop.accounts PARTITION BY RANGE (id) (PARTITION early VALUES "
                        "LESS THAN (5500), PARTITION late VALUES LESS THAN MAXVALUE)")
        self.begin_slowly()
        self.proxy.down_per_second = 60_000
        self.alter("ALTER TABLE shop.accounts DROP PARTITION late")
        self.proxy.down_per_second = None
        self.penstock.await_state(self.pipe, "Completed")
        self.assertGreater(len(self.events("snapshot")), 1)
        self.assertEqual(5499, self.rows("accounts"))


class DefinitionsMySQL(Definitions, SystemTest):
    source_class = MySQL97


class DefinitionsMariaDB(Definitions, SystemTest):
    source_class = MariaDB1011
    privileges = "SELECT, RELOAD, BINLOG ADMIN"


if __name__ == "__main__":
    unittest.main()
