#!/usr/bin/python3
"""Writes vN.sql for a version N of the catalog: what that version held of some pipes.

    tests/data/catalogs/make.py N...

The migrations are those of src/catalog/schema.cc, the rows those below. Before a release that adds
migrations, the dump of the version before them is made and committed; a dump that is there is never
made anew, since it shows what a released penstock wrote. secret.key opens what is sealed.
"""

import ctypes
import ctypes.util
import json
import pathlib
import re
import sqlite3
import sys

HERE = pathlib.Path(__file__).resolve().parent
SCHEMA = HERE.parents[2] / "src" / "catalog" / "schema.cc"


def seal(text):
    """As SecretKey::Seal; with a nonce that is told by the text, so that a dump is always the same."""
    sodium = ctypes.CDLL(ctypes.util.find_library("sodium"))
    key = bytes.fromhex((HERE / "secret.key").read_text())
    plain = text.encode()
    nonce = (b"%024d" % len(plain))[:24]
    sealed = ctypes.create_string_buffer(16 + len(plain))
    if sodium.crypto_secretbox_easy(sealed, plain, ctypes.c_ulonglong(len(plain)), nonce, key) != 0:
        raise RuntimeError("cannot seal")
    return nonce + sealed.raw


def spec(name, tables):
    """The least that a pipe's file has held since the first version."""
    return json.dumps({
        "name": name,
        "source": {"mysql": {
            "host": "source.invalid", "port": 3306,
            "credentials": {"username": "penstock", "password": "S3cret-source"},
            "settings": {"replicationMode": "cdc", "syncIntervalSeconds": 10},
            "tableMappings": [{"sourceSchemaName": "shop", "sourceTable": table,
                               "targetTable": table} for table in tables]}},
        "destination": {"database": "replica",
                        "clickhouse": {"url": "http://destination.invalid:8123", "user": "default",
                                       "password": "S3cret-destination"}}})


def column(name, kind, text, **more):
    return {"name": name, "type": kind, "typeText": text, "unsigned": False, "nullable": False,
            "precision": 0, "scale": 0, "length": 0, "charset": "", "collation": "", "labels": [],
            **more}


def definition(table):
    return json.dumps({"schema": "shop", "table": table, "engine": "InnoDB", "key": [0],
                       "keyIsPrimary": True,
                       "columns": [column("id", "BIGINT", "bigint(20)"),
                                   column("größe", "ENUM", "enum('a','')", labels=["a", ""],
                                          charset="utf8mb4", collation="utf8mb4_bin",
                                          nullable=True)]}, ensure_ascii=False)


AT = 1_700_000_000_000_000
POSITION = "mariadb_gtid|bin.000004|1234||0-1-100"


def rows():
    """By version, the statements that a penstock of it may have left, each with its values."""
    pipe = ("INSERT INTO pipes (id, name, spec, state, resume_state, reason, state_since, created_at, "
            "updated_at, position, versions_reserved_end) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
    table = ("INSERT INTO tables (id, pipe_id, definition, target, ddl, load_version_base, "
             "partitions_planned, rows_estimated, attempts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
    partition = "INSERT INTO partitions VALUES (?, ?, ?, ?, ?, ?)"
    bound = b"\x02\x00\x00\x0042"
    return {
        1: [("INSERT INTO meta VALUES ('key_check', ?)", seal("penstock")),
            ("INSERT INTO meta VALUES ('organization_id', ?)",
             b"11111111-1111-4111-8111-111111111111"),
            ("INSERT INTO meta VALUES ('service_id', ?)", b"22222222-2222-4222-8222-222222222222"),
            (pipe, "p-1", "shop", seal(spec("shop", ["orders", "items"])), "Paused", "Running",
             "by the user", AT, AT - 9, AT, POSITION, 1 << 33),
            (pipe, "p-2", "new", seal(spec("new", ["void"])), "Failed", "Provisioning",
             "Access denied", AT, AT - 5, AT, None, 0),
            ("INSERT INTO transitions VALUES ('p-1', 1, '', 'Provisioning', '', '', ?)", AT - 9),
            ("INSERT INTO transitions VALUES ('p-1', 2, 'Provisioning', 'Paused', 'Running', 'why', ?)",
             AT),
            (table, 1, "p-1", definition("orders"), "orders", "CREATE TABLE orders", 0, 1, 5000, 2),
            (table, 2, "p-1", definition("items"), "items", "CREATE TABLE items", 0, 1, 10, 1),
            (partition, 1, 0, None, bound, 1, 42),
            (partition, 1, 1, bound, None, 0, 0),
            (partition, 2, 0, None, None, 1, 9),
            ("INSERT INTO batches (pipe_id, number, row_count, bytes, table_count, started_at, at) "
             "VALUES ('p-1', 7, 100, 4096, 2, ?, ?)", AT - 2, AT - 1),
            ("INSERT INTO events VALUES ('p-1', 1, ?, 'warning', 'check', 'été')", AT)],
        2: [("INSERT INTO value_changes VALUES (1, 'größe', 1, 2, 3)",)],
        3: [("UPDATE tables SET load_target = 'items_resync', loaded_uuid = 'u' WHERE id = 2",)],
        4: [("UPDATE tables SET quarantined_at = ?, quarantine_position = ?, quarantine_reason = "
             "'dropped', start_position = ? WHERE id = 2", AT, POSITION, POSITION)],
        5: [("UPDATE tables SET bytes_estimated = 777 WHERE id = 1",),
            ("UPDATE partitions SET bytes = 999, started_at = ?, finished_at = ? WHERE done = 1",
             AT - 8, AT - 7)],
        6: [("UPDATE pipes SET open_transaction = ? WHERE id = 'p-1'",
             json.dumps({"gtid": "0-1-101", "tables": [[1, 12]]}))],
        7: [("UPDATE pipes SET prepared_transactions = ? WHERE id = 'p-1'",
             json.dumps([{"xid": "X'61',X'',1", "file": "", "bytes": 0,
                          "tables": [["shop", "orders"]]}]))],
        8: [("UPDATE tables SET start_rows = 3, start_read_to = ? WHERE id = 2", POSITION),
            ("INSERT INTO inserts VALUES (1, 'orders', 10, 20, 10, ?, NULL, 0)", POSITION)],
        9: [("UPDATE batches SET reading = 5, decoding = 6, changes = '[[1,50,25,25]]', "
             "position = ?", POSITION)],
        10: [("UPDATE pipes SET sent = ? WHERE id = 'p-1'",
              json.dumps({"readTo": POSITION, "tables": [1]}))],
        11: [("INSERT INTO answers VALUES ('k', ?, 200, '{}', ?)", seal("request"), AT)],
        12: [("INSERT INTO removals VALUES ('p-1', 'http://destination.invalid:8123', 'gone', 0)",)],
    }


def migrations():
    text = SCHEMA.read_text(encoding="utf-8")
    return re.findall(r'R"sql\((.*?)\)sql"', text, re.S)


def dump(version):
    database = sqlite3.connect(":memory:")
    left = rows()
    for number, script in enumerate(migrations()[:version], 1):
        database.executescript(script)
        for statement, *values in left.get(number, []):
            database.execute(statement, values)
    # CREATE TABLE without the comments, which are of no interest here.
    lines = [re.sub(r"\s*--[^\n]*", "", line) for line in database.iterdump()]
    return "\n".join(["PRAGMA foreign_keys = OFF;", *lines, f"PRAGMA user_version = {version};", ""])


def main():
    for version in map(int, sys.argv[1:]):
        (HERE / f"v{version}.sql").write_text(dump(version), encoding="utf-8")


if __name__ == "__main__":
    main()
