"""A pause takes effect within 2 s in any state, whichever server hangs; a start goes on from there."""

import time
import unittest

from harness.case import SystemTest
from harness.sources import MariaDB1011, MySQL97
from harness.wait import pause, wait_until
from harness.walks import Walks

PAUSE_SECONDS_MAX = 2

# What leads there: steps of Walks.take(), then (what is ordered or "", from, to), after which
# penstock is dead.
WAYS = {
    "Provisioning": [("create", "", "Provisioning")],
    "Setup": [("create", "Provisioning", "Setup")],
    "Snapshot": [("create", "Setup", "Snapshot")],
    "Running": [("create", "Snapshot", "Running")],
    "Degraded": [("create", "Running"), ("change_t",), ("", "Running", "Degraded")],
    "Modifying": [("create_with_x", "Running"), ("remove", "Running", "Modifying")],
    "Setup of a resync": [("create", "Running"), ("resync", "Running", "Setup")],
    "Snapshot of a resync": [("create", "Running"), ("resync", "Setup", "Snapshot")],
    "Resync": [("create", "Running"), ("resync", "Snapshot", "Resync")],
    "Snapshot of snapshot": [("create_snapshot", "Setup", "Snapshot")],
    "Resync of snapshot": [("create_snapshot", "Completed"), ("resync", "Snapshot", "Resync")],
}


class Pauses(Walks):
    def pause_pipe(self, what):
        """Within the time."""
        began = time.monotonic()
        self.stop()
        self.penstock.await_state(self.pipe(), "Paused", "Completed", seconds=20)
        took = time.monotonic() - began
        print(f"paused after {took:.2f} s: {what}", flush=True)
        self.assertLess(took, PAUSE_SECONDS_MAX)

    def resume(self, last):
        """It goes on where it was."""
        path = f"{self.penstock.pipes_path()}/{self.pipe()}/stateHistory"
        pausing, where = self.penstock.api(path)[1:3]
        self.assertEqual(("Pausing", pausing["resumeState"]), (pausing["state"], where["resumeState"]))
        self.thaw()
        self.start()
        self.penstock.await_state(self.pipe(), last)
        begun = next(one for one in self.penstock.api(path) if one["previousState"] == "Paused")
        self.assertEqual(where["resumeState"], begun["state"])

    def test_where_a_server_hangs(self):
        """From the first connection of that state on."""
        for state, way in WAYS.items():
            for proxy, name in ((self.to_source, "source"), (self.to_clickhouse, "destination")):
                if (state, name) == ("Resync of snapshot", "source"):
                    continue  # which it has done with
                with self.subTest(state=state, hanging=name):
                    self.setUp()
                    self.penstock.kill()
                    for step in way[:-1]:
                        self.take(*step)
                    self.kill_at(*way[-1], "after")
                    proxy.frozen = True
                    before = proxy.accepted
                    self.revive()
                    wait_until(lambda p=proxy, n=before: p.accepted > n, "a connection")
                    self.pause_pipe(f"{state}, {name} hangs")
                    self.resume("Degraded" if state == "Degraded" else
                                "Completed" if state.endswith("snapshot") else "Running")

    def grow(self):
        """t of 4,096 rows."""
        self.ticks = 10_000
        self.source.run("DELETE FROM shop.t", "INSERT INTO shop.t VALUES (1, 1)", *[
            f"INSERT INTO shop.t SELECT id + {1 << n}, v FROM shop.t" for n in range(12)])

    def load_slowly(self, **settings):
        self.create(snapshotRowsPerSecond=1000, **settings)
        wait_until(lambda: any(table["partitionsDone"] for table in self.penstock.status(
            self.pipe())["tables"]), "a partition")

    def follow(self):
        self.create()
        self.penstock.await_state(self.pipe(), "Running")
        self.await_caught_up()

    def in_the_middle(self, begin, freeze, last):
        """With connections that have been of use, and work on its way."""
        begin()
        freeze()
        self.tick()
        pause(0.5)
        where = self.penstock.state(self.pipe())
        self.pause_pipe(f"in the middle of {where}, {freeze.__name__}")
        self.resume(last)
        self.finish(last)

    def test_in_a_load(self):
        for freeze in (self.freeze_source, self.freeze_destination):
            self.setUp()
            self.grow()
            self.in_the_middle(self.load_slowly, freeze, "Running")

    def test_in_a_load_at_one_moment(self):
        for freeze in (self.freeze_source, self.freeze_destination):
            self.setUp()
            self.grow()
            self.stop_writing()
            self.in_the_middle(lambda: self.load_slowly(replicationMode="snapshot"), freeze,
                               "Completed")

    def test_in_the_stream(self):
        for freeze in (self.freeze_source, self.freeze_destination):
            self.setUp()
            self.in_the_middle(self.follow, freeze, "Running")


class PausesMySQL(Pauses, SystemTest):
    source_class = MySQL97


class PausesMariaDB(Pauses, SystemTest):
    source_class = MariaDB1011


if __name__ == "__main__":
    unittest.main()
