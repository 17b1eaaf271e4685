"""`sources check`: two passes over a real server, and what they tell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli import Outcome, monitor, write_config
from tests.servers import Site

RSS = """<?xml version="1.0" encoding="{encoding}"?><rss version="2.0"><channel><title>T</title>
<item><title>日英半導体協力</title><link>https://example.org/1</link>
<pubDate>Fri, 20 Nov 2026 09:00:00 +0900</pubDate></item>
<item><title>Undated</title><link>https://example.org/2</link></item></channel></rss>"""
LISTING = """<html><body><ul id="news"><li><a href="/press/20261120.html">A new fab in Hokkaido opens</a></li>
<li><a href="/press/20261119.html">A new laboratory in London opens</a></li></ul>
<a href="/about">About</a></body></html>"""
SITEMAP = """<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
<url><loc>https://example.org/a</loc><lastmod>2026-11-21</lastmod></url>
<url><loc>https://example.org/b</loc><lastmod>2026-11-20</lastmod></url></urlset>"""
SOURCES = """
- {id: tagged, url: "BASE/tagged.xml", allow_private: true}
- {id: dated, url: "BASE/dated.xml", allow_private: true}
- {id: bare, url: "BASE/bare.xml", allow_private: true}
- {id: moved, url: "BASE/moved", allow_private: true}
- {id: page, url: "BASE/news/", kind: page, selector: "#news a", link_pattern: /press/2, allow_private: true}
- {id: stale, url: "BASE/old/", kind: page, selector: ".gone a", allow_private: true}
- {id: barred, url: "BASE/private/", kind: page, selector: a, allow_private: true}
- {id: index, url: "BASE/sitemaps.xml", kind: sitemap, allow_private: true}
- {id: quiet, url: "BASE/quiet.xml", allow_private: true}
- {id: absent, url: "BASE/absent.xml", allow_private: true}
- {id: grumpy, url: "BASE/grumpy.xml", allow_private: true}
- {id: refused, url: "http://127.0.0.1:1/feed.xml"}
- {id: off, url: "BASE/off.xml", enabled: false, allow_private: true}
"""


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as site:
        site.page("/robots.txt", "User-agent: *\nDisallow: /private/\n", content_type="text/plain")
        japanese = RSS.format(encoding="Shift_JIS").encode("cp932")
        site.page("/tagged.xml", RSS.format(encoding="utf-8"), etag='W/"a"', content_type="text/xml")
        site.page("/dated.xml", japanese, last_modified="Fri, 20 Nov 2026 00:00:00 GMT",
                  content_type="text/xml; charset=utf-8")  # fmt: skip
        site.page("/bare.xml", RSS.format(encoding="utf-8"), content_type="text/xml")
        site.redirect("/moved", "/tagged.xml", 301)
        site.page("/news/", LISTING, etag='"n"')
        site.page("/old/", LISTING)
        site.page("/private/", LISTING)
        index = f"<sitemapindex><sitemap><loc>{site.url('/map1.xml')}</loc></sitemap></sitemapindex>"
        site.page("/sitemaps.xml", index, content_type="text/xml")
        site.page("/map1.xml", SITEMAP, content_type="text/xml")
        site.page("/quiet.xml", "<rss version='2.0'><channel><title>T</title></channel></rss>")
        site.script("/grumpy.xml", _grumpy)
        yield site


