"""A digest in the reader's words: what every channel shows, cleaned and localised once.

Templates, Slack blocks and feeds read these records and nothing else, so a hostile headline is
made harmless in one place: control characters and bidirectional overrides are gone, lengths are
bounded, and an address is http(s) or empty. Escaping stays with each channel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from monitor.digest import labels
from monitor.digest.snippets import Snippet, snippets
from monitor.model import CORRIDORS, PRIORITIES, Coverage, Digest, DigestEntry, Outlet
from monitor.text import clean_line

_TITLE_CHARS = 240
_WHY_CHARS = 260
_NAME_CHARS = 80
_MOST_NAMES = 8
_MOST_OUTLETS = 5
_MOST_URL_CHARS = 2_000
_MOST_SOURCES = 5
_MOST_TOPICS = 10
_TOLD_KINDS = ("weekly", "first-look", "requested", "preview")


@dataclass(frozen=True, slots=True)
class Link:
    text: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class StoryView:
    """One story as it is shown."""

    story_id: int
    title: str
    url: str
    lang: str
    meta: tuple[str, ...]  # source and its authority, country, time
    corridors: tuple[str, ...]
    topics: tuple[str, ...]
    event: str
    priority: str  # high | normal | low
    why: str
    snippets: tuple[Snippet, ...]
    facts: tuple[tuple[str, str], ...]  # (label, values)
    outlets: tuple[Link, ...]
    more_outlets: str
    update: str


@dataclass(frozen=True, slots=True)
class Bar:
    label: str
    count: int
    percent: int  # of the longest bar, 1 to 100; 0 for none


@dataclass(frozen=True, slots=True)
class Chart:
    title: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class DigestView:
    """The whole digest as it is shown."""

    lang: str
    id: str
    kind: str
    name: str
    title: str
    kicker: str  # what it is, when it is no ordinary digest
    subject: str
    date: str
    counts: str
    groups: tuple[tuple[str, tuple[StoryView, ...]], ...]  # (heading or "", stories)
    more: str
    empty: str
    charts: tuple[Chart, ...]
    coverage: str
    problems: tuple[str, ...]  # failing sources, messages that reached nobody
    notices: tuple[str, ...]  # sources that read well but gave nothing for long
    window: str
    browse_url: str

    @property
    def stories(self) -> tuple[StoryView, ...]:
        return tuple(story for _, stories in self.groups for story in stories)


def view(digest: Digest) -> DigestView:
    """What readers of `digest` see, in the language and zone of its spec."""
    spec, lang = digest.spec, digest.spec.lang
    zone = ZoneInfo(spec.zone)
    at = digest.window_end
    stories = [_story(entry, lang, zone, at) for entry in digest.entries]
    return DigestView(
        lang=lang,
        id=digest.id,
        kind=digest.kind,
        name=spec.name,
        title=clean_line(spec.title, limit=100) or spec.name,
        kicker=_kicker(digest),
        subject=subject(digest),
        date=labels.long_moment(lang, at, zone),
        counts=" · ".join(_counts(digest)),
        groups=tuple(_groups(stories, lang)) if digest.kind != "immediate" else (("", tuple(stories)),),
        more=labels.more(lang, digest.more) if digest.more else "",
        empty="" if digest.entries else labels.word(lang, "nothing-long"),
        charts=tuple(_charts(digest)),
        coverage=labels.sources_read(lang, digest.coverage.read, digest.coverage.sources),
        problems=tuple(_problems(digest.coverage, lang, zone, at)),
        notices=tuple(_source_lines(digest.coverage.silent, labels.silent, lang, zone, at)),
        window=_window(digest, zone),
        browse_url=safe_url(spec.browse_url),
    )


def safe_url(url: str) -> str:
    """`url` when it is http(s), on one line and of a bearable length; else ""."""
    cleaned = clean_line(url, limit=_MOST_URL_CHARS + 1)
    if len(cleaned) > _MOST_URL_CHARS or " " in cleaned:
        return ""
    try:
        parts = urlsplit(cleaned)
        return cleaned if parts.scheme.lower() in ("http", "https") and parts.hostname else ""
    except ValueError:
        return ""


# --- lines around the stories ----------------------------------------------------------------


def subject(digest: Digest) -> str:
    """The subject line: what it is and how much, or the headline itself for an alert."""
    spec, lang = digest.spec, digest.spec.lang
    title = clean_line(spec.title, limit=60) or spec.name
    if digest.kind == "immediate" and digest.entries:
        headline = clean_line(digest.entries[0].title, limit=110)
        text = f"{labels.word(lang, 'alert')}: {headline}"
        return f"Re: {text}" if digest.in_reply_to else text
    total = len(digest.entries) + digest.more
    amount = labels.stories(lang, total) if total else labels.word(lang, "nothing")
    return f"{title}: {amount} · {_days(digest)}"


def _days(digest: Digest) -> str:
    """The digest's day; from the first to the last of a period that was asked for."""
    spec = digest.spec
    first, last = (
        labels.day(spec.lang, at, ZoneInfo(spec.zone)) for at in (digest.window_start, digest.window_end)
    )
    return f"{first} – {last}" if digest.kind == "requested" and first != last else last


