"""The database is lost and restored by the very lines that docs/operating.md prints."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.demo.site import Site
from monitor.store import open_store
from tests.cli import RULES, monitor, write_config
from tests.store_kit import METI, desk, matched

ROOT = Path(__file__).parent.parent
HOME = "/var/lib/japan-tech-monitor"
SOURCES = '- {{id: meti, url: "{base}/gov/feed.atom", allow_private: true, country: gb}}\n'
NOW = datetime.now(UTC).replace(microsecond=0)
BEFORE = 5  # articles that are there before the copy is made


def blocks() -> list[str]:
    """The commands under "Back up and restore", a block each."""
    text = (ROOT / "docs" / "operating.md").read_text("utf-8")
    section = text[text.index("## Back up and restore") :].partition("\n## ")[0]
    section = section.partition("\n## ")[0]
    found = re.findall(r"(?:^    .*\n)+", section + "\n", re.MULTILINE)
    return [re.sub(r"^    ", "", block, flags=re.MULTILINE) for block in found]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A service's folder, with programs beside it that stand for the machine's own."""
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    log = shlex.quote(str(tmp_path / "told"))
    for name in ("systemctl", "chown"):  # what needs a real service and a real user is only noted
        stub(bin_folder / name, f'echo {name} "$@" >> {log}')
    stub(bin_folder / "monitor", f'PYTHONPATH={shlex.quote(str(ROOT))} exec {sys.executable} -m monitor "$@"')
    folder = tmp_path / "home"
    (folder / "storage").mkdir(parents=True)
    with Site(NOW) as site:
        write_config(folder / "config", sources=SOURCES.format(base=site.base), rules=RULES)
        yield folder


def stub(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


def shell(home: Path, commands: str) -> str:
    """What the commands print; any that fails ends the test."""
    path = f"{home.parent / 'bin'}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-eu", "-c", commands], cwd=home, env={**os.environ, "PATH": path}, capture_output=True,
        text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def writing(path: Path) -> Iterator[list[int]]:
    """A worker that stores a match in each transaction; yields the numbers of those it has committed."""
    written: list[int] = []
    stop, enough = threading.Event(), threading.Event()

    def work() -> None:
        with open_store(path) as store:
            desk(store)
            while not stop.is_set():
                number = len(written) + 1
                matched(store, METI, number, title=f"Paper {number}", text=f"半導体 lot{number}end", at=NOW)
                written.append(number)
                if number >= BEFORE:
                    enough.set()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert enough.wait(60)
        yield written
    finally:
        stop.set()
        thread.join()


def test_a_lost_database_is_restored_as_documented_and_the_worker_goes_on(home: Path) -> None:
    backup, restore = blocks()[:2]
    path = home / "storage" / "monitor.db"
    with writing(path) as written:
        safe = list(written)  # committed before the copy was begun
        shell(home, backup)
    (copy,) = (home / "storage").glob("monitor-*.db")
    lose(path)

    shell(home, re.sub(r"monitor-\d{4}-\d\d-\d\d\.db", copy.name, restore).replace(HOME, str(home)))
    told = (home.parent / "told").read_text().splitlines()
    assert (told[0], told[-1]) == ("systemctl stop monitor", "systemctl start monitor")

    with open_store(path) as store:
        assert store.check() == []
        kept = store.db.value("SELECT count(*) FROM matches")
        assert safe[-1] <= kept <= len(written)
        assert [row["n"] for row in store.db.all("SELECT item_id AS n FROM matches ORDER BY 1")] == written[
            :kept
        ]
        assert [hit["title"] for hit in store.search(f"lot{safe[-1]}end")] == [f"Paper {safe[-1]}"]
        assert len(store.search("半導体", limit=10_000)) == kept
    ran = monitor("run", "--once", cwd=home)
    assert ran.code == 0, ran.err
    with open_store(path, read_only=True) as store:
        assert store.db.value("SELECT count(*) FROM matches") > kept


def lose(path: Path) -> None:
    """A broken disk: rubbish in place of the database, and the journal of the lost one still there."""
    path.write_bytes(b"\xff" * 50_000)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).write_bytes(b"\x37\x7f\x06\x82" + b"\0" * 4000)


def test_without_the_restore_the_loss_is_said_with_the_way_out(home: Path) -> None:
    path = home / "storage" / "monitor.db"
    path.write_bytes(b"\xff" * 50_000)
    refused = monitor("store", "check", cwd=home)
    assert refused.code == 1
    assert "not an SQLite database" in refused.err
