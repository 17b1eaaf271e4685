"""Fetching one URL politely and within bounds.

    request | per hop: allowed? | robots | host's turn | exchange | redirect: again | Fetched or FetchError

Each hop is a request of its own: it gets the address check, the robots rules and the validators
of its own URL, and nothing of the hop before it.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from types import TracebackType

import httpcore
import httpx

from monitor.errors import FetchError
from monitor.fetch import headers as fields
from monitor.fetch import redirects
from monitor.fetch.exchange import Answer, Deadline, Target, exchange
from monitor.fetch.guard import PORTS, Guard, Resolve
from monitor.fetch.hosts import Hosts
from monitor.fetch.resolve import resolve as resolve_name
from monitor.fetch.robots import MAX_BYTES as MAX_ROBOTS_BYTES
from monitor.fetch.robots import Robots
from monitor.fetch.wire import Allowance, Wire
from monitor.model import Fetched, FetchRequest, Redirect
from monitor.schedule import BUSY_PAUSE, MAX_RETRY_AFTER, retry_after

ROBOTS_TIMEOUT_S = 10.0
DEFAULT_PORTS = {"http": 80, "https": 443}


class Fetcher:
    """Fetches with at most `total` hosts at a time, and one request at a time per host.

    Args:
        user_agent: "product/version (+homepage)"; the product token is what robots.txt is read for.
        now: the clock, for Retry-After dates and the age of robots.txt.
        total: how many hosts may be talked to at once.
        connect_timeout_s: for one connection, name lookup not included.
        blocked_hosts: never asked for anything, subdomains included.
        resolve, backend, ssl_context: the network beneath; tests put their own here.
    """

    def __init__(
        self,
        *,
        user_agent: str,
        now: Callable[[], datetime],
        total: int = 50,
        connect_timeout_s: float = 10.0,
        blocked_hosts: Collection[str] = (),
        resolve: Resolve = resolve_name,
        backend: httpcore.AsyncNetworkBackend | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._now = now
        self._headers = [(b"user-agent", user_agent.encode("utf-8")), (b"accept-encoding", b"gzip")]
        self._connect_timeout_s = connect_timeout_s
        self._blocked = tuple(host.lower().strip(".") for host in blocked_hosts)
        self._resolve = resolve
        self._backend = backend or httpcore.AnyIOBackend()
        self._ssl_context = ssl_context or httpx.create_ssl_context(trust_env=False)
        self._hosts = Hosts(total=total, open_wire=self._open_wire, now=now)
        self._robots = Robots(user_agent.partition("/")[0], now)
        for name in ("httpx", "httpcore"):  # they log whole URLs, and a URL can be a secret
            logging.getLogger(name).setLevel(logging.WARNING)

    def _open_wire(self, allow_private: bool) -> Wire:
        allowance = Allowance()
        guard = Guard(self._backend, self._resolve, allow_private=allow_private, allowance=allowance)
        return Wire(guard, self._ssl_context, allowance)

    async def __call__(self, request: FetchRequest) -> Fetched:
        """Get one URL, following redirects. Raises FetchError, in bounded time once its turn has come.

        Every status but 200 and 304 is a FetchError, a 304 nobody asked for too.
        """
        deadline = Deadline(request.timeout_s)
        url = request.url
        hops: list[Redirect] = []
        while True:
            answer = await self._hop(url, request, deadline)
            if answer.status not in redirects.FOLLOWED:
                return self._finish(answer, url, request, tuple(hops), deadline)
            to_url = redirects.target(url, answer.headers)
            hops.append(Redirect(answer.status, url, to_url))
            if len(hops) > redirects.MAX_HOPS or to_url in {hop.from_url for hop in hops}:
                raise FetchError("redirects without end", url=url, kind="redirect", status=answer.status)
            url = to_url

    async def _hop(self, url: str, request: FetchRequest, deadline: Deadline) -> Answer:
        target = self._admit(url, allow_private=request.allow_private)
        if request.obey_robots:
            await self._ask_robots(target, request, deadline)
        headers = [(b"accept", request.accept.encode("latin-1"))]
        headers += fields.conditions(request.validators.get(url))
        return await self._get(target, headers, request, deadline, request.max_body_bytes)

    def _admit(self, url: str, *, allow_private: bool) -> Target:
        """The URL, looked at. Raises FetchError(kind="refused")."""
        try:
            parsed = httpx.URL(url)
        except (httpx.InvalidURL, UnicodeError, ValueError, TypeError) as error:
            raise FetchError("not a usable URL", url=url, kind="refused") from error
        host = parsed.host.lower().rstrip(".")
        if parsed.scheme not in DEFAULT_PORTS or not host or "%" in host:
            raise FetchError("not an http or https URL", url=url, kind="refused")
        if any(host == blocked or host.endswith(f".{blocked}") for blocked in self._blocked):
            raise FetchError(f"{host} is blocked by the configuration", url=url, kind="refused")
        port = parsed.port if parsed.port is not None else DEFAULT_PORTS[parsed.scheme]
        if not 0 < port < 65536:
            raise FetchError("not a usable port", url=url, kind="refused")
        if port not in PORTS and not allow_private:
            raise FetchError(f"port {port} is not one the web is served on", url=url, kind="refused")
        return Target(url, parsed, host if port in (80, 443) else f"{host}:{port}")

    async def _ask_robots(self, target: Target, request: FetchRequest, deadline: Deadline) -> None:
        own = Deadline(min(ROBOTS_TIMEOUT_S, deadline.left / 2))
        patient = own.left >= ROBOTS_TIMEOUT_S / 2  # a slow redirect must not speak against its target

        async def get(robots_url: str) -> Answer:
            at = self._admit(robots_url, allow_private=request.allow_private)
            headers = [(b"accept", b"text/plain, */*;q=0.1")]
            return await self._get(at, headers, request, own, MAX_ROBOTS_BYTES, cut=True)

        try:
            delay_s = await self._robots.check(target.url, get, patient=patient)
            self._hosts.slow_down(target.host, delay_s)
        finally:
            deadline.spend(own.used)

    async def _get(
        self,
        target: Target,
        headers: list[tuple[bytes, bytes]],
        request: FetchRequest,
        deadline: Deadline,
        max_body_bytes: int,
        *,
        cut: bool = False,
    ) -> Answer:
        self._stop_if_paused(target)
        async with self._hosts.turn(target.host, allow_private=request.allow_private) as wire:
            self._stop_if_paused(target)  # the one before us may have been sent away
            answer = await exchange(
                wire,
                target,
                [*self._headers, *headers],
                deadline=deadline,
                connect_timeout_s=self._connect_timeout_s,
                max_body_bytes=max_body_bytes,
                cut=cut,
            )
            self._note_pause(answer, target.host)
        return answer

    def _stop_if_paused(self, target: Target) -> None:
        left_s = self._hosts.pause_left_s(target.host)
        if left_s > 0:
            message = f"{target.host} asked for a pause"
            raise FetchError(message, url=target.url, kind="status", status=429, retry_after_s=left_s)

    def _note_pause(self, answer: Answer, host: str) -> None:
        """429, and 503 with a date, speak for the whole host: its other pages must wait too."""
        wait = retry_after(answer.headers, self._now())
        if answer.status == 429:
            self._hosts.pause(host, self._now() + (wait if wait is not None else BUSY_PAUSE))
        elif answer.status == 503 and wait:
            self._hosts.pause(host, self._now() + wait)

    def _finish(
        self,
        answer: Answer,
        url: str,
        request: FetchRequest,
        hops: tuple[Redirect, ...],
        deadline: Deadline,
    ) -> Fetched:
        sent = request.validators.get(url)
        confirmed = answer.status == 304 and bool(fields.conditions(sent))
        if answer.status != 200 and not confirmed:
            raise self._status_error(answer, url)
        etag, last_modified = fields.validators(answer.headers, sent, answer.status)
        return Fetched(
            url=url,
            requested_url=request.url,
            status=answer.status,
            body=answer.body,
            headers=answer.headers,
            redirects=hops,
            etag=etag,
            last_modified=last_modified,
            took_ms=round(deadline.used * 1000),
        )

    def _status_error(self, answer: Answer, url: str) -> FetchError:
        wait: timedelta | None = retry_after(answer.headers, self._now())
        return FetchError(
            f"the server answered {answer.status}",
            url=url,
            kind="status",
            status=answer.status,
            retry_after_s=None if wait is None else min(wait, MAX_RETRY_AFTER).total_seconds(),
        )

    async def close(self) -> None:
        """Close every connection. Fetches still running fail."""
        await self._hosts.close()

    async def __aenter__(self) -> Fetcher:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.shield(self.close())
