"""Request: a digest of a period of the past, once, for whoever asks.

It claims nothing and moves no window, so the digest of the next morning is what it would have been.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from monitor.digest.render import render
from monitor.errors import InputError
from monitor.model import ChannelSpec, Digest, DigestSpec, OutboxRow
from monitor.outbox.compose import Composed, ComposeStore, stamp, unclaiming
from monitor.outbox.messages import message_rows

KIND = "requested"


class RequestStore(ComposeStore, Protocol):
    """The database as a request sees it."""

    def record_request(
        self, digest: Digest, subject: str, rows: Sequence[OutboxRow], now: datetime
    ) -> Collection[str]:
        """Digest and rows in one transaction, without claims; the keys that were not there yet."""


@dataclass(frozen=True, slots=True)
class Requested:
    """What a request came to. `already` are messages of an earlier one, left as they are."""

    composed: Composed
    already: tuple[OutboxRow, ...] = ()


def request(
    store: RequestStore,
    spec: DigestSpec,
    since: datetime,
    until: datetime,
    now: datetime,
    *,
    domains: Mapping[str, str],
    again: bool = False,
) -> Requested:
    """Write a digest of what matched after `since` up to `until` into the outbox, reported or not.

    The same period goes to the same recipient once, however often it is asked for, unless `again`.
    Without a story there is nothing to send, unless the digest sends empty ones. Raises StoreError.
    """
    digest = _digest(store, spec, since, until, stamp(now) if again else "")
    rendered = render(digest)
    shown = rendered.digest
    rows: list[OutboxRow] = []
    if shown.entries or spec.empty == "send":
        rows = list(message_rows(rendered, spec.channels, now, domains=domains))
    fresh = store.record_request(shown, rendered.subject, rows, now) if rows else ()
    composed = Composed(
        spec.name, KIND, digest.id, len(shown.entries), shown.more, len(fresh), rendered.subject
    )
    return Requested(composed, tuple(row for row in rows if row.key not in fresh))


def _digest(store: ComposeStore, spec: DigestSpec, since: datetime, until: datetime, repeat: str) -> Digest:
    entries = store.entries_between(since, until)
    period = "/".join(filter(None, (stamp(since), stamp(until), repeat)))
    return unclaiming(store, spec, f"{KIND}|{period}", KIND, entries, (since, until))


# --- to whom -------------------------------------------------------------------------------------


def aimed(spec: DigestSpec, targets: Sequence[str], kinds: Mapping[str, str]) -> DigestSpec:
    """The digest for `targets` alone: mail addresses, and names of channels; for its own when empty.

    `kinds` maps every configured channel to its kind. Mail goes through the digest's own mail channel,
    else the first there is. Raises InputError for a target that is neither.
    """
    if not targets:
        return spec
    people = tuple(target for target in targets if "@" in target)
    named = [_channel(spec, name, kinds) for name in targets if "@" not in name]
    mail = [ChannelSpec(_mail_channel(spec, kinds), "email", people)] if people else []
    return replace(spec, channels=(*mail, *named))


def _channel(spec: DigestSpec, name: str, kinds: Mapping[str, str]) -> ChannelSpec:
    own = next((channel for channel in spec.channels if channel.channel == name), None)
    if own:
        return own
    if name not in kinds:
        raise InputError(f"no such channel: {name}; there is: {', '.join(kinds)}, or a mail address")
    if kinds[name] == "email":
        raise InputError(f"{spec.name} names no recipients for channel {name}: give a mail address instead")
    return ChannelSpec(name, kinds[name])


def _mail_channel(spec: DigestSpec, kinds: Mapping[str, str]) -> str:
    own = [channel.channel for channel in spec.channels if channel.kind == "email"]
    found = own or [name for name, kind in kinds.items() if kind == "email"]
    if not found:
        raise InputError("no channel of kind email is configured in monitor.yaml")
    return found[0]
