"""The demo's web server: real HTTP on 127.0.0.1, in a thread."""

from __future__ import annotations

import hashlib
import threading
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

from monitor.demo import press

HTML = "text/html; charset=utf-8"


class Site:
    """Serves the demo press. Use as a context manager; `base` is its address."""

    def __init__(self, now: datetime) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.base = f"http://127.0.0.1:{self._server.server_port}"
        self.documents = documents(now, self.base)

    def __enter__(self) -> Site:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def documents(now: datetime, base: str) -> dict[str, tuple[str, bytes]]:
    """Path → (content type, body) of everything the site serves."""
    stories = press.articles(now)
    by_outlet = {outlet: [s for s in stories if s.outlet == outlet] for outlet in press.OUTLETS}
    served = {
        story.path: (HTML, press.page(story, [other for other in stories if other is not story]).encode())
        for story in stories
    }
    served[f"/local/{press.HOSTILE_SLUG}.html"] = (HTML, press.hostile_page())
    served["/gov/feed.atom"] = ("application/atom+xml", press.atom("gov", by_outlet["gov"], base))
    served["/wire/rss.xml"] = ("application/rss+xml", press.rss("wire", by_outlet["wire"], base))
    served["/kagaku/index.rdf"] = ("application/xml", press.rdf("kagaku", by_outlet["kagaku"], base))
    served["/local/"] = (HTML, press.listing("local", by_outlet["local"]))
    served["/broken/feed.xml"] = ("application/rss+xml", press.broken_feed())
    served["/robots.txt"] = ("text/plain", b"User-agent: *\nDisallow: /private/\n")
    return served


def _handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            found = site.documents.get(self.path.split("?")[0])
            if found is None:
                self._answer(404, "text/plain", b"not here")
                return
            content_type, body = found
            etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
            if self.headers.get("If-None-Match") == etag:
                self._answer(304, content_type, b"", etag)
            else:
                self._answer(200, content_type, body, etag)

        def _answer(self, status: int, content_type: str, body: bytes, etag: str = "") -> None:
            self.send_response(status)
            if status != 304:
                self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            if etag:
                self.send_header("ETag", etag)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet: the monitor reports what it reads."""

    return Handler
