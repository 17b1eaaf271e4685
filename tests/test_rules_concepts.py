"""Concepts: forms with flags, names with homes, includes, masks, and what is wrong with a file."""

from __future__ import annotations

import pickle

import pytest

from monitor import rules
from monitor.errors import ConfigError
from monitor.model import Document
from monitor.rules.language import Text
from tests.rules_kit import built, found


@pytest.mark.parametrize(
    ("form", "text", "hits"),
    [
        ("chip", "Chips, chip's and CHIP; chipmaker", ["Chips", "chip", "CHIP"]),
        ("METI", "METI met meti", ["METI"]),
        ("METI {nocase}", "meti", ["meti"]),
        ("Arm {case}", "Arm and arm", ["Arm"]),
        ("technology", "technologies", ["technologies"]),
        ("semicon*", "semiconductors, semicolon", ["semiconductors"]),
        ("AI", "AI半導体とAIR, SAID", ["AI"]),
        ("tron {sub}", "electronics", ["tron"]),
        ("memorandum of co-operation", "Memorandum of Co operation", ["Memorandum of Co operation"]),
        ("UK-Japan", "UK–Japan, UK/Japan, UK Japan", ["UK–Japan", "UK/Japan", "UK Japan"]),
        (
            "ウエスタン・デジタル",
            "ウエスタンデジタルとウエスタン・デジタル",
            ["ウエスタンデジタル", "ウエスタン・デジタル"],
        ),
        ("コンピューター", "コンピュータとコンピューター", ["コンピュータ", "コンピュータ"]),
        ("アーム {edge}", "チャームとアームは", ["アーム"]),
        ("英 {prefix}", "英アームと石英ガラス、英語", ["英"]),
        ("café", "CAFE\u0301", ["CAFE\u0301"]),
    ],
)
def test_a_form_is_found_as_its_flags_say(form: str, text: str, hits: list[str]) -> None:
    assert found("@term", text, concepts=f"term:\n  about: a\n  terms: |\n    {form}\n") == hits


def test_a_mask_hides_only_its_own_concept() -> None:
    concepts = """
pair: {about: a, terms: 日英, masks: "#日英; 駐日英"}
uk: {about: a, terms: 英国}
"""
    assert found("@pair", "28日英国の首相", concepts=concepts) == []
    assert found("@uk", "28日英国の首相", concepts=concepts) == ["英国"]
    assert found("@pair", "日英両政府は28日", concepts=concepts) == ["日英"]


def test_a_weak_form_counts_beside_a_strong_one() -> None:
    concepts = "term: {about: a, terms: 'semiconductor; chip {weak}'}"
    assert found("@term", "A chip off the block", concepts=concepts) == []
    assert found("@term", "A chip, that is, a semiconductor", concepts=concepts) == ["chip", "semiconductor"]


def test_the_longest_name_wins() -> None:
    concepts = """
place: {about: a, kind: place, home: us, terms: "Washington {case}"}
school: {about: a, kind: organisation, home: uk, names: "UW = University of Washington"}
"""
    assert found("@place", "University of Washington", concepts=concepts) == []
    assert found("@place", "Washington, not the University of Washington", concepts=concepts) == [
        "Washington"
    ]


@pytest.mark.parametrize("text", ["Fujitsu UK wins a contract.", "日本IBMが発表した。"])
def test_a_subsidiary_lends_no_second_home(text: str) -> None:
    concepts = """
co: {about: a, kind: organisation, names: "Fujitsu @jp = Fujitsu\\nIBM @us = IBM"}
uk: {about: a, kind: place, home: uk, terms: UK}
jp: {about: a, kind: place, home: jp, terms: 日本}
a: {about: a, homes: [jp]}
b: {about: a, homes: [uk, us]}
"""
    assert found("@a NEAR/s @b", text, concepts=concepts) == []


def test_includes_reach_through_and_circles_do_no_harm() -> None:
    concepts = "a: {about: a, include: [b]}\nb: {about: a, include: [c, a]}\nc: {about: a, terms: fab}"
    assert found("@a", "A fab", concepts=concepts) == ["fab"]


def test_names_are_reported_by_their_canonical_form() -> None:
    names = "Tokyo Electron = Tokyo Electron; TEL {weak}; 東エレク"
    concepts = f'co: {{about: a, kind: organisation, home: jp, names: "{names}"}}'
    verdict = rules.classify(Document("TEL, that is, 東エレク, spoke."), built("@co", concepts))
    assert verdict.organisations == ("Tokyo Electron",)


