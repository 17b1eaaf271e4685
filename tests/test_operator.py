"""The engineer is told each change once, in words that every channel can send."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.deliver.file import FileChannel
from monitor.deliver.message import build, serialised
from monitor.deliver.options import EmailSettings, FileSettings
from monitor.deliver.webhook import document
from monitor.lookout import Lookout
from monitor.model import ChannelSpec, Source, SourceState
from monitor.operator import WELL, Finding, messages, tell
from monitor.store import Store, open_store
from tests.fakes import NOW

MAIL = ChannelSpec("mail", "email", ("ops@example.org",))
SLACK = ChannelSpec("slack", "slack")
BROKEN = Finding("source:meti", "failing", "METI (meti) is failing: HTTP 503")
MENDED = Finding("source:meti", WELL, "METI (meti) is read again")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "m.db") as opened:
        yield opened


def waiting(store: Store) -> list[str]:
    return [row["subject"] for row in reversed(store.outbox_rows())]


def test_a_change_is_told_once_to_each_channel_and_again_when_it_ends(store: Store) -> None:
    for found in (BROKEN, BROKEN, MENDED, MENDED, BROKEN):
        tell(store, [found], [MAIL, SLACK], NOW)
    told = [BROKEN, MENDED, BROKEN]
    assert waiting(store) == [f"Monitor: {each.text}" for each in told for _ in range(2)]


def test_a_restart_does_not_tell_it_again(tmp_path: Path) -> None:
    for _ in range(2):
        with open_store(tmp_path / "m.db") as store:
            tell(store, [BROKEN], [MAIL], NOW)
            assert len(waiting(store)) == 1


def test_what_was_always_well_is_not_told(store: Store) -> None:
    assert tell(store, [MENDED], [MAIL], NOW) == []
    assert waiting(store) == []


def test_many_changes_are_one_message(store: Store) -> None:
    found = [Finding(f"source:s{n}", "failing", f"s{n} is failing") for n in range(134)]
    tell(store, found, [SLACK], NOW)
    assert waiting(store) == ["Monitor: s0 is failing (and 133 more)"]


class Crash(Exception):
    pass


def test_stopped_before_it_is_stored_it_is_told_at_the_next_look(store: Store) -> None:
    class Stops:
        write, get_state, put_state = store.write, store.get_state, store.put_state

        def record_messages(self, *_: Any) -> None:
            store.record_messages(*_)
            raise Crash

    with pytest.raises(Crash):
        tell(Stops(), [BROKEN], [MAIL], NOW)
    assert waiting(store) == []
    assert tell(store, [BROKEN], [MAIL], NOW) == [BROKEN]


HOSTILE = Finding("source:x", "failing", "<!channel> <script>alert(1)</script> & co\r\nBcc: a@b.c \udcff")


async def test_every_kind_of_channel_can_send_it(tmp_path: Path) -> None:
    kinds = [ChannelSpec(kind, kind) for kind in ("slack", "webhook", "file", "apprise")]
    rows = {row.kind: row for row in messages("e", "Monitor: x", [HOSTILE], [MAIL, *kinds], NOW, {})}
    settings = EmailSettings(host="h", sender="monitor@example.org")
    assert b"\nBcc:" not in serialised(build(rows["email"], settings)).partition(b"\r\n\r\n")[0]
    assert "<!channel>" not in str(rows["slack"].payload["text"])
    assert b'"state":"failing"' in document(replace(rows["webhook"], payload=_clean(rows["webhook"].payload)))
    assert "failing: " in str(rows["apprise"].payload["text"])
    good = {row.kind: row for row in messages("e", "Monitor: x", [BROKEN], kinds, NOW, {})}["file"]
    await FileChannel("file", FileSettings(tmp_path, ("html", "text", "eml", "atom"))).send(good)
    assert {path.suffix for path in tmp_path.glob("*.*")} == {".html", ".txt", ".eml"}
    assert "&lt;script&gt;" in str(rows["file"].payload["html"])


def _clean(payload: Any) -> Any:
    """As the database gives it back."""
    import json

    return json.loads(json.dumps(payload).replace("\\udcff", "?"))


# --- looking ---------------------------------------------------------------------------------


class World:
    """A database whose sources and messages are set by the test."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sources: list[SourceState] = []
        self.outbox: list[dict[str, Any]] = []

    def source_states(self) -> list[SourceState]:
        return self.sources

    def outbox_rows(self, status: str | None = None, limit: int = 100) -> list[dict[str, Any]]:
        return [row for row in self.outbox if status in (None, row["status"])]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "m.db")


