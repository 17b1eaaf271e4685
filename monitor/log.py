"""One log: structlog and the standard library's loggers come out the same way, and keep no secret.

Console on a terminal, JSON lines otherwise. What the outside sent is made safe for a terminal before it is
rendered; secrets are cut out of the rendered line, tracebacks included, whoever wrote them there.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, TextIO

import structlog

from monitor.redaction import Redactor
from monitor.text import terminal_safe

# Libraries whose INFO lines print whole URLs, or a page of talk for every item.
_CHATTY = {
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "apscheduler": logging.WARNING,
    "asyncio": logging.WARNING,
    "trafilatura": logging.ERROR,
    "htmldate": logging.ERROR,
    "charset_normalizer": logging.ERROR,
}
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_Event = MutableMapping[str, Any]


def configure(
    *,
    level: str = "info",
    format: str = "auto",
    secrets: Iterable[str] = (),
    stream: TextIO | None = None,
) -> None:
    """Sets up all logging of the process; may be called again.

    Args:
        level: debug, info, warning or error.
        format: console, json, or auto: console when `stream` is a terminal.
        secrets: values no line may contain, however they got there.
        stream: standard error when None.
    """
    stream = stream or sys.stderr
    console = format == "console" or (format == "auto" and stream.isatty())
    handler = logging.StreamHandler(stream)
    formatter = _Formatter(
        _processors(console, colours=stream.isatty()), Redactor(secrets), journal=_is_journal(stream)
    )
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(_LEVELS[level])
    for name, floor in _CHATTY.items():
        logging.getLogger(name).setLevel(max(floor, root.level))
    logging.captureWarnings(True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def get(name: str) -> Any:
    """A logger for events with fields: `log.get(__name__).info("polled", source=…, new=3)`."""
    return structlog.stdlib.get_logger(name)


@contextmanager
def run(run_id: str, **fields: Any) -> Iterator[None]:
    """Every line within carries the id of its run, and `fields`."""
    with structlog.contextvars.bound_contextvars(run=run_id, **fields):
        yield


def _safe(_: Any, __: str, event: _Event) -> _Event:
    """Nothing from outside reaches a terminal as an order; runs before rendering, which adds colours."""
    return {key: terminal_safe(value) if isinstance(value, str) else value for key, value in event.items()}


_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]


def _processors(console: bool, *, colours: bool) -> list[Any]:
    renderer: Any
    if console:
        renderer = structlog.dev.ConsoleRenderer(
            colors=colours, exception_formatter=structlog.dev.plain_traceback
        )
    else:
        renderer = structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
    return [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        _safe,
        renderer,
    ]


class _Formatter(structlog.stdlib.ProcessorFormatter):
    """Renders a record, then cuts secrets out of the finished line."""

    def __init__(self, processors: list[Any], redact: Redactor, *, journal: bool) -> None:
        foreign = [structlog.stdlib.ExtraAdder(), *_SHARED]
        super().__init__(processors=processors, foreign_pre_chain=foreign)
        self._redact = redact
        self._journal = journal

    def format(self, record: logging.LogRecord) -> str:
        line = self._redact(super().format(record))
        return f"<{_priority(record.levelno)}>{line}" if self._journal else line


def marked(text: str, level: int, stream: TextIO) -> str:
    """Text that is no event, as it should stand in the journal; elsewhere it stays as it is."""
    if not _is_journal(stream):
        return text
    return "\n".join(f"<{_priority(level)}>{line}" for line in text.splitlines())


def _is_journal(stream: TextIO) -> bool:
    """Whether a stream leads to journald, which systemd names by device and inode (systemd.exec(5))."""
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):  # not a file
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


def _priority(level: int) -> int:
    """journald's number for a level (sd-daemon(3)): it takes the prefix off, `journalctl -p err` works."""
    found = {logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6}
    return next((number for floor, number in found.items() if level >= floor), 7)
