"""From an article and its verdict to what stories are compared by."""

from __future__ import annotations

import re
import unicodedata
from hashlib import sha256

from monitor.model import Article, Fingerprint, Verdict
from monitor.stories import simhash

HASHED_CHARS = 20_000  # enough to tell texts apart, and a bound on the work
NAMED_CHARS = 6_000  # names and numbers further down are background

_SPACE = re.compile(r"\s+")
_KANA = re.compile(r"[\u3041-\u30ff]")
_LATIN_NAME = re.compile(
    r"(?<![A-Za-z])(?:[A-Z][A-Za-z0-9]*[A-Z0-9][A-Za-z0-9]*|[A-Z][a-z]{2,}|[A-Z]{2,})(?![A-Za-z])"
)
_LATIN_IN_JA = re.compile(r"[A-Za-z][A-Za-z0-9]{2,}")
_KATAKANA = re.compile(r"[\u30a1-\u30fa\u30fc・]{4,}")
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_SENTENCE_START = re.compile(r"(?:^|[.!?:]\s+|\n\s*|[\"“(]\s*)$")

# Capitalised in most articles of this kind: they tell nothing about which story it is.
_EVERYDAY = frozenset(
    """the and for with from this that its they she but his her our you are was who how what when where
    january february march april may june july august september october november december monday tuesday
    wednesday thursday friday saturday sunday president prime minister ministry government department
    university institute corporation company group limited inc ltd news press release japan japanese
    britain british united kingdom kingdoms states america american tokyo london washington english
    science technology research innovation economy economic trade industry international national world
    new north south east west asia europe european pacific mr mrs ms dr professor chief executive officer
    director secretary state agency council centre center""".split()
)

_COUNTRIES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (code, re.compile(pattern))
    for code, pattern in (
        ("jp", r"Japan|Tokyo|日本|日英|日米|英日|米日"),
        (
            "uk",
            r"(?<![A-Za-z])UK(?![A-Za-z])|U\.K\.|Brit(?:ain|ish)|London|英国|イギリス|日英|英日|英政府|米英|英米",
        ),
        ("us", r"(?<![A-Za-z])US\b|U\.S\.|America|United States|米国|アメリカ|[日英]米|米[日英韓政]"),
        ("eu", r"(?<![A-Za-z])EU(?![A-Za-z])|European Union|Brussels|欧州連合|日欧|日EU"),
        ("tw", r"Taiwan|台湾|日台"),
        ("kr", r"Korea|Seoul|韓国|日韓|米韓"),
        ("in", r"India(?!n?a)|インド(?!ネシア)|日印"),
        ("ca", r"Canad|カナダ"),
        ("nl", r"Netherlands|Dutch|オランダ"),
        ("de", r"German|ドイツ|日独"),
        ("fr", r"France|French|フランス|日仏"),
        ("it", r"Ital(?:y|ian)|イタリア|日伊"),
        ("au", r"Australia|オーストラリア|豪州|日豪"),
        ("cn", r"China|Chinese|Beijing|中国|日中"),
        ("sg", r"Singapore|シンガポール"),
        ("be", r"Belgi|ベルギー"),
        ("il", r"Israel|イスラエル"),
    )
)

_MONTHS = {
    name: n
    for n, names in enumerate(
        "jan january|feb february|mar march|apr april|may|jun june|jul july|aug august|sep sept september"
        "|oct october|nov november|dec december".split("|"),
        start=1,
    )
    for name in names.split()
}
_DAY_MONTH = re.compile(r"(?<!\d)(\d{1,2})(?:st|nd|rd|th)?\s+([A-Z][a-z]{2,8})\b")
_MONTH_DAY = re.compile(r"\b([A-Z][a-z]{2,8})\.?\s+(\d{1,2})(?:st|nd|rd|th)?(?!\d)")
_JA_DATE = re.compile(r"(\d{1,2})月(\d{1,2})日")

_ORDINAL_WORDS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7}
_ORDINAL_EN = re.compile(
    r"\b(?:(first|second|third|fourth|fifth|sixth|seventh)|(\d{1,2})(?:st|nd|rd|th))[\s-]+"
    r"(?:\w+[\s-]+){0,2}?(plant|fab|factory|line|round|tranche|phase|meeting|call|call-off|dialogue|council|batch|stage|committee)",
    re.IGNORECASE,
)
_ORDINAL_JA = re.compile(r"第\s?([0-9一二三四五六七八九十]+)\s?(?:回|工場|弾|次|期|棟|ライン|段)(\S?)")
_KANJI_DIGITS = {kanji: n for n, kanji in enumerate("一二三四五六七八九十", start=1)}


def normalised(text: str) -> str:
    """NFKC, lower case, blanks folded: what "the same text" means."""
    return _SPACE.sub(" ", unicodedata.normalize("NFKC", text)).strip().lower()


