"""Two spellings of one address are one page; two pages are never one address."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor import urls


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("http://example.com/a", "https://example.com/a", id="scheme"),
        pytest.param("HTTPS://EXAMPLE.COM./a", "https://example.com/a", id="case and final dot of the host"),
        pytest.param("https://example.com:443/a", "https://example.com/a", id="default port"),
        pytest.param("http://example.com:80/a", "https://example.com/a", id="default port of http"),
        pytest.param("https://user:pw@example.com/a", "https://example.com/a", id="user name"),
        pytest.param("https://example.com/a/", "https://example.com/a", id="final slash"),
        pytest.param("https://example.com", "https://example.com/", id="no path"),
        pytest.param("https://example.com/b/../a/./", "https://example.com/a", id="dots"),
        pytest.param("https://example.com/a#top", "https://example.com/a", id="fragment"),
        pytest.param("https://example.com/a?utm_source=rss&utm_medium=x", "https://example.com/a", id="utm"),
        pytest.param(
            "https://example.com/a?n_cid=DSREA001", "https://example.com/a", id="campaign of a newspaper"
        ),
        pytest.param(
            "https://example.com/a?ref=rss&fbclid=1&id=7", "https://example.com/a?id=7", id="some of many"
        ),
        pytest.param(
            "https://example.com/a?b=2&a=1", "https://example.com/a?a=1&b=2", id="order of parameters"
        ),
        pytest.param("https://example.com/%7Ea/%e3%81%82", "https://example.com/~a/あ", id="percent signs"),
        pytest.param("https://日本.example/x", "https://xn--wgv71a.example/x", id="international host"),
        pytest.param(
            "https://news.google.com/rss/articles/X?oc=5",
            "https://news.google.com/rss/articles/X",
            id="site's own",
        ),
        pytest.param(" https://example.com/a\n", "https://example.com/a", id="blanks around"),
        pytest.param(
            "https://example.com/a?x=1&amp;y=2", "https://example.com/a?x=1&y=2", id="escaped twice"
        ),
    ],
)
def test_two_spellings_of_one_page(one: str, other: str) -> None:
    assert urls.canonical_url(one) == urls.canonical_url(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("https://example.com/?p=1", "https://example.com/?p=2", id="numbered by a parameter"),
        pytest.param(
            "https://example.com/?12345", "https://example.com/?12346", id="numbered without a name"
        ),
        pytest.param(
            "https://example.com/news?cid=12",
            "https://example.com/news?cid=13",
            id="an id that looks like a campaign",
        ),
        pytest.param(
            "https://example.com/v?reference=1",
            "https://example.com/v?reference=2",
            id="reference is not ref",
        ),
        pytest.param(
            "https://example.com/v?gallery=1", "https://example.com/v?gallery=2", id="gallery is not ga"
        ),
        pytest.param(
            "https://example.com/#!/n/1", "https://example.com/#!/n/2", id="pages of a script-driven site"
        ),
        pytest.param("https://example.com:8080/a", "https://example.com/a", id="another port"),
        pytest.param("https://example.com/A", "https://example.com/a", id="case of the path"),
    ],
)
def test_two_pages_stay_two(one: str, other: str) -> None:
    assert urls.canonical_url(one) != urls.canonical_url(other)


@pytest.mark.parametrize(
    "url", ["", "javascript:alert(1)", "mailto:a@example.com", "/relative", "ftp://example.com/", "http://", "http://[::1",
            "http://example.com:99999/", "http://a b/", "https://" + "x" * 9_000, "http://\ud800/"]
)  # fmt: skip
def test_what_is_no_page_has_no_address(url: str) -> None:
    assert urls.canonical_url(url) == ""


hosts = st.sampled_from(
    ["example.com", "EXAMPLE.com.", "日本.jp", "[::1]", "a.b:8080", "x:443", "u:p@h.org", "h.org:80"]
)
parts = st.text(max_size=40) | st.text(alphabet="/.%2eaA?&=;+#~:@ é日", max_size=40)


@given(host=hosts, path=parts, query=parts, fragment=parts)
@example(host="example.com", path="%2e%2e/a", query="%26", fragment="!/%")
@example(host="example.com", path="a%252e", query="a=%3D%25", fragment="/x")
def test_the_canonical_form_is_its_own(host: str, path: str, query: str, fragment: str) -> None:
    once = urls.canonical_url(f"http://{host}/{path}?{query}#{fragment}")
    assert urls.canonical_url(once) == once


@given(st.text(max_size=200))
def test_any_text_has_a_form_or_none(text: str) -> None:
    for address in (text, "https://" + text):
        once = urls.canonical_url(address)
        assert urls.canonical_url(once) == once
        assert once == "" or once.isascii()
        assert urls.absolute("https://example.com/", text) == "" or urls.is_http(
            urls.absolute("https://example.com/", text)
        )
        urls.host_of(address)


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("../b.html", "https://example.com/b.html"),
        ("//other.org/x", "https://other.org/x"),
        (" /a b ", "https://example.com/a%20b"),
        ("?page=2", "https://example.com/news/?page=2"),
        ("java\nscript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("tag:example.com,2026:1", ""),
        ("http://[bad", ""),
        ("", ""),
    ],
)
def test_links_become_absolute_or_nothing(link: str, expected: str) -> None:
    assert urls.absolute("https://example.com/news/", link) == expected


def test_identity_is_the_page_then_the_publishers_id() -> None:
    assert urls.identity("a", "1", "http://example.com/x") == urls.identity(
        "b", "2", "https://example.com/x/"
    )
    assert urls.identity("a", "1", "") != urls.identity("b", "1", "")
    watched = "https://example.com/tenders"
    assert urls.identity("a", "watch:1", watched) != urls.identity("a", "watch:2", watched), (
        "each state is news"
    )
