"""One connection to one host: httpx's requests and answers over httpcore's public interface.

One small pool per host instead of one shared client: httpcore walks all connections and all
waiting requests of a pool on every request, which makes a big pool many times dearer, and a pool
of one connection is also the promise that a host never sees two of them.

There is no `httpx.AsyncClient` on top: what it would add (cookies, proxies, its own idea of where
a redirect leads) is what must not happen here.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterable, AsyncIterator
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


class Wire(httpx.AsyncBaseTransport):
    """An httpx transport over a pool of one connection. Errors stay httpcore's.

    `allowance` is the one its connections are metered by.
    """

    def __init__(
        self, backend: httpcore.AsyncNetworkBackend, ssl_context: ssl.SSLContext, allowance: Allowance
    ) -> None:
        self.allowance = allowance
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl_context,
            max_connections=1,
            max_keepalive_connections=1,
            keepalive_expiry=KEEPALIVE_S,
            http1=True,
            http2=False,
            retries=0,
            network_backend=backend,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        response = await self._pool.handle_async_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
                ),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        assert isinstance(response.stream, AsyncIterable)
        return httpx.Response(
            status_code=response.status,
            headers=response.headers,
            stream=_Body(response.stream),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        await self._pool.aclose()


class _Body(httpx.AsyncByteStream):
    def __init__(self, stream: AsyncIterable[bytes]) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            yield part

    async def aclose(self) -> None:
        if hasattr(self._stream, "aclose"):
            await self._stream.aclose()
