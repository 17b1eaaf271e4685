"""What a site repeats on every page is learnt and cut."""

from __future__ import annotations

import pickle

from monitor.extract import Learner, extract, line_hash, line_hashes
from monitor.extract.site import learn

FURNITURE = "The Harbour Post is written by people who like ports, chips and Japan."


def page(number: int) -> bytes:
    letter = chr(97 + number)  # figures do not tell lines apart
    prose = "".join(
        f"<p>Story {letter} has a paragraph about thing {letter * (i + 1)}, unlike all others.</p>"
        for i in range(4)
    )
    return f"<html><body><h1>Story {letter}</h1>{prose}<p>{FURNITURE}</p></body></html>".encode()


def test_a_line_that_stands_on_every_page_is_cut() -> None:
    learner = Learner()
    for number in range(4):
        learner.learn(extract(page(number)).text)
    known = learner.boilerplate()
    got = extract(page(9), boilerplate=known)
    assert FURNITURE not in got.text
    assert got.text.count("\n") == 3


def test_two_pages_teach_nothing() -> None:
    assert learn(extract(page(number)).text for number in range(2)) == frozenset()


def test_the_same_line_in_another_dress() -> None:
    assert line_hash("Ｃｈｉｐ News 12  today") == line_hash("chip news 7 today")
    assert line_hash("chip news") != line_hash("chip views")


def test_short_and_very_long_lines_are_not_learnt() -> None:
    assert line_hashes("Yes\n" + "x" * 1_000) == frozenset()


def test_memory_is_bounded_and_the_state_can_be_kept() -> None:
    learner = Learner(max_lines=100)
    for number in range(50):
        learner.learn(
            f"{FURNITURE}\n"
            + "\n".join(f"line {chr(97 + number % 26) * (i + 3)} {number}" for i in range(20))
        )
    assert len(learner.counts) <= 100
    assert line_hash(FURNITURE) in pickle.loads(pickle.dumps(learner)).boilerplate()
