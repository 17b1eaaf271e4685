"""One page from bytes to verdict, with and without the prefilter before it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor import reading
from monitor.rules.prefilter import Prefilter
from monitor.settings import read_rule_files

FILES = read_rule_files(Path(__file__).parent.parent / "config")
MATCH = (
    "<p>UK Research and Innovation and the Japan Science and Technology Agency will fund joint semiconductor"
    " research. The UK-Japan agreement was signed in London on Monday by both science ministers. </p>"
) * 3
DULL = "<p>The council will mend the bridge over the river before winter, the mayor said on Monday. </p>" * 4


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    before = reading._ruleset, reading._prefilter, reading._audit_share
    yield
    reading._ruleset, reading._prefilter, reading._audit_share = before


def page(inside: str, **known: str) -> reading.Page:
    body = f"<html><head><title>t</title></head><body><article><h1>Headline</h1>{inside}</article>"
    known = {"url": "https://example.org/a", "title": "Bridge to be mended", **known}
    return reading.Page(body.encode(), **known)


def test_a_page_that_cannot_match_is_not_extracted() -> None:
    reading.prepare(FILES, prefilter=True, audit_share=0)
    read = reading.read(page(DULL, summary="The mayor said so."))
    assert (read.status, read.reason) == (reading.SKIPPED, "no rule's gate can hold")
    assert not read.verdict.match
    assert not read.verdict.near_miss
    assert not read.audited
    assert (read.title, read.text, read.basis) == ("Bridge to be mended", "The mayor said so.", "feed")


def test_a_page_that_may_match_is_read_as_without_the_prefilter() -> None:
    reading.prepare(FILES, prefilter=True, audit_share=0)
    article = page(MATCH, title="UK and Japan sign chip research agreement")
    read = reading.read(article)
    assert read.verdict.match
    assert read.status == "ok"
    reading.prepare(FILES)
    assert reading.read(article) == read


def test_without_the_prefilter_every_page_is_extracted() -> None:
    reading.prepare(FILES, prefilter=False)
    assert "mayor" in reading.read(page(DULL)).text


def test_an_audited_page_is_read_in_full() -> None:
    reading.prepare(FILES, prefilter=True, audit_share=1)
    read = reading.read(page(DULL))
    assert read.audited
    assert not read.audit_miss
    assert read.status == "ok"
    assert "mayor" in read.text


def test_an_audit_finds_a_prefilter_at_fault() -> None:
    reading.prepare(FILES, prefilter=True, audit_share=1)
    reading._prefilter = Prefilter(gates=())  # turns everything away
    read = reading.read(page(MATCH, title="UK and Japan sign chip research agreement"))
    assert read.audited
    assert read.audit_miss
    assert read.verdict.match


def test_the_audited_share_is_as_asked_and_the_same_each_time() -> None:
    urls = [f"https://example.org/{n}" for n in range(20_000)]
    audited = [url for url in urls if reading.is_audited(url, 0.01)]
    assert 150 < len(audited) < 250
    assert audited == [url for url in urls if reading.is_audited(url, 0.01)]
    assert not any(reading.is_audited(url, 0) for url in urls)
    assert all(reading.is_audited(url, 1) for url in urls)


def test_the_feeds_text_alone_is_judged_without_a_page() -> None:
    reading.prepare(FILES, prefilter=True, audit_share=0)
    read = reading.read(reading.Page(None, title="Bridge to be mended", summary="The mayor said so."))
    assert (read.status, read.basis) == ("", "feed")
