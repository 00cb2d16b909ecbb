"""A proxy between S3 clients and a server that does to them what networks and busy stores do.

Requests are answered by the server behind, each over a connection of its own, unless the proxy
decides otherwise. It decides by counting and by a seeded generator, so that a run repeats.
"""

import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

SLOW_DOWN = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>SlowDown</Code>'
    b"<Message>Please reduce your request rate.</Message></Error>"
)


@dataclass
class Faults:
    """What goes wrong; can be changed while the proxy runs.

    Attributes
    ----------
    slow_down : float
        Share of the requests that are answered 503 SlowDown.
    cut_every : int
        Of the others, each n-th answer ends in the middle of its body, or, where it has none,
        before its first byte; 0 for none.
    stall_every : int
        As many stay silent from there on.
    corrupt : set of int
        Bodies of GET in which a bit is turned, by number from 0.
    archive : str
        XML in the answer to each GET of an object: all are in an archive tier; empty for none.
    latency_s : float
        Pause before each answer.
    change : callable or None
        Given method, path, head and body of each answer; another head and body, see `with_body`.
    """

    slow_down: float = 0.0
    cut_every: int = 0
    stall_every: int = 0
    corrupt: set = field(default_factory=set)
    archive: str = ""
    latency_s: float = 0.0
    change: Callable | None = None


class FaultyProxy(ThreadingHTTPServer):
    """A running proxy.

    Attributes
    ----------
    endpoint_url : str
        Where it listens.
    faults : Faults
        What it does.
    happened : Counter
        How often it did what.
    requests : list of (str, str, dict)
        Method, path and headers (in lower case) of each request.
    watch : callable or None
        Called with method and path of each request before it goes on to the server.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, upstream, faults):
        super().__init__(("127.0.0.1", 0), Request)
        self.endpoint_url = f"http://127.0.0.1:{self.server_address[1]}"
        self.upstream = urlsplit(upstream).hostname, urlsplit(upstream).port
        self.faults = faults
        self.happened = Counter()
        self.requests = []
        self.watch = None
        self._chance = random.Random(1)  # noqa: S311
        self._lock = threading.Lock()

    def handle_error(self, request, client_address):
        """Say nothing: clients hang up on what is done to them here."""

    def slows_down(self):
        """Whether the next request is answered 503."""
        with self._lock:
            chosen = self._chance.random() < self.faults.slow_down
            self.happened["slow_down"] += chosen
            return chosen

    def next_fault(self):
        """What happens to the next answer."""
        with self._lock:
            self.happened["answer"] += 1
            for name in ("cut", "stall"):
                every = getattr(self.faults, f"{name}_every")
                if every and self.happened["answer"] % every == 0:
                    self.happened[name] += 1
                    return name
            return None

    def corrupts(self):
        """Whether the next body has a wrong bit."""
        with self._lock:
            chosen = self.happened["get"] in self.faults.corrupt
            self.happened["get"] += 1
            self.happened["corrupt"] += chosen
            return chosen


class Request(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self):
        """Answer one request, or do not."""
        proxy = self.server
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        proxy.requests.append(
            (self.command, self.path, {name.lower(): text for name, text in self.headers.items()})
        )
        if proxy.watch:
            proxy.watch((self.command, self.path))
        time.sleep(proxy.faults.latency_s)
        if proxy.slows_down():
            length = b"Content-Length: %d\r\n\r\n" % len(SLOW_DOWN)
            self.wfile.write(
                b"HTTP/1.1 503 Slow Down\r\nContent-Type: application/xml\r\n" + length
            )
            self.wfile.write(b"" if self.command == "HEAD" else SLOW_DOWN)
            return
        if proxy.faults.archive and self.command == "GET" and "list-type" not in self.path:
            error = f"<Error><Code>InvalidObjectState</Code>{proxy.faults.archive}</Error>".encode()
            self.wfile.write(b"HTTP/1.1 403 Forbidden\r\nContent-Type: application/xml\r\n")
            self.wfile.write(b"Content-Length: %d\r\n\r\n%s" % (len(error), error))
            return
        head, content = self.ask(body)
        if proxy.faults.change:
            head, content = proxy.faults.change(self.command, self.path, head, content)
        fault = proxy.next_fault()
        if fault is None:
            if self.command == "GET" and proxy.corrupts():
                middle = len(content) // 2
                content = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
            self.wfile.write(head + content)
            return
        self.close_connection = True
        if content:
            self.wfile.write(head + content[: len(content) // 2])
        if fault == "stall":
            self.connection.recv(1)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer  # noqa: N815

    def ask(self, body):
        """Head and content of the server's answer; both empty where it is down."""
        lines = [f"{self.command} {self.path} HTTP/1.1", "Connection: close"]
        lines += [
            f"{name}: {text}"
            for name, text in self.headers.items()
            if name.lower() not in ("connection", "expect")
        ]
        with socket.create_connection(self.server.upstream) as upstream:
            upstream.sendall("\r\n".join([*lines, "\r\n"]).encode("latin-1") + body)
            answer = b"".join(iter(lambda: upstream.recv(1 << 16), b""))
        head, _, content = answer.partition(b"\r\n\r\n")
        if not head:
            raise ConnectionError("the server hung up")
        kept = (line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:"))
        return b"\r\n".join([*kept, b"\r\n"]), content

    def log_message(self, format, *arguments):
        """Keep no log."""


def with_body(head, content):
    """A head that tells the length of another body, and that body."""
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length")]
    lines.insert(1, b"Content-Length: %d" % len(content))
    return b"\r\n".join(lines), content


@contextmanager
def faulty(upstream, **faults):
    """Run a proxy before a server until the block ends.

    Parameters
    ----------
    upstream : str
        URL of the server.
    **faults
        See `Faults`.

    Yields
    ------
    FaultyProxy
    """
    with FaultyProxy(upstream, Faults(**faults)) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()
