"""Our own pages: what is new, how the weeks went, and why one article is here."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from monitor import plot
from monitor.browse import asked
from monitor.browse.excerpts import excerpts
from monitor.digest import labels
from monitor.model import CORRIDORS, PRIORITIES

Row = dict[str, Any]
WEEKS = 12
NEWEST_ROWS = 400  # articles looked at for the home page
SHOWN = 15  # stories under one heading
_LISTS = ("corridors", "topics", "rules", "organisations", "programmes", "amounts", "evidence")


class Ask:
    """Asks the archive; Datasette's connections are read-only and guarded."""

    def __init__(self, database: Any) -> None:
        self._database = database

    async def all(self, sql: str, **parameters: object) -> list[Row]:
        """Every row of the answer, JSON lists read."""
        results = await self._database.execute(sql, parameters, truncate=False)
        return [_opened(dict(row)) for row in results.rows]

    async def first(self, sql: str, **parameters: object) -> Row | None:
        rows = await self.all(sql, **parameters)
        return rows[0] if rows else None


def _opened(row: Row) -> Row:
    return {name: json.loads(value) if name in _LISTS and value else value for name, value in row.items()}


@dataclass(frozen=True, slots=True)
class Story:
    """The articles of one story among those looked at, the weightiest first."""

    id: int
    title: str
    lead: Row
    others: tuple[Row, ...]

    @property
    def rank(self) -> tuple[int, int, str]:
        """Sorts by priority, then by how many carry it."""
        order = {name: n for n, name in enumerate(PRIORITIES)}
        return order.get(self.lead["priority"], len(order)), -self.lead["outlets"], self.title


def stories(rows: Sequence[Row]) -> list[Story]:
    """Rows of one story together, in the order of their newest article."""
    groups: dict[int, list[Row]] = {}
    for row in rows:
        groups.setdefault(row["story_id"], []).append(row)
    return [_story(members) for members in groups.values()]


def _story(members: list[Row]) -> Story:
    title = members[0]["story"]
    lead = next((row for row in members if row["title"] == title), max(members, key=lambda row: row["score"]))
    return Story(lead["story_id"], title, lead, tuple(row for row in members if row is not lead))


async def home(ask: Ask, now: datetime) -> dict[str, Any]:
    """Today, this week, what ails. An archive that has been quiet shows the newest it has."""
    day, week = _stamp(now - timedelta(days=1)), _stamp(now - timedelta(days=7))
    totals, today, corridors, ailing, states, rows = await asyncio.gather(
        ask.all(asked.TOTALS, since=week),
        ask.all(asked.TOTALS, since=day),
        ask.all(asked.CORRIDORS, since=week),
        ask.all(asked.AILING),
        ask.all(asked.STATES),
        ask.all(asked.NEWEST, since=week, limit=NEWEST_ROWS),
    )
    earlier = not rows
    if earlier:
        rows = await ask.all(asked.NEWEST, since="", limit=SHOWN)
    found = stories(rows)
    fresh = sorted((s for s in found if _newest(s) >= day), key=lambda story: story.rank)
    return {
        "week": totals[0],
        "today": today[0],
        "corridors": _every_corridor(corridors),
        "ailing": ailing,
        "states": states,
        "fresh": fresh[:SHOWN],
        "fresh_more": len(fresh[SHOWN:]),
        "rest": [] if earlier else [s for s in found if _newest(s) < day][:SHOWN],
        "earlier": found if earlier else [],
    }


def _newest(story: Story) -> str:
    return max(str(row["matched_at"]) for row in (story.lead, *story.others))


def _every_corridor(rows: Sequence[Row]) -> list[Row]:
    counted = {row["name"]: row for row in rows}
    nothing = {"stories": 0, "articles": 0, "high": 0}
    names = [*CORRIDORS, *(name for name in counted if name not in CORRIDORS)]
    return [counted.get(name, {"name": name, **nothing}) for name in names]


