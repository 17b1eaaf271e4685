"""What publishers see of us: one careful reader, who remembers what it was told."""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
import threading
from collections.abc import Iterator

import pytest
import trustme

from monitor.errors import FetchError
from monitor.fetch import Fetcher
from monitor.model import FetchState, Redirect
from tests import servers
from tests.fetching import AGENT, PUBLIC, Clock, Names, Rerouted, ask, failure, fetcher
from tests.servers import Site, Visit, head


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as site:
        yield site


def remembered(url: str, etag: str = "", last_modified: str = "") -> dict[str, FetchState]:
    return {url: FetchState(url, etag=etag, last_modified=last_modified)}


# --- validators ---


@pytest.mark.parametrize(
    "etag",
    ['"abc"', 'W/"abc"', "unquoted", '"with, comma"', '"é"', '""', 'W/"it\'s"', '"  inner  spaces "'],
)
async def test_an_etag_comes_back_byte_for_byte(site: Site, etag: str) -> None:
    url = site.page("/feed", b"news", etag=etag)
    async with fetcher() as fetch:
        first = await fetch(ask(url))
        second = await fetch(ask(url, validators=remembered(url, first.etag, first.last_modified)))
    assert (first.status, first.body, first.etag) == (200, b"news", etag)
    assert (second.status, second.body, second.etag) == (304, b"", etag)
    assert site.seen[1].headers["if-none-match"] == etag


async def test_last_modified_comes_back_even_when_it_is_no_date(site: Site) -> None:
    url = site.page("/feed", b"news", last_modified="yesterday, about noon")
    async with fetcher() as fetch:
        first = await fetch(ask(url))
        second = await fetch(ask(url, validators=remembered(url, last_modified=first.last_modified)))
    assert second.not_modified
    assert second.last_modified == "yesterday, about noon"


async def test_nothing_conditional_is_sent_that_the_server_did_not_give(site: Site) -> None:
    url = site.page("/feed", b"news", headers={"Date": "Wed, 25 Nov 2026 12:00:00 GMT"})
    async with fetcher() as fetch:
        fetched = await fetch(ask(url))
        await fetch(ask(url, validators={url: FetchState(url, body_sha256="abc")}))
    assert (fetched.etag, fetched.last_modified) == ("", "")
    assert not any(seen.is_conditional for seen in site.seen)


async def test_validators_stay_with_the_url_they_belong_to(site: Site) -> None:
    old, new = site.redirect("/old", "/new", 301), site.page("/new", b"news", etag='"new"')
    states = remembered(old, '"old"') | remembered(new, '"new"')
    async with fetcher() as fetch:
        fetched = await fetch(ask(old, validators=states))
    assert [seen.headers.get("if-none-match") for seen in site.seen] == ['"old"', '"new"']
    assert (fetched.status, fetched.url, fetched.requested_url) == (304, new, old)
    assert fetched.redirects == (Redirect(301, old, new),)


async def test_a_304_may_bring_a_new_validator(site: Site) -> None:
    url = site.raw("/feed", head(304, {"ETag": '"2"', "Cache-Control": "max-age=60"}))
    async with fetcher() as fetch:
        fetched = await fetch(ask(url, validators=remembered(url, '"1"', "Mon")))
    assert (fetched.etag, fetched.last_modified) == ('"2"', "Mon")
    assert fetched.headers["cache-control"] == "max-age=60"


@pytest.mark.parametrize(
    "etag", ['"' + "x" * 5000 + '"', '"a\nb"', '"日本"'], ids=["huge", "two lines", "not latin"]
)
async def test_a_validator_that_cannot_be_sent_back_is_left_out(site: Site, etag: str) -> None:
    url = site.page("/feed", b"news")
    async with fetcher() as fetch:
        assert (await fetch(ask(url, validators=remembered(url, etag)))).body == b"news"
    assert not site.seen[0].is_conditional


# --- what else is sent ---


async def test_a_request_says_who_asks_and_nothing_more(site: Site) -> None:
    url = site.page("/feed", b"news")
    async with fetcher() as fetch:
        await fetch(ask(url, accept="application/rss+xml"))
    assert site.seen[0].headers == {
        "host": f"127.0.0.1:{site.port}",
        "user-agent": AGENT,
        "accept-encoding": "gzip",
        "accept": "application/rss+xml",
    }


async def test_cookies_are_neither_kept_nor_shown(site: Site) -> None:
    site.redirect("/feed", "/next")
    site["/feed"].headers["Set-Cookie"] = "sid=1; Path=/"
    site.page("/next", b"news", headers={"Set-Cookie": "sid=2; Path=/"})
    async with fetcher() as fetch:
        fetched = await fetch(ask(site.url("/feed")))
        await fetch(ask(site.url("/next")))
    assert "set-cookie" not in fetched.headers
    assert not any("cookie" in seen.headers for seen in site.seen)


