"""Facets over JSON lists. Datasette's own finds nothing in our views: it puts json_each() before the
view, whose CROSS JOINs hold SQLite to that order. Lists hold each name once, so rows are simply counted.
"""

from __future__ import annotations

from typing import Any

from datasette.database import QueryInterrupted
from datasette.facets import Facet
from datasette.utils import escape_sqlite, path_with_added_args, path_with_removed_args

from monitor.digest import labels

_SQL = """
SELECT j.value AS value, count(*) AS count FROM ({sql}) AS filtered JOIN json_each(filtered.{column}) AS j
GROUP BY j.value ORDER BY count(*) DESC, j.value LIMIT {limit}
"""


class ListFacet(Facet):  # type: ignore[misc]
    """`{"list": column}` in the metadata, `_facet_list=column` in an address."""

    type = "list"

    async def suggest(self) -> list[Any]:
        return []

    async def facet_results(self) -> tuple[list[dict[str, Any]], list[str]]:
        """(facets, names of those that took too long)."""
        results, timed_out = [], []
        for each in self.get_configs():
            column = each["config"].get("column") or each["config"]["simple"]
            try:
                results.append(await self._facet(column, hideable=each["source"] != "metadata"))
            except QueryInterrupted:
                timed_out.append(column)
        return results, timed_out

    async def _facet(self, column: str, *, hideable: bool) -> dict[str, Any]:
        size = self.get_facet_size()
        sql = _SQL.format(sql=self.sql, column=escape_sqlite(column), limit=size + 1)
        limit_ms = self.ds.setting("facet_time_limit_ms")
        found = await self.ds.execute(
            self.database, sql, self.params, truncate=False, custom_time_limit=limit_ms
        )
        return {
            "name": column,
            "type": self.type,
            "results": [self._value(column, row) for row in found.rows[:size]],
            "hideable": hideable,
            "toggle_url": self._url(path_with_removed_args(self.request, {"_facet_list": column})),
            "truncated": len(found.rows) > size,
        }

    def _value(self, column: str, row: Any) -> dict[str, Any]:
        argument = {f"{column}__arraycontains": str(row["value"])}
        selected = next(iter(argument.items())) in self.get_querystring_pairs()
        toggle = path_with_removed_args if selected else path_with_added_args
        return {
            "value": row["value"],
            "label": labels.name("en", str(row["value"])),
            "count": row["count"],
            "toggle_url": self._url(toggle(self.request, argument)),
            "selected": selected,
        }

    def _url(self, path: str) -> str:
        return str(self.ds.urls.path(path))
