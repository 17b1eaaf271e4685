"""What a request costs: CPU milliseconds per 304 and per page, this process only.

    python benchmarks/fetching.py [--feeds 1000] [--hosts 1000] [--total 100]

The server runs in a process of its own and counts for nothing; each of the hosts is an address of
127.0.0.0/8, so every one needs its own connection, as in real life. No TLS, no name lookups.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from multiprocessing.connection import Connection

from monitor.fetch import Fetcher
from monitor.model import FetchRequest, FetchState

NOT_MODIFIED = b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nCache-Control: max-age=600\r\n\r\n'
BODY = b"<p>" + b"word " * 40_000
PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY


def serve(port_to: Connection) -> None:
    """Answer 304 to conditional requests and a 200 kB page to others, for ever."""

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                request = await reader.readuntil(b"\r\n\r\n")
                writer.write(NOT_MODIFIED if b"if-none-match" in request.lower() else PAGE)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def main() -> None:
        server = await asyncio.start_server(converse, "0.0.0.0", 0, backlog=4096)
        port_to.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


async def measure(urls: Sequence[str], *, conditional: bool, total: int) -> tuple[float, float]:
    """(CPU ms per request, wall seconds) for fetching all URLs once."""
    async with Fetcher(
        user_agent="japan-tech-monitor/0 (+benchmark)", now=lambda: datetime.now(UTC), total=total
    ) as fetch:

        async def one(url: str) -> None:
            states = {url: FetchState(url, etag='"a"')} if conditional else {}
            fetched = await fetch(FetchRequest(url, validators=states, allow_private=True))
            assert fetched.not_modified == conditional

        await one(urls[0])  # import and warm up
        cpu, wall = time.process_time(), time.perf_counter()
        await asyncio.gather(*(one(url) for url in urls))
        return (time.process_time() - cpu) * 1000 / len(urls), time.perf_counter() - wall


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--feeds", type=int, default=1000)
    parser.add_argument("--hosts", type=int, default=1000)
    parser.add_argument("--total", type=int, default=100)
    options = parser.parse_args()
    receive, send = multiprocessing.Pipe(duplex=False)
    server = multiprocessing.Process(target=serve, args=(send,), daemon=True)
    server.start()
    port = receive.recv()
    hosts = [f"127.{1 + n // 62500}.{n // 250 % 250}.{1 + n % 250}" for n in range(options.hosts)]
    many = [f"http://{hosts[n % len(hosts)]}:{port}/feed/{n}" for n in range(options.feeds)]
    one = [f"http://127.0.0.1:{port}/feed/{n}" for n in range(options.feeds)]
    for name, urls, conditional in (
        ("304, many hosts", many, True),
        ("304, one host", one, True),
        ("200 kB page, many hosts", many, False),
        ("200 kB page, one host", one, False),
    ):
        cpu_ms, wall_s = asyncio.run(measure(urls, conditional=conditional, total=options.total))
        print(f"{name:24} {cpu_ms:6.2f} ms CPU each, {len(urls) / wall_s:7.0f} a second")
    server.terminate()


if __name__ == "__main__":
    main()
