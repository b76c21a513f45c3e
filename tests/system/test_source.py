"""What a source may be like: the ways to it, what its user may do, locks, ids, statements in its log."""

import contextlib
import json
import pathlib
import re
import unittest

from harness.case import SystemTest
from harness.proxy import Proxy
from harness.sources import MariaDB118, MariaDB1011, MySQL97
from harness.wait import pause, wait_until

README = pathlib.Path(__file__).resolve().parents[2] / "README.md"


class WithShop(SystemTest):
    """A source with shop.t, a ClickHouse and a penstock, started once for the class."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def setUp(self):
        self.source.run("DROP DATABASE IF EXISTS shop", "CREATE DATABASE shop",
                        "CREATE TABLE shop.t (id INT PRIMARY KEY, v LONGTEXT)",
                        "INSERT INTO shop.t VALUES (1,'a'),(2,'b')")
        self.clickhouse.query("DROP DATABASE IF EXISTS replica SYNC")

    def tearDown(self):
        self.delete_pipes()

    def replicate(self, settings=None, **endpoint):
        """A pipe to the source under these keys works, by snapshot and by the log; its id."""
        spec = self.spec(["t"], **(settings or {}))
        spec["source"]["mysql"].update(endpoint)
        pipe = self.penstock.create(spec)
        self.penstock.await_state(pipe, "Running")
        self.source.run("INSERT INTO shop.t VALUES (3,'c')", "DELETE FROM shop.t WHERE id = 1",
                        "INSERT INTO shop.t VALUES (4, REPEAT('long ', 400000))")
        self.await_caught_up()
        self.assert_equal(spec)
        return pipe

    def user(self, name, *grants):
        """Credentials of a new user with these privileges only."""
        self.source.run(f"DROP USER IF EXISTS {name}", f"CREATE USER {name} IDENTIFIED BY 'secret'",
                        *grants)
        return {"username": name, "password": "secret"}

    def check(self, spec):
        path = self.penstock.folder / "pipe.json"
        path.write_text(json.dumps(spec), encoding="utf-8")
        return self.penstock.cli("check", "-f", path)


class Ways:
    """Over a unix socket, IPv6, and compressed."""

    def test_unix_socket(self):
        self.replicate(host=self.source.socket)

    def test_unix_socket_without_disable_tls(self):
        """A socket of this machine needs no TLS."""
        self.replicate(host=self.source.socket, disableTls=False)

    def test_ipv6(self):
        for host in ("::1", "[::1]"):
            with self.subTest(host=host):
                self.setUp()
                self.replicate(host=host)
                self.tearDown()

    def test_compressed(self):
        """Rows of the log and of the snapshot, in a fraction of their bytes."""
        self.source.run("INSERT INTO shop.t SELECT id + 10, REPEAT('long ', 2000000) FROM shop.t")
        with Proxy(self.source.port) as proxy:
            self.replicate({"useCompression": True}, port=proxy.port)
            self.assertLess(proxy.bytes_down, 2_000_000)


class SelfMadeCertificate:
    """Of a server that makes itself one."""

    def test_compressed_with_tls(self):
        self.replicate({"useCompression": True}, disableTls=False, skipCertVerification=True)


class WaysMySQL(Ways, SelfMadeCertificate, WithShop):
    source_class = MySQL97
    source_options = {"bind_address": "127.0.0.1,::1"}


    def test_certificate_that_the_server_made_itself(self):
        """As README.md says: by its own authority, and the name that it gives itself."""
        with contextlib.closing(self.source.connect()) as connection:
            version = connection.get_server_info().split("-")[0]
        name = f"MySQL_Server_{version}_Auto_Generated_Server_Certificate"
        authority = (self.source.data / "ca.pem").read_text(encoding="ascii").rstrip("\0")
        self.replicate(disableTls=False, tlsHost=name, caCertificate=authority)


class WaysMariaDB(Ways, WithShop):
    source_class = MariaDB1011
    source_options = {"bind_address": "127.0.0.1,::1"}


class WaysMariaDB118(Ways, SelfMadeCertificate, WithShop):
    source_class = MariaDB118
    source_options = {"bind_address": "127.0.0.1,::1"}


def readme_grants(*sections):
    """The GRANT statements of README.md: those for all servers, and those under a comment that
    begins with one of `sections`."""
    block = re.search(r"CREATE USER penstock.*?```", README.read_text(encoding="utf-8"), re.S)[0]
    grants, wanted = [], True
    for line in map(str.strip, block.splitlines()):
        if line.startswith("--"):
            wanted = any(line.startswith(f"-- {section}") for section in sections)
        elif line.startswith("GRANT") and wanted:
            grants.append(line.rstrip(";"))
    return grants


class Grants:
    """Exactly the privileges that README.md names are enough, and `check` misses none."""

    sections = ()

    def test_readme_grants(self):
        grants = readme_grants(*self.sections)
        self.assertEqual(self.grant_count, len(grants), grants)
        credentials = self.user("penstock", *grants)
        spec = self.spec(["t"])
        spec["source"]["mysql"]["credentials"] = credentials
        code, out, err = self.check(spec)
        self.assertEqual(0, code, out + err)
        for word in ("read lock", "XA_RECOVER_ADMIN", "BACKUP_ADMIN"):
            self.assertNotIn(word, out)
        self.replicate(credentials=credentials)


class GrantsMySQL(Grants, WithShop):
    source_class = MySQL97
    sections = ("MySQL (",)
    grant_count = 2


class GrantsMySQLByFile(Grants, WithShop):
    source_class = MySQL97
    source_options = {"gtid_mode": "OFF", "enforce_gtid_consistency": "OFF"}
    sections = ("MySQL",)
    grant_count = 4


class GrantsMariaDB(Grants, WithShop):
    source_class = MariaDB1011
    sections = ("MariaDB",)
    grant_count = 2


class GrantsMariaDB118(Grants, WithShop):
    source_class = MariaDB118
    sections = ("MariaDB",)
    grant_count = 2


class GlobalLock(WithShop):
    """MySQL by file, for a user that may not read log_status: a global read lock of a moment."""

    source_class = MySQL97
    source_options = {"gtid_mode": "OFF", "enforce_gtid_consistency": "OFF"}
    replication = "GRANT SELECT ON shop.* TO locker", \
        "GRANT REPLICATION SLAVE, REPLICATION CLIENT, XA_RECOVER_ADMIN ON *.* TO locker"

    def locks(self):
        """How often anyone asked for the lock."""
        rows = self.source.run(
            "SELECT COUNT_STAR FROM performance_schema.events_statements_summary_by_digest "
            "WHERE digest_text = 'FLUSH TABLES WITH READ LOCK'")
        return int(rows[0][0]) if rows else 0

    def locker_spec(self, *grants):
        spec = self.spec(["t"])
        spec["source"]["mysql"]["credentials"] = self.user("locker", *self.replication, *grants)
        return spec

    def test_check_takes_no_lock_and_says_what_create_will(self):
        before = self.locks()
        code, out, err = self.check(self.locker_spec("GRANT RELOAD ON *.* TO locker"))
        self.assertEqual(0, code, out + err)
        self.assertIn("FLUSH TABLES WITH READ LOCK", out)
        self.assertIn("log_status", out)
        self.assertEqual(before, self.locks())

    def test_without_any_privilege_for_the_position(self):
        for grants in ((), ("GRANT BACKUP_ADMIN ON *.* TO locker",)):
            with self.subTest(grants=grants):
                code, out, err = self.check(self.locker_spec(*grants))
                self.assertEqual(1, code, out + err)
                self.assertIn("Grant BACKUP_ADMIN ON *.* and SELECT ON "
                              "performance_schema.log_status", out + err)

    def test_lock_is_taken_once(self):
        before = self.locks()
        self.replicate(credentials=self.user("locker", *self.replication,
                                             "GRANT RELOAD ON *.* TO locker"))
        self.assertEqual(before + 1, self.locks())

    def test_no_lock_while_xa_transactions_are_prepared(self):
        spec = self.locker_spec("GRANT RELOAD ON *.* TO locker")
        pipe = None
        before = self.locks()
        self.source.run("XA START 'x'", "INSERT INTO shop.t VALUES (9,'x')", "XA END 'x'",
                        "XA PREPARE 'x'")
        try:
            pipe = self.penstock.create(spec)
            self.penstock.await_state(pipe, "Setup")
            pause(3)
            self.assertEqual("Setup", self.penstock.state(pipe))
            self.assertEqual(before, self.locks())
        finally:
            self.source.run("XA COMMIT 'x'")
        self.penstock.await_state(pipe, "Running")
        self.assertEqual(before + 1, self.locks())
        self.await_caught_up()
        self.assertEqual(4, self.assert_equal(spec))

    def test_lock_that_cannot_get_through(self):
        """A long statement is in the way: given up after a few short tries, with a remedy."""
        spec = self.locker_spec("GRANT RELOAD ON *.* TO locker")
        self.source.run("CREATE TABLE shop.other (id INT PRIMARY KEY)")
        before = self.locks()
        with contextlib.closing(self.source.connect()) as blocker:
            with blocker.cursor() as cursor:
                cursor.execute("LOCK TABLES shop.other WRITE")
                pipe = self.penstock.create(spec)
                self.penstock.await_state(pipe, "Failed", seconds=40)
        self.assertLessEqual(self.locks() - before, 5)
        code, out, _ = self.penstock.cli("show", "pipe")
        self.assertEqual(0, code)
        self.assertIn("BACKUP_ADMIN", out)
        self.penstock.order(pipe, "start")
        self.penstock.await_state(pipe, "Running")


class ChangedServerId(WithShop):
    """A server that got another id goes on from a log that holds the old one's transactions only."""

    source_class = MariaDB1011

    def test_load_before_the_first_write_under_the_new_id(self):
        spec = self.spec(["t"])
        self.source.options["server_id"] = "77"
        self.source.restart(kill=False)
        self.assertEqual("", self.source.run("SELECT @@gtid_current_pos")[0][0])
        pipe = self.penstock.create(spec)
        self.penstock.await_state(pipe, "Running", seconds=20)
        self.await_caught_up()
        self.assert_equal(spec)


