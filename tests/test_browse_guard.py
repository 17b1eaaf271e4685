"""What a reader of the archive never sees, whatever he asks for, and what he always sees fresh."""

from __future__ import annotations

import html
import re
import sqlite3
from pathlib import Path

import pytest

pytest.importorskip("datasette", reason="the extra `browse` is not installed")

from monitor.browse import guard, site
from monitor.store import open_store
from monitor.store.dictionary import relations
from tests import browse_kit
from tests.browse_kit import NOW, SECRETS, Visitor
from tests.store_kit import BBC, SOURCES, matched

archive = browse_kit.archive
visitor = browse_kit.visitor


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
