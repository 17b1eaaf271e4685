"""What commands are given to read: files, `-`, and addresses, which are fetched as the worker fetches."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from monitor.errors import FetchError, InputError

if TYPE_CHECKING:
    from monitor.cli.context import Env
    from monitor.fetch import Fetcher
    from monitor.workers import Workers

MAX_BYTES = 20_000_000
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Input:
    """One thing to read: its name as given, and its bytes or the reason why there are none."""

    name: str
    body: bytes = b""
    url: str = ""
    content_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""

    @property
    def is_url(self) -> bool:
        return is_url(self.name)


def is_local(url: str) -> bool:
    """Whether an address names this machine: typed by hand, that is what was meant."""
    host = (urlsplit(url).hostname or "").strip("[]")
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def is_url(name: str) -> bool:
    return name.lower().startswith(("http://", "https://"))


class Desk:
    """Reads inputs and works on them in killable processes. Use as an async context manager."""

    def __init__(self, env: Env, *, processes: int = 2, deadline_s: float = 20.0, at_once: int = 4) -> None:
        from monitor.workers import Workers

        self._env = env
        self._exit = AsyncExitStack()
        self._fetcher: Fetcher | None = None
        self.workers: Workers = Workers(processes=processes, deadline_s=deadline_s)
        self._at_once = at_once

    async def __aenter__(self) -> Desk:
        await self._exit.enter_async_context(self.workers)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._exit.aclose()

    async def read(self, name: str, *, obey_robots: bool = True, allow_private: bool = False) -> Input:
        """The bytes of a file, of standard input (-) or of an address, or the problem with it."""
        if is_url(name):
            return await self._fetched(name, obey_robots, allow_private)
        try:
            return Input(name, _file_bytes(name))
        except OSError as error:
            return Input(name, problem=error.strerror or str(error))
        except InputError as error:
            return Input(name, problem=str(error))

    async def _fetched(self, url: str, obey_robots: bool, allow_private: bool) -> Input:
        from monitor.model import FetchRequest

        request = FetchRequest(
            url,
            obey_robots=obey_robots,
            allow_private=allow_private or is_local(url),
            max_body_bytes=MAX_BYTES,
        )
        try:
            answer = await (await self._fetch())(request)
        except FetchError as error:
            return Input(url, url=url, problem=str(error))
        return Input(url, answer.body, answer.url, answer.content_type, answer.headers)

    async def _fetch(self) -> Fetcher:
        if self._fetcher is None:
            from monitor.app import user_agent
            from monitor.fetch import Fetcher

            fetcher = Fetcher(user_agent=user_agent(*self._env.introduction()), now=lambda: datetime.now(UTC))
            self._fetcher = await self._exit.enter_async_context(fetcher)
        return self._fetcher

    async def in_order(self, names: Sequence[str], work: Callable[[str], Awaitable[T]]) -> AsyncIterator[T]:
        """`work` on every name, a few at a time, the results in the order given."""
        running: list[asyncio.Task[T]] = []
        left = iter(names)
        try:
            while True:
                while len(running) < self._at_once and (name := next(left, None)) is not None:
                    running.append(asyncio.ensure_future(work(name)))
                if not running:
                    return
                yield await running.pop(0)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)


def _file_bytes(name: str) -> bytes:
    if name == "-":
        body = sys.stdin.buffer.read(MAX_BYTES + 1)
    else:
        with Path(name).open("rb") as stream:
            body = stream.read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        raise InputError(f"larger than {MAX_BYTES:,} bytes")
    return body
