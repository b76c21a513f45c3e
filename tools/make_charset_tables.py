#!/usr/bin/python3
"""Makes src/typemap/charset_tables.inc: what every byte sequence of every character set that is not
a form of Unicode is in UTF-8, as the servers answer.

    tools/make_charset_tables.py           asks MySQL 9.7 and MariaDB 10.11 and 11.8; writes the file
    tools/make_charset_tables.py --check   asks again and compares; exit 1 on any difference

Servers refuse ill-formed text, so a table of VARBINARY is filled, and its MyISAM files are put in the
place of those of a table with a text column of the same size: what a SELECT of it gives, with
character_set_results=utf8mb4, is the answer. A server that answers otherwise than another about a
character, or a sequence that MariaDB replaces by other rules than those of charset.h, ends the program.
"""

import contextlib
import pathlib
import shutil
import sys
import unicodedata

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "system"))
from harness.sources import SOURCES  # noqa: E402  pylint: disable=wrong-import-position

FILE = ROOT / "src" / "typemap" / "charset_tables.inc"
SINGLE_BYTE = ("armscii8 ascii cp1250 cp1251 cp1256 cp1257 cp850 cp852 cp866 dec8 geostd8 greek hebrew "
               "hp8 keybcs2 koi8r koi8u latin1 latin2 latin5 latin7 macce macroman swe7 tis620").split()
# Well-formed sequences of two bytes or three: (first and last of what comes before the last byte,
# first and last of the last byte).
SHAPES = {
    "big5": [(0xa1, 0xf9, 0x40, 0x7e), (0xa1, 0xf9, 0xa1, 0xfe)],
    "cp932": [(first, last, *trail) for first, last in ((0x81, 0x9f), (0xe0, 0xfc))
              for trail in ((0x40, 0x7e), (0x80, 0xfc))],
    "eucjpms": [(0x8e, 0x8e, 0xa1, 0xdf), (0xa1, 0xfe, 0xa1, 0xfe), (0x8fa1, 0x8ffe, 0xa1, 0xfe)],
    "euckr": [(0x81, 0xfe, 0x41, 0x5a), (0x81, 0xfe, 0x61, 0x7a), (0x81, 0xfe, 0x81, 0xfe)],
    "gb18030": [(0x81, 0xfe, 0x40, 0x7e), (0x81, 0xfe, 0x80, 0xfe)],
    "gb2312": [(0xa1, 0xf7, 0xa1, 0xfe)],
    "gbk": [(0x81, 0xfe, 0x40, 0x7e), (0x81, 0xfe, 0x80, 0xfe)],
}
SHAPES["sjis"] = SHAPES["cp932"]
SHAPES["ujis"] = SHAPES["eucjpms"]
QUADS = 126 * 10 * 126 * 10  # sequences of four bytes in gb18030
LENGTH = 12                  # bytes of a column; a multiple of every character's largest size
RUN_MIN = 8                  # successive characters that are written as numbers
LINE = 96