class RoutineCalls:
    """A session that logs statements: a function's writes are in the log as its call."""

    def test_a_function_call_in_the_log_stops_the_pipe(self):
        self.source.run(
            "CREATE FUNCTION shop.f(x INT) RETURNS INT DETERMINISTIC BEGIN INSERT INTO shop.t "
            "VALUES (x, 'f'); RETURN x; END")
        # By rows nothing is amiss; nor are calls that write nothing, and the usual statements.
        pipe = self.replicate()
        self.source.run("SELECT f(50)", "DO f(51)", "SET @x = f(52)", "SET binlog_format=STATEMENT",
                        "SELECT 1", "DO SLEEP(0)", "ANALYZE TABLE t", "FLUSH TABLES",
                        database="shop")
        self.await_caught_up()
        self.assertEqual("3\n", self.clickhouse.query(
            "SELECT count() FROM replica.t FINAL WHERE id BETWEEN 50 AND 52"))
        self.source.run("SET binlog_format=STATEMENT", "SELECT f(60)", database="shop")
        self.penstock.await_state(pipe, "Failed")
        _, out, _ = self.penstock.cli("show", "pipe")
        self.assertIn("shop.f", out)
        self.assertIn("binlog_format", out)


class RoutineCallsMySQL(RoutineCalls, WithShop):
    source_class = MySQL97
    source_options = {"log_bin_trust_function_creators": "1"}


