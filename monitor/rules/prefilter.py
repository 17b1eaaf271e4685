"""Whether any corridor rule's gate could hold on a text, asked before the text is cut out of its page.

Derived from the compiled rules alone, and only ever too generous: a page that is turned away could not
have matched or nearly matched, whatever its extractor had kept. So each word of a phrase is asked for by
itself (a phrase may be put together from two blocks), order, distance, masks and fields are ignored, and
what has no positive literal holds always.

A Latin word must stand whole, as the matcher asks; where elements join (see extract.skim.JOINT), every
way of putting the pieces together counts. Japanese is looked for with all white space taken out.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from ahocorasick_rs import AhoCorasick, Implementation, MatchKind

from monitor.rules.concepts import Entity
from monitor.rules.forms import FREE, OPEN, PLURAL, STRENGTHS, Form, haystack
from monitor.rules.language import AllOf, AnyOf, AtLeast, Field, Name, Near, Node, Text
from monitor.rules.matcher import _WORD
from monitor.rules.normalise import fold
from monitor.rules.query import REGIONS
from monitor.rules.ruleset import RuleSet

_LETTERS = "".join(re.escape(chr(n)) for n in range(0x2100) if set(chr(n).lower()) <= _WORD)
_TOKEN = re.compile(f"[{_LETTERS}]+")
_RUN = re.compile(f"(?P<word>[{_LETTERS}]+)|[^\\W_]")
_EAST = re.compile("[\u3005-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff]")
# U.S. is read as US, also where an element begins or ends between its letters.
_DOTTED = re.compile(r"U[\s^]*\.[\s^]*([SK])(?:[\s^]*\.[\s^]*(A))?")
_ODD_DOTS = re.compile(
    "[\u1d2c-\u1d41\u2024\u212a\u24b6-\u24cf\ufe52\uff0e\uff21-\uff3a\U0001d400-\U0001d7ff\U0001f110-\U0001f149]"
)  # what folds to one of those characters
MOST_JOINED = 200_000  # words put together on one page; beyond that the page is read in full

Atom = tuple[str, str]  # how to look (word, cased, plural, start, part) and for what
Gate = Callable[[int], bool]  # of the bits of the leaves that hold


@dataclass(slots=True)
class Prefilter:
    """Compiled from a rule set by `derive`."""

    gates: tuple[Gate, ...]
    words: dict[str, list[Atom]] = field(default_factory=dict)  # in lower case
    cased: dict[str, list[Atom]] = field(default_factory=dict)
    starts: _Parts | None = None
    parts: _Parts | None = None
    eastern: _Parts | None = None
    by_key: dict[Atom, list[tuple[frozenset[Atom], int]]] = field(default_factory=dict)
    longest: int = 1  # characters of the longest word

    def may_match(self, text: str, joint: str = "^") -> bool:
        """Whether a rule's gate may hold on what can be read out of `text`."""
        found = self._found(text, joint)
        return found is None or self._allows(self._leaves(found))

    def _allows(self, leaves: int) -> bool:
        return any(gate(leaves) for gate in self.gates)

    def _leaves(self, found: set[Atom]) -> int:
        leaves = 0
        for atom in found:
            for needed, bits in self.by_key.get(atom, ()):
                if bits & ~leaves and needed <= found:
                    leaves |= bits
        return leaves

    def _found(self, text: str, joint: str) -> set[Atom] | None:
        """The atoms that may stand in the text; None when there are too many ways to read it."""
        words = set(text.split())  # most words of a page stand there many times
        if is_odd := not text.isascii() and bool(_odd().search("\n".join(words))):
            words = _folded(words)
        joined = _joined([word for word in words if joint in word], joint, self.longest)
        if joined is None:
            return None
        once = "\n".join(words)
        tokens = joined.union(_TOKEN.findall(once), _abbreviations(text, is_odd))
        lower = set("\n".join(tokens).lower().split("\n"))
        found = {atom for word in self.words.keys() & lower for atom in self.words[word]}
        found.update(atom for word in self.cased.keys() & tokens for atom in self.cased[word])
        if self.starts:
            found.update(self.starts.within("\n" + "\n".join(lower)))
        if self.parts:
            found.update(self.parts.within(once.replace(joint, "").lower()))
        if self.eastern and not once.isascii() and _EAST.search(once):
            found.update(self.eastern.within(_unspaced(text.replace(joint, ""), is_odd).lower()))
        return found


