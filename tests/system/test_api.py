"""The REST API: the shapes of openapi.yaml, refusals, slow clients, web pages that pry."""

import contextlib
import http.client
import json
import re
import socket
import subprocess
import unittest
import uuid

import yaml

from harness.case import SystemTest
from harness.clickhouse import ClickHouse
from harness.penstock import http_json
from harness.process import ROOT, Process, program
from harness.sources import MariaDB1011
from harness.wait import wait_until

SLOW_CLIENTS = 200


class Schemas:
    """As much of OpenAPI as openapi.yaml uses, to judge answers by."""

    TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int,
             "number": (int, float), "null": type(None)}

    def __init__(self, path):
        self.document = yaml.safe_load(path.read_text())

    def resolve(self, schema):
        while "$ref" in schema:
            target = self.document
            for part in schema["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            schema = target
        merged = dict(schema)
        for part in map(self.resolve, merged.pop("allOf", [])):
            merged["properties"] = {**part["properties"], **merged.get("properties", {})}
            merged["required"] = part["required"] + merged.get("required", [])
        return merged

    def response(self, path, method, status):
        """The JSON schema of an answer; {} when it has no body."""
        answers = self.document["paths"][path][method]["responses"]
        answer = self.resolve(answers.get(str(status)) or answers[status])
        return answer.get("content", {}).get("application/json", {}).get("schema", {})

    def problems(self, schema, value, where="answer"):
        schema = self.resolve(schema)
        if "oneOf" in schema:
            if not any(not list(self.problems(one, value, where)) for one in schema["oneOf"]):
                yield f"{where}: none of oneOf fits {value!r}"
            return
        yield from self._scalar_problems(schema, value, where)
        if isinstance(value, dict):
            for name in schema.get("required", []):
                if name not in value:
                    yield f"{where}.{name}: required, and missing"
            for name, inner in value.items():
                if name in schema.get("properties", {}):
                    yield from self.problems(schema["properties"][name], inner, f"{where}.{name}")
                elif "properties" in schema and schema.get("additionalProperties") is not True:
                    yield f"{where}.{name}: not in openapi.yaml"
        if isinstance(value, list) and "items" in schema:
            for index, inner in enumerate(value):
                yield from self.problems(schema["items"], inner, f"{where}[{index}]")

    def _scalar_problems(self, schema, value, where):
        kinds = schema.get("type", [])
        kinds = [kinds] if isinstance(kinds, str) else kinds
        if kinds and not any(isinstance(value, self.TYPES[kind]) and
                             not (isinstance(value, bool) and kind in ("integer", "number"))
                             for kind in kinds):
            yield f"{where}: {value!r} is not of type {kinds}"
        if "enum" in schema and value not in schema["enum"]:
            yield f"{where}: {value!r} is none of {schema['enum']}"
        if schema.get("format") == "uuid" and isinstance(value, str):
            with contextlib.suppress(ValueError):
                uuid.UUID(value)
                return
            yield f"{where}: {value!r} is no UUID"
        if schema.get("format") == "date-time" and value is not None and not re.fullmatch(
                r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", str(value)):
            yield f"{where}: {value!r} is no ISO 8601 time"


class Api(SystemTest):
    """One server with one pipe."""

    source_class = MariaDB1011

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()
        files = [path for path in ROOT.rglob("openapi.yaml") if "build" not in path.parts]
        cls.schemas = Schemas(files[0])
        cls.source.run("CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY)",
                       "INSERT INTO shop.t VALUES (1)")

    def setUp(self):
        self.body = self.spec(["t"])
        self.template = "/v1/organizations/{organizationId}/services/{serviceId}/clickpipes"
        self.base = self.penstock.pipes_path()

    def call(self, template, path, method="GET", body=None, status=200):
        """An answer, which must fit its schema."""
        got, answer = http_json(f"{self.penstock.url}{path}", method, body)
        self.assertEqual(status, got, answer)
        problems = list(self.schemas.problems(
            self.schemas.response(template, method.lower(), status), answer))
        self.assertEqual([], problems)
        if template.startswith("/v1"):
            self.assertEqual(status, answer["status"])
            uuid.UUID(answer["requestId"])
        return answer

    def test_shapes_of_every_answer(self):
        one = self.template + "/{clickPipeId}"
        self.call("/v1/organizations", "/v1/organizations")
        created = self.call(self.template, f"/v1{self.base}", "POST", self.body)["result"]
        pipe = created["id"]
        self.penstock.await_state(pipe, "Running")
        self.assertEqual([pipe], [each["id"] for each in
                                  self.call(self.template, f"/v1{self.base}")["result"]])
        got = self.call(one, f"/v1{self.base}/{pipe}")["result"]
        for records in ("status", "events", "batches", "partitions"):
            self.assertTrue(self.call(f"{one}/{records}", f"/v1{self.base}/{pipe}/{records}"))
        self.call(one + "/state", f"/v1{self.base}/{pipe}/state", "PATCH", {"command": "stop"})
        self.penstock.await_state(pipe, "Paused")
        self.call(one + "/state", f"/v1{self.base}/{pipe}/state", "PATCH", {"command": "start"})
        answer = self.call(one, f"/v1{self.base}/{pipe}", "DELETE")
        self.assertNotIn("result", answer)
        self.call(one, f"/v1{self.base}/{pipe}", status=404)
        self.assert_as_sent(got)

    def assert_as_sent(self, got):
        """Clients compare what they sent with what they get."""
        sent = self.body["source"]["mysql"]
        self.assertNotIn("credentials", got["source"]["mysql"])
        self.assertNotIn(sent["credentials"]["password"], json.dumps(got))
        for name in ("type", "host", "port", "disableTls"):
            self.assertEqual(sent[name], got["source"]["mysql"][name], name)
        self.assertEqual(sent["settings"],
                         {key: got["source"]["mysql"]["settings"].get(key)
                          for key in sent["settings"]})
        for mapping, returned in zip(sent["tableMappings"], got["source"]["mysql"]["tableMappings"]):
            self.assertEqual(mapping, {key: returned.get(key) for key in mapping})
        self.assertEqual("replica", got["destination"]["database"])
        for name in ("table", "managedTable", "tableDefinition", "columns"):
            self.assertNotIn(name, got["destination"])

    def test_wrong_bodies_name_the_field(self):
        wrong = [
            ({"source": {"mysql": {**self.body["source"]["mysql"], "port": 70000}}}, "port"),
            ({"source": {"mysql": {**self.body["source"]["mysql"], "port": "3306"}}}, "port"),
            ({"source": {"mysql": {**self.body["source"]["mysql"], "tableMappings": []}}},
             "tableMappings"),
            ({"source": {"mysql": {**self.body["source"]["mysql"], "hots": "x"}}}, "hots"),
            ({"source": {"mysql": {**self.body["source"]["mysql"],
                                   "settings": {"replicationMode": "sideways"}}}},
             "replicationMode"),
            ({"source": {}}, "mysql"), ({"name": ""}, "name"), ({"name": 7}, "name")]
        for change, field in wrong:
            with self.subTest(field=field):
                answer = self.call(self.template, f"/v1{self.base}", "POST",
                                   {**self.body, **change}, status=400)
                self.assertIn(field, answer["error"])
        self.assertEqual([], self.penstock.pipes())

    def raw(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.penstock.port, timeout=30)
        with contextlib.closing(connection):
            connection.request(method, path, body, {key.replace("_", "-"): value
                                                    for key, value in headers.items()})
            reply = connection.getresponse()
            return reply.status, reply.read()

    def test_bodies_that_are_no_json(self):
        for body in (b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"name": "\xff"}', b"[" * 100000):
            with self.subTest(body=body[:20]):
                self.assertEqual(400, self.raw("POST", f"/v1{self.base}", body)[0])
        status, _ = self.raw("POST", f"/v1{self.base}", b" " * (5 << 20))
        self.assertEqual(413, status)
        self.assertTrue(self.penstock.healthy())

    def test_unknown_paths_and_methods(self):
        for method, path in (("GET", "/v1/nothing"), ("GET", f"/v1{self.base}/not-an-id"),
                             ("GET", f"/v1{self.base}/{uuid.uuid4()}"),
                             ("GET", "/v1/organizations/x/services"),
                             ("PUT", f"/v1{self.base}"), ("GET", "/..%2f..%2fetc/passwd")):
            with self.subTest(path=path):
                status, text = self.raw(method, path)
                self.assertIn(status, (400, 404, 405))
                self.assertIn("error", json.loads(text))

    def test_web_pages_do_not_reach_it(self):
        """Another site's page, or a name that was made to point here."""
        for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"},
                        {"Host": f"evil.example:{self.penstock.port}"}):
            with self.subTest(headers=headers):
                status, _ = self.raw("GET", "/v1/organizations", **headers)
                self.assertEqual(403, status)
        status, _ = self.raw("GET", "/v1/organizations", Origin=self.penstock.url)
        self.assertEqual(200, status)

    def test_slow_clients_do_not_stop_health(self):
        """Requests that are begun and never ended."""
        with contextlib.ExitStack() as stack:
            for number in range(SLOW_CLIENTS):
                slow = stack.enter_context(socket.create_connection(
                    ("127.0.0.1", self.penstock.port)))
                slow.sendall(b"GET /health HTTP/1.1\r\nHost: " if number % 2 else
                             b"POST /v1/organizations HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                             b"Content-Length: 100000\r\n\r\n{")
            wait_until(self.penstock.healthy, "/health beside 200 slow clients", seconds=15)


class CommandLine(SystemTest):
    """Exit codes, tables for people, JSON for programs."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()
        cls.source.run("CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY)",
                       "INSERT INTO shop.t VALUES (1)")

    def ok(self, *words):
        code, out, err = self.penstock.cli(*words)
        self.assertEqual((0, ""), (code, err), out)
        return out

    def test_a_pipe_from_create_to_delete(self):
        path = self.penstock.folder / "pipe.yaml"
        path.write_text(yaml.safe_dump(self.spec(["t"])))
        self.ok("create", "-f", path, "--wait")
        self.assertIn("Running", self.ok("list"))
        self.assertEqual(["pipe"], [each["name"] for each in
                                    json.loads(self.ok("list", "--output", "json"))])
        self.assertIn("Running", self.ok("show", "pipe"))
        self.assertIsInstance(json.loads(self.ok("show", "pipe", "--output", "json")), dict)
        self.assertIn("shop.t", self.ok("tables", "pipe"))
        self.ok("pause", "pipe", "--wait")
        self.assertIn("Paused", self.ok("list"))
        self.ok("resume", "pipe", "--wait")
        self.assertIn("Running", self.ok("list"))
        self.ok("delete", "pipe")
        self.assertEqual([], json.loads(self.ok("list", "--output", "json")))

    def test_what_happened(self):
        """tables --ddl, events and batches, of a pipe that has been paused by a restart too."""
        path = self.penstock.folder / "history.yaml"
        spec = self.spec(["t"], database="history", name="history")
        spec["source"]["mysql"]["tableMappings"][0]["sortingKeys"] = ["id"]  # without its switch
        path.write_text(yaml.safe_dump(spec))
        out = self.ok("create", "-f", path, "--wait")
        self.assertIn("\nwarning  ", out)
        warnings = [line.removeprefix("warning  ") for line in out.splitlines()
                    if line.startswith("warning")]
        self.assertIn("sortingKeys", warnings[0])
        self.source.run("INSERT INTO shop.t VALUES (100)")
        self.await_caught_up(database="history")
        wait_until(lambda: json.loads(self.ok("batches", "history", "--output", "json")),
                   "a batch that is recorded")
        self.assertIn("BATCH", self.ok("batches", "history", "--limit", "1"))
        self.ok("pause", "history", "--wait")
        self.penstock.restart()
        self.assertEqual(2, self.ok("tables", "history", "--ddl").count("CREATE TABLE"))
        self.assertIn("shop.t", self.ok("tables", "history"))
        self.assertIn("position", self.ok("show", "history"))
        shown = self.ok("show", "history")
        self.assertNotIn("reason", shown)
        self.assertIn("Paused        nothing is in flight", shown.partition("SINCE")[2])
        past = json.loads(self.ok("show", "history", "--output", "json"))["stateHistory"]
        self.assertEqual([one["since"] for one in past], [
            one["since"] for one in yaml.load(self.ok("show", "history", "--output", "yaml"),
                                              yaml.BaseLoader)["stateHistory"]])
        self.assertEqual(
            [("Paused", "Pausing", "Running"), ("Pausing", "Running", "Running"),
             ("Running", "Snapshot", "Running"), ("Snapshot", "Setup", "Snapshot"),
             ("Setup", "Provisioning", "Setup"), ("Provisioning", None, "Provisioning")],
            [(one["state"], one["previousState"], one["resumeState"]) for one in past])
        events = json.loads(self.ok("events", "history", "--output", "json"))
        self.assertEqual(warnings, [event["text"] for event in reversed(events)
                                    if event["kind"] == "check"])
        self.assertIn("CREATE DATABASE IF NOT EXISTS `history`",
                      [event["text"] for event in events if event["kind"] == "ddl"])
        states = [event["text"] for event in reversed(events) if event["kind"] == "state"]
        self.assertEqual(
            ["Provisioning", "Provisioning to Setup", "Setup to Snapshot", "Snapshot to Running",
             "Running to Pausing", "Pausing to Paused"],
            [text.split(": ")[0] for text in states])
        for text in states:
            self.assertTrue(text.partition(": ")[2], text)
        self.assertIn("asked for by the user", self.ok("events", "history"))
        self.assertEqual(1, len(json.loads(self.ok("events", "history", "--limit", "1",
                                                   "--output", "json"))))
        self.ok("delete", "history")

    def test_watching(self):
        """A line a second until Ctrl-C, which is no failure."""
        pipe = self.penstock.create(self.spec(["t"], database="watched"))
        for output, shown in (((), "Running"), (("--output", "json"), '"state":"Running"')):
            log = self.penstock.folder / f"watch{len(output)}"
            self.penstock.await_state(pipe, "Running")
            watch = Process([program("penstock"), "--server", self.penstock.url, "status", "pipe",
                             "--watch", *output], log)
            wait_until(lambda path=log, text=shown: path.read_text().count(text) >= 2, "two lines")
            self.assertEqual(0, watch.interrupt(seconds=5))
        self.penstock.delete(pipe)

    def test_clickhouse_of_our_own(self):
        """`penstock clickhouse` is the helper program."""
        with ClickHouse([program("penstock"), "clickhouse"]) as clickhouse:
            self.assertEqual("3\n", clickhouse.query("SELECT 1 + 2"))
        done = subprocess.run([program("penstock"), "clickhouse"], capture_output=True, text=True,
                              check=False, timeout=20)
        self.assertEqual(2, done.returncode)
        self.assertIn("--data-dir", done.stderr)

    def test_passwords_from_elsewhere(self):
        spec = self.spec(["t"], database="another")
        mysql = spec["source"]["mysql"]
        secret = self.penstock.folder / "secret"
        secret.write_text(mysql["credentials"].pop("password") + "\n")
        mysql["credentials"]["passwordFile"] = str(secret)
        path = self.penstock.folder / "with-file.json"
        path.write_text(json.dumps(spec))
        self.ok("check", "-f", path)

    def test_failures(self):
        for words, code in ((("show", "absent"), 1), (("pause", "absent"), 1),
                            (("create", "-f", "/absent.yaml"), 1), (("no-such-command",), 2),
                            (("create",), 2), (("show",), 2), (("list", "--output", "xml"), 2),
                            (("serve", "--log-level", "loud"), 2),
                            (("serve", "--listen", "nowhere"), 2)):
            with self.subTest(words=words):
                got, out, err = self.penstock.cli(*words)
                self.assertEqual((code, ""), (got, out))
                self.assertTrue(err.strip())
                if code == 1:
                    self.assertEqual(1, len(err.strip().splitlines()), err)

    def test_no_server(self):
        self.penstock.kill()
        code, _, err = self.penstock.cli("list")
        self.assertEqual(1, code)
        self.assertIn(self.penstock.url, err)
        self.penstock.start()


if __name__ == "__main__":
    unittest.main()
