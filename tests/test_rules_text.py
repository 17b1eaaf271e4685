"""Text as rules read it: folding with the way back, sentences in two languages, by-lines, furniture."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.rules.normalise import fold
from monitor.rules.segments import join_wrapped, segment
from tests.rules_kit import PLACES, found


@pytest.mark.parametrize(
    ("given_text", "folded"),
    [
        ("ＡＩと２ナノ", "AIと2ナノ"),
        ("ﾊﾟｿｺﾝ", "パソコン"),
        ("㈱東芝", "(株)東芝"),
        ("U.K.–Japan", "UK-Japan"),
        ("U. S. Japan", "US Japan"),
        ("the U.S. The deal", "the US. The deal"),
        ("“chips”", '"chips"'),
        ("a\u00a0b\u2009c", "a b c"),
        ("semi\u00adconductor", "semiconductor"),
        ("日\u200b英", "日英"),
        ("two  blanks", "two blanks"),
        ("café", "café"),
    ],
)
def test_folding(given_text: str, folded: str) -> None:
    assert fold(given_text).text == folded


@pytest.mark.parametrize(
    ("text", "term", "quote"),
    [
        ("x ＩＢＭ と", "IBM", "ＩＢＭ"),
        ("㈱㈱ ﾊﾟｿｺﾝ y", "パソコン", "ﾊﾟｿｺﾝ"),
        ("In the  U.K. and", "UK", "U.K"),
        ("a semi\u00adconductor b", "semiconductor", "semi\u00adconductor"),
    ],
)
def test_evidence_quotes_the_text_as_given(text: str, term: str, quote: str) -> None:
    folded = fold(text)
    at = folded.text.index(term)
    start, end = folded.span(at, at + len(term))
    assert text[start:end].rstrip(".") == quote


@given(st.text(max_size=300))
def test_every_folded_place_leads_back_into_the_text(text: str) -> None:
    folded = fold(text)
    last = 0
    for index in range(len(folded.text) + 1):
        origin = folded.origin(index)
        assert last <= origin <= len(text)
        last = origin
    if folded.text:
        start, end = folded.span(0, len(folded.text))
        assert 0 <= start < end <= len(text)


def sentences(text: str) -> list[str]:
    starts = segment(text, 0).sentences
    parts = [text[a:b].strip() for a, b in zip(starts, [*starts[1:], len(text)], strict=True)]
    return [part for part in parts if part]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("One sentence. Two sentences.", 2),
        ("Dr. Smith of IBM Corp. spoke on Jan. 5 in Washington.", 1),
        ("It costs $1.5 billion. Yes!", 2),
        ("日英が合意した。次は2026年。", 2),
        ("「やる。」と述べた。", 2),
        ("見出し\n本文です。", 2),
        ("The U.S. and Japan agree.", 1),
    ],
)
def test_sentences(text: str, count: int) -> None:
    assert len(sentences(fold(text).text)) == count


def test_hard_wrapped_copy_is_read_as_running_text() -> None:
    wrapped = "\n".join(
        [
            "The ministries of the United",
            "Kingdom and Japan will sign a memorandum on the sixth of the",
            "month",
        ]
        * 3
    )
    wrapped = "\n".join(f"{'word ' * 9}United\nKingdom {'word ' * 8}end" for _ in range(4))
    assert "United Kingdom" in join_wrapped(wrapped)
    assert join_wrapped("Contact us\nJapan news") == "Contact us\nJapan news"


@pytest.mark.parametrize(
    "text",
    [
        "LONDON (Reuters) - Shares fell in Tokyo.",
        "LONDON, Jan. 5 (Jiji Press)--Shares fell in Tokyo.",
        "【ロンドン共同】日本の株が下がった。",
        "LONDON - Shares fell in Tokyo.",
    ],
)
def test_a_dateline_is_no_actor(text: str) -> None:
    concepts = PLACES + 'london: {about: a, kind: place, home: uk, terms: "ロンドン"}\n'
    assert found("@uk-actor", text, concepts=concepts) == []
    assert found("@japan-actor", text, concepts=concepts) != []


def test_capitals_hide_the_pronoun_but_not_the_country() -> None:
    assert found("@us-actor", "JOIN US FOR A FREE WEBINAR IN TOKYO", concepts=PLACES) == []
    assert found("@us-actor", "THE US AND JAPAN SIGN CHIP PACT", concepts=PLACES) == ["US"]
    assert found("@us-actor", "tell us about it, Japan", concepts=PLACES) == []
    assert found("@us-actor", "It cost US$1.5bn in Japan", concepts=PLACES) == []


def test_related_headlines_below_an_article_do_not_count() -> None:
    body = "Japan opened a plant. " * 30
    tail = "\nRelated articles\nBritain bans phones\nLondon rents rise\n"
    assert found("@uk-actor", body + tail, concepts=PLACES) == []
