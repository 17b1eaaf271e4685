"""Mail to the letter: what a real SMTP server gets, and what each of its answers means."""

from __future__ import annotations

import asyncio
import email
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from email import policy
from pathlib import Path

import pytest

from monitor.deliver import EmailSettings, channels
from monitor.deliver.email import EmailChannel
from monitor.deliver.message import address, build, serialised
from monitor.digest.payloads import payloads
from monitor.digest.render import render
from monitor.errors import ConfigError, DeliveryError, Problem
from tests import smtp_server
from tests.fakes import HOSTILE, TEXT_JA, digest, evidence, outlet, row, spec, story


class Secret:
    def __init__(self, value: str | None) -> None:
        self._value = value

    def reveal(self) -> str:
        if self._value is None:
            raise ConfigError(
                [Problem("monitor.yaml", 0, 0, "environment variable SMTP_PASSWORD is not set")]
            )
        return self._value


def settings(server: smtp_server.Server, **changes: object) -> EmailSettings:
    made = EmailSettings(
        host="localhost",
        port=server.port,
        sender="Tech monitor <monitor@example.org>",
        username=smtp_server.USER,
        password=Secret(smtp_server.PASSWORD),
        ca_file=server.ca_file,
        timeout_s=5,
    )
    return replace(made, **changes)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[smtp_server.Server]:
    with smtp_server.serve(tmp_path) as running:
        yield running


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[smtp_server.Server]:
    with smtp_server.serve(tmp_path, tls=False) as running:
        yield running


def mail_of(*entries, **changes):
    """An outbox row with a real digest in it."""
    rendered = render(digest(*entries, **changes))
    (payload,) = payloads("email", rendered)
    return row(subject=payload.subject, payload=payload.content)


def parsed(body: bytes) -> email.message.EmailMessage:
    return email.message_from_bytes(body, policy=policy.default)


async def failure(channel: EmailChannel, message=None) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await channel.send(message or row())
    # A broken handshake leaves an alert to be written; a loop that ends before that leaks the socket.
    await asyncio.sleep(0.05)
    return caught.value


# --- what is sent ----------------------------------------------------------------------------


async def test_a_digest_arrives_over_verified_starttls_with_a_login(server: smtp_server.Server) -> None:
    receipt = await EmailChannel("mail", settings(server)).send(mail_of(story()))
    assert "queued as 4711" in receipt.response
    assert server.mailbox.encrypted == [True]
    assert server.mailbox.authenticated == [True]
    (envelope,) = server.mailbox.envelopes
    assert (envelope.mail_from, envelope.rcpt_tos) == ("monitor@example.org", ["desk@example.org"])
    message = parsed(server.mailbox.bodies[0])
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert "UK and Japan sign chip partnership" in message.get_body(("plain",)).get_content()
    assert "<h3" in message.get_body(("html",)).get_content()


def test_the_headers_of_automatic_list_mail() -> None:
    made = EmailSettings(host="h", sender="Monitor <monitor@example.org>", reply_to="desk-admin@example.org")
    long = [f"<{n:024}.{n:012}@example.org>" for n in range(11)]
    raw = serialised(build(row(payload={"html": "h", "text": "t", "references": long}), made)).decode()
    lines = raw.split("\r\n\r\n")[0].split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    assert headers["Date"] == "Fri, 27 Mar 2026 08:00:00 +0000"
    assert headers["Message-ID"] == "<kkkk@example.org>"
    assert headers["Auto-Submitted"] == "auto-generated"
    assert headers["X-Auto-Response-Suppress"] == "All"
    assert headers["List-Id"] == "<morning.example.org>"
    assert headers["List-Unsubscribe"] == "<mailto:desk-admin@example.org?subject=unsubscribe%20morning>"
    assert headers["References"] == " ".join(long), "not encoded and not broken"
    assert headers["In-Reply-To"] == long[-1]
    assert headers["MIME-Version"] == "1.0"
    assert "List-Unsubscribe-Post" not in headers, "there is no address to post to"


def test_the_same_row_is_the_same_mail_byte_for_byte() -> None:
    made = EmailSettings(host="h", sender="monitor@example.org")
    message = mail_of(story())
    assert serialised(build(message, made)) == serialised(build(message, made))


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_lines_end_in_crlf_and_stay_short_and_seven_bit(lang: str) -> None:
    entry = story(text=TEXT_JA, evidence=evidence(TEXT_JA, "日英"), title="日英" * 60, lang="ja")
    body = serialised(
        build(mail_of(entry, spec=spec(lang=lang)), EmailSettings(host="h", sender="m@example.org"))
    )
    assert body.isascii()
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", body)
    head, _, parts = body.partition(b"\r\n\r\n")
    assert max(map(len, head.split(b"\r\n"))) <= 998
    assert max(map(len, parts.split(b"\r\n"))) <= 76


