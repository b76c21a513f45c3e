"""What a stream has to catch up with: changes of one kind, written to the log once and read by a pipe
that starts before them, in every round anew."""

import dataclasses

from shapes import ORDERS_COLUMNS, ROWS, SCHEMA

TRANSACTION_ROWS = 50_000
SMALL_TRANSACTIONS = ROWS // 20  # 100,000 with the default
SMALL_TABLE_ROWS = ROWS // 20
SMALL_CHANGES = 4                # rows that a small transaction changes


@dataclasses.dataclass(frozen=True)
class Backlog:
    """`rows` changes of `table`. The table is made by `columns`, and filled by `fill` without the
    log; then `write`, statements by {table}, fills the log."""

    name: str
    rows: int
    ratio_max: float   # the gate: time a row, over that of a plain insert of orders in Native
    columns: str
    write: tuple
    fill: str = ""

    @property
    def table(self):
        return f"backlog_{self.name}"


def _in_ranges(statement):
    return tuple(statement + f" WHERE id > {start} AND id <= {start + TRANSACTION_ROWS}"
                 for start in range(0, ROWS, TRANSACTION_ROWS))


ALL_ORDERS = "INSERT INTO {table} SELECT * FROM orders"

# As sysbench's oltp_write_only: two updates by key, a deletion and an insert of the same key.
SMALL_COLUMNS = """id INT NOT NULL PRIMARY KEY, k INT NOT NULL, c CHAR(120) NOT NULL,
                   pad CHAR(60) NOT NULL, KEY (k)"""
SMALL_PROCEDURE = f"""CREATE PROCEDURE {{table}}_write() BEGIN
    DECLARE i INT DEFAULT 0;
    WHILE i < {SMALL_TRANSACTIONS} DO
        START TRANSACTION;
        UPDATE {{table}} SET k = k + 1 WHERE id = 1 + i * 7919 % {SMALL_TABLE_ROWS};
        UPDATE {{table}} SET c = CONCAT('changed ', i) WHERE id = 1 + i * 104729 % {SMALL_TABLE_ROWS};
        DELETE FROM {{table}} WHERE id = 1 + i * 15485863 % {SMALL_TABLE_ROWS};
        INSERT INTO {{table}} VALUES (1 + i * 15485863 % {SMALL_TABLE_ROWS}, i, REPEAT('c', 119), 'pad');
        COMMIT;
        SET i = i + 1;
    END WHILE; END"""

BACKLOGS = {backlog.name: backlog for backlog in (
    Backlog("inserts", ROWS, 2.5, ORDERS_COLUMNS, _in_ranges(ALL_ORDERS)),
    Backlog("updates", ROWS, 3.5, ORDERS_COLUMNS, _in_ranges(
        "UPDATE {table} SET amount = amount + 1, note = CONCAT(note, '!')"), fill=ALL_ORDERS),
    Backlog("deletes", ROWS, 2.5, ORDERS_COLUMNS, _in_ranges("DELETE FROM {table}"),
            fill=ALL_ORDERS),
    Backlog("small", SMALL_TABLE_ROWS + SMALL_CHANGES * SMALL_TRANSACTIONS, 8.0, SMALL_COLUMNS,
            (f"INSERT INTO {{table}} SELECT id, id, REPEAT('c', 119), 'pad' FROM orders "
             f"WHERE id <= {SMALL_TABLE_ROWS}", SMALL_PROCEDURE, "CALL {table}_write()")))}


def write(source, backlogs):
    """{name: the position before it}; the tables are in `source` then."""
    positions = {}
    source.run(f"CREATE TABLE {SCHEMA}.first (id INT PRIMARY KEY)")  # or there is no GTID yet
    for backlog in backlogs:
        print(f"  writing {backlog.name} to the log", flush=True)
        source.run("SET sql_log_bin = 0", f"USE {SCHEMA}",
                   f"CREATE TABLE {backlog.table} ({backlog.columns})",
                   *([backlog.fill.format(table=backlog.table)] if backlog.fill else []))
        positions[backlog.name] = source.gtid_position()
        source.run(f"USE {SCHEMA}",
                   *(statement.format(table=backlog.table) for statement in backlog.write))
    return positions
