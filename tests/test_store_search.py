"""Full-text search, English and Japanese, and an index that stays right."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.store import MatchFilter, Store, open_store
from monitor.store.search import index, unindex
from monitor.store.snippets import Snippets, fold
from monitor.store.words import parse
from tests.store_kit import BBC, METI, NIKKEI, desk, matched

QUERIES = Path(__file__).parent.parent / "storage" / "queries"

JA = (
    "日英両政府は四日、半導体の研究開発で協力すると発表した。"
    "ラピダスとTSMCの名も挙がる。つくばのAISTが加わる。"
)
EN = "The UK and Japan signed a semiconductor partnership in London. Rapidus will work with Imec."
US = "U.S. officials met in Tokyo. A quantum partnership was not signed; semiconductors came up."
WIDE = "ＴＳＭＣは熊本に第二工場を建設する。ﾗﾋﾟﾀﾞｽは千歳市。"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "monitor.db") as opened:
        desk(opened)
        matched(opened, NIKKEI, "ja", title="日英が半導体で協力", text=JA, lang="ja")
        matched(opened, BBC, "en", title="UK and Japan sign chip pact", text=EN)
        matched(opened, BBC, "us", title="US and Japan talk", text=US)
        matched(opened, METI, "wide", title="第二工場", text=WIDE, lang="ja", near_miss=True)
        yield opened


def titles(store: Store, query: str) -> set[str]:
    return {found["title"] for found in store.search(query)}


JA_TITLE, EN_TITLE, US_TITLE, WIDE_TITLE = (
    "日英が半導体で協力",
    "UK and Japan sign chip pact",
    "US and Japan talk",
    "第二工場",
)
FOUND = [
    ("日英", {JA_TITLE}),
    ("半導体", {JA_TITLE}),
    ("ラピダス", {JA_TITLE, WIDE_TITLE}),
    ("ﾗﾋﾟﾀﾞｽ", {JA_TITLE, WIDE_TITLE}),
    ("ＴＳＭＣ", {JA_TITLE, WIDE_TITLE}),
    ("tsmc", {JA_TITLE, WIDE_TITLE}),
    ("TSMC 半導体", {JA_TITLE}),
    ("TSMC熊本", {WIDE_TITLE}),  # "TSMCは熊本": a particle alone does not count
    ("つくば", {JA_TITLE}),
    ("研究開発で協力", {JA_TITLE}),
    ("英政府", set()),
    ("協力 Japan", set()),
    ('"semiconductor partnership"', {EN_TITLE}),
    ("semiconductor partnership", {EN_TITLE}),
    ("partnership", {EN_TITLE, US_TITLE}),
    ("semiconductor*", {EN_TITLE, US_TITLE}),
    ("US", {US_TITLE}),
    ("U.S.", {US_TITLE}),
    ("the UK", {EN_TITLE}),
    ('"signed a semiconductor"', {EN_TITLE}),
    ("partnership -quantum", {EN_TITLE}),
    ("quantum OR 半導体", {US_TITLE, JA_TITLE}),
    ("title:Japan", {EN_TITLE, US_TITLE}),
    ("title:Rapidus", set()),
    ("「半導体」", {JA_TITLE}),
    ("", set()),
    ("the", set()),
    ("の", set()),
    ("-quantum", set()),
    ('"', set()),
]


@pytest.mark.parametrize(("query", "expected"), FOUND, ids=[query or "nothing" for query, _ in FOUND])
def test_as_typed_it_is_found(store: Store, query: str, expected: set[str]) -> None:
    assert titles(store, query) == expected


def test_results_are_ranked_and_say_what_they_are(store: Store) -> None:
    best, *_ = found = store.search("Japan sign")
    assert best["title"] == EN_TITLE
    assert len(found) == 1
    assert (best["outcome"], best["corridors"], best["source"], best["country"]) == (
        "match",
        ["uk-japan"],
        "BBC",
        "uk",
    )
    (near,) = store.search("熊本")
    assert (near["outcome"], near["match_id"], near["corridors"]) == ("near-miss", None, [])
    assert len(store.search("Japan", limit=1)) == 1


def test_a_title_weighs_more_than_a_mention(store: Store) -> None:
    matched(
        store, BBC, "mention", title="Markets today", text="Shares rose. " * 50 + "A chip pact was mentioned."
    )
    assert [each["title"] for each in store.search("chip pact")] == [EN_TITLE, "Markets today"]


# --- snippets --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "text", "marked"),
    [
        pytest.param("日英", JA, ["日英"], id="two characters"),
        pytest.param("日英 TSMC", JA, ["日英", "TSMC"], id="mixed"),
        pytest.param("ＴＳＭＣ", "and ＴＳＭＣ too", ["ＴＳＭＣ"], id="full width stays as it was"),
        pytest.param("ラピダス", "株 ﾗﾋﾟﾀﾞｽ は", ["ﾗﾋﾟﾀﾞｽ"], id="half width stays as it was"),
        pytest.param("US", "the U.S. side", ["U.S"], id="dotted"),
        pytest.param("us", "discuss the bus", [], id="not inside words"),
        pytest.param(
            '"research and development"',
            "research and development",
            ["research and development"],
            id="phrase",
        ),
        pytest.param("研究の協力", "研究の協力", ["研究の協力"], id="with its particle"),
        pytest.param("semi*", "Semiconductors", ["Semi"], id="beginning"),
    ],
)
def test_a_snippet_is_from_the_original_text(query: str, text: str, marked: list[str]) -> None:
    snippet, hits = Snippets(parse(query).phrases).of(text)
    assert [snippet[start:end] for start, end in hits] == marked


def test_a_snippet_shows_the_place_with_most_of_the_words() -> None:
    text = "Rapidus. " + "Nothing here. " * 40 + "Rapidus and quantum together. " + "Nothing more. " * 40
    snippet, hits = Snippets(parse("Rapidus quantum").phrases).of(text)
    assert [snippet[start:end] for start, end in hits] == ["Rapidus", "quantum"]
    assert snippet.startswith("…")
    assert snippet.endswith("…")
    assert "\n" not in snippet


def test_a_snippet_of_a_huge_article_takes_no_time() -> None:
    text = "ﾗﾋﾟﾀﾞｽ の ---- " * 300_000
    started = time.monotonic()
    _, hits = Snippets(parse("ラピダス の の ラピダス quantum").phrases).of(text)
    assert time.monotonic() - started < 60
    assert hits


@given(st.text(max_size=300))
@settings(max_examples=200)
def test_folding_keeps_track_of_every_character(text: str) -> None:
    folded, origin = fold(text)
    assert len(origin) == len(folded) + 1
    assert list(origin) == sorted(origin)


# --- nothing a person types is an error ------------------------------------------------------

TYPED = st.one_of(
    st.text(max_size=60),
    st.lists(
        st.sampled_from(
            [
                '"',
                "OR",
                "AND",
                "NOT",
                "-",
                "*",
                "(",
                ")",
                "日英",
                "title:",
                "^",
                "NEAR(",
                "a",
                "\x00",
                ":",
                "{",
            ]
        ),
        max_size=12,
    ).map(" ".join),
)


@given(TYPED)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_a_query(store: Store, typed: str) -> None:
    for found in store.search(typed):
        assert found["title"]
    list(store.matches(MatchFilter(query=typed)))


def test_a_very_long_query_is_answered(store: Store) -> None:
    assert store.search("日英 " * 10_000)
    assert store.search("(" * 100_000) == []


# --- the shipped query does the same ---------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (query, found)
        for query, found in FOUND
        if not any(each in query for each in ("*", "OR", "-", ":", "ﾗ"))
    ],
)
def test_the_shipped_query_finds_what_search_finds(store: Store, query: str, expected: set[str]) -> None:
    rows = store.db.all((QUERIES / "search.sql").read_text("utf-8"), {"q": query})
    assert {row["title"] for row in rows} == expected


@given(TYPED)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_shipped_query_takes_any_text(store: Store, typed: str) -> None:
    store.db.all(
        (QUERIES / "search.sql").read_text("utf-8"), {"q": typed.encode("utf-8", "replace").decode()}
    )


def test_the_shipped_query_shows_the_place(store: Store) -> None:
    (row,) = store.db.all((QUERIES / "search.sql").read_text("utf-8"), {"q": "研究開発"})
    assert "研究開発" in row["snippet"]


# --- the index stays right -------------------------------------------------------------------


def words_of(store: Store) -> list[tuple[object, ...]]:
    """Every word with its places, as the index has it."""
    store.db.run("CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab(main, search, instance)")
    rows = [
        tuple(row)
        for row in store.db.all("SELECT term, doc, col, offset FROM temp.vocabulary ORDER BY 1, 2, 3, 4")
    ]
    store.db.run("DROP TABLE temp.vocabulary")
    return rows


def test_the_index_after_changes_is_the_index_made_anew(store: Store) -> None:
    ids = [row["item_id"] for row in store.db.all("SELECT item_id FROM articles")]
    with store.write():
        unindex(store.db, ids[:2])
        store.db.run("UPDATE articles SET text = 'changed 変更' WHERE item_id = ?", [ids[0]])
        store.db.run("DELETE FROM articles WHERE item_id = ?", [ids[1]])
        index(store.db, ids[:2])
    assert titles(store, "変更") == {JA_TITLE}
    assert store.check() == []
    kept = words_of(store)
    assert store.reindex() == 3
    assert words_of(store) == kept


def test_a_damaged_index_is_noticed_and_can_be_rebuilt(store: Store) -> None:
    store.db.run("DELETE FROM search_docsize WHERE id = 1")
    assert any("search index lacks 1 article" in problem for problem in store.check())
    store.reindex()
    assert store.check() == []


def test_an_index_with_strays_is_noticed(store: Store) -> None:
    store.db.run("DELETE FROM articles WHERE item_id = 1")  # by hand, without unindexing
    assert store.check() == ["the search index has 1 articles that are gone"]
    store.reindex()
    assert store.check() == []


def test_the_index_is_found_by_stock_sqlite(store: Store) -> None:
    plain = sqlite3.connect(store.path)
    hits = plain.execute("SELECT rowid FROM search WHERE search MATCH ?", ['"日 英"']).fetchall()
    plain.close()
    assert len(hits) == 1


def test_the_index_is_smaller_than_the_text_it_finds(tmp_path: Path) -> None:
    """Japanese is the dear case: a character is a word. Words of the first column cost least."""
    draw = random.Random(5)
    common = [chr(0x4E00 + 5 * n) for n in range(400)]
    texts = ["".join(draw.choices(common, [1 / (n + 3) for n in range(400)], k=900)) for _ in range(300)]
    with open_store(tmp_path / "monitor.db") as store, store.write():
        desk(store)
        for n, text in enumerate(texts):
            matched(store, METI, n, title="日英", text=text, lang="ja")
        store.db.run("INSERT INTO search (search) VALUES ('optimize')")
        size = store.db.value("SELECT sum(length(block)) FROM search_data")
    assert size <= 0.7 * sum(len(text.encode()) for text in texts)
