"""One connection to one host, over httpcore's public interface.

A connection per host instead of one shared pool: httpcore walks all connections and all waiting
requests of a pool on every request, which makes a big pool many times dearer, and one connection
is also the promise that a host never sees two of them.

There is no `httpx.AsyncClient` on top: what it would add (cookies, proxies, its own idea of where
a redirect leads) is what must not happen here.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass

import httpcore
import httpx

KEEPALIVE_S = 15.0


class TooMuch(httpcore.ReadError):
    """The server sent more bytes than this exchange may take."""


@dataclass(slots=True)
class Allowance:
    """How many more bytes may be read, set anew for each part of an exchange; and what was opened."""

    left: int = 0
    opened: int = 0  # connections so far


class MeteredStream(httpcore.AsyncNetworkStream):
    """A connection that stops reading when the allowance is used up.

    It counts everything: repeated 1xx answers, chunk extensions and trailers, which no limit on
    the body would notice.
    """

    def __init__(self, stream: httpcore.AsyncNetworkStream, allowance: Allowance) -> None:
        self._stream = stream
        self._allowance = allowance

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = await self._stream.read(max_bytes, timeout)
        self._allowance.left -= len(data)
        if self._allowance.left < 0:
            raise TooMuch("the answer is too large")
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            inner = await self._stream.start_tls(ssl_context, server_hostname, timeout)
        except BaseException:  # httpcore closes it on errors, but not when the deadline cancels it
            await self._stream.aclose()
            raise
        return MeteredStream(inner, self._allowance)

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


class Wire:
    """The connection to one host, opened anew when it must be. Errors are httpcore's.

    `allowance` is the one its connections are metered by.
    """

    def __init__(
        self, backend: httpcore.AsyncNetworkBackend, ssl_context: ssl.SSLContext, allowance: Allowance
    ) -> None:
        self.allowance = allowance
        self._backend = backend
        self._ssl_context = ssl_context
        self._connection: httpcore.AsyncHTTPConnection | None = None

    async def get(
        self, url: httpx.URL, headers: Sequence[tuple[bytes, bytes]], *, connect_timeout_s: float
    ) -> httpcore.Response:
        """Send a GET; the answer's body is still to be read, and the answer to be closed.

        Nothing but connecting has a limit of its own: the caller's deadline bounds it all.
        """
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        connection = await self._usable(target.origin)
        return await connection.handle_async_request(
            httpcore.Request(
                "GET",
                target,
                headers=[(b"Host", url.netloc), *headers],
                extensions={"timeout": {"connect": connect_timeout_s}},
            )
        )

    async def _usable(self, origin: httpcore.Origin) -> httpcore.AsyncHTTPConnection:
        """The kept connection, or a new one in its place when it is closed, stale or leads elsewhere."""
        kept = self._connection
        if kept and kept.can_handle_request(origin) and kept.is_available() and not kept.has_expired():
            return kept
        await self.aclose()
        self._connection = httpcore.AsyncHTTPConnection(
            origin,
            ssl_context=self._ssl_context,
            keepalive_expiry=KEEPALIVE_S,
            network_backend=self._backend,
        )
        return self._connection

    async def aclose(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.aclose()
