"""Tables of several schemas that go into one target."""

from .case import SystemTest
from .compare import of_shard
from .penstock import mapping, pipe_spec
from .wait import wait_until

SHARDS = ("s1", "s2", "s3")


class ShardsTest(SystemTest):
    """Schemas s1, s2, s3 with a table `orders` each, whose keys are the same, and shop with the
    marker table."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()

    def setUp(self):
        self.fresh_shop()
        self.source.run("CREATE TABLE shop.marker (id INT PRIMARY KEY)")
        for schema in SHARDS:
            self.source.run(f"DROP DATABASE IF EXISTS {schema}", f"CREATE DATABASE {schema}",
                            f"CREATE TABLE {schema}.orders (id INT PRIMARY KEY, v VARCHAR(20))",
                            f"INSERT INTO {schema}.orders VALUES (1, '{schema}'), (2, 'b'), (3, 'c')")

    def tearDown(self):
        self.delete_pipes()

    def shards_spec(self, *schemas, **settings):
        """With a mapping for each of these."""
        mappings = [mapping(schema, "orders", "orders") for schema in schemas or SHARDS]
        return self.spec_of(*mappings, **settings)

    def spec_of(self, *mappings, **settings):
        settings.setdefault("syncIntervalMilliseconds", 100)
        return pipe_spec(self.source.endpoint(), self.clickhouse.endpoint(),
                         [*mappings, mapping("shop", "marker")], **settings)

    def create(self, spec, state="Running"):
        self.spec_ = spec
        self.pipe = self.penstock.create(spec)
        self.penstock.await_state(self.pipe, state)

    def fill(self, schema, rows=4096):
        """So many rows."""
        steps = max(0, (rows - 1).bit_length())
        self.source.run(f"DELETE FROM {schema}.orders", f"INSERT INTO {schema}.orders VALUES (1, 'x')",
                        *[f"INSERT INTO {schema}.orders SELECT id + {1 << n}, v FROM {schema}.orders"
                          for n in range(steps)])

    def edit(self, add=(), remove=(), drop=False):
        change = {"tableMappingsToAdd": [mapping(schema, "orders", "orders") for schema in add],
                  "tableMappingsToRemove": [{**mapping(schema, "orders", "orders"),
                                             "dropTargetTable": drop} for schema in remove]}
        answer = self.penstock.api(f"{self.penstock.pipes_path()}/{self.pipe}", "PATCH",
                                   {"source": {"mysql": change}})
        mapped = self.spec_["source"]["mysql"]["tableMappings"]
        mapped.extend(mapping(schema, "orders", "orders") for schema in add)
        mapped[:] = [one for one in mapped if one["sourceSchemaName"] not in remove]
        return answer

    def finish(self, state="Running"):
        """Every shard has its rows, and no other's. Returns their number."""
        self.penstock.await_state(self.pipe, state)
        self.await_caught_up()
        return self.assert_equal(self.spec_) - int(self.source.run("SELECT COUNT(*) FROM shop.marker")[0][0])

    def table(self, schema):
        return next((table for table in self.penstock.status(self.pipe)["tables"]
                     if table["sourceSchemaName"] == schema), {"quarantine": None})

    def resync(self, *schemas):
        words = [word for schema in schemas for word in ("--table", f"{schema}.orders")]
        code, out, err = self.penstock.cli("resync", "pipe", *words)
        self.assertEqual(0, code, out + err)

    def count(self, schema, condition="1", final="FINAL", table="orders"):
        return int(self.clickhouse.query(f"SELECT count() FROM replica.{table} {final} WHERE "
                                         f"{of_shard(schema, 'orders')} AND ({condition})"))

    def targets(self):
        return self.clickhouse.query(
            "SELECT name FROM system.tables WHERE database = 'replica' ORDER BY name").split()

    def await_quarantined(self, schema):
        wait_until(lambda: self.table(schema)["quarantine"], lambda: f"quarantine of {schema}\n"
                   f"{self.penstock.process.tail()}", 30)
        return self.table(schema)["quarantine"]["reason"]
