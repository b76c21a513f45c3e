"""A pipe is led from state to state, and killed at any change of state."""

import http.client
import signal

from .clickhouse import ClickHouse
from .penstock import Penstock, mapping
from .process import Process, program, sanitizer_options
from .proxy import Proxy
from .wait import wait_until


# What a pipe comes to that is deleted: no states, but records all the same.
OF_DELETION = {"deleted": "UPDATE pipes SET deleted = 1", "": "DELETE FROM pipes"}


class Walks:
    """Tables t, u and x, a pipe of the first two or all, and what leads it from state to state, also by
    killing penstock at a change of state, before or after that is stored. Both servers are behind
    proxies, which hang when they are told to. A mixin of a SystemTest."""

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

    def kill_at(self, action, before, after, when):
        """Starts it, orders what leads there, and waits for its death."""
        text = OF_DELETION.get(after, f"'{before}', '{after}', '")
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
        """A step: (what is ordered or "", from, to): penstock is killed before this change of state is
        stored, started, and killed after it. (what is ordered, state): done undisturbed. (what
        happens,): while penstock is dead."""
        if not states:
            getattr(self, action)()
        elif len(states) == 1:
            self.revive()
            getattr(self, action)()
            self.penstock.await_state(self.pipe(), *states)
            self.penstock.kill()
        else:
            for when in ("before", "after"):
                self.kill_at(action, *states, when)

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
