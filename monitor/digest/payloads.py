"""What each kind of channel is given, frozen when a digest is composed.

A payload is plain JSON. Everything that depends on rules, clock or language has been decided in
it, so that a message sent tomorrow, or twice, is the message composed today.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from monitor.digest import blocks, feed
from monitor.digest.pieces import calling_nobody, pieces
from monitor.digest.render import Rendered
from monitor.digest.view import StoryView, safe_url
from monitor.model import Digest, DigestEntry
from monitor.text import clean_line

SCHEMA = "japan-tech-monitor/digest/1"
_MOST_CHARS = 4_000  # of a string in the webhook's document


@dataclass(frozen=True, slots=True)
class Payload:
    """One message; a channel with narrow limits gets several, told apart by `part`."""

    subject: str
    content: Mapping[str, object]
    part: int = 1


def payloads(kind: str, rendered: Rendered) -> Sequence[Payload]:
    """The messages of a digest for a channel of `kind`. Raises KeyError for an unknown kind."""
    return _BUILDERS[kind](rendered)


def _email(rendered: Rendered) -> list[Payload]:
    return [Payload(rendered.subject, {"html": rendered.html, "text": rendered.text})]


def _slack(rendered: Rendered) -> list[Payload]:
    messages = blocks.messages(rendered.view)
    return [Payload(rendered.subject, message, n) for n, message in enumerate(messages, start=1)]


def _apprise(rendered: Rendered) -> list[Payload]:
    parts = pieces(calling_nobody(rendered.text))
    subject = calling_nobody(rendered.subject)
    if len(parts) == 1:
        return [Payload(subject, {"text": parts[0]})]
    return [
        Payload(f"{subject} ({n}/{len(parts)})", {"text": part}, n) for n, part in enumerate(parts, start=1)
    ]


def _webhook(rendered: Rendered) -> list[Payload]:
    return [Payload(rendered.subject, {"document": document(rendered.digest, rendered.subject)})]


def _file(rendered: Rendered) -> list[Payload]:
    digest = rendered.digest
    content = {
        "name": file_name(digest),
        "html": rendered.html,
        "text": rendered.text,
        "feed": digest.spec.name,
        "title": rendered.view.title,
        "entries": _feed_entries(rendered),
    }
    return [Payload(rendered.subject, content)]


def _feed_entries(rendered: Rendered) -> list[dict[str, object]]:
    """What the digest's feed gains. A period somebody asked for is no news to those who follow the feed."""
    digest = rendered.digest
    if digest.kind == "requested":
        return []
    pairs = zip(digest.entries, _in_order(rendered), strict=True)
    return [feed.entry(digest, entry, story) for entry, story in pairs]


_BUILDERS = {"email": _email, "slack": _slack, "webhook": _webhook, "file": _file, "apprise": _apprise}


def _in_order(rendered: Rendered) -> list[StoryView]:
    """The shown stories in the order of the digest's entries."""
    by_id = {story.story_id: story for story in rendered.view.stories}
    return [by_id[entry.story_id] for entry in rendered.digest.entries]


def file_name(digest: Digest) -> str:
    """A name for its files that sorts by time and is the same however often it is written."""
    start, local = (
        at.astimezone(ZoneInfo(digest.spec.zone)) for at in (digest.window_start, digest.window_end)
    )
    kind = "" if digest.kind == "scheduled" else f"-{digest.kind}"
    if digest.kind == "requested":
        kind += f"-since-{start:%Y-%m-%d-%H%M}"
    # Two alerts may fall into one minute: their story tells them apart.
    story = f"-{digest.entries[0].story_id}" if digest.kind == "immediate" and digest.entries else ""
    return f"{digest.spec.name}-{local:%Y-%m-%d-%H%M}{kind}{story}"


# --- the webhook's document ------------------------------------------------------------------


def document(digest: Digest, subject: str) -> dict[str, object]:
    """A digest as JSON for programs; the keys are documented in docs/webhook.md."""
    coverage = digest.coverage
    return {
        "schema": SCHEMA,
        "id": digest.id,
        "name": digest.spec.name,
        "kind": digest.kind,
        "subject": subject,
        "window_start": _instant(digest.window_start),
        "window_end": _instant(digest.window_end),
        "stories": [_story(entry) for entry in digest.entries],
        "more": digest.more,
        "coverage": {
            "sources": coverage.sources,
            "read": coverage.read,
            "failing": [_source(row) for row in coverage.failing],
            "silent": [_source(row) for row in coverage.silent],
            "dead_letters": coverage.dead_letters,
        },
        "weekly_counts": [{"week": week, "of": key, "stories": n} for week, key, n in digest.weekly_counts],
        "browse_url": digest.spec.browse_url,
    }


def _story(entry: DigestEntry) -> dict[str, object]:
    return {
        "story_id": entry.story_id,
        "title": _line(entry.title),
        "url": safe_url(entry.url),
        "source": _line(entry.source_name),
        "authority": entry.authority,
        "country": entry.country,
        "lang": entry.lang,
        "published_at": _instant(entry.published_at),
        "matched_at": _instant(entry.matched_at),
        "corridors": list(entry.corridors),
        "topics": list(entry.topics),
        "event": entry.event,
        "priority": entry.priority,
        "score": entry.score,
        "why": _line(entry.why),
        "organisations": [_line(name) for name in entry.organisations],
        "programmes": [_line(name) for name in entry.programmes],
        "amounts": [{"text": _line(a.text), "currency": a.currency, "value": a.value} for a in entry.amounts],
        "evidence": [{"field": e.field, "quote": _line(e.quote), "rule": e.rule} for e in entry.evidence],
        "outlets": [
            {
                "source": _line(o.source_name),
                "title": _line(o.title),
                "url": safe_url(o.url),
                "lang": o.lang,
            }
            for o in entry.outlets
        ],
        "update": _line(entry.update),
    }


def _line(text: str) -> str:
    """Whole, on one line, without control characters: a program may show it somewhere."""
    return clean_line(text, limit=_MOST_CHARS)


def _source(row: tuple[str, str, datetime | None]) -> dict[str, object]:
    name, reason, since = row
    return {"source": _line(name), "reason": _line(reason), "since": _instant(since)}


def _instant(at: datetime | None) -> str | None:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None
