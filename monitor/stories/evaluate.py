"""Clustering a whole file, and measuring it against known stories."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from monitor.model import Article, Join, StoryMember, Verdict
from monitor.stories.decide import decide
from monitor.stories.fingerprint import fingerprint


@dataclass(frozen=True, slots=True)
class Clustered:
    """Where one record of a file went: `cluster` counts from 1, `joined_to` is an earlier record's index."""

    cluster: int
    joined_to: int | None
    join: Join


def cluster(records: Sequence[tuple[Article, Verdict]]) -> list[Clustered]:
    """Places each article in order, exactly as the worker does with matches as they come."""
    members: list[StoryMember] = []
    placed: list[Clustered] = []
    for index, (article, verdict) in enumerate(records):
        mark = fingerprint(article, verdict)
        join = decide(
            canonical_url=article.url, published_at=article.published_at, fingerprint=mark, candidates=members
        )
        number = join.story_id or 1 + max((each.cluster for each in placed), default=0)
        members.append(StoryMember(index, number, article.title, article.url, article.published_at, mark))
        placed.append(Clustered(number, join.match_id, join))
    return placed


def pairs(labels: Iterable[str | int | None]) -> set[tuple[int, int]]:
    """Index pairs that carry the same label; unlabelled ones pair with nothing."""
    groups: dict[str | int, list[int]] = defaultdict(list)
    for index, label in enumerate(labels):
        if label:
            groups[label].append(index)
    return {(a, b) for group in groups.values() for n, a in enumerate(group) for b in group[n + 1 :]}


def score_clusters(truth: Sequence[str | None], clusters: Sequence[int]) -> Mapping[str, float]:
    """Pairwise precision and recall; precision counts only pairs in which both records are labelled."""
    wanted, made = pairs(truth), pairs(clusters)
    judged = {(a, b) for a, b in made if truth[a] and truth[b]}
    sizes = Counter(clusters)
    return {
        "records": len(clusters),
        "stories": len(sizes),
        "pairs_wanted": len(wanted),
        "pairs_found": len(wanted & made),
        "recall": len(wanted & made) / len(wanted) if wanted else 1.0,
        "precision": len(wanted & judged) / len(judged) if judged else 1.0,
        "pairs_unlabelled": len(made) - len(judged),
    }
