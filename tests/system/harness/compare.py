"""Compares a source with its copy in ClickHouse, row for row and value for value.

Each side renders a value as text by a rule for its type, written here from the documentation of
the types alone: integers in decimal, decimals with all their digits, floating-point numbers as the
bytes of the number, text and binary as hexadecimal UTF-8 or bytes, times with all their digits,
geometries as text with the bytes of their numbers.
What ClickHouse cannot hold follows the documented rules (zero and partial dates, the range 1900 to
2299). Both sides are read in the order of the key and merged, so that size does not matter.
"""

import contextlib
import dataclasses
import decimal
import http.client
import json
import urllib.parse

import pymysql
import pymysql.cursors

from . import geometry
from .clickhouse import clickhouse_query

NULL = "N"
DIFFERENCES_MAX = 20
INTEGERS = {"tinyint", "smallint", "mediumint", "int", "bigint"}
TEXTS = {"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"}
BINARIES = {"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"}
GEOMETRIES = {"geometry", "point", "linestring", "polygon", "multipoint", "multilinestring",
              "multipolygon", "geometrycollection", "geomcollection"}
HEXADECIMAL = TEXTS | BINARIES | {"uuid", "inet6"}  # rendered so, which sorts as the bytes do


class CannotCompare(Exception):
    """The question makes no sense as asked: a type without a rule, a table without a key."""


@dataclasses.dataclass
class Column:
    """A source column, as information_schema tells it, and the type of its copy."""

    name: str
    data_type: str        # "decimal"
    column_type: str      # "decimal(10,2) unsigned"
    scale: int            # of decimals
    precision: int        # of times: fraction digits
    target_type: str = ""  # ClickHouse's

    @property
    def nullable_copy(self):
        return "Nullable(" in self.target_type


@dataclasses.dataclass
class Result:
    """What was compared. Equal when there are no differences."""

    rows: int = 0
    differences: list = dataclasses.field(default_factory=list)

    @property
    def equal(self):
        return not self.differences


def quote(name):
    return "`" + name.replace("`", "``") + "`"


def escaped(text):
    """As a parameter of a query, and between quotes, text is read by ClickHouse."""
    return text.replace("\\", "\\\\").replace("'", "\\'")


def quote_target(name):
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


# --- rendering ---------------------------------------------------------------------------------


def source_text(column):
    """SQL of the source that renders the column; NULL stays NULL."""
    name, kind = quote(column.name), column.data_type
    if kind in INTEGERS or kind == "year":
        return f"CAST({name}+0 AS CHAR)"  # without the zeros of ZEROFILL
    if kind == "decimal" and "zerofill" not in column.column_type:
        return f"CAST({name} AS CHAR)"
    if kind in ("float", "double"):
        # The well-known binary form of a point holds the double's own eight bytes.
        return f"HEX(SUBSTR(ST_ASBINARY(POINT({name},0)),6,8))"
    if kind == "bit":
        return f"CAST(CAST({name} AS UNSIGNED) AS CHAR)"
    if kind == "json":
        return f"HEX(CAST({name} AS CHAR CHARACTER SET utf8mb4))"
    if kind in TEXTS:
        return f"HEX(CONVERT({name} USING utf8mb4))"
    if kind in BINARIES:
        return f"HEX({name})"
    if kind in ("date", "datetime", "timestamp"):
        return _source_date(column)
    if kind == "time":
        return f"CAST({name} AS CHAR)"
    if kind in GEOMETRIES:
        return f"HEX({name})"
    if kind == "vector":  # an empty one, MySQL's default without strict mode, is an empty array
        return f"NULLIF(HEX({name}),'')"
    if kind == "uuid":
        return f"UPPER(REPLACE(CAST({name} AS CHAR),'-',''))"
    if kind == "inet4":
        return f"CAST(INET_ATON({name}) AS CHAR)"
    if kind == "inet6":
        return f"HEX(INET6_ATON({name}))"
    raise CannotCompare(f"column {column.name}: no rule for the type {column.column_type}")


def _source_date(column):
    """Text with the documented rules applied: no zero or partial dates, 1900 to 2299."""
    text = f"CAST({quote(column.name)} AS CHAR)"
    fraction = "." + "0" * column.precision if column.precision else ""
    clock = "" if column.data_type == "date" else " 00:00:00" + fraction
    last = "2299-12-31" + ("" if column.data_type == "date" else
                           " 23:59:59" + fraction.replace("0", "9"))
    none = "NULL" if column.nullable_copy else f"'1970-01-01{clock}'"
    return (f"CASE WHEN {text} LIKE '____-00-%' OR {text} LIKE '____-__-00%' THEN {none} "
            f"WHEN {text} < '1900-01-01' THEN '1900-01-01{clock}' "
            f"WHEN {text} > '{last}' THEN '{last}' ELSE {text} END")


