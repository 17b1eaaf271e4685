"""A real SMTP server on 127.0.0.1: STARTTLS or TLS, login, and refusals on demand."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "monitor", "correct horse"


@dataclass
class Mailbox:
    """What the server took, and how it answers: per command, a reply instead of its own."""

    envelopes: list[Envelope] = field(default_factory=list)
    rcpt_replies: dict[str, str] = field(default_factory=dict)
    mail_reply: str = ""
    data_replies: list[str] = field(
        default_factory=list
    )  # in turn; "accept-and-drop" cuts the line after taking it
    logins: int = 0
    encrypted: list[bool] = field(default_factory=list)
    authenticated: list[bool] = field(default_factory=list)

    @property
    def bodies(self) -> list[bytes]:
        return [bytes(envelope.original_content or b"") for envelope in self.envelopes]

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        self.logins += 1
        good = isinstance(data, LoginPassword) and (data.login, data.password) == (
            USER.encode(),
            PASSWORD.encode(),
        )
        return AuthResult(success=good, handled=False)

    # -- hooks that the server calls --

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        if self.mail_reply:
            return self.mail_reply
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        if address in self.rcpt_replies:
            return self.rcpt_replies[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        reply = self.data_replies.pop(0) if self.data_replies else "250 2.0.0 queued as 4711"
        if reply.startswith("250") or reply == "accept-and-drop":
            self.envelopes.append(envelope)
            self.encrypted.append(session.ssl is not None or isinstance(server.transport, ssl.SSLObject))
            self.authenticated.append(bool(session.authenticated))
        if reply == "accept-and-drop":
            server.transport.abort()
        return reply


@dataclass
class Server:
    port: int
    mailbox: Mailbox
    ca_file: str


class _Session(SMTP):
    """Remembers its transports, those beneath TLS too: a client that leaves in a handshake leaks one."""

    def connection_made(self, transport: Any) -> None:
        self._all_transports = [*getattr(self, "_all_transports", []), transport]
        super().connection_made(transport)

    def abort(self) -> None:
        for transport in getattr(self, "_all_transports", []):
            transport.abort()


class _Controller(Controller):
    def __init__(self, mailbox: Mailbox, context: ssl.SSLContext | None, require_starttls: bool) -> None:
        super().__init__(mailbox, hostname="127.0.0.1", port=0)
        self._mailbox, self._context, self._require = mailbox, context, require_starttls
        self.sessions: list[_Session] = []

    async def hang_up(self) -> None:
        for session in self.sessions:
            session.abort()
        await asyncio.sleep(0.03)  # the loop closes aborted sockets in its next rounds

    def factory(self) -> SMTP:
        self.sessions.append(self._session())
        return self.sessions[-1]

    def _session(self) -> _Session:
        return _Session(
            self._mailbox,
            hostname="localhost",
            tls_context=self._context,
            require_starttls=self._require,
            auth_required=self._require,
            authenticator=self._mailbox.authenticate if self._require else None,
            enable_SMTPUTF8=True,
        )

    def _trigger_server(self) -> None:
        """The base class connects to itself on the port it was given; ours is chosen by the system."""
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def serve(tmp_path: Any, *, tls: bool = True, name: str = "localhost") -> Iterator[Server]:
    """A server that demands STARTTLS and a login (`tls`), or a plain relay. Its certificate is for `name`."""
    authority = trustme.CA()
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) if tls else None
    if context:
        authority.issue_cert(name).configure_cert(context)
    mailbox = Mailbox()
    controller = _Controller(mailbox, context, tls)
    controller.start()
    try:
        yield Server(controller.port, mailbox, str(ca_file))
    finally:
        asyncio.run_coroutine_threadsafe(controller.hang_up(), controller.loop).result(5)
        controller.stop()
