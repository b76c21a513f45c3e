"""PATCH of what a pipe works with: seen at the source, at the destination, and in its load."""

from client import ApiTest
from harness.penstock import mapping, pipe_spec
from harness.proxy import Proxy
from harness.sources import MySQL97
from harness.wait import wait_until

ROWS = 8192


class EditWork(ApiTest):
    source_class = MySQL97  # which tells of each session whether it is compressed

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for table in ("a", "b"):
            cls.source.run(f"CREATE TABLE shop.{table} (id INT PRIMARY KEY)",
                           f"INSERT INTO shop.{table} VALUES (1)", *[
                               f"INSERT INTO shop.{table} SELECT id + {1 << n} FROM shop.{table}"
                               for n in range(13)],
                           f"ANALYZE TABLE shop.{table}")

    def tearDown(self):
        self.delete_pipes()

    def begin(self, *tables, **settings):
        self.database = self._testMethodName
        self.body = pipe_spec(self.source.endpoint(), self.clickhouse.endpoint(),
                              [mapping("shop", table) for table in tables],
                              database=self.database, **settings)
        self.pipe = self.create(self.body)

    def patch(self, **mysql):
        return self.call("PATCH", self.one(self.pipe), {"source": {"mysql": mysql}}).result

    def in_flight(self):
        """Partitions that are being read, by table."""
        tables = self.penstock.status(self.pipe)["tables"]
        return [table["partitionsInFlight"] for table in tables]

    def assert_loaded(self, table):
        self.penstock.await_state(self.pipe, "Running")
        self.assertEqual(f"{ROWS}\n", self.clickhouse.query(
            f"SELECT count() FROM {self.database}.{table} FINAL"))

    def test_parallelism_of_a_load(self):
        """While it runs, at 20 rows a second."""
        self.begin("a", "b", initialLoadParallelism=1, snapshotNumberOfParallelTables=1,
                   snapshotRowsPerSecond=20)
        wait_until(lambda: sorted(self.in_flight()) == [0, 1], "one partition")
        for settings, wanted in (({"initialLoadParallelism": 3}, [0, 3]),
                                 ({"snapshotNumberOfParallelTables": 2}, [3, 3]),
                                 ({"initialLoadParallelism": 2}, [2, 2])):
            self.patch(settings=settings)
            wait_until(lambda n=wanted: sorted(self.in_flight()) == n, lambda n=wanted: f"{n} "
                       f"partitions at once; there are {self.in_flight()}")
        self.assertEqual("Snapshot", self.patch(settings={"snapshotRowsPerSecond": None})["state"])
        for table in ("a", "b"):
            self.assert_loaded(table)

    def partitions(self):
        self.assert_loaded("a")
        return self.penstock.status(self.pipe)["tables"][0]["partitions"]

    def test_rows_of_a_partition(self):
        """Of the loads that begin then."""
        self.begin("a", snapshotNumRowsPerPartition=1000)
        before = self.partitions()
        self.assertGreaterEqual(before, ROWS // 1000)
        self.penstock.order(self.pipe, "stop")
        self.penstock.await_state(self.pipe, "Paused")
        self.patch(settings={"snapshotNumRowsPerPartition": ROWS})
        self.penstock.order(self.pipe, "resync")
        self.assertLess(self.partitions(), before / 3)

    def compressed_sessions(self):
        rows = self.source.run(
            "SELECT VARIABLE_VALUE FROM performance_schema.status_by_thread JOIN "
            "performance_schema.threads USING (THREAD_ID) WHERE VARIABLE_NAME = 'Compression' AND "
            "PROCESSLIST_USER = 'penstock' AND PROCESSLIST_COMMAND LIKE 'Binlog Dump%'")
        return [row[0] for row in rows]

    def test_compression_at_the_source(self):
        self.begin("t")
        self.penstock.await_state(self.pipe, "Running")
        for value in (True, False):
            self.patch(settings={"useCompression": value})
            wait_until(lambda w=["ON" if value else "OFF"]: self.compressed_sessions() == w,
                       lambda: f"sessions; they are {self.compressed_sessions()}")

    def test_compression_at_the_destination(self):
        """A row of 1 MB of one letter."""
        self.source.run("DROP TABLE IF EXISTS shop.wide",
                        "CREATE TABLE shop.wide (id INT PRIMARY KEY, v LONGTEXT)")
        with Proxy(self.clickhouse.http_port) as proxy:
            url = f"http://127.0.0.1:{proxy.port}"
            self.begin("wide")
            self.penstock.await_state(self.pipe, "Running")
            for number, name in enumerate(("lz4", "none", "zstd"), 1):
                self.call("PATCH", self.one(self.pipe), {"destination": {"clickhouse": {
                    **self.clickhouse.endpoint(), "url": url, "compression": name}}})
                before = proxy.bytes_up
                self.source.run(f"INSERT INTO shop.wide VALUES ({number}, REPEAT('x', 1000000))")
                wait_until(lambda n=number: self.clickhouse.query(
                    f"SELECT count() FROM {self.database}.wide WHERE id = {n}") == "1\n", "the row")
                sent = proxy.bytes_up - before
                (self.assertGreater if name == "none" else self.assertLess)(sent, 500_000, name)

    def test_another_host(self):
        """The same server by another way: what runs goes over to it by itself."""
        self.begin("t")
        self.penstock.await_state(self.pipe, "Running")
        with Proxy(self.source.port) as proxy:
            endpoint = self.source.endpoint()
            self.assertEqual("Running", self.patch(
                host="localhost", port=proxy.port, credentials=endpoint["credentials"])["state"])
            wait_until(lambda: proxy.bytes_down > 1000, "it reads the log by the proxy")
            self.source.run("INSERT INTO shop.t VALUES (77, 7)")
            wait_until(lambda: self.clickhouse.query(
                f"SELECT n FROM {self.database}.t WHERE id = 77") == "7\n", "the row")
            self.patch(host="127.0.0.1", port=self.source.port,
                       credentials=endpoint["credentials"])
