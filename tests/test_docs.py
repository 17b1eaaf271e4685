"""README.md and docs/ hold: links lead somewhere, commands exist, configuration loads, shell lines run."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest

from monitor import cli, settings

from .cli import RULES
from .test_layers import LAYERS

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "config/*.md", "storage/*.md", "benchmarks/*.md")
    for path in ROOT.glob(pattern)
)
NAMES = [str(path.relative_to(ROOT)) for path in PAGES]
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?:^ {4}\S.*\n)+", re.MULTILINE)
LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")
SPAN = re.compile(r"`([^`\n]+)`")
STOPS = ("|", ";", "&&", ">", "<", "[")  # "[" begins a usage line's placeholders


def prose(text: str) -> str:
    return FENCE.sub("", text)


def blocks(text: str) -> list[str]:
    """Lines of the page's shell blocks: fenced, or indented by four as README has them."""
    fenced = [body for lang, body in FENCE.findall(text) if lang in ("", "bash", "sh")]
    return [
        line.strip() for block in [*fenced, *INDENTED.findall(prose(text))] for line in block.splitlines()
    ]


def commands(text: str) -> list[list[str]]:
    """Every `monitor …` of a page, as words; what follows a pipe or a redirection is left out."""
    found = []
    for line in [*blocks(text), *SPAN.findall(prose(text))]:
        words = _words(line)
        if words[:4] == ["docker", "compose", "exec", "monitor"]:  # the service; what it runs comes after
            words = words[4:]
        starts = [i for i, word in enumerate(words) if word == "monitor" or word.endswith("/bin/monitor")]
        runs_it = starts and (starts[0] == 0 or words[0] in ("sudo", "docker") or "|" in words[: starts[0]])
        if runs_it and words[starts[-1] + 1 :] and "--entrypoint" not in words:
            rest = words[starts[-1] + 1 :]
            stop = next((i for i, word in enumerate(rest) if word.startswith(STOPS)), len(rest))
            found.append(rest[:stop])
    return found


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line, comments=True)
    except ValueError:  # the first line of a quotation that goes on
        return line.split()


def problem(words: list[str]) -> str:
    """Why the command line knows no such command; "" when it does."""
    command: click.Command = cli.cli
    context = click.Context(command, info_name="monitor")
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word.startswith("-") and word != "-":
            name = word.split("=")[0]
            options = [each for each in command.get_params(context) if name in each.opts]
            if not options:
                return f"{context.info_name} has no {name}"
            skip = isinstance(options[0], click.Option) and not options[0].is_flag and "=" not in word
        elif isinstance(command, click.Group):
            below = command.get_command(context, word)
            if below is None:
                return f"{context.info_name} has no command {word}"
            command = below
            context = click.Context(command, info_name=word, parent=context)
    return ""


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_links_lead_to_files(page: Path) -> None:
    for target in LINK.findall(prose(page.read_text("utf-8"))):
        if "://" not in target and not target.startswith(("#", "mailto:")):
            assert (page.parent / target.partition("#")[0]).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_commands_exist_with_their_options(page: Path) -> None:
    wrong = {" ".join(words): problem(words) for words in commands(page.read_text("utf-8"))}
    assert {line: why for line, why in wrong.items() if why} == {}


def test_a_wrong_command_would_be_noticed() -> None:
    page = "`monitor digest --previous x` and `monitor stores`\n\n    monitor run --twice  # why\n"
    assert [problem(words) for words in commands(page)] == [
        "run has no --twice",
        "digest has no --previous",
        "monitor has no command stores",
    ]
    assert len(commands(README.read_text("utf-8"))) > 5


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_make_targets_and_extras_exist(page: Path) -> None:
    text = page.read_text("utf-8")
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"(?:`|^ {4})make ([a-z]+)", text, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    for names in re.findall(r"\.\[([a-z,]+)\]", text):
        assert set(names.split(",")) <= set(extras), names


