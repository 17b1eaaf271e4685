"""The brief of a period: every story once, under its theme, every claim with the article it is from."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from monitor.digest.brief import brief

NOW = datetime(2026, 5, 4, tzinfo=UTC)


def row(n: int, **changes: Any) -> dict[str, Any]:
    plain = {
        "story_id": n, "title": f"Headline {n}", "url": f"https://a.example/{n}", "source": "BBC",
        "published_at": "2026-05-03T08:00:00Z", "matched_at": "2026-05-03T09:00:00Z",
        "corridors": ["uk-japan"], "topics": ["semiconductors"], "event": "funding", "score": 5.0,
        "priority": "normal", "organisations": ["Rapidus"], "amounts": [{"text": "£5m"}], "outlets": 1,
    }  # fmt: skip
    return {**plain, **changes}


def text(*rows: dict[str, Any]) -> str:
    return "\n".join(brief(rows, None, NOW))


def test_a_story_stands_once_with_all_its_articles_cited() -> None:
    told = text(
        row(1), row(1, title="The same", score=3.0, url="https://b.example/1"), row(2, priority="high")
    )
    assert "2 stories in 3 articles." in told
    assert "- Headline 1 (Funding; Rapidus; £5m). 2026-05-03 [2, 3]" in told
    assert "- **High priority.** Headline 2" in told
    assert told.index("Headline 2") < told.index("Headline 1")
    assert "3. [The same](https://b.example/1), BBC, 2026-05-03" in told


def test_themes_are_corridors_and_topics() -> None:
    told = text(row(1), row(2, corridors=["us-japan"], topics=["ai"]), row(3, corridors=[], topics=[]))
    assert re.findall("^#{2,3} .*", told, re.MULTILINE) == [
        "## UK–Japan", "### Semiconductors", "## US–Japan", "### AI", "## Other", "### Other", "## Articles",
    ]  # fmt: skip


def test_no_headline_and_no_address_breaks_out() -> None:
    told = text(row(1, title="a](javascript:x) <b>\n# b | *c*", url="https://a.example/x)(y z"))
    assert "\n# b" not in told
    assert "a\\](javascript:x) \\<b> \\# b \\| \\*c\\*" in told
    assert "(https://a.example/x%29%28y%20z)" in told


def test_an_empty_period_says_so() -> None:
    assert text() == "# Brief, up to 2026-05-04\n\n0 stories in 0 articles."
