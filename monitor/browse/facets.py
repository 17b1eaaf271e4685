"""The facets of one page, counted in one reading of its rows.

Datasette reads them once for each facet; in a view of six tables that is the whole cost of a page. Its
own facets over JSON lists find nothing in our views besides: it puts json_each() before the view, whose
CROSS JOINs hold SQLite to that order. Lists hold each name once, so rows are simply counted.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from datasette.facets import Facet
from datasette.utils import escape_sqlite, path_with_added_args, path_with_removed_args, sqlite_timelimit

from monitor.digest import labels


@dataclass(frozen=True, slots=True)
class Counted:
    """A column to count; `is_list` when it holds JSON lists."""

    column: str
    is_list: bool
    hideable: bool

    @property
    def argument(self) -> str:
        """What a link to one value asks for."""
        return f"{self.column}__arraycontains" if self.is_list else self.column


class DeskFacet(Facet):  # type: ignore[misc]
    """`{"desk": column}` in the metadata, `{"desk": "[column]"}` for lists; `_facet_desk=` in an address."""

    type = "desk"

    async def suggest(self) -> list[Any]:
        return []

    async def facet_results(self) -> tuple[list[dict[str, Any]], list[str]]:
        """(facets, names of those that took too long)."""
        wanted = [_counted(each) for each in self.get_configs()]
        if not wanted:
            return [], []
        try:
            tallies = await self._tallies(wanted)
        except sqlite3.OperationalError as error:
            if error.args != ("interrupted",):
                raise
            return [], [each.column for each in wanted]
        return [self._facet(each, tally) for each, tally in zip(wanted, tallies, strict=True)], []

    async def _tallies(self, wanted: list[Counted]) -> list[Counter[str]]:
        columns = ", ".join(escape_sqlite(each.column) for each in wanted)
        sql = f"SELECT {columns} FROM ({self.sql})"
        limit_ms = self.ds.setting("facet_time_limit_ms")

        def read(connection: sqlite3.Connection) -> list[Counter[str]]:
            with sqlite_timelimit(connection, limit_ms):
                return tallied(connection, sql, self.params, wanted)

        database = self.ds.get_database(self.database)
        found: list[Counter[str]] = await database.kept(
            f"{sql}\0{self.params}", lambda: database.execute_fn(read)
        )
        return found

    def _facet(self, each: Counted, tally: Counter[str]) -> dict[str, Any]:
        size = self.get_facet_size()
        ranked = sorted(tally.items(), key=lambda pair: (-pair[1], pair[0]))
        asked = f"[{each.column}]" if each.is_list else each.column
        return {
            "name": each.column,
            "type": self.type,
            "results": [self._value(each, value, count) for value, count in ranked[:size]],
            "hideable": each.hideable,
            "toggle_url": self._url(path_with_removed_args(self.request, {"_facet_desk": asked})),
            "truncated": len(ranked) > size,
        }

    def _value(self, each: Counted, value: str, count: int) -> dict[str, Any]:
        argument = {each.argument: value}
        selected = (each.argument, value) in self.get_querystring_pairs()
        toggle = path_with_removed_args if selected else path_with_added_args
        return {
            "value": value,
            "label": labels.name("en", value),
            "count": count,
            "toggle_url": self._url(toggle(self.request, argument)),
            "selected": selected,
        }

    def _url(self, path: str) -> str:
        return str(self.ds.urls.path(path))


def _counted(facet: dict[str, Any]) -> Counted:
    config = facet["config"]
    column = str(config.get("column") or config.get("simple"))
    return Counted(column.strip("[]"), column.startswith("["), facet["source"] != "metadata")


def tallied(
    connection: sqlite3.Connection, sql: str, params: Any, wanted: list[Counted]
) -> list[Counter[str]]:
    """How often each value occurs in each column, by one reading; empty values are not counted."""
    tallies: list[Counter[str]] = [Counter() for _ in wanted]
    cursor = connection.cursor()
    cursor.row_factory = None
    for values, count in Counter(cursor.execute(sql, params or {})).items():
        for tally, each, value in zip(tallies, wanted, values, strict=True):
            if each.is_list:
                for name in _names(value):
                    tally[name] += count
            elif value is not None:
                tally[str(value)] += count
    return tallies


@lru_cache(maxsize=10_000)
def _names(text: Any) -> tuple[str, ...]:
    """The names of a JSON list; () for anything else, which an address may ask for."""
    try:
        found = json.loads(text or "[]")
    except (ValueError, TypeError):
        return ()
    return tuple(map(str, found)) if isinstance(found, list) else ()
