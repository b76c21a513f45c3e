"""Inputs for the fuzzers (src/**/*_fuzz.cc) to begin with, out of the captures in tests/data/binlog."""

import functools
import hashlib
import pathlib
import re
import struct
import zlib

CAPTURES = pathlib.Path(__file__).resolve().parent.parent / "tests" / "data" / "binlog"
# What is larger is left out as it is read: a fuzzer's peak of memory counts from its parent's.
PIECE_BYTES_MAX = 1 << 16
HEADER_BYTES, CHECKSUM_BYTES = 19, 4
FORMAT_DESCRIPTION, TABLE_MAP, PARTIAL_UPDATE = 15, 19, 39
TRANSACTION_PAYLOAD, ROW_FRAGMENT = 40, 172
INSERTS = {23: 8, 30: 10}  # the rows event and the bytes before its number of columns
GTIDS = {33, 34, 42, 162}
INT, JSON, BLOB, GEOMETRY = 3, 245, 252, 255
# As row_image_fuzz.cc numbers them.
FUZZED_TYPES = [1, 2, 9, 3, 8, 246, 4, 5, 16, 254, 15, 252, 10, 14, 18, 17, 19, 12, 7, 11, 13, 245, 247,
                248, 255, 242, 140, 141]
METADATA_BYTES = {**dict.fromkeys([15, 16, 141, 246, 247, 248, 253, 254], 2), **dict.fromkeys(
    [4, 5, 17, 18, 19, 140, 242, 245, 249, 250, 251, 252, 255], 1)}
# As model::SqlType numbers the types that a capture names.
SQL_TYPES = ["TINYINT", "SMALLINT", "MEDIUMINT", "INT", "BIGINT", "DECIMAL", "FLOAT", "DOUBLE", "BIT",
             "CHAR", "VARCHAR", "TEXT", "BINARY", "VARBINARY", "BLOB", "DATE", "DATETIME", "TIMESTAMP",
             "TIME", "YEAR", "ENUM", "SET", "JSON", "GEOMETRY", "VECTOR", "UUID", "INET4", "INET6"]
LENGTH_ENCODED = {"DECIMAL", "BIT", "CHAR", "VARCHAR", "TEXT", "BINARY", "VARBINARY", "BLOB", "JSON",
                  "GEOMETRY", "VECTOR", "UUID", "INET4", "INET6"}
INTEGER_BYTES = {"TINYINT": 1, "SMALLINT": 2, "MEDIUMINT": 4, "INT": 4, "BIGINT": 8, "YEAR": 2,
                 "ENUM": 8, "SET": 8}


class Capture:
    """A capture's events, and its tables: name, (columns as lists of fields, rows as lists); without
    events and rows beyond PIECE_BYTES_MAX."""

    def __init__(self, path):
        self.events, self.tables, self.statements = [], {}, []
        for line in path.read_text(encoding="utf-8").split("\n"):
            kind, *fields = line.split("\t")
            if kind == "#" or line.startswith("#"):
                self.checksum = line.endswith("CRC32")
            elif kind == "sql":
                self.statements.append(fields[0])
            elif kind in ("event", "zevent"):
                self.add_event(unpacked(("z:" if kind == "zevent" else "") + fields[0]))
            elif kind == "like":
                self.tables = Capture(path.with_stem(fields[0])).tables
            elif kind == "table":
                columns, rows = self.tables.setdefault(fields[1], ([], []))
            elif kind == "column":
                columns.append(fields)
            elif kind == "row":
                row = [unpacked(field) for field in fields]
                if sum(len(cell or b"") for cell in row) < PIECE_BYTES_MAX:
                    rows.append(row)

    def add_event(self, event):
        if len(event) < PIECE_BYTES_MAX:
            self.events.append(event)

    def bodies(self):
        """(type, body) of each event."""
        checksum = self.checksum
        for event in self.events:
            if event[4] == FORMAT_DESCRIPTION:  # ends with the log's own kind of checksum, and one
                checksum = event[-1 - CHECKSUM_BYTES] == 1
            yield event[4], event[HEADER_BYTES:len(event) - CHECKSUM_BYTES * checksum]


def unpacked(field):
    if field == "NULL":
        return None
    if field.startswith("z:"):
        return zlib.decompress(bytes.fromhex(field[2:]))
    return bytes.fromhex(field)


@functools.cache
def captures():
    return [Capture(path) for path in sorted(CAPTURES.glob("*.txt"))]


# --- rows --------------------------------------------------------------------------------------


