"""What the engineer is told: each change for the worse or the better, once.

    look at everything | compare with what was told | one message of all changes | outbox

What was told stands in the database, written in one transaction with the message: neither a restart
nor a crash tells a thing twice, and nothing is told in vain.
"""

from __future__ import annotations

import html
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from monitor.model import ChannelSpec, OutboxRow
from monitor.outbox import message_id, outbox_key

WELL = "well"
NAME = "operator"  # stands where the name of a digest does
LOGGED_ELSEWHERE = frozenset({"network", "configuration", "job"})  # when they happen, by whoever noticed
ENDLESS = frozenset({"clock", "prefilter"})  # something happened; nothing goes on
SCHEMA = "japan-tech-monitor/operator/1"
TOLD = "operator"  # state: subject → [state, changes so far], as JSON
_DOMAIN = "japan-tech-monitor.invalid"  # RFC 6761: never anybody's

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Finding:
    """How one thing is: `subject` is its key ("source:riken"), `state` one word, `text` a sentence."""

    subject: str
    state: str  # WELL, or what is wrong
    text: str


class OperatorStore(Protocol):
    """The database as telling sees it. Every method raises StoreError."""

    def write(self) -> AbstractContextManager[None]: ...

    def get_state(self, key: str) -> str | None: ...

    def put_state(self, key: str, value: str, now: datetime) -> None: ...

    def record_messages(self, rows: Sequence[OutboxRow], now: datetime) -> None: ...


def tell(
    store: OperatorStore,
    findings: Iterable[Finding],
    channels: Sequence[ChannelSpec],
    now: datetime,
    *,
    domains: Mapping[str, str] | None = None,
) -> list[Finding]:
    """Logs what has changed since it was last told, and writes one message of it for each channel.

    A subject never heard of counts as well. Returns the changes. Raises StoreError, having told nothing.
    """
    with store.write():
        told: dict[str, tuple[str, int]] = json.loads(store.get_state(TOLD) or "{}")
        changes = [each for each in findings if each.state != told.get(each.subject, (WELL, 0))[0]]
        if not changes:
            return []
        for each in changes:
            told[each.subject] = (each.state, told.get(each.subject, (WELL, 0))[1] + 1)
        event = "operator|" + "|".join(
            f"{each.subject}={each.state}#{told[each.subject][1]}" for each in changes
        )
        store.record_messages(messages(event, subject(changes), changes, channels, now, domains or {}), now)
        store.put_state(TOLD, json.dumps(told, ensure_ascii=False), now)
    for each in changes:
        if each.subject.partition(":")[0] not in LOGGED_ELSEWHERE:
            _log.log(logging.INFO if each.state == WELL else logging.WARNING, "%s", each.text)
    return changes


def unwell(told: str | None) -> list[str]:
    """What was told to be wrong and not yet well again, as `subject state`; `told` is stored under `TOLD`."""
    subjects: dict[str, tuple[str, int]] = json.loads(told or "{}")
    return [
        f"{name} {state}"
        for name, (state, _) in sorted(subjects.items())
        if state != WELL and name not in ENDLESS
    ]


def subject(changes: Sequence[Finding]) -> str:
    """The subject line: what it is about, troubles first."""
    worse = [each for each in changes if each.state != WELL]
    first = (worse or list(changes))[0].text.splitlines()[0][:120]
    more = f" (and {len(changes) - 1} more)" if len(changes) > 1 else ""
    return f"Monitor: {first}{more}"


def messages(
    event: str,
    title: str,
    findings: Sequence[Finding],
    channels: Sequence[ChannelSpec],
    now: datetime,
    domains: Mapping[str, str],
) -> list[OutboxRow]:
    """One message for each channel and recipient; `event` is the same however often it is written."""
    rows = []
    for channel in channels:
        for recipient in channel.recipients or ("",):
            key = outbox_key(event, channel.channel, recipient)
            domain = domains.get(channel.channel, _DOMAIN)
            rows.append(
                OutboxRow(
                    key=key,
                    digest_id=f"{NAME}|{key[:16]}",
                    digest_name=NAME,
                    channel=channel.channel,
                    kind=channel.kind,
                    recipient=recipient,
                    subject=title,
                    payload=payload(channel.kind, title, findings, now),
                    message_id=message_id(key, recipient, domain) if channel.kind == "email" else "",
                    created_at=now,
                )
            )
    return rows


def payload(kind: str, title: str, findings: Sequence[Finding], now: datetime) -> dict[str, object]:
    """What a channel of that kind sends: plain words, small. Raises KeyError for an unknown kind."""
    at = f"{now:%Y-%m-%d %H:%M} UTC"
    lines = [f"{'recovered' if each.state == WELL else each.state}: {each.text}" for each in findings]
    text = "\n".join([title, at, "", *(f"- {line}" for line in lines), ""])
    page = _page(title, at, lines)
    match kind:
        case "email":
            return {"html": page, "text": text}
        case "slack":
            return {"text": _slack_safe(text[:3_000]), "unfurl_links": False}
        case "apprise":
            return {"text": text}
        case "webhook":
            told = [{"subject": f.subject, "state": f.state, "text": f.text} for f in findings]
            at_z = f"{now:%Y-%m-%dT%H:%M:%SZ}"
            return {"document": {"schema": SCHEMA, "subject": title, "at": at_z, "changes": told}}
        case "file":
            name = f"{NAME}-{now:%Y-%m-%d-%H%M%S}"
            return {"name": name, "html": page, "text": text, "feed": NAME, "title": title, "entries": []}
    raise KeyError(kind)


def _page(title: str, at: str, lines: Sequence[str]) -> str:
    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    name = html.escape(title)
    head = f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{name}</title></head>'
    return f"{head}<body><h1>{name}</h1><p>{at}</p><ul>{items}</ul></body></html>\n"


def _slack_safe(text: str) -> str:
    """Nothing in an error message becomes a mention or a link (docs.slack.dev, "Escaping text")."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
