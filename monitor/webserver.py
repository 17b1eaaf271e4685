"""A small web server in a thread: what the health endpoint and the demo's newspapers stand on.

For a machine's own questions and for tests. It reads no request body and knows GET alone; what faces the
network is Datasette.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

_IDLE_S = 10  # a connection without a request


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. With an entity tag (RFC 9110, section 8.8.3) a client that has it already gets 304."""

    status: int
    content_type: str
    body: bytes
    etag: str = ""


class WebServer:
    """Answers GET while it is open; a context manager. `answer` maps a path, query included, to a reply."""

    def __init__(self, answer: Callable[[str], Reply], host: str = "127.0.0.1", port: int = 0) -> None:
        """Binds the port, 0 for any free one. Raises OSError when it cannot be had."""
        self._server = ThreadingHTTPServer((host, port), _handler(answer))
        self._server.daemon_threads = True
        self.port: int = self._server.server_port
        self.base = f"http://{host}:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, name="web server", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(answer: Callable[[str], Reply]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = _IDLE_S

        def do_GET(self) -> None:
            reply = answer(self.path)
            if reply.etag and self.headers.get("If-None-Match") == reply.etag:
                reply = Reply(304, "", b"", reply.etag)
            self.send_response(reply.status)
            if reply.content_type:
                self.send_header("Content-Type", reply.content_type)
            if reply.etag:
                self.send_header("ETag", reply.etag)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet: a scrape is no event, and the monitor reports what it reads."""

    return Handler
