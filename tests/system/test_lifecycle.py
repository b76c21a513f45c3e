"""Pause and resume, states, one server for a data directory."""

import os
import signal
import subprocess
import time
import unittest

from harness import workload
from harness.case import SystemTest, new_seed, rounds
from harness.clickhouse import ClickHouse, clickhouse_query
from harness.penstock import ApiError, Penstock
from harness.process import free_port, program
from harness.sources import MariaDB1011, MySQL97
from harness.wait import pause, wait_until

PAUSE_SECONDS_MAX = 2


class Lifecycle:
    """A pipe under load, and the commands on it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def setUp(self):
        self.seed = new_seed()
        self.source.run("DROP DATABASE IF EXISTS shop")
        self.clickhouse.query("DROP DATABASE IF EXISTS replica SYNC")
        workload.create(self.source)
        workload.Writer(self.source, self.seed).fill(accounts=5000)
        self.spec_ = self.spec(workload.TABLES)

    def tearDown(self):
        self.delete_pipes()

    def pause_pipe(self, pipe):
        started = time.monotonic()
        self.penstock.order(pipe, "stop")
        self.penstock.await_state(pipe, "Paused", seconds=10)
        return time.monotonic() - started

    def test_pause_and_resume_under_load(self):
        with workload.Workload(self.source, self.seed):
            pipe = self.penstock.create(self.spec_)
            self.penstock.await_state(pipe, "Running")
            for _ in range(rounds(3)):
                pause(0.5)
                self.assertLess(self.pause_pipe(pipe), PAUSE_SECONDS_MAX)
                before = self.clickhouse.query("SELECT count(), max(_penstock_version) "
                                               "FROM replica.accounts FINAL")
                pause(0.5)
                self.assertEqual(before, self.clickhouse.query(
                    "SELECT count(), max(_penstock_version) FROM replica.accounts FINAL"),
                    "a paused pipe wrote")
                self.penstock.order(pipe, "start")
                self.penstock.await_state(pipe, "Running")
        self.await_caught_up()
        self.assert_equal(self.spec_)

    def test_pause_during_snapshot(self):
        workload.Writer(self.source, self.seed + 1).fill(accounts=30000)
        with workload.Workload(self.source, self.seed):
            pipe = self.penstock.create(self.spec_)
            self.penstock.await_state(pipe, "Snapshot", "Running")
            self.assertLess(self.pause_pipe(pipe), PAUSE_SECONDS_MAX)
            self.penstock.restart()  # a paused pipe stays paused
            self.assertEqual("Paused", self.penstock.state(pipe))
            self.penstock.order(pipe, "start")
            self.penstock.await_state(pipe, "Running")
        self.await_caught_up()
        self.assert_equal(self.spec_)

    def test_pause_while_clickhouse_hangs(self):
        """An insert that is in flight is given up, and lands later: before the pipe goes on, or
        beside what is sent anew. It neither holds up the pause, nor is lost, nor wins."""
        with workload.Workload(self.source, self.seed):
            pipe = self.penstock.create(self.spec_)
            self.penstock.await_state(pipe, "Running")
            for number in range(rounds(2)):
                pause(0.5)
                self.clickhouse.process.suspend()
                pause(0.5)  # a batch of 100 ms is on its way now
                took = self.pause_pipe(pipe)
                self.assertLess(took, PAUSE_SECONDS_MAX)
                if number % 2:
                    self.penstock.order(pipe, "start")
                    pause(0.5)
                self.clickhouse.process.resume()
                if not number % 2:
                    self.penstock.order(pipe, "start")
                self.penstock.await_state(pipe, "Running")
        self.await_caught_up()
        self.assert_equal(self.spec_)

    def test_pause_while_clickhouse_is_away(self):
        with workload.Workload(self.source, self.seed):
            pipe = self.penstock.create(self.spec_)
            self.penstock.await_state(pipe, "Running")
            self.clickhouse.process.kill()
            pause(0.5)
            self.assertLess(self.pause_pipe(pipe), PAUSE_SECONDS_MAX)
            self.clickhouse.start()
            self.penstock.order(pipe, "start")
            self.penstock.await_state(pipe, "Running")
        self.await_caught_up()
        self.assert_equal(self.spec_)

    def test_commands_that_do_not_fit(self):
        pipe = self.penstock.create(self.spec_)
        self.penstock.await_state(pipe, "Running")
        with self.assertRaises(ApiError) as refused:
            self.penstock.order(pipe, "start")
        self.assertEqual(400, refused.exception.status)
        self.assertIn("already running", refused.exception.text)
        self.pause_pipe(pipe)
        self.penstock.order(pipe, "stop")  # stopping what is stopped is no error
        self.assertEqual("Paused", self.penstock.state(pipe))
        self.penstock.delete(pipe)
        with self.assertRaises(ApiError) as gone:
            self.penstock.pipe(pipe)
        self.assertEqual(404, gone.exception.status)
        # Destination tables stay.
        self.assertNotEqual("0\n", self.clickhouse.query("SELECT count() FROM replica.accounts"))

    def test_log_purged_while_paused_fails_with_a_remedy(self):
        pipe = self.penstock.create(self.spec_)
        self.penstock.await_state(pipe, "Running")
        self.pause_pipe(pipe)
        writer = workload.Writer(self.source, self.seed)
        for _ in range(20):
            writer.step()
        writer.close()
        self.source.run("FLUSH BINARY LOGS")
        newest = self.source.run("SHOW BINARY LOGS")[-1][0]
        # A log that a dying dump session still holds open stays.
        wait_until(lambda: self.source.run(f"PURGE BINARY LOGS TO '{newest}'",
                                           "SHOW BINARY LOGS")[0][0] == newest, "purged")
        self.penstock.order(pipe, "start")
        self.penstock.await_state(pipe, "Failed", seconds=30)
        code, text, _ = self.penstock.cli("show", "pipe")
        self.assertEqual(0, code)
        self.assertIn("purged", text.lower())


class LifecycleMySQL(Lifecycle, SystemTest):
    source_class = MySQL97


class LifecycleMariaDB(Lifecycle, SystemTest):
    source_class = MariaDB1011


class DataDirectory(SystemTest):
    """Of one process, of one user."""

    def serve(self, folder):
        return subprocess.run(
            [program("penstock"), "serve", "--data-dir", folder, "--listen",
             f"127.0.0.1:{free_port()}"], capture_output=True, text=True, timeout=20, check=False)

    def test_second_server_on_one_directory_is_refused(self):
        with Penstock() as penstock:
            second = self.serve(penstock.data_dir)
            self.assertEqual(1, second.returncode, second.stderr)
            self.assertEqual(1, len(second.stderr.strip().splitlines()), second.stderr)
            self.assertIn(str(penstock.data_dir), second.stderr)
            self.assertTrue(penstock.healthy())

    def test_directory_is_private(self):
        with Penstock() as penstock:
            self.assertEqual(0o700, penstock.data_dir.stat().st_mode & 0o777)

    def test_starts_again_after_kill(self):
        with Penstock() as penstock:
            first = penstock.pipes_path()
            penstock.restart()
            self.assertEqual(first, penstock.pipes_path(), "ids of organization and service")

    def test_terminates_in_order(self):
        with Penstock() as penstock:
            self.assertEqual(0, penstock.process.terminate(seconds=10))


class Embedded(SystemTest):
    """serve --embedded-clickhouse: one process to start, all of them gone with it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_source()

    def body(self, schema):
        """A pipe of the table t into the server's own ClickHouse."""
        return {"name": "pipe", "source": {"mysql": {
            **self.source.endpoint(), "settings": {"replicationMode": "cdc",
                                                   "syncIntervalMilliseconds": 100},
            "tableMappings": [{"sourceSchemaName": schema, "sourceTable": "t",
                               "targetTable": "t"}]}}, "destination": {"database": "replica"}}

    def child_of(self, penstock):
        children = subprocess.run(["pgrep", "-P", str(penstock.process.pid)], text=True,
                                  capture_output=True, check=True).stdout.split()
        self.assertEqual(1, len(children), "one child: ClickHouse")
        return int(children[0])

    def rows(self, port):
        """Of replica.t; "" while ClickHouse is away."""
        try:
            return clickhouse_query(f"http://127.0.0.1:{port}", "SELECT arrayStringConcat(arraySort("
                                    "groupArray(toString(id))), ',') FROM replica.t FINAL"
                                    ).decode().strip()
        except (OSError, RuntimeError):
            return ""

    def test_embedded_clickhouse(self):
        self.source.run("CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY)",
                        "INSERT INTO shop.t VALUES (1),(2)")
        with Penstock("--embedded-clickhouse") as penstock:
            pipe = penstock.create(self.body("shop"))
            penstock.await_state(pipe, "Running")
            child = str(self.child_of(penstock))
            penstock.kill()
            wait_until(lambda: subprocess.run(["ps", "-o", "stat=", "-p", child], text=True,
                                              capture_output=True, check=False
                                              ).stdout.strip() in ("", "Z"), "ClickHouse is gone")
            penstock.start()
            penstock.await_state(pipe, "Running")

    def test_clickhouse_that_dies_is_started_again(self):
        self.source.run("CREATE DATABASE died",
                        "CREATE TABLE died.t (id INT PRIMARY KEY)", "INSERT INTO died.t VALUES (1)")
        port = free_port()
        with Penstock("--embedded-clickhouse", "--clickhouse-http-port", port) as penstock:
            pipe = penstock.create(self.body("died"))
            penstock.await_state(pipe, "Running")
            for row in (2, 3):
                child = self.child_of(penstock)
                os.kill(child, signal.SIGKILL)
                self.source.run(f"INSERT INTO died.t VALUES ({row})")
                wait_until(lambda: self.rows(port) == "1,2,3"[:2 * row - 1], "rows in ClickHouse")
                self.assertNotEqual(child, self.child_of(penstock))
            self.assertEqual("Running", penstock.state(pipe))

    def test_a_pipe_without_a_destination_holds_up_no_other(self):
        """A server that comes back without its ClickHouse; and then with it."""
        self.source.run("CREATE DATABASE lost", "CREATE TABLE lost.t (id INT PRIMARY "
                        "KEY)", "INSERT INTO lost.t VALUES (1)")
        clickhouse = self.use("clickhouse", ClickHouse)
        with Penstock("--embedded-clickhouse") as penstock:
            lost = penstock.create(self.body("lost"))
            own = penstock.create({**self.body("lost"), "name": "own", "destination": {
                "database": "own", "clickhouse": clickhouse.endpoint()}})
            for pipe in (lost, own):
                penstock.await_state(pipe, "Running")
            penstock.kill()
            penstock.arguments = ()
            penstock.start()
            penstock.await_state(own, "Running")
            penstock.await_state(lost, "Failed")
            self.assertIn("--embedded-clickhouse", penstock.pipe(lost)["reason"])
            self.source.run("INSERT INTO lost.t VALUES (2)")
            wait_until(lambda: clickhouse.query("SELECT count() FROM own.t FINAL") == "2\n",
                       "the other pipe goes on")
            penstock.kill()
            penstock.arguments = ("--embedded-clickhouse",)
            penstock.start()
            penstock.order(lost, "start")
            penstock.await_state(lost, "Running")
            self.assertNotIn("reason", penstock.pipe(lost))


if __name__ == "__main__":
    unittest.main()
