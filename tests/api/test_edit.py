"""PATCH of a pipe: what changes, what does not, and that what runs goes on with it."""

import os
import pathlib
import socket

from client import ApiTest
from harness.penstock import Penstock, mapping, pipe_spec
from harness.process import Folder
from harness.sources import MySQL97
from harness.wait import wait_until


class Edit(ApiTest):
    def setUp(self):
        self.body = pipe_spec(self.source.endpoint(), self.clickhouse.endpoint(),
                              [mapping("shop", "t")], database=self._testMethodName)
        self.database = self._testMethodName
        self.pipe = self.create({**self.body, "name": self.database})
        self.penstock.await_state(self.pipe, "Running")

    def tearDown(self):
        self.delete_pipes()

    def patch(self, change, status=200):
        return self.call("PATCH", self.one(self.pipe), change, status=status)

    def settings(self, change, status=200):
        return self.patch({"source": {"mysql": {"settings": change}}}, status)

    def assert_follows(self):
        """A change at the source arrives."""
        next_id = int(self.source.run("SELECT MAX(id) + 1 FROM shop.t")[0][0])
        self.source.run(f"INSERT INTO shop.t VALUES ({next_id}, 0)")
        wait_until(lambda: self.clickhouse.query(
            f"SELECT count() FROM {self.database}.t FINAL WHERE id = {next_id}") == "1\n",
            "the row at the destination")

    def test_settings_take_effect_and_are_kept(self):
        before = self.call("GET", self.one(self.pipe)).result
        changed = self.settings({"syncIntervalSeconds": 1, "pullBatchSize": 7,
                                 "initialLoadParallelism": 2, "snapshotRowsPerSecond": 50,
                                 "deleteOnMerge": True, "useCompression": True}).result
        settings = changed["source"]["mysql"]["settings"]
        self.assertEqual(1, settings["syncIntervalSeconds"])
        self.assertNotIn("syncIntervalMilliseconds", settings)
        self.assertEqual(7, settings["pullBatchSize"])
        self.assertGreater(changed["updatedAt"], before["updatedAt"])
        self.assert_follows()
        self.penstock.restart()
        self.assertEqual(settings, self.call("GET", self.one(self.pipe))
                         .result["source"]["mysql"]["settings"])
        self.assert_follows()
        event = next(event for event in self.call("GET", self.one(self.pipe, "/events")).result
                     if event["kind"] == "edit")
        self.assertIn("source.mysql.settings.pullBatchSize", event["text"])
        self.settings({"snapshotRowsPerSecond": None})
        self.assertNotIn("snapshotRowsPerSecond", self.call("GET", self.one(self.pipe))
                         .result["source"]["mysql"]["settings"])

    def test_a_load_goes_on_with_the_change(self):
        """One that would take minutes as it was begun."""
        digits = " UNION ALL ".join(f"SELECT {digit} AS n" for digit in range(10))
        self.source.run("DROP TABLE IF EXISTS shop.large",
                        "CREATE TABLE shop.large (id INT PRIMARY KEY)",
                        "INSERT INTO shop.large SELECT a.n + 10 * b.n + 100 * c.n + 1000 * d.n FROM "
                        + ", ".join(f"({digits}) {name}" for name in "abcd"))
        body = pipe_spec(self.source.endpoint(), self.clickhouse.endpoint(),
                         [mapping("shop", "large")], database=self.database + "_2", name="large",
                         snapshotRowsPerSecond=50)
        pipe = self.create(body)
        loaded = f"SELECT count() FROM {self.database}_2.large FINAL"
        self.penstock.await_state(pipe, "Snapshot")
        changed = self.call("PATCH", self.one(pipe), {"source": {"mysql": {"settings": {
            "snapshotRowsPerSecond": None}}}}).result
        self.assertEqual("Snapshot", changed["state"])
        self.penstock.await_state(pipe, "Running", seconds=30)
        self.assertEqual("10000\n", self.clickhouse.query(loaded))

    def test_fractions_of_the_interval(self):
        settings = self.settings({"syncIntervalMilliseconds": 1500}).result["source"]["mysql"]
        self.assertEqual(1500, settings["settings"]["syncIntervalMilliseconds"])
        self.assertNotIn("syncIntervalSeconds", settings["settings"])
        self.assertEqual(2, settings["effectiveSettings"]["syncIntervalSeconds"])

    def test_nothing_new_restarts_nothing(self):
        events = self.call("GET", self.one(self.pipe, "/events")).result
        source = {key: value for key, value in self.body["source"]["mysql"].items()
                  if key != "tableMappings"}
        self.patch({"name": self.database, "source": {"mysql": source}})
        self.patch({})
        self.patch({"name": None, "source": None})
        self.assertEqual(events, self.call("GET", self.one(self.pipe, "/events")).result)

    def test_credentials_are_tried_first(self):
        credentials = self.body["source"]["mysql"]["credentials"]
        answer = self.patch({"source": {"mysql": {"credentials": {
            **credentials, "password": "not-the-password"}}}}, status=400)
        self.assertIn("source.mysql", answer.error)
        self.assertNotIn("not-the-password", answer.text.decode())
        self.assertIn("connect", self.patch({"source": {"mysql": {
            "port": 1, "credentials": credentials}}}, status=400).error)
        self.assertEqual("Running", self.penstock.state(self.pipe))
        user = f"other_{self.database}"[:32]
        self.source.run(f"CREATE USER '{user}'@'%' IDENTIFIED BY 'rotated'",
                        f"GRANT ALL ON *.* TO '{user}'@'%'")
        self.patch({"source": {"mysql": {"credentials": {"username": user,
                                                         "password": "rotated"}}}})
        self.assert_follows()
        wait_until(lambda: self.source.run("SELECT COUNT(*) FROM information_schema.processlist "
                                           f"WHERE user = '{user}'")[0][0] > 0, "its connections")
        # The user name alone keeps the password.
        self.patch({"source": {"mysql": {"credentials": {"username": user},
                                         "settings": {"pullBatchSize": 5}}}})
        self.assert_follows()

    def test_the_destination_is_tried_first(self):
        url = self.body["destination"]["clickhouse"]["url"]
        answer = self.patch({"destination": {"clickhouse": {"url": "http://127.0.0.1:1"}}},
                            status=400)
        self.assertIn("destination.clickhouse", answer.error)
        self.patch({"destination": {"clickhouse": {"password": "wrong"}}}, status=400)
        # The same server by another name.
        self.patch({"destination": {"clickhouse": {"url": url.replace("127.0.0.1", "localhost")}}})
        self.assert_follows()

    def test_a_stored_password_is_sent_nowhere_else(self):
        with socket.create_server(("127.0.0.1", 0)) as thief:
            port = thief.getsockname()[1]
            answer = self.patch({"source": {"mysql": {"host": "127.0.0.1", "port": port}}},
                                status=400)
            self.assertIn("source.mysql.credentials.password", answer.error)
            thief.settimeout(0.5)
            with self.assertRaises(TimeoutError):
                thief.accept()
        self.assertEqual("Running", self.penstock.state(self.pipe))
        # With the password it may lead elsewhere; the command line reads that from its environment.
        port = self.body["source"]["mysql"]["port"]
        code, _, error = self.penstock.cli(
            "set", self.database, "host=localhost", f"port={port}",
            "source.mysql.credentials.passwordEnv=DB_PASSWORD",
            env={"DB_PASSWORD": self.body["source"]["mysql"]["credentials"]["password"]})
        self.assertEqual(0, code, error)
        self.assert_follows()

    def test_what_is_fixed(self):
        for change, field in (
                ({"source": {"mysql": {"settings": {"replicationMode": "snapshot"}}}}, "replicationMode"),
                ({"source": {"mysql": {"settings": {"allowNullableColumns": False}}}},
                 "allowNullableColumns"),
                ({"source": {"mysql": {"settings": {"tinyint1isBool": True}}}}, "tinyint1isBool"),
                ({"destination": {"database": "other"}}, "database"),
                ({"source": {"mysql": {"tableMappings": []}}}, "tableMappings"),
                ({"source": {"mysql": {"tableMappingsToAdd": [{"sourceTable": "x"}]}}},
                 "tableMappingsToAdd[0].sourceSchemaName: missing"),
                ({"source": {"mysql": {"tableMappingsToAdd": {}}}}, "tableMappingsToAdd"),
                ({"source": 5}, "must be objects"), ({"source": {"mysql": []}}, "must be objects"),
                ({"source": {"mysql": {"settings": {"pullBatchSize": 0}}}}, "pullBatchSize"),
                ({"source": {"mysql": {"hots": "x"}}}, "hots"), ({"nmae": "x"}, "nmae"),
                ({"name": ""}, "name"), ([], "body")):
            with self.subTest(field=field):
                self.assertIn(field, self.patch(change, status=400).error)
        self.assertEqual("Running", self.penstock.state(self.pipe))

    def test_names_stay_unique(self):
        other = {**self.body, "name": "other", "destination": {
            **self.body["destination"], "database": self.database + "_2"}}
        self.create(other)
        self.assertIn("other", self.patch({"name": "other"}, status=400).error)
        self.assertEqual("renamed", self.patch({"name": "renamed"}).result["name"])
        self.create({**other, "name": self.database, "destination": {
            **self.body["destination"], "database": self.database + "_3"}})

    def test_while_paused_and_failed(self):
        self.penstock.order(self.pipe, "stop")
        self.penstock.await_state(self.pipe, "Paused")
        self.assertEqual("Paused", self.settings({"pullBatchSize": 9}).result["state"])
        self.source.run(f"CREATE USER 'gone_{len(self.database)}'@'%' IDENTIFIED BY 'x'",
                        f"GRANT ALL ON *.* TO 'gone_{len(self.database)}'@'%'")
        user = f"gone_{len(self.database)}"
        self.patch({"source": {"mysql": {"credentials": {"username": user, "password": "x"}}}})
        self.source.run(f"DROP USER '{user}'@'%'")
        self.penstock.order(self.pipe, "start")
        self.penstock.await_state(self.pipe, "Failed")
        fixed = self.patch({"source": {"mysql": {
            "credentials": self.body["source"]["mysql"]["credentials"]}}}).result
        self.assertEqual("Failed", fixed["state"])
        self.penstock.order(self.pipe, "start")
        self.penstock.await_state(self.pipe, "Running")
        self.assert_follows()

    def test_password_files_are_for_servers_that_have_a_folder(self):
        answer = self.patch({"source": {"mysql": {"credentials": {"passwordFile": "x"}}}},
                            status=400)
        self.assertIn("secrets.dir", answer.error)

    def test_no_scaling_of_its_own(self):
        answer = self.patch({"scaling": {"replicas": 2}}, status=400)
        self.assertIn("scaling: ", answer.error)
        self.patch({"scaling": None})

    def test_null_is_absent(self):
        mysql = {**self.body["source"]["mysql"], "serverId": None, "type": None, "tlsHost": None,
                 "settings": {**self.body["source"]["mysql"]["settings"], "pullBatchSize": None}}
        created = self.call("POST", self.pipes, {
            "name": "nulls", "source": {"mysql": mysql}, "fieldMappings": None, "scaling": None,
            "settings": None, "destination": {**self.body["destination"], "columns": None,
                                              "database": self.database + "_2"}})
        self.assertNotIn(":null", created.text.decode())

    def test_an_unknown_pipe(self):
        self.call("PATCH", self.one("0" * 8), {"name": "x"}, status=404)


