"""Archives under today's rules: every kind, damage, resuming, and a Dask cluster, with equal tables."""

from __future__ import annotations

import gzip
import io
import json
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from monitor import archives, backfill, runners
from monitor.cli import cli
from monitor.errors import InputError
from monitor.store import open_store

CONFIG = Path(__file__).parent.parent / "config"
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


def page(n: int, text: str) -> bytes:
    date = f'<meta property="article:published_time" content="20{10 + n % 15}-05-0{1 + n % 9}T08:00:00Z">'
    body = f"<article><h1>Story number {n}</h1><p>{text.format(n=n)}</p></article>"
    return f"<html><head>{date}</head><body>{body}</body></html>".encode()


def response(
    url: str, body: bytes, *, status: str = "200 OK", headers: str = "Content-Type: text/html\r\n"
) -> bytes:
    http = f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body
    head = (
        f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2020-01-02T03:04:05Z\r\n"
        f"WARC-Record-ID: <urn:{url}>\r\nContent-Type: application/http; msgtype=response\r\n"
        f"Content-Length: {len(http)}\r\n\r\n"
    ).encode()
    return gzip.compress(head + http + b"\r\n\r\n")


def warc(path: Path, numbers: range, text: str = MATCHING) -> Path:
    path.write_bytes(b"".join(response(f"https://n.example/{n}", page(n, text)) for n in numbers))
    return path


def tables(database: Path) -> dict[str, Any]:
    """What analysts see, without the moment of the run."""
    with open_store(database) as store:
        return {
            "matches": [
                tuple(row) for row in store.db.all("SELECT id, item_id, story_id, matched_at FROM matches")
            ],
            "items": [tuple(row) for row in store.db.all("SELECT id, identity, title, outcome FROM items")],
            "stories": [tuple(row) for row in store.db.all("SELECT id, title, outlets FROM stories")],
        }


def run(shards: list[archives.Shard], database: Path, runner: backfill.Runner) -> dict[str, Any]:
    tasks = [backfill.Task(shard, {"rules.yaml": RULES}, backfill.Window()) for shard in shards]
    shelf = backfill.Shelf(database.with_suffix(".shelf"))
    failed = backfill.read_all(tasks, shelf, runner, lambda task, result, how: None)
    assert failed == []
    with open_store(database) as store:
        found = [each for task in tasks for each in shelf.get(task).found]
        backfill.merge(store, found, datetime.now(UTC))
    return tables(database)


LOCAL = partial(runners.local, processes=2)


def records(path: Path) -> list[archives.Record]:
    return [record for shard in archives.shards([path]) for record in archives.records(shard)]


# --- archives --------------------------------------------------------------------------------


def test_a_warc_gives_its_pages(tmp_path: Path) -> None:
    found = records(warc(tmp_path / "a.warc.gz", range(3)))
    assert [record.page.url for record in found] == [f"https://n.example/{n}" for n in range(3)]
    assert all(record.fetched.startswith("2020-01-02") for record in found)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (response("https://n.example/x", b"gone", status="404 Not Found"), "HTTP 404"),
        (
            response("https://n.example/x", b"%PDF", headers="Content-Type: application/pdf\r\n"),
            "application/pdf",
        ),
        (response("https://n.example/x", b"<p>" + b"x" * 6_000_000), "larger than"),
        (
            response(
                "https://n.example/x",
                gzip.compress(b"<p>" + b"0" * 60_000_000),
                headers="Content-Type: text/html\r\nContent-Encoding: gzip\r\n",
            ),
            "too large",
        ),
        (
            response(
                "https://n.example/x",
                b"not gzip at all",
                headers="Content-Type: text/html\r\nContent-Encoding: gzip\r\n",
            ),
            "broken",
        ),
    ],
    ids=["an error page", "a PDF", "a huge page", "a gzip bomb", "broken gzip"],
)
def test_a_poison_record_is_told_and_the_rest_goes_on(tmp_path: Path, record: bytes, reason: str) -> None:
    path = tmp_path / "a.warc.gz"
    path.write_bytes(record + response("https://n.example/1", page(1, MATCHING)))
    first, second = records(path)
    assert reason in first.problem
    assert (second.problem, second.page.url) == ("", "https://n.example/1")


def test_a_warc_cut_in_the_middle_gives_what_was_whole(tmp_path: Path) -> None:
    path = warc(tmp_path / "a.warc.gz", range(5))
    path.write_bytes(path.read_bytes()[:-200])
    found = records(path)
    assert len([record for record in found if not record.problem]) >= 4


def test_what_is_no_archive_is_refused_or_told(tmp_path: Path) -> None:
    (tmp_path / "x.warc.gz").write_bytes(b"hello, this is no WARC")
    assert records(tmp_path / "x.warc.gz")[0].problem
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(InputError, match="not a WARC"):
        archives.shards([tmp_path / "notes.txt"])
    with pytest.raises(InputError, match="no such file"):
        archives.shards([tmp_path / "absent"])


