"""The database at scale: makes one with N articles of made-up news, then times what people do with it.

    python benchmarks/store.py --articles 100000 [--db FILE] [--keep]

Prints sizes against the stored text, and for every ready query, a set of searches and the first page of
each view the slowest of several runs, while another process writes all the time.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Event
from pathlib import Path

from monitor.model import (
    CORRIDORS,
    EVENTS,
    TOPICS,
    Amount,
    Article,
    Digest,
    DigestSpec,
    Evidence,
    Fingerprint,
    Join,
    NewItem,
    OutboxRow,
    Part,
    PollRecord,
    Processed,
    Source,
    Verdict,
)
from monitor.store import Store, open_store
from monitor.store.words import split

QUERIES = Path(__file__).parent.parent / "storage" / "queries"
SEARCHES = ("日英", "半導体", "semiconductor partnership", '"semiconductor partnership"', "ＴＳＭＣ",
            "ラピダス", "Rapidus 半導体", "quantum OR 量子 -market", "the", "の", "semi*")  # fmt: skip
FACETS = ("corridors", "topics", "event", "source", "country", "priority")
DAYS = 730
SHARE_MATCHED = 0.6
SHARE_JAPANESE = 0.3
UNMATCHED_PER_ARTICLE = 2
SYLLABLES = "ka to re mi son ter al ing ver den pro con tion er ish land mark stra ble qui".split()
TERMS = "semiconductor partnership Rapidus TSMC quantum agreement Japan UK research funding METI".split()
TERMS_JA = "半導体 日英 日米 ラピダス ＴＳＭＣ 量子 協力 合意 経済産業省 研究開発 投資".split()
FUNCTION_WORDS = (
    "the the the of of and and to to in in a a for is on that with as by at it from be are".split()
)
ENDINGS = "の の を に は が と で する した している について 、 。 では".split() + [""] * 6
ORGANISATIONS = [f"Organisation {n}" for n in range(400)]


class Writer:
    """Makes articles whose words are spread as in real text: few common, many rare, and function words
    or particles between them."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        words = ["".join(self.random.choices(SYLLABLES, k=self.random.randint(1, 4))) for _ in range(30_000)]
        kanji = [chr(0x4E00 + 7 * n) for n in range(2400)]
        katakana = [chr(n) for n in range(0x30A2, 0x30F4)]
        self.pool = [self._english(word) for word in self._spread(words, 300_000)]
        self.pool_ja = [self._japanese(kanji, katakana) for _ in range(150_000)]

    def _spread(self, units: list[str], count: int) -> list[str]:
        """Units by Zipf's law."""
        return self.random.choices(units, [1 / (rank + 3) for rank in range(len(units))], k=count)

    def _english(self, word: str) -> str:
        return self.random.choice(FUNCTION_WORDS) if self.random.random() < 0.38 else word

    def _japanese(self, kanji: list[str], katakana: list[str]) -> str:
        """A compound and what follows it: a particle, an ending, or nothing."""
        if self.random.random() < 0.15:
            word = "".join(self.random.choices(katakana, k=self.random.randint(3, 6)))
        else:
            word = "".join(self._spread(kanji, self.random.randint(1, 3)))
        return word + self.random.choice(ENDINGS)

    def text(self, japanese: bool) -> str:
        size = max(60, int(self.random.lognormvariate(6.0, 0.55)))  # English words
        pool, per_word = (self.pool_ja, 0.75) if japanese else (self.pool, 1.0)
        start, count = self.random.randrange(len(pool) - 12_000), int(size * per_word)
        units = pool[start : start + count]
        for term in self.random.sample(TERMS_JA if japanese else TERMS, 4):
            units.insert(self.random.randrange(len(units)), term)
        return ("" if japanese else " ").join(units)

    def verdict(self, matched: bool) -> Verdict:
        pick = self.random
        money = (Amount(f"£{n}m", "GBP", n * 1e6) for n in (pick.randint(1, 900),) if pick.random() < 0.3)
        parts = tuple(
            Part("rule-" + str(pick.randint(1, 40)), "title: Rapidus", 2.0, "text", 10, 17, "Rapidus")
            for _ in range(4)
        )
        return Verdict(
            match=matched,
            near_miss=not matched,
            score=sum(part.weight for part in parts),
            priority=pick.choice(("high", "normal", "low")) if matched else None,
            corridors=tuple(pick.sample(CORRIDORS, pick.choice((1, 1, 2)))),
            topics=tuple(pick.sample(TOPICS, pick.randint(1, 3))),
            rules=tuple({part.rule for part in parts}),
            event=pick.choice(EVENTS),
            organisations=tuple(pick.sample(ORGANISATIONS, pick.randint(1, 4))),
            programmes=("Hiroshima Accord",) if pick.random() < 0.1 else (),
            amounts=tuple(money),
            evidence=tuple(Evidence("text", p.start, p.end, p.quote, p.rule) for p in parts[:2]),
            parts=parts,
            why="+2 title: Rapidus; +2 半導体 within one sentence of 日英; +2 official source",
            rules_version="0123456789abcdef",
        )

    def fingerprint(self, verdict: Verdict) -> Fingerprint:
        value = self.random.getrandbits(64)
        bands = tuple(n << 16 | value >> (16 * n) & 0xFFFF for n in range(4))
        return Fingerprint(f"{self.random.getrandbits(256):064x}", value, bands,
                           title_tokens=tuple(self.random.choices(self.pool, k=8)),
                           organisations=verdict.organisations, amounts=verdict.amounts)  # fmt: skip


