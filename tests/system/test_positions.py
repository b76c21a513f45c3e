"""Places in a log: GTIDs of all kinds, file and offset, and moving from the one to the other."""

import contextlib
import re
import unittest

from harness import workload
from harness.case import SystemTest, new_seed
from harness.sources import MariaDB118, MariaDB1011, MySQL97
from harness.wait import wait_until


class Positions(SystemTest):
    """A source with an empty shop.t, a ClickHouse and a penstock, started once for the class."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def setUp(self):
        self.fresh_shop()
        self.source.run("CREATE TABLE shop.t (id INT PRIMARY KEY AUTO_INCREMENT, v INT)",
                        "INSERT INTO shop.t (v) VALUES (1), (2), (3)")

    def tearDown(self):
        self.delete_pipes()

    def write(self, *before):
        """A transaction: a row more, one changed, one gone."""
        self.source.run(*before, "BEGIN", "INSERT INTO shop.t (v) VALUES (4), (5)",
                        "UPDATE shop.t SET v = v + 1", "DELETE FROM shop.t ORDER BY id LIMIT 1",
                        "COMMIT")

    def start(self, **settings):
        self.spec_ = self.spec(["t"], **settings)
        self.pipe = self.penstock.create(self.spec_)
        self.penstock.await_state(self.pipe, "Running")

    def finish(self):
        self.await_caught_up()
        self.assert_equal(self.spec_)

    def mechanism(self):
        return self.penstock.status(self.pipe)["mechanism"]

    def await_mechanism(self, wanted):
        """Some transaction must come, for the source's log to tell."""
        def there():
            self.write()
            return self.mechanism() == wanted
        wait_until(there, lambda: f"{wanted}\n{self.penstock.process.tail()}", every=0.2)

    def reason_of_failure(self, seconds=30):
        self.penstock.await_state(self.pipe, "Failed", seconds=seconds)
        return self.penstock.status(self.pipe)["reason"]

    def events(self):
        return self.penstock.api(f"{self.penstock.pipes_path()}/{self.pipe}/events")

    def pause(self):
        self.penstock.order(self.pipe, "stop")
        self.penstock.await_state(self.pipe, "Paused")

    def resume(self):
        self.penstock.order(self.pipe, "start")


