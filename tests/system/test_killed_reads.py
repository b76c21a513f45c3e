"""A source that ends the snapshot's SELECTs: the load goes on in smaller pieces."""

import contextlib
import threading
import unittest

import pymysql

from harness.case import SystemTest
from harness.sources import MariaDB1011, MySQL97
from harness.wait import pause

NO_SUCH_THREAD = 1094
ROWS = 1 << 17


class Killer:
    """Kills every SELECT of the table that reads a whole partition, for as long as it is entered."""

    def __init__(self, source):
        self._source = source
        self._stopped = threading.Event()
        self.killed = 0
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        with contextlib.closing(self._source.connect()) as connection:
            with connection.cursor() as cursor:
                while not self._stopped.is_set():
                    self._kill(cursor)
                    pause(0.003)

    def _kill(self, cursor):
        cursor.execute("SELECT id FROM information_schema.processlist WHERE info LIKE "
                       "'/* penstock pipe */ SELECT `id`,%%' AND info NOT LIKE '%%LIMIT%%'")
        for (number,) in cursor.fetchall():
            try:
                cursor.execute(f"KILL QUERY {number}")
                self.killed += 1
            except pymysql.err.Error as error:  # it is over
                if error.args[0] != NO_SUCH_THREAD:
                    raise

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stopped.set()
        self._thread.join()


class KilledReads:
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def setUp(self):
        self.clickhouse.query("DROP DATABASE IF EXISTS replica SYNC")
        self.source.run("DROP DATABASE IF EXISTS shop", "CREATE DATABASE shop", "CREATE TABLE shop.t (id INT AUTO_INCREMENT, "
                        "k INT, w TEXT, PRIMARY KEY (k, id), KEY (id))",
                        "INSERT INTO shop.t (k, w) VALUES (7, REPEAT('w', 700))",
                        *["INSERT INTO shop.t (k, w) SELECT id % 5, w FROM shop.t"]
                        * (ROWS.bit_length() - 1))

    def test_a_killed_read_goes_on_in_smaller_pieces(self):
        spec = self.spec(["t"], snapshotNumRowsPerPartition=10 * ROWS)
        with Killer(self.source) as killer:
            pipe = self.penstock.create(spec)
            self.source.run("UPDATE shop.t SET w = 'changed' WHERE id % 1000 = 0")
            self.penstock.await_state(pipe, "Running")
        self.assertGreater(killer.killed, 0)
        self.await_caught_up()
        self.assertGreaterEqual(self.assert_equal(spec), ROWS)
        table = self.penstock.status(pipe)["tables"][0]
        self.assertEqual(ROWS, table["rowsLoaded"])
        self.penstock.delete(pipe)

    def test_the_one_moment_of_a_snapshot_alone_outlives_it(self):
        spec = self.spec(["t"], snapshotNumRowsPerPartition=10 * ROWS, replicationMode="snapshot")
        with Killer(self.source) as killer:
            pipe = self.penstock.create(spec)
            self.penstock.await_state(pipe, "Completed")
        self.assertGreater(killer.killed, 0)
        self.assertGreaterEqual(self.assert_equal(spec), ROWS)
        events = self.penstock.api(f"{self.penstock.pipes_path()}/{pipe}/events")
        self.assertEqual(1, [event["kind"] for event in events].count("snapshot"))
        self.penstock.delete(pipe)


class KilledReadsMySQL(KilledReads, SystemTest):
    source_class = MySQL97


class KilledReadsMariaDB(KilledReads, SystemTest):
    source_class = MariaDB1011


if __name__ == "__main__":
    unittest.main()
