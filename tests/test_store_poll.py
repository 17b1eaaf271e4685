"""What a poll reads and leaves: sources, validators, items, sightings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.errors import StoreError
from monitor.model import FetchState, PollHints, Sighting, Source, SourceState
from monitor.store import Store, open_store
from tests.store_kit import BBC, DAY, HOUR, METI, NIKKEI, NOW, SOURCES, desk, item, matched, polled


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "monitor.db") as opened:
        yield desk(opened)


def state(store: Store, source: Source) -> SourceState:
    return next(each for each in store.source_states() if each.source.id == source.id)


# --- configuration ---------------------------------------------------------------------------


def test_a_source_comes_back_with_all_it_was_configured_with(store: Store) -> None:
    full = Source(
        id="page", url="https://x.example/news", name="頁", kind="page", homepage="https://x.example",
        country="jp", lang="ja", category="press", authority="industry", poll_minutes=45, selector="main a",
        link_pattern="/news/", timezone="Asia/Tokyo", allow_private=True, full_text=True, terms="restrict",
    )  # fmt: skip
    store.sync_sources([full], NOW)
    assert state(store, full).source == full


def test_new_sources_are_due_at_once(store: Store) -> None:
    assert {each.source.id for each in store.due_sources(NOW)} == {each.id for each in SOURCES}


def test_a_source_taken_out_of_the_configuration_is_not_polled_and_keeps_its_items(store: Store) -> None:
    store.record_poll(polled(BBC, item(1)))
    store.sync_sources([METI], NOW)
    gone = state(store, BBC)
    assert (gone.state, gone.source.enabled) == ("disabled", False)
    assert [each.source.id for each in store.due_sources(NOW + DAY)] == ["meti"]
    assert [each.title for each in store.pending(NOW, 5)] == ["Headline 1"]
    store.sync_sources(SOURCES, NOW)
    assert state(store, BBC).state == "new"
    assert "bbc" in {each.source.id for each in store.due_sources(NOW)}


def test_a_source_switched_off_says_so(store: Store) -> None:
    store.sync_sources([replace(BBC, enabled=False), METI], NOW)
    assert state(store, BBC).state_reason == "switched off in the configuration"
    assert [each.source.id for each in store.due_sources(NOW)] == ["meti"]


def test_another_address_starts_a_source_afresh(store: Store) -> None:
    store.record_poll(polled(BBC, state="failing", failures=3, ok=False, permanent_url="https://a.example/"))
    moved = replace(BBC, url="https://www.bbc.co.uk/new")
    store.sync_sources([moved, METI], NOW)
    after = state(store, BBC)
    assert (after.state, after.failures, after.permanent_url, after.url) == ("new", 0, "", moved.url)
    assert "bbc" in {each.source.id for each in store.due_sources(NOW)}


def test_the_same_configuration_again_changes_nothing(store: Store) -> None:
    store.record_poll(polled(BBC, item(1), state="failing", failures=3))
    before = store.source_states()
    store.sync_sources(SOURCES, NOW + DAY)
    assert store.source_states() == before


# --- polling ---------------------------------------------------------------------------------


def test_a_poll_stores_items_validators_and_state_together(store: Store) -> None:
    kept = FetchState(BBC.url, '"W/abc"', "Mon, 04 May 2026 07:00:00 GMT", "f00d", NOW)
    hints = PollHints(60, frozenset({1, 2}), frozenset({"Sunday"}))
    new = store.record_poll(
        polled(
            BBC, item(1), item(2), fetches=(kept,), hints=hints, newest_item_at=NOW - HOUR, usual_gap_hours=5
        )
    )
    assert new == 2
    assert store.fetch_states([BBC.url, "https://unknown.example/"]) == {BBC.url: kept}
    after = state(store, BBC)
    assert (after.state, after.last_ok_at, after.next_poll_at) == ("ok", NOW, NOW + HOUR)
    assert (after.hints, after.newest_item_at) == (hints, NOW - HOUR)


def test_what_a_poll_does_not_know_is_kept(store: Store) -> None:
    hints = PollHints(60)
    store.record_poll(polled(BBC, hints=hints, newest_item_at=NOW, usual_gap_hours=5))
    store.record_poll(polled(BBC, at=NOW + HOUR, newest_item_at=NOW - DAY))
    after = state(store, BBC)
    assert (after.hints, after.newest_item_at) == (hints, NOW)


def test_a_failed_poll_keeps_the_last_good_one(store: Store) -> None:
    store.record_poll(polled(BBC))
    store.record_poll(
        polled(BBC, at=NOW + HOUR, ok=False, state="failing", state_reason="timeout", failures=1)
    )
    after = state(store, BBC)
    assert (after.last_ok_at, after.last_polled_at, after.failures) == (NOW, NOW + HOUR, 1)


def test_a_source_that_is_gone_is_never_due_again(store: Store) -> None:
    store.record_poll(polled(BBC, next_poll_at=None, state="gone"))
    assert "bbc" not in {each.source.id for each in store.due_sources(NOW + 100 * DAY)}


def test_a_redirect_is_polled_once_it_was_taken_over(store: Store) -> None:
    moved = {"permanent_url": "https://new.example/feed", "permanent_since": NOW}
    store.record_poll(polled(BBC, permanent_seen=4, **moved))
    assert state(store, BBC).url == BBC.url
    store.record_poll(polled(BBC, permanent_seen=5, **moved))
    assert state(store, BBC).url == "https://new.example/feed"


def test_a_source_nobody_configured_stores_nothing(store: Store) -> None:
    stranger = replace(BBC, id="stranger")
    with pytest.raises(StoreError):
        store.record_poll(polled(stranger, item(1, stranger)))
    assert store.pending_count(NOW) == 0


# --- known items -----------------------------------------------------------------------------


def test_an_article_in_two_feeds_is_one_item_with_two_sightings(store: Store) -> None:
    shared = item("same", BBC)
    assert store.record_poll(polled(BBC, shared)) == 1
    assert store.record_poll(polled(NIKKEI, replace(shared, guid="other"))) == 0
    seen = store.life_of(shared.identity)
    assert seen
    assert [(each["source_id"], each["guid"]) for each in seen["sightings"]] == [
        ("bbc", "guid-same"),
        ("nikkei", "other"),
    ]


def test_known_tells_ids_of_this_source_and_addresses_of_anybody(store: Store) -> None:
    store.record_poll(polled(BBC, item(1), item(2)))
    pairs = [
        ("guid-1", "https://elsewhere.example/"),
        ("guid-9", item(2).identity),
        ("guid-8", "https://new.example/"),
    ]
    assert store.known("bbc", pairs) == ({"guid-1"}, {item(2).identity})
    assert store.known("meti", pairs) == (set(), {item(2).identity})


def test_a_sighting_of_a_known_item_is_noted_once_and_of_an_unknown_one_not(store: Store) -> None:
    store.record_poll(polled(BBC, item(1)))
    known = Sighting(item(1).identity, "again", "https://bbc.example/amp/1")
    for _ in range(2):
        store.record_poll(polled(METI, sightings=(known, Sighting("https://never.example/", "g", "u"))))
    life = store.life_of(item(1).identity)
    assert life
    assert [(each["source_id"], each["url"]) for each in life["sightings"]] == [
        ("bbc", item(1).url),
        ("meti", "https://bbc.example/amp/1"),
    ]


def test_recent_ids_are_the_newest(store: Store) -> None:
    store.record_poll(polled(BBC, item(1), item(2), at=NOW))
    store.record_poll(polled(BBC, item(3), at=NOW + HOUR))
    assert store.recent_guids("bbc", limit=1) == {"guid-3"}
    assert store.recent_guids("bbc") == {"guid-1", "guid-2", "guid-3"}
    assert store.recent_guids("meti") == frozenset()


def test_item_dates_come_newest_first_without_the_undated(store: Store) -> None:
    dates = [NOW - DAY, None, NOW - HOUR]
    store.record_poll(polled(BBC, *(item(n, published_at=date) for n, date in enumerate(dates))))
    assert store.item_dates("bbc") == [NOW - HOUR, NOW - DAY]
    assert store.item_dates("bbc", limit=1) == [NOW - HOUR]


def test_items_only_noted_are_not_pending_and_keep_no_text(store: Store) -> None:
    store.record_poll(polled(BBC, item(1, status="done", outcome="too-old", reason="old", content="long")))
    assert store.pending(NOW, 5) == []
    life = store.life_of(item(1).identity)
    assert life
    assert (life["item"]["outcome"], life["item"]["reason"], life["item"]["content"]) == (
        "too-old",
        "old",
        "",
    )


def test_a_thousand_items_are_one_quick_transaction(store: Store) -> None:
    assert store.record_poll(polled(BBC, *(item(n) for n in range(1000)))) == 1000
    pairs = [(f"guid-{n}", item(n).identity) for n in range(1000)]
    guids, identities = store.known("bbc", pairs)
    assert (len(guids), len(identities)) == (1000, 1000)


def test_the_state_of_a_source_can_change_outside_a_poll(store: Store) -> None:
    store.record_poll(polled(BBC))
    store.set_source_state("bbc", "silent", "nothing for 9 days", NOW + DAY)
    after = state(store, BBC)
    assert (after.state, after.state_reason) == ("silent", "nothing for 9 days")
    matched(store, BBC, 1)
    (health,) = (row for row in store.db.all("SELECT * FROM source_health WHERE id = 'bbc'"))
    assert (health["items"], health["matches"]) == (1, 1)
