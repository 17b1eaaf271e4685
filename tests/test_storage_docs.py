"""storage/README.md is true: its dictionary is the schema's, its recipes run, its questions answer.

Run as a program, this writes the generated parts of the README anew.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.store import Store, open_store
from monitor.store.dictionary import markdown, relations
from tests.store_kit import BBC, METI, NIKKEI, desk, matched, money, polled, sent, verdict

STORAGE = Path(__file__).parent.parent / "storage"
README = STORAGE / "README.md"
QUERIES = sorted((STORAGE / "queries").glob("*.sql"))
NOW = datetime.now(UTC).replace(microsecond=0)  # the questions are about this week: they ask SQLite's clock
DAY = timedelta(days=1)


# --- the generated parts ---------------------------------------------------------------------


def heading(path: Path) -> tuple[str, str]:
    """Title and sentence of a ready question: its first two lines."""
    title, sentence = path.read_text("utf-8").splitlines()[:2]
    return title.removeprefix("/*").removesuffix("*/").strip(), sentence.removeprefix("/*").removesuffix(
        "*/"
    ).strip()


def questions() -> str:
    rows = [f"| [{path.name}](queries/{path.name}) | {' | '.join(heading(path))} |" for path in QUERIES]
    return "\n".join(["| file | question | answers |", "|---|---|---|", *rows])


def renewed(text: str) -> str:
    for name, content in (("questions", questions()), ("dictionary", markdown().strip())):
        pattern = re.compile(f"(<!-- {name}: .*? -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        text = pattern.sub(lambda match, content=content: f"{match[1]}\n{content}\n\n{match[2]}", text)  # type: ignore[misc]
    return text


def test_the_dictionary_is_the_schema_s() -> None:
    text = README.read_text("utf-8")
    assert renewed(text) == text, "run: python -m tests.test_storage_docs"


def test_every_table_view_and_column_is_explained(tmp_path: Path) -> None:
    with open_store(tmp_path / "monitor.db") as store:
        names = store.db.all(
            "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"
            " AND name NOT GLOB 'search_*' AND name NOT GLOB '_sqlite*' AND name NOT GLOB 'sqlite_*'"
        )
        stored = {
            row["name"]: [column["name"] for column in store.db.all(f"PRAGMA table_info({row['name']})")]
            for row in names
        }
    told = {each.name: [column.name for column in each.columns] for each in relations()}
    assert told == stored
    assert all(column.meaning for each in relations() for column in each.columns)


# --- a desk with a month of news -------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with storage/monitor.db in it, as an analyst has one."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "storage").mkdir()
    (folder / "storage" / "queries").symlink_to(STORAGE / "queries")
    with open_store(folder / "storage" / "monitor.db") as store:
        furnish(store)
    return folder


def furnish(store: Store) -> None:
    desk(store, NOW - 60 * DAY)
    store.digest_state("london", NOW - 60 * DAY)
    matched(store, BBC, "old", at=NOW - 45 * DAY, judged=verdict(organisations=("Rapidus", "Arm")))
    funding = verdict(
        priority="high",
        event="funding",
        amounts=(money("£5m", 5e6),),
        organisations=("Rapidus", "Quantinuum"),
    )
    matched(
        store, METI, "funding", title="日英が半導体で協力", text="日英両政府は半導体の研究で協力する。",
        lang="ja", at=NOW - 2 * DAY, published=NOW - 2 * DAY, judged=funding,
    )  # fmt: skip
    matched(
        store, BBC, "funding", title="UK and Japan fund chips", text="A semiconductor partnership.", joins=2,
        at=NOW - DAY + timedelta(hours=1), published=NOW - DAY, judged=verdict(priority="high"),
    )  # fmt: skip
    matched(store, NIKKEI, "near", title="A chip in the garden", at=NOW - DAY, near_miss=True)
    sent(store, "london", NOW - DAY + timedelta(hours=2))
    silent = polled(
        NIKKEI, at=NOW, state="silent", state_reason="nothing for 9 days", newest_item_at=NOW - 9 * DAY
    )
    store.record_poll(silent)
    store.feedback(1, "good", now=NOW)
    store.feedback(2, "bad", now=NOW)


def shell(folder: Path, command: str) -> str:
    """What an analyst's shell says."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder,
        env={**os.environ, "PATH": path, "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def recipes() -> list[str]:
    return re.findall(r"```bash\n(.*?)```", README.read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize("recipe", recipes(), ids=lambda recipe: " ".join(recipe.split())[:60])
def test_a_recipe_works_as_it_is_printed(folder: Path, recipe: str) -> None:
    out = shell(folder, recipe)
    made = [folder / name for name in re.findall(r"> (\S+)", recipe)]
    assert all(path.stat().st_size for path in made)
    assert made or out.strip() not in ("", "[]")


ANSWERS = {
    "best-sources": ("matches_per_thousand", 1000.0),
    "delivery-proof": ("story", "日英が半導体で協力"),
    "funding-announced": ("amount", "£5m"),
    "last-day": ("priority", "high"),
    "most-outlets": ("outlets", 2),
    "near-misses": ("title", "A chip in the garden"),
    "new-organisations": ("organisation", "Quantinuum"),
    "official-versus-press": ("lag_hours", 24.0),
    "rule-performance": ("share_right", 0.5),
    "search": ("title", "日英が半導体で協力"),
    "silent-sources": ("id", "nikkei"),
    "this-week-by-corridor": ("in_japanese", 1),
    "topics-over-time": ("topic", "semiconductors"),
    "who-with-whom": ("with_organisation", "Rapidus"),
}


def test_every_question_is_tested_and_has_a_title_and_a_sentence() -> None:
    assert {path.stem for path in QUERIES} == set(ANSWERS)
    for path in QUERIES:
        title, sentence = heading(path)
        assert 3 < len(title) < 60
        assert sentence.endswith(".")


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_a_ready_question_answers(folder: Path, path: Path) -> None:
    asked = f'sqlite-utils query storage/monitor.db "$(cat storage/queries/{path.name})"'
    if path.stem == "search":
        asked += " -p q 日英"
    rows = json.loads(shell(folder, asked))
    column, value = ANSWERS[path.stem]
    assert value in [row[column] for row in rows]


if __name__ == "__main__":
    README.write_text(renewed(README.read_text("utf-8")), "utf-8")


def test_delivery_proof_reads_the_last_month_and_no_more(tmp_path: Path) -> None:
    """Messages by their date, claims by their digest: the archive's years cost nothing."""
    sql = (STORAGE / "queries" / "delivery-proof.sql").read_text("utf-8")
    with open_store(tmp_path / "monitor.db") as store:
        steps = [row["detail"] for row in store.db.all(f"EXPLAIN QUERY PLAN {sql}")]
    assert any("outbox_created (created_at>?)" in step for step in steps)
    assert any("digest_claims_digest (digest_id=?)" in step for step in steps)
    assert not any(step.startswith(("SCAN c", "SCAN outbox", "SCAN st")) for step in steps)


def test_a_sum_two_outlets_name_in_their_own_words_is_one_announcement(tmp_path: Path) -> None:
    sql = (STORAGE / "queries" / "funding-announced.sql").read_text("utf-8")
    with open_store(tmp_path / "monitor.db") as store:
        desk(store, NOW - 60 * DAY)
        for source, text, joins in ((BBC, "£3.99m", None), (NIKKEI, "399万ポンド", 1)):
            judged = verdict(event="funding", amounts=(money(text, 3_990_000.0),))
            matched(store, source, text, at=NOW - DAY, judged=judged, joins=joins)
        assert len(store.db.all(sql)) == 1
