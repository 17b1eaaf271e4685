"""Stories and digests to send, hostile words, and a channel that does what it is told."""

from __future__ import annotations

from collections.abc import Callable
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
