"""The boundary values of every type, for whoever writes them into a source: the system tests and
tools/capture_binlog.py. Column: (type, values as SQL); NULL is to be tried for every column besides.
Times are those of a session in UTC.
"""

LONG_ENUM = ",".join(f"'member{n}'" for n in range(300))
SET_64 = ",".join(f"'m{n}'" for n in range(64))
ALL_64 = ",".join(f"m{n}" for n in range(64))
DATES = ["'0000-00-00'", "'2024-00-15'", "'2024-02-00'", "'1000-01-01'", "'1899-12-31'", "'1900-01-01'",
         "'1969-12-31'", "'1970-01-01'", "'2024-02-29'", "'2299-12-31'", "'2300-01-01'", "'9999-12-31'"]
# Leap days; both ends of what ClickHouse holds; in Berlin the hour from 02:00 that is left out and
# the one that comes twice.
DATETIMES = [*(date[1:-1] + " 12:34:56" for date in DATES), "1900-01-01 00:00:00",
             "2299-12-31 23:59:59", "1000-01-01 00:00:00", "2000-02-29 00:00:00",
             "2024-03-31 02:30:00", "2024-10-27 02:30:00", "0000-00-00 00:00:00"]
# Both ends of the type, and the same two hours in UTC, at their edges too.
TIMESTAMPS = ["1970-01-01 00:00:01", "2038-01-19 03:14:07", "2024-02-29 23:59:59",
              "2024-03-31 00:59:59", "2024-03-31 01:00:00", "2024-03-31 01:30:00",
              "2024-10-27 00:30:00", "2024-10-27 01:30:00"]
TIMES = ["-838:59:58", "838:59:58", "08:05:09", "-00:00:00", "-123:45:06", "12:00:00"]


def fractions(texts, digits):
    """The texts with each fraction in turn that a column of so many digits tells apart."""
    endings = [""] if digits == 0 else ["." + "0" * (digits - 1) + "1", "." + "9" * digits, ".5", ""]
    return [f"'{text}{endings[number % len(endings)]}'" for number, text in enumerate(texts)]


FRACTIONS = {}
for width in range(7):
    FRACTIONS |= {
        f"dt{width}": (f"DATETIME({width})", fractions(DATETIMES, width) + [
            "'9999-12-31 23:59:59" + ("." + "9" * width if width else "") + "'"]),
        f"ts{width}": (f"TIMESTAMP({width})", fractions(TIMESTAMPS, width) + [
            "'2038-01-19 03:14:07" + ("." + "9" * width if width else "") + "'",
            "'0000-00-00 00:00:00'"]),
        f"tm{width}": (f"TIME({width})", fractions(TIMES, width) + [
            "'-838:59:59'", "'838:59:59'", "'00:00:00'", "'-00:00:01'"]),
    }
