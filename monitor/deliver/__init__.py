"""The ways out of the house. Every channel has `async send(row) -> Delivery`, raising DeliveryError."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from monitor.deliver.options import (
    AppriseSettings,
    EmailSettings,
    FileSettings,
    Settings,
    SlackSettings,
    WebhookSettings,
    adopt,
)
from monitor.model import Delivery, OutboxRow

__all__ = [
    "AppriseSettings",
    "Channel",
    "EmailSettings",
    "FileSettings",
    "SlackSettings",
    "WebhookSettings",
    "channels",
    "domains",
]


class Channel(Protocol):
    """What all channels do."""

    name: str

    async def send(self, row: OutboxRow) -> Delivery:
        """Deliver one message. Raises DeliveryError, which says whether another try can help."""


def channels(settings: Mapping[str, Any]) -> dict[str, Channel]:
    """A channel per configured name, ready to send; nothing is connected and no secret read yet.

    A setting is one of the records above, or any object with `kind` and fields of their names.
    Raises KeyError for a kind that does not exist.
    """
    return {name: _channel(name, adopt(config)) for name, config in settings.items()}


def domains(settings: Mapping[str, Any]) -> dict[str, str]:
    """Mail channel → the domain of its Message-IDs, for composing."""
    adopted = {name: adopt(config) for name, config in settings.items()}
    return {name: found.own_domain for name, found in adopted.items() if isinstance(found, EmailSettings)}


def _channel(name: str, settings: Settings) -> Channel:
    # Imported here: a monitor that writes files needs no SMTP library in memory.
    if isinstance(settings, EmailSettings):
        from monitor.deliver.email import EmailChannel

        return EmailChannel(name, settings)
    if isinstance(settings, SlackSettings):
        from monitor.deliver.slack import SlackChannel

        return SlackChannel(name, settings)
    if isinstance(settings, WebhookSettings):
        from monitor.deliver.webhook import WebhookChannel

        return WebhookChannel(name, settings)
    if isinstance(settings, FileSettings):
        from monitor.deliver.file import FileChannel

        return FileChannel(name, settings)
    from monitor.deliver.apprise import AppriseChannel

    return AppriseChannel(name, settings)
