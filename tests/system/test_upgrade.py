"""The server starts on the catalog of every earlier version, with its pipes and settings."""

import contextlib
import shutil
import sqlite3

from harness.case import SystemTest
from harness.penstock import Penstock
from harness.process import ROOT, Folder

DUMPS = ROOT / "tests" / "data" / "catalogs"


class Upgrade(SystemTest):
    def data_of(self, dump):
        folder = self.enterContext(Folder("upgrade")) / "data"
        folder.mkdir(mode=0o700)
        shutil.copy(DUMPS / "secret.key", folder)
        with contextlib.closing(sqlite3.connect(folder / "catalog.sqlite")) as catalog:
            catalog.executescript(dump.read_text(encoding="utf-8"))
        return folder

    def test_every_version(self):
        dumps = list(DUMPS.glob("v*.sql"))
        self.assertGreater(len(dumps), 10)
        for dump in dumps:
            with self.subTest(version=dump.stem), Penstock(data_dir=self.data_of(dump)) as penstock:
                states = {pipe["name"]: pipe["state"] for pipe in penstock.pipes()}
                self.assertEqual({"shop": "Paused", "new": "Failed"}, states)
                shop = penstock.pipe("p-1")
                self.assertEqual("source.invalid", shop["source"]["mysql"]["host"])
                self.assertEqual(10, shop["source"]["mysql"]["settings"]["syncIntervalSeconds"])
                self.assertEqual(2, len(penstock.status("p-1")["tables"]))

    def test_a_newer_one_is_refused_with_what_to_do(self):
        folder = self.data_of(DUMPS / "v1.sql")
        with contextlib.closing(sqlite3.connect(folder / "catalog.sqlite")) as catalog:
            catalog.execute("PRAGMA user_version = 9999")
        with self.assertRaisesRegex(AssertionError, "Run the newer penstock that wrote it"):
            Penstock(data_dir=folder)
