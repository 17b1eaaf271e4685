"""The expression language: text to a tree of frozen nodes, with errors that point at the column."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lark import (
    Lark,
    Token,
    Transformer,
    UnexpectedCharacters,
    UnexpectedEOF,
    UnexpectedInput,
    UnexpectedToken,
)
from lark.exceptions import VisitError

LONGEST = 20_000  # characters of one expression
DEEPEST = 40  # brackets inside brackets
FIELDS = ("title", "lead", "top", "body", "url", "source", "lang")


@dataclass(frozen=True, slots=True)
class Name:
    """`@concept`, or the name of a defined expression."""

    id: str


@dataclass(frozen=True, slots=True)
class Text:
    """A word or phrase written in the rule itself."""

    form: str


@dataclass(frozen=True, slots=True)
class AllOf:
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: Node


@dataclass(frozen=True, slots=True)
class Near:
    """Both within `reach`: words (a number), "s" sentence, "2s" neighbouring sentences, "p" paragraph."""

    left: Node
    right: Node
    reach: str
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class AtLeast:
    count: int
    part: Node


@dataclass(frozen=True, slots=True)
class Field:
    field: str
    part: Node


Node = Name | Text | AllOf | AnyOf | Not | Near | AtLeast | Field


class LanguageError(ValueError):
    """An expression that cannot be read. `column` counts from 1 within the expression."""

    def __init__(self, message: str, column: int = 1, hint: str = "") -> None:
        self.column, self.hint = column, hint
        super().__init__(message)


def parse_expression(text: str) -> Node:
    """The tree of one expression. Raises LanguageError with column and hint."""
    if not isinstance(text, str) or not text.strip():
        raise LanguageError("an empty expression", hint='write a @concept, a word or a "phrase"')
    if len(text) > LONGEST:
        raise LanguageError(f"an expression of {len(text):,} characters; {LONGEST:,} is the most")
    _check_depth(text)
    try:
        tree = _parser().parse(text)
    except UnexpectedEOF as error:
        raise LanguageError(
            "the expression ends too early", len(text), _hint_expected(error.expected)
        ) from error
    except UnexpectedToken as error:
        raise _unexpected(error, text) from error
    except UnexpectedCharacters as error:
        at = error.pos_in_stream or 0
        raise LanguageError(
            f"cannot read {text[at : at + 10]!r}",
            at + 1,
            _hint_characters(text, at),
        ) from error
    except VisitError as error:
        raise LanguageError(str(error.orig_exc)) from error
    except UnexpectedInput as error:  # pragma: no cover - lark's other kinds
        raise LanguageError(str(error)) from error
    return tree  # type: ignore[return-value]


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint naming the likeliest intended name, or "" when nothing is close."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"did you mean {close[0]}?" if close else ""


def _check_depth(text: str) -> None:
    depth = 0
    quoted = False
    for column, character in enumerate(text, 1):
        if character == '"':
            quoted = not quoted
        elif quoted:
            continue
        elif character == "(":
            depth += 1
            if depth > DEEPEST:
                raise LanguageError(
                    f"brackets more than {DEEPEST} deep", column, "name parts of it under define:"
                )
        elif character == ")":
            depth -= 1
    if text.count("NOT") > DEEPEST * 5:
        raise LanguageError("NOT is used too often", 1, "name parts of it under define:")


def _unexpected(error: UnexpectedToken, text: str) -> LanguageError:
    token = error.token
    column = (token.start_pos or 0) + 1
    if token.type == "$END":
        return LanguageError(
            "the expression ends too early", len(text), _hint_expected(error.accepts or error.expected)
        )
    if token.type in {"WORD", "PHRASE", "CONCEPT", "FIELD", "ATLEAST"} and "_AND" in (
        error.accepts or error.expected
    ):
        hint = 'put AND, OR or NEAR/5 before it, or quote the words as one "phrase"'
        if token.value.upper() in {"AND", "OR", "NOT"}:
            hint = f"operators are written in capitals: {token.value.upper()}"
        elif token.value.upper().startswith(("NEAR", "THEN", "ATLEAST")):
            hint = "write NEAR/5, NEAR/s, NEAR/2s, NEAR/p, THEN/5 or ATLEAST/2(…)"
        return LanguageError(f"{str(token)!r} follows without an operator", column, hint)
    return LanguageError(
        f"{str(token)!r} is not expected here", column, _hint_expected(error.accepts or error.expected)
    )


def _hint_expected(expected: Iterable[str]) -> str:
    return (
        "a closing bracket is missing"
        if "RPAR" in set(expected)
        else 'a @concept, word or "phrase" is missing'
    )


def _hint_characters(text: str, at: int) -> str:
    if text[at] == '"':
        return "the closing quotation mark is missing" if text.count('"') % 2 else "an empty phrase"
    if text[at] == "@":
        return "a concept is written @lower-case-name"
    if text[at] == ":":
        return f"fields are {', '.join(f + ':' for f in FIELDS)}"
    return ""


class _Tree(Transformer[Token, Node]):
    def concept(self, children: list[Any]) -> Node:
        return Name(children[0][1:])

    def phrase(self, children: list[Any]) -> Node:
        return Text(str(children[0])[1:-1])

    def word(self, children: list[Any]) -> Node:
        return Text(str(children[0]))

    def all_of(self, children: list[Any]) -> Node:
        return children[0] if len(children) == 1 else AllOf(tuple(children))

    def any_of(self, children: list[Any]) -> Node:
        return children[0] if len(children) == 1 else AnyOf(tuple(children))

    def not_(self, children: list[Any]) -> Node:
        return Not(children[0])

    def near(self, children: list[Any]) -> Node:
        return Near(children[0], children[2], str(children[1]).split("/")[1])

    def then(self, children: list[Any]) -> Node:
        return Near(children[0], children[2], str(children[1]).split("/")[1], ordered=True)

    def at_least(self, children: list[Any]) -> Node:
        return AtLeast(int(str(children[0]).split("/")[1]), children[1])

    def field(self, children: list[Any]) -> Node:
        return Field(str(children[0])[:-1], children[1])


@cache
def _parser() -> Lark:
    grammar = Path(__file__).with_name("grammar.lark").read_text("utf-8")
    return Lark(grammar, parser="lalr", transformer=_Tree(), maybe_placeholders=False)