@dataclass
class Made:
    """What the generator put in."""

    articles: int = 0


def sources() -> list[Source]:
    authorities = ("official", "press", "press", "press", "industry", "thinktank", "aggregator")
    return [
        Source(
            id=f"source-{n}",
            url=f"https://source-{n}.example/feed",
            name=f"Source {n}",
            country=("jp", "uk", "us")[n % 3],
            authority=authorities[n % len(authorities)],
        )
        for n in range(140)
    ]


def fill(store: Store, articles: int, now: datetime, seed: int = 7) -> Made:
    """Puts N articles, and twice as many items that came to nothing, into the store; oldest first."""
    writer, made = Writer(seed), Made()
    per_day = max(1, articles // DAYS)
    catalogue = sources()
    store.sync_sources(catalogue, now - timedelta(days=DAYS))
    for name in ("london", "tokyo"):
        store.digest_state(name, now - timedelta(days=DAYS + 1))
    recent: list[tuple[int, int]] = []
    n = 0
    while made.articles < articles:
        day = now - timedelta(days=DAYS * (1 - made.articles / articles))
        with store.write():
            count = min(per_day, articles - made.articles)
            n = _fill_day(store, writer, made, catalogue, day, count, n, recent)
            _digest(store, day + timedelta(hours=12))
        del recent[:-50]
    return made


def _fill_day(
    store: Store, writer: Writer, made: Made, catalogue: list[Source], day: datetime, count: int, n: int,
    recent: list[tuple[int, int]],
) -> int:  # fmt: skip
    pick = writer.random
    total = count * (1 + UNMATCHED_PER_ARTICLE)
    for source in pick.sample(catalogue, min(len(catalogue), 1 + total // 10)):
        items = tuple(_item(writer, source, n + k, day, k % 3 == 0) for k in range(min(10, total)))
        total -= len(items)
        n += len(items)
        store.record_poll(PollRecord(source.id, day, True, day, "ok", "", 0, new_items=items))
    for waiting in store.pending(day, 10_000):
        _process(store, writer, made, waiting.id, waiting.url, day, recent)
    return n


def _item(writer: Writer, source: Source, n: int, day: datetime, pending: bool) -> NewItem:
    url = f"https://{source.id}.example/news/{day:%Y/%m/%d}/article-about-something-{n}"
    japanese = writer.random.random() < SHARE_JAPANESE
    title = writer.text(japanese)[: 40 if japanese else 80]
    return NewItem(
        identity=url,
        guid=url,
        url=url,
        canonical_url=url,
        title=title,
        summary=writer.text(japanese)[: 90 if japanese else 250],
        content="",
        lang="ja" if japanese else "en",
        author="",
        outlet="Some Outlet" if source.authority == "aggregator" else "",
        published_at=day - timedelta(minutes=writer.random.randint(0, 2000)),
        status="pending" if pending else "done",
        outcome="" if pending else "no-match",
        reason="" if pending else "no rule's terms occur",
    )


def _process(
    store: Store, writer: Writer, made: Made, item_id: int, url: str, day: datetime,
    recent: list[tuple[int, int]],
) -> None:  # fmt: skip
    japanese = writer.random.random() < SHARE_JAPANESE
    text, matched = writer.text(japanese), writer.random.random() < SHARE_MATCHED
    verdict = writer.verdict(matched)
    published = day - timedelta(minutes=writer.random.randint(0, 2000))
    article = Article(item_id, url, text[:60], text, "ja" if japanese else "en", "", "", published)
    processed = Processed(
        item_id,
        "match" if matched else "near-miss",
        "" if matched else "1 short of the threshold",
        article,
        verdict,
        writer.fingerprint(verdict) if matched else None,
    )
    join = None
    if matched and recent and writer.random.random() < 0.4:
        match_id, story_id = writer.random.choice(recent)
        join = Join(story_id, match_id, "shares Rapidus", 0.6)
    match_id = store.record_outcome(processed, join or Join(None, None, "no earlier story is like it"), day)
    if match_id is not None:
        recent.append((match_id, store.db.value("SELECT story_id FROM matches WHERE id = ?", [match_id])))
    if writer.random.random() < 0.01:
        store.feedback(item_id, writer.random.choice(("good", "good", "bad")), now=day)
    made.articles += 1


def _digest(store: Store, at: datetime) -> None:
    for name in ("london", "tokyo"):
        entries = store.unclaimed(name, at)[:100]
        digest = Digest(f"{name}|scheduled|{at.isoformat()}", DigestSpec(name), "scheduled", at, at,
                        tuple(entries), store.coverage(at))  # fmt: skip
        claims = [(m, entry.story_id, "update" if entry.update else "new") for entry in entries
                  for m in entry.match_ids]  # fmt: skip
        rows = [
            OutboxRow(
                f"{digest.id}|{who}", digest.id, name, "mail", "email", who, "Digest", {"text": "x" * 2000}
            )
            for who in ("a@b.example", "c@d.example")
        ]
        store.record_digest(digest, "Digest", claims, rows, at, at)
    for row in store.claim_due(at, 60, 100):
        store.mark_sent(row.id, "250 ok", at)


# --- measuring -----------------------------------------------------------------------------------


def sizes(store: Store) -> Iterator[str]:
    bytes_of = "SELECT sum(length(CAST(title AS BLOB)) + length(CAST({} AS BLOB))) FROM {}"
    text = store.db.value(bytes_of.format("text", "articles"))
    teasers = store.db.value(bytes_of.format("summary", "items"))
    articles, items = (store.db.value(f"SELECT count(*) FROM {table}") for table in ("articles", "items"))
    total = store.db.value("SELECT sum(pgsize) FROM dbstat")
    index = store.db.value("SELECT sum(pgsize) FROM dbstat WHERE name LIKE 'search%'")
    all_text = text + teasers
    yield f"{articles:9,} articles   {text / 1e6:8.1f} MB of text"
    yield f"{items:9,} items      {teasers / 1e6:8.1f} MB of headlines and teasers"
    yield f"database              {total / 1e6:8.1f} MB = {total / all_text:.2f} x all text (limit 3)"
    yield f"                                  = {total / text:.2f} x the text of articles"
    yield f"search index          {index / 1e6:8.1f} MB = {index / text:.2f} x that (limit 0.7)"
    for lang in ("ja", "en"):
        yield f"  of articles in {lang} alone              {alone(store, lang):.2f} x their text"
    largest = "SELECT name, sum(pgsize) AS n FROM dbstat GROUP BY name ORDER BY n DESC LIMIT 14"
    for row in store.db.all(largest):
        yield f"  {row['name']:<30} {row['n'] / 1e6:7.1f} MB"


def alone(store: Store, lang: str, most: int = 4000) -> float:
    """Size of an index of articles in one language to their text."""
    sql = store.db.value("SELECT sql FROM sqlite_master WHERE name = 'search'")
    found = store.db.all("SELECT title, text FROM articles WHERE lang = ? LIMIT ?", [lang, most])
    index = sqlite3.connect(":memory:")
    index.execute(sql)
    index.executemany(
        "INSERT INTO search (rowid, title, text) VALUES (?, ?, ?)",
        [(n, split(row["title"]), split(row["text"])) for n, row in enumerate(found)],
    )
    index.execute("INSERT INTO search (search) VALUES ('optimize')")
    (size,) = index.execute("SELECT sum(length(block)) FROM search_data").fetchone()
    index.close()
    return float(size / sum(len(row["title"].encode()) + len(row["text"].encode()) for row in found))


def facets(database: sqlite3.Connection) -> Callable[[], object]:
    """All facets of the first page of matches in `monitor browse`, as it counts them."""
    from monitor.browse.facets import Counted, tallied

    wanted = [Counted(name, name in ("corridors", "topics"), False) for name in FACETS]
    return lambda: tallied(
        database, f"SELECT {', '.join(FACETS)} FROM (SELECT * FROM matches_view)", {}, wanted
    )


def keep_writing(path: Path, started: Event, stop: Event, written: SimpleQueue[int]) -> None:
    """The worker at work: polls and outcomes, a transaction each, as fast as twenty a second."""
    writer, made, n, count = Writer(99), Made(), 10_000_000, 0
    with open_store(path) as store:
        catalogue = sources()
        while not stop.is_set():
            now = datetime.now(UTC)
            source = catalogue[n % len(catalogue)]
            item = _item(writer, source, n, now, True)
            store.record_poll(PollRecord(source.id, now, True, now, "ok", "", 0, new_items=(item,)))
            for waiting in store.pending(now, 5):
                _process(store, writer, made, waiting.id, waiting.url, now, [])
            n, count = n + 1, count + 2
            started.set()
            time.sleep(0.05)
    written.put(count)


def timed(run: Callable[[], object], times: int = 5) -> tuple[float, float]:
    """Median and slowest, in milliseconds."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        run()
        taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken), max(taken)


def asking(database: sqlite3.Connection, sql: str) -> Callable[[], object]:
    parameters = {"q": "日英 semiconductor"} if ":q" in sql else {}
    return lambda: database.execute(sql, parameters).fetchall()


def measure(path: Path) -> int:
    """Prints all timings; returns how many missed their limit."""
    missed = 0

    def report(label: str, limit: float, run: Callable[[], object]) -> None:
        nonlocal missed
        median, slowest = timed(run)
        late = median > limit
        missed += late
        verdict = "   LATE" if late else ""
        print(f"{label:<44} {median:8.1f} ms   slowest {slowest:8.1f}   limit {limit:g}{verdict}")

    plain = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)  # as Datasette opens it
    for view in ("matches_view", "near_misses", "delivery_log"):
        report(f"first page of {view}", 50, asking(plain, f"SELECT * FROM {view} LIMIT 101"))
    report("source_health", 200, asking(plain, "SELECT * FROM source_health"))
    report("facets of matches_view in the browser", 500, facets(plain))
    with open_store(path, read_only=True) as store:
        for query in SEARCHES:
            report(f"search {query}", 50, lambda query=query: store.search(query, 20))
        report("status", 200, lambda: store.status(datetime.now(UTC)))
    for file in sorted(QUERIES.glob("*.sql")):
        report(f"query {file.stem}", 200, asking(plain, file.read_text()))
    plain.close()
    return missed


def main() -> int:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--articles", type=int, default=100_000)
    arguments.add_argument("--db", type=Path, help="use this file; filled first when it is not there")
    chosen = arguments.parse_args()
    folder = tempfile.TemporaryDirectory()
    path = chosen.db or Path(folder.name) / "monitor.db"
    if not path.exists():
        start = time.perf_counter()
        with open_store(path) as store:
            fill(store, chosen.articles, datetime.now(UTC))
        print(f"filled in {time.perf_counter() - start:.0f} s")
    with open_store(path) as store:
        print("\n".join(sizes(store)))
    spawn = multiprocessing.get_context("spawn")
    started, stop, written = spawn.Event(), spawn.Event(), spawn.SimpleQueue()
    worker = spawn.Process(target=keep_writing, args=(path, started, stop, written))
    worker.start()
    started.wait(60)
    try:
        missed = measure(path)
    finally:
        stop.set()
        print(f"meanwhile {written.get()} transactions were written")
        worker.join()
    folder.cleanup()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
