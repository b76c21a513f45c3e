#!/usr/bin/python3
"""Captures binary logs of real servers for the unit tests of src/mysql/binlog.

Runs the SQL below on a private server (it resets the server's logs and changes its global
settings: never point it at one that matters), reads the log back over the replication protocol, and
writes one text file per capture into tests/data/binlog/:

    sql <statement>                   what was run, for people
    event <hex> | zevent <hex>        each event of the log in order; zevent is deflated by zlib
    table <schema> <name> <hidden>    hidden: columns that only the log has; then one line per
                                      column, tab-separated:
    column <name> <type> <type text> <unsigned> <precision> <scale> <length> <charset> <labels, |>
    row <hex> | <z:hex> | NULL ...    a row as the server SELECTs it, in the order of its log
    packet <hex> | zpacket <hex>      the same row as the binary protocol sends it for the select list
                                      of mysql/wire/binary_row.h, without its first byte, a zero
    like <name>                       all but the events is as in that capture

Usage: capture_binlog.py NAME --port N [--only TEXT]
NAME is a prefix of the files: mysql97, mariadb1011, ...; with TEXT, only those
whose name holds it.
The server's data directory must hold a file load.csv with the line "7,seven", and
secure_file_priv must be empty.
"""

import argparse
import pathlib
import struct
import sys
import zlib

import pymysql

from capture_json import JSON_MINIMAL, json_kinds, json_partial, literal

TESTS = pathlib.Path(__file__).resolve().parent.parent / "tests"
sys.path.insert(0, str(TESTS / "data"))
from types_table import MARIADB118_TYPES, MARIADB_TYPES, MYSQL_TYPES, rows  # noqa: E402

DATA = TESTS / "data" / "binlog"
COM_BINLOG_DUMP = 0x12
COM_STMT_PREPARE, COM_STMT_EXECUTE = 0x16, 0x17
DUMP_NON_BLOCK = 1
DUMP_ANNOTATE = 2  # MariaDB
DUMP_HEARTBEAT_V2 = 2  # MySQL
HEARTBEAT_TYPES = (27, 41)


