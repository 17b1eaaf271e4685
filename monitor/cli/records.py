"""JSON Lines in: one record a line, in bounded memory, a bad line a value and not the end."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from monitor.model import Document

MAX_LINE_BYTES = 20_000_000
_LONE = re.compile(r"[\ud800-\udfff]")  # half a character: JSON can write it, UTF-8 cannot
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Line:
    """A line as read: its number from 1, and the object on it or what is wrong with it."""

    number: int
    record: dict[str, Any] | None
    problem: str = ""

    @property
    def id(self) -> Any:
        return self.record.get("id") if self.record else None


def read_lines(stream: BinaryIO, *, limit: int = MAX_LINE_BYTES) -> Iterator[Line]:
    """Every line that is not blank, one at a time: of an endless or overlong input too."""
    number = 0
    while raw := stream.readline(limit + 1):
        number += 1
        if len(raw) > limit:
            _skip_line(stream, raw, limit)
            yield Line(number, None, f"longer than {limit:,} bytes")
        elif text := raw.removeprefix(_BOM if number == 1 else b"").strip():
            yield _parsed(number, text)


def _skip_line(stream: BinaryIO, raw: bytes, limit: int) -> None:
    while raw and not raw.endswith(b"\n"):
        raw = stream.readline(limit)


def _parsed(number: int, text: bytes) -> Line:
    try:
        value = json.loads(text.decode("utf-8"))
    except UnicodeDecodeError as error:
        return Line(number, None, f"not UTF-8 at byte {error.start + 1}")
    except json.JSONDecodeError as error:
        return Line(number, None, f"not JSON: {error.msg} at column {error.colno}")
    except (ValueError, RecursionError) as error:
        return Line(number, None, f"not JSON: {error}")
    if not isinstance(value, dict):
        return Line(number, None, "not a JSON object")
    return Line(number, value)


def text_of(record: dict[str, Any], key: str, *, required: bool = False) -> str:
    """A field's text; "" when it is absent or null. Raises ValueError saying what is wrong."""
    value = record.get(key)
    if value is None and not required:
        return ""
    if not isinstance(value, str):
        found = "missing" if key not in record else type(value).__name__.replace("NoneType", "null")
        raise ValueError(f"{key} is missing" if found == "missing" else f"{key} must be text, not {found}")
    return _LONE.sub("\ufffd", value)


def document_of(record: dict[str, Any]) -> Document:
    """A record as a document to classify. Raises ValueError saying what is wrong with it."""
    if not isinstance(record.get("id"), (str, int)) or isinstance(record.get("id"), bool):
        raise ValueError("id must be text or a whole number" if "id" in record else "id is missing")
    return Document(
        text=text_of(record, "text", required=True),
        title=text_of(record, "title"),
        url=text_of(record, "url"),
        lang=text_of(record, "lang"),
        source_id=text_of(record, "source"),
        published=text_of(record, "published"),
    )
