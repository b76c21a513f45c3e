"""Sources that keep names in lower case (lower_case_table_names=1): the mapping may spell them as
people do, and so may the statements in the log."""

import subprocess
import unittest

from harness.case import SystemTest
from harness.penstock import ApiError, mapping, pipe_spec
from harness.sources import MariaDB1011, MySQL97, as_root_user


class MySQL97LowerCase(MySQL97):
    """The option belongs to the data directory."""

    name = "mysql-9.7-lower"

    @classmethod
    def initialize(cls, data, log):
        with open(log, "wb") as output:
            subprocess.run([*cls.server_command(), f"--datadir={data}", "--initialize-insecure",
                            "--lower-case-table-names=1", *as_root_user()],
                           stdout=output, stderr=output, check=True)


class NameCase:
    source_options = {"lower_case_table_names": "1"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def setUp(self):
        self.fresh_shop()
        self.source.run("CREATE TABLE shop.orders (id INT PRIMARY KEY, v INT)",
                        "INSERT INTO shop.orders VALUES (1, 1), (2, 2)")
        self.addCleanup(self.delete_pipes)

    def test_spelled_in_any_case(self):
        spec = self.spec([])
        spec["source"]["mysql"]["tableMappings"].append(mapping("Shop", "Orders"))
        pipe = self.penstock.create(spec)
        self.penstock.await_state(pipe, "Running")
        self.source.run("UPDATE SHOP.ORDERS SET v = 3 WHERE id = 1",
                        "INSERT INTO shop.Orders VALUES (3, 3)")
        self.await_caught_up()
        self.assertEqual("1\t3\n2\t2\n3\t3\n",
                         self.clickhouse.query("SELECT id, v FROM replica.Orders FINAL ORDER BY id"))
        self.source.run("TRUNCATE TABLE SHOP.Orders", "INSERT INTO shop.ORDERS VALUES (4, 4)")
        self.await_caught_up()
        self.assertEqual("4\t4\n",
                         self.clickhouse.query("SELECT id, v FROM replica.Orders FINAL ORDER BY id"))
        self.assertEqual("Running", self.penstock.state(pipe))

    def test_one_table_named_twice(self):
        spec = pipe_spec(self.source.endpoint(), self.clickhouse.endpoint(),
                         [mapping("shop", "orders", "a"), mapping("shop", "Orders", "b")])
        with self.assertRaisesRegex(ApiError, "(?i)shop.orders"):
            self.penstock.create(spec)

    def test_one_table_added_twice(self):
        pipe = self.penstock.create(self.spec(["orders"]))
        self.penstock.await_state(pipe, "Running")
        with self.assertRaisesRegex(ApiError, "(?i)shop.orders"):
            self.penstock.api(f"{self.penstock.pipes_path()}/{pipe}", "PATCH", {"source": {"mysql": {
                "tableMappingsToAdd": [mapping("shop", "Orders", "b")]}}})


class NameCaseMySQL(NameCase, SystemTest):
    source_class = MySQL97LowerCase


class NameCaseMariaDB(NameCase, SystemTest):
    source_class = MariaDB1011


if __name__ == "__main__":
    unittest.main()
