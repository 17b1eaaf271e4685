"""A brief of a period in Markdown: a line for each story, by corridor and topic, with its sources cited."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from monitor.digest import labels

Row = Mapping[str, Any]
_MARKS = {ord(mark): "\\" + mark for mark in "\\[]*_`<#|"}
_RANK = {"high": 0, "normal": 1, "low": 2}


def brief(rows: Sequence[Row], since: datetime | None, until: datetime) -> Iterator[str]:
    """Lines of Markdown; `rows` are matches as the store gives them. A story stands once, under the first
    corridor and topic of its weightiest article; the numbers lead to the articles at the end."""
    stories = _stories(rows)
    yield f"# Brief, {f'{since:%Y-%m-%d} to ' if since else 'up to '}{until:%Y-%m-%d}"
    yield ""
    yield f"{len(stories)} {'story' if len(stories) == 1 else 'stories'} in {len(rows)} articles."
    cited: list[Row] = []
    for corridor, themes in _themes(stories).items():
        yield f"\n## {labels.name('en', corridor) if corridor else 'Other'}"
        for topic, members in themes.items():
            yield f"\n### {labels.name('en', topic) if topic else 'Other'}\n"
            for story in members:
                yield _line(story, len(cited))
                cited += story
    if cited:
        yield "\n## Articles\n"
    for n, row in enumerate(cited, 1):
        yield f"{n}. {link(row['title'], row['url'])}, {_plain(row['source'])}, {_day(row)}"


def link(title: str, url: str) -> str:
    """A Markdown link that no title and no address can break out of."""
    text = _plain(title)
    target = url.replace("(", "%28").replace(")", "%29").replace(" ", "%20").replace("<", "%3C")
    return f"[{text}]({target})" if url else text


def _plain(text: str) -> str:
    return " ".join(text.split()).translate(_MARKS)


def _stories(rows: Sequence[Row]) -> list[list[Row]]:
    """Articles of one story together, the weightiest first; weightiest stories first."""
    groups: dict[int, list[Row]] = {}
    for row in rows:
        groups.setdefault(row["story_id"], []).append(row)
    stories = [sorted(group, key=_weight) for group in groups.values()]
    return sorted(stories, key=lambda story: (_RANK.get(story[0]["priority"], 3), -story[0]["outlets"]))


def _weight(row: Row) -> tuple[int, float, str]:
    return _RANK.get(row["priority"], 3), -row["score"], row["matched_at"]


def _themes(stories: Sequence[list[Row]]) -> dict[str, dict[str, list[list[Row]]]]:
    themes: dict[str, dict[str, list[list[Row]]]] = {}
    for story in stories:
        corridor, topic = (next(iter(story[0][column]), "") for column in ("corridors", "topics"))
        themes.setdefault(corridor, {}).setdefault(topic, []).append(story)
    return themes


def _line(story: Sequence[Row], cited: int) -> str:
    lead = story[0]
    facts = [labels.name("en", lead["event"])] if lead["event"] and lead["event"] != "other" else []
    if lead["organisations"]:
        facts.append(", ".join(map(_plain, lead["organisations"])))
    if lead["amounts"]:
        facts.append(", ".join(_plain(amount["text"]) for amount in lead["amounts"]))
    marks = f"[{', '.join(str(cited + n) for n in range(1, len(story) + 1))}]"
    high = "**High priority.** " if lead["priority"] == "high" else ""
    told = f" ({'; '.join(facts)})" if facts else ""
    return f"- {high}{_plain(lead['title'])}{told}. {_day(lead)} {marks}"


def _day(row: Row) -> str:
    return str(row["published_at"] or row["matched_at"])[:10]
