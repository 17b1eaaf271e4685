"""The command line: one file per noun, each imported when it is called.

Exit 0: the work was done · 1: it failed · 2: configuration, usage or unreadable input.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module

import click

from monitor import __version__
from monitor.cli.context import Env
from monitor.errors import ConfigError, MonitorError

INTERRUPTED = 130  # 128 + SIGINT, as shells have it

# In the order of a working day; a command stands here when it works.
COMMANDS = {
    "init": "monitor.cli.init:init",
    "check": "monitor.cli.check:check",
    "doctor": "monitor.cli.doctor:doctor",
    "run": "monitor.cli.run:run",
    "status": "monitor.cli.status:status",
    "poll": "monitor.cli.steps:poll",
    "process": "monitor.cli.steps:process",
    "digest": "monitor.cli.digest:digest",
    "flush": "monitor.cli.steps:flush",
    "search": "monitor.cli.ask:search",
    "matches": "monitor.cli.ask:matches",
    "export": "monitor.cli.ask:export",
    "browse": "monitor.cli.browse:browse",
    "explain": "monitor.cli.explain:explain",
    "feedback": "monitor.cli.feedback:feedback",
    "sources": "monitor.cli.sources:sources",
    "rules": "monitor.cli.rules:rules",
    "classify": "monitor.cli.classify:classify",
    "extract": "monitor.cli.extract:extract",
    "stories": "monitor.cli.stories:stories",
    "outbox": "monitor.cli.outbox:outbox",
    "store": "monitor.cli.store:store",
    "backfill": "monitor.cli.backfill:backfill",
    "demo": "monitor.cli.demo:demo",
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        target = COMMANDS.get(cmd_name)
        if target is None:
            return None
        module, _, name = target.partition(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = get_close_matches(args[0], COMMANDS, 1)
            if not near:
                raise
            raise click.UsageError(f"{error.message} Did you mean {near[0]!r}?", ctx) from error

    def invoke(self, ctx: click.Context) -> object:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        except BrokenPipeError:  # click itself would make it exit 1
            return _quietly()


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="monitor")
@click.option("--config", metavar="DIR", help="Folder of the configuration [MONITOR_CONFIG, else ./config].")
@click.option("--db", metavar="FILE", help="The database [MONITOR_DB, else as in monitor.yaml].")
@click.option("-v", "--verbose", is_flag=True, help="Log every detail to standard error.")
@click.pass_context
def cli(ctx: click.Context, config: str | None, db: str | None, verbose: bool) -> None:
    """Watches the news for UK–Japan and US–Japan cooperation in semiconductors and technology."""
    ctx.obj = Env(config=config, db=db, verbose=verbose, environ=os.environ)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code; prints one clear message instead of a traceback."""
    _use_utf8()
    try:
        code = cli.main(args=arguments, prog_name="monitor", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped", err=True)
        return INTERRUPTED
    except MonitorError as error:
        return _tell(error)
    return code if isinstance(code, int) else 0


def _use_utf8() -> None:
    """Pipes and files get UTF-8 whatever the locale says; a terminal shows what it can."""
    for stream in (sys.stdout, sys.stderr):
        if not hasattr(stream, "reconfigure"):
            continue
        if stream.isatty():
            stream.reconfigure(errors="backslashreplace")
        else:
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _tell(error: MonitorError) -> int:
    import logging

    from monitor import log
    from monitor.text import terminal_safe

    prefix = "" if isinstance(error, ConfigError) else "monitor: "
    click.echo(log.marked(prefix + terminal_safe(str(error)), logging.ERROR, sys.stderr), err=True)
    return error.exit_code


def _quietly() -> int:
    """The reader of our output has had enough (`| head`): nothing is wrong, and nothing more is said."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
