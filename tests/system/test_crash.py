"""Killed at random moments: penstock, ClickHouse, the source. At the end everything is equal."""

import random
import unittest

from harness import workload
from harness.case import SystemTest, new_seed, rounds, scale
from harness.proxy import Proxy
from harness.sources import MariaDB1011, MySQL97
from harness.wait import pause, wait_until


class Crash:
    """A load that goes on while something is killed."""

    rows = round(8000 * scale())

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def setUp(self):
        self.seed = new_seed()
        self.random = random.Random(self.seed)
        self.source.run("DROP DATABASE IF EXISTS shop")
        self.clickhouse.query("DROP DATABASE IF EXISTS replica SYNC")
        workload.create(self.source)
        workload.Writer(self.source, self.seed).fill(accounts=self.rows)
        self.spec_ = self.spec(workload.TABLES, initialLoadParallelism=2)
        self.pipe = None

    def tearDown(self):
        if self.pipe and self.penstock.process.running():
            self.penstock.delete(self.pipe)

    def moment(self, longest):
        pause(self.random.uniform(0, longest))

    def finish(self):
        self.penstock.await_state(self.pipe, "Running", seconds=120 * scale())
        self.await_caught_up(seconds=120 * scale())
        self.assertGreater(self.assert_equal(self.spec_, seconds=15 * scale()), 5000)

    def loading(self):
        """(partitions done, partitions planned) while the pipe is in Snapshot, else nothing."""
        status = self.penstock.status(self.pipe)
        if status["state"] != "Snapshot":
            return None
        return tuple(sum(table[key] for table in status["tables"])
                     for key in ("partitionsDone", "partitions"))

    def test_penstock_killed_in_snapshot(self):
        """Each kill is in Snapshot, with partitions done, others being read and others to come."""
        kills = rounds(4)
        workload.Writer(self.source, self.seed + 1).fill(accounts=self.ROWS_PER_KILL * kills)
        with Proxy(self.source.port) as proxy:
            self.spec_["source"]["mysql"]["port"] = proxy.port
            with workload.Workload(self.source, self.seed):
                self.kill_in_snapshot(kills, proxy)
            proxy.down_per_second = None
            self.finish()

    def kill_in_snapshot(self, kills, proxy):
        done = 0
        proxy.down_per_second = self.FAST
        self.pipe = self.penstock.create(self.spec_)
        for number in range(kills):
            proxy.down_per_second = self.FAST
            wait_until(lambda n=done: (self.loading() or (0, 0))[0] > n, "one more partition",
                       seconds=60)
            proxy.down_per_second = self.SLOW
            self.moment(0.4)
            at = self.loading()
            self.assertIsNotNone(at, f"the load is over: kill {number} is not in it")
            done = at[0]
            self.penstock.restart()

    # Four readers end at most a few partitions of 1,000 rows after the next one was awaited.
    ROWS_PER_KILL = 6000
    FAST, SLOW = 400_000, 10_000  # bytes a second for each connection

    def test_penstock_killed_in_stream(self):
        with workload.Workload(self.source, self.seed):
            self.pipe = self.penstock.create(self.spec_)
            self.penstock.await_state(self.pipe, "Running")
            for _ in range(rounds(5)):
                self.moment(1.0)
                self.penstock.restart()
        self.finish()

    def test_penstock_killed_right_after_create(self):
        """The pipe is there or it is not; never a half of it."""
        self.pipe = self.penstock.create(self.spec_)
        self.penstock.restart()
        self.assertEqual([self.pipe], [pipe["id"] for pipe in self.penstock.pipes()])
        self.finish()

    def test_clickhouse_killed(self):
        with workload.Workload(self.source, self.seed):
            self.pipe = self.penstock.create(self.spec_)
            for _ in range(rounds(4)):
                self.moment(1.2)
                self.clickhouse.process.kill()
                self.moment(0.8)
                self.clickhouse.start()
        self.finish()

    def test_source_killed(self):
        with workload.Workload(self.source, self.seed) as load:
            self.pipe = self.penstock.create(self.spec_)
            for _ in range(rounds(3)):
                self.moment(1.5)
                before = load.transactions
                self.source.restart()
                wait_until(lambda n=before: load.transactions > n, "writers are back")
        self.finish()

    def test_source_restarted_in_order(self):
        with workload.Workload(self.source, self.seed):
            self.pipe = self.penstock.create(self.spec_)
            self.penstock.await_state(self.pipe, "Running")
            self.source.restart(kill=False)
            self.moment(1)
        self.finish()


class CrashMySQL(Crash, SystemTest):
    source_class = MySQL97


class CrashMariaDB(Crash, SystemTest):
    source_class = MariaDB1011


if __name__ == "__main__":
    unittest.main()
