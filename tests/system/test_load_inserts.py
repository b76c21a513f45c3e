"""How a snapshot's rows go to ClickHouse: few parts, compressed or not, and cut off in the middle."""

import unittest

from harness.case import SystemTest
from harness.proxy import Proxy
from harness.sources import MySQL97
from harness.wait import wait_until

ROWS = 1 << 15
ROW_BYTES = 700


class LoadInserts(SystemTest):
    source_class = MySQL97

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()
        cls.proxy = cls.enterClassContext(Proxy(cls.clickhouse.http_port))

    def setUp(self):
        self.delete_pipes()
        self.fresh_shop()
        self.source.run(
            "CREATE TABLE shop.t (id INT AUTO_INCREMENT PRIMARY KEY, w TEXT, kind ENUM('a', 'b'))",
            "INSERT INTO shop.t (w, kind) VALUES ('first', 'a')",
            *["INSERT INTO shop.t (w, kind) SELECT RPAD(id, 700, SHA2(id, 512)), 1 + id % 2 "
              "FROM shop.t"] * (ROWS.bit_length() - 1), "ANALYZE TABLE shop.t")

    def through_proxy(self, mode="cdc", **destination):
        spec = self.spec(["t"], snapshotNumRowsPerPartition=10 * ROWS, replicationMode=mode)
        spec["destination"]["clickhouse"] |= {"url": f"http://127.0.0.1:{self.proxy.port}",
                                              **destination}
        return spec

    def test_a_partition_is_one_part(self):
        pipe = self.penstock.create(self.through_proxy())
        self.penstock.await_state(pipe, "Running")
        self.assertEqual("1\n", self.clickhouse.query(
            "SELECT count() FROM system.parts WHERE database = 'replica' AND table = 't'"))
        self.penstock.delete(pipe)

    def test_rows_are_equal_under_each_compression(self):
        sent = {}
        for compression in ("none", "lz4", "zstd"):
            self.clickhouse.query("DROP DATABASE IF EXISTS replica SYNC")
            spec = self.through_proxy(compression=compression)
            before = self.proxy.bytes_up
            pipe = self.penstock.create(spec)
            self.penstock.await_state(pipe, "Running")
            sent[compression] = self.proxy.bytes_up - before
            self.source.run("UPDATE shop.t SET kind = 'b' WHERE id % 7 = 0")
            self.await_caught_up()
            self.assertGreaterEqual(self.assert_equal(spec), ROWS)
            self.penstock.delete(pipe)
        self.assertGreater(sent["none"], ROWS * ROW_BYTES)
        self.assertLess(sent["lz4"], sent["none"] / 2)
        self.assertLess(sent["zstd"], sent["lz4"])

    def cut_in_the_middle(self, spec):
        """Creates the pipe, and cuts its first insert twice."""
        before = self.proxy.bytes_up
        pipe = self.penstock.create(spec)
        for _ in range(2):
            before += ROWS * ROW_BYTES // 2
            wait_until(lambda: self.proxy.bytes_up > before, "half of the rows on their way",
                       every=0.001)
            self.proxy.cut()
        return pipe

    def test_an_insert_that_is_cut_is_read_again(self):
        spec = self.through_proxy()
        pipe = self.cut_in_the_middle(spec)
        self.penstock.await_state(pipe, "Running")
        self.assertGreaterEqual(self.assert_equal(spec), ROWS)
        self.assertEqual(ROWS, self.penstock.status(pipe)["tables"][0]["rowsLoaded"])
        self.penstock.delete(pipe)

    def test_the_one_moment_of_a_snapshot_alone_outlives_it(self):
        spec = self.through_proxy("snapshot")
        pipe = self.cut_in_the_middle(spec)
        self.penstock.await_state(pipe, "Completed")
        self.assertGreaterEqual(self.assert_equal(spec), ROWS)
        events = self.penstock.api(f"{self.penstock.pipes_path()}/{pipe}/events")
        self.assertEqual(1, [event["kind"] for event in events].count("snapshot"))
        self.penstock.delete(pipe)


if __name__ == "__main__":
    unittest.main()
