"""HTTP_PROXY, HTTPS_PROXY and NO_PROXY, for ClickHouse and for the command line: the names used here
lead somewhere through the proxy alone."""

import base64
import subprocess

from harness.case import SystemTest
from harness.clickhouse import ClickHouse
from harness.forward_proxy import ForwardProxy
from harness.penstock import Penstock
from harness.process import Folder, program
from harness.proxy import Certificates, Proxy
from harness.sources import MariaDB1011

NAME = "clickhouse.test"


class ForwardProxies(SystemTest):
    source_class = MariaDB1011

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_source()
        cls.clickhouse = cls.use("clickhouse", ClickHouse)

    def setUp(self):
        self.fresh_shop()
        self.source.run("CREATE TABLE shop.t (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(200))",
                        f"INSERT INTO shop.t (v) VALUES {','.join(['(REPEAT(1, 150))'] * 5000)}")

    def proxy(self, port=None, **options):
        return self.enterContext(ForwardProxy({NAME: port or self.clickhouse.http_port}, **options))

    def start(self, **environment):
        self.penstock = self.enterContext(Penstock(env=environment))

    def to(self, url, **more):
        spec = self.spec(["t"])
        spec["destination"]["clickhouse"].update({"url": url, **more})
        return spec

    def replicate(self, spec):
        pipe = self.penstock.create(spec)
        self.penstock.await_state(pipe, "Running")
        self.source.run("UPDATE shop.t SET v = 'new' WHERE id < 100")
        self.await_caught_up()
        self.assert_equal(spec)

    def test_http(self):
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            with self.subTest(variable=name):
                self.setUp()
                proxy = self.proxy()
                self.start(**{name: proxy.url})
                self.replicate(self.to(f"http://{NAME}:8123"))
                self.assertEqual({f"http://{NAME}:8123"},
                                 {url.partition("/?")[0] for _, url in proxy.seen})

    def test_https(self):
        certificates = Certificates(self.enterContext(Folder("tls")), NAME)
        tls = self.enterContext(Proxy(self.clickhouse.http_port, certificates))
        proxy = self.proxy(tls.port)
        self.start(HTTPS_PROXY=proxy.url, HTTP_PROXY="http://127.0.0.1:1")
        self.replicate(self.to(f"https://{NAME}:8443", password="",
                               caCertificate=certificates.authority.read_text()))
        self.assertEqual({("CONNECT", f"{NAME}:8443")}, set(proxy.seen))
        self.assertNotIn("x-clickhouse", "".join(proxy.heads).lower())

    def test_a_proxy_that_wants_a_password(self):
        proxy = self.proxy(authorization="Basic " + base64.b64encode(b"me:S3cret").decode())
        url = proxy.url.replace("//", "//me:S3cret@")
        self.start(HTTP_PROXY=url)
        self.replicate(self.to(f"http://{NAME}:8123"))
        self.assertNotIn("S3cret", self.penstock.process.log.read_text())

    def error_of(self, spec):
        report = self.penstock.check(spec)
        return next(finding["message"] for finding in report["findings"]
                    if finding["check"] == "destination_connection")

    def test_no_proxy(self):
        proxy = self.proxy()
        self.start(HTTP_PROXY=proxy.url, NO_PROXY=f"other.test,{NAME}")
        self.assertIn(NAME, self.error_of(self.to(f"http://{NAME}:8123")))
        # This machine is spoken to directly, whatever the variables say.
        self.replicate(self.to(self.clickhouse.url))
        self.assertEqual([], proxy.seen)

    def test_a_proxy_that_is_not_there(self):
        self.start(HTTP_PROXY="http://127.0.0.1:1")
        self.assertIn("127.0.0.1 port 1", self.error_of(self.to(f"http://{NAME}:8123")))

    def test_the_command_line(self):
        self.penstock = self.enterContext(Penstock("--allowed-hosts", "penstock.test"))
        proxy = self.enterContext(ForwardProxy({"penstock.test": self.penstock.port}))

        def run(**environment):
            return subprocess.run([program("penstock"), "list", "--output", "json", "--server",
                                   f"http://penstock.test:{self.penstock.port}"],
                                  env={"PATH": "/usr/bin:/bin", **environment}, text=True,
                                  capture_output=True, timeout=60, check=False)
        done = run(HTTP_PROXY=proxy.url)
        self.assertEqual((0, "[]\n"), (done.returncode, done.stdout), done.stderr)
        self.assertTrue(proxy.seen)
        for environment in ({}, {"HTTP_PROXY": proxy.url, "NO_PROXY": "*"}):
            done = run(**environment)
            self.assertEqual(1, done.returncode)
            self.assertIn("cannot reach a penstock server", done.stderr)
