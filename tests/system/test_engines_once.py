"""A MergeTree holds each change once, read without FINAL, whatever was killed or lost meanwhile."""

import random
import threading
import unittest

import pymysql

from harness.case import SystemTest, new_seed, rounds, scale
from harness.penstock import Penstock, mapping
from harness.process import Folder
from harness.proxy import Proxy
from harness.sources import MariaDB1011, MySQL97
from harness.wait import pause, wait_until

TABLES = {
    "facts": "id BIGINT AUTO_INCREMENT PRIMARY KEY, body VARCHAR(200) NOT NULL",  # inserted only
    "counters": "id INT PRIMARY KEY, n INT NOT NULL",  # n counts the updates of the row
    "visits": "id BIGINT NULL, what INT NOT NULL",  # without a key: inserted, then deleted
}
COUNTERS = 20


class Recorder:
    """Writes in transactions over all tables, some large, some undone in part or whole. A context
    manager; what it committed is told by the source's own rows."""

    def __init__(self, source, seed, every):
        self._source = source
        self._every = every
        self._random = random.Random(seed)
        self._stopped = threading.Event()
        self._error = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._visit = 0
        self.transactions = 0

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stopped.set()
        self._thread.join()
        if self._error:
            raise self._error

    def _run(self):
        try:
            link = self._source.connect(database="shop", autocommit=False)
            with link, link.cursor() as cursor:
                while not self._stopped.wait(self._every):
                    self._transaction(cursor)
                    if self._random.random() < 0.1:
                        link.rollback()
                    else:
                        link.commit()
                    self.transactions += 1
        except pymysql.err.Error as error:
            self._error = error

    def _transaction(self, cursor):
        for _ in range(self._random.choice([1, 1, 1, 2, 40])):
            self._changes(cursor)
            if self._random.random() < 0.1:
                cursor.execute("SAVEPOINT s")
                self._changes(cursor)
                cursor.execute("ROLLBACK TO SAVEPOINT s")

    def _changes(self, cursor):
        cursor.executemany("INSERT INTO facts (body) VALUES (%s)",
                           ["x" * self._random.randrange(200)] * self._random.randrange(1, 5))
        low = self._random.randrange(COUNTERS)
        cursor.execute("UPDATE counters SET n = n + 1 WHERE id BETWEEN %s AND %s", (low, low + 3))
        self._visit += 1
        cursor.execute("INSERT INTO visits VALUES (%s, 1), (%s, 2)", (self._visit, self._visit))
        cursor.execute("DELETE FROM visits WHERE id = %s", (self._visit,))


