"""What the worker does when the database, the disk or the clock lets it down; in this process."""

from __future__ import annotations

import asyncio
import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor import app as app_module
from monitor import settings
from monitor import worker as worker_module
from monitor.app import App
from monitor.demo.site import Site
from monitor.errors import MonitorError, StoreError
from monitor.model import Polled
from monitor.worker import _Worker
from tests.cli import write_config

SECOND = timedelta(seconds=1)


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site(datetime.now(UTC)) as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def opened(tmp_path: Path, site: Site, clock: Clock) -> App:
    """Not entered yet."""
    write_config(
        tmp_path / "config",
        monitor="operator: [file]\n",
        sources=f'- {{id: gov, url: "{site.base}/gov/feed.atom", allow_private: true}}\n',
        digests="- name: desk\n",
    )
    return App(settings.load(tmp_path / "config", {}), now=clock)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program that writes is not waited for."""
    monkeypatch.setattr(app_module, "LOCK_WAIT_S", 0.0)


def other_writer(app: App) -> sqlite3.Connection:
    """Holds the database until it is rolled back."""
    holder = sqlite3.connect(app.store.path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    return holder


def worker_of(app: App, polled: list[Polled]) -> _Worker:
    return _Worker(app, None, polled.append, None, None)


async def test_while_another_program_writes_the_loop_turns_and_no_answer_is_lost(opened: App) -> None:
    async with opened as app:
        with closing(other_writer(app)) as holder:
            polling = asyncio.create_task(app.poll())
            for _ in range(10):
                await asyncio.sleep(0.05)
                assert not polling.done()
            holder.execute("ROLLBACK")
        report = await asyncio.wait_for(polling, 60)
    assert [each.status for each in report.polled] == ["ok"]
    assert report.new > 0


@pytest.mark.usefixtures("impatient")
async def test_nobody_is_asked_for_what_could_not_be_stored(opened: App) -> None:
    polled: list[Polled] = []
    async with opened as app:
        worker = worker_of(app, polled)
        with closing(other_writer(app)), pytest.raises(StoreError, match="another program has been writing"):
            await worker._read()
        assert polled == []
        await worker._read()
    assert len(polled) == 1


async def test_a_full_disk_is_noticed_before_anybody_is_asked(
    opened: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    polled: list[Polled] = []
    monkeypatch.setattr(worker_module, "ROOM_BYTES", 2**62)
    async with opened as app:
        with pytest.raises(StoreError, match="free some space, and reading goes on by itself"):
            await worker_of(app, polled)._read()
    assert polled == []


async def test_a_source_is_not_asked_again_and_again_when_its_answer_cannot_be_stored(
    opened: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = 0

    def broken(record: Any) -> int:
        nonlocal tries
        tries += 1
        raise StoreError("the disk reports an error")

    async with opened as app:
        worker = worker_of(app, [])
        with monkeypatch.context() as patched:
            patched.setattr(app.store, "record_poll", broken)
            with pytest.raises(StoreError):
                await worker._read()
            await worker._read()
            worker.scheduler.failing["read"] = "the disk reports an error"
            with pytest.raises(MonitorError, match="the disk reports an error"):
                await worker._read()  # no sign that it works again
        assert tries == 1
        worker._read_after = 0.0
        await worker._read()
        assert app.store.source_states()[0].state == "ok"


async def test_what_cannot_be_marked_as_sent_is_one_trouble_with_a_name(
    opened: App, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise StoreError("the disk is full")

    async with opened as app:
        await app.cycle()
        app.store.db.run("DELETE FROM digest_claims")
        clock.now += SECOND
        assert app.compose(force=True).composed
        monkeypatch.setattr(app.store, "mark_sent", broken)
        with pytest.raises(StoreError, match="the disk is full"):
            await app.flush()


@pytest.mark.usefixtures("impatient")
async def test_the_operator_hears_once_that_nothing_can_be_stored_and_once_that_it_can(
    opened: App, clock: Clock, tmp_path: Path
) -> None:
    async with opened as app:
        worker = worker_of(app, [])
        worker.beaten = -math.inf  # as after minutes of this
        with closing(other_writer(app)):
            for _ in range(2):
                clock.now += SECOND
                with pytest.raises(StoreError):
                    await worker._beat()
        (told,) = tmp_path.glob("storage/digests/operator-*.txt")
        assert "nothing can be stored, and so nothing is read or sent" in told.read_text()
        for _ in range(2):
            clock.now += SECOND
            await worker._beat()
    (better,) = set(tmp_path.glob("storage/digests/operator-*.txt")) - {told}
    assert "the database can be written again" in better.read_text()


async def test_when_the_clock_goes_back_no_job_waits_for_the_old_hour(
    opened: App, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "CLOCK_S", 0.02)
    ran = asyncio.Event()

    async def job() -> None:
        ran.set()

    async with opened as app:
        worker = worker_of(app, [])
        worker.scheduler.every("tick", 3600, job, first_at=datetime.now(UTC) + timedelta(hours=1))
        worker.scheduler.start()
        watching = asyncio.create_task(worker._watch_clock())
        await asyncio.sleep(0)  # it has looked at the clock
        clock.now -= timedelta(hours=1)
        await asyncio.wait_for(ran.wait(), 60)
        worker.signals.stop.set()
        await watching
        await worker.scheduler.stop(1)


async def test_after_a_jump_of_a_year_nothing_is_forgotten_for_a_day(
    opened: App, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "CLOCK_S", 0.02)
    async with opened as app:
        worker = worker_of(app, [])
        watching = asyncio.create_task(worker._watch_clock())
        await asyncio.sleep(0)
        clock.now += timedelta(days=365)
        while not worker._house_after:
            await asyncio.sleep(0.02)
        worker.signals.stop.set()
        await watching
        await worker._keep_house()
        assert app.store.get_state("housekeeping") is None


async def test_a_clock_that_was_a_year_ahead_holds_nothing_up_when_it_is_right_again(
    opened: App, clock: Clock
) -> None:
    right = clock.now
    async with opened as app:
        clock.now = right + timedelta(days=365)
        worker = worker_of(app, [])
        await worker._beat()
        await worker._read()  # its news looks a year old
        assert app.store.status(clock.now)["matches"] == 0
        clock.now = right + timedelta(minutes=1)
        await worker._beat()
        await worker._read()
        assert app.store.status(clock.now)["matches"] > 0
        clock.now += timedelta(hours=2)
        assert [state.source.id for state in app.store.due_sources(clock.now)] == ["gov"]
        assert not app.heed_clock()
