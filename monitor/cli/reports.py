"""What the steps came to, for people at a terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from monitor.cli.show import line, say

if TYPE_CHECKING:
    from monitor.model import PendingItem, Polled, Processed
    from monitor.outbox import ComposeReport, FlushReport, Requested
    from monitor.pipeline import PollReport, ProcessReport
    from monitor.report import RunReport

_SHOWN_FAILURES = 12
OFFLINE = (
    "no network: none of {tried} sources could be reached; "
    "`monitor demo` shows the monitor at work without one"
)


def on_match(item: PendingItem, processed: Processed) -> None:
    """One line for each match that is stored, with its why."""
    if processed.outcome == "match" and processed.verdict:
        line(f"+ {item.title or item.url} — {item.source.name} — {processed.verdict.why}")


def polled(report: PollReport, *, offline: bool = False) -> None:
    """How many sources were read, and which were not."""
    tried, failed = len(report.polled), report.failed
    if not tried:
        return
    if offline:
        say(OFFLINE.format(tried=tried))
        return
    say(f"{tried - len(failed)} of {tried} sources read, {report.new} new items")
    for each in failed[:_SHOWN_FAILURES]:
        say(f"  {each.source_id}: {each.error}")
    if len(failed) > _SHOWN_FAILURES:
        say(f"  and {len(failed) - _SHOWN_FAILURES} more: monitor sources health")


def processed(report: ProcessReport) -> None:
    """How many articles came to which outcome."""
    if report.items:
        counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(report.outcomes.items()))
        say(f"{report.items} articles judged: {counts}")
    if missed := report.prefilter["missed"]:
        say(f"error: the prefilter would have lost {missed} articles; its audit found them")


def composed(report: ComposeReport, *, show: bool) -> None:
    """Which digests were written; `show` prints them too."""
    for each in report.composed:
        say(f"digest {each.name} ({each.kind}): stories {each.stories}, messages {each.rows}")
        if show and each.text:
            line(each.text)
    for name, problem in report.failed:
        say(f"digest {name} could not be composed: {problem}")


def requested(made: Requested) -> None:
    """What was written for whoever asked, and who was sent it before."""
    each = made.composed
    if not each.stories and not each.rows and not made.already:
        say("nothing matched in this period: nothing to send")
        return
    say(f"digest {each.name} ({each.kind}): stories {each.stories}, messages {each.rows}")
    for row in made.already:
        to = f"{row.recipient} by {row.channel}" if row.recipient else row.channel
        say(f"  {to}: has this period from an earlier request; --again sends it once more")


def flushed(report: FlushReport) -> None:
    """What was sent, and what was not."""
    if report.sent or report.retried or report.dead:
        say(f"messages: {report.sent} sent, {report.retried} put off, {report.dead} given up")
    for channel, problem in report.failures:
        say(f"  {channel}: {problem}")


def cycle(report: RunReport) -> None:
    """A whole cycle."""
    if not (report.offline and report.was_offline):  # told once, not every half minute
        polled(report.polled, offline=report.offline)
    processed(report.processed)
    composed(report.composed, show=True)
    flushed(report.flushed)
    if report.pending:
        say(f"{report.pending} articles wait for another try")


class Progress:
    """A bar on a terminal while sources are asked; nothing elsewhere. Use as a context manager."""

    def __init__(self, total: int) -> None:
        self._bar = None
        if total and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
            from rich.progress import Progress as Bar

            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
            )
            self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task("reading sources", total=total)

    def __enter__(self) -> Progress:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()

    def on_polled(self, _: Polled) -> None:
        self.step()

    def step(self) -> None:
        """One more source is done."""
        if self._bar:
            self._bar.advance(self._task)
