"""A digest's plain text as chat services take it: in pieces of bearable length, without calling anybody."""

from __future__ import annotations

import re
from collections.abc import Iterator

MAX_CHARS = 1_800  # Discord takes 2,000, the title included
MAX_BYTES = 3_900  # ntfy makes a file of what is longer than 4,096
_LINE_CHARS = 900  # four bytes each at worst

# What chat services take for a call to everybody or to somebody; not an "@" within an address.
_CALL = re.compile(r"(?<![\w/.])@(?=(?:everyone|here|channel|all)\b)|<(?=[@!#])")
_APART = "\u200b"  # zero width space


def pieces(text: str) -> list[str]:
    """`text` cut between paragraphs, which are its stories; within one only if it is too long by itself."""
    found: list[str] = []
    for joint, unit in _units(text.strip()):
        longer = f"{found[-1]}{joint}{unit}" if found else ""
        if longer and _fits(longer):
            found[-1] = longer
        else:
            found.append(unit)
    return found


def calling_nobody(text: str) -> str:
    """A headline that says @everyone reads the same and wakes nobody."""
    return _CALL.sub(lambda call: call[0] + _APART, text)


def _units(text: str) -> Iterator[tuple[str, str]]:
    """What is not cut, and how it is joined to what stands before it."""
    for paragraph in re.split(r"\n{2,}", text):
        if _fits(paragraph):
            yield "\n\n", paragraph
            continue
        for line in paragraph.splitlines():
            for at in range(0, len(line), _LINE_CHARS):
                yield "\n", line[at : at + _LINE_CHARS]


def _fits(text: str) -> bool:
    return len(text) <= MAX_CHARS and len(text.encode("utf-8", "replace")) <= MAX_BYTES
