"""One page watched for change: each new state of its text is one item."""

from __future__ import annotations

import difflib
import hashlib

from monitor import text
from monitor.model import ParsedFeed, ParsedItem, Source
from monitor.sources import feeds, pages

MAX_TEXT_CHARS = 200_000


def parse(document: str, source: Source, context: feeds.Context) -> ParsedFeed:
    """The state of the part that `source.selector` names, or of the whole page.

    The guid is `watch:` and a hash of the text, so a state seen before is not new again.
    """
    title, watched = pages.text_of(document, source.selector)
    watched = text.clean_text(watched[:MAX_TEXT_CHARS])
    if not watched:
        missing = (
            f"nothing matches the selector {source.selector!r}" if source.selector else "a page without text"
        )
        return ParsedFeed("watch", title=title, problem=missing)
    guid = "watch:" + hashlib.sha256(watched.encode("utf-8", "replace")).hexdigest()[:32]
    item = ParsedItem(
        guid=guid, url=context.url, title=title or source.name or context.url,
        summary=watched[: feeds.MAX_SUMMARY_CHARS], content=watched, lang=source.lang,
    )  # fmt: skip
    return ParsedFeed("watch", (item,), title=title, home_url=context.url)


def changed_lines(before: str, after: str) -> str:
    """The lines that `after` has and `before` had not, for showing what changed."""
    lines = difflib.ndiff(before.splitlines()[:2_000], after.splitlines()[:2_000])
    return "\n".join(line[2:] for line in lines if line.startswith("+ "))
