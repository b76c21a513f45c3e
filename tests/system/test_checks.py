"""What cannot work is refused with its reason, before anything is made."""

import copy
import ctypes
import json
import os
import subprocess
import unittest

import yaml

from harness.case import SystemTest
from harness.clickhouse import ClickHouse
from harness.penstock import ApiError, Penstock, mapping
from harness.process import Folder, free_port
from harness.proxy import Proxy
from harness.sources import MariaDB1011, MySQL97
from harness.wait import wait_until


class Checks:
    """Each: `penstock check` and create both say what is wrong; no table, no pipe."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()
        cls.source.run("CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY, v INT)",
                       "INSERT INTO shop.t VALUES (1,1)", "CREATE TABLE shop.nokey (v INT)")

    def setUp(self):
        self.good = self.spec(["t"])
        self.clickhouse.query("DROP DATABASE IF EXISTS replica SYNC")

    def write(self, spec):
        path = self.penstock.folder / "pipe.yaml"
        path.write_text(yaml.safe_dump(spec))
        return path

    def broken(self, **mysql):
        spec = copy.deepcopy(self.good)
        spec["source"]["mysql"].update(mysql)
        return spec

    def assert_nothing_made(self):
        self.assertEqual([], self.penstock.pipes())
        self.assertEqual("0\n", self.clickhouse.query(
            "SELECT count() FROM system.databases WHERE name = 'replica'"))

    def assert_refused(self, spec, *words):
        """check and create fail with exit code 1 and one clear text; nothing is left behind."""
        path = self.write(spec)
        for command in ("check", "create"):
            with self.subTest(command=command):
                code, out, err = self.penstock.cli(command, "-f", path)
                self.assertEqual(1, code, out + err)
                for word in words:
                    self.assertIn(word.lower(), (out + err).lower())
                self.assertNotIn(self.good["source"]["mysql"]["credentials"]["password"], out + err)
                self.assert_nothing_made()
        with self.assertRaises(ApiError) as refused:
            self.penstock.create(spec)
        self.assertEqual(400, refused.exception.status)
        self.assert_nothing_made()

    def test_good_pipe_passes_and_changes_nothing(self):
        code, out, err = self.penstock.cli("check", "-f", self.write(self.good))
        self.assertEqual(0, code, out + err)
        self.assertIn("CREATE TABLE", out)
        self.assert_nothing_made()

    def test_wrong_password(self):
        self.assert_refused(self.broken(credentials={"username": "penstock", "password": "wrong"}),
                            "denied", "penstock")

    def test_unknown_host(self):
        self.assert_refused(self.broken(host="no-such-host.invalid"), "no-such-host.invalid")

    def test_nobody_listens(self):
        port = free_port()
        self.assert_refused(self.broken(port=port), str(port))

    def test_what_listens_does_not_speak(self):
        with Proxy(self.source.port) as other:
            other.refusing = True
            self.assert_refused(self.broken(port=other.port), str(other.port), "check host and port")

    def test_a_user_of_tls_only(self):
        self.source.run("CREATE USER IF NOT EXISTS 'careful'@'%' IDENTIFIED BY 'c' REQUIRE SSL")
        self.assert_refused(self.broken(credentials={"username": "careful", "password": "c"},
                                        disableTls=True), "denied", "leave disableTls out")

    def test_unknown_table(self):
        self.assert_refused(self.broken(tableMappings=[mapping("shop", "absent")]), "shop.absent")

    def test_table_without_key(self):
        self.assert_refused(self.broken(tableMappings=[mapping("shop", "nokey")]), "shop.nokey",
                            "key")

    def test_type_that_cannot_be_held(self):
        self.source.run("CREATE TABLE IF NOT EXISTS shop.shapes "
                        "(id INT PRIMARY KEY, g GEOMETRY NOT NULL)")
        self.assert_refused(self.broken(tableMappings=[mapping(
            "shop", "shapes", useCustomSortingKey=True, sortingKeys=["g"])]), "shapes", "g",
                            "geometry")

    def test_missing_privilege_to_replicate(self):
        self.source.run("CREATE USER IF NOT EXISTS 'reader'@'%' IDENTIFIED BY 'r'",
                        "GRANT SELECT ON *.* TO 'reader'@'%'")
        self.assert_refused(self.broken(credentials={"username": "reader", "password": "r"}),
                            "REPLICATION", "GRANT")

    def test_missing_privilege_to_read(self):
        self.source.run("CREATE USER IF NOT EXISTS 'blind'@'%' IDENTIFIED BY 'b'",
                        "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'blind'@'%'")
        self.assert_refused(self.broken(credentials={"username": "blind", "password": "b"}), "shop.t")

    def test_destination_not_there(self):
        spec = copy.deepcopy(self.good)
        spec["destination"]["clickhouse"]["url"] = f"http://127.0.0.1:{free_port()}"
        self.assert_refused(spec, "127.0.0.1")

    def test_destination_table_holds_rows(self):
        self.clickhouse.query("CREATE DATABASE taken")
        self.clickhouse.query("CREATE TABLE taken.t (id Int32) ENGINE = MergeTree ORDER BY id")
        self.clickhouse.query("INSERT INTO taken.t VALUES (1)")
        spec = copy.deepcopy(self.good)
        spec["destination"]["database"] = "taken"
        code, out, err = self.penstock.cli("create", "-f", self.write(spec))
        self.assertEqual(1, code)
        self.assertIn("`taken`.`t`", out + err)
        self.assertEqual([], self.penstock.pipes())
        self.assertEqual("1\n", self.clickhouse.query("SELECT count() FROM taken.t"))
        self.clickhouse.query("DROP DATABASE taken SYNC")

    def test_connection_lost_between_check_and_create(self):
        """The source goes away right after the checks: the pipe waits for it, and then works."""
        with Proxy(self.source.port) as proxy:
            pipe = self.penstock.create(self.broken(port=proxy.port))
            proxy.refusing = True
            proxy.cut()
            wait_until(lambda: self.penstock.state(pipe) in ("Provisioning", "Setup", "Snapshot",
                                                             "Running"), "a state that goes on")
            proxy.refusing = False
            self.penstock.await_state(pipe, "Running")
        self.penstock.delete(pipe)


class ChecksMySQL(Checks, SystemTest):
    source_class = MySQL97


class ChecksMariaDB(Checks, SystemTest):
    source_class = MariaDB1011


USERS = """<clickhouse>
  <profiles><default/><old><enable_time_time64_type>0</enable_time_time64_type></old></profiles>
  <quotas><default/></quotas>
  <users>
    <default>
      <password/><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>
    </default>
    <old>
      <password/><networks><ip>::/0</ip></networks><profile>old</profile><quota>default</quota>
    </old>
    {more}
  </users>
