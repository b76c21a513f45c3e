"""A pipe that is deleted leaves nothing: at the source, at ClickHouse, in any state."""

import contextlib
import os
import re
import signal
import socket
import sqlite3
import subprocess
import threading
import time
import unittest

from harness.case import SystemTest
from harness.clickhouse import ClickHouse, clickhouse_query
from harness.penstock import ApiError, Penstock
from harness.proxy import Proxy
from harness.sources import MariaDB1011, MySQL97
from harness.wait import wait_until


class Delete:
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def setUp(self):
        self.fresh_shop()
        self.source.run("CREATE TABLE shop.t (id INT PRIMARY KEY AUTO_INCREMENT, v INT)",
                        "INSERT INTO shop.t (v) SELECT 1 FROM information_schema.COLUMNS LIMIT 3000")
        self.spec_ = self.spec(["t"])
        self.before = self.objects()

    def tearDown(self):
        self.delete_pipes()

    def test_another_has_its_id_for_a_name(self):
        pipe = self.penstock.create(self.spec_)
        other = self.penstock.create({**self.spec_, "name": pipe, "destination": {
            **self.spec_["destination"], "database": "replica_2"}})
        self.addCleanup(self.clickhouse.query, "DROP DATABASE replica_2 SYNC")
        self.penstock.delete(pipe)
        self.assertEqual([other], [left["id"] for left in self.penstock.pipes()])
        self.penstock.await_state(other, "Running")

    def objects(self):
        """All tables and users of the source."""
        return self.source.run("SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES UNION ALL "
                               "SELECT USER, HOST FROM mysql.user ORDER BY 1, 2")

    def sessions(self):
        return self.source.run("SELECT ID, COMMAND, STATE, INFO FROM information_schema.PROCESSLIST "
                               "WHERE USER = 'penstock'")

    def locks(self):
        if not self.is_mysql:
            return ()
        owned = "IN (SELECT THREAD_ID FROM performance_schema.threads WHERE PROCESSLIST_USER = 'penstock')"
        return self.source.run(
            "SELECT OBJECT_NAME, LOCK_TYPE FROM performance_schema.metadata_locks WHERE OWNER_THREAD_ID "
            f"{owned} UNION ALL SELECT OBJECT_NAME, LOCK_TYPE FROM performance_schema.data_locks WHERE "
            f"THREAD_ID {owned} UNION ALL SELECT STATEMENT_NAME, SQL_TEXT FROM "
            f"performance_schema.prepared_statements_instances WHERE OWNER_THREAD_ID {owned}")

    def targets(self):
        return self.clickhouse.query(
            "SELECT name FROM system.tables WHERE database = 'replica' ORDER BY name").split()

    def assert_nothing_left(self, targets=()):
        wait_until(lambda: not self.sessions(), lambda: f"no session of ours: {self.sessions()}", 5)
        self.assertEqual((), self.locks())
        prepared = self.source.run("SHOW GLOBAL STATUS LIKE 'Prepared_stmt_count'")
        self.assertEqual("0", prepared[0][1])
        self.assertEqual(self.before, self.objects())
        self.assertEqual("", self.clickhouse.query(
            "SELECT query FROM system.processes WHERE Settings['log_comment'] LIKE 'penstock%'"))
        self.assertEqual(list(targets), self.targets())
        self.assertEqual([], self.penstock.pipes())

    def create(self, *states, **settings):
        self.spec_["source"]["mysql"]["settings"].update(settings)
        self.pipe = self.penstock.create(self.spec_)
        if states:
            self.penstock.await_state(self.pipe, *states)
        return self.pipe

    def delete(self, drop=True):
        path = f"{self.penstock.pipes_path()}/{self.pipe}"
        self.penstock.api(path + ("?dropTargetTables=true" if drop else ""), "DELETE")

    def test_tables_are_kept(self):
        self.create("Running")
        self.await_caught_up()
        self.delete(drop=False)
        self.assert_nothing_left(["marker", "t"])
        self.assertEqual("3000\n", self.clickhouse.query("SELECT count() FROM replica.t FINAL"))
        with self.assertRaises(ApiError) as gone:
            self.delete()
        self.assertEqual(404, gone.exception.status)

    def test_tables_are_dropped(self):
        self.create("Running")
        code, text, error = self.penstock.cli("delete", "pipe", "--drop", "--wait")
        self.assertEqual(0, code, error)
        self.assertIn("dropped", text)
        self.assert_nothing_left()
        self.create("Running")  # under the same name, into the same tables
        self.await_caught_up()
        self.assert_equal(self.spec_)

    def test_in_every_state_that_rests(self):
        for states, settings, order in ((["Running"], {}, "stop"), (["Completed"], {
                "replicationMode": "snapshot"}, None)):
            self.create(*states, **settings)
            if order:
                self.penstock.order(self.pipe, order)
                self.penstock.await_state(self.pipe, "Paused")
            self.delete()
            self.assert_nothing_left()

    def test_a_failed_pipe(self):
        self.create("Running")
        self.penstock.order(self.pipe, "stop")
        self.penstock.await_state(self.pipe, "Paused")
        self.source.run(*["FLUSH BINARY LOGS"] * 2)
        newest = self.source.run("SHOW BINARY LOGS")[-1][0]
        self.source.run("INSERT INTO shop.t (v) VALUES (9)")
        wait_until(lambda: self.source.run(f"PURGE BINARY LOGS TO '{newest}'",
                                           "SHOW BINARY LOGS")[0][0] == newest, "purged")
        self.source.run("FLUSH BINARY LOGS")
        newest = self.source.run("SHOW BINARY LOGS")[-1][0]
        wait_until(lambda: self.source.run(f"PURGE BINARY LOGS TO '{newest}'",
                                           "SHOW BINARY LOGS")[0][0] == newest, "purged")
        self.penstock.order(self.pipe, "start")
        self.penstock.await_state(self.pipe, "Failed")
        self.delete()
        self.assert_nothing_left()

    def test_while_it_loads(self):
        """Also beside its targets: the tables of a resync go in any case."""
        slow = {"snapshotRowsPerSecond": 300, "snapshotNumRowsPerPartition": 1000}
        self.create("Snapshot", **slow)
        wait_until(lambda: "Query" in str(self.sessions()) or self.sessions(), "reading")
        self.delete()
        self.assert_nothing_left()
        self.create("Running", snapshotRowsPerSecond=100000)
        path = f"{self.penstock.pipes_path()}/{self.pipe}"
        self.penstock.api(path, "PATCH", {"source": {"mysql": {"settings": slow}}})
        self.penstock.await_state(self.pipe, "Running")
        self.penstock.order(self.pipe, "resync")
        wait_until(lambda: any("_resync_" in name for name in self.targets()), "a table beside")
        self.delete(drop=False)
        self.assert_nothing_left(["marker", "t"])

    def test_while_it_waits_for_a_lock(self):
        """The source would wait for the lock on, in the name of a client that is gone."""
        with contextlib.closing(self.source.connect()) as holder:
            with holder.cursor() as cursor:
                self.create("Running")
                cursor.execute("LOCK TABLES shop.t WRITE")
                self.penstock.order(self.pipe, "resync")
                wait_until(lambda: "lock" in str(self.sessions()).lower(),
                           lambda: f"waiting: {self.sessions()}")
                self.delete()
                self.assert_nothing_left()

    @contextlib.contextmanager
    def holding(self, table):
        """Somebody is making a table of this name, of what a server that says nothing has: until
        then nobody else can."""
        def make():
            with contextlib.suppress(RuntimeError):
                self.clickhouse.query(f"CREATE TABLE replica.{table} ENGINE = URL("
                                      f"'http://127.0.0.1:{port}/', CSV)", http_max_tries=1)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            making = threading.Thread(target=make)
            making.start()
            connection, _ = silent.accept()
            with connection:
                yield
        making.join()

    def is_making(self):
        return self.clickhouse.query("SELECT count() FROM system.processes WHERE query LIKE "
                                     "'CREATE TABLE%' AND query NOT LIKE '%URL%'") != "0\n"

    def test_while_a_table_is_being_made(self):
        """ClickHouse goes on with a statement whose client is gone: the table would come after it
        was dropped."""
        self.clickhouse.query("CREATE DATABASE replica")
        with self.holding("t"):
            self.create("Setup")
            wait_until(self.is_making, "CREATE TABLE")
            self.delete()
            self.assertEqual([], self.penstock.pipes())
            self.assertTrue(self.is_making())
        wait_until(lambda: not self.is_making(), "no CREATE TABLE")
        wait_until(lambda: not self.targets(), "dropped")
        self.assert_nothing_left()

    def test_before_it_is_known_whose_a_target_is(self):
        """One that somebody writes stays."""
        self.clickhouse.query("CREATE DATABASE replica")
        with self.holding("marker"):
            self.create("Setup")
            wait_until(lambda: "t" in self.targets() and self.is_making(), "one of two tables")
            self.clickhouse.query("INSERT INTO replica.t (id) VALUES (1)")
            self.delete()
        wait_until(lambda: not self.is_making(), "no CREATE TABLE")
        wait_until(lambda: self.targets() == ["t"], "the other one is dropped")
        self.assert_nothing_left(["t"])

    def test_killed_in_the_middle(self):
        with Proxy(self.clickhouse.http_port) as proxy:
            self.spec_["destination"]["clickhouse"]["url"] = f"http://127.0.0.1:{proxy.port}"
            self.create("Running")
            proxy.hold_answer_of = b"DROP TABLE"
            deleting = threading.Thread(target=self.delete_in_vain)
            deleting.start()
            wait_until(lambda: proxy.holding, "a DROP")
            self.penstock.kill()
            deleting.join()
            proxy.hold_answer_of = None
            proxy.release()
            self.penstock.start()
            wait_until(lambda: not self.targets(), "dropped")
            self.assert_nothing_left()

    def delete_in_vain(self):
        with contextlib.suppress(OSError, ApiError):
            self.delete()

    def test_while_clickhouse_is_away(self):
        self.create("Running")
        self.clickhouse.process.kill()
        begin = time.monotonic()
        self.delete()
        self.assertLess(time.monotonic() - begin, 8)
        self.assertEqual([], self.penstock.pipes())
        self.penstock.kill()
        self.penstock.start()
        self.clickhouse.start()
        wait_until(lambda: not self.targets(), "dropped")
        self.assert_nothing_left()
        self.create("Running")
        self.await_caught_up()
        self.assert_equal(self.spec_)

    def test_while_the_source_is_away(self):
        self.create("Running")
        self.source.process.kill()
        self.delete()
        self.source.start()
        self.assert_nothing_left()


