"""--wait ends when what was ordered has come about, or else cannot; and then the exit code says so."""

import contextlib
import json
import threading

import pymysql

from harness.case import SystemTest
from harness.process import Folder
from harness.sources import MariaDB1011, MySQL97, USER
from harness.wait import wait_until

PASSWORD = USER["password"].replace("\\", "\\\\").replace("'", "\\'")


class Waiting:
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()
        cls.folder = cls.enterClassContext(Folder("waiting"))

    def setUp(self):
        self.fresh_shop()
        self.source.run("CREATE TABLE shop.t (id INT PRIMARY KEY AUTO_INCREMENT, v INT)",
                        "CREATE TABLE shop.u (id INT PRIMARY KEY, v INT)",
                        "INSERT INTO shop.t (v) VALUES (1), (2), (3)", "INSERT INTO shop.u VALUES (1, 1)")
        self.addCleanup(self.delete_pipes)

    def create(self, **settings):
        self.spec_ = self.spec(["t", "u"], **settings)
        self.pipe = self.penstock.create(self.spec_)
        self.penstock.await_state(self.pipe, "Running")
        self.await_caught_up()

    def run_ok(self, *words):
        code, said, error = self.penstock.cli(*words)
        self.assertEqual((0, ""), (code, error), words)
        return said

    def assert_fails(self, *words, because):
        code, said, error = self.penstock.cli(*words)
        self.assertEqual(1, code, said)
        self.assertEqual(1, len(error.splitlines()), error)
        for word in because:
            self.assertIn(word, error)

    @contextlib.contextmanager
    def locked_out(self):
        """The source takes the pipe's password no more, and ends what it had let in."""
        self.source.run("SET sql_log_bin = 0",
                        f"ALTER USER '{USER['username']}'@'%' IDENTIFIED BY 'another'")
        for row in self.source.run("SELECT id FROM information_schema.processlist "
                                   f"WHERE user = '{USER['username']}'"):
            with contextlib.suppress(pymysql.Error):  # it is gone already
                self.source.run(f"KILL {row[0]}")
        try:
            yield
        finally:
            self.source.run("SET sql_log_bin = 0",
                            f"ALTER USER '{USER['username']}'@'%' IDENTIFIED BY '{PASSWORD}'")

    # --- create and resume ---

    def test_create_of_what_fails_later(self):
        self.source.run("INSERT INTO shop.t (v) SELECT a.v FROM shop.t a, shop.t b, shop.t c, shop.t d, "
                        "shop.t e, shop.t f")
        spec = self.spec(["t"], snapshotRowsPerSecond=10)
        file = self.folder / "pipe.json"
        file.write_text(json.dumps(spec))
        ended = []
        waits = threading.Thread(target=lambda: ended.append(
            self.penstock.cli("create", "-f", file, "--wait")))
        waits.start()
        pipe = wait_until(self.penstock.pipes, "the pipe")[0]["id"]
        self.penstock.await_state(pipe, "Snapshot")
        with self.locked_out():
            waits.join(60)
            self.assertFalse(waits.is_alive(), self.penstock.process.tail())
        code, said, error = ended[0]
        self.assertEqual(1, code, said + error)
        self.assertIn("created pipe", said)
        self.assertIn("pipe is Failed: ", error)
        self.assertIn("denied", error)

    def test_resume(self):
        self.create()
        for _ in range(3):
            self.run_ok("pause", "pipe", "--wait")
            said = self.run_ok("resume", "pipe", "--wait")
            self.assertRegex(said, r"Running\n$")
            self.assertIsNotNone(self.penstock.status(self.pipe)["lagSeconds"])

    def test_resume_with_a_wrong_password(self):
        self.create()
        self.run_ok("pause", "pipe", "--wait")
        with self.locked_out():
            for _ in range(3):
                self.assert_fails("resume", "pipe", "--wait", because=["pipe is Failed", "denied"])
        self.run_ok("resume", "pipe", "--wait")

    def test_resume_without_a_log(self):
        self.create()
        self.run_ok("pause", "pipe", "--wait")
        self.source.run("INSERT INTO shop.t (v) VALUES (4)", "FLUSH BINARY LOGS")
        newest = self.source.run("SHOW BINARY LOGS")[-1][0]
        wait_until(lambda: self.source.run(f"PURGE BINARY LOGS TO '{newest}'",
                                           "SHOW BINARY LOGS")[0][0] == newest, "purged")
        self.assert_fails("resume", "pipe", "--wait", because=["pipe is Failed", "esync"])

    # --- tables ---

    def test_resync_of_what_cannot_be_loaded(self):
        self.create()
        self.source.run("ALTER TABLE shop.u DROP PRIMARY KEY")
        self.penstock.await_state(self.pipe, "Degraded")
        for words in (["--table", "shop.u"], []):
            self.assert_fails("resync", "pipe", *words, "--wait", because=["shop.u: ", "key"])
        self.run_ok("resync", "pipe", "--table", "shop.t", "--wait")
        self.source.run("ALTER TABLE shop.u ADD PRIMARY KEY (id)")
        self.run_ok("resync", "pipe", "--wait")
        self.await_caught_up()
        self.assert_equal(self.spec_)

    def test_one_that_is_set_aside_is_no_failure_of_another(self):
        self.create()
        self.source.run("ALTER TABLE shop.u DROP PRIMARY KEY",
                        "CREATE TABLE shop.w (id INT PRIMARY KEY)")
        self.penstock.await_state(self.pipe, "Degraded")
        self.run_ok("add-table", "pipe", "shop.w", "--wait")
        self.assert_fails("retry", "pipe", "--wait", because=["shop.u: "])


class WaitingMariaDB(Waiting, SystemTest):
    source_class = MariaDB1011


class WaitingMySQL(Waiting, SystemTest):
    source_class = MySQL97
