"""Geometries for the comparer: a stored one and a well-known text render alike, when they are.

The numbers are given as the bytes of the double, so that nothing hangs on how they are printed; the
rest is the well-known text, with ";" in place of ",".
"""

import re
import struct

POINT, LINESTRING, POLYGON, MULTIPOINT, MULTILINESTRING, MULTIPOLYGON, COLLECTION = range(1, 8)
NAMES = {POINT: "POINT", LINESTRING: "LINESTRING", POLYGON: "POLYGON", MULTIPOINT: "MULTIPOINT",
         MULTILINESTRING: "MULTILINESTRING", MULTIPOLYGON: "MULTIPOLYGON",
         COLLECTION: "GEOMETRYCOLLECTION"}
NUMBER = re.compile(r"-?\d[-+.\de]*")


def number(value):
    return struct.pack(">d", value).hex()


class _WellKnownBinary:
    """Reads one geometry, with every part in its own byte order."""

    def __init__(self, data):
        self._data = data
        self._at = 0
        self._order = "<"

    def _take(self, form):
        values = struct.unpack_from(self._order + form, self._data, self._at)
        self._at += struct.calcsize(self._order + form)
        return values

    def header(self):
        self._order = "<" if self._data[self._at] == 1 else ">"
        self._at += 1
        return self._take("I")[0]

    def coordinates(self):
        return " ".join(number(value) for value in self._take("dd"))

    def many(self, part):
        parts = [part() for _ in range(self._take("I")[0])]
        return f"({';'.join(parts)})" if parts else "EMPTY"

    def body(self, kind):
        if kind == POINT:
            return f"({self.coordinates()})"
        if kind == LINESTRING:
            return self.many(self.coordinates)
        if kind == POLYGON:
            return self.many(lambda: self.many(self.coordinates))
        if kind == COLLECTION:
            return self.many(self.geometry)
        return self.many(lambda: self.body(self.header()))

    def geometry(self):
        kind = self.header()
        body = self.body(kind)
        return NAMES[kind] + (" " if body == "EMPTY" else "") + body


def from_stored(text):
    """Hexadecimal of what the servers store: the SRID, then well-known binary; or nothing."""
    return text and _WellKnownBinary(bytes.fromhex(text)[4:]).geometry()


def from_text(text):
    """Hexadecimal of well-known text."""
    plain = bytes.fromhex(text).decode()
    return NUMBER.sub(lambda match: number(float(match[0])), plain).replace(",", ";")
