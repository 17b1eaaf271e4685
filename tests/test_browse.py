"""The archive in a browser: what it tells, and how 日英 is found in it."""

from __future__ import annotations

import html
import re
import sqlite3
import urllib.request
from pathlib import Path

import pytest

pytest.importorskip("datasette", reason="the extra `browse` is not installed")

from monitor.browse.excerpts import excerpts
from monitor.store import open_store
from monitor.store.dictionary import relations
from tests import browse_kit
from tests.browse_kit import DAY, JAPANESE, NOW, QUERIES, Visitor, words
from tests.store_kit import BBC, SOURCES, matched

archive = browse_kit.archive
visitor = browse_kit.visitor


# --- what it tells ---------------------------------------------------------------------------


def test_home_tells_today_this_week_and_what_ails(visitor: Visitor) -> None:
    told = words(visitor.page("/"))
    assert "1 story today" in told
    assert "3 this week, 4 articles" in told
    assert "2 UK–Japan this week, 1 of high priority" in told
    assert "1 US–Japan this week" in told
    assert "The last 24 hours 日英が半導体で協力 METI" in told
    assert "2 outlets +4 title: Rapidus; +2 日英 near 半導体 high priority UK–Japan" in told
    assert told.index("Earlier this week") < told.index("IBM and AIST")
    assert re.search("日経 silent since .*: nothing for 9 days", told)


def test_home_of_an_old_or_empty_archive_says_so(tmp_path: Path) -> None:
    with open_store(tmp_path / "empty.db"):
        pass
    with open_store(tmp_path / "old.db") as store:
        store.sync_sources(SOURCES, NOW - 90 * DAY)
        matched(store, BBC, 1, title="Long ago", at=NOW - 80 * DAY)
    for name, expected in (
        ("empty", "Nothing has matched yet"),
        ("old", "The newest in the archive Nothing matched"),
    ):
        visitor = Visitor(tmp_path / f"{name}.db")
        assert expected in words(visitor.page("/"))
        assert visitor.get("/dashboard").status_code == 200
        visitor.close()


def test_the_dashboard_counts_weeks_topics_organisations_and_sources(visitor: Visitor) -> None:
    page = visitor.page("/dashboard")
    assert page.count("<svg") >= 1
    drawn = re.findall(r"<title>[^<]*: (\S+) (\d+)</title>", page)
    assert sum(int(n) for name, n in drawn if name == "UK–Japan") == 2
    assert sum(int(n) for name, n in drawn if name == "US–Japan") == 1
    told = words(page)
    assert "Semiconductors 2" in told
    assert "Rapidus 2" in told
    assert "1 silent" in told


def test_a_match_shows_its_reasons(visitor: Visitor) -> None:
    page = visitor.page("/match/1")
    told = words(page)
    assert "Why it matched" in told
    assert re.search(r"\+4 title: Rapidus uk-japan-chips", told)
    assert "6 score, high priority" in told
    assert "UK and Japan fund chips BBC" in told  # the other outlet
    assert re.search("Joined .* shares Rapidus", words(visitor.page("/match/2")))
    assert "In digest london" in told
    assert "£5m" in told
    assert "monitor explain 1" in told
    assert "https://meti.example/pact" in page


def test_evidence_is_marked_in_its_sentence(visitor: Visitor) -> None:
    found = excerpts("T", "前置き。日英両政府は半導体の研究で協力する。", [
        {"field": "text", "start": 4, "end": 6, "quote": "日英", "rule": "r"},
        {"field": "text", "start": 4, "end": 13, "quote": "日英両政府は半導体", "rule": "r"},
        {"field": "text", "start": 10, "end": 13, "quote": "半導体", "rule": "r"},
        {"field": "text", "start": 0, "end": 4, "quote": "gone", "rule": "r"},
    ])  # fmt: skip
    assert [text for text, marked in found[0].pieces if marked] == ["日英", "半導体"]
    assert "".join(text for text, _ in found[0].pieces) == "前置き。日英両政府は半導体の研究で協力する。"
    assert found[1].pieces == (("gone", True),)


def test_a_near_miss_says_what_it_lacked(visitor: Visitor) -> None:
    (row,) = visitor.rows("/monitor/near_misses.json?_shape=array")
    told = words(visitor.page(f"/item/{row['item_id']}"))
    assert "Why it nearly matched near-miss: 1 short of the threshold" in told


@pytest.mark.parametrize("path", ["/match/999", "/item/999", "/item/" + "9" * 30, "/match/x", "/nothing"])
def test_what_is_not_there_is_not_found(visitor: Visitor, path: str) -> None:
    assert visitor.get(path).status_code == 404