class GtidMode(Positions):
    """A MySQL source whose gtid_mode changes."""

    source_class = MySQL97
    off = ("ON_PERMISSIVE", "OFF_PERMISSIVE", "OFF")
    on = ("OFF_PERMISSIVE", "ON_PERMISSIVE", "ON")

    def setUp(self):
        super().setUp()
        self.set_mode(*self.on)

    def set_mode(self, *modes, write=False, follow=False):
        """`write`: a transaction in each mode; `follow`: and the pipe reads it before the next, as
        MySQL's manual asks for replicas."""
        for mode in modes:
            if self.source.run("SELECT @@gtid_mode")[0][0] != "ON" or mode != "OFF_PERMISSIVE":
                self.source.run(f"SET GLOBAL gtid_mode={mode}")
            if write or follow:
                self.write()
            if follow:
                self.await_caught_up()

    def test_off_and_on_while_it_runs(self):
        self.source.run("SET GLOBAL gtid_mode=ON")
        workload.create(self.source, "mix")
        self.start()
        self.write()
        self.assertEqual("mysql_gtid", self.mechanism())
        seed = new_seed()
        for turn in range(2):
            with contextlib.closing(workload.Writer(self.source, f"{seed}/{turn}", "mix")) as writer:
                for modes, mechanism in ((self.off, "file"), (self.on, "mysql_gtid")):
                    for mode in modes:
                        for _ in range(5):
                            writer.step()
                        self.set_mode(mode, follow=True)
                    self.await_mechanism(mechanism)
                    self.finish()
        events = self.events()
        self.assertEqual(4, len([e for e in events if e["kind"] == "position"]))
        self.assertEqual([], [e for e in events if e["level"] == "error"])

    def test_off_while_it_is_paused(self):
        self.start()
        self.write()
        self.finish()
        self.pause()
        self.set_mode(*self.off)
        self.resume()
        self.await_mechanism("file")
        self.finish()
        self.penstock.restart()
        self.assertEqual("file", self.mechanism())
        self.set_mode(*self.on, follow=True)
        self.await_mechanism("mysql_gtid")
        self.penstock.restart()
        self.finish()

    def test_what_the_source_does_not_send_in_its_mode(self):
        """Not even by file: transactions with a GTID while it gives none, and those without one
        while all have one. A permissive mode for a while is the remedy, and nothing is lost."""
        self.start()
        self.write()
        self.finish()
        for modes, between, mechanism in ((self.off, "OFF_PERMISSIVE", "file"),
                                          (self.on, "ON_PERMISSIVE", "mysql_gtid"),
                                          (self.off + self.on, "ON_PERMISSIVE", "mysql_gtid")):
            with self.subTest(modes=modes):
                self.pause()
                self.write()
                self.set_mode(*modes, write=True)
                self.resume()
                self.assertIn(f"set it to {between}", self.reason_of_failure())
                self.set_mode(between)
                self.resume()
                self.finish()
                self.set_mode(modes[-1])
                self.await_mechanism(mechanism)
                self.finish()

    def test_from_off(self):
        self.set_mode(*self.off)
        self.start()
        self.assertEqual("file", self.mechanism())
        self.write()
        self.finish()
        self.set_mode(*self.on, follow=True)
        self.await_mechanism("mysql_gtid")
        self.finish()

    def test_gtid_is_honoured(self):
        self.start(replicationMechanism="GTID")
        self.set_mode(*self.off, write=True)
        reason = self.reason_of_failure()
        for word in ("gtid_mode is OFF", "Set gtid_mode=ON", "resync"):
            self.assertIn(word, reason)

    def test_file_pos_is_honoured(self):
        self.start(replicationMechanism="FILE_POS")
        self.assertEqual("file", self.mechanism())
        self.set_mode(*self.off, *self.on, follow=True)
        self.source.run("FLUSH BINARY LOGS")
        self.write()
        self.finish()
        self.assertEqual("file", self.mechanism())


class TaggedGtids(Positions):
    """GTIDs with tags, and sets of many intervals."""

    source_class = MySQL97

    def test_tags(self):
        self.start()
        for tag in ("blue", "green_1", "blue"):
            self.write(f"SET gtid_next='AUTOMATIC:{tag}'")
        self.finish()
        self.assertRegex(self.penstock.status(self.pipe)["position"], r":blue:1-2.*:green_1:1")
        self.penstock.restart()
        self.write("SET gtid_next='AUTOMATIC:red'")
        self.write()
        self.finish()
        self.source.restart()
        self.write("SET gtid_next='AUTOMATIC:red'")
        self.finish()

    def test_holes(self):
        """As those of a replica that commits in another order than its source. What fills a hole
        later is not passed over."""
        self.start()
        uuid = "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"
        for turn, numbers in enumerate((range(1, 400, 2), range(2, 400, 4), range(4, 400, 4))):
            with contextlib.closing(self.source.connect(database="shop")) as connection:
                with connection.cursor() as cursor:
                    for number in numbers:
                        cursor.execute(f"SET gtid_next='{uuid}:{number}'")
                        cursor.execute("INSERT INTO t (v) VALUES (1)")
                    cursor.execute("SET gtid_next='AUTOMATIC'")
            self.finish()
            position = self.penstock.status(self.pipe)["position"]
            self.assertEqual(len(numbers) if turn == 0 else 1 if turn == 2 else 100,
                             len(re.search(f"{uuid}([0-9:-]*)", position)[1].split(":")) - 1)
            self.penstock.restart()


