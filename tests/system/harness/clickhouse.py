"""A private ClickHouse, and statements over plain HTTP."""

import urllib.error
import urllib.parse
import urllib.request

from .process import Folder, Process, Unavailable, cache_folder, free_port, program


class ClickHouse:
    """A private ClickHouse from libchdb, through penstock-clickhouse. A context manager.

    `command`: the words that start it, in place of penstock-clickhouse. `users`: the text of a
    users.xml, for users other than a default one that may do everything. `env`: of its process,
    beside ours.
    """

    def __init__(self, command=None, users=None, env=None):
        if not (cache_folder() / "libchdb" / "libchdb.so").exists():
            raise Unavailable("libchdb is not there: tools/setup.sh libchdb")
        self.command = command or [program("penstock-clickhouse")]
        self._folder = Folder("clickhouse")
        self.folder = self._folder.path
        self.http_port = free_port()
        self.tcp_port = free_port()
        self.env = env
        self.process = None
        if users:  # the engine reads a config.xml of the folder it is started in
            (self.folder / "users.xml").write_text(users)
            (self.folder / "config.xml").write_text(
                "<clickhouse><users_config>users.xml</users_config></clickhouse>")
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
        if self.process:
            self.process.stop()
        self._folder.__exit__()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.http_port}"

    def start(self):
        self.process = Process([*self.command, "--data-dir", self.folder / "data", "--http-port",
                                self.http_port, "--tcp-port", self.tcp_port], self.folder / "log",
                               cwd=self.folder, env=self.env)
        self.process.await_ready(self._answers, "ClickHouse")

    def _answers(self):
        try:
            with urllib.request.urlopen(self.url + "/ping", timeout=2) as reply:
                return reply.status == 200
        except OSError:
            return False

    def restart(self):
        self.process.kill()
        self.start()

    def query(self, sql, **settings):
        """The answer's text, TabSeparated unless the SQL names a format."""
        return clickhouse_query(self.url, sql, **settings).decode()

    def endpoint(self, user="default"):
        """The destination.clickhouse part of a pipe's specification."""
        return {"url": self.url, "user": user}


def clickhouse_query(url, sql, data=b"", timeout=120, **settings):
    """One statement over HTTP; the body of the answer. Raises RuntimeError with its error text."""
    arguments = urllib.parse.urlencode({"query": sql, **settings}) if data else \
        urllib.parse.urlencode(settings)
    request = urllib.request.Request(f"{url}/?{arguments}", data=data or sql.encode())
    try:
        with urllib.request.urlopen(request, timeout=timeout) as reply:
            return reply.read()
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"{error.read().decode(errors='replace').strip()}\nin: {sql}") from None