class RoutineCallsMariaDB(RoutineCalls, WithShop):
    source_class = MariaDB1011


class RoutineCallsMariaDB118(RoutineCalls, WithShop):
    source_class = MariaDB118


class Waits(WithShop):
    """Statements that the source does not answer at once."""

    source_class = MySQL97

    def test_no_session_waits_longer_for_a_lock_than_the_client_for_an_answer(self):
        self.replicate()
        waits = self.source.run(
            "SELECT variable_value FROM performance_schema.variables_by_thread v "
            "JOIN performance_schema.threads t USING (thread_id) "
            "WHERE variable_name = 'lock_wait_timeout' AND processlist_user = 'penstock'")
        self.assertEqual({("50",)}, set(waits))

    def test_a_source_that_is_silent_for_more_than_a_minute(self):
        """As one that counts to the end of a large partition: waited for, and asked only once."""
        self.source.run("INSERT INTO shop.t SELECT id + 10, v FROM shop.t")
        spec = self.spec(["t"])
        with Proxy(self.source.port) as proxy:
            spec["source"]["mysql"]["port"] = proxy.port
            spec["source"]["mysql"]["settings"]["replicationMode"] = "snapshot"
            proxy.hold_answer_of = b"LIMIT 1 OFFSET"
            pipe = self.penstock.create(spec)
            wait_until(lambda: proxy.holding, "the planner's question")
            pause(65)
            self.assertEqual("Snapshot", self.penstock.state(pipe))
            events = self.penstock.api(f"{self.penstock.pipes_path()}/{pipe}/events")
            self.assertEqual([], [event for event in events if "retry" in str(event)])
            proxy.release()
            self.penstock.await_state(pipe, "Completed")
        self.assert_equal(spec)


if __name__ == "__main__":
    unittest.main()
