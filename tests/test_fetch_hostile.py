"""Whatever a server does, a fetch ends in bounded time and memory with an outcome that says why.

After each misbehaviour the same host is asked for an honest page, over the same Fetcher: nothing of
the attack may be left behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from monitor.errors import FetchError
from tests import servers
from tests.fetching import PUBLIC, Names, Rerouted, ask, failure, fetcher
from tests.servers import Site, head

LIMIT = 100_000
PATIENCE_S = 0.4
Setup = Callable[[Site], str]


@dataclass(frozen=True)
class Case:
    says: str
    setup: Setup
    outcome: str | bytes  # the kind of the error, or the body
    status: int | None = None


def raw(*chunks: bytes) -> Setup:
    return lambda site: site.raw("/x", *chunks)


def script(function: servers.Script) -> Setup:
    return lambda site: site.script("/x", function)


def body(data: bytes, **headers: str) -> Setup:
    return raw(head(200, {name.replace("_", "-"): value for name, value in headers.items()}) + data)


def status(number: int) -> Setup:
    return raw(head(number, {"Content-Length": "0"}))


def redirect(to: str, number: int = 302) -> Setup:
    return lambda site: site.redirect("/x", to, number)


def chain(length: int) -> Setup:
    def setup(site: Site) -> str:
        for n in range(length):
            site.redirect(f"/chain{n}", f"/chain{n + 1}")
        site.page(f"/chain{length}", b"the end")
        return site.url("/chain0")

    return setup


def loop(site: Site) -> str:
    site.redirect("/b", "/x")
    return site.redirect("/x", "/b")


def for_ever(site: Site) -> str:
    count = iter(range(1_000_000))
    return site.script("/x", lambda visit: visit.send(head(302, {"Location": f"/x?{next(count)}"})))


PACKED = gzip.compress(b"news " * 1000)
NEWS = b"news " * 1000
CHUNKED = {"Transfer_Encoding": "chunked"}

CASES = [
    # time
    Case("a server that never answers", script(servers.never), "timeout"),
    Case("a body that drips a byte at a time", script(servers.slow_drip), "timeout"),
    Case("a header that drips a byte at a time", script(servers.slow_headers), "timeout"),
    Case("a promised body that never comes", script(
        lambda visit: (visit.send(head(200, {"Content-Length": "9"})), visit.pause(3600))), "timeout"),
    Case("a 404 whose body never ends", script(
        lambda visit: (visit.send(head(404, {"Content-Length": "9999"})), visit.pause(3600))), "status", 404),
    # size
    Case("a body without end", script(servers.endless_body), "too-large"),
    Case("a body that admits to be too large", body(b"x" * 10, Content_Length="999999999999"), "too-large"),
    Case("a body of one byte too many", body(b"x" * (LIMIT + 1)), "too-large"),
    Case("a body of exactly the limit", body(b"x" * LIMIT), b"x" * LIMIT),
    Case("a gzip bomb", script(servers.gzip_bomb(200)), "too-large"),
    Case("a gzip bomb inside a gzip bomb", body(
        gzip.compress(gzip.compress(bytes(50 << 20))), Content_Encoding="gzip, gzip"), "encoding"),
    Case("a gzip bomb of many members", body(gzip.compress(bytes(90_000)) * 3, Content_Encoding="gzip"),
         "too-large"),
    Case("a chunk header without end", script(servers.endless_chunk_extension), "connection"),
    Case("trailers without end", body(
        b"1\r\nx\r\n0\r\n" + b"X-Flood: x\r\n" * 50_000, **CHUNKED), "connection"),
    Case("header lines without end", script(servers.endless_headers), "too-large"),
    Case("one header line of two megabytes", raw(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 2_000_000), "too-large"),
    Case("a thousand header fields", raw(head(200, [("X", "x")] * 1000) + b"news"), "too-large"),
    Case("1xx answers without end", script(servers.endless_informational), "too-large"),
    Case("a status line without end", raw(b"HTTP/1.1 200 " + b"x" * 2_000_000), "too-large"),
    # compression
    Case("gzip that is cut off", body(PACKED[:-20], Content_Encoding="gzip"), "encoding"),
    Case("gzip with a wrong checksum", body(PACKED[:-8] + b"\0" * 8, Content_Encoding="gzip"), "encoding"),
    Case("gzip that is none", body(b"<html>", Content_Encoding="gzip"), "encoding"),
    Case("gzip followed by rubbish", body(PACKED + b"rubbish", Content_Encoding="gzip"), NEWS),
    Case("gzip in two members", body(PACKED + PACKED, Content_Encoding="x-gzip"), NEWS + NEWS),
    Case("gzip without a single byte", body(b"", Content_Encoding="gzip"), b""),
    Case("brotli nobody asked for", body(b"\x1b\x03", Content_Encoding="br"), "encoding"),
    Case("zstandard nobody asked for", body(b"\x28\xb5\x2f\xfd", Content_Encoding="zstd"), "encoding"),
    Case("deflate nobody asked for", body(b"x", Content_Encoding="deflate"), "encoding"),
    # framing
    Case("a body shorter than it says", body(b"news", Content_Length="1000"), "connection"),
    Case("a body longer than it says", body(b"newsEVIL", Content_Length="4"), b"news"),
    Case("two different lengths", raw(
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nnews"), "connection"),
    Case("a negative length", body(b"news", Content_Length="-4"), "connection"),
    Case("a length of a thousand digits", body(b"news", Content_Length="9" * 1000), "connection"),
    Case("a chunk length that is none", body(b"zz\r\nnews\r\n", **CHUNKED), "connection"),
    Case("a chunked body cut off", body(b"5\r\nnews", **CHUNKED), "connection"),
    Case("a connection reset at once", script(servers.reset_at_once), "connection"),
    Case("a connection reset midway", script(servers.reset_midway), "connection"),
    Case("a connection closed without a word", raw(), "connection"),
    Case("HTTP/0.9", raw(b"<html>hello</html>"), "connection"),
    Case("something that is not HTTP at all", raw(bytes(range(256)) * 10), "connection"),
    Case("a NUL in a header", raw(b"HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\nnews"), "connection"),
    Case("a folded header line", raw(b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\nnews"), b"news"),
    Case("HTTP/1.0 without a length", raw(b"HTTP/1.0 200 OK\r\n\r\nnews"), b"news"),
    Case("an upgrade nobody asked for", raw(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n"), "connection"),
    Case("header bytes that are no text", raw(b"HTTP/1.1 200 OK\r\nX: \xff\xfe\r\n\r\nnews"), b"news"),
    # statuses
    Case("200 without a body", body(b"", Content_Length="0"), b""),
    Case("204", status(204), "status", 204),
    Case("206, a part nobody asked for", status(206), "status", 206),
    Case("304 to an unconditional request", raw(head(304)), "status", 304),
    Case("300 with choices", status(300), "status", 300),
    Case("a status beyond all classes", status(999), "status", 999),
    Case("410", status(410), "status", 410),
    # redirects
    Case("a redirect to itself", redirect("/x"), "redirect", 302),
    Case("two redirects to each other", loop, "redirect", 302),
    Case("redirects without end, each to a new place", for_ever, "redirect", 302),
    Case("five redirects", chain(5), b"the end"),
    Case("six redirects", chain(6), "redirect", 302),
    Case("a redirect without a place", raw(head(302)), "redirect"),
    Case("a redirect to a file", redirect("file:///etc/passwd"), "redirect"),
    Case("a redirect to javascript", redirect("javascript:alert(1)"), "redirect"),
    Case("a redirect to gopher", redirect("gopher://127.0.0.1:25/_MAIL"), "redirect"),
    Case("a redirect to a broken address", redirect("http://[::1"), "redirect"),
    Case("a redirect to a port out of range", redirect("http://127.0.0.1:99999/"), "refused"),
    Case("a redirect to a host that is no host", redirect("http://a b/"), "refused"),
    Case("a redirect to an empty host", redirect("http:///etc"), "status", 404),
    Case("a redirect to a very long place", redirect("/" + "x" * 50_000), "redirect"),
    Case("a redirect to cloud metadata", redirect("http://169.254.169.254/latest/meta-data/"), "refused"),
    Case("a redirect to 0.0.0.0", redirect("http://0.0.0.0:80/"), "refused"),
]  # fmt: skip


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as site:
        site.page("/honest", b"honest news")
        yield site


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
async def test_ends_in_bounded_time_and_leaves_nothing_behind(site: Site, case: Case) -> None:
    url = case.setup(site)
    async with fetcher() as fetch:
        start = time.monotonic()
        if isinstance(case.outcome, bytes):
            fetched = await fetch(ask(url, timeout_s=5.0, max_body_bytes=LIMIT))
            assert fetched.body == case.outcome
        else:
            patience = PATIENCE_S if case.outcome == "timeout" else 5.0
            error = await failure(fetch, ask(url, timeout_s=patience, max_body_bytes=LIMIT))
            assert (error.kind, error.status) == (case.outcome, case.status)
            assert "http" not in str(error).replace("proper HTTP", "").replace("http or https", "")
        assert time.monotonic() - start < 60
        assert (await fetch(ask(site.url("/honest")))).body == b"honest news"


# Where a name or a redirect may lead when the source is not allowed private addresses.
PRIVATE_PLACES = {
    "the loopback address": "http://127.0.0.1/",
    "another loopback address": "http://127.9.9.9/",
    "loopback in decimal": "http://2130706433/",
    "loopback in hexadecimal": "http://0x7f000001/",
    "loopback in hexadecimal parts": "http://0x7f.1/",
    "loopback in octal": "http://0177.0.0.1/",
    "loopback shortened": "http://127.1/",
    "zero": "http://0/",
    "loopback of IPv6": "http://[::1]/",
    "loopback mapped into IPv6": "http://[::ffff:127.0.0.1]/",
    "loopback mapped into IPv6, in hexadecimal": "http://[::ffff:7f00:1]/",
    "loopback in an IPv4-compatible address": "http://[::127.0.0.1]/",
    "loopback behind NAT64": "http://[64:ff9b::7f00:1]/",
    "loopback behind local NAT64": "http://[64:ff9b:1::7f00:1]/",
    "loopback behind 6to4": "http://[2002:7f00:1::]/",
    "loopback behind Teredo": "http://[2001:0:7f00:1::]/",
    "localhost": "http://localhost/",
    "cloud metadata": "http://169.254.169.254/latest/meta-data/",
    "cloud metadata of IPv6": "http://[fd00:ec2::254]/",
    "a home network": "http://192.168.1.1/",
    "an office network": "http://10.0.0.1/",
    "a container network": "http://172.17.0.1/",
    "carrier-grade NAT": "http://100.64.0.1/",
    "a site-local address": "http://[fec0::1]/",
    "a link-local address": "http://[fe80::1]/",
    "a unique local address": "http://[fc00::1]/",
    "protocol assignments": "http://192.0.0.8/",
    "multicast": "http://224.0.0.1/",
    "multicast of IPv6": "http://[ff02::1]/",
    "broadcast": "http://255.255.255.255/",
    "a mail server's port": f"http://{PUBLIC}:25/",
    "a database's port": f"http://{PUBLIC}:5432/",
    "a name with a private address": "http://inside.test/",
    "a name with a public and a private address": "http://both.test/",
}


@pytest.mark.parametrize("place", PRIVATE_PLACES.values(), ids=PRIVATE_PLACES.keys())
async def test_a_public_page_cannot_lead_to(site: Site, place: str) -> None:
    names = Names({
        "news.test": [[PUBLIC]], "inside.test": [["10.1.2.3"]], "both.test": [[PUBLIC, "10.1.2.3"]],
        "localhost": [["127.0.0.1", "::1"]], "0": [["0.0.0.0"]],
        **{name: [["127.0.0.1"]] for name in ("2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1")},
    })  # fmt: skip
    network = Rerouted({PUBLIC: site})
    site.redirect("/x", place)
    async with fetcher(resolve=names, backend=network) as fetch:
        for url in (place, "http://news.test/x"):
            assert (await failure(fetch, ask(url, allow_private=False))).kind == "refused"
    assert set(network.connected) == {(PUBLIC, 80)}, "nothing but the public page may be connected to"


@pytest.mark.parametrize(
    "host", ["2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "0", "localhost"]
)
async def test_the_real_resolver_gives_these_names_away(site: Site, host: str) -> None:
    async with fetcher(backend=Rerouted({})) as fetch:
        assert (await failure(fetch, ask(f"http://{host}/", allow_private=False))).kind == "refused"


async def test_a_name_that_changes_its_address_is_looked_up_once_and_not_trusted_again(site: Site) -> None:
    site.page("/a", b"news")
    names = Names({"rebind.test": [[PUBLIC], ["127.0.0.1"]]})
    async with fetcher(resolve=names, backend=Rerouted({PUBLIC: site, "127.0.0.1": site})) as fetch:
        assert (await fetch(ask("http://rebind.test/a", allow_private=False))).body == b"news"
        assert names.asked == ["rebind.test"], "the address that was checked is the one connected to"
        site.script("/drop", servers.reset_at_once)
        await failure(fetch, ask("http://rebind.test/drop", allow_private=False))
        error = await failure(fetch, ask("http://rebind.test/a", allow_private=False))
    assert error.kind == "refused"


async def test_a_connection_opened_for_a_private_source_is_not_lent_to_a_public_one(site: Site) -> None:
    names = Names({"intranet.test": [["127.0.0.1"]]})
    site.page("/secret", b"internal")
    async with fetcher(resolve=names, backend=Rerouted({"127.0.0.1": site})) as fetch:
        assert (await fetch(ask("http://intranet.test/secret"))).body == b"internal"
        error = await failure(fetch, ask("http://intranet.test/secret", allow_private=False))
    assert error.kind == "refused"


async def test_a_bomb_is_bounded_in_memory(site: Site) -> None:
    url = site.script("/bomb", servers.gzip_bomb(300))
    async with fetcher() as fetch:
        await fetch(ask(site.url("/honest")))
        tracemalloc.start()
        try:
            assert (await failure(fetch, ask(url, max_body_bytes=5_000_000))).kind == "too-large"
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 16_000_000, "the server's own block of a megabyte included"


async def test_honest_hosts_are_unharmed_while_all_of_this_goes_on() -> None:
    """Every misbehaviour at once, each on a host of its own and patiently waited for; nobody else waits."""
    with ExitStack() as stack:
        honest = stack.enter_context(Site())
        urls = [honest.page(f"/{n}", f"news {n}") for n in range(20)]
        traps = [case.setup(stack.enter_context(Site())) for case in CASES]
        async with fetcher(total=len(CASES) + 1) as fetch:

            async def fall_for(url: str) -> None:
                with contextlib.suppress(FetchError):
                    await fetch(ask(url, timeout_s=60, max_body_bytes=LIMIT))

            async def read(url: str) -> bytes:
                return (await fetch(ask(url))).body

            attacks = [asyncio.create_task(fall_for(url)) for url in traps]
            async with asyncio.timeout(20):
                bodies = await asyncio.gather(*map(read, urls))
            assert not all(attack.done() for attack in attacks), "some of them never end by themselves"
            for attack in attacks:
                attack.cancel()
            await asyncio.gather(*attacks, return_exceptions=True)
            assert await read(urls[0]) == b"news 0", "places are free again"
    assert bodies == [f"news {n}".encode() for n in range(20)]
