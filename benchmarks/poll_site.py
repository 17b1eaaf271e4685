"""A site of many feeds and their pages on loopback, in a process of its own, which counts for nothing.

Every feed has an address of its own in 127.0.0.0/8, so that each needs its own connection, as in real
life. A feed shows its newest entries, 40 of them; each change brings some more to the first feeds. Pages are
real ones where there are any, one in a hundred is about our subject.
Linux only: elsewhere 127.0.0.1 is the only loopback address.
"""

from __future__ import annotations

import asyncio
import gzip
import multiprocessing
import random
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from zlib import crc32

SHOWN = 40  # entries in a feed
MATCHING = (
    "UK Research and Innovation and the Japan Science and Technology Agency will fund joint semiconductor"
    " research. The UK-Japan agreement was signed in London on Monday by both science ministers."
)
ABOUT_US = 100  # one page in so many


@dataclass(frozen=True, slots=True)
class Offer:
    """What the site shows from now on. Each change brought `new` entries to so many feeds, the first ones."""

    changes: tuple[int, ...] = ()
    new: int = 10
    shown: int = SHOWN  # entries in a feed
    latency_s: float = 0.0
    validators: bool = True  # or no ETag, and a whole feed every time

    def fresh(self, number: int) -> int:
        """How many entries this feed got since the start."""
        return self.new * sum(number < changed for changed in self.changes)


def host(number: int) -> str:
    return f"127.{1 + number // 62_500}.{number // 250 % 250}.{1 + number % 250}"


class Site:
    """A running site, as a context manager. `pages` is a folder of `*.html.gz`; else they are made up."""

    def __init__(self, pages: Path | None = None) -> None:
        self._pipe, theirs = multiprocessing.Pipe()
        self._process = multiprocessing.Process(target=_serve, args=(theirs, pages), daemon=True)

    def __enter__(self) -> Site:
        self._process.start()
        self.port: int = self._pipe.recv()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.join()

    def feed_url(self, number: int) -> str:
        return f"http://{host(number)}:{self.port}/feed/{number}"

    def show(self, offer: Offer) -> Counter[str]:
        """Changes what is shown; returns how often each answer was given since the last change."""
        self._pipe.send(offer)
        given: Counter[str] = self._pipe.recv()
        return given


# --- what is served --------------------------------------------------------------------------


class Stock:
    """Words, teasers and pages, the same in every run."""

    def __init__(self, pages: Path | None) -> None:
        self.draw = random.Random(5)
        self.words = ["".join(self.draw.choices("abdegiklmnoprstu", k=length)) for length in range(2, 10)] + [
            "".join(self.draw.choices("abdegiklmnoprstu", k=self.draw.randint(2, 9))) for _ in range(3000)
        ]
        self.teasers = [self._teaser() for _ in range(400)]
        files = sorted(pages.glob("*.html.gz")) if pages else []
        made_up = [self.made_up(n) for n in range(20)]
        self.about_us = self.made_up(0, about_us=True)
        self.pages = [gzip.decompress(file.read_bytes()) for file in files] or made_up
        self.started_at = datetime.now(UTC)

    def text(self, words: int) -> str:
        return " ".join(self.draw.choices(self.words, k=words)).capitalize() + "."

    def _teaser(self) -> str:
        """About 600 characters of HTML, escaped, as most feeds have it."""
        return escape(
            f'<p><img src="/i/{self.draw.random()}.jpg" alt="">{self.text(50)} <b>{self.text(8)}</b>'
            f' {self.text(15)} <a href="/more">{self.text(3)}</a></p>'
        )

    def page(self, draw: int) -> bytes:
        return self.about_us if draw % ABOUT_US == 0 else self.pages[draw % len(self.pages)]

    def made_up(self, n: int, *, about_us: bool = False) -> bytes:
        """A page of the usual weight."""
        paragraphs = [self.text(60) for _ in range(12)]
        if about_us:
            paragraphs[:2] = [MATCHING] * 2
        body = "".join(f"<p>{text}</p>" for text in paragraphs)
        links = "".join(
            f'<li class="item"><a href="/{a}/{b}">{a} {b}</a></li>\n'
            for a, b in (self.draw.sample(self.words, 2) for _ in range(400))
        )
        script = f"<script>var x = {self.draw.choices(self.words, k=8000)};</script>"
        return (
            f"<!doctype html><html lang=en><head><title>Page {n}</title>{script}</head><body><ul>{links}</ul>"
            f"<article><h1>Headline {n} of this page</h1>{body}</article></body></html>"
        ).encode()

    def feed(self, number: int, offer: Offer) -> bytes:
        """The newest first: what changes brought, then old ones."""
        fresh = offer.fresh(number)
        keys = [f"n{n}" for n in range(fresh - 1, -1, -1)] + [f"o{n}" for n in range(SHOWN)]
        return (
            f"<?xml version='1.0' encoding='utf-8'?><rss version='2.0'><channel><title>Feed {number}</title>"
            f"<link>http://{host(number)}/</link><description>What feed {number} has.</description>"
            f"{''.join(self._entry(number, key) for key in keys[: offer.shown])}</channel></rss>"
        ).encode()

    def _entry(self, number: int, key: str) -> str:
        # Old enough not to be read at a first poll, in the rhythm of a paper with five stories a day.
        age = timedelta(hours=1) if key[0] == "n" else timedelta(days=8, hours=5 * int(key[1:]))
        at = format_datetime(self.started_at - age)
        teaser = self.teasers[crc32(f"{number}-{key}".encode()) % len(self.teasers)]
        return (
            f"<item><title>Story {key} of feed {number} &amp; more</title>"
            f"<link>http://{host(number)}/page/{number}/{key}</link>"
            f"<guid isPermaLink='false'>{number}-{key}</guid><pubDate>{at}</pubDate>"
            f"<category>News</category><description>{teaser}</description></item>\n"
        )