# Column: (type, values as SQL). NULL is tried for every column besides.
TYPES = {
    "ti": ("TINYINT", ["-128", "127", "0"]),
    "tu": ("TINYINT UNSIGNED", ["0", "255"]),
    "t1": ("TINYINT(1)", ["-1", "0", "1", "2", "127"]),
    "si": ("SMALLINT", ["-32768", "32767"]),
    "su": ("SMALLINT UNSIGNED", ["0", "65535"]),
    "mi": ("MEDIUMINT", ["-8388608", "8388607", "-1"]),
    "mu": ("MEDIUMINT UNSIGNED", ["0", "16777215", "8388608"]),
    "ii": ("INT", ["-2147483648", "2147483647"]),
    "iu": ("INT UNSIGNED", ["0", "4294967295"]),
    "iz": ("INT(8) ZEROFILL", ["42"]),
    "bi": ("BIGINT", ["-9223372036854775808", "9223372036854775807"]),
    "bu": ("BIGINT UNSIGNED", ["0", "18446744073709551615"]),
    "d2": ("DECIMAL(10,2)", ["12.30", "-12.30", "-99999999.99", "99999999.99", "0", "-0.01"]),
    "d0": ("DECIMAL(18,0)", ["999999999999999999", "-999999999999999999", "7"]),
    "d19": ("DECIMAL(19,4)", ["999999999999999.9999", "-0.0001"]),
    "d38": ("DECIMAL(38,10) UNSIGNED", ["9999999999999999999999999999.9999999999", "0.0000000001"]),
    "d65": ("DECIMAL(65,30)", ["-99999999999999999999999999999999999.999999999999999999999999999999",
                               "0.000000000000000000000000000001", "1"]),
    "d5": ("DECIMAL(5,5)", ["0.99999", "-0.00001"]),
    "fl": ("FLOAT", ["0.1", "-1.5", "3.4028234e38", "1.17549435e-38", "16777216", "1e-45", "-0e0"]),
    "db": ("DOUBLE", ["0.1", "-1.7976931348623157e308", "2.2250738585072014e-308", "5e-324", "-0e0", "0",
                      "123456789.123456789", "0.30000000000000004", "1e22", "9007199254740993"]),
    "b1": ("BIT(1)", ["b'0'", "b'1'"]),
    "b10": ("BIT(10)", ["b'1111111111'", "b'1000000001'"]),
    "b64": ("BIT(64)", ["0xFFFFFFFFFFFFFFFF", "0x8000000000000000", "b'1'"]),
    "ye": ("YEAR", ["1901", "2155", "0", "2024"]),
    "ch": ("CHAR(10)", ["'abc'", "''", "'a  '", "'ñ水🚰'", "REPEAT('🚰',10)"]),
    "vc": ("VARCHAR(20)", ["'abc'", "''", "'a  '", "'\\0x'", "'ñ水🚰'", "'tab\\tnew\\nquote\\''"]),
    "vl": ("VARCHAR(2000)", ["REPEAT('水',2000)", "REPEAT('a',255)", "REPEAT('a',256)"]),
    "tt": ("TINYTEXT", ["REPEAT('a',255)", "''"]),
    "tx": ("TEXT", ["REPEAT('é',30000)", "'x'"]),
    "mt": ("MEDIUMTEXT", ["REPEAT('z',70000)", "'水'"]),
    "lt": ("LONGTEXT", ["REPEAT('long ',400000)", "''"]),
    "bn": ("BINARY(16)", ["x'00'", "x'FF00'", "REPEAT('a',16)"]),
    "vb": ("VARBINARY(300)", ["''", "x'00FF00'", "REPEAT(x'FE',300)"]),
    "tb": ("TINYBLOB", ["x'00'", "REPEAT(x'0D0A',100)"]),
    "bl": ("BLOB", ["REPEAT(x'00FF',30000)", "''"]),
    "mb": ("MEDIUMBLOB", ["REPEAT(x'80',70000)"]),
    "lb": ("LONGBLOB", ["REPEAT(x'00010203',500000)", "x'C3'"]),
    "da": ("DATE", DATES),
    **FRACTIONS,
    "en": ("ENUM('a','B','水','')", ["'a'", "'水'", "''", "'not one of them'"]),
    "el": (f"ENUM({LONG_ENUM})", ["'member0'", "'member255'", "'member299'"]),
    "se": ("SET('x','y','z')", ["''", "'x'", "'z,x'"]),
    "sl": (f"SET({SET_64})", [f"'{ALL_64}'", "'m63'", "''"]),
    "js": ("JSON", ["'null'", "'true'", "'{}'", "'[]'", "'17'", "'-1'", "'18446744073709551615'",
                    "'-9223372036854775808'", "'1.5'", "'0.1'", "'1e100'", "'\"\"'",
                    "'{\"b\": [1, 2.50, null, {\"c\": \"é水🚰\"}], \"a\": \"q\\\\\"\\\\\\\\ \\\\u0001 /\"}'",
                    "'{\"\": 1, \"aa\": 2, \"b\": 3}'"]),
}


def geometries(*texts):
    return [f"ST_GeomFromText('{text}')" for text in texts]


COLLECTIONS = geometries("GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(0 0,-1 1e300))",
                         "GEOMETRYCOLLECTION EMPTY")
