"""Digests as files: HTML, text and .eml in one folder, an Atom feed per digest in another."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from monitor.deliver.message import build, serialised
from monitor.deliver.options import EmailSettings, FileSettings
from monitor.digest import feed
from monitor.errors import DeliveryError
from monitor.model import Delivery, OutboxRow

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


class FileChannel:
    """Writes each file whole or not at all, under the same name however often it is sent."""

    def __init__(self, name: str, settings: FileSettings) -> None:
        self.name, self.settings = name, settings
        self._one_at_a_time = asyncio.Lock()  # a feed is read, merged and written

    async def send(self, row: OutboxRow) -> Delivery:
        """The receipt names the files. Raises DeliveryError, retryable: a disk can be mended."""
        try:
            async with self._one_at_a_time:
                written = await asyncio.to_thread(lambda: list(self._write(row)))
        except OSError as error:
            text = f"{error.filename or self.settings.folder}: {error.strerror}"
            raise DeliveryError(text, channel=self.name, retryable=True) from error
        return Delivery(", ".join(str(path) for path in written))

    def _write(self, row: OutboxRow) -> Iterator[Path]:
        stem = _UNSAFE.sub("-", str(row.payload["name"]))
        for kind in self.settings.formats:
            if kind == "atom":
                yield self._write_feed(row)
            else:
                suffix = {"text": "txt"}.get(kind, kind)
                yield _put(self.settings.folder / f"{stem}.{suffix}", self._content(kind, row))

    def _content(self, kind: str, row: OutboxRow) -> bytes:
        if kind == "eml":
            settings = EmailSettings(host="", sender=self.settings.sender)
            return serialised(build(_addressed(row, settings), settings))
        return str(row.payload[kind]).encode()

    def _write_feed(self, row: OutboxRow) -> Path:
        folder = self.settings.feeds or self.settings.folder.parent / "feeds"
        name = str(row.payload["feed"])
        path = folder / f"{_UNSAFE.sub('-', name)}.xml"
        existing = path.read_bytes() if path.exists() else b""
        entries = row.payload["entries"]
        assert isinstance(entries, list)
        return _put(path, feed.merged(existing, name, str(row.payload["title"]), entries))


def _addressed(row: OutboxRow, settings: EmailSettings) -> OutboxRow:
    """The row as a mail to its own sender: an .eml file needs a recipient to be complete."""
    message_id = f"<{row.key[:40]}@{settings.own_domain}>"
    return replace(row, recipient=row.recipient or settings.sender, message_id=message_id)


def _put(path: Path, content: bytes) -> Path:
    """Write through to the disk under another name, then rename: a reader never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.part")
    with draft.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(path)
    return path
