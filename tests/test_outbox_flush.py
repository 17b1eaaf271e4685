"""Nothing is lost on its way out, and nobody waits for somebody else's failure."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from monitor import store as stores
from monitor.deliver import EmailSettings, channels
from monitor.model import OutboxRow
from monitor.outbox import Patience, backoff, flush
from monitor.store import Store
from tests import smtp_server
from tests.fakes import Clock, FakeChannel, digest, refusal, row, story
from tests.store_kit import NOW

PATIENCE = Patience(tries=3, backoff_s=60, backoff_cap_s=600, lease_s=300, send_s=5)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with stores.open_store(tmp_path / "monitor.db") as opened:
        yield opened


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


def put(store: Store, *rows: OutboxRow, name: str = "morning") -> None:
    made = digest(story(), id=f"{name}|scheduled|{len(rows)}")
    keyed = [
        replace(each, key=f"{name}-{n}", message_id=f"<{name}-{n}@example.org>")
        for n, each in enumerate(rows)
    ]
    store.record_digest(made, "subject", [], keyed, None, NOW)


def mails(count: int = 1, channel: str = "mail") -> list[OutboxRow]:
    return [row("email", channel=channel, recipient=f"{channel}{n}@example.org") for n in range(count)]


def states(store: Store) -> list[str]:
    return [each["status"] for each in store.db.all("SELECT status FROM outbox ORDER BY id")]


async def sent_by(store: Store, clock: Clock, **ports) -> tuple[int, int, int]:
    report = await flush(store, ports, clock, patience=PATIENCE, jitter=lambda: 0.0)
    return report.sent, report.retried, report.dead


async def test_what_is_due_is_sent_once(store: Store, clock: Clock) -> None:
    put(store, *mails(3))
    mail = FakeChannel()
    assert await sent_by(store, clock, mail=mail) == (3, 0, 0)
    assert await sent_by(store, clock, mail=mail) == (0, 0, 0)
    assert len(mail.sent) == 3
    assert states(store) == ["sent"] * 3


async def test_a_failure_comes_again_later_each_time_and_then_is_dead(store: Store, clock: Clock) -> None:
    put(store, *mails())
    mail = FakeChannel(answers=[refusal(retryable=True)] * 3)
    assert await sent_by(store, clock, mail=mail) == (0, 1, 0)
    assert await sent_by(store, clock, mail=mail) == (0, 0, 0), "not before its time"
    clock.forward(seconds=60)
    assert await sent_by(store, clock, mail=mail) == (0, 1, 0)
    clock.forward(seconds=119)
    assert await sent_by(store, clock, mail=mail) == (0, 0, 0)
    clock.forward(seconds=1)
    assert await sent_by(store, clock, mail=mail) == (0, 0, 1)
    assert states(store) == ["dead"]
    assert store.coverage(clock()).dead_letters == 1, "the next digest says so"
    store.requeue(None, clock())
    assert await sent_by(store, clock, mail=mail) == (1, 0, 0)
    assert mail.sent[0].message_id == "<morning-0@example.org>"


async def test_a_final_refusal_is_dead_at_once(store: Store, clock: Clock) -> None:
    put(store, *mails())
    assert await sent_by(store, clock, mail=FakeChannel(answers=[refusal(retryable=False)])) == (0, 0, 1)


async def test_one_bad_recipient_delays_nobody(store: Store, clock: Clock) -> None:
    put(store, *mails(3))
    mail = FakeChannel(answers=[None, refusal(retryable=False), None])
    assert await sent_by(store, clock, mail=mail) == (2, 0, 1)


async def test_a_hanging_channel_delays_no_other(store: Store, clock: Clock) -> None:
    put(store, *mails(2, "stuck"), name="a")
    put(store, *mails(2), name="b")
    released = asyncio.Event()
    stuck, mail = FakeChannel(before=lambda _: released.wait()), FakeChannel()
    work = asyncio.create_task(flush(store, {"stuck": stuck, "mail": mail}, clock, patience=PATIENCE))
    while len(mail.sent) < 2:
        await asyncio.sleep(0.01)
    assert stuck.sent == []
    released.set()
    assert (await work).sent == 4


async def test_a_slow_recipient_leaves_lanes_to_the_others_of_its_channel(store: Store, clock: Clock) -> None:
    put(store, *mails(10))
    released = asyncio.Event()
    mail = FakeChannel(before=lambda each: released.wait() if each.recipient == "mail0@example.org" else None)
    work = asyncio.create_task(flush(store, {"mail": mail}, clock, patience=PATIENCE))
    while len(mail.sent) < 9:
        await asyncio.sleep(0.01)
    released.set()
    assert (await work).sent == 10


async def test_a_send_without_end_is_cut_off_and_tried_again(store: Store, clock: Clock) -> None:
    put(store, *mails())
    mail = FakeChannel(before=lambda _: asyncio.sleep(60))
    report = await flush(store, {"mail": mail}, clock, patience=replace(PATIENCE, send_s=0.05))
    assert (report.retried, report.failures[0]) == (1, ("mail", "no answer within 0.05 s"))


async def test_a_fault_of_our_own_keeps_the_message(store: Store, clock: Clock) -> None:
    put(store, *mails(1, "bug"), name="a")
    put(store, *mails(1), name="b")
    bug = FakeChannel(answers=[ZeroDivisionError("oops")])
    assert await sent_by(store, clock, bug=bug, mail=FakeChannel()) == (1, 1, 0)
    assert states(store) == ["retry", "sent"]


async def test_a_channel_no_longer_configured_keeps_its_messages_for_a_while(
    store: Store, clock: Clock
) -> None:
    put(store, *mails(1, "gone"))
    assert await sent_by(store, clock) == (0, 1, 0)
    assert "no channel of this name" in store.outbox_rows()[0]["error"]


async def test_a_receiver_that_asks_to_wait_is_obeyed_by_the_whole_channel(
    store: Store, clock: Clock
) -> None:
    put(store, *(row("slack", channel="team") for _ in range(4)))
    team = FakeChannel(answers=[None, refusal(retryable=True, retry_after_s=30)])
    assert await sent_by(store, clock, team=team) == (1, 1, 0)
    assert len(team.answers) == 0, "the other two were not even tried"
    clock.forward(seconds=29)
    assert await sent_by(store, clock, team=team) == (0, 0, 0)
    clock.forward(seconds=1)
    assert await sent_by(store, clock, team=team) == (3, 0, 0)


async def test_asking_to_wait_kills_no_message_however_often(store: Store, clock: Clock) -> None:
    put(store, *(row("slack", channel="team") for _ in range(20)))
    team = FakeChannel(answers=[refusal(retryable=True, retry_after_s=1)] * 30)
    for _ in range(60):
        await sent_by(store, clock, team=team)
        clock.forward(seconds=700)
    assert states(store) == ["sent"] * 20


async def test_waiting_for_its_turn_is_no_try(store: Store, clock: Clock) -> None:
    """Put off twenty times because the receiver asks to wait, then failing once: that is the first try."""
    put(store, *(row("slack", channel="team") for _ in range(2)))
    busy = FakeChannel(answers=[refusal(retryable=True, retry_after_s=1)] * 20)
    for _ in range(20):
        await sent_by(store, clock, team=busy)
        clock.forward(seconds=700)
    first, second = (dict(each) for each in store.db.all("SELECT * FROM outbox ORDER BY id"))
    assert (second["status"], second["attempts"]) == ("pending", 0)
    assert second["error"] == "not tried yet: the receiver asked to wait"
    assert first["attempts"] == 20

    failing = FakeChannel(answers=[None, refusal(retryable=True)])
    assert await sent_by(store, clock, team=failing) == (1, 1, 0), "not given up"
    second = dict(store.db.first("SELECT * FROM outbox WHERE id = ?", [second["id"]]) or {})
    assert (second["status"], second["attempts"], second["error"]) == ("retry", 1, "no")


async def test_a_stop_leaves_the_tries_and_the_reason_of_the_last_as_they_were(
    store: Store, clock: Clock
) -> None:
    put(store, *(row("slack", channel="team") for _ in range(2)))
    await sent_by(store, clock, team=FakeChannel(answers=[refusal(retryable=True)] * 2))
    clock.forward(seconds=700)
    stop = asyncio.Event()
    team = FakeChannel(before=lambda _: _after(stop.set))
    await flush(store, {"team": team}, clock, patience=PATIENCE, stopping=stop.is_set)
    (left,) = store.outbox_rows("retry")
    assert (left["attempts"], left["error"]) == (1, "no")


async def test_chat_messages_go_one_by_one_in_order(store: Store, clock: Clock) -> None:
    put(store, *(row("slack", channel="team") for _ in range(12)))
    team = FakeChannel(before=lambda _: asyncio.sleep(0))
    await sent_by(store, clock, team=team)
    assert [each.key for each in team.sent] == [f"morning-{n}" for n in range(12)]


async def test_a_stop_finishes_the_sends_in_hand_and_gives_the_rest_back(store: Store, clock: Clock) -> None:
    put(store, *(row("slack", channel="team") for _ in range(5)))
    stop = asyncio.Event()
    team = FakeChannel(before=lambda _: _after(stop.set))
    report = await flush(store, {"team": team}, clock, patience=PATIENCE, stopping=stop.is_set)
    assert report.sent == len(team.sent) == 1
    assert states(store) == ["sent"] + ["pending"] * 4
    assert await sent_by(store, clock, team=FakeChannel()) == (4, 0, 0), (
        "at once, without waiting for a lease"
    )


async def _after(act) -> None:
    await asyncio.sleep(0.01)
    act()


async def test_rows_are_not_sent_on_a_lease_that_is_about_to_end(store: Store, clock: Clock) -> None:
    put(store, *(row("slack", channel="team") for _ in range(3)))
    leases = []

    def slowly(each: OutboxRow) -> None:
        until = store.db.value("SELECT lease_until FROM outbox WHERE id = ?", [each.id])
        leases.append(datetime.fromisoformat(until) - clock())
        clock.forward(seconds=200)

    team = FakeChannel(before=slowly)
    assert (await sent_by(store, clock, team=team))[0] == 3
    assert leases == [timedelta(seconds=300), timedelta(seconds=100), timedelta(seconds=300)]


@pytest.mark.parametrize(
    ("attempts", "jitter", "seconds"),
    [(1, 0.0, 60), (2, 0.0, 120), (4, 1.0, 384), (5, 0.0, 600), (99, 0.0, 600)],
)
def test_waits_double_up_to_a_cap(attempts: int, jitter: float, seconds: float) -> None:
    assert backoff(attempts, PATIENCE, jitter) == timedelta(seconds=seconds)


# --- stopped between acceptance and mark -----------------------------------------------------


class PowerCut(BaseException):
    """The end of the process."""


async def test_accepted_but_not_marked_is_sent_again_once_under_the_same_message_id(
    store: Store, clock: Clock, tmp_path: Path
) -> None:
    with smtp_server.serve(tmp_path, tls=False) as server:
        made = EmailSettings("127.0.0.1", "monitor@example.org", server.port, security="none", timeout_s=5)
        (mail,) = channels({"mail": made}).values()
        put(store, *mails(3))
        with pytest.raises(BaseExceptionGroup) as caught:
            await flush(_Cut(store), {"mail": mail}, clock, patience=replace(PATIENCE, side_by_side=1))
        assert caught.group_contains(PowerCut)
        assert len(server.mailbox.bodies) == 1
        assert await sent_by(store, clock, mail=mail) == (0, 0, 0), "the lease still holds"
        clock.forward(seconds=PATIENCE.lease_s)
        assert await sent_by(store, clock, mail=mail) == (3, 0, 0)
    ids = [
        line
        for body in server.mailbox.bodies
        for line in body.split(b"\r\n")
        if line.startswith(b"Message-ID")
    ]
    assert sorted(ids) == [b"Message-ID: <morning-%d@example.org>" % n for n in (0, 0, 1, 2)]
    assert server.mailbox.bodies[0] in server.mailbox.bodies[1:], "byte for byte"
    assert states(store) == ["sent"] * 3


class _Cut:
    """The store of a process that dies before it can mark anything."""

    def __init__(self, store: Store) -> None:
        self.claim_due = store.claim_due

    def mark_sent(self, *args: object) -> None:
        raise PowerCut

    mark_retry = mark_dead = release = mark_sent
