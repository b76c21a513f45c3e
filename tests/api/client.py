"""A stranger's client: it knows the two documents, and nothing of the server."""

import base64
import http.client
import json
import ssl

from documents import ours, reference
from harness.case import SystemTest
from harness.sources import MariaDB1011

JSON = "application/json"


class Answer:
    def __init__(self, reply, text):
        self.status = reply.status
        self.headers = {name.lower(): value for name, value in reply.getheaders()}
        self.text = text
        is_json = self.headers.get("content-type", "").startswith(JSON) and text
        self.body = json.loads(text) if is_json else None

    @property
    def result(self):
        return self.body["result"]

    @property
    def error(self):
        return self.body["error"]


def send(port, method, path, body=None, headers=None, key=None, tls=None, timeout=60):
    """`body`: bytes are sent as they are, all else as JSON. `key`: (id, secret). `tls`: an SSLContext."""
    headers = dict(headers or {})
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
    if body is not None:
        headers.setdefault("Content-Type", JSON)
    if key is not None:
        headers["Authorization"] = "Basic " + base64.b64encode(":".join(key).encode()).decode()
    kind = http.client.HTTPConnection if tls is None else http.client.HTTPSConnection
    connection = kind("127.0.0.1", port, timeout=timeout, **({"context": tls} if tls else {}))
    try:
        connection.request(method, path, body, headers)
        reply = connection.getresponse()
        return Answer(reply, reply.read())
    finally:
        connection.close()


def insecure():
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


class ApiTest(SystemTest):
    """One server with a source and a ClickHouse; each answer is held against both documents."""

    source_class = MariaDB1011

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()
        cls.source.run("CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY, n INT)",
                       "INSERT INTO shop.t VALUES (1, 1)")
        cls.read_ids()

    @classmethod
    def read_ids(cls):
        organization = send(cls.penstock.port, "GET", "/v1/organizations").result[0]["id"]
        services = f"/v1/organizations/{organization}/services"
        service = send(cls.penstock.port, "GET", services).result[0]["id"]
        cls.organization, cls.services = f"/v1/organizations/{organization}", services
        cls.service = f"{services}/{service}"
        cls.pipes = f"{cls.service}/clickpipes"

    def call(self, method, path, body=None, status=200, **more):
        answer = send(self.penstock.port, method, path, body, **more)
        self.assertEqual(status, answer.status, (method, path, answer.text[:1000]))
        self.hold(method, path, answer)
        return answer

    def hold(self, method, path, answer):
        """An answer against the documents, and against what is so of every answer."""
        description = ours().answer(path, method, answer.status)
        if description is not None:
            kind = answer.headers["content-type"].split(";")[0]
            self.assertIn(kind, description["content"], path)
            value = answer.body if kind == JSON else answer.text.decode()
            self.assertEqual([], ours().problems(description["content"][kind]["schema"], value),
                             (method, path))
        elif answer.status == 200:
            self.fail(f"openapi.yaml knows no success of {method} {path}")
        if path.startswith("/v1") and answer.body is not None:
            self.assertEqual(answer.status, answer.body["status"])
        elsewhere = reference() and reference().answer(path, method, answer.status)
        if elsewhere:
            self.assertEqual([], reference().problems(elsewhere["content"][JSON]["schema"],
                                                      answer.body), (method, path))

    def create(self, body):
        return self.call("POST", self.pipes, body).result["id"]

    def one(self, pipe, below=""):
        return f"{self.pipes}/{pipe}{below}"
