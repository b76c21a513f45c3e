"""The configuration file of `penstock serve`, and the log that it sets: SIGHUP reads it again."""

import json
import re
import subprocess

from harness.case import SystemTest
from harness.clickhouse import ClickHouse
from harness.penstock import Penstock
from harness.process import Folder, program, sanitizer_options
from harness.sources import MariaDB1011
from harness.wait import wait_until

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (debug|info|warning|error) (.*)")


class Configuration(SystemTest):
    """A server with a file of its own; pipes of one table with rows and one without."""

    source_class = MariaDB1011

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_source()
        cls.clickhouse = cls.use("clickhouse", ClickHouse)

    def setUp(self):
        self.folder = self.enterContext(Folder("config"))
        self.file = self.folder / "penstock.yaml"
        self.log = self.folder / "penstock.log"

    def start(self, **log):
        self.write(**log)
        self.penstock = self.enterContext(Penstock("--config", self.file))

    def write(self, more="", **log):
        """The file, with a log of its own."""
        self.file.write_text(json.dumps({"log": {"file": "penstock.log", **log}}) + more)

    def run_pipe(self):
        """A pipe that comes, runs, and goes."""
        self.fresh_shop()
        self.source.run("CREATE TABLE shop.t (id INT PRIMARY KEY)", "INSERT INTO shop.t VALUES (1)",
                        "CREATE TABLE shop.void (id INT PRIMARY KEY)")
        pipe = self.penstock.create(self.spec(["t", "void"]))
        self.penstock.await_state(pipe, "Running")
        self.await_caught_up()
        self.penstock.delete(pipe)

    def await_logged(self, text):
        wait_until(lambda: text in self.log.read_text(), lambda: self.log.read_text(), 20)

    def reload(self):
        def times():
            text = self.log.read_text() if self.log.exists() else ""
            return text.count("the configuration is read again")
        before = times()
        self.penstock.process.hang_up()
        wait_until(lambda: times() > before, "the configuration is read again", 20)

    def test_lines_of_text(self):
        self.start()
        self.run_pipe()
        lines = [LINE.fullmatch(line) for line in self.log.read_text().splitlines()]
        self.assertTrue(all(lines))
        said = [line[2] for line in lines]
        self.assertTrue(any(line.startswith("pipe Snapshot -> Running: ") for line in said), said)
        self.assertTrue(any(line.startswith("pipe [shop.t] loaded: 1 rows") for line in said), said)

    def test_lines_of_json(self):
        self.start(format="json")
        self.run_pipe()
        records = [json.loads(line) for line in self.log.read_text().splitlines()]
        for record in records:
            self.assertLessEqual({"time", "level", "message"}, set(record))
            self.assertLessEqual(set(record), {"time", "level", "pipe", "table", "message"})
        loaded = [record for record in records if record.get("table") == "shop.t"]
        self.assertEqual([("info", "pipe")], [(one["level"], one["pipe"]) for one in loaded])

    def test_the_level_changes_while_it_runs(self):
        self.start(level="info")
        self.run_pipe()
        self.assertNotIn("[shop.void]", self.log.read_text())
        self.write(level="debug")
        self.reload()
        self.run_pipe()
        self.assertIn(" debug pipe [shop.void] loaded: 0 rows", self.log.read_text())

    def test_the_log_is_moved_away(self):
        self.start()
        old = self.folder / "penstock.log.1"
        self.log.rename(old)
        size = old.stat().st_size
        self.reload()
        self.run_pipe()
        self.assertEqual(size, old.stat().st_size)
        self.assertIn("Snapshot -> Running", self.log.read_text())

    def test_a_wrong_file_changes_nothing(self):
        self.start(level="info")
        self.write(level="loud")
        self.penstock.process.hang_up()
        self.await_logged(f"the configuration stays as it is: {self.file}: line 1: log.level: "
                          "must be one of: debug, info, warning, error")
        self.run_pipe()
        self.assertIn(" info pipe Snapshot -> Running", self.log.read_text())

    def test_what_needs_a_restart_is_said(self):
        self.start(level="info")
        self.file.write_text("listen: 127.0.0.1:1\nmemory: {limit: 64MiB}\n"
                             "log: {file: penstock.log}\n")
        self.reload()
        # The port is given by a flag, which goes before the file.
        self.assertIn("memory.limit has changed: that is taken over by a restart only",
                      self.log.read_text())
        self.assertNotIn("listen has changed", self.log.read_text())

    def refusal(self, text, **environment):
        """What serve says of a file of this text; it must end by itself."""
        self.file.write_text(text)
        done = subprocess.run([str(program("penstock")), "serve", "--data-dir", self.folder / "d"],
                              env={"PENSTOCK_CONFIG": str(self.file), **environment,
                                   **sanitizer_options()},
                              capture_output=True, text=True, timeout=20, check=False)
        self.assertEqual(1, done.returncode, done.stderr)
        return done.stderr

    def test_what_is_wrong_is_refused_with_its_line(self):
        at = f"penstock: {self.file}: line"
        for text, wanted in (
                ("listen: 127.0.0.1:0\nlistne: 1\n", f"{at} 2: listne: unknown key"),
                ("listen: 127.0.0.1:0\nlisten: 127.0.0.1:1\n", f"{at} 2: listen is given twice"),
                ("log:\n  level: loud\n", f"{at} 2: log.level: must be one of"),
                ("log: {file: /nowhere/x}\n", "the log file /nowhere/x cannot be opened"),
                ("memory: {limit: 1KiB}\n", "memory.limit: must be 1MiB or more"),
                ("clickhouse: {url: nonsense}\n", f"{at} 1: clickhouse.url: must begin with http"),
                ("secrets: {dir: /nowhere}\n", "secrets.dir: there is no folder /nowhere"),
                ("tls: {cert: /nowhere/x, key: /nowhere/x}\n", "/nowhere/x: No such file")):
            with self.subTest(text=text):
                self.assertIn(wanted, self.refusal(text))
        self.assertIn("PENSTOCK_LISTEN: must be HOST:PORT", self.refusal("", PENSTOCK_LISTEN="x"))
