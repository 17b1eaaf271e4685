"""A permanent redirect is believed late, a temporary one never."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from monitor.fetch.redirects import Adoption, adopt, unanswered
from monitor.model import Redirect, Source, SourceState
from tests.fetching import START

OLD, NEW, NEWER = "https://old.test/feed", "https://new.test/feed", "https://newer.test/feed"
MOVED = (Redirect(301, OLD, NEW),)


def polls(
    *answers: tuple[Redirect, ...], every: timedelta = timedelta(days=1), readable: bool = True
) -> list[Adoption]:
    """What is remembered after each of several polls, stored as the caller would store it."""
    state = SourceState(Source("s", OLD), url=OLD)
    seen: list[Adoption] = []
    for number, redirects in enumerate(answers):
        adoption = adopt(state, redirects, START + number * every, readable=readable)
        seen.append(adoption)
        state = replace(
            state,
            permanent_url=adoption.permanent_url,
            permanent_seen=adoption.permanent_seen,
            permanent_since=adoption.permanent_since,
        )
    return seen


@pytest.mark.parametrize("status", [301, 308])
def test_five_sightings_over_three_days_are_believed(status: int) -> None:
    adoptions = polls(*[(Redirect(status, OLD, NEW),)] * 5)
    assert [adoption.is_adopted for adoption in adoptions] == [False, False, False, False, True]
    assert adoptions[-1].permanent_url == NEW
    assert adoptions[-1].note == f"moved for good to {NEW}"


def test_many_sightings_within_three_days_are_not() -> None:
    adoptions = polls(*[MOVED] * 73, every=timedelta(hours=1))
    assert [n for n, adoption in enumerate(adoptions) if adoption.is_adopted] == [72]


@pytest.mark.parametrize("status", [302, 303, 307])
def test_a_temporary_redirect_is_never_kept(status: int) -> None:
    assert not any(adoption.permanent_url for adoption in polls(*[(Redirect(status, OLD, NEW),)] * 20))


@pytest.mark.parametrize(
    ("interruption", "why"),
    [((), "the old address answered itself"), ((Redirect(301, OLD, NEWER),), "it led somewhere else"),
     ((Redirect(302, OLD, NEW),), "it was temporary once")],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_the_count_starts_again_when(interruption: tuple[Redirect, ...], why: str) -> None:
    adoptions = polls(*[MOVED] * 4, interruption, *[MOVED] * 4)
    assert not any(adoption.is_adopted for adoption in adoptions), why


def test_a_redirect_to_something_unreadable_is_not_counted() -> None:
    assert not any(adoption.permanent_seen for adoption in polls(*[MOVED] * 9, readable=False))


def test_only_the_permanent_part_of_a_chain_is_kept() -> None:
    chain = (Redirect(301, OLD, NEW), Redirect(302, NEW, NEWER))
    assert polls(*[chain] * 5)[-1].permanent_url == NEW
    assert polls(*[(Redirect(302, OLD, NEW), Redirect(301, NEW, NEWER))] * 5)[-1].permanent_url == ""


def test_encryption_is_not_given_up_for_a_redirect() -> None:
    assert not polls(*[(Redirect(301, OLD, "http://old.test/feed"),)] * 9)[-1].permanent_url


def adopted(since: datetime = START) -> SourceState:
    return SourceState(Source("s", OLD), permanent_url=NEW, permanent_seen=5, permanent_since=since, url=NEW)


def test_what_was_taken_over_stays_while_it_answers() -> None:
    adoption = adopt(adopted(), (), START + timedelta(days=30), readable=True)
    assert (adoption.permanent_url, adoption.is_adopted, adoption.note) == (NEW, True, "")


def test_a_taken_over_address_that_moves_again_is_counted_anew() -> None:
    adoption = adopt(adopted(), (Redirect(301, NEW, NEWER),), START, readable=True)
    assert (adoption.permanent_url, adoption.permanent_seen) == (NEWER, 1)


def test_a_taken_over_address_that_keeps_failing_is_given_up() -> None:
    assert unanswered(adopted(), 4).is_adopted
    assert unanswered(adopted(), 5) == Adoption()
