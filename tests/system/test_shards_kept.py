"""A target that several tables share keeps the rows of those that left it without --drop, and a shard
that waits or fails at the destination holds up no other for good."""

import unittest

from harness.compare import quote, quote_target
from harness.penstock import mapping
from harness.proxy import Proxy
from harness.shards import SHARDS, ShardsTest
from harness.sources import MariaDB1011, MySQL97
from harness.wait import wait_until

FAILS = "ALTER TABLE replica.orders UPDATE v = toString(throwIf(1)) WHERE 1 SETTINGS mutations_sync = 0"
# Of a code that is not known to last, or to pass.
FAILS_ODDLY = "ALTER TABLE replica.orders UPDATE v = toString(intDiv(1, id - id)) WHERE 1 SETTINGS mutations_sync = 0"
ODD_NAMES = ("we'ird", "back\\sl", "\u00fcn\u00ef (\u65e5)", "ti`ck", 'a"b', "a%b")


class ShardsKept:
    def pattern(self):
        return mapping("s_", "orders", "orders") | {"sourceSchemaName": "s?"}

    def remove_matched(self, schema):
        code, out, err = self.penstock.cli("remove-table", "pipe", f"{schema}.orders")
        self.assertEqual(0, code, out + err)
        self.penstock.await_state(self.pipe, "Running")

    def test_the_last_drop(self):
        """Takes its own rows alone while the target has rows that were kept; else the target."""
        self.create(self.shards_spec("s1", "s2"))
        self.edit(remove=["s2"])
        self.finish()
        self.edit(remove=["s1"], drop=True)
        wait_until(lambda: self.count("s1", final="") == 0, self.penstock.process.tail)
        self.assertEqual(3, self.count("s2"))

    def test_a_resync_that_nobody_ordered(self):
        """Of a shard that was dropped and made again, after another had left the pipe."""
        self.create(self.spec_of(self.pattern(), autoAddTables=True))
        self.remove_matched("s2")
        self.source.run("DROP DATABASE s2", "DROP TABLE s1.orders", "CREATE TABLE s1.orders LIKE s3.orders",
                        "INSERT INTO s1.orders VALUES (5, 'again')")
        wait_until(lambda: self.table("s1")["quarantine"] is None and self.count("s1") == 1,
                   self.penstock.process.tail, 30)
        self.spec_ = self.shards_spec("s1", "s3")
        self.assertEqual(4, self.finish())
        self.assertEqual(3, self.count("s2"))
        self.assertEqual(["marker", "orders"], self.targets())

    def test_an_ordered_resync(self):
        """Also of a pipe without a stream; the rows of the others are those of now."""
        for mode, state in ("cdc", "Running"), ("snapshot", "Completed"):
            with self.subTest(mode):
                self.setUp()
                self.create(self.shards_spec(replicationMode=mode), state)
                if mode == "cdc":
                    self.edit(remove=["s2"])
                    self.finish()
                else:
                    self.clickhouse.query("INSERT INTO replica.orders SELECT * REPLACE ('s0' AS "
                                          "_penstock_source_schema) FROM replica.orders")
                self.source.run("DELETE FROM s1.orders WHERE id < 3", "DELETE FROM s3.orders")
                self.resync()
                wait_until(lambda: self.penstock.state(self.pipe) == state and
                           [self.count(schema) for schema in SHARDS] == [1, 3, 0],
                           self.penstock.process.tail)
                self.assertEqual(3, self.count("s2" if mode == "cdc" else "s0"))
                self.assertEqual(["marker", "orders"], self.targets())
                self.delete_pipes()

    def through(self, proxy):
        spec = self.shards_spec()
        spec["destination"]["clickhouse"] = {**self.clickhouse.endpoint(),
                                             "url": f"http://127.0.0.1:{proxy.port}"}
        return spec

    def events(self):
        return str(self.penstock.api(f"{self.penstock.pipes_path()}/{self.pipe}/events"))

    def test_killed_while_rows_are_carried_over(self):
        with Proxy(self.clickhouse.http_port) as proxy:
            self.create(self.through(proxy))
            self.edit(remove=["s2"])
            proxy.hold_answer_of = b") SELECT `"
            self.resync()
            wait_until(lambda: proxy.holding, self.penstock.process.tail)
            proxy.hold_answer_of = None
            self.penstock.kill()
            self.penstock.start()
            proxy.release()
            self.finish()
            self.assertEqual(3, self.count("s2"))
            self.assertEqual(["marker", "orders"], self.targets())
            self.delete_pipes()

    def test_dropped_when_its_rows_are_carried_over(self):
        """One that is gone at the source: they are in the table that takes the target's place, too."""
        with Proxy(self.clickhouse.http_port) as proxy:
            self.create(self.through(proxy))
            self.source.run("DROP TABLE s2.orders")
            self.await_quarantined("s2")
            proxy.hold_answer_of = b") SELECT `"
            self.resync()
            wait_until(lambda: proxy.holding, self.penstock.process.tail)
            proxy.hold_answer_of = None
            self.edit(remove=["s2"], drop=True)
            proxy.release()
            self.finish()
            self.assertEqual(0, self.count("s2"))
            self.assertEqual(["marker", "orders"], self.targets())
            self.delete_pipes()

    def alter_all_but_s2(self):
        """The target is made anew by a resync."""
        self.source.run(*[f"ALTER TABLE {schema}.orders MODIFY v VARCHAR(20) NOT NULL"
                          for schema in ("s1", "s3")])
        for schema in ("s1", "s3"):
            self.await_quarantined(schema)

    def test_a_column_that_only_kept_rows_have(self):
        self.create(self.shards_spec())
        self.source.run("ALTER TABLE s2.orders ADD w INT NOT NULL DEFAULT 7 AFTER id",
                        "UPDATE s2.orders SET w = id * 10 WHERE id < 3")
        wait_until(lambda: "w" in self.columns(), self.penstock.process.tail)
        self.finish()
        self.edit(remove=["s2"])
        self.alter_all_but_s2()
        self.resync()
        self.finish()
        self.assertEqual(3, self.count("s2", "w = if(id < 3, id * 10, 7)"))

    def test_rows_that_do_not_fit(self):
        """The target stays, with all that is in it, until they are mended."""
        self.source.run("UPDATE s2.orders SET v = NULL WHERE id = 1")
        self.create(self.shards_spec())
        self.edit(remove=["s2"])
        self.alter_all_but_s2()
        self.resync()
        wait_until(lambda: any("do not fit" in (self.table(schema)["quarantine"] or {}).get("reason", "")
                               for schema in ("s1", "s3")), self.penstock.process.tail, 30)
        self.penstock.await_state(self.pipe, "Degraded")
        self.assertEqual([3, 3, 3], [self.count(schema) for schema in SHARDS])
        self.assertEqual(["marker", "orders"], self.targets())
        self.clickhouse.query("ALTER TABLE replica.orders DELETE WHERE v IS NULL SETTINGS mutations_sync = 2")
        self.resync()
        self.finish()
        self.assertEqual(2, self.count("s2"))

    def test_added_again_without_a_load(self):
        """In a cdc_only pipe nothing would bring its rows back."""
        self.create(self.shards_spec("s1", "s2", replicationMode="cdc_only"))
        self.source.run("INSERT INTO s2.orders VALUES (50, 'c')")
        self.await_caught_up()
        self.edit(remove=["s2"])
        self.edit(add=["s2"])
        self.penstock.await_state(self.pipe, "Running")
        self.source.run("INSERT INTO s2.orders VALUES (51, 'd')")
        wait_until(lambda: self.count("s2", "id = 51") == 1, self.penstock.process.tail)
        self.assertEqual(2, self.count("s2"))

    def test_a_new_shard_of_a_target_that_none_is_left_of(self):
        """It joins what was kept."""
        self.create(self.spec_of(self.pattern(), autoAddTables=True))
        self.source.run("DROP DATABASE IF EXISTS s4")
        self.addCleanup(self.source.run, "DROP DATABASE IF EXISTS s4")
        for schema in SHARDS:
            self.remove_matched(schema)
        self.source.run("CREATE DATABASE s4", "CREATE TABLE s4.orders LIKE s1.orders",
                        "INSERT INTO s4.orders VALUES (1, '4')")
        wait_until(lambda: self.count("s4") == 1, self.penstock.process.tail, 30)
        self.spec_ = self.shards_spec("s4")
        self.assertEqual(1, self.finish())
        self.assertEqual([3, 3, 3], [self.count(schema) for schema in SHARDS])

    def test_one_that_is_added_to_a_target_that_none_is_left_of(self):
        """Not to rows of its own name, which nobody knows."""
        self.create(self.shards_spec("s1", "s2"))
        self.edit(remove=["s1", "s2"])
        self.edit(add=["s1", "s3"])
        wait_until(lambda: "holds rows of s1.orders" in self.await_quarantined("s1"), "the reason")
        self.spec_ = self.shards_spec("s3")
        self.assertEqual(3, self.finish("Degraded"))
        self.assertEqual([3, 3, 3], [self.count(schema) for schema in SHARDS])

    def test_one_that_is_gone_at_the_source(self):
        """Holds up neither a resync nor a change of all mappings; the target keeps its rows."""
        self.create(self.shards_spec())
        self.source.run("DROP TABLE s2.orders", "DELETE FROM s1.orders WHERE id = 1")
        self.await_quarantined("s2")
        self.resync("s1")
        self.spec_ = self.shards_spec("s1", "s3")
        self.assertEqual(5, self.finish("Degraded"))
        self.assertEqual(3, self.count("s2"))
        before = [mapping(schema, "orders", "orders") for schema in SHARDS]
        after = [{**one, "excludedColumns": ["v"]} for one in before]
        for old, new in (before, after), (after, before):  # and back
            self.penstock.api(f"{self.penstock.pipes_path()}/{self.pipe}", "PATCH", {"source": {"mysql": {
                "tableMappingsToRemove": old, "tableMappingsToAdd": new}}})
            wait_until(lambda: [self.table(schema)["quarantine"] for schema in ("s1", "s3")] == [None] * 2
                       and self.penstock.state(self.pipe) == "Degraded", self.penstock.process.tail, 30)
            self.assertEqual([2 if new is before else 0, 3],
                             [self.count(schema, "v IS NOT NULL") for schema in ("s1", "s2")])
        self.assertEqual(5, self.finish("Degraded"))
        self.assertEqual(3, self.count("s2"))

    def test_a_target_that_cannot_be_read(self):
        """Is not dropped with its last shard, and an event tells it."""
        self.create(self.shards_spec("s1", "s2"))
        self.clickhouse.query("RENAME TABLE replica.orders TO replica.away")
        self.clickhouse.query("CREATE TABLE replica.orders (x Int8) ENGINE = Memory")
        self.edit(remove=["s1", "s2"], drop=True)
        wait_until(lambda: "replica.orders is to be dropped by hand: it may hold rows of others"
                   in self.events(), self.events)
        self.assertIn("orders", self.targets())

    def columns(self):
        return self.clickhouse.query(
            "SELECT name FROM system.columns WHERE database = 'replica' AND table = 'orders'").split()

    def test_a_mutation_that_fails(self):
        """What a user ordered, say: TRUNCATE fences its shard alone, a removal leaves the rows."""
        self.create(self.shards_spec())
        self.clickhouse.query(FAILS)
        self.source.run("TRUNCATE s1.orders", "INSERT INTO s3.orders VALUES (77, 'x')")
        self.assertIn("KILL MUTATION", self.await_quarantined("s1"))
        wait_until(lambda: self.count("s3", "id = 77") == 1, self.penstock.process.tail)
        self.edit(remove=["s2"], drop=True)
        self.source.run("INSERT INTO s3.orders VALUES (78, 'y')")
        wait_until(lambda: self.count("s3", "id = 78") == 1, self.penstock.process.tail, 30)
        self.assertEqual(3, self.count("s2"))
        self.assertIn("the rows of s2.orders stay", self.events())
        self.clickhouse.query("KILL MUTATION WHERE database = 'replica' AND command LIKE '%throwIf%' SYNC")
        self.source.run("INSERT INTO s1.orders VALUES (4, 'after')")
        self.resync("s1")
        self.assertEqual(1 + 5, self.finish())

    def test_a_mutation_that_fails_for_a_time(self):
        """By a code that may be either: it is waited for."""
        with Proxy(self.clickhouse.http_port) as proxy:
            self.create(self.through(proxy))
            self.clickhouse.query(FAILS_ODDLY)
            self.source.run("TRUNCATE s1.orders")
            wait_until(lambda: int(self.clickhouse.query(
                "SELECT count() FROM system.mutations WHERE database = 'replica' AND latest_fail_reason LIKE "
                "'Code: 153%' AND command LIKE '%DELETE%' AND NOT is_done")), self.penstock.process.tail)
            proxy.hold_answer_of = b"SELECT latest_fail_reason"
            wait_until(lambda: proxy.holding, self.penstock.process.tail)
            proxy.hold_answer_of = None
            proxy.release()
            self.clickhouse.query("KILL MUTATION WHERE database = 'replica' AND command LIKE '%intDiv%' SYNC")
            self.assertEqual(6, self.finish())
            self.delete_pipes()

    def test_odd_names(self):
        """Of schemas, tables and the target."""
        mappings = [mapping(name, name, ODD_NAMES[0] + "`\\") for name in ODD_NAMES]
        for name in ODD_NAMES:
            self.addCleanup(self.source.run, f"DROP DATABASE IF EXISTS {quote(name)}")
            table = f"{quote(name)}.{quote(name)}"
            self.source.run(f"CREATE DATABASE {quote(name)}",
                            f"CREATE TABLE {table} (id INT PRIMARY KEY, v VARCHAR(20))",
                            f"INSERT INTO {table} VALUES (1, 'a'), (2, 'b')")
        self.create(self.spec_of(*mappings))
        self.assertEqual(12, self.finish())
        for name in ODD_NAMES:
            table = f"{quote(name)}.{quote(name)}"
            self.source.run(f"INSERT INTO {table} VALUES (3, 'c')", f"TRUNCATE {table}",
                            f"INSERT INTO {table} VALUES (4, 'd')")
        self.assertEqual(6, self.finish())
        path = f"{self.penstock.pipes_path()}/{self.pipe}"
        for drop, removed in (True, mappings[:2]), (False, mappings[2:3]):
            self.penstock.api(path, "PATCH", {"source": {"mysql": {"tableMappingsToRemove": [
                {**one, "dropTargetTable": drop} for one in removed]}}})
        self.spec_ = self.spec_of(*mappings[3:])
        self.finish()
        self.resync_all()
        self.assertEqual(3, self.finish())
        self.assertEqual(
            sorted(ODD_NAMES[2:]), self.clickhouse.query(
                f"SELECT _penstock_source_table FROM replica.{quote_target(mappings[0]['targetTable'])} "
                "FINAL ORDER BY 1 FORMAT TabSeparatedRaw").split("\n")[:-1])

    def resync_all(self):
        self.penstock.order(self.pipe, "resync")
        self.penstock.await_state(self.pipe, "Running", seconds=60)


class ShardsKeptMySQL(ShardsKept, ShardsTest):
    source_class = MySQL97


class ShardsKeptMariaDB(ShardsKept, ShardsTest):
    source_class = MariaDB1011


if __name__ == "__main__":
    unittest.main()
