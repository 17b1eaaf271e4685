"""A clock that was ahead for a while and comes back leaves nothing waiting for a time that is far away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.model import PollHints, Processed
from monitor.store import Store, open_store
from tests import store_kit as kit
from tests.store_kit import DAY, HOUR, METI, NOW

AHEAD = NOW + 400 * DAY


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "monitor.db") as opened:
        yield kit.desk(opened, NOW - DAY)


def due(store: Store, now: datetime) -> set[str]:
    return {state.source.id for state in store.due_sources(now)}


def test_a_source_polled_ahead_is_asked_after_its_own_interval_and_not_before(store: Store) -> None:
    store.record_poll(kit.polled(METI, at=AHEAD))
    store.bring_back(NOW)
    assert METI.id not in due(store, NOW + HOUR / 2)
    assert METI.id in due(store, NOW + HOUR)


def test_a_feed_that_looked_asleep_to_the_wrong_clock_is_asked_as_often_as_configured(store: Store) -> None:
    store.record_poll(kit.polled(METI, at=AHEAD, next_poll_at=AHEAD + DAY))
    failing = kit.polled(kit.BBC, at=AHEAD, next_poll_at=AHEAD + DAY, ok=False, state="failing", failures=3)
    store.record_poll(failing)
    hinted = PollHints(ttl_minutes=600)
    store.record_poll(kit.polled(kit.NIKKEI, at=AHEAD, next_poll_at=AHEAD + DAY, hints=hinted))
    store.bring_back(NOW)
    assert METI.id in due(store, NOW + HOUR)
    assert kit.NIKKEI.id not in due(store, NOW + 9 * HOUR)
    assert kit.NIKKEI.id in due(store, NOW + 10 * HOUR)
    assert kit.BBC.id not in due(store, NOW + 23 * HOUR)


def test_a_source_configured_ahead_is_asked_at_once(tmp_path: Path) -> None:
    with open_store(tmp_path / "new.db") as store:
        kit.desk(store, AHEAD)
        store.bring_back(NOW)
        assert METI.id in due(store, NOW)


def test_plans_of_the_right_clock_stay(store: Store) -> None:
    store.record_poll(kit.polled(METI, at=NOW - HOUR / 2))
    assert store.bring_back(NOW) == 0
    assert METI.id not in due(store, NOW)
    assert METI.id in due(store, NOW + HOUR / 2)


def test_a_page_put_off_ahead_is_tried_now(store: Store) -> None:
    (item,) = kit.shown(store, METI, kit.item(1, METI))
    store.record_retry(item, "timeout", AHEAD + HOUR, AHEAD)
    store.bring_back(NOW)
    assert [pending.id for pending in store.pending(NOW, 10)] == [item]


def test_news_that_looked_old_to_a_clock_a_year_ahead_is_read_after_all(store: Store) -> None:
    (item,) = kit.shown(store, METI, kit.item(1, METI), at=AHEAD)
    store.record_outcome(Processed(item, "too-old", "published long before"), None, AHEAD)
    store.bring_back(NOW)
    (pending,) = store.pending(NOW, 10)
    assert (pending.id, pending.first_seen_at) == (item, NOW)


def test_a_match_and_a_digest_of_the_future_hold_up_no_digest(store: Store) -> None:
    store.digest_state("desk", NOW - DAY)
    kit.matched(store, METI, 1, at=NOW - HOUR)
    kit.sent(store, "desk", AHEAD)
    later = kit.matched(store, METI, 2, at=AHEAD, text="Another report, of fusion and of Kyoto.")
    store.bring_back(NOW)
    assert store.digest_state("desk", NOW).last_fire_at == NOW
    assert [entry.match_ids for entry in store.unclaimed("desk", NOW)] == [(later,)]


def test_a_message_put_off_or_leased_ahead_goes_out(store: Store) -> None:
    store.digest_state("desk", NOW - DAY)
    kit.matched(store, METI, 1, at=NOW - HOUR)
    made = kit.digest(store, "desk", NOW)
    rows = [kit.message(made, to) for to in ("a@example.org", "b@example.org")]
    store.record_digest(made, "1 story", [], rows, NOW, NOW)
    put_off, leased = store.claim_due(AHEAD, 300, 10)
    store.mark_retry(put_off.id, "451 later", AHEAD + HOUR, AHEAD)
    assert not store.claim_due(NOW, 300, 10)
    store.bring_back(NOW)
    assert {row.id for row in store.claim_due(NOW, 300, 10)} == {put_off.id, leased.id}


def test_a_clock_that_woke_up_in_1970_is_not_believed(store: Store) -> None:
    store.record_poll(kit.polled(METI, at=NOW))
    assert store.bring_back(datetime(1970, 1, 1, tzinfo=UTC)) == 0
    assert METI.id in due(store, NOW + HOUR)
