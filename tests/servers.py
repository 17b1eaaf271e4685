"""Web servers on 127.0.0.1 for tests: a polite one, and one for every kind of misbehaviour.

    with Site() as site:
        url = site.page("/feed.xml", FEED, etag='"1"')     # answers 304 to If-None-Match: "1"
        site.redirect("/old", "/feed.xml", status=301)
        site.script("/drip", slow_drip)                    # a function that does what it likes
        ...
        assert [seen.path for seen in site.seen] == ["/feed.xml"]

A `Site` is one listening socket with a thread per connection, so that synchronous and
asynchronous tests, and other processes, can use it alike. Everything it was asked is in `seen`.
Closing it ends every answer under way: no test waits for a server that never finishes.
"""

from __future__ import annotations

import contextlib
import gzip
import socket
import ssl
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType

REASONS = {200: "OK", 301: "Moved Permanently", 302: "Found", 304: "Not Modified", 404: "Not Found"}


@dataclass(frozen=True)
class Seen:
    """One request as it arrived. Header names are lower case, values as sent (latin-1)."""

    path: str  # with the query
    headers: Mapping[str, str]
    at: float  # by the site's clock
    connection: int  # number of the connection it came over

    @property
    def is_conditional(self) -> bool:
        return "if-none-match" in self.headers or "if-modified-since" in self.headers


@dataclass
class Visit:
    """One request to be answered: what was asked, and the bare connection to answer on."""

    seen: Seen
    connection: socket.socket
    closing: threading.Event

    def send(self, *chunks: bytes) -> None:
        for chunk in chunks:
            self.connection.sendall(chunk)

    def pause(self, seconds: float) -> bool:
        """Wait; True while the site is open, so `while visit.pause(1): ...` ends with the test."""
        return not self.closing.wait(seconds)

    def reset(self) -> None:
        """Close with RST instead of FIN: "connection reset by peer"."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


Script = Callable[[Visit], object]  # returns True to keep the connection for another request


@dataclass
class Page:
    """A well-behaved answer. Change its fields between requests to publish something new."""

    body: bytes = b""
    status: int = 200
    content_type: str = "text/html; charset=utf-8"
    etag: str = ""
    last_modified: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    gzip: bool = False

    def __call__(self, visit: Visit) -> bool:
        asked = visit.seen.headers
        fresh = (self.etag and asked.get("if-none-match") == self.etag) or (
            not self.etag and self.last_modified and asked.get("if-modified-since") == self.last_modified
        )
        status = 304 if self.status == 200 and fresh else self.status
        body = b"" if status == 304 else self.body
        lines = dict(self.headers)
        if self.etag:
            lines["ETag"] = self.etag
        if self.last_modified:
            lines["Last-Modified"] = self.last_modified
        if status != 304:
            lines.setdefault("Content-Type", self.content_type)
            if self.gzip and "gzip" in asked.get("accept-encoding", ""):
                body = gzip.compress(body)
                lines["Content-Encoding"] = "gzip"
            lines["Content-Length"] = str(len(body))
        visit.send(head(status, lines) + body)
        return True


class Site:
    """A web server on a loopback address and a free port.

    Args:
        host: another address of 127.0.0.0/8 makes another host.
        tls: a server-side context makes it an https site.
        clock: what `Seen.at` is read from.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tls = tls
        self._clock = clock
        self._answers: dict[str, Script] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._open: dict[int, socket.socket] = {}
        self._threads: list[threading.Thread] = []
        self.seen: list[Seen] = []
        self.connections = 0  # accepted so far
        self.most_at_once = 0  # connections open at the same time
        self._listener = socket.create_server((host, 0), backlog=128)
        self.host, self.port = self._listener.getsockname()[:2]
        self._acceptor = threading.Thread(target=self._accept, daemon=True)

    # --- what it serves ---

    def url(self, path: str = "/") -> str:
        scheme = "https" if self._tls else "http"
        return f"{scheme}://{self.host}:{self.port}{path}"

    def page(self, path: str, body: bytes | str = b"", **fields: object) -> str:
        """Serve a `Page`; returns its URL. The page itself is `site[path]`."""
        data = body.encode() if isinstance(body, str) else body
        self._answers[path] = Page(data, **fields)  # type: ignore[arg-type]
        return self.url(path)

    def redirect(self, path: str, to: str, status: int = 302) -> str:
        """Redirect to a URL or path, taken as it is; returns the redirecting URL."""
        self._answers[path] = Page(status=status, headers={"Location": to})
        return self.url(path)

    def raw(self, path: str, *chunks: bytes) -> str:
        """Send these bytes and hang up; returns the URL."""
        self._answers[path] = lambda visit: visit.send(*chunks)
        return self.url(path)

    def script(self, path: str, script: Script) -> str:
        """Let a function answer; returns the URL."""
        self._answers[path] = script
        return self.url(path)

    def __getitem__(self, path: str) -> Page:
        page = self._answers[path]
        assert isinstance(page, Page)
        return page

    def asked_for(self, path: str) -> list[Seen]:
        """The requests for one path so far."""
        return [seen for seen in self.seen if seen.path == path]

    # --- running ---

    def __enter__(self) -> Site:
        self._acceptor.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._open.values():
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self._acceptor.join(5)
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self.connections += 1
                number = self.connections
                self._open[number] = connection
                self.most_at_once = max(self.most_at_once, len(self._open))
                self._threads = [thread for thread in self._threads if thread.is_alive()]
            thread = threading.Thread(target=self._serve, args=(number, connection), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, number: int, connection: socket.socket) -> None:
        try:
            with contextlib.suppress(OSError, ssl.SSLError):
                if self._tls:
                    connection = self._tls.wrap_socket(connection, server_side=True)
                self._converse(number, connection)
        finally:
            with self._lock:
                self._open.pop(number, None)
            connection.close()

    def _converse(self, number: int, connection: socket.socket) -> None:
        pending = b""
        while not self._closing.is_set():
            while b"\r\n\r\n" not in pending:
                data = connection.recv(65536)
                if not data:
                    return
                pending += data
            request, _, pending = pending.partition(b"\r\n\r\n")
            seen = self._note(number, request)
            answer = self._answers.get(seen.path) or self._answers.get(seen.path.partition("?")[0])
            if (answer or Page(b"not here", status=404))(Visit(seen, connection, self._closing)) is not True:
                return

    def _note(self, number: int, request: bytes) -> Seen:
        first, *lines = request.decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        seen = Seen(first.split(" ")[1], headers, self._clock(), number)
        self.seen.append(seen)
        return seen


