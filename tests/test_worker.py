"""The worker as a process: started, stopped, reloaded and watched as an engineer would."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from monitor.demo.site import Site
from tests.cli import RULES, write_config

PATIENCE_S = 60.0
SETTINGS = """
contact: t@example.org
poll: {{every_s: 1, floor_minutes: 1}}
delivery: {{every_s: 1}}
metrics: {{enabled: true, port: {port}}}
operator: [hook]
channels:
  hook: {{kind: webhook, url: "{hook}", allow_private: true}}
"""
SOURCE = '- {{id: {id}, url: "{url}", allow_private: true}}\n'
HOURLY = "- {name: desk, cron: 0 * * * *, channels: [hook]}\n"


class Receiver:
    """A webhook that keeps what it is sent; each answer takes `wait_s` seconds."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.asked = threading.Event()
        self.wait_s = 0.0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                receiver.asked.set()
                time.sleep(receiver.wait_s)
                receiver.got.append(body)
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"

    def __enter__(self) -> Receiver:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class Running:
    """`monitor run` in a folder; `until` waits for an event of its log."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "monitor", "run"],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.events: list[dict[str, Any]] = []
        self.plain: list[str] = []
        self._read = 0
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            with self._news:
                if line.startswith("{"):
                    self.events.append(json.loads(line))
                else:
                    self.plain.append(line)
                self._news.notify()

    def until(self, is_it: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The next event that is wanted, counted from the one before."""
        give_up = time.monotonic() + PATIENCE_S
        with self._news:
            while True:
                while self._read < len(self.events):
                    self._read += 1
                    if is_it(self.events[self._read - 1]):
                        return self.events[self._read - 1]
                left = give_up - time.monotonic()
                assert left > 0, f"not seen in {self.events} {self.plain}"
                self._news.wait(left)

    def says(self, words: str) -> dict[str, Any]:
        return self.until(lambda event: words in event["event"])

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """(exit code, seconds it took)."""
        started = time.monotonic()
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE_S)
        took = time.monotonic() - started
        self._thread.join(PATIENCE_S)
        return code, took

    def __enter__(self) -> Running:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._thread.join(PATIENCE_S)
        if self.process.stderr:
            self.process.stderr.close()


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site(datetime.now(UTC)) as running:
        yield running


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path, site: Site, hook: Receiver) -> Path:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "port").write_text(str(port))
    write_config(
        tmp_path / "config",
        monitor=SETTINGS.format(port=port, hook=hook.url),
        sources=SOURCE.format(id="gov", url=f"{site.base}/gov/feed.atom"),
        digests=HOURLY,
    )
    return tmp_path


def database(folder: Path) -> sqlite3.Connection:
    return sqlite3.connect(folder / "storage/monitor.db", timeout=30, isolation_level=None)


