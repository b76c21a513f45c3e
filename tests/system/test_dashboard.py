"""deploy/: the dashboard and the alert rules, of a real Prometheus that scrapes a real run."""

import json
import re
import unittest

import yaml

from harness.case import SystemTest
from harness.metrics import documented
from harness.prometheus import DEPLOY, Prometheus, promtool
from harness.sources import MySQL97
from harness.wait import wait_until

METRIC = re.compile(r"\b(?:penstock|process)_\w+")


def dashboard():
    return json.loads((DEPLOY / "grafana-dashboard.json").read_text())


def dashboard_queries():
    """{title of the panel: its queries}, as Prometheus gets them."""
    return {panel["title"]: [target["expr"].replace("$__rate_interval", "10s")
                             .replace("$pipe", ".*").replace("$job", "penstock")
                             for target in panel["targets"]]
            for panel in dashboard()["panels"] if panel["type"] != "row"}


def rules():
    groups = yaml.safe_load((DEPLOY / "prometheus-rules.yaml").read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


class Names(unittest.TestCase):
    """What is named exists, and what exists is shown."""

    def test_every_name_is_a_metric(self):
        known = set(documented())
        known |= {f"{name}_{part}" for name, (kind, _) in documented().items()
                  if kind == "histogram" for part in ("bucket", "sum", "count")}
        named = set(METRIC.findall(json.dumps(dashboard()))) | \
            set(METRIC.findall(" ".join(rule["expr"] for rule in rules().values())))
        self.assertEqual(set(), named - known)
        self.assertGreater(len(named), 30)

    def test_the_dashboard_shows_nearly_all(self):
        shown = " ".join(METRIC.findall(json.dumps(dashboard())))
        hidden = {name for name in documented() if name not in shown}
        self.assertEqual({"penstock_pipe_state_since_timestamp_seconds",
                          "process_start_time_seconds"}, hidden)  # for rules


class Run(SystemTest):
    """A pipe that has seen a load, changes, and trouble."""

    source_class = MySQL97  # whose log has a retention

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()
        cls.prometheus = cls.use("prometheus", lambda: Prometheus(cls.penstock.url))

    def setUp(self):
        self.fresh_shop()
        self.source.run("CREATE TABLE shop.t (id INT PRIMARY KEY)", "INSERT INTO shop.t VALUES (1)")

    def tearDown(self):
        self.delete_pipes()

    def start_pipe(self):
        pipe = self.penstock.create(self.spec(["t"], syncIntervalMilliseconds=100))
        self.penstock.await_state(pipe, "Running")

    def test_rules_are_right(self):
        self.assertIn("SUCCESS", promtool("check", "rules", str(DEPLOY / "prometheus-rules.yaml")))
        self.assertIn("SUCCESS", promtool("check", "config", str(DEPLOY / "prometheus.yaml")))

    def test_every_query_gives_data(self):
        self.start_pipe()
        self.source.process.kill()
        self.await_alert("PenstockRetrying")
        self.source.start()
        self.await_caught_up()
        waiting = {(title, query) for title, queries in dashboard_queries().items()
                   for query in queries}

        def all_give_data():
            waiting.difference_update([one for one in waiting if self.prometheus.query(one[1])])
            return not waiting
        wait_until(all_give_data, lambda: f"data for {waiting}", 60, every=0.5)
        wait_until(lambda: set(self.prometheus.rules()) == set(rules()) and
                   set(self.prometheus.rules().values()) == {"ok"}, self.prometheus.rules, 30)

    def test_what_needs_attention_is_an_alert(self):
        self.start_pipe()
        self.clickhouse.query("DROP TABLE replica.t SYNC")
        self.source.run("INSERT INTO shop.t VALUES (2)")
        self.await_alert("PenstockTableQuarantined", "PenstockPipeDegraded")

    def await_alert(self, *names):
        wait_until(lambda: set(names) <= self.prometheus.alerts(),
                   lambda: f"{names}, not only {self.prometheus.alerts()}", 60, every=0.3)


if __name__ == "__main__":
    unittest.main()
