"""Fakes of the edges for tests of the steps: they implement the Protocols of pipeline/ports.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from monitor.errors import FetchError, WorkerError
from monitor.model import Fetched, FetchRequest

T = TypeVar("T")


class FakeFetch:
    """Answers from a table; counts every request. A page with an ETag answers 304 to it."""

    def __init__(self) -> None:
        self.pages: dict[str, Fetched | FetchError] = {}
        self.requests: list[FetchRequest] = []

    def serve(self, url: str, body: bytes, content_type: str = "text/html", *, etag: str = "") -> None:
        headers = {"content-type": content_type}
        self.pages[url] = Fetched(url, url, 200, body, headers, etag=etag)

    def fail(self, url: str, message: str = "no answer", **details: Any) -> None:
        self.pages[url] = FetchError(message, url=url, **details)

    async def __call__(self, request: FetchRequest) -> Fetched:
        self.requests.append(request)
        page = self.pages.get(request.url)
        if page is None:
            raise FetchError("HTTP 404", url=request.url, kind="status", status=404)
        if isinstance(page, FetchError):
            raise page
        stored = request.validators.get(request.url)
        if page.etag and stored and stored.etag == page.etag:
            return replace(page, status=304, body=b"")
        return page


class Inline:
    """Runs the work here and now; `break_on` names a kind of WorkerError to raise instead."""

    def __init__(self) -> None:
        self.break_on: Callable[[tuple[Any, ...]], str] = lambda args: ""

    async def run(
        self, function: Callable[..., T], /, *args: Any, deadline_s: float | None = None, **kwargs: Any
    ) -> T:
        kind = self.break_on(args)
        if kind:
            raise WorkerError(f"worker {kind}", kind=kind)
        return function(*args, **kwargs)


class Clock:
    """A clock that is moved by hand."""

    def __init__(self, now: datetime) -> None:
        self.moment = now

    def __call__(self) -> datetime:
        return self.moment

    def forward(self, **span: float) -> None:
        self.moment += timedelta(**span)
