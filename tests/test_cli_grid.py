"""Rows at a terminal: side by side, or one below the other where that cannot be read."""

from __future__ import annotations

import pytest

from monitor.cli import grid

HEADINGS = ("id", "title", "why")
ROWS = [
    ["s1", "日英、半導体で協力 [次世代] の研究拠点を設ける", "both sides in the title " * 3],
    ["a-rather-long-identifier", "", "x"],
]


def shown(width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(width))
    grid.show(HEADINGS, ROWS)
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


def test_where_there_is_room_rows_are_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = shown(160, monkeypatch, capsys)
    assert lines[0].split() == ["id", "title", "why"]
    assert lines[1].startswith("s1") and ROWS[0][1] in lines[1]  # noqa: PT018 - one line


def test_where_there_is_none_words_stand_below_under_their_names(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = shown(60, monkeypatch, capsys)
    assert lines[:2] == ["id", "s1"]
    assert lines[2] == f"    title: {ROWS[0][1]}"
    assert lines[-2:] == ["a-rather-long-identifier", "    why: x"]