class _Parts:
    """Strings looked for anywhere, and the atom each stands for."""

    def __init__(self, atoms: dict[str, Atom]) -> None:
        self.atoms = list(atoms.values())
        self.automaton = AhoCorasick(
            list(atoms), matchkind=MatchKind.Standard, implementation=Implementation.ContiguousNFA
        )

    def within(self, text: str) -> Iterator[Atom]:
        try:
            hits = self.automaton.find_matches_as_indexes(text, overlapping=True)
        except UnicodeEncodeError:  # half a character pair
            clean = text.encode("utf-8", "replace").decode()
            hits = self.automaton.find_matches_as_indexes(clean, overlapping=True)
        return map(self.atoms.__getitem__, {hit[0] for hit in hits})


# --- reading the text --------------------------------------------------------------------------


def _folded(words: set[str]) -> set[str]:
    """The words as the matcher would read them."""
    odd = {word for word in words if not word.isascii() and _odd().search(word)}
    return (words - odd).union(fold("\n".join(odd)).text.split())


def _unspaced(text: str, is_odd: bool) -> str:
    """Folded, without any white space: Japanese may be broken anywhere."""
    pieces = text.split()
    return "".join(fold(" ".join(pieces)).text.split() if is_odd else pieces)


def _abbreviations(text: str, is_odd: bool) -> set[str]:
    """US, UK and USA where they are written with dots."""
    if is_odd and _ODD_DOTS.search(text):
        text = fold(" ".join(text.split())).text
    return {f"U{letter}{last}" for letter, last in _DOTTED.findall(text)}


@functools.cache
def _odd() -> re.Pattern[str]:
    """Characters that folding turns into letters, or takes out of a word: only with these it matters."""
    odd = [n for n in range(0x80, 0xFFFF) if _is_odd(chr(n))]
    ranges: list[list[int]] = []
    for n in odd:
        if ranges and ranges[-1][1] == n - 1:
            ranges[-1][1] = n
        else:
            ranges.append([n, n])
    listed = "".join(f"\\u{first:04x}-\\u{last:04x}" for first, last in ranges)
    return re.compile(f"[\x7f{listed}\U0001d400-\U0001d7ff\U0001f100-\U0001f2ff\U000e0000-\U000e0fff]")


def _is_odd(character: str) -> bool:
    folded = unicodedata.normalize("NFKC", character)
    kind = unicodedata.category(character)
    return (
        (folded != character and any(map(str.isalnum, folded)))
        or (folded == "." and character != ".")
        or kind in ("Cf", "Cc", "Mn")
        or character == "\u0130"
    )


def _joined(words: list[str], joint: str, longest: int) -> set[str] | None:
    """Words put together across joints, each way there is; None when there are too many."""
    found: set[str] = set()
    steps = 0
    for run in _broken(joint).findall("\n".join(words)):
        pieces = [piece for piece in run.split(joint) if piece]
        for first in range(len(pieces) - 1):
            word = pieces[first]
            for piece in pieces[first + 1 : first + longest]:
                word += piece
                steps += 1
                if len(word) > longest:
                    break
                found.add(word)
            if steps > MOST_JOINED:
                return None
    return found


@functools.cache
def _broken(joint: str) -> re.Pattern[str]:
    """Runs of letters with joints among them."""
    letters = f"[{_LETTERS}]++"
    return re.compile(f"(?<![{_LETTERS}]){letters}(?:{re.escape(joint)}++{letters})++")


# --- from rules to atoms -----------------------------------------------------------------------


def derive(ruleset: RuleSet) -> Prefilter:
    """The prefilter of a rule set: what its corridor rules' `when` cannot hold without."""
    builder = _Builder(ruleset)
    gates = tuple(builder.gate(rule.when) for rule in ruleset.by_kind["corridor"])
    return builder.finish(gates)


