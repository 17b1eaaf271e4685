"""What the worker came to, as events with fields: for a service whose standard error is a log."""

from __future__ import annotations

import os
import sys
from collections import Counter
from typing import TYPE_CHECKING

from monitor import log
from monitor.cli.show import line
from monitor.service import resolver_hint

if TYPE_CHECKING:
    from monitor.model import PendingItem, Polled, Processed
    from monitor.report import RunReport

HINT = "`monitor demo` shows the monitor at work without a network"

_log = log.get("monitor.worker")


def output_is_log() -> bool:
    """Whether standard output ends in the log: text for people would break its lines.

    So it is under systemd; in a container nobody can tell, and the image says so.
    """
    if os.environ.get("MONITOR_OUTPUT") == "log":
        return True
    try:
        return not sys.stderr.isatty() and os.path.sameopenfile(sys.stdout.fileno(), sys.stderr.fileno())
    except (OSError, ValueError):  # closed, or no file at all
        return False


def on_polled(each: Polled) -> None:
    """One line a source that was read; those that were not are told with their cycle, or as one."""
    if not each.error:
        _log.info("polled", source=each.source_id, status=each.status, new=each.new, known=each.known,
                  took_ms=each.took_ms)  # fmt: skip


def on_match(item: PendingItem, processed: Processed) -> None:
    """One line for each match that is stored, with its why."""
    if processed.outcome == "match" and processed.verdict:
        _log.info("match", source=item.source.id, title=item.title, url=item.url, why=processed.verdict.why)


def cycle(report: RunReport) -> None:
    """One line a cycle, and one for each thing that went wrong in it."""
    if report.offline and report.was_offline:
        return  # told once; that it is back is told too
    if report.offline:
        tried, example = len(report.polled.polled), report.polled.failed[0].error
        hint = HINT + resolver_hint()
        _log.error("no network: not one source could be reached", tried=tried, error=example, hint=hint)
    else:
        for each in report.polled.failed:
            _log.warning("source failed", source=each.source_id, error=each.error)
    for composed in report.composed.composed:
        _log.info("composed", digest=composed.name, kind=composed.kind, stories=composed.stories)
        if composed.text and not output_is_log():
            line(composed.text)
    for name, problem in report.composed.failed:
        _log.error("digest failed", digest=name, error=problem)
    for (channel, problem), messages in Counter(report.flushed.failures).items():
        _log.warning("delivery failed", channel=channel, messages=messages, error=problem)
    _log.info(
        "cycle",
        polled=len(report.polled.polled),
        failed=len(report.polled.failed),
        new=report.polled.new,
        outcomes=dict(report.processed.outcomes),
        sent=report.flushed.sent,
        dead=report.flushed.dead,
        pending=report.pending,
    )
