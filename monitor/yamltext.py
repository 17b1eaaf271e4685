"""YAML text as plain data that remembers where everything stood.

YAML 1.2 by ruamel.yaml: `NO` and `on` stay words, a repeated key is an error. Composing nodes and
building plain data from them is several times faster than a round-trip load, and keeps every mark.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from monitor.errors import ConfigError, Problem

Loc = tuple[str | int, ...]
MAX_BYTES = 5_000_000


@dataclass(frozen=True, slots=True)
class YamlText:
    """Parsed YAML: `data` is dicts, lists and scalars; `places` maps a path of keys to (line, column)."""

    path: str
    data: Any
    places: dict[Loc, tuple[int, int]]

    def place(self, loc: Loc) -> tuple[int, int]:
        """Line and column (from 1) of the value at `loc`, or of the nearest parent that stands in the file."""
        while loc and loc not in self.places:
            loc = loc[:-1]
        return self.places.get(loc, (1, 1))

    def problem(self, loc: Loc, message: str, hint: str = "") -> Problem:
        return Problem(self.path, *self.place(loc), message, hint)


def parse(path: str, text: str) -> YamlText:
    """Reads one YAML document. Raises ConfigError with file, line and column."""
    if len(text) > MAX_BYTES:
        raise ConfigError([Problem(path, 0, 0, f"file is larger than {MAX_BYTES:,} characters")])
    yaml = YAML(typ="safe", pure=True)
    try:
        node = yaml.compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        raise ConfigError([Problem(path, line, column, f"not valid YAML: {error.problem}")]) from error
    except (YAMLError, RecursionError, ValueError) as error:
        raise ConfigError([Problem(path, 0, 0, f"not valid YAML: {error}")]) from error
    places: dict[Loc, tuple[int, int]] = {}
    problems: list[Problem] = []
    data = None if node is None else _plain(path, yaml, node, (), places, problems)
    if problems:
        raise ConfigError(problems)
    return YamlText(path, data, places)


def _plain(
    path: str, yaml: YAML, node: Node, loc: Loc, places: dict[Loc, tuple[int, int]], problems: list[Problem]
) -> Any:
    places.setdefault(loc, (node.start_mark.line + 1, node.start_mark.column + 1))
    if isinstance(node, ScalarNode):
        return yaml.constructor.construct_object(node, deep=True)
    if isinstance(node, SequenceNode):
        return [_plain(path, yaml, child, (*loc, n), places, problems) for n, child in enumerate(node.value)]
    assert isinstance(node, MappingNode)
    result: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = yaml.constructor.construct_object(key_node, deep=True)
        line, column = key_node.start_mark.line + 1, key_node.start_mark.column + 1
        if isinstance(key, (list, dict)) or key in result:
            problems.append(Problem(path, line, column, f"key {key!r} stands twice", "keep one of them"))
            continue
        # A key's own place is kept under the value's path with a marker, for "unknown key" messages.
        places[(*loc, key, "__key__")] = (line, column)
        result[key] = _plain(path, yaml, value_node, (*loc, key), places, problems)
    return result
