#!/usr/bin/python3
"""Style as a test: sizes, words that belong elsewhere, leftovers. Fast; no compiler.

    tools/tidy.py               checks all files git knows or would add; exit 1 on any finding
    tools/tidy.py --self-test   shows that each rule finds a bad sample
"""

import ast
import pathlib
import re
import subprocess
import sys

FILE_LINES_MAX = 800
FUNCTION_LINES_MAX = 70

# Functions that are longer, flat type switches above all: "path:name" and their length today. An
# entry that grew, or is no longer needed, is a finding: this list may only shrink.
LONG_FUNCTIONS = {}

# In C++ code (comments and strings taken out). (pattern, what to do, paths where it is allowed)
CPP_WORDS = [
    (r"\b(u|nano)?sleep\s*\(|\bsleep_(for|until)\b", "wait through base/clock.h", r"src/base/"),
    (r"\bnow\s*\(|\bgettimeofday\b|\btime\s*\(\s*(nullptr|NULL|0)\s*\)",
     "take the time from base/clock.h", r"src/base/"),
    (r"\bs?rand\s*\(|\brandom_device\b|\bmt19937(_64)?\b", "take it from base/random.h",
     r"src/base/"),
    (r"\bstd::(cout|cerr|clog)\b|\b(printf|puts)\s*\(", "log through obs",
     r"src/base/check\.cc|src/cli/|src/main\.cc|src/clickhouse/server_main\.cc|bench/"),
    (r"\bassert\s*\(", "use PENSTOCK_CHECK", r"$^"),
    (r"\busing namespace std\s*;", "name what is used", r"$^"),
    (r"\bstd::(format|expected|source_location|regex)\b", "not for us: see style rules", r"$^"),
]
PYTHON_WORDS = [
    (r"\btime\.sleep\s*\(", "await a condition with a deadline",
     r"tests/system/harness/wait\.py"),
]
# In every text file, comments included.
WORDS = [
    (r"\b(TODO|FIXME|XXX|HACK)\b", "finish it, or open an issue", r"tools/tidy\.py"),
    (r"[ \t]+$", "trailing whitespace", r"tests/data/|.*\.(golden|tsv)$"),
    (r"\r$", "carriage return", r"tests/data/"),
    (r"(?<![\w$}.])/(work|root|farm|home/\w+)/", "a path of one machine", r"$^"),
    (r"\bdeb\.debian\.\w+|\bregistry\.npmjs\b|\bpypi\.\w+", "the name of a package host", r"$^"),
]
TEXT = {".cc", ".h", ".c", ".py", ".sh", ".md", ".txt", ".yaml", ".yml", ".json", ".cmake", ".ts",
        ".tsx", ".css", ".html", ".sql"}
CODE = {".cc", ".h", ".c", ".py", ".sh", ".ts", ".tsx"}


def blank(match):
    """Keeps the lines of what it takes out."""
    return re.sub(r"[^\n]", " ", match.group(0))


def strip_cpp(text):
    """C++ without the contents of comments and literals; every line stays where it is."""
    pattern = (r'R"([^()\\ ]{0,16})\(.*?\)\1"|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"'
               r"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+'")
    return re.sub(pattern, blank, text, flags=re.S)


def cpp_functions(text):
    """(name, first line, last line) of each function body outside any other."""
    code = re.sub(r"^[ \t]*#(?:\\\n|[^\n])*", blank, strip_cpp(text), flags=re.M)
    scopes, head_start = [], 0
    for match in re.finditer(r"[{};]", code):
        position = match.start()
        if match.group() == "{":
            head = code[head_start:position].strip()
            inside_function = any(kind == "function" for kind, _, _ in scopes)
            is_type = re.match(r"(template\s*<.*>\s*)?(class|struct|enum|union|namespace|extern)\b",
                               head, flags=re.S)
            is_list = head.endswith(("(", "=", ",", "return"))
            is_function = "(" in head and not (is_type or is_list or inside_function)
            kind = "function" if is_function else "other"
            first = position - len(code[head_start:position].lstrip())
            name = re.search(r"([~\w:]+)\s*\(", head)
            scopes.append((kind, name.group(1) if name else "?", first))
        elif match.group() == "}" and scopes:
            kind, name, first = scopes.pop()
            if kind == "function":
                yield name, code.count("\n", 0, first) + 1, code.count("\n", 0, position) + 1
        head_start = match.end()


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.lineno, node.end_lineno


