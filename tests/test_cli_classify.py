"""`monitor classify`: one line out for one line in, whatever comes in."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.cli.records import read_lines
from tests.cli import monitor, write_config

KEYS = [
    "id", "match", "near_miss", "score", "priority", "corridors", "topics", "rules", "organisations",
    "programmes", "event", "amounts", "evidence",
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_config(tmp_path / "config")
    return tmp_path


def test_every_key_is_there_matched_or_not(folder: Path) -> None:
    records = [
        {"id": "a", "title": "Japan and Britain", "text": "A semiconductor pact.", "extra": [1]},
        {"id": 7, "title": None, "text": "Rugby."},
    ]
    done = monitor("classify", stdin=b"\n".join(json.dumps(r).encode() for r in records), cwd=folder)
    assert (done.code, done.err) == (0, "")
    first, second = done.lines
    assert list(first) == list(second) == KEYS
    assert (first["id"], first["match"], first["corridors"], first["topics"]) == (
        "a",
        True,
        ["uk-japan"],
        ["semiconductors"],
    )
    assert (second["id"], second["match"], second["priority"], second["evidence"]) == (7, False, None, [])
    for part in first["evidence"]:
        assert records[0][part["field"]][part["start"] : part["end"]] == part["quote"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("line", "says", "line_id"),
    [
        (b"{", "not JSON", None),
        (b"[1]", "not a JSON object", None),
        (b'"text"', "not a JSON object", None),
        (b'{"id": "x"}', "text is missing", "x"),
        (b'{"id": "x", "text": null}', "text must be text, not null", "x"),
        (b'{"id": "x", "text": 5}', "text must be text, not int", "x"),
        (b'{"id": "x", "text": "t", "title": ["t"]}', "title must be text, not list", "x"),
        (b'{"text": "t"}', "id is missing", None),
        (b'{"id": "x", "text": "\xff"}', "not UTF-8 at byte 22", None),
        (b"[" * 100_000, "not JSON", None),
        (b'{"id": ' + b"9" * 5000 + b', "text": ""}', "not JSON", None),
    ],
)
def test_a_bad_line_is_answered_and_the_others_go_on(
    folder: Path, line: bytes, says: str, line_id: object
) -> None:
    good = b'{"id": "good", "text": "Japan semiconductor"}'
    done = monitor("classify", stdin=b"\n".join([good, b"", b"   ", line, good]), cwd=folder)
    assert done.code == 2
    first, bad, last = done.lines
    assert (first["id"], last["id"], last["match"]) == ("good", "good", True)
    assert list(bad) == ["id", "error"]
    assert bad["id"] == line_id
    assert bad["error"]["line"] == 4
    assert says in bad["error"]["problem"]


def test_a_byte_order_mark_windows_line_ends_and_a_lone_surrogate(folder: Path) -> None:
    stdin = b'\xef\xbb\xbf{"id": "a", "text": "x"}\r\n'
    stdin += b'{"id": "\\ud800", "text": "Japan \\ud800 semiconductor \\u0000"}\r\n'
    done = monitor("classify", stdin=stdin, cwd=folder)
    assert done.code == 0
    assert [line["id"] for line in done.lines] == ["a", "\ud800"]


def test_a_file_can_be_named(folder: Path) -> None:
    (folder / "in.jsonl").write_text('{"id": "a", "text": "日英 Japan semiconductor"}\n', "utf-8")
    assert monitor("classify", "in.jsonl", cwd=folder).lines[0]["match"] is True
    assert monitor("classify", "missing.jsonl", cwd=folder).code == 2


def test_nothing_in_nothing_out(folder: Path) -> None:
    assert monitor("classify", stdin=b"", cwd=folder).out == ""


def test_a_line_is_answered_before_the_next_one_comes(folder: Path) -> None:
    command = [sys.executable, "-m", "monitor", "--config", str(folder / "config"), "classify"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        assert running.stdin
        assert running.stdout
        for n in range(3):
            running.stdin.write(json.dumps({"id": n, "text": ""}).encode() + b"\n")
            running.stdin.flush()
            assert json.loads(running.stdout.readline())["id"] == n
        running.stdin.close()
        assert running.wait() == 0


def test_an_overlong_line_is_skipped_in_bounded_memory() -> None:
    class Endless(io.RawIOBase):
        """A first line of 300 MB that never stands in memory, then a good one."""

        left = 300_000_000

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            tail = b'\n{"id": 1}\n'
            if self.left <= -len(tail):
                return 0
            data = b"x" * min(len(buffer), self.left) if self.left > 0 else tail[-self.left :][: len(buffer)]
            buffer[: len(data)] = data
            self.left -= len(data)
            return len(data)

    first, second = read_lines(io.BufferedReader(Endless(), 1 << 16), limit=1_000_000)
    assert first.problem == "longer than 1,000,000 bytes"
    assert (second.number, second.record) == (2, {"id": 1})
