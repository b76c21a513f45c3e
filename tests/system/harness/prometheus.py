"""A private Prometheus that scrapes one penstock."""

import json
import subprocess
import urllib.error
import urllib.parse
import urllib.request

from .process import ROOT, Folder, Process, Unavailable, cache_folder, free_port

DEPLOY = ROOT / "deploy"


def prometheus_program(name):
    path = cache_folder() / "prometheus" / "usr" / "bin" / name
    if not path.exists():
        raise Unavailable("Prometheus is not there: tools/setup.sh prometheus")
    return path


def promtool(*words):
    """Its output; raises CalledProcessError."""
    return subprocess.run([prometheus_program("promtool"), *words], check=True, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout


class Prometheus:
    """With the configuration and the rules of deploy/, once a second. A context manager."""

    def __init__(self, target):
        binary = prometheus_program("prometheus")
        self._folder = Folder("prometheus")
        folder = self._folder.path
        (folder / "prometheus-rules.yaml").write_text(
            (DEPLOY / "prometheus-rules.yaml").read_text())
        (folder / "prometheus.yaml").write_text(
            (DEPLOY / "prometheus.yaml").read_text()
            .replace("127.0.0.1:8124", target.removeprefix("http://"))
            .replace("scrape_interval: 15s", "scrape_interval: 1s\n  evaluation_interval: 1s"))
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.process = Process([binary, f"--config.file={folder}/prometheus.yaml",
                                f"--storage.tsdb.path={folder}/data",
                                f"--web.listen-address=127.0.0.1:{port}"], folder / "log")
        try:
            self.process.await_ready(self._answers, "Prometheus")
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stop()
        self._folder.__exit__()

    def _answers(self):
        try:
            with urllib.request.urlopen(self.url + "/-/ready", timeout=5) as reply:
                return reply.status == 200
        except OSError:
            return False

    def _get(self, path):
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/{path}", timeout=30) as reply:
                return json.loads(reply.read())["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()) from None

    def query(self, expression):
        """The series that it gives now."""
        return self._get("query?" + urllib.parse.urlencode({"query": expression}))["result"]

    def rules(self):
        """{name of the alert: "ok" or what is wrong with it}, once all have been evaluated."""
        rules = [rule for group in self._get("rules")["groups"] for rule in group["rules"]]
        return {rule["name"]: rule["lastError"] if "lastError" in rule else rule["health"]
                for rule in rules}

    def alerts(self):
        """Names of those that are pending or firing."""
        return {alert["labels"]["alertname"] for alert in self._get("alerts")["alerts"]}