TYPES |= {
    "ge": ("GEOMETRY", geometries("POINT(100000 -0.1)", "LINESTRING(0 0,1e-6 123456789.125)") +
           ["ST_GeomFromText('POINT(45.5 -120.25)', 4326)"] + COLLECTIONS),
    "gp": ("POINT", geometries("POINT(1 2)", "POINT(0.30000000000000004 5e-324)",
                               "POINT(1.7976931348623157e308 -1e22)")),
    "gl": ("LINESTRING", geometries("LINESTRING(0 0,1 1)", "LINESTRING(1e15 1e14,1e-5 9.9e-6)")),
    "ga": ("POLYGON", geometries("POLYGON((0 0,10 0,10 10,0 0),(5 5,7 5,7 7,5 5))")),
    "gmp": ("MULTIPOINT", geometries("MULTIPOINT(0 0,1 1)", "MULTIPOINT(1 1)")),
    "gml": ("MULTILINESTRING", geometries("MULTILINESTRING((0 0,1 1),(2 2,3 3,4 4))")),
    "gma": ("MULTIPOLYGON", geometries("MULTIPOLYGON(((0 0,10 0,10 10,0 0)),"
                                       "((1 1,9 1,9 9,1 1),(2 2,3 2,3 3,2 2)))")),
    "gc": ("GEOMETRYCOLLECTION", COLLECTIONS),
}
# MySQL's JSON holds more than text says; what is larger than 64 KiB has another binary form.
MYSQL_JSON = ["CAST(1.10 AS JSON)", "CAST(CAST('2024-02-29' AS DATE) AS JSON)",
              "CAST(CAST('2024-02-29 01:02:03.000004' AS DATETIME(6)) AS JSON)",
              "CAST(CAST('-12:00:00.5' AS TIME(6)) AS JSON)", "CAST(x'00FF' AS JSON)",
              "JSON_OBJECT('long', REPEAT('x', 100000), 'n', 1)",
              "JSON_ARRAY(REPEAT('a', 200), 1e0, 100000, 5000000000, 1.0E0, 123456.789E10)"]
MYSQL_TYPES = {
    **TYPES, "js": ("JSON", TYPES["js"][1] + MYSQL_JSON),
    "gc": ("GEOMETRYCOLLECTION", COLLECTIONS + geometries(
        "GEOMETRYCOLLECTION(GEOMETRYCOLLECTION EMPTY,GEOMETRYCOLLECTION(POINT(3 4)))")),
    "ve": ("VECTOR(70)", ["STRING_TO_VECTOR('[1,-2.5,3.4e38,1e-37,0]')", "x'FFFF7F7F01000080'",
                          "STRING_TO_VECTOR(CONCAT('[0.1', REPEAT(',0',69), ']'))"]),
}
MARIADB_TYPES = {
    **TYPES,
    "y2": ("YEAR(2)", ["99", "0", "1", "70"]),
    "uu": ("UUID", ["'00112233-4455-6677-8899-aabbccddeeff'",  # the server stores these two in
                    "'00112233-4455-1677-8899-aabbccddee00'",  # another order each
                    "'00000000-0000-0000-0000-000000000000'",
                    "'ffffffff-ffff-ffff-ffff-ffffffffffff'"]),
    "i4": ("INET4", ["'1.2.3.4'", "'0.0.0.0'", "'255.255.255.255'", "'10.0.0.0'", "'0.0.0.1'"]),
    "i6": ("INET6", ["'2001:db8::1'", "'::'", "'::ffff:1.2.3.0'", "'fe80::'",
                     "'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'"]),
    "cv": ("VARCHAR(300) COMPRESSED", ["REPEAT('水',300)", "''", "'a'", "REPEAT('ab',150)"]),
    "cb": ("VARBINARY(254) COMPRESSED", ["x'00'", "REPEAT(x'FF00',127)", "''"]),
    "ct": ("TEXT COMPRESSED", ["REPEAT('é',30000)", "'plain'", "CONCAT(MD5(1),MD5(2),MD5(3))"]),
    "cl": ("LONGBLOB COMPRESSED", ["REPEAT(x'00010203',500000)", "''", "x'8A00'"]),
}
MARIADB118_TYPES = {
    **MARIADB_TYPES,
    "ts6": ("TIMESTAMP(6)", TYPES["ts6"][1] + ["'2106-02-07 06:28:15.999999'",
                                               "'2038-01-19 03:14:08'"]),
    "ve": ("VECTOR(3)", ["VEC_FromText('[1,-2.5,0.1]')", "VEC_FromText('[0,0,0]')",
                         "x'FFFF7F7F0100008000000000'"]),
    "vel": ("VECTOR(70)", ["VEC_FromText(CONCAT('[0.1', REPEAT(',0',69), ']'))"]),
}


def rows(types, nullable):
    """Rows that together hold every value of every column, and, if asked for, one of NULLs."""
    count = max(len(values) for _, values in types.values())
    cells = [[values[row % len(values)] for _, values in types.values()] for row in range(count)]
    return cells + [["NULL"] * len(types)] if nullable else cells
