"""`monitor extract`: an answer for every input, in order."""

from __future__ import annotations

import gzip
from pathlib import Path

from tests.cli import monitor

KEYS = ["file", "url", "title", "text", "published", "author", "lang", "status", "reason"]
PAGE = """<html lang="en"><head><title>Pact on chips</title>
<meta property="article:published_time" content="2026-11-20T09:00:00+09:00"></head>
<body><article><h1>Pact on chips</h1>
<p>Japan and Britain agreed on Friday to build a pilot line for compound semiconductors near Newport.</p>
<p>The two ministries will pay for it in equal parts, and the first wafers are expected next spring.</p>
</article></body></html>"""


def test_pages_plain_and_gzipped_in_the_order_given(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(PAGE, "utf-8")
    (tmp_path / "b.html.gz").write_bytes(gzip.compress(PAGE.replace("Newport", "Cardiff").encode()))
    done = monitor("extract", "--json", "b.html.gz", "a.html", "-", stdin=PAGE.encode(), cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert [line["file"] for line in done.lines] == ["b.html.gz", "a.html", "-"]
    assert all(list(line) == KEYS for line in done.lines)
    first = done.lines[0]
    assert (first["title"], first["lang"], first["status"], first["author"]) == (
        "Pact on chips",
        "en",
        "ok",
        None,
    )
    assert first["published"].startswith("2026-11-20")
    assert "Cardiff" in first["text"]
    assert "Newport" in done.lines[1]["text"]


def test_what_has_no_text_is_an_answer_with_a_reason(tmp_path: Path) -> None:
    (tmp_path / "empty.html").write_bytes(b"")
    (tmp_path / "picture.html").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(500))
    done = monitor("extract", "--json", "empty.html", "picture.html", cwd=tmp_path)
    assert done.code == 0
    for line in done.lines:
        assert line["text"] == ""
        assert line["status"] in ("empty", "unreadable", "not-html")
        assert line["reason"]


def test_a_file_that_cannot_be_opened_is_exit_2_and_the_others_go_on(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(PAGE, "utf-8")
    (tmp_path / "broken.gz").write_bytes(gzip.compress(PAGE.encode())[:40])
    done = monitor("extract", "--json", "missing.html", ".", "broken.gz", "a.html", cwd=tmp_path)
    assert done.code == 2
    assert [line["status"] == "ok" for line in done.lines] == [False, False, False, True]
    assert "No such file" in done.lines[0]["reason"]


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    (tmp_path / "bomb.html.gz").write_bytes(gzip.compress(bytes(200_000_000), 1))
    (line,) = monitor("extract", "--json", "bomb.html.gz", cwd=tmp_path).lines
    assert line["status"] == "unreadable"


def test_for_people_it_is_title_facts_and_text(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(PAGE.replace("Pact on chips", "Pact &#27;[2J on chips"), "utf-8")
    done = monitor("extract", "a.html", "--url", "https://example.org/a", cwd=tmp_path)
    assert done.code == 0
    assert done.out.startswith("Pact")
    assert "\x1b" not in done.out
    assert "equal parts" in done.out
