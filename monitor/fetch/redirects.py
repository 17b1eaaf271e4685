"""Redirects: where one leads, and when a permanent one is believed.

RFC 9110 section 15.4. A permanent redirect is taken over only after it has been seen often enough
for long enough: a hotel's login page and a site under repair also say 301.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urldefrag, urljoin, urlsplit

from monitor.errors import FetchError
from monitor.model import Redirect, SourceState

FOLLOWED = frozenset({301, 302, 303, 307, 308})
PERMANENT = frozenset({301, 308})
MAX_HOPS = 5
MAX_URL = 4096
ADOPT_SEEN = 5
ADOPT_AFTER = timedelta(days=3)
GIVE_UP = 5  # failed polls in a row


def target(url: str, headers: Mapping[str, str]) -> str:
    """The absolute URL a redirect from `url` leads to, without fragment. Raises FetchError."""
    location = _as_text(headers.get("location", "")).strip()
    if not location or len(location) > MAX_URL:
        raise FetchError("redirect without a usable Location", url=url, kind="redirect")
    try:
        absolute = urldefrag(urljoin(url, location)).url
        scheme = urlsplit(absolute).scheme.lower()
    except ValueError as error:
        raise FetchError("redirect to something that is no URL", url=url, kind="redirect") from error
    if scheme not in ("http", "https"):
        raise FetchError(f"redirect to a {scheme or 'relative'} URL", url=url, kind="redirect")
    return absolute


def _as_text(location: str) -> str:
    """Servers put raw UTF-8 into Location; header values arrive here as latin-1."""
    try:
        return location.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return location


@dataclass(frozen=True, slots=True)
class Adoption:
    """What to remember of a permanent redirect. `note` says what changed, for log and operator."""

    permanent_url: str = ""
    permanent_seen: int = 0
    permanent_since: datetime | None = None
    note: str = ""

    @property
    def is_adopted(self) -> bool:
        """Whether `permanent_url` is polled from now on."""
        return is_adopted(self.permanent_seen)


def is_adopted(permanent_seen: int) -> bool:
    """Whether a stored count means "taken over": it stays below ADOPT_SEEN until ADOPT_AFTER has passed."""
    return permanent_seen >= ADOPT_SEEN


def adopt(state: SourceState, redirects: Sequence[Redirect], now: datetime, *, readable: bool) -> Adoption:
    """What one answered poll says about the source's address.

    `readable`: the answer was parsed, or was a 304 to what had been parsed. For answers only; a poll
    that got none is `unanswered`. Pure; the caller stores the result.
    """
    kept = Adoption(state.permanent_url, state.permanent_seen, state.permanent_since)
    polled = state.url or state.source.url
    if not readable:  # what is at the other end is not this source
        return Adoption()
    goal = _permanent_target(polled, redirects)
    if not goal:
        return kept if kept.is_adopted and polled == kept.permanent_url else Adoption()
    if goal != kept.permanent_url or kept.permanent_since is None:
        return Adoption(goal, 1, now)
    if kept.is_adopted:
        return kept
    if kept.permanent_seen + 1 < ADOPT_SEEN or now - kept.permanent_since < ADOPT_AFTER:
        return Adoption(goal, min(kept.permanent_seen + 1, ADOPT_SEEN - 1), kept.permanent_since)
    return Adoption(goal, ADOPT_SEEN, kept.permanent_since, note=f"moved for good to {goal}")


def unanswered(state: SourceState, failures: int) -> Adoption:
    """What to remember after a poll without an answer: the same, until a taken-over address has failed
    so often that the configured one deserves another try."""
    if failures >= GIVE_UP:
        return Adoption()
    return Adoption(state.permanent_url, state.permanent_seen, state.permanent_since)


def _permanent_target(polled: str, redirects: Sequence[Redirect]) -> str:
    """Where the unbroken run of permanent redirects at the start leads; "" when it must not be kept."""
    goal = ""
    for redirect in redirects:
        if redirect.status not in PERMANENT:
            break
        goal = redirect.to_url
    if urlsplit(polled).scheme == "https" and goal.startswith("http:"):
        return ""  # never give up encryption on a server's word
    return goal if goal != polled else ""
