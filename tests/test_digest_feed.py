"""The Atom feed is valid, its ids never change, and an update replaces what it updates."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import feedparser
import pytest
from lxml import etree

from monitor.digest import feed
from monitor.digest.payloads import payloads
from monitor.digest.render import render
from tests.fakes import HOSTILE, NOW, digest, evidence, outlet, story

ATOM = {"a": "http://www.w3.org/2005/Atom"}


def entries(*stories, **changes) -> list[dict]:
    (payload,) = payloads("file", render(digest(*stories, **changes)))
    return payload.content["entries"]


def feed_of(*stories, existing: bytes = b"", **changes) -> bytes:
    return feed.merged(existing, "morning", "UK–Japan technology", entries(*stories, **changes))


def test_a_feed_reader_sees_every_story() -> None:
    parsed = feedparser.parse(feed_of(story(1), story(2, outlets=(outlet(),))))
    assert not parsed.bozo
    assert parsed.feed.title == "UK–Japan technology"
    assert {entry.link for entry in parsed.entries} == {
        "https://www.gov.uk/news/1",
        "https://www.gov.uk/news/2",
    }
    first = parsed.entries[0]
    assert first.updated == "2026-03-27T08:00:00Z"
    assert "<b>semiconductor partnership</b>" in first.content[0].value
    assert [tag.term for tag in first.tags] == ["uk-japan", "semiconductors", "rd-funding"]


def test_everything_rfc_4287_demands_is_there() -> None:
    root = etree.fromstring(feed_of(story(1)))
    for path in ("a:id", "a:title", "a:updated", "a:author/a:name", "a:entry/a:id", "a:entry/a:title",
                 "a:entry/a:updated", "a:entry/a:content"):  # fmt: skip
        assert len(root.xpath(path, namespaces=ATOM)) == 1, path
    for found in root.xpath("//a:id/text()", namespaces=ATOM):
        assert found.startswith("urn:uuid:")


def test_an_update_replaces_its_story_under_the_same_id() -> None:
    before = feed_of(story(1), story(2))
    later = NOW + timedelta(days=1)
    after = feedparser.parse(feed_of(story(1, update="+1 outlet"), existing=before, window_end=later))
    assert len(after.entries) == 2
    assert after.entries[0].id in {entry.id for entry in feedparser.parse(before).entries}
    assert after.entries[0].updated == "2026-03-28T08:00:00Z"
    assert "Update: +1 outlet" in after.entries[0].content[0].value
    assert after.feed.updated == "2026-03-28T08:00:00Z"


def test_writing_twice_changes_nothing() -> None:
    once = feed_of(story(1), story(2))
    assert feed_of(story(1), story(2), existing=once) == once


def test_a_long_feed_keeps_the_newest() -> None:
    body = b""
    for day in range(5):
        many = [story(n + day * 100) for n in range(1, 61)]
        body = feed_of(*many, existing=body, window_end=NOW + timedelta(days=day))
    parsed = feedparser.parse(body)
    assert len(parsed.entries) == feed.MAX_ENTRIES
    assert parsed.entries[0].updated == "2026-03-31T08:00:00Z"


@pytest.mark.parametrize(
    "existing", [b"", b"<html>", b"\x00\xff", b"<feed/>", b"<!DOCTYPE x [<!ENTITY a 'b'>]><feed>&a;</feed>"]
)
def test_what_is_no_feed_of_ours_is_replaced(existing: bytes) -> None:
    assert len(feedparser.parse(feed_of(story(1), existing=existing)).entries) == 1


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_strings_keep_the_feed_well_formed(text: str) -> None:
    body = f"{text} semiconductor {text}"
    entry = story(
        title=text, why=text, text=body, evidence=evidence(body, "semiconductor"), outlets=(outlet(text),)
    )
    root = etree.fromstring(feed_of(replace(entry, source_name=text)))
    content = root.xpath("string(//a:content)", namespaces=ATOM)
    assert "<script" not in content
    assert "<img" not in content
