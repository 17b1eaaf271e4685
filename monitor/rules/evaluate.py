"""Labelled records scored: how often the rules are right, overall, by language and for each answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from monitor.model import Document, Verdict
from monitor.rules.classify import classify
from monitor.rules.ruleset import RuleSet


@dataclass(slots=True)
class Counts:
    """True and false positives and negatives."""

    tp: int = 0
    fp: int = 0
    fn: int = 0
    tn: int = 0

    def add(self, wanted: bool, given: bool) -> None:
        if wanted and given:
            self.tp += 1
        elif given:
            self.fp += 1
        elif wanted:
            self.fn += 1
        else:
            self.tn += 1

    @property
    def total(self) -> int:
        return self.tp + self.fp + self.fn + self.tn

    @property
    def precision(self) -> float:
        return self.tp / (self.tp + self.fp) if self.tp + self.fp else 1.0

    @property
    def recall(self) -> float:
        return self.tp / (self.tp + self.fn) if self.tp + self.fn else 1.0

    @property
    def f1(self) -> float:
        both = 2 * self.tp + self.fp + self.fn
        return 2 * self.tp / both if both else 1.0

    def as_dict(self) -> dict[str, float]:
        return {
            "tp": self.tp, "fp": self.fp, "fn": self.fn, "tn": self.tn, "precision": round(self.precision, 4),
            "recall": round(self.recall, 4), "f1": round(self.f1, 4),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wrong:
    """One record the rules decided otherwise, with their reason."""

    id: str
    kind: str  # missed | false alarm
    title: str
    why: str
    score: float
    near_miss: bool


@dataclass(slots=True)
class Report:
    """The scores of one set of records. Borderline records are counted apart and nowhere else."""

    records: int = 0
    overall: Counts = field(default_factory=Counts)
    by_lang: dict[str, Counts] = field(default_factory=dict)
    borderline: Counts = field(default_factory=Counts)
    topics: Counts = field(default_factory=Counts)  # over labelled matches, whether found or not
    topics_all: Counts = field(default_factory=Counts)  # over all records with topics
    corridor_right: int = 0  # of matches found
    corridor_total: int = 0
    event_right: int = 0  # of labelled matches
    event_total: int = 0
    wrong: list[Wrong] = field(default_factory=list)

    @property
    def corridor_accuracy(self) -> float:
        return self.corridor_right / self.corridor_total if self.corridor_total else 1.0

    @property
    def event_accuracy(self) -> float:
        return self.event_right / self.event_total if self.event_total else 1.0

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON, the wrong ones included."""
        return {
            "records": self.records,
            "overall": self.overall.as_dict(),
            "by_lang": {lang: counts.as_dict() for lang, counts in sorted(self.by_lang.items())},
            "borderline": self.borderline.as_dict(),
            "corridor_accuracy": round(self.corridor_accuracy, 4),
            "topics": self.topics.as_dict(),
            "topics_all": self.topics_all.as_dict(),
            "event_accuracy": round(self.event_accuracy, 4),
            "wrong": [
                {name: getattr(w, name) for name in ("id", "kind", "title", "why", "score", "near_miss")}
                for w in self.wrong
            ],
        }  # fmt: skip


def document_of(record: Mapping[str, Any]) -> Document:
    """A labelled record as a document; absent and null fields are empty."""
    return Document(
        text=str(record.get("text") or ""), title=str(record.get("title") or ""),
        url=str(record.get("url") or ""),
        lang=str(record.get("lang") or ""), published=str(record.get("published") or ""),
        source_id=str(record.get("source_id") or record.get("source") or ""),
    )  # fmt: skip


def evaluate(records: Iterable[Mapping[str, Any]], ruleset: RuleSet) -> Report:
    """Scores records with `match`, and where given `corridors`, `topics`, `event`, `borderline`."""
    report = Report()
    for record in records:
        count(report, record, classify(document_of(record), ruleset))
    return report


def evaluate_split(
    records: Iterable[Mapping[str, Any]], ruleset: RuleSet, held_out: Callable[[Mapping[str, Any]], bool]
) -> tuple[Report, Report]:
    """Scores of the records worked with and of those held out; the second names no record."""
    worked, unseen = Report(), Report()
    for record in records:
        report = unseen if held_out(record) else worked
        count(report, record, classify(document_of(record), ruleset))
    unseen.wrong.clear()
    return worked, unseen


def every_third(record: Mapping[str, Any]) -> bool:
    """Whether the number in the record's id is divisible by three: the customary hold-out."""
    digits = "".join(c for c in str(record.get("id", "")) if c.isdigit())
    return bool(digits) and int(digits) % 3 == 0


def count(report: Report, record: Mapping[str, Any], found: Verdict) -> None:
    """Adds one record and its verdict to a report."""
    report.records += 1
    wanted = bool(record.get("match"))
    if record.get("borderline"):
        report.borderline.add(wanted, found.match)
        return
    report.overall.add(wanted, found.match)
    lang = str(record.get("lang") or "other")
    report.by_lang.setdefault(lang, Counts()).add(wanted, found.match)
    _count_labels(report, record, found, wanted)
    if wanted != found.match:
        kind = "missed" if wanted else "false alarm"
        title = str(record.get("title") or record.get("text") or "")[:80]
        report.wrong.append(
            Wrong(str(record.get("id", "")), kind, title, found.why, found.score, found.near_miss)
        )


def _count_labels(report: Report, record: Mapping[str, Any], found: Verdict, wanted: bool) -> None:
    if "topics" in record:
        for topic in {*record["topics"], *found.topics}:
            report.topics_all.add(topic in record["topics"], topic in found.topics)
            if wanted:
                report.topics.add(topic in record["topics"], topic in found.topics)
    if wanted and record.get("event"):
        report.event_total += 1
        report.event_right += record["event"] == found.event
    if wanted and found.match and "corridors" in record:
        report.corridor_total += 1
        report.corridor_right += set(record["corridors"]) == set(found.corridors)


def format_report(report: Report, title: str = "") -> str:
    """The scores as a short table for a terminal, the wrong ones below with their reasons.

    A share of nothing is a dash.
    """
    rows = [("all", report.overall), *sorted(report.by_lang.items()), ("borderline", report.borderline)]
    lines = [title or f"{report.records} records"]
    if report.records:
        heads = ("precision", "recall", "F1", "found", "false", "missed", "left")
        lines.append(f"{'':10}" + "".join(f"{head:>10}" for head in heads))
    lines += [_format_counts(name, counts) for name, counts in rows if counts.total]
    lines += _format_labels(report)
    lines += [f"  {w.kind:11} {w.id}  {w.title}  ({w.score:g}) {w.why}" for w in report.wrong]
    return "\n".join(lines)


def _format_counts(name: str, c: Counts) -> str:
    shares = (
        _share(c.precision, c.tp + c.fp), _share(c.recall, c.tp + c.fn), _share(c.f1, c.tp + c.fp + c.fn)
    )  # fmt: skip
    return f"{name:10}" + "".join(f"{each:>10}" for each in (*shares, c.tp, c.fp, c.fn, c.tn))


def _share(value: float, of: int) -> str:
    return f"{value:.3f}" if of else "-"


def _format_labels(report: Report) -> list[str]:
    """What was said of the matches, where the records tell what is right."""
    told = (
        ("corridor right", report.corridor_accuracy, report.corridor_total),
        ("topics F1", report.topics.f1, report.topics.total),
        ("event right", report.event_accuracy, report.event_total),
    )
    known = [f"{name} {value:.3f}" for name, value, of in told if of]
    return [f"of the matches: {', '.join(known)}"] if known else []
