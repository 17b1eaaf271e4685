"""A thousand publishers in one process, under the simulated clock of `benchmarks/endurance.py`.

What an address answers depends on the moment alone, so the site keeps next to nothing: a feed names the
items published by then, a page is made from its number. A share of the answers goes wrong as it does
outside: 404, 503 at the first try, a body cut off, a server that says nothing.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from multiprocessing.connection import Connection

SHOWN = 20  # items in a feed
MATCHING = (
    "UK Research and Innovation and the Japan Science and Technology Agency will fund joint semiconductor"
    " research worth £{n} million. The UK-Japan agreement was signed in {place} by both science ministers."
)
NEAR = "Exports from Japan and Britain were discussed in {place}; {n} companies of the chip trade took part."
PLACES = ("London", "Tokyo", "Sendai", "Cardiff", "Kumamoto", "Glasgow", "Tsukuba", "Bristol")
JAPANESE = "県内の市場では今朝も魚や野菜が並び観光客が列を作った来週の天気は晴れる見込みで祭りの準備が進む"


@dataclass(frozen=True)
class Plan:
    """How much happens in how long."""

    sources: int
    items: int
    days: float
    start: datetime = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # a Monday

    @property
    def each(self) -> int:
        """Items a source publishes in all."""
        return self.items // self.sources

    @property
    def every(self) -> timedelta:
        """Between two items of one source; the last comes two days before the end."""
        return timedelta(days=self.days - 2) / self.each

    def published_at(self, source: int, item: int) -> datetime:
        return self.start + (item + source / self.sources) * self.every

    def newest(self, source: int, now: datetime) -> int:
        """The number of the last item by then; -1 before the first."""
        return min(int((now - self.start) / self.every - source / self.sources), self.each - 1)


class Site:
    """Answers a request head: status, content type, body, ETag; `hang` and `cut` as a content type."""

    def __init__(self, plan: Plan, now: Callable[[], datetime]) -> None:
        self._plan = plan
        self._now = now
        self._tried: set[str] = set()  # pages that failed once and will work next time
        draw = random.Random(5)
        self._words = ["".join(draw.choices("abdegiklmnoprstu", k=draw.randint(2, 9))) for _ in range(3000)]

    def __call__(self, head: str) -> tuple[int, str, bytes, str]:
        kind, _, rest = head.split(" ", 2)[1].strip("/").partition("/")
        if kind == "feed":
            return self._feed(int(rest), head)
        if kind == "page":
            return self._page(*map(int, rest.split("/")))
        return 404, "text/plain", b"", ""

    def _feed(self, source: int, head: str) -> tuple[int, str, bytes, str]:
        newest = self._plan.newest(source, self._now())
        etag = f'"{source}-{newest}"'
        luck = random.Random(f"{source}-{self._now():%j%H}").randrange(1000)
        if luck < 5:
            return (500, "text/plain", b"", "") if luck < 3 else (200, "cut", b"<rss", "")
        if etag in head:
            return 304, "", b"", etag
        host = head.lower().partition("\r\nhost: ")[2].partition("\r\n")[0]
        items = "".join(
            f"<item><title>{self.title(source, n)}</title><link>http://{host}/page/{source}/{n}</link>"
            f"<guid isPermaLink='false'>{source}-{n}</guid><description>What happened.</description>"
            f"<pubDate>{format_datetime(self._plan.published_at(source, n))}</pubDate></item>"
            for n in range(newest, max(-1, newest - SHOWN), -1)
        )
        text = f"<rss version='2.0'><channel><title>Feed {source}</title>{items}</channel></rss>"
        return 200, "application/rss+xml", text.encode(), etag

    def _page(self, source: int, item: int) -> tuple[int, str, bytes, str]:
        draw = random.Random(f"{source}/{item}")
        luck, name = draw.randrange(10_000), f"{source}/{item}"
        if luck < 100:
            return 404, "text/html", b"gone", ""
        if luck < 251 and name not in self._tried:
            self._tried.add(name)
            return (503, "text/plain", b"", "") if luck < 250 else (200, "hang", b"", "")
        body = self._text(draw, source, item)
        menu = "".join(f"<li><a href='/s/{n}'>Section {n} of {source}</a></li>" for n in range(12))
        title = self.title(source, item)
        page = (
            f"<!doctype html><html><head><title>{title}</title></head><body><ul>{menu}</ul>"
            f"<article><h1>{title}</h1>{body}</article><footer>© Paper {source}</footer></body></html>"
        )
        return 200, "cut" if 251 <= luck < 300 else "text/html; charset=utf-8", page.encode(), ""

    def _text(self, draw: random.Random, source: int, item: int) -> str:
        if source % 2:
            paragraphs = ["".join(draw.choices(JAPANESE, k=120)) + "。" for _ in range(4)]
        else:
            paragraphs = [" ".join(draw.choices(self._words, k=50)).capitalize() + "." for _ in range(4)]
        kind = (source * 7 + item) % 100
        if kind < 3:
            words = MATCHING if kind == 0 else NEAR
            paragraphs[0] = words.format(n=draw.randint(2, 900), place=draw.choice(PLACES))
        return "".join(f"<p>{text}</p>" for text in paragraphs)

    def title(self, source: int, item: int) -> str:
        draw = random.Random(source * 1_000_003 + item)
        return f"{' '.join(draw.choices(self._words, k=5)).capitalize()} {source}-{item}"


def serve(pipe: Connection, plan: Plan, clock: object) -> None:
    """Answers for ever on all of 127.0.0.0/8; sends the port. `clock.value` is the time, in seconds."""
    site = Site(plan, lambda: datetime.fromtimestamp(clock.value, UTC))  # type: ignore[attr-defined]

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                status, kind, body, etag = site((await reader.readuntil(b"\r\n\r\n")).decode("latin-1"))
                if kind == "hang":
                    await asyncio.sleep(60)
                tag = f"ETag: {etag}\r\n" if etag else ""
                sort = "text/html" if kind == "cut" else kind
                length = "" if status == 304 else f"Content-Type: {sort}\r\nContent-Length: {len(body)}\r\n"
                cut = body[: len(body) // 2] if kind == "cut" else body
                writer.write(f"HTTP/1.1 {status} x\r\n{tag}{length}\r\n".encode() + cut)
                await writer.drain()
                if kind == "cut":
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def main() -> None:
        server = await asyncio.start_server(converse, "0.0.0.0", 0, backlog=4096)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


def hosts(count: int) -> list[str]:
    """An address of its own for each publisher."""
    return [f"127.{1 + n // 62500}.{n // 250 % 250}.{1 + n % 250}" for n in range(count)]