</clickhouse>
"""
USER = """<{name}>
      <password/><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>
      <grants>{grants}</grants>
    </{name}>
"""
GRANTS = {
    "maker": ["CREATE DATABASE, CREATE TABLE, INSERT, SELECT ON replica.*",
              "TABLE ENGINE ON ReplacingMergeTree"],
    "exchanger": ["CREATE DATABASE, CREATE TABLE, DROP TABLE, INSERT, SELECT ON replica.*",
                  "TABLE ENGINE ON ReplacingMergeTree"],
    "writer": ["INSERT, SELECT ON replica.t", "INSERT, SELECT ON replica.marker"],
    "emptier": ["INSERT, SELECT, TRUNCATE ON replica.t", "INSERT, SELECT ON replica.marker",
                "SELECT ON system.processes"],
    "reader": ["SELECT ON replica.*"],
}


class Destination(SystemTest):
    """Users of ClickHouse who may do no more than they must, or have other defaults."""

    assert_nothing_made = Checks.assert_nothing_made
    write = Checks.write

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        users = USERS.format(more="".join(
            USER.format(name=name, grants="".join(f"<query>GRANT {each}</query>" for each in grants))
            for name, grants in GRANTS.items()))
        cls.start_source()
        cls.clickhouse = cls.use("clickhouse", lambda: ClickHouse(users=users))
        cls.penstock = cls.enterClassContext(Penstock())
        cls.source.run("CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY, at TIME(3))",
                       "INSERT INTO shop.t VALUES (1, '-01:02:03.004')")

    def setUp(self):
        self.clickhouse.query("DROP DATABASE IF EXISTS replica SYNC")
        self.pipe = None

    def tearDown(self):
        if self.pipe:
            self.penstock.delete(self.pipe)

    def spec_of(self, user):
        spec = self.spec(["t"])
        spec["destination"]["clickhouse"] = self.clickhouse.endpoint(user)
        return spec

    def assert_replicates(self, spec):
        self.pipe = self.penstock.create(spec)
        self.penstock.await_state(self.pipe, "Running")
        self.source.run("REPLACE INTO shop.t VALUES (2, '838:59:58.999')")
        self.await_caught_up()
        self.assert_equal(spec)

    def planned(self, spec):
        code, out, err = self.penstock.cli("check", "-f", self.write(spec), "--output", "json")
        self.assertEqual(0, code, err)
        return json.loads(out)["ddl"]

    def test_what_it_makes_and_writes_is_enough(self):
        self.assert_replicates(self.spec_of("maker"))

    def test_what_is_there_needs_no_privilege_to_make_it(self):
        for statement in self.planned(self.spec_of("default")):
            self.clickhouse.query(statement)
        spec = self.spec_of("writer")
        self.assertEqual([], self.planned(spec))
        self.assert_replicates(spec)

    def test_a_truncate_needs_a_privilege(self):
        """check warns of it; inserts in flight are ended without any other."""
        for statement in self.planned(self.spec_of("default")):
            self.clickhouse.query(statement)
        report = self.penstock.check(self.spec_of("writer"))
        warnings = [finding["message"] + finding["statement"] for finding in report["findings"]
                    if finding["severity"] == "warning"]
        for words in ("may not TRUNCATE `replica`.", "SELECT ON system.processes", "may not DROP TABLE on `replica`.*"):
            self.assertIn(words, "".join(warnings))
        spec = self.spec_of("emptier")
        self.assert_replicates(spec)
        self.source.run("TRUNCATE shop.t", "INSERT INTO shop.t VALUES (1, '-01:02:03.004')")
        self.await_caught_up()
        self.assertEqual("Running", self.penstock.state(self.pipe), self.penstock.process.tail())
        self.assert_equal(spec)

    def test_a_snapshot_alone_exchanges_tables(self):
        spec = self.spec_of("maker")
        spec["source"]["mysql"]["settings"]["replicationMode"] = "snapshot"
        code, out, _ = self.penstock.cli("check", "-f", self.write(spec))
        self.assertEqual(1, code)
        self.assertIn("may not DROP TABLE on `replica`.*", out)
        self.assertNotIn("may not CREATE", out)
        spec["destination"]["clickhouse"] = self.clickhouse.endpoint("exchanger")
        self.pipe = self.penstock.create(spec)
        self.penstock.await_state(self.pipe, "Completed")
        self.assert_equal(spec)

    def test_what_is_missing_is_named(self):
        code, out, _ = self.penstock.cli("check", "-f", self.write(self.spec_of("reader")))
        self.assertEqual(1, code)
        for words in ("may not CREATE DATABASE on `replica`.*", "GRANT INSERT ON `replica`.*",
                      "may not CREATE TABLE on `replica`.`t`",
                      "may not TABLE ENGINE on ReplacingMergeTree"):
            self.assertIn(words, out)
        errors = "".join(line for line in out.splitlines() if line.startswith("  error"))
        self.assertIn("may not INSERT", errors)
        self.assertNotIn("may not SELECT", errors)
        self.assertNotIn("DROP", errors)
        self.assert_nothing_made()

    def test_time_columns_where_they_are_not_allowed_by_default(self):
        """As in ClickHouse 25.6 to 25.11."""
        self.assert_replicates(self.spec_of("old"))


class ServerSettings:
    """A source whose configuration cannot be replicated from."""

    options = {}
    words = ()
    wrong_source = None

    assert_refused = Checks.assert_refused
    assert_nothing_made = Checks.assert_nothing_made
    write = Checks.write

    def test_refused(self):
        for family, options, words in self.wrong_source:
            with self.subTest(options=options):
                type(self).source_class, type(self).source_options = family, options
                self.start_source()
                self.source.run("CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY)")
                self.good = self.spec(["t"])
                self.assert_refused(self.good, *words)
                self.source.close()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()


class ServerSettingsMariaDB(ServerSettings, SystemTest):
    source_class = MariaDB1011
    wrong_source = [
        (MariaDB1011, {"log_bin": None}, ("log_bin",)),
        (MariaDB1011, {"binlog_format": "STATEMENT"}, ("binlog_format", "ROW")),
        (MariaDB1011, {"binlog_format": "MIXED"}, ("binlog_format", "ROW"))]


class ServerSettingsMySQL(ServerSettings, SystemTest):
    source_class = MySQL97
    wrong_source = [
        (MySQL97, {"log_bin": None, "skip_log_bin": "1", "gtid_mode": "OFF",
                   "enforce_gtid_consistency": "OFF"}, ("log_bin",)),
        (MySQL97, {"binlog_format": "STATEMENT"}, ("binlog_format", "ROW")),
        (MySQL97, {"binlog_row_value_options": "PARTIAL_JSON", "binlog_row_image": "MINIMAL"},
         ("binlog_row_value_options", "binlog_row_image", "FULL"))]


class SmallDisk:
    """A tmpfs of its own, in a mount namespace of this process. Root only."""

    def __init__(self, size):
        self._folder = Folder("disk")
        self.path = self._folder.path
        self._size = size

    def __enter__(self):
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={self._size}", "tmpfs",
                               self.path], capture_output=True, text=True, check=False)
        if done.returncode:
            self._folder.__exit__()
            raise unittest.SkipTest(f"a small disk cannot be mounted here: {done.stderr.strip()}")
        return self.path

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", self.path], check=False)
        self._folder.__exit__()


class FullDisk(SystemTest):
    """The data directory's disk is full: said, survived, and well again once there is room."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if os.geteuid() != 0:
            raise unittest.SkipTest("mounting a small disk needs root")
        # Mounts of this process are its own, and go with it.
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(0x00020000) != 0:
            raise unittest.SkipTest("no mount namespaces here")
        subprocess.run(["mount", "--make-rprivate", "/"], check=False)
        cls.disk = cls.enterClassContext(SmallDisk("8m"))
        cls.start_source()
        cls.clickhouse = cls.use("clickhouse", ClickHouse)

    def setUp(self):
        self.fresh_shop()
        self.source.run("CREATE TABLE shop.t (id INT PRIMARY KEY)", "INSERT INTO shop.t VALUES (1)")

    def fill(self):
        filler = self.disk / "filler"
        with open(filler, "wb", buffering=0) as stream:
            try:
                while True:
                    stream.write(b"\0" * 4096)
            except OSError:
                pass
        return filler

    def test_create_on_a_full_disk(self):
        with Penstock(data_dir=self.disk / "data") as self.penstock:
            spec = self.spec(["t"])
            filler = self.fill()
            with self.assertRaises(ApiError) as refused:
                self.penstock.create(spec)
            self.assertIn("disk", refused.exception.text.lower())
            self.assertEqual([], self.penstock.pipes())
            self.assertEqual("0\n", self.clickhouse.query(
                "SELECT count() FROM system.databases WHERE name = 'replica'"))
            self.assertTrue(self.penstock.healthy())
            filler.unlink()
            pipe = self.penstock.create(spec)
            self.penstock.await_state(pipe, "Running")
            filler = self.fill()
            self.source.run("INSERT INTO shop.t SELECT seq + 1 FROM seq_1_to_1000",
                            database="shop")
            wait_until(lambda: "disk" in self.penstock.process.tail(), "the full disk is noticed")
            filler.unlink()
            self.await_caught_up()
            self.assert_equal(spec)
            self.penstock.delete(pipe)

    def test_a_full_disk_for_long(self):
        """Degraded, though nothing can be stored of that, until there is room."""
        with Penstock("--test-limits", data_dir=self.disk / "other") as self.penstock:
            spec = self.spec(["t"])
            pipe = self.penstock.create(spec)
            self.penstock.await_state(pipe, "Running")
            self.await_caught_up()
            filler = self.fill()
            def reasons():
                first = self.source.run("SELECT MAX(id) FROM shop.t")[0][0]
                self.source.run(f"INSERT INTO shop.t SELECT seq + {first} FROM seq_1_to_1000", database="shop")
                return [reason["text"] for reason in self.penstock.status(pipe)["reasons"]]
            wait_until(lambda: "catalog: failing" in "".join(reasons()),
                       lambda: self.penstock.process.tail(), 60)
            self.assertEqual("Degraded", self.penstock.state(pipe))
            self.assertIn("disk", self.penstock.cli("show", "pipe")[1].lower())
            filler.unlink()
            self.penstock.await_state(pipe, "Running")
            self.await_caught_up()
            self.assert_equal(spec)
            self.penstock.delete(pipe)


if __name__ == "__main__":
    unittest.main()
