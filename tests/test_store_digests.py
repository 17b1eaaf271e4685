"""Claiming, composing and sending: once per digest, with what is new about a story."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.store import Store, open_store
from tests.store_kit import (
    BBC,
    DAY,
    HOUR,
    METI,
    MINUTE,
    NIKKEI,
    NOW,
    SEARCH,
    desk,
    digest,
    item,
    matched,
    message,
    money,
    polled,
    sent,
    shown,
    verdict,
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "monitor.db") as opened:
        desk(opened)
        opened.digest_state("london", NOW)
        yield opened


# --- what a digest has to say ----------------------------------------------------------------


def test_a_digest_s_window_starts_when_it_is_first_configured(store: Store) -> None:
    matched(store, BBC, 1, at=NOW + HOUR)
    state = store.digest_state("tokyo", NOW + 2 * HOUR)
    assert (state.configured_at, state.watermark_at, state.last_fire_at) == (
        NOW + 2 * HOUR,
        NOW + 2 * HOUR,
        None,
    )
    assert store.unclaimed("tokyo", NOW + DAY) == []
    assert len(store.unclaimed("london", NOW + DAY)) == 1
    assert store.digest_state("tokyo", NOW + DAY).configured_at == NOW + 2 * HOUR


def test_a_digest_nobody_configured_has_nothing(store: Store) -> None:
    matched(store, BBC, 1)
    assert store.unclaimed("unknown", NOW + DAY) == []


def test_an_entry_leads_with_the_official_source_and_names_the_others(store: Store) -> None:
    matched(store, BBC, 1, title="Press", published=NOW - 5 * HOUR, at=NOW)
    matched(store, SEARCH, 2, title="Wire", outlet="Kyodo", joins=1, at=NOW)
    matched(store, SEARCH, 3, title="Wire again", outlet="Kyodo", joins=1, at=NOW)
    matched(store, METI, 4, title="Ministry", text="経産省の発表", joins=1, at=NOW + MINUTE, lang="ja")
    (entry,) = store.unclaimed("london", NOW + HOUR)
    assert (entry.title, entry.source_name, entry.authority, entry.text) == (
        "Ministry",
        "METI",
        "official",
        "経産省の発表",
    )
    assert [(other.source_name, other.title) for other in entry.outlets] == [
        ("BBC", "Press"),
        ("Kyodo", "Wire"),
    ]
    assert (entry.match_ids, entry.matched_at, entry.update) == ((1, 2, 3, 4), NOW, "")
    assert [part.label for part in entry.parts] == ["title: Rapidus", "日英 near 半導体"]
    assert entry.evidence[0].quote == "日英半導体"


def test_an_entry_has_what_any_of_its_articles_has(store: Store) -> None:
    matched(store, METI, 1, judged=verdict(topics=("quantum",), score=5.0, organisations=("AIST",)))
    matched(store, BBC, 2, joins=1, judged=verdict(priority="high", corridors=("us-japan", "uk-japan"),
                                                   topics=("ai",), amounts=(money("£5m", 5e6),)))  # fmt: skip
    (entry,) = store.unclaimed("london", NOW + HOUR)
    assert (entry.priority, entry.score, entry.topics) == ("high", 6.0, ("ai", "quantum"))
    assert entry.corridors == ("uk-japan", "us-japan")
    assert entry.organisations == ("AIST", "Rapidus")
    assert [amount.text for amount in entry.amounts] == ["£5m"]


def test_two_stories_are_two_entries_by_time(store: Store) -> None:
    matched(store, BBC, "late", at=NOW + HOUR)
    matched(store, BBC, "early", at=NOW)
    assert [entry.title for entry in store.unclaimed("london", NOW + DAY)] == [
        "Headline early",
        "Headline late",
    ]


def test_what_comes_after_the_window_waits(store: Store) -> None:
    matched(store, BBC, 1, at=NOW)
    matched(store, NIKKEI, 2, joins=1, at=NOW + 2 * HOUR)
    (entry,) = store.unclaimed("london", NOW + HOUR)
    assert (entry.match_ids, entry.outlets) == ((1,), ())


def test_what_never_alerts_is_not_sent_but_is_an_outlet_of_its_story(store: Store) -> None:
    matched(store, BBC, 1, alert=False)
    assert store.unclaimed("london", NOW + HOUR) == []
    matched(store, NIKKEI, 2, joins=1)
    (entry,) = store.unclaimed("london", NOW + HOUR)
    assert (entry.match_ids, entry.source_name) == ((2,), "BBC")
    assert [other.source_name for other in entry.outlets] == ["日経"]


def test_what_one_outlet_says_in_two_languages_is_both_there(store: Store) -> None:
    matched(store, METI, 1)
    matched(store, METI, 2, joins=1, lang="ja", title="日英が合意")
    matched(store, METI, 3, joins=1, lang="ja", title="日英が合意(続報)")
    (entry,) = store.unclaimed("london", NOW + HOUR)
    assert [(other.lang, other.title) for other in entry.outlets] == [("ja", "日英が合意")]
    assert len(store.entries_between(NOW - HOUR, NOW)) == 1
    matched(store, BBC, 3, alert=False)
    assert len(store.entries_between(NOW - HOUR, NOW, silent_too=True)) == 2


def test_entries_between_claims_nothing_and_knows_its_bounds(store: Store) -> None:
    matched(store, BBC, 1, at=NOW)
    assert store.entries_between(NOW, NOW + HOUR) == []  # after, up to
    assert len(store.entries_between(NOW - HOUR, NOW)) == 1
    sent(store, "london", NOW + HOUR)
    assert len(store.entries_between(NOW - HOUR, NOW)) == 1


# --- claiming --------------------------------------------------------------------------------


def test_a_match_is_claimed_once_per_digest(store: Store) -> None:
    store.digest_state("tokyo", NOW)
    matched(store, BBC, 1, at=NOW)
    sent(store, "london", NOW + HOUR)
    assert store.unclaimed("london", NOW + DAY) == []
    assert len(store.unclaimed("tokyo", NOW + DAY)) == 1


def test_recording_a_digest_moves_its_clock_and_only_forward(store: Store) -> None:
    matched(store, BBC, 1)
    sent(store, "london", NOW + DAY)
    state = store.digest_state("london", NOW + DAY)
    assert (state.watermark_at, state.last_fire_at) == (NOW + DAY, NOW + DAY)
    late = replace(digest(store, "london", NOW + HOUR), id="late")
    assert store.record_digest(late, "", [], [], NOW + HOUR, NOW + HOUR)
    assert store.digest_state("london", NOW) == state


def test_the_same_digest_again_stores_nothing(store: Store) -> None:
    matched(store, BBC, 1)
    made = digest(store, "london", NOW + HOUR)
    claims = [(1, 1, "new")]
    assert store.record_digest(made, "s", claims, [message(made)], NOW, NOW + HOUR)
    assert not store.record_digest(made, "s", claims, [message(made, "b@example.org")], NOW, NOW + HOUR)
    assert [row["recipient"] for row in store.outbox_rows()] == ["desk@example.org"]


def test_a_digest_that_cannot_be_stored_claims_nothing(store: Store) -> None:
    matched(store, BBC, 1)
    made = digest(store, "london", NOW + HOUR)
    with pytest.raises(Exception, match="FOREIGN KEY"):
        store.record_digest(made, "s", [(1, 1, "new"), (99, 1, "new")], [message(made)], NOW, NOW + HOUR)
    assert len(store.unclaimed("london", NOW + HOUR)) == 1
    assert store.outbox_rows() == []
    assert store.digest_state("london", NOW).last_fire_at is None


def test_held_back_stories_stay_unclaimed_past_other_digests(store: Store) -> None:
    matched(store, BBC, "held")
    for day in range(1, 6):
        made = replace(digest(store, "london", NOW + day * DAY), id=f"other-{day}", entries=())
        store.record_digest(made, "", [], [], None, NOW + day * DAY)
    assert [entry.title for entry in store.unclaimed("london", NOW + 6 * DAY)] == ["Headline held"]


# --- updates ---------------------------------------------------------------------------------


def test_a_story_that_grows_is_an_update(store: Store) -> None:
    matched(store, METI, 1)
    sent(store, "london", NOW + HOUR)
    matched(store, BBC, 2, joins=1, at=NOW + 2 * HOUR)
    matched(store, NIKKEI, 3, joins=1, at=NOW + 2 * HOUR)
    (entry,) = store.unclaimed("london", NOW + 3 * HOUR)
    assert (entry.update, entry.match_ids) == ("+2 outlets", (2, 3))
    assert (entry.source_name, len(entry.outlets)) == ("METI", 2)
    sent(store, "london", NOW + 3 * HOUR)
    matched(store, SEARCH, 4, outlet="Kyodo", joins=1, at=NOW + 4 * HOUR)
    assert store.unclaimed("london", NOW + DAY)[0].update == "+1 outlet"


def test_the_update_is_this_digest_s_own(store: Store) -> None:
    store.digest_state("tokyo", NOW)
    matched(store, BBC, 1)
    sent(store, "london", NOW + HOUR)
    matched(store, NIKKEI, 2, joins=1, at=NOW + 2 * HOUR)
    assert store.unclaimed("london", NOW + DAY)[0].update == "+1 outlet"
    assert store.unclaimed("tokyo", NOW + DAY)[0].update == ""


@pytest.mark.parametrize("role", ["overflow", "filtered"])
def test_a_story_only_counted_or_kept_out_before_is_new_when_it_is_shown(store: Store, role: str) -> None:
    matched(store, BBC, 1)
    made = digest(store, "london", NOW + HOUR)
    store.record_digest(made, "", [(1, 1, role)], [], None, NOW + HOUR)
    matched(store, NIKKEI, 2, joins=1, at=NOW + 2 * HOUR)
    assert store.unclaimed("london", NOW + DAY)[0].update == ""


@pytest.mark.parametrize(
    ("before", "after", "note"),
    [
        pytest.param(
            (money("£4m", 4e6),), (money("£5m", 5e6),), "+1 outlet, amount now £5m", id="another sum"
        ),
        pytest.param((), (money("£5m", 5e6),), "+1 outlet, amount now £5m", id="first sum"),
        pytest.param((money("£5m", 5e6),), (money("£5 million", 5e6),), "+1 outlet", id="the same sum"),
        pytest.param((money("£5m", 5e6),), (), "+1 outlet", id="no sum"),
        pytest.param(
            (), (money("£1m", 1e6), money("£9m", 9e6)), "+1 outlet, amount now £9m", id="the largest"
        ),
    ],
)
def test_an_update_names_a_changed_amount(store: Store, before: tuple, after: tuple, note: str) -> None:  # type: ignore[type-arg]
    matched(store, BBC, 1, judged=verdict(amounts=before))
    sent(store, "london", NOW + HOUR)
    matched(store, NIKKEI, 2, joins=1, judged=verdict(amounts=after), at=NOW + 2 * HOUR)
    assert store.unclaimed("london", NOW + DAY)[0].update == note


def test_an_update_says_that_the_official_source_has_come(store: Store) -> None:
    matched(store, BBC, 1)
    sent(store, "london", NOW + HOUR)
    matched(store, METI, 2, joins=1, at=NOW + 2 * HOUR)
    (entry,) = store.unclaimed("london", NOW + DAY)
    assert (entry.update, entry.source_name) == ("+1 outlet, official source: METI", "METI")


def test_another_article_of_the_same_outlet_is_said_to_be_one(store: Store) -> None:
    matched(store, BBC, 1)
    sent(store, "london", NOW + HOUR)
    matched(store, BBC, 2, joins=1, at=NOW + 2 * HOUR)
    assert store.unclaimed("london", NOW + DAY)[0].update == "+1 article"


def test_mails_about_a_story_are_found_for_threading(store: Store) -> None:
    matched(store, BBC, 1)
    first = sent(store, "london", NOW + HOUR)
    matched(store, NIKKEI, 2, joins=1, at=NOW + 2 * HOUR)
    second = sent(store, "london", NOW + 3 * HOUR)
    assert store.message_ids_for_story("london", 1) == [message(first).message_id, message(second).message_id]
    assert store.message_ids_for_story("tokyo", 1) == []


# --- counts ----------------------------------------------------------------------------------


def test_immediate_alerts_are_counted_from_a_moment(store: Store) -> None:
    for hour in (1, 2):
        made = replace(digest(store, "london", NOW + hour * HOUR), kind="immediate", id=f"a{hour}")
        store.record_digest(made, "", [], [], None, NOW + hour * HOUR)
    assert store.immediate_count("london", NOW) == 2
    assert store.immediate_count("london", NOW + 2 * HOUR) == 1


def test_weekly_counts_are_stories_by_their_first_week(store: Store) -> None:
    matched(store, BBC, 1, at=NOW)
    matched(store, NIKKEI, 2, joins=1, at=NOW + 7 * DAY)
    matched(store, BBC, 3, at=NOW + 6 * DAY + 15 * HOUR, judged=verdict(topics=("ai", "quantum")))
    matched(store, BBC, 4, at=NOW + 7 * DAY)
    assert store.weekly_counts(NOW - DAY, NOW + 9 * DAY) == [
        ("2026-05-04", "uk-japan", 2),
        ("2026-05-04", "ai", 1),
        ("2026-05-04", "quantum", 1),
        ("2026-05-04", "semiconductors", 1),
        ("2026-05-11", "semiconductors", 1),
        ("2026-05-11", "uk-japan", 1),
    ]


def test_coverage_counts_what_was_read_and_names_what_was_not(store: Store) -> None:
    store.record_poll(polled(BBC))
    store.record_poll(polled(NIKKEI, ok=False, state="failing", state_reason="timeout", failures=3))
    store.record_poll(polled(SEARCH, state="silent", state_reason="nothing for 9 days"))
    coverage = store.coverage(NOW + HOUR)
    assert (coverage.sources, coverage.read, coverage.dead_letters) == (4, 2, 0)
    assert coverage.failing == (("日経", "timeout", NOW),)
    assert coverage.silent == (("News search", "nothing for 9 days", NOW),)
    assert store.coverage(NOW + 5 * DAY).read == 0  # nothing has been read since


# --- the outbox ------------------------------------------------------------------------------


@pytest.fixture
def waiting(store: Store) -> Store:
    """Two messages of one digest wait."""
    matched(store, BBC, 1)
    made = digest(store, "london", NOW)
    rows = [message(made, "a@example.org"), message(made, "b@example.org")]
    store.record_digest(made, "s", [(1, 1, "new")], rows, NOW, NOW)
    return store


def test_a_message_is_leased_to_one_sender(waiting: Store) -> None:
    first, second = waiting.claim_due(NOW, 60, 10)
    assert (first.recipient, first.attempts, first.payload) == ("a@example.org", 1, {"text": "日英"})
    assert (second.recipient, second.created_at) == ("b@example.org", NOW)
    assert waiting.claim_due(NOW + 59 * MINUTE / 60, 60, 10) == []


def test_a_message_whose_sender_died_is_sent_again_under_the_same_key(waiting: Store) -> None:
    (first,) = waiting.claim_due(NOW, 60, 1)
    again = waiting.claim_due(NOW + MINUTE, 60, 10)[0]
    assert (again.key, again.message_id, again.attempts) == (first.key, first.message_id, 2)


def test_a_sent_message_is_done_and_the_match_says_when(waiting: Store) -> None:
    for row in waiting.claim_due(NOW, 60, 10):
        waiting.mark_sent(row.id, "250 queued", NOW + MINUTE)
    assert waiting.claim_due(NOW + DAY, 60, 10) == []
    assert waiting.next_outbox_at() is None
    assert next(waiting.matches())["sent_at"] == "2026-05-04T08:01:00Z"
    assert {row["response"] for row in waiting.outbox_rows("sent")} == {"250 queued"}


def test_a_match_only_counted_is_not_said_to_be_sent(store: Store) -> None:
    matched(store, BBC, 1)
    made = digest(store, "london", NOW)
    store.record_digest(made, "s", [(1, 1, "overflow")], [message(made)], NOW, NOW)
    for row in store.claim_due(NOW, 60, 10):
        store.mark_sent(row.id, "250", NOW)
    assert next(store.matches())["sent_at"] is None


def test_a_refused_message_waits_for_its_time(waiting: Store) -> None:
    for row in waiting.claim_due(NOW, 60, 10):
        waiting.mark_retry(row.id, "451 later", NOW + HOUR, NOW)
    assert waiting.next_outbox_at() == NOW + HOUR
    assert waiting.claim_due(NOW + 59 * MINUTE, 60, 10) == []
    assert [row.attempts for row in waiting.claim_due(NOW + HOUR, 60, 10)] == [2, 2]


def test_a_dead_message_is_seen_and_can_be_brought_back(waiting: Store) -> None:
    for row in waiting.claim_due(NOW, 60, 10):
        waiting.mark_dead(row.id, "550 no such user", NOW)
    assert waiting.next_outbox_at() is None
    assert waiting.coverage(NOW).dead_letters == 2
    assert waiting.requeue(None, NOW + HOUR) == 2
    assert waiting.next_outbox_at() == NOW + HOUR
    assert [row.attempts for row in waiting.claim_due(NOW + HOUR, 60, 10)] == [1, 1]


def test_a_dropped_message_stays_dropped(waiting: Store) -> None:
    ids = [row["id"] for row in waiting.outbox_rows()]
    assert waiting.drop([ids[0]], NOW) == 1
    assert len(waiting.claim_due(NOW, 60, 10)) == 1
    assert waiting.drop(ids, NOW) == 0  # one is dropped already, one is on its way
    waiting.mark_retry(ids[0], "x", NOW, NOW)
    assert [row["id"] for row in waiting.outbox_rows("dropped")] == [ids[0]]
    assert waiting.requeue([ids[0]], NOW) == 1


def test_next_outbox_at_knows_leases(waiting: Store) -> None:
    assert waiting.next_outbox_at() == NOW
    waiting.claim_due(NOW, 300, 10)
    assert waiting.next_outbox_at() == NOW + 5 * MINUTE


def test_an_item_tells_where_it_went(waiting: Store) -> None:
    (item_id,) = shown(waiting, BBC, item("other"))
    for row in waiting.claim_due(NOW, 60, 10):
        waiting.mark_sent(row.id, "250", NOW)
    life = waiting.life_of(item(1).canonical_url)
    assert life
    assert [(claim["digest_name"], claim["role"]) for claim in life["claims"]] == [("london", "new")]
    assert [row["recipient"] for row in life["outbox"]] == ["a@example.org", "b@example.org"]
    other = waiting.life_of(item_id)
    assert other
    assert (other["claims"], other["outbox"], other["match"]) == ([], [], None)
