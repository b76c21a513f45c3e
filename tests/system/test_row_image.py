"""binlog_row_image: what the log holds of a changed row."""

import unittest

import pymysql

from harness import workload
from harness.case import SystemTest, new_seed, rounds
from harness.sources import MariaDB118
from harness.wait import pause, wait_until

DEADLOCK = 1213


class FullNoDuplicates(SystemTest):
    """The second image of an update holds only what changed."""

    source_class = MariaDB118
    source_options = {"binlog_row_image": "FULL_NODUP"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def change_all(self, image):
        """Changes with this row image; false when the workload's own came in between."""
        try:
            self.source.run(f"SET binlog_row_image = '{image}'",
                            "UPDATE shop.ledger SET target = target + 1, body = NULL",
                            "UPDATE IGNORE shop.accounts SET note = 'x', id = id + 200000 "
                            "WHERE id % 50 = 0 AND id < 5000")
        except pymysql.err.OperationalError as error:
            if error.args[0] != DEADLOCK:
                raise
            return False
        return True

    def test_updates_are_whole(self):
        seed = new_seed()
        workload.create(self.source)
        workload.Writer(self.source, seed).fill(accounts=3000)
        spec = self.spec(workload.TABLES)
        with workload.Workload(self.source, seed):
            self.penstock.await_state(self.penstock.create(spec), "Running")
            for image in ["FULL", "FULL_NODUP"] * rounds(1):
                pause(1)
                self.penstock.restart()
                wait_until(lambda i=image: self.change_all(i), "changes beside the workload")
        self.await_caught_up()
        self.assertGreater(self.assert_equal(spec), 5000)


if __name__ == "__main__":
    unittest.main()
