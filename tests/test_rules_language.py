"""The expression language: what it finds, and how it says what it cannot read."""

from __future__ import annotations

import pytest

from monitor.rules.language import LanguageError, parse_expression
from tests.rules_kit import found

TEXT = (
    "Chips from Japan. Britain and Japan sign a pact on chips in London. Tokyo waits.\nA new line on wafers."
)
CONCEPTS = """
chip: {about: a, terms: "chip; wafer"}
act: {about: a, terms: "sign; pact"}
jp: {about: a, kind: place, home: jp, terms: "Japan; Tokyo"}
uk: {about: a, kind: place, home: uk, terms: "Britain; London"}
"""


@pytest.mark.parametrize(
    ("when", "quotes"),
    [
        ("@uk", ["Britain", "London"]),
        ("@uk AND @chip", ["Chips", "Britain", "chips", "London", "wafers"]),
        ("@uk AND steel", []),
        ("steel OR pact", ["pact"]),
        ("pact AND NOT steel", ["pact"]),
        ("pact AND NOT Tokyo", []),
        ('"pact on chips"', ["pact on chips"]),
        ("waf*", ["wafers"]),
        ("@uk NEAR/s @jp", ["Britain and Japan", "Japan sign a pact on chips in London"]),
        ("Tokyo NEAR/s @uk", []),
        ("Tokyo NEAR/2s London", ["London. Tokyo"]),
        ("wafers NEAR/p Tokyo", []),
        ("Tokyo NEAR/p London", ["London. Tokyo"]),
        ("Britain NEAR/1 Japan", ["Britain and Japan"]),
        ("Britain NEAR/0 Japan", []),
        ("Japan THEN/9 London", ["Japan sign a pact on chips in London"]),
        ("London THEN/9 Japan", []),
        ("ATLEAST/2(chip)", ["Chips", "chips"]),
        ("ATLEAST/3(chip)", []),
        ("(@uk NEAR/s @jp) NEAR/s @act", ["Britain and Japan sign", "Japan sign a pact on chips in London"]),
        ("body:wafers", ["wafers"]),
        ("title:wafers", []),
    ],
)
def test_an_expression_finds_its_places(when: str, quotes: list[str]) -> None:
    assert found(when, TEXT, "Deal on chips", concepts=CONCEPTS)[-len(quotes) or 99 :] == quotes


def test_fields_choose_where_to_look() -> None:
    text = "Opening sentence on quantum work in two labs. Second sentence, of some length, follows. " * 2
    body = text + "x " * 900 + "wafer"
    assert found("title:fusion", body, "On fusion") == ["fusion"]
    assert found("lead:quantum", body, "On fusion")
    assert found("lead:wafer OR top:wafer", body, "On fusion") == []
    assert found("body:wafer", body, "On fusion") == ["wafer"]


def test_one_name_with_two_homes_is_not_two_actors() -> None:
    concepts = """
q: {about: a, kind: organisation, names: "Quantinuum @uk,jp = Quantinuum"}
uk: {about: a, homes: [uk]}
jp: {about: a, homes: [jp]}
"""
    assert found("@uk NEAR/s @jp", "Quantinuum opens an office.", concepts=concepts) == []
    assert found("@uk NEAR/s @jp", "Quantinuum opens an office, says Quantinuum.", concepts=concepts)


@pytest.mark.parametrize(
    ("source", "column", "words"),
    [
        ("chip wafer", 6, "without an operator"),
        ("chip and wafer", 6, "capitals"),
        ("chip NEAR wafer", 6, "NEAR/5"),
        ("(chip OR wafer", 14, "bracket"),
        ("chip AND", 8, "missing"),
        ("chip OR )", 9, "not expected"),
        ('"chip', 1, "quotation mark"),
        ("@Chip", 1, "lower-case"),
        ("headline:chip", 9, "title:"),
        ("", 1, "empty"),
        ("(" * 60 + "a" + ")" * 60, 41, "deep"),
        ("a OR " * 5000 + "a", 1, "characters"),
    ],
)
def test_a_mistake_is_shown_with_its_column(source: str, column: int, words: str) -> None:
    with pytest.raises(LanguageError) as caught:
        parse_expression(source)
    assert caught.value.column == column
    assert words in f"{caught.value} {caught.value.hint}"
