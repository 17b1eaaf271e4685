"""A rule's own examples, run: `matches` must hold, `ignores` must not."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.errors import Problem
from monitor.model import Document
from monitor.rules.classify import classify, judge
from monitor.rules.reading import read
from monitor.rules.ruleset import Rule, RuleSet


def check_examples(ruleset: RuleSet) -> list[Problem]:
    """A problem for each example that the rules decide otherwise, and for each rule without examples."""
    problems = []
    for rule in ruleset.rules:
        for kind, wanted in (("matches", True), ("ignores", False)):
            examples: tuple[Mapping[str, str], ...] = getattr(rule, kind)
            if not examples:
                problems.append(
                    Problem(rule.path, rule.line, 0, f"rule {rule.id} has no {kind}:", "give it one or more")
                )
            for example in examples:
                held, reason = _decided(rule, document_of(example), ruleset)
                if held != wanted:
                    shown = (example.get("title") or example.get("text", ""))[:60]
                    verb = "should match" if wanted else "should not match"
                    problems.append(
                        Problem(rule.path, rule.line, 0, f"rule {rule.id} {verb} {shown!r}", reason)
                    )
    return problems


def document_of(example: Mapping[str, str]) -> Document:
    """The example as a document."""
    return Document(
        text=example.get("text", ""), title=example.get("title", ""), url=example.get("url", ""),
        source_id=example.get("source", ""), lang=example.get("lang", ""),
    )  # fmt: skip


def _decided(rule: Rule, document: Document, ruleset: RuleSet) -> tuple[bool, str]:
    if rule.sets in ("event", "priority"):
        # These compete with one another, so what counts is which of them the verdict names.
        found = classify(document, ruleset)
        given = found.event if rule.sets == "event" else found.priority
        return given == rule.value, f"the verdict says {given}"
    outcome = judge(rule, read(document, ruleset), ruleset)
    reason = "its `when` does not hold"
    if outcome.gate:
        reason = f"it scores {outcome.score:g} of {rule.threshold:g}" + (
            ", and `unless` holds" if outcome.vetoed else ""
        )
    return outcome.matched, reason
