"""The shipped rules on stories in our own words: what must match, what must not, and the reasons given."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor import rules
from monitor.model import CORRIDORS, EVENTS, PRIORITIES, TOPICS, Document
from monitor.yamltext import parse
from tests.rules_kit import judged, shipped

DATA = parse("verdicts.yaml", (Path(__file__).parent / "data" / "verdicts.yaml").read_text("utf-8")).data
STORIES = [(story["corridor"], story["title"], story["text"]) for story in DATA["typical"]]


@pytest.mark.parametrize(("corridor", "title", "text"), STORIES, ids=[title for _, title, _ in STORIES])
@pytest.mark.parametrize("titled", [True, False], ids=["titled", "untitled"])
def test_a_typical_story_matches(corridor: str, title: str, text: str, titled: bool) -> None:
    verdict = judged(title if titled else "", text)
    assert verdict.match, verdict.why
    assert verdict.corridors == (corridor,)


MATCHES = [(story["corridor"], story["title"], story["text"]) for story in DATA["cooperation"]]


@pytest.mark.parametrize(("corridor", "title", "text"), MATCHES, ids=[title for _, title, _ in MATCHES])
def test_cooperation_is_found(corridor: str, title: str, text: str) -> None:
    verdict = judged(title, text)
    assert verdict.match, verdict.why
    assert verdict.corridors == (corridor,)


IGNORED = [(story["title"], story["text"]) for story in DATA["other-news"]]


@pytest.mark.parametrize(("title", "text"), IGNORED, ids=[title for title, _ in IGNORED])
def test_other_news_stays_out(title: str, text: str) -> None:
    verdict = judged(title, text)
    assert not verdict.match, verdict.why
    assert verdict.corridors == ()
    assert verdict.priority is None


def test_every_rule_keeps_its_own_examples() -> None:
    assert rules.check_examples(shipped()) == []


@pytest.mark.parametrize(("corridor", "title", "text"), STORIES[:3])
def test_a_verdict_gives_its_reasons(corridor: str, title: str, text: str) -> None:
    verdict = judged(title, text)
    assert sum(part.weight for part in verdict.parts) == pytest.approx(verdict.score)
    assert verdict.evidence
    for found in (*verdict.evidence, *(part for part in verdict.parts if part.field)):
        source = title if found.field == "title" else text
        assert source[found.start : found.end] == found.quote != ""
    assert verdict.rules
    assert verdict.why
    assert verdict.rules_version == shipped().version
    assert set(verdict.topics) <= set(TOPICS)
    assert verdict.event in EVENTS
    assert verdict.priority in PRIORITIES
    assert set(verdict.corridors) <= set(CORRIDORS)


def test_the_money_and_the_names_are_given() -> None:
    _, title, text = STORIES[0]
    verdict = judged(title, text)
    assert [(a.text, a.currency, a.value) for a in verdict.amounts] == [("£3.99m", "GBP", 3_990_000.0)]
    assert any("Science and Technology Agency" in name or name == "JST" for name in verdict.organisations)
    assert verdict.programmes
    assert "semiconductors" in verdict.topics


def test_a_near_miss_says_what_was_missing() -> None:
    text = """
rules:
  - id: r
    why: chips and both sides
    corridor: uk-japan
    when: chip
    boosts: [{name: a pact, when: pact, weight: 2}]
    threshold: 3
    near: 2
"""
    ruleset = rules.build({"rules.yaml": text})
    near = rules.classify(Document("A chip."), ruleset)
    assert (near.match, near.near_miss, near.score) == (False, True, 1.0)
    assert "1 of 3" in near.why
    assert near.priority is None
    assert near.corridors == ()
    assert rules.classify(Document("A chip pact."), ruleset).match
    assert not rules.classify(Document("A pact."), ruleset).near_miss


def test_an_explanation_shows_hits_rules_and_what_is_missing() -> None:
    document = Document("Britain and Japan signed a pact on chips.", "Chip pact")
    explanation = rules.explain(document, shipped())
    assert any(mark.concept == "semiconductors" and mark.field == "title" for mark in explanation.marks)
    by_id = {account.rule: account for account in explanation.rules}
    assert by_id["uk-japan-cooperation"].result == "match"
    assert by_id["us-japan-cooperation"].missing
    text = rules.format_explanation(explanation, document)
    assert "[Chip|semiconductors" in text
    assert "uk-japan-cooperation" in text
