"""Makes WARC archives of any size, of the shape news crawls have, from this project's own articles.

    python benchmarks/archive.py FOLDER --articles 50000 [--per-file 1000] [--seed 1] [--relevant 0.05]

The same arguments give the same bytes. A share of the articles is one of ours about the subject, varied;
the rest is made-up news of other things, English and Japanese. Records come as gzip members with requests
and metadata between them, some in old Japanese charsets, compressed, in chunks, archived twice, or broken.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from ruamel.yaml import YAML

ROOT = Path(__file__).parent.parent
START = datetime(2016, 1, 1)
DAYS = 3650
PLACES = ("Leeds", "Porto", "Denver", "Nagoya", "Lyon", "Perth", "Oslo", "Quito", "Sapporo", "Bergen")
SUBJECTS = (
    "a new tram line", "the spring floods", "its football club", "a rise in rents", "bus fares",
    "a museum of glass", "the wheat harvest", "a bridge repair", "school meals", "the mayor's election",
    "the city budget", "a film festival",
)  # fmt: skip
VERBS = (
    "discussed",
    "welcomed",
    "criticised",
    "postponed",
    "celebrated",
    "voted on",
    "paid for",
    "looked into",
)
WHO = ("Residents", "Councillors", "Shopkeepers", "Teachers", "Engineers", "Farmers", "Two ministers", "Fans")
JA = (
    "市は新しい路面電車の計画を発表した。",
    "農家は今年の米の出来がよいと話した。",
    "商店街では夏祭りの準備が進んでいる。",
    "県議会は橋の修理費を承認した。",
    "小学校の給食に地元の野菜が使われる。",
    "地元の球団は三連勝で首位に立った。",
)


@dataclass(frozen=True, slots=True)
class Text:
    title: str
    body: str
    lang: str


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--articles", type=int, default=2000)
    parser.add_argument("--per-file", type=int, default=250)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--relevant", type=float, default=0.05)
    asked = parser.parse_args()
    files = write(asked.folder, asked.articles, asked.per_file, seed=asked.seed, relevant=asked.relevant)
    size = sum(path.stat().st_size for path in files)
    print(f"{asked.articles:,} articles in {len(files)} files, {size / 1e6:,.1f} MB")


def write(
    folder: Path, articles: int, per_file: int = 250, *, start: int = 0, seed: int = 1, relevant: float = 0.05
) -> list[Path]:
    """The files written, of articles numbered from `start` on."""
    folder.mkdir(parents=True, exist_ok=True)
    ours = our_texts()
    files = []
    for first in range(0, articles, per_file):
        path = folder / f"{first // per_file:05}.warc.gz"
        with path.open("wb") as file:
            for n in range(start + first, start + min(first + per_file, articles)):
                for record in records(n, Random(f"{seed}/{n}"), ours, relevant):
                    file.write(gzip.compress(record, 6, mtime=0))
        files.append(path)
    return files


def our_texts() -> list[Text]:
    """The articles of the demo and of the tests."""
    demo = YAML(typ="safe").load(ROOT / "monitor" / "demo" / "articles.yaml")
    texts = [Text(each["title"], each["text"], "") for each in demo if each.get("text")]
    for name in ("labelled.jsonl", "stories.jsonl"):
        lines = (ROOT / "tests" / "data" / name).read_text("utf-8").splitlines()
        texts += [Text(row["title"], row["text"], row.get("lang", "")) for row in map(json.loads, lines)]
    return texts


def records(n: int, random: Random, ours: list[Text], relevant: float) -> Iterator[bytes]:
    """The records of one article: what was asked, what came, what the crawler noted."""
    text = varied(random.choice(ours), n) if random.random() < relevant else other(n, random)
    # One in fifty was archived before, under the same address.
    url = f"https://news{n % 97}.example/{n - 1 if n % 50 == 49 else n}/story.html"
    when = START + timedelta(days=random.randrange(DAYS), seconds=random.randrange(86400))
    body, headers = coded(html(text, when, random), text.lang, random)
    archived = when + timedelta(hours=random.randrange(1, 48))
    yield record("request", url, archived, f"GET /{n} HTTP/1.1\r\nHost: n.example\r\n\r\n".encode())
    yield record("response", url, archived, response(n, headers, body))
    yield record("metadata", url, archived, b"fetchTimeMs: 120\r\n")


def varied(text: Text, n: int) -> Text:
    return Text(f"{text.title} ({n})", f"{text.body}\n\nReference {n}.", text.lang)


def other(n: int, random: Random) -> Text:
    """Made-up news of something else."""
    if random.random() < 0.3:
        body = "\n\n".join("".join(random.choices(JA, k=5)) for _ in range(6))
        return Text(f"地域の話題 {n}", body, "ja")
    place = random.choice(PLACES)

    def sentence() -> str:
        subject, verb, who = random.choice(SUBJECTS), random.choice(VERBS), random.choice(WHO)
        return f"{who} of {place} {verb} {subject} for {random.randrange(2, 90)} days."

    body = "\n\n".join(" ".join(sentence() for _ in range(5)) for _ in range(8))
    return Text(f"{place}: {random.choice(SUBJECTS)} ({n})", body, "en")


def html(text: Text, when: datetime, random: Random) -> str:
    """A page with the furniture of a news site, 10 to 20 kB."""
    paragraphs = "".join(f"<p>{part}</p>" for part in text.body.split("\n") if part.strip())
    menu = "".join(f'<li><a href="/section/{k}">Section {k}</a></li>' for k in range(30))
    related = "".join(
        f'<li><a href="/{k}"><img src="/i/{k}.jpg" alt=""> {random.choice(PLACES)} and '
        f"{random.choice(SUBJECTS)}</a></li>"
        for k in range(40)
    )
    script = "".join(f"window.cfg[{k}]={{id:{random.randrange(10**9)}}};" for k in range(80))
    return (
        f'<!doctype html><html lang="{text.lang or "en"}"><head><title>{text.title} - The Example</title>'
        f'<meta property="article:published_time" content="{when.isoformat()}Z">'
        f"<script>{script}</script><style>.a{{color:#123}}</style></head><body><nav><ul>{menu}</ul></nav>"
        f'<main><article><h1>{text.title}</h1><time datetime="{when.isoformat()}Z">{when:%d %B %Y}</time>'
        f"{paragraphs}</article></main><aside><h2>More</h2><ul>{related}</ul></aside><footer><p>© The"
        " Example, all rights reserved.</p></footer></body></html>"
    )


def coded(page: str, lang: str, random: Random) -> tuple[bytes, str]:
    """The body and its headers; the charset is sometimes left out or wrong, as it is out there."""
    charset = random.choice(("utf-8", "shift_jis", "euc-jp")) if lang == "ja" else "utf-8"
    body = page.encode(charset, "xmlcharrefreplace")
    claimed = "utf-8" if random.random() < 0.1 else charset
    headers = f"Content-Type: text/html; charset={claimed}\r\n"
    if claimed != charset:
        body = body.replace(b"<head>", f'<head><meta charset="{charset}">'.encode(), 1)
    if random.random() < 0.1:
        body, headers = gzip.compress(body, mtime=0), headers + "Content-Encoding: gzip\r\n"
    if random.random() < 0.1:
        body, headers = (
            b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body),
            headers + "Transfer-Encoding: chunked\r\n",
        )
    return body, headers


def response(n: int, headers: str, body: bytes) -> bytes:
    """What the server sent; in every thousand some that are no page, and one that is broken."""
    status = "404 Not Found" if n % 100 == 50 else "200 OK"
    if n % 1000 == 500:
        headers, body = "Content-Type: text/html\r\nContent-Encoding: gzip\r\n", b"\x1f\x8b broken"
    return f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


def record(kind: str, url: str, when: datetime, block: bytes) -> bytes:
    content = "application/warc-fields" if kind == "metadata" else f"application/http; msgtype={kind}"
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {url}\r\nWARC-Date: {when:%Y-%m-%dT%H:%M:%SZ}\r\n"
        f"WARC-Record-ID: <urn:{kind}:{url}>\r\nContent-Type: {content}\r\n"
        f"Content-Length: {len(block)}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


if __name__ == "__main__":
    main()