# --- finding ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "found"),
    [("日英", {JAPANESE}), ("半導体", {JAPANESE}), ("日英 半導体", {JAPANESE}),
     ('"semiconductor partnership"', {"UK and Japan fund chips"}), ("ＴＳＭＣ", {"UK and Japan fund chips"}),
     ("IBM OR 日英", {JAPANESE, "IBM and AIST"}), ("rugby", set())],
)  # fmt: skip
def test_the_search_box_finds_what_is_typed(visitor: Visitor, typed: str, found: set[str]) -> None:
    query = urllib.request.quote(typed)  # type: ignore[attr-defined]
    rows = visitor.rows(f"/monitor/matches_view.json?_shape=array&_search={query}")
    assert {row["title"] for row in rows} == found


@pytest.mark.parametrize("typed", ['"', "AND", "((", "*", "title:", "-x", "a" * 3000, "\0", "%", "' OR 1=1"])
def test_nothing_that_is_typed_breaks_the_search(visitor: Visitor, typed: str) -> None:
    query = urllib.request.quote(typed)  # type: ignore[attr-defined]
    assert visitor.get(f"/monitor/matches_view?_search={query}").status_code == 200
    assert visitor.get(f"/monitor/search?q={query}").status_code == 200


def test_facets_count_and_narrow(visitor: Visitor) -> None:
    answer = visitor.get("/monitor/matches_view.json").json()
    counted = {
        name: {each["value"]: each["count"] for each in facet["results"]}
        for name, facet in answer["facet_results"].items()
    }
    assert counted["corridors"] == {"uk-japan": 3, "us-japan": 1}
    assert counted["topics"] == {"semiconductors": 3, "ai": 1, "quantum": 1}
    assert counted["event"] == {"agreement": 3, "funding": 1}
    assert counted["source"] == {"BBC": 2, "METI": 1, "Paid news": 1}
    assert counted["country"] == {"uk": 2, "jp": 1, "us": 1}
    (link,) = [each["toggle_url"] for each in answer["facet_results"]["corridors"]["results"]
               if each["value"] == "us-japan"]  # fmt: skip
    narrowed = visitor.get(link).json()
    assert narrowed["filtered_table_rows_count"] == 1
    (chosen,) = narrowed["facet_results"]["corridors"]["results"]
    assert chosen["selected"]
    assert "us-japan" not in chosen["toggle_url"]


@pytest.mark.parametrize("asked", ["_facet_desk=[why]", "_facet_desk=[score]", "_facet_desk=lang"])
def test_a_facet_over_any_column_can_be_asked_for(visitor: Visitor, asked: str) -> None:
    answer = visitor.get(f"/monitor/matches_view.json?{asked}")
    assert answer.status_code == 200
    assert "corridors" in answer.json()["facet_results"]


def test_totals_are_those_of_the_rows(visitor: Visitor, archive: Path) -> None:
    """They are counted elsewhere than the rows are read; and what is narrowed is counted as narrowed."""
    with sqlite3.connect(archive) as plain:
        for view in ("matches_view", "near_misses"):
            (rows,) = plain.execute(f"SELECT count(*) FROM {view}").fetchone()
            assert visitor.get(f"/monitor/{view}.json").json()["filtered_table_rows_count"] == rows
    narrowed = visitor.get("/monitor/matches_view.json?country=uk").json()
    assert narrowed["filtered_table_rows_count"] == 2


@pytest.mark.parametrize("path", sorted(QUERIES.glob("*.sql")), ids=lambda path: path.stem)
def test_every_ready_question_is_served_from_its_file(visitor: Visitor, archive: Path, path: Path) -> None:
    with sqlite3.connect(archive) as plain:
        plain.row_factory = sqlite3.Row
        expected = [dict(row) for row in plain.execute(path.read_text("utf-8"), {"q": "日英"})]
    plain.close()
    hidden = {"recipient", "response", "error"}
    rows = visitor.rows(f"/monitor/{path.stem}.json?_shape=array&q=日英")
    assert [{k: v for k, v in row.items() if k not in hidden} for row in rows] == [
        {k: v for k, v in row.items() if k not in hidden} for row in expected
    ] or path.stem == "silent-sources"  # days since: the clock moves
    title = path.read_text("utf-8").splitlines()[0].strip("/* ")
    assert f"<h1>{html.escape(title)}</h1>" in visitor.page(f"/monitor/{path.stem}?q=日英")
    assert title in html.unescape(visitor.page("/monitor"))


def test_columns_are_explained_in_the_schema_s_words(visitor: Visitor) -> None:
    told = words(visitor.page("/monitor/matches_view"))
    (view,) = [relation for relation in relations() if relation.name == "matches_view"]
    for column in view.columns:
        assert f"{column.name} {column.meaning}" in told
