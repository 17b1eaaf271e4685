"""Archives of articles: WARC files, folders of saved pages, JSON Lines, another monitor's database.

fastwarc's doorway. An archive is cut into shards, each read by itself from start to end; a record
that cannot be read is told with its reason, and the rest goes on.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from monitor.errors import InputError
from monitor.reading import Page

MAX_BODY = 5_000_000  # of a page as stored, and of what it inflates to
PAGES_A_SHARD = 500  # of a folder: enough work to be worth a process, little enough to be lost
PAGE_ENDINGS = (".html", ".htm", ".html.gz", ".htm.gz")
WARC_ENDINGS = (".warc", ".warc.gz")
LINES_ENDINGS = (".jsonl", ".jsonl.gz", ".ndjson")


@dataclass(frozen=True, slots=True)
class Shard:
    """A part of an archive. `id` changes when what it holds does: path, size or time of change."""

    kind: str  # warc | pages | lines | database
    paths: tuple[str, ...]
    id: str


NO_PAGE = Page(None)


@dataclass(frozen=True, slots=True)
class Record:
    """One archived article; `problem` says why it cannot be read. `fetched` is when it was archived."""

    key: str  # where in the archive, for people
    page: Page = NO_PAGE
    fetched: str = ""
    problem: str = ""


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
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    single = [path for path in files if path.name.endswith((*WARC_ENDINGS, *LINES_ENDINGS))]
    pages = [path for path in files if path.name.endswith(PAGE_ENDINGS)]
    groups = [pages[n : n + PAGES_A_SHARD] for n in range(0, len(pages), PAGES_A_SHARD)]
    return [_shard(_kind(path), [path]) for path in single] + [_shard("pages", group) for group in groups]


def _kind(path: Path) -> str:
    name = path.name
    if name.endswith(WARC_ENDINGS):
        return "warc"
    if name.endswith(LINES_ENDINGS):
        return "lines"
    if name.endswith(PAGE_ENDINGS):
        return "pages"
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    if start.startswith(b"SQLite format 3"):
        return "database"
    raise InputError(f"{path}: not a WARC, a page, JSON Lines or a monitor's database")


def _shard(kind: str, paths: Sequence[Path]) -> Shard:
    digest = hashlib.sha256()
    for path in paths:
        facts = path.stat()
        digest.update(f"{path.resolve()}\0{facts.st_size}\0{facts.st_mtime_ns}\n".encode("utf-8", "replace"))
    return Shard(kind, tuple(map(str, paths)), digest.hexdigest()[:20])


def records(shard: Shard) -> Iterator[Record]:
    """Every article of a shard. A damaged archive ends in a record with its problem; nothing is raised."""
    readers = {"warc": _warc, "pages": _pages, "lines": _lines, "database": _database}
    for path in shard.paths:
        try:
            yield from readers[shard.kind](path)
        except Exception as error:  # an archive is outside bytes: whatever it does, the others go on
            yield Record(path, problem=f"reading stopped: {type(error).__name__}: {error}")


def _warc(path: str) -> Iterator[Record]:
    try:
        from fastwarc.warc import ArchiveIterator, WarcRecordType
    except ImportError as error:
        raise InputError("WARC files need the extra: pip install 'japan-tech-monitor[backfill]'") from error
    seen = 0
    with Path(path).open("rb") as file:
        for record in ArchiveIterator(
            file, record_types=WarcRecordType.response, parse_http=True, auto_decode="none"
        ):
            seen += 1
            yield _response(path, record)
    if not seen:
        yield Record(path, problem="no response record: not a WARC file, or an empty one")


def _response(path: str, record: Any) -> Record:
    url = str(record.headers.get("WARC-Target-URI", ""))
    key = f"{path}#{record.headers.get('WARC-Record-ID', url)}"
    fetched = str(record.headers.get("WARC-Date", ""))
    http = record.http_headers
    if http is None or (http.status_code or 0) != 200:
        return Record(key, problem=f"no page: HTTP {http.status_code if http else 'headers unreadable'}")
    content_type = str(http.get("Content-Type", ""))
    if "html" not in content_type.lower():
        return Record(key, problem=f"no page: {content_type or 'no content type'}")
    raw = record.reader.read(MAX_BODY + 1)
    if len(raw) > MAX_BODY:
        return Record(key, problem=f"larger than {MAX_BODY:,} bytes")
    body = inflated(raw, str(http.get("Content-Encoding", "")))
    if body is None:
        return Record(key, problem="its compressed body is broken, unknown or too large")
    return Record(key, Page(body, url=url, content_type=content_type), fetched)


def inflated(raw: bytes, encoding: str) -> bytes | None:
    """The body, inflated within bounds; None when that cannot be done. A gzip bomb stops at the bound."""
    if encoding.strip().lower() in ("", "identity"):
        return raw
    if encoding.strip().lower() not in ("gzip", "x-gzip", "deflate"):
        return None
    try:
        body = zlib.decompressobj(47).decompress(raw, MAX_BODY + 1)
    except zlib.error:
        return None
    return body if len(body) <= MAX_BODY else None


def _pages(path: str) -> Iterator[Record]:
    with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
        body = file.read(MAX_BODY + 1)
    if len(body) > MAX_BODY:
        yield Record(path, problem=f"larger than {MAX_BODY:,} bytes")
    else:
        yield Record(path, Page(body, url="", content_type="text/html"), _changed_at(path))


def _changed_at(path: str) -> str:
    """When a file was last changed: the best guess for what names no date itself."""
    return datetime.fromtimestamp(Path(path).stat().st_mtime, UTC).isoformat()


def _lines(path: str) -> Iterator[Record]:
    saved = _changed_at(path)
    with (gzip.open if path.endswith(".gz") else open)(
        path, "rt", encoding="utf-8", errors="replace"
    ) as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield _line(f"{path}:{number}", line, saved)


def _line(key: str, line: str, saved: str) -> Record:
    try:
        row = json.loads(line)
    except ValueError as error:
        return Record(key, problem=f"not JSON: {error}")
    if not isinstance(row, dict) or not isinstance(row.get("text"), str):
        return Record(key, problem="not an object with a text")
    known = {name: str(row.get(name) or "") for name in ("url", "title", "published", "lang")}
    page = Page(None, **known, content=row["text"])
    return Record(key, page, known["published"] or saved)


def _database(path: str) -> Iterator[Record]:
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        query = (
            "SELECT item_id, url, title, text, lang, coalesce(published, '') FROM articles ORDER BY item_id"
        )
        for item_id, url, title, text, lang, published in db.execute(query):
            page = Page(None, url=url, title=title, content=text, lang=lang, published=published)
            yield Record(f"{path}#{item_id}", page, published)
    finally:
        db.close()
