"""The article's title: from whom to take it, and what to take off it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from monitor import text, urls
from monitor.extract.head import Head

if TYPE_CHECKING:
    from lxml.html import HtmlElement

# Between a headline and its outlet. A hyphen or colon needs blanks around it, the others do not.
_SEPARATOR = re.compile(
    r"\s+[-–—：·•~]\s+|\s*:\s+|\s*[|｜‖ㅣ»«]\s*|\s*::\s*|\s+[/／]\s+|\s*[：](?=[^：]*$)"
    r"|(?<=[^\x00-\x7f])[-–—](?=[^-–—]*$)"
)
_BARS = frozenset({"|", "｜", "‖", "ㅣ", "»", "«", "::"})
_OUTLET_WORD = re.compile(
    r"\b(?:news|times|post|journal|daily|online|today|tribune|herald|gazette|magazine|press|blog|wire|"
    r"weekly|official|website|site|gov|com|net|org|co\.jp)\b|新聞|ニュース|通信|放送|"
    r"オンライン|"
    r"電子版|デジタル|公式|"
    r"サイト|ホームページ|株式会社|省$|庁$|\.(?:com|jp|net|org|uk)\b",
    re.I,
)
_CREDIT = re.compile(
    r"^in this (?:file )?(?:photo|image|picture)\b"
    r"|^(?:(?:file )?photo(?:graph)?s?|image|picture|credit|illustration|video)\b\s*"
    r"(?:credit|by|courtesy|[:/：])"
    r"|\b(?:getty images|shutterstock|reuters/|afp via)"
    r"|^(?:写真|画像|提供|撮影|資料写真|イメージ)\s*[:：＝=/／]|提供$",
    re.I,
)
_DATE = re.compile(r"[\d./年月日\s:-]{8,20}")
_LABELS = frozenset(
    {
        "news", "home", "article", "articles", "press release", "press releases", "newsroom", "latest news",
        "blog", "untitled", "untitled document", "document", "index", "welcome", "politics", "business",
        "technology", "world", "opinion", "sports", "video", "login", "menu", "search", "share", "loading",
        "just a moment...", "access denied", "ニュース", "ホーム", "トップ", "記事", "お知らせ", "新着情報",
        "プレスリリース",
        "報道発表", "報道発表資料", "無題ドキュメント", "検索", "メニュー", "国際", "政治", "経済", "社会",
        "スポーツ",
    }
)  # fmt: skip
_MAX_HEADING_CHARS = 400


def title_of(tree: HtmlElement, head: Head, *, given: str = "", url: str = "") -> str:
    """The title in one line, without the outlet's name; "" when the page has none.

    In this order of trust: `given` by the feed, og:title, JSON-LD headline, the h1, <title>; what
    another of the page's own titles confirms goes before what stands alone.
    """
    witnesses = [line for line in map(text.clean_line, _candidates(tree, head)) if line]
    sure = [
        w for i, w in enumerate(witnesses) if any(_agree(w, o) for o in witnesses[:i] + witnesses[i + 1 :])
    ]
    for candidate in [text.clean_line(text.plain(given)), *sure, *witnesses]:
        title = without_outlet(candidate, witnesses, head.site_names, url)
        if title and not _is_no_title(title, head):
            return title
    return ""


def _candidates(tree: HtmlElement, head: Head) -> Iterator[str]:
    yield head.first("og:title")
    yield head.linked.headline
    headings = _headings(tree, "h1")
    yield from headings
    yield head.title
    if not headings:
        yield from (heading for heading in _headings(tree, "h2") if _agree(heading, head.title))
    yield head.first("twitter:title", "dc.title", "parsely-title", "sailthru.title")


def _headings(tree: HtmlElement, tag: str) -> list[str]:
    """The texts of headings that could be headlines, the longest first: the short ones are logos."""
    found = []
    for heading in islice(tree.iter(tag), 20):
        words = text.clean_line(" ".join(heading.itertext()), limit=_MAX_HEADING_CHARS + 1)
        if words and len(words) <= _MAX_HEADING_CHARS:
            found.append(words)
    return sorted(found, key=len, reverse=True)


def _agree(one: str, other: str) -> bool:
    """Whether two titles are of one article: the same letters in part, or half the words."""
    a, b = _key(one), _key(other)
    if min(len(a), len(b)) >= 6 and (a in b or b in a):
        return True
    mine, theirs = set(one.casefold().split()), set(other.casefold().split())
    return len(mine & theirs) * 2 > min(len(mine), len(theirs)) > 2


def _is_no_title(title: str, head: Head) -> bool:
    """Image credits, section labels and bare names of the outlet are not titles."""
    key = _key(title)
    if not key or _CREDIT.search(title) or title.casefold() in _LABELS:
        return True
    return key in {_key(name) for name in head.site_names} or key == _key(head.linked.section)


def without_outlet(title: str, witnesses: list[str], site_names: list[str], url: str = "") -> str:
    """`title` without the outlet's name and sections at its end, or at its start.

    A piece goes when it names the outlet (site name or host), when another of the page's titles
    (`witnesses`) ends where it begins, or when it stands behind a bar and is short.
    """
    for _ in range(4):
        shorter = _one_off(title, witnesses, site_names, url)
        if shorter == title:
            break
        title = shorter
    return title


def _one_off(title: str, witnesses: list[str], site_names: list[str], url: str) -> str:
    cuts = list(_SEPARATOR.finditer(title))
    if not cuts:
        return title
    last, first = cuts[-1], cuts[0]
    head, tail = title[: last.start()].rstrip(), title[last.end() :].strip()
    if head and _is_furniture(tail, last[0], head, witnesses, site_names, url):
        return head
    head, tail = title[: first.start()].strip(), title[first.end() :].lstrip()
    if tail and len(tail) > len(head) and _names_outlet(head, site_names, url):
        return tail
    return title


def _is_furniture(
    piece: str, separator: str, rest: str, witnesses: list[str], site_names: list[str], url: str
) -> bool:
    if not piece or _DATE.fullmatch(piece) or piece.casefold() in _LABELS:
        return True
    if _names_outlet(piece, site_names, url) or _key(rest) in {_key(w) for w in witnesses}:
        return True
    long_enough = len(rest) >= (12 if rest.isascii() else 6)
    if not long_enough or len(piece) > 40 or len(piece.split()) > 5 or len(piece) >= len(rest) + 4:
        return False
    mark = separator.strip()
    return mark in _BARS or (mark != ":" and bool(_OUTLET_WORD.search(piece)))


def _names_outlet(piece: str, site_names: list[str], url: str) -> bool:
    key = _key(piece)
    if not key:
        return False
    if any(
        key == name or (len(name) > 3 and name in key and len(key) < 2 * len(name) + 8)
        for name in map(_key, site_names)
        if name
    ):
        return True
    host = _key(urls.host_of(url).removeprefix("www.")) if url else ""
    # "Nikkei Asia" at asia.nikkei.com, "BBC News" at bbc.co.uk
    words = [word for word in re.findall(r"[a-z0-9]+", piece.casefold()) if len(word) > 2]
    return bool(
        host
        and words
        and (key in host or sum(word in host for word in words) * 2 >= len(words))
        and len(words) <= 4
    )


def _key(s: str) -> str:
    """Letters and digits alone, in one width and case."""
    return "".join(c for c in unicodedata.normalize("NFKC", s).casefold() if c.isalnum())