@pytest.mark.parametrize("name", ["README.md", "config/README.md"])
def test_configuration_loads_as_it_stands(name: str, tmp_path: Path) -> None:
    """All snippets of a page together are one configuration."""
    (tmp_path / "rules.yaml").write_text(RULES, "utf-8")
    files = {"monitor.yaml": "", "sources.yaml": "", "digests.yaml": ""}
    snippets = [body for lang, body in FENCE.findall((ROOT / name).read_text("utf-8")) if lang == "yaml"]
    for body in snippets:
        files[_file_of(body)] += body
    for file, text in files.items():
        (tmp_path / file).write_text(text, "utf-8")
    config = settings.load(tmp_path, {"SLACK_WEBHOOK_URL": "https://hooks.slack.com/x", "SMTP_PASSWORD": "x"})
    used = {use.channel for digest in config.digests for use in digest.channels}
    assert len(snippets) >= 2
    assert {"mail", "slack"} <= set(config.channels)
    assert {"mail", "slack"} <= used


def _file_of(snippet: str) -> str:
    if re.search(r"^channels:", snippet, re.MULTILINE):
        return "monitor.yaml"
    return "sources.yaml" if re.search(r"^ +url:", snippet, re.MULTILINE) else "digests.yaml"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a newcomer has after the first run: the demo's archive in a folder of `monitor init`."""
    folder = tmp_path_factory.mktemp("desk")
    shell(f"monitor init {folder}", folder)
    shell("monitor demo", folder)
    shutil.copy(folder / "storage" / "demo" / "demo.db", folder / "storage" / "monitor.db")
    return folder


def shell(line: str, folder: Path) -> str:
    """Standard output of a line that a user would type there."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MONITOR_")}
    done = subprocess.run(
        line,
        shell=True,
        cwd=folder,
        env=environ | {"PATH": path},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, (line, done.stdout[-500:], done.stderr[-2_000:])
    return done.stdout


OFFLINE = [
    line
    for line in blocks(README.read_text("utf-8"))
    if line.startswith(("monitor ", "sqlite-utils "))
    and not line.startswith(("monitor run", "monitor doctor"))
]


@pytest.mark.parametrize("line", OFFLINE)
def test_a_line_of_the_readme_runs(line: str, desk: Path) -> None:
    out = shell(line, desk)
    if line.startswith(("sqlite-utils", "monitor search")):
        assert out.count("\n") >= 2 or "半導体" in out
    if "--preview" in line:
        assert (desk / "out.html").read_text("utf-8").lower().startswith("<!doctype html>")


def test_the_readme_has_lines_to_run() -> None:
    assert len(OFFLINE) >= 6


def test_the_design_names_every_room_in_its_layer() -> None:
    """The table of docs/design.md is the one that tests/test_layers.py enforces."""
    page = (ROOT / "docs" / "design.md").read_text("utf-8")
    rows = re.findall(r"^\| (\d) [a-z]+ \| (.*?) \|", page, re.MULTILINE)
    told = {
        int(number): {name.rstrip("/").removesuffix(".py") for name in SPAN.findall(rooms)}
        for number, rooms in rows
    }
    assert told == {number: rooms - {"__init__"} for number, rooms in LAYERS.items()}


def test_the_picture_of_the_design_shows_rooms_that_exist_above_what_they_use() -> None:
    """Every name with a slash or .py in the picture of the four steps is a file or folder of monitor/."""
    page = (ROOT / "docs" / "design.md").read_text("utf-8")
    picture = FENCE.search(page)
    assert picture
    names = re.findall(r"(?<![\w*/])[a-z_]+(?:/|\.py\b)", picture[2])
    missing = [name for name in names if name != "config/" and not (ROOT / "monitor" / name).exists()]
    assert missing == []
    assert {"app.py", "fetch/", "store/", "deliver/", "scheduler.py", "cli/"} <= set(names)
    steps = re.findall(r"^ (\d) (\w+) ", picture[2], re.MULTILINE)
    assert steps == [("1", "poll"), ("2", "process"), ("3", "compose"), ("4", "flush")]
