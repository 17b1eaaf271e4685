"""Archives under today's rules: resuming, lost processes and a Dask cluster leave equal tables."""

from __future__ import annotations

import gzip
import io
import json
from collections import Counter
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import distributed
import pytest
from click.testing import CliRunner
from rich.console import Console

from monitor import archives, backfill, runners
from monitor.backfill import ShardResult, Task, Window
from monitor.cli import cli
from monitor.cli.backfill import _Progress
from monitor.errors import InputError, MonitorError
from monitor.store import open_store
from monitor.workers import Workers
from tests import dying

RULES = """\
rules:
  - id: pair
    why: Small, so that processes start quickly.
    corridor: uk-japan
    when: 'Britain AND Japan'
    threshold: 1
"""
MATCHING = "Britain and Japan agreed to study chips together, number {n}. " * 6
OTHER = "Rice grew well in Niigata this year, farmers said, in field {n}. " * 6


def page(n: int, text: str, published: str = "") -> bytes:
    date = published or f"20{10 + n % 15}-05-0{1 + n % 9}T08:00:00Z"
    head = f'<head><meta property="article:published_time" content="{date}"></head>'
    body = f"<article><h1>Story number {n}</h1><p>{text.format(n=n)}</p></article>"
    return f"<html>{head}<body>{body}</body></html>".encode()


def response(url: str, body: bytes, archived: str = "2025-01-02T03:04:05Z") -> bytes:
    http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + body
    head = (
        f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {url}\r\nWARC-Date: {archived}\r\n"
        f"WARC-Record-ID: <urn:{url}>\r\nContent-Type: application/http; msgtype=response\r\n"
        f"Content-Length: {len(http)}\r\n\r\n"
    ).encode()
    return gzip.compress(head + http + b"\r\n\r\n", mtime=0)


def warc(path: Path, numbers: range, text: str = MATCHING) -> Path:
    path.write_bytes(b"".join(response(f"https://n.example/{n}", page(n, text)) for n in numbers))
    return path


def tasks(*paths: Path, window: Window | None = None) -> list[Task]:
    return backfill.tasks(archives.shards(paths), {"rules.yaml": RULES}, window or Window())


def tables(database: Path) -> dict[str, Any]:
    """What analysts see, without the moment of the run."""
    queries = {
        "matches": "SELECT id, item_id, story_id, matched_at, alert FROM matches",
        "items": "SELECT id, identity, title, published_at, outcome FROM items",
        "articles": "SELECT item_id, url, title, text FROM articles",
        "stories": "SELECT id, title, outlets FROM stories",
    }
    with open_store(database) as store:
        return {name: [tuple(row) for row in store.db.all(query)] for name, query in queries.items()}


def here(function: Any, tasks: Any) -> Generator[tuple[Task, Any], None, None]:
    """The cheapest runner: this process, one shard after the other."""
    for task in tasks:
        try:
            yield task, function(task)
        except MonitorError as error:
            yield task, error


@pytest.fixture(autouse=True, scope="module")
def _no_desk_is_left() -> Iterator[None]:
    yield
    backfill.close_desk()


def run(
    todo: list[Task], database: Path, runner: backfill.Runner = here, *, failing: int = 0
) -> dict[str, Any]:
    shelf = backfill.Shelf(database.with_suffix(".shelf"), files_at_once=2)
    failed = backfill.read_all(todo, shelf, runner, lambda task, result, how: None)
    assert len(failed) == failing
    with open_store(database) as store:
        backfill.merge(store, shelf.found(todo), datetime.now(UTC))
    return tables(database)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    folder = tmp_path / "archive"
    folder.mkdir()
    warc(folder / "0.warc.gz", range(3), OTHER)
    for k in range(1, 4):
        warc(folder / f"{k}.warc.gz", range(k * 3, k * 3 + 3))
    warc(folder / "again.warc.gz", range(3, 6))  # the same articles, archived twice
    return folder


# --- one shard -------------------------------------------------------------------------------


def test_a_shard_tells_what_it_read_by_year_and_what_it_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    parts = [
        response("https://n.example/1", page(1, MATCHING, "2019-05-01T00:00:00Z")),
        response("https://n.example/2", page(2, OTHER, "2019-06-01T00:00:00Z")),
        response(
            "https://n.example/3", page(3, MATCHING, "2031-01-01T00:00:00Z")
        ),  # younger than its archive
        gzip.compress(b"damage"),
    ]
    path.write_bytes(b"".join(parts))
    result = backfill.run_shard(tasks(path)[0])
    assert result.counts == {
        ("2019", "match"): 1, ("2025", "no-match"): 1, ("2025", "match"): 1, ("", "failed"): 1
    }  # fmt: skip
    assert "damaged" in result.poison[0][1]
    assert [found.published_at.year for found in result.found] == [2019, 2025]


