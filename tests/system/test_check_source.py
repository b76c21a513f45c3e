"""What the checks say of a source: each is made to fail, mended by the statement that it names, and
passes."""

import contextlib
import unittest

from harness.case import SystemTest
from harness.clickhouse import ClickHouse
from harness.findings import Findings
from harness.penstock import Penstock, mapping
from harness.proxy import Proxy
from harness.sources import MariaDB1011, MySQL97


class SourceChecks(Findings):
    other_type = ""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()
        cls.source.run("CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY, v INT)",
                       "INSERT INTO shop.t VALUES (1, 1)")

    def setUp(self):
        self.good = self.spec(["t"])

    def as_user(self, name, *statements):
        """A spec of a user with these rights; {} stands for it."""
        self.source.run(f"DROP USER IF EXISTS {name}", f"CREATE USER {name} IDENTIFIED BY 'p'",
                        *(statement.format(name) for statement in statements))
        return self.changed(credentials={"username": name, "password": "p"})

    @contextlib.contextmanager
    def globals(self, **variables):
        """Sets them, and puts them back."""
        before = {name: self.source.run(f"SELECT @@global.{name}")[0][0] for name in variables}
        self.source.run(*(f"SET GLOBAL {name} = {value!r}" for name, value in variables.items()))
        try:
            yield
        finally:
            self.source.run(*(f"SET GLOBAL {name} = {value!r}" for name, value in before.items()))

    def test_nothing_is_wrong(self):
        spec = self.as_user("whole", "GRANT SELECT, RELOAD, REPLICATION SLAVE, REPLICATION CLIENT "
                            "ON *.* TO {}", *self.whole_rights)
        report = self.penstock.check(spec)
        self.assertTrue(report["ok"])
        self.assertEqual([], [finding for finding in report["findings"]
                              if finding["severity"] != "ok"])
        groups = [finding["group"] for finding in report["findings"]]
        self.assertEqual(groups, sorted(groups, key=["source", "tables", "destination"].index))
        self.assertIn("'whole'@'%'", self.found("source_connection", "ok", spec)["message"])

    def test_format(self):
        with self.globals(binlog_format="MIXED"):
            self.assert_mends("binlog_format", "error", "MIXED")

    def test_row_image(self):
        with self.globals(binlog_row_image="MINIMAL"):
            self.assert_mends("binlog_row_image", "warning", "MINIMAL")

    def test_row_metadata(self):
        for value in self.metadata:
            with self.subTest(value), self.globals(binlog_row_metadata=value):
                self.assert_mends("binlog_row_metadata", "warning", value, "unnoticed")

    def test_retention(self):
        with self.globals(binlog_expire_logs_seconds=3600):
            self.assert_mends("log_retention", "warning", "1.0 h")

    def test_retention_of_a_hosted_server(self):
        """As on RDS: a setting of its own, in a table that not everyone may read."""
        self.source.run("CREATE TABLE mysql.rds_configuration (name VARCHAR(100), value VARCHAR(100))",
                        "INSERT INTO mysql.rds_configuration VALUES ('binlog retention hours', NULL)",
                        "CREATE PROCEDURE mysql.rds_set_configuration (n VARCHAR(100), v INT) "
                        "UPDATE mysql.rds_configuration SET value = v WHERE name = n")
        try:
            spec = self.as_user("tenant", "GRANT SELECT ON shop.* TO {}",
                                "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO {}")
            spec["source"]["mysql"]["type"] = f"rds{self.source.family}"
            self.assertIn("RDS", self.found("source_version", "ok", spec)["message"])
            refused = self.found("log_retention", "warning", spec)
            self.assertIn("could not be looked at", refused["message"])
            self.source.run(refused["statement"])
            statement = self.assert_mends("log_retention", "warning", "as soon as it can", spec=spec)
            self.assertIn("rds_set_configuration", statement)
        finally:
            self.source.run("DROP TABLE mysql.rds_configuration",
                            "DROP PROCEDURE mysql.rds_set_configuration")
        self.assertNotIn("error", [finding["severity"] for finding in
                                   self.findings("log_retention",
                                                 self.changed(type=f"rds{self.source.family}"))])

    def test_server_id_of_the_pipe(self):
        self.found("server_id", "error", self.changed(serverId=1))
        self.found("server_id", "ok", self.changed(serverId=77))

    def test_type(self):
        self.assertIn(self.other_type, self.found("source_version", "ok")["message"] +
                      self.findings("source_version", self.changed(type=self.other_type))[-1]["message"])
        self.assertEqual("warning", self.findings(
            "source_version", self.changed(type=self.other_type))[-1]["severity"])

    def test_rights_to_the_log(self):
        reader = self.as_user("reader", "GRANT SELECT ON *.* TO {}",
                              "GRANT REPLICATION CLIENT ON *.* TO {}")
        self.assert_mends("replication_privilege", "error", "read the binary log", spec=reader)
        asker = self.as_user("asker", "GRANT SELECT ON *.* TO {}",
                             "GRANT REPLICATION SLAVE ON *.* TO {}")
        self.assertIn(self.monitor, self.assert_mends("replication_privilege", "error",
                                                      "where the log ends", spec=asker))

    def test_a_user_of_few_rights_has_no_false_error(self):
        """Nor one from what it may not look at."""
        spec = self.as_user("few", "GRANT SELECT ON shop.* TO {}",
                            "GRANT REPLICATION SLAVE ON *.* TO {}",
                            f"GRANT {self.monitor} ON *.* TO {{}}")
        spec["source"]["mysql"]["settings"]["snapshotMaxReplicaLagSeconds"] = 10
        report = self.penstock.check(spec)
        self.assertEqual([], [finding for finding in report["findings"]
                              if finding["severity"] in ("error", "notRun")])

    def test_rights_to_the_tables(self):
        rights = ("GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO {}",
                  "GRANT SELECT ON shop.marker TO {}")
        column = self.as_user("col", *rights, "GRANT SELECT (id) ON shop.t TO {}")
        self.assert_mends("select_privilege", "error", "shop.t", "1 columns are shown", spec=column)
        blind = self.as_user("blind", *rights)
        self.assert_mends("tables_exist", "error", "shop.t", spec=blind)

    def test_rights_by_a_role(self):
        self.source.run("DROP ROLE IF EXISTS seller", "CREATE ROLE seller",
                        "GRANT SELECT ON shop.* TO seller")
        spec = self.as_user("byrole", "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO {}",
                            "GRANT seller TO {}")
        self.assertFalse(self.penstock.check(spec)["ok"])
        self.source.run(self.default_role)
        self.assertTrue(self.penstock.check(spec)["ok"])
        self.found("select_privilege", "ok", spec)

    def test_a_table_without_a_key(self):
        self.source.run("DROP TABLE IF EXISTS shop.nokey", "CREATE TABLE shop.nokey (v INT)")
        self.assert_mends("table_keys", "error", "shop.nokey", spec=self.of_tables("nokey"))

    def test_a_view(self):
        self.source.run("CREATE OR REPLACE VIEW shop.look AS SELECT * FROM shop.t")
        error = self.found("tables_exist", "error", self.of_tables("look"))
        self.assertIn("shop.look is a view", error["message"])
        self.assertEqual("", error["statement"])

    def test_what_is_not_there(self):
        for schema, table, what in (("shop", "gone", "table shop.gone"), ("mall", "t", "database mall")):
            error = self.found("tables_exist", "error",
                               self.changed(tableMappings=[mapping(schema, table)]))
            self.assertIn(f"the source has no {what}", error["message"])
            self.assertNotIn("may not see", error["message"])
            self.assertEqual("", error["statement"])

    def test_storage_engines(self):
        for engine in self.engines:
            with self.subTest(engine):
                self.source.run("DROP TABLE IF EXISTS shop.odd",
                                f"CREATE TABLE shop.odd (id INT PRIMARY KEY) ENGINE = {engine}")
                self.assert_mends("storage_engines", "warning", "shop.odd", engine,
                                  spec=self.of_tables("odd", "t"))

    def test_names_of_our_columns(self):
        self.source.run("DROP TABLE IF EXISTS shop.ours",
                        "CREATE TABLE shop.ours (id INT PRIMARY KEY, _penstock_version INT)")
        self.assertIn("_penstock_version",
                      self.found("table_columns", "error", self.of_tables("ours"))["message"])
        self.found("table_columns", "ok",
                   self.of_tables("ours", excludedColumns=["_penstock_version"]))

    def test_time_zone_behind_a_proxy(self):
        with Proxy(self.source.port) as proxy:
            spec = self.changed(port=proxy.port)
            self.found("time_zone", "ok", spec)
            proxy.replace = (b"+00:00", b"+01:00")
            self.assertIn("+01:00", self.found("time_zone", "error", spec)["message"])

    def test_size_of_the_snapshot(self):
        self.assertIn("followed beside", self.found("snapshot_size", "ok")["message"])
        self.source.run("CREATE TABLE IF NOT EXISTS shop.sized (id INT PRIMARY KEY, v CHAR(200))",
                        "REPLACE INTO shop.sized WITH RECURSIVE n AS (SELECT 1 i UNION ALL SELECT "
                        "i + 1 FROM n WHERE i < 900) SELECT i, REPEAT('x', 200) FROM n",
                        "ANALYZE TABLE shop.sized")
        spec = self.of_tables("sized", tableEngine="MergeTree")
        spec["source"]["mysql"]["settings"]["snapshotRowsPerSecond"] = 1
        with self.globals(binlog_expire_logs_seconds=600):
            self.assertIn("followed when their load is over",
                          self.found("snapshot_size", "warning", spec)["message"])
        with self.globals(binlog_expire_logs_seconds=86400):
            self.found("snapshot_size", "ok", spec)

    def test_what_cannot_be_looked_at_is_not_run(self):
        spec = self.changed(credentials={"username": "penstock", "password": "wrong"})
        spec["destination"]["clickhouse"]["url"] = "http://127.0.0.1:1"
        findings = {finding["check"]: finding for finding in
                    self.penstock.check(spec)["findings"]}
        for name in ("source_connection", "destination_connection"):
            self.assertEqual("error", findings[name]["severity"])
        for name in ("binlog_format", "tables_exist", "table_keys", "target_tables"):
            self.assertEqual("notRun", findings[name]["severity"], name)


