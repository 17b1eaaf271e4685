"""The composition root: options that reach what they are for, and a configuration swapped whole."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor import housekeeping, settings
from monitor.app import App
from monitor.demo.site import Site
from monitor.model import Polled
from monitor.pipeline import PollReport
from monitor.report import RunReport
from monitor.settings import Config
from monitor.store import open_store
from tests import store_kit as kit
from tests.cli import write_config

SOURCE = '- {{id: {id}, url: "{url}", allow_private: true}}\n'


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site(datetime.now(UTC)) as running:
        yield running


def configured(folder: Path, sources: str, monitor: str = "") -> Config:
    write_config(folder / "config", sources=sources, monitor=monitor, digests="- name: desk\n")
    return settings.load(folder / "config", {})


@pytest.mark.parametrize(
    ("keep", "matches", "others"),
    [("matches", True, False), ("all", True, True), ("none", False, False)],
)
async def test_whose_text_is_kept(tmp_path: Path, site: Site, keep: str, matches: bool, others: bool) -> None:
    source = SOURCE.format(id="gov", url=f"{site.base}/gov/feed.atom")
    async with App(configured(tmp_path, source, f"keep_text: {keep}\n")) as app:
        report = await app.cycle()
        sizes = app.store.db.all(
            "SELECT i.outcome, length(a.text) FROM items i LEFT JOIN articles a ON a.item_id = i.id"
            " WHERE i.outcome IN ('match', 'no-match')"
        )
        assert report.composed.composed[0].stories  # a digest needs no text to be written
    assert any(size for outcome, size in sizes if outcome == "match") is matches
    assert any(size for outcome, size in sizes if outcome == "no-match") is others


async def test_blocked_hosts_are_never_asked(tmp_path: Path, site: Site) -> None:
    source = SOURCE.format(id="gov", url=f"{site.base}/gov/feed.atom")
    async with App(configured(tmp_path, source, "poll: {blocked_hosts: [127.0.0.1]}\n")) as app:
        (polled,) = (await app.poll()).polled
    assert "blocked by the configuration" in polled.error


async def test_a_poll_under_way_ends_with_what_it_began_with(tmp_path: Path, site: Site) -> None:
    """Worker processes in use are not closed under it; then they are."""
    with socket.create_server(("127.0.0.1", 0)) as slow:
        slow.setblocking(False)
        url = f"http://127.0.0.1:{slow.getsockname()[1]}/feed"
        config = configured(tmp_path, SOURCE.format(id="slow", url=url))
        async with App(config) as app:
            old = app._gear
            polling = asyncio.create_task(app.poll())
            connection, _ = await asyncio.get_running_loop().sock_accept(slow)
            fresh = configured(tmp_path, SOURCE.format(id="gov", url=f"{site.base}/gov/feed.atom"))
            app.reload(fresh)
            assert [each.source.id for each in app.sources()] == ["gov"]
            assert (await app.poll()).new  # a new step works with the new while the old one waits

            body = site.documents["/wire/rss.xml"][1]
            await asyncio.get_running_loop().sock_recv(connection, 65536)
            head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n".encode()
            await asyncio.get_running_loop().sock_sendall(connection, head + body)
            report = await polling
            connection.close()
            assert [(each.source_id, each.status) for each in report.polled] == [("slow", "ok")]
            assert report.new
            while app._closing:
                await asyncio.sleep(0.01)
            assert old.workers._closed


async def test_sources_are_asked_again_soon_after_a_long_time_without_a_network(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        dead = "".join(SOURCE.format(id=f"s{n}", url=f"{url}/{n}") for n in range(2))
        async with App(configured(tmp_path, dead)) as app:
            for _ in range(7):
                await app.poll(every=True)
            report = RunReport(app.now(), polled=await app.poll(every=True))
            assert report.offline
            waits = [each.next_poll_at for each in app.store.source_states() if each.next_poll_at]
            assert min(waits) > app.now() + timedelta(hours=6)
            app.ask_soon(report)
            waits = [each.next_poll_at for each in app.store.source_states() if each.next_poll_at]
            assert max(waits) <= app.now() + timedelta(minutes=15)


def test_one_failure_alone_is_no_dead_network_and_a_remembered_robots_rule_says_nothing() -> None:
    at = datetime(2026, 3, 2, tzinfo=UTC)
    dns, robots, gone = (
        Polled("a", "failed", error="x", error_kind=kind) for kind in ("dns", "robots", "status")
    )
    for tried, offline in (
        ([dns], False),
        ([dns, dns], True),
        ([dns, robots], True),
        ([robots, robots], False),
        ([dns, gone], False),
        ([dns, Polled("b", "ok")], False),
    ):
        assert RunReport(at, polled=PollReport(tried)).offline is offline
    assert RunReport(at, polled=PollReport([dns]), was_offline=True).offline


# --- housekeeping ----------------------------------------------------------------------------


async def test_housekeeping_forgets_checks_weekly_and_keeps_two_copies(tmp_path: Path) -> None:
    config = configured(tmp_path, "")
    at = datetime(2026, 3, 2, tzinfo=UTC)
    checked = []
    for day in range(22):
        now = at + timedelta(days=day)
        kept = await housekeeping.in_background(config, now)
        checked.append(kept.damage is not None)
        with open_store(config.database) as store:
            assert not housekeeping.is_due(store, now + timedelta(hours=1))
            assert housekeeping.is_due(store, now + timedelta(days=1))
            assert housekeeping.is_due(store, now - timedelta(days=30))  # the clock went back
    assert [day for day, was in enumerate(checked) if was] == [0, 7, 14, 21]
    copies = sorted(path.name for path in (config.monitor.storage / "backups").iterdir())
    assert copies == ["monitor-weekly-2026-03-16.db", "monitor-weekly-2026-03-23.db"]
    with open_store(config.monitor.storage / "backups" / copies[-1], read_only=True) as copy:
        assert copy.check() == []


async def test_a_damaged_database_is_told_and_replaces_no_sound_copy(tmp_path: Path) -> None:
    config = configured(tmp_path, "")
    at = datetime(2026, 3, 2, tzinfo=UTC)
    with open_store(config.database) as store:
        kit.matched(kit.desk(store, at), kit.METI, 1, at=at)
        assert (await housekeeping.in_background(config, at)).damage == []
        store.db.run("DELETE FROM search_docsize")
    kept = await housekeeping.in_background(config, at + timedelta(days=7))
    assert kept.copy is None
    assert "the search index lacks 1 articles" in (kept.damage or ())
    assert [path.name for path in (config.monitor.storage / "backups").iterdir()] == [
        "monitor-weekly-2026-03-02.db"
    ]


async def test_what_housekeeping_cannot_do_is_the_jobs_failure(tmp_path: Path) -> None:
    config = configured(tmp_path, "")
    config.database.parent.mkdir(parents=True)
    config.database.write_text("no database at all " * 100)
    with pytest.raises(Exception, match="not an SQLite database"):
        await housekeeping.in_background(config, datetime(2026, 3, 2, tzinfo=UTC))
