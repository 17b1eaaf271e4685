"""Feeds of every dialect, with the faults that real ones have."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime

import pytest

from monitor import sources
from monitor.model import ParsedFeed, Source
from monitor.sources import feeds

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
URL = "https://example.com/news/feed.xml"


def read(body: str | bytes, *, known: frozenset[str] = frozenset(), **options: str) -> ParsedFeed:
    headers = {"content-type": options.pop("content_type", "")}
    source = Source(id="desk", url=URL, **options)  # type: ignore[arg-type]
    data = body.encode() if isinstance(body, str) else body
    return sources.parse(data, source=source, url=URL, headers=headers, now=NOW, known=known)


def rss(items: str, channel: str = "", root: str = 'rss version="2.0"') -> str:
    return f"<{root}><channel><title>Desk</title>{channel}{items}</channel></{root.split()[0]}>"


RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
  xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="x"><title>省</title></channel>
  <item rdf:about="https://example.com/1"><title>半導体</title><link>https://example.com/1</link>
  <dc:date>2026-11-22T09:00:00+09:00</dc:date></item></rdf:RDF>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en-GB"><title type="html">A &amp;amp; B</title>
  <link rel="hub" href="https://hub.example.com/"/><link href="https://example.com/"/>
  <entry><id>tag:example.com,2026:1</id><title type="html">Chips &lt;b&gt;now&lt;/b&gt;</title>
  <link rel="replies" href="https://example.com/1#c"/><link rel="alternate" href="/1"/>
  <published>2026-11-22T09:00:00Z</published><updated>2026-11-23T09:00:00Z</updated>
  <content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>One.</p><p>Two.</p></div></content></entry></feed>"""
ATOM03 = """<feed version="0.3" xmlns="http://purl.org/atom/ns#"><title>old</title><entry><id>x:1</id>
  <title mode="escaped" type="text/html">A &amp;lt;i&amp;gt;B&amp;lt;/i&amp;gt;</title>
  <link rel="alternate" type="text/html" href="https://example.com/1"/><issued>2026-11-22T09:00:00Z</issued></entry></feed>"""
CDF = '<channel href="https://example.com/"><title>c</title><item href="https://example.com/1"><title>T</title></item></channel>'
RSS090 = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
  xmlns="http://my.netscape.com/rdf/simple/0.9/"><channel><title>n</title></channel>
  <item><title>T</title><link>https://example.com/1</link></item></rdf:RDF>"""


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        pytest.param(rss("<item><title>T</title></item>", root='rss version="0.91"'), "rss", id="RSS 0.91"),
        pytest.param(rss("<item><title>T</title></item>"), "rss", id="RSS 2.0"),
        pytest.param(RSS090, "rdf", id="RSS 0.90"),
        pytest.param(RDF, "rdf", id="RSS 1.0"),
        pytest.param(ATOM, "atom", id="Atom 1.0"),
        pytest.param(ATOM03, "atom", id="Atom 0.3"),
        pytest.param(CDF, "rss", id="bare channel"),
        pytest.param(
            "\n\ufeff \x00" + rss("<item><title>T</title></item>"), "rss", id="junk before the root"
        ),
        pytest.param(
            "Warning: x\n<?xml version='1.0'?>" + ATOM, "atom", id="a warning before the declaration"
        ),
        pytest.param("<html><body>" + ATOM + "</body></html>", "atom", id="wrapped in a page"),
        pytest.param(rss("<item><title>a & b &nbsp;</title></item>"), "rss", id="bare ampersand"),
        pytest.param(rss("<item><title>a\x0c&#11;b</title></item>"), "rss", id="control characters"),
        pytest.param(rss("<item><title>T</title></item>")[:-20], "rss", id="cut off"),
    ],
)
def test_every_dialect_gives_its_entry(body: str, kind: str) -> None:
    feed = read(body)
    assert (feed.kind, len(feed.items), feed.problem) == (kind, 1, "")
    assert pickle.loads(pickle.dumps(feed)) == feed


def test_an_atom_entry_is_read_in_full() -> None:
    feed = read(ATOM)
    (item,) = feed.items
    assert (item.guid, item.url, item.title) == (
        "tag:example.com,2026:1",
        "https://example.com/1",
        "Chips now",
    )
    assert item.published_at == datetime(2026, 11, 22, 9, tzinfo=UTC)
    assert item.summary == "One.\nTwo."
    assert item.lang == "en-gb"
    assert (feed.title, feed.hub_url, feed.home_url) == (
        "A & B",
        "https://hub.example.com/",
        "https://example.com/",
    )


def test_an_empty_feed_is_no_fault() -> None:
    assert read(rss("")) == ParsedFeed("rss", title="Desk", encoding="utf-8")


