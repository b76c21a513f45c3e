"""The boundary values of every type, for whoever writes them into a source: the system tests and
tools/capture_binlog.py. Column: (type, values as SQL); NULL is to be tried for every column besides.
Times are those of a session in UTC.
"""

DATES = [f"'{day}'" for day in (
    "0000-00-00", "0001-01-01", "2024-00-15", "2024-02-00", "1000-01-01", "1899-12-31", "1900-01-01",
    "1969-12-31", "1970-01-01", "2024-02-29", "2299-12-31", "2300-01-01", "9999-12-31")]
# Leap days; both ends of what ClickHouse holds; in Berlin the hour from 02:00 that is left out and
# the one that comes twice.
DATETIMES = [*(date[1:-1] + " 12:34:56" for date in DATES), "1900-01-01 00:00:00",
             "2299-12-31 23:59:59", "1000-01-01 00:00:00", "2000-02-29 00:00:00",
             "2024-03-31 02:30:00", "2024-10-27 02:30:00", "0000-00-00 00:00:00"]
# Both ends of the type, and the same two hours in UTC, at their edges too.
TIMESTAMPS = ["1970-01-01 00:00:01", "2038-01-19 03:14:07", "2024-02-29 23:59:59",
              "2024-03-31 00:59:59", "2024-03-31 01:00:00", "2024-03-31 01:30:00",
              "2024-10-27 00:30:00", "2024-10-27 01:30:00"]
TIMES = ["-838:59:58", "838:59:58", "08:05:09", "-00:00:00", "-123:45:06", "12:00:00", "-00:00:00"]


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
# As many groups of digits and rests of them as a DECIMAL is stored in.
DECIMALS = [(1, 0), (2, 1), (3, 3), (4, 2), (5, 0), (6, 3), (7, 7), (8, 4), (9, 9), (9, 0), (10, 1),
            (11, 5), (13, 4), (14, 8), (15, 6), (16, 7), (17, 1), (18, 9), (18, 18), (19, 0), (19, 9),
            (20, 10), (27, 9), (28, 28), (30, 30), (65, 0)]


