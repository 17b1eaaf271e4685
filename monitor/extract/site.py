"""What a site repeats from page to page is its furniture, not its news.

Pure functions over short hashes of lines; whoever keeps pages of one source feeds them here and
hands the result to `extract(boilerplate=...)`.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter, OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

_MIN_CHARS = 4  # shorter lines ("Yes.", "以上") recur honestly
_MAX_CHARS = 400  # a paragraph this long that recurs is an agency's boilerplate, and readers' business
_DIGITS = re.compile(r"\d+")


def line_hash(line: str) -> str:
    """16 hexadecimal digits for a line, the same for other widths, cases, blanks and figures."""
    folded = _DIGITS.sub("0", unicodedata.normalize("NFKC", line).casefold())
    return hashlib.blake2b("".join(folded.split()).encode("utf-8", "replace"), digest_size=8).hexdigest()


def line_hashes(text: str) -> frozenset[str]:
    """The hashes of the lines of one page's text that could be furniture."""
    return frozenset(line_hash(line) for line in text.split("\n") if _MIN_CHARS <= len(line) <= _MAX_CHARS)


@dataclass
class Learner:
    """Counts on how many of a source's pages each line stood.

    `learn` takes one page's text; `boilerplate` names the lines that stood on at least
    `min_pages` pages and on at least `share` of all. It is a plain record: pickle it, or keep
    `pages` and `counts` anywhere.
    """

    pages: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    max_lines: int = 5_000

    def learn(self, text: str) -> None:
        self.pages += 1
        self.counts.update(line_hashes(text))
        if len(self.counts) > self.max_lines:  # forget the rarest: they are the articles
            self.counts = Counter(dict(self.counts.most_common(self.max_lines // 2)))

    def boilerplate(self, *, min_pages: int = 3, share: float = 0.1) -> frozenset[str]:
        least = max(min_pages, self.pages * share)
        return frozenset(line for line, seen in self.counts.items() if seen >= least)


def learn(texts: Iterable[str]) -> frozenset[str]:
    """The boilerplate of one source from the texts of its earlier pages."""
    learner = Learner()
    for text in texts:
        learner.learn(text)
    return learner.boilerplate()


_MOST_SITES = 1000
_SURE_PAGES = 5
_SURE_SHARE = 0.5
_SHORT_CHARS = 120  # a press release repeats its paragraphs, furniture its short lines


@dataclass
class _Site:
    learner: Learner = field(default_factory=Learner)
    # Kept once known: what has been cut is not seen in the texts any more, and would be forgotten again.
    furniture: frozenset[str] = frozenset()


class Sites:
    """What was learnt of each site while this process lives; those read longest ago are forgotten."""

    def __init__(self) -> None:
        self._sites: OrderedDict[str, _Site] = OrderedDict()

    def furniture(self, host: str) -> frozenset[str]:
        """Hashes of the short lines that stood on at least half of five or more pages."""
        site = self._sites.get(host)
        return site.furniture if site else frozenset()

    def learn(self, host: str, text: str) -> None:
        """Counts one page's extracted text."""
        site = self._sites.setdefault(host, _Site())
        self._sites.move_to_end(host)
        if len(self._sites) > _MOST_SITES:
            self._sites.popitem(last=False)
        site.learner.learn("\n".join(line for line in text.split("\n") if len(line) <= _SHORT_CHARS))
        site.furniture |= site.learner.boilerplate(min_pages=_SURE_PAGES, share=_SURE_SHARE)
