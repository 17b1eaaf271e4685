"""Words of the full-text index, English and Japanese, for SQLite's stock unicode61 tokenizer.

That tokenizer takes a run of Chinese and Japanese characters for one word, so 日英 inside a sentence
would never be found. Here every such character stands alone, and a query's run becomes a phrase.
What is in every text and in nobody's question is left out, in texts and queries alike: the commonest
English words, and a hiragana alone between other characters (の, は, を). That is a sixth of the index.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

CJK = (
    "\u3005-\u3007\u3031-\u3035\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_CJK_RUN = re.compile(f"[{CJK}]")
_DOTTED = re.compile(r"(?<![A-Za-z.])(?:[A-Za-z]\.){2,}")  # U.S., U.K.: people search for US and UK
_LETTER = "[0-9A-Za-z\u00c0-\u024f]"  # of a script that puts blanks between its words
_PARTICLE = re.compile("(?<![\u3041-\u3096])[\u3041-\u3096](?![\u3041-\u3096])")
STOP_WORDS = (
    "a an and are as at be by for from has in is its of on or that the this to was were will with".split()
)
_STOP = re.compile(f"(?<!{_LETTER})(?:{'|'.join(STOP_WORDS)})(?!{_LETTER})", re.IGNORECASE)

_GAP = r"[\W_]*"  # between two words of a phrase

MAX_QUERY_CHARS = 500
MAX_TERMS = 20


def split(text: str) -> str:
    """What is given to the tokenizer; the same text always gives the same words."""
    return _CJK_RUN.sub(r" \g<0> ", _STOP.sub(" ", _PARTICLE.sub(" ", folded(text))))


def folded(text: str) -> str:
    """NFKC, with dotted abbreviations closed up."""
    return _DOTTED.sub(lambda match: match[0].replace(".", "") + " ", unicodedata.normalize("NFKC", text))


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that must stand side by side; `column` is "" for any."""

    words: tuple[str, ...]  # as indexed
    written: tuple[str, ...]  # with those left out
    prefix: bool = False
    column: str = ""

    def fts(self) -> str:
        quoted = '"' + " ".join(self.words) + '"' + (" *" if self.prefix else "")
        return f"{self.column} : {quoted}" if self.column else quoted

    def pattern(self) -> str:
        """A regular expression that finds the phrase in NFKC text as people write it."""
        wanted = list(self.words)
        pattern = ""
        for word in self.written:
            if wanted and word == wanted[0]:
                pattern += (_GAP if pattern else "") + _spelled(wanted.pop(0))
            elif pattern and wanted:
                pattern += f"(?:{_GAP}{_spelled(word)})?"
        before = "" if _CJK_RUN.match(self.words[0]) else f"(?<!{_LETTER})"
        after = "" if self.prefix or _CJK_RUN.match(self.words[-1]) else f"(?!{_LETTER})"
        return before + pattern + after


def _spelled(word: str) -> str:
    """A word as people write it; short ones may be dotted abbreviations."""
    return r"\.?".join(map(re.escape, word)) if len(word) < 5 else re.escape(word)


@dataclass(frozen=True, slots=True)
class Query:
    """`any_of` are alternatives, each a list of phrases that must all be there; `none_of` must not."""

    any_of: tuple[tuple[Phrase, ...], ...]
    none_of: tuple[Phrase, ...] = ()

    def fts(self) -> str:
        """As FTS5 understands it; "" when there is nothing to look for."""
        alternatives = [" AND ".join(phrase.fts() for phrase in group) for group in self.any_of]
        wanted = " OR ".join(f"({alternative})" for alternative in alternatives)
        return f"({wanted})" + "".join(f" NOT {phrase.fts()}" for phrase in self.none_of) if wanted else ""

    @property
    def phrases(self) -> tuple[Phrase, ...]:
        return tuple(phrase for group in self.any_of for phrase in group)


_TERM = re.compile(r'(-?)(?:(title|text):)?(?:"([^"]*)"?|(\S+))', re.IGNORECASE)
_QUOTES = str.maketrans("“”„«»「」『』", '"' * 9)


def parse(text: str) -> Query:
    """Reads what a person typed; never fails.

    Words must all occur, "quoted words" side by side; `OR` between alternatives, `-word` for what must
    not occur, `word*` for a beginning, `title:` for headlines only.
    """
    text = unicodedata.normalize("NFKC", text[:MAX_QUERY_CHARS].translate(_QUOTES))
    groups: list[list[Phrase]] = [[]]
    excluded: list[Phrase] = []
    for minus, column, quoted, bare in list(_TERM.findall(text))[:MAX_TERMS]:
        if bare == "OR" and not minus and not column:
            groups.append([])
            continue
        words = tuple(_words(split(quoted or bare)))
        if words:
            phrase = Phrase(words, _written(quoted or bare), bare.endswith("*"), column.lower())
            (excluded if minus else groups[-1]).append(phrase)
    wanted = tuple(tuple(group) for group in groups if group)
    return Query(wanted, tuple(excluded) if wanted else ())


def _written(text: str) -> tuple[str, ...]:
    return tuple(_words(_CJK_RUN.sub(r" \g<0> ", folded(text))))


def _words(text: str) -> Iterable[str]:
    """The tokens unicode61 will see: letters, digits and private-use characters."""
    word = ""
    for character in text:
        category = unicodedata.category(character)
        if category[0] in "LN" or category == "Co" or (category[0] == "M" and word):
            word += character
        elif word:
            yield word
            word = ""
    if word:
        yield word
