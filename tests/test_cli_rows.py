"""Matches taken away: in every form, whatever stands in them, and as many as there are."""

from __future__ import annotations

import csv
import io
import itertools
import tracemalloc
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import feedparser
import pytest

from monitor.cli import rows
from monitor.store import MatchFilter, open_store
from monitor.store.times import to_text
from tests.cli import monitor, write_config
from tests.store_kit import BBC, DAY, METI, NIKKEI, NOW, desk, matched, verdict

ATOM = "{http://www.w3.org/2005/Atom}"
NASTY = (
    "=HYPERLINK(\"https://evil.example\")", "+1+1", "-2+3", "@SUM(A1)", "  =1+1", "\t=1", "＝１＋１", "＠SUM",
    "a\x00b\x0bc\x1b[31m", "]]></title><script>", "𠮷野家 🍣 👩\u200d🔬", "\ufffe\uffff", 'say "yes", no', "",
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Matches with odd headlines and organisations, some without a date."""
    folder = tmp_path_factory.mktemp("rows")
    write_config(folder / "config")
    (folder / "storage").mkdir()
    with open_store(folder / "storage" / "monitor.db") as store:
        desk(store, NOW - 30 * DAY)
        for n, title in enumerate(NASTY):
            odd = verdict(
                corridors=("uk-japan",) if n % 2 else ("us-japan",), organisations=(title or "Rapidus",),
                priority="high" if n % 3 else "low", why=title, score=float(n),
            )  # fmt: skip
            source = (METI, BBC, NIKKEI)[n % 3]
            matched(store, source, n, title=title, text=f"{title} chips", lang="ja" if n % 2 else "en",
                    at=NOW - n * DAY, published=NOW if n % 4 else None, judged=odd)  # fmt: skip
    return folder


def test_no_cell_is_a_formula_and_every_line_is_a_row(folder: Path) -> None:
    for command in (("matches", "--format", "csv"), ("export", "--format", "csv")):
        done = monitor(*command, cwd=folder)
        table = list(csv.reader(io.StringIO(done.out)))
        assert len(table) == len(NASTY) + 1
        assert len({len(row) for row in table}) == 1
        cells = [cell for row in table for cell in row]
        assert not [cell for cell in cells if cell.lstrip().startswith(tuple("=+-@＝＋－＠"))]
        assert '\'=HYPERLINK("https://evil.example")' in cells


def test_the_feed_is_valid_whatever_stands_in_it(folder: Path) -> None:
    first, again = (monitor("matches", "--format", "atom", cwd=folder).out for _ in range(2))
    feed = ElementTree.fromstring(first)
    for place in (feed, *feed.findall(f"{ATOM}entry")):
        for required in ("id", "title", "updated", "author"):
            assert place.find(f"{ATOM}{required}") is not None, required
    parsed = feedparser.parse(first.encode())
    assert not parsed.bozo
    assert len(parsed.entries) == len(NASTY)
    assert all(entry.updated_parsed for entry in parsed.entries)
    assert [entry.id for entry in parsed.entries] == [entry.id for entry in feedparser.parse(again).entries]
    assert len({entry.id for entry in parsed.entries}) == len(NASTY)


def test_an_empty_feed_is_a_feed(folder: Path) -> None:
    parsed = feedparser.parse(monitor("matches", "--format", "atom", "--until", "2020-01-01", cwd=folder).out)
    assert (parsed.bozo, parsed.entries, bool(parsed.feed.updated_parsed)) == (False, [], True)


@pytest.mark.parametrize("shape", ["table", "json", "csv", "atom", "md"])
def test_nothing_that_a_terminal_obeys_is_written(folder: Path, shape: str) -> None:
    done = monitor("matches", "--format", shape, cwd=folder)
    assert done.code == 0, done.err
    assert not set(done.out) & set("\x00\x0b\x1b")


FILTERS: dict[str, tuple[Any, Any]] = {
    "corridor": ("uk-japan", lambda row: "uk-japan" in row["corridors"]),
    "priority": ("high", lambda row: row["priority"] == "high"),
    "lang": ("ja", lambda row: row["lang"] == "ja"),
    "country": ("uk", lambda row: row["country"] == "uk"),
    "source": ("BBC", lambda row: row["source"] == "BBC"),
    "min_score": (4.0, lambda row: row["score"] >= 4),
    "since": (NOW - 8 * DAY, lambda row: row["matched_at"] >= to_text(NOW - 8 * DAY)),
    "until": (NOW - 2 * DAY, lambda row: row["matched_at"] < to_text(NOW - 2 * DAY)),
    "organisation": ("rapidus", lambda row: row["organisations"] == ["Rapidus"]),
    "query": ("chips -yes", lambda row: "yes" not in row["title"]),
}


def test_filters_hold_together(folder: Path) -> None:
    """Any three of them narrow as each does alone."""
    with open_store(folder / "storage" / "monitor.db", read_only=True) as store:
        everything = list(store.matches())
        for names in itertools.combinations(FILTERS, 3):
            wanted = MatchFilter(**{name: FILTERS[name][0] for name in names})
            kept = [row for row in everything if all(FILTERS[name][1](row) for name in names)]
            assert list(store.matches(wanted)) == kept, names


@pytest.mark.parametrize("shape", ["json", "csv", "atom"])
def test_as_many_rows_as_there_are_need_no_more_memory(shape: str) -> None:
    """Rows are handed on one by one: twenty thousand of them take no more than a few."""
    row = dict.fromkeys(("title", "url", "source", "why", "matched_at", "published_at"), "x" * 200)
    others = dict.fromkeys(("item_id", "country", "lang", "event", "score", "priority", "story_id", "outlets",
                            "sent_at"), "")  # fmt: skip
    lists: dict[str, Any] = {"corridors": [], "topics": [], "organisations": [], "amounts": []}

    def many() -> Iterator[dict[str, Any]]:
        for n in range(20_000):
            yield {**row, **others, **lists, "id": n, "title": f"{n}" * 40}

    with open("/dev/null", "w") as nowhere, redirect_stdout(nowhere):
        tracemalloc.start()
        rows.write(many(), shape)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert most < 3_000_000
