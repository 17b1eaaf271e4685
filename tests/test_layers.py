"""The import direction of docs/design.md holds, and each outside library has its one doorway."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "monitor"
LAYERS = {
    0: {"model", "errors", "__init__"},
    1: {
        "sources", "extract", "rules", "stories", "reading", "digest", "schedule", "health", "urls", "text",
        "dates", "money", "yamltext", "plot", "redaction", "readiness", "memory",
    },
    2: {"fetch", "store", "deliver", "settings", "workers", "archives", "runners", "log", "webserver"},
    3: {"pipeline", "outbox", "backfill"},
    4: {"app", "browse", "worker", "report", "scheduler", "service", "doctor", "metrics", "operator",
        "lookout", "housekeeping", "reload"},
    5: {"cli", "demo", "__main__"},
}  # fmt: skip
ROOM_LAYER = {room: layer for layer, rooms in LAYERS.items() for room in rooms}
DOORWAYS = {
    "feedparser": {"sources/feeds.py"},
    "trafilatura": {"extract/"},
    "httpx": {"fetch/", "deliver/http.py"},
    "sqlite_utils": {"store/"},
    "apscheduler": {"scheduler.py"},
    "lark": {"rules/"},
    "selectolax": {"extract/skim.py"},
    "ahocorasick_rs": {"rules/"},
    "aiosmtplib": {"deliver/"},
    "jinja2": {"digest/"},
    "fastwarc": {"archives.py"},
    "distributed": {"runners.py"},
    "datasette": {"browse/"},
    "uvicorn": {"browse/"},
    "click": {"cli/", "__main__.py"},
}
FILES = sorted(ROOT.rglob("*.py"))


def imported(path: Path) -> list[str]:
    """Every module a file names, deferred imports included."""
    names = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            if node.module == "monitor":
                names += [f"monitor.{alias.name}" for alias in node.names]
            else:
                names.append(node.module)
    return names


def room_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    room = room_of(path)
    assert room in ROOM_LAYER, f"{room} has no layer: name it in docs/design.md and here"
    for name in imported(path):
        parts = name.split(".")
        if parts[0] != "monitor" or len(parts) < 2 or parts[1] not in ROOM_LAYER:
            continue
        other = parts[1]
        assert ROOM_LAYER[other] <= ROOM_LAYER[room], f"{room} must not import {other}"
        if ROOM_LAYER[room] == 2:
            assert other == room or ROOM_LAYER[other] < 2, f"the edges {room} and {other} must not meet"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_outside_libraries_come_in_by_their_doorway(path: Path) -> None:
    where = str(path.relative_to(ROOT))
    for name in imported(path):
        doors = DOORWAYS.get(name.split(".")[0])
        if doors:
            assert any(where.startswith(door) for door in doors), f"{where} imports {name}"
