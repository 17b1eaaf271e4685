"""`monitor browse`: the archive in a browser tells the story, finds 日英, and keeps addresses to itself."""

from __future__ import annotations

import asyncio
import contextlib
import html
import http.client
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("datasette", reason="the extra `browse` is not installed")

from monitor.browse import HINT, guard, hosts, site
from monitor.browse.excerpts import excerpts
from monitor.model import Source
from monitor.store import open_store
from monitor.store.dictionary import relations
from tests import chromium
from tests.cli import monitor, write_config
from tests.store_kit import (
    BBC,
    METI,
    NIKKEI,
    SOURCES,
    digest,
    matched,
    message,
    money,
    polled,
    verdict,
)

QUERIES = Path(__file__).parent.parent / "storage" / "queries"
NOW = datetime.now(UTC).replace(microsecond=0)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SECRETS = ("kept-address@example.org", "kept-payload", "kept-key", "kept-answer", "kept-note", "kept-state")
PAID = Source(id="paid", url="https://paid.example/rss?key=kept-key", name="Paid news", country="us")
HOSTILE = '<script>alert(1)</script> & "quoted" chips'
JAPANESE = "日英が半導体で協力"


def furnish(path: Path) -> None:
    """A week of news, one near miss, one silent source, one digest sent, and things nobody may see."""
    with open_store(path) as store:
        store.sync_sources((*SOURCES, PAID), NOW - 20 * DAY)
        store.digest_state("london", NOW - 20 * DAY)
        big = verdict(priority="high", event="funding", amounts=(money("£5m", 5e6),))
        text = "経産省によると、日英両政府は半導体の研究で協力する。"
        matched(store, METI, "pact", title=JAPANESE, text=text, lang="ja",
                at=NOW - 3 * HOUR, published=NOW - 4 * HOUR, judged=big)  # fmt: skip
        text = "A semiconductor partnership with TSMC."
        matched(store, BBC, "pact", title="UK and Japan fund chips", text=text, joins=1,
                at=NOW - 2 * HOUR, published=NOW - 3 * HOUR)  # fmt: skip
        american = verdict(corridors=("us-japan",), topics=("quantum", "ai"), organisations=("IBM",))
        matched(store, BBC, "us", title="IBM and AIST", text="Quantum.", at=NOW - 3 * DAY, judged=american)
        matched(store, PAID, "hostile", title=HOSTILE, text=HOSTILE, at=NOW - 4 * DAY)
        matched(store, BBC, "near", title="A chip in the garden", at=NOW - DAY, near_miss=True)
        made = digest(store, "london", NOW - HOUR)
        claims = [(match, entry.story_id, "new") for entry in made.entries for match in entry.match_ids]
        row = replace(message(made, SECRETS[0]), payload={"text": SECRETS[1]})
        store.record_digest(made, "3 stories", claims, [row], NOW - HOUR, NOW - HOUR)
        for claimed in store.claim_due(NOW - HOUR, 60, 10):
            store.mark_sent(claimed.id, f"250 {SECRETS[3]}", NOW - HOUR)
        store.record_poll(polled(NIKKEI, at=NOW, state="silent", state_reason="nothing for 9 days"))
        store.feedback(1, "good", note=SECRETS[4], now=NOW)
        store.put_state("told", SECRETS[5], NOW)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("browse") / "monitor.db"
    furnish(path)
    return path


class Visitor:
    """Asks the site without a network."""

    def __init__(self, path: Path) -> None:
        self.site = site.build(path, QUERIES, lambda: NOW)
        self.loop = asyncio.new_event_loop()

    def get(self, path: str) -> Any:
        return self.loop.run_until_complete(self.site.client.get(path))

    def page(self, path: str) -> str:
        answer = self.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return str(answer.text)

    def rows(self, path: str) -> list[dict[str, Any]]:
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return list(answer.json())

    def close(self) -> None:
        self.site.close()
        self.loop.close()


@pytest.fixture(scope="module")
def visitor(archive: Path) -> Iterator[Visitor]:
    visitor = Visitor(archive)
    yield visitor
    visitor.close()


