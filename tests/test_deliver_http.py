"""Slack and webhooks: what the receiver gets, and what each of its answers means."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import traceback
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from monitor.deliver import SlackSettings, WebhookSettings
from monitor.deliver.slack import SlackChannel
from monitor.deliver.webhook import WebhookChannel, document
from monitor.digest.payloads import payloads
from monitor.digest.render import render
from monitor.errors import ConfigError, DeliveryError, Problem
from monitor.model import DigestEntry, OutboxRow
from monitor.text import clean_line
from tests import slack_server
from tests.fakes import HOSTILE, digest, evidence, outlet, row, story

KEY = "s3cr3t-hmac-key"


class Secret:
    def __init__(self, value: str | None) -> None:
        self._value = value

    def reveal(self) -> str:
        if self._value is None:
            raise ConfigError([Problem("monitor.yaml", 0, 0, "environment variable HOOK is not set")])
        return self._value


@pytest.fixture
def receiver() -> Iterator[tuple[str, slack_server.Inbox]]:
    with slack_server.serve() as running:
        yield running


def slack(url: str | None, timeout_s: float = 5.0) -> SlackChannel:
    return SlackChannel("team", SlackSettings(Secret(url), timeout_s))


def webhook(url: str, **changes) -> WebhookChannel:
    fields = {"url": url, "secret": Secret(KEY), "timeout_s": 5.0, "allow_private": True, **changes}
    return WebhookChannel("hook", WebhookSettings(**fields))


def hostile(text: str) -> DigestEntry:
    """A story that says `text` wherever a source can say anything."""
    body = f"{text} semiconductor {text}"
    return story(
        title=text,
        why=text,
        text=body,
        source_name=text,
        url=f"https://example.org/{text}",
        organisations=(text,),
        outlets=(outlet(text),),
        evidence=evidence(body, "semiconductor"),
    )


def message(kind: str, *entries) -> list[OutboxRow]:
    made = payloads(kind, render(digest(*(entries or (story(),)))))
    return [row(kind, payload=each.content, key=f"{n}" * 64) for n, each in enumerate(made)]


async def failure(channel, sent: OutboxRow) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await channel.send(sent)
    shown = "".join(traceback.format_exception(caught.value)) + repr(channel)
    assert "s3cr3t" not in shown, "no error shows the address or the key"
    return caught.value


# --- Slack -----------------------------------------------------------------------------------


async def test_slack_takes_a_long_digest_part_by_part(receiver) -> None:
    url, inbox = receiver
    rows = message("slack", *(story(n) for n in range(1, 61)))
    for part in rows:
        assert (await slack(url).send(part)).response == "ok"
    assert len(inbox.messages) == len(rows) > 1


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
async def test_slack_takes_hostile_strings(receiver, text: str) -> None:
    url, inbox = receiver
    for part in message("slack", hostile(text)):
        await slack(url).send(part)
    assert "<!" not in json.dumps(inbox.messages, ensure_ascii=False)


@pytest.mark.parametrize(
    ("answer", "retryable", "wait"),
    [
        ((429, {"Retry-After": "7"}, "rate_limited"), True, 7.0),
        ((429, {"Retry-After": "99999999"}, ""), True, 86_400.0),
        ((429, {"Retry-After": "soon"}, ""), True, None),
        ((500, {}, "oops"), True, None),
        ((503, {"Retry-After": "30"}, ""), True, 30.0),
        ((408, {}, ""), True, None),
        ((400, {}, "invalid_blocks"), False, None),
        ((403, {}, "action_prohibited"), False, None),
        ((404, {"Retry-After": "30"}, "no_service"), False, None),
        ((410, {}, "channel_is_archived"), False, None),
        ((302, {"Location": "https://login.example"}, ""), False, None),
        ((200, {}, "<html>Please log in to the hotel network</html>"), True, None),
        ("reset", True, None),
    ],
    ids=str,
)
async def test_slack_answers(receiver, answer, retryable: bool, wait: float | None) -> None:
    url, inbox = receiver
    inbox.answers = [answer]
    error = await failure(slack(url), message("slack")[0])
    assert (error.retryable, error.retry_after_s) == (retryable, wait)
    assert inbox.messages == []
    await slack(url).send(message("slack")[0])


async def test_a_message_slack_took_without_saying_so_is_tried_again(receiver) -> None:
    url, inbox = receiver
    inbox.answers = ["silent-accept"]
    error = await failure(slack(url, timeout_s=0.3), message("slack")[0])
    assert error.retryable
    await slack(url).send(message("slack")[0])
    first, second = inbox.messages
    assert "morning|scheduled|2026-03-27T08:00:00Z" in json.dumps(first), "the reader can see it is the same"
    assert first == second


@pytest.mark.parametrize("url", [None, "http://127.0.0.1:1/s3cr3t"], ids=["not set", "nobody there"])
async def test_slack_that_cannot_be_reached_is_tried_again(url: str | None) -> None:
    assert (await failure(slack(url), message("slack")[0])).retryable


@pytest.mark.parametrize("url", ["ftp://s3cr3t", "s3cr3t", "https://[s3cr3t", ""])
async def test_an_address_that_is_none_is_final(url: str) -> None:
    assert not (await failure(slack(url), message("slack")[0])).retryable


# --- webhook ---------------------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
async def test_webhook_takes_hostile_strings(receiver, text: str) -> None:
    """Whole, since a program reads them, and without what could end a line or move a cursor."""
    url, inbox = receiver
    inbox.check_limits = False
    (sent,) = message("webhook", hostile(text))
    await webhook(url).send(sent)
    ((_, body),) = inbox.requests
    (got,) = json.loads(body)["stories"]
    assert got["title"] == clean_line(text, limit=4_000)
    assert len(got["title"]) > 2_900 or text != HOSTILE["long title"], "not cut"
    assert not re.search(r"[\x00-\x1f\x7f\u202a-\u202e\ud800-\udfff]", body.decode("utf-8"))
    assert urlsplit(got["url"]).scheme in ("https", "")


async def test_a_receiver_can_check_the_signature_and_read_every_fact(receiver) -> None:
    url, inbox = receiver
    inbox.answers = [(204, {}, "")]
    (sent,) = message("webhook")
    assert (await webhook(url).send(sent)).response == "HTTP 204"
    headers, body = inbox.requests[0]
    expected = hmac.new(KEY.encode(), body, hashlib.sha256).hexdigest()
    assert headers["x-monitor-signature"] == f"sha256={expected}"
    assert headers["x-monitor-key"] == sent.key
    document = json.loads(body)
    assert document["schema"] == "japan-tech-monitor/digest/1"
    assert document["key"] == sent.key
    assert document["stories"][0]["amounts"] == [{"text": "£4.5 million", "currency": "GBP", "value": 4.5e6}]
    assert document["coverage"]["failing"][0]["source"] == "METI"
    assert "text" not in document["stories"][0], "the article itself is not sent"


async def test_the_same_message_is_the_same_bytes(receiver) -> None:
    url, inbox = receiver
    inbox.answers = [(500, {}, ""), (200, {}, "")]
    (sent,) = message("webhook")
    assert (await failure(webhook(url), sent)).retryable
    await webhook(url).send(sent)
    assert inbox.requests[0][1] == inbox.requests[1][1]


async def test_without_a_secret_nothing_is_signed(receiver) -> None:
    url, inbox = receiver
    inbox.answers = [(200, {}, "")]
    await webhook(url, secret=None).send(message("webhook")[0])
    assert "x-monitor-signature" not in inbox.requests[0][0]


@pytest.mark.parametrize(
    ("status", "retryable"), [(401, False), (404, False), (422, False), (429, True), (502, True)]
)
async def test_webhook_answers(receiver, status: int, retryable: bool) -> None:
    url, inbox = receiver
    inbox.answers = [(status, {}, "no")]
    assert (await failure(webhook(url), message("webhook")[0])).retryable == retryable


async def test_private_addresses_are_refused_unless_allowed(receiver) -> None:
    url, inbox = receiver
    error = await failure(webhook(url, allow_private=False), message("webhook")[0])
    assert not error.retryable
    assert inbox.requests == []


async def test_a_secret_address_is_used_and_never_shown(receiver) -> None:
    url, inbox = receiver
    inbox.answers = [(500, {}, "")]
    await failure(webhook("", secret_url=Secret(url)), message("webhook")[0])
    assert len(inbox.requests) == 1


async def test_a_huge_answer_is_not_read_to_its_end(receiver) -> None:
    url, inbox = receiver
    inbox.answers = [(500, {}, "x" * 3_000_000)]
    error = await failure(webhook(url), message("webhook")[0])
    assert len(str(error)) < 300


def test_the_manual_names_every_key_and_no_other() -> None:
    """docs/webhook.md, its two tables against a document."""
    manual = (Path(__file__).parent.parent / "docs" / "webhook.md").read_text("utf-8")
    head, _, tail = manual.partition("A story:")
    (sent,) = message("webhook")
    body = json.loads(document(sent))
    assert _keys(head) == set(body)
    assert _keys(tail) == set(body["stories"][0])


def _keys(table: str) -> set[str]:
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    return {key for cell in cells for key in re.findall(r"`(\w+)`", cell)}
