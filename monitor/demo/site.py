"""The demo's web server: real HTTP on 127.0.0.1, in a thread."""

from __future__ import annotations

import hashlib
from datetime import datetime

from monitor.demo import press
from monitor.webserver import Reply, WebServer

HTML = "text/html; charset=utf-8"


class Site(WebServer):
    """Serves the demo press. Use as a context manager; `base` is its address."""

    def __init__(self, now: datetime) -> None:
        super().__init__(self._answer)
        self.documents = documents(now, self.base)

    def _answer(self, path: str) -> Reply:
        found = self.documents.get(path.split("?")[0])
        if found is None:
            return Reply(404, "text/plain", b"not here")
        content_type, body = found
        return Reply(200, content_type, body, etag=f'"{hashlib.sha256(body).hexdigest()[:16]}"')


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
