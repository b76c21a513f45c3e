"""Trouble at the destination: what passes is waited for, what does not costs the table it is about."""

import unittest

from harness.case import SystemTest
from harness.clickhouse import ClickHouse
from harness.penstock import Penstock, mapping
from harness.proxy import Proxy
from harness.sources import MariaDB1011
from harness.wait import wait_until

USERS = """<clickhouse>
<profiles><default/><writer><readonly>{readonly}</readonly>{more}</writer></profiles>
<quotas><free/><limited><interval><duration>3600</duration><written_bytes>{bytes}</written_bytes>
</interval></limited></quotas>
<users>
<default><password></password><profile>default</profile><quota>free</quota>
<networks><ip>::/0</ip></networks></default>
<writer><password></password><profile>writer</profile><quota>limited</quota>
<networks><ip>::/0</ip></networks></writer>
</users></clickhouse>"""


def users(readonly=0, more="", bytes_max=0):
    return USERS.format(readonly=readonly, more=more, bytes=bytes_max)


class Destination(SystemTest):
    source_class = MariaDB1011

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_source()
        cls.clickhouse = cls.use("clickhouse", lambda: ClickHouse(users=users()))
        cls.penstock = cls.enterClassContext(Penstock())

    def setUp(self):
        self.fresh_shop()
        self.source.run("CREATE TABLE shop.t (id INT PRIMARY KEY, v INT NOT NULL)",
                        "CREATE TABLE shop.kept (id INT PRIMARY KEY, v INT NOT NULL)",
                        "INSERT INTO shop.t VALUES (1, 1)", "INSERT INTO shop.kept VALUES (1, 1)")
        self.proxy = self.enterContext(Proxy(self.clickhouse.http_port))
        self.spec_ = self.spec(["t"])
        self.spec_["source"]["mysql"]["tableMappings"].append(
            mapping("shop", "kept", tableEngine="MergeTree"))
        self.spec_["destination"]["clickhouse"] = {"url": f"http://127.0.0.1:{self.proxy.port}",
                                                   "user": "writer"}
        self.pipe = self.penstock.create(self.spec_)
        self.penstock.await_state(self.pipe, "Running")
        self.written = 1

    def tearDown(self):
        self.delete_pipes()

    def write(self):
        self.written += 1
        self.source.run("BEGIN", f"INSERT INTO shop.t VALUES ({self.written}, 0)",
                        f"INSERT INTO shop.kept VALUES ({self.written}, 0)", "COMMIT")

    def await_retrying(self, text):
        wait_until(lambda: text in self.penstock.status(self.pipe)["retrying"],
                   lambda: f"{text} in {self.penstock.status(self.pipe)['retrying']}\n"
                           f"{self.penstock.process.tail()}")
        self.assertEqual("Running", self.penstock.state(self.pipe))

    def assert_recovered(self):
        self.await_caught_up()
        wait_until(lambda: not self.penstock.status(self.pipe)["retrying"], "no retries")
        for table in ("t FINAL", "kept"):
            self.assertEqual(f"{self.written}\t{self.written}\n", self.clickhouse.query(
                f"SELECT count(), uniqExact(id) FROM replica.{table}"))

    def quarantines(self):
        """Reasons by table."""
        return {table["sourceTable"]: table["quarantine"]["reason"]
                for table in self.penstock.status(self.pipe)["tables"] if table["quarantine"]}

    def await_quarantine(self, table, *words):
        wait_until(lambda: table in self.quarantines(), self.penstock.process.tail, 60)
        for word in words:
            self.assertIn(word, self.quarantines()[table])

    def assert_others_flow(self, *names):
        self.write()
        self.await_caught_up()
        for table in names:
            self.assertEqual(f"{self.written}\n", self.clickhouse.query(
                f"SELECT uniqExact(id) FROM replica.{table}"))

    def restart_with(self, text):
        (self.clickhouse.folder / "users.xml").write_text(text)
        self.clickhouse.restart()

    def test_users_that_may_not_now(self):
        """Read-only, without memory, beyond a quota."""
        self.addCleanup(self.restart_with, users())
        for text, said in ((users(readonly=1), "readonly"),
                           (users(more="<max_memory_usage>1000</max_memory_usage>"), "emory limit"),
                           (users(bytes_max=1), "uota")):
            self.restart_with(text)
            self.write()
            self.write()
            self.await_retrying(said)
            self.restart_with(users())
            self.assert_recovered()

    def test_readonly_is_found_by_check(self):
        self.addCleanup(self.restart_with, users())
        self.restart_with(users(readonly=1))
        self.assertIn("readonly", "".join(
            finding["message"] for finding in self.penstock.check(self.spec_)["findings"]
            if finding["severity"] == "error"))

    def test_away_and_waking_up(self):
        unavailable = b"HTTP/1.1 503 Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        for name, value, said in (("refusing", True, "ClickHouse at"), ("answer", unavailable, "503")):
            setattr(self.proxy, name, value)
            self.proxy.cut()
            self.write()
            self.await_retrying(said)
            setattr(self.proxy, name, None)
            self.assert_recovered()

    def test_disk_full(self):
        for table in ("t", "kept"):
            self.clickhouse.query(f"ALTER TABLE replica.{table} MODIFY SETTING "
                                  "min_free_disk_bytes_to_perform_insert = 1000000000000000000")
        self.write()
        self.await_retrying("free space")
        for table in ("t", "kept"):
            self.clickhouse.query(f"ALTER TABLE replica.{table} RESET SETTING "
                                  "min_free_disk_bytes_to_perform_insert")
        self.assert_recovered()

    def test_too_many_parts(self):
        """Inserts become fewer and larger, and are soon as many as before."""
        self.clickhouse.query("ALTER TABLE replica.t MODIFY SETTING parts_to_throw_insert = 1, "
                              "parts_to_delay_insert = 1")
        self.write()
        self.await_retrying("Too many parts")
        self.clickhouse.query("ALTER TABLE replica.t RESET SETTING parts_to_throw_insert, "
                              "parts_to_delay_insert")
        wait_until(lambda: not self.penstock.status(self.pipe)["retrying"], "no retries")
        path = f"{self.penstock.pipes_path()}/{self.pipe}/batches"
        before = len(self.penstock.api(path))
        for _ in range(30):
            self.write()
        self.assert_recovered()
        self.assertLess(len(self.penstock.api(path)) - before, 12)

    def test_view_that_throws(self):
        """The insert is taken back, and the table is set aside."""
        for table in ("t", "kept"):
            self.clickhouse.query(f"CREATE TABLE replica.sink_{table} (id Int32) ENGINE = MergeTree "
                                  "ORDER BY id")
        self.clickhouse.query("CREATE MATERIALIZED VIEW replica.v1 TO replica.sink_kept AS SELECT id "
                              "FROM replica.kept WHERE throwIf(id = 3, 'not three') = 0")
        self.write()
        self.await_caught_up()
        self.write()
        self.await_quarantine("kept", "not three", "materialized view")
        self.assert_others_flow("t")
        self.assertEqual("1\n2\n", self.clickhouse.query("SELECT id FROM replica.kept ORDER BY id"))

    def test_view_that_may_recover(self):
        """An error that nothing is known of: tried for a while."""
        self.clickhouse.query("CREATE TABLE replica.sink (id Int32) ENGINE = MergeTree ORDER BY id")
        self.clickhouse.query("CREATE MATERIALIZED VIEW replica.v2 TO replica.sink AS SELECT "
                              "toInt32(intDiv(6, id - 2)) AS id FROM replica.kept")
        self.write()
        self.await_retrying("ivision")
        self.clickhouse.query("DROP TABLE replica.v2 SYNC")
        self.assert_recovered()
        self.clickhouse.query("CREATE MATERIALIZED VIEW replica.v3 TO replica.sink AS SELECT "
                              "toInt32(intDiv(6, id - 3)) AS id FROM replica.kept")
        self.write()
        self.await_quarantine("kept", "ivision", "materialized view")
        self.assert_others_flow("t")

    def test_changed_by_hand(self):
        self.clickhouse.query("ALTER TABLE replica.t DROP COLUMN v")
        self.clickhouse.query("ALTER TABLE replica.kept MODIFY SETTING table_readonly = 1")
        self.write()
        self.await_quarantine("t", "resync the table")
        self.await_quarantine("kept", "readonly")
        self.penstock.await_state(self.pipe, "Degraded")

    def test_partitions_and_settings(self):
        self.delete_pipes()
        self.clickhouse.query("DROP DATABASE replica SYNC")
        for table in self.spec_["source"]["mysql"]["tableMappings"]:
            table.update(partitionBy="id % 3", tableSettings="index_granularity = 1024")
        self.pipe = self.penstock.create(self.spec_)
        self.penstock.await_state(self.pipe, "Running")
        self.assertEqual("1\n1\n1\n", self.clickhouse.query(
            "SELECT partition_key = 'id % 3' AND engine_full LIKE '%index_granularity = 1024%' FROM "
            "system.tables WHERE database = 'replica'"))
        for _ in range(3):
            self.write()
        self.assert_recovered()


if __name__ == "__main__":
    unittest.main()
