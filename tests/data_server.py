"""Serves the reference data from loopback: every feed, and a feed that links every page."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from monitor.model import Source
from monitor.webserver import Reply, WebServer


def manifest(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text("utf-8").splitlines()]


class DataServer(WebServer):
    """`/feeds/NAME` and `/pages/NAME` as stored; `/pages.xml` lists all pages, undated."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.feeds = [row for row in manifest(data / "realfeeds") if row["kind"] == "feed"]
        self.pages = manifest(data / "realpages")
        super().__init__(self.answer)

    def sources(self, smallest: int = 0) -> list[Source]:
        """A source per feed of at least so many bytes."""
        return [
            Source(f"feed-{n}", f"{self.base}/feeds/{row['file']}", name=row["file"], allow_private=True)
            for n, row in enumerate(self.feeds)
            if row["bytes"] >= smallest
        ]

    def page_source(self) -> Source:
        return Source("pages", f"{self.base}/pages.xml", name="All pages", allow_private=True)

    def answer(self, path: str) -> Reply:
        if path == "/pages.xml":
            return Reply(200, "application/rss+xml", self._page_feed())
        kind, _, name = path.strip("/").partition("/")
        if kind == "feeds" and any(row["file"] == name for row in self.feeds):
            return Reply(200, "", (self.data / "realfeeds" / name).read_bytes())
        if kind == "pages" and any(row["file"] == name for row in self.pages):
            return Reply(200, "text/html", gzip.decompress((self.data / "realpages" / name).read_bytes()))
        return Reply(404, "text/plain", b"not here")

    def _page_feed(self) -> bytes:
        items = "".join(
            f"<item><title>{escape(row.get('title') or '')}</title>"
            f"<link>{self.base}/pages/{escape(row['file'])}</link></item>"
            for row in self.pages
        )
        return f'<rss version="2.0"><channel><title>Pages</title>{items}</channel></rss>'.encode()
