"""Every path and method of openapi.yaml and of the public document; every kind of refusal; bodies
that a generator makes of the schemas. Each answer is held against both documents."""

import contextlib
import http.client
import json
import socket
import threading
import time
import unittest
import uuid

import documents
from client import Answer, ApiTest, send
from generator import Generator
from harness.case import new_seed, rounds
from harness.penstock import mapping, pipe_spec
from harness.wait import wait_until

PIPE = "{clickPipeId}"


class Documents(unittest.TestCase):
    """The two documents themselves."""

    def test_ours_is_sound(self):
        document = documents.ours()
        operations = [operation["operationId"] for _, _, operation in document.paths()]
        self.assertEqual(len(operations), len(set(operations)))

        def visit(node):
            if isinstance(node, list):
                for each in node:
                    visit(each)
            elif isinstance(node, dict):
                if "$ref" in node:
                    document.resolve(node)
                for each in node.values():
                    visit(each)
        visit(document.document)
        for schema in document.document["components"]["schemas"].values():
            documents.jsonschema.Draft202012Validator.check_schema(schema)

    def test_a_wrong_answer_is_noticed(self):
        document = documents.ours()
        schema = document.answer("/health", "GET", 200)["content"]["application/json"]["schema"]
        right = {"status": 200, "requestId": str(uuid.uuid4()), "result": {"version": "1"}}
        self.assertEqual([], document.problems(schema, right))
        for wrong in ({**right, "status": 201}, {**right, "requestId": "x"}, {**right, "more": 1},
                      {**right, "result": {}}, {**right, "result": {"version": 1}}):
            self.assertNotEqual([], document.problems(schema, wrong), wrong)

    def test_ours_has_all_of_the_public_one(self):
        if documents.reference() is None:
            self.skipTest("the public document is not here")
        for path, method, operation in documents.reference().paths():
            there = documents.ours().document["paths"].get(path, {}).get(method)
            self.assertIsNotNone(there, (method, path))
            self.assertEqual(operation["operationId"], there["operationId"])
            self.assertNotIn("x-penstock-extension", there)
        known = {(path, method) for path, method, _ in documents.reference().paths()}
        added = {"/v1/organizations/{organizationId}"}  # public too, though not in the extract
        for path, method, operation in documents.ours().paths():
            if (path, method) not in known and path not in added:
                self.assertTrue(operation.get("x-penstock-extension"), (method, path))


