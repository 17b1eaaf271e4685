"""Channels: how a message leaves the house. Digests name them; secrets stay here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from monitor.settings.fields import Address, ConfigPath, Line, Section, UrlOrNothing, check_address, fail
from monitor.settings.secrets import SecretField


def _sender(value: str) -> str:
    """`Name <address>` is taken apart by whoever sends; here only its address is checked."""
    bare = value.rpartition("<")[2][:-1] if value.endswith(">") and "<" in value else value
    if bare:
        check_address(bare)
    return value


class FileChannel(Section):
    """Digests written to a folder."""

    kind: Literal["file"] = Field("file", description="Writes digests to a folder; needs nothing else.")
    folder: ConfigPath = Field(Path("../storage/digests"), description="Where the files go.")
    formats: tuple[Literal["html", "text", "eml", "atom"], ...] = Field(
        ("html", "text", "atom"),
        min_length=1,
        description="Which files a digest leaves: html, text, eml, atom.",
    )
    feeds: ConfigPath | None = Field(None, description="Folder of the atom files; `feeds` beside `folder`.")
    sender: Annotated[Line, AfterValidator(_sender)] = Field(
        "monitor@localhost", description="The From line of eml files."
    )


class EmailChannel(Section):
    """Digests as mail through one SMTP server."""

    kind: Literal["email"] = Field(description="Sends mail; the digest names the recipients.")
    host: Line = Field(min_length=1, description="Name of the SMTP server.")
    port: int = Field(587, ge=1, le=65535, description="Its port: 587 for starttls, 465 for tls.")
    security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="Encryption: starttls, tls from the first byte, or none (a local relay only)."
    )
    username: Line = Field("", description="Name to log in with; empty does not log in.")
    password: SecretField | None = Field(None, description="Password, `{env: …}` or `{file: …}`.")
    sender: Annotated[Line, AfterValidator(_sender)] = Field(
        min_length=3, description="The From line: `Name <address>` or an address."
    )
    reply_to: Annotated[Line, AfterValidator(_sender)] = Field("", description="The Reply-To line.")
    domain: Line = Field("", description="Domain of Message-IDs; the sender's when empty.")
    list_id: Line = Field("", description="Domain of List-Id; the sender's when empty.")
    ca_file: ConfigPath | None = Field(None, description="Certificate (PEM) of an authority of your own.")
    timeout_s: float = Field(60.0, ge=1, le=600, description="Seconds to wait for the server.")

    @model_validator(mode="after")
    def _login_is_whole(self) -> EmailChannel:
        if bool(self.username) != bool(self.password):
            raise fail("username and password belong together", "give both or neither")
        return self


class SlackChannel(Section):
    """Digests to a Slack incoming webhook."""

    kind: Literal["slack"] = Field(description="Posts to one Slack channel.")
    webhook: SecretField = Field(description="The incoming-webhook address, `{env: …}` or `{file: …}`.")
    timeout_s: float = Field(30.0, ge=1, le=600, description="Seconds to wait for the answer.")


class WebhookChannel(Section):
    """Digests as signed JSON to an address of one's own."""

    kind: Literal["webhook"] = Field(description="Posts JSON to any address.")
    url: UrlOrNothing = Field("", description="Where to post; use `secret_url` when the address is a secret.")
    secret_url: SecretField | None = Field(None, description="The address as a secret.")
    secret: SecretField | None = Field(None, description="Key of the HMAC-SHA256 signature header.")
    timeout_s: float = Field(30.0, ge=1, le=600, description="Seconds to wait for the answer.")
    allow_private: bool = Field(False, description="Allows loopback and private addresses.")

    @model_validator(mode="after")
    def _one_address(self) -> WebhookChannel:
        if bool(self.url) == bool(self.secret_url):
            raise fail("a webhook needs either url or secret_url")
        return self


class AppriseChannel(Section):
    """Plain-text digests to any service Apprise knows (needs the extra `channels`)."""

    kind: Literal["apprise"] = Field(description="Teams, Discord, ntfy and many more, through Apprise.")
    url: SecretField = Field(description="The Apprise address, `{env: …}` or `{file: …}`.")


Channel = FileChannel | EmailChannel | SlackChannel | WebhookChannel | AppriseChannel


class ChannelUse(Section):
    """A channel as a digest uses it."""

    channel: Line = Field(description="Name of a channel in monitor.yaml; `file` is always there.")
    recipients: tuple[Address, ...] = Field((), description="Mail addresses, for a channel of kind email.")


def _use(value: Any) -> Any:
    return {"channel": value} if isinstance(value, str) else value


ChannelUseField = Annotated[ChannelUse, BeforeValidator(_use)]
