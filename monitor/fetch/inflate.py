"""Bodies, plain or gzip, within a bound.

httpx's own decoders expand every network chunk in full, so that half a kilobyte can fill the
memory; here the limit is handed to zlib itself.
"""

from __future__ import annotations

import zlib

_GZIP = 16 + zlib.MAX_WBITS
_MAGIC = b"\x1f\x8b"


class Overflow(Exception):
    """The body is longer than allowed."""


class Damaged(Exception):
    """The compressed data is broken or ends early."""


class Body:
    """Collects a body chunk by chunk. `gzip` says whether the chunks are compressed."""

    def __init__(self, limit: int, *, gzip: bool) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = 0
        self._gzip = gzip
        self._inflate = zlib.decompressobj(_GZIP)
        self._started = False

    def feed(self, chunk: bytes) -> None:
        """Add one chunk as it came from the wire. Raises Overflow, Damaged."""
        if not self._gzip:
            self._keep(chunk)
            return
        while chunk:
            if not self._begin_member(chunk):
                return
            try:
                # One byte more than is left, to tell "exactly full" from "too long".
                self._keep(self._inflate.decompress(chunk, self._limit - self._size + 1))
            except zlib.error as error:
                raise Damaged(f"broken gzip data: {error}") from error
            chunk = self._inflate.unused_data

    def _begin_member(self, chunk: bytes) -> bool:
        """Whether the chunk belongs to a member. RFC 1952 allows several in a row; anything else
        after the first is ignored, as browsers do."""
        if self._inflate.eof:
            if not chunk.startswith(_MAGIC[: len(chunk)]):
                return False
            self._inflate = zlib.decompressobj(_GZIP)
        self._started = True
        return True

    def _keep(self, data: bytes) -> None:
        room = self._limit - self._size
        self._size += len(data)
        if data:
            self._parts.append(data[:room])
        if len(data) > room:
            raise Overflow

    def finish(self) -> bytes:
        """The whole body. Raises Damaged when compressed data ended before its end."""
        if self._started and not self._inflate.eof:
            raise Damaged("gzip data ends early")
        return b"".join(self._parts)

    def so_far(self) -> bytes:
        """What has been collected, complete or not: after Overflow exactly `limit` bytes."""
        return b"".join(self._parts)
