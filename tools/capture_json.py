"""SQL of the captures of JSON documents, for capture_binlog.py."""

import json


def literal(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def dumps(value):
    return json.dumps(value, ensure_ascii=False)


# A column of every type that JSON_ARRAY() takes, and values of it.
SOURCES = {
    "TINYINT": ["-128", "127"], "BIGINT UNSIGNED": ["18446744073709551615", "0"],
    "BOOL": ["TRUE"], "FLOAT": ["0.1", "3.4028234e38", "-1e-45", "16777216"],
    "DOUBLE": ["0.1", "5e-324", "1e16", "-0e0"], "DECIMAL(10,2)": ["-0.01", "0", "12345678.9"],
    "DECIMAL(65,30)": ["-99999999999999999999999999999999999.999999999999999999999999999999",
                       "0.000000000000000000000000000001", "0"],
    "DECIMAL(65,0)": ["9" * 65], "DECIMAL(30,30)": ["0." + "9" * 30],
    "YEAR": ["1901", "2155", "0"], "DATE": ["'0000-00-00'", "'9999-12-31'", "'2024-02-00'"],
    "TIME": ["'-838:59:59'", "'838:59:59'", "'00:00:00'"],
    "TIME(6)": ["'-00:00:00.000001'", "'-838:59:58.999999'", "'25:00:00.5'", "'-12:34:56.0001'"],
    "DATETIME": ["'1000-01-01 00:00:00'"],
    "DATETIME(6)": ["'9999-12-31 23:59:59.999999'", "'0000-00-00 00:00:00'",
                    "'2024-00-15 01:02:03.5'"],
    "TIMESTAMP(6)": ["'1970-01-01 00:00:01.000001'", "'2038-01-19 03:14:07.999999'"],
    "BIT(1)": ["b'1'"], "BIT(10)": ["b'1000000001'"], "BIT(64)": ["0xfffefdfcfbfaf9f8"],
    "BINARY(4)": ["'a'", "0x00ff"], "VARBINARY(300)": ["''", "REPEAT(0xfe,300)"],
    "TINYBLOB": ["0x0d0a"], "BLOB": ["REPEAT(0xff,58)"], "MEDIUMBLOB": ["0x00"],
    "LONGBLOB": ["REPEAT('abc',19)"], "CHAR(10)": ["'a  '", "''"],
    "VARCHAR(99) CHARACTER SET latin1": ["'\u00e9\u00ff'"],
    "VARCHAR(98) CHARACTER SET gbk": ["'\u4e2d'"], "TEXT": ["'\U0001f600\u2028'"],
    "ENUM('a','\u6c34','')": ["'a'", "'\u6c34'", "''", "'neither'"],
    "SET('x','y')": ["'y,x'", "''"],
    "GEOMETRY": ["ST_GeomFromText('POINT(1 -2.5)')",
                 "ST_GeomFromText('LINESTRING(0 0,1e-7 1e20)')"],
    "JSON": ["'[1, 1.0, []]'", "'{\"b\": null, \"a\": \"x\"}'"],
}
# Numbers that no column can hold: MySQL computes with nine groups of nine digits.
LONGEST = f"CAST('-{'9' * 35}.{'9' * 30}' AS DECIMAL(65,30))"
COMPUTED = [f"{LONGEST}*0.1", f"{LONGEST}/7", f"{'9' * 65}+1", f"{'9' * 65}*0.123456789",
            "1234567890123456789012345678901234567890.12345678901234567890123456789012345678",
            f"{'9' * 65}-{LONGEST}", "1e0/3", "1/3", "0.1+0.2", f"-({'9' * 65})"]


def json_kinds():
    """Everything that can get into a document, alone and within others."""
    columns = ", ".join(f"c{n} {kind}" for n, kind in enumerate(SOURCES))
    names = ", ".join(f"c{n}" for n in range(len(SOURCES)))
    pairs = ", ".join(f"'key{n * n}', c{n}" for n in range(len(SOURCES)))
    statements = [f"CREATE TABLE kinds (id INT AUTO_INCREMENT PRIMARY KEY, {columns})",
                  "CREATE TABLE documents (id INT AUTO_INCREMENT PRIMARY KEY, j JSON)"]
    for n, values in enumerate(SOURCES.values()):
        statements += [f"INSERT INTO kinds (c{n}) VALUES ({value})" for value in values]
        statements += [f"INSERT INTO documents (j) SELECT {form} FROM kinds WHERE c{n} IS NOT NULL"
                       for form in (f"JSON_ARRAY(c{n})", f"JSON_OBJECT('k', c{n}, '', c{n})")]
    statements += [f"INSERT INTO documents (j) SELECT JSON_ARRAY({names}) FROM kinds",
                   f"INSERT INTO documents (j) SELECT JSON_OBJECT({pairs}) FROM kinds WHERE id < 4"]
    statements += [f"INSERT INTO documents (j) VALUES (JSON_ARRAY({value}))" for value in COMPUTED]
    return statements + [f"INSERT INTO documents (j) VALUES ({literal(document)})"
                         for document in shapes()]


def shapes():
    """Documents: every character that is escaped, and sizes about the limits of the small form,
    which ends at 65535 bytes with all that an object or array holds."""
    characters = [chr(n) for n in range(0x20)] + list("\"\\/'\x7f\x80\u2028\u2029\ufeff\ufffd\uffff"
                                                      "\U0001f600\U0010ffff")
    keys = ["b", "a", "aa", "", "B", "ab", "\u00e9", "z", "\u6c34", "aaa", "\x7f"]
    documents = [json.dumps(characters), dumps({c: c for c in characters}),
                 dumps("".join(characters) * 3), "[" * 100 + "]" * 100,
                 '{"":' * 99 + "{}" + "}" * 99, dumps({key: n for n, key in enumerate(keys)})]
    documents += ['["' + "x" * length + '"]' for length in range(65519, 65536)]
    documents += ['{"k":"' + "x" * length + '"}' for length in range(65510, 65530)]
    documents += ['{"a":{"k":"' + "x" * length + '"},"b":["' + "y" * 32700 + '"],"c":70000}'
                  for length in range(32759, 32765)]
    documents += [dumps([7] * count) for count in (21843, 21844, 21845)]
    wide = ",".join(["70000", "-70000", "32768"] * 3000)
    documents += ['{"a":' * 30 + f"[{wide}]" + "}" * 30,
                  dumps({f"k{n}": {"v": [n, -n, n * 70000, str(n)]} for n in range(500)})]
    return documents


PAD = "p" * 200
ARRAY = dumps({"a": [1, 2, 3, [4, 5], {"c": PAD}], "pad": PAD})
OBJECT = dumps({"a": PAD, "b": [1]})
KEYS = ["a", "", "a b", "a.b", 'a"b', "a\\b", "a\nb", "\x01", "\x1f", "\t", "\x7f", "\u00e9",
        "\u6c34", "\U0001f600", "\U0001d4b3", "a$", "_", "1a", "a-b", "\u2028", "a/b", "a'b",
        "a[0]", "*", "a\u200d", "null", "last", "x" * 300]


class Partial:
    """Statements that fill the table `partial` and change its rows. Its t and u are the texts of j
    and k; k is changed otherwise than j, and mostly not at all."""

    def __init__(self):
        self.statements = [
            "CREATE TABLE partial (id INT PRIMARY KEY, j JSON, t LONGTEXT CHARACTER SET utf8mb4,"
            " k JSON, n INT, u LONGTEXT CHARACTER SET utf8mb4)",
            "SET SESSION binlog_row_value_options='PARTIAL_JSON'"]
        self._rows = 0

    def add(self, document, *edits, other="k", n="n"):
        """A row, and an update of it for each edit: an expression of j."""
        self._rows += 1
        document = literal(document)
        self.statements.append(
            f"INSERT INTO partial VALUES ({self._rows}, {document}, '', {document}, 0, '')")
        self.statements += [f"UPDATE partial SET j={edit}, t=CAST(j AS CHAR), k={other}, n={n},"
                            f" u=CAST(k AS CHAR) WHERE id={self._rows}" for edit in edits]


def set_all(*pairs):
    return "JSON_SET(j, " + ", ".join(f"{literal(path)}, {value}" for path, value in pairs) + ")"


def remove_all(*paths):
    return "JSON_REMOVE(j, " + ", ".join(map(literal, paths)) + ")"


def path_forms(partial):
    """Keys that are quoted or escaped, and indexes from both ends, within and without."""
    for key in KEYS:
        outer, inner = "$." + dumps(key), "$." + dumps(key) + "." + dumps(key)
        partial.add(dumps({key: {key: "old"}, "pad": PAD}),
                    set_all((inner, "'new'")), set_all((outer + ".x", "JSON_ARRAY(1)")),
                    set_all((outer + ".x[1]", "2")), remove_all(inner), remove_all(outer),
                    set_all((outer, f"JSON_OBJECT({literal(key)}, {literal(key)})")))
    partial.add(ARRAY, *(set_all((f"$.{path}", value)) for path, value in (
        ("a[0]", "'first'"), ("a[last]", "9"), ("a[last-1][1]", "'x'"), ("a[3][last]", "NULL"),
        ("a[10]", "10"), ("a[last-20]", "'before'"), ("a[3][2]", "JSON_ARRAY()"),
        ("pad[0]", "'one'"), ("pad[1]", "'two'"), ("a[4][1]", "TRUE"), ("pad[last-5]", "'zero'"),
        ("b", "1.5e0"), ("b", "1.50"), ("b", "TIMESTAMP'2024-02-29 01:02:03.5'"),
        ("b", "REPEAT('x', 300)"), ("b", "REPEAT('y', 70000)"), ("c", "j"), ("c.c", "x'00ff'"))))
    deep = "[" * 99 + "]" * 99
    partial.add(deep, set_all(("$" + "[0]" * 99, "JSON_ARRAY()")),
                set_all(("$" + "[0]" * 100, "1")), remove_all("$" + "[0]" * 100))


def many_edits(partial):
    """Several edits at once, and such that the server logs the document whole."""
    partial.add(ARRAY, remove_all("$.a[0]", "$.a[0]"), remove_all("$.a[last]"),
                remove_all("$.a[last-1]", "$.a[0]"), remove_all("$.a[0]", "$.pad"),
                remove_all("$.a"),
                set_all(("$.z", "JSON_OBJECT()"), ("$.z.y", "JSON_ARRAY()"), ("$.z.y[0]", "1"),
                        ("$.z.y[last]", "2"), ("$.z.y[1]", "3")),
                "JSON_REPLACE(JSON_REMOVE(JSON_SET(j, '$.b', 1, '$.a', 2), '$.z.y[0]'),"
                " '$.b', 3, '$.none', 4)")
    partial.add(ARRAY, "JSON_SET(j, '$', JSON_ARRAY(1, 2))", "JSON_SET(j, '$[2]', j)",
                "JSON_SET(j, '$[0]', 0)", "JSON_ARRAY_INSERT(j, '$[0]', 'i')",
                "JSON_REMOVE(j, '$[last]')", "NULL", "JSON_ARRAY(1)", "JSON_INSERT(j, '$[1]', 5)")
    partial.add(dumps({f"k{n}": n for n in range(0, 400, 2)}),
                *(set_all(*((f"$.k{n}", f"{n}") for n in range(start, 400, step)))
                  for start, step in ((1, 20), (0, 3), (3, 7))),
                remove_all(*(f"$.k{n}" for n in range(0, 300, 4))))
    partial.add(dumps([[n, {"n": n}] for n in range(300)]),
                set_all(*((path, f"'v{n}'") for n in range(0, 300, 9)
                          for path in (f"$[{n}][1].n", f"$[{n}][2]"))),
                remove_all(*(f"$[{n}]" for n in range(5, 150, 3))))
    # Both forms, and from one to the other.
    for length in (65400, 65500, 65520, 65600):
        partial.add(dumps({"big": "b" * length, "a": [1, {"x": 70000}]}),
                    set_all(("$.a[1].y", "80000")), set_all(("$.c", "REPEAT('c', 120)")),
                    set_all(("$.big", "'small'")), set_all(("$.big", f"REPEAT('d', {length})")),
                    remove_all("$.a[0]"))


def json_partial():
    """Differences in the log in place of documents."""
    partial = Partial()
    path_forms(partial)
    many_edits(partial)
    # Columns of which some are partial, some whole, some NULL, some as they were.
    partial.add(OBJECT, "JSON_SET(j, '$.a', 'x')", "j", other="JSON_SET(k, '$.b[1]', 2)", n="n+1")
    partial.add(OBJECT, "JSON_SET(j, '$.a', 'x')", "j", other="'[1, 2]'", n="n+1")
    partial.add(OBJECT, "'\"whole\"'", "JSON_SET(j, '$[1]', 1)", other="JSON_SET(k, '$.c', 3)")
    partial.add(OBJECT, "JSON_SET(j, '$.a', 'x')", "JSON_SET(j, '$.a', 'y')", other="NULL")
    return partial.statements + [
        "UPDATE partial SET n=n+1",
        "UPDATE partial SET j=JSON_SET(j, '$.all', id), t=CAST(j AS CHAR)",
        "UPDATE partial SET id=id+1000, k=JSON_SET(k, '$.pad', 'P'), u=CAST(k AS CHAR)"
        " WHERE id % 2 = 0",
        "UPDATE partial SET j=NULL, t=NULL WHERE id % 3 = 0",
        "UPDATE partial SET j='{}', t=CAST(j AS CHAR) WHERE id % 6 = 0",
        "UPDATE partial SET k=JSON_REMOVE(k, '$.pad', '$.a'), u=CAST(k AS CHAR)",
        "SET SESSION binlog_row_value_options=''"]


# Differences without the documents they apply to.
JSON_MINIMAL = [
    "CREATE TABLE minimal (id INT PRIMARY KEY, j JSON, k JSON)",
    f"INSERT INTO minimal VALUES (1, {literal(OBJECT)}, {literal(OBJECT)})",
    "SET SESSION binlog_row_image=MINIMAL, binlog_row_value_options='PARTIAL_JSON'",
    "UPDATE minimal SET k=JSON_SET(k, '$.a', 'x')",
    "SET SESSION binlog_row_image=FULL, binlog_row_value_options=''",
]
