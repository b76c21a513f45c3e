"""What the words of a command may be: names of tables, values, files; and what is refused, and how."""

import json
import re

import yaml
from harness.case import SystemTest
from harness.penstock import mapping
from harness.process import Folder
from harness.sources import MariaDB1011
from harness.wait import wait_until

NAMES = [("x.y", "t.2"), ("x.y", "plain"), ("shop", "a:b"), ("a.b", "c"), ("a", "b.c")]


class Words(SystemTest):
    source_class = MariaDB1011

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()
        cls.folder = cls.enterClassContext(Folder("words"))
        cls.source.run("CREATE DATABASE shop", "CREATE DATABASE `x.y`", "CREATE DATABASE a",
                       "CREATE DATABASE `a.b`", "CREATE TABLE shop.t (id INT PRIMARY KEY)",
                        "CREATE TABLE shop.plain (id INT PRIMARY KEY)",
                       *(f"CREATE TABLE `{schema}`.`{table}` (id INT PRIMARY KEY)"
                         for schema, table in NAMES))

    def setUp(self):
        self.addCleanup(self.clickhouse.query, "DROP DATABASE IF EXISTS replica SYNC")
        self.addCleanup(self.delete_pipes)

    def create(self, tables=("t",), **settings):
        self.pipe = self.penstock.create(self.spec(list(tables), **settings))
        self.penstock.await_state(self.pipe, "Running")

    def run_ok(self, *words, stdin=None, env=None):
        code, said, error = self.penstock.cli(*words, stdin=stdin, env=env)
        self.assertEqual((0, ""), (code, error), words)
        return said

    def refusal(self, *words, stdin=None):
        code, said, error = self.penstock.cli(*words, stdin=stdin)
        self.assertEqual((1, ""), (code, said), words)
        self.assertEqual(1, len(error.splitlines()), error)
        return error

    # --- names of tables ---

    def mapped(self):
        return {(table["sourceSchemaName"], table["sourceTable"])
                for table in self.penstock.status(self.pipe)["tables"]}

    def test_names_with_dots_and_colons(self):
        self.create()
        basic = self.mapped()
        quoted = ["`x.y`.`t.2`", "shop.`a:b`:`a_b`", "`a.b`.c:one", "a.`b.c`:two"]
        self.run_ok("add-table", "pipe", *quoted, "--wait")
        names = {NAMES[0], *NAMES[2:]}
        self.assertEqual(basic | names, self.mapped())
        targets = {table["target"] for table in self.penstock.status(self.pipe)["tables"]}
        self.assertLessEqual({"replica.t.2", "replica.a_b", "replica.one", "replica.two"}, targets)
        for name in ("`x.y`.`t.2`", "x.y.t.2", "shop.a:b", "shop.`a:b`", "`a.b`.c", "a.`b.c`"):
            with self.subTest(name=name):
                self.run_ok("resync", "pipe", "--table", name, "--wait")
                self.run_ok("partitions", "pipe", name)
                self.assertIn("not quarantined", self.refusal("retry", "pipe", "--table", name))
        self.assertIn("x.t is not mapped", self.refusal("resync", "pipe", "--table", "x.t"))
        self.assertIn("backticks", self.refusal("resync", "pipe", "--table", "x"))
        self.run_ok("remove-table", "pipe", "x.y.t.2", "shop.a:b", "`a.b`.c", "a.`b.c`", "--wait")
        self.assertEqual(basic, self.mapped())

    def test_tables_of_patterns_are_counted(self):
        spec = self.spec([])
        spec["source"]["mysql"]["tableMappings"].append(mapping("x.y", "*", "{table}"))
        self.pipe = self.penstock.create(spec)
        self.penstock.await_state(self.pipe, "Running")
        self.assertEqual(3, len(self.mapped()))
        self.assertRegex(self.run_ok("list"), r"(?m)^pipe .* replica +3 ")
        self.assertRegex(self.run_ok("show", "pipe"), r"(?m)^tables +3$")

    # --- values of set ---

    def test_a_password_is_refused(self):
        self.create()
        for words in ("source.mysql.credentials.password=x",
                      'source.mysql.credentials={"username": "penstock", "password": "x"}',
                      "destination.clickhouse.password=x"):
            with self.subTest(words=words):
                error = self.refusal("set", "pipe", words)
                self.assertIn("password: the words of a command are seen", error)
                self.assertIn("passwordFile=FILE", error)
        password = self.spec(["t"])["source"]["mysql"]["credentials"]["password"]
        self.run_ok("set", "pipe", "source.mysql.credentials.passwordEnv=OURS", env={"OURS": password})
        (self.folder / "password").write_text(password)
        self.run_ok("set", "pipe", f"source.mysql.credentials.passwordFile={self.folder / 'password'}")

    def test_null_takes_back_what_has_no_default(self):
        self.create(snapshotRowsPerSecond=1000)
        error = self.refusal("set", "pipe", "syncIntervalMilliseconds=null")
        self.assertIn("syncIntervalMilliseconds: null changes nothing", error)
        self.run_ok("set", "pipe", "snapshotRowsPerSecond=null")
        self.assertNotIn("snapshotRowsPerSecond",
                         self.penstock.pipe(self.pipe)["source"]["mysql"]["settings"])

    def test_fields_that_are_meant(self):
        self.create()
        self.assertIn("syncIntervalMilliseconds takes fractions",
                      self.refusal("set", "pipe", "syncIntervalSeconds=0.5"))
        self.assertIn("perhaps pullBatchSize", self.refusal("set", "pipe", "pullBatchsize=5"))

    # --- files ---

    def test_standard_input(self):
        text = yaml.safe_dump(self.spec(["t"]))
        self.assertIn("What create would run", self.run_ok("check", "-f", "-", stdin=text))
        self.run_ok("create", "-f", "-", "--wait", stdin=text)
        self.assertEqual(["pipe"], [pipe["name"] for pipe in self.penstock.pipes()])

    def test_a_second_document_is_refused(self):
        text = yaml.safe_dump(self.spec(["t"]))
        error = self.refusal("create", "-f", "-", stdin=text + "---\n" + text)
        self.assertIn("another document begins", error)
        self.assertIn(f"line {len(text.splitlines()) + 2}: ", error)
        self.assertEqual([], self.penstock.pipes())

    # --- answers ---

    def test_errors_are_the_bad_ones_of_the_events(self):
        self.create()
        self.source.run("ALTER TABLE shop.t DROP PRIMARY KEY")
        self.addCleanup(self.source.run, "ALTER TABLE shop.t ADD PRIMARY KEY (id)")
        self.penstock.await_state(self.pipe, "Degraded")
        errors = json.loads(self.run_ok("errors", "pipe", "--output", "json"))
        self.assertIn("shop.t", str(errors))
        self.assertEqual(set(), {event["level"] for event in errors} - {"warning", "error"})
        self.assertIn("shop.t", self.run_ok("errors", "pipe", "--limit", 1))

    def test_what_became_of_the_tables_of_a_deleted_pipe(self):
        for words, said in ((["--drop", "--wait"], "are dropped"), (["--wait"], "stay"),
                            (["--drop"], "(are dropped|will be dropped, as soon as it answers)")):
            self.create()
            self.assertRegex(self.run_ok("delete", "pipe", *words), f"in ClickHouse {said}\n$")
            wait_until(lambda: not self.penstock.pipes(), "deleted")
            self.clickhouse.query("DROP DATABASE IF EXISTS replica SYNC")

    def test_what_is_not_known_while_paused_is_not_shown(self):
        self.create()
        self.await_caught_up()
        wait_until(lambda: re.search("(?m)^source at ", self.run_ok("show", "pipe")), "source at")
        self.run_ok("pause", "pipe", "--wait")
        self.assertNotRegex(self.run_ok("show", "pipe"), "(?m)^(source at|log kept) ")
        self.assertNotIn("lag", self.run_ok("status", "pipe"))

    def test_adding_a_table_waits_for_no_other_pipe(self):
        self.create()
        for _ in range(3):
            self.run_ok("add-table", "pipe", "shop.plain", "--wait")
            self.run_ok("remove-table", "pipe", "shop.plain", "--drop", "--wait")
        self.assertNotIn("another pipe", self.penstock.process.log.read_text())

    # --- help ---

    def test_help_of_the_servers(self):
        self.assertIn("penstock clickhouse --data-dir", self.run_ok("clickhouse", "--help"))
        shown = self.run_ok("serve", "--help")
        for words in ("SIGHUP", "PENSTOCK_LISTEN", "PENSTOCK_CLICKHOUSE_PASSWORD", "Examples:"):
            self.assertIn(words, shown)
