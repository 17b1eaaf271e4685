"""docs/sources.md is true: its commands run, its entries load, its names exist."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.cli.sources_check import Try, row
from monitor.model import SOURCE_KINDS, Source
from tests.cli import Outcome, monitor, write_config
from tests.servers import Site

PAGE = (Path(__file__).parent.parent / "docs" / "sources.md").read_text("utf-8")
COMMANDS = [
    line for block in re.findall(r"```sh run\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()
]
STATES = ("new", "ok", "failing", "silent", "gone")
FEED = f"""<rss version="2.0"><channel><title>Institute</title><item><title>Chips</title>
<link>https://press.example/press/2026/1.html</link>
<pubDate>{datetime.now(UTC):%a, %d %b %Y %H:%M:%S} GMT</pubDate></item></channel></rss>"""
HOME = """<html lang="en"><head><title>Institute</title>
<link rel="alternate" type="application/rss+xml" href="/news.xml"></head><body><ul class="news">
<li><a href="/press/2026/1.html">A laboratory for quantum chips opens in London</a></li>
<li><a href="/press/2026/2.html">A laboratory for photonic chips opens in Tsukuba</a></li>
<li><a href="/press/2026/3.html">A laboratory for power chips opens in Hokkaido</a></li></ul></body></html>"""


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as site:
        site.page("/", HOME, etag='"h"')
        site.page("/news.xml", FEED, etag='"f"')
        yield site


def shell(command: str, folder: Path, site: Site) -> Outcome:
    """One line of the page, with a server of our own behind its example address."""
    line, _, target = command.replace("https://press.example", site.url("")).partition(" >")
    words = shlex.split(line)
    assert words[0] == "monitor", command
    done = monitor(*words[1:], cwd=folder)
    if target:
        with (folder / target.strip("> ")).open(
            "a" if target.startswith(">") else "w", encoding="utf-8"
        ) as file:
            file.write(done.out)
    return done


def test_the_commands_work_in_the_order_of_the_page(tmp_path: Path, site: Site) -> None:
    write_config(tmp_path / "config", sources="")
    assert len(COMMANDS) > 10
    for command in COMMANDS:
        if "health" in command:
            assert monitor("poll", cwd=tmp_path).code == 0  # health needs a database
        done = shell(command, tmp_path, site)
        assert done.code == 0, f"{command}: {done.err}{done.out}"
    assert "kind: feed" in (tmp_path / "config/sources.yaml").read_text("utf-8")


def test_the_entries_load(tmp_path: Path) -> None:
    (block,) = re.findall(r"```yaml sources\n(.*?)```", PAGE, re.DOTALL)
    write_config(tmp_path / "config", sources=block)
    done = monitor("check", cwd=tmp_path)
    assert done.code == 0, done.out


def test_every_kind_state_and_column_is_explained() -> None:
    for name in (*SOURCE_KINDS, *STATES):
        assert f"| `{name}` |" in PAGE, name
    for name in row(Try(Source("a", "https://press.example/"))).keys() - {"id", "url"}:
        assert f"`{name}`" in PAGE, name
