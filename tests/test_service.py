"""One worker per database, signals, and the endpoint that is watched from outside."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from monitor.errors import MonitorError, StoreError
from monitor.service import Lock, Signals, Systemd, health_endpoint


def test_a_second_worker_on_the_same_database_is_refused_with_the_first_ones_number(tmp_path: Path) -> None:
    database = tmp_path / "monitor.db"
    with Lock(database), pytest.raises(MonitorError, match=rf"process {os.getpid()}"), Lock(database):
        pass
    with Lock(database):
        pass  # free again


def test_the_lock_of_a_killed_worker_does_not_stay(tmp_path: Path) -> None:
    database = tmp_path / "monitor.db"
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time; from pathlib import Path; from monitor.service import Lock\n"
            "with Lock(Path(sys.argv[1])):\n    print('held', flush=True); time.sleep(60)",
            str(database),
        ],
        stdout=subprocess.PIPE,
    )
    assert holder.stdout
    with holder.stdout:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(MonitorError, match=f"process {holder.pid}"), Lock(database):
            pass
        holder.kill()
        holder.wait()
    with Lock(database):
        pass


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with (
        pytest.raises(StoreError, match="cannot write beside the database"),
        Lock(tmp_path / "file" / "monitor.db"),
    ):
        pass


async def test_sigterm_asks_to_stop_and_sighup_to_reload() -> None:
    reloaded = asyncio.Event()
    signals = Signals(on_reload=reloaded.set)
    signals.install()
    try:
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.wait_for(reloaded.wait(), 30)
        assert not signals.stop.is_set()
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(signals.stop.wait(), 30)
    finally:
        signals.remove()


def get(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


@pytest.mark.parametrize(("well", "status"), [(True, 200), (False, 503)])
def test_healthz_answers_by_the_workers_health(well: bool, status: int) -> None:
    with health_endpoint("127.0.0.1", 0, health=lambda: (well, "words"), metrics=lambda: b"x 1\n") as server:
        assert get(f"{server.base}/healthz") == (status, b"words\n")
        assert get(f"{server.base}/metrics") == (200, b"x 1\n")
        assert get(f"{server.base}/elsewhere")[0] == 404


def test_systemd_is_told_when_it_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        systemd = Systemd()
        systemd.ready()
        systemd.alive()
        assert listener.recv(100) == b"READY=1\n"
        assert listener.recv(100) == b"WATCHDOG=1\n"
        if systemd._link:
            systemd._link._socket.close()


def test_without_systemd_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    systemd = Systemd()
    systemd.ready()
    systemd.alive()
    assert systemd._link is None
