"""How commands print: JSON for programs, tables for people, and nothing a terminal would obey."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click

from monitor.text import terminal_safe


def say(message: str) -> None:
    """Talk, for people: on standard error."""
    click.echo(terminal_safe(message), err=True)


def line(message: str) -> None:
    """One line of data."""
    click.echo(terminal_safe(message))


def to_json(value: Any) -> str:
    """One line of JSON in UTF-8; text that is not valid Unicode is escaped."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if text.isascii() or _encodes(text) else json.dumps(value, default=str)


def json_line(value: Any) -> None:
    """One line of JSON, handed on at once."""
    sys.stdout.write(to_json(value) + "\n")
    sys.stdout.flush()


def _encodes(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:  # a lone surrogate
        return False
    return True


def table(headings: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str = "") -> None:
    """A table on a terminal; tab-separated lines elsewhere, without headings, for `cut` and `sort`."""
    cells = [[_cell(value) for value in row] for row in rows]
    if not sys.stdout.isatty():
        for row in cells:
            click.echo("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table(title=title or None, box=None, pad_edge=False, header_style="bold")
    for n, heading in enumerate(headings):
        grid.add_column(heading, no_wrap=n == 0)  # the id is what one copies
    for row in cells:
        grid.add_row(*(Text(cell) for cell in row))  # Text: brackets in a headline are no markup
    Console().print(grid)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    return " ".join(terminal_safe(text).split())
