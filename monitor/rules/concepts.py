"""Concepts: named lists of surface forms, read from config/concepts/*.yaml."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monitor.errors import ConfigError, Problem
from monitor.rules.forms import Form, FormError, is_comment, parse_form, split_forms
from monitor.yamltext import YamlText, parse

KINDS = ("word", "place", "organisation", "person", "programme")
CORRIDOR_HOMES = {"uk-japan": "uk", "us-japan": "us"}
_KEYS = frozenset({"about", "kind", "home", "homes", "corridors", "include", "names", "terms", "masks"})
_ID = re.compile(r"[a-z][a-z0-9-]*")
_HOMES = re.compile(r"\s@([a-z-]{2,8}(?:,[a-z-]{2,8})*)\s*$")


@dataclass(frozen=True, slots=True)
class Entity:
    """One named thing. `name` is its canonical name; "" for terms without one."""

    name: str
    homes: tuple[str, ...] = ()
    kind: str = "word"


@dataclass(frozen=True, slots=True)
class Concept:
    """A named list of forms. `homes` gathers every name with such a home instead of listing its own."""

    id: str
    about: str = ""
    kind: str = "word"
    corridors: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    homes: tuple[str, ...] = ()
    forms: tuple[tuple[Form, Entity], ...] = ()
    masks: tuple[Form, ...] = ()
    path: str = ""
    line: int = 0


def read_concepts(files: Mapping[str, str]) -> tuple[dict[str, Concept], list[Problem]]:
    """Every concept of the files (path → YAML text), and everything wrong with them."""
    concepts: dict[str, Concept] = {}
    problems: list[Problem] = []
    for path in sorted(files):
        try:
            yaml = parse(path, files[path])
        except ConfigError as error:
            problems += error.problems
            continue
        if yaml.data is None:
            continue
        if not isinstance(yaml.data, dict):
            problems.append(yaml.problem((), "a concept file is a mapping of concept names"))
            continue
        for name, body in yaml.data.items():
            concept = _Reader(yaml, str(name), problems).read(body)
            if concept and concept.id in concepts:
                problems.append(
                    yaml.problem((name, "__key__"), f"concept {name} is defined twice", concepts[name].path)
                )
            elif concept:
                concepts[concept.id] = concept
    return concepts, problems


class _Reader:
    """Reads one concept and files what is wrong with it."""

    def __init__(self, yaml: YamlText, name: str, problems: list[Problem]) -> None:
        self.yaml, self.name, self.problems = yaml, name, problems

    def wrong(self, key: str, message: str, hint: str = "", line: int = 0) -> None:
        loc = (self.name, key) if key else (self.name, "__key__")
        problem = self.yaml.problem(loc, message, hint)
        if line:
            problem = Problem(problem.path, problem.line + line, 0, message, hint)
        self.problems.append(problem)

    def read(self, body: Any) -> Concept | None:
        if not _ID.fullmatch(self.name):
            self.wrong("", f"concept name {self.name!r}", "use lower-case letters, digits and hyphens")
            return None
        if not isinstance(body, dict):
            self.wrong("", f"concept {self.name} is not a mapping", "give it names: or terms:")
            return None
        for key in body:
            if key not in _KEYS:
                self.wrong(
                    str(key),
                    f"unknown key {key!r} in concept {self.name}",
                    f"keys are {', '.join(sorted(_KEYS))}",
                )
        kind = body.get("kind", "word")
        if kind not in KINDS:
            self.wrong("kind", f"unknown kind {kind!r}", f"one of {', '.join(KINDS)}")
            kind = "word"
        line, _ = self.yaml.place((self.name, "__key__"))
        return Concept(
            id=self.name,
            about=str(body.get("about", "")),
            kind=kind,
            corridors=self.corridors(body),
            include=self.words(body, "include"),
            homes=self.words(body, "homes"),
            forms=self.forms(body, kind),
            masks=tuple(form for form, _ in self.block(body, "masks", mask=True)),
            path=self.yaml.path,
            line=line,
        )

    def words(self, body: dict[str, Any], key: str) -> tuple[str, ...]:
        value = body.get(key) or []
        if isinstance(value, str):
            value = [word.strip() for word in value.split(",")]
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            self.wrong(key, f"{key} is a list of names")
            return ()
        return tuple(value)

    def corridors(self, body: dict[str, Any]) -> tuple[str, ...]:
        corridors = self.words(body, "corridors")
        for corridor in corridors:
            if corridor not in CORRIDOR_HOMES:
                self.wrong(
                    "corridors", f"unknown corridor {corridor!r}", f"one of {', '.join(CORRIDOR_HOMES)}"
                )
        return corridors

    def block(self, body: dict[str, Any], key: str, **kinds: bool) -> list[tuple[Form, int]]:
        text = body.get(key) or ""
        if not isinstance(text, str):
            self.wrong(key, f"{key} is a block of text", f"write `{key}: |` and one or more lines")
            return []
        forms = []
        for written, line in split_forms(text):
            try:
                forms.append((parse_form(written, **kinds), line + 1))
            except FormError as error:
                self.wrong(key, str(error), line=line + 1)
        return forms

    def forms(self, body: dict[str, Any], kind: str) -> tuple[tuple[Form, Entity], ...]:
        home = body.get("home", "")
        # A programme's home is its corridor, so that `homes: [uk-japan]` gathers the corridor's programmes.
        homes = self.words(body, "home") if home else self.words(body, "corridors")
        word = kind == "word"
        forms = []
        nameless = Entity("", homes, kind)
        for form, _ in self.block(body, "terms", plural=word, name=not word):
            forms.append((form, nameless))
        names = body.get("names") or ""
        if not isinstance(names, str):
            self.wrong("names", "names is a block of text", "write `names: |` and one name a line")
            return tuple(forms)
        for line, text in enumerate(names.split("\n"), 1):
            if text.strip() and not is_comment(text):
                forms += self.named(text.strip(), line, homes, kind)
        return tuple(forms)

    def named(self, text: str, line: int, homes: tuple[str, ...], kind: str) -> list[tuple[Form, Entity]]:
        """`Canonical @home = form; form` as forms of one entity."""
        canonical, _, rest = text.partition("=")
        marked = _HOMES.search(" " + canonical.strip())
        if marked:
            homes = () if marked[1] == "none" else tuple(marked[1].split(","))
            canonical = (" " + canonical.strip())[: marked.start()].strip()
        entity = Entity(canonical.strip(), homes, kind)
        forms = []
        for written, _ in split_forms(rest or canonical):
            try:
                forms.append((parse_form(written, plural=kind == "word", name=kind != "word"), entity))
            except FormError as error:
                self.wrong("names", str(error), line=line)
        return forms
