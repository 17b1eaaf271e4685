"""Microseconds per article against the number of terms: the automaton beside plain regular expressions.

    python -m benchmarks.rules_scaling [articles.jsonl]

Articles are made of words of our own unless a file of JSON Lines with `text` is given. Process time, best of
three. The last lines time whole verdicts of the shipped rules on articles of about 6,000 characters.
"""

from __future__ import annotations

import json
import random
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

from monitor import rules
from monitor.model import Document
from monitor.rules.concepts import Concept, Entity
from monitor.rules.forms import parse_form
from monitor.rules.matcher import compile_lexicon, find
from monitor.settings import read_rule_files

CONFIG = Path(__file__).parent.parent / "config"
LENGTH = 6000
SYLLABLES = "ba ce di fo gu ha ki lo mu ne pa ri so ta vu we xi yo za tri".split()
KANA = "アイウエオカキクケコサシスセソタチツテトナニヌネノ半導体量子宇宙通信技術連携協力日英米"


def words(count: int, seed: int) -> list[str]:
    """Made-up words, some of two parts, some Japanese."""
    draw = random.Random(seed)
    made: set[str] = set()
    while len(made) < count:
        if draw.random() < 0.3:
            made.add("".join(draw.choice(KANA) for _ in range(draw.randint(3, 6))))
        else:
            parts = draw.choice((1, 1, 2))
            made.add(" ".join("".join(draw.choices(SYLLABLES, k=draw.randint(2, 4))) for _ in range(parts)))
    return sorted(made)


def articles(path: str | None) -> list[str]:
    """Texts of LENGTH characters."""
    if path:
        lines = Path(path).read_text("utf-8").splitlines()
        whole = "\n".join(json.loads(line)["text"] for line in lines if line.strip())
        return [whole[at : at + LENGTH] for at in range(0, min(len(whole), 30 * LENGTH) - LENGTH, LENGTH)]
    draw = random.Random(7)
    stock = words(4000, 3)
    return [" ".join(draw.choices(stock, k=LENGTH // 8))[:LENGTH] for _ in range(30)]


def each_us(work: Callable[[str], object], texts: list[str]) -> float:
    """Microseconds of process time per text, best of three rounds."""
    best = float("inf")
    for _ in range(3):
        began = time.process_time()
        for text in texts:
            work(text)
        best = min(best, time.process_time() - began)
    return best / len(texts) * 1e6


def main(path: str | None = None) -> None:
    texts = articles(path)
    print(f"{len(texts)} articles of {LENGTH} characters; microseconds each")
    print(f"{'terms':>8}{'rules':>10}{'re':>12}{'build ms':>10}")
    for count in (100, 1000, 10_000):
        terms = words(count, 1)
        began = time.process_time()
        concept = Concept("terms", forms=tuple((parse_form(term), Entity("")) for term in terms))
        lexicon = compile_lexicon([concept])
        build_ms = (time.process_time() - began) * 1000
        ours = each_us(lambda text, lexicon=lexicon: find(lexicon, text), texts)
        pattern = re.compile(
            "(?<![A-Za-z0-9])(?:" + "|".join(map(re.escape, terms)) + ")(?![A-Za-z0-9])", re.I
        )
        plain = each_us(pattern.findall, texts[:3]) if count > 1000 else each_us(pattern.findall, texts[:10])
        print(f"{count:>8}{ours:>10.0f}{plain:>12.0f}{build_ms:>10.0f}")
    began = time.process_time()
    ruleset = rules.build(read_rule_files(CONFIG))
    print(f"shipped rules: {ruleset.lexicon.size:,} patterns, loaded in {time.process_time() - began:.2f} s")
    per = sorted(each_us(lambda text: rules.classify(Document(text), ruleset), [text]) for text in texts)
    print(f"whole verdict: median {per[len(per) // 2]:.0f}, slowest {per[-1]:.0f}")


if __name__ == "__main__":
    main(*sys.argv[1:2])