def test_json_lines_and_folders_are_read(tmp_path: Path) -> None:
    lines = [{"title": "A", "text": "words", "url": "https://n.example/a", "published": "2020-02-03"}]
    text = "\n".join([*(json.dumps(line) for line in lines), "{broken", '["a list"]'])
    (tmp_path / "a.jsonl").write_text(text)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "p.html").write_bytes(page(1, OTHER))
    with gzip.open(tmp_path / "deep" / "q.html.gz", "wb") as file:
        file.write(page(2, OTHER))
    found = records(tmp_path)
    assert [record.page.title for record in found if record.page.title] == ["A"]
    assert len([record for record in found if record.page.body]) == 2
    assert len([record for record in found if record.problem]) == 2


# --- runs ------------------------------------------------------------------------------------


@pytest.fixture
def archive(tmp_path: Path) -> list[archives.Shard]:
    folder = tmp_path / "archive"
    folder.mkdir()
    for k in range(4):
        warc(folder / f"{k}.warc.gz", range(k * 6, k * 6 + 6), MATCHING if k % 2 else OTHER)
    warc(folder / "again.warc.gz", range(6, 12))  # the same articles, archived twice
    return archives.shards([folder])


@pytest.mark.slow
def test_one_row_per_article_however_often_it_runs(tmp_path: Path, archive: list[archives.Shard]) -> None:
    first = run(archive, tmp_path / "a.db", LOCAL)
    assert len(first["matches"]) == 12
    assert run(archive, tmp_path / "a.db", LOCAL) == first
    with open_store(tmp_path / "a.db") as store:
        assert store.db.value("SELECT count(*) FROM matches WHERE alert") == 0


@pytest.mark.slow
def test_a_run_that_was_stopped_goes_on_and_ends_the_same(
    tmp_path: Path, archive: list[archives.Shard]
) -> None:
    def stops_after_two(function: Any, tasks: Any) -> Any:
        for n, each in enumerate(LOCAL(function, tasks)):
            if n == 2:
                raise KeyboardInterrupt
            yield each

    whole = run(archive, tmp_path / "whole.db", LOCAL)
    with pytest.raises(KeyboardInterrupt):
        run(archive, tmp_path / "part.db", stops_after_two)
    assert len(list((tmp_path / "part.shelf").glob("*.result"))) == 2
    assert run(archive, tmp_path / "part.db", LOCAL) == whole


@pytest.mark.slow
def test_a_process_that_dies_costs_only_a_retry(tmp_path: Path) -> None:
    results = dict(runners.local(_dies_once, [str(tmp_path / name) for name in "abc"], processes=1))
    assert sorted(results.values()) == ["a", "b", "c"]


def _dies_once(path: str) -> str:
    import os

    if not Path(path).exists():
        Path(path).touch()
        os._exit(9)
    return Path(path).name


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.filterwarnings("ignore")
def test_a_dask_cluster_leaves_the_same_tables(tmp_path: Path, archive: list[archives.Shard]) -> None:
    distributed = pytest.importorskip("distributed", reason="the extra `backfill` is not installed")
    whole = run(archive, tmp_path / "whole.db", LOCAL)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, processes=True
    ) as cluster:
        over_dask = run(
            archive, tmp_path / "dask.db", partial(runners.dask, address=cluster.scheduler_address)
        )
    assert over_dask == whole


def test_no_scheduler_is_said_plainly() -> None:
    pytest.importorskip("distributed", reason="the extra `backfill` is not installed")
    with pytest.raises(InputError, match="no Dask scheduler at"):
        list(runners.dask(str, ["x"], "tcp://127.0.0.1:9"))


@pytest.mark.slow
def test_the_command_reports_by_year_and_draws_it(tmp_path: Path) -> None:
    source = tmp_path / "a.jsonl"
    text = "UK and Japan signed a semiconductor research agreement in London. " * 5
    title = "UK and Japan sign semiconductor research agreement"
    rows = [
        {"text": text, "title": title, "url": f"https://n.example/{y}", "published": f"{y}-03-04"}
        for y in (2019, 2021)
    ]
    source.write_text("\n".join(json.dumps(row) for row in rows) + "\n{broken\n")
    out, plot = tmp_path / "out.db", tmp_path / "years.svg"
    command = [
        "--config",
        str(CONFIG),
        "backfill",
        str(source),
        "--out",
        str(out),
        "--json",
        "--plot",
        str(plot),
    ]
    answer = CliRunner().invoke(cli, command)
    assert answer.exit_code == 0, answer.output
    report = json.loads(io.StringIO(answer.stdout).readline())
    assert report["years"]["2019"]["matched"] == report["years"]["2021"]["matched"] == 1
    assert report["years"][""]["failed"] == 1
    assert report["new"] == 2
    assert plot.read_text().startswith("<svg")
