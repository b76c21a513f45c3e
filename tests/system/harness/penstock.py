"""A private penstock server: process, API and command line."""

import http.client
import json
import pathlib
import subprocess
import urllib.error
import urllib.request

from .process import Folder, Process, free_port, program, sanitizer_options
from .wait import wait_until


class ApiError(Exception):
    """An answer other than success: its HTTP status and the API's error text."""

    def __init__(self, status, text):
        super().__init__(f"HTTP {status}: {text}")
        self.status = status
        self.text = text


def http_json(url, method="GET", body=None, headers=None, timeout=60):
    """(status, decoded JSON body or None)."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method, headers={
        "Content-Type": "application/json", **(headers or {})})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as reply:
            text = reply.read()
            return reply.status, json.loads(text) if text else None
    except urllib.error.HTTPError as error:
        text = error.read()
        try:
            return error.code, json.loads(text)
        except ValueError:
            return error.code, {"error": text.decode(errors="replace")}


class Penstock:
    """`penstock serve` on a data directory of its own. A context manager.

    `folder`: where to keep data and log, in place of a temporary folder; stays on leaving.
    """

    def __init__(self, *arguments, folder=None, data_dir=None, env=None):
        self._temporary = Folder("serve")
        self.folder = pathlib.Path(folder or self._temporary.path)
        self.folder.mkdir(exist_ok=True)
        self.data_dir = data_dir or self.folder / "data"
        self.port = free_port()
        self.arguments = arguments
        self.env = env
        self.process = None
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends it in order (which is when a sanitizer looks for leaks); fails if it does not."""
        try:
            if self.process and self.process.running() and self.process.terminate() != 0:
                raise AssertionError(f"penstock ended badly:\n{self.process.tail()}")
        finally:
            self._temporary.__exit__()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def command(self):
        return [program("penstock"), "serve", "--data-dir", self.data_dir, "--listen",
                f"127.0.0.1:{self.port}", *self.arguments]

    def start(self):
        self.process = Process(self.command(), self.folder / "log", env=self.env)
        self.process.await_ready(self.healthy, "penstock")

    def kill(self):
        self.process.kill()

    def restart(self):
        self.kill()
        self.start()

    def peak_mib(self):
        """The most memory that the process has had."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as lines:
            peak = next(line for line in lines if line.startswith("VmHWM:"))
        return int(peak.split()[1]) // 1024

    def healthy(self):
        try:
            return http_json(self.url + "/health", timeout=5)[0] == 200
        except (OSError, http.client.HTTPException):  # it may die while it answers
            return False

    # --- API ---

    def api(self, path, method="GET", body=None):
        """The `result` of a call below /v1; raises ApiError."""
        status, answer = http_json(f"{self.url}/v1{path}", method, body)
        if status >= 300:
            raise ApiError(status, (answer or {}).get("error", ""))
        return (answer or {}).get("result")

    def pipes_path(self):
        organization = self.api("/organizations")[0]["id"]
        service = self.api(f"/organizations/{organization}/services")[0]["id"]
        return f"/organizations/{organization}/services/{service}/clickpipes"

    def create(self, spec):
        """Creates a pipe; its id."""
        return self.api(self.pipes_path(), "POST", spec)["id"]

    def pipes(self):
        return self.api(self.pipes_path())

    def pipe(self, pipe_id):
        return self.api(f"{self.pipes_path()}/{pipe_id}")

    def find(self, name):
        """The id of the pipe of this name."""
        return next(pipe["id"] for pipe in self.pipes() if pipe["name"] == name)

    def status(self, pipe_id):
        """Everything known of the pipe: state, lag, rows, tables (an extension of the API)."""
        return self.api(f"{self.pipes_path()}/{pipe_id}/status")

    def partitions(self, pipe_id, query=""):
        """What its snapshot read, begun last first; `query`: "?table=shop.t&limit=5"."""
        return self.api(f"{self.pipes_path()}/{pipe_id}/partitions{query}")

    def state(self, pipe_id):
        return self.pipe(pipe_id)["state"]

    def check(self, spec):
        """The report of the checks; nothing is made."""
        return self.api(self.pipes_path() + "Check", "POST", spec)

    def order(self, pipe_id, word):
        """A state command: start, stop or resync."""
        return self.api(f"{self.pipes_path()}/{pipe_id}/state", "PATCH", {"command": word})

    def delete(self, pipe_id):
        self.api(f"{self.pipes_path()}/{pipe_id}", "DELETE")

    def await_state(self, pipe_id, *wanted, seconds=60):
        """Waits until the pipe is in one of the states; fails at once when it is Failed and that is
        not wanted."""
        def there():
            pipe = self.pipe(pipe_id)
            if pipe["state"] == "Failed" and "Failed" not in wanted:
                raise AssertionError(f"the pipe is Failed: {json.dumps(pipe)[:2000]}\n"
                                     f"{self.process.tail()}")
            return pipe["state"] if pipe["state"] in wanted else None
        return wait_until(there, lambda: f"state {' or '.join(wanted)}; it is "
                          f"{self.state(pipe_id)}\n{self.process.tail()}", seconds)

    # --- command line ---

    def cli(self, *words, stdin=None, timeout=120, env=None):
        """Runs `penstock WORDS` against this server: (exit code, stdout, stderr). `env`: of the
        command, beside what it needs."""
        done = subprocess.run([str(program("penstock")), *map(str, words)], input=stdin, text=True,
                              capture_output=True, timeout=timeout, check=False,
                              env={"PENSTOCK_SERVER": self.url, "PATH": "/usr/bin:/bin",
                                   **sanitizer_options(), **(env or {})})
        return done.returncode, done.stdout, done.stderr


def mapping(schema, table, target=None, **more):
    return {"sourceSchemaName": schema, "sourceTable": table, "targetTable": target or table, **more}


def pipe_spec(source, clickhouse, mappings, database="replica", name="pipe", **settings):
    """The API's POST body. Batches close quickly and partitions are small, so that a test sees
    many of them."""
    return {
        "name": name,
        "source": {"mysql": {
            **source,
            "settings": {"replicationMode": "cdc", "syncIntervalMilliseconds": 100,
                         "snapshotNumRowsPerPartition": 1000, "snapshotNumberOfParallelTables": 2,
                         **settings},
            "tableMappings": mappings}},
        "destination": {"database": database, "clickhouse": clickhouse},
    }
