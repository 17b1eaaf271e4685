"""Archives as they come: every kind, every damage told and counted, the rest read."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor import archives
from monitor.errors import InputError
from monitor.store import open_store

HTML = "Content-Type: text/html\r\n"
BODY = b"<html><body><p>Britain and Japan agreed on chips.</p></body></html>"


def record(n: object, body: bytes = BODY, *, status: str = "200 OK", headers: str = HTML, zipped: bool = True,
           length: int | None = None, kind: str = "response") -> bytes:  # fmt: skip
    """One WARC record of the shape news crawls have: a gzip member of its own."""
    http = f"HTTP/1.1 {status}\r\n{headers}\r\n".encode() + body
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: https://n.example/{n}\r\n"
        f"WARC-Date: 2020-01-02T03:04:05Z\r\nWARC-Record-ID: <urn:{n}>\r\n"
        "Content-Type: application/http; msgtype=response\r\n"
        f"Content-Length: {len(http) if length is None else length}\r\n\r\n"
    ).encode()
    whole = head + http + b"\r\n\r\n"
    return gzip.compress(whole, mtime=0) if zipped else whole


def read(path: Path) -> list[archives.Record]:
    return [each for shard in archives.shards([path]) for each in archives.records(shard)]


def read_warc(tmp_path: Path, *parts: bytes, name: str = "a.warc.gz") -> list[archives.Record]:
    (tmp_path / name).write_bytes(b"".join(parts))
    return read(tmp_path / name)


def told(found: list[archives.Record]) -> list[str]:
    """Of each record its address, or what is wrong with it."""
    return [each.problem or each.page.url.removeprefix("https://n.example/") for each in found]


# --- WARC ------------------------------------------------------------------------------------


def test_responses_are_read_and_what_else_a_crawl_keeps_is_not(tmp_path: Path) -> None:
    found = read_warc(tmp_path, record(1, kind="request"), record(1), record(1, kind="metadata"), record(2))
    assert told(found) == ["1", "2"]
    assert found[0].page.body == BODY
    assert found[0].fetched == "2020-01-02T03:04:05Z"


def bare_deflate(body: bytes) -> bytes:
    machine = zlib.compressobj(wbits=-15)
    return machine.compress(body) + machine.flush()


CHUNKS = b"14\r\n" + BODY[:20] + b"\r\n%x;x=y\r\n" % len(BODY[20:]) + BODY[20:] + b"\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ("Content-Encoding: gzip\r\n", gzip.compress(BODY)),
        ("Content-Encoding: gzip\r\n", gzip.compress(BODY[:20]) + gzip.compress(BODY[20:])),
        ("Content-Encoding: deflate\r\n", zlib.compress(BODY)),
        ("Content-Encoding: deflate\r\n", bare_deflate(BODY)),
        ("Content-Encoding: gzip\r\n", BODY),
        ("Content-Encoding: br\r\n", BODY),
        ("Content-Encoding: identity\r\n", BODY),
        ("Transfer-Encoding: chunked\r\n", CHUNKS),
        ("Transfer-Encoding: chunked\r\n", BODY),
        (
            "Transfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n",
            b"%x\r\n" % len(gzip.compress(BODY)) + gzip.compress(BODY) + b"\r\n0\r\n\r\n",
        ),
    ],
    ids=["gzip", "two gzip members", "deflate", "bare deflate", "gzip undone", "br undone", "identity",
         "chunks", "chunks undone", "gzip in chunks"],
)  # fmt: skip
def test_a_body_is_freed_of_its_codings(tmp_path: Path, headers: str, body: bytes) -> None:
    (only,) = read_warc(tmp_path, record(1, body, headers=HTML + headers))
    assert (only.problem, only.page.body) == ("", BODY)


def test_the_charset_a_server_claims_travels_with_the_page(tmp_path: Path) -> None:
    body = "<html><head><meta charset='euc-jp'></head><body>半導体</body></html>".encode("euc-jp")
    (only,) = read_warc(tmp_path, record(1, body, headers="Content-Type: text/html; charset=utf-8\r\n"))
    assert only.page.body == body
    assert only.page.content_type == "text/html; charset=utf-8"


BOMB = gzip.compress(b"<p>" + b"0" * 60_000_000)
BAD = {
    "an error page": (record("x", status="404 Not Found"), "HTTP 404"),
    "a PDF": (record("x", b"%PDF", headers="Content-Type: application/pdf\r\n"), "application/pdf"),
    "no content type": (record("x", headers="Server: x\r\n"), "no content type"),
    "a huge page": (record("x", b"<p>" + b"x" * 6_000_000), "larger than"),
    "a gzip bomb": (record("x", BOMB, headers=HTML + "Content-Encoding: gzip\r\n"), "too large"),
    "broken gzip": (record("x", b"not gzip", headers=HTML + "Content-Encoding: gzip\r\n"), "broken"),
    "an unknown coding": (record("x", b"\0\1", headers=HTML + "Content-Encoding: br\r\n"), "unknown"),
    "an endless header": (record("x", headers=HTML + "A: " + "x" * 200_000 + "\r\n"), "HTTP head"),
    "a broken head": (record("x", status="\0\0", headers="\xff\r\n"), "HTTP head"),
    "a length of less": (record("x", length=30), "no page: "),
    "a length of more": (record("x", length=900), "cut short"),
    "a claim of 2 GB": (record("x", length=2_000_000_000), "larger than"),
    "a claim of 9 TB": (record("x", length=9_000_000_000_000), "larger than"),
    "bytes between": (b"what is this?" * 9, "damaged"),
    "a member of something else": (gzip.compress(b"no record here\r\n\r\n"), "damaged"),
    "zeros": (b"\0" * 5000, "damaged"),
}


@pytest.mark.parametrize("zipped", [True, False], ids=["gzip", "plain"])
@pytest.mark.parametrize("case", BAD)
def test_a_bad_record_is_told_once_and_the_rest_goes_on(tmp_path: Path, case: str, zipped: bool) -> None:
    bad, reason = BAD[case]
    parts = [record(1), bad, record(2)]
    if not zipped:
        parts = [gzip.decompress(part) if part.startswith(b"\x1f\x8b") else part for part in parts]
    one, told_of_it, *rest = told(read_warc(tmp_path, *parts, name="a.warc"))
    assert one == "1"
    assert reason in told_of_it
    assert rest[-1] == "2"
    assert len(rest) <= 2  # a wrong length leaves the rest of its record as damage of its own


def test_an_error_page_is_no_failure(tmp_path: Path) -> None:
    missing, picture, broken = read_warc(
        tmp_path, record(1, status="404 Not Found"), record(2, headers="Content-Type: image/png\r\n"),
        b"?" * 50,
    )  # fmt: skip
    assert [each.page_expected for each in (missing, picture, broken)] == [False, False, True]


@pytest.mark.parametrize("name", ["a.warc.gz", "a.warc"])
def test_a_file_cut_anywhere_gives_what_was_whole(tmp_path: Path, name: str) -> None:
    parts = [record(n, BODY * n, zipped=name.endswith("gz")) for n in range(1, 4)]
    whole = b"".join(parts)
    for cut in range(len(parts[0]) + len(parts[1]) + 1, len(whole) - 5, 7):
        answers = told(read_warc(tmp_path, whole[:cut], name=name))
        assert answers[:2] == ["1", "2"]
        assert "3" not in answers or cut > len(whole) - 20  # only the record's own end mark is missing
        assert len(answers) == 3


def test_every_bit_may_flip_and_the_neighbours_are_still_read(tmp_path: Path) -> None:
    parts = [record(n) for n in range(1, 4)]
    for at in range(len(parts[1])):
        middle = bytearray(parts[1])
        middle[at] ^= 0x55
        answers = told(read_warc(tmp_path, parts[0], bytes(middle), parts[2]))
        assert answers[0] == "1"
        assert answers[-1] == "3"


_SPARSE = """
import resource, sys
from pathlib import Path
from monitor import archives, reading
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
found = [each for shard in archives.shards([Path(sys.argv[1])]) for each in archives.records(shard)]
print(len(found), found[1].problem, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_a_record_larger_than_memory_should_hold_is_passed_over(tmp_path: Path) -> None:
    size = 300_000_000
    with (tmp_path / "a.warc").open("wb") as file:
        head = record("big", b"", length=size, zipped=False)[:-4]
        body = size - (len(head) - head.index(b"HTTP/1.1"))
        file.write(record(1, zipped=False) + head)
        file.seek(body, 1)
        file.write(b"\r\n\r\n" + record(2, zipped=False))
    answer = subprocess.run(
        [sys.executable, "-c", _SPARSE, tmp_path / "a.warc"], capture_output=True, text=True
    )
    count, *problem, growth_kb = answer.stdout.split()
    assert (count, problem[0]) == ("3", "larger")
    assert int(growth_kb) < 40_000


def test_damage_without_end_is_given_up(tmp_path: Path) -> None:
    answers = told(
        read_warc(tmp_path, record(1, zipped=False), b"WARC/1.0 nothing\r\n" * 5000, name="a.warc")
    )
    assert answers[0] == "1"
    assert answers[-1] == "nothing readable in the rest"
    assert len(answers) == 3


def test_what_is_no_archive_is_refused_or_told(tmp_path: Path) -> None:
    assert "not a WARC" in told(read_warc(tmp_path, b""))[-1]
    assert "damaged" in told(read_warc(tmp_path, b"hello, this is no WARC"))[0]
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(InputError, match="not a WARC"):
        archives.shards([tmp_path / "notes.txt"])
    with pytest.raises(InputError, match="no such file"):
        archives.shards([tmp_path / "absent"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="nothing to read"):
        archives.shards([tmp_path / "empty"])


# --- the other kinds -------------------------------------------------------------------------


def test_json_lines_and_folders_are_read(tmp_path: Path) -> None:
    line = {"title": "A", "text": "words", "url": "https://n.example/a", "published": "3 February 2020"}
    (tmp_path / "a.jsonl").write_text(json.dumps(line) + "\n\n{broken\n" + '["a list"]\n{"text": 3}')
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "p.html").write_bytes(BODY)
    with gzip.open(tmp_path / "deep" / "q.html.gz", "wb") as file:
        file.write(BODY)
    (tmp_path / "deep" / "r.html.gz").write_bytes(b"not gzip")
    (tmp_path / "deep" / "notes.txt").write_text("passed over")
    first, *bad, p, q, r = read(tmp_path)
    assert (first.page.title, first.page.published) == ("A", "2020-02-03")
    assert [each.key.rsplit(":", 1)[1] for each in bad] == ["3", "4", "5"]
    assert all(each.problem for each in bad)
    assert p.page.body == q.page.body == BODY
    assert "BadGzipFile" in r.problem


def test_hostile_lines_are_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    good = b'{"text": "words"}\n'
    lines = [good, b"[" * 100_000 + b"\n", b'{"text": "' + b"x" * 11_000_000 + b'"}\n', b"\xff\xfe\n", good]
    with gzip.open(tmp_path / "a.jsonl.gz", "wb", compresslevel=1) as file:
        file.write(b"".join(lines))
    found = read(tmp_path / "a.jsonl.gz")
    assert [bool(each.problem) for each in found] == [False, True, True, True, False]
    cut = (tmp_path / "a.jsonl.gz").read_bytes()[:-20]
    (tmp_path / "a.jsonl.gz").write_bytes(cut)
    assert "EOFError" in read(tmp_path / "a.jsonl.gz")[-1].problem


def test_half_a_surrogate_pair_becomes_a_question_mark(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(r'{"text": "a \ud800 b", "title": "\udfff"}')
    (only,) = read(tmp_path / "a.jsonl")
    assert (only.page.content, only.page.title) == ("a ? b", "?")


def test_another_monitors_database_gives_items_with_and_without_text(tmp_path: Path) -> None:
    path = tmp_path / "other's #1?.db"
    with open_store(path) as store:
        store.db.run("INSERT INTO sources (id, kind, url, created_at) VALUES ('s', 'feed', '', '2020-01-01')")
        for n, (title, summary) in enumerate(
            [("Read", "teaser"), ("Teaser only", "what the feed said")], start=1
        ):
            row = [n, f"https://n.example/{n}", f"https://n.example/{n}", title, summary]
            store.db.run(
                "INSERT INTO items (id, source_id, identity, url, title, summary, first_seen_at)"
                " VALUES (?, 's', ?, ?, ?, ?, '2020-01-02T00:00:00Z')", row
            )  # fmt: skip
        store.db.run(
            "INSERT INTO articles (item_id, url, title, text, published, extracted_at)"
            " VALUES (1, 'https://n.example/1', 'As the page says', 'The whole text.', '2019-12-31', '2020')",
            [],
        )
    read_one, teaser = read(path)
    assert (read_one.page.title, read_one.page.content) == ("As the page says", "The whole text.")
    assert (read_one.page.published, read_one.page.source_id) == ("2019-12-31", "s")
    assert (teaser.page.title, teaser.page.summary) == ("Teaser only", "what the feed said")
    assert teaser.saved.startswith("2020-01-02")


def test_a_database_of_something_else_is_told(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "x.db") as db:
        db.execute("CREATE TABLE t (a)")
    db.close()
    assert "no such table" in told(read(tmp_path / "x.db"))[0]


# --- permission, and other machines ----------------------------------------------------------


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that another user may enter, unlike tmp_path."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_what_may_not_be_read_is_told_and_the_rest_goes_on(open_folder: Path) -> None:
    (open_folder / "a.warc.gz").write_bytes(record(1))
    (open_folder / "b.warc.gz").write_bytes(record(2))
    (open_folder / "closed").mkdir()
    (open_folder / "a.warc.gz").chmod(0)
    (open_folder / "closed").chmod(0)
    root = os.geteuid() == 0
    try:
        if root:
            os.seteuid(65534)  # root may read everything; nobody may not
        first, second, third = told(read(open_folder))
    finally:
        if root:
            os.seteuid(0)
        (open_folder / "closed").chmod(0o700)
    assert "Permission" in first
    assert second == "2"
    assert third.startswith("reading stopped")


def test_a_machine_that_does_not_see_the_archive_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.warc.gz").write_bytes(record(1))
    (shard,) = archives.shards([tmp_path])
    archives.check_here(shard)
    (tmp_path / "a.warc.gz").write_bytes(record(1) + record(2))
    with pytest.raises(InputError, match="has changed"):
        archives.check_here(shard)
    (tmp_path / "a.warc.gz").unlink()
    with pytest.raises(InputError, match="under the same path"):
        archives.check_here(shard)
