"""The official clients, as their sources say they behave: contract_clients.yaml is what they send."""

import json
import pathlib
import uuid

import yaml

from client import ApiTest
from harness.penstock import Penstock
from harness.wait import wait_until

CLIENTS = yaml.safe_load((pathlib.Path(__file__).parent / "contract_clients.yaml")
                         .read_text(encoding="utf-8"))


def at(value, path):
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


class Contract(ApiTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The clients name no ClickHouse: the server has one of its own.
        endpoint = cls.clickhouse.endpoint()
        cls.penstock.close()
        cls.penstock = cls.enterClassContext(Penstock(
            "--clickhouse-url", endpoint["url"], "--clickhouse-user", endpoint["user"],
            env={"PENSTOCK_CLICKHOUSE_PASSWORD": endpoint.get("password", "")}))
        cls.read_ids()

    def client(self, name):
        """Its part of the file, with this test's server in it."""
        source = self.source.endpoint()
        values = {"HOST": source["host"], "PORT": source["port"],
                  "USER": source["credentials"]["username"],
                  "PASSWORD": source["credentials"]["password"],
                  "DATABASE": self._testMethodName}

        def fill(node):
            if isinstance(node, dict):
                return {key: fill(each) for key, each in node.items()}
            if isinstance(node, list):
                return [fill(each) for each in node]
            return values.get(node, node) if isinstance(node, str) else node
        return fill(CLIENTS[name])

    def tearDown(self):
        self.delete_pipes()

    def await_state(self, pipe, states, headers):
        return wait_until(lambda: self.call("GET", self.one(pipe), headers=headers).result["state"]
                          in states, f"one of {states}")

    def test_terraform_creates_reads_and_deletes(self):
        client = self.client("terraform")
        headers = client["headers"]
        created = self.call("POST", self.pipes, client["create"], headers=headers).result
        uuid.UUID(created["id"])
        self.await_state(created["id"], client["waits_for"], headers)
        got = self.call("GET", self.one(created["id"]), headers=headers).result
        for path in client["compares"]:
            self.assertEqual(at(client["create"], path), at(got, path), path)
        for path in client["compares_absent"]:
            self.assertIsNone(at(got, path), path)
        self.assertEqual(client["create"]["source"]["mysql"]["tableMappings"],
                         got["source"]["mysql"]["tableMappings"])
        self.assertNotIn("credentials", got["source"]["mysql"])
        answer = self.call("DELETE", self.one(created["id"]), headers=headers)
        self.assertNotIn("result", answer.body)
        self.call("GET", self.one(created["id"]), headers=headers, status=404)

    def test_terraform_changes(self):
        client = self.client("terraform")
        headers = client["headers"]
        pipe = self.create(client["create"])
        self.await_state(pipe, ["Running"], headers)
        for change in ("update", "rotate", "rename"):
            changed = self.call("PATCH", self.one(pipe), client[change], headers=headers).result
            self.await_state(pipe, client["waits_for"], headers)
            self.assertEqual(changed["name"], client[change].get("name", changed["name"]))
        got = self.call("GET", self.one(pipe)).result
        self.assertEqual(client["update"]["source"]["mysql"]["settings"],
                         got["source"]["mysql"]["settings"])
        self.assertEqual("renamed by terraform", got["name"])
        self.source.run("REPLACE INTO shop.t VALUES (2, 2)")
        wait_until(lambda: self.clickhouse.query(
            f"SELECT count() FROM {self._testMethodName}.by_terraform FINAL") == "2\n", "the row after the changes")

    def test_terraform_changes_the_host(self):
        client = self.client("terraform")
        pipe = self.create(client["create"])
        self.await_state(pipe, ["Running"], client["headers"])
        refused = self.call("PATCH", self.one(pipe), client["move"], status=400)
        self.assertIn("Send the password again", refused.error)
        self.assertEqual(client["create"]["source"]["mysql"]["host"],
                         self.call("GET", self.one(pipe)).result["source"]["mysql"]["host"])
        code, _, error = self.penstock.cli("set", client["create"]["name"], "host=localhost",
                                           "source.mysql.credentials.passwordEnv=DB_PASSWORD",
                                           env={"DB_PASSWORD": self.source.endpoint()["credentials"]["password"]})
        self.assertEqual(0, code, error)
        changed = self.call("PATCH", self.one(pipe), client["move"]).result
        self.assertEqual("localhost", changed["source"]["mysql"]["host"])
        again = client["rotate"]  # back, with a password
        self.assertEqual(client["create"]["source"]["mysql"]["host"], self.call(
            "PATCH", self.one(pipe), again).result["source"]["mysql"]["host"])
        self.await_state(pipe, ["Running"], client["headers"])

    def test_terraform_changes_table_mappings(self):
        """It pauses first; a pipe that gets tables starts by itself."""
        self.source.run("CREATE TABLE shop.u (id INT PRIMARY KEY, v INT)")
        client = self.client("terraform")
        pipe = self.create(client["create"])
        self.call("PATCH", self.one(pipe, "/state"), {"command": "stop"})
        self.await_state(pipe, client["waits_for_stopped"], client["headers"])
        self.call("PATCH", self.one(pipe), client["remap"])
        self.await_state(pipe, ["Running"], client["headers"])

    def test_terraform_starts_and_stops(self):
        client = self.client("terraform")
        pipe = self.create(client["create"])
        self.await_state(pipe, ["Running"], client["headers"])
        answer = self.call("PATCH", self.one(pipe, "/state"), {"command": "start"}, status=400)
        self.assertIn(client["already_running"], answer.text.decode())
        for _ in range(2):  # stop is idempotent
            self.call("PATCH", self.one(pipe, "/state"), {"command": "stop"})
        self.await_state(pipe, client["waits_for_stopped"], client["headers"])
        self.call("PATCH", self.one(pipe, "/state"), {"command": "start"})
        self.await_state(pipe, client["waits_for"], client["headers"])

    def test_terraform_of_a_snapshot(self):
        client = self.client("terraform")
        client["create"]["source"]["mysql"]["settings"]["replicationMode"] = "snapshot"
        pipe = self.create(client["create"])
        self.await_state(pipe, client["waits_for_snapshot"], client["headers"])

    def test_terraform_settings_and_infrastructure(self):
        client = self.client("terraform")
        pipe = self.create({**client["create"], "settings": client["settings"]})
        self.assertEqual(client["settings"], self.call("GET", self.one(pipe)).result["settings"])
        settings = self.one(pipe, "/settings")
        self.assertEqual(client["settings"], self.call("GET", settings).result)
        self.assertEqual({}, self.call("PUT", settings, {}).result)
        self.assertEqual(client["settings"], self.call("PUT", settings, client["settings"]).result)
        self.assertEqual(client["settings"], self.call("GET", self.one(pipe)).result["settings"])
        scaling = f"{self.service}/clickpipesCdcScaling"
        self.call("GET", scaling)
        self.call("PATCH", scaling, client["infrastructure"])
        self.assertEqual(client["infrastructure"], self.call("GET", scaling).result)
        self.penstock.restart()
        self.assertEqual(client["infrastructure"], self.call("GET", scaling).result)

    def test_clickhousectl(self):
        client = self.client("clickhousectl")
        headers = client["headers"]
        created = self.call("POST", self.pipes, client["create"], headers=headers).result
        self.assertEqual([created["id"]], [pipe["id"] for pipe in
                                           self.call("GET", self.pipes, headers=headers).result])
        kinds = {"string": str, "integer": int, "boolean": bool, "list": list}
        for path, kind in client["reads"].items():
            value = at(created, path)
            if kind == "uuid":
                uuid.UUID(value)
            elif kind == "time":
                self.assertRegex(value, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
            else:
                self.assertIs(kinds[kind], type(value), path)
        self.assertNotIn(client["create"]["source"]["mysql"]["credentials"]["password"],
                         json.dumps(created))
        self.assertEqual(424242, created["source"]["mysql"]["serverId"])
        self.call("DELETE", self.one(created["id"]), headers=headers)
