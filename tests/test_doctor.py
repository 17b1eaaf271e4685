"""The doctor finds what is wrong with the machine and the other ends, and says how to mend it."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from monitor import doctor, settings
from monitor.demo.site import Site
from tests.cli import monitor, write_config

SOURCE = '- {{id: gov, url: "{base}/gov/feed.atom", allow_private: true}}\n'


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site(datetime.now(UTC)) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path, site: Site) -> Path:
    write_config(tmp_path / "config", sources=SOURCE.format(base=site.base), digests="- name: desk\n")
    return tmp_path


def found(folder: Path, *options: str, **env: str) -> tuple[int, dict[str, dict[str, Any]]]:
    done = monitor("doctor", "--json", *options, cwd=folder, env=env)
    return done.code, {line["name"]: line for line in done.lines}


def test_a_healthy_machine_passes_and_nothing_is_sent(folder: Path) -> None:
    code, results = found(folder)
    assert code == 0
    assert {name for name, each in results.items() if each["level"] != "ok"} <= {"disk"}
    assert {"sqlite", "database", "expat", "lxml", "rules", "processes", "network", "clock"} <= set(results)
    assert not list((folder / "storage/digests").glob("*.html"))


def test_for_people_each_trouble_has_its_remedy_below(folder: Path) -> None:
    (folder / "config/monitor.yaml").write_text("")
    done = monitor("doctor", cwd=folder)
    assert done.code == 0
    lines = done.out.splitlines()
    at = next(n for n, line in enumerate(lines) if "no contact is set" in line)
    assert lines[at + 1].strip().startswith("→ write contact:")


def test_no_network_is_found(folder: Path) -> None:
    (folder / "config/sources.yaml").write_text(
        '- {id: gone, url: "http://127.0.0.1:1/", allow_private: true}\n- {id: no, url: "https://no.invalid/"}\n'
    )
    code, results = found(folder)
    assert code == 1
    assert results["network"]["level"] == "bad"
    assert "monitor demo" in results["network"]["mend"]


def test_without_name_lookup_the_network_is_not_blamed_source_by_source(folder: Path) -> None:
    (folder / "config/sources.yaml").write_text('- {id: no, url: "https://no.invalid/"}\n')
    code, results = found(folder)
    assert code == 1
    assert results["dns"]["level"] == "bad"
    assert results["network"]["text"] == "not tried, for no name can be looked up"


def test_a_file_that_is_no_database_is_found(folder: Path) -> None:
    (folder / "storage").mkdir()
    (folder / "storage/monitor.db").write_text("nothing of the kind, and long enough to be looked at" * 20)
    code, results = found(folder)
    assert (code, results["database"]["level"]) == (1, "bad")
    assert "not an SQLite database" in results["database"]["text"]


async def test_a_wrong_clock_is_found(folder: Path) -> None:
    config = settings.load(folder / "config", {})
    results = {
        each.name: each
        async for each in doctor.examine(config, lambda: datetime.now(UTC) + timedelta(hours=9))
    }
    assert results["clock"].level == doctor.BAD
    off = re.search(r"off by about (\d+) s", results["clock"].text)
    assert off
    assert abs(int(off[1]) - 9 * 3600) < 300


MAIL = """
contact: t@example.org
channels:
  mail: {kind: email, host: 127.0.0.1, port: 1, security: none, sender: m@example.org, timeout_s: 2}
  slack: {kind: slack, webhook: {env: HOOK_X}}
operator: [slack, {channel: mail, recipients: [ops@example.org]}]
"""


@pytest.mark.parametrize(
    ("address", "level"),
    [
        ("https://hooks.slack.com/services/T0/B0/x1y2z3", "ok"),
        ("https://hooks.slack.example/services/T0/B0/x1y2z3", "warning"),
        ("T0/B0/x1y2z3", "warning"),
    ],
)
def test_mail_and_slack_are_looked_at_without_sending(folder: Path, address: str, level: str) -> None:
    (folder / "config/monitor.yaml").write_text(MAIL)
    done = monitor("doctor", "--json", cwd=folder, env={"HOOK_X": address})
    results = {line["name"]: line for line in done.lines}
    assert results["channel mail"]["level"] == "bad"
    assert results["channel slack"]["level"] == level
    assert "x1y2z3" not in done.out + done.err


def test_a_missing_secret_is_found_once(folder: Path) -> None:
    (folder / "config/monitor.yaml").write_text(MAIL)
    code, results = found(folder)
    assert code == 1
    assert "HOOK_X is not set" in results["secrets"]["text"]
    assert "channel slack" not in results


class Hook(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(204 if b"test message" in body else 500)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_send_test_reaches_every_channel_and_says_which_it_did_not(folder: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        (folder / "config/monitor.yaml").write_text(
            "contact: t@example.org\nchannels:\n"
            f"  hook: {{kind: webhook, url: 'http://127.0.0.1:{server.server_port}/', allow_private: true}}\n"
            "  dead: {kind: webhook, url: 'http://127.0.0.1:1/', allow_private: true}\n"
            "operator: [hook, dead]\n"
        )
        code, results = found(folder, "--send-test")
        server.shutdown()
    assert code == 1
    levels = {name: each["level"] for name, each in results.items() if name.startswith("test ")}
    assert levels == {"test hook": "ok", "test file": "ok", "test dead": "bad"}
    assert list((folder / "storage/digests").glob("operator-*.html"))
