"""The command line as a whole: quick, quiet, with exit codes a script can rely on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from monitor.cli import COMMANDS
from tests.cli import monitor, write_config

HEAVY = {
    "httpx",
    "trafilatura",
    "lxml",
    "pydantic",
    "apscheduler",
    "jinja2",
    "feedparser",
    "structlog",
    "rich",
}


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom monitor.cli import main\nassert main(['--help']) == 0\n"
        "print('LOADED', *{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    done = python(code)
    assert done.returncode == 0, done.stderr
    assert "Commands:" in done.stdout
    assert not HEAVY & set(done.stderr.partition("LOADED ")[2].split())


def test_help_costs_little_more_than_python_itself() -> None:
    """The promise is 0.3 s on a quiet machine. What takes the time is imports, and those can be counted."""
    bare = int(python("import sys; print(len(sys.modules))").stdout)
    code = (
        "import sys; from monitor.cli import main; main(['--help']); print(len(sys.modules), file=sys.stderr)"
    )
    assert int(python(code).stderr) - bare < 250


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_listed_has_help(name: str, tmp_path: Path) -> None:
    done = monitor(name, "--help", cwd=tmp_path)
    assert done.code == 0
    assert done.out.startswith(f"Usage: monitor {name}")


def test_a_usage_mistake_is_exit_2(tmp_path: Path) -> None:
    for arguments in (["nonsense"], ["check", "--nonsense"], ["init"]):
        done = monitor(*arguments, cwd=tmp_path)
        assert done.code == 2
        assert done.out == ""
        assert "Error" in done.err


def test_without_a_configuration_the_hint_is_init(tmp_path: Path) -> None:
    done = monitor("check", cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "monitor init DIR" in done.err
    assert "Traceback" not in done.err


def test_the_configuration_is_found_by_option_environment_and_folder(tmp_path: Path) -> None:
    write_config(tmp_path / "a")
    write_config(tmp_path / "b")
    write_config(tmp_path / "config")
    assert monitor("check", cwd=tmp_path).out.startswith("config: ")
    assert monitor("check", cwd=tmp_path, env={"MONITOR_CONFIG": "a"}).out.startswith("a: ")
    assert monitor("--config", "b", "check", cwd=tmp_path, env={"MONITOR_CONFIG": "a"}).out.startswith("b: ")


def test_a_reader_who_has_had_enough_is_no_error(tmp_path: Path) -> None:
    config = write_config(tmp_path / "config")
    line = b'{"id": "1", "title": "x", "text": "Japan and semiconductor"}\n'
    command = [sys.executable, "-m", "monitor", "--config", str(config), "classify"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdin
        assert running.stdout
        assert running.stderr
        running.stdin.write(line)
        running.stdin.flush()
        assert running.stdout.readline().startswith(b'{"id": "1"')
        running.stdout.close()
        running.stdin.write(line * 100)
        running.stdin.close()
        assert running.stderr.read() == b""
        assert running.wait() == 0


def wait_until_it_waits(process: int) -> None:
    """Until its main thread sleeps. Python loses sight of a signal that comes just before a read begins."""
    state = Path(f"/proc/{process}/stat")
    while state.exists() and state.read_text().rpartition(")")[2].split()[0] != "S":
        time.sleep(0.01)


def test_ctrl_c_ends_without_a_traceback(tmp_path: Path) -> None:
    config = write_config(tmp_path / "config")
    command = [sys.executable, "-m", "monitor", "--config", str(config), "classify"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdin
        assert running.stdout
        assert running.stderr
        running.stdin.write(b'{"id": 1, "text": ""}\n')
        running.stdin.flush()
        running.stdout.readline()
        wait_until_it_waits(running.pid)
        os.kill(running.pid, signal.SIGINT)
        assert running.stderr.read().strip() == b"stopped"
        assert running.wait() == 130
        running.stdin.close()