def decimals(precision, scale):
    """Both ends, the last digit, a power of ten, all digits, zero, half of the digits."""
    texts = ["9" * precision] * 2 + ["1"] * 2 + [
        "1" + "0" * (precision - 1), ("1234567890" * 7)[:precision], "0", "5".ljust(precision // 2 + 1, "0")]
    padded = [text.rjust(precision, "0") for text in texts]
    return [f"'{'-' * (number % 2)}{text[:precision - scale]}.{text[precision - scale:]}'"
            for number, text in enumerate(padded)]


def labels(kind, count):
    names = ",".join(f"'l{number}'" for number in range(1, count + 1))
    return f"{kind}({names})"


# Column: (type, values as SQL). NULL is tried for every column besides.
TYPES = {
    "ti": ("TINYINT", ["-128", "127", "0"]),
    "tu": ("TINYINT UNSIGNED", ["0", "255"]),
    "t1": ("TINYINT(1)", ["-1", "0", "1", "2", "127", "-128"]),
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
    **{f"d{precision}_{scale}": (f"DECIMAL({precision},{scale})", decimals(precision, scale))
       for precision, scale in DECIMALS},
    "fu": ("FLOAT UNSIGNED", ["0", "1.5", "1e-38"]),
    "fl": ("FLOAT", ["0.1", "-1.5", "3.4028234e38", "1.17549435e-38", "16777216", "1e-45", "-0e0"]),
    "db": ("DOUBLE", ["0.1", "-1.7976931348623157e308", "2.2250738585072014e-308", "5e-324", "-0e0", "0",
                      "123456789.123456789", "0.30000000000000004", "1e22", "9007199254740993"]),
    **{f"b{width}": (f"BIT({width})", [f"b'{'1' * width}'", f"b'1{'0' * (width - 1)}'", "b'1'", "b'0'"])
       for width in (1, 7, 8, 9, 10, 16, 17, 24, 33, 40, 48, 56, 57, 64)},
    "ye": ("YEAR", ["1901", "2155", "0", "2024"]),
    "ch": ("CHAR(10)", ["'abc'", "''", "'a  '", "'ñ水🚰'", "REPEAT('🚰',10)"]),
    "c0": ("CHAR(0)", ["''"]),
    "c255": ("CHAR(255)", ["REPEAT('水',255)", "'x'"]),
    "chl": ("CHAR(3) CHARACTER SET latin1", ["'é'", "'abc'"]),
    "chg": ("CHAR(4) CHARACTER SET gbk", ["'中'", "REPEAT('中',4)"]),
    "chu": ("CHAR(4) CHARACTER SET ucs2", ["'中文'", "REPEAT('中',4)"]),
    "vc": ("VARCHAR(20)", ["'abc'", "''", "'a  '", "'\\0x'", "'ñ水🚰'", "'tab\\tnew\\nquote\\''"]),
    "vl": ("VARCHAR(2000)", ["REPEAT('水',2000)", "REPEAT('a',255)", "REPEAT('a',256)"]),
    # At the edges of what a byte counts: of the length, and of the most that it may be.
    "v0": ("VARCHAR(0)", ["''"]),
    "v63": ("VARCHAR(63)", ["REPEAT('k',63)", "'x'"]),
    "v64": ("VARCHAR(64)", ["REPEAT('中',64)", "'y'"]),
    "v255": ("VARCHAR(255) CHARACTER SET latin1", ["REPEAT('m',255)", "'q'"]),
    "v256": ("VARCHAR(256) CHARACTER SET latin1", ["REPEAT('n',256)", "'r'"]),
    "vcb": ("VARCHAR(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", ["'😀'", "REPEAT('é',9)"]),
    "tt": ("TINYTEXT", ["REPEAT('a',255)", "''"]),
    "tx": ("TEXT", ["REPEAT('é',30000)", "'x'"]),
    "mt": ("MEDIUMTEXT", ["REPEAT('z',70000)", "'水'"]),
    "lt": ("LONGTEXT", ["REPEAT('long ',400000)", "''"]),
    "bn": ("BINARY(16)", ["x'00'", "x'FF00'", "REPEAT('a',16)"]),
    "bn1": ("BINARY(1)", ["x'00'", "x'FF'"]),
    "bn255": ("BINARY(255)", ["x'610000'", "REPEAT(x'FD',255)"]),
    "vb255": ("VARBINARY(255)", ["x'00'", "REPEAT(x'FC',255)"]),
    "vb256": ("VARBINARY(256)", ["x'27'", "REPEAT(x'FB',256)"]),
    "vb": ("VARBINARY(300)", ["''", "x'00FF00'", "REPEAT(x'FE',300)"]),
    "tb": ("TINYBLOB", ["x'00'", "REPEAT(x'0D0A',100)"]),
    "bl": ("BLOB", ["REPEAT(x'00FF',30000)", "''"]),
    "mb": ("MEDIUMBLOB", ["REPEAT(x'80',70000)"]),
    "lb": ("LONGBLOB", ["REPEAT(x'00010203',500000)", "x'C3'"]),
    "da": ("DATE", DATES),
    **FRACTIONS,
    "en": ("ENUM('a','B','水','')", ["'a'", "'水'", "''", "'not one of them'"]),
    "se": ("SET('x','y','z')", ["''", "'x'", "'z,x'"]),
    **{f"e{count}": (labels("ENUM", count), ["'l1'", f"'l{count}'"]) for count in (255, 256, 300)},
    **{f"s{count}": (labels("SET", count), ["'l1'", str(2**count - 1), "''", f"'l{count}'"])
       for count in (1, 8, 9, 17, 25, 32, 33, 64)},
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
                    "'018f0000-4455-7677-8899-aabbcc000000'",
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
# Those that a server with mysql56_temporal_format=OFF stores in another form.
OLD_TEMPORALS = {
    f"{kind.lower()}{digits}": (f"{kind}({digits})", values)
    for kind, values in (
        ("DATETIME", ["'2024-02-29 12:34:56.123456'", "'0000-00-00 00:00:00'",
                      "'9999-12-31 23:59:59.999999'", "'1900-01-01 00:00:00.000001'",
                      "'2024-00-15 00:00:00.5'", "'1969-12-31 23:59:59.5'", "'0001-01-01 00:00:00.000001'"]),
        ("TIMESTAMP", ["'2024-02-29 12:34:56.123456'", "'0000-00-00 00:00:00'",
                       "'1970-01-01 00:00:01.000001'", "'2038-01-19 03:14:07.999999'"]),
        ("TIME", ["'12:34:56.123456'", "'-838:59:59.999999'", "'838:59:59.999999'",
                  "'-00:00:00.000001'", "'-12:34:56.75'", "'00:00:00'"]))
    for digits in range(7)}


def rows(types, nullable):
    """Rows that together hold every value of every column. One that has no more of them is NULL, as
    all are in the last row; or, if it must not be, begins anew."""
    count = max(len(values) for _, values in types.values())
    if nullable:
        return [[values[row] if row < len(values) else "NULL" for _, values in types.values()]
                for row in range(count + 1)]
    return [[values[row % len(values)] for _, values in types.values()] for row in range(count)]
