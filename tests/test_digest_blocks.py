"""Slack gets whole stories within its limits, and no headline can become anything but text."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from monitor.digest.blocks import MAX_BLOCKS, MAX_CHARS, link, messages, size
from monitor.digest.view import Link, view
from monitor.model import Amount
from tests.fakes import HOSTILE, TEXT_JA, digest, evidence, outlet, spec, story
from tests.slack_server import problem

LINK = re.compile(r"<[^>]*>")


def posts(*entries, **changes) -> list[dict]:
    return messages(view(digest(*entries, **changes)))


def texts(message: dict) -> list[str]:
    """Everything Slack would look for markup in; the header is plain text to it."""
    found = [text for block in message["blocks"] for text in (block.get("text"), *block.get("elements", []))]
    return [text["text"] for text in found if text and text["type"] == "mrkdwn"]


def test_a_story_has_its_link_quote_reasons_and_outlets() -> None:
    (message,) = posts(story(update="+1 outlet", outlets=(outlet("Nikkei"),)))
    shown = "\n".join(texts(message))
    for fact in [
        "*<https://www.gov.uk/news/1|UK and Japan sign chip partnership, part 1>*",
        "> The United Kingdom and Japan signed a \u200b*semiconductor partnership*\u200b in London",
        "GOV.UK (official) · United Kingdom · Fri 27 Mar, 05:00",
        "UK–Japan · Semiconductors",
        "*Update: +1 outlet*",
        "Organisations: Rapidus",
        "Amounts: £4.5 million",
        "<https://example.com/1|Nikkei>",
        "Why: +4 title",
        "131 of 140 sources read",
        "METI failing since Wed 08:00",
        "morning|scheduled|2026-03-27T08:00:00Z",
    ]:
        assert fact in shown, fact
    assert message["text"].startswith("UK–Japan technology: 1 story")
    assert message["unfurl_links"] is False


def test_many_stories_are_split_between_stories_and_none_is_missing() -> None:
    entries = [story(n, outlets=tuple(outlet(f"Outlet {i}", i) for i in range(5))) for n in range(1, 61)]
    parts = posts(*entries, more=12)
    assert len(parts) > 2
    assert all(problem(part) == "" for part in parts)
    assert all(len(part["blocks"]) <= MAX_BLOCKS + 1 for part in parts)
    assert all(size(part["blocks"]) <= MAX_CHARS + 200 for part in parts)
    shown = [text for part in parts for text in texts(part)]
    assert sum("part " in text and text.startswith("*<https://www.gov.uk") for text in shown) == 60
    assert f"({len(parts)}/{len(parts)})" in parts[-1]["text"]
    for part in parts[1:]:
        kinds = [block["type"] for block in part["blocks"][:2]]
        assert kinds[0] == "context"
        assert part["blocks"][1]["type"] in ("divider", "section")


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_strings_stay_text(text: str) -> None:
    body = f"{text} semiconductor {text}"
    entry = story(
        title=text, source_name=text, why=text, update=text, organisations=(text,), programmes=(text,),
        amounts=(Amount(text, "GBP", 1.0),), text=body, evidence=evidence(body, "semiconductor"),
        outlets=(outlet(text),),
    )  # fmt: skip
    for message in posts(entry, spec=spec(title=text or "t")):
        assert problem(message) == ""
        for shown in [*texts(message), message["text"]]:
            for markup in LINK.findall(shown):
                assert re.fullmatch(r"<https://[^<>|]+\|[^<>|]+>", markup), markup
            assert "<" not in LINK.sub("", shown)
            assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\ud800-\udfff]", shown)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://e.example/?a=1&b=2", "<https://e.example/?a=1&amp;b=2|t>"),
        ("https://e.example/a|b>c<d", "<https://e.example/a%7Cb%3Ec%3Cd|t>"),
        ("", "t"),
    ],
)
def test_no_address_can_break_out_of_its_link(url: str, expected: str) -> None:
    assert link(Link("t", url)) == expected


def test_the_longest_of_everything_is_still_taken() -> None:
    long = "&<>" * 1_000
    url = "https://e.example/" + "&" * 1_900
    body = (long + ". ") * 3
    entry = story(
        title=long, url=url, source_name=long, why=long, update=long, organisations=(long,) * 20,
        text=body, evidence=evidence(body, "&"), outlets=tuple(outlet(long, n, url=url) for n in range(9)),
    )  # fmt: skip
    for message in posts(*(replace(entry, story_id=n) for n in range(1, 6))):
        assert problem(message) == ""


def test_japanese_digests_have_japanese_labels() -> None:
    entry = story(
        text=TEXT_JA, evidence=evidence(TEXT_JA, "日英"), lang="ja", title="日英が覚書", priority="high"
    )
    (message,) = posts(entry, spec=spec(lang="ja", zone="Asia/Tokyo"))
    shown = "\n".join(texts(message))
    assert "該当理由" in shown
    assert "*重要*" in shown
    assert "3月27日(金)" in shown


def test_a_round_up_has_its_bars() -> None:
    counts = (("2026-03-16", "uk-japan", 2), ("2026-03-16", "ai", 5))
    shown = "\n".join(texts(posts(story(), kind="weekly", weekly_counts=counts)[0]))
    assert "UK–Japan: stories per week" in shown
    assert "▇ 2" in shown
