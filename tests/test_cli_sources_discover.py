"""`sources discover`: from a home page to an entry that works, on real servers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from monitor.cli.context import Env
from monitor.cli.inputs import Desk, Input
from monitor.cli.sources_discover import Reading
from monitor.demo.site import Site as DemoSite
from tests.cli import Outcome, monitor, write_config
from tests.servers import Site, never

TODAY = datetime.now(UTC)
HEAD = '<html lang="en"><head><title>Institute of Chips</title>{}</head><body>{}</body></html>'
LINK = '<link rel="alternate" type="application/rss+xml" title="{}" href="{}">'
LIST = '<ul class="news">' + "".join(
    f'<li><a href="/press/{n}.html">The institute opens laboratory number {n} in London</a></li>'
    for n in range(5)
) + "</ul>"  # fmt: skip


def rss(title: str, newest: datetime = TODAY) -> str:
    items = "".join(
        f"<item><title>{title} {n}</title><link>https://example.org/{title}/{n}</link>"
        f"<pubDate>{newest - timedelta(days=n):%a, %d %b %Y %H:%M:%S} +0000</pubDate></item>"
        for n in range(3)
    )
    return f"<rss version='2.0'><channel><title>{title}</title>{items}</channel></rss>"


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_config(tmp_path / "config", sources="# none yet\n")
    return tmp_path


def entries(done: Outcome) -> list[dict[str, object]]:
    """What standard output holds, read as sources.yaml would be."""
    return YAML(typ="safe").load(done.out) or []


def test_from_a_home_page_to_articles_in_one_command(folder: Path) -> None:
    """The newcomer's way: discover, paste, check, poll; on the demo's site."""
    with DemoSite(TODAY) as demo:
        done = monitor("sources", "discover", f"{demo.base}/local/", cwd=folder)
        assert done.code == 0, done.err
        (folder / "config/sources.yaml").write_text(done.out, "utf-8")
        (entry,) = entries(done)
        assert (entry["kind"], entry["url"]) == ("page", f"{demo.base}/local/")
        (row,) = monitor("sources", "check", "--all", "--json", cwd=folder).lines
        assert (row["verdict"], row["again"], row["problem"]) == ("ok", 304, None)
        polled = monitor("poll", "--dry-run", "--json", cwd=folder)
        assert polled.code == 0, polled.err
        assert polled.lines[0]["new"] > 0


def test_feeds_are_fetched_and_the_first_that_is_alive_is_printed(folder: Path, site: Site) -> None:
    links = "".join(
        LINK.format(title, path)
        for title, path in (("Gone", "/gone.xml"), ("Page", "/"), ("Empty", "/empty.xml"),
                            ("Old", "/old.xml"), ("Comments", "/comments/feed/"), ("News", "/news.xml"))
    )  # fmt: skip
    site.page("/", HEAD.format(links, LIST))
    site.page("/empty.xml", "<rss version='2.0'><channel><title>E</title></channel></rss>")
    site.page("/old.xml", rss("Old", datetime(2019, 5, 1, tzinfo=UTC)))
    site.page("/comments/feed/", rss("Comments"))
    site.page("/news.xml", rss("News"))
    done = monitor("sources", "discover", site.url(), cwd=folder)
    assert [entry["url"] for entry in entries(done)] == [site.url("/news.xml")]
    assert f"feed: {site.url('/news.xml')}: 3 entries, newest {TODAY:%Y-%m-%d}" in done.err
    assert "    News 0" in done.err
    assert f"{site.url('/gone.xml')}: the server answered 404" in done.err
    assert f"{site.url('/empty.xml')}: no entries" in done.err
    every = entries(monitor("sources", "discover", site.url(), "--all", cwd=folder))
    assert [(entry["kind"], str(entry["url"]).removeprefix(site.url(""))) for entry in every] == [
        ("feed", "/news.xml"), ("page", "/"), ("feed", "/old.xml"), ("feed", "/comments/feed/"),
    ]  # fmt: skip
    assert len({str(entry["id"]) for entry in every}) == 4
    told = monitor("sources", "discover", site.url(), "--json", cwd=folder).lines
    assert list(told[0]) == ["kind", "url", "title", "selector", "count", "newest", "samples", "entry"]
    assert [line["count"] for line in told] == [3, 5, 3, 3]


def test_a_feed_nobody_names_is_looked_for_and_sitemaps_come_from_robots(folder: Path, site: Site) -> None:
    site.page("/", HEAD.format("", "<p>Welcome</p>"))
    site.page("/feed.xml", rss("News"))
    sitemap = "<urlset><url><loc>https://example.org/a</loc></url></urlset>"
    site.page("/robots.txt", f"Sitemap: {site.url('/map.xml')}\nSitemap: {site.url('/map-news.xml')}\n")
    site.page(
        "/map.xml", f"<sitemapindex><sitemap><loc>{site.url('/map-1.xml')}</loc></sitemap></sitemapindex>"
    )
    site.page("/map-1.xml", sitemap)
    site.page("/map-news.xml", sitemap)
    told = monitor("sources", "discover", site.url(), "--json", cwd=folder).lines
    assert [(line["kind"], line["url"]) for line in told] == [
        ("feed", site.url("/feed.xml")), ("sitemap", site.url("/map-news.xml")),
        ("sitemap", site.url("/map.xml")),
    ]  # fmt: skip


def test_the_address_of_a_feed_is_taken_as_it_is(folder: Path, site: Site) -> None:
    site.page("/any", rss("News"))
    (entry,) = entries(monitor("sources", "discover", site.url("/any"), cwd=folder))
    assert (entry["url"], entry["kind"], entry["name"]) == (site.url("/any"), "feed", "News")


def test_an_entry_never_takes_the_id_of_another(folder: Path, site: Site) -> None:
    site.page("/any", rss("News"))
    first = monitor("sources", "discover", site.url("/any"), cwd=folder)
    (folder / "config/sources.yaml").write_text(first.out, "utf-8")
    again = monitor("sources", "discover", site.url("/any"), cwd=folder)
    assert entries(again)[0]["id"] == f"{entries(first)[0]['id']}-2"
    assert f"is configured already, as {entries(first)[0]['id']}" in again.err


def test_a_page_without_anything_and_no_page_at_all(folder: Path, site: Site) -> None:
    site.page("/", HEAD.format("", "<p>Welcome</p>"))
    nothing = monitor("sources", "discover", site.url(), cwd=folder)
    assert (nothing.code, nothing.out) == (1, "")
    assert monitor("sources", "discover", site.url("/absent"), cwd=folder).code == 2


async def test_a_page_of_the_web_cannot_send_us_to_this_machine() -> None:
    async with Desk(Env(None, None, False, {})) as desk:
        page = Input("https://example.org/", url="https://example.org/")
        for address in ("http://127.0.0.1/feed", "http://localhost:8001/feed", "http://[::1]/feed"):
            read = await Reading(desk, page).read(address)
            assert (read.body, read.problem) == (b"", "an address of this machine")


def test_a_feed_that_never_answers_does_not_keep_us(folder: Path, site: Site) -> None:
    site.page("/", HEAD.format(LINK.format("A", "/a.xml") + LINK.format("B", "/b.xml"), ""))
    site.page("/a.xml", rss("A"))
    site.script("/b.xml", never)
    done = monitor("sources", "discover", site.url(), "--patience", "8", cwd=folder)
    assert [entry["url"] for entry in entries(done)] == [site.url("/a.xml")]
    assert "the site is slow" in done.err