def bounds(bits, unsigned):
    return (0, 2**bits - 1) if unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def numbers():
    ints = [("TINYINT", 8), ("SMALLINT", 16), ("MEDIUMINT", 24), ("INT", 32), ("BIGINT", 64)]
    columns, low, high, mid = [], [], [], []
    for name, bits in ints:
        for unsigned in (False, True):
            prefix, suffix = ("u", " UNSIGNED") if unsigned else ("i", "")
            columns.append(f"{prefix}{bits} {name}{suffix}")
            lowest, highest = bounds(bits, unsigned)
            low.append(str(lowest))
            high.append(str(highest))
            mid.append(str(highest // 2 if unsigned else -1))
    for bits in (1, 7, 8, 9, 16, 17, 24, 33, 40, 48, 56, 57, 64):
        columns.append(f"bit{bits} BIT({bits})")
        low.append("b'0'")
        high.append("b'" + "1" * bits + "'")
        mid.append("b'1" + "0" * (bits - 1) + "'")
    columns += ["f FLOAT", "d DOUBLE", "fu FLOAT UNSIGNED", "y YEAR", "flag BOOL"]
    low += ["-3.40282e38", "-1.7976931348623157e308", "0", "0", "FALSE"]
    high += ["3.40282e38", "1.7976931348623157e308", "1.5", "2155", "TRUE"]
    mid += ["0.1", "-0.0e0", "1e-38", "1901", "-128"]
    return create("numbers", columns) + inserts("numbers",
                                                [low, high, mid, ["NULL"] * len(columns)])


def decimals():
    shapes = [(1, 0), (2, 1), (3, 3), (4, 2), (5, 0), (6, 3), (7, 7), (8, 4), (9, 9), (9, 0),
              (10, 1),
              (10, 2), (11, 5), (13, 4), (14, 8), (15, 6), (16, 7), (17, 1), (18, 0), (18, 9),
              (18, 18),
              (19, 0), (19, 9), (20, 10), (27, 9), (28, 28), (30, 30), (38, 10), (65, 0), (65, 30)]
    columns = [f"d{p}_{s} DECIMAL({p},{s})" for p, s in shapes]

    def row(digits_of):
        cells = []
        for p, s in shapes:
            sign, digits = digits_of(p)
            digits = digits.rjust(p, "0")
            cells.append(f"'{sign}{digits[:p - s] or '0'}.{digits[p - s:]}'")
        return cells

    cycle = "1234567890" * 7
    rows = [row(lambda p: ("", "9" * p)), row(lambda p: ("-", "9" * p)), row(lambda p: ("", "0")),
            row(lambda p: ("", "1")), row(lambda p: ("-", "1")), row(lambda p: ("-", cycle[:p])),
            row(lambda p: ("", "1" + "0" * (p - 1))),
            row(lambda p: ("-", "5".ljust(p // 2 + 1, "0")))]
    return create("decimals", columns) + inserts("decimals", rows)


def texts():
    columns = ["c0 CHAR(0)", "c10 CHAR(10)", "c255 CHAR(255)", "cl CHAR(3) CHARACTER SET latin1",
               "cg CHAR(4) CHARACTER SET gbk", "cu CHAR(4) CHARACTER SET ucs2", "v0 VARCHAR(0)",
               "v10 VARCHAR(10)", "v63 VARCHAR(63)", "v64 VARCHAR(64)",
               "vl255 VARCHAR(255) CHARACTER SET latin1", "vl256 VARCHAR(256) CHARACTER SET latin1",
               "vb VARCHAR(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", "b1 BINARY(1)",
               "b16 BINARY(16)",
               "b255 BINARY(255)", "vb255 VARBINARY(255)", "vb256 VARBINARY(256)", "tt TINYTEXT",
               "t TEXT",
               "mt MEDIUMTEXT", "lt LONGTEXT", "tb TINYBLOB", "b BLOB", "mb MEDIUMBLOB",
               "lb LONGBLOB"]
    empty = ["''"] * len(columns)
    short = ["''", "'a  '", "'z'", "'\u00e9'", "'\u4e2d'", "'\u4e2d\u6587'", "''", "'a  '", "'x'",
             "'y'", "'q'", "'r'",
             "'\U0001f600'", "0x00", "0x6100", "0x0001020300", "0x610000", "0x00", "'tiny'",
             "'text'", "'medium'",
             "'long'", "0x00ff", "0x27", "0x5c", "0x0a"]
    full = ["''", "REPEAT('\U0001f600',10)", "REPEAT('\u4e2d',255)", "'abc'", "REPEAT('\u4e2d',4)",
            "REPEAT('\u4e2d',4)",
            "''", "REPEAT('\u00e9',10)", "REPEAT('k',63)", "REPEAT('\u4e2d',64)", "REPEAT('m',255)",
            "REPEAT('n',256)",
            "REPEAT('\u00e9',9)", "0xff", "REPEAT(0xfe,16)", "REPEAT(0xfd,255)", "REPEAT(0xfc,255)",
            "REPEAT(0xfb,256)",
            "REPEAT('a',255)", "REPEAT('b',300)", "REPEAT('c',70000)", "REPEAT('d',70000)",
            "REPEAT('e',255)",
            "REPEAT('f',300)", "REPEAT('g',70000)", "REPEAT('h',70000)"]
    table = create("texts", columns)[0] + " CHARACTER SET utf8mb4"
    return [table] + inserts("texts", [empty, short, full])


def temporals(timestamp_max):
    columns = ["dt DATE"]
    for kind in ("DATETIME", "TIMESTAMP", "TIME"):
        columns += [f"{kind.lower()}{n} {kind}({n}) NULL" for n in range(7)]

    def row(date, datetime, timestamp, time):
        fraction = "123456"
        cells = [date]
        for value in (datetime, timestamp, time):
            for n in range(7):
                cells.append("'" + value.replace("#", ("." + fraction)[:n + 1 if n else 0])
                             .replace("@", ("." + "9" * n) if n else "")
                             .replace("~", ("." + "0" * (n - 1) + "1") if n else "") + "'")
        return cells

    rows = [
        row("'1000-01-01'", "1000-01-01 00:00:00", "1970-01-01 00:00:01", "00:00:00"),
        row("'9999-12-31'", "9999-12-31 23:59:59@", timestamp_max + "@", "838:59:58@"),
        row("'0000-00-00'", "0000-00-00 00:00:00", "0000-00-00 00:00:00", "-838:59:58@"),
        row("'2024-00-00'", "2024-00-15 12:00:00", "2024-02-29 12:34:56#", "-00:00:00~"),
        row("'2024-02-29'", "2024-02-29 12:34:56#", "2001-09-09 01:46:40~", "12:34:56#"),
        row("'0001-01-01'", "0001-01-01 00:00:00~", "1970-01-01 00:00:01~", "-12:34:56#"),
        row("'1969-12-31'", "1969-12-31 23:59:59@", "1999-12-31 23:59:59@", "-00:00:01"),
        row("NULL", "2038-01-19 03:14:08", "2038-01-19 03:14:07@", "838:59:59"),
        row("NULL", "2038-01-19 03:14:08", "2038-01-19 03:14:07@", "-838:59:59"),
    ]
    return create("temporals", columns) + inserts("temporals", rows)


def labels():
    def names(count):
        return ",".join(f"'l{i}'" for i in range(1, count + 1))

    columns = ["e2 ENUM('a','b')", f"e255 ENUM({names(255)})", f"e256 ENUM({names(256)})"]
    columns += [f"s{n} SET({names(n)})" for n in (1, 8, 9, 17, 25, 32, 33, 64)]
    sets = (1, 8, 9, 17, 25, 32, 33, 64)
    rows = [["'a'", "'l1'", "'l1'"] + ["'l1'" for _ in sets],
            ["'b'", "'l255'", "'l256'"] + [str(2**n - 1) for n in sets],
            ["''", "0", "''"] + ["''" for _ in sets],
            ["NULL", "NULL", "NULL"] + [f"'l{n}'" for n in sets]]
    return create("labels", columns) + inserts("labels", rows)


def nulls():
    columns = [f"c{i} TINYINT" for i in range(65)]
    rows = [["NULL"] * 65, [str(i) for i in range(65)],
            [str(i) if i % 3 else "NULL" for i in range(65)],
            ["NULL"] * 64 + ["64"], ["0"] + ["NULL"] * 64]
    return create("nulls", columns) + inserts("nulls", rows)


def json_documents():
    deep = "[" * 99 + "]" * 99
    members = ", ".join(f'"k{i:04}": {i}' for i in range(3000))
    literals = [
        "null", "true", "false", "{}", "[]", '""', '"x"', "0", "-1", "32767", "32768", "-32768",
        "-32769", "65535",
        "65536", "2147483647", "2147483648", "-2147483648", "-2147483649", "4294967295",
        "4294967296",
        "9223372036854775807", "9223372036854775808", "-9223372036854775808",
        "18446744073709551615",
        "18446744073709551616", '{"b": 1, "a": [1, 2, {"c": null}], "": "empty", "aa": true}',
        '[true, false, null, 1, -2, 3.5, "s", [], {}]', deep,
        r'"\u0000\u0001\b\t\n\f\r\u001f\"\\\/\u007f\u00e9\u4e2d\ud83d\ude00"', '"' + "x" * 127
        + '"', '"' + "x" * 128 + '"',
        '"' + "y" * 16384 + '"', '["' + "z" * 70000 + '", 1, -70000, 70000, 4294967295, null]', "{"
        + members + "}",
        '{"' + "k" * 60000 + '": {"' + "l" * 10000 + '": 100000}}',
    ]
    doubles = ["1.0", "-0.0", "0.0", "1.5", "1e14", "1e15", "1e16", "123456789012345.6",
               "1234567890123456.7", "1e20",
               "1e21", "1e22", "1e23", "1e100", "1.7976931348623157e308", "5e-324",
               "2.2250738585072014e-308", "1e-4",
               "1e-5", "1e-14", "1e-15", "1e-16", "1.2345678901234567e-5", "1.2345678901234567e-15",
               "1.2345678901234567e-16", "0.1", "0.30000000000000004", "-1.5e300", "-1e-9",
               "9007199254740993.0",
               "999999999999999.9", "9999999999999998.0", "100.25", "-12345.678"]
    opaque = ["CAST('2015-01-15' AS DATE)", "CAST('0000-00-00' AS DATE)",
              "TIMESTAMP'2015-01-15 23:24:25.123456'",
              "TIMESTAMP'9999-12-31 23:59:59'", "CAST('23:24:25' AS TIME)",
              "CAST('-00:00:00.5' AS TIME(1))",
              "CAST('838:59:59' AS TIME)", "CAST('-838:59:59' AS TIME)", "12.30", "-0.5", "0.00",
              "-99999999999999999999.9999999999",
              "CAST('1e0' AS DECIMAL(65,30))", "b'101'", "0xcafe", "CAST(REPEAT('x',57) AS BINARY)",
              "CAST(REPEAT('x',58) AS BINARY)", "CAST(REPEAT('x',56) AS BINARY)",
              "CAST(REPEAT('x',115) AS BINARY)", "CAST('' AS BINARY)"]
    statements = create("documents", ["id INT AUTO_INCREMENT PRIMARY KEY", "j JSON"])
    statements += [f"INSERT INTO documents (j) VALUES ({literal(text)})" for text in literals]
    statements.append(f"INSERT INTO documents (j) VALUES ('[{', '.join(doubles)}]'), (NULL)")
    statements += [f"INSERT INTO documents (j) VALUES (CAST({value} AS JSON)),"
                   f" (JSON_ARRAY({value}))" for value in opaque]
    return statements


def json_edits():
    """Updates in place, which leave gaps in the documents' bytes; t is always the text of j."""
    statements = create("edits", ["id INT PRIMARY KEY", "j JSON",
                                  "t LONGTEXT CHARACTER SET utf8mb4"])
    text = ('{"a": "' + "x" * 9000 + '", "b": [1, 70000, "three", 4.5, null], "c": {"d": "'
            + "y" * 300 + '", "e": 100000}, "f": 12345678901}')
    statements.append(f"INSERT INTO edits VALUES (1,'{text}',''), (2,'{text}',''), (3,'{text}','')")
    for path, value in (("$.a", "'short'"), ("$.c.d", "'z'"), ("$.b[1]", "-1"), ("$.b[2]", "12.25"),
                        ("$.c.e", "'text'"),
                        ("$.f", "TRUE"), ("$.b[3]", "JSON_ARRAY(1)"), ("$.c.d", "REPEAT('w',200)"),
                        ("$.a", "REPEAT('v',8000)"),
                        ("$.b[0]", "99999"), ("$.f", "-5.5e0"), ("$.c", "JSON_OBJECT('d', 1)")):
        statements.append(f"UPDATE edits SET j=JSON_REPLACE(j,'{path}',{value}), t=CAST(j AS CHAR)")
        statements.append(f"UPDATE edits SET j=JSON_REPLACE(j,'{path}',id), t=CAST(j AS CHAR)"
                          " WHERE id=2")
    statements += ["UPDATE edits SET j=JSON_REMOVE(j,'$.b[1]'), t=CAST(j AS CHAR)",
                   "UPDATE edits SET j=JSON_REMOVE(j,'$.a'), t=CAST(j AS CHAR) WHERE id=1",
                   "UPDATE edits SET j=JSON_REMOVE(j,'$.b[0]','$.c'), t=CAST(j AS CHAR)"]
    return statements


def vectors(types):
    """Every value of the table of boundary values."""
    columns = ["id INT PRIMARY KEY"] + [f"`{name}` {kind} NULL" for name, (kind, _) in types.items()]
    cells = [[str(number), *row] for number, row in enumerate(rows(types, nullable=True))]
    return (["SET SESSION sql_mode='ALLOW_INVALID_DATES'"] + create("vectors", columns)
            + inserts("vectors", cells) + ["SET SESSION sql_mode=''"])


def old_temporals():
    columns = ["id INT", "d DATE", "dt DATETIME", "ts TIMESTAMP NULL", "t TIME", "y YEAR"]
    rows = [["1", "'2024-02-29'", "'2024-02-29 12:34:56'", "'2024-02-29 12:34:56'", "'12:34:56'",
             "1999"],
            ["2", "'0000-00-00'", "'0000-00-00 00:00:00'", "'0000-00-00 00:00:00'", "'-838:59:59'",
             "0"],
            ["3", "'9999-12-31'", "'9999-12-31 23:59:59'", "'2038-01-19 03:14:07'", "'838:59:59'",
             "2155"],
            ["4", "'1000-00-00'", "'1000-01-00 01:02:03'", "'1970-01-01 00:00:01'", "'-00:00:01'",
             "1901"]]
    return (["SET GLOBAL mysql56_temporal_format=OFF"] + create("old_temporals", columns)
            + inserts("old_temporals", rows)
            + ["SET GLOBAL mysql56_temporal_format=ON"])


def old_fractions():
    """The same with fractions, which are MariaDB's own."""
    columns = ["y2 YEAR(2)"]
    for kind in ("DATETIME", "TIMESTAMP", "TIME"):
        columns += [f"{kind.lower()}{n} {kind}({n}) NULL" for n in range(7)]
    rows = [["'99'"] + [f"'{value}'" for value in values for _ in range(7)] for values in (
        ("2024-02-29 12:34:56.123456", "2024-02-29 12:34:56.123456", "12:34:56.123456"),
        ("0000-00-00 00:00:00", "0000-00-00 00:00:00", "-838:59:59.999999"),
        ("9999-12-31 23:59:59.999999", "2038-01-19 03:14:07.999999", "838:59:59.999999"),
        ("0001-01-01 00:00:00.000001", "1970-01-01 00:00:01.000001", "-00:00:00.000001"),
        ("2024-00-15 00:00:00.5", "2001-01-01 00:00:00.5", "-12:34:56.75"))]
    rows.append(["0"] + ["NULL"] * 21)
    return (["SET GLOBAL mysql56_temporal_format=OFF"] + create("old_fractions", columns)
            + inserts("old_fractions", rows)
            + ["SET GLOBAL mysql56_temporal_format=ON"])


def shapes(vectors):
    """Geometries; vectors by the function named, where the server has them."""
    columns = ["g GEOMETRY", "p POINT", "a POLYGON", "m MULTIPOINT", "c GEOMETRYCOLLECTION"]
    rows = [["ST_GeomFromText('LINESTRING(0 0,1e300 -0.1)')", "POINT(1,2)",
             "ST_GeomFromText('POLYGON((0 0,10 0,10 10,0 0),(5 5,7 5,7 7,5 5))')",
             "ST_GeomFromText('MULTIPOINT(0 0,1 1)')",
             "ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(0 0,1 1))')"],
            ["ST_GeomFromText('POINT(45.5 -120.25)',4326)", "POINT(-1.5,1e-300)", "NULL", "NULL",
             "ST_GeomFromText('GEOMETRYCOLLECTION EMPTY')"], ["NULL"] * 5]
    if vectors:
        columns += ["v3 VECTOR(3)", "v64 VECTOR(64)"]
        rows[0] += [f"{vectors}('[1,-2.5,0.1]')", f"{vectors}(CONCAT('[1',REPEAT(',0',63),']'))"]
        rows[1] += [f"{vectors}('[0,0,0]')", f"{vectors}(CONCAT('[0',REPEAT(',1',63),']'))"]
        rows[2] += ["NULL"] * 2
    return create("shapes", columns) + inserts("shapes", rows)


def addresses():
    """UUIDs that the server's file holds in two orders; a long unique key, whose hash is hidden."""
    columns = ["u UUID", "i4 INET4", "i6 INET6", "t TEXT", "UNIQUE (t)"]
    rows = [["'00112233-4455-6677-8899-aabbccddeeff'", "'1.2.3.4'", "'2001:db8::1'", "'a'"],
            ["'00112233-4455-1677-8899-aabbccddee00'", "'0.0.0.0'", "'::'", "'b'"],
            ["'018f0000-4455-7677-8899-aabbcc000000'", "'10.0.0.0'", "'fe80::'", "NULL"],
            ["'ffffffff-ffff-ffff-ffff-ffffffffffff'", "'255.255.255.255'", "'::ffff:1.2.3.0'",
             "NULL"],
            ["NULL"] * 4]
    return create("addresses", columns) + inserts("addresses", rows)


def deflated():
    """Compressed columns under every setting that changes their bytes."""
    columns = ["vc VARCHAR(300)", "vb VARBINARY(254)", "v5 VARBINARY(255)", "tt TINYTEXT", "t TEXT",
               "mt MEDIUMTEXT", "lb LONGBLOB"]
    statements = create("deflated", [f"{column} COMPRESSED" for column in columns])
    statements[0] += " CHARACTER SET utf8mb4"
    plain = ["'abc'", "0x00", "0x8a00", "''", "'text'", "''", "0x00"]
    long = ["REPEAT('\u6c34',300)", "REPEAT(0xff00,127)", "REPEAT('x',255)", "REPEAT('c',254)",
            "REPEAT('d',65534)", "REPEAT('ef',70000)", "REPEAT(0x00010203,70000)"]
    for threshold in (0, 100):
        for wrap in (0, 1):
            for level in (1, 9):
                statements.append(f"SET SESSION column_compression_threshold={threshold},"
                                  f" column_compression_zlib_wrap={wrap},"
                                  f" column_compression_zlib_level={level}")
                statements += inserts("deflated", [long])
        statements += inserts("deflated", [plain, ["NULL"] * 7])
    return statements


def changes():
    """Updates and deletes, under every row image."""
    statements = create("changes", ["id INT PRIMARY KEY", "a VARCHAR(20)", "b TEXT",
                                    "c DECIMAL(10,2)", "d BINARY(4)"])
    for image, first in (("FULL", 1), ("MINIMAL", 11), ("NOBLOB", 21)):
        statements += [f"SET SESSION binlog_row_image={image}",
                       f"INSERT INTO changes VALUES ({first},'a','b',1.5,'x'),"
                       f" ({first + 1},NULL,NULL,NULL,NULL)",
                       f"UPDATE changes SET a='\u00e9', c=-c WHERE id IN ({first},{first + 1})",
                       f"UPDATE changes SET id=id+5, b='long' WHERE id={first}",
                       f"DELETE FROM changes WHERE id={first + 1}"]
    return statements + ["SET SESSION binlog_row_image=FULL"]


def create(table, columns):
    return [f"CREATE TABLE {table} ({', '.join(columns)})"]


def inserts(table, rows):
    return [f"INSERT INTO {table} VALUES ({', '.join(row)})" for row in rows]


TRANSACTIONS = [
    "CREATE TABLE ledger (id INT PRIMARY KEY, note VARCHAR(20)) ENGINE=InnoDB",
    "BEGIN", "INSERT INTO ledger VALUES (1,'one'),(2,'two')",
    "UPDATE ledger SET note='zwei' WHERE id=2",
    "DELETE FROM ledger WHERE id=1", "COMMIT",
    "SET SESSION sql_mode='ANSI_QUOTES'", 'ALTER TABLE "ledger" ADD extra INT',
    "SET SESSION sql_mode='NO_BACKSLASH_ESCAPES'",
    "CREATE TABLE other (a INT) COMMENT 'x\\'", "SET SESSION sql_mode=''",
    "XA START 'x1'", "INSERT INTO ledger VALUES (3,'xa',NULL)", "XA END 'x1'", "XA PREPARE 'x1'",
    "XA COMMIT 'x1'",
    "XA START 'x2'", "INSERT INTO ledger VALUES (4,'xa',NULL)", "XA END 'x2'",
    "XA COMMIT 'x2' ONE PHASE",
    "CREATE TABLE aria (a INT) ENGINE=MyISAM", "INSERT INTO aria VALUES (1)",
    "SET SESSION binlog_format=STATEMENT", "INSERT INTO ledger VALUES (5,UUID_SHORT() % 1,RAND())",
    "SET @v='user'", "INSERT INTO ledger VALUES (6,@v,NULL)",
    "LOAD DATA INFILE './load.csv' INTO TABLE ledger FIELDS TERMINATED BY ',' (id, note)",
    "SET SESSION binlog_format=ROW", "TRUNCATE TABLE aria", "DROP TABLE other",
]
ROTATION = ["CREATE TABLE first (a INT)", "SET GLOBAL binlog_checksum=CRC32",
            "CREATE TABLE second (a INT)", "FLUSH BINARY LOGS",
            "CREATE TABLE third (a INT)", "SET GLOBAL binlog_checksum=NONE",
            "CREATE TABLE fourth (a INT)"]
MYSQL_ONLY = [
    "CREATE TABLE docs (id INT PRIMARY KEY, j JSON)",
    "INSERT INTO docs VALUES (1,'{\"a\": \"long enough text to be replaced\", \"b\": 2}')",
    "SET SESSION binlog_row_value_options='PARTIAL_JSON'",
    "UPDATE docs SET j=JSON_SET(j,'$.a','short') WHERE id=1",
    "SET SESSION binlog_row_value_options=''",
    "SET SESSION binlog_rows_query_log_events=ON", "DELETE FROM docs WHERE id=1",
    "SET SESSION binlog_rows_query_log_events=OFF",
    "SET SESSION binlog_transaction_compression=ON", "INSERT INTO docs VALUES (2,NULL)",
    "SET SESSION binlog_transaction_compression=OFF",
    "SET gtid_next='AUTOMATIC:penstock'", "INSERT INTO docs VALUES (3,NULL)",
    "SET gtid_next='AUTOMATIC'",
    "SET gtid_next='11111111-2222-3333-4444-5555555555ff:tag_of_exactly_thirty_two_chars_:"
    "1234567890123'",
    "INSERT INTO docs VALUES (4,NULL)",
    "SET gtid_next='AUTOMATIC'",
]
MARIADB_ONLY = [
    "SET SESSION binlog_annotate_row_events=ON", "INSERT INTO ledger VALUES (20,'annotated',NULL)",
    "SET GLOBAL log_bin_compress=ON", "SET GLOBAL log_bin_compress_min_len=10",
    "INSERT INTO ledger VALUES (21,REPEAT('c',20),NULL),(22,REPEAT('d',20),NULL)",
    "UPDATE ledger SET note=REPEAT('e',20) WHERE id IN (21,22)",
    "DELETE FROM ledger WHERE id IN (21,22)",
    "CREATE TABLE compressed (a INT COMMENT 'a long comment to be compressed')",
    "SET GLOBAL log_bin_compress=OFF", "SET SESSION gtid_domain_id=5",
    "INSERT INTO ledger VALUES (30,'domain',NULL)",
    "CREATE TABLE packed (a VARCHAR(100) COMPRESSED, b BLOB COMPRESSED)",
    "INSERT INTO packed VALUES ('a','b')",
]

TYPES = {
    "tinyint": "TINYINT", "smallint": "SMALLINT", "mediumint": "MEDIUMINT", "int": "INT",
    "bigint": "BIGINT",
    "decimal": "DECIMAL", "float": "FLOAT", "double": "DOUBLE", "bit": "BIT", "char": "CHAR",
    "varchar": "VARCHAR",
    "tinytext": "TEXT", "text": "TEXT", "mediumtext": "TEXT", "longtext": "TEXT",
    "binary": "BINARY",
    "varbinary": "VARBINARY", "tinyblob": "BLOB", "blob": "BLOB", "mediumblob": "BLOB",
    "longblob": "BLOB",
    "date": "DATE", "datetime": "DATETIME", "timestamp": "TIMESTAMP", "time": "TIME",
    "year": "YEAR", "enum": "ENUM",
    "set": "SET", "json": "JSON", "vector": "VECTOR", "uuid": "UUID", "inet4": "INET4",
    "inet6": "INET6", **dict.fromkeys(
        ["geometry", "point", "linestring", "polygon", "multipoint", "multilinestring",
         "multipolygon", "geometrycollection", "geomcollection"], "GEOMETRY"),
}


class Server:
    def __init__(self, host, port):
        self.address = {"host": host, "port": port, "user": "root"}
        self.connection = self.connect()
        self.first_log = b""
        self.version = self.query("SELECT VERSION()")[0][0].decode()
        self.is_mariadb = "MariaDB" in self.version

    def connect(self):
        return pymysql.connect(**self.address, autocommit=True, charset="utf8mb4",
                               use_unicode=False, conv={})

    def query(self, sql):
        with self.connection.cursor() as cursor:
            try:
                cursor.execute(sql)
            except pymysql.MySQLError as error:
                raise SystemExit(f"{error}\nin: {sql[:2000]}") from error
            return cursor.fetchall()

    def start(self, settings):
        """An empty schema, a new session, and a log that begins now."""
        self.connection.close()
        self.connection = self.connect()
        for sql in ("DROP DATABASE IF EXISTS capture",
                    "CREATE DATABASE capture CHARACTER SET utf8mb4", "USE capture",
                    "SET sql_mode='', time_zone='+00:00'"):
            self.query(sql)
        for name, value in settings.items():
            self.query(f"SET GLOBAL {name}={value}")
        self.query("RESET MASTER" if self.is_mariadb else "RESET BINARY LOGS AND GTIDS")
        self.query("FLUSH BINARY LOGS")
        # Global settings count for new sessions.
        self.connection.close()
        self.connection = self.connect()
        for sql in ("USE capture",
                    "SET sql_mode='', time_zone='+00:00', character_set_results=NULL"):
            self.query(sql)
        self.first_log = self.query("SHOW BINARY LOGS")[-1][0]

    def dump(self, checksum, flags):
        """All events since start(), as a replica gets them; a blocking dump ends at a heartbeat."""
        reader = self.connect()
        with reader.cursor() as cursor:
            for name in ("master", "source"):
                cursor.execute(f"SET @{name}_binlog_checksum='{checksum}',"
                               f" @{name}_heartbeat_period=200000000")
            cursor.execute("SET @mariadb_slave_capability=4")
        reader._execute_command(COM_BINLOG_DUMP, struct.pack("<IHI", 4, flags, 4711)
                                + self.first_log)
        events = []
        while not events or events[-1][4] not in HEARTBEAT_TYPES:
            packet = reader._read_packet()
            if packet.is_eof_packet():
                break
            events.append(bytes(packet._data[1:]))
        reader._force_close()
        return events


    def packets(self, sql):
        """The raw rows of a prepared statement."""
        link = self.connection
        link._execute_command(COM_STMT_PREPARE, sql)
        number = struct.unpack("<I", link._read_packet()._data[1:5])[0]
        self.until_eof()  # the columns
        link._execute_command(COM_STMT_EXECUTE, struct.pack("<IBI", number, 0, 1))
        self.until_eof()
        return [packet[1:] for packet in self.until_eof()]

    def until_eof(self):
        packets = []
        while True:
            packet = self.connection._read_packet()
            if packet.is_eof_packet():
                return packets
            packets.append(bytes(packet._data))


def binary_select_list(columns):
    """As mysql::SelectList makes it."""
    casts = {"enum": "CAST({} AS UNSIGNED)|0", "set": "CAST({} AS UNSIGNED)|0",
             "uuid": "CAST({} AS BINARY(16))", "inet6": "CAST({} AS BINARY(16))",
             "inet4": "CAST({} AS BINARY(4))"}
    return ",".join(casts.get(data_type, "{}").format(f"`{name}`") for name, data_type, _ in columns)


def select_list(columns):
    expressions = []
    for name, data_type, type_text in columns:
        quoted = f"`{name}`"
        if data_type == "float":
            quoted = f"CAST({quoted} AS DOUBLE)"
        elif data_type in ("bit", "enum", "set", "year"):
            quoted = f"CAST({quoted} AS UNSIGNED)"
        elif "zerofill" in type_text and "int" in data_type:
            quoted = f"{quoted}+0"
        elif data_type in ("uuid", "inet6", "inet4"):
            quoted = f"CAST({quoted} AS BINARY({4 if data_type == 'inet4' else 16}))"
        expressions.append(quoted)
    return ",".join(expressions)


def describe(server, table, order, packets):
    rows = server.query(
        "SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, COALESCE(NUMERIC_PRECISION,0),"
        " COALESCE(NUMERIC_SCALE,DATETIME_PRECISION,0), COALESCE(CHARACTER_MAXIMUM_LENGTH,0),"
        " COALESCE(CHARACTER_SET_NAME,'') FROM information_schema.COLUMNS"
        f" WHERE TABLE_SCHEMA='capture' AND TABLE_NAME='{table}' ORDER BY ORDINAL_POSITION")
    hidden = server.query(
        "SELECT COUNT(DISTINCT INDEX_NAME) FROM information_schema.STATISTICS WHERE"
        f" TABLE_SCHEMA='capture' AND TABLE_NAME='{table}' AND INDEX_TYPE='HASH'")[0][0].decode()
    lines, columns = [f"table\tcapture\t{table}\t{hidden}"], []
    for row in rows:
        cells = [cell.decode() for cell in row]
        name, data_type, type_text, precision, scale, length, charset = cells
        columns.append((name, data_type, type_text))
        if data_type == "year":
            precision = "2" if type_text == "year(2)" else "0"
        if data_type == "vector":
            length = type_text[len("vector("):-1]
        names = ""
        if data_type in ("enum", "set"):
            names = type_text[type_text.index("(") + 1:-1].replace("'", "").replace(",", "|")
        unsigned = "1" if "unsigned" in type_text else "0"
        lines.append("\t".join(["column", name, TYPES[data_type], type_text, unsigned, precision,
                                scale, length, charset, names]))
    for row in server.query(f"SELECT {select_list(columns)} FROM `{table}` {order}"):
        cells = ["NULL" if cell is None else packed(cell) for cell in row]
        lines.append("\t".join(["row"] + cells))
    if packets:
        sql = f"SELECT {binary_select_list(columns)} FROM `{table}` {order}"
        lines += [in_hex("packet", packet) for packet in server.packets(sql)]
    return lines


def in_hex(kind, data):
    return f"{kind}\t{data.hex()}" if len(data) < 1000 else \
        f"z{kind}\t{zlib.compress(data, 9).hex()}"


def packed(cell):
    return cell.hex() if len(cell) < 1000 else "z:" + zlib.compress(cell, 9).hex()


def capture(server, name, statements, settings, tables=(), checksum="CRC32", order="",
            flags=DUMP_NON_BLOCK, packets=False):
    """One named X-bare tells only its events when X has what it has besides."""
    server.start(settings)
    before = []
    for sql in statements:
        before.append("sql\t" + sql.replace("\n", " ")[:400])
        server.query(sql)
    after = [line for table in tables for line in describe(server, table, order, packets)]
    fuller = DATA / f"{name.removesuffix('-bare')}.txt"
    if name.endswith("-bare") and before + after == [
            line for line in fuller.read_text(encoding="utf-8").split("\n")
            if line and not line.startswith(("#", "event", "zevent"))]:
        before, after = [f"like\t{fuller.stem}"], []
    (DATA / f"{name}.txt").write_text("\n".join([
        f"# {server.version}; {settings}; checksum asked for: {checksum}", *before,
        *(in_hex("event", event) for event in server.dump(checksum, flags)), *after, ""]),
        encoding="utf-8")


def capture_all(server, prefix, only):
    def take(name, *arguments, **options):
        if only in name:
            capture(server, f"{prefix}-{name}", *arguments, **options)

    full, none = ("FULL", "NO_LOG") if server.is_mariadb else ("FULL", "MINIMAL")
    crc = {"binlog_checksum": "CRC32", "binlog_row_metadata": full}
    bare = {"binlog_checksum": "NONE", "binlog_row_metadata": none}
    version = tuple(int(part) for part in server.version.split(".")[:2])
    unsigned_timestamps = server.is_mariadb and version >= (11, 5)
    timestamp_max = "2106-02-07 06:28:14" if unsigned_timestamps else "2038-01-19 03:14:06"
    values = (numbers() + decimals() + texts() + temporals(timestamp_max) + labels() + nulls())
    tables = ("numbers", "decimals", "texts", "temporals", "labels", "nulls")
    take("types", values, crc, tables)
    take("types-bare", values, bare, tables, checksum="NONE")
    types = MYSQL_TYPES if not server.is_mariadb else (
        MARIADB118_TYPES if version >= (11, 7) else MARIADB_TYPES)
    for suffix, settings in (("", crc), ("-bare", {**crc, "binlog_row_metadata": none})):
        take("vectors" + suffix, vectors(types), settings, ("vectors",), order="ORDER BY id",
             packets=True)
    take("changes", changes(), crc, ("changes",), order="ORDER BY id")
    special = MARIADB_ONLY if server.is_mariadb else MYSQL_ONLY
    take("session", TRANSACTIONS + special, bare,
            flags=DUMP_NON_BLOCK | (DUMP_ANNOTATE if server.is_mariadb else 0))
    take("rotation", ROTATION, bare, checksum="NONE")
    take("heartbeat", ROTATION[:1], crc, flags=0)
    if server.is_mariadb:
        take("shapes", shapes("VEC_FromText" if version >= (11, 7) else ""), crc, ("shapes",))
        take("old-temporals", old_temporals(), bare, ("old_temporals",))
        take("old-fractions", old_fractions(), bare, ("old_fractions",))
        take("addresses", addresses(), crc, ("addresses",))
        take("addresses-bare", addresses(), bare, ("addresses",))
        take("deflated", deflated(), bare, ("deflated",))
    else:
        take("shapes", shapes("STRING_TO_VECTOR"), crc, ("shapes",))
        take("heartbeat-v2", ROTATION[:1], crc, flags=DUMP_HEARTBEAT_V2)
        take("json-edits", json_edits(), crc, ("edits",), order="ORDER BY id")
        take("json", json_documents(), crc, ("documents",), order="ORDER BY id")
        take("json-kinds", json_kinds(), crc, ("documents",), order="ORDER BY id")
        take("json-partial", json_partial(), crc, ("partial",), order="ORDER BY id")
        take("json-minimal", JSON_MINIMAL, crc, ("minimal",))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--only", default="", help="only captures whose name holds this")
    options = parser.parse_args()
    DATA.mkdir(parents=True, exist_ok=True)
    capture_all(Server(options.host, options.port), options.name, options.only)


if __name__ == "__main__":
    main()
