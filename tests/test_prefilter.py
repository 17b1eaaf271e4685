"""The prefilter may be too generous, never too strict: what the full path finds, it lets through."""

from __future__ import annotations

import gzip
import json
import time
import unicodedata
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor import reading, rules
from monitor.rules.prefilter import Prefilter, derive
from monitor.settings import read_rule_files

CONFIG = Path(__file__).parent.parent / "config"
PROSE = "The two sides spoke of the weather for a while and then went home by the evening train. "


@cache
def compiled(when: str) -> tuple[rules.RuleSet, Prefilter]:
    rule = {"id": "r", "why": "w", "corridor": "uk-japan", "when": when, "score": 1, "threshold": 1}
    ruleset = rules.build({"rules.yaml": json.dumps({"rules": [rule]})})
    return ruleset, derive(ruleset)


@cache
def shipped() -> tuple[rules.RuleSet, Prefilter]:
    ruleset = rules.build(read_rule_files(CONFIG))
    return ruleset, derive(ruleset)


def article(inside: str, head: str = "") -> bytes:
    return (
        f"<!doctype html><html><head><meta charset=utf-8><title>Page</title>{head}</head><body><article>"
        f"<h1>A headline of some length</h1><p>{PROSE}</p><p>{PROSE}{inside} {PROSE}</p></article>"
    ).encode()


def both(page: reading.Page, when: str) -> tuple[bool, bool]:
    """Whether the full path matches, and whether both looks let the page through."""
    ruleset, prefilter = compiled(when)
    verdict = reading.read_with(page, ruleset).verdict
    passes = reading.read_with(page, ruleset, prefilter).status != reading.SKIPPED
    assert reading.may_match(page, prefilter) or not passes
    return verdict.match or verdict.near_miss, passes


# --- one trap at a time ------------------------------------------------------------------------

TRAPS = {
    "plain": ("semiconductor", "a semiconductor"),
    "plural": ("semiconductor", "two semiconductors"),
    "y to ies": ("factory", "two factories"),
    "capitals": ("semiconductor", "SEMICONDUCTOR"),
    "entity": ("semiconductor", "semi&#99;onductor"),
    "wbr": ("semiconductor", "semi<wbr>conductor"),
    "soft hyphen": ("semiconductor", "semi&shy;conductor"),
    "zero-width space": ("semiconductor", "semi​conductor"),
    "comment inside": ("semiconductor", "semi<!-- x -->conductor"),
    "letters apart": ("Japan", "<b>J</b>apan"),
    "several joints": ("Japan", "<b>J</b><i>a</i><b>pan</b>"),
    "no-break space": ('"joint research"', "joint&nbsp;research"),
    "line end in a phrase": ('"joint research"', "joint\n   research"),
    "border in a phrase": ('"joint research"', "joint <b>research</b>"),
    "full width": ("Japan", "Ｊａｐａｎ"),
    "half-width kana": ("チップ", "ﾁｯﾌﾟ"),
    "ligature": ("fiction", "ﬁction"),
    "dotted": ('"US"', "the U.S. government"),
    "dotted with blanks": ('"US"', "the U. S. government"),
    "case": ('"UK"', "the UK government"),
    "possessive": ("Japan", "Japan’s minister"),
    "dash": ("Japan", "UK–Japan talks"),
    "slash": ("Japan", "UK/Japan talks"),
    "beside kanji": ("AI", "国産AI半導体を"),
    "Japanese": ("半導体", "次世代半導体の研究"),
    "Japanese over a joint": ("半導体", "次世代半<wbr>導体の研究"),
    "accent": ("Citroën", "the maker Citroe\u0308n said"),
    "prefix": ("semiconduct*", "semiconducting things"),
    "first or second": ("zebra OR semiconductor", "a semiconductor"),
    "none of": ("NOT zebra", "anything"),
    "more than once": ("ATLEAST/2(chip)", "a chip and a chip"),
    "near": ("chip NEAR/s Japan", "a chip from Japan"),
    "in the opening": ("body:Japan", "a chip from Japan"),
    "by address": ("url:example", "anything"),
    "template": ("semiconductor", "<x-y><template></template></x-y> semiconductor"),
    "ruby": ("日本", "<ruby>日<rt>に</rt>本<rt>ほん</rt></ruby>の会社"),
}