class Once:
    seconds_between = 0.004  # transactions

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def setUp(self):
        self.seed = new_seed()
        self.random = random.Random(self.seed)
        self.fresh_shop()
        self.source.run(*[f"CREATE TABLE shop.{name} ({columns})" for name, columns in TABLES.items()],
                        "INSERT INTO shop.counters VALUES " +
                        ",".join(f"({number}, 0)" for number in range(COUNTERS)))
        self.proxy = self.enterContext(Proxy(self.clickhouse.http_port))
        spec = self.spec([])
        spec["destination"]["clickhouse"]["url"] = f"http://127.0.0.1:{self.proxy.port}"
        spec["source"]["mysql"]["tableMappings"] += [
            mapping("shop", table, tableEngine="MergeTree") for table in TABLES]
        self.pipe = self.penstock.create(spec)
        self.penstock.await_state(self.pipe, "Running")

    def tearDown(self):
        self.proxy.cut_after = None
        self.delete_pipes()

    def rows(self, sql):
        return self.clickhouse.query(sql).split()

    def assert_once(self):
        """Every change that was committed, and none twice."""
        self.await_caught_up(seconds=60 * scale())
        facts = int(self.source.run("SELECT COUNT(*) FROM shop.facts")[0][0])
        self.assertEqual([str(facts)] * 2, self.rows("SELECT count(), uniqExact(id) "
                                                     "FROM replica.facts"))
        counted = self.source.run("SELECT id, n, n + 1 FROM shop.counters ORDER BY id")
        self.assertEqual([f"{id_}\t{n}\t{rows}" for id_, n, rows in counted], self.clickhouse.query(
            "SELECT id, max(n), count() FROM replica.counters GROUP BY id ORDER BY id").splitlines())
        self.assertEqual("", self.clickhouse.query(
            "SELECT id, groupArray(_penstock_kind) FROM replica.visits GROUP BY id "
            "HAVING countIf(_penstock_kind = 'insert') != 2 OR count() != 4 LIMIT 5"))
        visits = {int(id_) for id_ in self.rows("SELECT DISTINCT id FROM replica.visits")}
        self.assertGreaterEqual(len(visits), facts // 10)
        self.assertGreater(facts, 100)

    def moment(self, longest):
        pause(self.random.uniform(0.02, longest))

    def test_killed_before_a_truncate(self):
        """The rows before it are in, and it is yet to be done."""
        self.source.run("INSERT INTO shop.facts (body) VALUES ('first')")
        self.await_caught_up()
        self.proxy.hold_answer_of = b"INSERT INTO `replica`.`facts`"
        self.source.run("INSERT INTO shop.facts (body) VALUES ('before')", "TRUNCATE shop.facts",
                        "INSERT INTO shop.facts (body) VALUES ('after')")
        wait_until(lambda: self.proxy.holding, "the insert")
        self.penstock.kill()
        self.proxy.hold_answer_of = None
        self.proxy.release(cut=True)
        self.penstock.start()
        self.await_caught_up()
        self.assertEqual("after\n", self.clickhouse.query("SELECT body FROM replica.facts"))

    def held_insert(self):
        """A row whose insert has left penstock, and has not come to ClickHouse."""
        self.source.run("INSERT INTO shop.facts (body) VALUES ('first')")
        self.await_caught_up()
        self.proxy.hold_request_of = b"query_id=penstock-replica.facts"
        self.proxy.cut()  # the request may be at the end of what is said only
        self.source.run("INSERT INTO shop.facts (body) VALUES ('late')")
        wait_until(lambda: self.proxy.held, "the insert")

    def assert_refused_late(self):
        self.await_caught_up()
        self.proxy.release()
        wait_until(lambda: self.proxy.late_answers, "an answer to the late insert")
        self.assertNotIn(b" 200 OK", self.proxy.late_answers[0])
        self.assertEqual("first\nlate\n",
                         self.clickhouse.query("SELECT body FROM replica.facts ORDER BY body"))

    def test_request_that_outlives_penstock(self):
        """The server gets to it when its rows were sent again."""
        self.held_insert()
        self.penstock.kill()
        self.proxy.hold_request_of = None
        self.penstock.start()
        self.assert_refused_late()

    def test_request_that_outlives_a_pause(self):
        self.held_insert()
        self.penstock.order(self.pipe, "stop")
        self.penstock.await_state(self.pipe, "Paused")
        self.proxy.hold_request_of = None
        self.penstock.order(self.pipe, "start")
        self.assert_refused_late()

    def test_request_that_outlives_a_refusal(self):
        """The session of the refused insert is there still, for a second."""
        self.source.run("INSERT INTO shop.facts (body) VALUES ('first')")
        self.await_caught_up()
        self.clickhouse.query("ALTER TABLE replica.facts MODIFY SETTING parts_to_throw_insert = 1")
        self.source.run("INSERT INTO shop.facts (body) VALUES ('late')")
        wait_until(lambda: "TOO_MANY_PARTS" in self.penstock.process.tail(5), "a refusal")
        self.proxy.hold_request_of = b"query_id=penstock-replica.facts"
        wait_until(lambda: self.proxy.held, "the insert")
        self.clickhouse.query("ALTER TABLE replica.facts RESET SETTING parts_to_throw_insert")
        self.penstock.order(self.pipe, "stop")
        self.penstock.await_state(self.pipe, "Paused")
        self.proxy.hold_request_of = None
        self.penstock.order(self.pipe, "start")
        self.await_caught_up()
        pause(4)  # longer than a session that an insert left behind
        self.assert_refused_late()

    def test_penstock_killed(self):
        with Recorder(self.source, self.seed, self.seconds_between):
            for _ in range(rounds(8)):
                self.moment(0.5)
                self.penstock.restart()
        self.assert_once()

    def test_replies_lost(self):
        """Of inserts that were done, and others."""
        self.proxy.cut_after = lambda: self.random.choice([0, 0, 300, 1000, 4000])
        self.proxy.cut()
        with Recorder(self.source, self.seed, self.seconds_between):
            wait_until(lambda: self.proxy.cuts >= rounds(12), self.penstock.process.tail, 120 * scale())
            self.penstock.restart()
            before = self.proxy.cuts
            wait_until(lambda: self.proxy.cuts >= before + 6, "more of them", 120)
        self.proxy.cut_after = None
        self.assert_once()

    def test_clickhouse_killed(self):
        with Recorder(self.source, self.seed, self.seconds_between):
            for _ in range(rounds(4)):
                self.moment(0.7)
                self.clickhouse.restart()
                if self.random.random() < 0.5:
                    self.penstock.restart()
        self.assert_once()

    def test_paused_while_clickhouse_hangs(self):
        """Inserts that are sent and unanswered stay on record, and are settled when the pipe goes on."""
        with Recorder(self.source, self.seed, self.seconds_between):
            for number in range(rounds(4)):
                self.moment(0.7)
                self.clickhouse.process.suspend()
                pause(0.5)  # a batch of 100 ms is on its way
                self.penstock.order(self.pipe, "stop")
                self.penstock.await_state(self.pipe, "Paused", seconds=2)
                if number % 2:
                    self.penstock.restart()
                self.clickhouse.process.resume()
                self.penstock.order(self.pipe, "start")
        self.assert_once()

    def test_source_lost(self):
        """The log is read again from the checkpoint."""
        with Recorder(self.source, self.seed, self.seconds_between):
            for _ in range(rounds(4)):
                self.moment(0.5)
                session, = wait_until(lambda: self.source.run(
                    "SELECT ID FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog%'"),
                    "a session that reads the log")[0]
                self.source.run(f"KILL {session}")
        self.assert_once()


class OnceMySQL(Once, SystemTest):
    source_class = MySQL97


class OnceMariaDB(Once, SystemTest):
    source_class = MariaDB1011


class OnceByFile(Once, SystemTest):
    """Positions are file and offset, and most batches end inside of a transaction."""

    source_class = MySQL97
    source_options = {"gtid_mode": "OFF", "enforce_gtid_consistency": "OFF"}
    seconds_between = 0.03  # or batches of 16 KiB are long behind

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = cls.enterClassContext(Folder("once"))
        config = folder / "config.yaml"
        config.write_text("memory: {limit: 512KiB}\n")
        cls.penstock.close()
        cls.penstock = cls.enterClassContext(Penstock("--test-limits", "--config", config))


if __name__ == "__main__":
    unittest.main()
