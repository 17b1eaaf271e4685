"""A compiled rule set: what `build` gives and `classify` reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from monitor.rules.concepts import Concept, Entity
from monitor.rules.language import Node
from monitor.rules.matcher import Lexicon

WATCHED = frozenset({"jp", "uk", "us"})
SETS = ("corridor", "topic", "event", "priority")


@dataclass(frozen=True, slots=True)
class Boost:
    """One named reason for or against, and what it weighs."""

    name: str
    when: Node
    weight: float


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule as written. `sets` says which answer it gives (one of SETS), `value` is the answer."""

    id: str
    why: str
    sets: str
    value: str
    when: Node
    unless: Node | None = None
    boosts: tuple[Boost, ...] = ()
    score: float = 1.0  # for `when` itself
    threshold: float = 1.0
    near: float = 1.0
    from_score: float | None = None  # priority rules: the verdict's score must reach this
    matches: tuple[Mapping[str, str], ...] = ()
    ignores: tuple[Mapping[str, str], ...] = ()
    path: str = ""
    line: int = 0


@dataclass(slots=True)
class RuleSet:
    """Rules, the expressions they share and the compiled concepts. Can be pickled."""

    files: Mapping[str, str]
    version: str
    rules: tuple[Rule, ...]
    concepts: Mapping[str, Concept]
    lexicon: Lexicon
    literals: Mapping[str, str]  # a word or phrase of a rule → the concept made for it
    reach: Mapping[str, tuple[tuple[int, ...], frozenset[str]]]  # concept → concepts and homes it gathers
    name_concepts: frozenset[int]
    defined: Mapping[Node, str]  # expressions under define: and their names, for explanations
    fitting: dict[frozenset[str], frozenset[int]] = field(default_factory=dict)
    by_kind: dict[str, tuple[Rule, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.by_kind = {kind: tuple(rule for rule in self.rules if rule.sets == kind) for kind in SETS}

    def entities_of(self, homes: frozenset[str]) -> frozenset[int]:
        """Numbers of the names with one of these homes; `other` is every country not watched."""
        known = self.fitting.get(homes)
        if known is None:
            known = frozenset(
                n for n, entity in enumerate(self.lexicon.entities)
                if homes.intersection(entity.homes) or ("other" in homes and _is_other(entity))
            )  # fmt: skip
            self.fitting[homes] = known
        return known


def _is_other(entity: Entity) -> bool:
    return entity.kind != "programme" and bool(entity.homes) and not WATCHED.intersection(entity.homes)
