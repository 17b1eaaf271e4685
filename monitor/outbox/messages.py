"""A rendered digest as outbox rows: one message to one recipient over one channel, each with its key."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from monitor.digest.payloads import Payload, payloads
from monitor.digest.render import Rendered
from monitor.model import ChannelSpec, OutboxRow

DEFAULT_DOMAIN = "japan-tech-monitor.invalid"  # RFC 6761: never anybody's; for channels without mail

Thread = Callable[[str, str], Sequence[str]]  # recipient, domain → the References of a mail to them


def message_rows(
    rendered: Rendered,
    channels: Sequence[ChannelSpec],
    now: datetime,
    *,
    domains: Mapping[str, str],
    thread: Thread | None = None,
) -> Iterator[OutboxRow]:
    """A row per channel, recipient and part. `domains` maps a mail channel to that of its Message-IDs."""
    for channel in channels:
        messages = payloads(channel.kind, rendered)
        domain = domains.get(channel.channel, DEFAULT_DOMAIN)
        for recipient in dict.fromkeys(channel.recipients) or ("",):
            for message in messages:
                row = _row(rendered, channel, recipient, message, domain, now)
                if thread and channel.kind == "email":
                    row = _threaded(row, thread(recipient, domain))
                yield row


def _row(
    rendered: Rendered, channel: ChannelSpec, recipient: str, message: Payload, domain: str, now: datetime
) -> OutboxRow:
    key = outbox_key(rendered.digest.id, channel.channel, recipient, message.part)
    return OutboxRow(
        key=key,
        digest_id=rendered.digest.id,
        digest_name=rendered.digest.spec.name,
        channel=channel.channel,
        kind=channel.kind,
        recipient=recipient,
        subject=message.subject,
        payload=message.content,
        message_id=message_id(key, recipient, domain) if channel.kind == "email" else "",
        created_at=now,
    )


def _threaded(row: OutboxRow, references: Sequence[str]) -> OutboxRow:
    return replace(row, payload={**row.payload, "references": list(references)})


def outbox_key(digest_id: str, channel: str, recipient: str, part: int = 1) -> str:
    """The key of a message: the same however often the digest is composed or sent."""
    return hashed("\n".join((digest_id, channel, recipient, *((str(part),) if part > 1 else ()))))


def message_id(key: str, recipient: str, domain: str) -> str:
    """A Message-ID (RFC 5322 §3.6.4) made of the key; its second part tells whose it is."""
    return f"<{key[:24]}.{hashed(recipient)[:12]}@{domain}>"


def hashed(text: str) -> str:
    """64 hexadecimal digits."""
    return sha256(text.encode()).hexdigest()