def head(status: int = 200, headers: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> bytes:
    """A status line and header lines, with the empty line that ends them."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    lines = [
        f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}",
        *(f"{name}: {value}" for name, value in pairs),
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


# --- misbehaviour, to be given to Site.script -------------------------------------------------


def never(visit: Visit) -> None:
    """Takes the request and says nothing."""
    visit.pause(3600)


def slow_drip(visit: Visit) -> None:
    """A body that arrives a byte at a time: each read succeeds, the whole never ends."""
    visit.send(head(200, {"Content-Length": "50000"}))
    while visit.pause(0.02):
        visit.send(b".")


def slow_headers(visit: Visit) -> None:
    """A header that arrives a byte at a time."""
    visit.send(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while visit.pause(0.02):
        visit.send(b".")


def endless_body(visit: Visit) -> None:
    """A chunked body without end, as fast as it is taken."""
    visit.send(head(200, {"Transfer-Encoding": "chunked"}))
    while visit.pause(0):
        visit.send(b"10000\r\n", b"x" * 65536, b"\r\n")


def endless_headers(visit: Visit) -> None:
    """Header lines without end."""
    visit.send(b"HTTP/1.1 200 OK\r\n")
    while visit.pause(0):
        visit.send(b"X-Flood: " + b"x" * 100 + b"\r\n")


def endless_informational(visit: Visit) -> None:
    """1xx answers without end, each of them perfectly legal."""
    while visit.pause(0):
        visit.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 100)


def endless_chunk_extension(visit: Visit) -> None:
    """A chunk header that never gets to its end."""
    visit.send(head(200, {"Transfer-Encoding": "chunked"}), b"5;")
    while visit.pause(0):
        visit.send(b"x" * 4096)


def reset_at_once(visit: Visit) -> None:
    """Takes the request, then resets the connection."""
    visit.reset()


def reset_midway(visit: Visit) -> None:
    """Resets the connection in the middle of the body."""
    visit.send(head(200, {"Content-Length": "1000"}), b"half")
    visit.pause(0.05)
    visit.reset()


def gzip_bomb(megabytes: int) -> Script:
    """A gzip body that grows a thousandfold; it is made on the fly and never whole in memory."""

    def script(visit: Visit) -> None:
        visit.send(head(200, {"Content-Encoding": "gzip", "Content-Type": "text/html"}))
        for piece in _compressed_zeros(megabytes):
            visit.send(piece)

    return script


def _compressed_zeros(megabytes: int) -> Iterator[bytes]:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = bytes(1 << 20)
    for _ in range(megabytes):
        yield packer.compress(block)
    yield packer.flush()
