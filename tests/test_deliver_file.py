"""Digests as files: whole or not at all, and the same however often they are written."""

from __future__ import annotations

import email
import re
from email import policy
from pathlib import Path
from types import SimpleNamespace

import feedparser
import pytest

from monitor.deliver import EmailSettings, FileSettings, channels, domains
from monitor.deliver.file import FileChannel
from monitor.digest.payloads import payloads
from monitor.digest.render import render
from monitor.errors import DeliveryError
from monitor.model import OutboxRow
from tests.fakes import HOSTILE, digest, evidence, outlet, row, spec, story


def message(*entries, **changes) -> OutboxRow:
    (made,) = payloads("file", render(digest(*(entries or (story(),)), **changes)))
    return row("file", payload=made.content, subject=made.subject, message_id="")


def channel(folder: Path, *formats: str) -> FileChannel:
    return FileChannel("file", FileSettings(folder / "digests", formats or ("html", "text", "eml", "atom")))


async def test_every_format_is_written(tmp_path: Path) -> None:
    receipt = await channel(tmp_path).send(message())
    found = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*") if path.is_file())
    stem = "digests/morning-2026-03-27-0800"
    assert found == [f"{stem}.eml", f"{stem}.html", f"{stem}.txt", "feeds/morning.xml"]
    assert all(str(tmp_path / name) in receipt.response for name in found)
    assert "<h3" in (tmp_path / f"{stem}.html").read_text()
    assert "Coverage" in (tmp_path / f"{stem}.txt").read_text()
    mail = email.message_from_bytes((tmp_path / f"{stem}.eml").read_bytes(), policy=policy.default)
    assert mail["Subject"] == "UK–Japan technology: 1 story · Fri 27 Mar"
    assert len(feedparser.parse((tmp_path / "feeds/morning.xml").read_bytes()).entries) == 1


async def test_sending_twice_writes_the_same(tmp_path: Path) -> None:
    await channel(tmp_path).send(message())
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    await channel(tmp_path).send(message())
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


async def test_the_feed_gathers_digests(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        await channel(tmp_path, "atom").send(message(story(number)))
    assert len(feedparser.parse((tmp_path / "feeds/morning.xml").read_bytes()).entries) == 3


async def test_alerts_of_one_minute_do_not_overwrite_each_other(tmp_path: Path) -> None:
    for number in (1, 2):
        await channel(tmp_path, "html").send(message(story(number), kind="immediate"))
    assert len(list((tmp_path / "digests").iterdir())) == 2


async def test_a_folder_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "digests").write_text("in the way")
    with pytest.raises(DeliveryError) as caught:
        await channel(tmp_path).send(message())
    assert caught.value.retryable
    assert "digests" in str(caught.value)


async def test_no_name_leads_out_of_the_folder(tmp_path: Path) -> None:
    await channel(tmp_path / "in", "html").send(message(spec=spec("../../evil/name")))
    assert [path.parent for path in tmp_path.rglob("*.html")] == [tmp_path / "in" / "digests"]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
async def test_hostile_strings_are_written_as_text(tmp_path: Path, text: str) -> None:
    body = f"{text} semiconductor {text}"
    entry = story(
        title=text, why=text, text=body, evidence=evidence(body, "semiconductor"), outlets=(outlet(text),)
    )
    await channel(tmp_path).send(message(entry, story(2, title="The last of them")))
    written = {path.suffix: path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file()}
    assert set(written) == {".eml", ".html", ".txt", ".xml"}
    for suffix in (".html", ".txt", ".xml"):
        shown = written[suffix].decode("utf-8")
        assert "The last of them" in shown
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e]", shown)
        assert "<script" not in shown or suffix == ".txt"
    mail = email.message_from_bytes(written[".eml"], policy=policy.default)
    assert mail["Bcc"] is None
    assert "The last of them" in mail.get_body(("plain",)).get_content()
    assert len(feedparser.parse(written[".xml"]).entries) == 2


# --- building channels -----------------------------------------------------------------------


def test_configured_objects_become_channels(tmp_path: Path) -> None:
    """The configuration's own objects have `kind` and fields of our names; others are ignored."""
    configured = {
        "file": SimpleNamespace(kind="file", folder=tmp_path, formats=("html",), print=True),
        "mail": SimpleNamespace(kind="email", host="h", port=25, sender="M <m@example.org>", domain=""),
        "team": SimpleNamespace(kind="slack", webhook=object()),
        "hook": SimpleNamespace(kind="webhook", url="https://e.example"),
        "ntfy": SimpleNamespace(kind="apprise", url=object()),
    }
    built = channels(configured)
    assert {name: type(made).__name__ for name, made in built.items()} == {
        "file": "FileChannel", "mail": "EmailChannel", "team": "SlackChannel", "hook": "WebhookChannel",
        "ntfy": "AppriseChannel",
    }  # fmt: skip
    assert domains(configured) == {"mail": "example.org"}
    assert domains({"m": EmailSettings("h", "m@example.org", domain="id.example.org")}) == {
        "m": "id.example.org"
    }