def target_text(column):
    """SQL of ClickHouse that renders the copy; NULL stays NULL."""
    name, kind = quote_target(column.name), column.data_type
    if kind in INTEGERS or kind == "year" or kind == "bit":
        return f"toString(toUInt8({name}))" if "Bool" in column.target_type else f"toString({name})"
    if kind == "decimal":
        return f"toDecimalString({name}, {column.scale})"
    if kind in ("float", "double"):
        return f"hex(reinterpretAsFixedString(toFloat64({name})))"
    if kind in TEXTS or kind in BINARIES or kind == "json":
        return f"hex({name})"
    if kind in ("date", "datetime", "timestamp", "time"):
        return f"toString({name})"
    if kind in GEOMETRIES:
        return f"hex({name})"
    if kind == "vector":  # NULL is the empty array
        numbers = f"arrayMap(x -> hex(reinterpretAsFixedString(x)), {name})"
        return f"if(empty({name}), '{NULL}', arrayStringConcat({numbers}))"
    if kind == "uuid":
        return f"upper(replaceAll(toString({name}), '-', ''))"
    if kind == "inet4":
        return f"toString(toUInt32({name}))"
    if kind == "inet6":
        return f"hex(IPv6StringToNum(toString({name})))"
    raise CannotCompare(f"column {column.name}: no rule for the type {column.column_type}")


def rendered_alike(row, columns, rule):
    """A row as SQL rendered it, with what SQL cannot do: geometries by `rule`."""
    if not any(column.data_type in GEOMETRIES for column in columns):
        return row
    return ",".join(rule(text) if column.data_type in GEOMETRIES and text != NULL else text
                    for column, text in zip(columns, row.split(",")))


def order_value(column, text):
    """What the rendered text of a key column sorts by, in both servers."""
    if column.data_type in INTEGERS or column.data_type in ("decimal", "year", "bit", "inet4"):
        return decimal.Decimal(text)
    if column.data_type in HEXADECIMAL:
        return bytes.fromhex(text)
    return text


def source_order(column):
    if column.data_type == "inet4":
        return f"INET_ATON({quote(column.name)})"
    if column.data_type in TEXTS or column.data_type in ("uuid", "inet6"):
        return source_text(column)
    return quote(column.name)


def target_order(column):
    if column.data_type in ("uuid", "inet6"):
        return target_text(column)
    name = quote_target(column.name)
    return f"toString({name})" if column.data_type in TEXTS else name


def readable(column, text):
    """A rendered value as a person wants to see it."""
    if text == NULL:
        return "NULL"
    if column.data_type in TEXTS or column.data_type == "json":
        return repr(bytes.fromhex(text).decode(errors="backslashreplace"))[:200]
    return text[:200]


# --- what there is -----------------------------------------------------------------------------


def source_columns(connection, schema, table):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name, LOWER(data_type), LOWER(column_type), "
            "COALESCE(numeric_scale, 0), COALESCE(datetime_precision, 0) "
            "FROM information_schema.columns WHERE table_schema = %s AND table_name = %s "
            "ORDER BY ordinal_position", (schema, table))
        return [Column(*texts, int(scale), int(precision))
                for *texts, scale, precision in cursor.fetchall()]


def source_key(connection, schema, table):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.statistics WHERE table_schema = %s "
            "AND table_name = %s AND index_name = 'PRIMARY' ORDER BY seq_in_index", (schema, table))
        return [row[0] for row in cursor.fetchall()]


def target_types(url, database, table):
    text = clickhouse_query(
        url, "SELECT name, type FROM system.columns WHERE database = {d:String} AND "
        "table = {t:String} FORMAT JSONCompactEachRow", param_d=escaped(database), param_t=escaped(table))
    return dict(json.loads(line) for line in text.decode().splitlines())


# --- reading both sides ------------------------------------------------------------------------


def source_rows(connection, schema, table, columns, key):
    """Rendered rows, in the order of the key."""
    fields = ",".join(f"COALESCE({source_text(column)},'{NULL}')" for column in columns)
    order = ",".join(source_order(column) for column in key)
    with contextlib.closing(connection.cursor(pymysql.cursors.SSCursor)) as cursor:
        cursor.execute(f"SELECT CONCAT_WS(',',{fields}) FROM {quote(schema)}.{quote(table)} "
                       f"ORDER BY {order}")
        for (row,) in cursor:
            if row is None:
                raise CannotCompare(f"{schema}.{table}: a row longer than max_allowed_packet")
            text = row if isinstance(row, str) else row.decode()
            yield rendered_alike(text, columns, geometry.from_stored)