class DeleteElsewhere(SystemTest):
    """A server whose destination is another one than a deleted pipe had."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_source()
        cls.clickhouse = cls.use("clickhouse", ClickHouse)

    def setUp(self):
        self.fresh_shop()
        self.source.run("CREATE TABLE shop.t (id INT PRIMARY KEY)", "CREATE TABLE shop.u (id INT PRIMARY KEY)")
        self.proxy = self.enterContext(Proxy(self.clickhouse.http_port))
        self.away = f"http://127.0.0.1:{self.proxy.port}"  # for penstock another server

    def body(self, *tables, url=None):
        """Of a pipe into the server's own destination, or into this."""
        body = self.spec(tables, name="other" if url else "pipe")
        del body["destination"]["clickhouse"]
        if url:
            body["destination"]["clickhouse"] = {"url": url, "user": "default"}
            body["source"]["mysql"]["tableMappings"].pop()  # the marker
        return body

    def targets(self):
        return Delete.targets(self)

    def restart(self, penstock, *arguments):
        penstock.kill()
        self.proxy.refusing = False
        penstock.arguments = arguments
        penstock.start()

    def delete_while_away(self, penstock, *tables):
        """Of a pipe at `away`, with its tables; it stays away until restart()."""
        pipe = penstock.create(self.body(*tables))
        penstock.await_state(pipe, "Running")
        self.proxy.refusing = True
        self.proxy.cut()
        penstock.api(f"{penstock.pipes_path()}/{pipe}?dropTargetTables=true", "DELETE")

    def catalog(self, penstock, sql):
        with contextlib.closing(sqlite3.connect(penstock.data_dir / "catalog.sqlite")) as catalog:
            done = catalog.execute(sql)
            catalog.commit()
            return done.fetchall() or done.rowcount

    def await_deleted(self, penstock):
        wait_until(lambda: self.catalog(penstock, "SELECT count(*) FROM removals") == [(0,)],
                   penstock.process.tail)

    def assert_refused(self, penstock):
        with self.assertRaisesRegex(ApiError, "belonged to the pipe pipe, which is deleted"):
            penstock.create({**self.body("t", url=self.away), "name": "new"})

    def test_the_destination_is_another(self):
        with Penstock("--clickhouse-url", self.away) as penstock:
            self.delete_while_away(penstock, "t")
            self.restart(penstock, "--clickhouse-url", self.clickhouse.url)
            wait_until(lambda: f"waits for a process that has the destination {self.away}" in
                       penstock.process.log.read_text(), penstock.process.tail)
            self.assert_refused(penstock)
            self.restart(penstock)
            self.assert_refused(penstock)
            self.assertEqual(["marker", "t"], self.targets())
            self.restart(penstock, "--clickhouse-url", self.away)
            self.await_deleted(penstock)
            self.assertEqual([], self.targets())
            penstock.await_state(penstock.create(self.body("t", url=self.away)), "Running")

    @contextlib.contextmanager
    def removed_elsewhere(self):
        """Of a pipe that runs at another destination by now the table u is left at `away`."""
        with Penstock("--clickhouse-url", self.away) as penstock:
            pipe = penstock.create(self.body("t", "u"))
            penstock.await_state(pipe, "Running")
            self.proxy.refusing = True
            self.proxy.cut()
            code, _, error = penstock.cli("remove-table", "pipe", "shop.u", "--drop")
            self.assertEqual(0, code, error)
            self.restart(penstock, "--clickhouse-url", self.clickhouse.url)
            self.proxy.refusing = False
            wait_until(lambda: f"waits for a process that has the destination {self.away}" in
                       penstock.process.log.read_text(), penstock.process.tail)
            penstock.await_state(pipe, "Running")
            yield penstock, pipe
            with self.assertRaisesRegex(ApiError, "belonged to"):
                penstock.create({**self.body("u", url=self.away), "name": "new"})
            self.assertIn("u", self.targets())
            self.restart(penstock, "--clickhouse-url", self.away)
            wait_until(lambda: "u" not in self.targets(), penstock.process.tail)
            penstock.await_state(penstock.create(self.body("u", url=self.away)), "Running")

    def test_a_removed_table_is_at_another(self):
        with self.removed_elsewhere() as (penstock, pipe):
            other = penstock.create(self.body("u", url=self.clickhouse.url))
            penstock.await_state(other, "Running")
            penstock.delete(other)
            penstock.await_state(pipe, "Running")

    def test_left_at_two(self):
        with self.removed_elsewhere() as (penstock, pipe):
            penstock.api(f"{penstock.pipes_path()}/{pipe}?dropTargetTables=true", "DELETE")
            wait_until(lambda: self.targets() == ["u"], self.targets)

    def test_where_it_was_is_not_known(self):
        """As earlier versions left it: it is done, but for what is another pipe's by now, and what the
        pipe would have made otherwise."""
        self.source.run("CREATE TABLE shop.w (id INT PRIMARY KEY)")
        with Penstock("--clickhouse-url", self.away) as penstock:
            self.delete_while_away(penstock, "t", "u", "w")
            other = penstock.create(self.body("t", url=self.clickhouse.url))
            penstock.await_state(other, "Running")
            penstock.kill()
            self.proxy.refusing = False
            self.assertEqual(4, self.catalog(penstock, "UPDATE removals SET url = ''"))
            self.clickhouse.query("DROP TABLE replica.w SYNC")
            self.clickhouse.query("CREATE TABLE replica.w (id Int32) ENGINE = MergeTree ORDER BY id")
            penstock.arguments = ()
            penstock.start()
            self.assert_refused(penstock)
            self.restart(penstock, "--clickhouse-url", self.clickhouse.url)
            self.await_deleted(penstock)
            self.assertEqual(["t", "w"], self.targets())
            self.source.run("INSERT INTO shop.t VALUES (1)")
            wait_until(lambda: self.clickhouse.query("SELECT id FROM replica.t") == "1\n", "t flows")

    def test_the_embedded_one_has_another_port(self):
        """Of a pipe that is deleted, and of a table that is removed."""
        with Penstock("--embedded-clickhouse") as penstock:
            pipe = penstock.create(self.body("t", "u"))
            other = penstock.create({**self.body("t", "u"), "name": "other", "destination": {
                "database": "replica2"}})
            for one in (pipe, other):
                penstock.await_state(one, "Running")
            penstock.order(other, "stop")
            penstock.await_state(other, "Paused")
            embedded = int(subprocess.check_output(["pgrep", "-P", str(penstock.process.pid)]))
            os.kill(embedded, signal.SIGSTOP)
            code, _, error = penstock.cli("remove-table", "other", "shop.u", "--drop")
            self.assertEqual(0, code, error)
            penstock.api(f"{penstock.pipes_path()}/{pipe}?dropTargetTables=true", "DELETE")
            self.restart(penstock, *penstock.arguments)
            url = re.findall(r"clickhouse +(http\S+) \(embedded", penstock.process.log.read_text())[-1]
            wait_until(lambda: clickhouse_query(
                url, "SELECT groupArray(name) FROM (SELECT name FROM system.tables WHERE database LIKE "
                "'replica%' ORDER BY name)") == b"['marker','t']\n", penstock.process.tail)


class DeleteMySQL(Delete, SystemTest):
    source_class = MySQL97
    is_mysql = True


class DeleteMariaDB(Delete, SystemTest):
    source_class = MariaDB1011
    is_mysql = False


if __name__ == "__main__":
    unittest.main()