def check_sizes(path, text):
    lines = text.count("\n")
    if pathlib.PurePath(path).suffix in CODE and lines > FILE_LINES_MAX:
        yield 1, f"{lines} lines; at most {FILE_LINES_MAX}"
    functions = {".cc": cpp_functions, ".h": cpp_functions, ".py": python_functions}
    for name, first, last in functions.get(pathlib.PurePath(path).suffix, lambda _: ())(text):
        length = last - first + 1
        allowed = LONG_FUNCTIONS.get(f"{path}:{name}", FUNCTION_LINES_MAX)
        if length > allowed:
            yield first, f"{name} has {length} lines; at most {allowed}"


def check_words(path, text):
    suffix = pathlib.PurePath(path).suffix
    rules = [(text, WORDS)]
    if suffix in (".cc", ".h"):
        rules.append((strip_cpp(text), CPP_WORDS))
    if suffix == ".py":
        rules.append((text, PYTHON_WORDS))
    for content, words in rules:
        for pattern, advice, allowed in words:
            if re.match(allowed, path):
                continue
            for match in re.finditer(pattern, content, flags=re.M):
                line = content.count("\n", 0, match.start()) + 1
                yield line, f"{match.group(0).strip() or 'whitespace'}: {advice}"
    if text and not text.endswith("\n"):
        yield text.count("\n") + 1, "no newline at the end"


def check_file(path, text):
    return [f"{path}:{line}: {problem}"
            for check in (check_sizes, check_words) for line, problem in check(path, text)]


def check_exceptions(root):
    """Every exception is still needed, at the length it names."""
    for key, length in LONG_FUNCTIONS.items():
        path, name = key.rsplit(":", 1)
        file = root / path
        sizes = [last - first + 1 for found, first, last in cpp_functions(file.read_text())
                 if found == name] if file.exists() else []
        if not sizes or max(sizes) <= FUNCTION_LINES_MAX:
            yield f"tools/tidy.py:1: {key} is an exception no longer: take it out"
        elif max(sizes) < length:
            yield f"tools/tidy.py:1: {key} has shrunk to {max(sizes)}: write that down"


def check_tree(root):
    names = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                           cwd=root, check=True, capture_output=True).stdout.decode().split("\0")
    findings = list(check_exceptions(root))
    for name in sorted(filter(None, names)):
        file = root / name
        if not file.is_file() or not (file.suffix in TEXT or file.name == "Makefile"
                                      or name.startswith(".ci/")):
            continue
        findings += check_file(name, file.read_text(errors="replace"))
    return findings


def self_test():
    long_body = "\n".join("  ++x;" for _ in range(FUNCTION_LINES_MAX))
    bad = {
        "src/pipe/a.cc": "void f() { sleep(1); }\n",
        "src/pipe/b.cc": "auto t = std::chrono::steady_clock::now();\n",
        "src/pipe/c.cc": "int r = rand();\n",
        "src/pipe/d.cc": "void f() { std::cout << 1; }\n",
        "src/pipe/e.cc": f"namespace x {{\nclass A {{\n  void f(int x) {{\n{long_body}\n  }}\n}};\n}}\n",
        "src/pipe/f.cc": "int x;\n" * (FILE_LINES_MAX + 1),
        "src/pipe/g.cc": "// TO" "DO: later\n",
        "src/pipe/h.h": "int x; \n",
        "src/pipe/i.h": "int x;",
        "tools/j.py": "def f():\n" + "    x = 1\n" * FUNCTION_LINES_MAX,
        "docs/k.md": "see " + "/".join(["", "root", "x"]) + "\n",
        "tests/system/test_l.py": "import time\ntime.sleep" "(1)\n",
    }
    good = {
        "src/base/clock.cc": "auto t = steady_clock::now();\n",
        "src/pipe/a.cc": '// not now(), ever\nconst char* sql = "SELECT now()";\nint snow(int);\n',
        "src/pipe/b.cc": "int million = 1'000'000;\nvoid Sleeper();\n",
        "src/pipe/e.cc": "auto table = Make({\n" + "    {1, 2},\n" * 80 + "});\n",
        "src/pipe/c.cc": "namespace x {\n" + "int f() {\n  return 1;\n}\n" * 60 + "}\n",
    }
    return ([f"self-test: {path} passed" for path, text in bad.items() if not check_file(path, text)]
            + [f"self-test: {line}" for path, text in good.items() for line in check_file(path, text)])


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    findings = self_test() if "--self-test" in sys.argv else check_tree(root)
    print("\n".join(findings), end="\n" if findings else "")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
