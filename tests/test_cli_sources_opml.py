"""Lists of feeds go out and come in, mended where they must be."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from monitor.sources.opml import read_opml
from tests.cli import Outcome, monitor, write_config

SOURCES = """
- {id: gov, name: 'Ministry "A" & B', url: "https://gov.example/feed?a=1&b=2", category: official, lang: ja}
- {id: wire, url: "https://wire.example/rss", homepage: "https://wire.example/", category: press}
- {id: look, kind: search, url: "https://news.google.com/rss/search?q=x", category: press}
- {id: page, kind: page, url: "https://page.example/", selector: a}
"""
NESTED = """<?xml version="1.0"?><opml version="1.1"><head><title>Mine</title></head><body>
<outline text="Japan"><outline text="Official">
<outline type="rss" text="Ministry" title="Ministry" xmlUrl="https://a.example/f" htmlUrl="https://a.example/"/>
<outline text="Again" xmlUrl="https://a.example/f"/>
</outline><outline text="日本語の新聞" language="ja-JP" XMLURL="feed://b.example/f"/></outline>
<outline text="Ministry" xmlUrl="https://c.example/f"/>
<outline text="Search" xmlUrl="https://news.google.com/rss/search?q=a&amp;hl=en"/>
<outline text="Trap" xmlUrl="javascript:alert(1)"/>
<outline text="Odd home" xmlUrl="https://d.example/f" htmlUrl="about:blank"/>
<outline text="" xmlUrl="https://e.example/f"/>
</body></opml>"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_config(tmp_path / "config", sources=SOURCES)
    write_config(tmp_path / "empty")
    return tmp_path


def taken(folder: Path, opml: str | bytes, config: str = "empty") -> tuple[Outcome, list[dict[str, str]]]:
    body = opml if isinstance(opml, bytes) else opml.encode()
    done = monitor("--config", config, "sources", "import", "-", stdin=body, cwd=folder)
    return done, YAML(typ="safe").load(done.out) or []


def test_feeds_go_out_and_come_back_the_same(folder: Path) -> None:
    out = monitor("sources", "export", cwd=folder)
    assert out.out.startswith("<?xml")
    assert "left out, as they are no feeds: 1" in out.err
    assert [(each.title, each.xml_url, each.folder) for each in read_opml(out.out.encode())] == [
        ('Ministry "A" & B', "https://gov.example/feed?a=1&b=2", ("official",)),
        ("wire", "https://wire.example/rss", ("press",)),
        ("look", "https://news.google.com/rss/search?q=x", ("press",)),
    ]
    again, nothing = taken(folder, out.out, "config")
    assert (again.code, nothing) == (0, [])
    assert again.err.count("is configured") == 3
    _, entries = taken(folder, out.out)
    assert [(each["url"], each["kind"]) for each in entries] == [
        ("https://gov.example/feed?a=1&b=2", "feed"), ("https://wire.example/rss", "feed"),
        ("https://news.google.com/rss/search?q=x", "search"),
    ]  # fmt: skip


def test_a_nested_list_with_repetitions_becomes_a_configuration_that_is_right(folder: Path) -> None:
    done, entries = taken(folder, NESTED)
    assert [(each["id"], each["url"]) for each in entries] == [
        ("ministry", "https://a.example/f"), ("source", "http://b.example/f"),
        ("ministry-2", "https://c.example/f"), ("search", "https://news.google.com/rss/search?q=a&hl=en"),
        ("odd-home", "https://d.example/f"), ("e-example-f", "https://e.example/f"),
    ]  # fmt: skip
    assert (entries[0]["category"], entries[1]["category"], entries[1]["lang"]) == ("Official", "Japan", "ja")
    assert "line 4: Again: stands twice" in done.err
    assert "Trap:" in done.err
    assert "6 of 8 feeds written as entries" in done.err
    (folder / "empty/sources.yaml").write_text(done.out, "utf-8")
    checked = monitor("--config", "empty", "check", cwd=folder)
    assert checked.code == 0, checked.out


@pytest.mark.parametrize(
    ("opml", "wanted"),
    [
        ('<opml><body><outline text="A & B" xmlUrl="https://a.example/f?x=1&y=2"/></body></opml>',
         ["https://a.example/f?x=1&y=2"]),
        ('<opml><body><outline text="He said "hi"" xmlUrl="https://a.example/f"/></body></opml>',
         ["https://a.example/f"]),
        ('<opml><body><outline text="a" xmlUrl="https://a.example/f"/><outline text="b" xmlUrl="https://b.exa',
         ["https://a.example/f"]),
        ('<opml><body><outline text="open"><outline text="a" xmlUrl="https://a.example/f"></body></opml>',
         ["https://a.example/f"]),
    ],
    ids=["bare ampersands", "quotes in quotes", "cut off", "never closed"],
)  # fmt: skip
def test_a_list_that_is_not_well_formed_is_read_as_far_as_it_can_be(
    folder: Path, opml: str, wanted: list[str]
) -> None:
    done, entries = taken(folder, opml)
    assert done.code == 0
    assert [each["url"] for each in entries] == wanted


@pytest.mark.parametrize(
    "opml",
    [
        b"",
        b"<html>no</html>",
        b"\x00\x01\x02",
        b"<opml><body><outline",
        b"<rss version='2.0'><channel/></rss>",
    ],
    ids=["empty", "a page", "binary", "cut in its first line", "a feed"],
)
def test_what_is_no_list_is_refused_with_a_reason(folder: Path, opml: bytes) -> None:
    done, entries = taken(folder, opml)
    assert (done.code, entries) == (2, [])
    assert done.err.strip()


def test_a_list_built_to_hurt_ends_soon(folder: Path) -> None:
    deep = b"<opml><body>" + b'<outline text="a">' * 50_000
    done, _ = taken(folder, deep + b'<outline text="x" xmlUrl="https://a.example/f"/>')
    assert done.code in (0, 2)
    assert "Traceback" not in done.err


def test_nothing_to_export(folder: Path) -> None:
    assert monitor("--config", "empty", "sources", "export", cwd=folder).code == 2
    assert monitor("sources", "import", "absent.opml", cwd=folder).code == 2
