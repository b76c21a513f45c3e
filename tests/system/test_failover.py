"""Another server in the source's place: one that can take over, and those that cannot."""

import contextlib
import unittest

from harness import workload
from harness.case import SystemTest, new_seed
from harness.proxy import Proxy
from harness.sources import MariaDB118, MariaDB1011, MySQL97
from harness.wait import pause, wait_until


def rows_in_destination(test):
    return int(test.clickhouse.query("SELECT count() FROM replica.t FINAL"))


class Failover:
    """Two servers that replicate; the pipe's host is a proxy, which leads to `self.source`."""

    source_options = {"server_id": "11", "log_slave_updates": "ON"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()
        cls.other = cls.use(cls.source_class.family, lambda: cls.source_class(
            **{**cls.source_options, "server_id": "12"}))
        cls.proxy = cls.enterClassContext(Proxy(cls.source.port))
        cls.other.replicate_from(cls.source)

    def setUp(self):
        self.fresh_shop()
        self.source.run("CREATE TABLE shop.t (id INT PRIMARY KEY AUTO_INCREMENT, v INT)",
                        "INSERT INTO shop.t (v) VALUES (1), (2), (3)",
                        "CREATE TABLE shop.u (id INT PRIMARY KEY, v INT)",
                        "INSERT INTO shop.u VALUES (1, 1)")

    def tearDown(self):
        self.delete_pipes()

    def start(self, tables=("t", "u"), url=None, **settings):
        self.spec_ = self.spec(tables, **settings)
        if url:
            self.spec_["destination"]["clickhouse"]["url"] = url
        self.spec_["source"]["mysql"]["port"] = self.proxy.port
        self.pipe = self.penstock.create(self.spec_)
        self.penstock.await_state(self.pipe, "Running")
        self.await_caught_up()

    def status(self):
        return self.penstock.status(self.pipe)

    def finish(self):
        self.penstock.await_state(self.pipe, "Running", seconds=120)
        self.await_caught_up()
        self.assert_equal(self.spec_)

    def await_replicated(self):
        wanted = self.source.gtid_position()
        wait_until(lambda: self.other.gtid_position() == wanted,
                   lambda: f"{wanted}; it is {self.other.gtid_position()}")

    def lead_to(self, server):
        self.proxy.target = server.port
        self.proxy.cut()

    def switch(self):
        """The other one is the source from now on, and the pipe's host leads to it."""
        type(self).source, type(self).other = self.other, self.source
        self.source.promote()
        self.lead_to(self.source)

    def rejoin(self):
        """What was the source replicates the new one."""
        self.other.replicate_from(self.source)
        self.await_replicated()


class Promotion(Failover):
    """By GTID a pipe goes on."""

    def test_promoted_under_load_there_and_back(self):
        seed = new_seed()
        workload.create(self.source)
        workload.Writer(self.source, seed).fill(accounts=500)
        self.start(workload.TABLES)
        for turn in range(3):
            with workload.Workload(self.source, f"{seed}/{turn}") as load:
                wait_until(lambda: load.transactions > 100, "100 transactions", 60)
            self.await_replicated()
            if turn == 1:
                self.penstock.kill()
            self.switch()
            self.rejoin()
            if turn == 1:
                self.penstock.start()
            with workload.Workload(self.source, f"{seed}/{turn}/after") as load:
                wait_until(lambda: load.transactions > 50, "50 transactions", 60)
            self.finish()

    def test_a_replica_that_is_behind(self):
        """It has not yet what was replicated: waited for."""
        self.start()
        self.await_replicated()
        self.other.run(self.other.stop_applying)
        self.source.run("INSERT INTO shop.t (v) VALUES (4)")
        self.await_caught_up()
        self.lead_to(self.other)
        wait_until(lambda: "lacks transactions" in self.status()["retrying"], "retrying")
        self.other.run(self.other.start_replica)
        self.await_replicated()
        self.switch()
        self.rejoin()
        self.source.run("INSERT INTO shop.t (v) VALUES (5)")
        self.finish()

    def test_transactions_that_the_new_source_never_had(self):
        """They were replicated and are no more: the tables that they changed are resynced by
        themselves, the others go on."""
        self.start()
        self.await_replicated()
        self.source.run("INSERT INTO shop.u VALUES (2, 2)")
        self.await_caught_up()
        self.await_replicated()
        self.other.run(self.other.stop_applying)
        self.source.run("INSERT INTO shop.t (v) VALUES (40), (50)", "UPDATE shop.t SET v = v + 1",
                        "DELETE FROM shop.t WHERE id = 2")
        self.await_caught_up()
        tables = self.uuids()
        self.switch()
        self.source.run("INSERT INTO shop.t (v) VALUES (60)", "INSERT INTO shop.u VALUES (3, 3)",
                        *["UPDATE shop.u SET v = v + 1"] * 9)
        events = f"{self.penstock.pipes_path()}/{self.pipe}/events"
        wait_until(lambda: any(event["kind"] == "position" for event in self.penstock.api(events)),
                   "an event", 40)
        self.finish()
        now = self.uuids()
        self.assertEqual(tables["u"], now["u"])
        self.assertNotEqual(tables["t"], now["t"])
        (event,) = [e for e in self.penstock.api(events) if e["kind"] == "position"]
        self.assertIn("resynced (2)", event["text"])  # and the marker
        self.replace_other()

    def test_a_truncate_that_the_new_source_never_had(self):
        self.start()
        self.await_replicated()
        self.other.run(self.other.stop_applying)
        self.source.run("TRUNCATE TABLE shop.t")
        wait_until(lambda: rows_in_destination(self) == 0, "emptied")
        self.await_caught_up()
        self.switch()
        self.source.run("INSERT INTO shop.t (v) VALUES (60)")
        self.finish()
        self.assertGreater(rows_in_destination(self), 3)
        self.replace_other()

    def test_rows_that_nobody_acknowledged(self):
        """penstock and the source die together: rows are in the destination that no checkpoint tells
        of, of transactions that the new source never had."""
        with Proxy(self.clickhouse.http_port) as to_clickhouse:
            self.start(url=f"http://127.0.0.1:{to_clickhouse.port}")
            self.await_replicated()
            self.other.run(self.other.stop_applying)
            to_clickhouse.lose_answer_of = b"INSERT"
            self.source.run("INSERT INTO shop.t (v) VALUES (40), (50)")
            wait_until(lambda: rows_in_destination(self) == 5, "written")
            self.penstock.kill()
            to_clickhouse.lose_answer_of = None
            tables = self.uuids()
            self.switch()
            self.source.run("INSERT INTO shop.u VALUES (3, 3)")
            self.penstock.start()
            self.finish()
            self.assertEqual(tables["u"], self.uuids()["u"])
            self.assertNotEqual(tables["t"], self.uuids()["t"])
        self.replace_other()

    def replace_other(self):
        """A server that has what no other has cannot replicate: it is made anew."""
        self.other.replicate_anew_from(self.source)
        self.source.run("INSERT INTO shop.u VALUES (9, 9)")
        self.await_replicated()

    def uuids(self):
        """Of the targets."""
        return dict(line.split("\t") for line in self.clickhouse.query(
            "SELECT name, uuid FROM system.tables WHERE database = 'replica'").splitlines())

    def test_a_source_that_is_a_replica(self):
        """Followed, not promoted: what it is sent and what is written to it."""
        self.start()
        self.await_replicated()
        self.lead_to(self.other)
        self.source.run("INSERT INTO shop.t (v) VALUES (4)", "DELETE FROM shop.t WHERE id = 1")
        self.finish()
        self.lead_to(self.source)
        self.source.run("UPDATE shop.t SET v = 7")
        self.finish()


class PromotionMySQL(Promotion, SystemTest):
    source_class = MySQL97
    source_options = {"server_id": "11", "replica_parallel_workers": "4",
                      "replica_preserve_commit_order": "OFF"}


class PromotionMariaDB(Promotion, SystemTest):
    source_class = MariaDB1011


class PromotionMariaDB118(Promotion, SystemTest):
    source_class = MariaDB118


class Impossible(SystemTest):
    """Places in a log that is not there any more, each found when the pipe connects."""

    def setUp(self):
        self.fresh_shop()
        self.source.run("CREATE TABLE shop.t (id INT PRIMARY KEY AUTO_INCREMENT, v INT)",
                        "INSERT INTO shop.t (v) VALUES (1), (2), (3)")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def tearDown(self):
        self.delete_pipes()

    def write(self, times=1):
        self.source.run(*["INSERT INTO shop.t (v) VALUES (4)"] * times)

    def paused(self, **settings):
        self.spec_ = self.spec(["t"], **settings)
        self.pipe = self.penstock.create(self.spec_)
        self.penstock.await_state(self.pipe, "Running")
        self.await_caught_up()
        self.penstock.order(self.pipe, "stop")
        self.penstock.await_state(self.pipe, "Paused")
        return self.penstock.status(self.pipe)

    def assert_fails(self, *words, seconds=10):
        """Soon, with what is to be done; and a resync heals it."""
        self.penstock.order(self.pipe, "start")
        self.penstock.await_state(self.pipe, "Failed", seconds=seconds)
        reason = self.penstock.status(self.pipe)["reason"]
        for word in (*words, "resync"):
            self.assertIn(word, reason)
        self.penstock.order(self.pipe, "resync")
        self.penstock.await_state(self.pipe, "Running")
        self.write()
        self.await_caught_up()
        self.assert_equal(self.spec_)

    def flush(self, times=1):
        self.source.run(*["FLUSH BINARY LOGS"] * times)

    def test_purged_files(self):
        status = self.paused(replicationMechanism="FILE_POS")
        self.flush(2)
        self.write()
        self.purge()
        self.assert_fails("purged", status["positionInFiles"].split(":")[0])

    def test_purged_gtids(self):
        self.paused(replicationMechanism="GTID")
        self.write()
        self.flush(2)
        self.write()
        self.purge()
        self.assert_fails("purged")

    def purge(self):
        file = self.source.log_position()[0]
        # A reader that has just gone, or a checkpoint to come, keeps a file for a moment.
        wait_until(lambda: self.source.run(f"PURGE BINARY LOGS TO '{file}'", "SHOW BINARY LOGS")
                   [0][0] == file, "purged", every=0.2)

    def test_log_that_begins_anew(self):
        """As of a blue/green deployment: smaller numbers."""
        self.flush(2)
        self.paused(replicationMechanism="FILE_POS")
        self.source.run(self.reset)
        self.write()
        self.assert_fails("reset", "another server")

    def test_log_that_begins_anew_and_is_as_long(self):
        """A file of that name is there, and it is long enough."""
        self.source.run(self.reset)
        status = self.paused(replicationMechanism="FILE_POS")
        self.assertRegex(status["position"], "bin.000001:")
        pause(1)  # the files' first events tell the second
        self.source.run(self.reset)
        while self.source.log_position()[1] <= int(status["position"].split(":")[1]):
            self.write(20)
        self.assert_fails("bin.000001", "reset")

    def test_reset_by_gtid(self):
        """The source has nothing of what was replicated from it."""
        self.paused()
        self.source.run(self.reset)
        self.write()
        self.assert_fails("lacks transactions", seconds=30)

    def test_resync_of_a_pipe_whose_source_lacks_what_was_replicated(self):
        """It waits for the source as the stream would, no longer; and may be ordered again."""
        self.flush(2)
        self.paused()
        self.source.run(self.reset)
        self.write()
        self.penstock.order(self.pipe, "resync")
        self.penstock.await_state(self.pipe, "Failed", seconds=60)
        self.assertIn("lacks transactions", self.penstock.status(self.pipe)["reason"])
        self.penstock.order(self.pipe, "resync")
        self.penstock.await_state(self.pipe, "Running")
        self.await_caught_up()
        self.assert_equal(self.spec_)

    def test_end_of_the_log_that_was_lost(self):
        """By a crash; what was there had GTIDs that other transactions have now."""
        self.paused()
        file, end = self.source.log_position()
        self.write()
        cut = int(self.source.log_position()[1])
        self.penstock.order(self.pipe, "start")
        self.await_caught_up()
        self.penstock.order(self.pipe, "stop")
        self.penstock.await_state(self.pipe, "Paused")
        self.source.process.kill()
        with open(self.source.data / file, "r+b") as log:
            log.truncate(end)
        self.source.start()
        self.write(5 + (cut - end) // 100)
        self.assert_fails("lost the end of its log", "crash")

    def test_end_of_the_log_that_was_lost_and_nobody_acknowledged(self):
        """Likewise of what was sent when penstock died: the checkpoint is before what is left."""
        with Proxy(self.clickhouse.http_port) as to_clickhouse:
            self.spec_ = self.spec(["t"])
            self.spec_["destination"]["clickhouse"]["url"] = (
                f"http://127.0.0.1:{to_clickhouse.port}")
            self.pipe = self.penstock.create(self.spec_)
            self.penstock.await_state(self.pipe, "Running")
            self.await_caught_up()
            file, end = self.source.log_position()
            to_clickhouse.lose_answer_of = b"INSERT"
            self.source.run("INSERT INTO shop.t (v) VALUES (40)")
            wait_until(lambda: rows_in_destination(self) == 4, "written")
            self.penstock.kill()
            to_clickhouse.lose_answer_of = None
            self.source.process.kill()
            with open(self.source.data / file, "r+b") as log:
                log.truncate(int(end))
            self.source.start()
            self.write(3)
            self.penstock.start()
            self.penstock.await_state(self.pipe, "Failed", seconds=10)
            self.assertIn("lost the end of its log", self.penstock.status(self.pipe)["reason"])
            self.penstock.order(self.pipe, "resync")
            self.penstock.await_state(self.pipe, "Running")
            self.await_caught_up()
            self.assert_equal(self.spec_)

    def test_a_place_between_two_events(self):
        file, end = self.source.log_position()
        self.write()
        spec = self.spec(["t"], replicationMode="cdc_only",
                         startPosition={"file": file, "offset": int(end) + 3})
        self.pipe = self.penstock.create(spec)
        self.penstock.await_state(self.pipe, "Failed", seconds=10)
        self.assertIn("resync", self.penstock.status(self.pipe)["reason"])


class ImpossibleMySQL(Impossible):
    source_class = MySQL97
    reset = "RESET BINARY LOGS AND GTIDS"


class ImpossibleMariaDB(Impossible):
    source_class = MariaDB1011
    reset = "RESET MASTER"


class ImpossibleMariaDB118(Impossible):
    source_class = MariaDB118
    reset = "RESET MASTER"


del Impossible


class AnotherServer(Failover):
    """By file a pipe cannot go on at another server."""

    def test_by_file(self):
        self.start(replicationMechanism="FILE_POS")
        self.await_replicated()
        self.lead_to(self.other)
        self.penstock.await_state(self.pipe, "Failed", seconds=20)
        reason = self.status()["reason"]
        for word in ("another server", "GTID", "resync"):
            self.assertIn(word, reason)
        self.lead_to(self.source)
        self.penstock.order(self.pipe, "start")
        self.source.run("INSERT INTO shop.t (v) VALUES (4)")
        self.finish()


class AnotherServerMySQL(AnotherServer, SystemTest):
    source_class = MySQL97


class AnotherServerMariaDB(AnotherServer, SystemTest):
    source_class = MariaDB1011


if __name__ == "__main__":
    unittest.main()
