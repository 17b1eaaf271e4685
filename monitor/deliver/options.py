"""What each channel needs to know. The configuration's own objects have fields of these names.

Secrets are objects with `.reveal()`, asked at the moment of sending and never kept; their `repr`
and `str` show a name.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from email.utils import parseaddr
from pathlib import Path
from typing import Any, Protocol, TypeVar


class Secret(Protocol):
    """A secret that is named in the configuration and read when it is used."""

    def reveal(self) -> str:
        """The secret. Raises ConfigError when it is not there."""


@dataclass(frozen=True, slots=True)
class EmailSettings:
    """One SMTP server and who writes."""

    host: str
    sender: str  # `Name <address>` or an address
    port: int = 587
    security: str = "starttls"  # starttls | tls | none
    username: str = ""
    password: Secret | None = None
    reply_to: str = ""
    list_id: str = ""  # the domain of List-Id; the sender's when empty
    domain: str = ""  # of Message-IDs; the sender's when empty
    ca_file: str = ""  # a private authority's certificate, PEM
    timeout_s: float = 60.0

    @property
    def own_domain(self) -> str:
        """The domain our identifiers are made in: it must be ours (RFC 5322 §3.6.4)."""
        return self.domain or parseaddr(self.sender)[1].rpartition("@")[2] or "localhost"


@dataclass(frozen=True, slots=True)
class SlackSettings:
    """One incoming webhook: one Slack channel."""

    webhook: Secret
    timeout_s: float = 30.0


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """An address of one's own that takes signed JSON: `url`, or `secret_url` when it is a secret."""

    url: str = ""
    secret_url: Secret | None = None
    secret: Secret | None = None  # key of the HMAC-SHA256 signature
    timeout_s: float = 30.0
    allow_private: bool = False  # loopback and private addresses


@dataclass(frozen=True, slots=True)
class FileSettings:
    """Digests as files. Formats are html, text, eml and atom; atom goes to `feeds`."""

    folder: Path
    formats: tuple[str, ...] = ("html", "text")
    feeds: Path | None = None  # a folder `feeds` beside `folder` when None
    sender: str = "monitor@localhost"  # the From line of .eml files


@dataclass(frozen=True, slots=True)
class AppriseSettings:
    """Any service Apprise knows, by its address."""

    url: Secret


Settings = EmailSettings | SlackSettings | WebhookSettings | FileSettings | AppriseSettings
KINDS: dict[str, type[Settings]] = {
    "email": EmailSettings,
    "slack": SlackSettings,
    "webhook": WebhookSettings,
    "file": FileSettings,
    "apprise": AppriseSettings,
}
_S = TypeVar("_S")


def adopt(config: Any) -> Settings:
    """The settings record of a configured channel: any object with `kind` and fields of these names.

    Raises KeyError for a kind that does not exist.
    """
    if isinstance(config, Settings):
        return config
    return _from(KINDS[config.kind], config)


def _from(record: type[_S], config: Any) -> _S:
    names = [field.name for field in fields(record) if hasattr(config, field.name)]  # type: ignore[arg-type]
    return record(**{name: getattr(config, name) for name in names})