@pytest.mark.parametrize(
    ("window", "wanted"),
    [
        (Window(since=datetime(2020, 1, 1, tzinfo=UTC)), {"b", "c"}),
        (Window(until=datetime(2020, 1, 1, tzinfo=UTC)), {"a"}),
        (Window(since=datetime(2020, 1, 1, tzinfo=UTC), until=datetime(2022, 1, 1, tzinfo=UTC)), {"b"}),
        (Window(source="example/b"), {"b"}),
    ],
    ids=["since", "until", "between", "source"],
)
def test_a_window_leaves_out_and_counts(tmp_path: Path, window: Window, wanted: set[str]) -> None:
    years = {"a": 2019, "b": 2021, "c": 2023}
    rows = [
        {"text": MATCHING, "title": "T", "url": f"https://n.example/{k}", "published": f"{y}-03-04"}
        for k, y in years.items()
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    result = backfill.run_shard(tasks(tmp_path / "a.jsonl", window=window)[0])
    assert {found.url[-1] for found in result.found} == wanted
    assert sum(n for (_, outcome), n in result.counts.items() if outcome == "skipped") == 3 - len(wanted)


def test_a_page_that_costs_its_process_is_set_aside_and_the_rest_is_read(tmp_path: Path) -> None:
    rows = [{"text": OTHER if n % 50 else MATCHING, "url": f"https://n.example/{n}"} for n in range(250)]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    result = backfill.run_shard(tasks(tmp_path / "a.jsonl")[0], read=dying.of_page_two)
    assert [found.url for found in result.found] == [f"https://n.example/{n}" for n in (0, 100, 150, 200, 50)]
    assert sum(result.counts.values()) == 250
    ((where, why),) = result.poison
    assert where.endswith("a.jsonl:3")
    assert "exit code 9" in why


def test_a_page_that_never_ends_is_set_aside(tmp_path: Path) -> None:
    path = warc(tmp_path / "a.warc.gz", range(1))
    result = backfill.run_shard(tasks(path)[0], read=dying.never, deadline_s=0.2)
    assert "no answer within 0.2 s" in result.poison[0][1]
    assert result.counts == {("2025", "failed"): 1}


# --- runs ------------------------------------------------------------------------------------


def test_one_row_per_article_however_often_it_runs(tmp_path: Path, archive: Path) -> None:
    first = run(tasks(archive), tmp_path / "a.db")
    assert len(first["matches"]) == 9
    assert not any(alert for *_, alert in first["matches"])
    assert [at for *_, at, _ in first["matches"]] == sorted(at for *_, at, _ in first["matches"])
    assert run(tasks(archive), tmp_path / "a.db") == first
    again = tasks(archive, window=Window(since=datetime(2000, 1, 1, tzinfo=UTC)))
    assert run(again, tmp_path / "a.db") == first  # read anew, stored once


def test_a_run_that_was_stopped_goes_on_and_ends_the_same(tmp_path: Path, archive: Path) -> None:
    def stops_after_two(function: Any, tasks: Any) -> Any:
        for n, each in enumerate(here(function, tasks)):
            if n == 2:
                raise KeyboardInterrupt
            yield each

    whole = run(tasks(archive), tmp_path / "whole.db")
    with pytest.raises(KeyboardInterrupt):
        run(tasks(archive), tmp_path / "part.db", stops_after_two)
    assert len(list((tmp_path / "part.shelf").glob("*.result"))) == 2
    assert run(tasks(archive), tmp_path / "part.db") == whole
    assert not list((tmp_path / "part.shelf").glob("merge-*"))
    manifest = list(map(json.loads, (tmp_path / "part.shelf" / "manifest.jsonl").read_text().splitlines()))
    assert [line["paths"] for line in manifest] == [[str(path)] for path in sorted(archive.iterdir())]
    assert all((tmp_path / "part.shelf" / line["result"]).exists() for line in manifest)


def test_another_monitors_database_gives_its_matches_again(tmp_path: Path, archive: Path) -> None:
    first = run(tasks(archive), tmp_path / "a.db")
    second = run(tasks(tmp_path / "a.db"), tmp_path / "b.db")
    assert [row[1:4] for row in second["items"]] == [row[1:4] for row in first["items"]]
    assert len(second["matches"]) == 9
    assert not any(alert for *_, alert in second["matches"])


def test_a_shard_that_fails_is_told_and_read_by_the_next_run(tmp_path: Path, archive: Path) -> None:
    todo = tasks(archive)
    warc(archive / "3.warc.gz", range(9, 14))  # changed under the run
    assert len(run(todo, tmp_path / "a.db", failing=1)["matches"]) == 6
    assert len(run(tasks(archive), tmp_path / "a.db")["matches"]) == 11


def test_a_result_of_something_else_is_refused(tmp_path: Path, archive: Path) -> None:
    run(tasks(archive), tmp_path / "a.db")
    for result in (tmp_path / "a.shelf").glob("*.result"):
        result.write_bytes(b"not ours")
    with pytest.raises(MonitorError, match="remove it and run again"):
        run(tasks(archive), tmp_path / "a.db")


def test_processes_of_this_machine_leave_the_same_tables(tmp_path: Path, archive: Path) -> None:
    whole = run(tasks(archive), tmp_path / "whole.db")
    local = partial(runners.local, pool=Workers(processes=2, deadline_s=100, memory_mb=4096), at_once=2)
    assert run(tasks(archive), tmp_path / "local.db", local) == whole


def test_a_process_that_dies_costs_only_a_retry(tmp_path: Path) -> None:
    todo = [str(tmp_path / name) for name in ("a", "b", "always")]
    results = dict(runners.local(dying.once, todo, Workers(processes=2), at_once=2))
    assert [results[path] for path in todo[:2]] == ["a", "b"]
    assert "died" in str(results[todo[2]])


@pytest.mark.timeout(400)
@pytest.mark.filterwarnings("ignore")  # of distributed: it leaves sockets to the collector when it is cut off
def test_a_dask_cluster_leaves_the_same_tables_and_may_lose_a_worker_or_all(
    tmp_path: Path, archive: Path
) -> None:
    whole = run(tasks(archive), tmp_path / "whole.db")
    cluster = distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address=":0", processes=True
    )
    over_dask = partial(runners.dask, address=cluster.scheduler_address)
    try:
        todo = [str(tmp_path / name) for name in ("a", "b")]
        Path(todo[1]).touch()  # this one does not die
        assert dict(over_dask(dying.once, todo)) == {todo[0]: "a", todo[1]: "b"}
        assert run(tasks(archive), tmp_path / "dask.db", over_dask) == whole

        def goes_away(function: Any, tasks: Any) -> Any:
            for each in over_dask(function, tasks):
                yield each
                cluster.close()

        with pytest.raises(MonitorError, match="went away; run the same command"):
            run(tasks(archive), tmp_path / "part.db", goes_away)
    finally:
        cluster.close()
    assert 1 <= len(list((tmp_path / "part.shelf").glob("*.result"))) < 5
    assert run(tasks(archive), tmp_path / "part.db") == whole


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense"])
def test_no_scheduler_is_said_plainly(address: str) -> None:
    with pytest.raises(InputError, match="no Dask scheduler at"):
        list(runners.dask(str, ["x"], address, patience_s=0.5))


