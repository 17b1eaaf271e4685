"""How well and how fast readable text is cut out of real pages, beside other extractors.

    python benchmarks/extraction.py PAGES [--tools ours,trafilatura,...] [--parts aeb,fundus,...] [--worst 10]

PAGES is a folder of `*.html.gz` with a `manifest.jsonl`: one JSON object a page with `file`, `lang`, `url`,
`title`, `published`, `expected_text`, `must_contain`, `must_not_contain`, `summary` and `note`. Prints one
table for the texts (token precision, recall, F1: words, and for Chinese and Japanese pairs of
characters), must-not-contain segments found, titles, dates and CPU. Tools that are not installed are
left out with a word. All tools read the same bytes in the same process, one after the other, page by page.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import statistics
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Tool = Callable[[bytes, str], tuple[str, str, str]]  # (body, url) -> text, title, published
_TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+|[^\W_]+")
_EAST = re.compile(r"[\u3040-\u9fff\uf900-\ufaff]")


# --- tools -----------------------------------------------------------------------------------


def ours() -> Tool:
    from monitor.extract import extract

    def run(body: bytes, url: str) -> tuple[str, str, str]:
        found = extract(body, url=url)
        return found.text, found.title, found.published

    return run


def ours_text_only() -> Tool:
    from monitor.extract import extract

    def run(body: bytes, url: str) -> tuple[str, str, str]:
        found = extract(body, url=url, want_metadata=False)
        return found.text, found.title, found.published

    return run


def trafilatura_default() -> Tool:
    import trafilatura

    def run(body: bytes, url: str) -> tuple[str, str, str]:
        return trafilatura.extract(body, url=url or None) or "", "", ""

    return run


def trafilatura_fast() -> Tool:
    import trafilatura

    def run(body: bytes, url: str) -> tuple[str, str, str]:
        return trafilatura.extract(body, url=url or None, fast=True, include_comments=False) or "", "", ""

    return run


def readability() -> Tool:
    from lxml import html as lxml_html
    from readability import Document

    def run(body: bytes, url: str) -> tuple[str, str, str]:
        document = Document(body.decode("utf-8", "replace"))
        tree = lxml_html.fromstring(document.summary(html_partial=True))
        return "\n".join(tree.itertext()), document.short_title() or "", ""

    return run


def newspaper() -> Tool:
    from newspaper import Article

    def run(body: bytes, url: str) -> tuple[str, str, str]:
        article = Article(url or "http://localhost/", fetch_images=False)
        article.download(input_html=body.decode("utf-8", "replace"))
        article.parse()
        day = article.publish_date
        return article.text, article.title or "", day.isoformat() if hasattr(day, "isoformat") else ""

    return run


TOOLS: dict[str, Callable[[], Tool]] = {
    "ours": ours,
    "ours-text-only": ours_text_only,
    "trafilatura": trafilatura_default,
    "trafilatura-fast": trafilatura_fast,
    "readability-lxml": readability,
    "newspaper4k": newspaper,
}


# --- scores ----------------------------------------------------------------------------------


def fold(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split())


def tokens(text: str) -> Counter[str]:
    """Words; of a run of Chinese or Japanese characters its overlapping pairs."""
    found: Counter[str] = Counter()
    for run in _TOKEN.findall(fold(text).casefold()):
        if _EAST.match(run) and len(run) > 1:
            found.update(run[i : i + 2] for i in range(len(run) - 1))
        else:
            found[run] += 1
    return found


def precision_recall(got: str, expected: str) -> tuple[float, float]:
    have, want = tokens(got), tokens(expected)
    common = sum((have & want).values())
    return common / max(1, sum(have.values())), common / max(1, sum(want.values()))


def best_match(got: str, page: dict[str, Any]) -> tuple[float, float]:
    """Against the expected text with and without the page's standfirst: the better F1 counts."""
    expected = [page["expected_text"]]
    if page.get("summary"):
        expected.append("\n".join([*page["summary"], page["expected_text"]]))
    return max((precision_recall(got, text) for text in expected), key=lambda pair: f1(*pair))


def f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


@dataclass
class Tally:
    """What one tool came to on one part."""

    pairs: list[tuple[float, float]] = field(default_factory=list)
    unwanted: list[int] = field(default_factory=list)
    wanted: list[float] = field(default_factory=list)
    dates: list[bool] = field(default_factory=list)
    titles: list[bool] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    failures: int = 0


def part_of(page: dict[str, Any]) -> str:
    return page["file"].split("__")[0]


def groups_of(page: dict[str, Any]) -> list[str]:
    return [part_of(page), *(["japanese"] if page.get("lang") == "ja" else [])]


def judge(tally: Tally, page: dict[str, Any], text: str, title: str, published: str) -> None:
    folded = fold(text)
    if page.get("expected_text"):
        tally.pairs.append(best_match(text, page))
    if page.get("must_not_contain"):
        tally.unwanted.append(sum(fold(segment) in folded for segment in page["must_not_contain"]))
        tally.wanted.append(statistics.fmean(fold(s) in folded for s in page["must_contain"] or [""]))
    if page.get("published") and str(page["published"]) != "nan":
        tally.dates.append(published[:10] in days_of(str(page["published"])))
    if page.get("title"):
        tally.titles.append(same_title(title, page["title"]))


