"""`monitor browse`: look around in the archive with a web browser."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.context import Env, now, pass_env
from monitor.errors import InputError

if TYPE_CHECKING:
    from types import ModuleType

_LOCAL = ("127.0.0.1", "localhost", "::1")


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8001, show_default=True, help="Port; 0 takes a free one."
)
@click.option(
    "--allow-host",
    "hosts",
    multiple=True,
    metavar="NAME",
    help="Also answer under this name, as a proxy passes it on; repeatable.",
)
@click.option("--open", "open_browser", is_flag=True, help="Open the page in your browser.")
@pass_env
def browse(env: Env, host: str, port: int, hosts: tuple[str, ...], open_browser: bool) -> int:
    """Look around in the archive with a web browser (extra `browse`).

    Read-only, on this machine alone unless --host says otherwise; addresses and messages are not shown.
    """
    from monitor.cli.show import say

    site = _site()
    database = env.database()
    env.store(read_only=True).close()  # says now what is wrong with the file, if anything is
    port = _free(host, port)
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
    if host not in _LOCAL:
        say(f"anyone who reaches {host}:{port} can read the archive; there is no password")
    say(f"the archive is at {url} (Ctrl-C stops it)")
    if open_browser:
        click.launch(url)
    site.serve(site.build(database, _queries(database), now), host, port, hosts)
    return 0


def _site() -> ModuleType:
    """monitor.browse.site. Raises InputError when the extra is missing."""
    from monitor import browse

    try:
        from monitor.browse import site
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("monitor"):
            raise
        raise InputError(browse.HINT) from error
    return site


def _free(host: str, port: int) -> int:
    """The port, if it can be listened on. Raises InputError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if sys.platform != "win32":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise InputError(f"cannot listen on {host}:{port}: {error.strerror}; try --port 0") from error
        free: int = probe.getsockname()[1]
        return free


def _queries(database: Path) -> Path:
    """The folder of ready questions: the user's beside the database, else those that came with us."""
    from monitor.cli.init import starter

    own = database.parent / "queries"
    return own if own.is_dir() else starter() / "storage" / "queries"