# --- the command -----------------------------------------------------------------------------


def test_the_command_reports_by_year_and_draws_it(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.mkdir()
    (config / "rules.yaml").write_text(RULES)
    (config / "sources.yaml").write_text("[]\n")
    (config / "monitor.yaml").write_text("{}\n")
    (config / "digests.yaml").write_text("[]\n")
    rows = [
        {"text": MATCHING, "title": f"In {y}", "url": f"https://n.example/{y}", "published": f"{y}-03-04"}
        for y in (2015, 2019, 2021)
    ]
    source, out, plot = tmp_path / "a.jsonl", tmp_path / "out.db", tmp_path / "years.svg"
    source.write_text("\n".join(map(json.dumps, rows)) + "\n{broken\n")
    window = ["--since", "2018-01-01", "--until", "2030-01-01", "--source", "n.example"]
    command = [
        "--config",
        str(config),
        "backfill",
        str(source),
        "--out",
        str(out),
        *window,
        "--plot",
        str(plot),
    ]
    answer = CliRunner().invoke(cli, [*command, "--json"])
    assert answer.exit_code == 0, answer.output
    report = json.loads(io.StringIO(answer.stdout).readline())
    assert report["years"]["2019"]["matched"] == report["years"]["2021"]["matched"] == 1
    assert report["years"]["2015"] == {"read": 0, "skipped": 1, "matched": 0, "near_misses": 0, "failed": 0}
    assert report["years"][""]["failed"] == 1
    assert report["new"] == 2
    drawn = ElementTree.fromstring(plot.read_text())
    assert {"Articles per year", "2019", "failed", "matched"} <= set(drawn.itertext())
    with open_store(out) as store:
        assert store.db.value("SELECT ok FROM runs WHERE kind = 'backfill'") == 1
    again = CliRunner().invoke(cli, command)
    assert again.exit_code == 0
    assert "0 new matches" in again.output
    assert ["all", "2", "1", "2", "0", "1"] in [line.split() for line in again.output.splitlines()]
    assert "a.jsonl:4: not JSON" in again.output


def test_the_bar_tells_rate_matches_and_time_left() -> None:
    screen = io.StringIO()
    progress = _Progress(3, Console(file=screen, force_terminal=True, width=140))
    result = ShardResult(Counter({("2020", "match"): 3, ("2020", "no-match"): 1200}))
    with progress:
        for how in ("kept", "read"):
            progress.on_shard(None, result, how)  # type: ignore[arg-type]
    assert "2/3" in screen.getvalue()
    assert "2,406 articles" in screen.getvalue()
    assert "a second, 6 matches" in screen.getvalue()
