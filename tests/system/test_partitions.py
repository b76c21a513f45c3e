"""Partitions: every row in one of them, of even size, read and planned by the key's index."""

import decimal
import ipaddress
import random
import re
import unittest
import uuid

from harness import compare
from harness.case import SystemTest, new_seed
from harness.sources import MariaDB1011, MySQL97

ROWS = 8_000
PARTITION = 1_000
# Columns and key; then how a row's key is made of its number and a random generator; whether its
# boundaries can be guessed.
KEYS = {
    "dense": ("k INT, PRIMARY KEY (k)", lambda n, r: (n,), True),
    "few_holes": ("k INT, PRIMARY KEY (k)", lambda n, r: (n + n // 10 - 4_000,), True),
    "holes": ("k BIGINT, PRIMARY KEY (k)",
              lambda n, r: (n if n % 2 else 300_000_000_000 + n * 7,), True),
    "signs": ("k BIGINT UNSIGNED, PRIMARY KEY (k)", lambda n, r: (n * 1_500_000_000_000_000,), True),
    "negative": ("k INT, PRIMARY KEY (k)", lambda n, r: (-n * n // 3 - n,), True),
    "tenants": ("k INT, l INT, PRIMARY KEY (k, l)",
                lambda n, r: (7 if n % 10 else r.randrange(1000), n), False),
    "many_tenants": ("k INT, l INT, PRIMARY KEY (k, l)", lambda n, r: (r.randrange(3000), n), True),
    "uuid_text": ("k CHAR(36) CHARACTER SET ascii, PRIMARY KEY (k)",
                  lambda n, r: (str(uuid.UUID(int=r.getrandbits(128))),), True),
    "numbered": ("k VARCHAR(30), PRIMARY KEY (k)", lambda n, r: (f"customer-{n:08}",), True),
    "words": ("k VARCHAR(30), l INT, PRIMARY KEY (k, l)",
              lambda n, r: (r.choice(["a", "Ä", "Zebra", "水"]), n), False),
    "binary_uuid": ("k BINARY(16), PRIMARY KEY (k)", lambda n, r: (r.randbytes(16),), True),
    "bytes": ("k VARBINARY(20), PRIMARY KEY (k)",
              lambda n, r: (r.randbytes(r.randrange(9)) + n.to_bytes(4, "big"),), True),
    "wide_text": ("k VARCHAR(30) CHARACTER SET utf16, PRIMARY KEY (k)",
                  lambda n, r: (f"{n * 7919 % 100_003}",), False),
    "days": ("k DATE, l INT, PRIMARY KEY (k, l)",
             lambda n, r: (f"{1990 + n % 35}-{1 + n % 12:02}-{1 + n % 28:02}", n), True),
    "moments": ("k DATETIME(6), PRIMARY KEY (k)",
                lambda n, r: (f"2024-02-{1 + n % 29:02} {n // 3600:02}:{n // 60 % 60:02}:"
                              f"{n % 60:02}.{n % 1000:06}",), True),
    "stamps": ("k TIMESTAMP(3), PRIMARY KEY (k)",
               lambda n, r: (f"20{10 + n % 20}-06-01 {n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}",),
               True),
    "times": ("k TIME(2), PRIMARY KEY (k)",
              lambda n, r: (f"{'-' if n % 2 else ''}{n // 60 % 600}:{n % 60:02}:{n // 7 % 60:02}."
                            f"{n % 100:02}",), True),
    "amounts": ("k DECIMAL(12,2), PRIMARY KEY (k)", lambda n, r: (decimal.Decimal(n * n) / 100,), True),
    "large_amounts": ("k DECIMAL(30,5), PRIMARY KEY (k)",
                      lambda n, r: (decimal.Decimal(n) * 12345678901234567,), False),
    "bits": ("k BIT(40), PRIMARY KEY (k)", lambda n, r: (n * 90_000_001,), True),
    "unique_key": ("i INT AUTO_INCREMENT, k INT NOT NULL, KEY (i), UNIQUE u (k)",
                   lambda n, r: (n * 3,), True),
    # The server thinks that it has next to no rows.
    "old_statistics": ("k INT, PRIMARY KEY (k)", lambda n, r: (n,), False),
    "kinds": ("k ENUM('z','a'), l INT, PRIMARY KEY (k, l)", lambda n, r: (1 + n % 2, n), None),
}
# A row for each number, or nearly: the server is not asked how many there are.
COUNTED = ("dense", "few_holes")

# Tables cut by a column of another index.
PARTITION_KEYS = {
    "by_day": ("id INT AUTO_INCREMENT PRIMARY KEY, k DATE NULL, KEY (k)",
               lambda n, r: (f"{1990 + n % 35}-{1 + n % 12:02}-{1 + n % 28:02}" if n % 9 else None,),
               True),
    "by_group": ("id INT AUTO_INCREMENT PRIMARY KEY, k INT, l INT, KEY m (k, l)",
                 lambda n, r: (None if n % 10 == 0 else n % 50, n), True)}


class Partitions:
    """Every table is loaded, then what the source's log says it was asked is asked again."""

    more_keys = {}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def make(self, table, definition, key_of, generator):
        keys = [key_of(n, generator) for n in range(ROWS)]
        columns = ("k", "l")[:len(keys[0])]
        self.source.run(f"CREATE TABLE shop.{table} ({definition}, v VARCHAR(40)) "
                        "STATS_PERSISTENT = 1, STATS_AUTO_RECALC = 0")
        with self.source.connect(database="shop") as connection, connection.cursor() as cursor:
            cursor.executemany(
                f"INSERT IGNORE INTO {table} ({', '.join(columns)}, v) "
                f"VALUES ({', '.join(['%s'] * len(columns))}, 'value')", keys)
            connection.commit()
        if table != "old_statistics":
            self.source.run(f"ANALYZE TABLE shop.{table}")

    def asked(self, table):
        """The statements about the table, as the source logged them."""
        rows = self.source.run(
            "SELECT DISTINCT CONVERT(argument USING utf8mb4) FROM mysql.general_log WHERE "
            "command_type IN ('Query', 'Execute') AND argument LIKE '/* penstock pipe */ %' AND "
            f"argument LIKE '%FROM `shop`.`{table}`%'")
        return [row[0] for row in rows]

    def explain(self, statement):
        with self.source.connect() as connection, connection.cursor() as cursor:
            cursor.execute("EXPLAIN " + self.explain_form + statement.replace("%", "%%"))
            names = [column[0] for column in cursor.description]
            return dict(zip(names, cursor.fetchone()))

    def assert_by_index(self, table, statements):
        for statement in statements:
            plan = self.explain(statement)
            self.assertIn(plan["type"], ("range", "index"), (table, statement, plan))
            self.assertNotIn("filesort", plan["Extra"] or "", (table, statement, plan))

    def sizes(self, partitions):
        return [self.source.run(re.sub("SELECT .* FROM", "SELECT COUNT(*) FROM", statement,
                                       count=1))[0][0] for statement in partitions]

    def check(self, table, can_guess):
        asked = self.asked(table)
        partitions = [s for s in asked if not re.search("ORDER BY|EXPLAIN|SELECT 1", s)]
        sizes = self.sizes(partitions)
        rows = self.source.run(f"SELECT COUNT(*) FROM shop.{table}")[0][0]
        self.assertEqual(rows, sum(sizes), (table, sizes, partitions))
        if can_guess is None:
            self.assertEqual([rows], sizes, table)
            return
        self.assert_by_index(table, partitions)
        self.assert_by_index(table, [s for s in asked if "ORDER BY" in s])
        self.assertGreater(len(sizes), rows / PARTITION / 2, (table, sizes))
        self.assertLess(max(sizes), PARTITION * 3, (table, sizes))
        if table in COUNTED:
            self.assertLess(max(sizes), PARTITION * 1.4, (table, sizes))
            self.assertEqual([], [s for s in asked if re.search("EXPLAIN .*SELECT 1 ", s)], table)
        walked = [s for s in asked if re.search(r"OFFSET [1-9]", s)]
        if can_guess:
            self.assertLessEqual(len(walked), 4, table)  # the end of the table
        elif table != "old_statistics":
            self.assertGreater(len(walked), 4, table)

    def test_every_key(self):
        generator = random.Random(new_seed())
        self.source.run("CREATE DATABASE shop")
        keys = {**KEYS, **self.more_keys, **PARTITION_KEYS}
        for table, (definition, key_of, _) in keys.items():
            self.make(table, definition, key_of, generator)
        spec = self.spec(list(keys), snapshotNumRowsPerPartition=PARTITION)
        for table in spec["source"]["mysql"]["tableMappings"]:
            if table["sourceTable"] in PARTITION_KEYS:
                table["partitionKey"] = "k"
        self.source.run("SET GLOBAL log_output = 'TABLE', GLOBAL general_log = ON")
        self.penstock.await_state(self.penstock.create(spec), "Running")
        self.source.run("SET GLOBAL general_log = OFF")
        for table, (_, _, can_guess) in keys.items():
            with self.subTest(table=table):
                result = compare.compare_table(
                    self.source.connect, self.clickhouse.url, ("shop", table), ("replica", table),
                    key=["k"] if table == "unique_key" else None)
                self.assertEqual([], result.differences)
                self.check(table, can_guess)


    def test_partition_keys_that_are_none(self):
        self.delete_pipes()
        self.source.run("CREATE DATABASE IF NOT EXISTS shop", "CREATE TABLE shop.none (id INT "
                        "PRIMARY KEY, a INT, b VARCHAR(9), KEY (b), c INT, KEY (a, c))")
        for column, word in (("b", "is no integer"), ("c", "index"), ("d", "is no integer")):
            spec = self.spec(["none"])
            spec["source"]["mysql"]["tableMappings"][0]["partitionKey"] = column
            errors = [finding for finding in self.penstock.check(spec)["findings"]
                      if finding["severity"] == "error"]
            self.assertEqual(["table_keys"], [error["check"] for error in errors], column)
            self.assertIn(word, errors[0]["message"])


class PartitionsMySQL(Partitions, SystemTest):
    source_class = MySQL97
    explain_form = "FORMAT=TRADITIONAL "


class PartitionsMariaDB(Partitions, SystemTest):
    source_class = MariaDB1011
    explain_form = ""
    more_keys = {
        "uuids": ("k UUID, PRIMARY KEY (k)",
                  lambda n, r: (str(uuid.UUID(int=r.getrandbits(128))),), False),
        "addresses": ("k INET6, PRIMARY KEY (k)",
                      lambda n, r: (str(ipaddress.IPv6Address(r.getrandbits(128))),), True)}


if __name__ == "__main__":
    unittest.main()
