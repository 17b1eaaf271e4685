"""The sources that ship can be read as their entries say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lxml.cssselect import CSSSelector
from ruamel.yaml import YAML

from monitor import urls
from monitor.model import Source
from monitor.settings import load

# What an entry of the reference catalogue calls it → what we do.
KINDS = {"rss": {"feed", "search"}, "atom": {"feed"}, "rdf": {"feed"}, "json": {"feed"}, "page": {"page"}}
EXAMPLES = {"thx-news", "computer-weekly", "dual-use-fund", "ny-creates-jetro", "cambridge-ciip"}
SHIPPED = load(Path(__file__).parent.parent / "config", {}).sources
PAGES = [source for source in SHIPPED if source.kind == "page"]


@pytest.mark.parametrize("source", PAGES, ids=lambda source: source.id)
def test_a_page_says_which_of_its_links_are_articles(source: Source) -> None:
    assert source.selector or source.link_pattern
    if source.selector:
        CSSSelector(source.selector)
    if source.link_pattern:
        pattern = re.compile(source.link_pattern)
        # A pattern that takes the page itself, or the site's front door, takes everything.
        assert not pattern.search(source.url)
        assert not pattern.search(source.homepage)


def test_news_searches_are_of_kind_search() -> None:
    searches = {"news.google.com", "www.bing.com"}
    for source in SHIPPED:
        assert (source.kind == "search") == (urls.host_of(source.url) in searches), source.id


def test_each_entry_reads_what_the_catalogue_says_it_is(test_data: Path) -> None:
    catalogue = YAML(typ="safe", pure=True).load(test_data / "sources.yaml")
    ours = {source.url: source for source in SHIPPED}
    wanted = [entry for entry in catalogue if entry["confidence"] in ("high", "medium")]
    assert len(wanted) == 134
    for entry in wanted:
        source = ours[entry["url"]]
        assert source.kind in KINDS[entry["kind"]], source.id
        for key in ("country", "lang", "authority"):
            assert getattr(source, key) == entry[key], (source.id, key)


def test_the_publishers_of_the_five_stories_are_covered(test_data: Path) -> None:
    catalogue = YAML(typ="safe", pure=True).load(test_data / "sources.yaml")
    polled = {source.url for source in SHIPPED}
    covered = {
        story for entry in catalogue if entry["url"] in polled for story in entry.get("covers_example", ())
    }
    assert covered == EXAMPLES
