"""Known entries are cut out before a feed is parsed; what is left must read as if they were there."""

from __future__ import annotations

from datetime import UTC, datetime
from xml.sax.saxutils import escape

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor import sources
from monitor.model import ParsedFeed, Source

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
URL = "https://example.com/dir/feed"

SPACES = (
    "xmlns:content='http://purl.org/rss/1.0/modules/content/' xmlns:dc='http://purl.org/dc/elements/1.1/'"
)

words = st.text(st.sampled_from("ab 日<&>'\"é\u00a0\n;/"), max_size=12)
ids = st.sampled_from(["", "1", "2", "3", "urn:x:4", "https://example.com/5", " 6 ", "日", "a&b", "/7"])
dates = st.sampled_from(["", "Sun, 22 Nov 2026 09:00:00 GMT", "2026-11-22T09:00:00Z", "yesterday"])
markup = st.sampled_from(
    ["", "<b>x</b>", "<a href='/rel'>y</a>", "<script>z()</script>", "<img src='p.jpg'>"]
)


def _element(name: str, text: str, attributes: str = "") -> str:
    return f"<{name}{attributes}>{text}</{name}>" if text else ""


@st.composite
def rss_entries(draw: st.DrawFn) -> str:
    body = draw(markup) + escape(draw(words))
    text = draw(st.sampled_from([escape(body), f"<![CDATA[{body.replace(']]>', '')}]]>"]))
    permalink = draw(st.sampled_from(["", " isPermaLink='false'", " isPermaLink='true'"]))
    return "<item>{}</item>".format(
        "".join(
            draw(
                st.permutations(
                    [
                        _element("title", escape(draw(words))),
                        _element("link", escape(draw(ids))),
                        _element("guid", escape(draw(ids)), permalink),
                        _element("pubDate", draw(dates)),
                        _element("description", text),
                        _element("content:encoded", text if draw(st.booleans()) else ""),
                        _element("dc:creator", escape(draw(words))),
                        draw(st.sampled_from(["", "<!-- a note -->", "<source url='/s'>Outlet</source>"])),
                    ]
                )
            )
        )
    )


@st.composite
def atom_entries(draw: st.DrawFn) -> str:
    kind = draw(st.sampled_from(["", " type='html'", " type='text'"]))
    base = draw(st.sampled_from(["", " xml:base='/b/'"]))
    inner = f"<div xmlns='http://www.w3.org/1999/xhtml'><p>{escape(draw(words))}</p></div>"
    return "<entry{}>{}</entry>".format(
        base,
        "".join(
            draw(
                st.permutations(
                    [
                        _element("title", escape(draw(markup) + draw(words)), kind),
                        f"<link href='{escape(draw(ids))}'/>",
                        _element("id", escape(draw(ids))),
                        _element("updated", draw(dates)),
                        _element("summary", escape(draw(markup)), kind),
                        _element("content", inner if draw(st.booleans()) else "", " type='xhtml'"),
                        _element("author", _element("name", escape(draw(words)))),
                    ]
                )
            )
        ),
    )


@st.composite
def feeds(draw: st.DrawFn) -> bytes:
    if draw(st.booleans()):
        entries = draw(st.lists(rss_entries(), max_size=6))
        channel = f"<channel><title>T</title>{''.join(entries)}</channel>"
        return f"<rss version='2.0' {SPACES}>{channel}</rss>".encode()
    entries = draw(st.lists(atom_entries(), max_size=6))
    return f"<feed xmlns='http://www.w3.org/2005/Atom'><title>T</title>{''.join(entries)}</feed>".encode()


def read(body: bytes, known: frozenset[str] = frozenset()) -> ParsedFeed:
    return sources.parse(body, source=Source("x", URL), url=URL, headers={}, now=NOW, known=known)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(feeds(), st.data())
def test_cutting_out_known_entries_changes_nothing_for_the_others(body: bytes, data: st.DataObject) -> None:
    whole = read(body)
    guids = sorted({item.guid for item in whole.items})
    known = frozenset(data.draw(st.lists(st.sampled_from([*guids, "1", "nobody's"]), unique=True)))
    some = read(body, known)
    assert some.items == tuple(item for item in whole.items if item.guid not in known)
    assert (some.title, some.lang, some.home_url) == (whole.title, whole.lang, whole.home_url)
