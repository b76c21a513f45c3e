"""Tables without a key: refused, or with identicalRowsMayCollapse told apart by their whole rows."""

import contextlib
import unittest

from harness import compare
from harness.case import SystemTest
from harness.penstock import ApiError
from harness.sources import MariaDB1011, MySQL97

COLUMNS = """n INT NULL, t VARCHAR(20) NULL, f DOUBLE NULL, d DECIMAL(8,2) NOT NULL,
    e ENUM('x','y') NULL, b BLOB NULL, j JSON NULL, at DATETIME(3) NULL, bits BIT(4) NULL, UNIQUE (n)"""
ROW = "'Text', 0.1, 2.5, 'x', X'00FF', '{\"a\": [1]}', '2024-02-29 01:02:03.004', 5"


class Keyless:
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def setUp(self):
        self.fresh_shop()

    def tearDown(self):
        self.delete_pipes()

    def keyless_spec(self, *tables, **settings):
        spec = self.spec(tables, **settings)
        for table in spec["source"]["mysql"]["tableMappings"][:-1]:
            table["identicalRowsMayCollapse"] = True
        return spec

    def rows(self, table):
        """Of the source, equal ones as one; and of ClickHouse, as it shows them."""
        with contextlib.closing(self.source.connect()) as connection:
            columns = compare.source_columns(connection, "shop", table)
            types = compare.target_types(self.clickhouse.url, "replica", table)
            for column in columns:
                column.target_type = types[column.name]
            return (sorted(set(compare.source_rows(connection, "shop", table, columns, columns))),
                    sorted(compare.target_rows(self.clickhouse.url, "replica", table, columns,
                                               columns)))

    def assert_same_rows(self, table):
        self.await_caught_up()
        source, target = self.rows(table)
        self.assertEqual(source, target)
        return len(target)

    def findings(self, spec, check="table_keys"):
        return [(finding["severity"], finding["message"], finding["remedy"] + finding["statement"])
                for finding in self.penstock.check(spec)["findings"] if finding["check"] == check]

    def test_check(self):
        self.source.run(f"CREATE TABLE shop.t ({COLUMNS})")
        ((severity, message, remedy),) = self.findings(self.spec(["t"]))
        self.assertEqual("error", severity)
        self.assertIn("shop.t has neither a primary key nor a unique key", message)
        self.assertIn("identicalRowsMayCollapse", remedy)
        self.assertIn("INVISIBLE", remedy)
        with self.assertRaisesRegex(ApiError, "neither a primary key"):
            self.penstock.create(self.spec(["t"]))
        ((severity, message, _),) = self.findings(self.keyless_spec("t"))
        self.assertEqual("warning", severity)
        self.assertIn("rows that are equal are one in ClickHouse", message)
        with self.assertRaisesRegex(ApiError, "allowNullableColumns"):
            self.penstock.create(self.keyless_spec("t", allowNullableColumns=False))
        self.source.run("ALTER TABLE shop.t ADD COLUMN p POINT")
        with self.assertRaisesRegex(ApiError, "excludedColumns"):
            self.penstock.create(self.keyless_spec("t"))

    def test_both_ways(self):
        self.source.run(f"CREATE TABLE shop.t ({COLUMNS})",
                        f"INSERT INTO shop.t VALUES (1, {ROW}), (2, {ROW}), (NULL, {ROW}), "
                        f"(NULL, {ROW}), (3, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL)")
        pipe = self.penstock.create(self.keyless_spec("t"))
        self.penstock.await_state(pipe, "Running")
        self.assertEqual(4, self.assert_same_rows("t"))
        self.source.run(f"INSERT INTO shop.t VALUES (10, {ROW}), (11, {ROW}), (NULL, {ROW})",
                        "INSERT INTO shop.t (n, d) VALUES (12, 1), (NULL, 1)",
                        "UPDATE shop.t SET n = NULL WHERE n = 3",
                        "UPDATE shop.t SET t = 'tEXT', j = '[]', f = NULL WHERE n = 1",
                        "DELETE FROM shop.t WHERE n = 2")
        self.assertEqual(7, self.assert_same_rows("t"))
        self.source.run("DELETE FROM shop.t WHERE t IS NULL", "UPDATE shop.t SET t = NULL")
        self.assertEqual(4, self.assert_same_rows("t"))

    def test_one_of_two_equal_rows(self):
        """What the setting accepts: who goes takes the equal one along."""
        self.source.run("CREATE TABLE shop.t (v INT)", "INSERT INTO shop.t VALUES (7), (7), (8), (8)")
        pipe = self.penstock.create(self.keyless_spec("t"))
        self.penstock.await_state(pipe, "Running")
        self.assertEqual(2, self.assert_same_rows("t"))
        self.source.run("DELETE FROM shop.t WHERE v = 7 LIMIT 1")
        self.await_caught_up()
        self.assertEqual("8\n", self.clickhouse.query("SELECT v FROM replica.t FINAL"))

    def test_rows_take_the_place_of_others_within_a_statement(self):
        """Over several events of the log and several batches."""
        numbers = ",".join(f"({number}, 'row')" for number in range(2000))
        self.source.run("CREATE TABLE shop.t (n INT, v VARCHAR(9))",
                        f"INSERT INTO shop.t VALUES {numbers}")
        pipe = self.penstock.create(self.keyless_spec("t", pullBatchSize=100))
        self.penstock.await_state(pipe, "Running")
        self.source.run("BEGIN", "UPDATE shop.t SET n = n + 1", "UPDATE shop.t SET n = n - 3",
                        "UPDATE shop.t SET n = n + 7 WHERE n > 300", "DELETE FROM shop.t WHERE n = 9",
                        "COMMIT")
        self.assertEqual(1999, self.assert_same_rows("t"))

    def test_partition_key(self):
        """The way to read such a table in parts."""
        rows = ",".join(f"({number // 3 or 'NULL'}, 'row {number}')" for number in range(5000))
        self.source.run("CREATE TABLE shop.t (n INT, v VARCHAR(9), KEY (n))",
                        f"INSERT INTO shop.t VALUES {rows}")
        spec = self.keyless_spec("t")
        spec["source"]["mysql"]["tableMappings"][0]["partitionKey"] = "n"
        pipe = self.penstock.create(spec)
        self.penstock.await_state(pipe, "Running")
        self.assertEqual(5000, self.assert_same_rows("t"))
        self.assertGreater(self.penstock.status(pipe)["tables"][0]["partitionsDone"], 2)


class KeylessMySQL(Keyless, SystemTest):
    source_class = MySQL97


class KeylessMariaDB(Keyless, SystemTest):
    source_class = MariaDB1011


if __name__ == "__main__":
    unittest.main()
