"""A forward proxy for HTTP and HTTPS, on 127.0.0.1, that knows names nobody else does."""

import http.client
import http.server
import socket
import threading
import urllib.parse

from .process import free_port

HOP_BY_HOP = {"transfer-encoding", "content-length", "connection", "keep-alive"}


class Handler(http.server.BaseHTTPRequestHandler):
    """Of one connection; `proxy` is its ForwardProxy."""

    protocol_version = "HTTP/1.1"
    proxy = None

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass

    def port_of(self, host):
        """Where the request goes; None when it was refused."""
        self.proxy.seen.append((self.command, self.path))
        self.proxy.heads.append(str(self.headers))
        wanted = self.proxy.authorization
        port = self.proxy.names.get(host)
        if wanted and self.headers["Proxy-Authorization"] != wanted:
            self.send_error(407)
        elif port is None:
            self.send_error(502)
        else:
            return port
        return None

    def do_CONNECT(self):  # pylint: disable=invalid-name
        port = self.port_of(self.path.rpartition(":")[0])
        if port is None:
            return
        with socket.create_connection(("127.0.0.1", port)) as server:
            self.send_response(200)
            self.end_headers()
            back = threading.Thread(target=pump, args=(server, self.connection), daemon=True)
            back.start()
            pump(self.connection, server)
            back.join()
        self.close_connection = True

    def body(self):
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def do_any(self):
        url = urllib.parse.urlsplit(self.path)
        body = self.body()
        port = self.port_of(url.hostname)
        if port is None:
            return
        headers = {name: value for name, value in self.headers.items() if name.lower() not in
                   HOP_BY_HOP | {"host", "proxy-authorization", "proxy-connection"}}
        server = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        server.request(self.command, f"{url.path}?{url.query}", body, headers)
        reply = server.getresponse()
        text = reply.read()
        self.send_response(reply.status)
        for name, value in reply.getheaders():
            if name.lower() not in HOP_BY_HOP | {"server", "date"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
        server.close()

    do_GET = do_POST = do_PATCH = do_DELETE = do_any


class ForwardProxy:
    """A context manager. `names`: by host name, the port of 127.0.0.1 that it leads to; others are
    refused. `authorization`: what the header Proxy-Authorization must be. `seen`: what was asked for,
    as ("POST", "http://…") or ("CONNECT", "host:port"), with all headers of it in `heads`."""

    def __init__(self, names, authorization=None):
        self.names = names
        self.authorization = authorization
        self.seen = []
        self.heads = []
        self.port = free_port()
        handler = type("HandlerOfThis", (Handler,), {"proxy": self})
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


def pump(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass
