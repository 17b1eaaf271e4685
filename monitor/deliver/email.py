"""Mail through one SMTP server (RFC 5321): what is final is final, everything else comes again."""

from __future__ import annotations

import asyncio
import contextlib
import ssl

import aiosmtplib

from monitor.deliver.http import revealed
from monitor.deliver.message import address, build, serialised
from monitor.deliver.options import EmailSettings
from monitor.errors import DeliveryError
from monitor.model import Delivery, OutboxRow
from monitor.redaction import Redactor
from monitor.text import clean_line


class EmailChannel:
    """Sends one message per row over its own connection: no recipient waits for another."""

    def __init__(self, name: str, settings: EmailSettings) -> None:
        self.name, self.settings = name, settings
        self._context: ssl.SSLContext | None = None

    async def send(self, row: OutboxRow) -> Delivery:
        """Hand the message to the server. Raises DeliveryError: 5yz for this message is final.

        A refused login, a bad certificate or a lost connection says nothing of the message: it is
        tried again. So is one whose acceptance we did not hear of, under the same Message-ID.
        """
        try:
            message = build(row, self.settings)
            body = serialised(message)
        except ValueError as error:
            raise self._error(str(error), retryable=False) from error
        try:
            return await self._transaction(address(row.recipient).addr_spec, body)
        except aiosmtplib.SMTPRecipientsRefused as error:
            refusal = error.recipients[0]
            raise self._refused(refusal.code, refusal.message) from error
        except (aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPDataError) as error:
            raise self._refused(error.code, error.message) from error
        except aiosmtplib.SMTPAuthenticationError as error:
            raise self._error(f"login refused: {error.code} {error.message}") from error
        except (aiosmtplib.SMTPException, OSError) as error:  # ssl.SSLError is an OSError
            raise self._error(f"{type(error).__name__}: {error}") from error

    async def check(self) -> str:
        """Connect and log in without sending; what the server calls itself. Raises DeliveryError."""
        try:
            async with contextlib.AsyncExitStack() as stack:
                client = await self._connected(stack)
                return self._told(str(client.last_ehlo_response or client.last_helo_response or ""))
        except (aiosmtplib.SMTPException, OSError) as error:
            raise self._error(f"{type(error).__name__}: {error}") from error

    async def _transaction(self, recipient: str, body: bytes) -> Delivery:
        sender = address(self.settings.sender).addr_spec
        options = [] if (sender + recipient).isascii() else ["SMTPUTF8"]
        async with contextlib.AsyncExitStack() as stack:
            client = await self._connected(stack)
            _, response = await client.sendmail(sender, [recipient], body, mail_options=options)
            return Delivery(self._told(response))

    async def _connected(self, stack: contextlib.AsyncExitStack) -> aiosmtplib.SMTP:
        settings = self.settings
        client = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            timeout=settings.timeout_s,
            use_tls=settings.security == "tls",
            start_tls=settings.security == "starttls",  # required: a server without it is refused
            tls_context=self._tls() if settings.security != "none" else None,
        )
        stack.push_async_callback(self._leave, client)
        await client.connect()
        if settings.username and settings.password:
            password = revealed(settings.password, channel=self.name)
            await client.login(settings.username, password)
        return client

    async def _leave(self, client: aiosmtplib.SMTP) -> None:
        """Say goodbye; whatever goes wrong now does not undo what was accepted."""
        transport = client.transport
        with contextlib.suppress(aiosmtplib.SMTPException, OSError):
            if client.is_connected:
                await client.quit(timeout=5)
        client.close()
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()  # TLS would wait for the other side to close, and outlive the loop

    def _tls(self) -> ssl.SSLContext:
        """Verifies certificate and name; never switched off."""
        if self._context is None:
            self._context = ssl.create_default_context(cafile=self.settings.ca_file or None)
        return self._context

    def _refused(self, code: int, message: str) -> DeliveryError:
        """4yz: later; 5yz: never (RFC 5321 §4.2.1)."""
        return self._error(f"{code} {message}", retryable=code < 500)

    def _error(self, text: str, *, retryable: bool = True) -> DeliveryError:
        return DeliveryError(self._told(text, limit=300), channel=self.name, retryable=retryable)

    def _told(self, text: str, limit: int = 200) -> str:
        """What a server said, on one line; some repeat the login that they refuse."""
        return clean_line(self._redact(text), limit=limit)

    def _redact(self, text: str) -> str:
        if not self.settings.password:
            return text
        try:
            password = revealed(self.settings.password, channel=self.name)
        except DeliveryError:  # there is none to show
            return text
        return Redactor([password, f"\0{self.settings.username}\0{password}"])(text)
