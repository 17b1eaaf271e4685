"""Archives of articles: WARC files, folders of saved pages, JSON Lines, another monitor's database.

fastwarc's doorway. An archive is cut into shards, each read by itself from start to end; a record
that cannot be read is told with its reason, and the rest goes on.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import re
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from monitor import dates
from monitor.errors import InputError
from monitor.reading import Page

MAX_BODY = 5_000_000  # of a page as stored, and of what it inflates to
PAGES_A_SHARD = 500  # of a folder: enough work to be worth a process, little enough to be lost
PAGE_ENDINGS = (".html", ".htm", ".html.gz", ".htm.gz")
MAX_LINE = 2 * MAX_BODY  # of JSON Lines
MAX_SKIPPED = 8_000_000_000  # a longer record is not read to its end; the next one is looked for instead
RESTARTS = 1000  # tries in a row to find the next record after damage
WARC_ENDINGS = (".warc", ".warc.gz")
LINES_ENDINGS = (".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz")
_MEMBER, _VERSION = b"\x1f\x8b\x08", b"WARC/1."
_LENGTH = re.compile(rb"(?i)\nContent-Length:[ \t]*([0-9]{1,15})\r?$", re.MULTILINE)
_CHUNK = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]{0,1000})?\r?\n")


@dataclass(frozen=True, slots=True)
class Shard:
    """A part of an archive. `id` changes when what it holds does: path, size or time of change."""

    kind: str  # warc | pages | lines | database
    paths: tuple[str, ...]
    id: str


NO_PAGE = Page(None)


@dataclass(frozen=True, slots=True)
class Record:
    """One archived article; `problem` says why it cannot be read."""

    key: str  # where in the archive, for people
    page: Page = NO_PAGE
    fetched: str = ""  # when it was archived, if that is known for certain: it is no younger
    saved: str = ""  # the best guess of its date when nothing else names one
    problem: str = ""
    page_expected: bool = True  # False: an error page or a picture, left out without being a failure


def shards(paths: Sequence[Path]) -> list[Shard]:
    """Every shard beneath some paths, in a stable order. Raises InputError for what is no archive."""
    found: list[Shard] = []
    for path in paths:
        if path.is_dir():
            found += _folder(path)
        elif path.is_file():
            found.append(_shard(_kind(path), [path]))
        else:
            raise InputError(f"{path}: no such file or folder")
    if not found:
        raise InputError(
            f"nothing to read in {', '.join(map(str, paths))}: no WARC, page, JSON Lines or database"
        )
    return found


def _folder(folder: Path) -> list[Shard]:
    """A shard for each archive in it, one for every PAGES_A_SHARD pages, one for what is closed to us."""
    closed: list[Path] = []
    files: list[Path] = []
    for parent, _, names in os.walk(folder, onerror=lambda error: closed.append(Path(error.filename))):
        files += (Path(parent, name) for name in names)
    files = sorted(path for path in files if path.is_file())
    single = [path for path in files if path.name.endswith((*WARC_ENDINGS, *LINES_ENDINGS))]
    pages = [path for path in files if path.name.endswith(PAGE_ENDINGS)]
    groups = [pages[n : n + PAGES_A_SHARD] for n in range(0, len(pages), PAGES_A_SHARD)]
    found = [_shard(_kind(path), [path]) for path in single] + [_shard("pages", group) for group in groups]
    return found + ([_shard("pages", sorted(closed))] if closed else [])


def _is_database(path: Path) -> bool:
    with contextlib.suppress(OSError), path.open("rb") as file:
        return file.read(15) == b"SQLite format 3"
    return False


def _kind(path: Path) -> str:
    name = path.name
    if name.endswith(WARC_ENDINGS):
        return "warc"
    if name.endswith(LINES_ENDINGS):
        return "lines"
    if name.endswith(PAGE_ENDINGS):
        return "pages"
    if _is_database(path):
        return "database"
    if not os.access(path, os.R_OK):
        raise InputError(f"{path}: no permission to read it")
    raise InputError(f"{path}: not a WARC, a page, JSON Lines or a monitor's database")


def _shard(kind: str, paths: Sequence[Path]) -> Shard:
    return Shard(kind, tuple(map(str, paths)), _fingerprint(paths))


def _fingerprint(paths: Sequence[Path]) -> str:
    """Raises OSError when one is not there."""
    digest = hashlib.sha256()
    for path in paths:
        for part in (path, path.with_name(path.name + "-wal")):  # what a database has not yet folded in
            facts = part.stat() if part is path or part.exists() else None
            if facts and (facts.st_size or part is path):
                told = f"{part.resolve()}\0{facts.st_size}\0{facts.st_mtime_ns}\n"
                digest.update(told.encode("utf-8", "replace"))
    return digest.hexdigest()[:20]


def check_here(shard: Shard) -> None:
    """Raises InputError when this machine does not see the archive as the one that cut it did."""
    try:
        same = _fingerprint([Path(path) for path in shard.paths]) == shard.id
    except OSError as error:
        raise InputError(f"{error.filename} cannot be seen here: {error.strerror}; {_EVERYWHERE}") from error
    if not same:
        raise InputError(f"{shard.paths[0]} has changed, or is another file here; {_EVERYWHERE}")


_EVERYWHERE = "every machine needs the archive under the same path"


def records(shard: Shard) -> Iterator[Record]:
    """Every article of a shard. A damaged archive ends in a record with its problem; nothing is raised."""
    readers = {"warc": _warc, "pages": _pages, "lines": _lines, "database": _database}
    for path in shard.paths:
        try:
            yield from readers[shard.kind](path)
        except Exception as error:  # an archive is outside bytes: whatever it does, the others go on
            yield Record(path, problem=f"reading stopped: {type(error).__name__}: {error}")


def _warc(path: str) -> Iterator[Record]:
    """A WARC file from end to end. After damage it goes on at the next place that looks like a record."""
    seen = False
    with Path(path).open("rb") as file:
        mark = _MEMBER if file.read(len(_MEMBER)) == _MEMBER else _VERSION
        start, idle = 0, 0
        while start >= 0 and idle < RESTARTS:
            last, whole, problem = start, True, ""
            try:
                for at, record, complete in _responses(path, file, start):
                    last, whole, idle = at, complete, 0
                    if record:
                        seen = True
                        yield record
            except OSError as error:
                whole, problem = False, str(error)
            if problem and not idle:  # once for each stretch of damage
                seen = True
                yield Record(f"{path}@{last}", problem=f"damaged after here: {problem}")
            elif whole and seen and _goes_on(file, last):  # its reader stops there without a word
                yield Record(path, problem="cut short: the last record has no beginning")
            idle += 1
            start = -1 if whole else _find(file, mark, last + 1)
    if not seen or idle >= RESTARTS:
        yield Record(
            path, problem="nothing readable in the rest" if seen else "not a WARC file, or an empty one"
        )


def _responses(path: str, file: BinaryIO, start: int) -> Iterator[tuple[int, Record | None, bool]]:
    """Each record from `start` on: its place, the article if it is one, and whether it was all there.

    Ends after one that was not. Raises OSError where the file is damaged.
    """
    try:
        from fastwarc.warc import ArchiveIterator, WarcRecordType
    except ImportError as error:
        raise InputError("WARC files need the extra: pip install 'japan-tech-monitor[backfill]'") from error
    file.seek(start)
    for warc in ArchiveIterator(file, parse_http=False, auto_decode="none"):
        record, left = None, warc.content_length
        if warc.record_type == WarcRecordType.response:
            record, left = _response(path, warc)
        elif warc.headers.get("Content-Length") is None:
            record, left = (
                Record(f"{path}@{warc.stream_pos}", problem="its head is cut short"),
                MAX_SKIPPED + 1,
            )
        whole = left <= MAX_SKIPPED and warc.reader.consume() >= left
        if record and not whole and not record.problem:
            record = Record(record.key, fetched=record.fetched, problem="cut short")
        yield warc.stream_pos, record, whole
        if not whole:
            return


def _response(path: str, warc: Any) -> tuple[Record, int]:
    """The article of one response, and how many bytes of it are still unread."""
    url = _clean(warc.headers.get("WARC-Target-URI", "")).strip("<> ")
    fetched = _clean(warc.headers.get("WARC-Date", ""))
    key = f"{path}#{_clean(warc.headers.get('WARC-Record-ID', url))}"
    try:
        warc.parse_http(auto_decode="none")
    except OSError as error:
        return Record(key, fetched=fetched, problem=f"its HTTP head is unreadable: {error}"), 0
    http, length = warc.http_headers, warc.content_length
    if http is None or http.status_code is None:
        return Record(key, fetched=fetched, problem="its HTTP head is unreadable"), 0
    content_type = _clean(http.get("Content-Type", ""))
    if http.status_code != 200 or "html" not in content_type.lower():
        kind = content_type or "no content type" if http.status_code == 200 else f"HTTP {http.status_code}"
        return Record(key, fetched=fetched, problem=f"no page: {kind}", page_expected=False), length
    if length > MAX_BODY:
        return Record(key, fetched=fetched, problem=f"larger than {MAX_BODY:,} bytes"), length
    raw = warc.reader.read(length)
    left = length - len(raw)
    if "chunked" in _clean(http.get("Transfer-Encoding", "")).lower():
        raw = unchunked(raw)
    body = inflated(raw, _clean(http.get("Content-Encoding", "")))
    if body is None:
        broken = "its compressed body is broken, unknown or too large"
        return Record(key, fetched=fetched, problem=broken), left
    page = Page(body, url=url, content_type=content_type)
    return Record(key, page, fetched=fetched), left


def _goes_on(file: BinaryIO, at: int) -> bool:
    """Whether anything follows the last record, which begins at `at`."""
    file.seek(at)
    chunk = file.read(1 << 16)
    if not chunk.startswith(_MEMBER):
        head, _, _ = chunk.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        return bool(length and file.seek(at + len(head) + 4 + int(length[1])) and file.read(1 << 10).strip())
    member = zlib.decompressobj(31)
    with contextlib.suppress(zlib.error):
        while chunk and not member.eof:
            member.decompress(chunk)
            chunk = member.unused_data or file.read(1 << 16)
    return member.eof and bool(chunk)


def _find(file: BinaryIO, mark: bytes, start: int) -> int:
    """Where `mark` is next, from `start` on; -1 when nowhere."""
    file.seek(start)
    kept = b""
    while chunk := file.read(1 << 20):
        block = kept + chunk
        found = block.find(mark)
        if found >= 0:
            return start + found
        kept = block[1 - len(mark) :]
        start += len(block) - len(kept)
    return -1


def _clean(said: object) -> str:
    """Text without what no database takes: half of a surrogate pair."""
    return str(said).encode("utf-8", "replace").decode("utf-8")


def unchunked(raw: bytes) -> bytes:
    """The body without chunk sizes (RFC 9112 §7.1); as it is when it has none: archivers undo it and
    keep the header."""
    parts, at = [], 0
    while line := _CHUNK.match(raw, at):
        size = int(line[1], 16)
        if size == 0:
            break
        parts.append(raw[line.end() : line.end() + size])
        at = line.end() + size + 2
    return b"".join(parts) if parts else raw


def inflated(raw: bytes, encoding: str) -> bytes | None:
    """The body, inflated within bounds; None when that cannot be done. A gzip bomb stops at the bound.

    A page that is plain under a header saying otherwise is taken as it is: archivers undo the coding and
    keep the header.
    """
    codings = [name.strip().lower() for name in encoding.split(",")]
    codings = [name for name in codings if name and name != "identity"]
    if not codings or raw.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return raw
    if len(codings) > 1 or codings[0] not in ("gzip", "x-gzip", "deflate"):
        return None
    for wbits in (47, -15):  # gzip or zlib; some servers send deflate bare
        try:
            body = _members(raw, wbits)
        except zlib.error:
            continue
        return body if len(body) <= MAX_BODY else None
    return None


def _members(raw: bytes, wbits: int) -> bytes:
    """Every gzip member (RFC 1952 §2.2), up to the bound and one byte."""
    body = b""
    while raw and len(body) <= MAX_BODY:
        machine = zlib.decompressobj(wbits)
        body += machine.decompress(raw, MAX_BODY + 1 - len(body))
        raw = machine.unused_data if machine.unused_data.startswith(_MEMBER[:2]) else b""
    return body


def _pages(path: str) -> Iterator[Record]:
    with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
        body = file.read(MAX_BODY + 1)
    if len(body) > MAX_BODY:
        yield Record(path, problem=f"larger than {MAX_BODY:,} bytes")
    else:
        yield Record(path, Page(body, content_type="text/html"), saved=_changed_at(path))


def _changed_at(path: str) -> str:
    """When a file was last changed: the best guess for what names no date itself."""
    return datetime.fromtimestamp(Path(path).stat().st_mtime, UTC).isoformat()


def _lines(path: str) -> Iterator[Record]:
    saved = _changed_at(path)
    with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
        number = 0
        while line := file.readline(MAX_LINE + 1):
            number += 1
            if len(line) > MAX_LINE:
                while line and not line.endswith(b"\n"):  # the rest of it, a piece at a time
                    line = file.readline(MAX_LINE)
                yield Record(f"{path}:{number}", problem=f"a line larger than {MAX_LINE:,} bytes")
            elif line.strip():
                yield _line(f"{path}:{number}", line.decode("utf-8-sig", "replace"), saved)


def _line(key: str, line: str, saved: str) -> Record:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        return Record(key, problem=f"not JSON: {error}")
    if not isinstance(row, dict) or not isinstance(row.get("text"), str):
        return Record(key, problem="not an object with a text")
    url, title, published, lang, content = (
        _clean(row.get(name) or "") for name in ("url", "title", "published", "lang", "text")
    )
    dated = dates.page_date(published, lang=lang)
    page = Page(None, url=url, title=title, published=dated, lang=lang, content=content)
    return Record(key, page, saved=saved)


_STORED = """
SELECT i.id, coalesce(nullif(a.url, ''), i.url) AS url, coalesce(nullif(a.title, ''), i.title) AS title,
  i.summary, coalesce(nullif(a.text, ''), i.content) AS content, coalesce(nullif(a.lang, ''), i.lang) AS lang,
  coalesce(nullif(a.published, ''), i.published_at, '') AS published, i.source_id, i.first_seen_at
FROM items i LEFT JOIN articles a ON a.item_id = i.id ORDER BY i.id
"""


def _database(path: str) -> Iterator[Record]:
    """Every item: with its text where the database keeps one, else with what its feed said of it."""
    db = sqlite3.connect(f"{Path(path).resolve().as_uri()}?mode=ro", uri=True)
    db.row_factory = sqlite3.Row
    try:
        for row in db.execute(_STORED):
            known = {name: row[name] for name in ("url", "title", "summary", "content", "lang", "published")}
            page = Page(None, **known, source_id=row["source_id"])
            yield Record(f"{path}#{row['id']}", page, saved=row["first_seen_at"])
    finally:
        db.close()
