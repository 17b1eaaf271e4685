"""Search results in JSON, as GOV.UK's search interface gives them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from monitor import sources
from monitor.model import ParsedFeed, Source

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
URL = "https://www.gov.uk/api/search.json?q=japan+semiconductor&order=-public_timestamp&count=50"
ROWS = [
    {"title": "Semiconductor partnership with Japan", "link": "/government/news/chips",
     "public_timestamp": "2026-11-20T09:30:00.000+00:00", "description": "A joint <b>programme</b>.",
     "_id": "/government/news/chips", "es_score": None, "index": "government"},
    {"title": "Elsewhere", "link": "https://www.ukri.org/news/x/", "public_timestamp": None},
]  # fmt: skip


def read(data: Any, url: str = URL) -> ParsedFeed:
    body = data if isinstance(data, bytes) else json.dumps(data).encode()
    headers = {"content-type": "application/json; charset=utf-8"}
    return sources.parse(body, source=Source("gov", url), url=url, headers=headers, now=NOW)


def test_each_result_is_an_item_with_its_own_address() -> None:
    feed = read({"results": ROWS, "total": 2, "start": 0})
    assert (feed.kind, feed.problem) == ("json", "")
    first, second = feed.items
    assert (first.title, first.summary) == ("Semiconductor partnership with Japan", "A joint programme.")
    assert first.url == "https://www.gov.uk/government/news/chips"
    assert first.published_at == datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
    assert (second.url, second.published_at) == ("https://www.ukri.org/news/x/", None)


def test_a_search_that_finds_nothing_is_no_failure() -> None:
    assert read({"results": [], "total": 0}) == ParsedFeed("json", encoding="utf-8")


@pytest.mark.parametrize(
    "data",
    [{"results": "none"}, {"results": [1, None, []]}, {"results": []}, {"error": "busy"}, [], [1], "x",
     {"results": [{"title": 1, "link": 2}]}, b'{"results": [', b"[" * 100_000],
    ids=["text", "no rows", "nothing", "error", "empty", "list", "string", "odd types", "cut", "deep"],
)  # fmt: skip
def test_other_json_is_named_as_such(data: Any) -> None:
    feed = read(data)
    assert feed.items == ()
    assert feed.problem


def test_rows_that_lead_nowhere_are_left_out_and_counted() -> None:
    feed = read({"results": [*ROWS, {"title": "Trap", "link": "javascript:alert(1)"}, {"title": "No link"}]})
    assert [item.title for item in feed.items] == ["Semiconductor partnership with Japan", "Elsewhere"]
    assert "2 of 4" in feed.problem
