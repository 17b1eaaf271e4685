"""Rule and concept files to a RuleSet; everything wrong with them is reported at once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from monitor.errors import ConfigError, Problem
from monitor.model import CORRIDORS, EVENTS, PRIORITIES, TOPICS
from monitor.rules.concepts import Concept, Entity, read_concepts
from monitor.rules.forms import FormError, parse_form
from monitor.rules.language import (
    AllOf,
    AnyOf,
    AtLeast,
    Field,
    LanguageError,
    Name,
    Near,
    Node,
    Not,
    Text,
    nearest,
    parse_expression,
)  # fmt: skip
from monitor.rules.matcher import compile_lexicon
from monitor.rules.ruleset import SETS, Boost, Rule, RuleSet
from monitor.yamltext import Loc, YamlText, parse

VALUES = {"corridor": CORRIDORS, "topic": TOPICS, "event": EVENTS, "priority": PRIORITIES}
RULE_KEYS = frozenset(
    {
        "id",
        "why",
        "each",
        "when",
        "unless",
        "boosts",
        "boosts_from",
        "score",
        "threshold",
        "near",
        "from_score",
        "matches",
        "ignores",
        *SETS,
    }
)
_TOP_KEYS = ("define", "boosts", "rules")
_BOOST_KEYS = frozenset({"name", "when", "weight"})
Filling = Mapping[str, str]  # {name} of an `each` → what stands for it in one copy
MOST_COPIES = 20  # of one rule by `each`


def build(files: Mapping[str, str]) -> RuleSet:
    """Compiles rule files. `files` maps a path to its text; those in a folder `concepts` hold concepts.

    Raises ConfigError with every problem found, each with file, line, column and a hint.
    """
    concepts, problems = read_concepts({p: t for p, t in files.items() if is_concept_file(p)})
    builder = _Builder(concepts, problems)
    builder.read({p: files[p] for p in sorted(files) if not is_concept_file(p)})
    builder.check_includes()
    if problems:
        raise ConfigError(problems)
    return builder.finish(files)


def is_concept_file(path: str) -> bool:
    """Whether a file of the configuration holds concepts rather than rules."""
    return "concepts" in path.replace("\\", "/").split("/")[:-1]


class _Builder:
    def __init__(self, concepts: dict[str, Concept], problems: list[Problem]) -> None:
        self.concepts, self.problems = concepts, problems
        self.defined: dict[str, Node] = {}
        self.literals: dict[str, str] = {}
        self.rules: list[Rule] = []
        self.seen: dict[Node, Node] = {}
        self.shared: dict[str, tuple[YamlText, Loc, list[Any]]] = {}

    # --- reading ---------------------------------------------------------------------------

    def read(self, files: Mapping[str, str]) -> None:
        """Reads what files share first, so that their order says nothing."""
        parsed = [yaml for path, text in files.items() if (yaml := self.parsed(path, text))]
        for yaml in parsed:
            self.define(yaml)
            self.share(yaml)
        for yaml in parsed:
            rules = self.listed(yaml, ("rules",), yaml.data.get("rules"))
            for n, body in enumerate(rules):
                if not isinstance(body, dict):
                    message = "a rule is a mapping with id, why and when"
                    self.problems.append(yaml.problem(("rules", n), message))
                    continue
                for copy, filling in self.copies(yaml, ("rules", n), body):
                    self.rule(yaml, ("rules", n), copy, filling)

    def parsed(self, path: str, text: str) -> YamlText | None:
        try:
            yaml = parse(path, text)
        except ConfigError as error:
            self.problems += error.problems
            return None
        if yaml.data is None:
            return None
        if not isinstance(yaml.data, dict):
            self.problems.append(yaml.problem((), "a rule file is a mapping with rules: and define:"))
            return None
        for key in yaml.data:
            if key not in _TOP_KEYS:
                hint = f"keys are {', '.join(_TOP_KEYS)}"
                self.problems.append(yaml.problem((key, "__key__"), f"unknown key {key!r}", hint))
        return yaml

    def listed(self, yaml: YamlText, loc: Loc, value: Any) -> list[Any]:
        if value is None or isinstance(value, list):
            return value or []
        self.problems.append(yaml.problem(loc, f"{loc[-1]} is a list"))
        return []

    def define(self, yaml: YamlText) -> None:
        define = yaml.data.get("define") or {}
        if not isinstance(define, dict):
            return
        for name, source in define.items():
            node = self.expression(yaml, ("define", name), source)
            if name in self.concepts or name in self.defined:
                where = "a concept" if name in self.concepts else "defined"
                self.problems.append(yaml.problem(("define", name), f"{name} is {where} already"))
            elif node is not None:
                self.defined[str(name)] = node

    def share(self, yaml: YamlText) -> None:
        """Notes lists of boosts that rules take by `boosts_from`."""
        lists = yaml.data.get("boosts") or {}
        if not isinstance(lists, dict):
            self.problems.append(yaml.problem(("boosts",), "boosts at the top are named lists"))
            return
        for name, entries in lists.items():
            loc = ("boosts", name)
            if name in self.shared:
                self.problems.append(yaml.problem(loc, f"boosts {name} stand twice"))
            self.shared[str(name)] = (yaml, loc, self.listed(yaml, loc, entries))

    def copies(
        self, yaml: YamlText, loc: Loc, body: dict[str, Any]
    ) -> Iterator[tuple[dict[str, Any], Filling]]:
        """The rule itself, or one copy for each place in the lists of `each`, with {name} filled in."""
        each = body.get("each")
        if each is None:
            yield body, {}
            return
        lists = list(each.values()) if isinstance(each, dict) else []
        if not lists or not all(
            isinstance(values, list) and len(values) == len(lists[0]) for values in lists
        ):
            hint = "each: {side: [uk, us], other: [us, uk]}"
            self.problems.append(yaml.problem((*loc, "each"), "each names lists of one length", hint))
            return
        for values in list(zip(*lists, strict=True))[:MOST_COPIES]:
            filling = {"{" + str(name) + "}": str(v) for name, v in zip(each, values, strict=True)}
            filled: dict[str, Any] = _filled(body, filling)
            for key in ("matches", "ignores"):
                entries = filled.get(key) or []
                filled[key] = [
                    e for e in entries if not isinstance(e, dict) or e.get("only", values[0]) == values[0]
                ]
            yield filled, filling

    def known_keys(self, yaml: YamlText, loc: Loc, body: dict[str, Any]) -> None:
        for key in body:
            if key not in RULE_KEYS:
                hint = nearest(key, RULE_KEYS) or f"keys are {', '.join(sorted(RULE_KEYS))}"
                self.problems.append(yaml.problem((*loc, key, "__key__"), f"unknown key {key!r}", hint))

    def name_and_reason(self, yaml: YamlText, loc: Loc, body: dict[str, Any]) -> str:
        name = str(body.get("id", ""))
        if not name or any(rule.id == name for rule in self.rules):
            self.problems.append(
                yaml.problem((*loc, "id"), f"rule id {name!r} stands twice" if name else "a rule needs an id")
            )
        for key in ("why", "when"):
            if not body.get(key):
                self.problems.append(yaml.problem(loc, f"rule {name} has no {key}"))
        return name

    def answer(self, yaml: YamlText, loc: Loc, name: str, body: dict[str, Any]) -> tuple[str, str] | None:
        """What the rule gives, such as ("topic", "ai"); None when it is not exactly one thing."""
        kinds = [kind for kind in SETS if kind in body]
        if len(kinds) != 1:
            given = " and ".join(kinds) or "no answer"
            self.problems.append(yaml.problem(loc, f"rule {name} gives {given}", f"one of {', '.join(SETS)}"))
            return None
        kind, value = kinds[0], str(body[kinds[0]])
        if value not in VALUES[kind]:
            hint = nearest(value, VALUES[kind]) or f"one of {', '.join(VALUES[kind])}"
            self.problems.append(yaml.problem((*loc, kind), f"unknown {kind} {value!r}", hint))
        return kind, value

    def rule(self, yaml: YamlText, loc: Loc, body: dict[str, Any], filling: Filling) -> None:
        self.known_keys(yaml, loc, body)
        before = len(self.problems)
        name = self.name_and_reason(yaml, loc, body)
        answer = self.answer(yaml, loc, name, body)
        if answer is None:
            return
        when = self.expression(yaml, (*loc, "when"), body["when"]) if body.get("when") else None
        unless = self.expression(yaml, (*loc, "unless"), body["unless"]) if body.get("unless") else None
        boosts = self.boosts(yaml, (*loc, "boosts"), body.get("boosts")) + self.taken(
            yaml, loc, body, filling
        )
        score, threshold = (
            self.number(yaml, loc, body, "score", 1.0),
            self.number(yaml, loc, body, "threshold", 1.0),
        )
        near = self.number(yaml, loc, body, "near", 1.0)
        best = score + sum(boost.weight for boost in boosts if boost.weight > 0)
        if best < threshold:
            self.problems.append(
                yaml.problem(
                    (*loc, "threshold"), f"threshold {threshold:g} is out of reach: all weights give {best:g}"
                )
            )
        if when and unless:
            self.check_contradiction(yaml, loc, when, unless)
        if len(self.problems) > before or when is None:
            return
        from_score = None
        if body.get("from_score") is not None:
            from_score = self.number(yaml, loc, body, "from_score", 0.0)
        self.rules.append(
            Rule(
                id=name,
                why=str(body["why"]),
                sets=answer[0],
                value=answer[1],
                when=when,
                unless=unless,
                boosts=boosts,
                score=score,
                threshold=threshold,
                near=near,
                from_score=from_score,
                matches=self.examples(yaml, loc, body, "matches"),
                ignores=self.examples(yaml, loc, body, "ignores"),
                path=yaml.path,
                line=yaml.place(loc)[0],
            )
        )

    def number(self, yaml: YamlText, loc: Loc, body: dict[str, Any], key: str, default: float) -> float:
        value = body.get(key, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 1e6:
            self.problems.append(yaml.problem((*loc, key), f"{key} is a number, not {value!r}"))
            return default
        return float(value)

    def taken(self, yaml: YamlText, loc: Loc, body: dict[str, Any], filling: Filling) -> tuple[Boost, ...]:
        """Boosts of the shared lists that the rule names; what is wrong with one is told where it stands."""
        boosts: tuple[Boost, ...] = ()
        for name in self.listed(yaml, (*loc, "boosts_from"), body.get("boosts_from")):
            if name not in self.shared:
                hint = nearest(str(name), self.shared)
                self.problems.append(yaml.problem((*loc, "boosts_from"), f"no boosts are named {name}", hint))
                continue
            home, where, entries = self.shared[name]
            boosts += self.boosts(home, where, _filled(entries, filling))
        return boosts

    def boosts(self, yaml: YamlText, loc: Loc, entries: Any) -> tuple[Boost, ...]:
        boosts: list[Boost] = []
        for n, entry in enumerate(self.listed(yaml, loc, entries)):
            where = (*loc, n)
            if (
                not isinstance(entry, dict)
                or not entry.keys() >= {"name", "when", "weight"}
                or entry.keys() - _BOOST_KEYS
            ):
                self.problems.append(yaml.problem(where, "a boost has name, when and weight"))
                continue
            node = self.expression(yaml, (*where, "when"), entry["when"])
            if node is not None:
                boosts.append(Boost(str(entry["name"]), node, self.number(yaml, where, entry, "weight", 0.0)))
        return tuple(boosts)

    def examples(
        self, yaml: YamlText, loc: Loc, body: dict[str, Any], key: str
    ) -> tuple[Mapping[str, str], ...]:
        entries = body.get(key) or []
        examples: list[Mapping[str, str]] = []
        for n, entry in enumerate(entries if isinstance(entries, list) else [None]):
            if isinstance(entry, str):
                examples.append({"text": entry})
            elif isinstance(entry, dict) and entry.keys() <= {
                "title",
                "text",
                "url",
                "source",
                "lang",
                "only",
            }:
                examples.append({k: str(v) for k, v in entry.items() if k != "only"})
            else:
                self.problems.append(
                    yaml.problem((*loc, key, n), f"{key} is a list of texts, or of title: and text:")
                )
        return tuple(examples)

    # --- expressions -----------------------------------------------------------------------

    def expression(self, yaml: YamlText, loc: Loc, source: Any) -> Node | None:
        try:
            return self.settled(parse_expression(source))
        except LanguageError as error:
            line, column = yaml.place(loc)
            # The column is that of a one-line value; a folded block is counted from its own beginning.
            shown = column + error.column - 1 if isinstance(source, str) and len(source) < 100 else column
            text = f"{error} (at character {error.column} of the expression)"
            self.problems.append(Problem(yaml.path, line, shown, text, error.hint))
            return None

    def settled(self, node: Node) -> Node:
        """The node with names looked up and literals compiled; equal parts are shared and asked once."""
        match node:
            case Name(id):
                if id in self.defined:
                    return self.defined[id]
                if id not in self.concepts:
                    raise LanguageError(
                        f"unknown concept @{id}", hint=nearest(id, [*self.concepts, *self.defined])
                    )
            case Text(form):
                self.literal(form)
            case AllOf(parts):
                node = AllOf(tuple(map(self.settled, parts)))
            case AnyOf(parts):
                node = AnyOf(tuple(map(self.settled, parts)))
            case Not(part):
                node = Not(self.settled(part))
            case Near(left, right, reach, ordered):
                node = Near(self.settled(left), self.settled(right), reach, ordered)
            case AtLeast(count, part):
                node = AtLeast(count, self.settled(part))
            case Field(field, part):
                node = Field(field, part if field in ("url", "source", "lang") else self.settled(part))
        return self.seen.setdefault(node, node)

    def literal(self, form: str) -> None:
        if form in self.literals:
            return
        try:
            parsed = parse_form(form, plural=True)
        except FormError as error:
            raise LanguageError(str(error)) from error
        name = f"={form}"
        self.concepts[name] = Concept(name, forms=((parsed, Entity("")),))
        self.literals[form] = name

    def check_contradiction(self, yaml: YamlText, loc: Loc, when: Node, unless: Node) -> None:
        """A term that `when` requires and `unless` forbids can never match."""
        required = set(when.parts) if isinstance(when, AllOf) else {when}
        excluded = set(unless.parts) if isinstance(unless, AnyOf) else {unless}
        for node in required & excluded:
            label = f"@{node.id}" if isinstance(node, Name) else getattr(node, "form", "the same expression")
            self.problems.append(yaml.problem((*loc, "unless"), f"{label} is both required and excluded"))

    # --- finishing -------------------------------------------------------------------------

    def check_includes(self) -> None:
        for concept in self.concepts.values():
            for name in concept.include:
                if name not in self.concepts:
                    hint = nearest(name, self.concepts)
                    self.problems.append(
                        Problem(
                            concept.path,
                            concept.line,
                            1,
                            f"concept {concept.id} includes unknown {name}",
                            hint,
                        )
                    )

    def finish(self, files: Mapping[str, str]) -> RuleSet:
        lexicon = compile_lexicon(self.concepts.values())
        ids = lexicon.concept_ids
        reach = {}
        for name in self.concepts:
            members = self.closure(name)
            homes = frozenset(home for member in members for home in self.concepts[member].homes)
            reach[name] = (tuple(sorted(ids[member] for member in members)), homes)
        names = frozenset(ids[c.id] for c in self.concepts.values() if c.kind != "word")
        digest = hashlib.sha256()
        for path in sorted(files):
            digest.update(f"{path}\0{files[path]}\0".encode("utf-8", "surrogatepass"))
        return RuleSet(
            files=dict(files),
            version=digest.hexdigest()[:12],
            rules=tuple(self.rules),
            concepts=self.concepts,
            lexicon=lexicon,
            literals=self.literals,
            reach=reach,
            name_concepts=names,
            defined={node: name for name, node in self.defined.items() if not isinstance(node, Name)},
        )

    def closure(self, name: str) -> set[str]:
        """The concept and everything it includes, however deep; circles do no harm."""
        found: set[str] = set()
        waiting = [name]
        while waiting:
            current = waiting.pop()
            if current not in found:
                found.add(current)
                waiting += self.concepts[current].include
        return found


def _filled(value: Any, filling: Filling) -> Any:
    if isinstance(value, str):
        for name, filler in filling.items():
            value = value.replace(name, filler)
        return value
    if isinstance(value, list):
        return [_filled(entry, filling) for entry in value]
    if isinstance(value, dict):
        return {key: _filled(entry, filling) for key, entry in value.items() if key != "each"}
    return value
