"""What a cycle came to, as people and scripts read it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from monitor.outbox import ComposeReport, FlushReport
from monitor.pipeline import PollReport, ProcessReport

# Failures of the way to a server rather than of the server: all sources at once means no network here.
NO_NETWORK = frozenset({"dns", "refused", "connection", "timeout"})
# Decided by what is remembered of a site: such a failure says nothing about the network.
FROM_MEMORY = frozenset({"robots"})


@dataclass(slots=True)
class RunReport:
    """One full cycle: poll, process, compose, flush."""

    started_at: datetime
    ended_at: datetime | None = None
    polled: PollReport = field(default_factory=PollReport)
    processed: ProcessReport = field(default_factory=ProcessReport)
    composed: ComposeReport = field(default_factory=ComposeReport)
    flushed: FlushReport = field(default_factory=FlushReport)
    pending: int = 0
    was_offline: bool = False  # the cycle before found no network either

    @property
    def offline(self) -> bool:
        """Whether no source at all could be reached: then the network is the one thing wrong.

        One failure alone tells nothing, unless it was so before.
        """
        tried = self.polled.polled
        kinds = [each.error_kind for each in tried if each.error_kind not in FROM_MEMORY]
        unreached = bool(kinds) and all(kind in NO_NETWORK for kind in kinds)
        return unreached and (len(tried) > 1 or self.was_offline)

    @property
    def unreached(self) -> list[str]:
        """Ids of the sources that a dead network kept from being read; [] when the network lives."""
        tried = self.polled.polled if self.offline else ()
        return [each.source_id for each in tried if each.error_kind in NO_NETWORK]

    @property
    def ok(self) -> bool:
        """Whether the work itself was done: something was readable, nothing went dead or unrendered."""
        tried = self.polled.polled
        unread = bool(tried) and all(each.status in ("failed", "gone") for each in tried)
        return not (unread or self.flushed.dead or self.composed.failed)

    @property
    def flawless(self) -> bool:
        """Whether not even one source failed or one delivery was put off: what `--strict` asks for."""
        return self.ok and not self.polled.failed and not self.flushed.retried

    def as_dict(self) -> dict[str, Any]:
        """The documented keys of `run --once --json`."""
        polled = self.polled.polled
        return {
            "started_at": _text(self.started_at),
            "ended_at": _text(self.ended_at),
            "ok": self.ok,
            "offline": self.offline,
            "sources": {
                "polled": len(polled),
                "read": sum(each.status == "ok" for each in polled),
                "unchanged": sum(each.status == "unchanged" for each in polled),
                "failed": sum(each.status == "failed" for each in polled),
                "gone": sum(each.status == "gone" for each in polled),
            },
            "failures": [{"source": each.source_id, "error": each.error} for each in self.polled.failed],
            "items": {"new": self.polled.new, "processed": self.processed.items, "pending": self.pending},
            "outcomes": dict(sorted(self.processed.outcomes.items())),
            "matches": list(self.processed.matches),
            "prefilter": {key: self.processed.prefilter[key] for key in ("skipped", "audited", "missed")},
            "digests": [
                {"name": each.name, "kind": each.kind, "stories": each.stories, "messages": each.rows}
                for each in self.composed.composed
            ],
            "digest_failures": [{"name": name, "error": error} for name, error in self.composed.failed],
            "deliveries": {
                "sent": self.flushed.sent,
                "retried": self.flushed.retried,
                "dead": self.flushed.dead,
            },
        }


def _text(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None