@pytest.mark.parametrize("name", TRAPS)
def test_what_the_full_path_finds_is_let_through(name: str) -> None:
    when, inside = TRAPS[name]
    page = reading.Page(article(inside), url="https://example.org/a", title="News", published="2026-01-01")
    matches, passes = both(page, when)
    assert passes
    assert matches or name in {"ruby", "dotted with blanks"}, "the trap catches nothing"


@pytest.mark.parametrize("encoding", ["shift_jis", "euc_jp", "iso-2022-jp", "utf-16"])
def test_reads_every_encoding_the_extractor_reads(encoding: str) -> None:
    markup = article("次世代半導体の研究").decode().replace("utf-8", encoding)
    page = reading.Page(markup.encode(encoding), content_type=f"text/html; charset={encoding}", title="News")
    assert both(page, "半導体") == (True, True)
    assert not reading.may_match(page, compiled("造船")[1])


def test_finds_the_text_that_only_json_ld_carries() -> None:
    body = json.dumps({"@type": "NewsArticle", "headline": "x", "articleBody": f"{PROSE * 5}\n半導体 &amp;"})
    script = f"<script type='application/ld+json'>{body}</script>"
    page = reading.Page(f"<html><head>{script}</head><body><p>a</p></body></html>".encode(), title="News")
    assert both(page, "半導体") == (True, True)


def test_finds_titles_that_the_page_declares_where_the_feed_has_none() -> None:
    page = reading.Page(article("", head='<meta property="og:title" content="A chip for all of us">'))
    assert both(page, "title:chip") == (True, True)


@pytest.mark.parametrize("field", ["title", "summary", "content"])
def test_the_feeds_own_text_counts(field: str) -> None:
    page = reading.Page(article(""), **{field: "A semiconductor for all"})
    assert reading.may_match(page, compiled("semiconductor")[1])


def test_concepts_pass_by_their_names_their_homes_and_what_they_include() -> None:
    files = {
        "concepts/a.yaml": "companies:\n  kind: organisation\n  names: |\n    Acme @jp = Acme; アクメ\n"
        "japan:\n  homes: [jp]\nall:\n  include: [japan]\n",
        "rules.yaml": "rules:\n- {id: r, why: w, corridor: uk-japan, when: '@all'}\n",
    }
    prefilter = derive(rules.build(files))
    assert prefilter.may_match("said Acme, the")
    assert prefilter.may_match("とアクメの")
    assert not prefilter.may_match("acmeology")


# --- what is turned away -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "inside"),
    [
        ("semiconductor", "a chip"),
        ('"US"', "between us and BUSINESS"),
        ("Japan", "japanology"),
        ('"joint research"', "a joint venture"),
        ("chip AND Japan", "a chip from Korea"),
        ("chip NEAR/s Japan", "a chip from Korea"),
        ("chip AND NOT Japan", "a crisp from Japan"),
        ("zebra OR tapir", "an antelope"),
        ("日英", "日本と英国"),
    ],
)
def test_a_page_without_the_words_is_turned_away(when: str, inside: str) -> None:
    page = reading.Page(article(inside), title="News", published="2026-01-01")
    assert both(page, when) == (False, False)


@pytest.mark.parametrize("tag", ["nav", "footer", "aside class='related'"])
def test_what_only_a_menu_says_is_turned_away_at_the_second_look(tag: str) -> None:
    menu = f"<{tag}><a href='/a'>semiconductor</a></{tag.split()[0]}>"
    page = reading.Page(article("a chip").replace(b"<article>", f"{menu}<article>".encode()), title="News")
    assert reading.may_match(page, compiled("semiconductor")[1])
    assert both(page, "semiconductor") == (False, False)


def test_dotted_abbreviations_are_seen_in_every_width() -> None:
    """Every character that folds to one of theirs makes the text be folded before it is searched."""
    odd = [chr(n) for n in range(0x80, 0x20000) if unicodedata.normalize("NFKC", chr(n)) in {*"USKA."}]
    assert len(odd) > 50
    prefilter = compiled('"US"')[1]
    for character in odd:
        plain = unicodedata.normalize("NFKC", character)
        if plain in "US.":
            assert prefilter.may_match("the U.S. army".replace(plain, character)), hex(ord(character))


