"""Working stand-ins for the database and the channels, and stories to send."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.errors import DeliveryError
from monitor.model import (
    Amount,
    ChannelSpec,
    Coverage,
    Delivery,
    Digest,
    DigestEntry,
    DigestSpec,
    DigestState,
    Evidence,
    OutboxRow,
    Outlet,
)

NOW = datetime(2026, 3, 27, 8, 0, tzinfo=UTC)  # a Friday; London is still on GMT

TEXT_EN = (
    "The United Kingdom and Japan signed a semiconductor partnership in London on Friday. "
    "Rapidus and the University of Southampton will share a £4.5 million pilot line. "
    "Officials said the work continues a framework agreed in Hiroshima."
)
TEXT_JA = (
    "日英両政府は27日、半導体分野の協力に関する覚書に署名した。"
    "ラピダスは英国の大学と共同で設計人材を育成する。"
    "経済産業省によると、支援額は最大50億円となる。"
)


def evidence(text: str, *quotes: str, field: str = "text") -> tuple[Evidence, ...]:
    """The first place of each quote in `text`."""
    starts = [(text.index(quote), quote) for quote in quotes]
    return tuple(Evidence(field, at, at + len(quote), quote, "rule") for at, quote in starts)


def story(number: int = 1, **changes: Any) -> DigestEntry:
    """A plausible English story; its matches are numbered after it."""
    text = changes.pop("text", TEXT_EN)
    hits = changes.pop("hits", ("semiconductor partnership", "Rapidus") if text == TEXT_EN else ())
    entry = DigestEntry(
        story_id=number,
        match_id=number * 10,
        match_ids=(number * 10,),
        title=f"UK and Japan sign chip partnership, part {number}",
        url=f"https://www.gov.uk/news/{number}",
        source_name="GOV.UK",
        authority="official",
        country="gb",
        lang="en",
        published_at=NOW - timedelta(hours=3),
        matched_at=NOW - timedelta(hours=2),
        corridors=("uk-japan",),
        topics=("semiconductors", "rd-funding"),
        event="agreement",
        priority="normal",
        score=9.0,
        why="+4 title: Japan and UK; +3 semiconductor within one sentence of Japan; +2 Rapidus",
        organisations=("Rapidus", "University of Southampton"),
        programmes=("Hiroshima Accord",),
        amounts=(Amount("£4.5 million", "GBP", 4.5e6),),
        evidence=evidence(text, *hits),
        text=text,
    )
    return replace(entry, **changes)


def outlet(name: str = "Nikkei", number: int = 1, **changes: Any) -> Outlet:
    made = Outlet(number, name, f"{name} headline", f"https://example.com/{number}", "en", "jp", "press", NOW)
    return replace(made, **changes)


def spec(name: str = "morning", **changes: Any) -> DigestSpec:
    """A digest by mail to one reader in London."""
    made = DigestSpec(
        name=name,
        title="UK–Japan technology",
        zone="Europe/London",
        channels=(ChannelSpec("mail", "email", ("desk@example.org",)),),
    )
    return replace(made, **changes)


COVERAGE = Coverage(sources=140, read=131, failing=(("METI", "HTTP 503", NOW - timedelta(days=2)),))


def digest(*entries: DigestEntry, **changes: Any) -> Digest:
    made = Digest(
        id="morning|scheduled|2026-03-27T08:00:00Z",
        spec=changes.pop("spec", spec()),
        kind="scheduled",
        window_start=NOW - timedelta(days=1),
        window_end=NOW,
        entries=entries,
        coverage=COVERAGE,
    )
    return replace(made, **changes)


def row(kind: str = "email", **changes: Any) -> OutboxRow:
    payload = {"html": "<p>Hello</p>", "text": "Hello\n"}
    made = OutboxRow(
        key="k" * 64,
        digest_id="morning|scheduled|2026-03-27T08:00:00Z",
        digest_name="morning",
        channel=kind,
        kind=kind,
        recipient="desk@example.org" if kind == "email" else "",
        subject="UK–Japan technology: 7 stories",
        payload=payload,
        message_id="<kkkk@example.org>",
        id=1,
        attempts=1,
        created_at=NOW,
    )
    return replace(made, **changes)


HOSTILE = {
    "long title": "Chips " * 500,
    "right to left": "UK \u202egnirotinom\u202c and Japan \u200f\u061c",
    "emoji": "Chips 🇯🇵🤝🇬🇧 👩\u200d🔬",
    "slack mention": "<!channel> <@U123> <https://evil.example|click> &lt;!here&gt;",
    "header injection": "Chips\r\nBcc: victim@example.org\r\n\r\nbody",
    "smuggling": "Chips\n.\r\nMAIL FROM:<evil@example.org>\r\n.\r\n",
    "escape": "Chips \x1b[31mred\x1b]0;title\x07 \x00 nul",
    "markup": "<script>alert(1)</script><img src=x onerror=alert(1)> {{ 7*7 }} {% raw %}",
    "formatting": "*bold* _it_ ~no~ `code` |bar|> quote",
    "lone surrogate": "Chips \ud83d end",
    "crlf only": "\r\n",
    "empty": "",
}


# --- a database in memory --------------------------------------------------------------------


@dataclass
class FakeStore:
    """Digests and outbox in dictionaries, with the promises of the real store."""

    stories: list[DigestEntry] = field(default_factory=list)
    states: dict[str, DigestState] = field(default_factory=dict)
    digests: dict[str, Digest] = field(default_factory=dict)
    claims: dict[tuple[str, int], tuple[str, str]] = field(default_factory=dict)  # → (digest id, role)
    rows: dict[str, OutboxRow] = field(default_factory=dict)
    status: dict[int, str] = field(default_factory=dict)
    due: dict[int, datetime] = field(default_factory=dict)
    errors: dict[int, str] = field(default_factory=dict)
    counts: tuple[tuple[str, str, int], ...] = ()

    def digest_state(self, name: str, now: datetime) -> DigestState:
        return self.states.setdefault(name, DigestState(name, now, now))

    def unclaimed(self, name: str, until: datetime) -> list[DigestEntry]:
        since = self.states[name].configured_at if name in self.states else until
        return [
            entry
            for entry in self.stories
            if since <= entry.matched_at <= until
            and any((name, match_id) not in self.claims for match_id in entry.match_ids)
        ]

    def entries_between(self, since: datetime, until: datetime) -> list[DigestEntry]:
        return [entry for entry in self.stories if since <= entry.matched_at <= until]

    def coverage(self, now: datetime) -> Coverage:
        return COVERAGE

    def record_digest(
        self,
        digest: Digest,
        subject: str,
        claims: Sequence[tuple[int, int, str]],
        rows: Sequence[OutboxRow],
        fire_at: datetime | None,
        now: datetime,
    ) -> bool:
        if digest.id in self.digests:
            return False
        self.digests[digest.id] = digest
        for match_id, _, role in claims:
            assert (digest.spec.name, match_id) not in self.claims, "claimed twice"
            self.claims[digest.spec.name, match_id] = (digest.id, role)
        for made in rows:
            self._add(made, now)
        if fire_at is not None:
            state = self.states[digest.spec.name]
            self.states[digest.spec.name] = replace(state, last_fire_at=fire_at, watermark_at=now)
        return True

    def _add(self, made: OutboxRow, now: datetime) -> None:
        assert made.key not in self.rows, "a key written twice"
        number = len(self.rows) + 1
        self.rows[made.key] = replace(made, id=number)
        self.status[number], self.due[number] = "pending", now

    def immediate_count(self, name: str, since: datetime) -> int:
        sent = [d for d in self.digests.values() if d.spec.name == name and d.kind == "immediate"]
        return sum(d.window_end >= since for d in sent)

    def weekly_counts(self, since: datetime, until: datetime) -> tuple[tuple[str, str, int], ...]:
        return self.counts

    def message_ids_for_story(self, name: str, story_id: int) -> list[str]:
        ids = {d.id for d in self.digests.values() if any(e.story_id == story_id for e in d.entries)}
        return [made.message_id for made in self.rows.values() if made.digest_id in ids and made.message_id]

    # -- outbox --

    def claim_due(self, now: datetime, lease_s: float, limit: int) -> list[OutboxRow]:
        taken = []
        for key, made in self.rows.items():
            waiting = self.status[made.id] in ("pending", "retry", "sending")
            if waiting and self.due[made.id] <= now and len(taken) < limit:
                self.rows[key] = replace(made, attempts=made.attempts + 1)
                self.status[made.id], self.due[made.id] = "sending", now + timedelta(seconds=lease_s)
                taken.append(self.rows[key])
        return taken

    def mark_sent(self, row_id: int, response: str, now: datetime) -> None:
        self.status[row_id] = "sent"

    def mark_retry(self, row_id: int, error: str, retry_at: datetime, now: datetime) -> None:
        self.status[row_id], self.due[row_id], self.errors[row_id] = "retry", retry_at, error

    def mark_dead(self, row_id: int, error: str, now: datetime) -> None:
        self.status[row_id], self.errors[row_id] = "dead", error


# --- a channel that obeys ----------------------------------------------------------------------


@dataclass
class FakeChannel:
    """Collects what it is sent. `answers` are asked in turn: None accepts, an error is raised."""

    name: str = "mail"
    sent: list[OutboxRow] = field(default_factory=list)
    answers: list[BaseException | None] = field(default_factory=list)
    before: Callable[[OutboxRow], Any] = lambda row: None

    async def send(self, row: OutboxRow) -> Delivery:
        waiting = self.before(row)
        if waiting is not None:
            await waiting
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer
        self.sent.append(row)
        return Delivery("250 ok")


def refusal(*, retryable: bool, retry_after_s: float | None = None) -> DeliveryError:
    return DeliveryError("no", channel="mail", retryable=retryable, retry_after_s=retry_after_s)


@dataclass
class Clock:
    """A clock one can set."""

    at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **span: float) -> datetime:
        self.at += timedelta(**span)
        return self.at
