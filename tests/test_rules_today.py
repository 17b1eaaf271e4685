"""What would have caught a near miss, and what today's rules say of an article judged before."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from monitor import rules
from monitor.model import Document
from monitor.rules.filling import filled
from monitor.rules.lifts import Lift, lifts, told
from monitor.rules.today import judge_today
from tests.rules_kit import PLACES

CONCEPTS = (
    PLACES
    + """
chips: {about: a, terms: "chip; semiconductor; 半導体"}
act: {about: a, terms: "sign; memorandum; 署名"}
market: {about: a, terms: "shares; stocks"}
"""
)


def ruleset(boosts: str, *, threshold: float = 3, near: float = 1) -> rules.RuleSet:
    """A rule worth 2 for chips and Japan, one below its threshold."""
    text = f"""
rules:
  - id: pact
    why: Chips and Japan
    corridor: uk-japan
    when: '@chips AND @japan-actor'
    score: 2
    threshold: {threshold}
    near: {near}
    boosts:
{boosts}
"""
    return rules.build({"rules.yaml": text, "concepts/a.yaml": CONCEPTS})


def boost(when: str, weight: float = 1, name: str = "a reason") -> str:
    return f"      - {{name: {name!r}, when: '{when}', weight: {weight}}}\n"


def ways(when: str, text: str, title: str = "", weight: float = 1) -> tuple[Lift, ...]:
    return lifts(Document(text=text, title=title), ruleset(boost(when, weight)))


@pytest.mark.parametrize(
    ("when", "title", "text", "said"),
    [
        (
            "title:@act", "Chips in Japan", "They met in May. A memorandum came of it.",
            "“memorandum” in the title (it stands in sentence 2): +1 a reason",
        ),
        (
            "@japan-actor NEAR/s @act", "Chips", "A memorandum was signed. Japan was there.",
            "“Japan” beside “memorandum” (it stands in sentence 2): +1 a reason",
        ),
        (
            "@chips NEAR/2 @act", "", "Chips from Japan were what the ministers had in mind to sign for.",
            "“sign” beside “Chips” (it stands in sentence 1): +1 a reason",
        ),
        (
            "@act", "Chips", "Japan makes them.",
            "“sign” or “memorandum” in the text: +1 a reason",
        ),
        (
            "@act", "半導体", "日本がつくる。",
            "“署名” in the text: +1 a reason",
        ),
        (
            "ATLEAST/2(@act)", "Chips", "Japan hopes to sign.",
            "“sign” once more in the text: +1 a reason",
        ),
        (
            "lead:@uk-actor", "Chips", "Japan makes them.",
            "“UK” or “U.K.” or “Britain” in the opening: +1 a reason",
        ),
    ],
    ids=["elsewhere", "another sentence", "too far", "nowhere", "japanese", "too seldom", "a country"],
)  # fmt: skip
def test_a_near_miss_names_the_word_that_would_have_caught_it(
    when: str, title: str, text: str, said: str
) -> None:
    assert [told(lift) for lift in ways(when, text, title)] == [said]


def test_every_word_named_was_tried() -> None:
    """Put in its place, each makes the rule match: nothing is guessed."""
    document = Document(title="Chips", text="Japan makes them. Shares rose. A memorandum followed in May.")
    boosts = (
        boost("title:@act", 1, "an act in the title")
        + boost("@japan-actor NEAR/s @act", 2, "an act beside Japan")
        + boost("@uk-actor AND @act", 1, "the other side")
        + boost("@us-actor", 0.5, "too light to matter")
    )
    found = lifts(document, ruleset(boosts))
    assert [lift.boost for lift in found] == [
        "an act beside Japan", "an act in the title", "the other side",
    ]  # fmt: skip
    for lift in found:
        assert rules.classify(filled(document, lift.words), ruleset(boosts)).match


def test_a_word_that_would_rule_the_article_out_is_not_named() -> None:
    text = ruleset(boost("title:@act")).files["rules.yaml"]
    strict = text.replace("    score: 2", "    unless: 'title:@act'\n    score: 2")
    both = rules.build({"rules.yaml": strict, "concepts/a.yaml": CONCEPTS})
    assert lifts(Document(title="Chips", text="Japan makes them."), both) == ()


def test_what_took_the_score_away_is_named_too() -> None:
    takes = boost("@act", 1, "an act") + boost("title:@market", -1, "market news")
    (lift,) = lifts(Document(title="Chip shares", text="Japan hopes to sign."), ruleset(takes))
    assert told(lift) == "without -1 market news [shares]"
    absent = boost("@act", 1, "an act") + boost("NOT title:@uk-actor", -1, "no other side")
    found = lifts(Document(title="Chips", text="Japan hopes to sign in London."), ruleset(absent))
    assert told(found[0]) == "“London” in the title (it stands in sentence 1): takes away -1 no other side"


def test_nothing_is_named_when_no_single_reason_would_do() -> None:
    document = Document(title="Chips", text="Japan makes them.")
    assert lifts(document, ruleset(boost("@act") + boost("@uk-actor"), threshold=4, near=2)) == ()
    assert ways("url:chips", "Japan makes them.", "Chips") == ()


def test_matches_and_misses_have_nothing_to_name() -> None:
    assert ways("@act", "Japan signs a memorandum.", "Chips") == ()
    assert ways("@act", "Rugby.", "Rugby") == ()


@pytest.mark.parametrize(
    "text", ["", "\ud800", "半導体" * 3000 + "日本", "chip Japan " * 5000, "🍣chip🍣 Japan"],
    ids=["empty", "half a character", "japanese", "long", "emoji"],
)  # fmt: skip
def test_no_text_is_too_odd(text: str) -> None:
    odd = ruleset(boost("title:@act") + boost("@uk-actor NEAR/s @act") + boost("lead:ATLEAST/3(@market)"))
    for title in ("", "Chips 日本 \ud83c", "𠮷野家と半導体、日本"):
        for lift in lifts(Document(text=text, title=title), odd):
            assert told(lift)


# --- today ---------------------------------------------------------------------------------


def then(document: Document, decided: rules.RuleSet) -> dict[str, object]:
    """A verdict as the archive keeps it."""
    return asdict(rules.classify(document, decided))


def test_today_says_what_changed() -> None:
    document = Document(title="Chips", text="Japan signs a memorandum.")
    before = ruleset(boost("@act", 1.5, "an act"), threshold=3.5)
    after = ruleset(boost("@act", 1, "an act") + boost("@uk-actor"), threshold=3.5)
    today = judge_today(document, after, then(document, before))
    assert (today.then, today.outcome, today.same_rules, today.changed) == ("match", "near-miss", False, True)
    assert [(part.label, part.then, part.now) for part in today.parts] == [("an act", 1.5, 1.0)]
    assert today.lost == {"corridors": ("uk-japan",)}


def test_today_says_that_nothing_changed() -> None:
    document = Document(title="Chips", text="Japan signs a memorandum.")
    rule = ruleset(boost("@act"))
    today = judge_today(document, rule, then(document, rule))
    assert (today.same_rules, today.changed, today.parts) == (True, False, ())


def test_today_of_an_article_whose_verdict_was_not_kept() -> None:
    document = Document(title="Chips", text="Japan signs a memorandum.")
    today = judge_today(document, ruleset(boost("@act")), None, "no-match")
    assert (today.then, today.outcome, today.changed) == ("no-match", "match", True)
    assert judge_today(document, ruleset(boost("@act")), None, "too-old").then == ""
