"""The data dictionary of storage/README.md, read from the comments of the schema."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from monitor.store.migrations import MIGRATIONS, statements

_HEAD = re.compile(r"CREATE (?:VIRTUAL )?(TABLE|VIEW) (\w+).*?-- (.+)")
_TABLE_COLUMN = re.compile(r'^  "?(\w+)"?(?: (TEXT|INTEGER|REAL))?\b.*?-- (.+)$')
_VIEW_COLUMN = re.compile(r"\bAS (\w+),?\s+-- (.+)$")
# Views first: they are what people should start from.
_ORDER = ("VIEW", "TABLE")


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: str  # as declared; "" in views
    meaning: str


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or view with what its schema says of it."""

    kind: str  # TABLE or VIEW
    name: str
    meaning: str
    columns: tuple[Column, ...]


def relations() -> list[Relation]:
    """Every table and view of the newest schema, views first; a later definition replaces an earlier."""
    found = {}
    for _, sql in MIGRATIONS:
        for statement in statements(sql):
            for relation in _relation(statement):
                found[relation.name] = relation
    return sorted(found.values(), key=lambda relation: _ORDER.index(relation.kind))


def _relation(statement: str) -> Iterator[Relation]:
    head = _HEAD.search(statement)
    if head:
        columns = _view_columns if head[1] == "VIEW" else _table_columns
        lines = statement[head.end() :].splitlines()
        yield Relation(head[1], head[2], head[3], tuple(columns(lines)))


def _table_columns(lines: list[str]) -> Iterator[Column]:
    for line in lines:
        match = _TABLE_COLUMN.match(line)
        if match:
            yield Column(match[1], match[2] or "", match[3])


def _view_columns(lines: list[str]) -> Iterator[Column]:
    for line in lines:
        match = _VIEW_COLUMN.search(line)
        if match:
            yield Column(match[1], "", match[2])


def markdown() -> str:
    """The dictionary as it stands in storage/README.md."""
    return "\n".join(line for relation in relations() for line in _section(relation))


def _section(relation: Relation) -> Iterator[str]:
    yield f"### `{relation.name}`{' (view)' if relation.kind == 'VIEW' else ''}\n"
    yield f"{relation.meaning[0].upper()}{relation.meaning[1:]}.\n"
    yield "| column | type | meaning |"
    yield "|---|---|---|"
    for column in relation.columns:
        meaning = column.meaning.replace("|", "\\|")
        yield f"| `{column.name}` | {column.type.lower()} | {meaning} |"
    yield ""
