"""The tables that are copied: what they look like, how many rows they have, and the server that holds
them."""

import dataclasses
import hashlib
import os
import pathlib
import shutil
import subprocess

from harness.process import cache_folder
from harness.sources import MySQL97

ROWS = int(os.environ.get("BENCH_ROWS", "2000000"))
SCHEMA = "bench"


@dataclasses.dataclass(frozen=True)
class Shape:
    """`columns` as in CREATE TABLE; `values` select a row from n = 1, 2, ... and h, a hash of n."""

    name: str
    columns: str
    values: str
    rows: int         # of each table
    ratio_max: float  # the gate: penstock's time over that of ClickHouse's own mysql()
    tables: int = 1

    def table_names(self):
        if self.tables == 1:
            return [self.name]
        return [f"{self.name}_{number}" for number in range(1, self.tables + 1)]

    def rows_in_all(self):
        return self.rows * self.tables

    def statements(self):
        """Those that make its tables, where the numbers n are in the table `n`."""
        select = (f"SELECT {self.values} FROM (SELECT n, CRC32(n * 7919) AS h FROM n "
                  f"WHERE n <= {self.rows}) AS source")
        for table in self.table_names():
            yield f"CREATE TABLE {table} ({self.columns})"
            yield f"INSERT INTO {table} {select}"


ORDERS_COLUMNS = """
    id BIGINT NOT NULL PRIMARY KEY, customer_id INT NOT NULL, product_id INT UNSIGNED NOT NULL,
    quantity SMALLINT NOT NULL, status ENUM('new','paid','shipped','returned') NOT NULL,
    amount DECIMAL(12,2) NOT NULL, note VARCHAR(100) NOT NULL, rate DOUBLE NOT NULL,
    created DATETIME(6) NOT NULL, updated TIMESTAMP NOT NULL, due DATE NULL, attributes JSON NULL"""
ORDERS_VALUES = """
    n, h % 100000, h DIV 7 % 5000, 1 + h % 20, 1 + h % 4, (h % 10000000) / 100,
    CONCAT('note ', h, ' of order ', n), h / 997, TIMESTAMP('2024-01-01') + INTERVAL h MICROSECOND,
    TIMESTAMP('2024-01-01') + INTERVAL h % 50000000 SECOND,
    IF(h % 10 = 0, NULL, DATE('2024-01-01') + INTERVAL h % 700 DAY),
    JSON_OBJECT('channel', ELT(1 + h % 3, 'web', 'shop', 'phone'), 'score', h % 1000)"""

WIDE_KINDS = (("INT NOT NULL", "(h + {0}) % 100000"),
              ("VARCHAR(40) NOT NULL", "CONCAT('value ', (h + {0}) % 5000)"),
              ("DECIMAL(12,2) NOT NULL", "((h + {0}) % 1000000) / 100"),
              ("DATETIME NULL", "TIMESTAMP('2024-01-01') + INTERVAL (h + {0}) % 50000000 SECOND"),
              ("DOUBLE NULL", "IF(h % 10 = {0} % 10, NULL, h / (1 + {0}))"))
WIDE = [(f"c{i} {kind}", value.format(i))
        for i, (kind, value) in ((i, WIDE_KINDS[i % len(WIDE_KINDS)]) for i in range(1, 100))]

# 2 KB, of which a half compresses well, as in prose.
TEXT_PARTS = [f"SHA2(h + {i}, 256), ' and the customer wrote that the parcel number {i} came too late, so '"
              for i in range(16)]

# As many rows as make about as many bytes, but for the small tables: their time goes into what the servers
# make and fsync, and is uneven, so their gate is wider than their figure (docs/performance.md).
SHAPES = {shape.name: shape for shape in (
    Shape("orders", ORDERS_COLUMNS, ORDERS_VALUES, rows=ROWS, ratio_max=0.7),
    Shape("narrow", "id INT NOT NULL PRIMARY KEY, a INT NOT NULL, b INT NOT NULL, c INT NOT NULL",
          "n, h % 1000, h % 100000, h % 1000000000", rows=ROWS * 5, ratio_max=0.7),
    Shape("wide", ", ".join(["id INT NOT NULL PRIMARY KEY", *(column for column, _ in WIDE)]),
          ", ".join(["n", *(value for _, value in WIDE)]), rows=ROWS // 10, ratio_max=0.7),
    Shape("texts", "id INT NOT NULL PRIMARY KEY, body TEXT NOT NULL",
          f"n, CONCAT({', '.join(TEXT_PARTS)})", rows=ROWS // 10, ratio_max=0.7),
    Shape("small", ORDERS_COLUMNS, ORDERS_VALUES, rows=100, tables=1000, ratio_max=1.0))}


def _make(folder, shapes, source_class):
    """A data directory with the tables in it, stopped in order."""
    print(f"making the tables of {', '.join(shape.name for shape in shapes)} "
          "(kept in the cache for the next run)", flush=True)
    most = max(shape.rows for shape in shapes)
    with source_class(folder=folder, innodb_buffer_pool_size="1G") as source:
        source.run("SET sql_log_bin = 0", f"CREATE DATABASE {SCHEMA}", f"USE {SCHEMA}",
                   "CREATE TABLE n (n INT PRIMARY KEY)", "INSERT INTO n VALUES (1)",
                   *(f"INSERT INTO n SELECT n + {1 << power} FROM n"
                     for power in range((most - 1).bit_length())),
                   *(statement for shape in shapes for statement in shape.statements()),
                   "DROP TABLE n", "CREATE USER 'bench'@'%' IDENTIFIED BY ''",
                   "GRANT ALL ON *.* TO 'bench'@'%'")
        source.process.terminate()


def prepared_source(folder, shapes, source_class=MySQL97):
    """A private copy, in `folder`, of a server that holds the tables of `shapes`."""
    wanted = repr((source_class.version_key(), shapes))
    key = hashlib.sha256(wanted.encode()).hexdigest()[:12]
    ready = pathlib.Path(cache_folder()) / "bench" / key
    if not ready.exists():
        unfinished = ready.with_name(f"new-{os.getpid()}")
        try:
            unfinished.mkdir(parents=True)
            _make(unfinished, shapes, source_class)
            unfinished.rename(ready)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    subprocess.run(["cp", "-a", "--sparse=always", "--reflink=auto", ready / "data",
                    folder / "data"], check=True)
    return source_class(folder=folder, innodb_buffer_pool_size="2G")
