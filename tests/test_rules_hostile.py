"""Any text gives a verdict in bounded time; any rule file gives a rule set or problems."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor import rules
from monitor.errors import ConfigError
from monitor.model import Document
from monitor.rules.language import LanguageError, parse_expression
from tests.rules_kit import PLACES, built, shipped

FRAGMENTS = [
    "UK",
    "U.S.",
    "Japan",
    "日英",
    "米IBM",
    "半導体",
    "chip",
    "sign",
    "。",
    ". ",
    "\n",
    " ",
    "(Reuters)",
    "【",
    "£3m",
    "\u0301",
    "ﾊﾟ",
    "㈱",
    "\ud800",
]
texts = st.one_of(st.text(max_size=400), st.lists(st.sampled_from(FRAGMENTS), max_size=80).map("".join))


@settings(max_examples=150, deadline=None)
@given(title=texts, text=texts)
def test_any_text_has_a_verdict_whose_quotes_are_real(title: str, text: str) -> None:
    verdict = rules.classify(Document(text, title), shipped())
    for found in verdict.evidence:
        source = title if found.field == "title" else text
        assert source[found.start : found.end] == found.quote != ""
    assert verdict.match == bool(verdict.corridors)
    assert not (verdict.match and verdict.near_miss)
    assert sum(part.weight for part in verdict.parts) == pytest.approx(verdict.score)


HOSTILE = {
    "five million letters": "a" * 5_000_000,
    "a million kanji": "日" * 1_000_000,
    "pairs without end": "日英米日" * 250_000,
    "sentences without end": "UK-Japan sign chips deal. " * 40_000,
    "one sentence without end": "UK Japan sign chips deal " * 40_000,
    "marks on one letter": "a" + "\u0301\u0323" * 200_000,
    "brackets": "【(" * 500_000,
    "blank lines": "\n" * 1_000_000,
    "digits and commas": "1," * 500_000,
    "sums": "1億" * 400_000 + "円",
    "capitals": "US AND JAPAN SIGN\n" * 60_000,
    "datelines": "(Reuters) Japan UK " * 60_000,
}


@pytest.mark.parametrize("where", ["title", "text"])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_read_in_bounded_time(name: str, where: str) -> None:
    document = Document(**{"text": "x", where: HOSTILE[name]})
    began = time.process_time()
    rules.classify(document, shipped())
    assert time.process_time() - began < 30


def test_the_work_grows_with_the_text_not_with_its_square() -> None:
    def cost(times: int) -> float:
        document = Document("Britain and Japan sign a pact on chips with IBM and Rapidus in Tokyo. " * times)
        began = time.process_time()
        rules.classify(document, shipped())
        return time.process_time() - began

    cost(100)
    assert cost(4000) < 40 * max(cost(400), 0.005)


def test_fifty_thousand_terms_load_and_match() -> None:
    terms = "; ".join(f"term{n} of art" for n in range(50_000))
    began = time.process_time()
    ruleset = built("@term", f"term:\n  about: a\n  terms: |\n    {terms}\n")
    assert time.process_time() - began < 60
    assert rules.classify(Document("Here is term49999 of art."), ruleset).match


PIECES = ["(", ")", "AND", "OR", "NOT", "NEAR/s", "a", '"b c"', "@x", "title:", "ATLEAST/2("]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=30).map(" ".join))
def test_any_expression_is_read_or_refused(source: str) -> None:
    column = 1
    try:
        parse_expression(source)
    except LanguageError as error:
        column = error.column
    assert 1 <= column <= len(source) + 1


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200))
def test_any_file_is_read_or_refused(text: str) -> None:
    problems = ["none"]
    try:
        rules.build({"rules.yaml": text, "concepts/a.yaml": PLACES})
    except ConfigError as error:
        problems = [str(problem) for problem in error.problems]
    assert problems
