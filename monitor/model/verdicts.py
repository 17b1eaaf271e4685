"""What rules read, and what they say of it with every reason."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Document:
    """What rules read. `title` may be empty: then the text stands alone."""

    text: str
    title: str = ""
    url: str = ""
    lang: str = ""
    source_id: str = ""
    published: str = ""


@dataclass(frozen=True, slots=True)
class Amount:
    text: str
    currency: str  # ISO 4217
    value: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """A quoted place. Offsets are code points into the field's text as given."""

    field: str  # title | text
    start: int
    end: int
    quote: str
    rule: str


@dataclass(frozen=True, slots=True)
class Part:
    """One named addend of a score: "+4 title: Rapidus"."""

    rule: str
    label: str
    weight: float
    field: str = ""
    start: int = 0
    end: int = 0
    quote: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say of one document, with every reason."""

    match: bool
    near_miss: bool = False
    score: float = 0.0
    priority: str | None = None  # of a match; None otherwise
    corridors: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()  # ids of the rules that matched (or nearly did)
    event: str | None = None
    organisations: tuple[str, ...] = ()  # canonical names
    programmes: tuple[str, ...] = ()
    amounts: tuple[Amount, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    parts: tuple[Part, ...] = ()
    why: str = ""  # one line for people: the parts that decided, or what was missing
    rules_version: str = ""
