"""Teams, Discord, Telegram, ntfy and the rest through Apprise, the extra `channels`."""

from __future__ import annotations

import asyncio

from monitor.deliver.http import revealed
from monitor.deliver.options import AppriseSettings
from monitor.errors import DeliveryError
from monitor.model import Delivery, OutboxRow


class AppriseChannel:
    """Sends the plain text. Apprise only says whether it worked: every failure is tried again."""

    def __init__(self, name: str, settings: AppriseSettings) -> None:
        self.name, self.settings = name, settings

    async def send(self, row: OutboxRow) -> Delivery:
        """Raises DeliveryError; final only when the address is of no service Apprise knows."""
        url = revealed(self.settings.url, channel=self.name)
        if not await asyncio.to_thread(self._notify, url, row):
            raise DeliveryError("the service did not take it", channel=self.name, retryable=True)
        return Delivery("accepted")

    def _notify(self, url: str, row: OutboxRow) -> bool:
        try:
            import apprise
        except ImportError as error:
            text = "needs Apprise: pip install 'japan-tech-monitor[channels]'"
            raise DeliveryError(text, channel=self.name, retryable=True) from error
        service = apprise.Apprise.instantiate(url)
        if service is None:
            text = "the address is of no service Apprise knows"
            raise DeliveryError(text, channel=self.name, retryable=False)
        if "overflow=" not in url:
            # Pieces are short enough for most; a service that takes still less gets more of them.
            service.overflow_mode = apprise.OverflowMode.SPLIT
        sender = apprise.Apprise()
        sender.add(service)
        return bool(sender.notify(title=row.subject, body=str(row.payload["text"]), body_format="text"))