def words(page: str) -> str:
    """What is read on a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


# --- what it tells ---------------------------------------------------------------------------


def test_home_tells_today_this_week_and_what_ails(visitor: Visitor) -> None:
    told = words(visitor.page("/"))
    assert "1 story today" in told
    assert "3 this week, 4 articles" in told
    assert "2 UK–Japan this week, 1 of high priority" in told
    assert "1 US–Japan this week" in told
    assert "The last 24 hours 日英が半導体で協力 METI" in told
    assert "2 outlets +4 title: Rapidus; +2 日英 near 半導体 high priority UK–Japan" in told
    assert told.index("Earlier this week") < told.index("IBM and AIST")
    assert re.search("日経 silent since .*: nothing for 9 days", told)


def test_home_of_an_old_or_empty_archive_says_so(tmp_path: Path) -> None:
    with open_store(tmp_path / "empty.db"):
        pass
    with open_store(tmp_path / "old.db") as store:
        store.sync_sources(SOURCES, NOW - 90 * DAY)
        matched(store, BBC, 1, title="Long ago", at=NOW - 80 * DAY)
    for name, expected in (
        ("empty", "Nothing has matched yet"),
        ("old", "The newest in the archive Nothing matched"),
    ):
        visitor = Visitor(tmp_path / f"{name}.db")
        assert expected in words(visitor.page("/"))
        assert visitor.get("/dashboard").status_code == 200
        visitor.close()


def test_the_dashboard_counts_weeks_topics_organisations_and_sources(visitor: Visitor) -> None:
    page = visitor.page("/dashboard")
    assert page.count("<svg") >= 1
    drawn = re.findall(r"<title>[^<]*: (\S+) (\d+)</title>", page)
    assert sum(int(n) for name, n in drawn if name == "UK–Japan") == 2
    assert sum(int(n) for name, n in drawn if name == "US–Japan") == 1
    told = words(page)
    assert "Semiconductors 2" in told
    assert "Rapidus 2" in told
    assert "1 silent" in told


def test_a_match_shows_its_reasons(visitor: Visitor) -> None:
    page = visitor.page("/match/1")
    told = words(page)
    assert "Why it matched" in told
    assert re.search(r"\+4 title: Rapidus uk-japan-chips", told)
    assert "6 score, high priority" in told
    assert "UK and Japan fund chips BBC" in told  # the other outlet
    assert re.search("Joined .* shares Rapidus", words(visitor.page("/match/2")))
    assert "In digest london" in told
    assert "£5m" in told
    assert "monitor explain 1" in told
    assert "https://meti.example/pact" in page


def test_evidence_is_marked_in_its_sentence(visitor: Visitor) -> None:
    found = excerpts("T", "前置き。日英両政府は半導体の研究で協力する。", [
        {"field": "text", "start": 4, "end": 6, "quote": "日英", "rule": "r"},
        {"field": "text", "start": 4, "end": 13, "quote": "日英両政府は半導体", "rule": "r"},
        {"field": "text", "start": 10, "end": 13, "quote": "半導体", "rule": "r"},
        {"field": "text", "start": 0, "end": 4, "quote": "gone", "rule": "r"},
    ])  # fmt: skip
    assert [text for text, marked in found[0].pieces if marked] == ["日英", "半導体"]
    assert "".join(text for text, _ in found[0].pieces) == "前置き。日英両政府は半導体の研究で協力する。"
    assert found[1].pieces == (("gone", True),)


def test_a_near_miss_says_what_it_lacked(visitor: Visitor) -> None:
    (row,) = visitor.rows("/monitor/near_misses.json?_shape=array")
    told = words(visitor.page(f"/item/{row['item_id']}"))
    assert "Why it nearly matched near-miss: 1 short of the threshold" in told


@pytest.mark.parametrize("path", ["/match/999", "/item/999", "/item/" + "9" * 30, "/match/x", "/nothing"])
def test_what_is_not_there_is_not_found(visitor: Visitor, path: str) -> None:
    assert visitor.get(path).status_code == 404


# --- finding ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "found"),
    [("日英", {JAPANESE}), ("半導体", {JAPANESE}), ("日英 半導体", {JAPANESE}),
     ('"semiconductor partnership"', {"UK and Japan fund chips"}), ("ＴＳＭＣ", {"UK and Japan fund chips"}),
     ("IBM OR 日英", {JAPANESE, "IBM and AIST"}), ("rugby", set())],
)  # fmt: skip
def test_the_search_box_finds_what_is_typed(visitor: Visitor, typed: str, found: set[str]) -> None:
    query = urllib.request.quote(typed)  # type: ignore[attr-defined]
    rows = visitor.rows(f"/monitor/matches_view.json?_shape=array&_search={query}")
    assert {row["title"] for row in rows} == found


@pytest.mark.parametrize("typed", ['"', "AND", "((", "*", "title:", "-x", "a" * 3000, "\0", "%", "' OR 1=1"])
def test_nothing_that_is_typed_breaks_the_search(visitor: Visitor, typed: str) -> None:
    query = urllib.request.quote(typed)  # type: ignore[attr-defined]
    assert visitor.get(f"/monitor/matches_view?_search={query}").status_code == 200
    assert visitor.get(f"/monitor/search?q={query}").status_code == 200


def test_facets_count_and_narrow(visitor: Visitor) -> None:
    answer = visitor.get("/monitor/matches_view.json").json()
    counted = {
        name: {each["value"]: each["count"] for each in facet["results"]}
        for name, facet in answer["facet_results"].items()
    }
    assert counted["corridors"] == {"uk-japan": 3, "us-japan": 1}
    assert counted["topics"] == {"semiconductors": 3, "ai": 1, "quantum": 1}
    assert counted["event"] == {"agreement": 3, "funding": 1}
    assert counted["source"] == {"BBC": 2, "METI": 1, "Paid news": 1}
    assert counted["country"] == {"uk": 2, "jp": 1, "us": 1}
    (link,) = [each["toggle_url"] for each in answer["facet_results"]["corridors"]["results"]
               if each["value"] == "us-japan"]  # fmt: skip
    narrowed = visitor.get(link).json()
    assert narrowed["filtered_table_rows_count"] == 1
    (chosen,) = narrowed["facet_results"]["corridors"]["results"]
    assert chosen["selected"]
    assert "us-japan" not in chosen["toggle_url"]


@pytest.mark.parametrize("asked", ["_facet_desk=[why]", "_facet_desk=[score]", "_facet_desk=lang"])
def test_a_facet_over_any_column_can_be_asked_for(visitor: Visitor, asked: str) -> None:
    answer = visitor.get(f"/monitor/matches_view.json?{asked}")
    assert answer.status_code == 200
    assert "corridors" in answer.json()["facet_results"]


def test_totals_are_those_of_the_rows(visitor: Visitor, archive: Path) -> None:
    """They are counted elsewhere than the rows are read; and what is narrowed is counted as narrowed."""
    with sqlite3.connect(archive) as plain:
        for view in ("matches_view", "near_misses"):
            (rows,) = plain.execute(f"SELECT count(*) FROM {view}").fetchone()
            assert visitor.get(f"/monitor/{view}.json").json()["filtered_table_rows_count"] == rows
    narrowed = visitor.get("/monitor/matches_view.json?country=uk").json()
    assert narrowed["filtered_table_rows_count"] == 2


@pytest.mark.parametrize("path", sorted(QUERIES.glob("*.sql")), ids=lambda path: path.stem)
def test_every_ready_question_is_served_from_its_file(visitor: Visitor, archive: Path, path: Path) -> None:
    with sqlite3.connect(archive) as plain:
        plain.row_factory = sqlite3.Row
        expected = [dict(row) for row in plain.execute(path.read_text("utf-8"), {"q": "日英"})]
    plain.close()
    hidden = {"recipient", "response", "error"}
    rows = visitor.rows(f"/monitor/{path.stem}.json?_shape=array&q=日英")
    assert [{k: v for k, v in row.items() if k not in hidden} for row in rows] == [
        {k: v for k, v in row.items() if k not in hidden} for row in expected
    ] or path.stem == "silent-sources"  # days since: the clock moves
    title = path.read_text("utf-8").splitlines()[0].strip("/* ")
    assert f"<h1>{html.escape(title)}</h1>" in visitor.page(f"/monitor/{path.stem}?q=日英")
    assert title in html.unescape(visitor.page("/monitor"))


def test_columns_are_explained_in_the_schema_s_words(visitor: Visitor) -> None:
    told = words(visitor.page("/monitor/matches_view"))
    (view,) = [relation for relation in relations() if relation.name == "matches_view"]
    for column in view.columns:
        assert f"{column.name} {column.meaning}" in told


# --- keeping ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["/monitor/outbox", "/monitor/outbox.json", "/monitor/outbox/1", "/monitor/delivery_log.csv",
     "/monitor/state", "/monitor/sources.json", "/monitor/feedback", "/monitor/runs", "/monitor/fetches",
     "/monitor/sqlite_master", "/monitor/sqlite_stat1", "/monitor/search_data",
     "/monitor.db", "/monitor.json?sql=select+*+from+outbox",
     "/monitor/matches_view?_where=1=1", "/-/databases", "/-/databases.json", "/_internal", "/_memory"],
)  # fmt: skip
def test_what_is_hidden_cannot_be_reached(visitor: Visitor, path: str) -> None:
    answer = visitor.get(path)
    assert answer.status_code in (403, 404)
    assert not [secret for secret in SECRETS if secret in answer.text]


# Datasette leaves a coroutine behind when a facet names a column that is not there.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
@pytest.mark.parametrize("asked", [
    "_through={\"table\":\"outbox\",\"column\":\"recipient\",\"value\":\"kept-address@example.org\"}",
    "_fts_table=outbox&_fts_pk=id&_search=kept", "_facet=recipient", "_search_recipient=x", "_sort=recipient",
    "_col=recipient", "recipient__contains=kept", "_facet_desk=no", "_facet_array=why",
    "_searchmode=raw&_search=%22",
])  # fmt: skip
def test_no_argument_opens_a_way_around(visitor: Visitor, asked: str) -> None:
    answer = visitor.get(f"/monitor/digests.json?{asked}")
    other = visitor.get(f"/monitor/matches_view.json?{asked}")
    assert not [secret for secret in SECRETS[1:] if secret in answer.text + other.text]


def test_no_page_that_can_be_clicked_to_shows_a_secret(visitor: Visitor) -> None:
    waiting, seen = ["/"], {"/"}
    while waiting and len(seen) < 250:
        path = waiting.pop(0)
        answer = visitor.get(path)
        assert answer.status_code == 200, path
        assert not [secret for secret in SECRETS if secret in answer.text], path
        if "text/html" not in answer.headers["content-type"]:
            continue
        for link in re.findall(r'href="(/[^"#]*)"', answer.text):
            link = html.unescape(link)
            if link not in seen:
                seen.add(link)
                waiting.append(link)
    assert len(seen) > 60


def test_sqlite_itself_refuses(visitor: Visitor, archive: Path) -> None:
    connection = visitor.site.get_database("monitor").connect()
    row = connection.execute("SELECT recipient, payload, key, status FROM outbox").fetchone()
    assert row == (None, None, None, "sent")
    assert connection.execute("SELECT count(*) FROM outbox WHERE recipient LIKE 'kept%'").fetchone() == (0,)
    assert connection.execute("SELECT recipient, response FROM delivery_log").fetchone() == (None, None)
    assert connection.execute("SELECT url, config FROM sources WHERE id = 'paid'").fetchone() == (None, None)
    for statement in ("DELETE FROM matches", "CREATE TABLE t (x)", f"ATTACH '{archive}' AS other",
                      "PRAGMA journal_mode = DELETE"):  # fmt: skip
        with pytest.raises(sqlite3.Error):
            connection.execute(statement)
    with pytest.raises(sqlite3.OperationalError):
        visitor.site.get_database("monitor").connect(write=True)


def test_every_relation_that_can_be_read_exists() -> None:
    assert set(guard.READABLE) <= {relation.name for relation in relations()}


def test_what_sources_write_is_shown_as_text(visitor: Visitor, tmp_path: Path) -> None:
    pages = [visitor.page("/"), visitor.page("/match/4"), visitor.page("/monitor/matches_view")]
    assert all("<script>alert" not in page for page in pages)
    assert all("&lt;script&gt;alert(1)" in page for page in pages)
    with open_store(tmp_path / "monitor.db") as store:
        store.sync_sources(SOURCES, NOW)
        matched(store, BBC, 1)
        store.db.run("UPDATE articles SET url = 'javascript:alert(1)'")
    other = Visitor(tmp_path / "monitor.db")
    assert "javascript:" not in other.page("/match/1")
    assert 'href="javascript:' not in other.page("/monitor/matches_view")
    other.close()


def test_pages_are_fresh_while_the_worker_writes(tmp_path: Path) -> None:
    path = tmp_path / "monitor.db"
    with open_store(path) as store:
        store.sync_sources(SOURCES, NOW)
        visitor = Visitor(path)
        assert "Just in" not in visitor.page("/")
        with store.db.write():
            store.db.run("UPDATE sources SET name = 'x' WHERE id = 'gnews'")
            assert visitor.get("/monitor/source_health").status_code == 200  # while a transaction is open
        matched(store, BBC, 1, title="Just in", at=NOW)
        assert "Just in" in visitor.page("/")
        visitor.close()


def test_slow_counts_are_kept_a_minute_and_rows_never(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "monitor.db"
    with open_store(path) as store:
        store.sync_sources(SOURCES, NOW)
        visitor = Visitor(path)
        monkeypatch.setattr(site, "SLOW_S", -1.0)
        seen = [visitor.get("/monitor/matches_view.json").json()]
        matched(store, BBC, 1, at=NOW)
        seen.append(visitor.get("/monitor/matches_view.json").json())
        monkeypatch.setattr(site, "KEEP_S", -1.0)
        seen.append(visitor.get("/monitor/matches_view.json").json())
        assert [len(each["rows"]) for each in seen] == [0, 1, 1]
        assert [each["filtered_table_rows_count"] for each in seen] == [0, 0, 1]
        visitor.close()


# --- the command -----------------------------------------------------------------------------


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
