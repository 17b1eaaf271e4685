"""One polite GET and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class FetchState:
    """What is remembered of one URL. Validators are kept byte for byte, quotes and `W/` included."""

    url: str
    etag: str = ""
    last_modified: str = ""
    body_sha256: str = ""
    fetched_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """One polite GET. `validators` maps a URL to its own FetchState: none is ever sent elsewhere."""

    url: str
    validators: Mapping[str, FetchState] = field(default_factory=dict)
    accept: str = "*/*"
    obey_robots: bool = False  # pages, listings and sitemaps; a configured feed is fetched as asked
    allow_private: bool = False
    timeout_s: float = 30.0
    max_body_bytes: int = 5_000_000


@dataclass(frozen=True, slots=True)
class Redirect:
    status: int
    from_url: str
    to_url: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came back. `status` is 200 or 304 (then `body` is empty); anything else is a FetchError."""

    url: str  # final, after redirects
    requested_url: str
    status: int
    body: bytes
    headers: Mapping[str, str]  # lower-case names
    redirects: tuple[Redirect, ...] = ()
    etag: str = ""
    last_modified: str = ""
    took_ms: int = 0

    @property
    def not_modified(self) -> bool:
        return self.status == 304

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "")
