"""What /metrics tells of pipes that run, retry, fail and go."""

import time
import unittest

from harness.case import SystemTest
from harness.metrics import Metrics, documented
from harness.penstock import http_json, mapping, pipe_spec
from harness.sources import MariaDB1011, MySQL97
from harness.wait import wait_until

PIPES = 100
SCRAPE_SECONDS_MAX = 0.05


class MetricsCase(SystemTest):
    """A shop with one table of ten rows, one of them with a date that ClickHouse does not know."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def setUp(self):
        self.fresh_shop()
        self.addCleanup(self.delete_pipes)
        self.source.run("CREATE TABLE shop.t (id INT PRIMARY KEY, day DATE)",
                        "INSERT INTO shop.t VALUES " + ",".join(f"({i}, '2020-01-01')"
                                                                for i in range(9)),
                        "INSERT INTO shop.t VALUES (9, '9999-12-31')")

    def scrape(self):
        return Metrics(self.penstock.url)

    def await_metric(self, name, wanted, **labels):
        """The scrape in which the sample is `wanted`, a value or a predicate."""
        def there():
            scrape = self.scrape()
            value = scrape.value(name, **labels)
            good = wanted(value) if callable(wanted) else value == wanted
            return good and scrape
        return wait_until(there, lambda: f"{name} {labels}\n{self.scrape().text}", 30, every=0.1)


class Run(MetricsCase):
    """One pipe, from its creation until it is gone."""

    def test_a_run_is_told(self):
        pipe = self.penstock.create(self.spec(["t"], syncIntervalMilliseconds=100))
        self.penstock.await_state(pipe, "Running")
        self.source.run("UPDATE shop.t SET day = '2021-01-01' WHERE id < 3",
                        "DELETE FROM shop.t WHERE id = 3", "INSERT INTO shop.t VALUES (10, NULL)")
        self.await_caught_up()
        self.await_metric("penstock_pipe_lag_bytes", lambda value: value is not None)
        # Counted last: five changes, two markers, and the deletion of the first one.
        scrape = self.await_metric("penstock_pipe_rows_sent_total", 8, phase="stream")
        self.check_tables_and_types(scrape)
        self.check_counts(scrape, pipe)
        self.penstock.delete(pipe)
        self.assertNotIn(f'id="{pipe}"', self.scrape().text)

    def check_tables_and_types(self, scrape):
        self.assertTrue(scrape.content_type.startswith("text/plain; version=0.0.4"))
        for name, (kind, there) in documented().items():
            if there == "event":
                continue
            self.assertIn(f"# TYPE {name} {kind}\n", scrape.text)
            self.assertIn(name + ("_count" if kind == "histogram" else ""), scrape)
        undocumented = {line.split()[2] for line in scrape.text.splitlines()
                        if line.startswith("# TYPE")} - set(documented())
        self.assertEqual(set(), undocumented)

    def check_counts(self, scrape, pipe):
        def of_pipe(name, **labels):
            return scrape.value(f"penstock_pipe_{name}", id=pipe, **labels)
        self.assertEqual(1, scrape.value("penstock_pipes", state="Running"))
        self.assertEqual((1, 0), (of_pipe("state", state="Running"),
                                  of_pipe("state", state="Paused")))
        for what in ("rows_fetched", "rows_sent", "bytes_fetched", "bytes_sent"):
            self.assertGreaterEqual(of_pipe(what + "_total", phase="snapshot"), 10)
            self.assertGreaterEqual(of_pipe(what + "_total", phase="stream"), 5)
        self.assertEqual(10, of_pipe("rows_sent_total", phase="snapshot"))
        self.assertEqual(3, of_pipe("changes_total", operation="update"))
        self.assertEqual(of_pipe("rows_sent_total", phase="stream"),
                         sum(of_pipe("changes_total", operation=word)
                             for word in ("insert", "update", "delete")))
        self.assertEqual((1, 0), (of_pipe("values_changed_total", rule="clamped"),
                                  of_pipe("values_changed_total", rule="nulled")))
        self.assertEqual((2, 0), (of_pipe("tables", state="following"),
                                  of_pipe("tables", state="quarantined")))
        self.assertEqual(1, of_pipe("snapshot_progress_ratio"))
        self.assertEqual(len(self.penstock.api(f"{self.penstock.pipes_path()}/{pipe}/batches")),
                         of_pipe("batch_duration_seconds_count"))
        self.assertLess(abs(time.time() - scrape.value("process_start_time_seconds")), 600)

    def test_errors_are_counted(self):
        pipe = self.penstock.create(self.spec(["t"], syncIntervalMilliseconds=100))
        self.penstock.await_state(pipe, "Running")
        self.source.process.kill()
        scrape = self.await_metric("penstock_pipe_errors_total", lambda value: value,
                                   id=pipe, part="log", kind="retry")
        self.assertGreater(scrape.value("penstock_pipe_retrying", id=pipe), 0)
        self.assertGreater(scrape.value("penstock_pipe_retries_total", id=pipe, part="log"), 0)
        self.source.start()
        self.await_metric("penstock_pipe_retrying", 0, id=pipe)

    def test_it_is_read_only(self):
        status, answer = http_json(self.penstock.url + "/metrics", "POST", {})
        self.assertEqual((405, "/metrics does not take POST; it takes GET"),
                         (status, answer["error"]))


class MariaDBMetrics(Run, unittest.TestCase):
    source_class = MariaDB1011
    source_options = {"binlog_expire_logs_seconds": "86400"}  # by default it is kept for good


class MySQLMetrics(Run, unittest.TestCase):
    source_class = MySQL97


del Run


class ManyPipes(MetricsCase):
    """A scrape waits for nothing, and is small enough."""

    def test_a_scrape_of_many_pipes_is_quick(self):
        self.source.run(*(f"CREATE TABLE shop.t{i} LIKE shop.t" for i in range(PIPES)))
        for i in range(PIPES):
            self.penstock.create(pipe_spec(self.source.endpoint(), self.clickhouse.endpoint(),
                                           [mapping("shop", f"t{i}")], name=f"pipe {i}"))
        self.await_metric("penstock_pipes", PIPES, state="Running")
        seconds = []
        for _ in range(20):
            self.source.run(*(f"INSERT INTO shop.t{i} SELECT COALESCE(MAX(id), 0) + 1, NULL "
                              f"FROM shop.t{i}" for i in range(PIPES)))
            scrape = self.scrape()
            seconds.append(scrape.seconds)
        series = len([line for line in scrape.text.splitlines() if not line.startswith("#")])
        print(f"{PIPES} pipes: {series} series, {len(scrape.text)} bytes, "
              f"median {sorted(seconds)[10] * 1000:.1f} ms, most {max(seconds) * 1000:.1f} ms")
        # On a machine that is busy with other tests the others say more of these.
        self.assertLess(min(seconds), SCRAPE_SECONDS_MAX)
        self.assertLess(series, 100 * PIPES)


del MetricsCase


if __name__ == "__main__":
    unittest.main()
