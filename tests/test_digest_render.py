"""What readers see: one entry per story with its reasons, in their language, safe whatever it says."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from lxml import html as markup

from monitor.digest.render import MAX_HTML_BYTES, render
from monitor.digest.select import filtered, is_urgent, select
from monitor.digest.snippets import sentence_spans, snippets
from monitor.model import Amount, Coverage, DigestEntry, Evidence
from tests.fakes import HOSTILE, NOW, TEXT_JA, digest, evidence, outlet, spec, story


def everything() -> DigestEntry:
    return story(1, outlets=tuple(outlet(f"Outlet {n}", n) for n in range(8)), update="+3 outlets")


FACTS = [
    "UK and Japan sign chip partnership, part 1",
    "https://www.gov.uk/news/1",
    "GOV.UK (official)",
    "United Kingdom",
    "Fri 27 Mar, 05:00",
    "UK–Japan",
    "Semiconductors",
    "Agreement",
    "+4 title: Japan and UK",
    "Rapidus, University of Southampton",
    "Hiroshima Accord",
    "£4.5 million",
    "Outlet 0",
    "3 more",
    "+3 outlets",
    "131 of 140 sources read",
    "METI failing since Wed 08:00",
    "1 story",
]


@pytest.mark.parametrize("fact", FACTS)
def test_html_and_text_tell_the_same_facts(fact: str) -> None:
    rendered = render(digest(everything()))
    assert fact in rendered.html
    assert fact in rendered.text


def test_a_japanese_reader_has_japanese_labels_times_and_counts() -> None:
    tokyo = spec(lang="ja", zone="Asia/Tokyo", title="日英技術")
    entry = story(
        2, title="日英が覚書", lang="ja", text=TEXT_JA, evidence=evidence(TEXT_JA, "半導体分野の協力")
    )
    rendered = render(digest(entry, spec=tokyo, more=12))
    facts = ["13件", "日英", "半導体", "合意", "英国", "3月27日(金) 14:00", "情報源140件中131件を取得"]
    facts += ["METI:水曜17:00から取得できません", "このほか12件は掲載しきれませんでした", "該当理由"]
    for fact in facts:
        assert fact in rendered.html, fact
        assert fact in rendered.text, fact
    assert '<html lang="ja"' in rendered.html
    assert rendered.subject == "日英技術: 13件 · 3月27日(金)"


def test_hits_are_marked_in_whole_sentences() -> None:
    html = render(digest(story())).html
    assert re.search(r"signed a <mark[^>]*>semiconductor partnership</mark> in London on Friday\.</td>", html)
    assert "framework agreed in Hiroshima" not in html, "a sentence without hits is not quoted"


def test_outlook_on_windows_is_asked_for_nothing_it_cannot_show() -> None:
    """It knows borders and inner margins in table cells alone, and no modern layout or units."""
    entries = (story(1, priority="high", outlets=(outlet(),)), story(2, update="+1 outlet"), story(3))
    counts = (("2026-03-16", "uk-japan", 3), ("2026-03-23", "uk-japan", 5), ("2026-03-23", "ai", 2))
    made = digest(*entries, kind="weekly", more=3, spec=spec(weekly=True), weekly_counts=counts)
    page = render(made).html
    styled = re.findall(r'<(\w+)[^>]*? style="([^"]*)"', page)
    assert len(styled) > 40, "the styles stand in the elements"
    for element, style in styled:
        rules = dict(rule.split(":", 1) for rule in style.replace(" ", "").rstrip(";").split(";"))
        boxed = {name for name in rules if re.match(r"border-(?!collapse)|padding", name)}
        assert not boxed or element in ("td", "body"), (element, style)
        assert not {"float", "display", "position", "background", "background-image"} & set(rules), style
        assert not re.search(r"\d(?:rem|em|vw)\b|calc\(|var\(", style), style


def test_the_article_itself_is_not_sent() -> None:
    long = "Rapidus and Japan. " + "Filler sentence about nothing. " * 400
    rendered = render(digest(story(text=long, evidence=evidence(long, "Rapidus"))))
    assert "Filler" not in rendered.html + rendered.text


def test_an_empty_digest_says_so_and_shows_its_coverage() -> None:
    rendered = render(digest())
    assert "nothing new" in rendered.subject
    assert "131 of 140 sources read" in rendered.text


def test_dead_letters_and_silent_sources_are_told() -> None:
    coverage = Coverage(140, 140, silent=(("SEAJ", "", NOW - timedelta(days=20)),), dead_letters=2)
    text = render(digest(story(), coverage=coverage)).text
    assert "SEAJ unusually quiet since Sat 7 Mar, 08:00" in text
    assert "2 messages could not be delivered" in text


def test_many_stories_stay_below_the_clipping_limit_and_the_rest_is_counted() -> None:
    entries = [story(n, outlets=tuple(outlet(f"O{i}", i) for i in range(5))) for n in range(1, 101)]
    rendered = render(digest(*entries, spec=spec(max_stories=100), more=5))
    assert len(rendered.html.encode()) <= MAX_HTML_BYTES
    shown = len(rendered.digest.entries)
    assert shown >= 20, "room is used"
    assert rendered.html.count("<h3") == shown
    assert f"{105 - shown} more stories did not fit" in rendered.html
    assert f"{105 - shown} more stories did not fit" in rendered.text
    assert rendered.subject.startswith("UK–Japan technology: 105 stories")


def test_nothing_is_hidden() -> None:
    """Spam filters take hidden text, preheaders too, for an attempt to fool them."""
    html = render(digest(everything())).html
    assert "display:none" not in html
    assert "font-size:1px" not in html


def test_nothing_is_loaded_from_elsewhere() -> None:
    html = render(digest(everything(), spec=spec(browse_url="https://browse.example.org"))).html
    tree = markup.fromstring(html)
    assert not tree.xpath("//img | //script | //link | //iframe | //object | //form")
    assert "url(" not in html
    assert "@import" not in html


def test_the_charset_stands_where_browsers_look_for_it() -> None:
    assert b'<meta charset="utf-8">' in render(digest(story())).html.encode()[:1024]


def test_dark_mode_and_phones_survive_the_inlining() -> None:
    html = render(digest(story())).html
    assert "prefers-color-scheme: dark" in html
    assert "max-width: 480px" in html
    assert 'name="color-scheme" content="light dark"' in html
    assert "Segoe UI" in markup.fromstring(html).xpath("//td[@class='in']/@style")[0]


def test_every_text_colour_can_be_read() -> None:
    """WCAG 2.1: a contrast of at least 4.5 to 1 against the ground, in light and in dark."""
    html = render(digest(everything(), story(2, priority="high"), more=1, kind="weekly")).html
    dark_rules, _, body = html.partition("prefers-color-scheme: dark")[2].partition("</style>")
    light = set(re.findall(r"[;\"]color:(#\w{6})", body))
    dark = set(re.findall(r"[{ ]color: (#\w{6})", dark_rules))
    assert len(light) >= 6
    assert len(dark) >= 5
    pairs = [*((c, "#ffffff") for c in light), *((c, "#181d23") for c in dark)]
    for colour, ground in [*pairs, ("#1c2430", "#fff0b8"), ("#e4e8ed", "#57470f"), ("#8cbcf0", "#232a32")]:
        assert _contrast(colour, ground) >= 4.5, (colour, ground)


def _contrast(one: str, other: str) -> float:
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("lang", ["en", "ja"])
def test_hostile_strings_are_shown_safely(text: str, lang: str) -> None:
    body = f"{text} semiconductor {text}"
    entry = story(
        1, title=text, source_name=text, why=text, organisations=(text,), programmes=(text,), update=text,
        amounts=(Amount(text, "GBP", 1.0),), text=body, evidence=evidence(body, "semiconductor"),
        outlets=(outlet(text),),
    )  # fmt: skip
    rendered = render(digest(entry, spec=spec(lang=lang, title=text or "t")))
    tree = markup.fromstring(rendered.html)
    assert not tree.xpath("//script | //img | //iframe")
    assert not tree.xpath("//*[@onerror]")
    assert len(rendered.html) < 20_000
    for shown in (rendered.html, rendered.text, rendered.subject):
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", shown)
    assert "\n" not in rendered.subject
    assert len(rendered.subject) < 200


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.example",
        "https://",
        "",
        "https://[",
        "http://a b",
        "x" * 5000,
    ],
)
def test_only_web_addresses_become_links(url: str) -> None:
    tree = markup.fromstring(render(digest(story(url=url, outlets=(outlet(url=url),)))).html)
    assert not tree.xpath("//a/@href")
    assert tree.xpath("//h3")[0].text_content().strip()


def test_evidence_that_does_not_fit_the_text_is_left_out() -> None:
    wrong = (
        Evidence("text", 10, 5, "x", "r"),
        Evidence("text", 90_000, 90_005, "x", "r"),
        Evidence("text", -5, 3, "x", "r"),
    )
    assert snippets("Rapidus and Japan.", wrong) == ()


# --- snippets --------------------------------------------------------------------------------


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        (
            "The U.S. Department and Dr. Smith met. They left.",
            ["The U.S. Department and Dr. Smith met.", "They left."],
        ),
        ("It cost £4.5 million. Yes.", ["It cost £4.5 million.", "Yes."]),
        (
            "日英が署名した。「大きい一歩だ」と述べた。終わり",
            ["日英が署名した。", "「大きい一歩だ」と述べた。", "終わり"],
        ),
        ("Heading\n\nBody one. Body two.", ["Heading", "Body one.", "Body two."]),
        ("  ", []),
    ],
)
def test_sentences_in_both_languages(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_the_sentences_with_the_most_different_hits_are_quoted_in_order() -> None:
    text = "Japan met. IBM and Japan agreed. Nothing here. IBM, Rapidus and Japan signed."
    hits = tuple(
        Evidence("text", found.start(), found.end(), found[0], "rule")
        for found in re.finditer("Japan|IBM|Rapidus", text)
    )
    found = [snippet.text for snippet in snippets(text, hits)]
    assert found == ["IBM and Japan agreed.", "IBM, Rapidus and Japan signed."]


@pytest.mark.parametrize(
    "filler", ["word " * 500, "半導体協力" * 300, "x" * 3000], ids=["words", "Japanese", "one word"]
)
def test_a_long_sentence_is_cut_around_its_hit(filler: str) -> None:
    text = f"{filler}Rapidus {filler}"
    (snippet,) = snippets(text, evidence(text, "Rapidus"))
    assert ("Rapidus", True) in snippet.pieces
    assert snippet.text.startswith("…")
    assert snippet.text.endswith("…")
    assert len(snippet.text) < 330


def test_a_huge_text_full_of_hits_is_quoted_in_no_time() -> None:
    text = "Xx. " * 200_000
    hits = tuple(Evidence("text", at, at + 1, "X", "rule") for at in range(0, 400_000, 40))
    started = time.perf_counter()
    assert len(snippets(text, hits)) == 2
    assert time.perf_counter() - started < 60, "in step with the text, not with sentences times hits"


def test_overlapping_hits_are_one_mark() -> None:
    text = "The semiconductor partnership grows."
    hits = evidence(text, "semiconductor partnership", "conductor", "partnership grows")
    (snippet,) = snippets(text, hits)
    assert snippet.pieces == (("The ", False), ("semiconductor partnership grows", True), (".", False))


# --- selecting -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({}, True),
        ({"corridors": ("us-japan",)}, False),
        ({"corridors": ("uk-japan", "us-japan")}, True),
        ({"topics": ("quantum",)}, False),
        ({"priorities": ("high",)}, False),
        ({"authorities": ("official",)}, True),
        ({"langs": ("ja",)}, False),
        ({"min_score": 9.5}, False),
        ({"min_score": 9.0}, True),
    ],
)
def test_a_digest_takes_what_its_filter_lets_through(changes: dict, kept: bool) -> None:
    shown, overflow = select([story()], spec(**changes))
    assert (len(shown), len(overflow)) == (int(kept), 0)
    assert len(filtered([story()], spec(**changes))) == int(not kept)


def test_the_most_important_come_first_and_the_rest_is_overflow() -> None:
    entries = [
        story(1, priority="low"), story(2, score=3.0), story(3, update="+1 outlet", score=20.0),
        story(4, priority="high", score=1.0), story(5, authority="press"), story(6),
    ]  # fmt: skip
    shown, overflow = select(entries, spec(max_stories=4))
    assert [entry.story_id for entry in shown] == [4, 6, 5, 2]
    assert [entry.story_id for entry in overflow] == [3, 1]


@pytest.mark.parametrize(
    ("priority", "update", "urgent"),
    [
        ("high", "", True),
        ("normal", "", False),
        ("high", "+3 outlets", False),
        ("high", "+1 article", False),
        ("high", "+1 outlet, amount now £5m", True),
    ],
)
def test_only_news_of_high_priority_is_urgent(priority: str, update: str, urgent: bool) -> None:
    assert is_urgent(story(priority=priority, update=update)) == urgent


# --- round-up --------------------------------------------------------------------------------


def test_a_round_up_has_bars_of_table_cells_for_whole_weeks() -> None:
    counts = (
        ("2026-03-16", "uk-japan", 2), ("2026-03-23", "uk-japan", 4), ("2026-03-23", "us-japan", 8),
        ("2026-03-23", "ai", 3), ("2026-03-30", "uk-japan", 1), ("2026-03-30", "ai", 1),
    )  # fmt: skip
    monday = datetime(2026, 3, 30, 7, tzinfo=UTC)
    made = digest(story(), kind="weekly", window_end=monday, weekly_counts=counts)
    rendered = render(replace(made, spec=spec(weekly=True)))
    tree = markup.fromstring(rendered.html)
    widths = [cell.get("width") for cell in tree.xpath("//td[@class='bf']")]
    assert widths == ["25%", "50%", "100%", "100%"], (
        "one scale for both corridors; today's week has only begun"
    )
    assert "UK–Japan: stories per week" in rendered.text
    assert "Mon 30 Mar  " not in rendered.text
