"""What a run of mutations found untested in the outbox: reasons that are kept, bounds that hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor import store as stores
from monitor.model import ChannelSpec, OutboxRow
from monitor.outbox import Patience, compose, flush, message_id, outbox_key, preview
from monitor.store import Store
from tests.fakes import Clock, FakeChannel, digest, refusal, row, spec, story
from tests.store_kit import DAY, HOUR, METI, NOW, desk, matched, verdict

PATIENCE = Patience(tries=9, backoff_s=60, backoff_cap_s=600, lease_s=300, send_s=100)
HIGH = verdict(priority="high")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with stores.open_store(tmp_path / "monitor.db") as opened:
        yield desk(opened)


def put(store: Store, count: int, kind: str = "email") -> None:
    rows = [
        replace(row(kind, channel="mail"), key=f"k{n}", recipient=f"r{n}@example.org") for n in range(count)
    ]
    store.record_digest(digest(story()), "subject", [], rows, None, NOW)


def errors(store: Store) -> list[str]:
    return [each["error"] for each in store.db.all("SELECT error FROM outbox ORDER BY id")]


async def flushed(
    store: Store, clock: Clock, mail: FakeChannel, patience: Patience = PATIENCE
) -> tuple[int, ...]:
    report = await flush(store, {"mail": mail}, clock, patience=patience, jitter=lambda: 0.0)
    return report.sent, report.retried, report.dead


# --- flush -----------------------------------------------------------------------------------


async def test_every_message_given_up_is_counted_and_keeps_its_reason(store: Store) -> None:
    put(store, 3)
    mail = FakeChannel(answers=[refusal(retryable=False)] * 3)
    assert await flushed(store, Clock(NOW), mail) == (0, 0, 3)
    assert errors(store) == ["no"] * 3


async def test_every_message_put_off_is_counted_and_keeps_its_reason(store: Store) -> None:
    put(store, 3)
    mail = FakeChannel(answers=[refusal(retryable=True)] * 3)
    assert await flushed(store, Clock(NOW), mail) == (0, 3, 0)
    assert errors(store) == ["no"] * 3


async def test_a_fault_of_our_own_is_named(store: Store) -> None:
    put(store, 1)
    assert await flushed(store, Clock(NOW), FakeChannel(answers=[ZeroDivisionError()])) == (0, 1, 0)
    assert errors(store) == ["ZeroDivisionError in channel"]


async def test_a_lease_must_hold_for_a_whole_send(store: Store) -> None:
    """Of 300 s, 250 are gone after the first send: the second, which may take 100, needs a new one."""
    put(store, 2, kind="slack")
    clock = Clock(NOW)
    left: list[float] = []

    def send(sent: OutboxRow) -> None:
        until = datetime.fromisoformat(
            store.db.value("SELECT lease_until FROM outbox WHERE id = ?", [sent.id])
        )
        left.append((until - clock()).total_seconds())
        clock.forward(seconds=250)

    assert await flushed(store, clock, FakeChannel(before=send)) == (2, 0, 0)
    assert left == [300, 300]


async def test_a_receiver_that_always_wants_little_time_is_left_longer_from_the_third_time_on(
    store: Store,
) -> None:
    put(store, 1)
    clock = Clock(NOW)
    waits = []
    for _ in range(4):
        mail = FakeChannel(answers=[refusal(retryable=True, retry_after_s=5.0)])
        assert await flushed(store, clock, mail) == (0, 1, 0)
        retry_at = datetime.fromisoformat(store.db.value("SELECT retry_at FROM outbox"))
        waits.append((retry_at - clock()).total_seconds())
        clock.at = retry_at
    assert waits == [5, 5, 240, 480]


# --- compose ---------------------------------------------------------------------------------


def rows_of(store: Store) -> list[OutboxRow]:
    return list(store.claim_due(NOW + 9 * DAY, 60, 100))


def test_a_first_look_goes_to_the_file_channels_that_the_digest_has(store: Store) -> None:
    channels = (ChannelSpec("shelf", "file"), ChannelSpec("mail", "email", ("desk@example.org",)))
    given = spec(channels=channels)
    compose(store, [given], NOW)
    matched(store, METI, 1, at=NOW + HOUR)
    compose(store, [given], NOW + HOUR, first_look=True)
    assert [(each.channel, each.kind) for each in rows_of(store)] == [("shelf", "file")]


def test_each_part_of_a_digest_too_long_for_one_message_has_its_own_key(store: Store) -> None:
    given = spec(channels=(ChannelSpec("team", "slack"),), max_stories=60)
    compose(store, [given], NOW)
    for n in range(40):
        matched(store, METI, n, title=f"Story {n}", text=f"Report {n} tells of chips. " * 30, at=NOW + HOUR)
    (made,) = compose(store, [given], NOW + 2 * HOUR, force=True).composed
    assert made.rows > 1
    assert len({each.key for each in rows_of(store)}) == made.rows


def test_without_a_domain_of_its_own_a_message_names_nobody_s(store: Store) -> None:
    compose(store, [spec()], NOW)
    matched(store, METI, 1, at=NOW + HOUR)
    compose(store, [spec()], NOW + 2 * HOUR, force=True)
    (mail,) = rows_of(store)
    assert mail.message_id.endswith(".invalid>")


def test_an_alert_begins_the_thread_of_its_story(store: Store) -> None:
    given = spec(immediate=True)
    compose(store, [given], NOW)
    matched(store, METI, 1, at=NOW + HOUR, judged=HIGH)
    compose(store, [given], NOW + HOUR, domains={"mail": "example.org"})
    (mail,) = rows_of(store)
    (root,) = mail.payload["references"]
    assert root.startswith("<story.")
    assert root.endswith("@example.org>")
    assert root != mail.message_id


def test_the_cap_of_alerts_begins_anew_at_the_reader_s_midnight_to_the_minute(store: Store) -> None:
    """23:59 counts for the old day; 00:00 and half a minute for the new one, in London's summer time."""
    given = spec(immediate=True, immediate_cap=1)
    compose(store, [given], NOW)
    midnight = datetime(2026, 5, 4, 23, 0, tzinfo=UTC)
    for n, at in enumerate((midnight - timedelta(minutes=1), midnight + timedelta(seconds=30))):
        matched(store, METI, n, at=at, judged=HIGH, text=f"Wholly different news, number {n}.")
        assert len(compose(store, [given], at).composed) == 1, at
    matched(store, METI, 9, at=midnight + HOUR, judged=HIGH)
    assert compose(store, [given], midnight + HOUR).composed == ()


