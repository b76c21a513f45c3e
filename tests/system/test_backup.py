"""A backup taken while the server works, restored into a folder of its own: nothing is lost, nothing
doubled, and no old row wins over what was written since the backup."""

import pathlib
import shutil
import subprocess

from harness import workload
from harness.case import SystemTest, new_seed
from harness.clickhouse import ClickHouse
from harness.penstock import Penstock
from harness.process import Folder
from harness.sources import MariaDB1011, MySQL97
from harness.wait import wait_until

LARGE_ROWS = 2_000  # of a kilobyte: more than is held in memory of an XA transaction


class Backups:
    source_options = {"innodb_lock_wait_timeout": "5"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_source()
        cls.clickhouse = cls.use("clickhouse", ClickHouse)

    def setUp(self):
        self.fresh_shop()
        self.folder = self.enterContext(Folder("backup"))
        self.file = self.folder / "backup.tar"
        self.penstock = self.enterContext(Penstock("--test-limits"))

    def create(self, tables):
        self.spec_ = self.spec(tables)
        self.pipe = self.penstock.create(self.spec_)
        self.penstock.await_state(self.pipe, "Running")

    def back_up(self, *words):
        code, said, error = self.penstock.cli("backup", self.file, "--data-dir",
                                              self.penstock.data_dir, *words)
        self.assertEqual(0, code, error)
        return said

    def restore(self, secret_key=True):
        """The server dies; another goes on from the backup, as docs/operations.md has it."""
        restored = self.folder / "restored"
        restored.mkdir(mode=0o700)
        subprocess.run(["tar", "-xf", self.file, "-C", restored], check=True)
        if secret_key:
            shutil.copy2(self.penstock.data_dir / "secret.key", restored)
        self.penstock.kill()
        self.penstock = self.enterContext(Penstock("--test-limits", data_dir=restored))

    def finish(self):
        self.penstock.await_state(self.pipe, "Running")
        self.await_caught_up()
        self.assert_equal(self.spec_)

    def test_what_came_after_it_is_there_once(self):
        workload.create(self.source)
        with workload.Workload(self.source, seed=new_seed(), writers=2) as writing:
            self.create(list(workload.TABLES))
            self.await_caught_up()
            self.assertIn("1 pipes", self.back_up())
            done = writing.transactions
            wait_until(lambda: writing.transactions > done + 200, "traffic after the backup", 60)
            self.await_caught_up()
            self.restore()
            done = writing.transactions
            wait_until(lambda: writing.transactions > done + 50, "traffic after the restore", 60)
        self.finish()
        _, events, _ = self.penstock.cli("events", "pipe")
        self.assertIn("the catalog is a backup of", events)

    def test_the_server_goes_on_as_before(self):
        """What it wrote after the backup survives its death."""
        self.source.run("CREATE TABLE shop.t (id INT PRIMARY KEY)")
        self.create(["t"])
        self.back_up()
        self.source.run("INSERT INTO shop.t VALUES (1)")
        self.await_caught_up()
        self.penstock.order(self.pipe, "stop")
        self.penstock.await_state(self.pipe, "Paused")
        self.penstock.restart()
        self.assertEqual("Paused", self.penstock.state(self.pipe))

    def test_old_rows_do_not_win(self):
        self.source.run("CREATE TABLE shop.t (id INT PRIMARY KEY, v INT)",
                        "INSERT INTO shop.t VALUES (1, 1), (2, 1), (3, 1)")
        self.create(["t"])
        self.back_up()
        for v in range(2, 30):  # each in a batch of its own: versions far beyond those of the backup
            self.source.run(f"UPDATE shop.t SET v = {v} WHERE id <> 3")
            self.await_caught_up()
        self.source.run("DELETE FROM shop.t WHERE id IN (2, 3)")
        self.await_caught_up()
        self.restore()
        self.finish()

    def test_a_backup_of_a_load(self):
        self.source.run("CREATE TABLE shop.t (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(500))",
                        f"INSERT INTO shop.t (v) VALUES {','.join(['(REPEAT(1, 400))'] * 5000)}",
                        *["INSERT INTO shop.t (v) SELECT v FROM shop.t"] * 3)
        self.spec_ = self.spec(["t"], snapshotMegabytesPerSecond=4)
        self.pipe = self.penstock.create(self.spec_)
        wait_until(lambda: self.penstock.status(self.pipe)["snapshot"]["partitionsDone"] > 2, "a load")
        self.back_up()
        done = self.penstock.status(self.pipe)["snapshot"]["partitionsDone"]
        wait_until(lambda: self.penstock.status(self.pipe)["snapshot"]["partitionsDone"] > done + 3,
                   "more partitions")
        self.source.run("UPDATE shop.t SET v = 'new' WHERE id % 7 = 0",
                        "DELETE FROM shop.t WHERE id % 5 = 0")
        self.restore()
        self.finish()

    def test_a_prepared_transaction_is_in_it(self):
        self.source.run("CREATE TABLE shop.t (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(1000))")
        self.create(["t"])
        values = ",".join([f"('{'x' * 1000}')"] * LARGE_ROWS)
        self.source.run("XA START 'a'", f"INSERT INTO shop.t (v) VALUES {values}", "XA END 'a'",
                        "XA PREPARE 'a'")
        wait_until(lambda: self.penstock.status(self.pipe).get("preparedTransactions"), "prepared")
        self.source.run("INSERT INTO shop.marker VALUES (1000)")  # a checkpoint beyond it
        wait_until(lambda: "prepared/" in self.backed_up_anew(), "a file of it in the backup")
        self.source.run("XA COMMIT 'a'")
        self.await_caught_up()
        self.restore()
        self.finish()

    def backed_up_anew(self):
        self.file.unlink(missing_ok=True)
        self.back_up()
        return subprocess.run(["tar", "-tf", self.file], check=True, capture_output=True,
                              text=True).stdout

    def test_secrets_need_their_key(self):
        self.source.run("CREATE TABLE shop.t (id INT PRIMARY KEY)")
        self.create(["t"])
        key = (self.penstock.data_dir / "secret.key").read_bytes().strip()
        self.assertIn("sealed", self.back_up())
        self.assertNotIn(key, self.file.read_bytes())
        self.assertEqual(0o600, self.file.stat().st_mode & 0o777)
        with self.assertRaisesRegex(AssertionError, "secret.key of this catalog is missing"):
            self.restore(secret_key=False)
        whole = self.folder / "whole.tar"
        self.file = whole
        self.assertIn("whoever reads it has the passwords", self.back_up("--with-secret-key"))
        self.assertIn(key, pathlib.Path(whole).read_bytes())


class BackupMariaDB(Backups, SystemTest):
    source_class = MariaDB1011


class BackupMySQL(Backups, SystemTest):
    source_class = MySQL97