def _kicker(digest: Digest) -> str:
    lang = digest.spec.lang
    if digest.kind == "immediate":
        return labels.word(lang, "alert")
    return labels.word(lang, digest.kind) if digest.kind in _TOLD_KINDS else ""


def _counts(digest: Digest) -> list[str]:
    """ "7 stories · 2 high priority · UK–Japan 4 · US–Japan 4": what there is before scrolling."""
    lang, entries = digest.spec.lang, digest.entries
    parts = [labels.stories(lang, len(entries) + digest.more)]
    parts += [labels.shown(lang, len(entries))] if digest.more else []
    high = sum(entry.priority == "high" for entry in entries)
    updates = sum(bool(entry.update) for entry in entries)
    parts += [labels.high_count(lang, high)] if high else []
    parts += [labels.update_count(lang, updates)] if updates else []
    for corridor in sorted({corridor for entry in entries for corridor in entry.corridors}):
        parts.append(f"{labels.name(lang, corridor)} {sum(corridor in e.corridors for e in entries)}")
    return parts if entries else parts[:1]


def _groups(stories: Sequence[StoryView], lang: str) -> list[tuple[str, tuple[StoryView, ...]]]:
    """Stories by priority; a single group needs no heading unless it is the one of high priority."""
    order = [p for p in PRIORITIES if any(story.priority == p for story in stories)]
    heading = {p: labels.word(lang, p) if len(order) > 1 or p == "high" else "" for p in order}
    return [(heading[p], tuple(s for s in stories if s.priority == p)) for p in order]


def _window(digest: Digest, zone: ZoneInfo) -> str:
    lang, end = digest.spec.lang, digest.window_end
    start = digest.window_start
    first, last = (labels.moment(lang, at, zone, end) for at in (start, end))
    if start >= end or first == last:  # a first look, seconds after the digest was set up
        return ""
    return f"{labels.word(lang, 'window')} {first} – {last} ({zone.key})"


def _problems(coverage: Coverage, lang: str, zone: ZoneInfo, now: datetime) -> list[str]:
    """What was not read, and what reached nobody."""
    lines = _source_lines(coverage.failing, labels.failing, lang, zone, now)
    if coverage.dead_letters:
        lines.append(labels.dead_letters(lang, coverage.dead_letters))
    return lines


def _source_lines(
    rows: Sequence[tuple[str, str, datetime | None]],
    phrase: Callable[[str, str, str], str],
    lang: str,
    zone: ZoneInfo,
    now: datetime,
) -> list[str]:
    lines = []
    for source, reason, since in rows[:_MOST_SOURCES]:
        when = labels.since(lang, since, zone, now) if since else ""
        line = phrase(lang, clean_line(source, limit=_NAME_CHARS), when)
        lines.append(f"{line} ({clean_line(reason, limit=120)})" if reason else line)
    if len(rows) > _MOST_SOURCES:
        lines.append(labels.and_more(lang, len(rows) - _MOST_SOURCES))
    return lines


# --- one story -------------------------------------------------------------------------------


def _story(entry: DigestEntry, lang: str, zone: ZoneInfo, now: datetime) -> StoryView:
    shown = entry.outlets[:_MOST_OUTLETS]
    return StoryView(
        story_id=entry.story_id,
        title=clean_line(entry.title, limit=_TITLE_CHARS) or safe_url(entry.url)[:_TITLE_CHARS] or "–",
        url=safe_url(entry.url),
        lang=entry.lang if entry.lang in labels.LANGS else "",
        meta=tuple(_meta(entry, lang, zone, now)),
        corridors=tuple(labels.name(lang, corridor) for corridor in entry.corridors),
        topics=tuple(labels.name(lang, topic) for topic in entry.topics[:4]),
        event=labels.name(lang, entry.event) if entry.event and entry.event != "other" else "",
        priority=entry.priority if entry.priority in PRIORITIES else "normal",
        why=clean_line(entry.why, limit=_WHY_CHARS),
        snippets=tuple(_clean_snippet(snippet) for snippet in snippets(entry.text, entry.evidence)),
        facts=tuple(_facts(entry, lang)),
        outlets=tuple(_outlet(outlet, entry.lang, lang) for outlet in shown),
        more_outlets=labels.and_more(lang, len(entry.outlets) - len(shown))
        if len(entry.outlets) > len(shown)
        else "",
        update=labels.update_note(lang, clean_line(entry.update, limit=120)),
    )


