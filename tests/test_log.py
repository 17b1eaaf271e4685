"""One log for all loggers, with the run's id, without secrets and without orders to the terminal."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from monitor import log
from monitor.redaction import Redactor

SECRET = 'p"ss wörd/€'


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    before = list(root.handlers), root.level
    yield
    root.handlers[:], level = before
    root.setLevel(level)
    logging.captureWarnings(False)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_both_kinds_of_loggers_give_json_lines_with_fields_and_the_run() -> None:
    stream = io.StringIO()
    log.configure(stream=stream)
    with log.run("r1", step="poll"):
        log.get("monitor.pipeline").info("polled", source="bbc", new=3)
        logging.getLogger("monitor.fetch").warning("slow %s", "host", extra={"took_ms": 9000})
    logging.getLogger("x").info("after")
    first, second, third = lines(stream)
    assert (first["event"], first["source"], first["new"], first["level"]) == ("polled", "bbc", 3, "info")
    assert (second["event"], second["took_ms"], second["logger"]) == ("slow host", 9000, "monitor.fetch")
    assert first["run"] == second["run"] == "r1"
    assert first["step"] == "poll"
    assert first["timestamp"].endswith("Z")
    assert "run" not in third


def test_journald_is_told_the_priority_and_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("journal", "other"):
        (tmp_path / name).touch()
    here = (tmp_path / "journal").stat()
    monkeypatch.setenv("JOURNAL_STREAM", f"{here.st_dev}:{here.st_ino}")
    for name in ("journal", "other"):
        with (tmp_path / name).open("w") as stream:
            log.configure(stream=stream)
            log.get("m").error("broken")
            log.get("m").warning("odd")
            log.get("m").info("well")
    told = (tmp_path / "journal").read_text().splitlines()
    assert [line[:4] for line in told] == ["<3>{", "<4>{", "<6>{"]
    assert [line[0] for line in (tmp_path / "other").read_text().splitlines()] == ["{", "{", "{"]


def test_a_level_is_kept_and_chatty_libraries_are_quiet() -> None:
    stream = io.StringIO()
    log.configure(stream=stream, level="debug")
    logging.getLogger("httpx").info("HTTP Request: GET https://example.org/?token=x")
    log.get("m").debug("seen")
    log.configure(stream=stream, level="warning")
    log.get("m").info("not seen")
    assert [line["event"] for line in lines(stream)] == ["seen"]


@pytest.mark.parametrize("format", ["json", "console"])
def test_a_secret_is_cut_out_wherever_it_appears(format: str) -> None:
    stream = io.StringIO()
    log.configure(stream=stream, format=format, secrets=[SECRET])
    logger = log.get("m")
    logger.info(f"login with {SECRET}", url=f"https://x/?q={SECRET}", nested={"deep": [SECRET]})
    logging.getLogger("aiosmtplib").warning("535 %r", SECRET)
    try:
        raise ValueError(f"bad {SECRET}")
    except ValueError:
        logger.exception("failed")
    text = stream.getvalue()
    assert "failed" in text
    assert "wörd" not in text
    assert "w\\u00f6rd" not in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("POST https://hooks.slack.com/services/T0/B0/abc failed", "POST https://hooks.slack.com/*** failed"),
        ("https://user:geheim@example.org/x", "https://***@example.org/x"),
        ("Authorization: Bearer abcdefgh12345", "Authorization: Bearer ***"),
        ("{'authorization': 'Basic YTpi'}", "{'authorization': 'Basic ***'}"),
        ("https://e.org/?a=1&api_key=geheim&b=2", "https://e.org/?a=1&api_key=***&b=2"),
        ("https://e.org/?token=geheim", "https://e.org/?token=***"),
        ("https://e.org/?q=semiconductor+key", "https://e.org/?q=semiconductor+key"),
        ("a basic understanding of chips", "a basic understanding of chips"),
    ],
)
def test_what_looks_like_a_secret_is_cut_out_unasked(text: str, shown: str) -> None:
    assert Redactor()(text) == shown


def test_a_headline_cannot_give_orders_to_a_terminal() -> None:
    stream = io.StringIO()
    log.configure(stream=stream, format="console")
    log.get("m").info("item", title="\x1b]0;owned\x07Chips\u202e")
    logging.getLogger("m").info("plain \x1b[2J")
    assert "\x1b" not in stream.getvalue()
    assert "\u202e" not in stream.getvalue()
