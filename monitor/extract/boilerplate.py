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
_MAX_INSERTION_CHARS = 260
_MAX_EDGE_CHARS = 400
_MIN_COMMENTED_CHARS = 400  # of prose above a heading "Comments"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known of the page besides its text, for judging a line."""

    linked: frozenset[str] = frozenset()  # folded texts of link-only blocks
    boilerplate: frozenset[str] = frozenset()  # hashes of the site's recurring lines
    titles: frozenset[str] = frozenset()  # folded


def trim(lines: Sequence[str], around: Surroundings) -> list[str]:
    """The lines without furniture; never empty because of this when there was prose."""
    kept = [line for line in _until_the_end(list(lines), around) if not _is_insertion(line, around)]
    return _above(_below(kept, around), around)


def is_prose(line: str, around: Surroundings) -> bool:
    """A sentence: ends like one, or is long; and is not a link alone."""
    if fold(line) in around.linked:
        return False
    least = 15 if _EAST.search(line) else 40
    return (len(line) >= least and _ends(line)) or len(line) >= 4 * least


def prose_chars(lines: Sequence[str], around: Surroundings) -> int:
    """How much of the lines is sentences."""
    return sum(len(line) for line in lines if is_prose(line, around))


def _ends(line: str) -> bool:
    return bool(_SENTENCE_END.search(line[-20:]))


def _is_insertion(line: str, around: Surroundings) -> bool:
    """Furniture wherever it stands."""
    if around.boilerplate and line_hash(line) in around.boilerplate:
        return True
    if len(line) <= 60 and furniture.LABEL.match(line):
        return True
    if len(line) <= _MAX_INSERTION_CHARS and furniture.INSERTION.match(line):
        return True
    return len(line) >= 15 and fold(line) in around.linked and not _ends(line)


def _until_the_end(lines: list[str], around: Surroundings) -> list[str]:
    """Without comments, and without what stands from a pay wall's notice on: offers, plans, ways to log in.

    A notice counts only with more prose above it than below: some pages open with one.
    """
    above, all_of_it = 0, prose_chars(lines, around)
    for i, line in enumerate(lines):
        if above > _MIN_COMMENTED_CHARS and len(line) <= 30 and furniture.COMMENTS.match(line):
            return lines[:i]
        own = len(line) if is_prose(line, around) else 0
        if above > 2 * (all_of_it - above - own) and is_notice(line):
            return lines[:i]
        above += own
    return lines


def is_notice(line: str) -> bool:
    """Whether a line says that the rest is for subscribers."""
    return len(line) <= _MAX_NOTICE_CHARS and bool(furniture.PAYWALL.search(line))


def _below(lines: list[str], around: Surroundings) -> list[str]:
    """Without the links, by-lines, notices and sign-offs after the last sentence."""
    end = len(lines)
    while end and _is_tail(lines[end - 1], around):
        end -= 1
    return lines[:end]


def _is_tail(line: str, around: Surroundings) -> bool:
    if len(line) > _MAX_EDGE_CHARS:
        return False
    return (
        _is_edge(line, around)
        or is_notice(line)
        or bool(furniture.SIGN_OFF.search(line))
        or not any(c.isalnum() for c in line)
    )


def _is_edge(line: str, around: Surroundings) -> bool:
    """A link, a by-line or a date."""
    if fold(line) in around.linked:
        return True
    return bool(furniture.BYLINE.match(line) or furniture.DATE_LINE.match(line))


def _above(lines: list[str], around: Surroundings) -> list[str]:
    """Without title, date, by-line and crumbs before the first sentence."""
    first = next((i for i, line in enumerate(lines) if is_prose(line, around)), len(lines))
    head = [line for line in lines[:first] if not _is_crumb(line, around)]
    rest = lines[first:]
    if len(rest) > 1 and _is_title(fold(rest[0]), around):
        rest = rest[1:]
    return head + rest


def _is_crumb(line: str, around: Surroundings) -> bool:
    short = 8 if _EAST.search(line) else 20
    if len(line) <= short:
        return True
    return len(line) <= _MAX_EDGE_CHARS and (_is_title(fold(line), around) or _is_edge(line, around))


def _is_title(folded: str, around: Surroundings) -> bool:
    """The title again, or with the kicker that stands before it."""
    return folded in around.titles or any(
        folded.endswith(title) and len(folded) <= len(title) + 60
        for title in around.titles
        if len(title) >= 12
    )
