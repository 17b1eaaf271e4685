"""Serves the reference data from loopback: every feed, and a feed that links every page."""

from __future__ import annotations

import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from xml.sax.saxutils import escape

from monitor.model import Source


def manifest(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text("utf-8").splitlines()]


class DataServer:
    """`/feeds/NAME` and `/pages/NAME` as stored; `/pages.xml` lists all pages, undated."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.feeds = [row for row in manifest(data / "realfeeds") if row["kind"] == "feed"]
        self.pages = manifest(data / "realpages")
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> DataServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def sources(self, smallest: int = 0) -> list[Source]:
        """A source per feed of at least so many bytes."""
        return [
            Source(f"feed-{n}", f"{self.base}/feeds/{row['file']}", name=row["file"], allow_private=True)
            for n, row in enumerate(self.feeds)
            if row["bytes"] >= smallest
        ]

    def page_source(self) -> Source:
        return Source("pages", f"{self.base}/pages.xml", name="All pages", allow_private=True)

    def answer(self, path: str) -> tuple[str, bytes] | None:
        if path == "/pages.xml":
            return "application/rss+xml", self._page_feed()
        kind, _, name = path.strip("/").partition("/")
        if kind == "feeds" and any(row["file"] == name for row in self.feeds):
            return "", (self.data / "realfeeds" / name).read_bytes()
        if kind == "pages" and any(row["file"] == name for row in self.pages):
            return "text/html", gzip.decompress((self.data / "realpages" / name).read_bytes())
        return None

    def _page_feed(self) -> bytes:
        items = "".join(
            f"<item><title>{escape(row.get('title') or '')}</title>"
            f"<link>{self.base}/pages/{escape(row['file'])}</link></item>"
            for row in self.pages
        )
        return f'<rss version="2.0"><channel><title>Pages</title>{items}</channel></rss>'.encode()


def _handler(server: DataServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            found = server.answer(self.path)
            content_type, body = found or ("text/plain", b"not here")
            self.send_response(200 if found else 404)
            if content_type:
                self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    return Handler
