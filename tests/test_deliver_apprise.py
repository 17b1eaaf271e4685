"""Apprise itself against a service on 127.0.0.1: what arrives there, and what a failure means."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest

from monitor import store as stores
from monitor.deliver import AppriseSettings, Channel, channels
from monitor.digest.payloads import payloads
from monitor.digest.pieces import MAX_BYTES, MAX_CHARS, calling_nobody, pieces
from monitor.digest.render import render
from monitor.errors import DeliveryError
from monitor.model import OutboxRow
from monitor.outbox import Patience, flush, outbox_key
from tests import slack_server
from tests.fakes import HOSTILE, NOW, TEXT_JA, Clock, digest, row, spec, story

# A library of Apprise's for mail asks for a module that Python 3.13 drops.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")

PASSWORD = "correct-horse-battery"
with_apprise = pytest.mark.skipif(find_spec("apprise") is None, reason="Apprise is not installed")


@pytest.fixture
def service() -> Iterator[tuple[str, slack_server.Inbox]]:
    """A service that takes any JSON, as an address of Apprise's, and what it took."""
    with slack_server.serve() as (url, inbox):
        inbox.check_limits = False
        yield f"json://desk:{PASSWORD}@{urlsplit(url).netloc}/hook", inbox


def channel(url: str) -> Channel:
    (made,) = channels({"chat": AppriseSettings(SimpleNamespace(reveal=lambda: url))}).values()
    return made


def rows(*entries: Any, **changes: Any) -> list[OutboxRow]:
    made = digest(*entries, **changes)
    return [
        row(
            "apprise",
            channel="chat",
            key=outbox_key(made.id, "chat", "", each.part),
            subject=each.subject,
            payload=each.content,
        )
        for each in payloads("apprise", render(made))
    ]


# --- in pieces -------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_a_long_digest_is_cut_between_stories_and_loses_nothing(lang: str) -> None:
    entries = [story(n, text=TEXT_JA if lang == "ja" else "Chips.", title=f"日英 {n}") for n in range(1, 13)]
    made = digest(*entries, spec=spec(lang=lang))
    text = render(made).text.strip()
    found = pieces(text)
    assert len(found) > 2
    assert all(len(piece) <= MAX_CHARS and len(piece.encode()) <= MAX_BYTES for piece in found)
    assert "\n\n".join(found) == text
    sent = rows(*entries, spec=spec(lang=lang))
    assert [each.subject.rpartition(" ")[2] for each in sent] == [
        f"({n}/{len(found)})" for n in range(1, len(found) + 1)
    ]
    assert len({each.key for each in sent}) == len(found)


def test_a_story_longer_than_a_piece_is_cut_within() -> None:
    text = "head\n\n" + "\n".join("日" * 2_000 for _ in range(3)) + "\n\ntail"
    found = pieces(text)
    assert all(len(piece) <= MAX_CHARS and len(piece.encode()) <= MAX_BYTES for piece in found)
    assert "".join(found).replace("\n", "") == text.replace("\n", "")


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("wake @everyone", True),
        ("@here and @channel", True),
        ("<!channel> <@U123> <#C1>", True),
        ("desk@everyone.example, https://example.org/@here", False),
        ("x < y, @home", False),
    ],
)
def test_no_headline_calls_anybody(text: str, calls: bool) -> None:
    made = calling_nobody(text)
    assert (made != text) == calls
    assert made.replace("\u200b", "") == text
    assert "<!" not in made
    assert "<@" not in made


# --- what arrives ----------------------------------------------------------------------------


@with_apprise
async def test_a_digest_arrives_as_it_was_composed(service: tuple[str, slack_server.Inbox]) -> None:
    url, inbox = service
    (sent,) = rows(story(title="日英が半導体で協力"))
    assert (await channel(url).send(sent)).response == "accepted"
    (got,) = inbox.messages
    assert got["title"] == sent.subject
    assert got["message"] == str(sent.payload["text"])
    assert "日英が半導体で協力" in got["message"]


