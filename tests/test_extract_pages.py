"""The quality gate: what is read from small pages of our own making, and what is not.

Each page in tests/pages stands beside a JSON file with what must be read. The floors below are what
was reached; lowering one is a decision, to be made in a commit of its own.
"""

from __future__ import annotations

import json
import re
import statistics
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from monitor.extract import extract
from monitor.model import Extracted

PAGES = sorted((Path(__file__).parent / "pages").glob("*.html"))
FLOOR_PRECISION = 0.995
FLOOR_RECALL = 0.995
_RUNS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]+|[^\W_]+")


def expected(page: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(page.with_suffix(".json").read_text("utf-8"))
    return loaded


def read(page: Path) -> Extracted:
    return extract(page.read_bytes(), url=expected(page)["url"])


def tokens(text: str) -> Counter[str]:
    """Words, and pairs of Japanese characters."""
    found: Counter[str] = Counter()
    for run in _RUNS.findall(unicodedata.normalize("NFKC", text).casefold()):
        found.update([run] if run.isascii() else [run[i : i + 2] for i in range(len(run))])
    return found


def scores(page: Path) -> tuple[float, float]:
    got, wanted = tokens(read(page).text), tokens("\n".join(expected(page)["text"]))
    common = sum((got & wanted).values())
    return common / max(1, sum(got.values())), common / max(1, sum(wanted.values()))


def test_there_are_enough_pages_in_both_languages() -> None:
    languages = Counter(page.name[:2] for page in PAGES)
    assert languages["en"] >= 9
    assert languages["ja"] >= 5


def test_the_text_is_whole_and_nothing_else() -> None:
    pairs = [scores(page) for page in PAGES if expected(page)["text"]]
    assert statistics.fmean(p for p, _ in pairs) >= FLOOR_PRECISION
    assert statistics.fmean(r for _, r in pairs) >= FLOOR_RECALL
    assert min(min(pair) for pair in pairs) >= 0.97


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_says_what_it_says(page: Path) -> None:
    wanted, got = expected(page), read(page)
    told = {key: getattr(got, key) for key in ("title", "published", "lang", "label", "status")}
    assert told == {key: wanted[key] for key in told}
    assert got.reason == wanted.get("reason", "")
    assert got.author == wanted.get("author", got.author)
    assert [segment for segment in wanted["unwanted"] if segment in got.text] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_paragraphs_are_lines(page: Path) -> None:
    """Rules ask for words within one paragraph: none may be glued to the next."""
    lines = read(page).text.split("\n")
    assert [paragraph for paragraph in expected(page)["text"] if paragraph not in lines] == []