class SourceChecksMySQL(SourceChecks, SystemTest):
    source_class = MySQL97
    other_type = "mariadb"
    whole_rights = ("GRANT XA_RECOVER_ADMIN ON *.* TO {}",)
    metadata = ("MINIMAL",)
    monitor = "REPLICATION CLIENT"
    default_role = "SET DEFAULT ROLE seller TO byrole"
    engines = ("MyISAM", "MEMORY", "BLACKHOLE")

    def test_server_id(self):
        with self.globals(server_id=0):
            self.assert_mends("server_id", "error")

    def test_partial_json(self):
        with self.globals(binlog_row_value_options="PARTIAL_JSON"):
            self.found("row_value_options", "ok")
            with self.globals(binlog_row_image="MINIMAL"):
                self.assert_mends("row_value_options", "error", "PARTIAL_JSON")

    def test_compression(self):
        with self.globals(binlog_transaction_compression=1):
            self.found("transaction_compression", "ok")
            with self.globals(binlog_transaction_compression_level_zstd=22):
                self.assert_mends("transaction_compression", "warning", "128 MiB")

    def test_gtid_mode(self):
        self.source.run(*(f"SET GLOBAL gtid_mode = {mode}"
                          for mode in ("ON_PERMISSIVE", "OFF_PERMISSIVE", "OFF")))
        self.assert_mends("gtid_mode", "warning", "OFF", "failover")

    def test_prepared_transactions(self):
        self.assert_mends("xa_transactions", "warning",
                          spec=self.as_user("noxa", "GRANT SELECT, REPLICATION SLAVE, REPLICATION "
                                            "CLIENT ON *.* TO {}"))