def fingerprint(article: Article, verdict: Verdict) -> Fingerprint:
    """What `decide` compares. Linear in the first 20,000 characters."""
    text = unicodedata.normalize("NFKC", article.text[:HASHED_CHARS])
    title = unicodedata.normalize("NFKC", article.title)
    head = f"{title}\n{text[:NAMED_CHARS]}"
    plain = normalised(text)
    japanese = article.lang == "ja" or len(_KANA.findall(text[:600])) > 30
    value = simhash.simhash(simhash.shingles(plain, japanese))
    return Fingerprint(
        text_sha256=sha256(plain.encode("utf-8", "replace")).hexdigest(),
        simhash=value,
        bands=simhash.bands(value) if len(plain) >= 200 else (),
        title_tokens=title_tokens(title, japanese),
        organisations=tuple(verdict.organisations),
        programmes=tuple(verdict.programmes),
        corridors=tuple(verdict.corridors),
        countries=countries(title),
        names=names(head, japanese),
        title_names=title_names(title, text[:NAMED_CHARS], japanese),
        numbers=numbers(head),
        amounts=tuple(verdict.amounts),
        event_dates=event_dates(head),
        ordinals=ordinals(f"{title}\n{text[:600]}"),
        lang="ja" if japanese else article.lang,
        event=verdict.event or "",
    )


def title_tokens(title: str, japanese: bool) -> tuple[str, ...]:
    """Words of a title without endings, or its character pairs in Japanese."""
    if japanese:
        squeezed = re.sub(r"[\W_]+", "", title.lower())
        return tuple(sorted({squeezed[i : i + 2] for i in range(len(squeezed) - 1)}))
    words = re.findall(r"[a-z0-9]+", title.lower())
    return tuple(sorted({_stem(word) for word in words if len(word) > 2 and word not in _EVERYDAY}))


def _stem(word: str) -> str:
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) > len(ending) + 3:
            return word[: -len(ending)]
    return word


def names(text: str, japanese: bool) -> tuple[str, ...]:
    """Proper names that need no list, at most 80 of them."""
    found: dict[str, None] = {}
    if japanese:
        for match in _KATAKANA.finditer(text):
            found.setdefault(match.group().replace("・", "").rstrip("ー"))
    pattern = _LATIN_IN_JA if japanese else _LATIN_NAME
    for match in pattern.finditer(text):
        word = match.group()
        inner_capital = any(c.isupper() or c.isdigit() for c in word[1:])
        if (
            not japanese
            and not inner_capital
            and _SENTENCE_START.search(text, max(0, match.start() - 4), match.start())
        ):
            continue
        if word.lower() not in _EVERYDAY:
            found.setdefault(word.lower())
    return tuple(found)[:80]


def title_names(title: str, text: str, japanese: bool) -> tuple[str, ...]:
    """Proper names of the title. Headlines Capitalise Every Word: only what the text writes so counts."""
    in_text = set(names(text, japanese))
    found = names(f"| {title}", japanese)  # the bar: a first word is a name here if the text says so
    return tuple(name for name in found if name in in_text and len(name) > 2)


def numbers(text: str) -> tuple[str, ...]:
    """Figures that are hardly shared by chance: decimals and three digits or more, years left out."""
    found: dict[str, None] = {}
    for match in _NUMBER.finditer(text):
        figure = match.group().replace(",", "").rstrip(".")
        is_year = figure.isdigit() and len(figure) == 4 and figure[:2] in {"19", "20"}
        if not is_year and ("." in figure or len(figure) >= 3) and len(figure) <= 15:
            found.setdefault(figure)
    return tuple(found)[:40]


def countries(text: str) -> tuple[str, ...]:
    """Codes of the countries a text names."""
    return tuple(code for code, pattern in _COUNTRIES if pattern.search(text))


def event_dates(text: str) -> tuple[str, ...]:
    """Calendar days named in the text, as --MM-DD: years are rarely written in news."""
    found: dict[str, None] = {}
    pairs = [(_MONTHS.get(m.group(2).lower(), 0), int(m.group(1))) for m in _DAY_MONTH.finditer(text)]
    pairs += [(_MONTHS.get(m.group(1).lower(), 0), int(m.group(2))) for m in _MONTH_DAY.finditer(text)]
    pairs += [(int(m.group(1)), int(m.group(2))) for m in _JA_DATE.finditer(text)]
    for month, day in pairs:
        if 1 <= month <= 12 and 1 <= day <= 31:
            found.setdefault(f"--{month:02d}-{day:02d}")
    return tuple(found)[:20]


def ordinals(text: str) -> tuple[str, ...]:
    """Which of several: "2 plant", "12 meeting", so that the second plant is not the third."""
    found: dict[str, None] = {}
    for match in _ORDINAL_EN.finditer(text):
        number = _ORDINAL_WORDS.get((match.group(1) or "").lower()) or int(match.group(2) or 0)
        found.setdefault(f"{number} {match.group(3).lower()}")
    for match in _ORDINAL_JA.finditer(text):
        digits = match.group(1)
        value = int(digits) if digits.isdecimal() and digits.isascii() else _KANJI_DIGITS.get(digits, 0)
        found.setdefault(f"{value} {match.group(0).lstrip('第').strip()[len(digits) :].strip() or '回'}")
    return tuple(found)[:10]