class Map:
    """What a table map event tells."""

    def __init__(self, body):
        schema_end = 9 + body[8] + 1
        name_end = schema_end + 1 + body[schema_end] + 1
        self.table = body[schema_end + 1:name_end - 1].decode()
        count = body[name_end]  # no captured table has more than 250
        self.types = body[name_end + 1:name_end + 1 + count]
        at = name_end + 1 + count + 1
        self.metadata = []
        for kind in self.types:
            length = METADATA_BYTES.get(kind, 0)
            self.metadata.append(int.from_bytes(body[at:at + length], "little"))
            at += length


def rows_events(capture):
    """(its table's map, type, body) of each rows event."""
    table = None
    for kind, body in capture.bodies():
        if kind == TABLE_MAP:
            table = Map(body)
        elif table and (kind in INSERTS or kind == PARTIAL_UPDATE):
            yield table, kind, body


def row_image_seeds():
    """Definition, map and rows, as row_image_fuzz.cc reads them."""
    for capture in captures():
        for table, kind, body in rows_events(capture):
            if kind not in INSERTS or table.table not in capture.tables or len(table.types) > 40:
                continue
            seed = bytes([len(table.types) - 1])
            columns = capture.tables[table.table][0]
            for number, (type_byte, metadata) in enumerate(zip(table.types, table.metadata)):
                # A column that only the log has is a number of eight bytes.
                column = columns[number] if number < len(columns) else ["", "BIGINT", "", "0"] + [""] * 5
                flags = int(column[3] or 0) | 2 * (type_byte in (140, 141))
                seed += struct.pack("<BBBHB", SQL_TYPES.index(column[1]), flags,
                                    FUZZED_TYPES.index(type_byte), metadata,
                                    min(len(column[8].split("|")), 255))
            seed += body[INSERTS[kind] + 1:INSERTS[kind] + 1 + (len(table.types) + 7) // 8]
            yield seed + b"\0" + body[INSERTS[kind] + 1 + (len(table.types) + 7) // 8:]


def length_encoded(data):
    if len(data) < 251:
        return bytes([len(data)]) + data
    if len(data) < 1 << 16:
        return b"\xfc" + struct.pack("<H", len(data)) + data
    return b"\xfd" + struct.pack("<I", len(data))[:3] + data


def binary_moment(text):
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    packed = struct.pack("<HBB", *numbers[:3])
    if len(numbers) > 3:
        packed += struct.pack("<BBB", *numbers[3:6])
    if len(numbers) > 6:
        packed += struct.pack("<I", int(str(numbers[6]).ljust(6, "0")[:6]))
    return bytes([len(packed)]) + packed


def binary_time(text):
    hours, minutes, seconds, *fraction = (int(number) for number in re.findall(r"\d+", text))
    packed = struct.pack("<BIBBB", text.startswith("-"), hours // 24, hours % 24, minutes, seconds)
    packed += struct.pack("<I", fraction[0]) if fraction else b""
    return bytes([len(packed)]) + packed


def binary_cell(kind, cell):
    """A cell that a capture holds as text, as the binary protocol sends it."""
    if kind in LENGTH_ENCODED:
        return length_encoded(cell)
    text = cell.decode()
    if kind in INTEGER_BYTES:
        return (int(text) % (1 << 64)).to_bytes(8, "little")[:INTEGER_BYTES[kind]]
    if kind in ("FLOAT", "DOUBLE"):
        return struct.pack("<f" if kind == "FLOAT" else "<d", float(text))
    return binary_time(text) if kind == "TIME" else binary_moment(text)


def binary_row_seeds():
    for capture in captures():
        for columns, rows in capture.tables.values():
            if len(columns) > 64:
                continue
            seed = bytes([len(columns) - 1])
            for _, kind, _, unsigned, precision, scale, length, *_ in columns:
                seed += bytes([SQL_TYPES.index(kind), int(unsigned), int(precision) % 256,
                               int(scale) % 256, int(length) % 256])
            for row in rows:
                nulls = sum(1 << (i + 2) for i, cell in enumerate(row) if cell is None)
                packet = nulls.to_bytes((len(columns) + 9) // 8, "little") + b"".join(
                    binary_cell(column[1], cell) for column, cell in zip(columns, row)
                    if cell is not None)
                if len(packet) < 1 << 16:
                    yield seed + struct.pack("<H", len(packet)) + packet


# --- JSON --------------------------------------------------------------------------------------


class Images:
    """Reads row images of tables whose columns are INT, BLOB and JSON only."""

    def __init__(self, body, at):
        self.body, self.at = body, at

    def take(self, count):
        self.at += count
        return self.body[self.at - count:self.at]

    def image(self, types):
        """The cells; a JSON cell of an after image may hold differences."""
        nulls = int.from_bytes(self.take((len(types) + 7) // 8), "little")
        cells = []
        for number, kind in enumerate(types):
            if nulls >> number & 1:
                cells.append(None)
            else:
                cells.append(self.take(4 if kind == INT else struct.unpack("<I", self.take(4))[0]))
        return cells

    def partial_bits(self, types):
        """Skips the options of an after image and its bit for each JSON column."""
        if self.take(1)[0] & 1:
            self.take((types.count(JSON) + 7) // 8)


def readable(types):
    return JSON in types and set(types) <= {INT, BLOB, JSON}


def json_binary_seeds():
    for capture in captures():
        for table, kind, body in rows_events(capture):
            if kind not in INSERTS or not readable(table.types):
                continue
            images = Images(body, INSERTS[kind] + 1 + (len(table.types) + 7) // 8)
            while images.at < len(body):
                for type_byte, cell in zip(table.types, images.image(table.types)):
                    if type_byte == JSON and cell is not None:
                        yield cell


def json_diff_pairs():
    """(document, differences) of each JSON column of partial updates, where there are both."""
    for capture in captures():
        for table, kind, body in rows_events(capture):
            if kind != PARTIAL_UPDATE or not readable(table.types):
                continue
            bitmap, every = (len(table.types) + 7) // 8, (1 << len(table.types)) - 1
            present = int.from_bytes(body[11:11 + bitmap], "little")
            if present & every != every:
                continue  # images without some columns
            images = Images(body, 11 + 2 * bitmap)
            while images.at < len(body):
                before = images.image(table.types)
                images.partial_bits(table.types)
                for type_byte, *cells in zip(table.types, before, images.image(table.types)):
                    if type_byte == JSON and None not in cells:
                        yield cells


def json_diff_seeds():
    return (struct.pack("<H", len(document)) + document + differences
            for document, differences in json_diff_pairs() if len(document) < 1 << 16)


def json_path_seeds():
    for capture in captures():
        for statement in capture.statements:
            yield from (path.encode() for path in re.findall(r"'(\$[^']*)'", statement))
    yield from (b"$", b'$."b c"[3][last-1]', b'$."\\u0001\\"\\\\"', b"$[4294967295].a")


# --- the others --------------------------------------------------------------------------------


def event_seeds():
    for capture in captures():
        session = bytes([capture.checksum])
        for event in capture.events:
            packet = struct.pack("<H", len(event)) + event
            yield bytes([capture.checksum]) + packet
            session += packet
        yield session
        for _, kind, body in rows_events(capture):
            yield b"\0" + b"".join(struct.pack("<H", len(piece)) + piece
                                   for piece in fragments(event_of(kind, body)))


def transaction_payload_seeds():
    """Bodies of payload events as they are, and events to be packed into one."""
    for capture in captures():
        bodies = list(capture.bodies())
        yield from (b"\0" + body for kind, body in bodies if kind == TRANSACTION_PAYLOAD)
        yield b"\1" + b"".join(event_of(kind, body) for kind, body in bodies
                               if kind not in (TRANSACTION_PAYLOAD, FORMAT_DESCRIPTION))


def event_of(kind, body):
    """Without a checksum."""
    return struct.pack("<IBIIIH", 0, kind, 1, HEADER_BYTES + len(body), 0, 0) + body


def fragments(event):
    """Of a rows event, as MariaDB 12.3 logs them."""
    half = len(event) // 2
    yield event_of(ROW_FRAGMENT, struct.pack("<IIBQ", 1, 2, 1, len(event)) + event[:half])
    yield event_of(ROW_FRAGMENT, struct.pack("<IIB", 2, 2, 0) + event[half:])


def gtid_event_seeds():
    return (body for capture in captures() for kind, body in capture.bodies() if kind in GTIDS)


def gtid_seeds():
    uuid = "11111111-2222-3333-4444-5555555555ff"
    texts = [uuid + ":1", f"{uuid}:1-5:7:9-11,\n{uuid[:-2]}00:18446744073709551614",
             f"{uuid}:tag_one:1-3:5:other:7", "0-1-100", "0-1-100,5-4294967295-18446744073709551615"]
    sets = [text for text in texts if uuid[:8] in text]
    positions = [f"mysql_gtid|bin.000001|4|{text}|" for text in sets]
    positions += [f"mariadb_gtid|bin%7c.000001|158||{text}" for text in texts if text not in sets]
    return [text.encode() for text in texts + positions + ["file|bin.000002|4294967296||"]]


def statement_seeds():
    for capture in captures():
        for statement in capture.statements:
            yield from (mode + statement.encode() for mode in (b"\2", b"\1"))
    for sql in ("/*!50001 CREATE */ /*M!100000 TABLE*/ `a``b`.\"c\" (a INT) -- x\n# y\n",
                "RENAME TABLE a TO b, c.d TO e", "DROP TABLE IF EXISTS a, b.c /* generated */",
                "ALTER TABLE a ADD INDEX (b), ENGINE=InnoDB", "ROLLBACK TO SAVEPOINT `s`",
                "INSERT INTO a SELECT * FROM b.c JOIN d", "XA COMMIT 'x' ONE PHASE"):
        yield b"\2" + sql.encode()


def column_type_seeds():
    texts = {column[2] for capture in captures() for columns, _ in capture.tables.values()
             for column in columns}
    more = ["enum('it''s','a,b','')", "set('(',')')", "decimal(10,2) unsigned zerofill", "year(2)",
            "varchar(10) /*M!100301 COMPRESSED*/", "timestamp(6)", "vector(70)", "bit(64)"]
    return [text.encode() for text in (*texts, *more)]


def decimal_seeds():
    shapes = ((1, 0), (9, 9), (10, 2), (18, 9), (18, 0), (20, 10), (38, 38), (65, 30), (81, 45))
    return (bytes(shape) + first + bytes([fill]) * 40 for shape in shapes
            for first, fill in ((b"\x80", 0), (b"\x7f", 0xff), (b"\x81", 5), (b"\x7e", 0xfa)))


def decimal_text_seeds():
    for precision, scale, text in ((10, 2, "-12.30"), (18, 0, "999999999999999999"), (5, 5, "0.99999"),
                                   (65, 30, "9" * 35 + "." + "9" * 30), (76, 0, "-" + "9" * 76),
                                   (38, 10, "0000000000000000000000000000.0000000001")):
        yield bytes([precision - 1, scale]) + text.encode()


def rows_of(kinds):
    """Cells of the columns of these types."""
    for capture in captures():
        for columns, rows in capture.tables.values():
            for row in rows:
                yield from (cell for column, cell in zip(columns, row)
                            if column[1] in kinds and cell is not None)


def charset_seeds():
    texts = ["abc", "ñ水🚰", "\x1b(B", "Ĳ ſ ẞ", "ｱｲｳ", "中文"]
    codecs = ("utf-8", "gb18030", "shift_jis", "euc_jp", "euc_kr", "big5", "utf-16-be", "utf-32-be",
              "latin-1")
    return (bytes([number]) + text.encode(codec, errors="replace") for number in range(38)
            for text in texts for codec in codecs)


def compressed_column_seeds():
    """Length and stored bytes in both forms; what is not deflated begins with a zero."""
    for text in (b"abc" * 100, b"\0" * 1000, b"", b"x"):
        raw = zlib.compressobj(9, zlib.DEFLATED, -15)
        forms = ((0x88, raw.compress(text) + raw.flush()), (0x80, zlib.compress(text)))
        for first, deflated in forms:
            length = (len(text).bit_length() + 7) // 8
            stored = bytes([first | length]) + len(text).to_bytes(length, "big") + deflated
            yield struct.pack("<I", 1000) + stored
        yield struct.pack("<I", 1000) + b"\0" + text


def seeds(name):
    makers = {function.__name__: function for function in
              (event_seeds, row_image_seeds, json_binary_seeds, json_diff_seeds, json_path_seeds,
               binary_row_seeds, transaction_payload_seeds, gtid_event_seeds, gtid_seeds, statement_seeds, column_type_seeds,
               decimal_seeds, decimal_text_seeds, charset_seeds, compressed_column_seeds)}
    if name == "geometry_fuzz":
        return rows_of({"GEOMETRY"})
    return makers[name.replace("_fuzz", "_seeds")]()


def write(name, folder, bytes_max):
    """Writes the seeds of one fuzzer, those not longer than `bytes_max`, a file each."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed in seeds(name):
        path = folder / hashlib.sha256(seed).hexdigest()[:20]
        if len(seed) <= bytes_max and not path.exists():
            path.write_bytes(seed)
