"""Which articles are one story: our own pairs, the vetoes, and what near-copies survive."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from monitor import rules
from monitor.model import Amount, Article, Document, Fingerprint, StoryMember, Verdict
from monitor.settings import read_rule_files
from monitor.stories import cluster, decide, fingerprint, score_clusters
from monitor.stories.decide import Comparison, Rarity, compare, veto
from monitor.stories.simhash import bands, distance, shingles, simhash

HERE = Path(__file__).parent
NOW = datetime(2026, 11, 24, tzinfo=UTC)


@cache
def ruleset() -> rules.RuleSet:
    return rules.build(read_rule_files(HERE.parent / "config"))


def placed(path: Path) -> tuple[list[dict[str, str]], list[int]]:
    records = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    read = []
    for record in records:
        verdict = rules.classify(Document(record["text"], record["title"], lang=record["lang"]), ruleset())
        published = record["published"]
        article = Article(
            0,
            record.get("source_url", ""),
            record["title"],
            record["text"],
            record["lang"],
            published_at=datetime.fromisoformat(published).replace(tzinfo=UTC) if published else None,
        )
        read.append((article, verdict))
    return records, [each.cluster for each in cluster(read)]


def test_our_confusable_pairs_stay_apart_and_rewordings_come_together() -> None:
    records, clusters = placed(HERE / "data" / "stories.jsonl")
    score = score_clusters([record["story"] for record in records], clusters)
    assert score["precision"] >= 0.98
    assert score["recall"] >= 0.98


def test_most_pairs_of_the_development_corpus_are_joined(test_data: Path) -> None:
    records, clusters = placed(test_data / "corpus" / "dev.jsonl")
    score = score_clusters([record.get("story") for record in records], clusters)
    assert score["recall"] >= 0.7
    assert score["precision"] >= 0.98


def mark(**details: object) -> Fingerprint:
    return Fingerprint(text_sha256="", simhash=0, bands=(), **details)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("a", "b", "reason"),
    [
        (mark(corridors=("uk-japan",)), mark(corridors=("us-japan",)), "other corridor"),
        (mark(countries=("jp", "eu")), mark(countries=("jp", "ca")), "other countries"),
        (mark(ordinals=("2 plant",)), mark(ordinals=("3 plant",)), "other of several"),
        (
            mark(amounts=(Amount("£4m", "GBP", 4e6),)),
            mark(amounts=(Amount("£9m", "GBP", 9e6),)),
            "other amount",
        ),
        (mark(event_dates=("--03-01",)), mark(event_dates=("--05-20",)), "other date"),
        (
            mark(title_names=("oxford",), names=("oxford", "sendai")),
            mark(title_names=("cambridge",), names=("cambridge", "sendai")),
            "other names",
        ),
    ],
    ids=["corridor", "country pair", "plant number", "amount", "event date", "names"],
)
def test_a_veto_says_what_differs(a: Fingerprint, b: Fingerprint, reason: str) -> None:
    assert veto(a, b).startswith(reason)
    assert veto(b, a).startswith(reason)
    assert veto(a, a) == ""


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (
            mark(amounts=(Amount("£3.99m", "GBP", 3.99e6),)),
            mark(amounts=(Amount("£4 million", "GBP", 4e6),)),
        ),
        (mark(event_dates=("--12-31",)), mark(event_dates=("--01-01",))),
        (mark(corridors=("uk-japan", "us-japan")), mark(corridors=("us-japan",))),
    ],
    ids=["a rounded amount", "either side of new year", "a shared corridor"],
)
def test_what_only_looks_different_is_no_veto(a: Fingerprint, b: Fingerprint) -> None:
    assert veto(a, b) == ""


LONG = (
    "The two governments agreed on Monday to fund research on chip packaging in Kyoto and Leeds. "
    + " ".join(
        f"Group {n} studies material number {n * 7 % 97} with method {n * 13 % 89}." for n in range(40)
    )
)
VERDICT = Verdict(match=True, corridors=("uk-japan",))


def member(article: Article, days: int = 0) -> StoryMember:
    return StoryMember(
        7, 3, article.title, article.url, NOW - timedelta(days=days), fingerprint(article, VERDICT)
    )


def placing(article: Article, *others: StoryMember) -> tuple[int | None, str]:
    join = decide(
        canonical_url=article.url,
        published_at=NOW,
        fingerprint=fingerprint(article, VERDICT),
        candidates=others,
    )
    return join.story_id, join.reason


def test_the_same_address_and_the_same_text_join_whatever_their_age() -> None:
    old = Article(1, "https://a.example/x", "Title", LONG)
    assert placing(Article(2, old.url, "Other", "Other words."), member(old, 300)) == (3, "same address")
    assert placing(Article(2, "https://b.example/y", "Other", LONG), member(old, 300)) == (3, "same text")


def test_a_lightly_edited_copy_joins() -> None:
    old = Article(1, "https://a.example/x", "Title", LONG + "Officials will meet again in June.")
    copy = Article(2, "https://b.example/y", "Heading", LONG + "Reporting by our desk.")
    story, reason = placing(copy, member(old))
    assert story == 3
    assert reason.startswith("nearly the same text")


def test_one_company_in_common_joins_nothing_and_nobody_counts_twice() -> None:
    def told(**details: object) -> Comparison:
        a = mark(organisations=("JST", "Rapidus"), names=("rapidus", "ラピダス"), lang="ja", **details)
        b = mark(organisations=("Rapidus", "Tenstorrent"), names=("rapidus",), lang="en", **details)
        return compare(a, b, Rarity([a, b]), 0.5)

    assert told().score == 0.0
    assert told(programmes=("US-JOINT",)).score > 0.5
    a = mark(organisations=("JST", "UKRI"), names=("jst", "ukri", "yamada"), lang="en")
    assert compare(a, a, Rarity([a]), 0.5).reason == "shares JST, UKRI, yamada"


def test_a_reason_names_each_thing_once_however_often_it_is_shared() -> None:
    """A body may be a programme of its own name, and be written in capitals or not."""
    a = mark(programmes=("JST", "Global Accord"), organisations=("JST", "jst", "UKRI"), lang="en")
    assert compare(a, a, Rarity([a]), 0.5).reason == "shares JST, UKRI, Global Accord"


def test_a_first_article_starts_a_story_and_says_so() -> None:
    assert placing(Article(1, "https://a.example/x", "Title", LONG)) == (None, "no earlier story is like it")


@pytest.mark.parametrize("text", ["", "日" * 300_000, "a " * 300_000, "\ud800\x00" * 1000, "1,2.3" * 90_000])
def test_any_text_has_a_fingerprint(text: str) -> None:
    assert fingerprint(Article(1, "", text[:500], text), VERDICT).text_sha256


def test_near_texts_share_a_band() -> None:
    words = LONG.lower() + " ".join(f"word{n}" for n in range(400))
    a, b = (simhash(shingles(text, False)) for text in (words, words + " and one more sentence"))
    assert distance(a, b) <= 3
    assert set(bands(a)) & set(bands(b))