class SourceChecksMariaDB(SourceChecks, SystemTest):
    source_class = MariaDB1011
    other_type = "mysql"
    whole_rights = ("GRANT SLAVE MONITOR ON *.* TO {}",)
    metadata = ("MINIMAL", "NO_LOG")
    monitor = "BINLOG MONITOR"
    default_role = "SET DEFAULT ROLE seller FOR byrole"
    engines = ("MyISAM", "Aria", "MEMORY")

    def test_compression(self):
        with self.globals(log_bin_compress=1):
            self.assertIn("compressed, and read",
                          self.found("transaction_compression", "ok")["message"])

    def test_cascades(self):
        self.source.run("CREATE TABLE IF NOT EXISTS shop.parent (id INT PRIMARY KEY)",
                        "CREATE TABLE IF NOT EXISTS shop.child (id INT PRIMARY KEY, p INT, FOREIGN "
                        "KEY (p) REFERENCES shop.parent (id) ON DELETE CASCADE)")
        tables = ("parent", "child")
        few = self.as_user("reader", "GRANT SELECT ON *.* TO {}",
                           "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO {}")
        more = self.as_user("owner", "GRANT SELECT, INSERT ON *.* TO {}",
                            "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO {}")
        for spec in (few, more):  # the server shows the rules of a key to the second only
            spec["source"]["mysql"]["tableMappings"] = [mapping("shop", table) for table in tables]
            self.assertIn("ON DELETE CASCADE",
                          self.found("foreign_key_cascades", "warning", spec)["message"])
        self.assert_mends("foreign_key_cascades", "warning", "shop.child", spec=few)

    def test_rows_of_the_past(self):
        self.source.run("CREATE TABLE IF NOT EXISTS shop.versioned (id INT PRIMARY KEY) "
                        "WITH SYSTEM VERSIONING")
        self.source.run("SET GLOBAL system_versioning_asof = '2020-01-01 00:00:00'")
        self.assert_mends("system_versioning", "error", "2020", spec=self.of_tables("versioned"))