async def dashboard(ask: Ask, now: datetime) -> dict[str, Any]:
    """The last twelve weeks in charts, and how the sources do."""
    monday = (now - timedelta(days=now.weekday())).replace(hour=0, minute=0, second=0)
    first = monday - timedelta(weeks=WEEKS - 1)
    since = _stamp(first)
    weeks, topics, organisations, busiest, states, ailing = await asyncio.gather(
        ask.all(asked.WEEKS, since=since),
        ask.all(asked.TOPICS, since=since),
        ask.all(asked.ORGANISATIONS, since=since),
        ask.all(asked.BUSIEST),
        ask.all(asked.STATES),
        ask.all(asked.AILING),
    )
    return {
        "legend": _legend(weeks),
        "chart": _chart(weeks, [first + timedelta(weeks=n) for n in range(WEEKS)]),
        "topics": topics,
        "organisations": organisations,
        "busiest": busiest,
        "states": states,
        "ailing": ailing,
        "weeks": WEEKS,
    }


def _charted(rows: Sequence[Row]) -> list[str]:
    return sorted({*CORRIDORS, *(row["name"] for row in rows)})


def _legend(rows: Sequence[Row]) -> list[tuple[str, str]]:
    """(name, colour): on a phone the chart is scrolled to its newest week, away from its own legend."""
    return [(labels.name("en", n), plot.COLOURS[k % len(plot.COLOURS)]) for k, n in enumerate(_charted(rows))]


def _chart(rows: Sequence[Row], mondays: Sequence[datetime]) -> str:
    counted = {(row["week"], row["name"]): row["n"] for row in rows}
    series = {
        labels.name("en", name): [counted.get((f"{monday:%Y-%m-%d}", name), 0) for monday in mondays]
        for name in _charted(rows)
    }
    return plot.bars(
        "Stories begun each week, by corridor", [f"{monday.day} {monday:%b}" for monday in mondays], series
    )


async def article(ask: Ask, item: int) -> dict[str, Any] | None:
    """Everything that is kept of one article; None when there is no such item."""
    found = await ask.first(asked.ARTICLE, item=item)
    if found is None:
        return None
    match, story = found["match_id"], found["story_id"]
    parts, others, joins, digests, seen = await asyncio.gather(
        ask.all(asked.PARTS, verdict=found["verdict_id"]),
        ask.all(asked.STORY, story=story),
        ask.all(asked.JOINS, match=match),
        ask.all(asked.DIGESTS, match=match),
        ask.all(asked.SEEN, item=item),
    )
    text = found.pop("text")
    return {
        "article": found,
        "excerpts": excerpts(found["title"], text, found["evidence"]),
        "parts_of": parts,
        "others": [other for other in others if other["item_id"] != item],
        "joins": joins,
        "digests": digests,
        "seen": seen,
    }


async def item_of(ask: Ask, match: int) -> int | None:
    """The item of a match; None when there is no such match."""
    row = await ask.first(asked.ITEM_OF_MATCH, match=match)
    return None if row is None else int(row["item_id"])


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def words() -> Mapping[str, Any]:
    """What every template may call."""
    return {"name_of": name_of, "moment": moment, "as_list": _as_list}


def name_of(key: object) -> str:
    """A corridor, topic or event as people write it."""
    return labels.name("en", str(key))


def moment(stamp: str | None) -> str:
    """An instant for people: 24 Nov 2026, 22:02 UTC."""
    if not stamp:
        return "—"
    try:
        at = datetime.fromisoformat(stamp)
    except ValueError:
        return stamp
    return f"{at.day} {at:%b %Y, %H:%M} UTC"


def _as_list(value: object) -> list[Any]:
    """A JSON array as a list; [] for anything else."""
    try:
        read = json.loads(str(value or "[]"))
    except ValueError:
        return []
    return read if isinstance(read, list) else []
