"""The files of the installations: the systemd unit, the image, the compose files."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path
from typing import Any

import click
import pytest
from ruamel.yaml import YAML

from monitor import cli

ROOT = Path(__file__).parent.parent
UNIT = ROOT / "deploy" / "monitor.service"
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
MOST_EXPOSED = 2.5  # of 10; `systemd-analyze security`

needs_systemd = pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed"
)


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit, with a program that is there."""
    installed = tmp_path / UNIT.name
    installed.write_text(UNIT.read_text("utf-8").replace("/opt/japan-tech-monitor/bin/monitor", "/bin/true"))
    return installed


def analyze(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, check=False)


@needs_systemd
def test_systemd_finds_nothing_to_say_of_the_unit(unit: Path) -> None:
    done = analyze("verify", unit)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@needs_systemd
def test_the_unit_is_hardened(unit: Path) -> None:
    done = analyze("security", "--offline=yes", f"--threshold={MOST_EXPOSED * 10:.0f}", "--no-pager", unit)
    assert done.returncode == 0, done.stdout[-200:] + done.stderr


def test_the_unit_speaks_of_the_folders_and_the_name_that_operating_has() -> None:
    said = (ROOT / "docs" / "operating.md").read_text("utf-8")
    for path in re.findall(r"=(?:-)?(/(?:opt|var)/[^\s:]+)", UNIT.read_text("utf-8")):
        assert path in said or Path(path).parent.as_posix() in said, path


def test_what_the_image_copies_is_there_and_not_ignored() -> None:
    ignored = (ROOT / ".dockerignore").read_text("utf-8").split()
    copied = [
        words.split()[:-1] for words in re.findall(r"^COPY (?!--from)(?:--\S+ )?(.+)$", DOCKERFILE, re.M)
    ]
    for path in chain.from_iterable(copied):
        assert (ROOT / path).exists(), path
        assert path.split("/")[0] not in ignored, path
    assert "secrets/" in ignored


def test_the_image_installs_what_the_package_needs_and_the_extras_asked_for() -> None:
    found = re.search(r'RUN python -c "(.*?)" \\\n\s+"\$EXTRAS" > requirements.txt', DOCKERFILE, re.DOTALL)
    assert found
    script = found[1].replace("\\\n", "")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for extras in ("", "channels", "channels,browse"):
        listed = subprocess.run(
            [sys.executable, "-c", script.replace("'\\\\n'", "'\\n'"), extras],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        more = [each for name in extras.split(",") if name for each in project["optional-dependencies"][name]]
        assert listed == [*project["dependencies"], *more]


def test_what_image_and_compose_run_are_commands_of_ours() -> None:
    service = compose("compose.yaml")["services"]["monitor"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    asked = re.findall(r'CMD \["(?:monitor", ")?([a-z]+)"', DOCKERFILE)
    assert asked == ["status", "run"]
    backfill = compose("compose.dask.yaml")["services"]["backfill"]
    for name in (*asked, backfill["command"][0]):
        assert name in cli.cli.list_commands(click.Context(cli.cli)), name


def compose(name: str) -> dict[str, Any]:
    """A compose file; these use YAML's anchors, which our own reader refuses."""
    data: dict[str, Any] = YAML(typ="safe").load(ROOT / name)
    return data
