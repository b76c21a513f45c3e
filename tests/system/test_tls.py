"""Encrypted ways: to the source, and to ClickHouse through a TLS proxy."""

import unittest

from harness import workload
from harness.case import SystemTest, new_seed
from harness.penstock import ApiError
from harness.process import Folder
from harness.proxy import Certificates, Proxy
from harness.sources import MariaDB1011, MySQL97
from harness.wait import wait_until


class Tls:
    """A source with a certificate of our own authority for the name source.test."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = cls.enterClassContext(Folder("tls"))
        cls.certificates = Certificates(cls.folder, "source.test")
        cls.source_options = {"ssl_ca": str(cls.certificates.authority),
                              "ssl_cert": str(cls.certificates.certificate),
                              "ssl_key": str(cls.certificates.key),
                              "require_secure_transport": "ON"}
        cls.start_all()
        cls.authority = cls.certificates.authority.read_text()
        cls.source.run("CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY)",
                       "INSERT INTO shop.t VALUES (1)")

    def replicate(self, **mysql):
        """A pipe with these keys works, by snapshot and by the log."""
        self.clickhouse.query("DROP DATABASE IF EXISTS replica SYNC")
        spec = self.spec(["t"])
        del spec["source"]["mysql"]["disableTls"]
        spec["source"]["mysql"].update(mysql)
        pipe = self.penstock.create(spec)
        self.penstock.await_state(pipe, "Running")
        self.await_caught_up()
        self.assert_equal(spec)
        self.penstock.delete(pipe)

    def assert_refused(self, *words, **mysql):
        with self.assertRaises(ApiError) as refused:
            self.replicate(**mysql)
        for word in words:
            self.assertIn(word.lower(), refused.exception.text.lower())
        self.assertEqual([], self.penstock.pipes())

    def test_authority_and_name(self):
        self.replicate(caCertificate=self.authority, tlsHost="source.test")

    def test_skipped_verification(self):
        self.replicate(skipCertVerification=True)

    def test_unknown_authority(self):
        self.assert_refused("certificate", tlsHost="source.test")

    def test_other_name(self):
        self.assert_refused("certificate", caCertificate=self.authority, tlsHost="other.test")

    def test_name_defaults_to_the_host(self):
        self.assert_refused("certificate", caCertificate=self.authority)

    def test_plaintext_is_refused_by_the_server(self):
        self.assert_refused("source_connection", disableTls=True)


class TlsMariaDB(Tls, SystemTest):
    source_class = MariaDB1011


class TlsMySQL(Tls, SystemTest):
    source_class = MySQL97


class NeverPlaintext(SystemTest):
    """A server without TLS is refused unless the pipe says disableTls."""

    source_class = MariaDB1011
    source_options = {"skip_ssl": "1"}

    def test_no_fallback(self):
        self.start_all()
        self.source.run("CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY)")
        spec = self.spec(["t"])
        spec["source"]["mysql"]["disableTls"] = False
        spec["source"]["mysql"]["skipCertVerification"] = True
        with self.assertRaises(ApiError) as refused:
            self.penstock.create(spec)
        self.assertIn("tls", refused.exception.text.lower())


class Https(SystemTest):
    """ClickHouse behind https."""

    source_class = MariaDB1011

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_all()
        folder = cls.enterClassContext(Folder("https"))
        cls.certificates = Certificates(folder)
        cls.proxy = cls.enterClassContext(Proxy(cls.clickhouse.http_port, cls.certificates))

    def setUp(self):
        self.source.run("DROP DATABASE IF EXISTS shop")
        self.clickhouse.query("DROP DATABASE IF EXISTS replica SYNC")

    def destination(self, **more):
        return {"url": f"https://127.0.0.1:{self.proxy.port}", "user": "default", **more}

    def test_load_through_the_proxy_and_cuts(self):
        seed = new_seed()
        workload.create(self.source)
        workload.Writer(self.source, seed).fill(accounts=5000)
        spec = self.spec(workload.TABLES)
        spec["destination"]["clickhouse"] = self.destination(
            caCertificate=self.certificates.authority.read_text())
        with workload.Workload(self.source, seed) as load:
            pipe = self.penstock.create(spec)
            self.penstock.await_state(pipe, "Running")
            for _ in range(5):
                before = load.transactions
                wait_until(lambda n=before: load.transactions > n + 60, "more transactions")
                self.proxy.cut()
        self.await_caught_up()
        self.assert_equal(spec)
        self.assertGreater(self.proxy.bytes_up, 100000)
        self.penstock.delete(pipe)

    def test_unknown_authority_is_refused(self):
        self.source.run("CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY)")
        spec = self.spec(["t"])
        spec["destination"]["clickhouse"] = self.destination()
        with self.assertRaises(ApiError) as refused:
            self.penstock.create(spec)
        self.assertIn("certificate", refused.exception.text.lower())
        spec["destination"]["clickhouse"] = self.destination(skipCertVerification=True)
        pipe = self.penstock.create(spec)
        self.penstock.await_state(pipe, "Running")
        self.penstock.delete(pipe)


if __name__ == "__main__":
    unittest.main()
