"""What the tests of fetching share: a clock that stands still, and a network that can be rerouted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpcore

from monitor.errors import FetchError
from monitor.fetch import Fetcher
from monitor.fetch.guard import LookupFailed
from monitor.model import FetchRequest
from tests.servers import Site

AGENT = "japan-tech-monitor/1.0 (+https://monitor.example)"
START = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)  # a Wednesday
PUBLIC = "93.184.216.34"  # stands for the whole public Internet; never connected to


class Clock:
    """A clock that moves only when told to."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, **span: float) -> None:
        self.now += timedelta(**span)


class Names:
    """A name server of our own. Each name has a list of answers; the last one is given for ever."""

    def __init__(self, names: Mapping[str, Sequence[Sequence[str]]]) -> None:
        self._answers = {name: list(answers) for name, answers in names.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        answers = self._answers.get(host)
        if not answers:
            raise LookupFailed(f"{host} cannot be looked up: no such name")
        return answers.pop(0) if len(answers) > 1 else answers[0]


class Rerouted(httpcore.AsyncNetworkBackend):
    """The network beneath the address check: what would go to an address goes to a local site."""

    def __init__(self, routes: Mapping[str, Site]) -> None:
        self._routes = routes
        self._real = httpcore.AnyIOBackend()
        self.connected: list[tuple[str, int]] = []

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.connected.append((host, port))
        if host not in self._routes:
            raise httpcore.ConnectError(f"no route to {host}")
        site = self._routes[host]
        return await self._real.connect_tcp(site.host, site.port, timeout=timeout)

    async def sleep(self, seconds: float) -> None:
        await self._real.sleep(seconds)


def fetcher(**options: Any) -> Fetcher:
    """A Fetcher with our agent and a clock that stands still, unless told otherwise."""
    return Fetcher(**{"user_agent": AGENT, "now": Clock(), **options})


def ask(url: str, **fields: Any) -> FetchRequest:
    """A request that may go to this machine."""
    usual = {"allow_private": True, "timeout_s": 30.0, "max_body_bytes": 100_000}
    return FetchRequest(url, **{**usual, **fields})


async def failure(fetch: Fetcher, request: FetchRequest) -> FetchError:
    """The error a fetch ends with; it is a failure of the test if there is none."""
    try:
        fetched = await fetch(request)
    except FetchError as error:
        return error
    raise AssertionError(f"expected an error, got {fetched.status} with {len(fetched.body)} bytes")
