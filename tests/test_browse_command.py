"""`monitor browse` as a program: what it refuses, whom it answers, and a reader in a real browser."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("datasette", reason="the extra `browse` is not installed")

from monitor.browse import HINT, hosts
from tests import browse_kit, chromium
from tests.browse_kit import JAPANESE
from tests.cli import monitor, write_config

archive = browse_kit.archive


def run(*code: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", *code], cwd=cwd, capture_output=True, text=True, check=False)


def test_without_the_extra_it_says_what_to_install(tmp_path: Path) -> None:
    done = run("import sys; sys.modules['datasette'] = None\n"
               "from monitor.cli import main; sys.exit(main(['browse']))", cwd=tmp_path)  # fmt: skip
    assert done.returncode == 2
    assert HINT in done.stderr
    assert "pip install" in HINT


def test_no_database_and_a_taken_port_are_said_clearly(tmp_path: Path, archive: Path) -> None:
    config = write_config(tmp_path / "config")
    missing = monitor("--config", config, "--db", tmp_path / "no.db", "browse", cwd=tmp_path)
    assert missing.code == 1
    assert "no database at" in missing.err
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        refused = monitor("--config", config, "--db", archive, "browse", "--port", port, cwd=tmp_path)
    assert refused.code == 2
    assert f"cannot listen on 127.0.0.1:{port}" in refused.err


@pytest.fixture(scope="module")
def address(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`monitor browse` itself, on a free port."""
    folder = tmp_path_factory.mktemp("desk")
    config = write_config(folder / "config")
    command = [
        sys.executable, "-m", "monitor", "--config", config, "--db", archive, "browse", "--port", "0",
        "--allow-host", "desk.example",
    ]  # fmt: skip
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent
    ) as process:
        try:
            assert process.stderr
            said = process.stderr.readline()
            url = re.search(r"http://127\.0\.0\.1:\d+/", said)
            assert url, said
            wait_for(url[0])
            yield url[0]
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
            assert process.stderr.read() == ""
        finally:
            process.kill()


def wait_for(url: str) -> None:
    host, port = url.removeprefix("http://").rstrip("/").split(":")
    for _ in range(400):
        with socket.socket() as probe:
            probe.settimeout(0.1)
            if probe.connect_ex((host, int(port))) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the site did not come up")


def test_the_command_serves_until_it_is_told_to_stop(address: str) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(address, timeout=60) as answer:
        assert JAPANESE in answer.read().decode()


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("localhost:{port}", 200),
        ("127.0.0.1", 200),
        ("LOCALHOST.", 200),
        ("[::1]:{port}", 200),
        ("desk.example", 200),
        ("rebound.example:{port}", 421),
        ("localhost.rebound.example", 421),
        ("192.0.2.7", 421),
        ("", 421),
    ],
)
def test_it_answers_under_its_own_names_only(address: str, name: str, status: int) -> None:
    """A page elsewhere that points its own name at this machine reads nothing."""
    host, port = address.removeprefix("http://").rstrip("/").split(":")
    with contextlib.closing(http.client.HTTPConnection(host, int(port), timeout=60)) as connection:
        connection.putrequest("GET", "/", skip_host=True)
        connection.putheader("Host", name.format(port=port))
        connection.endheaders()
        answer = connection.getresponse()
        body = answer.read().decode()
    assert answer.status == status
    assert (JAPANESE in body) == (status == 200)


@pytest.mark.parametrize("names", [[], [b"localhost", b"rebound.example"]], ids=["none", "two"])
def test_a_request_names_one_host(names: list[bytes]) -> None:
    """A server that lets others through is not trusted to have looked."""
    said: list[dict[str, Any]] = []

    async def ask() -> None:
        async def send(message: dict[str, Any]) -> None:
            said.append(message)

        scope = {"type": "http", "headers": [(b"host", name) for name in names]}
        await hosts.OwnHosts(None, "127.0.0.1")(scope, None, send)  # type: ignore[arg-type]

    asyncio.run(ask())
    assert said[0]["status"] == 421


@pytest.mark.parametrize(
    ("asked", "bound", "allowed"),
    [
        ("192.168.1.5:8001", "0.0.0.0", True),
        ("[2001:db8::1]:8001", "::", True),
        (socket.gethostname(), "0.0.0.0", True),
        ("rebound.example", "0.0.0.0", False),
        ("192.168.1.5", "192.168.1.5", True),
        ("192.168.1.6", "192.168.1.5", False),
        ("desk.lan", "desk.lan", True),
    ],
)
def test_listening_elsewhere_any_address_will_do_but_not_any_name(
    asked: str, bound: str, allowed: bool
) -> None:
    assert hosts.is_allowed(asked, bound) == allowed


@pytest.mark.skipif(chromium.program() is None, reason="chromium is not installed")
@pytest.mark.parametrize("width", [1200, 360], ids=["desktop", "phone"])
def test_a_reader_finds_日英_narrows_it_and_sees_why(address: str, tmp_path: Path, width: int) -> None:
    with chromium.Chromium(tmp_path, width=width) as browser:
        browser.open(address)
        browser.run("document.querySelector('input[type=search]').value = '日英'")
        browser.follow("document.querySelector('.desk-search input[type=submit]').click()")
        assert 'search matches "日英"' in browser.text()
        browser.follow("document.querySelector('#facet-event a').click()")
        assert browser.run("location.search").endswith("event=funding")
        browser.follow("document.querySelector('.card h3 a').click()")
        assert browser.run("document.querySelector('h1').innerText") == JAPANESE
        reasons = browser.run("document.querySelector('#reasons').innerText")
        assert "Why it matched" in reasons
        assert "title: Rapidus" in reasons
        for path in ("", "dashboard", "monitor/matches_view", "monitor/source_health", "match/1", "monitor",
                     "monitor/matches_view?_search=日英", "monitor/near_misses", "monitor/delivery-proof",
                     "monitor/search?q=日英"):  # fmt: skip
            browser.open(address + urllib.request.quote(path, safe="/?=&"))  # type: ignore[attr-defined]
            assert browser.run("document.documentElement.scrollWidth <= window.innerWidth"), path
            if folder := os.environ.get("MONITOR_SCREENSHOTS"):
                name = re.sub(r"[/?=]", "-", path) or "home"
                browser.screenshot(Path(folder) / f"{name}-{width}.png")
