"""YAML is read as people mean it, with a place for everything, and tricks are refused."""

from __future__ import annotations

from typing import Any

import pytest

from monitor import yamltext
from monitor.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("", None),
        ("# only a comment\n", None),
        ("[NO, on, yes, off, Norway]", ["NO", "on", "yes", "off", "Norway"]),
        ("[08:00, 2026-01-01, 1.2.3]", ["08:00", "2026-01-01", "1.2.3"]),
        ("[1, 1.5, 0x1F, true, ~, null, -]", [1, 1.5, 31, True, None, None, "-"]),
        ("['5', \"true\", '~']", ["5", "true", "~"]),
        ("a: |\n  x\n  y\n", {"a": "x\ny\n"}),
        ("a:\nb: []\nc: {}", {"a": None, "b": [], "c": {}}),
        ("半導体: [日英, ＴＳＭＣ]", {"半導体": ["日英", "ＴＳＭＣ"]}),
        ("\ufeffa: b", {"a": "b"}),
    ],
)
def test_words_stay_words(text: str, data: Any) -> None:
    assert yamltext.parse("f.yaml", text).data == data


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2", "f.yaml:2:1: key 'a' stands twice; keep one of them; the other is in line 1"),
        ("a: &x 1", "f.yaml:1:4: anchor &x; remove it: anchors and aliases are not read"),
        ("- a\n- *x", "f.yaml:2:3: alias *x; write the value out"),
        ("b:\n  <<: 1", "f.yaml:2:3: merge key <<; write the keys out: anchors and aliases are not read"),
        ("a: !!python/name:os.system x", "f.yaml:1:4: tag "),
        ("a: b: c", "f.yaml:1:5: not valid YAML: mapping values are not allowed here; a value with"),
        ("a: @x", "f.yaml:1:4: not valid YAML: found character '@' that cannot start any token; put the"),
        ("a:\n\tb: c", "f.yaml:2:1: not valid YAML: found character '\\t' that cannot start any token; ind"),
        ("ok: 1\nb: \x07x", "f.yaml:2:4: character U+0007 is not allowed in YAML; remove it"),
        ("a: 1\n---\nb: 1", "f.yaml:2:1: a second document begins"),
        ("%YAML 1.1\n---\na: NO", "f.yaml:1:1: a line begins with %; directives are not read"),
        ("[" * 2000, "f.yaml:1:52: not valid YAML: nested deeper than 50 levels"),
        ("? [a]\n: b", "f.yaml:1:3: a key that is a list or mapping; keys are words"),
        ("a: " + "9" * 5000, "f.yaml:1:4: a number that is too long; put it in quotes if it is text"),
        ("a" * 5_000_001, "f.yaml: the file is larger than 5,000,000 characters"),
    ],
)
def test_mistakes_and_tricks_are_refused_with_their_place(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        yamltext.parse("f.yaml", text)
    assert str(caught.value).startswith(message)


def test_every_repeated_key_is_named_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        yamltext.parse("f.yaml", "a: 1\na: {x: [1]}\nb: 1\nb: 2\n")
    assert [problem.line for problem in caught.value.problems] == [2, 4]


def test_places_are_kept_for_values_keys_and_missing_things() -> None:
    parsed = yamltext.parse("f.yaml", "list:\n  - id: one\n    url: x\n  - id: two\n")
    assert parsed.place(("list", 1, "id")) == (4, 9)
    assert parsed.place(("list", 0, "url")) == (3, 10)
    assert parsed.place(("list", 1, "url")) == (4, 5)  # missing: the entry that should have it
    assert parsed.key_problem(("list", 0, "url"), "m").column == 5
