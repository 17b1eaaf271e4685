"""Cutting furniture off the lines of an extracted text: above, below and between the paragraphs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from monitor.extract import furniture
from monitor.extract.layout import fold
from monitor.extract.site import line_hash

_SENTENCE_END = re.compile(r"[.!?。！？．…][\s\"'”’»」』）)\]】]*$|[」』][)）]?$|:$")
_EAST = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
_MAX_NOTICE_CHARS = 160


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known of the page besides its text, for judging a line."""

    linked: frozenset[str] = frozenset()  # folded texts of link-only blocks
    boilerplate: frozenset[str] = frozenset()  # hashes of the site's recurring lines
    titles: frozenset[str] = frozenset()  # folded


def trim(lines: Sequence[str], around: Surroundings) -> list[str]:
    """The lines without furniture; never empty because of this when there was prose."""
    kept = [line for line in _to_the_end(list(lines), around) if not _is_insertion(line, around)]
    return _above(_below(kept, around), around)


def is_prose(line: str, around: Surroundings) -> bool:
    """A sentence: ends like one, or is long; and is not a link alone."""
    if fold(line) in around.linked:
        return False
    least = 15 if _EAST.search(line) else 40
    return (len(line) >= least and bool(_SENTENCE_END.search(line))) or len(line) >= 4 * least


def _is_insertion(line: str, around: Surroundings) -> bool:
    """Furniture wherever it stands."""
    if around.boilerplate and line_hash(line) in around.boilerplate:
        return True
    if len(line) <= 60 and furniture.LABEL.match(line):
        return True
    if len(line) <= 260 and furniture.INSERTION.match(line):
        return True
    return fold(line) in around.linked and len(line) >= 15 and not _SENTENCE_END.search(line)


def _to_the_end(lines: list[str], around: Surroundings) -> list[str]:
    """Without what stands from a pay wall's notice on (offers, plans, ways to log in) and without comments.

    A notice counts only with more prose above it than below: some pages open with one.
    """
    for i, line in enumerate(lines):
        if len(line) <= 30 and furniture.COMMENTS.match(line) and prose_chars(lines[:i], around) > 400:
            return lines[:i]
        if len(line) <= _MAX_NOTICE_CHARS and furniture.PAYWALL.search(line):
            above, below = (prose_chars(part, around) for part in (lines[:i], lines[i + 1 :]))
            if above and above > 2 * below:
                return lines[:i]
    return lines


def prose_chars(lines: Sequence[str], around: Surroundings) -> int:
    """How much of the lines is sentences."""
    return sum(len(line) for line in lines if is_prose(line, around))


def _below(lines: list[str], around: Surroundings) -> list[str]:
    """Without the links, by-lines, labels and dangling headings after the last sentence."""
    end = len(lines)
    while end and _is_tail(lines[end - 1], around):
        end -= 1
    return lines[:end] if end else lines


def _is_tail(line: str, around: Surroundings) -> bool:
    folded = fold(line)
    if folded in around.linked or (len(line) < 200 and furniture.PAYWALL.search(line)):
        return True
    if furniture.BYLINE.match(line) or furniture.DATE_LINE.match(line) or furniture.SIGN_OFF.search(line):
        return True
    return not any(c.isalnum() for c in line)


def _above(lines: list[str], around: Surroundings) -> list[str]:
    """Without title, date, by-line and crumbs before the first sentence."""
    first = next((i for i, line in enumerate(lines) if is_prose(line, around)), len(lines))
    head = [line for line in lines[:first] if not _is_crumb(line, around)]
    if first == len(lines) and not head:
        return lines
    rest = lines[first:]
    if rest and _is_title(fold(rest[0]), around):
        rest = rest[1:] or rest
    return head + rest


def _is_title(folded: str, around: Surroundings) -> bool:
    """The title again, or with the kicker that stands before it."""
    return folded in around.titles or any(
        folded.endswith(title) and len(folded) <= len(title) + 60
        for title in around.titles
        if len(title) >= 12
    )


def _is_crumb(line: str, around: Surroundings) -> bool:
    folded = fold(line)
    if folded in around.linked or _is_title(folded, around):
        return True
    if furniture.BYLINE.match(line) or furniture.DATE_LINE.match(line):
        return True
    short = 8 if _EAST.search(line) else 20
    return len(line) <= short
