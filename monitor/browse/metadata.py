"""What Datasette says of the archive: titles, columns, facets and the ready questions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from monitor.browse.guard import READABLE
from monitor.store.dictionary import Relation, relations

DATABASE = "monitor"
_FACETS: dict[str, list[Any]] = {
    "matches_view": [
        {"desk": column} for column in ("[corridors]", "[topics]", "event", "source", "country", "priority")
    ],
    "near_misses": [{"desk": column} for column in ("[corridors]", "[topics]", "country")],
    "source_health": [{"desk": column} for column in ("state", "country", "authority")],
    "items": ["outcome", "source_id", "lang"],
    "digests": ["name", "kind"],
}
_TITLES = {
    "matches_view": "Matches",
    "near_misses": "Near misses",
    "source_health": "Sources",
    "stories": "Stories",
    "items": "Everything seen",
    "digests": "Digests",
}
_SORTED = {"stories": "updated_at", "items": "id", "digests": "composed_at"}
_SEARCHED = ("matches_view", "near_misses")
_NAMED = {"stories": "title", "items": "title"}  # what a link to a row says


def metadata(queries: Path) -> dict[str, Any]:
    """Datasette's metadata; `queries` is the folder of ready questions, which may be missing."""
    known = {relation.name: relation for relation in relations()}
    return {
        "title": "Japan technology monitor",
        "description": "What the news says of UK–Japan and US–Japan cooperation in technology.",
        "databases": {
            DATABASE: {
                "title": "The archive",
                "allow_sql": False,
                "tables": {name: _table(known[name]) for name in READABLE},
                "queries": dict(_query(path) for path in sorted(queries.glob("*.sql"))),
            }
        },
    }


def _table(relation: Relation) -> dict[str, Any]:
    name = relation.name
    told: dict[str, Any] = {
        "title": _TITLES[name],
        "description": f"{relation.meaning[0].upper()}{relation.meaning[1:]}.",
        "columns": {column.name: column.meaning for column in relation.columns},
        "facets": _FACETS.get(name, []),
        "size": 30,
    }
    if name in _SEARCHED:
        told |= {"fts_table": "search", "fts_pk": "item_id"}
    if name in _SORTED:
        told["sort_desc"] = _SORTED[name]
    if name in _NAMED:
        told["label_column"] = _NAMED[name]
    return told


def _query(path: Path) -> tuple[str, dict[str, Any]]:
    """A ready question: its first two lines are its title and what it answers."""
    sql = path.read_text("utf-8")
    title, sentence, *_ = [*(_comment(line) for line in sql.splitlines()[:2]), "", ""]
    return path.stem, {"sql": sql, "title": title or path.stem, "description": sentence}


def _comment(line: str) -> str:
    line = line.strip()
    return line.removeprefix("/*").removesuffix("*/").strip() if line.startswith("/*") else ""
