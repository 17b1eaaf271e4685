"""What the prefilter saves and whether it loses anything, on real pages, in one run.

    python -m benchmarks.prefilter PAGES [--every 1]

PAGES is a folder of `*.html.gz` with a `manifest.jsonl` of `file`, `url`, `title`. Each page is read as the
live worker reads it: with the title and a date from its feed. Process time, all ways interleaved page by
page, so that a busy machine bears on all of them alike:

    bare      trafilatura.bare_extraction(body, fast=True, include_comments=False)
    without   reading.read, every page extracted and classified
    with      reading.read behind the prefilter, no audits
    look      the first of its two looks alone

Prints milliseconds a page, the ratios, the share skipped and every verdict that differs (there must be none).
Real pages hardly ever match the shipped rules, so every concept is also asked for by itself: one that is
found in the text as extracted must not be denied by the look at the whole page, nor by the one at what is
left of it once furniture is cut.
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from monitor import reading, rules
from monitor.extract import extract
from monitor.extract.skim import skim
from monitor.model import Document, Verdict
from monitor.rules.prefilter import Prefilter, derive
from monitor.settings import read_rule_files

CONFIG = Path(__file__).parent.parent / "config"
PUBLISHED = "2026-01-01"


def pages(folder: Path, every: int) -> Iterator[tuple[str, reading.Page]]:
    lines = (folder / "manifest.jsonl").read_text("utf-8").splitlines()
    for line in lines[::every]:
        known = json.loads(line)
        body = gzip.decompress((folder / known["file"]).read_bytes())
        title = known["title"] or "An article"
        yield known["file"], reading.Page(body, known["url"] or "", title=title, published=PUBLISHED)


def timed(work: Callable[[reading.Page], object], page: reading.Page) -> tuple[float, object]:
    began = time.process_time()
    result = work(page)
    return time.process_time() - began, result


def bare(page: reading.Page) -> object:
    import trafilatura

    return trafilatura.bare_extraction(page.body or b"", fast=True, include_comments=False)


def outcome(verdict: Verdict) -> tuple[bool, bool]:
    return verdict.match, verdict.near_miss


def concept_rules(files: Mapping[str, str]) -> tuple[rules.RuleSet, dict[str, Prefilter]]:
    """A rule for each concept, and the prefilter of each such rule."""
    names = [name for name in rules.build(files).concepts if not name.startswith("=")]
    listed = [{"id": n, "why": "w", "corridor": "uk-japan", "when": f"@{n}", "score": 1} for n in names]
    concepts = {path: text for path, text in files.items() if "concepts" in path}
    ruleset = rules.build({**concepts, "rules.yaml": json.dumps({"rules": listed})})
    whole = derive(ruleset)
    return ruleset, {n: replace(whole, gates=(gate,)) for n, gate in zip(names, whole.gates, strict=True)}


def looked_at(page: reading.Page) -> list[str]:
    """The texts of both looks, as far as there is one."""
    seen: list[str] = []

    def note(text: str) -> bool:
        seen.append(text)
        return True

    extract(page.body or b"", title=page.title, want_metadata=False, worth=note)
    first = skim(page.body or b"", page.content_type, titles=False)
    return seen if first is None else [first, *seen]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("pages", type=Path)
    parser.add_argument("--every", type=int, default=1, help="take each n-th page")
    args = parser.parse_args()
    files = read_rule_files(CONFIG)
    reading.prepare(files, prefilter=True, audit_share=0)
    asked, looks = concept_rules(files)
    concepts = lost = 0
    ruleset, prefilter = reading._ruleset, reading._prefilter
    assert ruleset is not None
    assert prefilter is not None
    cpu = {"bare": 0.0, "without": 0.0, "with": 0.0, "look": 0.0}
    count = skipped = found = differing = 0
    for name, page in pages(args.pages, args.every):
        cpu["bare"] += timed(bare, page)[0]
        seconds, full = timed(lambda page: reading.read_with(page, ruleset), page)
        cpu["without"] += seconds
        seconds, read = timed(reading.read, page)
        cpu["with"] += seconds
        cpu["look"] += timed(lambda page: reading.may_match(page, prefilter), page)[0]
        assert isinstance(full, reading.Reading)
        assert isinstance(read, reading.Reading)
        count += 1
        skipped += read.status == reading.SKIPPED
        found += any(outcome(full.verdict))
        if outcome(full.verdict) != outcome(read.verdict):
            differing += 1
            print(f"differs: {name}: {full.verdict.why}")
        texts = looked_at(page)
        for concept in rules.classify(Document(full.text, full.title), asked).rules:
            concepts += 1
            for text in texts:
                if not looks[concept].may_match(f"{page.title}\n{text}"):
                    lost += 1
                    print(f"denied: {concept} in {name}")
    print(f"{concepts} concepts in the extracted texts, {lost} of them denied by the look")
    print(f"{count} pages, {found} match or nearly; skipped {skipped / count:.1%}")
    print(f"differing verdicts: {differing}")
    for way, seconds in cpu.items():
        print(f"{way:<8} {seconds / count * 1e3:7.2f} ms a page   {seconds / cpu['bare']:.2f} x bare")
    print(f"with / without {cpu['with'] / cpu['without']:.2f}")


if __name__ == "__main__":
    main()
