"""Asking what is stored, and mending it."""

from __future__ import annotations

import csv
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import feedparser
import pytest

from monitor.demo.site import Site
from monitor.store import open_store
from tests.cli import RULES, monitor, write_config

ROOT = Path(__file__).parent.parent
SOURCES = """
- {{id: gov, url: "{base}/gov/feed.atom", allow_private: true, country: gb}}
- {{id: kagaku, url: "{base}/kagaku/index.rdf", allow_private: true, country: jp}}
"""
BILINGUAL = RULES.replace("semiconductor AND Japan", "(semiconductor OR 半導体) AND (Japan OR 日英)").replace(
    "when: semiconductor\n", "when: semiconductor OR 半導体\n"
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which one cycle has run."""
    folder = tmp_path_factory.mktemp("asked")
    with Site(datetime.now(UTC)) as site:
        write_config(
            folder / "config",
            sources=SOURCES.format(base=site.base),
            digests="- name: desk\n",
            rules=BILINGUAL,
        )
        done = monitor("run", "--once", cwd=folder)
        assert done.code == 0, done.err
        yield folder


@pytest.fixture
def folder(finished: Path, tmp_path: Path) -> Path:
    """A copy of its own, to change."""
    shutil.copytree(finished, tmp_path / "own")
    return tmp_path / "own"


def test_words_are_found_in_both_languages(finished: Path) -> None:
    english = monitor("search", "semiconductor", "--json", cwd=finished)
    assert english.code == 0
    assert any("semiconductor" in line["title"].lower() for line in english.lines)
    assert any("日英" in line["title"] for line in monitor("search", "日英", "--json", cwd=finished).lines)
    assert "http" in monitor("search", "日英", "半導体", cwd=finished).out
    nothing = monitor("search", "xyzzy", cwd=finished)
    assert (nothing.code, nothing.out) == (0, "")
    assert "no match and no near miss has all of these words" in nothing.err
    assert monitor("search", '"(((', "--json", cwd=finished).code == 0


def test_matches_in_every_form(finished: Path) -> None:
    rows = monitor("matches", "--format", "json", cwd=finished).lines
    assert rows
    assert rows[0]["corridors"] == ["uk-japan"]
    plain = monitor("matches", cwd=finished).out.splitlines()
    assert len(plain) == len(rows)
    assert plain[0].split("\t")[0::4] == [str(rows[0]["item_id"]), rows[0]["title"]]
    table = list(csv.DictReader(io.StringIO(monitor("matches", "--format", "csv", cwd=finished).out)))
    assert [row["title"] for row in table] == [row["title"] for row in rows]
    feed = ElementTree.fromstring(monitor("matches", "--format", "atom", cwd=finished).out)
    assert len(feed.findall("{http://www.w3.org/2005/Atom}entry")) == len(rows)
    assert monitor("matches", "--format", "md", cwd=finished).out.startswith("- [")


@pytest.mark.parametrize(
    ("filters", "some"),
    [
        (["--corridor", "uk-japan"], True),
        (["--corridor", "us-japan"], False),
        (["--lang", "ja"], True),
        (["--since", "1d"], True),
        (["--until", "2020-01-01"], False),
        (["--min-score", "1000"], False),
        (["--query", "半導体"], True),
    ],
)
def test_filters_narrow(finished: Path, filters: list[str], some: bool) -> None:
    done = monitor("matches", *filters, cwd=finished)
    assert done.code == 0
    assert bool(done.out) == some


def test_a_filter_that_does_not_exist_is_exit_2(finished: Path) -> None:
    assert monitor("matches", "--corridor", "uk-france", cwd=finished).code == 2
    assert monitor("matches", "--since", "soon", cwd=finished).code == 2


def test_export_writes_all_of_them(finished: Path) -> None:
    everything = monitor("export", cwd=finished)
    assert everything.lines == monitor("matches", "--format", "json", cwd=finished).lines
    table = monitor("export", "--format", "csv", cwd=finished).out
    assert table == monitor("matches", "--format", "csv", cwd=finished).out


def test_export_of_a_period(finished: Path) -> None:
    assert monitor("export", "--since", "1d", cwd=finished).out
    assert monitor("export", "--until", "2020-01-01", cwd=finished).out == ""
    empty = monitor("export", "--until", "2020-01-01", "--format", "csv", cwd=finished).out
    assert empty.startswith("id,item_id,matched_at")
    assert empty.count("\n") == 1


def test_the_feed_of_matches_reads_well_and_keeps_its_ids(finished: Path) -> None:
    rows = monitor("matches", "--format", "json", cwd=finished).lines
    first, second = (monitor("matches", "--format", "atom", cwd=finished).out for _ in range(2))
    assert first == second
    parsed = feedparser.parse(first.encode())
    assert not parsed.bozo
    assert [entry.link for entry in parsed.entries] == [row["url"] for row in rows]
    assert len({entry.id for entry in parsed.entries}) == len(rows)
    assert parsed.feed.updated == rows[0]["matched_at"]


def test_a_reader_who_has_enough_ends_it_quietly(finished: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m monitor --config config export | head -c 20"],
        cwd=finished, capture_output=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert len(done.stdout) == 20
    assert done.stderr == b""


def test_explain_tells_the_life_of_an_item_by_number_and_address(finished: Path) -> None:
    row = monitor("matches", "--format", "json", "--limit", "1", cwd=finished).lines[0]
    by_id = monitor("explain", str(row["item_id"]), cwd=finished)
    assert by_id.code == 0
    for part in ("seen ", "judged ", "match, score", "digest "):
        assert part in by_id.out
    assert monitor("explain", row["url"], cwd=finished).out == by_id.out
    assert monitor("explain", row["url"], "--json", cwd=finished).lines[0]["match"]["id"] == row["id"]


def test_explain_says_what_today_s_rules_would_do(finished: Path, tmp_path: Path) -> None:
    """Of a match on its text; of an article that never matched on what was kept: title and teaser."""
    match = monitor("matches", "--format", "json", "--limit", "1", cwd=finished).lines[0]
    told = monitor("explain", str(match["item_id"]), cwd=finished).out
    assert "today    on the text that was kept, the same rules, as then: match" in told
    write_config(tmp_path / "other", rules=RULES.replace("semiconductor AND Japan", "rugby OR tariffs"))
    other = ["--config", tmp_path / "other", "--db", finished / "storage" / "monitor.db"]
    told = monitor(*other, "explain", str(match["item_id"]), cwd=finished).out
    assert "the rules as they are now, no longer match: no match" in told
    assert "no longer rules: uk-japan" in told
    assert "uk-japan: not met, it lacks rugby OR tariffs" in told
    (life,) = monitor(*other, "explain", str(match["item_id"]), "--json", cwd=finished).lines
    assert (life["today"]["then"], life["today"]["outcome"], life["today"]["basis"]) == (
        "match", "no-match", "text",
    )  # fmt: skip


def test_explain_says_what_today_s_rules_would_do_with_no_match(finished: Path, tmp_path: Path) -> None:
    (never,) = (row for row in history(finished) if "Korea" in str(row["title"]))
    write_config(tmp_path / "other", rules=RULES.replace("semiconductor AND Japan", "rugby OR Korea"))
    other = ["--config", tmp_path / "other", "--db", finished / "storage" / "monitor.db"]
    told = monitor(*other, "explain", str(never["id"]), cwd=finished).out
    assert "on the title and teaser alone, the text was not kept" in told
    assert "no longer no match: match" in told
    (life,) = monitor("explain", str(never["id"]), "--json", cwd=finished).lines
    assert (life["today"]["outcome"], life["today"]["basis"]) == ("no-match", "teaser")
    assert life["today"]["changed"] is False


def history(folder: Path) -> list[dict[str, object]]:
    with open_store(folder / "storage" / "monitor.db", read_only=True) as store:
        return list(store.history())


NEARLY = """
rules:
- id: uk-japan
  why: Chips and Japan, signed.
  corridor: uk-japan
  when: (semiconductor OR 半導体) AND (Japan OR 日英)
  score: 1
  threshold: 2
  boosts:
  - {name: signed, when: 'title:zebra', weight: 1}
"""


def test_near_misses_come_with_the_word_that_would_have_caught_them(tmp_path: Path) -> None:
    with Site(datetime.now(UTC)) as site:
        write_config(tmp_path / "config", sources=SOURCES.format(base=site.base), rules=NEARLY)
        assert monitor("run", "--once", cwd=tmp_path).code == 0
    rows = monitor("rules", "near", "--json", cwd=tmp_path).lines
    assert rows
    assert {lift["told"] for row in rows for lift in row["lifts"]} == {"“zebra” in the title: +1 signed"}
    assert all(row["today"] == "near-miss" and row["basis"] == "text" for row in rows)
    assert "“zebra” in the title: +1 signed" in monitor("rules", "near", cwd=tmp_path).out
    told = monitor("explain", str(rows[0]["item_id"]), cwd=tmp_path).out
    assert "uk-japan would match: “zebra” in the title: +1 signed" in told
    write_config(tmp_path / "config", sources=SOURCES.format(base=site.base), rules=RULES)
    assert {row["today"] for row in monitor("rules", "near", "--json", cwd=tmp_path).lines} >= {"match"}


def test_explain_judges_a_file(finished: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("A pact\nJapan and Britain build a semiconductor plant.\n", "utf-8")
    done = monitor("explain", tmp_path / "a.txt", cwd=finished)
    assert done.code == 0
    assert done.out.startswith("MATCH")
    assert monitor("explain", "99999", cwd=finished).code == 2


def test_feedback_is_kept_and_measured(folder: Path) -> None:
    row = monitor("matches", "--format", "json", "--limit", "1", cwd=folder).lines[0]
    kept = monitor("feedback", str(row["item_id"]), "bad", "--note", "rugby", cwd=folder)
    assert (kept.code, kept.err) == (0, f"kept: bad, of item {row['item_id']}: {row['title']}\n")
    assert monitor("feedback", "https://example.org/unseen", "missed", cwd=folder).code == 0
    assert monitor("feedback", "https://example.org/unseen", "good", cwd=folder).code == 2
    assert monitor("feedback", "99999", "good", cwd=folder).code == 2
    (report,) = monitor("rules", "eval", "--from-feedback", "--json", cwd=folder).lines
    assert (report["records"], report["overall"]["fp"], report["overall"]["fn"]) == (2, 1, 1)


def test_feedback_on_what_was_no_match_says_so(folder: Path) -> None:
    with open_store(folder / "storage/monitor.db") as store:
        item_id = store.db.value("SELECT id FROM items WHERE outcome = 'no-match'")
    assert "not reported" not in monitor("feedback", str(item_id), "missed", cwd=folder).err
    assert (
        "(no-match: it was not reported; `missed` says that it should be)"
        in monitor("feedback", str(item_id), "bad", cwd=folder).err
    )


def test_a_misspelt_command_is_recognised(tmp_path: Path) -> None:
    done = monitor("serch", "chip", cwd=tmp_path)
    assert done.code == 2
    assert "Did you mean 'search'?" in done.err


def test_rules_diff_says_what_other_rules_would_change(finished: Path, tmp_path: Path) -> None:
    write_config(tmp_path / "other", rules=RULES.replace("semiconductor AND Japan", "rugby"))
    done = monitor("rules", "diff", tmp_path / "other", "--json", cwd=finished)
    assert done.code == 0
    matches = monitor("matches", "--format", "json", cwd=finished).lines
    assert done.lines[-1]["dropped"] == len(matches)
    assert {line["change"] for line in done.lines[:-1]} == {"dropped"}
    assert monitor("rules", "diff", "config", cwd=finished).out == ""


def test_rules_eval_measures_labelled_lines_and_names_bad_ones(finished: Path) -> None:
    lines = [
        '{"id": "1", "title": "", "text": "Japan semiconductor", "match": true, "lang": "en"}',
        '{"id": "2", "title": null, "text": "semiconductor", "match": true}',
        '{"id": "3", "text": "rugby"}',
    ]
    done = monitor("rules", "eval", "-", "--json", stdin="\n".join(lines).encode(), cwd=finished)
    assert done.code == 2
    assert done.lines[0]["overall"]["recall"] == 0.5
    assert done.err == "line 3: match must be true or false\n"
    assert monitor("rules", "near", "--json", cwd=finished).code == 0
    assert "all hold" in monitor("rules", "test", cwd=finished).out


def test_a_share_of_nothing_is_no_figure(finished: Path) -> None:
    line = b'{"id": "1", "text": "A rugby match", "match": false, "lang": "en"}\n'
    assert monitor("rules", "eval", "-", stdin=b"", cwd=finished).out == "0 records\n"
    shown = monitor("rules", "eval", "-", stdin=line, cwd=finished).out.splitlines()
    assert shown[1].split() == ["precision", "recall", "F1", "found", "false", "missed", "left"]
    assert shown[2].split() == ["all", "-", "-", "-", "0", "0", "0", "1"]
    assert not any("corridor" in line or "borderline" in line for line in shown)


def test_stories_are_listed_and_measured(finished: Path) -> None:
    stories = monitor("stories", "list", "--json", cwd=finished).lines
    assert sum(len(story["matches"]) for story in stories) == len(
        monitor("matches", "--format", "json", cwd=finished).lines
    )
    line = '{"id": "%s", "title": "Japan and Britain in semiconductor pact", "text": "%s", "story": "a"}'
    text = "Japan and Britain signed a semiconductor pact in Cardiff on 3 March worth 5 million pounds. " * 5
    done = monitor(
        "stories", "eval", stdin="\n".join([line % ("x", text), line % ("y", text)]).encode(), cwd=finished
    )
    assert done.code == 0
    first, second, last = done.lines
    assert (first["cluster"], second["cluster"], second["joined_to"]) == (1, 1, "x")
    assert last["summary"]["recall"] == 1.0
    assert monitor("stories", "eval", stdin=b"{\n", cwd=finished).code == 2


def test_messages_are_listed_and_dropped(folder: Path) -> None:
    rows = monitor("outbox", "list", "--json", cwd=folder).lines
    assert [row["status"] for row in rows] == ["sent"]
    nothing = monitor("outbox", "list", "--status", "dead", cwd=folder)
    assert (nothing.code, nothing.out, nothing.err) == (0, "", "no such message\n")
    assert monitor("outbox", "drop", str(rows[0]["id"]), cwd=folder).code == 2  # it is gone already
    assert monitor("outbox", "retry", cwd=folder).err == "0 messages put back, to be sent\n"


def test_the_database_is_copied_checked_and_pruned(folder: Path) -> None:
    assert monitor("store", "backup", "copy.db", cwd=folder).code == 0
    assert monitor("--db", "copy.db", "store", "check", cwd=folder).out == "sound\n"
    again = monitor("store", "backup", "copy.db", cwd=folder)
    assert again.code != 0
    assert "--replace" in again.err
    assert monitor("store", "backup", "--replace", "copy.db", cwd=folder).code == 0
    (counts,) = monitor("store", "prune", "--dry-run", "--json", cwd=folder).lines
    assert set(counts.values()) == {0}
    (folder / "no.db").write_text("not a database, by any means at all")
    done = monitor("--db", "no.db", "store", "check", cwd=folder)
    assert done.code == 1
    assert "Traceback" not in done.err
