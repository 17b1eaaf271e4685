"""Mail through Debian's Postfix, read back from the mailboxes: what a reader of ours would find there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from types import SimpleNamespace

import pytest

from monitor import store as stores
from monitor.deliver import EmailSettings
from monitor.deliver.email import EmailChannel
from monitor.digest.payloads import payloads
from monitor.digest.render import render
from monitor.errors import DeliveryError
from monitor.model import OutboxRow
from monitor.outbox import Patience, flush, message_id, outbox_key
from tests import postfix_server
from tests.fakes import HOSTILE, NOW, TEXT_JA, Clock, digest, evidence, outlet, row, spec, story

pytestmark = [
    pytest.mark.skipif(bool(postfix_server.missing()), reason=postfix_server.missing() or "it is there"),
    pytest.mark.timeout(300),
]

_JAPANESE = story(
    title="日英が半導体で協力、設計人材を育成へ",
    text=TEXT_JA,
    evidence=evidence(TEXT_JA, "半導体分野の協力"),
    outlets=(outlet("日経"),),
    lang="ja",
)


@pytest.fixture(scope="module")
def server() -> Iterator[postfix_server.Server]:
    """One server for the file. Each test has mailboxes of its own."""
    boxes = ("desk", "tokyo", "later", "again", "careful", "dots")
    try:
        with postfix_server.serve(*boxes) as running:
            yield running
    except postfix_server.NotStarted as error:
        pytest.skip(f"Postfix does not start here: {error}")


def channel(server: postfix_server.Server, **changes: object) -> EmailChannel:
    made = EmailSettings(
        host="localhost",
        port=server.port,
        sender="日英モニター <monitor@example.org>",
        username=f"{postfix_server.USER}@{postfix_server.DOMAIN}",
        password=SimpleNamespace(reveal=lambda: postfix_server.PASSWORD),
        ca_file=server.ca_file,
        timeout_s=60,
    )
    return EmailChannel("mail", replace(made, **changes))


def mails(*names: str, entries=(_JAPANESE,), name: str = "morning") -> list[OutboxRow]:
    """A Japanese digest, one message a recipient, as composing writes them."""
    made = digest(*entries, spec=spec(name, lang="ja", title="日英技術モニター", zone="Asia/Tokyo"))
    (payload,) = payloads("email", render(made))
    rows = []
    for recipient in (f"{each}@example.org" for each in names):
        key = outbox_key(made.id, name, recipient)
        rows.append(
            row(
                channel="mail",
                key=key,
                digest_name=name,
                recipient=recipient,
                subject=payload.subject,
                payload=payload.content,
                message_id=message_id(key, recipient, "example.org"),
            )
        )
    return rows


def part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert body is not None
    return body.get_content().replace("\r\n", "\n")


async def test_each_recipient_gets_the_digest_a_final_no_or_another_try(
    server: postfix_server.Server, tmp_path: Path
) -> None:
    server.refuse(later="450 4.7.1 greylisted, come again")
    rows, clock = mails("desk", "gone", "later", "tokyo"), Clock(NOW)
    ways = {"mail": channel(server)}
    patience = Patience(backoff_s=60, lease_s=900, send_s=300)
    with stores.open_store(tmp_path / "m.db") as store:
        store.record_digest(digest(_JAPANESE), "subject", [], rows, None, NOW)
        report = await flush(store, ways, clock, patience=patience)
        assert (report.sent, report.dead, report.retried) == (2, 1, 1), report.failures
        seen = {each["recipient"]: each for each in store.outbox_rows()}
        assert {to: each["status"] for to, each in seen.items()} == {
            "desk@example.org": "sent",
            "tokyo@example.org": "sent",
            "gone@example.org": "dead",
            "later@example.org": "retry",
        }
        assert "550 5.1.1" in seen["gone@example.org"]["error"]
        assert "User unknown" in seen["gone@example.org"]["error"]
        assert "greylisted, come again" in seen["later@example.org"]["error"]
        assert "queued as" in seen["desk@example.org"]["response"], "the receipt can be found in its log"

        server.refuse()
        for _ in range(5):  # a process of the server that waits already has read the refusal
            clock.forward(hours=2)
            await flush(store, ways, clock, patience=patience)
        assert [each["recipient"] for each in store.outbox_rows("sent")].count("later@example.org") == 1
    for sent in (rows[0], rows[2], rows[3]):
        name = sent.recipient.partition("@")[0]
        (message,) = server.mails(name)
        assert message["Message-ID"] == sent.message_id
        assert message["To"] == sent.recipient, "nobody sees who else reads it"
    assert not (server.folder / "mail" / "gone").exists()


async def test_a_japanese_digest_is_read_as_it_was_written(server: postfix_server.Server) -> None:
    (sent,) = mails("careful", name="asa")
    await channel(server).send(sent)
    (message,) = server.mails("careful")
    assert message["Subject"] == sent.subject == "日英技術モニター: 1件 · 3月27日(金)"
    assert message["From"].addresses[0].display_name == "日英モニター"
    assert message["Return-Path"] == "<monitor@example.org>"
    assert message["List-Id"] == "<asa.example.org>"
    assert message["List-Unsubscribe"] == "<mailto:monitor@example.org?subject=unsubscribe%20asa>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime == NOW
    assert "with ESMTPSA" in message["Received"], "encrypted, and logged in"
    assert [each.get_content_type() for each in message.iter_parts()] == ["text/plain", "text/html"]
    assert part(message, "plain") == sent.payload["text"]
    assert part(message, "html").rstrip("\n") == str(sent.payload["html"]).rstrip("\n")
    for kind in ("plain", "html"):
        assert _JAPANESE.title in part(message, kind)
        assert _JAPANESE.url in part(message, kind)


async def test_a_message_sent_twice_is_recognised_by_its_message_id(server: postfix_server.Server) -> None:
    (sent,) = mails("again")
    for _ in range(2):
        await channel(server).send(sent)
    first, second = server.mails("again", count=2)
    assert first["Message-ID"] == second["Message-ID"] == sent.message_id
    assert part(first, "html") == part(second, "html")


async def test_hostile_text_makes_one_mail_and_no_other(server: postfix_server.Server) -> None:
    """A lone dot, a second envelope and a Bcc in the text are text, to Postfix as well."""
    text = " ".join((*HOSTILE.values(), "\r\n.\r\nMAIL FROM:<evil@example.org>\r\n"))
    entries = (story(1, title=text, why=text), story(2, title="The last of them"))
    (sent,) = mails("dots", entries=entries, name="hostile")
    await channel(server).send(replace(sent, subject=f"{sent.subject} {text}"))
    (message,) = server.mails("dots")
    assert message["Bcc"] is None
    assert "The last of them" in part(message, "plain")
    assert "The last of them" in part(message, "html")
    assert "evil@example.org>, size" not in server.log(), "no envelope of somebody else"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"password": SimpleNamespace(reveal=lambda: "wrong horse")}, "login refused"),
        ({"username": ""}, "554 5.7.1"),
        ({"ca_file": ""}, "certificate verify failed"),
        ({"security": "none"}, "AUTH extension is not supported"),
    ],
    ids=["wrong password", "no login", "unknown authority", "no encryption"],
)
async def test_what_the_server_will_not_have_is_told(
    server: postfix_server.Server, wrong: dict[str, object], said: str
) -> None:
    (sent,) = mails("desk", name="refused")
    with pytest.raises(DeliveryError, match=said) as caught:
        await channel(server, **wrong).send(sent)
    assert "horse" not in str(caught.value)
