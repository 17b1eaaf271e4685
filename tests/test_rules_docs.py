"""The examples of docs/rules.md are run, and its tables name what the language has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from monitor import rules
from monitor.rules.forms import FLAGS
from monitor.rules.language import FIELDS
from monitor.rules.load import RULE_KEYS

PAGE = (Path(__file__).parent.parent / "docs" / "rules.md").read_text("utf-8")
EXAMPLES = re.findall(r"```yaml rule\n(.*?)```", PAGE, re.DOTALL)
PLACES = """
british: {about: a, kind: place, home: uk, terms: Britain}
japanese: {about: a, kind: place, home: jp, terms: Japan}
"""


@pytest.mark.parametrize("source", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_does_what_the_page_says(source: str) -> None:
    concepts = PLACES
    if source.startswith("concepts:"):
        block, source = source.split("\nrules:", 1)
        source = "rules:" + source
        concepts = "\n".join(line[2:] for line in block.split("\n")[1:])
    ruleset = rules.build({"rules.yaml": source, "concepts/page.yaml": concepts})
    assert ruleset.rules
    assert rules.check_examples(ruleset) == []


def test_the_page_has_examples() -> None:
    assert len(EXAMPLES) >= 4


@pytest.mark.parametrize("word", [*sorted(FLAGS), *(f"{name}:" for name in FIELDS), *sorted(RULE_KEYS)])
def test_every_flag_field_and_key_is_explained(word: str) -> None:
    assert f"{word}" in re.sub(r"```yaml rule.*?```", "", PAGE, flags=re.DOTALL)
