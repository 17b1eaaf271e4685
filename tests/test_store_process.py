"""From pending item to outcome: the queue, what is kept of an article, and the story it joins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from monitor.errors import StoreError
from monitor.model import Amount, Article, Join, Processed
from monitor.store import Store, open_store
from tests.store_kit import (
    BBC,
    DAY,
    HOUR,
    METI,
    NIKKEI,
    NOW,
    SEARCH,
    desk,
    fingerprint,
    item,
    matched,
    polled,
    shown,
    verdict,
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "monitor.db") as opened:
        yield desk(opened)


def life(store: Store, what: int | str) -> dict[str, Any]:
    found = store.life_of(what)
    assert found is not None
    return found


# --- the queue -------------------------------------------------------------------------------


def test_a_pending_item_carries_all_that_processing_needs(store: Store) -> None:
    (item_id,) = shown(
        store, NIKKEI, item(1, NIKKEI, content="本文", lang="ja", author="記者", outlet="共同")
    )
    (waiting,) = store.pending(NOW, 5)
    assert waiting.id == item_id
    assert waiting.source == NIKKEI
    assert (waiting.content, waiting.lang, waiting.author, waiting.outlet) == ("本文", "ja", "記者", "共同")
    assert (waiting.canonical_url, waiting.url) == (item(1, NIKKEI).canonical_url, item(1, NIKKEI).url)
    assert (waiting.published_at, waiting.first_seen_at, waiting.attempts) == (NOW - HOUR, NOW, 0)


def test_an_item_without_address_has_no_canonical_one_either(store: Store) -> None:
    shown(store, BBC, item(1, identity="bbc|guid-1", url="", canonical_url=""))
    assert store.pending(NOW, 1)[0].canonical_url == ""


def test_sources_take_turns(store: Store) -> None:
    store.record_poll(polled(BBC, *(item(n, BBC) for n in range(5))))
    store.record_poll(polled(METI, *(item(n, METI) for n in range(2))))
    order = [each.source.id for each in store.pending(NOW, 4)]
    assert order == ["bbc", "meti", "bbc", "meti"]


def test_items_in_hand_are_left_out(store: Store) -> None:
    first, second = shown(store, BBC, item(1), item(2))
    assert [each.id for each in store.pending(NOW, 5, exclude={first})] == [second]


def test_a_retry_waits_its_time_and_counts(store: Store) -> None:
    (item_id,) = shown(store, BBC, item(1))
    store.record_retry(item_id, "page not read: 503", NOW + HOUR, NOW)
    assert store.pending(NOW, 5) == []
    assert store.pending_count(NOW) == 0
    (again,) = store.pending(NOW + HOUR, 5)
    assert (again.attempts, again.first_try_at) == (1, NOW)
    store.record_outcome(Processed(item_id, "retry", "again", retry_at=NOW + DAY), None, NOW + HOUR)
    (again,) = store.pending(NOW + DAY, 5)
    assert (again.attempts, again.first_try_at) == (2, NOW)


# --- outcomes --------------------------------------------------------------------------------


def test_a_match_keeps_text_reasons_and_evidence(store: Store) -> None:
    match_id = matched(store, BBC, 1, text="Rapidus and the UK agree. 日英半導体")
    (row,) = store.matches()
    assert (row["id"], row["corridors"], row["topics"]) == (match_id, ["uk-japan"], ["semiconductors"])
    assert (row["source"], row["country"], row["priority"], row["why"]) == (
        "BBC",
        "uk",
        "normal",
        verdict().why,
    )
    found = life(store, row["item_id"])
    assert [part["label"] for part in found["verdicts"][0]["parts"]] == ["title: Rapidus", "日英 near 半導体"]
    assert found["item"]["outcome"] == "match"
    assert found["item"]["content"] == ""
    assert store.pending(NOW, 5) == []


def test_what_did_not_match_keeps_only_its_reason(store: Store) -> None:
    (item_id,) = shown(store, BBC, item(1, content="full text of the feed"))
    none = verdict(match=False, score=0.0)
    assert (
        store.record_outcome(Processed(item_id, "no-match", "no corridor", verdict=none), None, NOW) is None
    )
    found = life(store, item_id)
    assert (found["item"]["reason"], found["item"]["content"]) == ("no corridor", "")
    assert (found["article"], found["verdicts"], found["match"]) == (None, [], None)


def test_a_near_miss_is_listed_with_what_it_lacked(store: Store) -> None:
    item_id = matched(store, NIKKEI, 1, near_miss=True)
    (row,) = store.near_misses()
    assert (row["item_id"], row["reason"], row["source"]) == (item_id, "1 short of the threshold", "日経")
    assert row["rules"] == ["uk-japan-chips"]
    assert list(store.matches()) == []


def test_a_second_outcome_renews_the_verdict_and_alerts_nobody(store: Store) -> None:
    matched(store, BBC, 1)
    (row,) = store.matches()
    again = Processed(
        row["item_id"],
        "match",
        "",
        Article(row["item_id"], row["url"], "New headline", "New text about quantum"),
        verdict(score=9.0),
        fingerprint("new"),
    )
    assert store.record_outcome(again, None, NOW + HOUR) is None
    (after,) = store.matches()
    assert (after["id"], after["score"], after["matched_at"]) == (row["id"], 9.0, row["matched_at"])
    assert len(life(store, row["item_id"])["verdicts"]) == 2
    assert [found["title"] for found in store.search("quantum")] == ["New headline"]
    assert store.search('"says report"') == []


def test_an_article_without_a_title_takes_its_item_s(store: Store) -> None:
    (item_id,) = shown(store, BBC, item(1, title="From the feed"))
    article = Article(item_id, item(1).canonical_url, "", "text")
    store.record_outcome(Processed(item_id, "match", "", article, verdict(), fingerprint("text")), None, NOW)
    assert [row["title"] for row in store.matches()] == ["From the feed"]
    assert [row["title"] for row in store.search("title:feed")] == ["From the feed"]


def test_an_impossible_amount_does_not_keep_an_article_out(store: Store) -> None:
    endless = verdict(amounts=(Amount("1e999 yen", "JPY", float("inf")), Amount("£5m", "GBP", 5e6)))
    matched(store, BBC, 1, judged=endless)
    (row,) = store.matches()
    assert [amount["text"] for amount in row["amounts"]] == ["£5m"]


def test_an_item_that_is_not_there_is_an_error(store: Store) -> None:
    with pytest.raises(StoreError, match="no item 77"):
        store.record_outcome(Processed(77, "no-match", "x"), None, NOW)


# --- stories ---------------------------------------------------------------------------------


def test_the_official_source_leads_then_the_earliest(store: Store) -> None:
    matched(store, BBC, 1, title="Press", published=NOW - 5 * HOUR)
    (story,) = {row["story_id"] for row in store.matches()}
    matched(store, NIKKEI, 2, title="Press, earlier", published=NOW - 6 * HOUR, joins=story)
    assert life(store, 1)["story"]["title"] == "Press, earlier"
    matched(store, METI, 3, title="Ministry", published=NOW, joins=story)
    told = life(store, 1)["story"]
    assert (told["title"], told["outlets"]) == ("Ministry", 3)
    assert [member["title"] for member in told["members"]] == ["Press", "Press, earlier", "Ministry"]


def test_outlets_named_by_a_search_feed_count_one_by_one(store: Store) -> None:
    matched(store, SEARCH, 1, outlet="Kyodo")
    for n, outlet in enumerate(["Reuters", "Reuters", ""], start=2):
        matched(store, SEARCH, n, outlet=outlet, joins=1)
    assert {row["source"] for row in store.matches()} == {"Kyodo", "Reuters", "News search"}
    assert next(store.matches())["outlets"] == 3


def test_joins_and_vetoes_keep_their_reason(store: Store) -> None:
    first = matched(store, BBC, 1)
    (item_id,) = shown(store, METI, item(2, METI))
    join = Join(None, None, "other corridor: us-japan", 0.0, ((first, "other corridor: us-japan"),))
    processed = Processed(
        item_id, "match", "", Article(item_id, "https://x.example/", "t", "x"), verdict(), fingerprint("x")
    )
    store.record_outcome(processed, join, NOW)
    assert [(each["decision"], each["other_match_id"]) for each in life(store, item_id)["joins"]] == [
        ("new", None),
        ("vetoed", first),
    ]


def test_a_story_that_is_gone_by_now_begins_anew(store: Store) -> None:
    (item_id,) = shown(store, BBC, item(1))
    processed = Processed(
        item_id, "match", "", Article(item_id, "https://x.example/", "t", "x"), verdict(), fingerprint("x")
    )
    assert store.record_outcome(processed, Join(99, 98, "same text"), NOW)
    assert life(store, item_id)["story"]["outlets"] == 1


def test_candidates_come_back_as_they_were_compared(store: Store) -> None:
    mine = fingerprint(
        "Rapidus text",
        organisations=("Rapidus",),
        amounts=(Amount("£5m", "GBP", 5e6),),
        title_tokens=("chip",),
    )
    (item_id,) = shown(store, BBC, item(1))
    article = Article(
        item_id, "https://www.bbc.co.uk/news/1?utm_source=x", "T", "Rapidus text", published_at=NOW
    )
    store.record_outcome(Processed(item_id, "match", "", article, verdict(), mine), None, NOW)
    (member,) = store.story_candidates(fingerprint("other"), "", NOW - DAY)
    assert member.fingerprint == mine
    assert (member.source_id, member.published_at, member.title) == ("bbc", NOW, "T")


def test_candidates_are_recent_or_have_the_same_text_or_address(store: Store) -> None:
    old = NOW - 100 * DAY
    text = "A text that several outlets print word for word."
    matched(store, BBC, "old", text=text, published=old)
    matched(store, BBC, "recent", published=NOW - DAY)

    def titles(mine: str, url: str = "") -> set[str]:
        return {each.title for each in store.story_candidates(fingerprint(mine), url, NOW - 14 * DAY)}

    assert titles("something else") == {"Headline recent"}
    assert titles(text) == {"Headline recent", "Headline old"}
    assert titles("else", item("old").canonical_url) == {"Headline recent", "Headline old"}


def test_a_hash_with_its_top_bit_set_is_kept(store: Store) -> None:
    (item_id,) = shown(store, BBC, item(1))
    mine = replace(fingerprint("x"), simhash=2**64 - 1)
    article = Article(item_id, "https://x.example/", "T", "x")
    store.record_outcome(Processed(item_id, "match", "", article, verdict(), mine), None, NOW)
    assert store.story_candidates(mine, "", NOW - DAY)[0].fingerprint.simhash == 2**64 - 1