MISTAKES = [
    ("concepts/a.yaml", "Term: {terms: x}", "lower-case"),
    ("concepts/a.yaml", "term: {terms: x, colour: red}", "unknown key 'colour'"),
    ("concepts/a.yaml", "term: {kind: thing, terms: x}", "unknown kind"),
    ("concepts/a.yaml", "term: {terms: 'x {blue}'}", "unknown flag 'blue'"),
    ("concepts/a.yaml", "term: {terms: '···'}", "empty after normalising"),
    ("concepts/a.yaml", "term: {include: [trm]}", "unknown trm"),
    ("rules.yaml", "rules: [{id: r, why: w, corridor: uk-japan, when: '@tem'}]", "did you mean term?"),
    ("rules.yaml", "rules: [{id: r, why: w, when: '@term'}]", "no answer"),
    ("rules.yaml", "rules: [{id: r, why: w, topic: chips, when: '@term'}]", "unknown topic"),
    ("rules.yaml", "rules: [{id: r, topic: ai, when: '@term'}]", "no why"),
    ("rules.yaml", "rules: [{id: r, why: w, topic: ai, when: '@term', threshold: 9}]", "out of reach"),
    (
        "rules.yaml",
        "rules: [{id: r, why: w, topic: ai, when: '@term AND x', unless: '@term'}]",
        "required and excluded",
    ),
    ("rules.yaml", "rules: [{id: r, why: w, topic: ai, when: '@term', score: high}]", "is a number"),
    ("rules.yaml", "rules: [{id: r, why: w, topic: ai, when: '@term', wen: x}]", "unknown key"),
    (
        "rules.yaml",
        "rules: [{id: r, why: w, topic: ai, when: '@term', boosts: [{when: x}]}]",
        "name, when and weight",
    ),
    ("rules.yaml", "rules:\n  - {id: r, why: w, topic: ai, when: a b}", "without an operator"),
    ("rules.yaml", "rules: {id: r}", "rules is a list"),
    ("rules.yaml", "rule: []", "unknown key 'rule'"),
    ("rules/more.yaml", "rules: [{id: r, why: w, topic: ai, when: '@tem'}]", "did you mean term?"),
    ("rules/more.yaml", "boosts: [x]", "named lists"),
    (
        "rules/more.yaml",
        "{boosts: {against: []}, rules: [{id: r, why: w, topic: ai, when: x, boosts_from: [aginst]}]}",
        "did you mean against?",
    ),
]


@pytest.mark.parametrize(("path", "text", "words"), MISTAKES, ids=[words for _, _, words in MISTAKES])
def test_a_mistake_is_refused_with_its_place(path: str, text: str, words: str) -> None:
    files = {"concepts/b.yaml" if path != "concepts/a.yaml" else "concepts/c.yaml": "term: {terms: x}"}
    if path.startswith("concepts"):
        files = {}
    with pytest.raises(ConfigError) as caught:
        rules.build({**files, path: text})
    (problem, *_) = [p for p in caught.value.problems if words in str(p)] or [None]
    assert problem is not None, caught.value
    assert problem.path == path
    assert problem.line >= 1


def test_all_mistakes_are_reported_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        rules.build(
            {
                "concepts/a.yaml": "term: {kind: thing, terms: '· ; x {blue}'}",
                "rules.yaml": "rules: [{id: r}]",
            }
        )
    assert len(caught.value.problems) >= 5


def test_files_share_their_definitions_and_boosts_whatever_their_order() -> None:
    rule = "id: 'r-{s}', why: w, topic: ai, each: {s: [a, b]}, when: '@both', boosts_from: [bad]"
    shared = "define: {both: a AND b}\nboosts: {bad: [{name: n, when: 'x{s}', weight: -1}]}"
    ruleset = rules.build({"rules.yaml": f"rules: [{{{rule}}}]", "rules/shared.yaml": shared})
    assert [rule.boosts[0].when for rule in ruleset.rules] == [Text("xa"), Text("xb")]
    assert rules.classify(Document("a b"), ruleset).topics == ("ai",)
    assert rules.classify(Document("a b xa xb"), ruleset).topics == ()


def test_a_mistake_in_a_shared_boost_is_told_where_it_stands() -> None:
    with pytest.raises(ConfigError) as caught:
        rules.build(
            {
                "rules.yaml": "rules: [{id: r, why: w, topic: ai, when: x, boosts_from: [bad]}]",
                "rules/z.yaml": "boosts:\n  bad:\n    - {name: n, when: '@nothing', weight: 1}\n",
            }
        )
    assert [(p.path, p.line) for p in caught.value.problems] == [("rules/z.yaml", 3)]


def test_a_name_defined_in_two_files_is_refused() -> None:
    with pytest.raises(ConfigError, match="defined already"):
        rules.build({"rules.yaml": "define: {a: x}", "rules/z.yaml": "define: {a: y}"})


def test_a_mistake_inside_a_block_names_its_line() -> None:
    with pytest.raises(ConfigError) as caught:
        rules.build({"concepts/a.yaml": "term:\n  about: a\n  terms: |\n    one\n    two {blue}\n"})
    assert caught.value.problems[0].line == 5


def test_a_rule_set_travels_to_another_process() -> None:
    ruleset = built("chip")
    again = pickle.loads(pickle.dumps(ruleset))
    assert again.version == ruleset.version
    assert rules.classify(Document("A chip."), again) == rules.classify(Document("A chip."), ruleset)


def test_the_version_changes_with_any_file() -> None:
    assert built("chip").version != built("chips").version
