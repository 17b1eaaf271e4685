"""Slack by incoming webhook. Its answers: docs.slack.dev, "Handling errors" of incoming webhooks."""

from __future__ import annotations

import json

from monitor.deliver.http import post, revealed
from monitor.deliver.options import SlackSettings
from monitor.errors import DeliveryError
from monitor.model import Delivery, OutboxRow


class SlackChannel:
    """Posts one message per row; its address is a secret and appears nowhere."""

    def __init__(self, name: str, settings: SlackSettings) -> None:
        self.name, self.settings = name, settings

    async def send(self, row: OutboxRow) -> Delivery:
        """Raises DeliveryError: 429 with the wait it asks for, other 4xx are final.

        Slack has no idempotency key: when its answer is lost, the message may come twice.
        """
        url = revealed(self.settings.webhook, channel=self.name)
        body = json.dumps(dict(row.payload), ensure_ascii=False).encode()
        headers = {"content-type": "application/json; charset=utf-8"}
        answer = await post(url, body, headers, channel=self.name, timeout_s=self.settings.timeout_s)
        if answer.status == 200 and answer.text == "ok":
            return Delivery("ok")
        # 200 without "ok" is some proxy's page, not Slack.
        retryable = answer.is_retryable or answer.status == 200
        raise DeliveryError(
            f"HTTP {answer.status}: {answer.text}",
            channel=self.name,
            retryable=retryable,
            retry_after_s=answer.retry_after_s if retryable else None,
        )