@pytest.mark.parametrize(
    ("item", "guid", "url"),
    [
        ('<guid isPermaLink="false">7</guid><link>/a</link>', "7", "https://example.com/a"),
        ("<guid>https://example.com/p</guid>", "https://example.com/p", "https://example.com/p"),
        ("<guid>notaurl</guid>", "notaurl", ""),
        ("<guid>item-7</guid><link>b.html</link>", "item-7", "https://example.com/news/b.html"),
        ("<link>/c/</link>", "https://example.com/c", "https://example.com/c/"),
        ("<link>javascript:alert(1)</link><guid>j</guid>", "j", ""),
        ('<link>x</link><guid isPermaLink="false">https://example.com/no</guid>', "https://example.com/no",
         "https://example.com/news/x"),
    ],
)  # fmt: skip
def test_identity_and_link_are_told_apart(item: str, guid: str, url: str) -> None:
    (found,) = read(rss(f"<item><title>T</title>{item}</item>")).items
    assert (found.guid, found.url) == (guid, url)


def test_an_entry_without_id_and_link_is_known_by_what_it_says() -> None:
    one, other = read(rss("<item><title>A</title></item><item><title>B</title></item>")).items
    assert one.guid != other.guid
    assert read(rss("<item><title>A</title></item>")).items[0].guid == one.guid


def test_relative_links_start_from_xml_base_and_ids_do_not() -> None:
    body = ATOM.replace("<entry>", '<entry xml:base="https://other.example/dir/">').replace(
        "tag:example.com,2026:1", "n1"
    )
    (item,) = read(body.replace('href="/1"', 'href="1"')).items
    assert (item.url, item.guid) == ("https://other.example/dir/1", "n1")


def test_the_base_of_one_entry_is_not_that_of_the_next() -> None:
    entry = "<entry{}><link href='{}'/><id>n{}</id><title>T</title></entry>"
    entries = entry.format(" xml:base='/b/'", "1", 1) + entry.format("", "2", 2) + entry.format("", "", 3)
    items = read(f"<feed xmlns='http://www.w3.org/2005/Atom'><title>T</title>{entries}</feed>").items
    assert [item.url for item in items] == ["https://example.com/b/1", "https://example.com/news/2", ""]


def test_a_feed_from_a_file_resolves_links_against_its_own_site() -> None:
    body = rss("<item><link>/a</link></item>", "<link>https://example.com/</link>").encode()
    feed = sources.parse(body, source=Source(id="f", url=""), url="", headers={}, now=NOW)
    assert feed.items[0].url == "https://example.com/a"


def test_an_id_shared_by_several_pages_names_none_of_them() -> None:
    items = "".join(f"<item><guid>home</guid><link>https://example.com/{n}</link></item>" for n in (1, 2))
    first = read(rss(items))
    assert len({item.guid for item in first.items}) == 2
    known = frozenset(item.guid for item in first.items) | {"home"}
    more = "<item><guid>home</guid><link>https://example.com/3</link></item>" + items
    assert [item.url for item in read(rss(more), known=known).items] == ["https://example.com/3"]


def test_entries_repeated_word_for_word_are_all_given() -> None:
    item = "<item><guid>a</guid><link>https://example.com/a</link></item>"
    assert [one.guid for one in read(rss(item * 2)).items] == ["a", "a"]


@pytest.mark.parametrize(
    ("date", "options", "expected"),
    [
        ("<pubDate>Sun, 22 Nov 2026 09:00:00 JST</pubDate>", {}, "2026-11-22T00:00"),
        ("<pubDate>2026-11-22 09:00:00</pubDate>", {"timezone": "Asia/Tokyo"}, "2026-11-22T00:00"),
        ("<pubDate>2026年11月22日 09:00</pubDate>", {"timezone": "Asia/Tokyo"}, "2026-11-22T00:00"),
        ("<pubDate>03/04/2026 10:00</pubDate>", {"country": "gb"}, "2026-04-03T10:00"),
        ("<pubDate>03/04/2026 10:00</pubDate>", {"country": "us"}, "2026-03-04T10:00"),
        ("<pubDate>nonsense</pubDate><updated>2026-11-01T00:00:00Z</updated>", {}, "2026-11-01T00:00"),
        ("<pubDate>Wed, 01 Jan 2031 00:00:00 GMT</pubDate>", {}, "2026-11-24T12:00"),
    ],
)
def test_dates_are_read_with_the_sources_own_zone_and_country(
    date: str, options: dict[str, str], expected: str
) -> None:
    (item,) = read(rss(f"<item><title>T</title>{date}</item>"), **options).items
    assert item.published_at is not None
    assert item.published_at.strftime("%Y-%m-%dT%H:%M") == expected


@pytest.mark.parametrize(
    "date", ["", "<pubDate/>", "<pubDate>soon</pubDate>", "<pubDate>Mon, 01 Jan 0001 00:00:00 GMT</pubDate>"]
)
def test_no_date_is_no_date(date: str) -> None:
    assert read(rss(f"<item><title>T</title>{date}</item>")).items[0].published_at is None


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("<![CDATA[<b>Chips</b> &amp; <i>tools</i>]]>", "Chips & tools"),
        ("AT&amp;amp;T &#8211; 5&lt;6", "AT&T – 5<6"),
        ("  two\n  lines\t", "two lines"),
        ("safe&#x202E;evil", "safeevil"),
        ("<![CDATA[日英\u200b半導体]]>", "日英半導体"),
    ],
)
def test_titles_are_one_plain_line(title: str, expected: str) -> None:
    assert read(rss(f"<item><title>{title}</title></item>")).items[0].title == expected


