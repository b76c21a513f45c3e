"""Columns that ALTER TABLE adds where the target has them already, with another default: what older rows
show in them would be wrong, so they are loaded anew, once and by themselves."""

import unittest

from harness.penstock import mapping
from harness.shards import SHARDS, ShardsTest
from harness.sources import MariaDB1011, MySQL97
from harness.wait import wait_until


class AddedDefaults:
    def replicate(self, engine="ReplacingMergeTree", **settings):
        """A table shop.t."""
        self.source.run("CREATE TABLE shop.t (id INT PRIMARY KEY, v VARCHAR(20))",
                        "INSERT INTO shop.t VALUES (1, 'a'), (2, 'b')")
        self.create(self.spec_of(mapping("shop", "t", tableEngine=engine), **settings))

    def events(self, text):
        events = self.penstock.api(f"{self.penstock.pipes_path()}/{self.pipe}/events")
        return [event["text"] for event in events if text in event["text"]]

    def reason(self):
        return self.penstock.status(self.pipe)["tables"][0]["quarantine"]["reason"]

    def quarantined(self):
        return [table["quarantine"] for table in self.penstock.status(self.pipe)["tables"]
                if table["quarantine"]]

    def assert_followed(self, heals):
        """All is equal and flows, after so many resyncs that nobody asked for, or fewer."""
        self.await_caught_up()
        wait_until(lambda: not self.quarantined(), lambda: f"{self.quarantined()}", 30)
        rows = self.finish()
        self.assertIn(len(self.events("resynced by itself: ")), heals if isinstance(heals, range) else [heals])
        self.assertEqual([], self.quarantined())
        return rows

    def drop_and_resync(self, column):
        self.source.run(f"ALTER TABLE shop.t DROP {column}")
        wait_until(self.quarantined, "quarantine", 30)
        self.assertEqual(0, self.penstock.cli("resync", "pipe", "--table", "shop.t", "--wait")[0])

    def test_the_name_of_a_column_that_was_dropped(self):
        """A resync makes the target like the one before, which has what users added to it; so it has the
        column, too."""
        self.replicate()
        self.source.run("ALTER TABLE shop.t ADD n INT NOT NULL DEFAULT 5")
        self.assert_followed(heals=0)
        self.clickhouse.query("ALTER TABLE replica.t ADD COLUMN mine String DEFAULT 'kept'")
        self.drop_and_resync("n")
        self.source.run("ALTER TABLE shop.t ADD n INT NOT NULL DEFAULT 6", "INSERT INTO shop.t VALUES (3, 'c', 7)")
        self.assert_followed(heals=1)
        self.assertIn("DEFAULT 5 there, DEFAULT 6 here", self.events("is not followed")[0])
        self.source.run("ALTER TABLE shop.t ADD o INT DEFAULT 1")
        self.drop_and_resync("n")
        self.source.run("INSERT INTO shop.t VALUES (4, 'd', 8)", "ALTER TABLE shop.t ADD n INT NOT NULL DEFAULT '5'")
        self.assert_followed(heals=1)
        self.drop_and_resync("n")
        self.source.run("ALTER TABLE shop.t ADD n INT NOT NULL")
        self.assert_followed(heals=2)
        self.assertEqual("kept\n", self.clickhouse.query("SELECT DISTINCT mine FROM replica.t"))

    def test_a_column_of_the_user(self):
        """Of a value, of other columns, of what fails; and one that is alike."""
        self.replicate()
        for heals, (default, column) in enumerate([
                ("Int32 DEFAULT 9", "INT NOT NULL DEFAULT 7"), ("Nullable(String) DEFAULT upper(v)", "VARCHAR(9)"),
                ("Int32 DEFAULT throwIf(1, 'no')", "INT NOT NULL DEFAULT 0"), ("Int32 DEFAULT 3 + 4", "INT NOT NULL DEFAULT 7")], 1):
            self.clickhouse.query(f"ALTER TABLE replica.t ADD COLUMN w{heals} {default}")
            self.source.run(f"ALTER TABLE shop.t ADD w{heals} {column}", f"INSERT INTO shop.t (id) VALUES ({heals + 9})")
            self.assert_followed(min(heals, 3))

    def test_a_column_of_the_user_that_takes_no_values(self):
        self.replicate()
        self.clickhouse.query("ALTER TABLE replica.t ADD COLUMN w Int32 MATERIALIZED id * 2")
        self.source.run("ALTER TABLE shop.t ADD w INT NOT NULL DEFAULT 7")
        self.penstock.await_state(self.pipe, "Degraded")
        self.assertIn("no column w of type Int32", self.reason())
        self.assertEqual(0, self.penstock.cli("resync", "pipe", "--table", "shop.t", "--wait")[0])
        self.assert_followed(heals=0)

    def test_a_target_without_rows(self):
        """A Null table shows nothing; its views would get all rows once more."""
        self.replicate(engine="Null")
        self.clickhouse.query("ALTER TABLE replica.t ADD COLUMN w Int32 DEFAULT 9")
        self.clickhouse.query("CREATE MATERIALIZED VIEW replica.view ENGINE = Log AS SELECT id, w FROM replica.t")
        self.source.run("ALTER TABLE shop.t ADD w INT NOT NULL DEFAULT 7", "INSERT INTO shop.t VALUES (3, 'c', 8)")
        self.await_caught_up()
        self.assertEqual("3\t8\n", self.clickhouse.query("SELECT * FROM replica.view"))
        self.assertEqual([], self.quarantined())

    def test_a_target_that_keeps_every_change(self):
        """A resync would take the changes from it, so nobody but the user orders one."""
        self.replicate(engine="MergeTree")
        self.source.run("UPDATE shop.t SET v = 'c' WHERE id = 1", "DELETE FROM shop.t WHERE id = 2")
        self.await_caught_up()
        self.clickhouse.query("ALTER TABLE replica.t ADD COLUMN w Int32 DEFAULT 9")
        self.source.run("ALTER TABLE shop.t ADD w INT NOT NULL DEFAULT 7", "INSERT INTO shop.t VALUES (3, 'd', 8)")
        wait_until(self.quarantined, "quarantine", 30)
        self.assertIn("A resync would drop the changes", self.reason())
        self.clickhouse.query("ALTER TABLE replica.t MODIFY COLUMN w Int32 DEFAULT 7")
        self.assertEqual(0, self.penstock.cli("retry", "pipe", "--table", "shop.t", "--wait")[0])
        self.await_caught_up()
        self.assertEqual("1\ta\t7\n2\tb\t7\n1\tc\t7\n2\tb\t7\n3\td\t8\n", self.clickhouse.query(
            "SELECT id, v, w FROM replica.t ORDER BY _penstock_version, id"))
        self.assertEqual([], self.events("resynced by itself: "))

    def test_during_the_load(self):
        """The table that is being filled is made like the target."""
        self.replicate(snapshotRowsPerSecond=1500)
        self.source.run(*[f"INSERT INTO shop.t SELECT id + {2 << n}, v FROM shop.t" for n in range(10)])
        self.await_caught_up()
        self.clickhouse.query("ALTER TABLE replica.t ADD COLUMN w Int32 DEFAULT 9")
        self.penstock.cli("resync", "pipe", "--table", "shop.t")
        self.penstock.await_state(self.pipe, "Snapshot")
        self.source.run("ALTER TABLE shop.t ADD w INT NOT NULL DEFAULT 7", "UPDATE shop.t SET w = id WHERE id % 3 = 0")
        self.assert_followed(heals=1)

    def test_in_a_retry(self):
        self.replicate()
        self.clickhouse.query("RENAME TABLE replica.t TO replica.away")
        self.source.run("INSERT INTO shop.t VALUES (3, 'c')", "ALTER TABLE shop.t ADD w INT NOT NULL DEFAULT 7")
        wait_until(self.quarantined, "quarantine", 30)
        self.clickhouse.query("RENAME TABLE replica.away TO replica.t")
        self.clickhouse.query("ALTER TABLE replica.t ADD COLUMN w Int32 DEFAULT 9")
        self.assertEqual(0, self.penstock.cli("retry", "pipe")[0])
        self.assert_followed(heals=1)

    def test_shards_during_a_load_that_heals(self):
        """Each is in the load that its column begins, or in that of the next."""
        for schema in SHARDS:
            self.fill(schema, 1024)
        self.create(self.shards_spec(snapshotRowsPerSecond=1500))
        self.source.run("ALTER TABLE s1.orders ADD t DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP, "
                        "ADD n INT NOT NULL DEFAULT 5")
        self.penstock.await_state(self.pipe, "Snapshot")
        self.source.run("ALTER TABLE s2.orders ADD n INT NOT NULL DEFAULT 5", "UPDATE s2.orders SET n = id WHERE id % 3 = 0",
                        "ALTER TABLE s3.orders ADD n INT NOT NULL DEFAULT 5", "INSERT INTO s3.orders VALUES (0, 'new', 6)")
        self.assert_followed(heals=range(1, 4))

    def test_shards_after_a_resync(self):
        """The target that it made has no default."""
        self.create(self.shards_spec())
        self.source.run("ALTER TABLE s1.orders CHANGE v v2 VARCHAR(20), ADD n INT NOT NULL DEFAULT 5")
        self.await_quarantined("s1")
        self.resync("s1")
        self.assert_followed(heals=0)
        self.source.run("ALTER TABLE s2.orders ADD n INT NOT NULL DEFAULT 5", "ALTER TABLE s3.orders ADD n INT NOT NULL DEFAULT 5",
                        "UPDATE s3.orders SET n = 6 WHERE id = 3")
        self.assert_followed(heals=range(1, 3))
        self.assertIn("no DEFAULT there, DEFAULT 5 here", self.events("is not followed")[0])


class AddedDefaultsMySQL(AddedDefaults, ShardsTest):
    source_class = MySQL97


class AddedDefaultsMariaDB(AddedDefaults, ShardsTest):
    source_class = MariaDB1011


if __name__ == "__main__":
    unittest.main()
