"""The shipped lists of places, organisations, people and programmes: well formed, and telling homes apart."""

from __future__ import annotations

import time
import unicodedata
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

from monitor.model import Document
from monitor.rules import RuleSet, build
from monitor.rules.concepts import Concept, read_concepts
from monitor.rules.reading import read
from monitor.yamltext import parse

CONCEPTS = Path(__file__).parents[1] / "config" / "concepts"
NAMED = ("places-", "pairs", "people-", "programmes", "third-", "japan-", "uk-", "us-")
FILES = sorted(path for path in CONCEPTS.glob("*.yaml") if path.name.startswith(NAMED))
RELIED_ON = (
    "japan-place", "uk-place", "us-place", "third-place",
    "japan-organisation", "uk-organisation", "us-organisation", "third-organisation",
    "japan-person", "uk-person", "us-person",
    "uk-japan-programme", "us-japan-programme", "both-programme",
    "uk-japan-pair", "us-japan-pair", "third-pair",
)  # fmt: skip


@cache
def concepts() -> dict[str, Concept]:
    found, problems = read_concepts({path.name: path.read_text() for path in FILES})
    assert not problems
    return found


@cache
def gazetteer() -> RuleSet:
    return build({f"config/concepts/{path.name}": path.read_text() for path in FILES})


def homes(text: str) -> set[str]:
    """The homes of the names that count in a text; a programme has a corridor instead."""
    entities = [gazetteer().lexicon.entities[hit[2]] for hit in read(Document(text), gazetteer()).names]
    return {home for entity in entities if entity.kind != "programme" for home in entity.homes}


def pairs(text: str) -> set[str]:
    found = read(Document(text), gazetteer()).hits
    return {
        name
        for name in RELIED_ON
        if name.endswith("-pair") and gazetteer().lexicon.concept_ids[name] in found
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_stays_short_and_is_read_quickly(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) < 500
    start = time.process_time()
    assert parse(path.name, text).data
    assert time.process_time() - start < 20  # 0.1 on a quiet machine


def test_what_the_rules_rely_on_is_there_and_every_include_exists() -> None:
    assert set(RELIED_ON) <= set(concepts())
    missing = {
        (name, other) for name, c in concepts().items() for other in c.include if other not in concepts()
    }
    assert not missing
    assert all(concept.about for concept in concepts().values())


def test_forms_are_written_as_the_text_will_be_and_say_something() -> None:
    for concept in concepts().values():
        for form, _ in concept.forms:
            assert unicodedata.normalize("NFKC", form.written) == form.written
            alone = len(form.written) == 1
            assert not (alone and (form.written.isascii() or "ぁ" <= form.written <= "ヺ")), form.written


def test_a_name_has_one_home() -> None:
    owners: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for concept in concepts().values():
        if concept.kind in {"place", "organisation", "person"}:
            for form, entity in concept.forms:
                owners[form.written if form.cased else form.written.lower()].add(entity.homes)
    assert not {written: homes for written, homes in owners.items() if len(homes) > 1}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("IBM and Rapidus will open a laboratory.", {"us", "jp"}),
        ("Tokamak Energy orders magnets from Furukawa Electric.", {"uk", "jp"}),
        ("東エレクと米マイクロンが共同開発", {"us", "jp"}),
        ("京都フュージョニアリングと英国原子力公社が契約", {"uk", "jp"}),
        ("テンストレントとLSTCが設計で提携", {"us", "jp"}),
        ("The University of Washington signed with Tohoku University.", {"us", "jp"}),
        ("The University of Cambridge and Hitachi", {"uk", "jp"}),
        ("A start-up in Cambridge, Massachusetts", {"us"}),
        ("ラピダスと仏の研究所、蘭ASMLの装置", {"jp", "nl"}),
        ("Keir Starmer met Sanae Takaichi", {"uk", "jp"}),
        ("ラトニック商務長官と赤沢経産相", {"us", "jp"}),
        ("TSMC and Sony in Kumamoto", {"tw", "jp"}),
        ("駐日英国大使館で会合", {"uk"}),
        ("経産省は米商務省と協議した", {"us", "jp"}),
        ("NIST, DARPA and NEDO", {"us", "jp"}),
        ("Innovate UKと産総研", {"uk", "jp"}),
    ],
)
def test_an_actor_has_its_home(text: str, expected: set[str]) -> None:
    assert homes(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "She was reading a book near the bath while the shell of an egg broke on her arm.",
        "The oracle spoke of apple trees, an amazon and the target of a sharp canon.",
        "新米と備蓄米の価格、玄米パンと石英ガラス、英語の教材、英雄の物語",
        "彼の息子の英樹さんは和英辞典を買った。お米は5キロ",
        "ロボットアームとアームチェア、モデルのメタルとメタン",
        "日高市議会と東大寺",
        "TEL: 03-0000-0000 (12:30 JST)",
        "JOIN US, CONTACT US, ABOUT US",
        "the space one needs, a global brain, per capita income and core power",
        "The journal New South Wales coalition, New Britain islanders",
        "新型モデルはアーム部分が長い。ディスコで踊る。",
    ],
)
def test_everyday_words_have_no_home(text: str) -> None:
    assert not homes(text) & {"uk", "us", "jp"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("日英両政府は18日、半導体で協力する", {"uk-japan-pair"}),
        ("US–Japan talks on chips", {"us-japan-pair"}),
        ("Japan-U.K. digital council", {"uk-japan-pair"}),
        ("the United States and Japan", {"us-japan-pair"}),
        ("日米韓の3カ国", {"us-japan-pair"}),
        ("日英伊の共同開発", {"uk-japan-pair"}),
        ("28日英国のスターマー首相は", set()),
        ("同日米政府は、駐日米国大使と在日米軍", set()),
        ("訪英日程と訪米日程を調整し、日英翻訳を頼む", set()),
        ("日米通算200勝、日米野球", set()),
        ("UK-US technology deal", {"third-pair"}),
        ("日台の半導体協力", {"third-pair"}),
        ("10日中に決める。今日中と近日中", set()),
    ],
)
def test_a_pair_is_a_pair_and_no_date(text: str, expected: set[str]) -> None:
    assert pairs(text) == expected


def test_the_gazetteer_is_broad() -> None:
    """Company-only stories are found by the lists or not at all; a list must not shrink unnoticed."""
    by_home: dict[str, set[str]] = defaultdict(set)
    for concept in concepts().values():
        if concept.kind in {"organisation", "person"}:
            for form, entity in concept.forms:
                for home in entity.homes:
                    by_home[home].add(form.written)
    assert len(by_home["jp"]) > 1500
    assert len(by_home["us"]) > 1800
    assert len(by_home["uk"]) > 1100
