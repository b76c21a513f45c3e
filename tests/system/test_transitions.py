"""Killed at every change of state, before and after it is stored, on every path that leads there."""

import http.client
import re
import signal
import unittest

from harness.case import SystemTest
from harness.clickhouse import ClickHouse
from harness.penstock import Penstock, mapping
from harness.process import ROOT, Process, program, sanitizer_options
from harness.proxy import Proxy
from harness.sources import MariaDB1011, MySQL97
from harness.wait import wait_until

# Steps of a path. (what is ordered or "", from, to): penstock is killed before this change of state
# is stored, started, and killed after it. (what is ordered, state): done undisturbed. (what happens,):
# while penstock is dead.
TO_SNAPSHOT = [("", "Setup", "Snapshot")]
TO_RUNNING = [*TO_SNAPSHOT, ("", "Snapshot", "Resync"), ("", "Resync", "Running")]


def paused_in(state, hanging):
    return [(f"freeze_{hanging}",), ("stop", state, "Pausing"), ("", "Pausing", "Paused"),
            ("thaw",), ("start", "Paused", state)]


def failed_in(state):
    return [("lose_destination",), ("", state, "Failed"), ("regain_destination",)]


PATHS = {
    "created": [("create", "", "Provisioning"), ("", "Provisioning", "Setup"), *TO_SNAPSHOT,
                ("", "Snapshot", "Running")],
    "created_cdc_only": [("create_cdc_only", "", "Provisioning"), ("", "Provisioning", "Setup"),
                         ("", "Setup", "Running")],
    "created_snapshot": [("create_snapshot", "", "Provisioning"), ("", "Provisioning", "Setup"),
                         *TO_SNAPSHOT, ("", "Snapshot", "Completed"),
                         ("resync", "Completed", "Setup"), *TO_SNAPSHOT, ("stop_writing",),
                         ("", "Snapshot", "Resync"), ("", "Resync", "Completed")],
    "paused": [("create", "", "Provisioning"), *paused_in("Provisioning", "source"),
               ("", "Provisioning", "Setup"), *paused_in("Setup", "source"),
               *TO_SNAPSHOT, *paused_in("Snapshot", "source"), ("", "Snapshot", "Running"),
               *paused_in("Running", "destination")],
    "resynced": [("create", "Running"), ("resync", "Running", "Setup"), *TO_SNAPSHOT,
                 ("", "Snapshot", "Resync"), *paused_in("Resync", "destination"),
                 ("", "Resync", "Running"), ("stop", "Paused"), ("resync", "Paused", "Setup"),
                 *TO_SNAPSHOT, ("freeze_source",), ("resync_t", "Snapshot", "Setup"), ("thaw",),
                 *TO_RUNNING],
    "tables": [("create", "Running"), ("add", "Running", "Setup"), *TO_SNAPSHOT,
               ("", "Snapshot", "Running"), ("remove", "Running", "Modifying"),
               ("freeze_destination",), ("stop", "Modifying", "Pausing"),
               ("", "Pausing", "Paused"), ("thaw",), ("start", "Paused", "Running"),
               ("add", "Running"), ("remove", "Running", "Modifying"),
               ("", "Modifying", "Running")],
    "tables_while_resynced": [("create_with_x", "Running"), ("resync", "Running", "Setup"),
                              ("freeze_source",), ("remove", "Setup", "Modifying"),
                              ("", "Modifying", "Setup"), ("thaw",), *TO_SNAPSHOT,
                              ("freeze_source",), ("remove_u", "Snapshot", "Modifying"),
                              ("", "Modifying", "Snapshot"), ("thaw",), *TO_RUNNING[1:]],
    "degraded": [("create_with_x", "Running"), ("change_t",), ("", "Running", "Degraded"),
                 *paused_in("Degraded", "destination"), ("remove", "Degraded", "Modifying"),
                 ("", "Modifying", "Degraded"), ("resync", "Degraded", "Setup"), *TO_RUNNING,
                 ("change_t",), ("", "Running", "Degraded"),
                 ("remove_t", "Degraded", "Modifying"), ("", "Modifying", "Degraded"),
                 ("", "Degraded", "Running")],
    "failed": [("create_with_x", "", "Provisioning"), *failed_in("Provisioning"),
               ("stop", "Failed", "Paused"), ("start", "Paused", "Provisioning"),
               *failed_in("Provisioning"), ("start", "Failed", "Provisioning"),
               ("", "Provisioning", "Setup"), *failed_in("Setup"), ("start", "Failed", "Setup"),
               *TO_SNAPSHOT, *failed_in("Snapshot"), ("start", "Failed", "Snapshot"),
               ("", "Snapshot", "Running"), *failed_in("Running"), ("start", "Failed", "Running"),
               ("remove", "Running", "Modifying"), *failed_in("Modifying"),
               ("resync", "Failed", "Setup"), *TO_SNAPSHOT, ("", "Snapshot", "Resync"),
               *failed_in("Resync"), ("start", "Failed", "Resync"), ("", "Resync", "Running"),
               ("change_t",), ("", "Running", "Degraded"), *failed_in("Degraded"),
               ("start", "Failed", "Degraded"), ("resync", "Running")],
    "deleted": [("create", "Running"), ("delete", "Running", "")],
}

