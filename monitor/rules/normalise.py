"""Text as rules compare it, with the way back to the text as given.

Folding (Unicode NFKC, quotes, dashes, dotted U.S. and U.K., runs of blanks) may change lengths, so a
`Folded` keeps where each stretch came from: evidence must quote the article, not our copy of it.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass, field

# One character to one character: offsets stay as they are.
_SAME_LENGTH = {
    **dict.fromkeys(map(ord, "‘’‚‛′`´＇"), "'"),
    **dict.fromkeys(map(ord, "“”„‟″＂«»"), '"'),
    **dict.fromkeys(map(ord, "‐‑‒–—―−﹣－⁃⸺"), "-"),
    **dict.fromkeys([0x00A0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000], " "),
    **dict.fromkeys(map(ord, "\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"), "\n"),
    **dict.fromkeys(map(ord, "･·•‧∙"), "・"),
    ord("\t"): " ",
    ord("⁄"): "/",
    ord("〜"): "~",
    0x0130: "I",  # lower() of the dotted capital I is two characters
}
# Characters that carry no meaning for a reader and split words for a machine.
_INVISIBLE = "\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff"
_SENTENCE_AFTER = re.compile(r" +(?:The|It|In|But|This|That|He|She|They|We|A|An|And|For|On|At|As)\b")
# Each pattern begins with a literal or a set, which the regular expression engine finds quickly.
_BLANKS = re.compile(r"[ \n]{2,}")
_DOTTED = re.compile(r"U(?<![A-Za-z0-9.]U)\.[ ]?[SK](?:\.[ ]?A)?\.?(?![A-Za-z0-9.])")
_UNSEEN = re.compile(f"[{_INVISIBLE}]+")
_MARKED = r"[^\u0000-\u0300][\u0300-\u036f\u3099\u309a\uff9e\uff9f]{1,8}|[A-Za-z][\u0300-\u036f]{1,8}"
_PLAIN = re.compile(r"(?:[A-TV-Za-z0-9 &'/+-]|U(?!\.)|[ァ-ヺー\u3400-\u9fffぁ-ゖ])*")
_CHANGES = tuple((chr(n), new) for n, new in _SAME_LENGTH.items())
_ASCII_CHANGES = tuple(pair for pair in _CHANGES if pair[0].isascii())


@dataclass(frozen=True, slots=True)
class Folded:
    """Folded text. `text` keeps case and line ends; `breaks` says where lengths differ from the original."""

    text: str
    original: str
    starts: list[int] = field(default_factory=list)  # in `text`, ascending
    origins: list[int] = field(default_factory=list)  # the same places in `original`

    def origin(self, index: int) -> int:
        """Where the character at `index` of `text` begins in the original."""
        n = bisect_right(self.starts, index) - 1
        if n < 0:
            return min(index, len(self.original))
        at = self.origins[n] + index - self.starts[n]
        ceiling = self.origins[n + 1] if n + 1 < len(self.origins) else len(self.original)
        return min(at, ceiling)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The original span of text[start:end]; never empty when the folded span is not."""
        first = self.origin(start)
        if end <= start:
            return first, first
        # The end is taken from the last character's beginning, so that a removed dot after it stays outside.
        last = max(self.origin(end - 1) + 1, first + 1)
        after = self.origin(end)
        stays = after - last
        end_at = last if stays <= 0 or self.original[last:after].strip(" \n.") == "" else after
        return first, min(max(end_at, last), len(self.original))


def fold(text: str) -> Folded:
    """Text folded for comparison. Linear in its length, for any Unicode; lone surrogates are kept."""
    plain = text
    # Replacing the few characters that occur is several times faster than a table look-up for each character.
    for character, new in _ASCII_CHANGES if text.isascii() else _CHANGES:
        if character in plain:
            plain = plain.replace(character, new)
    patterns = [_BLANKS]
    if "U." in plain:
        patterns.append(_DOTTED)
    if not plain.isascii():
        if _UNSEEN.search(plain):
            patterns.append(_UNSEEN)
        if not unicodedata.is_normalized("NFKC", plain):
            plain, longer = _composed(plain)
            patterns.append(longer)
    changes = [(*found.span(), found[0]) for pattern in patterns for found in pattern.finditer(plain)]
    return _rebuilt(plain, text, sorted(changes)) if changes else Folded(plain, text)


def _composed(plain: str) -> tuple[str, re.Pattern[str]]:
    """The text with one-to-one foldings done, and a pattern of those that change its length."""
    odd = [c for c in set(plain) if not unicodedata.is_normalized("NFKC", c)]
    longer = ""
    for character in sorted(odd):
        new = unicodedata.normalize("NFKC", character)
        if len(new) == 1:
            plain = plain.replace(character, new)
        else:
            longer += re.escape(character)
    return plain, re.compile(f"{_MARKED}|[{longer}]" if longer else _MARKED)


def _rebuilt(plain: str, original: str, changes: list[tuple[int, int, str]]) -> Folded:
    pieces: list[str] = []
    starts: list[int] = []
    origins: list[int] = []
    done = length = 0
    for begin, end, found in changes:
        new = _replacement(found, plain, end)
        if begin < done or new == found:
            continue
        pieces += (plain[done:begin], new)
        length += begin - done
        starts += (length, length + len(new))
        origins += (begin, end)
        length += len(new)
        done = end
    pieces.append(plain[done:])
    return Folded("".join(pieces), original, starts, origins)


def _replacement(found: str, text: str, end: int) -> str:
    first = found[0]
    if first in " \n":
        return "\n\n" if found.count("\n") > 1 else "\n" if "\n" in found else " "
    if first == "U" and found[1:2] == ".":
        letters = found.replace(".", "").replace(" ", "")
        closes = found.endswith(".") and (_SENTENCE_AFTER.match(text, end) or text[end : end + 1] in "\n")
        return f"{letters}." if closes else letters
    if unicodedata.category(first) == "Cf" or "\ufe00" <= first <= "\ufe0f" or first == "\u180e":
        return ""
    return unicodedata.normalize("NFKC", found)


def fold_term(term: str) -> str:
    """A term of a rule or concept folded the same way; "" when nothing is left of it."""
    # Most of twenty thousand terms are plain letters, which folding leaves as they are.
    plain = term if _PLAIN.fullmatch(term) else fold(term).text
    return " ".join(plain.split())
