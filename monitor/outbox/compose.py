"""Compose: what is due is claimed, rendered and written into the outbox, in one transaction.

A digest that cannot be rendered has claimed nothing, and harms no other digest.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol
from zoneinfo import ZoneInfo

from monitor.digest import clock
from monitor.digest.render import Rendered, render
from monitor.digest.select import filtered, is_urgent, is_wanted, select
from monitor.errors import StoreError
from monitor.model import ChannelSpec, Coverage, Digest, DigestEntry, DigestSpec, DigestState, OutboxRow
from monitor.outbox.messages import hashed, message_rows

log = logging.getLogger(__name__)

Claim = tuple[int, int, str]  # match id, story id, role: new | update | overflow | filtered
_WEEKS_IN_CHARTS = 6
_FILE = ChannelSpec("file", "file")


# --- what composing needs ------------------------------------------------------------------------


class ComposeStore(Protocol):
    """The database as composing sees it. Every method raises StoreError when it cannot be used."""

    def digest_state(self, name: str, now: datetime) -> DigestState:
        """How far the digest has come; created on first use."""

    def unclaimed(self, name: str, until: datetime) -> Sequence[DigestEntry]:
        """Stories with matches, since the digest was configured, that it has not claimed."""

    def entries_between(self, since: datetime, until: datetime) -> Sequence[DigestEntry]:
        """Stories matched in a span, claimed or not."""

    def coverage(self, now: datetime) -> Coverage: ...

    def record_digest(
        self,
        digest: Digest,
        subject: str,
        claims: Sequence[Claim],
        rows: Sequence[OutboxRow],
        fire_at: datetime | None,
        now: datetime,
    ) -> bool:
        """Digest, claims and rows in one transaction; False when the digest id exists already."""

    def immediate_count(self, name: str, since: datetime) -> int: ...

    def weekly_counts(self, since: datetime, until: datetime) -> Sequence[tuple[str, str, int]]: ...

    def message_ids_for_story(self, name: str, story_id: int) -> Sequence[str]: ...


# --- reports -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Composed:
    """A digest that was recorded: `rows` messages wait in the outbox; 0 when it had nothing to say."""

    name: str
    kind: str
    digest_id: str
    stories: int
    more: int
    rows: int
    subject: str = ""
    text: str = ""  # for a terminal


@dataclass(frozen=True, slots=True)
class ComposeReport:
    composed: tuple[Composed, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()  # (digest name, what went wrong)


# --- compose -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Plan:
    """A digest about to be composed."""

    spec: DigestSpec
    kind: str
    window_start: datetime
    window_end: datetime
    fire_at: datetime | None  # the scheduled time it serves
    entries: tuple[DigestEntry, ...]
    window: str  # the last part of the digest's id


def compose(
    store: ComposeStore,
    specs: Sequence[DigestSpec],
    now: datetime,
    *,
    only: str | None = None,
    force: bool = False,
    first_look: bool = False,
    domains: Mapping[str, str] | None = None,
) -> ComposeReport:
    """Write every digest that is due at `now`, and urgent stories, into the outbox.

    `only` names one digest; `force` composes now whatever the clock says; `first_look` goes to files
    alone and claims what the first run found, so that nobody is flooded. `domains` maps a mail
    channel to the domain of its Message-IDs. One digest that fails is reported and harms no other.
    Raises StoreError.
    """
    composer = _Composer(store, now, domains or {})
    for spec in specs:
        if only is None or spec.name == only:
            composer.run(spec, force=force, first_look=first_look)
    return ComposeReport(tuple(composer.composed), tuple(composer.failed))


def preview(
    store: ComposeStore, spec: DigestSpec, now: datetime, *, since: datetime | None = None
) -> Rendered:
    """The digest as it would be at `now`, of the stories since `since` (else the unreported ones).

    Claims nothing. Raises StoreError.
    """
    entries = store.unclaimed(spec.name, now) if since is None else store.entries_between(since, now)
    start = since or min((entry.matched_at for entry in entries), default=now)
    kind = "weekly" if spec.weekly else "preview"
    return render(unclaiming(store, spec, f"preview|{stamp(now)}", kind, entries, (start, now)))


def unclaiming(
    store: ComposeStore,
    spec: DigestSpec,
    what: str,
    kind: str,
    entries: Sequence[DigestEntry],
    window: tuple[datetime, datetime],
) -> Digest:
    """A digest of `entries` that stands outside the order of those on schedule; `what` ends its id."""
    shown, overflow = select(entries, spec)
    start, end = window
    return Digest(
        id=f"{spec.name}|{what}",
        spec=spec,
        kind=kind,
        window_start=start,
        window_end=end,
        entries=shown,
        coverage=store.coverage(end),
        more=len(overflow),
        weekly_counts=_weekly(store, spec, end),
    )


class _Composer:
    """One pass over the digests at one moment."""

    def __init__(self, store: ComposeStore, now: datetime, domains: Mapping[str, str]) -> None:
        self.store, self.now, self.domains = store, now, domains
        self.composed: list[Composed] = []
        self.failed: list[tuple[str, str]] = []

    def run(self, spec: DigestSpec, *, force: bool, first_look: bool) -> None:
        for plan in self._plans(spec, force, first_look):
            try:
                rendered = self._rendered(plan)
            except StoreError:
                raise
            except Exception as error:
                # Whatever a template or a story can do wrong: nothing is claimed yet, so nothing is
                # lost, and the other digests must go out.
                log.exception("digest not composed", extra={"digest": spec.name})
                self.failed.append((spec.name, f"{type(error).__name__}: {error}"))
                continue
            self._record(plan, rendered)

    # -- what is due --

    def _plans(self, spec: DigestSpec, force: bool, first_look: bool) -> Iterator[_Plan]:
        state = self.store.digest_state(spec.name, self.now)
        if first_look:
            plan = self._plan(spec, "first-look", state, None)
            if plan.entries:
                yield plan
            return
        kind = "weekly" if spec.weekly else "scheduled"
        if force:
            yield self._plan(spec, kind, state, None)
            return
        last = max(filter(None, (state.last_fire_at, state.configured_at)))
        fire_at = clock.due_at(spec, last, self.now)
        if fire_at is not None:
            yield self._plan(spec, kind, state, fire_at)
        elif spec.immediate and not clock.is_quiet(spec, self.now):
            yield from self._alerts(spec)

    def _plan(self, spec: DigestSpec, kind: str, state: DigestState, fire_at: datetime | None) -> _Plan:
        return _Plan(
            spec=spec,
            kind=kind,
            window_start=state.last_fire_at or state.configured_at,
            window_end=self.now,
            fire_at=fire_at,
            entries=tuple(self.store.unclaimed(spec.name, self.now)),
            window=stamp(fire_at or self.now),
        )

    def _alerts(self, spec: DigestSpec) -> Iterator[_Plan]:
        """Urgent stories, one message each, as many as today's cap leaves; the others wait."""
        entries = self.store.unclaimed(spec.name, self.now)
        urgent = [entry for entry in entries if is_wanted(entry, spec) and is_urgent(entry)]
        if not urgent:
            return
        room = spec.immediate_cap - self.store.immediate_count(spec.name, _local_midnight(spec, self.now))
        for entry in sorted(urgent, key=lambda e: (e.matched_at, e.match_id))[: max(room, 0)]:
            at, window = self.now, f"{stamp(entry.matched_at)}-m{max(entry.match_ids)}"
            yield _Plan(spec, "immediate", at, at, None, (entry,), window)

    # -- rendering and recording --

    def _rendered(self, plan: _Plan) -> tuple[Rendered, list[OutboxRow]] | None:
        """The digest and its rows; None when it has nothing to say and should not say so."""
        shown, overflow = select(plan.entries, plan.spec)
        if not shown and plan.spec.empty != "send":
            return None
        rendered = render(self._digest(plan, shown, len(overflow)))
        return rendered, list(self._rows(plan, rendered))

    def _digest(self, plan: _Plan, shown: tuple[DigestEntry, ...], more: int) -> Digest:
        spec = plan.spec
        earlier: Sequence[str] = ()
        if plan.kind == "immediate" and shown[0].update:
            earlier = self.store.message_ids_for_story(spec.name, shown[0].story_id)
        return Digest(
            id=f"{spec.name}|{plan.kind}|{plan.window}",
            spec=spec,
            kind=plan.kind,
            window_start=plan.window_start,
            window_end=plan.window_end,
            entries=shown,
            coverage=self.store.coverage(self.now),
            more=more,
            weekly_counts=_weekly(self.store, spec, self.now),
            in_reply_to=earlier[-1] if earlier else "",
        )

    def _rows(self, plan: _Plan, rendered: Rendered) -> Iterator[OutboxRow]:
        channels = plan.spec.channels
        if plan.kind == "first-look":
            channels = tuple(channel for channel in channels if channel.kind == "file") or (_FILE,)
        thread = partial(self._references, rendered.digest) if plan.kind == "immediate" else None
        return message_rows(rendered, channels, self.now, domains=self.domains, thread=thread)

    def _references(self, digest: Digest, recipient: str, domain: str) -> list[str]:
        """The thread of an alert: a root no message carries, then what this recipient got before."""
        name, story_id = digest.spec.name, digest.entries[0].story_id
        root = f"<story.{hashed(f'{name}|{story_id}')[:24]}@{domain}>"
        if not digest.in_reply_to:
            return [root]
        mine = f".{hashed(recipient)[:12]}@"
        earlier = [known for known in self.store.message_ids_for_story(name, story_id) if mine in known]
        return [root, *earlier[-10:]]

    def _record(self, plan: _Plan, result: tuple[Rendered, list[OutboxRow]] | None) -> None:
        if result is None:
            digest, subject, rows, text = self._digest(plan, (), 0), "", list[OutboxRow](), ""
        else:
            rendered, rows = result
            digest, subject, text = rendered.digest, rendered.subject, rendered.text
        claims = list(_claims(plan, digest))
        if not self.store.record_digest(digest, subject, claims, rows, plan.fire_at, self.now):
            return
        stories = len(digest.entries)
        self.composed.append(
            Composed(plan.spec.name, plan.kind, digest.id, stories, digest.more, len(rows), subject, text)
        )


def _claims(plan: _Plan, digest: Digest) -> Iterator[Claim]:
    """Every match the digest settles: shown, only counted, or kept out by its filter."""
    shown = {entry.story_id for entry in digest.entries}
    out = {entry.story_id for entry in filtered(plan.entries, plan.spec)}
    for entry in plan.entries:
        if entry.story_id in shown:
            role = "update" if entry.update else "new"
        else:
            role = "filtered" if entry.story_id in out else "overflow"
        for match_id in entry.match_ids:
            yield match_id, entry.story_id, role


def _weekly(store: ComposeStore, spec: DigestSpec, now: datetime) -> tuple[tuple[str, str, int], ...]:
    """What a round-up's bars show; nothing for other digests."""
    if not spec.weekly:
        return ()
    first = now - timedelta(weeks=_WEEKS_IN_CHARTS, days=now.weekday())  # a Monday: whole weeks only
    return tuple(store.weekly_counts(first.replace(hour=0, minute=0, second=0, microsecond=0), now))


def stamp(at: datetime) -> str:
    """An instant as digests' ids have it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _local_midnight(spec: DigestSpec, now: datetime) -> datetime:
    local = now.astimezone(ZoneInfo(spec.zone))
    return local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
