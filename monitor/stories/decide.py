"""Placing one article among the candidates: join a story, or start a new one, with the reason.

Vetoes come first: the same headline about two country pairs, another amount of the same thing, the
third plant instead of the second, are different stories however alike the words are.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.model import Amount, Fingerprint, Join, StoryMember
from monitor.stories import simhash

WINDOW = timedelta(days=30)  # nothing older is joined but the very same text
FRESH_DAYS = 14.0  # news of one event is mostly reported within two weeks; later, more must agree
LATE_SCORE = 1.0
SAME_TEXT_BITS = 3  # all found by one equal band
NEAR_TEXT_BITS = 8
JOIN_SCORE = 0.82
# Without dates, two partners in the news every month would be one endless story: more must be shared.
UNDATED_SHARED = 3.3
ALIKE_TITLE = 0.5
MAX_VETOES_KEPT = 5

# How much a shared feature says, before rarity is weighed in. A programme runs for years, so that two
# articles name it says little about whether they report one event.
_WEIGHTS = {"amount": 1.6, "organisation": 1.2, "number": 0.9, "programme": 0.7, "date": 0.8, "name": 0.8}


@dataclass(frozen=True, slots=True)
class Comparison:
    score: float
    reason: str


def decide(
    *,
    canonical_url: str,
    published_at: datetime | None,
    fingerprint: Fingerprint,
    candidates: Sequence[StoryMember],
) -> Join:
    """The story the article belongs to; `story_id` None when it starts a new one.

    `candidates` are earlier matches, any order; only those within WINDOW (or with the very same text
    or address) can be joined.
    """
    rarity = Rarity([fingerprint, *(member.fingerprint for member in candidates)])
    best: tuple[float, StoryMember, str] | None = None
    vetoes: list[tuple[float, int, str]] = []
    for member in candidates:
        same = _identity(canonical_url, fingerprint, member)
        if same:
            return Join(member.story_id, member.match_id, same, 1.0)
        if not _near_in_time(published_at, member.published_at):
            continue
        comparison = compare(
            fingerprint, member.fingerprint, rarity, _days(published_at, member.published_at)
        )
        if comparison.score < JOIN_SCORE:
            continue
        objection = veto(fingerprint, member.fingerprint)
        if objection:
            vetoes.append((comparison.score, member.match_id, objection))
        elif best is None or comparison.score > best[0]:
            best = (comparison.score, member, comparison.reason)
    vetoes.sort(reverse=True)
    kept = tuple((match_id, reason) for _, match_id, reason in vetoes[:MAX_VETOES_KEPT])
    if best is None:
        return Join(None, None, kept[0][1] if kept else "no earlier story is like it", 0.0, kept)
    score, member, reason = best
    return Join(member.story_id, member.match_id, reason, round(score, 3), kept)


def _identity(canonical_url: str, fingerprint: Fingerprint, member: StoryMember) -> str:
    other = member.fingerprint
    if canonical_url and canonical_url == member.canonical_url:
        return "same address"
    if fingerprint.text_sha256 == other.text_sha256 and fingerprint.bands:
        return "same text"
    return ""


def _near_in_time(a: datetime | None, b: datetime | None) -> bool:
    return a is None or b is None or abs(a - b) <= WINDOW


def _days(a: datetime | None, b: datetime | None) -> float | None:
    return None if a is None or b is None else abs(a - b).total_seconds() / 86_400


class Rarity:
    """How telling each feature is among the articles at hand (inverse document frequency)."""

    def __init__(self, fingerprints: Sequence[Fingerprint]) -> None:
        self._count = Counter(key for each in fingerprints for key in features(each))
        # Few articles at hand say little about rarity, so a few more are imagined without the feature.
        self._total = len(fingerprints) + 20

    def weight(self, key: tuple[str, str]) -> float:
        """0 to 1.6: the kind's weight, times 1 for the rarest feature and 0 for one that all share."""
        return _WEIGHTS[key[0]] * math.log(self._total / self._count.get(key, 1)) / math.log(self._total)


def features(fingerprint: Fingerprint) -> set[tuple[str, str]]:
    """Everything specific an article names, as (kind, value); nobody twice."""
    found = {("programme", name) for name in fingerprint.programmes}
    found |= {("organisation", name) for name in fingerprint.organisations}
    known = {word for _, name in found for word in re.findall(r"\w+", name.lower())}
    found |= {("amount", amount_key(amount)) for amount in fingerprint.amounts}
    found |= {("date", day) for day in fingerprint.event_dates}
    found |= {("number", figure) for figure in fingerprint.numbers}
    found |= {("name", name) for name in fingerprint.names if name not in known}
    return found


def amount_key(amount: Amount) -> str:
    """Currency and value to two digits: £3.99m and "nearly £4m" are the same money."""
    return f"{amount.currency} {float(f'{amount.value:.1e}'):.0f}"


