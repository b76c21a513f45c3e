"""Several source tables go into one target, and none meets another."""

import unittest

from harness.compare import of_shard
from harness.penstock import ApiError, mapping
from harness.proxy import Proxy
from harness.shards import SHARDS, ShardsTest
from harness.sources import MariaDB1011, MySQL97
from harness.wait import wait_until


class Shards:
    def test_loaded_and_followed(self):
        """Rows of equal keys; their changes, deletions and changes of keys."""
        self.create(self.shards_spec())
        self.assertEqual(9, self.finish())
        for schema in SHARDS[:2]:
            self.source.run(f"UPDATE {schema}.orders SET v = 'z' WHERE id = 2",
                            f"UPDATE {schema}.orders SET id = 17 WHERE id = 1",
                            f"INSERT INTO {schema}.orders VALUES (4, NULL)")
        self.source.run("DELETE FROM s1.orders WHERE id = 3", "DELETE FROM s3.orders")
        self.assertEqual(7, self.finish())
        self.assertEqual(0, self.count("s3"))
        ddl = self.clickhouse.query("SHOW CREATE TABLE replica.orders")
        self.assertIn("ORDER BY (_penstock_source_schema, _penstock_source_table, id)", ddl)
        self.assertIn("_penstock_source_schema` LowCardinality(String)", ddl)

    def test_a_pattern_with_one_target(self):
        """Also while there is one table only; the others come by themselves."""
        self.source.run("DROP DATABASE s2", "DROP DATABASE s3")
        pattern = mapping("s_", "orders", "orders") | {"sourceSchemaName": "s?"}
        self.create(self.spec_of(pattern, autoAddTables=True))
        self.assertEqual(["marker", "orders"], self.targets())
        self.source.run("CREATE DATABASE s2", "CREATE TABLE s2.orders LIKE s1.orders",
                        "INSERT INTO s2.orders VALUES (1, 'new')", "CREATE DATABASE s3",
                        "CREATE TABLE s3.orders (id INT PRIMARY KEY, v BIGINT)")
        wait_until(lambda: self.count("s2") == 1, lambda: self.penstock.process.tail(), 30)
        self.assertIn("no column v of type", self.await_quarantined("s3"))
        self.assertIn("Make the source table like the others", self.await_quarantined("s3"))
        self.penstock.restart()
        self.spec_ = self.shards_spec("s1", "s2")
        self.finish("Degraded")

    def test_a_pattern_that_may_make_the_target_of_another(self):
        self.source.run("DROP DATABASE s2", "CREATE DATABASE s2")
        self.create(self.spec_of(mapping("s1", "orders", "orders"), mapping("s2", "o*", "{table}"),
                                 autoAddTables=True))
        self.source.run("CREATE TABLE s2.orders LIKE s1.orders", "INSERT INTO s2.orders VALUES (1, 'new')")
        wait_until(lambda: self.count("s2") == 1, lambda: self.penstock.process.tail(), 30)
        self.spec_ = self.shards_spec("s1", "s2")
        self.assertEqual(4, self.finish())

    def test_truncate(self):
        """Of one; the inserts of the others are not ended."""
        self.create(self.shards_spec())
        for _ in range(3):
            self.source.run("INSERT INTO s2.orders SELECT MAX(id) + 1, 'n' FROM s2.orders",
                            "TRUNCATE s1.orders", "INSERT INTO s1.orders VALUES (7, 'x')",
                            "TRUNCATE s1.orders", "INSERT INTO s1.orders VALUES (8, 'y')")
        self.assertEqual(10, self.finish())
        self.assertEqual(1, self.count("s1", final=""))

    def test_truncate_during_the_load(self):
        self.fill("s1")
        self.fill("s2")
        self.create(self.shards_spec("s1", "s2", snapshotRowsPerSecond=2000,
                                     snapshotNumRowsPerPartition=1000), "Snapshot")
        wait_until(lambda: self.table("s1")["partitionsDone"] > 0, "a partition", 30)
        self.source.run("TRUNCATE s1.orders", "INSERT INTO s1.orders VALUES (5, 'after')")
        self.assertEqual(4097, self.finish())

    def test_truncate_after_an_insert_that_was_sent_in_part(self):
        """Its rows do not come after it; the half insert of another shard is left alone."""
        with Proxy(self.clickhouse.http_port) as proxy:
            spec = self.shards_spec("s1", "s2")
            spec["destination"]["clickhouse"] = {**self.clickhouse.endpoint(),
                                                 "url": f"http://127.0.0.1:{proxy.port}"}
            self.create(spec)
            proxy.hold_answer_of = b"INSERT INTO `replica`.`orders`"
            self.fill("s1")
            wait_until(lambda: proxy.holding, "half an insert")
            proxy.hold_answer_of = None
            self.source.run("TRUNCATE s1.orders", "INSERT INTO s1.orders VALUES (4, 'after')")
            self.penstock.kill()
            self.penstock.start()
            wait_until(lambda: self.count("s1", final="") == 1, "the TRUNCATE", 60)
            proxy.release()
            self.finish()
            wait_until(lambda: self.clickhouse.query(
                "SELECT count() FROM system.processes WHERE query_kind = 'Insert'") == "0\n", "no insert")
            self.assertEqual(1, self.count("s1", final=""))
            self.assertEqual(3, self.count("s2"))

    def test_truncate_on_a_slow_target(self):
        """The server goes on with what nobody waits for: it is not asked twice."""
        with Proxy(self.clickhouse.http_port) as proxy:
            spec = self.shards_spec("s1", "s2")
            spec["destination"]["clickhouse"] = {**self.clickhouse.endpoint(),
                                                 "url": f"http://127.0.0.1:{proxy.port}"}
            self.create(spec)
            self.clickhouse.query("SYSTEM STOP MERGES replica.orders")
            self.source.run("TRUNCATE s1.orders", "INSERT INTO s1.orders VALUES (4, 'after')")
            wait_until(lambda: self.mutations("NOT is_done") == 1, "the mutation", 30)
            proxy.hold_answer_of = b"FROM system.mutations"
            self.clickhouse.query("KILL QUERY WHERE query LIKE 'ALTER%DELETE WHERE%' ASYNC")
            wait_until(lambda: proxy.holding, lambda: self.penstock.process.tail(), 30)
            self.clickhouse.query("SYSTEM START MERGES replica.orders")
            proxy.hold_answer_of = None
            proxy.release()
            self.assertEqual(4, self.finish())
            self.assertEqual(1, self.mutations("1"))

    def mutations(self, condition):
        return int(self.clickhouse.query(
            f"SELECT count() FROM system.mutations WHERE table = 'orders' AND ({condition})"))

    def test_deleted_rows_are_removed(self):
        self.restart_with("--test-limits")
        self.create(self.shards_spec(deleteOnMerge=True))
        self.source.run("DELETE FROM s1.orders WHERE id < 3", "DELETE FROM s3.orders")

        def removed():
            self.await_caught_up()  # it is done after a batch
            return self.count("s1", final="") == 1 and self.count("s3", final="") == 0
        wait_until(removed,
                   lambda: self.clickhouse.query("SELECT * FROM system.mutations FORMAT Vertical"),
                   30)
        self.finish()

    def restart_with(self, *arguments):
        self.penstock.kill()
        self.penstock.arguments = arguments
        self.penstock.start()
        self.addCleanup(self.restart_plain)

    def restart_plain(self):
        self.penstock.kill()
        self.penstock.arguments = ()
        self.penstock.start()

    def test_added_and_removed(self):
        """One that comes goes into the target that is in use; of one that goes the rows stay, or go
        with --drop; the table goes with the last."""
        self.create(self.shards_spec("s1"))
        with self.assertRaises(ApiError) as refused:
            self.edit(add=["s2"])
        self.assertIn("made for one of them alone", str(refused.exception))
        self.penstock.delete(self.pipe)
        self.clickhouse.query("DROP DATABASE replica SYNC")
        self.create(self.shards_spec("s1", "s2"))
        self.source.run("ALTER TABLE s3.orders DROP v")
        with self.assertRaises(ApiError) as refused:
            self.edit(add=["s3"])
        self.assertIn("only s1.orders has the column v", str(refused.exception))
        self.source.run("ALTER TABLE s3.orders ADD v VARCHAR(20)")
        self.edit(add=["s3"])
        self.finish()
        self.edit(remove=["s2"])
        self.source.run("DELETE FROM s2.orders", "UPDATE s1.orders SET v = 'after'")
        self.finish()
        self.assertEqual(3, self.count("s2"))
        self.edit(add=["s2"])  # what is there of it goes first
        self.finish()
        self.assertEqual(0, self.count("s2"))
        self.edit(remove=["s3"], drop=True)
        self.finish()
        self.assertEqual(0, self.count("s3", final=""))
        self.edit(remove=["s2"], drop=True)
        self.source.run("INSERT INTO s1.orders VALUES (9, 'last')")
        self.spec_ = self.shards_spec("s1")  # whose one table is a shard still
        self.finish()
        self.edit(add=["s3"])
        self.finish()
        self.edit(remove=["s1", "s3"], drop=True)
        self.finish()
        self.assertEqual(["marker"], self.targets())

    def test_deleted_with_its_target(self):
        self.create(self.shards_spec())
        code, out, err = self.penstock.cli("delete", "pipe", "--drop")
        self.assertEqual(0, code, out + err)
        self.assertEqual([], self.targets())

    def test_columns_are_added_one_shard_after_the_other(self):
        self.create(self.shards_spec())
        self.source.run("ALTER TABLE s1.orders ADD w INT NOT NULL DEFAULT 5",
                        "INSERT INTO s1.orders VALUES (10, 'a', 6)",
                        "INSERT INTO s2.orders VALUES (10, 'b')")
        self.await_caught_up()
        self.assertEqual(1, self.count("s2", "id = 10 AND w = 5"))
        self.source.run("ALTER TABLE s2.orders ADD w INT NOT NULL DEFAULT 5",
                        "UPDATE s2.orders SET w = 7 WHERE id = 1",
                        "ALTER TABLE s3.orders ADD w INT NOT NULL DEFAULT 5")
        self.finish()
        self.source.run("ALTER TABLE s3.orders ADD x BIGINT DEFAULT 1",
                        "ALTER TABLE s1.orders ADD x INT DEFAULT 1")
        self.assertIn("no column x of type", self.await_quarantined("s1"))
        self.source.run("ALTER TABLE s1.orders MODIFY x BIGINT DEFAULT 1")
        self.resync("s1")
        self.finish()

    def test_a_default_that_waits_for_a_type(self):
        """By itself the load would mend it, were the shards alike."""
        self.create(self.shards_spec())
        self.source.run("ALTER TABLE s1.orders ADD x INT DEFAULT 1",
                        "ALTER TABLE s3.orders ADD x BIGINT DEFAULT 1",
                        "ALTER TABLE s2.orders ADD x INT DEFAULT 2")
        self.await_quarantined("s3")
        wait_until(lambda: "the column x is" in self.await_quarantined("s2"), "the reason", 30)
        self.source.run("INSERT INTO s1.orders VALUES (11, 'c', 1)")
        self.spec_ = self.shards_spec("s1")
        self.await_caught_up()
        self.assertEqual(1, self.count("s1", "id = 11"))
        self.source.run("ALTER TABLE s3.orders MODIFY x INT DEFAULT 1")
        self.resync("s2")
        self.spec_ = self.shards_spec()
        self.finish()

    def test_a_table_that_is_gone_concerns_its_shard_alone(self):
        self.create(self.shards_spec())
        self.source.run("DROP TABLE s2.orders", "RENAME TABLE s3.orders TO s3.old",
                        "INSERT INTO s1.orders VALUES (9, 'after')")
        self.await_quarantined("s2")
        self.await_quarantined("s3")
        self.assertEqual(3, self.count("s2"))
        self.spec_ = self.shards_spec("s1")
        self.finish("Degraded")

    def test_retry(self):
        """Of one, whose values the target could not take for a while."""
        self.create(self.shards_spec())
        self.source.run("ALTER TABLE s2.orders MODIFY v VARCHAR(30)",
                        "INSERT INTO s1.orders VALUES (9, 'after')")
        self.await_quarantined("s2")
        self.resync("s2")
        self.finish()

    def test_no_retry_without_its_rows(self):
        """Those of the others are none of it."""
        self.create(self.shards_spec())
        self.source.run("ALTER TABLE s2.orders MODIFY v TEXT NOT NULL")
        self.await_quarantined("s2")
        self.clickhouse.query(f"ALTER TABLE replica.orders DELETE WHERE {of_shard('s2', 'orders')} "
                              "SETTINGS mutations_sync = 2")
        code, out, err = self.penstock.cli("retry", "pipe", "--table", "s2.orders")
        self.assertNotEqual(0, code)
        self.assertIn("lost its rows", out + err)

    def test_what_check_says(self):
        self.source.run("ALTER TABLE s2.orders MODIFY v TEXT NOT NULL",
                        "ALTER TABLE s3.orders ADD w INT")
        report = self.penstock.check(self.shards_spec())
        found = [finding["message"] for finding in report["findings"] if finding["check"] == "shards"]
        self.assertEqual(2, len(found), found)
        self.assertIn("the column v is Nullable(String) and String", found[0])
        self.assertIn("only s3.orders has the column w", found[1])
        merge = {"tableEngine": "MergeTree"}
        report = self.penstock.check(self.spec_of(mapping("s1", "orders", "orders", **merge),
                                                  mapping("s2", "orders", "orders", **merge)))
        found = [finding["message"] for finding in report["findings"]
                 if finding["check"] == "table_mapping"]
        self.assertIn("only tables of ReplacingMergeTree may share", found[0])

    def test_mappings_changed_in_place(self):
        """Of all of them at once, since they must stay alike: of one alone it is refused."""
        self.source.run(*[f"ALTER TABLE {schema}.orders MODIFY v VARCHAR(20) NOT NULL" for schema in SHARDS])
        self.create(self.shards_spec())
        before = [mapping(schema, "orders", "orders") for schema in SHARDS]
        after = [{**one, "useCustomSortingKey": True, "sortingKeys": ["v"]} for one in before]
        path = f"{self.penstock.pipes_path()}/{self.pipe}"

        def change(places):
            self.penstock.api(path, "PATCH", {"source": {"mysql": {
                "tableMappingsToRemove": [before[place] for place in places],
                "tableMappingsToAdd": [after[place] for place in places]}}})
        with self.assertRaisesRegex(ApiError, "sorting keys"):
            change([0])
        self.source.run("INSERT INTO s2.orders VALUES (4, 'd')")
        self.finish()
        change(range(len(SHARDS)))
        self.source.run("UPDATE s1.orders SET v = 'z' WHERE id = 2", "DELETE FROM s3.orders WHERE id = 1")
        wait_until(lambda: self.clickhouse.query(
            "SELECT sorting_key FROM system.tables WHERE database = 'replica' AND name = 'orders'") ==
            "_penstock_source_schema, _penstock_source_table, v, id\n", self.penstock.process.tail)
        self.assertEqual(9, self.finish())


class ShardsMySQL(Shards, ShardsTest):
    source_class = MySQL97


class ShardsMariaDB(Shards, ShardsTest):
    source_class = MariaDB1011


if __name__ == "__main__":
    unittest.main()
