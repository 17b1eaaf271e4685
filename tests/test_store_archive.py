"""Asking what is stored: filters, the life of an article, judgements, history, status, housekeeping."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from monitor.errors import InputError, StoreError
from monitor.model import FetchState
from monitor.store import MatchFilter, Store, open_store
from tests.store_kit import (
    BBC,
    DAY,
    HOUR,
    METI,
    NIKKEI,
    NOW,
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
        yield desk(opened)


# --- filters ---------------------------------------------------------------------------------


@pytest.fixture
def archive(store: Store) -> Store:
    matched(store, BBC, "old", at=NOW - 10 * DAY, judged=verdict(score=3.0, priority="low"))
    matched(store, METI, "quantum", text="量子の合意", lang="ja",
            judged=verdict(topics=("quantum", "ai"), corridors=("us-japan", "uk-japan"), event="funding",
                           organisations=("AIST", "Rapidus Corporation"),
                           amounts=(money("£5m", 5e6),)))  # fmt: skip
    matched(store, NIKKEI, "joined", joins=1, judged=verdict(priority="high"))
    return store


@pytest.mark.parametrize(
    ("wanted", "titles"),
    [
        pytest.param(MatchFilter(), ["joined", "quantum", "old"], id="all, newest first"),
        pytest.param(MatchFilter(corridor="us-japan"), ["quantum"], id="corridor"),
        pytest.param(MatchFilter(topic="ai"), ["quantum"], id="topic"),
        pytest.param(MatchFilter(event="funding"), ["quantum"], id="event"),
        pytest.param(MatchFilter(priority="high"), ["joined"], id="priority"),
        pytest.param(MatchFilter(country="uk"), ["old"], id="country"),
        pytest.param(MatchFilter(lang="ja"), ["quantum"], id="language"),
        pytest.param(MatchFilter(source="meti"), ["quantum"], id="source by id"),
        pytest.param(MatchFilter(source="日経"), ["joined"], id="source by name"),
        pytest.param(MatchFilter(organisation="rapidus corp"), ["quantum"], id="a part of an organisation"),
        pytest.param(MatchFilter(query="量子"), ["quantum"], id="words"),
        pytest.param(MatchFilter(query="!!"), [], id="no words"),
        pytest.param(MatchFilter(since=NOW - DAY), ["joined", "quantum"], id="since"),
        pytest.param(MatchFilter(until=NOW), ["old"], id="until"),
        pytest.param(MatchFilter(min_score=4.0), ["joined", "quantum"], id="score"),
        pytest.param(MatchFilter(min_score=0.0), ["joined", "quantum", "old"], id="score of zero"),
        pytest.param(MatchFilter(story_id=1), ["joined", "old"], id="story"),
        pytest.param(MatchFilter(limit=1), ["joined"], id="first page"),
        pytest.param(MatchFilter(limit=1, offset=1), ["quantum"], id="second page"),
        pytest.param(MatchFilter(topic="semiconductors", country="jp"), ["joined"], id="both must hold"),
        pytest.param(MatchFilter(topic="' OR 1 --"), [], id="no way in"),
    ],
)
def test_filters(archive: Store, wanted: MatchFilter, titles: list[str]) -> None:
    assert [row["title"].removeprefix("Headline ") for row in archive.matches(wanted)] == titles


def test_the_view_has_the_columns_it_promises_in_their_order(archive: Store) -> None:
    promised = """id item_id matched_at published_at source country lang title url corridors topics event
        score priority why organisations amounts story_id outlets sent_at"""
    (row, *_) = archive.db.all("SELECT * FROM matches_view")
    assert list(row.keys()) == promised.split()
    assert json.loads(row["organisations"]) == ["Rapidus"]


def test_rows_for_people_have_lists(archive: Store) -> None:
    (row,) = archive.matches(MatchFilter(event="funding"))
    assert row["topics"] == ["quantum", "ai"]
    assert row["amounts"] == [{"text": "£5m", "currency": "GBP", "value": 5e6}]


@pytest.mark.parametrize("view", ["matches_view", "near_misses", "delivery_log"])
def test_the_first_page_of_a_view_needs_no_sorting_and_reads_no_whole_table(
    archive: Store, view: str
) -> None:
    plan = [row["detail"] for row in archive.db.all(f"EXPLAIN QUERY PLAN SELECT * FROM {view} LIMIT 101")]
    assert not any("TEMP B-TREE" in step for step in plan)
    scans = [step for step in plan if step.startswith("SCAN")]
    assert len(scans) == 1  # the leading table, from its newest row


# --- the life of an article ------------------------------------------------------------------


@pytest.mark.parametrize(
    "how",
    ["1", 1, "https://bbc.example/1", "https://bbc.example/1?utm_source=rss", "https://bbc.example/1#top"],
)
def test_an_article_is_found_by_number_and_by_any_of_its_addresses(store: Store, how: str | int) -> None:
    matched(store, BBC, 1)
    life = store.life_of(how)
    assert life
    assert life["item"]["title"] == "Headline 1"


@pytest.mark.parametrize("how", ["99", 99, "https://never.example/", "", "not an address", "9" * 30])
def test_what_was_never_seen_has_no_life(store: Store, how: str | int) -> None:
    matched(store, BBC, 1)
    assert store.life_of(how) is None


def test_the_life_of_a_match_is_told_from_first_sight_to_delivery(store: Store) -> None:
    store.digest_state("london", NOW)
    matched(store, METI, 1)
    matched(store, BBC, 2, joins=1)
    sent(store, "london", NOW + HOUR)
    store.feedback(2, "good", now=NOW + DAY, note="spot on")
    life = store.life_of(2)
    assert life
    assert json.dumps(life)  # plain values throughout
    assert life["item"]["source_name"] == "BBC"
    assert life["sightings"][0]["seen_at"] == "2026-05-04T08:00:00Z"
    assert life["article"]["chars"] > 0
    assert "text" not in life["article"]
    assert life["verdicts"][0]["score"] == sum(part["weight"] for part in life["verdicts"][0]["parts"])
    assert (life["joins"][0]["decision"], life["joins"][0]["other_title"]) == ("joined", "Headline 1")
    assert len(life["story"]["members"]) == 2
    assert life["outbox"][0]["status"] == "sent"
    assert life["feedback"][0]["note"] == "spot on"


# --- judgements and history ------------------------------------------------------------------


def test_the_newest_judgement_of_an_article_counts(store: Store) -> None:
    matched(store, BBC, 1, text="The text.")
    shown(store, BBC, item(2))
    store.feedback(1, "good", now=NOW)
    store.feedback(1, "bad", now=NOW)
    store.feedback(2, "missed", now=NOW)
    store.feedback(None, "missed", now=NOW, url="https://never.example/seen")
    judged = [
        (each["url"], each["judgement"], each["match"], each["text"], each["basis"])
        for each in store.judged()
    ]
    assert judged == [
        ("https://bbc.example/1", "bad", False, "The text.", "text"),
        (item(2).url, "missed", True, "Teaser 2", "teaser"),
        ("https://never.example/seen", "missed", True, "", "teaser"),
    ]


@pytest.mark.parametrize(
    ("item_id", "judgement", "message"),
    [(99, "good", "no item 99"), (1, "great", "none of good, bad, missed"), (None, "bad", "needs an item")],
)
def test_a_judgement_of_nothing_is_refused(
    store: Store, item_id: int | None, judgement: str, message: str
) -> None:
    matched(store, BBC, 1)
    with pytest.raises(InputError, match=message):
        store.feedback(item_id, judgement, now=NOW)


def test_history_gives_every_item_read_with_the_text_there_is(store: Store) -> None:
    matched(store, BBC, 1, text="Kept text.", at=NOW - 3 * DAY)
    matched(store, METI, 2, near_miss=True)
    noted = [item(n, NIKKEI, status="done", outcome="no-match") for n in range(600)]
    store.record_poll(polled(NIKKEI, *noted))
    shown(store, BBC, item("pending"))
    rows = list(store.history())
    assert len(rows) == 602
    assert (rows[0]["text"], rows[0]["basis"], rows[0]["outcome"]) == ("Kept text.", "text", "match")
    assert (rows[-1]["text"], rows[-1]["basis"], rows[-1]["source_id"]) == ("Teaser 599", "teaser", "nikkei")
    assert len(list(store.history(NOW - DAY))) == 601


# --- status, state, runs ---------------------------------------------------------------------


def test_status_is_plain_and_whole(store: Store) -> None:
    store.digest_state("london", NOW)
    matched(store, BBC, 1)
    matched(store, METI, 2, near_miss=True)
    store.record_poll(polled(NIKKEI, item(3, NIKKEI), state="failing", state_reason="timeout", ok=False))
    made = digest(store, "london", NOW + HOUR)
    store.record_digest(made, "s", [], [message(made)], NOW, NOW)
    store.record_run("cycle", NOW, NOW + HOUR, True, {"new": 3})
    store.heartbeat(NOW)
    told = store.status(NOW)
    assert json.loads(json.dumps(told)) == told
    counts = {
        key: told[key] for key in ("items", "matches", "stories", "near_misses", "pending", "pending_due")
    }
    assert counts == {
        "items": 3,
        "matches": 1,
        "stories": 1,
        "near_misses": 1,
        "pending": 1,
        "pending_due": 1,
    }
    assert told["sources"] == {"total": 4, "ok": 2, "failing": 1, "new": 1}
    assert [(each["id"], each["reason"]) for each in told["troubled"]] == [("nikkei", "timeout")]
    assert told["outbox"] == {"pending": 1}
    assert told["digests"][0]["last_id"] == made.id
    assert told["runs"][0]["kind"] == "cycle"
    assert (told["last_poll_at"], told["heartbeat_at"]) == ("2026-05-04T08:00:00Z", "2026-05-04T08:00:00Z")
    assert store.heartbeat_at() == NOW


def test_status_of_a_new_database(store: Store) -> None:
    told = store.status(NOW)
    assert (told["items"], told["last_poll_at"], told["heartbeat_at"], told["runs"]) == (0, None, None, [])


def test_small_facts_are_kept_and_replaced(store: Store) -> None:
    assert store.get_state("x") is None
    store.put_state("x", "1", NOW)
    store.put_state("x", "2", NOW)
    assert store.get_state("x") == "2"


# --- housekeeping ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Keep:
    """A retention policy; 0 keeps for ever."""

    items_days: int = 0
    near_miss_days: int = 0
    match_text_days: int = 0
    outbox_days: int = 0
    runs_days: int = 0


@pytest.fixture
def old(store: Store) -> Store:
    """A hundred days ago: a match, a near miss, items that came to nothing, a digest, a run."""
    then = NOW - 100 * DAY
    store.digest_state("london", then)
    matched(store, BBC, "match", text="quantum 量子", at=then)
    matched(store, METI, "near", text="nearly 惜しい", at=then, near_miss=True)
    nothing = [item(n, NIKKEI, status="done", outcome="no-match") for n in range(3)]
    fetches = (FetchState("https://nikkei.example/", '"x"', "", "", then),)
    store.record_poll(polled(NIKKEI, *nothing, at=then, fetches=fetches))
    sent(store, "london", then + HOUR)
    store.record_run("cycle", then, then, True, {})
    return store


EVERYTHING = Keep(90, 90, 90, 90, 90)


def test_pruning_forgets_each_kind_by_its_own_days(old: Store) -> None:
    would = old.prune(EVERYTHING, NOW, dry_run=True)
    assert would == {
        "items": 4,
        "near_miss_texts": 1,
        "match_texts": 1,
        "messages": 1,
        "runs": 1,
        "fetches": 1,
    }
    assert old.prune(EVERYTHING, NOW) == would | {"near_miss_texts": 0}  # gone with its item
    assert old.prune(EVERYTHING, NOW) == dict.fromkeys(would, 0)
    assert old.check() == []


def test_matches_and_the_proof_of_their_delivery_are_never_forgotten(old: Store) -> None:
    old.prune(EVERYTHING, NOW)
    (row,) = old.matches()
    assert (row["title"], row["sent_at"]) == ("Headline match", "2026-01-24T09:00:00Z")
    assert old.outbox_rows()[0]["status"] == "sent"
    assert [each["title"] for each in old.search("title:match")] == ["Headline match"]
    assert old.search("quantum") == []


def test_the_text_of_near_misses_can_go_before_them(old: Store) -> None:
    assert old.prune(Keep(near_miss_days=90), NOW)["near_miss_texts"] == 1
    assert [row["title"] for row in old.near_misses()] == ["Headline near"]
    assert old.search("惜しい") == []
    assert len(old.search("量子")) == 1
    assert old.check() == []


@pytest.mark.parametrize("policy", [Keep(), Keep(365, 365, 365, 365, 365)], ids=["for ever", "younger"])
def test_what_is_not_old_enough_stays(old: Store, policy: Keep) -> None:
    assert set(old.prune(policy, NOW).values()) == {0}


def test_a_judged_article_is_not_forgotten(old: Store) -> None:
    near = old.near_misses()[0]["item_id"]
    old.feedback(near, "missed", now=NOW)
    assert old.prune(Keep(items_days=90), NOW)["items"] == 3
    assert old.life_of(near)


def test_many_old_items_go_in_small_transactions(store: Store) -> None:
    then = NOW - 100 * DAY
    store.record_poll(
        polled(BBC, *(item(n, status="done", outcome="no-match") for n in range(1200)), at=then)
    )
    assert store.prune(EVERYTHING, NOW)["items"] == 1200
    assert store.db.value("SELECT count(*) FROM sightings") == 0


def test_pending_items_are_never_forgotten(store: Store) -> None:
    shown(store, BBC, item(1), at=NOW - 900 * DAY)
    store.prune(EVERYTHING, NOW)
    assert store.pending_count(NOW) == 1


def test_a_backup_is_whole_while_the_worker_writes(old: Store, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    old.backup(target)
    matched(old, BBC, "later")
    with open_store(target) as copy:
        assert [row["title"] for row in copy.matches()] == ["Headline match"]
        assert copy.check() == []
        assert len(copy.search("量子")) == 1
    old.backup(target)  # again, to the same file
    with open_store(target) as copy:
        assert len(list(copy.matches())) == 2
    assert sorted(path.name for path in tmp_path.glob("copy*")) == ["copy.db"]


def test_a_copy_can_be_read_by_nobody_who_could_not_read_the_original(old: Store, tmp_path: Path) -> None:
    old.path.chmod(0o640)
    old.backup(tmp_path / "copy.db")
    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("name", ["monitor.db", "notes.txt", "folder", "missing/copy.db"])
def test_a_backup_overwrites_nothing_but_a_database(store: Store, tmp_path: Path, name: str) -> None:
    (tmp_path / "notes.txt").write_text("dear diary")
    (tmp_path / "folder").mkdir()
    with pytest.raises(StoreError, match=r"name another file|no folder"):
        store.backup(tmp_path / name)
    assert (tmp_path / "notes.txt").read_text() == "dear diary"


def test_check_reports_what_points_nowhere(old: Store) -> None:
    other = sqlite3.connect(old.path)  # foreign keys are off there, as in many tools
    other.execute("DELETE FROM items WHERE id = 1")
    other.commit()
    other.close()
    problems = old.check()
    assert any("of matches points at a row missing from items" in problem for problem in problems)


def test_restoring_is_copying_the_backup_into_place(old: Store, tmp_path: Path) -> None:
    old.backup(tmp_path / "copy.db")
    (tmp_path / "restored").mkdir()
    (tmp_path / "copy.db").rename(tmp_path / "restored" / "monitor.db")
    with open_store(tmp_path / "restored" / "monitor.db") as restored:
        assert restored.digest_state("london", NOW) == old.digest_state("london", NOW)
