"""The doorway to httpx for channels: one POST, bounded, without redirects, secrets kept out of errors."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from urllib.parse import urlsplit

import httpx

from monitor.deliver.options import Secret
from monitor.errors import ConfigError, DeliveryError
from monitor.redaction import Redactor
from monitor.text import clean_line
from monitor.urls import is_http

_MAX_ANSWER_BYTES = 64_000
_MAX_RETRY_AFTER_S = 86_400.0
_RETRYABLE = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    text: str  # its beginning, on one line, without what is secret in the address
    retry_after_s: float | None

    @property
    def is_retryable(self) -> bool:
        """Whether the same request may work later: rate limits, and the server's own trouble."""
        return self.status in _RETRYABLE or self.status >= 500


async def post(
    url: str, content: bytes, headers: Mapping[str, str], *, channel: str, timeout_s: float
) -> Answer:
    """The answer to one POST. Raises DeliveryError, retryable, when there is none.

    No error contains the address: a webhook's address is its password. Nothing is chained either:
    httpx's errors carry the request.
    """
    if not is_http(url):
        raise DeliveryError("the address is not an http(s) URL", channel=channel, retryable=False)
    try:
        async with asyncio.timeout(timeout_s):
            return await _post(url, content, headers, timeout_s)
    except (TimeoutError, httpx.TimeoutException):
        text = f"no answer within {timeout_s:g} s"
        raise DeliveryError(text, channel=channel, retryable=True) from None
    except (httpx.InvalidURL, httpx.UnsupportedProtocol):
        text = "the address cannot be used"
        raise DeliveryError(text, channel=channel, retryable=False) from None
    except httpx.HTTPError as error:
        text = f"no connection: {type(error).__name__}"
        raise DeliveryError(text, channel=channel, retryable=True) from None


async def _post(url: str, content: bytes, headers: Mapping[str, str], timeout_s: float) -> Answer:
    client = httpx.AsyncClient(verify=_tls(), timeout=timeout_s, follow_redirects=False)
    async with client, client.stream("POST", url, content=content, headers=dict(headers)) as response:
        body = b""
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) >= _MAX_ANSWER_BYTES:
                break
        told = Redactor([url])(body[:2_000].decode("utf-8", "replace"))
        return Answer(response.status_code, clean_line(told, limit=200), _retry_after_s(response))


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """Read once: loading the certificate authorities takes tens of milliseconds."""
    return httpx.create_ssl_context()


def _retry_after_s(response: httpx.Response) -> float | None:
    """Seconds of Retry-After: a number, or a date against the answer's own Date (RFC 9110 §10.2.3)."""
    raw = response.headers.get("retry-after", "").strip()
    if raw.isdigit():
        return min(float(raw[:9]), _MAX_RETRY_AFTER_S)
    until, sent_at = _http_date(raw), _http_date(response.headers.get("date", ""))
    if until is None or sent_at is None:
        return None
    return min(max((until - sent_at).total_seconds(), 0.0), _MAX_RETRY_AFTER_S)


def _http_date(raw: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(raw)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


async def refuse_private(url: str, *, channel: str) -> None:
    """Raises DeliveryError when the address leads to this machine or its private network."""
    if not is_http(url):
        raise DeliveryError("the address is not an http(s) URL", channel=channel, retryable=False)
    parts = urlsplit(url)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(parts.hostname, parts.port or 443)
    except OSError as error:
        raise DeliveryError("its name does not resolve", channel=channel, retryable=True) from error
    for *_, address in found:
        if not ipaddress.ip_address(str(address[0]).partition("%")[0]).is_global:
            text = "the address is private; set allow_private to post to it"
            raise DeliveryError(text, channel=channel, retryable=False)


def revealed(secret: Secret, *, channel: str) -> str:
    """The secret. Raises DeliveryError, retryable: it may be there at the next try."""
    try:
        return secret.reveal().strip()
    except ConfigError as error:
        raise DeliveryError(str(error), channel=channel, retryable=True) from error
