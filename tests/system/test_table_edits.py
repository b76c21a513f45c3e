"""Tables come to a pipe and go from it, while its others flow on."""

import time
import unittest

from harness.case import SystemTest
from harness.penstock import ApiError, mapping
from harness.sources import MariaDB1011, MySQL97
from harness.wait import wait_until


class TableEdits:
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def setUp(self):
        self.fresh_shop()
        self.source.run("CREATE TABLE shop.t (id INT PRIMARY KEY AUTO_INCREMENT, v INT)",
                        "INSERT INTO shop.t (v) VALUES (1), (2), (3)",
                        "CREATE TABLE shop.u (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(20))",
                        "INSERT INTO shop.u (v) VALUES ('a'), ('b'), ('c')")

    def tearDown(self):
        self.delete_pipes()

    def create(self, tables=("t",), **settings):
        self.spec_ = self.spec(list(tables), syncIntervalMilliseconds=100, **settings)
        self.pipe = self.penstock.create(self.spec_)
        self.penstock.await_state(self.pipe, "Running")

    def edit(self, add=(), remove=(), drop=False):
        change = {"tableMappingsToAdd": [mapping("shop", table) for table in add],
                  "tableMappingsToRemove": [
                      {**mapping("shop", table), "dropTargetTable": drop} for table in remove]}
        path = f"{self.penstock.pipes_path()}/{self.pipe}"
        answer = self.penstock.api(path, "PATCH", {"source": {"mysql": change}})
        mapped = self.spec_["source"]["mysql"]["tableMappings"]
        mapped.extend(mapping("shop", table) for table in add)
        mapped[:] = [one for one in mapped if one["sourceTable"] not in remove]
        return answer

    def refused(self, **change):
        with self.assertRaises(ApiError) as raised:
            self.edit(**change)
        self.assertEqual(400, raised.exception.status)
        return str(raised.exception)

    def finish(self):
        self.penstock.await_state(self.pipe, "Running")
        self.await_caught_up()
        self.assert_equal(self.spec_)

    def states(self):
        """Those that the pipe has come to, oldest first."""
        path = f"{self.penstock.pipes_path()}/{self.pipe}/events"
        texts = [event["text"] for event in self.penstock.api(path) if event["kind"] == "state"]
        return [text.split(" to ")[1].split(":")[0] for text in reversed(texts) if " to " in text]

    def targets(self):
        return self.clickhouse.query(
            "SELECT name FROM system.tables WHERE database = 'replica' ORDER BY name").split()

    def written_until_visible(self, value):
        """Seconds from the commit of a row of t until it is at the destination."""
        self.source.run(f"INSERT INTO shop.t (v) VALUES ({value})")
        begin = time.monotonic()
        wait_until(lambda: self.clickhouse.query(
            f"SELECT count() FROM replica.t WHERE v = {value}").strip() != "0", "visible")
        return time.monotonic() - begin

    def test_added_while_another_flows(self):
        self.source.run("CREATE TABLE shop.large (id INT PRIMARY KEY, v VARCHAR(500))",
                        "SET SESSION cte_max_recursion_depth = 1000000" if self.is_mysql else
                        "SET SESSION max_recursive_iterations = 1000000",
                        "INSERT INTO shop.large WITH RECURSIVE n AS (SELECT 1 i UNION ALL SELECT i + 1 "
                        "FROM n WHERE i < 200000) SELECT i, REPEAT('x', 400) FROM n")
        self.create(snapshotMegabytesPerSecond=20)  # so that the load takes seconds
        usual = max(self.written_until_visible(1000 + n) for n in range(5))
        self.edit(add=["large", "u"])
        during = []
        while self.penstock.state(self.pipe) != "Running" or len(during) < 3:
            during.append(self.written_until_visible(2000 + len(during)))
        print(f"commit to visible: {usual:.2f} s, {max(during):.2f} s while tables were added "
              f"({len(during)} rows)")
        self.assertLess(max(during), usual + 2)
        self.assertEqual(["Setup", "Snapshot", "Running"], self.states()[-3:])
        self.source.run("UPDATE shop.u SET v = 'z' WHERE id = 2", "DELETE FROM shop.t WHERE id = 1")
        self.finish()

    def test_added_to_a_paused_pipe(self):
        self.create()
        self.penstock.order(self.pipe, "stop")
        self.penstock.await_state(self.pipe, "Paused")
        self.source.run("DELETE FROM shop.t WHERE id = 2", "INSERT INTO shop.u (v) VALUES ('d')")
        self.edit(add=["u"])
        self.finish()

    def test_killed_when_tables_were_added(self):
        self.create()
        self.edit(add=["u"])
        self.penstock.kill()
        self.source.run("INSERT INTO shop.t (v) VALUES (9)", "DELETE FROM shop.u WHERE id = 2")
        self.penstock.start()
        self.finish()

    def test_removed(self):
        self.create(("t", "u"))
        self.edit(remove=["u"])
        self.source.run("INSERT INTO shop.u (v) VALUES ('d')", "INSERT INTO shop.t (v) VALUES (9)")
        self.finish()
        self.assertEqual(["Modifying", "Running"], self.states()[-2:])
        self.assertEqual("3", self.clickhouse.query("SELECT count() FROM replica.u").strip())
        self.assertIn("u", self.refused(add=["u"]))  # its target holds rows
        self.clickhouse.query("DROP TABLE replica.u SYNC")
        self.edit(add=["u"])
        self.finish()

    def test_removed_and_dropped(self):
        self.create(("t", "u"))
        self.edit(remove=["u"], drop=True)
        self.finish()
        self.assertNotIn("u", self.targets())
        self.edit(add=["u"])
        self.finish()
        self.penstock.order(self.pipe, "stop")
        self.penstock.await_state(self.pipe, "Paused")
        self.edit(remove=["u"], drop=True)
        self.assertEqual("Paused", self.penstock.state(self.pipe))
        wait_until(lambda: "u" not in self.targets(), "dropped")
        self.penstock.order(self.pipe, "start")
        self.finish()

    def test_removed_while_the_destination_is_away(self):
        self.create(("t", "u"))
        self.clickhouse.process.kill()
        self.edit(remove=["u"], drop=True)
        wait_until(lambda: self.penstock.state(self.pipe) == "Modifying", "Modifying")
        self.penstock.kill()
        self.penstock.start()
        self.clickhouse.start()
        self.finish()
        self.assertNotIn("u", self.targets())

    def test_added_while_an_xa_transaction_of_it_is_prepared(self):
        """Its rows are in the log already, and no SELECT sees them: the load waits."""
        if self.is_mysql:
            self.source.run("GRANT XA_RECOVER_ADMIN ON *.* TO penstock")
            self.addCleanup(self.source.run, "REVOKE XA_RECOVER_ADMIN ON *.* FROM penstock")
        self.create()
        self.source.run("XA START 'x'", "INSERT INTO shop.u (v) VALUES ('prepared')", "XA END 'x'",
                        "XA PREPARE 'x'")
        self.await_caught_up()
        self.edit(add=["u"])
        path = f"{self.penstock.pipes_path()}/{self.pipe}/status"
        wait_until(lambda: "XA" in self.penstock.api(path)["retrying"], "waiting")
        self.assertLess(self.written_until_visible(99), 5)
        self.source.run("XA COMMIT 'x'")
        self.finish()

    def test_a_quarantined_table_is_removed(self):
        self.create(("t", "u"))
        self.source.run("ALTER TABLE shop.u CHANGE v w VARCHAR(20)",
                        "INSERT INTO shop.u (w) VALUES ('d')")
        self.penstock.await_state(self.pipe, "Degraded")
        self.edit(remove=["u"])
        self.finish()

    def test_a_target_that_cannot_be_dropped(self):
        """It stays, with an event; the others do not wait."""
        self.create(("t", "u"))
        self.clickhouse.query(
            "CREATE DICTIONARY replica.d (id UInt64, v String) PRIMARY KEY id "
            "SOURCE(CLICKHOUSE(DB 'replica' TABLE 'u')) LAYOUT(FLAT()) LIFETIME(0)")
        self.addCleanup(self.clickhouse.query, "DROP DICTIONARY replica.d")
        self.edit(remove=["u"], drop=True)
        self.source.run("INSERT INTO shop.t (v) VALUES (9)")
        self.finish()
        self.assertIn("u", self.targets())
        path = f"{self.penstock.pipes_path()}/{self.pipe}/events"
        self.assertTrue(any(event["kind"] == "removal" and "by hand" in event["text"]
                            for event in self.penstock.api(path)))

    def test_deleted_before_a_removed_target_was_dropped(self):
        self.create(("t", "u"))
        self.penstock.order(self.pipe, "stop")
        self.penstock.await_state(self.pipe, "Paused")
        self.clickhouse.process.kill()
        self.edit(remove=["u"], drop=True)
        self.clickhouse.start()
        self.penstock.delete(self.pipe)
        self.assertEqual([True, False], [table in self.targets() for table in ("t", "u")])

    def test_refused(self):
        self.create()
        self.assertIn("has no table", self.refused(add=["none"]))
        self.assertIn("mapped already", self.refused(add=["t"]))
        self.assertIn("is not mapped", self.refused(remove=["u"]))
        path = f"{self.penstock.pipes_path()}/{self.pipe}"
        every = {"tableMappingsToRemove": self.spec_["source"]["mysql"]["tableMappings"]}
        with self.assertRaisesRegex(ApiError, "no table would be left"):
            self.penstock.api(path, "PATCH", {"source": {"mysql": every}})
        self.finish()


class TableEditsMySQL(TableEdits, SystemTest):
    source_class = MySQL97
    is_mysql = True


class TableEditsMariaDB(TableEdits, SystemTest):
    source_class = MariaDB1011
    is_mysql = False


if __name__ == "__main__":
    unittest.main()
