"""The figures that reading real feeds is held to, on the reference data."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from monitor import sources
from monitor.model import ParsedItem, Source
from monitor.sources.opml import read_opml
from monitor.sources.preview import preview

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
URL = "https://example.com/dir/feed"
FLOOR = "tag count"  # counted with tags only, of files that are not well-formed
SOURCE = Source(id="real", url=URL)


@pytest.fixture(scope="module")
def manifest(test_data: Path) -> list[dict[str, Any]]:
    lines = (test_data / "realfeeds" / "manifest.jsonl").read_text("utf-8").splitlines()
    rows: list[dict[str, Any]] = [json.loads(line) for line in lines]
    for row in rows:
        row["body"] = (test_data / "realfeeds" / row["file"]).read_bytes()
    return rows


def count(row: dict[str, Any], content_type: str) -> int:
    if row["kind"] == "opml":
        return len(read_opml(row["body"]))
    shown = preview(row["file"], row["body"], URL, headers={"content-type": content_type}, now=NOW)
    return len(shown["entries"])


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/xml; charset=iso-8859-1",
        "application/rss+xml; charset=Shift_JIS",
        "text/html; charset=utf-16",
    ],
)
def test_every_entry_is_found_whatever_the_server_says(
    manifest: list[dict[str, Any]], content_type: str
) -> None:
    most = 5_000_000 if not content_type else 40_000  # the large ones once, for the time they take
    exact = [row for row in manifest if not row["count_method"].startswith(FLOOR) and row["bytes"] < most]
    wrong = [row["file"] for row in exact if count(row, content_type) != row["expected_entries"]]
    assert len(wrong) <= len(exact) // 100, wrong
    assert not [name for name in wrong if name.startswith(("sitemap", "opml"))]
    assert not [row["file"] for row in exact if row["file"] in wrong and row["format"] == "jsonfeed"]


def read(body: bytes, known: frozenset[str] = frozenset()) -> tuple[ParsedItem, ...]:
    return sources.parse(body, source=SOURCE, url=URL, headers={}, now=NOW, known=known).items


def test_pruning_changes_nothing_for_new_entries(manifest: list[dict[str, Any]]) -> None:
    """Every second entry known, then all: what is left is what a full reading gives for it."""
    compared = 0
    for row in manifest:
        if row["kind"] != "feed" or len(row["body"]) > 60_000:
            continue
        whole = read(row["body"])
        known = frozenset(item.guid for item in whole[::2])
        expected = tuple(item for item in whole if item.guid not in known)
        assert read(row["body"], known) == expected, row["file"]
        assert read(row["body"], frozenset(item.guid for item in whole)) == (), row["file"]
        compared += len(expected)
    assert compared > 1_000
