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
    "hk$": "HKD", "香港ドル": "HKD", "nt$": "TWD", "twd": "TWD", "台湾ドル": "TWD", "s$": "SGD", "シンガポールドル": "SGD",
    "₩": "KRW", "krw": "KRW", "won": "KRW", "ウォン": "KRW", "₹": "INR", "rs": "INR", "inr": "INR", "rupees": "INR",
    "ルピー": "INR", "rmb": "CNY", "cny": "CNY", "yuan": "CNY", "人民元": "CNY", "元": "CNY",
}  # fmt: skip
_UNITS = {
    "k": 1e3, "thousand": 1e3, "m": 1e6, "mn": 1e6, "mln": 1e6, "mil": 1e6, "million": 1e6, "millions": 1e6,
    "b": 1e9, "bn": 1e9, "bln": 1e9, "billion": 1e9, "billions": 1e9,
    "t": 1e12, "tn": 1e12, "trn": 1e12, "trillion": 1e12, "trillions": 1e12, "crore": 1e7, "lakh": 1e5,
}  # fmt: skip
_KANJI = {"十": 10, "百": 100, "千": 1000}
_MYRIADS = {"万": 1e4, "億": 1e8, "兆": 1e12}
_NUMBER = r"\d{1,3}(?:,\d{3}){1,5}(?:\.\d{1,6})?|\d{1,15}(?:\.\d{1,6})?"
_UNIT = r"trillions?|billions?|millions?|thousand|crore|lakh|trn|tn|bln|bn|mln|mn|mil|[kmbtKMBT]"
_TAIL = (
    rf" ?(?P<number>{_NUMBER})(?:[ -]?(?P<unit>{_UNIT})(?![A-Za-z]))?(?![\d,]*\d)(?P<myriad>[ ]?[万億兆])?"
)
_SYMBOL = re.compile(rf"(?P<currency>[$£€¥₩₹]){_TAIL}")
_DOLLAR_OF = re.compile(r"(?<![A-Za-z])(?:US|HK|NT|[AaCcSs])$")
_CODE = re.compile(rf"(?P<currency>(?:USD|GBP|EUR|JPY|AUD|CAD|INR|CNY|RMB|KRW|TWD)(?<![A-Za-z]...)){_TAIL}")
_AFTER = re.compile(
    rf"(?<![\d.,$£€¥])(?P<number>{_NUMBER})[ -]?(?:(?P<unit>{_UNIT})[ -])?(?:of )?"
    r"(?P<currency>(?:US |U\.S\. )?dollars?|pounds?(?: sterling)?|yen|euros?|won|yuan|rupees|USD|GBP|EUR|JPY)(?![A-Za-z])",
    re.IGNORECASE,
)
_JAPANESE = re.compile(
    r"(?<![\d.,数何])(?P<body>\d[\d,]{0,18}(?:\.\d{1,6})?(?:[十百千万億兆] ?(?:\d[\d,]{0,8}(?:\.\d{1,4})?)?){0,8}) ?"
    r"(?P<currency>米ドル|豪ドル|香港ドル|台湾ドル|カナダドル|シンガポールドル|英ポンド|ドル|ポンド|ユーロ|ウォン|ルピー|人民元|円|元)"
)
_DIGIT = re.compile(r"\d")
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
    plain = folded.text
    if not _DIGIT.search(plain):
        return []
    found: list[tuple[int, int, str, float]] = []
    for pattern in (_SYMBOL, _CODE, _AFTER, _JAPANESE):
        for match in pattern.finditer(plain):
            start, end = match.span()
            prefix = _DOLLAR_OF.search(plain, max(0, start - 3), start) if match["currency"] == "$" else None
            if prefix:
                start = prefix.start()
            read = _read(match, plain[start : match.start()])
            if read:
                found.append((start, end, *read))
    result: list[Amount] = []
    reach = 0
    for start, end, currency, value in sorted(found):
        if start < reach:
            continue  # already read in another notation
        reach = end
        begin, finish = folded.span(start, end)
        result.append(Amount(folded.original[begin:finish].strip(), currency, value))
    return result


def _read(match: re.Match[str], prefix: str = "") -> tuple[str, float] | None:
    name = (prefix + match["currency"]).lower()
    name = "dollar" if "dollar" in name else "pound" if name.startswith("pound") else name
    currency = _CURRENCIES.get(name)
    if currency is None:
        return None
    if "body" in match.groupdict():
        value = _japanese(match["body"])
    else:
        value = float(match["number"].replace(",", "")) * _UNITS.get((match["unit"] or "").lower(), 1)
        value *= _MYRIADS.get((match.groupdict().get("myriad") or "").strip(), 1)
    return (currency, round(value, 2)) if value > 0 else None


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