def as_bytes(code):
    return code.to_bytes(max(1, (code.bit_length() + 7) // 8), "big")


def quad_bytes(index):
    return bytes([0x81 + index // 12600, 0x30 + index // 1260 % 10, 0x81 + index // 10 % 126,
                  0x30 + index % 10])


# --- asking ------------------------------------------------------------------------------------


class Asker:
    """Asks one server, on a database of its own."""

    def __init__(self, server):
        self.server = server
        server.run("CREATE DATABASE ask")
        rows = server.run("SHOW CHARACTER SET")
        self.bytes_max = {row[0]: int(row[3]) for row in rows}

    def _fill(self, charset, sequences):
        columns = "(id INT NOT NULL, v {} NOT NULL) ENGINE=MyISAM ROW_FORMAT=DYNAMIC"
        text = f"VARCHAR({LENGTH // self.bytes_max[charset]}) CHARACTER SET {charset}"
        with contextlib.closing(self.server.connect()) as connection:
            cursor = connection.cursor()
            for statement in ("SET sql_log_bin=0", "DROP TABLE IF EXISTS ask.b, ask.t",
                              "CREATE TABLE ask.b " + columns.format(f"VARBINARY({LENGTH})"),
                              "CREATE TABLE ask.t " + columns.format(text)):
                cursor.execute(statement)
            for start in range(0, len(sequences), 50000):
                cursor.execute("INSERT INTO ask.b VALUES " + ",".join(
                    f"({start + i},x'{sequence.hex()}')"
                    for i, sequence in enumerate(sequences[start:start + 50000])))
            cursor.execute("FLUSH TABLES")
        for suffix in ("MYD", "MYI"):
            shutil.copyfile(self.server.data / "ask" / f"b.{suffix}",
                            self.server.data / "ask" / f"t.{suffix}")

    def utf8(self, charset, sequences):
        """What each sequence is in UTF-8: a list of bytes."""
        self._fill(charset, sequences)
        with contextlib.closing(self.server.connect(use_unicode=False)) as connection:
            cursor = connection.cursor()
            cursor.execute("SELECT id, v FROM ask.t ORDER BY id")
            answers = cursor.fetchall()
        assert [int(row[0]) for row in answers] == list(range(len(sequences)))
        return [row[1] for row in answers]

    def encode(self, charset, characters):
        """The sequence that the server makes of each character."""
        return [bytes.fromhex(self.server.run(
            f"SELECT HEX(CONVERT(_utf8mb4 x'{character.encode().hex()}' USING {charset}))")[0][0])
            for character in characters]


class Charset:
    """What is known of one character set: `characters` is {code: character}, `quads` likewise by
    index, `twice` the codes whose character the server itself writes in another way."""

    def __init__(self, name):
        self.name = name
        self.shapes = SHAPES.get(name, [])
        self.characters = {}
        self.quads = {}
        self.twice = []

    def well_formed(self):
        """The codes of every sequence that is one character, assigned or not, but those of four
        bytes."""
        leads = {(shape[0] >> 8 or lead) for shape in self.shapes
                 for lead in range(shape[0], shape[1] + 1)}
        yield from (code for code in range(256) if code not in leads)
        for first, last, trail_first, trail_last in self.shapes:
            for prefix in range(first, last + 1):
                yield from ((prefix << 8) + trail for trail in range(trail_first, trail_last + 1))

    def convert(self, data, valid):
        """The rules of charset.h, for sequences of at most three bytes."""
        text, i = "", 0
        while i < len(data):
            for length in (3, 2, 1):
                code = int.from_bytes(data[i:i + length], "big")
                if i + length <= len(data) and code in valid and len(as_bytes(code)) == length:
                    text += self.characters.get(code, "?")
                    i += length
                    break
            else:
                text += "?"
                i += 1
        return text

    def ask(self, asker):
        codes = list(self.well_formed())
        found = asker.utf8(self.name, [as_bytes(code) for code in codes])
        for code, utf8 in zip(codes, found):
            character = utf8.decode()
            if len(character) == 1 and (character != "?" or code == 0x3f):
                self.characters[code] = character
            elif character not in ("?", ""):  # MySQL leaves a lead byte at the end out
                sys.exit(f"{self.name} {code:x} is no character: {utf8}")
        if self.name == "gb18030":
            found = asker.utf8(self.name, [quad_bytes(index) for index in range(QUADS)])
            self.quads = {index: utf8.decode() for index, utf8 in enumerate(found) if utf8 != b"?"}
            if any(len(character) != 1 for character in self.quads.values()):
                sys.exit("gb18030: four bytes that are no character")
        codes_of = {}
        for code, character in self.characters.items():
            codes_of.setdefault(character, []).append(code)
        for character, codes in codes_of.items():
            if len(codes) > 1 and character != "\ufffd":  # that is no character
                written = int.from_bytes(asker.encode(self.name, [character])[0], "big")
                keep = written if written in codes else min(codes)
                self.twice += [code for code in codes if code != keep]
        self.twice.sort()

    def check_ill_formed(self, asker):
        """MariaDB's answers about any two bytes are by the rules of charset.h. One is a slip of its
        own: it takes 8F 00 41 for an "A"."""
        valid = set(self.well_formed())
        pairs = [bytes([a, b]) for a in range(256) for b in range(256)]
        if any(shape[0] > 255 for shape in self.shapes):
            pairs += [bytes([0x8f]) + pair for pair in pairs]
        for pair, utf8 in zip(pairs, asker.utf8(self.name, pairs)):
            slip = pair[:2] == b"\x8f\0" and len(pair) == 3
            if not slip and utf8.decode() != self.convert(pair, valid):
                sys.exit(f"{self.name} {pair.hex()}: {utf8}, not {self.convert(pair, valid)}")


def ask_all():
    """Every character set, by the answers on which the servers agree."""
    charsets = {}
    for source in SOURCES.values():
        with source() as server:
            asker = Asker(server)
            for name in sorted([*SINGLE_BYTE, *SHAPES]):
                if name not in asker.bytes_max:
                    continue
                charset = Charset(name)
                charset.ask(asker)
                if server.family == "mariadb" and charset.shapes:
                    charset.check_ill_formed(asker)
                known = charsets.setdefault(name, charset)
                if vars(known) != vars(charset):
                    sys.exit(f"{name}: {server.name} disagrees with an earlier server")
            print(f"{server.name}: {len(asker.bytes_max)} character sets", flush=True)
    return [charsets[name] for name in sorted(charsets)]


# --- writing -----------------------------------------------------------------------------------


def stretches(characters):
    """[code, text] of codes that follow one another; a last byte of FF is followed by none."""
    out = []
    for code in sorted(characters):
        if out and code == out[-1][0] + len(out[-1][1]) and code & 0xff:
            out[-1][1] += characters[code]
        else:
            out.append([code, characters[code]])
    return out


def split(code, text):
    """Parts of a stretch: (code, text, whether its characters follow one another too)."""
    start = plain = 0
    while start < len(text):
        end = start + 1
        while end < len(text) and ord(text[end]) == ord(text[end - 1]) + 1:
            end += 1
        if end - start >= RUN_MIN:
            if plain < start:
                yield code + plain, text[plain:start], False
            yield code + start, text[start:end], True
            plain = end
        start = end
    if plain < len(text):
        yield code + plain, text[plain:], False


def literal(character):
    """As in a C++ string: escaped where one could not see it."""
    if character in '"\\?':
        return "\\" + character
    if unicodedata.category(character)[0] in "CMZ" or unicodedata.bidirectional(character) in "RAL":
        shown = unicodedata.bidirectional(character) == "L" and character.isprintable()
        if not shown or unicodedata.category(character)[0] == "M":
            return "".join(f"\\{byte:03o}" for byte in character.encode())
    return character


def width(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def text_lines(code, text):
    line = f'    {{0x{code:02x}, "'
    for character in text:
        part = literal(character)
        if width(line + part) > LINE:
            yield line + '"'
            line = '     "'
        line += part
    yield line + '"},'


def packed(parts):
    line = ""
    for part in parts:
        if len(line) + len(part) + 1 > LINE:
            yield line
            line = ""
        line = f"{line} {part}" if line else " " * (4 if part[0] == "{" else 5) + part
    if line:
        yield line


def array(kind, name, lines):
    lines = list(lines)
    return [f"constexpr {kind} {name}[] = {{", *lines, "};"] if lines else []


def constant(charset):
    return "k" + charset.name.capitalize()


def write_charset(charset):
    name = constant(charset)
    parts = [part for stretch in stretches(charset.characters) for part in split(*stretch)]
    runs = [f"{{0x{code:02x}, {len(text)}, 0x{ord(text[0]):x}}}," for code, text, is_run in parts
            if is_run]
    quads = [f"{{{index}, {len(text)}, 0x{ord(text[0]):x}}}," for index, text in
             quad_runs(charset.quads)]
    twice = []
    for code in charset.twice:
        if twice and code == twice[-1][1] + 1:
            twice[-1][1] = code
        else:
            twice.append([code, code])
    shapes = ["{" + ", ".join(f"0x{byte:02x}" for byte in shape) + "}," for shape in charset.shapes]
    return [
        *array("Shape", name + "Shapes", packed(shapes)),
        *array("Run", name + "Runs", packed(runs)),
        *array("Text", name + "Texts", (line for code, text, is_run in parts if not is_run
                                        for line in text_lines(code, text))),
        *array("Run", name + "Quads", packed(quads)),
        *array("Codes", name + "Twice", packed(f"{{0x{a:02x}, 0x{b:02x}}}," for a, b in twice)),
        ""]


def quad_runs(quads):
    out = []
    for index in sorted(quads):
        if out and index == out[-1][0] + len(out[-1][1]) and (
                ord(quads[index]) == ord(out[-1][1][-1]) + 1):
            out[-1][1].append(quads[index])
        else:
            out.append((index, [quads[index]]))
    return out


def render(charsets):
    lines = ["// What the sequences of each character set are in UTF-8, as MySQL 9.7 and MariaDB 10.11",
             "// and 11.8 answer alike. Made by tools/make_charset_tables.py; not for editing.", ""]
    entries = []
    for charset in charsets:
        written = write_charset(charset)
        lines += written
        fields = [f'.name = "{charset.name}"']
        for field in ("Shapes", "Runs", "Texts", "Quads", "Twice"):
            if any(f" {constant(charset)}{field}[]" in line for line in written):
                fields.append(f".{field.lower()} = {constant(charset)}{field}")
        entries += packed(["{" + fields[0] + ",", *(field + "," for field in fields[1:-1]),
                           fields[-1] + "},"])
    return "\n".join([*lines, *array("CharsetTables", "kCharsets", entries)]) + "\n"


def main():
    text = render(ask_all())
    if "--check" not in sys.argv:
        FILE.write_text(text, encoding="utf-8")
        return 0
    same = FILE.read_text(encoding="utf-8") == text
    print(f"{FILE.name} is " + ("what the servers answer" if same else "not what they answer"))
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
