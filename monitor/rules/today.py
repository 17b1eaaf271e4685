"""What today's rules say of an article that was judged before, and what changed since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from monitor.model import Document, Verdict
from monitor.rules.explain import RuleAccount, explain
from monitor.rules.lifts import Lift, lifts
from monitor.rules.ruleset import RuleSet

_LISTS = ("rules", "corridors", "topics")


@dataclass(frozen=True, slots=True)
class PartChange:
    """One reason that came, went, or weighs otherwise. None: it was, or is, no part of the score."""

    rule: str
    label: str
    then: float | None
    now: float | None


@dataclass(frozen=True, slots=True)
class Today:
    verdict: Verdict
    rules: tuple[RuleAccount, ...]  # the corridor rules, and the labels that hold
    lifts: tuple[Lift, ...]  # of a near miss
    then: str  # match, near-miss or no-match; "" when the rules were never asked
    same_rules: bool  # the very files that decided then
    gained: Mapping[str, tuple[str, ...]]  # rules, corridors, topics of now and not of then
    lost: Mapping[str, tuple[str, ...]]
    parts: tuple[PartChange, ...]  # () when the parts of then were not kept

    @property
    def outcome(self) -> str:
        """match, near-miss or no-match."""
        return outcome_of(self.verdict.match, self.verdict.near_miss)

    @property
    def changed(self) -> bool:
        """Whether an analyst would see another verdict than then."""
        return bool(self.then and self.then != self.outcome) or bool(self.parts or self.gained or self.lost)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self) | {"outcome": self.outcome, "changed": self.changed}


def judge_today(
    document: Document, ruleset: RuleSet, then: Mapping[str, Any] | None = None, outcome: str = ""
) -> Today:
    """Judges again. `then` is the verdict as stored, with its `parts`; without one, `outcome` is compared."""
    account = explain(document, ruleset)
    now = account.verdict
    if then:
        outcome = outcome_of(then["match"], then["near_miss"])
    return Today(
        verdict=now,
        rules=account.rules,
        lifts=lifts(document, ruleset) if now.near_miss else (),
        then=outcome if outcome in ("match", "near-miss", "no-match") else "",
        same_rules=bool(then) and (then or {})["rules_version"] == ruleset.version,
        gained=_only_in({key: getattr(now, key) for key in _LISTS}, then) if then else {},
        lost=_only_in(then, {key: getattr(now, key) for key in _LISTS}) if then else {},
        parts=tuple(_part_changes(then["parts"], now)) if then else (),
    )


def outcome_of(match: object, near_miss: object) -> str:
    """How an item's outcome is called in the archive."""
    return "match" if match else "near-miss" if near_miss else "no-match"


def _only_in(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    found = {key: tuple(value for value in one[key] if value not in other[key]) for key in _LISTS}
    return {key: values for key, values in found.items() if values}


def _part_changes(then: Iterable[Mapping[str, Any]], now: Verdict) -> Iterable[PartChange]:
    before = {(part["rule"], part["label"]): float(part["weight"]) for part in then}
    after = {(part.rule, part.label): part.weight for part in now.parts}
    for rule, label in dict.fromkeys([*before, *after]):
        was, has = before.get((rule, label)), after.get((rule, label))
        if was != has:
            yield PartChange(rule, label, was, has)