async def test_gzip_is_asked_for_and_unpacked(site: Site) -> None:
    url = site.page("/feed", b"news " * 5000, gzip=True)
    async with fetcher() as fetch:
        assert (await fetch(ask(url))).body == b"news " * 5000


async def test_proxies_of_the_environment_are_not_asked(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    with Site() as proxy:
        monkeypatch.setitem(os.environ, "HTTP_PROXY", proxy.url())
        monkeypatch.setitem(os.environ, "ALL_PROXY", proxy.url())
        async with fetcher() as fetch:
            assert (await fetch(ask(site.page("/feed", b"news")))).body == b"news"
        assert not proxy.seen


async def test_credentials_in_a_url_reach_that_url_only(site: Site) -> None:
    with Site() as other:
        site.redirect("/feed", other.page("/elsewhere", b"news"))
        async with fetcher() as fetch:
            await fetch(ask(site.url("/feed").replace("http://", "http://desk:s3cret@")))
        assert site.seen[0].headers["authorization"] == "Basic ZGVzazpzM2NyZXQ="
        assert "authorization" not in other.seen[0].headers


async def test_neither_errors_nor_logs_carry_the_url(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    site.page("/missing", b"", status=500)
    with caplog.at_level(logging.INFO):
        async with fetcher() as fetch:
            error = await failure(fetch, ask(site.url("/missing?token=s3cret")))
    assert "s3cret" not in str(error) + caplog.text
    assert (error.status, str(error)) == (500, "the server answered 500")


# --- taking turns ---


async def test_a_host_sees_one_connection_at_a_time_and_keeps_it(site: Site) -> None:
    urls = [site.page(f"/{n}", b"news") for n in range(20)]
    async with fetcher(total=10) as fetch:
        await asyncio.gather(*(fetch(ask(url)) for url in urls))
    assert (site.connections, site.most_at_once) == (1, 1)


async def test_hosts_do_not_wait_for_each_other() -> None:
    """Ten hosts answer only when all ten have been asked."""
    all_asked = threading.Barrier(10)

    def slow(visit: Visit) -> bool:
        all_asked.wait(60)
        visit.send(head(200, {"Content-Length": "4"}) + b"news")
        return True

    sites = [Site() for _ in range(10)]
    async with fetcher() as fetch:
        for site in sites:
            site.__enter__()
        fetched = await asyncio.gather(*(fetch(ask(site.script("/feed", slow))) for site in sites))
        for site in sites:
            site.__exit__(None, None, None)
    assert [each.body for each in fetched] == [b"news"] * 10


async def test_a_host_with_many_pages_does_not_crowd_out_the_others(site: Site) -> None:
    """With a single place, a feed elsewhere is read after a few of the hundred pages, not after all."""
    done: list[str] = []
    with Site() as other:
        pages = [site.page(f"/{n}", b"page") for n in range(100)]
        feed = other.page("/feed", b"feed")
        async with fetcher(total=1) as fetch:

            async def read(url: str) -> None:
                await fetch(ask(url))
                done.append(url)

            await asyncio.gather(*(read(url) for url in [*pages, feed]))
    assert done.index(feed) < 5


async def test_waiting_for_a_turn_does_not_count_against_the_deadline(site: Site) -> None:
    def slow(visit: Visit) -> bool:
        visit.pause(1)
        visit.send(head(200, {"Content-Length": "4"}) + b"news")
        return True

    url = site.script("/feed", slow)
    async with fetcher() as fetch:
        fetched = await asyncio.gather(*(fetch(ask(url, timeout_s=3.5)) for _ in range(4)))
    assert len(fetched) == 4


async def test_a_cancelled_fetch_gives_its_turn_away(site: Site) -> None:
    site.script("/never", servers.never)
    ok = site.page("/ok", b"news")
    async with fetcher(total=1) as fetch:
        stuck = asyncio.create_task(fetch(ask(site.url("/never"))))
        await asyncio.sleep(0.1)
        stuck.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stuck
        assert (await fetch(ask(ok))).body == b"news"


async def test_a_connection_the_server_has_closed_meanwhile_costs_nothing(site: Site) -> None:
    """The server hangs up without saying so after every answer; each request still gets its own."""
    url = site.raw("/feed", head(200, {"Content-Length": "4"}) + b"news")
    async with fetcher() as fetch:
        for _ in range(20):
            assert (await fetch(ask(url))).body == b"news"


# --- being sent away ---


async def test_a_429_stops_everything_meant_for_that_host_until_its_time(site: Site) -> None:
    clock = Clock()
    site.page("/busy", status=429, headers={"Retry-After": "120"})
    ok = site.page("/ok", b"news")
    async with fetcher(now=clock) as fetch:
        first = await failure(fetch, ask(site.url("/busy")))
        clock.move(seconds=119)
        second = await failure(fetch, ask(ok))
        clock.move(seconds=2)
        assert (await fetch(ask(ok))).body == b"news"
    assert (first.status, first.retry_after_s) == (429, 120)
    assert (second.status, second.retry_after_s) == (429, 1)
    assert [seen.path for seen in site.seen] == ["/busy", "/ok"]


async def test_a_429_without_a_time_stops_the_host_for_four_hours(site: Site) -> None:
    clock = Clock()
    busy = site.page("/busy", status=429)
    async with fetcher(now=clock) as fetch:
        await failure(fetch, ask(busy))
        clock.move(hours=3.9)
        await failure(fetch, ask(busy))
        assert len(site.seen) == 1
        clock.move(hours=0.2)
        await failure(fetch, ask(busy))
    assert len(site.seen) == 2


async def test_retry_after_as_a_date_is_counted_from_our_clock(site: Site) -> None:
    url = site.page("/", status=503, headers={"Retry-After": "Wed, 25 Nov 2026 12:10:00 GMT"})
    async with fetcher() as fetch:
        assert (await failure(fetch, ask(url))).retry_after_s == 600


async def test_a_blocked_host_is_never_asked(site: Site) -> None:
    names = Names({"www.blocked.test": [[PUBLIC]]})
    async with fetcher(resolve=names, blocked_hosts=["blocked.test"]) as fetch:
        assert (await failure(fetch, ask("http://www.blocked.test/"))).kind == "refused"
    assert names.asked == []


# --- encrypted ---


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def served_for(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)
    return context


def reading(authority: trustme.CA | None, site: Site) -> Fetcher:
    context = ssl.create_default_context()
    if authority is not None:
        authority.configure_trust(context)
    names = Names({"news.test": [[PUBLIC]]})
    return fetcher(resolve=names, backend=Rerouted({PUBLIC: site}), ssl_context=context)


async def test_https_is_checked_against_the_name_while_connecting_to_the_address(
    authority: trustme.CA,
) -> None:
    with Site(tls=served_for(authority, "news.test")) as site:
        site.page("/feed", b"news")
        async with reading(authority, site) as fetch:
            assert (await fetch(ask("https://news.test/feed", allow_private=False))).body == b"news"


async def test_a_certificate_for_another_name_is_refused(authority: trustme.CA) -> None:
    with Site(tls=served_for(authority, "other.test")) as site:
        async with reading(authority, site) as fetch:
            assert (await failure(fetch, ask("https://news.test/feed"))).kind == "tls"
        assert not site.seen


async def test_a_certificate_nobody_knows_is_refused(authority: trustme.CA) -> None:
    with Site(tls=served_for(authority, "news.test")) as site:
        async with reading(None, site) as fetch:
            assert (await failure(fetch, ask("https://news.test/feed"))).kind == "tls"


async def test_https_to_a_server_that_speaks_plainly_is_refused(authority: trustme.CA, site: Site) -> None:
    async with reading(authority, site) as fetch:
        error = await failure(fetch, ask("https://news.test/feed", timeout_s=1.0))
    assert error.kind in ("tls", "timeout")


# --- names and addresses that do not answer ---


async def test_a_name_that_does_not_exist_is_a_dns_error() -> None:
    async with fetcher(resolve=Names({})) as fetch:
        assert (await failure(fetch, ask("http://gone.test/"))).kind == "dns"


async def test_one_dead_address_does_not_hide_a_living_one(site: Site) -> None:
    site.page("/feed", b"news")
    names = Names({"two.test": [["2606:2800:220:1::1", PUBLIC]]})
    network = Rerouted({PUBLIC: site})
    async with fetcher(resolve=names, backend=network) as fetch:
        assert (await fetch(ask("http://two.test/feed", allow_private=False))).body == b"news"
    assert [host for host, _ in network.connected] == ["2606:2800:220:1::1", PUBLIC]


async def test_a_name_server_that_never_answers_is_a_timeout() -> None:
    async def stuck(host: str, port: int) -> list[str]:
        await asyncio.sleep(3600)
        return []

    async with fetcher(resolve=stuck) as fetch:
        assert (await failure(fetch, ask("http://slow.test/", timeout_s=0.2))).kind == "timeout"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "news",
        "file:///etc/passwd",
        "ftp://x/",
        "//x/y",
        "http://",
        "http:///x",
        "http://[::1",
        "http://a\nb/",
    ],
)
async def test_what_is_no_web_address_is_refused(url: str) -> None:
    async with fetcher() as fetch:
        with pytest.raises(FetchError) as caught:
            await fetch(ask(url))
    assert caught.value.kind == "refused"
