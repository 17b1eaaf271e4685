"""What a site repeats on every page is learnt and cut."""

from __future__ import annotations

import pickle

from monitor.extract import Learner, extract, line_hash, line_hashes
from monitor.extract.site import Sites, learn

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


def test_a_site_s_short_refrain_is_known_after_five_pages_and_stays_known() -> None:
    sites = Sites()
    refrain = "Follow our channel for more stories like this one"
    for n in range(5):
        assert line_hash(refrain) not in sites.furniture("news.example")
        sites.learn("news.example", f"A sentence that only page {'abcdefgh'[n]} has.\n{refrain}")
    for n in range(30):  # from now on it is cut, so the texts no longer hold it
        assert line_hash(refrain) in sites.furniture("news.example")
        sites.learn("news.example", f"Another sentence, {chr(97 + n % 26) * 5}.")
    assert sites.furniture("other.example") == frozenset()


def test_a_release_that_one_site_carries_again_and_again_is_no_furniture() -> None:
    sites = Sites()
    for _ in range(20):
        sites.learn("wire.example", "The two governments agreed to fund research on chip packaging. " * 3)
    assert sites.furniture("wire.example") == frozenset()
