"""What the wheel holds: every package, and the starter configuration."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PARTS = ("monitor", "config", "storage/queries")
FILES = ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE")


def test_every_package_is_named() -> None:
    named = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"]
    there = [path.parent.relative_to(ROOT) for path in (ROOT / "monitor").rglob("__init__.py")]
    assert sorted(named) == sorted(".".join(path.parts) for path in there)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built by pip from a copy of the tree, offline, with the setuptools that is installed."""
    work = tmp_path_factory.mktemp("wheel")
    tree = work / "tree"
    for part in PARTS:
        shutil.copytree(ROOT / part, tree / part, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, tree / name)
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run([*command, "-w", str(work), str(tree)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = work.glob("*.whl")
    return built


def test_the_wheel_holds_every_file_of_the_program_and_the_starter(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for part, inside in (
        ("monitor", ""),
        ("config", "monitor/starter/"),
        ("storage/queries", "monitor/starter/"),
    ):
        for path in (ROOT / part).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith("."):
                assert inside + path.relative_to(ROOT).as_posix() in names
    assert not [name for name in names if name.startswith(("config/", "storage/", "tests/"))]


def test_init_from_the_wheel_needs_no_source_tree(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    environ = {**os.environ, "PYTHONPATH": str(site)}
    where = [sys.executable, "-c", "import monitor; print(monitor.__file__)"]
    found = subprocess.run(
        where, cwd=tmp_path, env=environ, capture_output=True, text=True, check=True
    ).stdout
    assert found.strip().startswith(str(site))
    command = [sys.executable, "-m", "monitor", "init", "desk"]
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    written = {
        path.relative_to(tmp_path / "desk") for path in (tmp_path / "desk").rglob("*") if path.is_file()
    }
    shipped = {path.relative_to(ROOT) for path in (ROOT / "config").rglob("*") if path.is_file()}
    assert shipped <= written
    check = [sys.executable, "-m", "monitor", "check", "--json"]
    done = subprocess.run(
        check, cwd=tmp_path / "desk", env=environ, capture_output=True, text=True, check=False
    )
    assert (done.returncode, json.loads(done.stdout)["ok"]) == (0, True), done.stderr
