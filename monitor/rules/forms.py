"""One surface form of a concept: how it is written down, and what the automaton looks for.

A form is text with optional flags in braces: `TEL {case, weak}`. See docs/rules.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from monitor.rules.normalise import fold_term

STRENGTHS = {"weak": 0, "medium": 1, "strong": 2}
FLAGS = frozenset({"case", "nocase", "sub", "edge", "prefix", "word", "exact", *STRENGTHS})
_FLAGGED = re.compile(r"^(.*?)\s*\{([^{}]*)\}$", re.DOTALL)
_KATAKANA = re.compile(r"[ァ-ヺー・]+")
_KANJI_DIGITS = "0123456789一二三四五六七八九十"
LONGEST = 200  # characters in one form

# What must not follow or precede a hit (modes of `Form.right`).
FREE, WHOLE, PLURAL, OPEN = range(4)


@dataclass(frozen=True, slots=True)
class Form:
    """A form ready for matching. `patterns` are what the automaton is given; the rest is checked on a hit."""

    written: str
    patterns: tuple[str, ...]
    left: bool = True  # a Latin letter or digit must not come before
    right: int = WHOLE
    cased: str = ""  # the exact spelling a hit must have; "" folds case
    strength: int = STRENGTHS["strong"]
    edge: bool = False  # no neighbour of the same Japanese script
    prefix: bool = False  # one kanji before a name, at the beginning of a word: 米IBM
    word: bool = False  # an all-capitals form that is also a plain word: US, IT


class FormError(ValueError):
    """A form that cannot be matched; the message says why."""


def haystack(text: str) -> str:
    """Folded text as the automaton reads it: same length, joints of multiword names as blanks, lower case."""
    return text.replace("-", " ").replace("/", " ").lower()


def split_forms(text: str) -> list[tuple[str, int]]:
    """The forms of a block of text, each with its line (from 0). Comment lines are left out."""
    forms = []
    for n, line in enumerate(text.split("\n")):
        if is_comment(line):
            continue
        forms += [(part.strip(), n) for part in line.split(";") if part.strip()]
    return forms


def is_comment(line: str) -> bool:
    """Whether a line of a block is a remark: # and a blank (#日英 is a mask with a digit)."""
    return f"{line.strip()} ".startswith("# ")


def parse_form(written: str, *, plural: bool = False, name: bool = False, mask: bool = False) -> Form:
    """Reads one form. `plural` allows -s and -es, `name` applies the guards of short katakana names,
    `mask` lets a form begin or end anywhere and expands `#` to every digit.

    Raises FormError for an unknown flag, an over-long form or one that folds to nothing.
    """
    text, flags = _flags(written)
    folded = fold_term(text)
    wild = folded.endswith("*")
    folded = folded.rstrip("*").rstrip() if wild else folded
    if not haystack(folded).strip() or not any(c.isalnum() for c in folded):
        raise FormError(f"{written!r} is empty after normalising")
    if len(folded) > LONGEST:
        raise FormError(f"a form has {len(folded)} characters; {LONGEST} is the most")
    latin_end = folded[-1].isascii() and folded[-1].isalnum()
    capitals = folded.isascii() and folded.upper() == folded and sum(map(str.isalpha, folded)) > 1
    cased = "case" in flags or (capitals and "nocase" not in flags)
    if "sub" in flags or not latin_end:
        right = FREE
    elif wild:
        right = OPEN
    else:
        right = PLURAL if plural and folded[-1].isalpha() and "exact" not in flags else WHOLE
    short_name = name and len(folded) <= 3 and bool(_KATAKANA.fullmatch(folded))
    return Form(
        written=text,
        patterns=tuple(_patterns(folded, plural=right == PLURAL and not cased, digits=mask)),
        left=folded[0].isascii() and folded[0].isalnum() and "sub" not in flags,
        right=right,
        cased=folded.replace("-", " ").replace("/", " ") if cased else "",
        strength=next((STRENGTHS[f] for f in flags if f in STRENGTHS), STRENGTHS["strong"]),
        edge="edge" in flags or short_name,
        prefix="prefix" in flags,
        word="word" in flags or (cased and folded in {"US", "IT"}),
    )


def _flags(written: str) -> tuple[str, list[str]]:
    found = _FLAGGED.match(written.strip())
    if not found:
        return written.strip(), []
    flags = [flag.strip() for flag in found[2].split(",") if flag.strip()]
    for flag in flags:
        if flag not in FLAGS:
            raise FormError(f"unknown flag {flag!r} in {written!r}; flags are {', '.join(sorted(FLAGS))}")
    return found[1].strip(), flags


def _patterns(folded: str, *, plural: bool, digits: bool) -> list[str]:
    base = haystack(folded)
    if plural and re.search(r"[^aeiou ]y$", base):
        return [base, base[:-1] + "ies"]
    if digits and "#" in base:
        return [base.replace("#", digit, 1) for digit in _KANJI_DIGITS]
    if len(base) > 4 and base.endswith("ー") and _KATAKANA.fullmatch(base):
        base = base[:-1]  # コンピューター is found as コンピュータ, which it contains
    if "・" in base:
        return list(dict.fromkeys([base, base.replace("・", ""), base.replace("・", " ")]))
    return [base]
