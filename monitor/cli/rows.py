"""Rows of matches in the forms people take them away in: a table, JSON lines, CSV, Markdown, Atom."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from monitor.cli.context import now
from monitor.cli.show import json_line, line, table
from monitor.digest.brief import link
from monitor.text import terminal_safe

Row = dict[str, Any]
_FORMULA = tuple("=+-@＝＋－＠")  # a Japanese spreadsheet program takes the full-width ones too
TABLE = ("item_id", "matched_at", "source", "country", "title", "why")


def write(rows: Iterable[Row], shape: str) -> None:
    """Writes rows to standard output; `shape` is a key of `SHAPES`."""
    SHAPES[shape](rows)


def _table(rows: Iterable[Row]) -> None:
    table(TABLE, ([row[name] for name in TABLE] for row in rows), empty="no match")


def _json(rows: Iterable[Row]) -> None:
    for row in rows:
        json_line(row)


def _csv(rows: Iterable[Row]) -> None:
    """Lists as JSON; a cell that a spreadsheet would take for a formula gets an apostrophe before it."""
    from monitor.store.dictionary import relations

    (columns,) = [each.columns for each in relations() if each.name == "matches_view"]
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(column.name for column in columns)
    for row in rows:
        writer.writerow(_cell(row[column.name]) for column in columns)


def _cell(value: object) -> object:
    if isinstance(value, (list, dict)):
        value = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, str):
        return value
    text = terminal_safe(value)
    return "'" + text if text.lstrip().startswith(_FORMULA) or text.startswith(("\t", "\r")) else text


def _markdown(rows: Iterable[Row]) -> None:
    for row in rows:
        line(f"- {link(row['title'], row['url'])} — {row['source']}, {row['matched_at'][:10]}: {row['why']}")


def _atom(rows: Iterable[Row]) -> None:
    """A feed of RFC 4287; a match keeps its id for ever."""
    rows = iter(rows)  # newest first, and as many as there are
    first = next(rows, None)
    newest = first["matched_at"] if first else f"{now():%Y-%m-%dT%H:%M:%SZ}"
    line('<?xml version="1.0" encoding="utf-8"?>')
    line('<feed xmlns="http://www.w3.org/2005/Atom"><title>Matches</title>')
    line(f"<id>urn:japan-tech-monitor:matches</id><updated>{newest}</updated>")
    line("<author><name>japan-tech-monitor</name></author>")
    for row in chain([first] if first else [], rows):
        line(_entry(row))
    line("</feed>")


def _entry(row: Row) -> str:
    where = f"<link href={quoteattr(row['url'])}/>" if row["url"] else ""
    published = f"<published>{row['published_at']}</published>" if row["published_at"] else ""
    terms = "".join(f"<category term={quoteattr(term)}/>" for term in (*row["corridors"], *row["topics"]))
    return (
        f"<entry><id>urn:japan-tech-monitor:match:{row['id']}</id><title>{escape(row['title'])}</title>{where}"
        f"<updated>{row['matched_at']}</updated>{published}<author><name>{escape(row['source'])}</name></author>"
        f"{terms}<summary>{escape(row['why'])}</summary></entry>"
    )


SHAPES: Mapping[str, Callable[[Iterable[Row]], None]] = {
    "table": _table,
    "json": _json,
    "csv": _csv,
    "atom": _atom,
    "md": _markdown,
}