class SecretFiles(ApiTest):
    """passwordFile in a request: read from secrets.dir alone."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.penstock.close()
        cls.folder = cls.enterClassContext(Folder("secrets"))
        secrets = pathlib.Path(cls.folder) / "dir"
        (secrets / "below").mkdir(parents=True)
        cls.credentials = cls.source.endpoint()["credentials"]
        (secrets / "below" / "right").write_text(cls.credentials["password"] + "\n")
        (secrets / "wrong").write_text("wrong")
        (secrets / "long").write_text("x" * 5000)
        (pathlib.Path(cls.folder) / "outside").write_text(cls.credentials["password"])
        os.symlink("../outside", secrets / "link")
        cls.penstock = cls.enterClassContext(Penstock("--secrets-dir", str(secrets)))
        cls.read_ids()

    def body(self, name, **more):
        body = pipe_spec(self.source.endpoint(), self.clickhouse.endpoint(), [mapping("shop", "t")],
                         database="secrets", name="secrets")
        body["source"]["mysql"]["credentials"] = {
            "username": self.credentials["username"], "passwordFile": name, **more}
        return body

    def test_files(self):
        for name in ("nothing", "../outside", "link", "/etc/hostname", "below", "long", "", 7,
                     "below/../../outside"):
            with self.subTest(name=name):
                answer = self.call("POST", self.pipes, self.body(name), status=400)
                self.assertIn("source.mysql.credentials.passwordFile", answer.error)
        self.call("POST", self.pipes, self.body("below/right", password="x"), status=400)
        self.call("POST", self.pipes, self.body("wrong"), status=400)
        pipe = self.create(self.body("below/right"))
        self.penstock.await_state(pipe, "Running")
        wrong = {"source": {"mysql": {"credentials": {"passwordFile": "wrong"}}}}
        self.call("PATCH", self.one(pipe), wrong, status=400)
        wrong["source"]["mysql"]["credentials"]["passwordFile"] = "below/right"
        self.call("PATCH", self.one(pipe), wrong)
        self.penstock.restart()
        self.penstock.await_state(pipe, "Running")


class EditMySQL(Edit):
    source_class = MySQL97