def _meta(entry: DigestEntry, lang: str, zone: ZoneInfo, now: datetime) -> list[str]:
    source = clean_line(entry.source_name, limit=_NAME_CHARS) or "–"
    if entry.authority == "official":
        source = f"{source} ({labels.word(lang, 'official')})"
    parts = [source, labels.country(lang, entry.country)]
    parts.append(labels.moment(lang, entry.published_at or entry.matched_at, zone, now))
    if entry.lang in labels.LANGS and entry.lang != lang:
        parts.append(labels.word(lang, f"lang-{entry.lang}"))
    return [part for part in parts if part]


def _facts(entry: DigestEntry, lang: str) -> list[tuple[str, str]]:
    rows = (
        ("organisations", entry.organisations),
        ("programmes", entry.programmes),
        ("amounts", tuple(amount.text for amount in entry.amounts)),
    )
    listed = [(labels.word(lang, key), _listed(values, lang)) for key, values in rows]
    return [(label, values) for label, values in listed if values]


def _listed(values: Sequence[str], lang: str) -> str:
    names = list(dict.fromkeys(filter(None, (clean_line(value, limit=_NAME_CHARS) for value in values))))
    shown = names[:_MOST_NAMES]
    if len(names) > len(shown):
        shown.append(labels.and_more(lang, len(names) - len(shown)))
    return labels.word(lang, "comma").join(shown)


def _outlet(outlet: Outlet, story_lang: str, lang: str) -> Link:
    text = clean_line(outlet.source_name, limit=_NAME_CHARS) or "–"
    if outlet.lang in labels.LANGS and outlet.lang != story_lang:
        text = f"{text} ({labels.word(lang, f'lang-{outlet.lang}')})"
    return Link(text, safe_url(outlet.url))


def _clean_snippet(snippet: Snippet) -> Snippet:
    """The quote without control characters; blanks between its pieces stay."""
    pieces = []
    for text, is_hit in snippet.pieces:
        cleaned = clean_line(text)
        before = " " if text[:1].isspace() and cleaned else ""
        after = " " if text[-1:].isspace() else ""
        pieces.append((f"{before}{cleaned}{after}", is_hit))
    return Snippet(tuple(pieces))


# --- charts ----------------------------------------------------------------------------------


def _charts(digest: Digest) -> list[Chart]:
    """A round-up's bars: each corridor over the weeks, and the topics of its own week."""
    lang = digest.spec.lang
    week = _own_week(digest)
    rows = sorted(row for row in digest.weekly_counts if row[0] <= week)
    top = max((count for _, key, count in rows if key in CORRIDORS), default=0)
    charts = []
    for corridor in CORRIDORS:
        weeks = [(_week(monday, lang), count) for monday, key, count in rows if key == corridor]
        title = labels.chart_of(lang, labels.name(lang, corridor))
        charts += [Chart(title, _bars(weeks, top))] if weeks else []
    topics = [
        (labels.name(lang, key), n) for monday, key, n in rows if monday == week and key not in CORRIDORS
    ]
    topics.sort(key=lambda pair: (-pair[1], pair[0]))
    if topics:
        title = labels.topics_of(lang, _week(week, lang))
        charts.append(Chart(title, _bars(topics[:_MOST_TOPICS], topics[0][1])))
    return charts


def _own_week(digest: Digest) -> str:
    """The Monday of the week a round-up looks back on: until Wednesday that is the week before."""
    day = (digest.window_end.astimezone(ZoneInfo(digest.spec.zone)) - timedelta(days=3)).date()
    return (day - timedelta(days=day.weekday())).isoformat()


def _week(monday: str, lang: str) -> str:
    at = datetime.fromisoformat(monday).replace(tzinfo=UTC)
    return labels.day(lang, at, ZoneInfo("UTC"))


def _bars(rows: Sequence[tuple[str, int]], top: int) -> tuple[Bar, ...]:
    return tuple(Bar(label, count, max(1, round(100 * count / top)) if count else 0) for label, count in rows)