def _grumpy(visit: Any) -> bool:
    """Answers plainly, and with an error to conditional requests."""
    body = RSS.format(encoding="utf-8").encode()
    if visit.seen.is_conditional:
        visit.send(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")
    else:
        visit.send(b'HTTP/1.1 200 OK\r\nETag: "g"\r\nContent-Length: %d\r\n\r\n' % len(body) + body)
    return True


@pytest.fixture
def folder(tmp_path: Path, site: Site) -> Path:
    write_config(tmp_path / "config", sources=SOURCES.replace("BASE", site.url("")))
    return tmp_path


def rows(done: Outcome) -> dict[str, dict[str, Any]]:
    return {line["id"]: line for line in done.lines}


def test_it_tells_what_each_source_gave(folder: Path, site: Site) -> None:
    done = monitor("sources", "check", "--all", "--json", cwd=folder)
    assert done.code == 0, done.err
    found = rows(done)
    assert list(found) == ["tagged", "dated", "bare", "moved", "page", "stale", "barred", "index", "quiet",
                           "absent", "grumpy", "refused"]  # fmt: skip
    tagged = found["tagged"]
    assert (tagged["verdict"], tagged["status"], tagged["again"], tagged["root"]) == ("ok", 200, 304, "rss")
    assert (tagged["entries"], tagged["undated"], tagged["newest"]) == (2, 1, "2026-11-20T00:00:00Z")
    assert (tagged["robots"], tagged["validators"]) == ("not asked", ["etag"])
    assert tagged["took_ms"] >= 0
    dated = found["dated"]
    assert (dated["encoding"], dated["declared"], dated["again"]) == ("cp932", "utf-8", 304)
    assert "declared utf-8, is cp932" in dated["notes"]
    assert (found["bare"]["again"], found["bare"]["validators"]) == (None, [])
    assert found["moved"]["redirects"] == [f"301 {site.url('/tagged.xml')}"]
    assert (found["moved"]["url"], found["moved"]["again"]) == (site.url("/tagged.xml"), 304)
    page = found["page"]
    assert (page["selector_hits"], page["pattern_hits"], page["robots"]) == (2, 2, "allowed")
    assert (page["kind"], page["root"], page["entries"]) == ("page", "html", 2)
    assert (found["stale"]["verdict"], found["stale"]["selector_hits"]) == ("failed", 0)
    assert "selector" in found["stale"]["problem"]
    assert (found["barred"]["verdict"], found["barred"]["robots"]) == ("failed", "refused")
    assert site.asked_for("/private/") == []
    assert (found["index"]["kind"], found["index"]["entries"]) == ("sitemapindex", 2)
    assert found["index"]["newest"] == "2026-11-21T00:00:00Z"
    assert (found["quiet"]["verdict"], found["quiet"]["problem"]) == ("empty", None)
    assert (found["absent"]["verdict"], found["absent"]["status"]) == ("failed", 404)
    assert (found["grumpy"]["verdict"], found["grumpy"]["again"]) == ("failed", 500)
    assert "asked again" in found["grumpy"]["problem"]
    assert (found["refused"]["status"], found["refused"]["entries"]) == (None, 0)


def test_the_second_pass_starts_when_the_first_is_over_and_asks_for_changes_only(
    folder: Path, site: Site
) -> None:
    monitor("sources", "check", "--all", "--json", cwd=folder)
    # The redirecting address itself has no validators, in neither pass.
    conditional = [seen.is_conditional for seen in site.seen if seen.path != "/moved"]
    assert conditional == sorted(conditional)  # plain requests first, all of them
    assert [seen.headers.get("if-none-match") for seen in site.asked_for("/tagged.xml")] == [
        None, None, 'W/"a"', 'W/"a"',
    ]  # fmt: skip
    assert len(site.asked_for("/bare.xml")) == 1  # nothing to ask with: left in peace
    assert len(site.asked_for("/absent.xml")) == 1
    assert site.most_at_once == 1  # one connection to a host


def test_nothing_is_stored_and_people_get_a_table_and_a_sum(folder: Path) -> None:
    done = monitor("sources", "check", "tagged", "absent", "tagged", cwd=folder)
    assert done.code == 0
    first, second = (line.split("\t") for line in done.out.splitlines())
    assert first[:6] == ["tagged", "ok", "200", "304", "rss", "2"]
    assert (second[:3], second[-1]) == (["absent", "failed", "404"], "the server answered 404")
    assert "1 of 2 sources bring entries, 0 are empty, 1 failed; 1 answer 304" in done.err
    assert list(folder.rglob("*.db")) == []


def test_rules_that_cannot_be_read_are_told_from_rules_that_refuse(folder: Path, site: Site) -> None:
    site.page("/robots.txt", status=503)
    found = rows(monitor("sources", "check", "page", "tagged", "--json", cwd=folder))
    assert (found["page"]["robots"], found["page"]["verdict"]) == ("unreadable", "failed")
    assert (found["tagged"]["robots"], found["tagged"]["verdict"]) == ("not asked", "ok")


def test_strict_fails_for_a_failure_and_not_for_an_empty_feed(folder: Path) -> None:
    assert monitor("sources", "check", "tagged", "quiet", "--strict", cwd=folder).code == 0
    assert monitor("sources", "check", "tagged", "absent", "--strict", cwd=folder).code == 1


def test_a_source_that_is_switched_off_can_be_asked_by_name(folder: Path, site: Site) -> None:
    site.page("/off.xml", RSS.format(encoding="utf-8"))
    assert rows(monitor("sources", "check", "off", "--json", cwd=folder))["off"]["verdict"] == "ok"
