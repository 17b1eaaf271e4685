"""A furnished archive to browse, and somebody who asks its site without a network."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.browse import site
from monitor.model import Source
from monitor.store import open_store
from tests.store_kit import BBC, METI, NIKKEI, SOURCES, digest, matched, message, money, polled, verdict

QUERIES = Path(__file__).parent.parent / "storage" / "queries"
NOW = datetime.now(UTC).replace(microsecond=0)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SECRETS = ("kept-address@example.org", "kept-payload", "kept-key", "kept-answer", "kept-note", "kept-state")
PAID = Source(id="paid", url="https://paid.example/rss?key=kept-key", name="Paid news", country="us")
HOSTILE = '<script>alert(1)</script> & "quoted" chips'
JAPANESE = "日英が半導体で協力"


def furnished(folder: Path) -> Path:
    """A week of news, one near miss, one silent source, one digest sent, and things nobody may see."""
    path = folder / "monitor.db"
    with open_store(path) as store:
        store.sync_sources((*SOURCES, PAID), NOW - 20 * DAY)
        store.digest_state("london", NOW - 20 * DAY)
        big = verdict(priority="high", event="funding", amounts=(money("£5m", 5e6),))
        text = "経産省によると、日英両政府は半導体の研究で協力する。"
        matched(store, METI, "pact", title=JAPANESE, text=text, lang="ja",
                at=NOW - 3 * HOUR, published=NOW - 4 * HOUR, judged=big)  # fmt: skip
        text = "A semiconductor partnership with TSMC."
        matched(store, BBC, "pact", title="UK and Japan fund chips", text=text, joins=1,
                at=NOW - 2 * HOUR, published=NOW - 3 * HOUR)  # fmt: skip
        american = verdict(corridors=("us-japan",), topics=("quantum", "ai"), organisations=("IBM",))
        matched(store, BBC, "us", title="IBM and AIST", text="Quantum.", at=NOW - 3 * DAY, judged=american)
        matched(store, PAID, "hostile", title=HOSTILE, text=HOSTILE, at=NOW - 4 * DAY)
        matched(store, BBC, "near", title="A chip in the garden", at=NOW - DAY, near_miss=True)
        made = digest(store, "london", NOW - HOUR)
        claims = [(match, entry.story_id, "new") for entry in made.entries for match in entry.match_ids]
        row = replace(message(made, SECRETS[0]), payload={"text": SECRETS[1]})
        store.record_digest(made, "3 stories", claims, [row], NOW - HOUR, NOW - HOUR)
        for claimed in store.claim_due(NOW - HOUR, 60, 10):
            store.mark_sent(claimed.id, f"250 {SECRETS[3]}", NOW - HOUR)
        store.record_poll(polled(NIKKEI, at=NOW, state="silent", state_reason="nothing for 9 days"))
        store.feedback(1, "good", note=SECRETS[4], now=NOW)
        store.put_state("told", SECRETS[5], NOW)
    return path


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The furnished archive; a module of tests names it as its own: `archive = browse_kit.archive`."""
    return furnished(tmp_path_factory.mktemp("browse"))


class Visitor:
    """Asks the site without a network."""

    def __init__(self, path: Path) -> None:
        self.site = site.build(path, QUERIES, lambda: NOW)
        self.loop = asyncio.new_event_loop()

    def get(self, path: str) -> Any:
        return self.loop.run_until_complete(self.site.client.get(path))

    def page(self, path: str) -> str:
        answer = self.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return str(answer.text)

    def rows(self, path: str) -> list[dict[str, Any]]:
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return list(answer.json())

    def close(self) -> None:
        self.site.close()
        self.loop.close()


@pytest.fixture(scope="module")
def visitor(archive: Path) -> Iterator[Visitor]:
    visitor = Visitor(archive)
    yield visitor
    visitor.close()


def words(page: str) -> str:
    """What is read on a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())