class _Builder:
    def __init__(self, ruleset: RuleSet) -> None:
        self.ruleset = ruleset
        self.leaves: dict[str, int] = {}  # concept → its bit
        self.gates: dict[int, Gate] = {}
        self.members: dict[int, str] = {n: name for name, n in ruleset.lexicon.concept_ids.items()}

    def gate(self, node: Node) -> Gate:
        if id(node) not in self.gates:
            self.gates[id(node)] = self._gate(node)
        return self.gates[id(node)]

    def _gate(self, node: Node) -> Gate:
        match node:
            case Name(name):
                return self._leaf(name)
            case Text(form):
                return self._leaf(self.ruleset.literals[form])
            case AllOf(parts):
                return _all([self.gate(part) for part in parts])
            case Near(left, right):
                return _all([self.gate(left), self.gate(right)])
            case AnyOf(parts):
                return _any([self.gate(part) for part in parts])
            case AtLeast(_, part):
                return self.gate(part)
            case Field(name, part) if name in REGIONS:
                return self.gate(part)
        return lambda leaves: True  # NOT, and the fields that are no text

    def _leaf(self, name: str) -> Gate:
        bit = 1 << self.leaves.setdefault(name, len(self.leaves))
        return lambda leaves: bool(leaves & bit)

    def finish(self, gates: tuple[Gate, ...]) -> Prefilter:
        needs: dict[frozenset[Atom], int] = {}
        for name, number in self.leaves.items():
            for form in self._forms(name):
                for pattern in form.patterns:
                    atoms = frozenset(_atoms(pattern, form))
                    needs[atoms] = needs.get(atoms, 0) | 1 << number
        return _compiled(gates, needs)

    def _forms(self, name: str) -> Iterator[Form]:
        """Every form that can make the concept hold."""
        members, homes = self.ruleset.reach[name]
        concepts = self.ruleset.concepts
        for member in members:
            concept = concepts[self.members[member]]
            for form, _ in concept.forms:
                # A weak word counts only beside a stronger one of its concept, which is asked for itself.
                if concept.kind != "word" or form.strength != STRENGTHS["weak"]:
                    yield form
        if homes:
            entities = self.ruleset.lexicon.entities
            fitting = {entities[n] for n in self.ruleset.entities_of(homes)}
            yield from self._named(fitting)

    def _named(self, fitting: set[Entity]) -> Iterator[Form]:
        for concept in self.ruleset.concepts.values():
            if concept.kind != "word":
                yield from (form for form, entity in concept.forms if entity in fitting)


def _all(gates: list[Gate]) -> Gate:
    return lambda leaves: all(gate(leaves) for gate in gates)


def _any(gates: list[Gate]) -> Gate:
    return lambda leaves: any(gate(leaves) for gate in gates)


def _atoms(pattern: str, form: Form) -> Iterator[Atom]:
    """What must be found for the pattern to stand in a text: its words, each by itself."""
    at = 0
    while found := _RUN.search(pattern, at):
        start, at = found.start(), found.end()
        if found["word"]:
            yield _word(found[0], pattern, start, at, form)
            continue
        while at < len(pattern) and pattern[at].isalnum() and not _TOKEN.match(pattern[at]):
            at += 1
        yield "part", pattern[start:at]


def _word(word: str, pattern: str, start: int, end: int, form: Form) -> Atom:
    last = end == len(pattern)
    if start == 0 and not form.left:
        return "part", word
    if last and form.right in (OPEN, FREE):
        return "start", word
    # A pattern of a cased form is as long as the form: no plural and no spelling is added to it.
    if form.cased and len(form.cased) == len(pattern) and haystack(form.cased) == pattern:
        return "cased" + ("s" if last and form.right == PLURAL else ""), form.cased[start:end]
    return "plural" if last and form.right == PLURAL else "word", word


def _compiled(gates: tuple[Gate, ...], needs: dict[frozenset[Atom], int]) -> Prefilter:
    made = Prefilter(gates)
    starts: dict[str, Atom] = {}
    parts: dict[str, Atom] = {}
    eastern: dict[str, Atom] = {}
    for atom in {atom for atoms in needs for atom in atoms}:
        kind, what = atom
        if kind == "start":
            starts["\n" + what] = atom
        elif kind == "part":
            (parts if what.isascii() or _TOKEN.match(what) else eastern)[what] = atom
        else:
            kept = made.cased if kind.startswith("cased") else made.words
            for word in _spellings(kind, what):
                kept.setdefault(word, []).append(atom)
                made.longest = max(made.longest, len(word))
    made.starts, made.parts, made.eastern = (_Parts(p) if p else None for p in (starts, parts, eastern))
    made.longest = max([made.longest, *(len(start) + 20 for start in starts)])
    for atoms, bits in needs.items():
        made.by_key.setdefault(max(atoms, key=_telling), []).append((atoms, bits))
    return made


def _spellings(kind: str, word: str) -> Iterable[str]:
    if kind == "word":
        return (word,)
    if kind == "plural":
        return (word, f"{word}s", f"{word}es")
    plain = {word, word.upper()}  # a line in capitals hides the case
    if kind == "cased":
        return plain
    return plain | {form + ending for form in plain for ending in ("s", "es", "S", "ES")}


def _telling(atom: Atom) -> tuple[int, str]:
    """The rarest word of a phrase is, near enough, its longest."""
    return len(atom[1]), atom[1]
