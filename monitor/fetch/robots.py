"""robots.txt, RFC 9309, with crawl-delay.

The file is fetched like anything else, through the host's turn and the address check; protego
judges. Only what concerns us reaches protego, since its work grows with the product of agents
and rules, and the file is written by strangers.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from protego import Protego

from monitor.errors import FetchError
from monitor.fetch import redirects
from monitor.fetch.exchange import Answer

MAX_BYTES = 512 * 1024  # RFC 9309 asks for at least 500 KiB
MAX_AGE = timedelta(hours=24)
RETRY_AGE = timedelta(hours=1)  # after a failure: soon enough to recover the same morning
MAX_STALE = timedelta(days=30)  # a last good copy counts this long, RFC 9309 section 2.3.1.4
MAX_DELAY_S = 60.0
REMEMBERED = 2000  # sites
MAX_LINE = 4096  # characters
THREAD_BYTES = 16 * 1024  # longer files are parsed in a thread

# The page itself would fare no better; "status" is the pause a host has asked for.
_NOT_ABOUT_RULES = frozenset({"refused", "dns", "status"})

Get = Callable[[str], Awaitable[Answer]]


@dataclass(slots=True)
class Rules:
    """What a site allows. `parsed` None allows everything, or nothing when `unreachable` says why."""

    parsed: Protego | None = None
    unreachable: str = ""
    read_at: datetime | None = None  # when `parsed` was last confirmed
    expires_at: datetime | None = None


@dataclass(slots=True)
class _Entry:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    rules: Rules = field(default_factory=Rules)


class Robots:
    """The rules of many sites, remembered for at most a day. `agent` is our product token."""

    def __init__(self, agent: str, now: Callable[[], datetime]) -> None:
        self._agent = agent
        self._now = now
        self._sites: OrderedDict[str, _Entry] = OrderedDict()

    async def check(self, url: str, get: Get, *, patient: bool = True) -> float:
        """The crawl-delay in seconds (0 for none) when `url` may be fetched.

        `get` fetches one URL without following redirects; it is called only when nothing fresh is
        known. `patient`: it has time enough for a slow server; if not, running out of time says
        nothing about the site and is not remembered. Raises FetchError(kind="robots"), with
        `retry_after_s` when the rules could not be read; or whatever else keeps us from the host.
        """
        rules = await self._rules(_site(url), get, patient)
        if rules.unreachable:
            assert rules.expires_at is not None
            wait_s = max(0.0, (rules.expires_at - self._now()).total_seconds())
            raise FetchError(
                f"robots.txt cannot be read: {rules.unreachable}",
                url=url,
                kind="robots",
                retry_after_s=wait_s,
            )
        if rules.parsed is None:
            return 0.0
        if not rules.parsed.can_fetch(url, self._agent):
            raise FetchError("robots.txt does not allow it", url=url, kind="robots")
        delay_s = rules.parsed.crawl_delay(self._agent) or 0.0
        return min(delay_s, MAX_DELAY_S) if delay_s > 0 else 0.0  # not a number: none

    async def _rules(self, site: str, get: Get, patient: bool) -> Rules:
        entry = self._sites.setdefault(site, _Entry())
        self._sites.move_to_end(site)
        while len(self._sites) > REMEMBERED:
            self._sites.popitem(last=False)
        async with entry.lock:  # one caller asks, the others wait for what it learns
            if entry.rules.expires_at is None or entry.rules.expires_at <= self._now():
                entry.rules = await self._read(site, get, entry.rules, patient)
        return entry.rules

    async def _read(self, site: str, get: Get, old: Rules, patient: bool) -> Rules:
        try:
            answer = await _follow(f"{site}/robots.txt", get)
        except FetchError as error:
            if error.kind in _NOT_ABOUT_RULES or (error.kind == "timeout" and not patient):
                raise
            if error.kind == "redirect":  # more than five: may be taken as "there is none"
                return Rules(expires_at=self._now() + MAX_AGE)
            return self._fall_back(old, str(error))
        now = self._now()
        if answer.status == 200:
            return Rules(await _parse(answer.body, self._agent), read_at=now, expires_at=now + MAX_AGE)
        # 429 is counted with the 5xx: a site that asks for less is not asking for everything.
        if 400 <= answer.status < 500 and answer.status != 429:
            return Rules(expires_at=now + MAX_AGE)
        return self._fall_back(old, f"the server answered {answer.status}")

    def _fall_back(self, old: Rules, why: str) -> Rules:
        now = self._now()
        if old.parsed is not None and old.read_at is not None and now - old.read_at <= MAX_STALE:
            return Rules(old.parsed, read_at=old.read_at, expires_at=now + RETRY_AGE)
        return Rules(unreachable=why, expires_at=now + RETRY_AGE)


def _site(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme.lower()}://{parts.netloc.rpartition('@')[2].lower()}"


async def _follow(url: str, get: Get) -> Answer:
    for _ in range(redirects.MAX_HOPS + 1):
        answer = await get(url)
        if answer.status not in redirects.FOLLOWED:
            return answer
        url = redirects.target(url, answer.headers)
    raise FetchError("too many redirects", url=url, kind="redirect")


async def _parse(body: bytes, agent: str) -> Protego:
    text = body.decode("utf-8", "replace").removeprefix("\ufeff")
    if len(text) > THREAD_BYTES:
        return await asyncio.to_thread(_parse_text, text, agent)
    return _parse_text(text, agent)


def _parse_text(text: str, agent: str) -> Protego:
    return Protego.parse(concerning(text, agent))


_FIELD = re.compile(r"\s*([A-Za-z][A-Za-z -]{0,30}?)\s*:\s*([^#\r\n]*)")
_AGENT_FIELDS = frozenset({"user-agent", "useragent", "user agent"})
_SITE_FIELDS = frozenset({"sitemap", "sitemaps", "site-map", "host"})


def concerning(text: str, agent: str) -> str:
    """The groups of a robots.txt that speak to everybody or to `agent`, each under one agent line.

    Lines without a colon are left out, and so are fields of the whole site.
    """
    kept: list[str] = []
    ours: list[str] = []
    in_names = False
    for name, value in _fields(text):
        if name in _AGENT_FIELDS:
            if not in_names:
                ours = []
            in_names = True
            token = value.partition("/")[0].strip().lower()
            if token not in ours and token in ("*", agent.lower()):
                ours.append(token)
                kept.append(f"User-agent: {token}")
        elif name not in _SITE_FIELDS:
            in_names = False
            if ours:
                kept.append(f"{name}: {value}")
    return "\n".join(kept)


def _fields(text: str) -> list[tuple[str, str]]:
    matches = (_FIELD.match(line[:MAX_LINE]) for line in text.splitlines())
    return [(match[1].lower(), match[2].strip()) for match in matches if match]
