"""No secret of a channel shows anywhere, whatever the other end does: it may well repeat what it was sent."""

from __future__ import annotations

import base64
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from aiosmtpd.smtp import AuthResult

from monitor.redaction import Redactor
from tests import smtp_server
from tests.cli import monitor, write_config

TOKEN = "B0c4T7kq9ZxY2wVu"
KEY = "hmac-key-7d1f"
PASSWORD = "correct hörse/9"
DIGEST = """
- name: london
  title: Chips
  zone: Europe/London
  at: "08:00"
  empty: send
  channels: [%s]
"""


class _Echo(BaseHTTPRequestHandler):
    """Answers every POST with a status of the test's choice, and with all that it was sent."""

    status = 500

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        body = f"Cannot POST {self.path}\n{self.headers}".encode()
        if not self.status:
            self.connection.close()
            return
        self.send_response(self.status)
        self.send_header("Location", f"https://elsewhere.test{self.path}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection we closed ourselves is no error."""


@contextmanager
def echo(status: int) -> Iterator[str]:
    server = _Server(("127.0.0.1", 0), type("Echo", (_Echo,), {"status": status}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/services/T000/{TOKEN}"
    finally:
        server.shutdown()
        server.server_close()


def everything(database: Path) -> str:
    """Every value of every table."""
    db = sqlite3.connect(database)
    try:
        names = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return "\n".join(str(row) for name in names for row in db.execute(f"SELECT * FROM {name}"))
    finally:
        db.close()


DOCTOR = ("doctor", "--send-test")


def shown(
    folder: Path,
    channel: str,
    uses: str,
    environ: dict[str, str],
    *more: tuple[str, ...],
    format: str = "json",
) -> str:
    """All that a message to a channel leaves behind: what commands print, logs, database, files."""
    config = write_config(
        folder / "config",
        monitor=f"logging: {{level: debug, format: {format}}}\nchannels:\n{channel}\n",
        digests=DIGEST % uses,
    )
    common = ("-v", "--config", config, "--db", folder / "monitor.db")
    said = ""
    for command in (
        ("check",),
        ("digest", "london", "--send"),
        ("outbox", "list", "--json"),
        ("outbox", "list"),
        ("status",),
        ("status", "--json"),
        *more,
    ):
        outcome = monitor(*common, *command, cwd=folder, env=environ)
        said += outcome.out + outcome.err
    assert "london" in said
    files = [
        path for path in folder.rglob("*") if path.is_file() and path.suffix in (".html", ".txt", ".xml")
    ]
    return said + everything(folder / "monitor.db") + "".join(path.read_text("utf-8") for path in files)


@pytest.mark.parametrize("status", [0, 200, 301, 404, 429, 500])
@pytest.mark.parametrize(
    ("kind", "channel"),
    [
        ("slack", "  hook: {kind: slack, webhook: {env: HOOK}}"),
        (
            "webhook",
            "  hook: {kind: webhook, secret_url: {env: HOOK}, secret: {env: HOOK_KEY}, allow_private: true}",
        ),
    ],
    ids=["slack", "webhook"],
)
def test_an_address_that_is_a_secret(kind: str, channel: str, status: int, tmp_path: Path) -> None:
    with echo(status) as url:
        told = shown(tmp_path, channel, "hook", {"HOOK": url, "HOOK_KEY": KEY})
    assert f'"{kind}"' in told or kind in told
    assert TOKEN not in told
    assert KEY not in told


@pytest.mark.parametrize("format", ["json", "console"])
def test_an_address_where_nobody_listens(format: str, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:1/services/{TOKEN}"
    told = shown(
        tmp_path, "  hook: {kind: slack, webhook: {env: HOOK}}", "hook", {"HOOK": url}, DOCTOR, format=format
    )
    assert "no connection" in told
    assert TOKEN not in told


def test_an_apprise_address(tmp_path: Path) -> None:
    url = f"what://desk:{quote(PASSWORD, safe='')}@example.org/{TOKEN}"
    told = shown(tmp_path, "  any: {kind: apprise, url: {env: ANY}}", "any", {"ANY": url})
    assert "pprise" in told
    assert TOKEN not in told
    assert PASSWORD not in told


class _Telltale(smtp_server.Mailbox):
    """Refuses a login, or a recipient, and repeats the password in every way it has seen it."""

    where = "login"

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        if self.where == "login":
            return AuthResult(success=False, handled=False, message=f"535 5.7.8 {leaks()}")
        return AuthResult(success=True)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        return f"{'451' if self.where == 'later' else '550'} no {leaks()}"


def leaks() -> str:
    plain = base64.b64encode(f"\0{smtp_server.USER}\0{PASSWORD}".encode()).decode()
    return f"{PASSWORD} {base64.b64encode(PASSWORD.encode()).decode()} {plain}"


@pytest.mark.parametrize("where", ["login", "later", "never"])
def test_a_mail_server_that_repeats_the_password(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp_server, "Mailbox", type("Mailbox", (_Telltale,), {"where": where}))
    with smtp_server.serve(tmp_path) as server:
        channel = (
            f"  mail: {{kind: email, host: localhost, port: {server.port}, ca_file: {server.ca_file},"
            f" username: {smtp_server.USER}, password: {{env: PASS}}, sender: m@example.org, timeout_s: 30}}"
        )
        uses = "{channel: mail, recipients: [desk@example.org]}"
        told = shown(tmp_path, channel, uses, {"PASS": PASSWORD}, DOCTOR)
    assert {"login": "535", "later": "451", "never": "550"}[where] in told
    assert "***" in told
    for leak in leaks().split():
        assert leak.rstrip("=") not in told.replace("correct", "")


@pytest.mark.parametrize(
    ("secret", "text"),
    [
        (f"https://e.org/services/{TOKEN}", f"no such hook: {TOKEN}"),
        (f"https://e.org/services/{TOKEN}", f"Cannot POST /services/{TOKEN}"),
        (f"https://e.org/in?code={TOKEN}", f"unknown code {TOKEN}"),
        (f"mailtos://desk:{quote(PASSWORD, safe='')}@e.org", f"{PASSWORD} refused"),
    ],
)
def test_a_part_of_a_secret_address_is_cut_out_too(secret: str, text: str) -> None:
    assert TOKEN not in Redactor([secret])(text)
    assert PASSWORD not in Redactor([secret])(text)


def test_ordinary_words_of_an_address_are_left() -> None:
    redact = Redactor([f"https://hooks.example.org/semiconductors/{TOKEN}"])
    assert (
        redact("semiconductors of https://hooks.example.org") == "semiconductors of https://hooks.example.org"
    )