def target_rows(url, database, table, columns, key, source_filter="1"):
    """Rendered rows that are not deleted, in the order of the key, as they come."""
    fields = ",".join(f"ifNull({target_text(column)},'{NULL}')" for column in columns)
    order = ",".join(target_order(column) for column in key)
    sql = (f"SELECT concatWithSeparator(',',{fields},'') FROM {quote_target(database)}."
           f"{quote_target(table)} FINAL WHERE _penstock_is_deleted = 0 AND {source_filter} "
           f"ORDER BY {order} FORMAT TSVRaw")
    place = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=300)
    with contextlib.closing(connection):
        connection.request("POST", "/?wait_end_of_query=0", body=sql.encode())
        reply = connection.getresponse()
        if reply.status != 200:
            raise RuntimeError(reply.read().decode(errors="replace"))
        for line in reply:
            if not line.endswith(b",\n"):
                raise RuntimeError(f"{table}: the answer broke off: {line[:500]!r}")
            yield rendered_alike(line[:-2].decode(), columns, geometry.from_text)


# --- merging -----------------------------------------------------------------------------------


class _Merge:
    """Walks both sides in key order and notes what differs."""

    def __init__(self, columns, key):
        self._columns = columns
        self._key = [columns.index(column) for column in key]
        self.result = Result()

    def _key_of(self, row):
        fields = row.split(",")
        return [order_value(self._columns[index], fields[index]) for index in self._key]

    def _key_text(self, row):
        fields = row.split(",")
        return ", ".join(f"{self._columns[index].name}={readable(self._columns[index], fields[index])}"
                         for index in self._key)

    def _note(self, row, text):
        self.result.differences.append(f"{self._key_text(row)}: {text}")

    def _note_altered(self, source, target):
        for column, left, right in zip(self._columns, source.split(","), target.split(",")):
            if left != right:
                self._note(source, f"{column.name} is {readable(column, left)} in the source, "
                                   f"{readable(column, right)} in ClickHouse")

    def run(self, sources, targets):
        source, target = next(sources, None), next(targets, None)
        while source is not None or target is not None:
            if source == target:
                self.result.rows += 1
                source, target = next(sources, None), next(targets, None)
                continue
            if len(self.result.differences) >= DIFFERENCES_MAX:
                self.result.differences.append("… and perhaps more")
                break
            source_key = None if source is None else self._key_of(source)
            target_key = None if target is None else self._key_of(target)
            if source_key == target_key:
                self._note_altered(source, target)
                source, target = next(sources, None), next(targets, None)
            elif target is None or (source is not None and source_key < target_key):
                self._note(source, "missing in ClickHouse")
                source = next(sources, None)
            else:
                self._note(target, "only in ClickHouse")
                target = next(targets, None)
        return self.result


def compare_table(connect, url, source, target, excluded=(), key=None, source_filter="1"):
    """Compares source (schema, table) with target (database, table).

    `connect()` opens a connection to the source whose time zone is +00:00. `excluded` columns are
    expected to be absent in the copy. `key`: names of a unique not-null key where there is no
    primary one. `source_filter`: ClickHouse SQL that picks the rows of this source.
    """
    with contextlib.closing(connect()) as connection:
        everything = source_columns(connection, *source)
        if not everything:
            raise CannotCompare(f"no table {source[0]}.{source[1]} in the source")
        columns = [column for column in everything if column.name not in excluded]
        types = target_types(url, *target)
        absent = [column.name for column in columns if column.name not in types]
        surplus = [name for name in types if name in excluded]
        if absent or surplus:
            return Result(0, [f"columns missing in ClickHouse: {absent}; there although excluded: "
                              f"{surplus}"])
        for column in columns:
            column.target_type = types[column.name]
        key_names = key or source_key(connection, *source)
        if not key_names:
            raise CannotCompare(f"{source[0]}.{source[1]} has no primary key")
        key_columns = [next(c for c in columns if c.name == name) for name in key_names]
        return _Merge(columns, key_columns).run(
            source_rows(connection, *source, columns, key_columns),
            target_rows(url, *target, columns, key_columns, source_filter))


def compare(connect, url, mappings, database):
    """Compares all tables of a pipe: its tableMappings and destination database. Returns
    {target table: Result}; of targets that several share {target table (source): Result}."""
    results = {}
    for mapping in mappings:
        target, shard = mapping["targetTable"], (mapping["sourceSchemaName"], mapping["sourceTable"])
        shared = "_penstock_source_table" in target_types(url, database, target)
        results[f"{target} ({'.'.join(shard)})" if shared else target] = compare_table(
            connect, url, shard, (database, target), mapping.get("excludedColumns", ()),
            source_filter=of_shard(*shard) if shared else "1")
    return results


def of_shard(schema, table):
    """ClickHouse SQL that is true of the rows of one source in a table that several share."""
    return (f"_penstock_source_schema = '{escaped(schema)}' AND "
            f"_penstock_source_table = '{escaped(table)}'")
