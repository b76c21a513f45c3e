"""A TCP proxy on 127.0.0.1, with TLS in front when given a certificate, that can be cut."""

import contextlib
import select
import socket
import ssl
import subprocess
import threading

from .process import free_port
from .wait import pause


class Certificates:
    """A certificate authority of our own, and a server certificate for `name`, made by openssl."""

    def __init__(self, folder, name="127.0.0.1"):
        self.authority = folder / "ca.pem"
        self.certificate = folder / "server.pem"
        self.key = folder / "server.key"
        kind = "IP" if name.replace(".", "").isdigit() else "DNS"
        extensions = folder / "extensions"
        extensions.write_text(f"subjectAltName={kind}:{name}\n")
        new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        self._run("req", "-x509", *new_key, "-days", "30", "-subj", "/CN=penstock test CA",
                  "-keyout", folder / "ca.key", "-out", self.authority)
        self._run("req", *new_key, "-subj", f"/CN={name}", "-keyout", self.key, "-out",
                  folder / "server.csr")
        self._run("x509", "-req", "-in", folder / "server.csr", "-CA", self.authority, "-CAkey",
                  folder / "ca.key", "-CAcreateserial", "-days", "30", "-extfile", extensions,
                  "-out", self.certificate)

    @staticmethod
    def _run(*words):
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


class Proxy:
    """Passes connections on to 127.0.0.1:`port`. A context manager.

    While `refusing` is set, new connections are closed at once, while `answer` is, they get it and are
    closed; cut() breaks those that are open. While `frozen` is set, nothing passes in either direction
    and every connection stays open, as where packets are dropped.
    `accepted` counts connections, `bytes_up` what clients have sent, `bytes_down` what they were sent.
    `down_per_second` limits the bytes that each connection passes to its client. While `cut_after` is
    set, it is asked at each new connection how many bytes of answers to pass before it is cut (None:
    all), and `cut_up_after` likewise of what the client sends; `cuts` counts those that were. While
    `lose_answer_of` is set, a connection whose client says it is cut when the answer comes, which is
    lost: `lost` counts them. A connection whose client says `hold_answer_of` gets nothing more
    (`holding` is set) until release(), which may also cut it. A client that says `hold_request_of` is not
    passed on before it has gone, and then by release(); `held` counts such ones, `late_answers` are what
    the server said to them. `replace`: what clients say is passed on with the second bytes of it in
    place of the first ones, which are as many.
    """

    def __init__(self, port, certificates=None):
        self.target = port
        self.port = free_port()
        self.refusing = False
        self.answer = None
        self.frozen = False
        self.cut_after = None
        self.cut_up_after = None
        self.lose_answer_of = None
        self.lost = 0
        self.cuts = 0
        self.accepted = 0
        self.bytes_up = 0
        self.down_per_second = None
        self.bytes_down = 0
        self.replace = None
        self.hold_answer_of = None
        self.holding = False
        self.hold_request_of = None
        self.held = 0
        self.late_answers = []
        self._released = threading.Event()
        self._cut_held = False
        self._tls = None
        if certificates:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(certificates.certificate, certificates.key)
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._open = set()
        self._closing = False
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._closing = True
        self.release()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def release(self, cut=False):
        self._cut_held = cut
        self._released.set()

    def cut(self):
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self):
        while not self._closing:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            if self.refusing:
                client.close()
            else:
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with contextlib.ExitStack() as stack:
            stack.enter_context(contextlib.suppress(OSError))
            stack.enter_context(client)
            if self._tls:
                client.settimeout(10)
                client = stack.enter_context(self._tls.wrap_socket(client, server_side=True))
                client.settimeout(None)
            if self.answer:
                client.recv(65536)
                client.sendall(self.answer)
                return
            server = stack.enter_context(socket.create_connection(("127.0.0.1", self.target)))
            both = {client, server}
            self._open |= both
            try:
                self._pump(client, server)
            finally:
                self._open -= both

    def _deliver_late(self, client, server, said):
        self.held += 1
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                said += data
        self._released.wait()
        server.sendall(said)
        self.late_answers.append(server.recv(65536))

    def _pump(self, client, server):
        left = {server: self.cut_after() if self.cut_after else None,
                client: self.cut_up_after() if self.cut_up_after else None}
        losing = False
        while True:
            pending = isinstance(client, ssl.SSLSocket) and client.pending()
            ready = [client] if pending else select.select([client, server], [], [], 1)[0]
            while self.frozen:
                pause(0.05)
            for source in ready:
                data = source.recv(65536)
                if not data:
                    return
                if source is client:
                    self.bytes_up += len(data)
                    data = data.replace(*self.replace) if self.replace else data
                    if self.hold_request_of and self.hold_request_of in data:
                        self._deliver_late(client, server, data)
                        return
                    losing = bool(self.lose_answer_of) and self.lose_answer_of in data or losing
                elif losing:
                    self.lost += 1
                    return
                else:
                    self.bytes_down += len(data)
                    if self.down_per_second:
                        pause(len(data) / self.down_per_second)
                if left[source] is not None:
                    data = data[:left[source]]
                    left[source] -= len(data)
                (server if source is client else client).sendall(data)
                if left[source] == 0:
                    self.cuts += 1
                    return
                if source is client and self.hold_answer_of and self.hold_answer_of in data:
                    self.holding = True
                    self._released.wait()
                    if self._cut_held:
                        return