def query(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(database(folder)) as db:
        return db.execute(sql).fetchall()


def get(folder: Path, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{(folder / 'port').read_text()}{path}") as answer:
        return str(answer.read().decode())


def wait_until(is_so: Callable[[], object]) -> None:
    give_up = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < give_up
        time.sleep(0.05)


def test_the_first_start_floods_nobody_and_is_watched_from_outside(folder: Path, hook: Receiver) -> None:
    with Running(folder) as worker:
        worker.says("cycle")
        assert list((folder / "storage/digests").glob("*first-look*"))
        assert get(folder, "/healthz") == "well\n"
        wait_until(lambda: "monitor_matches_stored 0.0" not in get(folder, "/metrics"))
        second = subprocess.run(
            [sys.executable, "-m", "monitor", "run"], cwd=folder, capture_output=True, text=True, check=False
        )
        assert second.returncode == 1
        assert f"another worker (process {worker.process.pid})" in second.stderr
        assert "Traceback" not in second.stderr
        assert worker.stop()[0] == 0
        assert worker.plain == []
    assert query(folder, "SELECT count(*) FROM matches") != [(0,)]
    assert query(folder, "SELECT DISTINCT kind FROM outbox") == [("file",)]
    assert hook.got == []


def test_a_digest_missed_while_it_was_down_is_sent_once_at_the_start(folder: Path, hook: Receiver) -> None:
    (folder / "config/digests.yaml").write_text("[]\n")
    with Running(folder) as worker:
        worker.says("cycle")
        worker.stop()
    with closing(database(folder)) as db:
        db.execute(
            "INSERT INTO digest_state (name, configured_at, watermark_at) VALUES"
            " ('desk', '2020-01-01T00:00:00Z', '2020-01-01T00:00:00Z')"
        )
    (folder / "config/digests.yaml").write_text(HOURLY)
    for _ in range(2):
        with Running(folder) as worker:
            worker.says("metrics on")  # it listens to signals by now
            wait_until(lambda: hook.got)
            time.sleep(1.5)  # the next look into the outbox
            assert worker.stop()[0] == 0
    (digest,) = (got for got in hook.got if got["schema"].endswith("digest/1"))
    assert (digest["name"], digest["kind"]) == ("desk", "scheduled")
    assert digest["stories"]


def test_stopped_while_it_sends_it_finishes_and_repeats_nothing(folder: Path, hook: Receiver) -> None:
    hook.wait_s = 2.0
    with Running(folder) as worker:
        worker.says("cycle")
        with closing(database(folder)) as db:
            db.execute("DELETE FROM digest_claims")
            db.execute("UPDATE digest_state SET last_fire_at = NULL, configured_at = '2020-01-01T00:00:00Z'")
        assert hook.asked.wait(PATIENCE_S)
        code, took = worker.stop()
        assert (code, took < 30) == (0, True)
    assert query(folder, "SELECT status FROM outbox WHERE channel = 'hook'") == [("sent",)]
    assert len(hook.got) == 1


def test_stopped_while_a_site_hangs_it_ends_at_once(folder: Path) -> None:
    with socket.socket() as hanging:
        hanging.bind(("127.0.0.1", 0))
        hanging.listen()
        url = f"http://127.0.0.1:{hanging.getsockname()[1]}/feed"
        with (folder / "config/sources.yaml").open("a") as sources:
            sources.write(SOURCE.format(id="hangs", url=url))
        with Running(folder) as worker:
            worker.until(lambda event: event.get("source") == "gov")
            connection, _ = hanging.accept()
            with connection:
                code, took = worker.stop(signal.SIGINT)
    assert (code, took < 10) == (0, True)
    assert "Traceback" not in "".join(worker.plain)
    assert not [event for event in worker.events if event["level"] == "error"]
    assert query(folder, "SELECT count(*) FROM items WHERE source_id = 'gov'") != [(0,)]


def test_a_changed_configuration_is_taken_over_and_a_wrong_one_refused(
    folder: Path, site: Site, hook: Receiver
) -> None:
    with Running(folder) as worker:
        worker.says("cycle")
        with (folder / "config/sources.yaml").open("a") as sources:
            sources.write(SOURCE.format(id="wire", url=f"{site.base}/wire/rss.xml"))
        worker.says("configuration reloaded: 2 sources")  # noticed by itself
        worker.until(lambda event: event.get("source") == "wire")
        before = query(folder, "SELECT count(*) FROM items")

        (folder / "config/rules.yaml").write_text("rules: [oh\n")
        refused = worker.says("the changed configuration is refused")
        assert "rules.yaml:" in refused["event"]
        assert refused["level"] == "error"

        (folder / "config/rules.yaml").write_text(RULES)
        worker.says("configuration reloaded")
        os.kill(worker.process.pid, signal.SIGHUP)
        worker.says("configuration reloaded")
        # Stopping breaks off reading, and what was not read stays pending: it must have had its time.
        wait_until(lambda: query(folder, "SELECT count(*) FROM items WHERE status = 'pending'") == [(0,)])
        assert worker.stop()[0] == 0
        assert worker.plain == []
    assert query(folder, "SELECT count(*) FROM items")[0][0] >= before[0][0]


def test_a_taken_port_is_said_in_one_line(folder: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", int((folder / "port").read_text())))
        holder.listen()
        done = subprocess.run(
            [sys.executable, "-m", "monitor", "run"], cwd=folder, capture_output=True, text=True, check=False
        )
    assert done.returncode == 1
    assert "choose another metrics.port" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_network_there_is_one_line_and_then_silence(folder: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/"
        entries = [SOURCE.format(id=f"s{n}", url=f"{url}{n}") for n in range(30)]
        (folder / "config/sources.yaml").write_text("".join(entries))
        with Running(folder) as worker:
            worker.says("no network")
            wait_until(lambda: query(folder, "SELECT 1 FROM runs"))
            worker.stop()
    troubles = [event for event in worker.events if event["level"] in ("warning", "error")]
    assert [event["event"] for event in troubles] == ["no network: not one source could be reached"]
    assert "monitor demo" in troubles[0]["hint"]