@pytest.mark.parametrize("body", [b"", b"%PDF-1.7 <p>", b"{}", b"<rss></rss>", b"\x00\xff" * 50])
def test_what_is_no_page_is_left_to_the_extractor(body: bytes) -> None:
    assert reading.may_match(reading.Page(body, title="News"), compiled("semiconductor")[1])


@pytest.mark.parametrize(
    "body",
    [
        b"<html><body>" + b"<b>x</b>" * 300_000,
        b"<html><body>" + b"<div>" * 400_000,
        b"<html><body><p>" + b"a" * 4_000_000,
        b"<html><body><p>" + b"a^" * 1_000_000,
        b"<html><body><p>" + b"U.^" * 500_000,
        b"<html><head>" + b'<script type="application/ld+json">{"articleBody":"' + b"\\\\u0041" * 300_000,
        b"<html><body><p>" + "半".encode() * 1_000_000,
    ],
    ids=["joints", "depth", "one word", "marks", "dots", "escapes", "kanji"],
)
def test_a_hostile_page_is_answered_in_bounded_time(body: bytes) -> None:
    began = time.process_time()
    reading.may_match(reading.Page(body, title="News"), shipped()[1])
    assert time.process_time() - began < 30


# --- the property ------------------------------------------------------------------------------

WORDS = ("chip", "Japan", "UK", "US", "joint", "research", "factory", "半導体", "日英", "AI")
TERMS = (*WORDS, '"joint research"', '"UK-Japan"', "factor*", "@pair")
_leaf = st.sampled_from(TERMS).map(lambda term: term if term != "@pair" else '"Japan chip"')
EXPRESSIONS = st.recursive(
    _leaf,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["AND", "OR", "NEAR/s", "NEAR/5", "AND NOT"]), inner).map(
            lambda parts: f"({parts[0]} {parts[1]} {parts[2]})"
        ),
        inner.map(lambda part: f"ATLEAST/2({part})"),
        st.tuples(st.sampled_from(["title", "lead", "body"]), inner).map(lambda p: f"{p[0]}:({p[1]})"),
    ),
    max_leaves=4,
)
CUTS = ("<wbr>", "&shy;", "<!-- -->", "<b></b>", "\u200b", "<br>", "</p><p>", "<span> </span>")
_split = st.sampled_from(WORDS).flatmap(
    lambda word: st.integers(1, max(1, len(word) - 1)).flatmap(
        lambda at: st.sampled_from(
            [word, word + "s", word.upper(), *(f"{word[:at]}{cut}{word[at:]}" for cut in CUTS)]
        )
    )
)
_between = st.sampled_from(
    [" ", "\n", "&nbsp;", "-", "/", "", "<i>", "</i>", "</p>\n<p>", ", ", "。", ". The "]
)
PIECES = st.lists(st.tuples(_split, _between), min_size=1, max_size=14).map(
    lambda pairs: "".join(word + gap for word, gap in pairs)
)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(when=EXPRESSIONS, inside=PIECES, title=st.sampled_from(["", "News", "UK and Japan", "半導体で日英"]))
def test_no_page_that_matches_is_turned_away(when: str, inside: str, title: str) -> None:
    matches, passes = both(reading.Page(article(inside), title=title, published="2026-01-01"), when)
    assert passes or not matches


def test_no_real_page_that_matches_is_turned_away(test_data: Path) -> None:
    """A sample; benchmarks/prefilter.py reads them all."""
    ruleset, prefilter = shipped()
    folder = test_data / "realpages"
    lines = (folder / "manifest.jsonl").read_text("utf-8").splitlines()
    turned_away = 0
    for line in lines[::8]:
        known = json.loads(line)
        body = gzip.decompress((folder / known["file"]).read_bytes())
        page = reading.Page(body, url=known["url"] or "", title=known["title"] or "", published="2026-01-01")
        if reading.read_with(page, ruleset, prefilter).status == reading.SKIPPED:
            turned_away += 1
            verdict = reading.read_with(page, ruleset).verdict
            assert (verdict.match, verdict.near_miss, verdict.score) == (False, False, 0), known["file"]
    assert turned_away > len(lines[::8]) / 3
