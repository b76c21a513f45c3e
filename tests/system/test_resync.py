"""Tables are loaded anew beside their targets, which are exchanged when all is in."""

import random
import unittest

from harness.case import SystemTest, new_seed, rounds
from harness.penstock import ApiError
from harness.sources import MariaDB1011, MySQL97
from harness.wait import wait_until

ROWS = 4096


class Resync:
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def setUp(self):
        self.fresh_shop()
        self.source.run("CREATE TABLE shop.t (id INT PRIMARY KEY, v INT NOT NULL)",
                        "CREATE TABLE shop.other (id INT PRIMARY KEY, v INT)",
                        "INSERT INTO shop.t VALUES (1, 1)", "INSERT INTO shop.other VALUES (1, 1)",
                        *[f"INSERT INTO shop.t SELECT id + {1 << n}, v FROM shop.t"
                          for n in range(12)])

    def tearDown(self):
        self.delete_pipes()

    def replicate(self, **settings):
        spec = self.spec(["t", "other"], syncIntervalMilliseconds=100,
                         snapshotNumRowsPerPartition=1000, initialLoadParallelism=2, **settings)
        pipe = self.penstock.create(spec)
        self.penstock.await_state(pipe, "Running")
        return spec, pipe

    def resync(self, *tables):
        words = [word for table in tables for word in ("--table", table)]
        return self.penstock.cli("resync", "pipe", *words)

    def await_resync(self, pipe, seconds=60):
        """Through Setup, Snapshot and Resync; nothing is left beside the targets."""
        self.penstock.await_state(pipe, "Running", seconds=seconds)
        self.assertEqual("", self.clickhouse.query(
            "SELECT name FROM system.tables WHERE database = 'replica' AND name LIKE '%_resync_%'"))

    def assert_same(self, spec):
        self.await_caught_up()
        return self.assert_equal(spec)

    def count(self, table="t", condition="1"):
        return int(self.clickhouse.query(f"SELECT count() FROM replica.{table} FINAL WHERE {condition}"))

    def test_what_was_changed_by_hand_is_right_again(self):
        """All tables; rows that are only in the target do not come back."""
        spec, pipe = self.replicate()
        self.clickhouse.query("INSERT INTO replica.t (id, v, _penstock_version) VALUES (-5, 1, 1e12)")
        self.clickhouse.query("ALTER TABLE replica.t DELETE WHERE id % 3 = 0 SETTINGS mutations_sync=2")
        self.source.run("DELETE FROM shop.t WHERE id % 5 = 0")
        self.assertEqual(0, self.resync()[0])
        self.await_resync(pipe)
        self.source.run("UPDATE shop.t SET v = v + 1 WHERE id % 2 = 0", "INSERT INTO shop.t VALUES (0, 7)")
        self.assert_same(spec)
        events = self.penstock.cli("events", "pipe")[1]
        for step in ("Running to Setup", "Setup to Snapshot", "Snapshot to Resync", "Resync to Running"):
            self.assertIn(step, events)

    def test_a_quarantined_table_comes_back(self):
        """Its new definition is what is loaded and followed."""
        spec, pipe = self.replicate()
        self.source.run("ALTER TABLE shop.t ADD w VARCHAR(10) DEFAULT 'w', CHANGE v u BIGINT NOT NULL",
                        "UPDATE shop.t SET u = 3000000000 WHERE id % 7 = 0", "INSERT INTO shop.t VALUES (0, 0, 'x')")
        self.penstock.await_state(pipe, "Degraded")
        before = self.count()
        self.assertEqual(0, self.resync("shop.t")[0])
        self.await_resync(pipe)
        self.source.run("UPDATE shop.t SET w = 'y' WHERE id % 3 = 0", "DELETE FROM shop.t WHERE id = 9")
        self.assertEqual(before + 1 + 1 + 1 - 1, self.assert_same(spec))
        self.assertIn("`w`", self.penstock.status(pipe)["tables"][0]["ddl"])
        self.assertEqual(None, self.penstock.status(pipe)["tables"][0]["quarantine"])

    def test_paused_with_another_key(self):
        """The new key sorts the target; counts begin anew; deleted rows do not come back."""
        spec, pipe = self.replicate()
        self.source.run("DELETE FROM shop.t WHERE id % 2 = 0", "UPDATE shop.other SET v = 2")
        self.await_caught_up()
        self.assertEqual(ROWS // 2, self.penstock.status(pipe)["tables"][0]["rowsDeleted"])
        self.penstock.order(pipe, "stop")
        self.penstock.await_state(pipe, "Paused")
        self.source.run("ALTER TABLE shop.t DROP PRIMARY KEY, ADD PRIMARY KEY (v, id)")
        self.assertEqual(0, self.resync("shop.t")[0])
        self.await_resync(pipe)
        self.assertEqual(ROWS // 2, self.assert_equal(spec) - 1 - self.count("marker"))
        tables = self.penstock.status(pipe)["tables"]
        self.assertEqual([0, 1], [tables[0]["rowsDeleted"], tables[1]["rowsUpdated"]])
        self.assertIn("ORDER BY (`v`, `id`)", tables[0]["ddl"])
        self.source.run("UPDATE shop.t SET v = v + 1 WHERE id % 3 = 0")
        self.assert_same(spec)

    def test_a_target_dropped_by_hand_comes_back(self):
        spec, pipe = self.replicate()
        self.clickhouse.query("DROP TABLE replica.t SYNC")
        self.source.run("INSERT INTO shop.t VALUES (0, 0)")
        self.penstock.await_state(pipe, "Degraded")
        self.assertEqual(0, self.resync("shop.t")[0])
        self.await_resync(pipe)
        self.assert_same(spec)

    def test_targets_are_fresh_until_then(self):
        """The other tables, and the targets of those that are loaded anew, follow meanwhile."""
        spec, pipe = self.replicate(snapshotRowsPerSecond=1000)
        self.assertEqual(0, self.resync("shop.t")[0])
        self.penstock.await_state(pipe, "Snapshot")
        self.source.run("INSERT INTO shop.t VALUES (0, 5)", "DELETE FROM shop.t WHERE id = 17",
                        "INSERT INTO shop.other VALUES (2, 2)")
        wait_until(lambda: self.count("other") == 2 and self.count("t", "id = 0") == 1
                   and self.count("t", "id = 17") == 0, "fresh targets")
        self.assertEqual(ROWS, self.count("t"))
        self.assertEqual("Snapshot", self.penstock.state(pipe))
        self.await_resync(pipe)
        self.assert_same(spec)

    def test_truncate_meanwhile(self):
        spec, pipe = self.replicate(snapshotRowsPerSecond=1000)
        self.resync("shop.t")
        self.penstock.await_state(pipe, "Snapshot")
        self.source.run("TRUNCATE shop.t", "INSERT INTO shop.t VALUES (3, 3)")
        wait_until(lambda: self.count("t") == 1, "the TRUNCATE")
        self.await_resync(pipe)
        self.assert_same(spec)

    def pause_until_the_log_is_lost(self, pipe):
        self.await_caught_up()
        self.penstock.order(pipe, "stop")
        self.penstock.await_state(pipe, "Paused")
        self.source.run("DELETE FROM shop.t ORDER BY id LIMIT 100", "FLUSH BINARY LOGS")
        newest = self.source.run("SHOW BINARY LOGS")[-1][0]
        wait_until(lambda: self.source.run(f"PURGE BINARY LOGS TO '{newest}'",
                                           "SHOW BINARY LOGS")[0][0] == newest, "purged")

    def test_paused_until_the_log_was_lost(self):
        """All is loaded anew, which needs no place in the log; one table alone cannot be."""
        spec, pipe = self.replicate()
        self.pause_until_the_log_is_lost(pipe)
        self.assertEqual(0, self.resync()[0])
        self.await_resync(pipe)
        self.source.run("DELETE FROM shop.t WHERE id % 3 = 0")
        self.assert_same(spec)
        self.pause_until_the_log_is_lost(pipe)
        self.assertEqual(0, self.resync("shop.t")[0])
        self.penstock.await_state(pipe, "Failed")

    def test_after_the_log_was_lost(self):
        """A pipe that failed since its place in the log is gone is rebuilt."""
        spec, pipe = self.replicate()
        self.pause_until_the_log_is_lost(pipe)
        self.penstock.order(pipe, "start")
        self.penstock.await_state(pipe, "Failed")
        self.assertEqual(0, self.resync()[0])
        self.await_resync(pipe)
        self.source.run("DELETE FROM shop.t WHERE id % 3 = 0")
        self.assert_same(spec)

    def test_tables_that_are_gone_hold_up_no_other(self):
        """One dropped at the source, one whose key was changed and changed back by a resync between."""
        spec, pipe = self.replicate()
        self.source.run("DROP TABLE shop.other", "UPDATE shop.t SET v = 5 WHERE id = 1")
        self.penstock.await_state(pipe, "Degraded")
        self.assertEqual(0, self.resync()[0])
        self.penstock.await_state(pipe, "Degraded", seconds=60)
        wait_until(lambda: "does not exist" in self.reason_of(pipe, "other"), "the reason")
        self.assert_same(self.without(spec, "other"))
        self.source.run("CREATE TABLE shop.other (id INT PRIMARY KEY, w INT)",
                        "INSERT INTO shop.other VALUES (1, 2)")
        self.assertEqual(0, self.resync("shop.other")[0])
        self.await_resync(pipe)
        self.assert_same(spec)

    def test_a_table_set_aside_keeps_the_place_that_was_reached(self):
        """It was followed up to the checkpoint, not up to where the source is by now."""
        _, pipe = self.replicate()
        self.await_caught_up()
        self.penstock.order(pipe, "stop")
        self.penstock.await_state(pipe, "Paused")
        reached = self.penstock.status(pipe)["position"]
        self.source.run("INSERT INTO shop.other VALUES (2, 2)")
        self.source.run("SET sql_log_bin = 0", "DROP TABLE shop.other")
        self.assertEqual(0, self.resync("shop.other")[0])
        self.penstock.await_state(pipe, "Degraded")
        self.assertEqual(reached, self.penstock.status(pipe)["tables"][1]["quarantine"]["position"])

    def reason_of(self, pipe, name):
        return next((table["quarantine"] or {"reason": ""})["reason"]
                    for table in self.penstock.status(pipe)["tables"] if table["sourceTable"] == name)

    @staticmethod
    def without(spec, name):
        mysql = spec["source"]["mysql"]
        left = [m for m in mysql["tableMappings"] if m["sourceTable"] != name]
        return {**spec, "source": {"mysql": {**mysql, "tableMappings": left}}}

    def test_a_target_changed_by_hand_is_made_as_it_should_be(self):
        spec, pipe = self.replicate()
        self.clickhouse.query("ALTER TABLE replica.t DROP COLUMN v SETTINGS mutations_sync=2")
        self.source.run("INSERT INTO shop.t VALUES (0, 3)")
        self.penstock.await_state(pipe, "Degraded")
        self.assertEqual(0, self.resync("shop.t")[0])
        self.await_resync(pipe)
        self.assert_same(spec)

    def test_a_schema_change_during_the_load_keeps_the_old_target(self):
        """A load that ended half done takes no target's place."""
        spec, pipe = self.replicate(snapshotRowsPerSecond=1500)
        before = self.count()
        self.resync("shop.t")
        self.penstock.await_state(pipe, "Snapshot")
        self.source.run("ALTER TABLE shop.t MODIFY v BIGINT NOT NULL", "UPDATE shop.t SET v = 9")
        self.penstock.await_state(pipe, "Degraded")
        self.assertEqual(before, self.count())
        self.assertEqual(0, self.resync("shop.t")[0])
        self.await_resync(pipe)
        self.assert_same(spec)

    def test_again_while_it_loads(self):
        spec, pipe = self.replicate(snapshotRowsPerSecond=4000)
        for tables in (("shop.t",), (), ("shop.other",), ("shop.t",)):
            self.assertEqual(0, self.resync(*tables)[0])
            self.source.run("UPDATE shop.t SET v = v + 1 WHERE id % 100 = 0")
            self.penstock.await_state(pipe, "Snapshot")
        self.await_resync(pipe)
        self.assert_same(spec)

    def test_a_deleted_pipe_leaves_nothing_beside(self):
        _, pipe = self.replicate(snapshotRowsPerSecond=1000)
        self.resync()
        self.penstock.await_state(pipe, "Snapshot")
        self.penstock.delete(pipe)
        self.assertEqual("t\n", self.clickhouse.query(
            "SELECT name FROM system.tables WHERE database = 'replica' AND name LIKE 't%'"))

    def test_refusals(self):
        _, pipe = self.replicate()
        code, _, err = self.resync("shop.nothing")
        self.assertEqual(1, code)
        self.assertIn("shop.nothing is not mapped", err)
        self.assertEqual(1, self.resync("nothing")[0])
        with self.assertRaises(ApiError):
            self.penstock.api(f"{self.penstock.pipes_path()}/{pipe}/state", "PATCH",
                              {"command": "resync", "tables": []})
        self.assertEqual("Running", self.penstock.state(pipe))

    def test_kills_and_pauses(self):
        """At random moments, under a workload; again and again."""
        chance = random.Random(new_seed())
        for _ in range(rounds(2)):
            self.setUp()
            spec, pipe = self.replicate(snapshotRowsPerSecond=8000)
            self.resync(*chance.choice([(), ("shop.t",)]))
            for step in range(10):
                self.source.run(f"REPLACE INTO shop.t VALUES ({chance.randrange(6000)}, {step})",
                                f"DELETE FROM shop.t WHERE id = {chance.randrange(6000)}",
                                f"UPDATE shop.t SET v = v + 1 WHERE id % 50 = {step}")
                what = chance.randrange(6)
                if what == 0:
                    self.penstock.restart()
                elif what == 1:
                    self.clickhouse.restart()
                elif what == 2:
                    self.penstock.order(pipe, "stop")
                    self.penstock.await_state(pipe, "Paused")
                    self.penstock.order(pipe, "start")
            self.await_resync(pipe)
            self.assert_same(spec)
            self.delete_pipes()


class ResyncMySQL(Resync, SystemTest):
    source_class = MySQL97


class ResyncMariaDB(Resync, SystemTest):
    source_class = MariaDB1011


if __name__ == "__main__":
    unittest.main()
