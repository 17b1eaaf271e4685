"""Sources listed, tried and found."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.demo.site import Site
from tests.cli import monitor, write_config

FEED = """<rss version="2.0"><channel><title>T</title>
<item><title>Chips &amp; pacts</title><link>https://example.org/1</link><guid>g1</guid>
<pubDate>Fri, 20 Nov 2026 09:00:00 +0900</pubDate>
<description>&lt;b&gt;Bold&lt;/b&gt; words</description></item>
<item><title>No date</title><link>https://example.org/2</link></item></channel></rss>"""
SOURCES = """
- {{id: gov, name: Ministry, url: "{base}/gov/feed.atom", allow_private: true, category: official}}
- {{id: local, kind: page, url: "{base}/local/", selector: "#news a", allow_private: true}}
- {{id: broken, url: "{base}/broken/feed.xml", allow_private: true}}
- {{id: off, url: "{base}/off.xml", enabled: false}}
"""


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site(datetime.now(UTC)) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path, site: Site) -> Path:
    write_config(tmp_path / "config", sources=SOURCES.format(base=site.base))
    return tmp_path


def test_list_shows_them_all(folder: Path) -> None:
    assert [line["id"] for line in monitor("sources", "list", "--json", cwd=folder).lines] == [
        "gov", "local", "broken", "off",
    ]  # fmt: skip
    assert monitor("sources", "list", cwd=folder).out.splitlines()[0].startswith("gov\tfeed\t")


def test_preview_needs_no_configuration_and_keeps_its_keys(tmp_path: Path) -> None:
    (tmp_path / "feed.xml").write_text(FEED, "utf-8")
    (tmp_path / "page.txt").write_text("nothing", "utf-8")
    done = monitor("sources", "preview", "--json", "feed.xml", "page.txt", cwd=tmp_path)
    assert done.code == 0
    first, second = done.lines
    assert list(first) == ["file", "kind", "entries", "problem"]
    assert list(first["entries"][0]) == ["id", "title", "url", "published", "summary"]
    assert first["entries"][0]["published"] == "2026-11-20T00:00:00Z"
    assert first["entries"][1]["published"] is None
    assert (second["entries"], bool(second["problem"])) == ([], True)
    missing = monitor("sources", "preview", "--json", "missing.xml", "feed.xml", cwd=tmp_path)
    assert missing.code == 2
    assert [line["kind"] for line in missing.lines] == ["", first["kind"]]


def test_preview_asks_an_address_and_uses_a_selector(site: Site, tmp_path: Path) -> None:
    (found,) = monitor("sources", "preview", "--json", f"{site.base}/gov/feed.atom", cwd=tmp_path).lines
    assert found["url"] == f"{site.base}/gov/feed.atom"
    assert found["entries"]
    shown = monitor("sources", "preview", f"{site.base}/local/", "--selector", "#news a", cwd=tmp_path)
    assert shown.code == 0
    assert site.base in shown.out
    assert monitor("sources", "preview", "x", "--selector", "a[", cwd=tmp_path).code == 2


def test_check_needs_sources_that_exist(folder: Path) -> None:
    assert monitor("sources", "check", "nonsense", cwd=folder).code == 2
    assert monitor("sources", "check", cwd=folder).code == 2
    assert monitor("sources", "discover", "example.org", cwd=folder).code == 2
