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
from types_table import (MARIADB118_TYPES, MARIADB_TYPES, MYSQL_TYPES, OLD_TEMPORALS,  # noqa: E402
                         rows)

DATA = TESTS / "data" / "binlog"
COM_BINLOG_DUMP = 0x12
COM_STMT_PREPARE, COM_STMT_EXECUTE = 0x16, 0x17
DUMP_NON_BLOCK = 1
DUMP_ANNOTATE = 2  # MariaDB
DUMP_HEARTBEAT_V2 = 2  # MySQL
HEARTBEAT_TYPES = (27, 41)
VECTORS_MAX = 39  # with the key, as many columns as row_image_fuzz takes


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
    """Every value of the table of boundary values; the names of its tables, then the statements."""
    names = list(types)
    tables = {f"vectors{first}": {name: types[name] for name in names[first:first + VECTORS_MAX]}
              for first in range(0, len(names), VECTORS_MAX)}
    made = [filled(table, part) for table, part in tables.items()]
    return list(tables), ["SET SESSION sql_mode='ALLOW_INVALID_DATES'",
                          *(statements[0] for statements in made),
                          *(insert for statements in made for insert in statements[1:])]


def old_temporals():
    """A server's log of what mysql56_temporal_format=OFF stores in another form."""
    types = {"da": MARIADB_TYPES["da"], "y2": MARIADB_TYPES["y2"], **OLD_TEMPORALS}
    return ["SET GLOBAL mysql56_temporal_format=OFF", *filled("old_temporals", types),
            "SET GLOBAL mysql56_temporal_format=ON"]


def addresses():
    """A long unique key, whose hash is hidden."""
    types = {name: MARIADB_TYPES[name] for name in ("uu", "i4", "i6")}
    return filled("addresses", {**types, "t": ("TEXT UNIQUE", ["'a'", "'b'", "'c'", "'d'"])})


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


def events():
    """Events of many sizes, and DDL between them."""
    rows = [[str(number), f"REPEAT('{number} ',{number * number})"] for number in range(60)]
    return [*create("first", ["id INT PRIMARY KEY", "v LONGTEXT"]),
            *create("second", ["id INT PRIMARY KEY", "v LONGTEXT"]),
            "BEGIN", *inserts("first", rows), "SAVEPOINT s", "DELETE FROM first WHERE id < 30",
            "UPDATE first SET v = REPEAT('large ', 100000) WHERE id > 57",
            "INSERT INTO second SELECT id, v FROM first WHERE id < 40", "COMMIT",
            "ALTER TABLE second ADD COLUMN n INT DEFAULT 5 COMMENT 'said at length'",
            "CREATE TABLE third (PRIMARY KEY (id)) SELECT * FROM second WHERE id < 35",
            "DELETE FROM second"]


def filled(table, types):
    """A table of such columns, made and then filled with all of their values."""
    columns = ["id INT PRIMARY KEY"] + [f"`{name}` {kind} NULL" for name, (kind, _) in types.items()]
    return create(table, columns) + inserts(
        table, [[str(number), *row] for number, row in enumerate(rows(types, nullable=True))])


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
    types = MYSQL_TYPES if not server.is_mariadb else (
        MARIADB118_TYPES if version >= (11, 7) else MARIADB_TYPES)
    tables, values = vectors(types)
    for suffix, settings in (("", crc), ("-bare", {**crc, "binlog_row_metadata": none})):
        take("vectors" + suffix, values, settings, tables, order="ORDER BY id", packets=True)
    take("nulls", nulls(), crc, ("nulls",))
    take("changes", changes(), crc, ("changes",), order="ORDER BY id")
    special = MARIADB_ONLY if server.is_mariadb else MYSQL_ONLY
    take("session", TRANSACTIONS + special, bare,
            flags=DUMP_NON_BLOCK | (DUMP_ANNOTATE if server.is_mariadb else 0))
    take("rotation", ROTATION, bare, checksum="NONE")
    take("heartbeat", ROTATION[:1], crc, flags=0)
    if server.is_mariadb:
        take("events-compressed", events(), {**crc, "log_bin_compress": 1,
                                             "log_bin_compress_min_len": 10})
        take("events", events(), {**crc, "log_bin_compress": 0})
    else:
        take("events-compressed", ["SET SESSION binlog_transaction_compression=ON", *events()], crc)
        take("events-level22", ["SET SESSION binlog_transaction_compression=ON",
                                "SET SESSION binlog_transaction_compression_level_zstd=22",
                                *events()], crc)
        take("events", events(), crc)
    if server.is_mariadb:
        take("old-temporals", old_temporals(), bare, ("old_temporals",), order="ORDER BY id")
        take("addresses", addresses(), crc, ("addresses",), order="ORDER BY id")
        take("addresses-bare", addresses(), bare, ("addresses",), order="ORDER BY id")
        take("deflated", deflated(), bare, ("deflated",))
    else:
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
