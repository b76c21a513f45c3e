"""Secrets are nowhere to be seen: not in logs, errors, answers, lists of processes or the catalog."""

import json
import pathlib

from harness.case import SystemTest
from harness.clickhouse import ClickHouse
from harness.metrics import Metrics
from harness.penstock import Penstock, http_json
from harness.process import Folder
from harness.proxy import Certificates
from harness.sources import MariaDB1011, MySQL97

USERS = """<clickhouse><profiles><default/></profiles><quotas><default/></quotas><users>
<default><password/><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>
</default>
<locked><password>S3cret-clickhouse</password><networks><ip>::/0</ip></networks>
<profile>default</profile><quota>default</quota></locked></users></clickhouse>"""


class Secrets:
    """Every password here begins with S3cret: `wrong` are those that no server takes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = cls.enterClassContext(Folder("tls"))
        cls.certificates = Certificates(folder, "source.test")
        cls.source_options = {"ssl_cert": str(cls.certificates.certificate),
                              "ssl_key": str(cls.certificates.key)}
        cls.start_source()
        cls.clickhouse = cls.use("clickhouse", lambda: ClickHouse(users=USERS))
        cls.penstock = cls.enterClassContext(Penstock(
            "--log-level", "debug", "--log-format", "json", "--clickhouse-url", cls.clickhouse.url,
            "--clickhouse-user", "locked",
            env={"PENSTOCK_CLICKHOUSE_PASSWORD": "S3cret-clickhouse"}))
        cls.source.run("CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY)",
                       "CREATE USER locked IDENTIFIED BY 'S3cret-source'",
                       "GRANT SELECT, RELOAD, REPLICATION SLAVE, REPLICATION CLIENT"
                       f"{cls.source.extra_privileges} ON *.* TO locked")
        cls.seen = []

    def good_spec(self, name, database="replica", own=True):
        spec = self.spec(["t"], name=name)
        spec["source"]["mysql"]["credentials"] = {"username": "locked", "password": "S3cret-source"}
        spec["destination"]["database"] = database
        spec["destination"]["clickhouse"] = {"url": self.clickhouse.url, "user": "locked",
                                             "password": "S3cret-clickhouse"}
        if not own:
            del spec["destination"]["clickhouse"]
        spec["name"] = name
        return spec

    def see(self, *what):
        self.seen.extend(map(str, what))

    def send(self, spec):
        """To check and create, over the API and by the command line; all answers are looked at."""
        base = f"{self.penstock.url}/v1{self.penstock.pipes_path()}"
        for url in (base + "Check", base):
            status, answer = http_json(url, "POST", spec)
            self.see(json.dumps(answer))
        file = self.penstock.folder / "pipe.json"
        file.write_text(json.dumps(spec))
        for word in ("check", "create"):
            self.see(*self.penstock.cli(word, "-f", file))
        file.unlink()
        return status

    def wrong_specs(self):
        def changed(part, **more):
            spec = self.good_spec("wrong")
            place = spec["source"]["mysql"] if part == "source" else \
                spec["destination"]["clickhouse"]
            place.update(more)
            return spec
        yield changed("source", credentials={"username": "locked", "password": "S3cret-wrong"})
        yield changed("source", credentials={"username": "locked", "password": ["S3cret"]})
        yield changed("source", credentials="S3cret")
        yield changed("source", host="127.0.0.1", disableTls=False, tlsHost="other.test",
                      caCertificate=self.certificates.authority.read_text())
        yield changed("source", port=1)
        yield changed("clickhouse", password="S3cret-wrong")
        yield changed("clickhouse", url=self.clickhouse.url.replace("http", "https"))
        yield changed("clickhouse", url=self.clickhouse.url.replace("//", "//locked:S3cret-url@"))
        yield changed("clickhouse", url=self.clickhouse.url + "/?password=S3cret-url")
        yield changed("clickhouse", url="S3cret-url")

    def answers_of(self, pipe):
        for path in ("", "/status", "/events", "/batches", "/partitions"):
            self.see(json.dumps(self.penstock.api(f"{self.penstock.pipes_path()}/{pipe}{path}")))
        for words in (("list",), ("show", pipe), ("tables", pipe, "--ddl"), ("events", pipe),
                      ("status", pipe)):
            self.see(*self.penstock.cli(*words), *self.penstock.cli(*words, "--output", "json"))
        self.see(json.dumps(self.penstock.pipes()), Metrics(self.penstock.url).text)

    def processes(self):
        """The words of every process."""
        for line in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            try:
                yield line.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:  # gone
                continue

    def test_they_are_nowhere(self):
        for spec in self.wrong_specs():
            self.assertEqual(400, self.send(spec), spec)
        pipes = [self.penstock.create(self.good_spec("one", "replica")),
                 self.penstock.create(self.good_spec("two", "other", own=False))]
        for pipe in pipes:
            self.penstock.await_state(pipe, "Running")
        self.source.run("INSERT INTO shop.t VALUES (1)")
        self.await_caught_up()
        # What worked does so no more: the pipes try again, or fail, and say why.
        self.source.run("ALTER USER locked IDENTIFIED BY 'S3cret-new'")
        self.source.restart()
        for pipe in pipes:
            self.penstock.await_state(pipe, "Failed")
            self.answers_of(pipe)
        self.look()

    def look(self):
        log = self.penstock.process.log.read_text()
        self.assertIn('"pipe":"one"', log)
        self.assertIn("Access denied", log)
        key = (self.penstock.data_dir / "secret.key").read_bytes()
        for where, text in (("the log", log), ("an answer", "\n".join(self.seen)),
                            ("a process", "\n".join(self.processes()))):
            at = text.find("S3cret")
            self.assertEqual(-1, at, f"{where} tells a secret: {text[max(at - 300, 0):at + 100]}")
            self.assertNotIn(key.hex(), text)
        for file in pathlib.Path(self.penstock.data_dir).rglob("*"):
            if file.is_file():
                self.assertNotIn(b"S3cret", file.read_bytes(), file)


class SecretsMariaDB(Secrets, SystemTest):
    source_class = MariaDB1011


class SecretsMySQL(Secrets, SystemTest):
    source_class = MySQL97