def days_of(published: str) -> set[str]:
    """The day as given; the same instant's day in UTC too, pages giving one or the other."""
    from datetime import UTC, datetime

    days = {published[:10]}
    try:
        if re.fullmatch(r"[\d.]{9,}", published):  # seconds since 1970
            return {datetime.fromtimestamp(float(published), UTC).date().isoformat()}
        stamp = datetime.fromisoformat(published.replace("Z", "+00:00"))
    except ValueError:
        return days
    return days | ({stamp.astimezone(UTC).date().isoformat()} if stamp.tzinfo else set())


def same_title(got: str, expected: str) -> bool:
    got, expected = fold(got).casefold(), fold(expected).casefold()
    return bool(got) and (got == expected or (got in expected and len(got) > 0.6 * len(expected)))


# --- running ---------------------------------------------------------------------------------


def pages(folder: Path, parts: set[str]) -> Iterator[dict[str, Any]]:
    for line in (folder / "manifest.jsonl").read_text("utf-8").splitlines():
        page = json.loads(line)
        if "WEAK match" not in (page.get("note") or "") and (not parts or parts & set(groups_of(page))):
            yield page


def measure(
    folder: Path, tools: dict[str, Tool], parts: set[str]
) -> tuple[dict[tuple[str, str], Tally], list[tuple[float, str, str]]]:
    tallies: dict[tuple[str, str], Tally] = {}
    worst = []
    for page in pages(folder, parts):
        body = gzip.decompress((folder / page["file"]).read_bytes())
        for name, tool in tools.items():
            started = time.process_time()
            failed = False
            try:
                result = tool(body, page.get("url") or "")
            except Exception:  # a tool that raises on a page has failed on it: that is its score
                result, failed = ("", "", ""), True
            spent = (time.process_time() - started) * 1000
            for group in groups_of(page):
                tally = tallies.setdefault((group, name), Tally())
                tally.cpu_ms.append(spent)
                tally.failures += failed
                judge(tally, page, *result)
            if page.get("expected_text"):
                worst.append((f1(*tallies[part_of(page), name].pairs[-1]), name, page["file"]))
    return tallies, worst


def mean(values: Iterable[float]) -> float:
    listed = list(values)
    return statistics.fmean(listed) if listed else float("nan")


COLUMNS = (
    "part", "tool", "pages", "precision", "recall", "F1 (mean)", "F1 (of means)", "unwanted", "wanted",
    "date", "title", "CPU ms mean / median", "failed",
)  # fmt: skip


def report(tallies: dict[tuple[str, str], Tally]) -> Iterator[str]:
    yield f"| {' | '.join(COLUMNS)} |"
    yield f"|{' --- |' * len(COLUMNS)}"
    for (group, name), t in sorted(
        tallies.items(), key=lambda item: (item[0][0], list(TOOLS).index(item[0][1]))
    ):
        p, r = mean(a for a, _ in t.pairs), mean(b for _, b in t.pairs)
        cells = [
            group, name, str(len(t.cpu_ms)), f"{p:.3f}", f"{r:.3f}",
            f"{mean(f1(*pair) for pair in t.pairs):.3f}", f"{f1(p, r):.3f}",
            str(sum(t.unwanted)), f"{mean(t.wanted):.3f}", f"{mean(t.dates):.3f}",
            f"{mean(t.titles):.3f}", f"{mean(t.cpu_ms):.1f} / {statistics.median(t.cpu_ms):.1f}",
            str(t.failures),
        ]  # fmt: skip
        yield f"| {' | '.join(cells)} |".replace("nan", "-")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pages", type=Path)
    parser.add_argument("--tools", default=",".join(TOOLS))
    parser.add_argument("--parts", default="")
    parser.add_argument("--worst", type=int, default=0, help="list the tool's worst pages")
    options = parser.parse_args()
    tools = {}
    for name in options.tools.split(","):
        try:
            tools[name] = TOOLS[name]()
        except ImportError as error:
            print(f"{name}: not installed ({error.name}), left out", file=sys.stderr)
    import logging

    logging.disable(logging.CRITICAL)
    tallies, worst = measure(options.pages, tools, set(filter(None, options.parts.split(","))))
    print("\n".join(report(tallies)))
    cpu = {
        name: sum(sum(t.cpu_ms) for (g, n), t in tallies.items() if n == name and g != "japanese")
        for name in tools
    }
    if "trafilatura-fast" in cpu:
        for name, spent in cpu.items():
            print(f"CPU of {name}: {spent / cpu['trafilatura-fast']:.2f} x trafilatura-fast")
    for score, name, file in sorted(worst)[: options.worst]:
        print(f"{score:.3f} {name} {file}")


if __name__ == "__main__":
    main()