class Endpoints(ApiTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.body = pipe_spec(cls.source.endpoint(), cls.clickhouse.endpoint(),
                             [mapping("shop", "t")], database="endpoints", name="endpoints")
        cls.pipe = send(cls.penstock.port, "POST", cls.pipes, cls.body).result["id"]
        cls.penstock.await_state(cls.pipe, "Running")

    def path(self, template, pipe=None):
        return template.replace("{organizationId}", self.organization.split("/")[-1]).replace(
            "{serviceId}", self.service.split("/")[-1]).replace(PIPE, pipe or self.pipe)

    def test_every_get(self):
        for template, method, _ in documents.ours().paths():
            if method == "get" and not template.endswith("/stream"):
                with self.subTest(path=template):
                    self.call("GET", self.path(template))
                    head = send(self.penstock.port, "HEAD", self.path(template))
                    self.assertEqual((200, b""), (head.status, head.text))

    def test_every_other_method_is_refused_with_those_there_are(self):
        for template in documents.ours().document["paths"]:
            item = documents.ours().document["paths"][template]
            allowed = {method.upper() for method in documents.METHODS if method in item}
            for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} - allowed:
                with self.subTest(path=template, method=method):
                    answer = self.call(method, self.path(template), status=405)
                    self.assertEqual(allowed, set(answer.headers["allow"].split(", ")))

    def test_ids_that_are_not_there(self):
        for template, method, _ in documents.ours().paths():
            body = {} if method in ("post", "put", "patch") else None
            for name in ("{organizationId}", "{serviceId}", PIPE):
                if name not in template:
                    continue
                for wrong in (str(uuid.uuid4()), "x", "%00", "..%2f..", "a" * 500):
                    path = self.path(template.replace(name, wrong))
                    with self.subTest(path=path[:200], method=method):
                        answer = send(self.penstock.port, method.upper(), path, body)
                        # Wrong bodies are told first.
                        self.assertIn(answer.status, (400, 404) if body == {} else (404,))
                        self.hold(method.upper(), path, answer)
        self.assertEqual("Running", self.penstock.state(self.pipe))

    def bodies(self):
        """(method, path) of all that take one."""
        for template, method, operation in documents.ours().paths():
            if "requestBody" in operation:
                schema = operation["requestBody"]["content"]["application/json"]["schema"]
                yield method.upper(), self.path(template), schema

    def test_bodies_that_are_no_json(self):
        deep = b"[" * 100_000
        for method, path, _ in self.bodies():
            for body in (b"", b"{", b"[]", b"null", b"1", b'"x"', b"\xff\xfe", b'{"name": "\xff"}',
                         deep, b"[" * 40 + b"]" * 40, b'{"name": "a", "name": "b"}',
                         b'{"x": {"a": 1, "a": 2}}', b'{"name": NaN}', b'{} {}', b"{'a': 1}"):
                with self.subTest(path=path, body=body[:30]):
                    answer = self.call(method, path, body, status=400)
                    self.assertNotIn("\n", answer.error)

    def test_no_body_at_all(self):
        """Neither a length nor chunks: as `curl -X PUT`."""
        def bare(method, path):
            with socket.create_connection(("127.0.0.1", self.penstock.port), timeout=60) as connection:
                connection.sendall(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n"
                                   "Connection: close\r\n\r\n".encode())
                reply = http.client.HTTPResponse(connection, method=method)
                reply.begin()
                return Answer(reply, reply.read())
        for method, path, _ in self.bodies():
            with self.subTest(path=path, method=method):
                answer = bare(method, path)
                self.hold(method, path, answer)
                self.assertEqual(400, answer.status)
                if not path.endswith("/scaling"):
                    self.assertIn("body: missing", answer.error)
        self.assertEqual(405, bare("PUT", self.pipes).status)

    def test_services_by_tag(self):
        """The one there is has none."""
        self.assertEqual(1, len(self.call("GET", self.services).result))
        for tag in ("tag:Environment=Production", "tag:isActive"):
            self.assertEqual([], self.call("GET", f"{self.services}?filter={tag}").result)

    def test_bodies_that_are_too_large(self):
        for method, path, _ in self.bodies():
            with self.subTest(path=path):
                self.call(method, path, b" " * (4 * 1024 * 1024 + 1), status=413)
        self.call("POST", self.pipes, b"a=1", status=415,
                  headers={"Content-Type": "application/x-www-form-urlencoded"})

    def test_generated_bodies(self):
        """Whatever is sent, the server answers as its documents say, keeps no pipe that it refused, and
        lives."""
        generator = Generator(documents.ours(), new_seed())
        for method, path, schema in self.bodies():
            for number in range(rounds(40)):
                body = generator.one(schema)
                if number % 2:
                    body = generator.broken(body)
                # Nothing is reached: names would be looked up, and addresses tried.
                with contextlib.suppress(TypeError, KeyError):
                    body["source"]["mysql"]["host"] = "/no/such/socket"
                with contextlib.suppress(TypeError, KeyError):
                    body["destination"]["clickhouse"]["url"] = "http://127.0.0.1:1"
                if path.endswith("/state") and isinstance(body, dict):
                    body.setdefault("more", 1)
                with self.subTest(path=path, body=json.dumps(body)[:2000]):
                    answer = send(self.penstock.port, method, path, body)
                    self.assertIn(answer.status, (200, 400), answer.text)
                    self.hold(method, path, answer)
        self.assertEqual([self.pipe], [pipe["id"] for pipe in self.call("GET", self.pipes).result])
        self.assertIn(self.penstock.state(self.pipe), ("Running", "Snapshot"))

    def test_errors_that_break_a_good_body(self):
        """One place of a body that would be accepted is made wrong: 400 each, or it was not wrong."""
        generator = Generator(documents.ours(), new_seed())
        for _ in range(rounds(60)):
            body = generator.broken({**self.body, "name": "broken"})
            with contextlib.suppress(TypeError, KeyError):
                if body["source"]["mysql"]["host"] != self.body["source"]["mysql"]["host"]:
                    continue
            with self.subTest(body=json.dumps(body)):
                answer = send(self.penstock.port, "POST", self.pipes, body)
                self.hold("POST", self.pipes, answer)
                self.assertNotIn(self.body["source"]["mysql"]["credentials"]["password"],
                                 answer.text.decode())
                if answer.status == 200:
                    self.penstock.delete(answer.result["id"])
                else:
                    self.assertEqual(400, answer.status)

    def test_paths(self):
        for path in ("/", "/v1", "/v2/organizations", "/v1/organisations", "/..%2f..%2fetc/passwd",
                     self.one(self.pipe, "/nothing"), self.one(self.pipe, "/status/nothing"),
                     self.one(self.pipe, "/state/x"), f"{self.service}/clickpipesNothing"):
            with self.subTest(path=path):
                answer = send(self.penstock.port, "GET", path)
                self.assertEqual(404, answer.status)
                self.assertEqual({"status", "error", "requestId"}, set(answer.body))
        self.assertEqual(414, send(self.penstock.port, "GET", "/" + "x" * 3000).status)
        self.assertEqual(200, send(self.penstock.port, "GET", f"{self.pipes}/").status)

    def test_queries(self):
        for below in ("events", "errors", "batches", "partitions", "stateHistory"):
            for limit in ("0", "-1", "1001", "x", "", "1e2", "99999999999999999999"):
                with self.subTest(below=below, limit=limit):
                    self.call("GET", self.one(self.pipe, f"/{below}?limit={limit}"), status=400)
            self.call("GET", self.one(self.pipe, f"/{below}?limit=1"))
        self.assertEqual(1, len(self.call("GET", self.one(self.pipe, "/events?limit=1")).result))
        self.assertEqual([], self.call("GET", self.one(self.pipe, "/status?tables=0"))
                         .result["tables"])
        self.call("GET", self.one(self.pipe, "/status?tables=-1"), status=400)
        self.call("GET", self.one(self.pipe, "/partitions?table=no.such"), status=404)

    def test_errors_are_the_events_that_matter(self):
        levels = {event["level"] for event in
                  self.call("GET", self.one(self.pipe, "/errors")).result}
        self.assertLessEqual(levels, {"warning", "error"})
        tables = self.call("GET", self.one(self.pipe, "/tables")).result
        self.assertEqual([("shop", "t")], [(table["sourceSchemaName"], table["sourceTable"])
                                           for table in tables])