@with_apprise
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
async def test_hostile_strings_arrive_as_text(text: str, service: tuple[str, slack_server.Inbox]) -> None:
    url, inbox = service
    for each in rows(story(title=text, why=text, text=f"{text} semiconductor")):
        await channel(url).send(each)
    everything = json.dumps(inbox.messages, ensure_ascii=False)
    assert "Coverage" in everything, "nothing is cut off"
    for call in ("<!channel>", "<@U123>", "\\u001b", "\\u0000", "\\r"):
        assert call not in everything


# --- what a failure means --------------------------------------------------------------------


@with_apprise
@pytest.mark.parametrize("answer", [(500, {}, "oops"), (429, {}, "slow"), (404, {}, "gone"), "reset"])
async def test_a_refusal_is_tried_again(answer: Any, service: tuple[str, slack_server.Inbox]) -> None:
    """Apprise does not say why it failed: whatever it was, the message has its tries."""
    url, inbox = service
    inbox.answers = [answer]
    (sent,) = rows(story())
    with pytest.raises(DeliveryError, match="did not take it") as caught:
        await channel(url).send(sent)
    assert caught.value.retryable
    await channel(url).send(sent)
    assert len(inbox.messages) == 1


@with_apprise
async def test_nobody_listening_is_tried_again() -> None:
    with pytest.raises(DeliveryError) as caught:
        await channel("json://127.0.0.1:1/").send(rows(story())[0])
    assert caught.value.retryable


@with_apprise
async def test_an_address_of_no_service_is_final() -> None:
    with pytest.raises(DeliveryError, match="no service Apprise knows") as caught:
        await channel("what://topic").send(rows(story())[0])
    assert not caught.value.retryable


@with_apprise
async def test_a_piece_that_failed_comes_again_without_the_others(
    service: tuple[str, slack_server.Inbox], tmp_path: Path
) -> None:
    url, inbox = service
    entries = [story(n, title=f"Story {n}") for n in range(1, 8)]
    sent = rows(*entries)
    inbox.answers = ["ok", (500, {}, "oops")]
    clock, ways = Clock(NOW), {"chat": channel(url)}
    with stores.open_store(tmp_path / "m.db") as store:
        store.record_digest(digest(*entries), "s", [], sent, None, NOW)
        first = await flush(store, ways, clock, patience=Patience())
        assert (first.sent, first.retried, first.dead) == (len(sent) - 1, 1, 0)
        clock.forward(hours=1)
        assert (await flush(store, ways, clock, patience=Patience())).sent == 1
    titles = [message["title"] for message in inbox.messages]
    assert sorted(titles) == sorted(each.subject for each in sent), "each once"
    everything = "".join(message["message"] for message in inbox.messages)
    assert all(f"Story {n}\n" in everything for n in range(1, 8))


@with_apprise
async def test_the_address_shows_in_no_log(
    service: tuple[str, slack_server.Inbox], caplog: pytest.LogCaptureFixture
) -> None:
    url, inbox = service
    inbox.answers = [(403, {}, "no"), "reset"]
    with caplog.at_level(logging.INFO):
        for _ in range(2):
            with pytest.raises(DeliveryError) as caught:
                await channel(url).send(rows(story())[0])
            assert PASSWORD not in f"{caught.value} {caught.value.__cause__!r}"
    assert PASSWORD not in caplog.text


@with_apprise
async def test_a_service_that_takes_less_gets_more_messages(
    service: tuple[str, slack_server.Inbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    import apprise

    (plugin,) = {type(apprise.Apprise.instantiate(service[0]))}
    monkeypatch.setattr(plugin, "body_maxlen", 200)
    url, inbox = service
    (sent,) = rows(story())
    await channel(url).send(sent)
    assert len(inbox.messages) > 1
    together = "".join("".join(message["message"].split()) for message in inbox.messages)
    assert together == "".join(str(sent.payload["text"]).split())


async def test_without_apprise_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    (made,) = channels({"ntfy": AppriseSettings(SimpleNamespace(reveal=lambda: "ntfy://x"))}).values()
    with pytest.raises(DeliveryError, match=r"japan-tech-monitor\[channels\]") as caught:
        await made.send(row("apprise"))
    assert caught.value.retryable
