"""A pipe that cannot go on is Failed, with cause, remedy and position; once that is mended it goes on, or
says that only a resync helps."""

import contextlib
import unittest

from harness.case import SystemTest
from harness.sources import MariaDB1011, MySQL97, USER
from harness.wait import wait_until


class Failed:
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def setUp(self):
        self.fresh_shop()
        self.source.run("CREATE TABLE shop.t (id INT PRIMARY KEY AUTO_INCREMENT, v INT)",
                        "INSERT INTO shop.t (v) VALUES (1), (2), (3)")
        self.spec_ = self.spec(["t"])
        self.pipe = self.penstock.create(self.spec_)
        self.addCleanup(self.delete_pipes)
        self.penstock.await_state(self.pipe, "Running")
        self.await_caught_up()

    def write(self):
        self.source.run("INSERT INTO shop.t (v) VALUES (4)", "UPDATE shop.t SET v = v + 1 WHERE v > 1")

    def assert_failed(self, *words):
        """The reason has the words; the position is told, in the API and by `show`."""
        self.penstock.await_state(self.pipe, "Failed", seconds=40)
        status = self.penstock.status(self.pipe)
        shown = self.penstock.cli("show", "pipe")[1]
        for word in words:
            self.assertIn(word, status["reason"])
        for part in (status["reason"], status["position"], status["positionInFiles"]):
            self.assertNotEqual("", part)
            self.assertIn(part, shown)

    def stop(self):
        self.penstock.order(self.pipe, "stop")
        self.penstock.await_state(self.pipe, "Paused")

    def start(self):
        self.penstock.order(self.pipe, "start")

    def assert_goes_on(self):
        self.start()
        self.penstock.await_state(self.pipe, "Running")
        self.await_caught_up()
        self.assert_equal(self.spec_)

    def assert_heals_by_resync(self):
        self.penstock.order(self.pipe, "resync")
        self.penstock.await_state(self.pipe, "Running")
        self.write()
        self.await_caught_up()
        self.assert_equal(self.spec_)

    def test_the_position_is_purged(self):
        self.stop()
        self.write()
        self.source.run("FLUSH BINARY LOGS")
        newest = self.source.run("SHOW BINARY LOGS")[-1][0]
        wait_until(lambda: self.source.run(f"PURGE BINARY LOGS TO '{newest}'",
                                           "SHOW BINARY LOGS")[0][0] == newest, "purged")
        self.start()
        self.assert_failed("esync the pipe")
        self.start()
        self.assert_failed("esync the pipe")  # it does not go on beside what it has missed
        self.assert_heals_by_resync()

    @contextlib.contextmanager
    def user_changed(self, change, back):
        self.source.run("SET sql_log_bin = 0", change)
        try:
            yield
        finally:
            self.source.run("SET sql_log_bin = 0", back)

    def test_the_password_is_changed(self):
        user, password = USER["username"], USER["password"].replace("\\", "\\\\").replace("'", "\\'")
        self.stop()
        with self.user_changed(f"ALTER USER '{user}'@'%' IDENTIFIED BY 'another'",
                               f"ALTER USER '{user}'@'%' IDENTIFIED BY '{password}'"):
            self.start()
            self.assert_failed("denied", "password")
        self.write()
        self.assert_goes_on()

    def test_the_right_to_the_log_is_revoked(self):
        user = USER["username"]
        self.stop()
        with self.user_changed(f"REVOKE REPLICATION SLAVE ON *.* FROM '{user}'@'%'",
                               f"GRANT REPLICATION SLAVE ON *.* TO '{user}'@'%'"):
            self.start()
            self.assert_failed("denied", "REPLICATION SLAVE")
        self.write()
        self.assert_goes_on()

    def restart_source(self, **options):
        before = dict(self.source.options)
        self.source.options.update(options)
        self.source.restart(kill=False)
        self.source.options = before

    def test_the_log_is_off(self):
        """While nothing is written it goes on, when the log is there again."""
        self.stop()
        self.restart_source(log_bin=None, skip_log_bin="1", binlog_row_metadata=None,
                            binlog_format=None, gtid_mode=None, enforce_gtid_consistency=None)
        try:
            self.start()
            self.assert_failed("binary log is off", "log_bin")
        finally:
            self.source.restart(kill=False)
        self.write()
        self.assert_goes_on()

    def test_statements_in_place_of_rows(self):
        """Of the table alone: the log holds no rows, whatever is set by now."""
        with self.source.connect(database="shop") as link, link.cursor() as cursor:
            cursor.execute("SET SESSION binlog_format = 'STATEMENT'")
            cursor.execute("UPDATE t SET v = 100 WHERE v = 1")
        self.penstock.await_state(self.pipe, "Degraded")
        quarantine = self.penstock.status(self.pipe)["tables"][0]["quarantine"]
        self.assertIn("binlog_format", quarantine["reason"])
        self.write()
        code, _, error = self.penstock.cli("retry", "pipe", "--wait")
        self.assertEqual(1, code)
        self.assertIn("esync", error)
        self.assert_heals_by_resync()


class FailedMySQL(Failed, SystemTest):
    source_class = MySQL97


class FailedMariaDB(Failed, SystemTest):
    source_class = MariaDB1011


if __name__ == "__main__":
    unittest.main()