class Repeated(ApiTest):
    """Idempotency-Key."""

    def setUp(self):
        self.body = pipe_spec(self.source.endpoint(), self.clickhouse.endpoint(),
                              [mapping("shop", "t")], database=self._testMethodName,
                              name="repeated")

    def tearDown(self):
        self.delete_pipes()

    def post(self, body, key, status=200):
        return self.call("POST", self.pipes, body, status=status, headers={"Idempotency-Key": key})

    def test_the_same_again(self):
        key = str(uuid.uuid4())
        first = self.post(self.body, key)
        self.assertEqual(first.body, self.post(self.body, key).body)
        self.penstock.restart()
        self.assertEqual(first.body, self.post(self.body, key).body)
        self.assertEqual(1, len(self.call("GET", self.pipes).result))
        answer = self.post({**self.body, "name": "other"}, key, status=422)
        self.assertIn("another request", answer.error)
        self.post(self.body, str(uuid.uuid4()), status=400)  # its name is taken
        self.call("POST", self.pipes, self.body, status=400)
        self.post(self.body, "k" * 256, status=400)

    def test_what_failed_is_tried_again(self):
        key = str(uuid.uuid4())
        missing = {**self.body, "source": {"mysql": {**self.body["source"]["mysql"],
                   "tableMappings": [mapping("shop", "later")]}}}
        self.post(missing, key, status=400)
        self.source.run("CREATE TABLE shop.later (id INT PRIMARY KEY)")
        self.post(missing, key)

    def test_at_once(self):
        """One is made, whichever of them is first."""
        key, answers = str(uuid.uuid4()), []

        def post():
            answers.append(send(self.penstock.port, "POST", self.pipes, self.body,
                                headers={"Idempotency-Key": key}))
        threads = [threading.Thread(target=post) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertLessEqual({answer.status for answer in answers}, {200, 409})
        self.assertEqual(1, len({answer.result["id"] for answer in answers
                                 if answer.status == 200}))
        self.assertEqual(1, len(self.call("GET", self.pipes).result))


class Streams(ApiTest):
    """Server-sent events."""

    def setUp(self):
        body = pipe_spec(self.source.endpoint(), self.clickhouse.endpoint(), [mapping("shop", "t")],
                         database=self._testMethodName, name="streams")
        self.pipe = self.create(body)
        self.penstock.await_state(self.pipe, "Running")

    def tearDown(self):
        self.delete_pipes()

    @contextlib.contextmanager
    def stream(self, below="/status/stream"):
        with socket.create_connection(("127.0.0.1", self.penstock.port), timeout=20) as connection:
            connection.sendall(f"GET {self.one(self.pipe, below)} HTTP/1.1\r\n"
                               "Host: 127.0.0.1\r\n\r\n".encode())
            with connection.makefile("rb") as lines:
                status = int(lines.readline().split()[1])
                headers = []
                while (line := lines.readline()) not in (b"\r\n", b""):
                    headers.append(line.lower())
                yield status, headers, lines

    def events(self, lines):
        """(name, data) of each; a chunk of the transfer holds whole lines."""
        name = None
        for line in lines:
            text = line.decode().strip()
            if text.startswith("event: "):
                name = text.removeprefix("event: ")
            elif text.startswith("data: "):
                yield name, json.loads(text.removeprefix("data: "))

    def test_what_changes_is_told(self):
        with self.stream() as (status, headers, lines):
            self.assertEqual(200, status)
            self.assertIn(b"content-type: text/event-stream\r\n", headers)
            events = self.events(lines)
            name, first = next(events)
            self.assertEqual(("status", "Running"), (name, first["state"]))
            schema = {"$ref": "#/components/schemas/PipeStatus"}
            self.assertEqual([], documents.ours().problems(schema, first))
            self.call("PATCH", self.one(self.pipe, "/state"), {"command": "stop"})
            wait_until(lambda: next(events)[1]["state"] == "Paused", "the event of the pause")
            self.call("DELETE", self.one(self.pipe))
            wait_until(lambda: next(events)[0] == "gone", "the event of the deletion")
            self.assertEqual([], list(events))

    def test_only_so_many_and_others_are_answered(self):
        with contextlib.ExitStack() as stack:
            for _ in range(16):
                status, _, _ = stack.enter_context(self.stream())
                self.assertEqual(200, status)
            with self.stream() as (status, _, _):
                self.assertEqual(503, status)
            begun = time.monotonic()
            for _ in range(50):
                self.assertEqual("Running", self.penstock.state(self.pipe))
            self.assertLess(time.monotonic() - begun, 5)
        # Those that went away leave room.
        def room():
            with self.stream() as (status, _, _):
                return status == 200
        wait_until(room, "room for a stream", seconds=30)

    def test_of_nothing(self):
        with self.stream("/status/stream?tables=x") as (status, _, _):
            self.assertEqual(400, status)
        self.call("GET", self.one(str(uuid.uuid4()), "/status/stream"), status=404)

    def test_the_server_ends_beside_them(self):
        with self.stream() as (_, _, lines):
            next(self.events(lines))
            begun = time.monotonic()
            self.assertEqual(0, self.penstock.process.terminate())
            self.assertLess(time.monotonic() - begun, 10)
        self.penstock.start()
