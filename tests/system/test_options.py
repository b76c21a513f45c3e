"""Settings of a pipe that change what its tables look like: tried by snapshot and by the log."""

import unittest

from harness.case import SystemTest
from harness.penstock import mapping
from harness.sources import MariaDB1011, MySQL97
from harness.wait import wait_until

# Column: (type, value of a row that is not NULL, that value and the type's default in ClickHouse).
COLUMNS = {
    "i": ("INT", "-5", "-5", "0"), "u": ("BIGINT UNSIGNED", "7", "7", "0"),
    "d": ("DECIMAL(30,2)", "1.50", "1.5", "0"), "f": ("DOUBLE", "0.5", "0.5", "0"),
    "b": ("BIT(3)", "b'101'", "5", "0"), "y": ("YEAR", "2024", "2024", "0"),
    "s": ("VARCHAR(9)", "'x'", "x", ""), "v": ("VARBINARY(9)", "'y'", "y", ""),
    "e": ("ENUM('a','b')", "'b'", "b", ""), "st": ("SET('p','q')", "'p,q'", "p,q", ""),
    "j": ("JSON", "'[]'", "[]", ""), "da": ("DATE", "'2024-02-29'", "2024-02-29", "1970-01-01"),
    "dt": ("DATETIME(3)", "'2024-02-29 01:02:03.004'", "2024-02-29 01:02:03.004",
           "1970-01-01 00:00:00.000"),
    "ts": ("TIMESTAMP", "'2024-02-29 01:02:03'", "2024-02-29 01:02:03", "1970-01-01 00:00:00"),
    "t": ("TIME(1)", "'01:02:03.5'", "01:02:03.5", "00:00:00.0"),
}


class Options:
    """Rows 1 and 2 come by snapshot, 11 and 12 by the log."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def setUp(self):
        self.fresh_shop()
        self.pipe = None

    def tearDown(self):
        if self.pipe:
            self.penstock.delete(self.pipe)

    def replicate(self, rows, **settings):
        """rows(offset) are the statements that write them."""
        self.source.run(*rows(0))
        spec = self.spec(["t"], **settings)
        self.pipe = self.penstock.create(spec)
        self.penstock.await_state(self.pipe, "Running")
        self.source.run(*rows(10))
        self.await_caught_up()
        return spec

    def await_rows(self, columns, *rows):
        """Each of `rows` twice: as it came by snapshot, then by the log."""
        wanted = "".join("\t".join(row) + "\n" for row in rows * 2)
        got = []

        def there():
            got[:] = [self.clickhouse.query(f"SELECT {columns} FROM replica.t FINAL ORDER BY id")]
            return got[0] == wanted
        wait_until(there, lambda: f"{wanted}It is\n{got[0]}", seconds=15)

    def types(self):
        return dict(line.split("\t") for line in self.clickhouse.query(
            "SELECT name, type FROM system.columns WHERE database = 'replica' AND table = 't'"
        ).splitlines())

    def test_no_nullable_columns(self):
        """NULL becomes the type's default."""
        names = ", ".join(COLUMNS)
        self.source.run("CREATE TABLE shop.t (id INT PRIMARY KEY, " + ", ".join(
            f"{name} {kind} NULL" for name, (kind, *_) in COLUMNS.items()) + ")")
        self.replicate(lambda offset: [
            f"INSERT INTO shop.t (id, {names}) VALUES ({offset + 1}, "
            f"{', '.join(value for _, value, *_ in COLUMNS.values())})",
            f"INSERT INTO shop.t (id) VALUES ({offset + 2})"], allowNullableColumns=False)
        self.assertEqual([], [name for name, kind in self.types().items() if "Nullable" in kind])
        self.await_rows(names, [value for *_, value, _ in COLUMNS.values()],
                        [default for *_, default in COLUMNS.values()])

    def test_tinyint1_is_bool(self):
        """As Bool; what is neither 0 nor 1 becomes true, and is counted."""
        self.source.run("CREATE TABLE shop.t (id INT PRIMARY KEY, a TINYINT(1), b BIT(1), "
                        "c TINYINT NOT NULL, d BIT(2) NOT NULL)")
        self.replicate(lambda offset: [
            f"INSERT INTO shop.t VALUES ({offset + 1}, 0, b'0', 0, b'10'), "
            f"({offset + 2}, 1, b'1', 1, b'01'), ({offset + 3}, -1, NULL, 2, b'11'), "
            f"({offset + 4}, 2, b'1', -1, b'00'), ({offset + 5}, NULL, b'1', 9, b'00')"],
            tinyint1isBool=True)
        types = self.types()
        self.assertEqual(["Nullable(Bool)", "Nullable(Bool)", "Int8", "UInt64"],
                         [types[name] for name in "abcd"])
        self.await_rows("a, b, c, d", ["false", "false", "0", "2"], ["true", "true", "1", "1"],
                        ["true", "\\N", "2", "3"], ["true", "true", "-1", "0"],
                        ["\\N", "true", "9", "0"])
        table = next(each for each in self.penstock.status(self.pipe)["tables"]
                     if each["sourceTable"] == "t")
        self.assertEqual(4, table["valuesChanged"], "-1 and 2, both ways")

    def test_sorting_keys(self):
        """They lead the destination's key; a row whose sorting key changes moves."""
        self.source.run("CREATE TABLE shop.t (id INT PRIMARY KEY, region VARCHAR(9) NOT NULL, "
                        "day DATE NOT NULL, v INT)",
                        "INSERT INTO shop.t SELECT 1, 'north', '2024-01-01', 1 UNION ALL "
                        "SELECT 2, 'south', '2024-01-02', 2 UNION ALL "
                        "SELECT 3, 'south', '2024-01-03', 3")
        spec = self.spec(["t"])
        spec["source"]["mysql"]["tableMappings"][0] = mapping(
            "shop", "t", useCustomSortingKey=True, sortingKeys=["region", "day"])
        self.pipe = self.penstock.create(spec)
        self.penstock.await_state(self.pipe, "Running")
        self.assertEqual("region, day, id\n", self.clickhouse.query(
            "SELECT sorting_key FROM system.tables WHERE database = 'replica' AND name = 't'"))
        self.source.run("UPDATE shop.t SET v = 10 WHERE id = 1",
                        "UPDATE shop.t SET region = 'west', v = 20 WHERE id = 2",
                        "UPDATE shop.t SET day = '2024-02-01' WHERE id = 3",
                        "INSERT INTO shop.t VALUES (4, 'east', '2024-01-04', 4)",
                        "DELETE FROM shop.t WHERE id = 1")
        self.await_caught_up()
        self.assertEqual(4, self.assert_equal(spec), "three rows and the marker")


class OptionsMySQL(Options, SystemTest):
    source_class = MySQL97


class OptionsMariaDB(Options, SystemTest):
    source_class = MariaDB1011


if __name__ == "__main__":
    unittest.main()
