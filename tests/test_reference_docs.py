"""docs/reference.md names every command and option as the command line does.

MONITOR_UPDATE_DOCS=1 writes it anew.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import click

from monitor import cli

REFERENCE = Path(__file__).parent.parent / "docs" / "reference.md"
MARK = "<!-- commands -->\n"


def commands(
    command: click.Command, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """A command, then those below it, in order."""
    yield path, command
    if isinstance(command, click.Group):
        ctx = click.Context(command, info_name=path[-1])
        for name in command.list_commands(ctx):
            below = command.get_command(ctx, name)
            assert below is not None
            yield from commands(below, (*path, name))


def section(path: tuple[str, ...], command: click.Command) -> str:
    """What the reference says of one command."""
    ctx = click.Context(command, info_name=" ".join(path))
    arguments = " ".join(command.collect_usage_pieces(ctx))
    lines = [f"{'#' * min(4, 1 + len(path))} {' '.join(path)}", "", f"`{' '.join(path)} {arguments}`", ""]
    lines += [" ".join(paragraph.split()) + "\n" for paragraph in (command.help or "").split("\n\n")]
    rows = [
        (", ".join((*param.opts, *param.secondary_opts)), param.make_metavar(ctx), param.help or "", param)
        for param in command.params
        if isinstance(param, click.Option)
    ]
    for names, metavar, help, param in rows:
        value = "" if param.is_flag else " " + metavar.replace("|", "\\|")
        default = f" Default: {param.default}." if param.show_default else ""
        lines.append(f"- `{names}{value}`: {help}{default}")
    return "\n".join([*lines, ""]) if rows else "\n".join(lines)


def generated() -> str:
    return "\n".join(section(path, command) for path, command in commands(cli.cli, ("monitor",)))


def test_the_reference_is_the_command_line() -> None:
    text = REFERENCE.read_text("utf-8")
    before, mark, _ = text.partition(MARK)
    assert mark
    if os.environ.get("MONITOR_UPDATE_DOCS"):
        text = before + MARK + "\n" + generated()
        REFERENCE.write_text(text, "utf-8")
    assert text.partition(MARK)[2].strip() == generated().strip()


def test_every_option_says_what_it_does() -> None:
    for path, command in commands(cli.cli, ("monitor",)):
        assert command.help, path
        assert re.match(r"[A-Z].*\.", command.help), path
        for param in command.params:
            if isinstance(param, click.Option):
                assert param.help, (path, param.name)
                assert param.help.endswith("."), (path, param.name)
