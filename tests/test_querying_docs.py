"""docs/querying.md is true: every command on it runs, and says something."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.store import open_store
from tests.cli import write_config
from tests.test_storage_docs import STORAGE, furnish

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "querying.md").read_text("utf-8")
SERVED = "monitor browse"  # run in tests/test_browse.py: it does not end by itself


def commands() -> list[str]:
    """Blocks to paste into a shell, then what stands in tables."""
    blocks = re.findall(r"```bash\n(.*?)```", TEXT, re.DOTALL)
    rows = re.findall(r"^\| .* \| `(monitor .*?)` \|$", TEXT, re.MULTILINE)
    return [block for block in [*blocks, *rows] if SERVED not in block]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with config/ and storage/ in it, a month old."""
    folder = tmp_path_factory.mktemp("querying")
    write_config(folder / "config")
    (folder / "storage").mkdir()
    (folder / "storage" / "queries").symlink_to(STORAGE / "queries")
    with open_store(folder / "storage" / "monitor.db") as store:
        furnish(store)
    (folder / "bin").mkdir()
    program = folder / "bin" / "monitor"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m monitor "$@"\n', "utf-8")
    program.chmod(0o755)
    return folder


@pytest.mark.parametrize("command", commands(), ids=lambda command: " ".join(command.split())[:60])
def test_a_command_works_as_it_is_printed(folder: Path, command: str) -> None:
    path = os.pathsep.join([str(folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    made = [folder / name for name in re.findall(r"> (\S+\.\w+)", command)]
    assert all(path.stat().st_size for path in made)
    assert made or (done.stdout + done.stderr).strip() not in ("", "[]")


def test_five_questions_are_answered_in_every_way_it_promises() -> None:
    assert len(re.findall(r"^## \d\. .*\?$", TEXT, re.MULTILINE)) == 5
    told = "\n".join(commands())
    for way in (
        "sqlite-utils query",
        "sqlite-utils rows",
        "monitor search",
        "monitor matches",
        "monitor export",
    ):
        assert way in told
    assert SERVED in TEXT


def test_files_it_points_to_exist() -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)", TEXT):
        assert (ROOT / "docs" / target).exists(), target
    for name in re.findall(r"storage/queries/([\w-]+\.sql)", TEXT):
        assert (STORAGE / "queries" / name).is_file()
