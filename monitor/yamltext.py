"""YAML text as plain data that remembers where everything stood.

YAML 1.2 by ruamel.yaml: `NO` and `on` stay words, a date stays as written, a repeated key is an error.
Anchors, aliases, merge keys and tags are refused: a file of rules has no use for them, and nine
nested aliases are enough to fill the memory. Plain data is built straight from the parser's
events, which is several times faster than a round-trip load and keeps every mark.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, StringMark, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.reader import ReaderError

from monitor.errors import ConfigError, Problem

Loc = tuple[str | int, ...]
MAX_CHARACTERS = 5_000_000
MAX_DEPTH = 50  # of nested lists and mappings; ours have six
KEY = "__key__"  # places[(*loc, KEY)] is where the key of the value at `loc` stands

# A plain scalar that begins otherwise can only be text: no need to ask the resolver.
_MAYBE_NOT_TEXT = frozenset("0123456789+-.~tTfFnN")
_TAGS = {"null": "tag:yaml.org,2002:null", "timestamp": "tag:yaml.org,2002:timestamp"}


@dataclass(frozen=True, slots=True)
class YamlText:
    """Parsed YAML: `data` is dicts, lists and scalars; `places` maps a path of keys to (line, column)."""

    path: str
    data: Any
    places: dict[Loc, tuple[int, int]]

    def place(self, loc: Loc) -> tuple[int, int]:
        """Line and column (from 1) of the value at `loc`, or of its nearest parent in the file."""
        while loc and loc not in self.places:
            loc = loc[:-1]
        return self.places.get(loc, (1, 1))

    def problem(self, loc: Loc, message: str, hint: str = "") -> Problem:
        """The message, at the place of `loc`."""
        return Problem(self.path, *self.place(loc), message, hint)

    def key_problem(self, loc: Loc, message: str, hint: str = "") -> Problem:
        """The message, at the key whose value stands at `loc`."""
        return self.problem((*loc, KEY), message, hint)


def parse(path: str, text: str) -> YamlText:
    """Reads one YAML document. Raises ConfigError with file, line and column."""
    if len(text) > MAX_CHARACTERS:
        raise ConfigError([Problem(path, 0, 0, f"the file is larger than {MAX_CHARACTERS:,} characters")])
    directive = re.search(r"^%", text, re.MULTILINE)
    if directive:
        line = text.count("\n", 0, directive.start()) + 1
        raise ConfigError([Problem(path, line, 1, "a line begins with %", "directives are not read")])
    try:
        builder = _Builder(path, text)
        data = builder.document()
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        hint = _hint(error)
        raise ConfigError([Problem(path, line, column, f"not valid YAML: {error.problem}", hint)]) from error
    except ReaderError as error:
        raise ConfigError([_unreadable(path, text, error)]) from error
    except (YAMLError, ValueError) as error:
        first_line = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ConfigError([Problem(path, 0, 0, f"not valid YAML: {first_line}")]) from error
    if builder.problems:
        raise ConfigError(builder.problems)
    return YamlText(path, data, builder.places)


def _unreadable(path: str, text: str, error: ReaderError) -> Problem:
    """A control character names itself and its place; the library counts from the start of the file."""
    at = error.position if isinstance(error.position, int) else 0
    line = text.count("\n", 0, at) + 1
    column = at - (text.rfind("\n", 0, at) + 1) + 1
    return Problem(path, line, column, f"character U+{ord(text[at]):04X} is not allowed in YAML", "remove it")


def _hint(error: MarkedYAMLError) -> str:
    problem = error.problem or ""
    if "mapping values are not allowed" in problem:
        return "a value with ': ' inside needs quotes"
    if "'\\t'" in problem:
        return "indent with spaces"
    if "cannot start any token" in problem:
        return "put the value in quotes"
    return ""


class _Builder:
    """Builds the data of one document from the parser's events."""

    def __init__(self, path: str, text: str) -> None:
        yaml = YAML(typ="safe", pure=True)
        # The reader is fed through the constructor's own set-up, as YAML.parse() does it.
        self._constructor, self._parser = yaml.get_constructor_parser(text)
        self._resolver = yaml.resolver
        self._path = path
        self._words: dict[str, Any] = {}
        self.places: dict[Loc, tuple[int, int]] = {}
        self.problems: list[Problem] = []

    def document(self) -> Any:
        events = self._parser
        events.get_event()  # stream start
        if events.check_event(StreamEndEvent):
            return None
        events.get_event()  # document start
        data = self._value(())
        events.get_event()  # document end
        if not events.check_event(StreamEndEvent):
            mark = events.peek_event().start_mark
            self._refuse(mark, "a second document begins", "keep one document in a file: no '---' in between")
        return data

    def _value(self, loc: Loc) -> Any:
        event = self._parser.get_event()
        mark = event.start_mark
        self.places[loc] = (mark.line + 1, mark.column + 1)
        if isinstance(event, AliasEvent):
            self._refuse(mark, f"alias *{event.anchor}", "write the value out")
            return None
        self._check_node(event, mark)
        if isinstance(event, ScalarEvent):
            return self._scalar(event)
        if len(loc) > MAX_DEPTH:
            raise MarkedYAMLError(problem=f"nested deeper than {MAX_DEPTH} levels", problem_mark=mark)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(loc)
        assert isinstance(event, MappingStartEvent)
        return self._mapping(loc)

    def _check_node(self, event: Any, mark: StringMark) -> None:
        if event.anchor is not None:
            self._refuse(mark, f"anchor &{event.anchor}", "remove it: anchors and aliases are not read")
        tag = event.ctag
        if tag is not None and str(tag) not in ("", "!"):
            self._refuse(mark, f"tag {tag}", "remove it: tags are not read")

    def _sequence(self, loc: Loc) -> list[Any]:
        result: list[Any] = []
        while not self._parser.check_event(SequenceEndEvent):
            result.append(self._value((*loc, len(result))))
        self._parser.get_event()
        return result

    def _mapping(self, loc: Loc) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        while not self._parser.check_event(MappingEndEvent):
            mark = self._parser.peek_event().start_mark
            key = self._value((*loc, KEY))
            if isinstance(key, (list, dict)):
                self._refuse(mark, "a key that is a list or mapping", "keys are words")
                self._skip(loc)
            elif key in result:
                first = self.places[(*loc, key, KEY)][0]
                self._refuse(
                    mark, f"key {key!r} stands twice", f"keep one of them; the other is in line {first}"
                )
                self._skip(loc)
            else:
                self._refuse_merge(key, mark)
                # Under the key itself, so that an unknown key can be pointed at.
                self.places[(*loc, key, KEY)] = (mark.line + 1, mark.column + 1)
                result[key] = self._value((*loc, key))
        self._parser.get_event()
        return result

    def _skip(self, loc: Loc) -> None:
        """Reads a value that has no place in the result."""
        self._value((*loc, KEY, KEY))

    def _refuse_merge(self, key: Any, mark: StringMark) -> None:
        if key == "<<":
            self._refuse(mark, "merge key <<", "write the keys out: anchors and aliases are not read")

    def _scalar(self, event: ScalarEvent) -> Any:
        text = event.value
        plain = event.style is None or event.style == ""
        if not plain or (text and text[0] not in _MAYBE_NOT_TEXT):
            return text
        if text not in self._words:
            self._words[text] = self._resolved(event)
        return self._words[text]

    def _resolved(self, event: ScalarEvent) -> Any:
        text = event.value
        tag = self._resolver.resolve(ScalarNode, text, (True, False))
        if str(tag) == _TAGS["timestamp"]:
            return text  # YAML 1.2 has no dates; whoever wants one reads the text
        node = ScalarNode(tag, text, event.start_mark, event.end_mark)
        try:
            return self._constructor.construct_object(node, deep=True)
        except ValueError:  # more digits than Python turns into a number
            self._refuse(event.start_mark, "a number that is too long", "put it in quotes if it is text")
            return text

    def _refuse(self, mark: StringMark, message: str, hint: str) -> None:
        self.problems.append(Problem(self._path, mark.line + 1, mark.column + 1, message, hint))
