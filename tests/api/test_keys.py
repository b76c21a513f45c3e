"""Keys and TLS: who is admitted, what is kept, and that serve does not listen to all without them."""

import concurrent.futures
import contextlib
import json
import os
import socket
import ssl
import subprocess
import time
import unittest

from client import insecure, send
from harness.penstock import Penstock
from harness.process import Folder, free_port, program, sanitizer_options
from harness.wait import wait_until


def keys(data_dir, *words):
    done = subprocess.run([str(program("penstock")), "keys", *words, "--data-dir", str(data_dir),
                           "--output", "json"], capture_output=True, text=True, check=False,
                          env={"PATH": "/usr/bin:/bin", **sanitizer_options()})
    return done.returncode, done.stdout, done.stderr


def make_key(data_dir, name=""):
    code, out, err = keys(data_dir, "create", "--name", name)
    assert code == 0, err
    key = json.loads(out)
    return key["id"], key["secret"]


def make_certificate(folder, name="localhost"):
    certificate, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name},IP:127.0.0.1",
                    "-keyout", f"{key}.new", "-out", f"{certificate}.new"],
                   check=True, capture_output=True)
    os.rename(f"{key}.new", key)
    os.rename(f"{certificate}.new", certificate)
    return certificate, key


class Keys(unittest.TestCase):
    def setUp(self):
        self.penstock = self.enterContext(Penstock())
        self.organizations = "/v1/organizations"

    def get(self, path="/v1/organizations", **more):
        return send(self.penstock.port, "GET", path, **more)

    def test_a_key_closes_the_server_at_once(self):
        self.assertEqual(200, self.get().status)
        self.assertIn("keys          none", (self.penstock.folder / "log").read_text())
        key = make_key(self.penstock.data_dir, "first")
        refused = self.get()
        self.assertEqual(401, refused.status)
        self.assertTrue(refused.headers["www-authenticate"].startswith("Basic realm="))
        self.assertEqual({"status", "error", "requestId"}, set(refused.body))
        self.assertEqual(401, self.get("/metrics").status)
        self.assertEqual(200, self.get("/health").status)
        self.assertEqual(200, self.get(key=key).status)
        self.assertEqual(200, self.get(key=key, headers={"Host": "any.name"}).status)
        for wrong in ((key[0], key[1] + "x"), (key[0], ""), ("x", key[1]), ("", ""),
                      (key[0], key[1][:-1])):
            self.assertEqual(401, self.get(key=wrong).status, wrong)
        for header in ("Basic", "Basic ", "Basic %%%", "Bearer " + key[1], "Basic YWJj",
                       "basic " + "A" * 5000):
            self.assertEqual(401, self.get(headers={"Authorization": header}).status, header)
        code, out, _ = keys(self.penstock.data_dir, "delete", key[0])
        self.assertEqual((0, {"id": key[0]}), (code, json.loads(out)))
        self.assertEqual(200, self.get().status)  # as before the first key

    def test_what_is_kept_and_told(self):
        key = make_key(self.penstock.data_dir, "for the test")
        self.get(key=key)
        self.get(key=(key[0], "wrong-secret"))
        path = self.penstock.data_dir / "api-keys.json"
        self.assertEqual(0o600, path.stat().st_mode & 0o777)
        listed = json.loads(keys(self.penstock.data_dir, "list")[1])
        self.assertEqual([(key[0], "for the test")], [(each["id"], each["name"]) for each in listed])
        log = (self.penstock.folder / "log").read_text()
        self.assertIn("requests refused for a wrong key", log)
        for secret in (key[1], "wrong-secret"):
            self.assertNotIn(secret, path.read_text() + log)
        code, _, err = keys(self.penstock.data_dir, "delete", "nothing")
        self.assertEqual((1, True), (code, "there is no key" in err))

    def test_they_are_kept_over_a_restart_and_known_quickly(self):
        key = make_key(self.penstock.data_dir)
        self.penstock.restart()
        self.assertEqual(401, self.get().status)
        self.assertEqual(200, self.get(key=key).status)
        begun = time.monotonic()
        for _ in range(100):
            self.assertEqual(200, self.get(key=key).status)
        self.assertLess(time.monotonic() - begun, 2)  # 100 slow hashes take more than 3 s

    def test_many_wrong_secrets_keep_nobody_out(self):
        key = make_key(self.penstock.data_dir)
        self.assertEqual(200, self.get(key=key).status)
        with concurrent.futures.ThreadPoolExecutor(40) as pool:
            wrong = [pool.submit(self.get, key=(key[0], f"wrong {number}")) for number in range(80)]
            self.assertEqual(200, self.get(key=key).status)
            answers = [each.result() for each in wrong]
        self.assertLessEqual({answer.status for answer in answers}, {401, 429})
        for answer in answers:
            if answer.status == 429:
                self.assertEqual("1", answer.headers["retry-after"])

    def test_a_damaged_file_admits_nobody(self):
        make_key(self.penstock.data_dir)
        (self.penstock.data_dir / "api-keys.json").write_text("{")
        self.assertEqual(401, self.get().status)

    def test_the_command_line_uses_a_key(self):
        key = make_key(self.penstock.data_dir)
        code, _, err = self.penstock.cli("list")
        self.assertEqual(1, code)
        self.assertIn("PENSTOCK_KEY_ID", err)
        done = subprocess.run([str(program("penstock")), "list"], capture_output=True, text=True,
                              check=False, env={"PENSTOCK_SERVER": self.penstock.url,
                                                "PENSTOCK_KEY_ID": key[0],
                                                "PENSTOCK_KEY_SECRET": key[1],
                                                "PATH": "/usr/bin:/bin", **sanitizer_options()})
        self.assertEqual((0, ""), (done.returncode, done.stderr))


