"""Digests as signed JSON to an address of one's own; see docs/webhook.md for the receiver's side."""

from __future__ import annotations

import hashlib
import hmac
import json

from monitor.deliver.http import post, refuse_private, revealed
from monitor.deliver.options import WebhookSettings
from monitor.errors import DeliveryError
from monitor.model import Delivery, OutboxRow

SIGNATURE = "X-Monitor-Signature"
KEY = "X-Monitor-Key"


class WebhookChannel:
    """Posts one document per row. A receiver that keeps the keys it has seen takes none twice."""

    def __init__(self, name: str, settings: WebhookSettings) -> None:
        self.name, self.settings = name, settings

    async def send(self, row: OutboxRow) -> Delivery:
        """Raises DeliveryError: 408, 425, 429, 5xx and silence are tried again, the rest is final."""
        url = self._url()
        if not self.settings.allow_private:
            await refuse_private(url, channel=self.name)
        body = document(row)
        answer = await post(
            url, body, self._headers(row, body), channel=self.name, timeout_s=self.settings.timeout_s
        )
        if 200 <= answer.status < 300:
            return Delivery(f"HTTP {answer.status}")
        raise DeliveryError(
            f"HTTP {answer.status}: {answer.text}",
            channel=self.name,
            retryable=answer.is_retryable,
            retry_after_s=answer.retry_after_s if answer.is_retryable else None,
        )

    def _url(self) -> str:
        if self.settings.secret_url is not None:
            return revealed(self.settings.secret_url, channel=self.name)
        return self.settings.url

    def _headers(self, row: OutboxRow, body: bytes) -> dict[str, str]:
        headers = {"content-type": "application/json", KEY: row.key}
        if self.settings.secret is not None:
            headers[SIGNATURE] = signature(revealed(self.settings.secret, channel=self.name), body)
        return headers


def document(row: OutboxRow) -> bytes:
    """The body: the digest's document with the message's key, the same bytes on every try."""
    content = row.payload["document"]
    assert isinstance(content, dict)
    return json.dumps({"key": row.key, **content}, ensure_ascii=False, separators=(",", ":")).encode()


def signature(secret: str, body: bytes) -> str:
    """`sha256=` and the HMAC-SHA256 (RFC 2104) of the body in hexadecimal."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