class Replica(Findings):
    """A replica that keeps what it replicates out of its log, and hides a database in it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.primary = cls.use(cls.source_class.family, cls.source_class)
        cls.start_source()
        cls.clickhouse = cls.use("clickhouse", ClickHouse)
        cls.penstock = cls.enterClassContext(Penstock())
        cls.source.run("CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY)",
                       "CREATE DATABASE logged", "CREATE TABLE logged.t (id INT PRIMARY KEY)")

    def test_what_is_not_in_its_log(self):
        self.good = self.spec(["t"])
        self.found("replica_updates", "ok")  # not a replica yet
        hidden = self.found("log_filters", "error")
        self.assertIn("shop", hidden["message"])
        self.assertIn("restart", hidden["remedy"])
        self.found("log_filters", "ok", self.changed(tableMappings=[mapping("logged", "t")]))
        self.source.replicate_from(self.primary)
        self.source.run(*self.has_replicated)
        error = self.found("replica_updates", "error")
        self.assertIn(self.variable, error["message"])
        self.assertIn(f"{self.variable}=ON", error["remedy"])
        self.source.run("CREATE USER few IDENTIFIED BY 'p'", "GRANT SELECT ON *.* TO few",
                        f"GRANT {self.rights} ON *.* TO few")
        few = self.changed(credentials={"username": "few", "password": "p"})
        refused = self.found("replica_updates", "warning", few)
        self.source.run(refused["statement"])
        self.found("replica_updates", "error", few)


class ReplicaMySQL(Replica, SystemTest):
    source_class = MySQL97
    source_options = {"log_replica_updates": "OFF", "binlog_ignore_db": "shop", "server_id": "2"}
    variable = "log_replica_updates"
    has_replicated = ("DO 1",)
    rights = "REPLICATION SLAVE"


class ReplicaMariaDB(Replica, SystemTest):
    source_class = MariaDB1011
    source_options = {"log_slave_updates": "OFF", "binlog_do_db": "logged", "server_id": "2"}
    variable = "log_slave_updates"
    has_replicated = ("STOP SLAVE", "SET GLOBAL gtid_slave_pos = '7-9-1'")
    rights = "REPLICATION SLAVE"


if __name__ == "__main__":
    unittest.main()
