"""The scores the shipped rules must keep on labelled articles and on ordinary news."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from monitor import rules
from monitor.rules.evaluate import Report, document_of, evaluate, evaluate_split, every_third
from tests.rules_kit import shipped


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


@pytest.fixture(scope="module")
def reports(test_data: Path) -> tuple[Report, Report]:
    """Scores of the development corpus: what was worked with, and the third that was held out."""
    return evaluate_split(lines(test_data / "corpus" / "dev.jsonl"), shipped(), every_third)


# Least scores of our own sets: precision, recall, topics F1, events. The blind sets were written before the
# rules saw them; benchmarks/README.md gives their first scores beside these. From `blind8` on they come
# from real pages. What that taught cost `blind4` and `blind7` a topic each: they were held to 0.59 and 0.68.
OWN = {
    "labelled": (0.97, 0.97, 0.71, 0.74),
    "blind": (0.97, 0.97, 0.72, 0.82),
    "blind2": (0.97, 0.93, 0.66, 0.7),
    "blind3": (0.97, 0.85, 0.77, 0.71),
    "blind4": (0.88, 0.88, 0.58, 0.77),
    "blind5": (0.96, 0.96, 0.72, 0.78),
    "blind6": (0.94, 0.94, 0.71, 0.7),
    "blind7": (0.91, 0.91, 0.67, 0.66),
    "blind8": (0.96, 0.96, 0.77, 0.74),
    "blind9": (0.95, 0.96, 0.78, 0.68),
    "blind10": (0.94, 0.9, 0.82, 0.75),
    "blind11": (0.96, 0.96, 0.8, 0.56),
    "blind12": (0.96, 0.95, 0.7, 0.59),
    "blind13": (0.97, 0.97, 0.76, 0.58),
    "probes": (
        0.97,
        0.97,
        0.0,
        0.0,
    ),  # short ones, matches and their look-alikes; nothing but match is labelled
}

# A headline's Cambridge is taken for England's, although the article is about the one in Massachusetts; an
# earlier American stake is told beside the British deal.
CORRIDORS = {"blind6": 0.94, "blind12": 0.95}


def labelled(name: str) -> list[dict[str, Any]]:
    return lines(Path(__file__).parent / "data" / f"{name}.jsonl")


@pytest.mark.parametrize("name", OWN)
def test_our_own_articles_are_judged_well(name: str) -> None:
    report = evaluate(labelled(name), shipped())
    precision, recall, topics, events = OWN[name]
    assert report.overall.precision >= precision
    assert report.overall.recall >= recall
    assert report.corridor_accuracy >= CORRIDORS.get(name, 0.98)
    assert report.topics.f1 >= topics
    assert report.event_accuracy >= events


def test_our_own_labelled_articles_are_judged_well_in_both_languages() -> None:
    report = evaluate(labelled("labelled"), shipped())
    assert all(counts.f1 >= 0.95 for counts in report.by_lang.values())


def test_the_development_corpus_is_judged_well(reports: tuple[Report, Report]) -> None:
    worked, _ = reports
    assert worked.overall.precision >= 0.95
    assert worked.overall.recall >= 0.95
    assert worked.corridor_accuracy >= 0.98
    assert worked.topics.f1 >= 0.8
    assert worked.event_accuracy >= 0.79
    assert all(counts.f1 >= 0.95 for counts in worked.by_lang.values())


def test_the_held_out_third_is_judged_nearly_as_well(reports: tuple[Report, Report]) -> None:
    _, unseen = reports
    assert unseen.overall.precision >= 0.95
    assert unseen.overall.recall >= 0.92
    assert unseen.corridor_accuracy >= 0.96
    assert all(counts.f1 >= 0.91 for counts in unseen.by_lang.values())
    assert unseen.wrong == []  # never article by article


def test_ordinary_newswire_stays_silent(test_data: Path) -> None:
    records = lines(test_data / "background" / "reuters300.jsonl")
    matched = [r["title"] for r in records if rules.classify(document_of(r), shipped()).match]
    assert len(matched) <= 1, matched


def test_a_report_counts_what_it_should() -> None:
    record = {
        "id": "x-1",
        "lang": "en",
        "title": "UK and Japan sign chip memorandum",
        "text": "Britain and Japan signed a semiconductor memorandum on joint research in Tokyo.",
        "match": True,
        "corridors": ["uk-japan"],
        "topics": ["semiconductors"],
        "event": "agreement",
    }
    wrong = {**record, "id": "x-2", "match": False}
    aside = {**wrong, "id": "x-4", "borderline": True}
    held = {**record, "id": "x-3"}
    worked, unseen = evaluate_split([record, wrong, aside, held], shipped(), every_third)
    assert (worked.overall.tp, worked.overall.fp, worked.borderline.fp) == (1, 1, 1)
    assert [w.id for w in worked.wrong] == ["x-2"]
    assert (unseen.overall.tp, unseen.overall.fp) == (1, 0)
    assert worked.corridor_accuracy == worked.event_accuracy == 1.0
    assert worked.as_dict()["overall"]["precision"] == 0.5