def test_a_title_declared_plain_keeps_its_angle_brackets() -> None:
    body = ATOM.replace(
        '<title type="html">Chips &lt;b&gt;now&lt;/b&gt;', "<title>Use of List&lt;T&gt; grows"
    )
    assert read(body).items[0].title == "Use of List<T> grows"


def test_the_full_text_is_kept_beside_a_summary() -> None:
    body = rss(
        "<item><title>T</title><description>Short.</description><content:encoded>"
        "<![CDATA[<p>Long text.</p><script>x()</script><p>More.</p>]]></content:encoded></item>",
        root='rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"',
    )
    (item,) = read(body).items
    assert (item.summary, item.content) == ("Short.", "Long text.\nMore.")


def test_a_feed_says_when_to_come_back() -> None:
    channel = (
        "<ttl>180</ttl><skipHours><hour>0</hour><hour>23</hour><hour>24</hour><hour>99</hour></skipHours>"
        "<skipDays><day>Saturday</day><day>sunday</day><day>Noday</day></skipDays>"
    )
    feed = read(rss("", channel))
    assert (feed.ttl_minutes, feed.skip_hours) == (180, frozenset({0, 23}))
    assert feed.skip_days == frozenset({"Saturday", "Sunday"})
    broken = read(rss("<item><title>a & b</title></item>", channel))
    assert (broken.skip_hours, broken.skip_days) == (feed.skip_hours, feed.skip_days)


@pytest.mark.parametrize(
    ("period", "frequency", "minutes"),
    [
        ("hourly", "2", 30),
        ("daily", "", 1440),
        ("", "4", 360),
        ("weekly", "0", 10080),
        ("never", "1", None),
        ("", "", None),
    ],
)
def test_the_syndication_period_is_in_minutes(period: str, frequency: str, minutes: int | None) -> None:
    assert feeds.ttl_of_period(period, frequency) == minutes


@pytest.mark.parametrize(
    ("encoding", "declared", "content_type"),
    [
        ("shift_jis", "Shift_JIS", ""),
        ("shift_jis", "", ""),
        ("shift_jis", "UTF-8", ""),
        ("shift_jis", "", "text/xml; charset=Shift_JIS"),
        ("euc_jp", "EUC-JP", "text/xml; charset=iso-8859-1"),
        ("euc_jp", "", ""),
        ("iso2022_jp", "", ""),
        ("utf-16-le", "", ""),
        ("utf-16-be", "UTF-16", ""),
        ("utf-16", "", ""),
        ("utf-8", "Shift_JIS", "text/xml; charset=Shift_JIS"),
        ("utf-8-sig", "", ""),
        ("utf-8", "", "text/xml"),
    ],
)
def test_japanese_survives_any_declaration(encoding: str, declared: str, content_type: str) -> None:
    title = "日英両政府、半導体サプライチェーンの協力で合意したと発表しました"
    declaration = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    body = declaration + rss(
        f"<item><title>{title}</title><description>{title}についてのお知らせです。</description></item>"
    )
    assert read(body.encode(encoding), content_type=content_type).items[0].title == title


@pytest.mark.parametrize(
    ("encoding", "title"),
    [
        ("koi8-r", "Как пережить новогоднюю ночь"),
        ("windows-1251", "Новости науки и техники сегодня"),
        ("gb2312", "中国半导体产业协会发布新的研究报告"),
        ("windows-1252", "L’été à Nîmes coûte 5 €"),
    ],
)
def test_declared_encodings_hold_against_the_servers_default(encoding: str, title: str) -> None:
    body = f'<?xml version="1.0" encoding="{encoding}"?>' + rss(f"<item><title>{title}</title></item>")
    for content_type in ("", "text/xml", "text/xml; charset=iso-8859-1"):
        assert read(body.encode(encoding), content_type=content_type).items[0].title == title


def test_known_entries_are_left_out_and_the_others_read_the_same() -> None:
    items = [f"<item><guid>g{n}</guid><title>T{n}</title><link>/{n}</link></item>" for n in range(6)]
    whole = read(rss("".join(items)))
    some = read(rss("".join(items)), known=frozenset({"g1", "g4", "other"}))
    assert some.items == tuple(item for item in whole.items if item.guid not in ("g1", "g4"))
    assert read(rss("".join(items)), known=frozenset(f"g{n}" for n in range(6))).items == ()


def test_known_entries_are_left_out_of_broken_feeds_too() -> None:
    items = "".join(f"<item><guid>g{n}</guid><title>R & D {n}</title></item>" for n in range(3))
    assert [item.guid for item in read(rss(items), known=frozenset({"g1"})).items] == ["g0", "g2"]


def test_a_very_long_feed_is_read_from_its_top() -> None:
    feed = read(rss("".join(f"<item><guid>{n}</guid></item>" for n in range(feeds.MAX_ENTRIES + 5))))
    assert (len(feed.items), feed.items[0].guid) == (feeds.MAX_ENTRIES, "0")
    assert "only the first" in feed.problem
