"""robots.txt is read once a day, by its own words, and obeyed."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterator

import pytest

from monitor.fetch.robots import concerning
from tests import servers
from tests.fetching import PUBLIC, Clock, Names, Rerouted, ask, failure, fetcher
from tests.servers import Site, head


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as site:
        for path in ("/news/1", "/private/1", "/"):
            site.page(path, b"page")
        yield site


ALLOWED = {
    "no rules at all": "",
    "an empty Disallow": "User-agent: *\nDisallow:\n",
    "the longer Allow wins": "User-agent: *\nDisallow: /\nAllow: /news\n",
    "Allow wins a tie": "User-agent: *\nDisallow: /news\nAllow: /news\n",
    "rules for others": "User-agent: otherbot\nDisallow: /\n",
    "rules for a longer name": "User-agent: japan-tech-monitor-image\nDisallow: /\n",
    "rules for a part of our name": "User-agent: japan\nDisallow: /\n",
    "our own group, in capitals": "User-agent: *\nDisallow: /\n\nUser-agent: Japan-Tech-Monitor\nDisallow:\n",
    "our own group, versioned": "User-agent: *\nDisallow: /\nUser-agent: japan-tech-monitor/1\nDisallow:\n",
    "a page of HTML": "<html><body>User-agent</body></html>",
    "bytes that are no text": "\x00\x01\x02",
}
FORBIDDEN = {
    "everything": "User-agent: *\nDisallow: /\n",
    "everything, with a byte order mark and carriage returns": "\ufeffUser-agent: *\r\nDisallow: /\r\n",
    "a wildcard": "User-agent: *\nDisallow: /*/1$\n",
    "our own group": "User-agent: japan-tech-monitor\nDisallow: /news\n",
    "a group for several": "User-agent: otherbot\nUser-agent: japan-tech-monitor\nDisallow: /news\n",
    "two groups for everybody": "User-agent: *\nDisallow: /a\n\nUser-agent: *\nDisallow: /news\n",
    "comments and no blanks": "User-agent:*#all\nDisallow:/news#no\n",
}


@pytest.mark.parametrize("text", ALLOWED.values(), ids=ALLOWED.keys())
async def test_allows(site: Site, text: str) -> None:
    site.page("/robots.txt", text)
    async with fetcher() as fetch:
        assert (await fetch(ask(site.url("/news/1"), obey_robots=True))).body == b"page"


@pytest.mark.parametrize("text", FORBIDDEN.values(), ids=FORBIDDEN.keys())
async def test_forbids(site: Site, text: str) -> None:
    site.page("/robots.txt", text)
    async with fetcher() as fetch:
        error = await failure(fetch, ask(site.url("/news/1"), obey_robots=True))
    assert (error.kind, error.retry_after_s) == ("robots", None)
    assert [seen.path for seen in site.seen] == ["/robots.txt"]


async def test_a_configured_feed_is_fetched_as_asked(site: Site) -> None:
    site.page("/robots.txt", "User-agent: *\nDisallow: /\n")
    async with fetcher() as fetch:
        await fetch(ask(site.url("/news/1")))
    assert [seen.path for seen in site.seen] == ["/news/1"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
async def test_a_site_without_rules_allows_everything(site: Site, status: int) -> None:
    site.page("/robots.txt", status=status)
    async with fetcher() as fetch:
        await fetch(ask(site.url("/news/1"), obey_robots=True))


@pytest.mark.parametrize("status", [500, 503, 429])
async def test_a_site_whose_rules_cannot_be_read_is_left_alone_for_now(site: Site, status: int) -> None:
    site.page("/robots.txt", status=status)
    async with fetcher() as fetch:
        error = await failure(fetch, ask(site.url("/news/1"), obey_robots=True))
    assert (error.kind, error.retry_after_s) == ("robots", 3600)
    assert not site.asked_for("/news/1")


async def test_rules_that_never_arrive_are_given_up_on_within_the_request_s_own_deadline(site: Site) -> None:
    site.script("/robots.txt", servers.slow_drip)
    async with fetcher() as fetch:
        start = time.monotonic()
        error = await failure(fetch, ask(site.url("/news/1"), obey_robots=True, timeout_s=0.6))
        assert error.kind == "timeout"
        assert time.monotonic() - start < 60
        site.page("/robots.txt", "")
        await fetch(ask(site.url("/news/1"), obey_robots=True))  # so short a try is not held against it


async def test_a_host_that_asked_for_a_pause_is_paused_not_forbidden(site: Site) -> None:
    clock = Clock()
    busy = site.page("/busy", status=429, headers={"Retry-After": "60"})
    async with fetcher(now=clock) as fetch:
        await failure(fetch, ask(busy))
        error = await failure(fetch, ask(site.url("/news/1"), obey_robots=True))
        assert (error.kind, error.status, error.retry_after_s) == ("status", 429, 60)
        clock.move(seconds=61)
        await fetch(ask(site.url("/news/1"), obey_robots=True))


async def test_the_last_good_rules_stand_in_while_the_server_is_broken(site: Site) -> None:
    clock = Clock()
    site.page("/robots.txt", "User-agent: *\nDisallow: /private\n")
    async with fetcher(now=clock) as fetch:
        await fetch(ask(site.url("/news/1"), obey_robots=True))
        site["/robots.txt"].status = 500
        clock.move(hours=25)
        await fetch(ask(site.url("/news/1"), obey_robots=True))
        error = await failure(fetch, ask(site.url("/private/1"), obey_robots=True))
        assert (error.kind, error.retry_after_s) == ("robots", None)
        clock.move(days=31)
        assert (await failure(fetch, ask(site.url("/news/1"), obey_robots=True))).retry_after_s == 3600


async def test_rules_are_asked_for_once_a_day_however_many_pages_there_are(site: Site) -> None:
    clock = Clock()
    site.page("/robots.txt", "User-agent: *\nDisallow: /private\n")
    urls = [site.page(f"/page/{n}", b"page") for n in range(30)]
    async with fetcher(now=clock) as fetch:
        await asyncio.gather(*(fetch(ask(url, obey_robots=True)) for url in urls))
        clock.move(hours=23)
        await fetch(ask(urls[0], obey_robots=True))
        assert len(site.asked_for("/robots.txt")) == 1
        clock.move(hours=2)
        await fetch(ask(urls[0], obey_robots=True))
    assert len(site.asked_for("/robots.txt")) == 2


async def test_rules_are_looked_up_at_every_hop(site: Site) -> None:
    with Site() as other:
        other.page("/robots.txt", "User-agent: *\nDisallow: /\n")
        site.redirect("/news/1", other.page("/elsewhere", b"page"))
        async with fetcher() as fetch:
            assert (await failure(fetch, ask(site.url("/news/1"), obey_robots=True))).kind == "robots"
        assert not other.asked_for("/elsewhere")


async def test_rules_may_be_up_to_five_redirects_away(site: Site) -> None:
    for n in range(6):
        site.redirect(f"/r{n}", f"/r{n + 1}")
    site.page("/r5", "User-agent: *\nDisallow: /\n")
    site.redirect("/robots.txt", "/r1")
    async with fetcher() as fetch:
        assert (await failure(fetch, ask(site.url("/news/1"), obey_robots=True))).kind == "robots"
    site.redirect("/r5", "/r6")
    site.redirect("/r6", "/r7")
    async with fetcher() as fetch:
        await fetch(ask(site.url("/news/1"), obey_robots=True))  # further than that: there are none


async def test_rules_cannot_lead_to_a_private_address(site: Site) -> None:
    site.redirect("/robots.txt", "http://169.254.169.254/robots.txt")
    async with fetcher(resolve=Names({"news.test": [[PUBLIC]]}), backend=Rerouted({PUBLIC: site})) as fetch:
        error = await failure(fetch, ask("http://news.test/news/1", obey_robots=True, allow_private=False))
    assert error.kind == "refused"
    assert not site.asked_for("/news/1")


async def test_crawl_delay_is_kept_between_all_requests_to_the_host(site: Site) -> None:
    site.page("/robots.txt", "User-agent: *\nCrawl-delay: 0.3\n")
    async with fetcher() as fetch:
        await asyncio.gather(*(fetch(ask(site.url("/news/1"), obey_robots=True)) for _ in range(3)))
        await fetch(ask(site.url("/")))  # a feed of the same host waits too
    times = [seen.at for seen in site.seen]
    assert all(later - earlier >= 0.29 for earlier, later in itertools.pairwise(times))


@pytest.mark.parametrize("value", ["-5", "nan", "soon", ""])
async def test_a_crawl_delay_that_makes_no_sense_is_none(site: Site, value: str) -> None:
    site.page("/robots.txt", f"User-agent: otherbot\nCrawl-delay: 9\n\nUser-agent: *\nCrawl-delay: {value}\n")
    async with fetcher() as fetch:
        async with asyncio.timeout(2):
            await fetch(ask(site.url("/news/1"), obey_robots=True))


async def test_half_a_megabyte_of_rules_is_read_and_the_rest_is_not(site: Site) -> None:
    filler = "Disallow: /filler\n" * 28_000  # 504 kB
    text = f"User-agent: *\n{filler}Disallow: /private\n" + "Disallow: /more\n" * 10_000 + "Disallow: /news\n"
    site.page("/robots.txt", text)
    async with fetcher() as fetch:
        await fetch(ask(site.url("/news/1"), obey_robots=True))
        assert (await failure(fetch, ask(site.url("/private/1"), obey_robots=True))).kind == "robots"


async def test_rules_made_to_be_slow_are_read_in_bounded_time(site: Site) -> None:
    """A parser that gives every rule to every agent needs minutes and gigabytes for this."""
    agents = "".join(f"User-agent: bot{n}\n" for n in range(15_000))
    site.page("/robots.txt", agents + "Disallow: /x\n" * 15_000)
    wild = "User-agent: *\n" + ("Disallow: /" + "*a" * 500 + "b\n") * 400
    with Site() as other:
        other.page("/robots.txt", wild)
        other.page("/" + "a" * 2000, b"page")
        async with fetcher() as fetch:
            start = time.monotonic()
            await fetch(ask(site.url("/news/1"), obey_robots=True))
            await fetch(ask(other.url("/" + "a" * 2000), obey_robots=True))
    assert time.monotonic() - start < 60


async def test_an_endless_robots_txt_is_cut_not_refused(site: Site) -> None:
    site.script("/robots.txt", servers.endless_body)
    async with fetcher() as fetch:
        await fetch(ask(site.url("/news/1"), obey_robots=True))


async def test_robots_txt_itself_is_no_trap(site: Site) -> None:
    site.raw("/robots.txt", head(200, {"Content-Encoding": "br"}) + b"x")
    async with fetcher() as fetch:
        assert (await failure(fetch, ask(site.url("/news/1"), obey_robots=True))).kind == "robots"


def test_only_what_concerns_us_is_kept() -> None:
    text = (
        "Sitemap: http://x/\nUser-agent: a\nUser-agent: *\nDisallow: /b # no\nUser-agent: c\nDisallow: /d\n"
    )
    assert concerning(text, "monitor") == "User-agent: *\ndisallow: /b"