class Listening(unittest.TestCase):
    """serve on an address that others reach."""

    def setUp(self):
        self.folder = self.enterContext(Folder("listen"))
        self.data_dir = self.folder / "data"

    def refusal(self, *arguments):
        done = subprocess.run([str(program("penstock")), "serve", "--data-dir", str(self.data_dir),
                               "--listen", f"0.0.0.0:{free_port()}", *map(str, arguments)],
                              capture_output=True, text=True, timeout=30, check=False,
                              env={"PATH": "/usr/bin:/bin", **sanitizer_options()})
        self.assertEqual(1, done.returncode, done.stderr)
        return done.stderr

    def test_it_refuses_what_would_be_open(self):
        self.assertIn("penstock keys create", self.refusal())
        certificate, key = make_certificate(self.folder)
        self.assertIn("penstock keys create", self.refusal("--tls-cert", certificate,
                                                           "--tls-key", key))
        self.assertIn("penstock keys create", self.refusal("--behind-proxy"))
        make_key(self.data_dir)
        self.assertIn("overheard", self.refusal())
        self.assertIn("tls.key", self.refusal("--tls-cert", certificate))
        self.assertIn("no-file", self.refusal("--tls-cert", self.folder / "no-file",
                                              "--tls-key", key))
        (self.folder / "other").mkdir()
        _, other = make_certificate(self.folder / "other")
        self.assertIn("key", self.refusal("--tls-cert", certificate, "--tls-key", other))

    def test_behind_a_proxy(self):
        key = make_key(self.data_dir)
        with OpenPenstock("--behind-proxy", data_dir=self.data_dir) as penstock:
            self.assertEqual(401, send(penstock.port, "GET", "/v1/organizations").status)
            self.assertEqual(200, send(penstock.port, "GET", "/v1/organizations", key=key).status)
            # Without any key it does not open.
            self.assertEqual(0, keys(self.data_dir, "delete", key[0])[0])
            self.assertEqual(401, send(penstock.port, "GET", "/v1/organizations").status)

    def serve_tls(self):
        certificate, key = make_certificate(self.folder)
        return self.enterContext(TlsPenstock("--tls-cert", certificate, "--tls-key", key,
                                             data_dir=self.data_dir)), certificate

    def test_tls(self):
        key = make_key(self.data_dir)
        penstock, certificate = self.serve_tls()
        trusting = ssl.create_default_context(cafile=str(certificate))
        answer = send(penstock.port, "GET", "/v1/organizations", key=key, tls=trusting)
        self.assertEqual(200, answer.status)
        # A body of many TLS records, and an answer.
        body = json.dumps({"name": "x" * 1_000_000}).encode()
        answer = send(penstock.port, "POST", "/v1/organizations", body, key=key, tls=trusting)
        self.assertEqual(405, answer.status)
        self.assertIn("GET", answer.headers["allow"])
        self.assertGreater(len(send(penstock.port, "GET", "/openapi.yaml", key=key,
                                    tls=trusting).text), 50_000)
        # Neither plain text nor silence keeps anybody waiting.
        with socket.create_connection(("127.0.0.1", penstock.port)) as plain, \
                socket.create_connection(("127.0.0.1", penstock.port)):
            plain.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            with contextlib.suppress(ConnectionResetError):
                self.assertNotIn(b"version", plain.recv(1000))
            self.assertEqual(200, send(penstock.port, "GET", "/health", tls=trusting).status)
        done = subprocess.run([str(program("penstock")), "list", "--server", penstock.url],
                              capture_output=True, text=True, check=False,
                              env={"PENSTOCK_KEY_ID": key[0], "PENSTOCK_KEY_SECRET": key[1],
                                   "PENSTOCK_CA_FILE": str(certificate), "PATH": "/usr/bin:/bin",
                                   **sanitizer_options()})
        self.assertEqual((0, ""), (done.returncode, done.stderr))

    def test_a_new_certificate_is_taken_over(self):
        make_key(self.data_dir)
        penstock, _ = self.serve_tls()

        def names():
            pem = ssl.get_server_certificate(("127.0.0.1", penstock.port))
            return subprocess.run(["openssl", "x509", "-noout", "-subject"], input=pem, text=True,
                                  capture_output=True, check=True).stdout
        self.assertIn("localhost", names())
        make_certificate(self.folder, "renewed.example")
        wait_until(lambda: "renewed.example" in names(), "the new certificate")
        (self.folder / "cert.pem").write_text("damaged")
        self.assertIn("renewed.example", names())


class OpenPenstock(Penstock):
    def command(self):
        words = list(super().command())
        words[words.index("--listen") + 1] = f"0.0.0.0:{self.port}"
        return words


class TlsPenstock(Penstock):
    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}"

    def healthy(self):
        try:
            return send(self.port, "GET", "/health", tls=insecure(), timeout=5).status == 200
        except OSError:
            return False
