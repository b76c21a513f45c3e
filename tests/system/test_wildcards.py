"""A mapping that stands for many tables, and tables that come later and fit it."""

import random
import unittest

from harness.case import SystemTest, new_seed, rounds
from harness.penstock import ApiError, mapping, pipe_spec
from harness.sources import MariaDB1011, MySQL97
from harness.wait import wait_until


class Wildcards:
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def setUp(self):
        self.fresh_shop()
        self.source.run("DROP DATABASE IF EXISTS other", "CREATE DATABASE other",
                        "CREATE TABLE shop.marker (id INT PRIMARY KEY)")
        for table in ("a", "b"):
            self.make(table)

    def tearDown(self):
        self.delete_pipes()

    def make(self, table, rows=3):
        values = ", ".join(f"({n}, 'row {n}')" for n in range(1, rows + 1))
        self.source.run(f"CREATE TABLE shop.`{table}` (id INT PRIMARY KEY, v VARCHAR(20))",
                        f"INSERT INTO shop.`{table}` VALUES {values}")

    def spec_of(self, *mappings, **settings):
        mappings = mappings or (mapping("shop", "*", "{table}"),)
        return pipe_spec(self.source.endpoint(), self.clickhouse.endpoint(), list(mappings), **settings)

    def create(self, *mappings, state="Running", **settings):
        self.pipe = self.penstock.create(self.spec_of(*mappings, **settings))
        self.penstock.await_state(self.pipe, state)

    def table(self, name):
        return next((table for table in self.penstock.status(self.pipe)["tables"]
                     if table["sourceTable"] == name), None)

    def tables(self):
        return sorted(table["sourceTable"] for table in self.penstock.status(self.pipe)["tables"])

    def mapped(self):
        """As they are in the API."""
        return self.penstock.pipe(self.pipe)["source"]["mysql"]["tableMappings"]

    def finish(self, *tables, state="Running"):
        """Of the source these, and no others, are followed and equal."""
        wait_until(lambda: self.tables() == sorted([*tables, "marker"]) and
                   self.penstock.state(self.pipe) == state,
                   lambda: f"{sorted(tables)}; there are {self.tables()}, "
                   f"{self.penstock.state(self.pipe)}\n{self.penstock.process.tail()}", 60)
        self.await_caught_up()
        self.assert_equal(self.spec_of(*(mapping("shop", table) for table in tables)))

    def await_degraded(self):
        wait_until(lambda: self.penstock.state(self.pipe) == "Degraded",
                   lambda: f"Degraded; {self.penstock.state(self.pipe)}\n"
                   f"{self.penstock.process.tail()}")

    def edit(self, **change):
        return self.patch(self.pipe, **change)

    def patch(self, pipe, **change):
        path = f"{self.penstock.pipes_path()}/{pipe}"
        return self.penstock.api(path, "PATCH", {"source": {"mysql": change}})

    def test_a_pattern(self):
        self.make("orders")
        self.make("_old")
        self.source.run("CREATE VIEW shop.v AS SELECT * FROM shop.a")
        mappings = [mapping("shop", "*", "shop_{table}", excludedTables=["_*", "marker"]),
                    mapping("shop", "orders", "sold"), mapping("shop", "marker")]
        report = self.penstock.check(self.spec_of(*mappings))
        found = [one["message"] for one in report["findings"] if one["check"] == "table_patterns"]
        self.assertIn("left out, since they are no tables: shop.v", found[0])
        self.assertIn("3 tables", found[1])
        self.assertIn("CREATE TABLE IF NOT EXISTS `replica`.`shop_a`", "".join(report["ddl"]))
        self.create(*mappings)
        self.assertEqual(mappings, self.mapped())
        self.make("late")  # nobody asked for it
        self.source.run("INSERT INTO shop.a VALUES (9, 'x')", "INSERT INTO shop.orders VALUES (9, 'x')")
        self.await_caught_up()
        self.penstock.restart()
        self.await_caught_up()
        self.assertEqual(["a", "b", "marker", "orders"], self.tables())
        self.assertEqual(mappings, self.mapped())
        self.assert_equal(self.spec_of(mapping("shop", "a", "shop_a"), mapping("shop", "b", "shop_b"),
                                       mapping("shop", "orders", "sold")))

    def test_several_schemas(self):
        self.source.run("CREATE TABLE other.a (id INT PRIMARY KEY)", "INSERT INTO other.a VALUES (5)")
        both = mapping("*", "?", "{schema}_{table}")
        self.create(both, mapping("shop", "marker"))
        self.await_caught_up()
        self.assert_equal(self.spec_of(mapping("shop", "a", "shop_a"), mapping("other", "a", "other_a")))

    def errors(self, *mappings, **settings):
        report = self.penstock.check(self.spec_of(*mappings, **settings))
        with self.assertRaises(ApiError) as refused:
            self.penstock.create(self.spec_of(*mappings, **settings))
        self.assertEqual(400, refused.exception.status)
        return " ".join(one["message"] + one["remedy"] for one in report["findings"]
                        if one["severity"] == "error")

    def test_what_check_says(self):
        self.source.run("CREATE TABLE shop.keyless (v INT)", "CREATE TABLE other.a (id INT PRIMARY KEY)")
        self.assertIn("shop.keyless has neither a primary key", self.errors())
        self.assertIn("no table of the source fits shop.z*", self.errors(mapping("shop", "z*", "{table}")))
        self.assertIn("only shop.a has the column v", self.errors(mapping("*", "a", "{table}")))
        self.assertIn("{schema}", self.errors(mapping("*", "a", "{table}", tableEngine="MergeTree")))
        with self.assertRaisesRegex(ApiError, "excludedTables"):
            self.penstock.check(self.spec_of(mapping("shop", "a", excludedTables=["b"])))

    def test_tables_that_come(self):
        self.create(autoAddTables=True)
        self.make("c")
        self.finish("a", "b", "c")
        self.source.run("CREATE TABLE other.d LIKE shop.a", "INSERT INTO other.d VALUES (1, 'x')",
                        "RENAME TABLE other.d TO shop.d",
                        "CREATE TABLE IF NOT EXISTS shop.e LIKE shop.a",
                        "INSERT INTO shop.e SELECT * FROM shop.a",
                        "CREATE TABLE other.f (id INT PRIMARY KEY)", "INSERT INTO other.f VALUES (7)",
                        "ALTER TABLE other.f RENAME TO shop.f", "UPDATE shop.c SET v = 'new'")
        self.finish("a", "b", "c", "d", "e", "f")
        self.source.run("CREATE VIEW shop.v AS SELECT * FROM shop.a",
                        "CREATE TEMPORARY TABLE shop.tmp (id INT)", "INSERT INTO shop.f VALUES (8)")
        self.finish("a", "b", "c", "d", "e", "f")

    def test_while_nobody_looks(self):
        """Paused; and dead, when the setting comes later."""
        self.create(autoAddTables=True)
        self.penstock.order(self.pipe, "stop")
        self.penstock.await_state(self.pipe, "Paused")
        self.make("c")
        self.source.run("DELETE FROM shop.c WHERE id = 1")
        self.penstock.order(self.pipe, "start")
        self.finish("a", "b", "c")
        self.penstock.kill()
        self.make("d")
        self.source.run("FLUSH BINARY LOGS", "UPDATE shop.d SET v = 'z'")
        self.penstock.start()
        self.finish("a", "b", "c", "d")
        self.edit(settings={"autoAddTables": False})
        self.make("e")
        self.finish("a", "b", "c", "d")
        self.edit(settings={"autoAddTables": True})
        self.finish("a", "b", "c", "d", "e")

    def test_edited_while_the_source_is_away(self):
        self.create(autoAddTables=True)
        self.source.process.kill()
        self.edit(settings={"pullBatchSize": 5000})
        self.source.start()
        self.make("c")
        self.finish("a", "b", "c")

    def test_kills(self):
        """Tables come, are written, and penstock dies, at any moment."""
        chance = random.Random(new_seed())
        self.create(autoAddTables=True, syncIntervalMilliseconds=20)
        made = ["a", "b"]
        for number in range(rounds(6)):
            name = f"t{number}"
            self.make(name, rows=chance.randrange(1, 50))
            made.append(name)
            for _ in range(chance.randrange(4)):
                table = chance.choice(made)
                self.source.run(f"UPDATE shop.`{table}` SET v = 'changed {number}' WHERE id % 2 = 0",
                                f"DELETE FROM shop.`{table}` WHERE id = {chance.randrange(9)}")
            if chance.random() < 0.7:
                self.penstock.restart()
        self.finish(*made)

    def test_one_that_cannot_be_loaded(self):
        self.create(autoAddTables=True)
        self.source.run("CREATE TABLE shop.keyless (id INT NOT NULL, v INT)",
                        "INSERT INTO shop.keyless VALUES (1, 1)")
        self.await_degraded()
        table = self.table("keyless")
        self.assertEqual("quarantined", table["state"])
        self.assertIn("no primary key", table["quarantine"]["reason"])
        self.assertIn("Add a primary key", table["quarantine"]["reason"])
        self.source.run("INSERT INTO shop.a VALUES (9, 'flows')")
        self.await_caught_up()
        self.assert_equal(self.spec_of(mapping("shop", "a"), mapping("shop", "b")))
        self.penstock.restart()
        self.source.run("ALTER TABLE shop.keyless ADD PRIMARY KEY (id)")
        code, _, error = self.penstock.cli("resync", "pipe", "--table", "shop.keyless", "--wait")
        self.assertEqual(0, code, error)
        self.finish("a", "b", "keyless")

    def test_into_a_target_that_is_taken(self):
        self.make("c")
        taken = self.spec_of(mapping("shop", "c", "x_late"))
        self.penstock.create({**taken, "name": "first"})
        self.create(mapping("shop", "l*", "x_{table}"), mapping("shop", "marker"), autoAddTables=True,
                    replicationMode="cdc_only")
        self.make("late")
        self.await_degraded()
        self.assertIn("belongs to the pipe first", self.table("late")["quarantine"]["reason"])
        code, _, error = self.penstock.cli("retry", "pipe")
        self.assertEqual(1, code)
        self.assertIn("belongs to the pipe first", error)
        self.clickhouse.query("CREATE TABLE replica.x_late_resync_0123456789abcdef AS replica.x_late")
        self.penstock.api(f"{self.penstock.pipes_path()}/{self.pipe}", "PATCH", {"source": {"mysql": {
            "tableMappingsToRemove": [{**mapping("shop", "late", "x_late"), "dropTargetTable": True}]}}})
        self.penstock.await_state(self.pipe, "Running")
        self.assertEqual("3\n", self.clickhouse.query("SELECT count() FROM replica.x_late FINAL"))
        self.clickhouse.query("DROP TABLE replica.x_late_resync_0123456789abcdef SYNC")
        self.penstock.api(f"{self.penstock.pipes_path()}/{self.pipe}?dropTargetTables=true", "DELETE")
        self.assertEqual("3\n", self.clickhouse.query("SELECT count() FROM replica.x_late FINAL"))

    def refused(self):
        """A table that is refused since its target, which is empty, is another pipe's, which has a
        resync of it under way."""
        self.source.run("CREATE TABLE shop.c (id INT PRIMARY KEY, v VARCHAR(20))")
        first = self.penstock.create({**self.spec_of(mapping("shop", "c", "x_late"), mapping(
            "shop", "a")), "name": "first"})
        self.penstock.await_state(first, "Running")
        self.create(mapping("shop", "l*", "x_{table}"), mapping("shop", "marker"), autoAddTables=True)
        self.make("late")
        self.await_refused()
        self.clickhouse.query(f"CREATE TABLE replica.{self.beside} AS replica.x_late")
        return first

    beside = "x_late_resync_0123456789abcdef"

    def await_refused(self):
        self.await_degraded()
        self.assertIn("belongs to the pipe first", self.table("late")["quarantine"]["reason"])

    def assert_untouched(self):
        self.assertEqual("0\n", self.clickhouse.query("SELECT count() FROM replica.x_late"))
        self.assertEqual("0\n", self.clickhouse.query(f"SELECT count() FROM replica.{self.beside}"))

    def test_a_refused_table_is_resynced(self):
        self.refused()
        for words in (["--table", "shop.late"], []):
            self.penstock.cli("resync", "pipe", *words)
            self.await_refused()
            self.assert_untouched()

    def test_a_refused_table_is_made_again(self):
        self.refused()
        self.source.run("DROP TABLE shop.late")
        self.make("late")
        wait_until(lambda: "resynced by itself: shop.late" in str(self.events()), "a resync")
        self.await_refused()
        self.assert_untouched()

    def events(self):
        return self.penstock.api(f"{self.penstock.pipes_path()}/{self.pipe}/events")

    def test_a_refused_table_is_removed_in_the_middle_of_its_resync(self):
        """While it waits for the source, nobody has looked whose its target is."""
        first = self.refused()
        self.source.process.kill()
        self.penstock.order(self.pipe, "resync")
        self.penstock.order(self.pipe, "stop")
        self.penstock.await_state(self.pipe, "Paused")
        self.edit(tableMappingsToRemove=[{**mapping("shop", "late", "x_late"), "dropTargetTable": True}])
        self.assert_untouched()
        wait_until(lambda: "replica.x_late is left as it is" in str(self.events()), "told")
        self.source.start()
        self.penstock.order(self.pipe, "start")
        self.penstock.await_state(self.pipe, "Running")
        self.assert_untouched()
        self.source.run("INSERT INTO shop.c VALUES (7, 'x')")
        wait_until(lambda: self.clickhouse.query("SELECT count() FROM replica.x_late") == "1\n", "flows")
        self.penstock.await_state(first, "Running")

    def test_a_refused_table_keeps_no_target(self):
        """Though its resync waits for the source, it is dropped with the pipe that made it."""
        first = self.refused()
        self.source.process.kill()
        self.penstock.order(self.pipe, "resync")
        self.penstock.await_state(self.pipe, "Setup")
        self.penstock.api(f"{self.penstock.pipes_path()}/{first}?dropTargetTables=true", "DELETE")
        wait_until(lambda: self.clickhouse.query("EXISTS replica.x_late") == "0\n", "dropped")
        self.source.start()
        self.penstock.await_state(self.pipe, "Running")
        self.assert_equal(self.spec_of(mapping("shop", "late", "x_late")))

    def test_a_refused_table_is_in_nobodys_way(self):
        """Both pipes are changed as ever, and when its target is free it can have it."""
        first = self.refused()
        for pipe, target in ((self.pipe, "x_b"), (first, "y_b")):
            self.patch(pipe, settings={"pullBatchSize": 5000})
            self.patch(pipe, tableMappingsToAdd=[mapping("shop", "b", target)])
        self.source.run("CREATE TABLE shop.free (id INT PRIMARY KEY)")
        with self.assertRaisesRegex(ApiError, "belongs to the pipe first"):
            self.edit(tableMappingsToAdd=[mapping("shop", "free", "x_late")])
        with self.assertRaisesRegex(ApiError, "both mapped"):
            self.patch(first, tableMappingsToAdd=[mapping("shop", "free", "x_late")])
        self.patch(first, tableMappingsToRemove=[
            {**mapping("shop", "c", "x_late"), "dropTargetTable": True}])
        self.penstock.await_state(first, "Running")
        self.penstock.cli("resync", "pipe", "--table", "shop.late", "--wait")
        self.penstock.await_state(self.pipe, "Running")
        self.assert_equal(self.spec_of(mapping("shop", "late", "x_late"), mapping("shop", "b", "x_b"),
                                       mapping("shop", "b", "y_b")))

    def test_refused_for_another_of_the_same_pipe(self):
        self.source.run("CREATE TABLE shop.c (id INT PRIMARY KEY, v VARCHAR(20))")
        self.make("l_first")
        self.create(mapping("shop", "c", "x_late"), mapping("shop", "marker"), autoAddTables=True)
        self.edit(tableMappingsToAdd=[mapping("shop", "l*", "x_{table}")])
        self.make("late")
        self.await_degraded()
        self.assertIn("that of shop.c", self.table("late")["quarantine"]["reason"])
        self.edit(tableMappingsToAdd=[mapping("shop", "a")])
        self.await_degraded()
        self.penstock.order(self.pipe, "resync")
        self.await_degraded()
        self.assertIn("that of shop.c", self.table("late")["quarantine"]["reason"])
        self.edit(tableMappingsToRemove=[
            {**mapping("shop", "late", "x_late"), "dropTargetTable": True}])
        self.source.run("INSERT INTO shop.c VALUES (1, 'x')")
        self.penstock.await_state(self.pipe, "Running")
        self.await_caught_up()
        self.assert_equal(self.spec_of(mapping("shop", "c", "x_late"), mapping("shop", "a")))

    def test_two_pipes_meet(self):
        """Each target is one pipe's, whichever comes first, and the other pipe refuses the table."""
        self.source.run("DROP TABLE shop.a, shop.b")
        patterns = mapping("shop", "l*", "x_{table}"), mapping("shop", "marker", "m_1")
        one = self.penstock.create({**self.spec_of(*patterns, autoAddTables=True), "name": "one"})
        self.create(patterns[0], mapping("shop", "marker"), autoAddTables=True)
        made = [f"l{number}" for number in range(rounds(12))]
        for table in made:
            self.make(table)

        def owners():
            """By table, of the pipes that follow it and those that refuse it."""
            tables = [table for pipe in (one, self.pipe) for table in self.penstock.status(pipe)["tables"]]
            return [sorted(one["state"] for one in tables if one["sourceTable"] == name)
                    for name in made]
        wait_until(lambda: all(states == ["following", "quarantined"] for states in owners()),
                   lambda: f"one owner each: {owners()}\n{self.penstock.process.tail()}")
        self.assert_equal(self.spec_of(*(mapping("shop", table, f"x_{table}") for table in made)))

    def test_made_if_it_does_not_exist(self):
        """It does, and stays quarantined until somebody heals it."""
        self.create(autoAddTables=True)
        self.await_caught_up()
        self.source.run("ALTER TABLE shop.b MODIFY v VARCHAR(30)", "INSERT INTO shop.b VALUES (9, 'x')")
        self.await_degraded()
        self.source.run("CREATE TABLE IF NOT EXISTS shop.b (id INT PRIMARY KEY, v VARCHAR(30))")
        self.await_caught_up()
        self.await_caught_up()
        self.assertTrue(self.table("b")["quarantine"])
        self.assertEqual("Degraded", self.penstock.state(self.pipe))

    def test_dropped_and_made_again(self):
        self.create(autoAddTables=True)
        self.await_caught_up()
        self.source.run("DROP TABLE shop.b")
        self.make("b", rows=7)
        self.finish("a", "b")
        self.penstock.order(self.pipe, "stop")
        self.penstock.await_state(self.pipe, "Paused")
        self.source.run("DROP TABLE shop.b", "CREATE TABLE shop.b (id BIGINT PRIMARY KEY, w INT)",
                        "INSERT INTO shop.b VALUES (5, 6)")
        self.penstock.order(self.pipe, "start")
        self.finish("a", "b")
        self.source.run("DROP TABLE shop.b")
        self.await_degraded()
        self.make("b")
        self.penstock.restart()
        self.finish("a", "b")

    def test_dropped_and_made_if_it_does_not_exist(self):
        self.create(autoAddTables=True)
        self.await_caught_up()
        make = "CREATE TABLE IF NOT EXISTS shop.b (id INT PRIMARY KEY, w INT)"
        self.source.run("DROP TABLE shop.b", make, "INSERT INTO shop.b VALUES (5, 6)")
        self.finish("a", "b")
        for leave in "DROP TABLE shop.b", "RENAME TABLE shop.b TO other.b":
            self.source.run(leave)
            self.await_degraded()
            self.penstock.restart()
            self.source.run(make, "INSERT INTO shop.b VALUES (7, 8)")
            self.finish("a", "b")

    def test_tables_are_taken_out_and_patterns_put_in(self):
        self.create(autoAddTables=True)
        code, _, error = self.penstock.cli("remove-table", "pipe", "shop.b", "--drop", "--wait")
        self.assertEqual(0, code, error)
        self.assertEqual([mapping("shop", "*", "{table}", excludedTables=["shop.b"])], self.mapped())
        self.source.run("DROP TABLE shop.b")
        self.make("b")
        self.make("c")
        self.finish("a", "c")
        self.source.run("CREATE TABLE other.x1 (id INT PRIMARY KEY)",
                        "CREATE TABLE other.x2 (id INT PRIMARY KEY)")
        code, _, error = self.penstock.cli("add-table", "pipe", "other.x*", "--wait")
        self.assertEqual(0, code, error)
        self.assertEqual(["a", "c", "marker", "x1", "x2"], self.tables())
        self.source.run("CREATE TABLE other.x3 (id INT PRIMARY KEY)", "INSERT INTO other.x3 VALUES (1)")
        wait_until(lambda: "x3" in self.tables(), "the new pattern's new table")
        code, _, error = self.penstock.cli("remove-table", "pipe", "other.x*", "--wait")
        self.assertEqual(0, code, error)
        self.finish("a", "c")
        with self.assertRaisesRegex(ApiError, "no table would be left"):
            self.edit(tableMappingsToRemove=self.mapped())

    def test_a_table_with_a_mapping_of_its_own_is_taken_out(self):
        """The pattern does not bring it back."""
        self.create(mapping("shop", "*", "{table}"), mapping("shop", "b", "own_b"), autoAddTables=True)
        code, _, error = self.penstock.cli("remove-table", "pipe", "shop.b", "--wait")
        self.assertEqual(0, code, error)
        self.make("c")
        self.finish("a", "c")
        self.assertEqual([mapping("shop", "*", "{table}", excludedTables=["shop.b"])], self.mapped())


class WildcardsMySQL(Wildcards, SystemTest):
    source_class = MySQL97


class WildcardsMariaDB(Wildcards, SystemTest):
    source_class = MariaDB1011


if __name__ == "__main__":
    unittest.main()
