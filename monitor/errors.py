"""Everything the monitor raises on purpose.

    MonitorError
    ├── ConfigError(problems)                  stops start-up; exit code 2
    ├── InputError                             unreadable input or usage; exit code 2
    ├── SourceError(source_id, url)            one source failed; the run goes on
    │   ├── FetchError(status, retry_after_s)
    │   └── ParseError
    ├── WorkerError                            a worker process died or ran out of time: one item fails
    ├── DeliveryError(channel, retryable, retry_after_s)
    └── StoreError                             stops the run; exit code 1

An expected failure of one item travels as a value (a record with a reason); these
are for what the caller must stop or step aside for.
"""

from __future__ import annotations

from dataclasses import dataclass


class MonitorError(Exception):
    """The root: what `except MonitorError` at the command line catches and prints."""

    exit_code = 1


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong in a configuration file. `line` and `column` count from 1; 0 means unknown."""

    path: str
    line: int
    column: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        place = ":".join([self.path, *(str(n) for n in (self.line, self.column) if n)])
        return f"{place}: {self.message}" + (f"; {self.hint}" if self.hint else "")


class ConfigError(MonitorError):
    """Everything wrong in the configuration, at once."""

    exit_code = 2

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(set(problems))  # a mistake in a template is found once for each use
        super().__init__("\n".join(str(problem) for problem in self.problems))


class InputError(MonitorError):
    """Input or usage that cannot be worked with."""

    exit_code = 2


class SourceError(MonitorError):
    """One source or page failed; the run goes on without it."""

    def __init__(self, message: str, *, url: str = "", source_id: str = "") -> None:
        self.url = url
        self.source_id = source_id
        super().__init__(message)


class FetchError(SourceError):
    """A URL could not be fetched.

    `kind` is one word for reports and metrics: dns, refused, timeout, tls, status, too-large,
    redirect, encoding, robots, connection. `status` is the HTTP status when there was one.
    `retry_after_s` is what the server asked for, in seconds.
    """

    def __init__(
        self,
        message: str,
        *,
        url: str = "",
        kind: str = "connection",
        status: int | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        self.kind = kind
        self.status = status
        self.retry_after_s = retry_after_s
        super().__init__(message, url=url)


class ParseError(SourceError):
    """Bytes that are not what their source should give."""


class WorkerError(MonitorError):
    """A worker process crashed (`kind="crash"`) or overran its deadline (`kind="timeout"`)."""

    def __init__(self, message: str, *, kind: str) -> None:
        self.kind = kind
        super().__init__(message)


class DeliveryError(MonitorError):
    """A channel did not take a message; `retryable` says whether another try can help."""

    def __init__(
        self, message: str, *, channel: str, retryable: bool, retry_after_s: float | None = None
    ) -> None:
        self.channel = channel
        self.retryable = retryable
        self.retry_after_s = retry_after_s
        super().__init__(message)


class StoreError(MonitorError):
    """The database cannot be used: locked, read-only, full, newer than this program."""