class Desk:
    """Turns a request into an answer, and counts."""

    def __init__(self, stock: Stock, port: int) -> None:
        self.stock = stock
        self.port = port
        self.offer = Offer()
        self.given: Counter[str] = Counter()

    def answer(self, head: bytes) -> bytes:
        path = head.split(b" ", 2)[1].decode("latin-1")
        kind, _, rest = path.strip("/").partition("/")
        if kind == "feed":
            return self._feed(int(rest), head)
        if kind == "page":
            self.given["page"] += 1
            return _message(b"200 OK", b"text/html", self.stock.page(crc32(rest.encode())))
        self.given["404"] += 1
        return _message(b"404 Not Found", b"text/plain", b"")

    def _feed(self, number: int, head: bytes) -> bytes:
        offer = self.offer
        etag = b'"%d-%d"' % (number, offer.fresh(number))
        if offer.validators and etag in head:
            self.given["304"] += 1
            return b"HTTP/1.1 304 Not Modified\r\nETag: %b\r\n\r\n" % etag
        self.given["200"] += 1
        body = self.stock.feed(number, offer).replace(b"/page/", b":%d/page/" % self.port)
        tag = b"ETag: %b\r\n" % etag if offer.validators else b""
        return _message(b"200 OK", b"application/rss+xml", body, tag)


def _message(status: bytes, kind: bytes, body: bytes, more: bytes = b"") -> bytes:
    head = b"HTTP/1.1 %b\r\nContent-Type: %b\r\n%bContent-Length: %d\r\n\r\n" % (
        status,
        kind,
        more,
        len(body),
    )
    return head + body


class Conversation(asyncio.Protocol):
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._unread += data
        while b"\r\n\r\n" in self._unread:
            head, _, self._unread = self._unread.partition(b"\r\n\r\n")
            answer = self._desk.answer(head)
            if self._desk.offer.latency_s:
                loop = asyncio.get_running_loop()
                loop.call_later(self._desk.offer.latency_s, self._transport.write, answer)
            else:
                self._transport.write(answer)


def _serve(pipe: Connection, pages: Path | None) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        desk = Desk(Stock(pages), 0)
        server = await loop.create_server(lambda: Conversation(desk), "0.0.0.0", 0, backlog=4096)
        desk.port = server.sockets[0].getsockname()[1]

        def change() -> None:
            desk.offer = pipe.recv()
            given, desk.given = desk.given, Counter()
            pipe.send(given)

        loop.add_reader(pipe.fileno(), change)
        pipe.send(desk.port)
        await server.serve_forever()

    asyncio.run(main())