async def test_japanese_subjects_and_bodies_come_out_as_they_went_in(server: smtp_server.Server) -> None:
    entry = story(
        title="日英が半導体で協力", text=TEXT_JA, evidence=evidence(TEXT_JA, "半導体分野の協力"), lang="ja"
    )
    sent = mail_of(entry, spec=spec(lang="ja", title="日英技術モニター", zone="Asia/Tokyo"))
    made = settings(server, sender="日英モニター <monitor@example.org>")
    await EmailChannel("mail", made).send(sent)
    message = parsed(server.mailbox.bodies[0])
    assert message["Subject"] == "日英技術モニター: 1件 · 3月27日(金)"
    assert message["From"].addresses[0].display_name == "日英モニター"
    assert message.get_body(("plain",)).get_content().replace("\r\n", "\n") == sent.payload["text"]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
async def test_hostile_strings_arrive_as_text(text: str, relay: smtp_server.Server) -> None:
    body = f"{text} semiconductor {text}"
    entry = story(
        title=text, why=text, text=body, evidence=evidence(body, "semiconductor"), outlets=(outlet(text),)
    )
    sent = mail_of(entry, kind="immediate", spec=spec(title=text or "t"))
    await EmailChannel("mail", settings(relay, security="none", username="")).send(sent)
    (envelope,) = relay.mailbox.envelopes
    assert envelope.rcpt_tos == ["desk@example.org"]
    message = parsed(relay.mailbox.bodies[0])
    assert message["Bcc"] is None
    assert message.get_content_type() == "multipart/alternative"
    assert len(list(message.iter_parts())) == 2
    assert "Coverage" in message.get_body(("plain",)).get_content(), "nothing after a lone dot is cut off"


async def test_a_lone_dot_in_the_text_ends_nothing(relay: smtp_server.Server) -> None:
    text = "before\n.\r\nMAIL FROM:<evil@example.org>\r\n.\r\n.\n..\nafter\n"
    await EmailChannel("mail", settings(relay, security="none", username="")).send(
        row(payload={"html": text, "text": text})
    )
    (envelope,) = relay.mailbox.envelopes
    got = parsed(relay.mailbox.bodies[0]).get_body(("plain",)).get_content()
    assert got.split() == text.split()
    assert envelope.mail_from == "monitor@example.org"


# --- what its answers mean -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "retryable"),
    [
        ("450 4.2.1 busy", True),
        ("452 4.2.2 full", True),
        ("550 5.1.1 no such user", False),
        ("552 5.2.2 full", False),
    ],
)
async def test_a_refused_recipient(server: smtp_server.Server, reply: str, retryable: bool) -> None:
    server.mailbox.rcpt_replies["desk@example.org"] = reply
    error = await failure(EmailChannel("mail", settings(server)))
    assert error.retryable == retryable
    assert reply[:3] in str(error)


@pytest.mark.parametrize(("reply", "retryable"), [("451 4.7.1 greylisted", True), ("554 5.7.1 spam", False)])
async def test_a_refused_message(server: smtp_server.Server, reply: str, retryable: bool) -> None:
    server.mailbox.data_replies = [reply]
    assert (await failure(EmailChannel("mail", settings(server)))).retryable == retryable


async def test_a_refused_sender_is_final(server: smtp_server.Server) -> None:
    server.mailbox.mail_reply = "553 5.7.1 not yours"
    assert not (await failure(EmailChannel("mail", settings(server)))).retryable


async def test_one_bad_recipient_does_not_hinder_the_others(server: smtp_server.Server) -> None:
    server.mailbox.rcpt_replies["gone@example.org"] = "550 5.1.1 gone"
    channel = EmailChannel("mail", settings(server))
    messages = [row(recipient=f"{name}@example.org") for name in ("one", "gone", "two")]
    results = await asyncio.gather(*map(channel.send, messages), return_exceptions=True)
    assert [isinstance(result, DeliveryError) for result in results] == [False, True, False]
    assert sorted(to for e in server.mailbox.envelopes for to in e.rcpt_tos) == [
        "one@example.org",
        "two@example.org",
    ]


async def test_a_lost_answer_is_tried_again_under_the_same_message_id(server: smtp_server.Server) -> None:
    server.mailbox.data_replies = ["accept-and-drop"]
    channel = EmailChannel("mail", settings(server))
    assert (await failure(channel)).retryable
    await channel.send(row())
    first, second = server.mailbox.bodies
    assert parsed(first)["Message-ID"] == parsed(second)["Message-ID"] == "<kkkk@example.org>"