class Domains:
    """MariaDB: several domains, and server ids within one."""

    def test_domains_and_servers(self):
        self.start()
        connections = [self.source.connect(database="shop") for _ in range(4)]
        for number, connection in enumerate(connections):
            with connection.cursor() as cursor:
                cursor.execute(f"SET gtid_domain_id={number % 3}, server_id={100 + number}")
        for turn in range(3):
            for step in range(60):
                with connections[step * 7 % 4].cursor() as cursor:
                    cursor.execute(f"INSERT INTO t (v) VALUES ({step})")
                    cursor.execute(f"UPDATE t SET v = v + 1 WHERE id % 5 = {step % 5}")
            if turn == 0:
                self.penstock.restart()
            elif turn == 1:
                self.source.run("FLUSH BINARY LOGS")
                self.pause()
                self.resume()
            self.finish()
        for connection in connections:
            connection.close()
        status = self.penstock.status(self.pipe)
        self.assertEqual("mariadb_gtid", status["mechanism"])
        self.assertRegex(status["position"], r"^0-\d+-\d+,1-101-\d+,2-102-\d+$")

    def test_file_pos_is_honoured(self):
        self.start(replicationMechanism="FILE_POS")
        for _ in range(3):
            self.write()
            self.source.run("FLUSH BINARY LOGS")
            self.penstock.restart()
        self.finish()
        self.assertEqual("file", self.mechanism())


class DomainsMariaDB(Domains, Positions):
    source_class = MariaDB1011


class DomainsMariaDB118(Domains, Positions):
    source_class = MariaDB118


class Visible(Positions):
    """Where the source is and where the pipe is."""

    source_class = MySQL97
    source_options = {"binlog_expire_logs_seconds": "100000"}

    def test_lag_in_bytes_and_retention(self):
        self.start()
        self.write()
        self.finish()
        self.write()

        def seen():
            status = self.penstock.status(self.pipe)
            return status["sourcePosition"] == status["position"] and status
        status = wait_until(seen, "no lag")
        self.assertEqual(0, status["lagBytes"])
        self.assertEqual(status["sourcePositionInFiles"], status["positionInFiles"])
        self.assertEqual(100000, status["logRetentionSeconds"])
        self.assertGreaterEqual(status["logRetentionSecondsLeft"], 99990)
        _, out, _ = self.penstock.cli("show", "pipe")
        for word in ("mysql_gtid", status["positionInFiles"], "left"):
            self.assertIn(word, out)
        self.penstock.restart()  # nothing is written from here on
        again = wait_until(seen, "no lag after a restart")
        self.assertEqual((0, status["positionInFiles"]),
                         (again["lagBytes"], again["positionInFiles"]))
        self.clickhouse.process.suspend()
        try:
            self.source.run("INSERT INTO shop.t SELECT NULL, v FROM shop.t")
            wait_until(lambda: (self.penstock.status(self.pipe)["lagBytes"] or 0) > 100,
                       "a lag of some bytes")
        finally:
            self.clickhouse.process.resume()
        self.finish()

    def test_warning_before_the_retention_runs_out(self):
        self.start()
        self.source.run("SET GLOBAL binlog_expire_logs_seconds = 16")
        self.clickhouse.process.suspend()
        try:
            self.write()
            (warning,) = wait_until(lambda: [e for e in self.events() if e["kind"] == "retention"],
                                    "a warning", 40)
        finally:
            self.clickhouse.process.resume()
            self.source.run("SET GLOBAL binlog_expire_logs_seconds = 100000")
        self.assertEqual("warning", warning["level"])
        self.assertIn("keeps its log for 16 s", warning["text"])
        self.finish()

    def test_batches_tell_what_they_held(self):
        self.start()
        self.finish()
        self.write()
        file, offset = self.source.log_position()
        self.finish()
        changes = {"sourceSchemaName": "shop", "sourceTable": "t", "rowsInserted": 2,
                   "rowsUpdated": 5, "rowsDeleted": 1}
        batches = self.penstock.api(f"{self.penstock.pipes_path()}/{self.pipe}/batches")
        (batch,) = [batch for batch in batches if changes in batch["changes"]]
        self.assertRegex(batch["gtids"], r"^[0-9a-f-]{36}:\d+(-\d+)?$")
        read_in, read_to = batch["positionInFiles"].split(":")
        self.assertEqual(file, read_in)
        self.assertGreaterEqual(int(read_to), int(offset))
        self.assertGreater(batch["decodingMilliseconds"], 0)
        _, out, _ = self.penstock.cli("batches", "pipe")
        self.assertIn("shop.t +2 ~5 -1", out)


if __name__ == "__main__":
    unittest.main()
