"""A target that several tables share is loaded anew as a whole, or stays as it is."""

import random
import unittest

from harness.case import new_seed, rounds
from harness.penstock import ApiError
from harness.shards import SHARDS, ShardsTest
from harness.sources import MariaDB1011, MySQL97
from harness.wait import wait_until


class ShardsResync:
    def replicate(self, *schemas, rows=4096, **settings):
        for schema in SHARDS:
            self.fill(schema, rows)
        self.create(self.shards_spec(*schemas, snapshotNumRowsPerPartition=1000,
                                     initialLoadParallelism=2, **settings))

    def spoil(self):
        """What only a load of all shards mends."""
        self.clickhouse.query("ALTER TABLE replica.orders DELETE WHERE id % 3 = 0 "
                              "SETTINGS mutations_sync = 2")

    def finish_resync(self, state="Running"):
        rows = self.finish(state)
        self.assertEqual(["marker", "orders"], self.targets())
        return rows

    def test_of_one_is_of_all(self):
        """And the target is fresh until then."""
        self.replicate(snapshotRowsPerSecond=4000)
        self.spoil()
        self.resync("s2")
        self.penstock.await_state(self.pipe, "Snapshot")
        self.source.run("INSERT INTO s1.orders VALUES (0, 'new')", "DELETE FROM s3.orders WHERE id = 17")
        wait_until(lambda: self.count("s1", "id = 0") == 1 and self.count("s3", "id = 17") == 0,
                   "fresh")
        self.assertEqual("Snapshot", self.penstock.state(self.pipe))
        self.assertEqual(3 * 4096, self.finish_resync())

    def test_a_shard_that_is_gone_keeps_its_rows(self):
        """As they were; the others are loaded anew."""
        self.replicate(rows=64)
        self.source.run("DROP TABLE s2.orders")
        self.await_quarantined("s2")
        self.spoil()
        before = self.count("s2")
        self.resync("s2")
        wait_until(lambda: "does not exist" in self.await_quarantined("s2"), "the reason", 30)
        self.source.run("INSERT INTO s1.orders VALUES (0, 'new')", "INSERT INTO s3.orders VALUES (0, 'new')")
        self.spec_ = self.shards_spec("s1", "s3")
        self.assertEqual(2 * 65, self.finish_resync("Degraded"))
        self.assertEqual(before, self.count("s2"))
        self.source.run("CREATE TABLE s2.orders LIKE s1.orders", "INSERT INTO s2.orders VALUES (5, 'again')")
        self.spec_ = self.shards_spec()
        self.resync("s2")
        self.assertEqual(65 + 1 + 65, self.finish_resync())

    def test_a_load_that_fails_keeps_the_target(self):
        """Of one shard; of the others all go on in the target, which is as fresh as it was."""
        self.replicate(snapshotRowsPerSecond=4000)
        self.source.run("INSERT INTO s3.orders VALUES (0, 'before')")
        self.await_caught_up()
        self.resync()
        self.penstock.await_state(self.pipe, "Snapshot")
        self.source.run("ALTER TABLE s2.orders MODIFY v VARCHAR(10) NOT NULL",
                        "UPDATE s1.orders SET v = 'u' WHERE id = 7")
        self.await_quarantined("s2")
        self.penstock.await_state(self.pipe, "Degraded", seconds=60)
        self.source.run("INSERT INTO s1.orders VALUES (0, 'after')")
        self.spec_ = self.shards_spec("s1", "s3")
        self.assertEqual(2 * 4097, self.finish_resync("Degraded"))
        self.assertEqual(4096, self.count("s2"))
        self.source.run("ALTER TABLE s2.orders MODIFY v VARCHAR(20) NULL")
        self.spec_ = self.shards_spec()
        self.resync("s2")
        self.assertEqual(2 * 4097 + 4096, self.finish_resync())

    def test_a_target_that_cannot_be_kept_fresh_is_replaced(self):
        """Until then it is as it is: nothing more is written to it."""
        self.replicate("s1", "s2", snapshotRowsPerSecond=3000)
        self.spoil()
        self.resync()
        self.penstock.await_state(self.pipe, "Snapshot")
        self.clickhouse.query("ALTER TABLE replica.orders DROP COLUMN v")
        self.source.run("UPDATE s1.orders SET v = 'u' WHERE id = 7")
        self.await_caught_up()
        self.assertIsNone(self.table("s1")["quarantine"])
        self.assertEqual(2 * 4096, self.finish_resync())

    def test_a_load_that_fails_after_a_change_of_another(self):
        """Those that the target is right for have kept it fresh."""
        self.replicate(snapshotRowsPerSecond=4000)
        self.source.run("ALTER TABLE s1.orders CHANGE v w VARCHAR(20)")
        self.await_quarantined("s1")
        self.resync("s1")
        self.penstock.await_state(self.pipe, "Snapshot")
        self.source.run("UPDATE s2.orders SET v = 'u' WHERE id = 7",
                        "ALTER TABLE s1.orders CHANGE w x VARCHAR(20)")
        self.await_quarantined("s1")
        self.penstock.await_state(self.pipe, "Degraded")
        self.assertEqual([None, None], [self.table(schema)["quarantine"] for schema in ("s2", "s3")])
        self.spec_ = self.shards_spec("s2", "s3")
        self.assertEqual(2 * 4096, self.finish_resync("Degraded"))

    def test_one_that_changes_before_its_log_is_read(self):
        """What is in order stays followed."""
        self.replicate(rows=64)
        self.source.run("UPDATE s1.orders SET v = '5'")
        self.await_caught_up()
        self.penstock.order(self.pipe, "stop")
        self.penstock.await_state(self.pipe, "Paused")
        self.source.run("ALTER TABLE s1.orders MODIFY v INT")
        self.resync("s2")
        self.await_quarantined("s1")
        self.penstock.await_state(self.pipe, "Degraded")
        self.assertEqual([None, None], [self.table(schema)["quarantine"] for schema in ("s2", "s3")])
        self.spec_ = self.shards_spec("s2", "s3")
        self.assertEqual(2 * 64, self.finish_resync("Degraded"))

    def test_shards_that_come_and_go_meanwhile(self):
        self.replicate("s1", "s2", snapshotRowsPerSecond=3000)
        self.spoil()
        self.resync("s1")
        self.penstock.await_state(self.pipe, "Snapshot")
        self.edit(add=["s3"])
        self.edit(remove=["s2"])
        self.source.run("DELETE FROM s3.orders WHERE id % 2 = 0")
        kept = self.count("s2")  # those of the target, not what was loaded of it
        self.assertEqual(4096 + 2048, self.finish_resync())
        self.assertEqual(kept, self.count("s2"))

    def test_one_of_another_shape(self):
        """A schema change goes shard by shard: the target is made anew when all have it."""
        self.replicate(rows=64)
        self.source.run("ALTER TABLE s1.orders CHANGE v w VARCHAR(20), ADD x BIGINT")
        self.await_quarantined("s1")
        self.resync("s1")  # the target gets what each of them has
        self.assertEqual(3 * 64, self.finish_resync())
        self.source.run("UPDATE s2.orders SET v = '5'", "ALTER TABLE s2.orders MODIFY v INT")
        self.await_quarantined("s2")
        self.resync("s2")
        wait_until(lambda: "the column v is" in self.await_quarantined("s2"), "the reason", 30)
        self.assertIsNone(self.table("s3")["quarantine"])
        self.source.run("UPDATE s3.orders SET v = '6'", "ALTER TABLE s3.orders MODIFY v INT")
        self.await_quarantined("s3")
        self.resync("s2")
        self.assertEqual(3 * 64, self.finish_resync())

    def test_healed_by_itself(self):
        """A shard that was dropped and made again takes the others with it."""
        self.replicate(rows=64)
        self.penstock.delete(self.pipe)
        self.clickhouse.query("DROP DATABASE replica SYNC")
        pattern = self.shards_spec()["source"]["mysql"]["tableMappings"][0] | {"sourceSchemaName": "s?"}
        self.create(self.spec_of(pattern, autoAddTables=True))
        self.source.run("DROP TABLE s2.orders", "CREATE TABLE s2.orders LIKE s1.orders",
                        "INSERT INTO s2.orders VALUES (3, 'again')")
        wait_until(lambda: self.table("s2")["quarantine"] is None and self.count("s2") == 1,
                   lambda: self.penstock.process.tail(), 30)
        self.spec_ = self.shards_spec()
        self.assertEqual(64 + 1 + 64, self.finish_resync())

    def test_snapshot_only(self):
        for schema in SHARDS:
            self.fill(schema, 64)
        spec = self.shards_spec(replicationMode="snapshot")
        self.create(spec, "Completed")
        self.assertEqual(192, sum(self.count(schema) for schema in SHARDS))
        self.source.run("DELETE FROM s2.orders WHERE id > 10", "UPDATE s3.orders SET v = 'z'")
        self.resync("s2")
        self.penstock.await_state(self.pipe, "Completed", seconds=60)
        self.assertEqual([64, 10, 64], [self.count(schema) for schema in SHARDS])
        self.assertEqual(64, self.count("s3", "v = 'z'"))
        self.assertEqual(["marker", "orders"], self.targets())

    def let_come_or_go(self, schema, drop):
        mapped = [one["sourceSchemaName"] for one in
                  self.spec_["source"]["mysql"]["tableMappings"]]
        try:
            if schema in mapped:
                self.edit(remove=[schema], drop=drop)
            else:
                self.edit(add=[schema])
        except ApiError as error:  # not in this moment
            self.assertIn("exchanged", error.text)

    def test_kills(self):
        """At random moments of loads, resyncs, TRUNCATEs and edits, under a workload."""
        chance = random.Random(new_seed())
        for _ in range(rounds(2)):
            self.setUp()
            self.replicate("s1", "s2", snapshotRowsPerSecond=9000)
            self.resync(*chance.choice([(), ("s1",), ("s2",)]))
            for step in range(10):
                for schema in SHARDS:
                    self.source.run(
                        f"REPLACE INTO {schema}.orders VALUES ({chance.randrange(6000)}, {step})",
                        f"DELETE FROM {schema}.orders WHERE id = {chance.randrange(6000)}",
                        f"UPDATE {schema}.orders SET v = CONCAT('u', {step}) WHERE id % 50 = {step}")
                what = chance.randrange(8)
                if what == 0:
                    self.penstock.restart()
                elif what == 1:
                    self.clickhouse.restart()
                elif what == 2:
                    self.source.run(f"TRUNCATE {chance.choice(SHARDS)}.orders")
                elif what in (3, 4):
                    self.let_come_or_go("s3", chance.choice([True, False]))
            self.penstock.await_state(self.pipe, "Running", seconds=90)
            self.finish_resync()
            self.delete_pipes()


class ShardsResyncMySQL(ShardsResync, ShardsTest):
    source_class = MySQL97


class ShardsResyncMariaDB(ShardsResync, ShardsTest):
    source_class = MariaDB1011


if __name__ == "__main__":
    unittest.main()
