"""Child processes that never outlive the test, ports and folders that no other test has."""

import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import tempfile

from .wait import wait_until

ROOT = pathlib.Path(__file__).resolve().parents[3]

_ports = random.Random()
_claims = []


def cache_folder():
    """PENSTOCK_CACHE, where the set-up put libraries and servers."""
    named = os.environ.get("PENSTOCK_CACHE")
    user = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(named) if named else pathlib.Path(user) / "penstock"


class Unavailable(Exception):
    """A server that is not installed here; the message says how to get it."""


def program(name):
    """Path of a built program: PENSTOCK_BUILD (default build/dev)."""
    return ROOT / os.environ.get("PENSTOCK_BUILD", "build/dev") / name


def sanitizer_options():
    """The part of our environment that tells a sanitizer where to report: nothing but with
    tests/run.py."""
    return {name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")}


def free_port():
    """A port of 127.0.0.1 that no other call, in any process that uses this function, returns while
    this process lives. Below the range from which the kernel takes ports for clients."""
    while True:
        port = _ports.randrange(20000, 32000)
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0penstock-port-{port}")  # an abstract name: gone with this process
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            continue
        _claims.append(claim)
        return port


class Folder:
    """A temporary folder, removed on leaving."""

    def __init__(self, name):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix=f"penstock-{name}-"))

    def __enter__(self):
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)


class Process:
    """A child whose output goes to a file. Dies with the thread that started it, so start it from
    the main thread; it is in a session of its own, so that Ctrl-C reaches only us."""

    def __init__(self, command, log, env=None, cwd=None):
        self.command = [str(word) for word in command]
        self.log = pathlib.Path(log)
        with open(self.log, "ab") as output:
            self._child = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *self.command], stdin=subprocess.DEVNULL,
                stdout=output, stderr=output, cwd=cwd, start_new_session=True,
                env={**os.environ, **(env or {})})

    @property
    def pid(self):
        return self._child.pid

    def running(self):
        return self._child.poll() is None

    def exit_code(self):
        return self._child.poll()

    def kill(self):
        """SIGKILL, and waits until it is gone."""
        self._child.kill()
        self._child.wait()

    def suspend(self):
        """SIGSTOP: it hangs, its sockets stay open."""
        self._child.send_signal(signal.SIGSTOP)

    def resume(self):
        self._child.send_signal(signal.SIGCONT)

    def hang_up(self):
        """SIGHUP, which asks a server to read its configuration again."""
        self._child.send_signal(signal.SIGHUP)

    def terminate(self, seconds=60):
        """SIGTERM; SIGKILL if that takes longer. The exit code."""
        return self._end(signal.SIGTERM, seconds)

    def interrupt(self, seconds=60):
        """Ctrl-C, otherwise like terminate."""
        return self._end(signal.SIGINT, seconds)

    def _end(self, word, seconds):
        self._child.send_signal(word)
        try:
            return self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.command[0]} did not end within {seconds} s of {word.name}"
                                 ) from None

    def stop(self):
        if self.running():
            self.kill()

    def tail(self, lines=30):
        text = self.log.read_text(errors="replace").splitlines()
        return "\n".join(text[-lines:])

    def await_ready(self, probe, what, seconds=60):
        """Waits for probe() while the process lives; the end of its log is in the error."""
        def ready():
            if not self.running():
                raise AssertionError(f"{what} ended with {self.exit_code()}:\n{self.tail()}")
            return probe()
        wait_until(ready, lambda: f"{what} ready:\n{self.tail()}", seconds)