def compare(a: Fingerprint, b: Fingerprint, rarity: Rarity, days: float | None) -> Comparison:
    """How surely two articles report one event, 0 to about 2, with what they share.

    `days` between their publication; None when unknown. Two reports of one release need not share
    words; they share who, how much and when. So counted are: the share of the shorter article's
    features found in the other, how many and how rare they are, the titles, and nearness in time.
    """
    bits = simhash.distance(a.simhash, b.simhash)
    if a.bands and b.bands and bits <= NEAR_TEXT_BITS:
        return Comparison(2.0 - bits / 64, f"nearly the same text ({bits} of 64 bits differ)")
    same_language = (a.lang == "ja") == (b.lang == "ja")
    left, right = features(a), features(b)
    if not same_language:
        left, right = _language_free(left), _language_free(right)
    shared = left & right
    if not shared:
        return Comparison(0.0, "")
    amount = sum(rarity.weight(key) for key in shared)
    least = min(sum(rarity.weight(key) for key in side) for side in (left, right))
    title = dice(a.title_tokens, b.title_tokens) if same_language else 0.0
    if title < ALIKE_TITLE and _is_one_partner(shared):
        return Comparison(0.0, "")
    score = (
        0.5 * amount / max(least, 0.1) + 0.5 * title + 0.16 * min(amount, 3.0 if days is not None else 4.5)
    )
    if days is None and amount < UNDATED_SHARED and title < ALIKE_TITLE and not _same_money(shared):
        score *= 0.7
    score += _nearness(days) + 0.12 * (a.event == b.event) + 0.2 * (not same_language)
    return Comparison(score, _reason(shared, title))


def _is_one_partner(shared: set[tuple[str, str]]) -> bool:
    """One company or figure in common is no event in common; a programme or a day may be."""
    return len(shared) == 1 and not {kind for kind, _ in shared} & {"programme", "date"}


def _same_money(shared: set[tuple[str, str]]) -> bool:
    """The same sum and the same partners are one event, known dates or not."""
    kinds = Counter(kind for kind, _ in shared)
    return kinds["amount"] > 0 and kinds["organisation"] > 1


def _nearness(days: float | None) -> float:
    if days is None:
        return 0.0
    return 0.25 if days <= 2.5 else 0.12 if days <= 5.5 else 0.0


def _language_free(found: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Without names that only one of two languages can write."""
    return {(kind, value) for kind, value in found if kind != "name" or value.isascii()}


def dice(a: Sequence[str], b: Sequence[str]) -> float:
    """Sørensen–Dice overlap of two token sets, 0 to 1."""
    if not a or not b:
        return 0.0
    return 2 * len(set(a) & set(b)) / (len(set(a)) + len(set(b)))


def _reason(shared: set[tuple[str, str]], title: float) -> str:
    order = list(_WEIGHTS)
    named: dict[str, str] = {}  # once, however it is written and whatever else it is too
    for _, value in sorted(shared, key=lambda key: (order.index(key[0]), key[1])):
        named.setdefault(value.casefold(), value)
    parts = ["shares " + ", ".join(list(named.values())[:6])] if named else []
    if title >= 0.3:
        parts.append(f"titles {title:.0%} alike")
    return "; ".join(parts)


def veto(a: Fingerprint, b: Fingerprint) -> str:
    """Why two like articles are not the same story, or ""."""
    if a.corridors and b.corridors and not set(a.corridors) & set(b.corridors):
        return f"other corridor: {'/'.join(a.corridors)} and {'/'.join(b.corridors)}"
    partners, others = set(a.countries) - {"jp"}, set(b.countries) - {"jp"}
    if partners and others and not partners & others:
        return f"other countries: {'/'.join(sorted(partners))} and {'/'.join(sorted(others))}"
    for objection in (_other_ordinal(a, b), _other_amount(a, b), _other_date(a, b), _other_companies(a, b)):
        if objection:
            return objection
    return ""


def _other_ordinal(a: Fingerprint, b: Fingerprint) -> str:
    numbered = {text.split(" ", 1)[1]: text for text in a.ordinals}
    for text in b.ordinals:
        noun = text.split(" ", 1)[1]
        mine = numbered.get(noun)
        if mine and mine != text and text not in a.ordinals and mine not in b.ordinals:
            return f"other of several: {mine} and {text}"
    return ""


def _other_amount(a: Fingerprint, b: Fingerprint) -> str:
    """Different money in the same currency, none of it shared, is another tranche or another deal."""
    mine, theirs = {amount_key(x) for x in a.amounts}, {amount_key(x) for x in b.amounts}
    if not mine or not theirs or mine & theirs:
        return ""
    currencies = {x.currency for x in a.amounts} & {x.currency for x in b.amounts}
    for currency in sorted(currencies):
        left = max(x.value for x in a.amounts if x.currency == currency)
        right = max(x.value for x in b.amounts if x.currency == currency)
        if max(left, right) > 1.25 * min(left, right):
            return f"other amount: {currency} {left:,.0f} and {right:,.0f}"
    return ""


def _other_date(a: Fingerprint, b: Fingerprint) -> str:
    if len(a.event_dates) == 1 and len(b.event_dates) == 1 and a.event_dates != b.event_dates:
        month_a, day_a = a.event_dates[0][2:].split("-")
        month_b, day_b = b.event_dates[0][2:].split("-")
        apart = abs((int(month_a) - int(month_b)) * 30 + int(day_a) - int(day_b))
        # Time zones and "announced on / signed on" put one event on neighbouring days.
        if 5 < apart < 360:
            return f"other date: {a.event_dates[0]} and {b.event_dates[0]}"
    return ""


def _other_companies(a: Fingerprint, b: Fingerprint) -> str:
    """Each headline names somebody the other article never mentions: Oxford here, Cambridge there."""
    if (a.lang == "ja") != (b.lang == "ja"):
        return ""
    mine, theirs = set(a.title_names) - set(b.names), set(b.title_names) - set(a.names)
    if mine and theirs:
        return f"other names: {', '.join(sorted(mine)[:3])} and {', '.join(sorted(theirs)[:3])}"
    return ""