def test_a_preview_tells_what_did_not_fit_and_which_sources_were_read(store: Store) -> None:
    given = spec(max_stories=1)
    compose(store, [given], NOW)
    for n in range(3):
        matched(store, METI, n, at=NOW + HOUR, title=f"Story {n}")
    shown = preview(store, given, NOW + 2 * HOUR)
    assert len(shown.digest.entries) == 1
    assert shown.digest.more == 2
    assert shown.digest.coverage.sources == 4
    assert (shown.digest.window_start, shown.digest.window_end) == (NOW + HOUR, NOW + 2 * HOUR)
    assert shown.digest.id == "morning|preview|2026-05-04T10:00:00Z"


def test_a_preview_of_nothing_is_of_this_moment(store: Store) -> None:
    shown = preview(store, spec(), NOW)
    assert (shown.digest.window_start, shown.digest.entries) == (NOW, ())


def test_a_preview_of_a_round_up_has_its_bars(store: Store) -> None:
    given = spec(weekly=True)
    compose(store, [given], NOW - DAY)
    matched(store, METI, 1, at=NOW)
    shown = preview(store, given, NOW + HOUR)
    assert shown.digest.kind == "weekly"
    assert {count for *_, count in shown.digest.weekly_counts} == {1}


def test_a_key_is_the_same_in_every_version() -> None:
    """Else an upgrade between "sent" and our note of it would repeat a message under another key."""
    made = ("london|scheduled|2026-05-05T07:00:00Z", "mail", "desk@example.org")
    key = outbox_key(*made)
    assert key == outbox_key(*made, 1) == "87c2ca5cc4b7cfea945ee495b443253785aae3191053fb5d7570607874e6432c"
    assert outbox_key(*made, 2) == "a93bcf45197d55610db9b0d4f9bb065221e5bf87bbcd5add39ffe0d65d7539ad"
    assert (
        message_id(key, "desk@example.org", "example.org")
        == "<87c2ca5cc4b7cfea945ee495.0a59d4a56be6@example.org>"
    )
