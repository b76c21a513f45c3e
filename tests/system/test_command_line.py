"""The command line as people and scripts meet it: exit codes, output for programs and for terminals,
completion in each shell, the manual page."""

import json
import os
import pty
import re
import select
import shutil
import subprocess
import time
import unittest

import yaml
from harness.case import SystemTest
from harness.clickhouse import ClickHouse
from harness.penstock import Penstock
from harness.process import Folder, program, sanitizer_options
from harness.sources import MariaDB1011
from harness.wait import wait_until

ESCAPE = "\x1b["


class CommandLine(SystemTest):
    source_class = MariaDB1011

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()
        cls.source.run("CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY)",
                       "INSERT INTO shop.t VALUES (1), (2)",
                       "CREATE TABLE shop.u (id INT PRIMARY KEY)")
        cls.folder = cls.enterClassContext(Folder("cli"))
        cls.file = cls.folder / "shop.json"

    def setUp(self):
        self.file.write_text(json.dumps({**self.spec(["t"]), "name": "shop"}))
        self.run_ok("create", "-f", self.file, "--wait")

    def tearDown(self):
        self.delete_pipes()
        self.clickhouse.query("DROP DATABASE IF EXISTS replica SYNC")

    def run_ok(self, *words):
        code, said, error = self.penstock.cli(*words)
        self.assertEqual((0, ""), (code, error), words)
        return said

    def terminal(self, *words, env=None, until=None):
        """What the command prints to a terminal; with `until`, it is ended when that is there."""
        inner, outer = pty.openpty()
        child = subprocess.Popen([program("penstock"), *map(str, words)], stdout=outer, stderr=outer,
                                 stdin=subprocess.DEVNULL,
                                 env={"PENSTOCK_SERVER": self.penstock.url, "PATH": "/usr/bin:/bin",
                                      "TERM": "xterm", **sanitizer_options(), **(env or {})})
        os.close(outer)
        seen = b""
        ends = time.monotonic() + 60
        while select.select([inner], [], [], max(0, min(30, ends - time.monotonic())))[0]:
            try:
                part = os.read(inner, 65536)
            except OSError:  # closed at the other end
                part = b""
            if not part:
                break
            seen += part
            if until and re.search(until, seen.decode(errors="ignore")):
                child.send_signal(2)
                until = None
        os.close(inner)
        child.wait(30)
        return seen.decode()

    # --- exit codes ---

    def test_exit_codes(self):
        for wanted, words in ((0, ["list"]), (0, ["--help"]), (0, ["pause", "--help"]),
                              (0, ["--version"]), (1, ["show", "absent"]),
                              (1, ["list", "--server", "http://127.0.0.1:1"]),
                              (1, ["create", "-f", "/absent.yaml"]), (1, ["create", "-f", self.file]),
                              (1, ["backup", self.file]), (2, []), (2, ["pause"]),
                              (2, ["list", "--output", "xml"]), (2, ["unknown"]),
                              (2, ["completion", "csh"]), (2, ["serve", "--memory-limit", "x"])):
            with self.subTest(words=words):
                code, said, error = self.penstock.cli(*words)
                self.assertEqual(wanted, code, said + error)
                self.assertEqual(wanted != 0, bool(error))
                self.assertLessEqual(len(error.splitlines()), 1)

    # --- what is printed ---

    def test_every_answer_as_json_and_as_yaml(self):
        data = ["--data-dir", self.penstock.data_dir]
        for words in (["list"], ["show", "shop"], ["tables", "shop"], ["events", "shop"], ["errors", "shop"],
                      ["batches", "shop"], ["partitions", "shop"], ["keys", "list", *data]):
            with self.subTest(words=words):
                as_json = json.loads(self.run_ok(*words, "--output", "json"))
                self.assertEqual(as_json, yaml.safe_load(self.run_ok(*words, "--output", "yaml")))
                self.assertTrue(self.run_ok(*words).strip())
        for form, parse in (("json", json.loads), ("yaml", yaml.safe_load)):
            for words in (["status", "shop"], ["pause", "shop", "--wait"], ["resume", "shop", "--wait"],
                          ["set", "shop", "pullBatchSize=50"], ["resync", "shop", "--wait"],
                          ["add-table", "shop", "shop.u", "--wait"],
                          ["remove-table", "shop", "shop.u", "--wait", "--drop"]):
                with self.subTest(words=words, form=form):
                    answer = parse(self.run_ok(*words, "--output", form))
                    self.assertEqual("shop", answer["name"])
            report = self.penstock.cli("check", "-f", self.file, "--output", form)[1]
            self.assertIn("findings", parse(report))
            self.assertEqual("shop", parse(self.run_ok("delete", "shop", "--drop", "--output", form))["name"])
            self.assertEqual([], self.penstock.pipes())
            self.run_ok("create", "-f", self.file, "--wait")
            file = self.folder / f"{form}.tar"
            backup = parse(self.run_ok("backup", file, *data, "--output", form))
            self.assertEqual(1, backup["pipes"])
            self.assertIn("catalog.sqlite", backup["files"])

    def test_colours_are_for_terminals(self):
        check = ["check", "-f", self.file]
        self.assertIn(ESCAPE, self.terminal(*check))
        self.assertNotIn(ESCAPE, self.terminal(*check, env={"NO_COLOR": "1"}))
        self.assertNotIn(ESCAPE, self.terminal(*check, env={"TERM": "dumb"}))
        self.assertNotIn(ESCAPE, self.penstock.cli(*check)[1])
        for words in (["list"], ["show", "shop"], ["status", "shop"]):
            with self.subTest(words=words):
                self.assertIn(f"{ESCAPE}32mRunning{ESCAPE}0m ", self.terminal(*words))
                self.assertNotIn(ESCAPE, self.terminal(*words, env={"NO_COLOR": "1"}))
                self.assertNotIn(ESCAPE, self.penstock.cli(*words)[1])

    def test_progress_bars_on_a_terminal(self):
        shown = self.terminal("status", "shop", "--watch", until=r"\x1b\[J[^█]*shop\.t")
        self.assertRegex(shown, r"shop\.t +█+ 100\.0 %")
        self.assertIn(ESCAPE, shown)  # drawn anew in its place

    # --- completion ---

    def script(self, shell):
        file = self.folder / f"penstock.{shell}"
        file.write_text(self.run_ok("completion", shell))
        return file

    def shell(self, *command):
        path = f"{program('penstock').parent}:/usr/bin:/bin"
        done = subprocess.run([str(word) for word in command], text=True, capture_output=True,
                              timeout=60, check=False, cwd=self.folder,
                              env={"PATH": path, "PENSTOCK_SERVER": self.penstock.url,
                                   "HOME": str(self.folder), **sanitizer_options()})
        return sorted(line.split("\t")[0] for line in done.stdout.splitlines()), done.stderr

    def completed(self, complete):
        """Cases that each shell must have: complete(words) → what the last one may become."""
        for words, wanted in ((["pau"], ["pause"]), (["keys", "d"], ["delete"]),
                              (["pause", ""], ["shop"]), (["--server", "x", "resu"], ["resume"]),
                              (["pause", "--wait", "sh"], ["shop"]), (["set", "s"], ["shop"]),
                              (["completion", "z"], ["zsh"]), (["list", "--output", "y"], ["yaml"]),
                              (["create", "--fi"], ["--file"]), (["keys", "create", "--na"], ["--name"]),
                              (["show", "--outp"], ["--output"]), (["pause", "shop", "x"], []),
                              (["remove-table", "shop", "shop.m"], ["shop.marker"]),
                              (["remove-table", "shop", "shop.t", "shop.m"], ["shop.marker"]),
                              (["retry", "--wait", "shop", "--table", "shop."], ["shop.marker", "shop.t"]),
                              (["resync", "shop", "--table", "shop.t"], ["shop.t"]),
                              (["partitions", "shop", "shop.t"], ["shop.t"]),
                              (["add-table", "shop", "shop."], []), (["resync", "--table", "shop."], [])):
            with self.subTest(words=words):
                self.assertEqual(wanted, complete(words))

    def test_bash(self):
        script = self.script("bash")

        def complete(words):
            quoted = " ".join(f"'{word}'" for word in words)
            found, error = self.shell(
                "bash", "--norc", "-c", f"source {script}; COMP_WORDS=(penstock {quoted}); "
                f"COMP_CWORD={len(words)}; _penstock; printf '%s\\n' \"${{COMPREPLY[@]}}\"")
            self.assertEqual("", error)
            return [word for word in found if word]
        self.completed(complete)

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
    def test_zsh(self):
        script = self.script("zsh")
        # What zsh's own functions would offer, without a terminal.
        stubs = r"""
compdef() { }
_files() { print -l -- FILES }
compadd() {
  if [[ $1 == -a ]]; then print -l -- "${(@P)2}"; else shift; print -l -- "$@"; fi
}
_describe() { print -l -- "${(@)${(@P)3}%%:*}" }
"""

        def complete(words):
            quoted = " ".join(f"'{word}'" for word in words)
            found, error = self.shell("zsh", "-f", "-c", f"{stubs}source {script}; words=(penstock "
                                      f"{quoted}); CURRENT={len(words) + 1}; _penstock")
            self.assertEqual("", error)
            return [word for word in found if word and word.startswith(words[-1])]
        self.completed(complete)

    @unittest.skipUnless(shutil.which("fish"), "fish is not installed")
    def test_fish(self):
        script = self.script("fish")

        def complete(words):
            line = " ".join(["penstock", *words])
            found, error = self.shell("fish", "--no-config", "-c",
                                      f"source {script}; complete -C '{line}'")
            self.assertEqual("", error)
            return found
        self.completed(complete)

    # --- the manual page ---

    def test_the_manual_page(self):
        page = self.folder / "penstock.1"
        page.write_text(self.run_ok("manual"))
        checkers = [["man", "--warnings", "-l", "-Tutf8", page], ["mandoc", "-W", "error", page]]
        there = [words for words in checkers if shutil.which(words[0])]
        for words in there:
            done = subprocess.run([str(word) for word in words], capture_output=True, text=True,
                                  check=False, env={**os.environ, "MANROFFOPT": "-ww", "PAGER": "cat",
                                                    "LC_ALL": "C.UTF-8"})
            self.assertEqual((0, ""), (done.returncode, done.stderr), done.stdout[:2000])
            self.assertIn("remove-table", re.sub(r".\x08", "", done.stdout))
        if not there:
            self.skipTest("neither man nor mandoc is installed")


class CompletionOfNames(SystemTest):
    """Names that a shell would take apart."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def test_a_name_of_several_words(self):
        self.fresh_shop()
        self.source.run("CREATE TABLE shop.t (id INT PRIMARY KEY)")
        self.penstock.create({**self.spec(["t"]), "name": "my shop's"})
        wait_until(lambda: "my shop's" in self.penstock.cli("list")[1], "the pipe")
        script = self.penstock.cli("completion", "bash")[1]
        done = subprocess.run(
            ["bash", "--norc", "-c", script + "\nCOMP_WORDS=(penstock pause m); COMP_CWORD=2; _penstock; "
             "printf '%s\\n' \"${COMPREPLY[@]}\""], text=True, capture_output=True, check=True,
            env={"PATH": f"{program('penstock').parent}:/usr/bin:/bin",
                 "PENSTOCK_SERVER": self.penstock.url})
        self.assertEqual("my\\ shop\\'s\n", done.stdout)