# A load that ends, or a run that fails, between the order to stop and the settling, and what follows
# from there: changes that are stored by the functions of the others, at no moment that can be chosen.
RACES = {("Pausing", "Completed"), ("Pausing", "Failed"), ("Paused", "Completed"),
         ("Failed", "Completed")}


def documented_changes():
    """(from, to), as docs/states.md, which the state function writes, has them."""
    name = r"(\w+)(?: \(\w+\))?"
    rows = re.findall(rf"^\| {name} \| [^|]+ \| {name} \|", (ROOT / "docs/states.md").read_text(),
                      re.MULTILINE)
    return {row for row in rows if row[0] != row[1] and row[0] != "from"}


class Complete(unittest.TestCase):
    """No change of state without a kill."""

    def test_every_change_of_state(self):
        killed = {step[1:] for path in PATHS.values() for step in path if len(step) == 3}
        of_a_pipe = {change for change in killed if "" not in change}  # made and deleted
        self.assertEqual(documented_changes(), of_a_pipe | RACES)
        self.assertEqual(set(), of_a_pipe & RACES)


class Transitions:
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_source()
        cls.clickhouse = cls.use("clickhouse", ClickHouse)
        cls.to_source = cls.enterClassContext(Proxy(cls.source.port))
        cls.to_clickhouse = cls.enterClassContext(Proxy(cls.clickhouse.http_port))
        cls.with_destination = ("--clickhouse-url", f"http://127.0.0.1:{cls.to_clickhouse.port}")
        cls.penstock = cls.enterClassContext(Penstock(*cls.with_destination))

    def setUp(self):
        self.penstock.arguments = self.with_destination
        self.thaw()
        self.revive()
        self.delete_pipes()
        self.fresh_shop()
        for table in "tux":
            self.source.run(f"CREATE TABLE shop.{table} (id INT PRIMARY KEY, v INT NOT NULL)",
                            f"INSERT INTO shop.{table} VALUES (1, 1), (2, 2), (3, 3)")
        self.ticks = 100
        self.writes = True

    # --- what happens while penstock is dead ---

    def freeze_source(self):
        self.to_source.frozen = True

    def freeze_destination(self):
        self.to_clickhouse.frozen = True

    def thaw(self):
        self.to_source.frozen = self.to_clickhouse.frozen = False

    def lose_destination(self):
        """A pipe without a destination fails as soon as it has to work."""
        self.penstock.arguments = ()

    def regain_destination(self):
        self.penstock.arguments = self.with_destination

    def change_t(self):
        self.source.run(f"ALTER TABLE shop.t MODIFY v {'BIGINT' if self.ticks % 2 else 'INT'}",
                        f"ALTER TABLE shop.t MODIFY v {'INT' if self.ticks % 2 else 'BIGINT'}")

    def stop_writing(self):
        """What is written after the moment of a load is not in it."""
        self.writes = False

    def tick(self):
        """Each table has one row more, one other, one less."""
        if not self.writes:
            return
        self.ticks += 1
        for table in "tux":
            self.source.run(f"INSERT INTO shop.{table} VALUES ({self.ticks}, 0), (-{self.ticks}, 0)",
                            f"UPDATE shop.{table} SET v = v + 1 WHERE id % 3 = 0",
                            f"DELETE FROM shop.{table} WHERE id = 1 - {self.ticks}")

    # --- what is ordered ---

    def create(self, tables="tu", **settings):
        spec = self.spec(list(tables), **settings)
        spec["source"]["mysql"]["port"] = self.to_source.port
        del spec["destination"]["clickhouse"]
        self.penstock.create(spec)

    def create_with_x(self):
        self.create("tux")

    def create_snapshot(self):
        self.create(replicationMode="snapshot")

    def create_cdc_only(self):
        """Followed from a position that is not known before it is stored."""
        self.stop_writing()
        for table in "tu":
            self.source.run(f"TRUNCATE shop.{table}")
        self.create(replicationMode="cdc_only")

    def pipe(self):
        return self.penstock.find("pipe")

    def stop(self):
        self.penstock.order(self.pipe(), "stop")

    def start(self):
        self.penstock.order(self.pipe(), "start")

    def resync(self):
        self.penstock.order(self.pipe(), "resync")

    def resync_t(self):
        self.penstock.api(f"{self.penstock.pipes_path()}/{self.pipe()}/state", "PATCH", {
            "command": "resync", "tables": [{"sourceSchemaName": "shop", "sourceTable": "t"}]})

    def edit(self, **change):
        self.penstock.api(f"{self.penstock.pipes_path()}/{self.pipe()}", "PATCH",
                          {"source": {"mysql": change}})

    def add(self):
        self.edit(tableMappingsToAdd=[mapping("shop", "x")])

    def remove(self, table="x"):
        self.edit(tableMappingsToRemove=[{**mapping("shop", table), "dropTargetTable": True}])

    def remove_t(self):
        self.remove("t")

    def remove_u(self):
        self.remove("u")

    def delete(self):
        self.penstock.delete(self.pipe())

    # --- the walk ---

    def revive(self):
        self.penstock.env = None
        if self.penstock.process.running():
            self.penstock.kill()
        self.penstock.start()

    def kill_at(self, action, text, when):
        """Starts it, orders what leads there, and waits for its death."""
        self.penstock.env = {
            "LD_PRELOAD": str(program("kill_at.so")), "PENSTOCK_KILL_AT": text,
            **({"PENSTOCK_KILL_AFTER": "1"} if when == "after" else {}),
            **{name: f"{value}:verify_asan_link_order=0"
               for name, value in sanitizer_options().items() if name == "ASAN_OPTIONS"}}
        process = self.penstock.process = Process(self.penstock.command(),
                                                  self.penstock.folder / "log",
                                                  env=self.penstock.env)
        wait_until(lambda: not process.running() or self.penstock.healthy(), "penstock", every=0.02)
        if action:
            try:
                getattr(self, action)()
            except (OSError, http.client.HTTPException):
                pass  # it died before it answered
        wait_until(lambda: not process.running(), lambda: f"the kill\n{process.tail()}", every=0.02)
        self.assertEqual(-signal.SIGKILL, process.exit_code(), process.tail())
        self.tick()

    def walk(self, steps):
        self.penstock.kill()
        for step in steps:
            try:
                self.take(*step)
            except Exception as error:
                error.add_note(f"at {step}")
                raise
        self.revive()

    def take(self, action, *states):
        if not states:
            getattr(self, action)()
        elif len(states) == 1:
            self.revive()
            getattr(self, action)()
            self.penstock.await_state(self.pipe(), *states)
            self.penstock.kill()
        else:
            before, after = states
            text = f"'{before}', '{after}', '" if after else "DELETE FROM pipes"
            for when in ("before", "after"):
                self.kill_at(action, text, when)

    def finish(self, last):
        """It ends where it should, with what the source has, and leaves nothing beside it."""
        self.penstock.await_state(self.pipe(), last)
        self.writes = True
        if last == "Running":
            self.tick()
            self.await_caught_up()
        spec = self.penstock.pipe(self.pipe())
        self.assert_equal(spec)
        mapped = [table["targetTable"] for table in spec["source"]["mysql"]["tableMappings"]]
        self.assertEqual(sorted(mapped), self.clickhouse.query(
            "SELECT name FROM system.tables WHERE database = 'replica' ORDER BY name").split())


def path_test(name, steps):
    def test(self):
        self.walk(steps)
        if name == "deleted":
            self.assertEqual([], self.penstock.pipes())
        else:
            self.finish(steps[-1][-1])
    return test


for path_name, path_steps in PATHS.items():
    setattr(Transitions, f"test_{path_name}", path_test(path_name, path_steps))


class TransitionsMySQL(Transitions, SystemTest):
    source_class = MySQL97


class TransitionsMariaDB(Transitions, SystemTest):
    source_class = MariaDB1011


if __name__ == "__main__":
    unittest.main()
