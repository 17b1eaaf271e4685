"""An outbox row as an e-mail, byte for byte the same on every try.

RFC 5322 and 2046 for the form, RFC 3834 for automatic mail, RFC 2919 and 2369 for the List headers.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from urllib.parse import quote

from monitor.deliver.options import EmailSettings
from monitor.model import OutboxRow
from monitor.text import clean_line, terminal_safe

# With the default of 78 the 3.11 library encodes a long token of List-Unsubscribe or References as
# an RFC 2047 word, which breaks both. 998 is the limit of RFC 5322 §2.1.1.
_HEADERS = SMTP.clone(max_line_length=998)
_BODIES = SMTP.clone(max_line_length=76)  # of an encoded line, RFC 2045 §6.7 and §6.8
_MAX_SUBJECT = 200
_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\]+")


def build(row: OutboxRow, settings: EmailSettings) -> EmailMessage:
    """The message of `row`. Raises ValueError for an address that is none."""
    message = EmailMessage(_BODIES)
    message["From"] = address(settings.sender)
    message["To"] = address(row.recipient)
    if settings.reply_to:
        message["Reply-To"] = address(settings.reply_to)
    message["Subject"] = clean_line(row.subject, limit=_MAX_SUBJECT)
    message["Date"] = format_datetime(row.created_at or datetime.fromtimestamp(0, UTC))
    message["Message-ID"] = row.message_id
    _thread(message, row)
    _automatic(message, row, settings)
    _body(message, row)
    return message


def serialised(message: EmailMessage) -> bytes:
    """The bytes to hand to SMTP: CRLF line ends only, no bare CR or LF (SMTP smuggling)."""
    return message.as_bytes(policy=_HEADERS)


def address(text: str) -> Address:
    """`Name <address>` or an address, its domain in ASCII (RFC 5890). Raises ValueError.

    Exactly one: "a@b, c@d" and line breaks are refused instead of read in part.
    """
    name, spec = _taken_apart(text)
    if not _ADDRESS.fullmatch(spec):
        raise ValueError(f"{clean_line(text, limit=100)!r} is not a mail address")
    local, _, domain = spec.rpartition("@")
    try:
        return Address(clean_line(name), local, domain.encode("idna").decode("ascii"))
    except UnicodeError as error:
        raise ValueError(f"{clean_line(text, limit=100)!r} is not a mail address") from error


def _taken_apart(text: str) -> tuple[str, str]:
    name, bracket, spec = text.rpartition("<")
    if bracket and spec.endswith(">"):
        return name.strip().strip('"'), spec[:-1]
    return "", text


def _thread(message: EmailMessage, row: OutboxRow) -> None:
    references = row.payload.get("references")
    if isinstance(references, list) and references:
        message["References"] = " ".join(str(reference) for reference in references)
        message["In-Reply-To"] = str(references[-1])


def _automatic(message: EmailMessage, row: OutboxRow, settings: EmailSettings) -> None:
    """What keeps vacation replies away and lets people filter and leave."""
    owner = address(settings.reply_to or settings.sender).addr_spec
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message["Precedence"] = "bulk"
    message["List-Id"] = f"<{row.digest_name}.{settings.list_id or settings.own_domain}>"
    subject = quote(f"unsubscribe {row.digest_name}", safe="")
    message["List-Unsubscribe"] = f"<mailto:{quote(owner, safe='@+')}?subject={subject}>"
    message["X-Digest-Id"] = clean_line(row.digest_id)


def _body(message: EmailMessage, row: OutboxRow) -> None:
    text, html = (terminal_safe(str(row.payload[key])) for key in ("text", "html"))
    message.set_content(text, cte=_encoding(text))
    message.add_alternative(html, subtype="html", cte=_encoding(html))
    message.set_boundary(f"=_{row.key[:40]}")


def _encoding(text: str) -> str:
    """The shorter of the two encodings that keep lines short: filters dislike base64 for plain English."""
    size = len(text.encode())
    return "quoted-printable" if size - len(text) < size // 6 else "base64"
