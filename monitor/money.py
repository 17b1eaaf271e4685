"""Amounts of money in English and Japanese text, as currency and number.

No exchange rates: what the article says is what is kept. Vague sums (数十億円, "several billion") have no
number and are left out.
"""

from __future__ import annotations

import re

from monitor.model import Amount
from monitor.rules.normalise import Folded, fold

MOST = 30  # amounts of one document
MOST_CHARS = 400_000
_CURRENCIES = {
    "£": "GBP", "gbp": "GBP", "pound": "GBP", "pounds": "GBP", "ポンド": "GBP", "英ポンド": "GBP",
    "$": "USD", "us$": "USD", "usd": "USD", "dollar": "USD", "dollars": "USD", "ドル": "USD", "米ドル": "USD",
    "¥": "JPY", "jpy": "JPY", "yen": "JPY", "円": "JPY",
    "€": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR", "ユーロ": "EUR",
    "a$": "AUD", "aud": "AUD", "豪ドル": "AUD", "c$": "CAD", "cad": "CAD", "カナダドル": "CAD",
    "hk$": "HKD", "香港ドル": "HKD", "nt$": "TWD", "twd": "TWD", "台湾ドル": "TWD",
    "s$": "SGD", "シンガポールドル": "SGD",
    "₩": "KRW", "krw": "KRW", "won": "KRW", "ウォン": "KRW", "₹": "INR", "rs": "INR", "inr": "INR",
    "rupees": "INR",
    "ルピー": "INR", "rmb": "CNY", "cny": "CNY", "yuan": "CNY", "人民元": "CNY", "元": "CNY",
}  # fmt: skip
_UNITS = {
    "k": 1e3, "thousand": 1e3, "m": 1e6, "mn": 1e6, "mln": 1e6, "mil": 1e6, "million": 1e6, "millions": 1e6,
    "b": 1e9, "bn": 1e9, "bln": 1e9, "billion": 1e9, "billions": 1e9,
    "t": 1e12, "tn": 1e12, "trn": 1e12, "trillion": 1e12, "trillions": 1e12, "crore": 1e7, "lakh": 1e5,
}  # fmt: skip
_KANJI = {"十": 10, "百": 100, "千": 1000}
_MYRIADS = {"万": 1e4, "億": 1e8, "兆": 1e12}
_NUMBER = r"(?P<number>\d{1,3}(?:,\d{3}){1,5}(?:\.\d{1,6})?|\d{1,15}(?:\.\d{1,6})?)"
_UNIT = r"(?P<unit>trillions?|billions?|millions?|thousand|crore|lakh|trn|tn|bln|bn|mln|mn|mil|[kmbtKMBT])"
_BEFORE = re.compile(
    r"(?P<currency>(?<![A-Za-z])(?:US|HK|NT|[AaCcSs])\$|[$£€¥₩₹]"
    r"|(?<![A-Za-z])(?:USD|GBP|EUR|JPY|AUD|CAD|INR|CNY|RMB|KRW|TWD)) ?$"
)
_AFTER_SYMBOL = re.compile(
    rf"{_NUMBER}(?:[ -]?{_UNIT}(?![A-Za-z]))?(?![\d,]*\d)(?: ?(?P<myriad>[万億兆]))?", re.IGNORECASE
)
_ENGLISH = re.compile(
    rf"{_NUMBER}[ -]?(?:{_UNIT}[ -])?(?:of )?(?P<currency>(?:US )?dollars?|pounds?(?: sterling)?|yen|euros?"
    r"|won(?! the| a)|yuan|rupees|USD|GBP|EUR|JPY)(?![A-Za-z])",
    re.IGNORECASE,
)
_JAPANESE = re.compile(
    r"(?P<body>\d[\d,]{0,18}(?:\.\d{1,6})?(?:[十百千万億兆] ?(?:\d[\d,]{0,8}(?:\.\d{1,4})?)?){0,8}) ?"
    r"(?P<currency>(?:米|豪|香港|台湾|カナダ|シンガポール)?ドル|英?ポンド|ユーロ|ウォン|ルピー|人民元|円|元)"
)
_NUMBERS = re.compile(r"\d[\d,.]*")
_PARTS = re.compile(r"(\d[\d,]*(?:\.\d+)?)?([十百千]?)([万億兆]?)")


def amounts(*texts: str) -> list[Amount]:
    """The amounts of the texts in order, each currency and value once; `text` is as written there."""
    return amounts_in(*(fold(text[:MOST_CHARS]) for text in texts))


def amounts_in(*texts: Folded) -> list[Amount]:
    """As `amounts`, for texts folded already."""
    found: dict[tuple[str, float], Amount] = {}
    for text in texts:
        for amount in _in_text(text):
            found.setdefault((amount.currency, amount.value), amount)
    return list(found.values())[:MOST]


def _in_text(folded: Folded) -> list[Amount]:
    """Each number is looked at once, with what stands right before and after it."""
    plain = folded.text
    result: list[Amount] = []
    reach = 0
    for number in _NUMBERS.finditer(plain):
        start = number.start()
        if start < reach or (start and plain[start - 1] in "数何"):
            continue
        found = _at(plain, start)
        if found:
            begin, reach, currency, value = found
            first, last = folded.span(begin, reach)
            result.append(Amount(folded.original[first:last].strip(), currency, value))
    return result


def _at(plain: str, start: int) -> tuple[int, int, str, float] | None:
    """The amount whose number begins at `start`: its span, currency and value."""
    before = _BEFORE.search(plain[max(0, start - 5) : start])
    if before:
        match = _AFTER_SYMBOL.match(plain, start)
        return _amount(match, start - len(before[0]), before["currency"]) if match else None
    match = _JAPANESE.match(plain, start) or _ENGLISH.match(plain, start)
    return _amount(match, start, match["currency"]) if match else None


def _amount(match: re.Match[str], begin: int, written: str) -> tuple[int, int, str, float] | None:
    name = written.lower()
    name = "dollar" if "dollar" in name else "pound" if name.startswith("pound") else name
    currency = _CURRENCIES.get(name)
    parts = match.groupdict()
    if parts.get("body"):
        value = _japanese(parts["body"])
    else:
        value = float(parts["number"].replace(",", "")) * _UNITS.get((parts["unit"] or "").lower(), 1)
        value *= _MYRIADS.get(parts.get("myriad") or "", 1)
    return (begin, match.end(), currency, round(value, 2)) if currency and value > 0 else None


def _japanese(body: str) -> float:
    """1兆1800億 is 1,180,000,000,000; 6千万 is 60,000,000; the parts are added."""
    total = group = 0.0
    for number, small, large in _PARTS.findall(body.replace(" ", "")):
        if not (number or small or large):
            continue
        value = float(number.replace(",", "").rstrip(".") or 0) if number else (1.0 if small else 0.0)
        group += value * _KANJI.get(small, 1)
        if large:
            total += (group or 1.0) * _MYRIADS[large]
            group = 0.0
    return total + group