async def test_a_certificate_of_somebody_else_is_not_trusted(tmp_path: Path) -> None:
    with smtp_server.serve(tmp_path, name="other.example.org") as server:
        error = await failure(EmailChannel("mail", settings(server)))
    assert error.retryable
    assert server.mailbox.logins == 0, "the password was not shown to it"


async def test_an_unknown_authority_is_not_trusted(server: smtp_server.Server) -> None:
    assert (await failure(EmailChannel("mail", settings(server, ca_file="")))).retryable
    assert server.mailbox.logins == 0


async def test_a_server_without_starttls_gets_neither_password_nor_mail(relay: smtp_server.Server) -> None:
    error = await failure(EmailChannel("mail", settings(relay)))
    assert error.retryable
    assert relay.mailbox.envelopes == []


@pytest.mark.parametrize("password", ["wrong horse", None], ids=["wrong", "not set"])
async def test_a_login_that_fails_is_tried_again_and_told_without_the_password(
    server: smtp_server.Server, password: str | None
) -> None:
    error = await failure(EmailChannel("mail", settings(server, password=Secret(password))))
    assert error.retryable
    assert "wrong horse" not in f"{error} {error.__cause__!r}"


async def test_nobody_listening_is_tried_again(server: smtp_server.Server) -> None:
    assert (await failure(EmailChannel("mail", settings(server, port=1)))).retryable


async def test_a_server_that_says_nothing_is_left_in_time() -> None:
    left = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        await writer.wait_closed()
        left.set()

    silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    async with silent:
        made = EmailSettings("127.0.0.1", "m@example.org", silent.sockets[0].getsockname()[1], timeout_s=0.3)
        assert (await failure(EmailChannel("mail", made))).retryable
        await left.wait()


@pytest.mark.parametrize(
    "wrong", ["", "no-at", "a@b, c@d", "a b@example.org", "a@example.org\r\nBcc: x@y", "@x", "x@"]
)
async def test_an_address_that_is_none_is_final(wrong: str) -> None:
    made = EmailSettings("127.0.0.1", "m@example.org", 1)
    error = await failure(EmailChannel("mail", made), row(recipient=wrong))
    assert not error.retryable


def test_a_domain_in_other_letters_is_written_in_ascii() -> None:
    assert address("席 <desk@例え.jp>").addr_spec == "desk@xn--r8jz45g.jp"


async def test_the_doctor_can_look_without_sending(server: smtp_server.Server) -> None:
    assert await EmailChannel("mail", settings(server)).check()
    assert server.mailbox.logins == 1
    assert server.mailbox.envelopes == []


def test_no_secret_shows_in_a_channel() -> None:
    made = EmailSettings("h", "m@example.org", username="u", password=Secret("correct horse"))
    (channel,) = channels({"mail": made}).values()
    assert "correct horse" not in f"{channel!r} {channel.settings!r}"


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(not shutil.which("spamassassin"), reason="SpamAssassin is not installed")
def test_a_spam_filter_has_little_against_it(tmp_path: Path) -> None:
    """Local rules only: each score must stay below 2 (5 is spam)."""
    entries = [
        story(1, priority="high"),
        story(2, outlets=(outlet(),)),
        story(3, text=TEXT_JA, title="日英が半導体で協力", lang="ja"),
    ]
    counts = (("2026-03-16", "uk-japan", 3), ("2026-03-23", "semiconductors", 5))
    mails = {
        "english": mail_of(*entries, more=3),
        "japanese": mail_of(*entries, spec=spec(lang="ja", title="日英技術モニター")),
        "alert": mail_of(entries[0], kind="immediate"),
        "weekly": mail_of(*entries, kind="weekly", spec=spec(weekly=True), weekly_counts=counts),
        "nothing": mail_of(),
    }
    sender = EmailSettings(host="h", sender="Tech monitor <monitor@example.org>")
    for name, sent in mails.items():
        (tmp_path / f"{name}.eml").write_bytes(serialised(build(sent, sender)))
    files = [tmp_path / f"{name}.eml" for name in mails]  # in one go: it takes seconds to start
    said = subprocess.run(
        ["spamassassin", "-L", "-t", *files], capture_output=True, check=True
    ).stdout.decode()
    scores = re.findall(r"Content analysis details: +\((-?[\d.]+) points", said)
    assert len(scores) == len(mails), said
    assert max(map(float, scores)) < 2, dict(zip(mails, scores, strict=True))