def troubles(found: list[Finding]) -> dict[str, str]:
    return {each.subject: each.state for each in found if each.state != WELL and each.subject != "disk"}


def source(state: str, **changes: Any) -> SourceState:
    return SourceState(Source("meti", "https://e.org/"), state=state, last_polled_at=NOW, **changes)


@pytest.mark.parametrize("state", ["failing", "silent", "gone"])
def test_a_source_in_trouble_is_found(world: World, state: str) -> None:
    world.sources = [source(state, state_reason="HTTP 503")]
    assert troubles(Lookout(world, NOW).findings(NOW)) == {"source:meti": state}


def test_without_a_network_only_the_network_is_the_trouble_until_each_source_was_asked_again(
    world: World,
) -> None:
    lookout = Lookout(world, NOW)
    world.sources = [source("failing", failures=3)]
    assert troubles(lookout.findings(NOW, offline=True)) == {"network": "down"}
    assert troubles(lookout.findings(NOW)) == {}
    later = NOW + timedelta(minutes=5)
    world.sources = [replace(source("failing", failures=4), last_polled_at=later)]
    assert "source:meti" in troubles(lookout.findings(later))


def test_refused_mail_is_found_long_before_it_is_given_up(world: World) -> None:
    row = {"channel": "mail", "status": "retry", "attempts": 2, "error": "550"}
    world.outbox = [row]
    assert troubles(Lookout(world, NOW).findings(NOW)) == {}
    row["attempts"] = 3
    assert troubles(Lookout(world, NOW).findings(NOW)) == {"delivery:mail": "refused"}
    row["status"] = "dead"
    assert troubles(Lookout(world, NOW).findings(NOW)) == {"delivery:mail": "dead"}


@pytest.mark.parametrize(("jump_s", "found"), [(3600, True), (-3600, True), (20, False)])
def test_a_clock_that_jumps_is_found(world: World, jump_s: float, found: bool) -> None:
    lookout = Lookout(world, NOW, monotonic=0)
    at = NOW + timedelta(seconds=60 + jump_s)
    assert ("clock" in troubles(lookout.findings(at, monotonic=60))) is found
    assert "clock" not in troubles(lookout.findings(at + timedelta(seconds=60), monotonic=120))


def test_dying_worker_processes_are_found_one_loss_is_not(world: World) -> None:
    lookout = Lookout(world, NOW, monotonic=0)
    states = [
        troubles(lookout.findings(NOW + timedelta(seconds=t), losses=n, monotonic=t)).get("processes")
        for t, n in ((0, 0), (60, 1), (120, 3), (180, 3), (1200, 3))
    ]
    assert states == [None, None, "dying", "dying", None]


def test_each_miss_of_the_prefilter_is_found_once(world: World) -> None:
    lookout = Lookout(world, NOW)
    seen = ["prefilter" in troubles(lookout.findings(NOW, missed=n)) for n in (0, 1, 1, 3, 3)]
    assert seen == [False, True, False, True, False]


def test_failing_jobs_refused_configuration_and_damage_are_found(world: World) -> None:
    found = Lookout(world, NOW).findings(
        NOW, jobs={"read": "disk full", "send": ""}, refused="rules.yaml:3: no", damage=["page 4"]
    )
    assert troubles(found) == {"job:read": "failing", "configuration": "refused", "database": "damaged"}
