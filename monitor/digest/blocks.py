"""Slack messages: Block Kit within its limits, split between stories.

Limits (docs.slack.dev, Block Kit reference): 50 blocks a message, 3,000 characters a section, 150 a
header, 2,000 a context element, 10 of them. A message of about 13,200 characters over all blocks is
refused too, which is documented nowhere: hence 10,000. Characters count after escaping.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from monitor.digest import labels
from monitor.digest.snippets import Snippet
from monitor.digest.view import DigestView, Link, StoryView

MAX_BLOCKS = 45
MAX_CHARS = 10_000
_SECTION = 2_900
_CONTEXT = 1_900
_HEADER = 150
_FALLBACK = 3_000
_QUOTE = 600

Block = dict[str, object]


def messages(seen: DigestView) -> list[dict[str, object]]:
    """The digest as one or more bodies for an incoming webhook, `text` and `blocks` in each."""
    parts = _packed(_units(seen))
    return [_message(seen, blocks, n, len(parts)) for n, blocks in enumerate(parts, start=1)]


def escape(text: str) -> str:
    """Slack's three characters; nothing else can start a mention, a channel or a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def link(target: Link) -> str:
    """`<url|text>` that no title and no address can break out of."""
    # A bar ends the address; formatting characters in a title would mark up half a sentence.
    text = escape(target.text.replace("|", "¦"))
    if not target.url:
        return text
    url = target.url.replace("|", "%7C").replace("<", "%3C").replace(">", "%3E")
    return f"<{url.replace('&', '&amp;')}|{text}>"


# --- units: blocks that stay together ------------------------------------------------------------


def _units(seen: DigestView) -> Iterator[list[Block]]:
    yield _head(seen)
    for heading, stories in seen.groups:
        for n, story in enumerate(stories):
            lead = [_section(f"*{escape(heading)}*")] if heading and n == 0 else []
            yield lead + _story(story, seen.lang)
    for chart in seen.charts:
        rows = [
            f"{escape(bar.label)}  {'▇' * max(1, bar.percent // 10) if bar.percent else ''} {bar.count}"
            for bar in chart.bars
        ]
        yield [_section(f"*{escape(chart.title)}*\n" + _joined(rows, "\n", _SECTION - 200))]
    yield _foot(seen)


def _head(seen: DigestView) -> list[Block]:
    title = f"{seen.kicker}: {seen.title}" if seen.kicker else seen.title
    header: Block = {"type": "header", "text": _plain(title, _HEADER)}
    line = f"{escape(seen.date)}\n*{escape(seen.counts)}*"
    return [header, _section(f"{line}\n{escape(seen.empty)}" if seen.empty else line)]


def _story(story: StoryView, lang: str) -> list[Block]:
    word = partial(labels.word, lang)
    mark = ":red_circle: " if story.priority == "high" else ""
    lines = [f"{mark}*{link(Link(story.title, story.url))}*", escape(" · ".join(story.meta))]
    if story.update:
        lines.append(f"*{word('update')}: {escape(story.update)}*")
    lines += [f"> {_quote(snippet)}" for snippet in story.snippets]
    section = _section(_joined(lines, "\n", _SECTION))
    details = [
        escape(" · ".join((*story.corridors, *story.topics, *((story.event,) if story.event else ()))))
    ]
    details += [f"{label}: {escape(values)}" for label, values in story.facts]
    if story.outlets:
        names = [link(outlet) for outlet in story.outlets if len(outlet.url) < 400]
        names += [story.more_outlets] if story.more_outlets else []
        details.append(f"{word('outlets')}: {word('comma').join(names)}")
    details += [f"{word('why')}: {escape(story.why)}"] if story.why else []
    return [{"type": "divider"}, section, _context(_joined(details, "\n", _CONTEXT))]


def _foot(seen: DigestView) -> list[Block]:
    lines = [f"*{escape(seen.more)}*"] if seen.more else []
    if seen.browse_url:
        lines.append(link(Link(labels.word(seen.lang, "browse"), seen.browse_url)))
    lines.append(f"{labels.word(seen.lang, 'coverage')}: {escape(seen.coverage)}")
    lines += [escape(line) for line in seen.problems + seen.notices]
    lines += [escape(seen.window)] if seen.window else []
    # Slack has no idempotency key: the id lets a reader see that a message came twice.
    lines.append(escape(seen.id))
    return [{"type": "divider"}, _context(_joined(lines, "\n", _CONTEXT))]


def _quote(snippet: Snippet) -> str:
    """The quote with its hits in bold, where Slack can set them: beside blanks or punctuation."""
    text = "".join(_bold(piece) if is_hit else escape(piece) for piece, is_hit in snippet.pieces)
    return text if len(text) <= _QUOTE else escape(snippet.text[: _QUOTE // 5]) + "…"


def _bold(piece: str) -> str:
    """Zero-width spaces let Slack see the asterisks inside Japanese text too."""
    inner = piece.strip().replace("*", "∗")
    return f"\u200b*{escape(inner)}*\u200b" if inner else escape(piece)


# --- blocks ------------------------------------------------------------------------------------


def _section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _context(text: str) -> Block:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text, "verbatim": True}]}


def _plain(text: str, most: int) -> dict[str, object]:
    return {
        "type": "plain_text",
        "text": text[: most - 1] + "…" if len(text) > most else text,
        "emoji": False,
    }


def _joined(lines: Sequence[str], separator: str, most: int) -> str:
    """As many whole lines as fit: never half of a link or of an escape."""
    kept: list[str] = []
    for line in lines:
        if line and sum(len(k) + len(separator) for k in kept) + len(line) <= most:
            kept.append(line)
    return separator.join(kept) or "–"


# --- messages ------------------------------------------------------------------------------------


def _packed(units: Iterator[list[Block]]) -> list[list[Block]]:
    """Units in as few messages as the limits allow."""
    parts: list[list[Block]] = [[]]
    for unit in units:
        together = [*parts[-1], *unit]
        if parts[-1] and (len(together) > MAX_BLOCKS or size(together) > MAX_CHARS):
            parts.append(list(unit))
        else:
            parts[-1] = together
    return parts


def size(blocks: Sequence[Block]) -> int:
    """The characters Slack counts: every text in every block."""
    total = 0
    for block in blocks:
        texts = [block.get("text"), *_elements(block)]
        total += sum(len(str(text["text"])) for text in texts if isinstance(text, dict))
    return total


def _elements(block: Block) -> list[object]:
    elements = block.get("elements", [])
    return elements if isinstance(elements, list) else []


def _message(seen: DigestView, blocks: list[Block], n: int, of: int) -> dict[str, object]:
    part = f" ({n}/{of})" if of > 1 else ""
    headlines = " · ".join(story.title for story in seen.stories[:3])
    fallback = f"{seen.subject}{part}" + (f"\n{headlines}" if headlines else "")
    if n > 1:
        blocks = [_context(escape(f"{seen.title}{part}")), *blocks]
    return {"text": _cut(fallback), "blocks": blocks, "unfurl_links": False, "unfurl_media": False}


def _cut(text: str) -> str:
    """Escaped text within the fallback's limit, cut before escaping so that no entity is halved."""
    return escape(text[: _FALLBACK // 5])
