"""Killed at every change of state, before and after it is stored, on every path that leads there."""

import re
import unittest

from harness.case import SystemTest
from harness.process import ROOT
from harness.sources import MariaDB1011, MySQL97
from harness.walks import Walks

# Of steps as Walks.take() takes them.
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
    "deleted": [("create", "Running"), ("delete", "Running", "deleted"), ("", "deleted", "")],
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
        of_a_pipe = {change for change in killed if not {"", "deleted"} & set(change)}
        self.assertEqual(documented_changes(), of_a_pipe | RACES)
        self.assertEqual(set(), of_a_pipe & RACES)


class Transitions(Walks):
    """Each path of PATHS."""


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
