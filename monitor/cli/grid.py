"""Rows on a terminal: side by side where there is room, one below the other where there is not."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

SHORT = 20  # cells; a longer column holds words that one reads, and may be broken
READABLE = 30  # cells: what a column of words needs
_GAP, _INDENT = 2, 4


def show(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints rows of text for people; the first column is what one copies, and stays whole."""
    console = Console()
    widths = [max(map(cell_len, column)) for column in zip(headings, *rows, strict=True)]
    words = [n > 0 and width > SHORT for n, width in enumerate(widths)]
    taken = sum(width + _GAP for width, long in zip(widths, words, strict=True) if not long)
    if console.width - taken >= sum(words) * (READABLE + _GAP):
        console.print(_side_by_side(headings, rows, words))
    else:
        _one_below_the_other(console, headings, rows, widths, words)


def _side_by_side(headings: Sequence[str], rows: Sequence[Sequence[str]], words: Sequence[bool]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading, long in zip(headings, words, strict=True):
        table.add_column(heading, no_wrap=not long)
    for row in rows:
        table.add_row(*map(Text, row))  # Text: brackets in a headline are no markup
    return table


def _one_below_the_other(
    console: Console,
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    widths: Sequence[int],
    words: Sequence[bool],
) -> None:
    """What is short in one line, then each column of words under its name."""
    console.print(Text(_short(headings, widths, words), "dim"))
    for row in rows:
        console.print(Text(_short(row, widths, words), "bold"))
        for heading, text in compress(zip(headings, row, strict=True), words):
            if text:
                told = Text.assemble((f"{heading}: ", "dim"), text)
                console.print(Padding(told, (0, 0, 0, _INDENT)))


def _short(row: Sequence[str], widths: Sequence[int], words: Sequence[bool]) -> str:
    cells = [
        set_cell_size(text, width) for text, width, long in zip(row, widths, words, strict=True) if not long
    ]
    return (" " * _GAP).join(cells).rstrip()
