"""One request and its answer, within its bounds; every failure becomes a FetchError."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpcore
import httpx

from monitor.errors import FetchError
from monitor.fetch import headers as fields
from monitor.fetch.guard import AddressRefused, LookupFailed
from monitor.fetch.inflate import Body, Damaged, Overflow
from monitor.fetch.wire import TooMuch, Wire

# h11 alone stops at 100 KiB for one header block, and never counts the 1xx answers before it.
MAX_HEADER_BYTES = 96 * 1024
MAX_UNREAD_BYTES = 16 * 1024  # of a body nobody needs: read to keep the connection, or hang up
UNREAD_PATIENCE_S = 1.0


@dataclass(frozen=True, slots=True)
class Target:
    """One URL that may be asked for, and the host whose turn must be awaited."""

    url: str
    parsed: httpx.URL
    host: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What one URL answered. `body` is empty unless the status is 200."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


class Deadline:
    """Seconds that may be spent with the network; waiting for a turn does not count."""

    def __init__(self, seconds: float) -> None:
        self.left = seconds
        self.used = 0.0

    @asynccontextmanager
    async def running(self, url: str) -> AsyncIterator[None]:
        """Count the time inside. Raises FetchError(kind="timeout") when it runs out."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        try:
            async with asyncio.timeout(max(0.0, self.left)):
                yield
        except TimeoutError as error:
            raise FetchError("the answer took too long", url=url, kind="timeout") from error
        finally:
            self.spend(loop.time() - start)

    def spend(self, seconds: float) -> None:
        self.left -= seconds
        self.used += seconds


async def exchange(
    wire: Wire,
    target: Target,
    headers: Sequence[tuple[bytes, bytes]],
    *,
    deadline: Deadline,
    connect_timeout_s: float,
    max_body_bytes: int,
    cut: bool = False,
) -> Answer:
    """GET one URL, no redirects. `cut`: a body over the limit is shortened instead of refused.

    Raises FetchError, of any kind but "redirect" and "robots".
    """
    async with deadline.running(target.url):
        with _translated(target.url):
            response = await _send(wire, target.parsed, headers, connect_timeout_s)
            try:
                return await _receive(wire, response, target.url, max_body_bytes, cut)
            finally:
                await response.aclose()


async def _send(
    wire: Wire, url: httpx.URL, headers: Sequence[tuple[bytes, bytes]], connect_timeout_s: float
) -> httpcore.Response:
    """Send, and once more if a kept connection turns out to have been closed by the server.

    A server may hang up at any time, even as the next request is on its way; RFC 9112 section
    9.3.1 allows a client to repeat a GET then. Not when anything was answered.
    """
    headers = [*headers, *fields.credentials(url)]
    wire.allowance.left = MAX_HEADER_BYTES
    opened = wire.allowance.opened
    try:
        return await wire.get(url, headers, connect_timeout_s=connect_timeout_s)
    except (httpcore.ReadError, httpcore.WriteError, httpcore.RemoteProtocolError):
        if wire.allowance.opened > opened or wire.allowance.left < MAX_HEADER_BYTES:
            raise
        return await wire.get(url, headers, connect_timeout_s=connect_timeout_s)


async def _receive(
    wire: Wire, response: httpcore.Response, url: str, max_body_bytes: int, cut: bool
) -> Answer:
    if len(response.headers) > fields.MAX_FIELDS:
        raise FetchError("too many header fields", url=url, kind="too-large")
    folded = fields.fold(response.headers)
    if response.status != 200:
        await _read_off(wire, response)
        return Answer(response.status, folded)
    # Chunked framing and compressed data that grows are overhead, within reason.
    wire.allowance.left = max_body_bytes + max_body_bytes // 4 + MAX_HEADER_BYTES
    return Answer(200, folded, await _read_body(response, folded, url, max_body_bytes, cut))


async def _read_off(wire: Wire, response: httpcore.Response) -> None:
    """Take in a short body so that the connection can be used again; leave a long one."""
    wire.allowance.left = MAX_UNREAD_BYTES
    try:
        async with asyncio.timeout(UNREAD_PATIENCE_S):
            async for _ in response.aiter_stream():
                pass
    except (TimeoutError, httpcore.NetworkError, httpcore.ProtocolError):
        pass  # the status has been understood; what follows it does not matter


async def _read_body(
    response: httpcore.Response, headers: Mapping[str, str], url: str, max_body_bytes: int, cut: bool
) -> bytes:
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise FetchError("compressed in a way nobody asked for", url=url, kind="encoding")
    length = headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length[:20]) > max_body_bytes and not cut:
        raise FetchError(f"larger than {max_body_bytes} bytes", url=url, kind="too-large")
    body = Body(max_body_bytes, gzip=encoding.endswith("gzip"))
    try:
        async for chunk in response.aiter_stream():
            body.feed(chunk)
        return body.finish()
    except (Overflow, TooMuch) as error:
        if cut:
            return body.so_far()
        raise FetchError(f"larger than {max_body_bytes} bytes", url=url, kind="too-large") from error
    except Damaged as error:
        raise FetchError(str(error), url=url, kind="encoding") from error


class _translated:
    """Turns what httpx, httpcore and ssl raise into FetchError; lets FetchError and cancellation pass."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, _FOREIGN):
            word, message = _diagnose(error)
            raise FetchError(message, url=self._url, kind=word) from error


_FOREIGN = (
    httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol,
    httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, UnicodeError,
)  # fmt: skip
_QUIET = re.compile(r"https?://\S+")


def _diagnose(error: BaseException) -> tuple[str, str]:
    """(kind, message) of a foreign error. Messages never carry a URL: its query may be a secret."""
    text = _QUIET.sub("(address)", str(error)).strip() or type(error).__name__
    match error:
        case AddressRefused():
            return "refused", text
        case LookupFailed():
            return "dns", text
        case TooMuch():
            return "too-large", "too many or too long header fields"
        case httpcore.ConnectTimeout():
            return "timeout", "no connection in time"
        case httpcore.TimeoutException():
            return "timeout", "the server stopped answering"
        case httpcore.ProtocolError():
            return "connection", f"not proper HTTP: {text}"
        case httpx.InvalidURL() | httpx.UnsupportedProtocol() | UnicodeError():
            return "refused", f"not a usable URL: {text}"
    if _is_tls(error):
        return "tls", text
    return "connection", text


def _is_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False
