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


def table(headings: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str = "") -> None:
    """A table on a terminal; tab-separated lines elsewhere, without headings, for `cut` and `sort`.

    `empty` is said on standard error when there is no row: an empty screen leaves one guessing.
    """
    cells = [[_cell(value) for value in row] for row in rows]
    if not cells:
        say(empty or "nothing")
    elif sys.stdout.isatty():
        from monitor.cli import grid  # rich takes its time to import

        grid.show(headings, cells)
    else:
        for row in cells:
            click.echo("\t".join(row))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    return " ".join(terminal_safe(text).split())
