"""Private instances of the real source servers: MySQL and two versions of MariaDB."""

import contextlib
import datetime
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import zoneinfo

import pymysql

from .process import Folder, Process, Unavailable, cache_folder, free_port

USER = {"username": "penstock", "password": "pass word'\"\\"}


def as_root_user():
    """The servers refuse to run as root unless told so."""
    return ["--user=root"] if os.geteuid() == 0 else []


class Source:
    """A MySQL or MariaDB server with a data directory of its own, made from a prepared one.

    `options` overrides mysqld's options by name (None takes one away): binlog_format="STATEMENT".
    Started on construction; a context manager that stops it and removes the folder.
    """

    name = ""
    family = ""  # "mysql" or "mariadb"
    defaults = {
        "log_bin": "bin", "server_id": "1", "binlog_row_metadata": "FULL",
        "max_allowed_packet": "1G", "bind_address": "127.0.0.1", "max_connections": "400",
        # A killed process loses nothing that the kernel has.
        "innodb_flush_log_at_trx_commit": "2", "sync_binlog": "0", "innodb_buffer_pool_size": "256M",
    }

    def __init__(self, folder=None, env=None, **options):
        """`folder`: where to keep the server, in place of a temporary folder; a data directory that
        is there already is used as it is, and everything stays on leaving. `env`: of its process,
        beside ours."""
        self._check_installed()
        self._temporary = Folder(self.name)
        self.folder = pathlib.Path(folder or self._temporary.path)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.data = self.folder / "data"
        self.socket = str(self._temporary.path / "s")
        self.port = free_port()
        self.env = env
        self.options = {**Source.defaults, **self.defaults, **options}
        self.process = None
        try:
            is_new = not self.data.exists()
            if is_new:
                subprocess.run(["cp", "-a", "--sparse=always", "--reflink=auto", self._template(),
                                self.data], check=True)
            self.start()
            if is_new:
                self._make_user()
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
        self._temporary.__exit__()

    # What differs between the servers.

    @classmethod
    def _check_installed(cls):
        raise NotImplementedError

    @classmethod
    def server_command(cls):
        """Words that start the server, before its options."""
        raise NotImplementedError

    @classmethod
    def version_key(cls):
        """Changes whenever a prepared data directory must be made anew."""
        raise NotImplementedError

    @classmethod
    def initialize(cls, data, log):
        raise NotImplementedError

    # What they share.

    @classmethod
    def _template(cls):
        """A data directory as the server makes it, kept in the cache."""
        key = hashlib.sha256(cls.version_key().encode()).hexdigest()[:16]
        folder = cache_folder() / "templates"
        folder.mkdir(parents=True, exist_ok=True)
        ready = folder / f"{cls.name}-{key}"
        with open(folder / f"{cls.name}.lock", "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not ready.exists():
                for old in folder.glob(f"{cls.name}-*"):
                    shutil.rmtree(old)
                unfinished = folder / f"new-{cls.name}"
                shutil.rmtree(unfinished, ignore_errors=True)
                cls.initialize(unfinished, folder / f"{cls.name}.log")
                unfinished.rename(ready)
        return ready

    def start(self):
        words = [f"--{name.replace('_', '-')}={value}" for name, value in self.options.items()
                 if value is not None]
        self.process = Process(
            [*self.server_command(), f"--datadir={self.data}", f"--socket={self.socket}",
             f"--pid-file={self.folder}/pid", f"--tmpdir={self._temporary.path}",
             f"--port={self.port}", *as_root_user(), *words], self.folder / "log",
            env=self.env)
        self.process.await_ready(self._answers, self.name)

    def _answers(self):
        try:
            self.connect().close()
            return True
        except pymysql.err.Error:
            return False

    def restart(self, kill=True):
        if kill:
            self.process.kill()
        else:
            self.process.terminate()
        self.start()

    def connect(self, **arguments):
        """A connection of root through the socket: autocommit, UTC, text as utf8mb4."""
        settings = {"unix_socket": self.socket, "user": "root", "autocommit": True,
                    "charset": "utf8mb4", "init_command": "SET time_zone='+00:00'",
                    "connect_timeout": 5, **arguments}
        return pymysql.connect(**settings)

    def run(self, *statements, database=None):
        """Runs statements on one connection; the rows of the last one."""
        with contextlib.closing(self.connect(database=database)) as connection:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return cursor.fetchall()

    def _make_user(self):
        password = pymysql.converters.escape_string(USER["password"])
        self.run("SET sql_log_bin=0", f"CREATE USER '{USER['username']}'@'%' IDENTIFIED BY "
                 f"'{password}'", "GRANT SELECT, RELOAD, REPLICATION SLAVE, REPLICATION CLIENT"
                 f"{self.extra_privileges} ON *.* TO '{USER['username']}'@'%'")

    def log_position(self):
        """(file, offset) of the log's end."""
        return self.run(f"SHOW {self.log_status}")[0][:2]

    log_status = ""
    stop_replica = ""  # statements
    start_replica = ""
    stop_applying = ""

    def replicate_from(self, primary):
        """By GTID, from where it is."""
        raise NotImplementedError

    def replicate_anew_from(self, primary):
        """With a copy of its data."""
        self.process.terminate()
        primary.process.terminate()
        shutil.rmtree(self.data)
        subprocess.run(["cp", "-a", "--sparse=always", primary.data, self.data], check=True)
        primary.start()
        self.start()
        self.run(*self.adopt_copy.format(primary.gtid_position()).split(";"))
        self.replicate_from(primary)

    adopt_copy = "DO 1"  # statements; {}: what the copied server had executed

    def promote(self):
        """A server of its own from now on."""
        self.run(self.stop_replica, *self.forget_primary)

    forget_primary = ()

    def load_zone(self, name):
        """Makes a time zone known by name, as mysql_tzinfo_to_sql does. Of one whose clock changes
        at whole hours of UTC."""
        zone, periods = zoneinfo.ZoneInfo(name), []  # of (begin, (seconds east, is summer time))
        for begin in range(0, 2**31, 3600):
            local = datetime.datetime.fromtimestamp(begin, zone)
            kind = (int(local.utcoffset().total_seconds()), int(bool(local.dst())))
            if not periods or periods[-1][1] != kind:
                periods.append((begin, kind))
        kinds = sorted({kind for _, kind in periods})
        self.run("SET sql_log_bin=0", "USE mysql", "INSERT INTO time_zone VALUES (1, 'N')",
                 f"INSERT INTO time_zone_name VALUES ('{name}', 1)",
                 "INSERT INTO time_zone_transition_type VALUES " + ",".join(
                     f"(1, {number}, {east}, {summer}, '')"
                     for number, (east, summer) in enumerate(kinds)),
                 "INSERT INTO time_zone_transition VALUES " + ",".join(
                     f"(1, {begin}, {kinds.index(kind)})" for begin, kind in periods))

    extra_privileges = ""

    def endpoint(self, **overrides):
        """The source part of a pipe's specification, without settings and mappings."""
        return {"type": self.family, "host": "127.0.0.1", "port": self.port,
                "credentials": dict(USER), "disableTls": True, **overrides}


    gtid_variable = ""

    def gtid_position(self):
        """The GTIDs of all that is in the log."""
        return self.run(f"SELECT @@global.{self.gtid_variable}")[0][0].replace("\n", "")


class _MariaDB(Source):
    family = "mariadb"
    defaults = {"binlog_format": "ROW", "default_storage_engine": "InnoDB",
                "character_set_server": "utf8mb4"}
    extra_privileges = ", BINLOG MONITOR, SLAVE MONITOR"
    gtid_variable = "gtid_binlog_pos"
    log_status = "MASTER STATUS"
    stop_replica, start_replica = "STOP SLAVE", "START SLAVE"
    stop_applying = "STOP SLAVE SQL_THREAD"
    forget_primary = ("RESET SLAVE ALL",)
    # A server takes what its log ends with for its own place only under its own id.
    adopt_copy = "RESET MASTER; SET GLOBAL gtid_slave_pos = '{}'"

    def replicate_from(self, primary):
        password = pymysql.converters.escape_string(USER["password"])
        self.run(f"CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = {primary.port}, "
                 f"MASTER_USER = 'penstock', MASTER_PASSWORD = '{password}', "
                 "MASTER_CONNECT_RETRY = 1, MASTER_USE_GTID = current_pos", "START SLAVE")

    @classmethod
    def initialize(cls, data, log):
        """What mariadb-install-db does, without its help tables."""
        (data / "mysql").mkdir(parents=True)
        share = cls.share_folder()
        script = ["CREATE DATABASE IF NOT EXISTS mysql;", "USE mysql;", "SET @auth_root_socket=NULL;"]
        for part in ("system_tables", "performance_tables", "system_tables_data", "sys_schema"):
            files = list(share.glob(f"m*_{part}.sql"))
            script.append(files[0].read_text(encoding="utf-8"))
        with open(log, "wb") as output:
            subprocess.run([*cls.server_command(), f"--datadir={data}", "--bootstrap",
                            *as_root_user(), "--log-warnings=0", "--enforce-storage-engine=",
                            "--max-allowed-packet=8M"],
                           input="\n".join(script).encode(), stdout=output, stderr=output,
                           check=True)

    @classmethod
    def share_folder(cls):
        raise NotImplementedError


class MariaDB1011(_MariaDB):
    """Debian 12's own."""

    name = "mariadb-10.11"

    @classmethod
    def _check_installed(cls):
        if not pathlib.Path("/usr/sbin/mariadbd").exists():
            raise Unavailable("mariadbd is not installed: tools/setup.sh test")

    @classmethod
    def server_command(cls):
        return ["/usr/sbin/mariadbd", "--no-defaults"]

    @classmethod
    def version_key(cls):
        return subprocess.run(["dpkg-query", "-W", "mariadb-server-core"], check=True,
                              capture_output=True, text=True).stdout

    @classmethod
    def share_folder(cls):
        return pathlib.Path("/usr/share/mysql")


class _InFolder(Source):
    """A server in a folder of another Debian: run through that folder's own dynamic loader."""

    folder_name = ""
    binary = ""

    @classmethod
    def root(cls):
        return cache_folder() / cls.folder_name

    @classmethod
    def _check_installed(cls):
        if not (cls.root() / ".complete").exists():
            raise Unavailable(f"{cls.name} is not there: tools/setup.sh {cls.folder_name}")

    @classmethod
    def program(cls, path):
        """Words that run a program of the folder."""
        root = cls.root()
        loader = next(root.glob("usr/lib*/ld-linux-*.so.*"), None) or next(
            root.glob("lib*/ld-linux-*.so.*"))
        libraries = next(root.glob("usr/lib/*-linux-gnu"))
        return [str(loader), "--library-path", str(libraries), str(root / path)]

    @classmethod
    def server_command(cls):
        return [*cls.program(cls.binary), "--no-defaults", f"--basedir={cls.root()}/usr",
                f"--lc-messages-dir={cls.share_folder()}",
                f"--character-sets-dir={cls.share_folder()}/charsets"]

    @classmethod
    def version_key(cls):
        return (cache_folder() / f"{cls.folder_name}.packages").read_text(encoding="ascii")


class MariaDB118(_InFolder, _MariaDB):
    name = "mariadb-11.8"
    folder_name = "mariadb118"
    binary = "usr/sbin/mariadbd"

    @classmethod
    def share_folder(cls):
        return cls.root() / "usr/share/mariadb"


class MySQL97(_InFolder):
    name = "mysql-9.7"
    family = "mysql"
    folder_name = "mysql"
    binary = "usr/sbin/mysqld"
    defaults = {"gtid_mode": "ON", "enforce_gtid_consistency": "ON", "mysqlx": "OFF",
                "secure_file_priv": "", "performance_schema": "ON",
                "innodb_redo_log_capacity": "64M"}
    gtid_variable = "gtid_executed"
    log_status = "BINARY LOG STATUS"
    stop_replica, start_replica = "STOP REPLICA", "START REPLICA"
    stop_applying = "STOP REPLICA SQL_THREAD"
    forget_primary = ("RESET REPLICA ALL",)

    def replicate_from(self, primary):
        if self.run("SELECT @@server_uuid") == primary.run("SELECT @@server_uuid"):
            (self.data / "auto.cnf").unlink()  # servers made from one folder have one UUID
            self.restart()
        password = pymysql.converters.escape_string(USER["password"])
        self.run("CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', "
                 f"SOURCE_PORT = {primary.port}, SOURCE_USER = 'penstock', "
                 f"SOURCE_PASSWORD = '{password}', SOURCE_AUTO_POSITION = 1, "
                 "SOURCE_CONNECT_RETRY = 1, GET_SOURCE_PUBLIC_KEY = 1", "START REPLICA")

    @classmethod
    def share_folder(cls):
        return next(cls.root().glob("usr/share/mysql*/english")).parent

    @classmethod
    def initialize(cls, data, log):
        with open(log, "wb") as output:
            subprocess.run([*cls.server_command(), "--initialize-insecure", *as_root_user(),
                            f"--datadir={data}", "--innodb-redo-log-capacity=8M"],
                           stdout=output, stderr=output, check=True)


class MySQL56(Source):
    """The oldest form of the log there is: row events of version 1 or 2, no metadata of columns, no
    JSON. As the npm registry has it, with a data directory beside it."""

    name = "mysql-5.6"
    family = "mysql"
    defaults = {"binlog_row_metadata": None, "binlog_format": "ROW",
                "character_set_server": "utf8mb4", "explicit_defaults_for_timestamp": "ON"}

    @classmethod
    def root(cls):
        return cache_folder() / "mysql56"

    @classmethod
    def _check_installed(cls):
        if not (cls.root() / "version").exists():
            raise Unavailable("mysql-5.6 is not there: tools/setup.sh mysql56")

    @classmethod
    def server_command(cls):
        root = cls.root()
        return ["/usr/bin/env", f"LD_LIBRARY_PATH={root}", str(root / "mysqld"), "--no-defaults",
                f"--basedir={root}"]

    @classmethod
    def version_key(cls):
        return (cls.root() / "version").read_text(encoding="ascii")

    @classmethod
    def initialize(cls, data, log):
        shutil.copytree(cls.root() / "data" / "mysql", data,
                        ignore=shutil.ignore_patterns("auto.cnf"))  # each its own UUID

    def _make_user(self):
        """Without the nameless users, which would come before ours."""
        self.run("SET sql_log_bin=0", "DELETE FROM mysql.user WHERE user = ''", "FLUSH PRIVILEGES")
        super()._make_user()


SOURCES = {"mysql": MySQL97, "mariadb": MariaDB1011, "mariadb118": MariaDB118}
