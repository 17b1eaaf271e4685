"""`sources health`: what polling has come to, in the words of the view of the same name."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.cli import grid, sources_health
from monitor.cli.sources_health import gap
from tests.cli import monitor, write_config
from tests.servers import Site

TODAY = datetime.now(UTC)
SOURCES = """
- {id: daily, name: Daily, url: "BASE/daily.xml", allow_private: true}
- {id: asleep, name: Asleep, url: "BASE/asleep.xml", allow_private: true}
- {id: broken, name: Broken, url: "BASE/broken.xml", allow_private: true}
- {id: closed, name: Closed, url: "BASE/closed.xml", allow_private: true}
- {id: later, name: Later, url: "BASE/later.xml", allow_private: true}
- {id: off, url: "BASE/off.xml", enabled: false}
"""


def rss(newest: datetime) -> str:
    items = "".join(
        f"<item><title>Story {n}</title><link>https://example.org/{newest:%Y%m%d}/{n}</link>"
        f"<pubDate>{newest - timedelta(days=n):%a, %d %b %Y %H:%M:%S} +0000</pubDate></item>"
        for n in range(20)
    )
    return f"<rss version='2.0'><channel><title>T</title>{items}</channel></rss>"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with Site() as site:
        site.page("/daily.xml", rss(TODAY - timedelta(hours=2)))
        site.page("/asleep.xml", rss(TODAY - timedelta(days=300)))
        site.page("/broken.xml", "<html>Service unavailable</html>")
        site.page("/closed.xml", status=410)
        write_config(tmp_path / "config", sources=SOURCES.replace("BASE", site.url("")))
        monitor("poll", "daily", "asleep", "broken", "closed", cwd=tmp_path)
        for _ in range(2):
            monitor("poll", "broken", "asleep", cwd=tmp_path)
        yield tmp_path


def test_each_state_has_its_reason_and_since(folder: Path) -> None:
    found = monitor("sources", "health", "--json", cwd=folder)
    assert found.code == 0, found.err
    rows = {line["id"]: line for line in found.lines}
    # Worst first; what is switched off is not said.
    assert list(rows) == ["broken", "closed", "asleep", "later", "daily"]
    assert [row["state"] for row in rows.values()] == ["failing", "gone", "silent", "new", "ok"]
    assert rows["broken"]["failures"] == 3
    assert "HTML page" in rows["broken"]["reason"]
    assert "410" in rows["closed"]["reason"]
    assert "usually something every 24 hours" in rows["asleep"]["reason"]
    assert rows["daily"]["usual_gap_hours"] == pytest.approx(24)
    assert rows["daily"]["newest_item_at"] == f"{TODAY - timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}"
    assert (rows["later"]["last_polled_at"], rows["later"]["reason"]) == (None, None)
    assert all(
        row["state_since"] >= f"{TODAY - timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}" for row in rows.values()
    )


def test_it_says_what_the_view_says(folder: Path) -> None:
    (database,) = folder.rglob("*.db")
    with sqlite3.connect(database) as connection:
        connection.row_factory = sqlite3.Row
        view = {
            row["id"]: dict(row) for row in connection.execute("SELECT * FROM source_health WHERE enabled")
        }
    connection.close()
    lines = monitor("sources", "health", "--json", cwd=folder).lines
    assert [line["id"] for line in lines] == list(view)
    for line in lines:
        row = view[line["id"]]
        assert line.pop("reason") == (row["state_reason"] or None)
        assert line.pop("url").startswith("http")
        assert line == {name: row[name] for name in line}


def test_people_see_the_troubled_first_or_alone(folder: Path) -> None:
    done = monitor("sources", "health", "--troubled", cwd=folder)
    assert [line.split("\t")[0] for line in done.out.splitlines()] == ["broken", "closed", "asleep"]
    assert [len(line.split("\t")) for line in done.out.splitlines()] == [8, 8, 8]


def test_at_a_terminal_ages_stand_in_place_of_moments(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = {line["id"]: line for line in monitor("sources", "health", "--json", cwd=folder).lines}
    at = TODAY + timedelta(hours=1)
    daily = sources_health.on_terminal(rows["daily"], at)
    assert (daily[0], daily[1], daily[4]) == ("daily", "ok", "3 h ago")
    assert sources_health.on_terminal(rows["later"], at)[3:6] == ["", "", ""]
    monkeypatch.setenv("COLUMNS", "80")
    grid.show(sources_health.ON_TERMINAL, [sources_health.on_terminal(row, at) for row in rows.values()])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["id", "state", "for", "read", "newest", "usually"]
    assert any(line.startswith("daily   ok") for line in lines)
    assert any(line.startswith("    reason: ") for line in lines)


def test_without_a_database_it_says_how_to_get_one(tmp_path: Path) -> None:
    write_config(tmp_path / "config")
    done = monitor("sources", "health", cwd=tmp_path)
    assert done.code == 1
    assert "monitor run" in done.err


@pytest.mark.parametrize(
    ("hours", "said"), [(None, ""), (0.0, "1 min"), (0.5, "30 min"), (24.0, "24 h"), (72.0, "3 d")]
)
def test_a_rhythm_in_words(hours: float | None, said: str) -> None:
    assert gap(hours) == said
