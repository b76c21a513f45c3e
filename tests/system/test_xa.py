"""Rows of an XA transaction appear with its XA COMMIT, whatever happened since it was prepared; never after XA ROLLBACK."""

import concurrent.futures
import itertools
import random
import threading
import unittest

import pymysql

from harness.case import SystemTest, new_seed, rounds
from harness.clickhouse import ClickHouse
from harness.penstock import Penstock, mapping
from harness.process import Folder
from harness.sources import MariaDB118, MariaDB1011, MySQL97
from harness.wait import pause, wait_until

UNKNOWN_XID = 1397
LARGE_ROWS = 16_000  # of a kilobyte
MEMORY_GROWTH_MIB_MAX = 8


class Xa:
    source_options = {"innodb_lock_wait_timeout": "5"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_source()
        cls.clickhouse = cls.use("clickhouse", ClickHouse)
        # Batches of 128 KiB, and as much in memory of what is prepared.
        config = cls.enterClassContext(Folder("config")) / "penstock.yaml"
        config.write_text("memory: {limit: 4MiB}\n")
        cls.penstock = cls.enterClassContext(Penstock("--test-limits", "--config", config))

    def setUp(self):
        self.fresh_shop()
        self.source.run("CREATE TABLE shop.t (id INT PRIMARY KEY, v INT NOT NULL, pad VARCHAR(1000))",
                        "CREATE TABLE shop.u (id INT PRIMARY KEY, v INT)",
                        "INSERT INTO shop.t VALUES (1, 1, ''), (2, 2, ''), (3, 3, '')")
        self.pipe = None

    def tearDown(self):
        for form, length, _, data in self.source.run("XA RECOVER"):
            data = data.encode() if isinstance(data, str) else data
            self.source.run(f"XA ROLLBACK X'{data[:length].hex()}',X'{data[length:].hex()}',{form}")
        self.delete_pipes()

    def replicate(self, *mappings, **settings):
        """`mappings`: of tables that are not compared."""
        self.spec_ = self.spec(["t", "u"], **settings)
        mysql = self.spec_["source"]["mysql"]
        self.pipe = self.penstock.create({**self.spec_, "source": {"mysql": {
            **mysql, "tableMappings": [*mysql["tableMappings"], *mappings]}}})
        self.penstock.await_state(self.pipe, "Running")

    def prepare(self, xid, *statements):
        self.source.run(f"XA START '{xid}'", *statements, f"XA END '{xid}'", f"XA PREPARE '{xid}'")

    def end(self, verb, xid):
        """It may take a moment until the session that prepared it has let go of it."""
        def done():
            try:
                self.source.run(f"XA {verb} '{xid}'")
            except pymysql.err.OperationalError as error:
                if error.args[0] != UNKNOWN_XID:
                    raise
                return False
            return True
        wait_until(done, f"XA {verb}", 10)

    def files(self):
        return list((self.penstock.data_dir / "prepared").glob("*/*"))

    def events(self):
        return self.penstock.cli("events", "pipe")[1]

    def assert_same(self):
        """What a SELECT sees at the source, prepared rows not among it, and no table was set aside."""
        self.await_caught_up()
        self.assert_equal(self.spec_)
        self.assertNotIn("quarantine", self.events())

    # As the log has it: rows that are changed, moved to another key, deleted and added.
    CHANGES = ("INSERT INTO shop.t VALUES (10, 1, 'new'), (11, 1, '')", "UPDATE shop.t SET id = 20 WHERE id = 1",
               "UPDATE shop.t SET v = 9 WHERE id = 10", "DELETE FROM shop.t WHERE id = 2",
               "INSERT INTO shop.u VALUES (1, 1)")

    def test_commit(self):
        self.replicate()
        self.prepare("x", *self.CHANGES)
        self.source.run("UPDATE shop.t SET v = 8 WHERE id = 3")
        self.assert_same()
        held, = self.penstock.status(self.pipe)["preparedTransactions"]
        self.assertEqual(("X'78',X'',1", ["shop.t", "shop.u"]), (held["xid"], held["tables"]))
        self.assertGreater(held["bytes"], 0)
        self.assertIn("XA transaction X'78',X'',1", self.penstock.cli("show", "pipe")[1])
        self.source.run("XA COMMIT 'x'", "UPDATE shop.t SET v = 7 WHERE id IN (3, 10, 20)")
        self.assert_same()
        self.assertEqual([], self.files())

    def test_rollback(self):
        self.replicate()
        self.prepare("x", *self.CHANGES)
        self.assert_same()
        self.source.run("XA ROLLBACK 'x'", "UPDATE shop.t SET v = 7")
        self.assert_same()
        self.assertEqual([], self.files())

    def test_one_phase_and_undone_before(self):
        self.replicate()
        self.source.run("XA START 'x'", *self.CHANGES, "XA END 'x'", "XA COMMIT 'x' ONE PHASE")
        self.source.run("XA START 'y'", "UPDATE shop.t SET v = 99", "XA END 'y'", "XA ROLLBACK 'y'")
        self.assert_same()

    def test_source_restarted_between(self):
        self.replicate()
        for kill in (False, True):
            self.prepare("x", f"INSERT INTO shop.t VALUES ({100 + kill}, 0, '')", "UPDATE shop.t SET v = v + 1")
            self.source.restart(kill=kill)
            self.assert_same()
            self.source.run("XA COMMIT 'x'", "INSERT INTO shop.u VALUES (0, 0)", "DELETE FROM shop.u")
            self.assert_same()

    def test_ids_of_three_parts(self):
        """Of two some differ in one part only. (MariaDB tells none apart by the third.)"""
        self.replicate()
        for number, xid in enumerate(("'a','b',7", "'a','c',8", "'c','b',7", "X'27','\"',1")):
            self.source.run(f"XA START {xid}", f"INSERT INTO shop.u VALUES ({number}, 0)", f"XA END {xid}",
                            f"XA PREPARE {xid}")
        self.assert_same()
        self.source.run("XA COMMIT 'a','c',8", "XA ROLLBACK 'a','b',7", "XA COMMIT X'27','\"',1")
        self.assert_same()
        self.source.run("XA COMMIT 'c','b',7")
        self.assert_same()

    def walk(self, chance, prepared, step):
        """Prepares, commits or rolls back one of six, each with keys of its own: they would wait for each
        other."""
        number = chance.randrange(1, 7)
        xid, low = f"x{number}", number * 100
        if number in prepared:
            self.end(chance.choice(["COMMIT", "COMMIT", "ROLLBACK"]), xid)
            prepared.remove(number)
            return
        self.prepare(xid, f"INSERT INTO shop.history VALUES ({step})",
                     f"REPLACE INTO shop.t VALUES ({low}, {step}, REPEAT('p', {chance.randrange(900)}))",
                     f"REPLACE INTO shop.t VALUES ({low + step % 7}, {step}, '')",
                     f"DELETE FROM shop.t WHERE id = {low + chance.randrange(1, 7)}")
        prepared.add(number)

    def finish_walk(self, prepared):
        """What keeps every change has each once."""
        self.assert_same()
        self.penstock.restart()
        for number in prepared:
            self.end("COMMIT", f"x{number}")
        self.assert_same()
        self.assertEqual([], self.files())
        ids = self.source.run("SELECT id FROM shop.history ORDER BY id")
        self.assertEqual([str(row[0]) for row in ids], self.clickhouse.query(
            "SELECT id FROM replica.history ORDER BY id").split())

    def replicate_for_walk(self):
        self.source.run("CREATE TABLE shop.history (id INT PRIMARY KEY)",
                        *[f"INSERT INTO shop.t VALUES ({n * 100}, 0, '{n}')" for n in range(1, 7)])
        self.replicate(mapping("shop", "history", tableEngine="MergeTree"))

    def test_interleaved(self):
        """Looked at again and again, killed between the statements."""
        chance, prepared = random.Random(new_seed()), set()
        self.replicate_for_walk()
        for step in range(30 * rounds(1)):
            self.walk(chance, prepared, step)
            what = chance.randrange(8)
            if what < 3:
                self.penstock.restart()
            elif what == 3:
                self.assert_same()
        self.finish_walk(prepared)

    def test_killed_at_any_moment(self):
        chance, prepared = random.Random(new_seed()), set()
        self.replicate_for_walk()
        over = threading.Event()

        def work():
            for step in itertools.count():
                if over.is_set():
                    return
                self.walk(chance, prepared, step)
        with concurrent.futures.ThreadPoolExecutor(1) as executor:
            worker = executor.submit(work)
            moments = random.Random(new_seed())
            for _ in range(rounds(6)):
                pause(moments.uniform(0, 0.5))
                self.penstock.restart()
            over.set()
            worker.result()
        self.finish_walk(prepared)

    def prepare_large(self):
        self.source.run("INSERT INTO shop.u VALUES (0, 0)",
                        *[f"INSERT INTO shop.u SELECT id + {1 << n}, v FROM shop.u" for n in range(14)])
        self.await_caught_up()
        self.prepare("large", f"INSERT INTO shop.t SELECT id + 1000, v, REPEAT(char(65 + id % 26), 1000) "
                     f"FROM shop.u WHERE id < {LARGE_ROWS}", "UPDATE shop.t SET v = 5 WHERE id < 1100")
        self.await_caught_up()

    def memory_mib(self, line="VmRSS:"):
        with open(f"/proc/{self.penstock.process.pid}/status", encoding="ascii") as lines:
            return int(next(text for text in lines if text.startswith(line)).split()[1]) // 1024

    def test_more_than_memory_holds(self):
        self.replicate()
        before = self.memory_mib()
        with open(f"/proc/{self.penstock.process.pid}/clear_refs", "w", encoding="ascii") as reset:
            reset.write("5")  # VmHWM begins anew
        self.prepare_large()
        file, = self.files()
        self.assertGreater(file.stat().st_size, LARGE_ROWS * 1000)
        self.assertEqual(0o600, file.stat().st_mode & 0o777)
        self.assert_same()
        self.source.run("XA COMMIT 'large'")
        self.assert_same()
        grown = self.memory_mib("VmHWM:") - before
        print(f"a prepared transaction of {LARGE_ROWS // 1000} MB: {grown} MiB of memory", flush=True)
        self.assertLess(grown, MEMORY_GROWTH_MIB_MAX)
        self.assertEqual([], self.files())

    def test_killed_while_it_is_replayed(self):
        """What is written of it by then is not written again."""
        self.replicate()
        self.prepare_large()
        self.clickhouse.query("SYSTEM STOP MERGES replica.t")
        self.source.run("XA COMMIT 'large'")
        kills = 0
        for part in (1, 0.3, 0.6):
            at = max(1, part * LARGE_ROWS * (part < 1))
            if kills == 0 or self.count() < at:
                wait_until(lambda n=at: self.count() >= n, "more rows of the transaction", 60)
                kills += 1
                self.penstock.restart()
        self.assert_same()
        self.assertLess(self.count() - LARGE_ROWS, kills * 6 * 128)
        self.assertEqual([], self.files())

    def count(self):
        return int(self.clickhouse.query("SELECT count() FROM replica.t WHERE id >= 1000"))

    def resync(self):
        self.penstock.cli("resync", "pipe", "--table", "shop.t")

    def await_resync(self, times):
        wait_until(lambda: self.events().count("Resync to Running") == times,
                   lambda: f"resynced\n{self.events()}", 60)

    def test_resynced_while_it_is_prepared(self):
        """No SELECT of the load sees its rows; what is held of them counts when the load is in."""
        self.allow_recover()
        self.replicate()
        self.prepare("x", *self.CHANGES)
        self.prepare("y", "UPDATE shop.t SET v = 99 WHERE id = 3")
        self.resync()
        self.await_resync(1)
        self.assert_same()
        self.source.run("XA COMMIT 'x'", "XA ROLLBACK 'y'")
        self.assert_same()

    def test_committed_while_a_resync_loads(self):
        self.allow_recover()
        self.source.run(*[f"INSERT INTO shop.t VALUES ({n}, 0, '')" for n in range(500, 660)])
        self.replicate(snapshotRowsPerSecond=200)
        self.penstock.order(self.pipe, "stop")
        self.penstock.await_state(self.pipe, "Paused")
        self.prepare("x", *self.CHANGES, "UPDATE shop.t SET id = 1510 WHERE id = 510")
        self.prepare("y", "DELETE FROM shop.t WHERE id = 650", "UPDATE shop.t SET v = 4 WHERE id = 3")
        self.resync()
        self.penstock.await_state(self.pipe, "Snapshot")
        for xid in ("x", "y"):
            self.end("COMMIT", xid)
        self.await_resync(1)
        self.assert_same()

    def allow_recover(self):
        """So that a resync knows which are prepared."""
        if self.source.family == "mysql":
            self.source.run("GRANT XA_RECOVER_ADMIN ON *.* TO penstock")
            self.addCleanup(self.source.run, "REVOKE XA_RECOVER_ADMIN ON *.* FROM penstock")

    def test_a_file_that_is_gone(self):
        """Its tables are named and resynced, the others are not."""
        self.replicate()
        self.prepare("x", "INSERT INTO shop.t VALUES (10, 1, '')")
        self.assert_same()
        self.penstock.kill()
        for file in self.files():
            file.unlink()
        self.penstock.start()
        self.source.run("XA COMMIT 'x'")
        wait_until(lambda: "Resync to Running" in self.events(), lambda: f"resynced\n{self.events()}")
        self.await_caught_up()
        self.assert_equal(self.spec_)
        self.assertIn("changes of an XA transaction cannot be read", self.events())
        self.assertIn("resynced by itself: shop.t\n", self.events())

    def test_a_deleted_pipe_leaves_no_file(self):
        self.replicate()
        self.prepare("x", "INSERT INTO shop.t VALUES (10, 1, '')")
        self.assert_same()
        self.assertEqual(1, len(self.files()))
        self.penstock.delete(self.pipe)
        self.assertEqual([], list((self.penstock.data_dir / "prepared").glob("*")))


class XaMySQL(Xa, SystemTest):
    source_class = MySQL97

    def test_prepared_before_the_pipe(self):
        """Without the privilege to ask for them its rows are missed: that is told."""
        self.prepare("x", "INSERT INTO shop.t VALUES (10, 1, '')")
        self.replicate(replicationMode="cdc_only")
        self.source.run("XA COMMIT 'x'")
        wait_until(lambda: "the XA transaction X'78',X'',1 was committed" in self.events(), "told", 20)


class XaMySQLByFile(Xa, SystemTest):
    source_class = MySQL97
    source_options = {**Xa.source_options, "binlog_transaction_compression": "ON"}

    def replicate(self, *mappings, **settings):
        super().replicate(*mappings, replicationMechanism="FILE_POS", **settings)


class XaMariaDB(Xa, SystemTest):
    source_class = MariaDB1011


class XaMariaDB118(Xa, SystemTest):
    source_class = MariaDB118
    source_options = {**Xa.source_options, "log_bin_compress": "ON"}


if __name__ == "__main__":
    unittest.main()
