"""Random JSON documents as MySQL's SQL makes them, and random edits of them."""

import json
import struct

from pymysql.converters import escape_string

KEYS = ["a", "b", "c", "k1", "k2", "aa", "", "a b", "a.b", 'q"q', "back\\slash", "new\nline", "\x01",
        "\x7f", "é", "水路", "🚰", "A", "a'b", "[0]", "last", "x" * 300, "\u2028", "key_of_some_length"]
PIECES = ["", "x", "é", "水", "🚰", '"', "\\", "/", "\0", "\x1f", "\x7f", "\t\n\r\b\f", "\u2028",
          "\ufeff", "\ufffd", "\U0010ffff", "some words ", "'", "base64:type15:"]
OPAQUE = ["CAST('{date}' AS DATE)", "CAST('{date} {clock}.{micros}' AS DATETIME({digits}))",
          "CAST('{sign}{hours}:{minute}:{second}.{micros}' AS TIME({digits}))",
          "CAST('{sign}{whole}.{micros}' AS DECIMAL(30,{scale}))",
          "CAST('{sign}{whole}{whole}.{micros}{micros}{micros}{micros}{micros}' AS DECIMAL(65,30))",
          "x'{hex}'", "b'1{bits}'", "CAST('{date} {clock}' AS YEAR)",
          "ST_GeomFromText('POINT({sign}{minute} {second})')", "CAST({whole} AS FLOAT)"]
TOO_DEEP = 3157
DUPLICATE = 1062


def literal(text):
    return "'" + escape_string(text) + "'"


class Documents:
    """SQL expressions of documents, drawn from `random`."""

    def __init__(self, random):
        self._random = random

    def text(self):
        r = self._random
        words = "".join(r.choices(PIECES, k=r.randrange(6)))
        return words * r.choice([1] * 30 + [20, 300])

    def double(self):
        """Any bits, powers of ten and their neighbours, short decimals."""
        r = self._random
        kind = r.randrange(3)
        if kind == 0:
            number = struct.unpack("<d", r.randbytes(8))[0]
            return f"{number:.17e}" if abs(number) < 1e308 else "1e0"
        if kind == 1:
            return f"{r.choice(['', '-'])}{r.choice([1, 9.999999999999999, 5])}e{r.randrange(-320, 307)}"
        return f"{r.randrange(-10**6, 10**6) / 10 ** r.randrange(7):f}e{r.randrange(-18, 18)}"

    def integer(self):
        r = self._random
        edge = r.choice([0, 2**7, 2**15, 2**16, 2**31, 2**32, 2**63])
        return str(max(-2**63, min(2**64 - 1, r.choice([-1, 1]) * edge + r.randrange(-2, 3))))

    def opaque(self):
        r = self._random
        return r.choice(OPAQUE).format(
            date=f"{r.randrange(1902, 2155)}-{r.randrange(1, 13):02}-{r.randrange(1, 29):02}",
            clock=f"{r.randrange(24):02}:{r.randrange(60):02}:{r.randrange(60):02}",
            hours=r.randrange(839), minute=f"{r.randrange(60):02}", second=f"{r.randrange(60):02}",
            micros=f"{r.randrange(10**6):06}", digits=r.randrange(7), scale=r.randrange(13),
            whole=r.randrange(10 ** r.randrange(1, 16)), sign=r.choice(["", "-"]),
            hex=r.randbytes(r.choice([0, 1, 5, 57, 58, 300])).hex(),
            bits="".join(r.choices("01", k=r.randrange(1, 60))))

    def scalar(self):
        r = self._random
        kind = r.randrange(6)
        if kind == 0:
            return f"CAST({literal(r.choice(['null', 'true', 'false', '{}', '[]']))} AS JSON)"
        return (self.integer, self.double, self.opaque, lambda: literal(self.text()),
                lambda: literal(r.choice(PIECES)))[kind - 1]()

    def value(self, depth=3):
        """Something for JSON_ARRAY(): a scalar, or a document of up to `depth` levels."""
        r = self._random
        if depth == 0 or r.random() < 0.4:
            return self.scalar()
        members = r.choice([0, 1, 2, 3, 3, 4, 8])
        if r.random() < 0.5:
            return f"JSON_ARRAY({', '.join(self.value(depth - 1) for _ in range(members))})"
        return "JSON_OBJECT(" + ", ".join(f"{literal(r.choice(KEYS))}, {self.value(depth - 1)}"
                                          for _ in range(members)) + ")"

    def document(self):
        """A whole document: one in a hundred beyond 64 KiB, one in fifty nested deeply."""
        r = self._random
        chance = r.random()
        if chance < 0.01:
            return f"JSON_OBJECT('big', REPEAT('b', {r.randrange(65000, 66500)}), 'v', {self.value()})"
        if chance < 0.03:
            levels = r.randrange(1, 90)
            return (f"CAST({literal('[' * levels + json.dumps(self.text()) + ']' * levels)} AS JSON)")
        if chance < 0.1:
            return f"JSON_ARRAY({self.value()})"
        return (f"JSON_OBJECT('a', {self.value(4)}, {literal(r.choice(KEYS))}, {self.value()}, "
                f"'list', JSON_ARRAY({self.value(2)}, {self.value(2)}, {self.value(1)}))")


class Edits:
    """Expressions that change a document in places, mostly such as are there."""

    def __init__(self, random):
        self._random = random
        self._documents = Documents(random)

    def path(self, document):
        """The way to a random place in the document, which is as json.loads() made it."""
        r = self._random
        path = "$"
        while True:
            if isinstance(document, dict) and document and r.random() < 0.9:
                key = r.choice(list(document))
                document = document[key]
                path += "." + json.dumps(key, ensure_ascii=False)
            elif isinstance(document, list) and document and r.random() < 0.9:
                index = r.randrange(len(document))
                document = document[index]
                path += f"[{index}]" if r.random() < 0.7 else "[last]"
            else:
                break
            if r.random() < 0.25:
                break
        if r.random() < 0.3 or path == "$":
            path += r.choice([f"[{r.randrange(5)}]", "[last]", f"[last-{r.randrange(1, 4)}]",
                              "." + json.dumps(r.choice(KEYS), ensure_ascii=False)])
        return path

    def edit(self, column, document):
        """An expression of the column: one function or several within each other."""
        r = self._random
        expression = column
        for _ in range(r.choice([1, 1, 1, 2, 3])):
            function = r.choice(["JSON_SET", "JSON_SET", "JSON_REPLACE", "JSON_REMOVE"])
            arguments = [expression]
            for _ in range(r.choice([1, 1, 2, 3, 20])):
                arguments.append(literal(self.path(document)))
                if function != "JSON_REMOVE":
                    arguments.append(self._documents.value(r.choice([0, 0, 1, 2])))
            expression = f"{function}({', '.join(arguments)})"
        return expression
