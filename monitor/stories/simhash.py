"""A 64-bit SimHash over shingles, with banded look-up.

Charikar, "Similarity estimation techniques from rounding algorithms" (STOC 2002): near-identical
texts differ in few bits. Splitting the hash into four bands of 16 bits finds every text within
three bits by equality of one band alone (pigeonhole), and most of those a little further away.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import blake2b

BITS = 64
BAND_BITS = 16
BANDS = BITS // BAND_BITS

_WORD = re.compile(r"[a-z0-9]+")
_SPACE = re.compile(r"\s+")


def shingles(text: str, japanese: bool) -> list[str]:
    """What is hashed: three-word runs, or three-character runs where words have no blanks between them."""
    if japanese:
        squeezed = _SPACE.sub("", text)
        return [squeezed[i : i + 3] for i in range(len(squeezed) - 2)]
    words = _WORD.findall(text)
    return [" ".join(words[i : i + 3]) for i in range(len(words) - 2)] or words


def simhash(features: Iterable[str]) -> int:
    """The 64-bit hash of a bag of features; 0 for an empty bag."""
    counts = [0] * BITS
    for feature in features:
        value = int.from_bytes(blake2b(feature.encode("utf-8", "replace"), digest_size=8).digest(), "big")
        for bit in range(BITS):
            counts[bit] += 1 if value >> bit & 1 else -1
    return sum(1 << bit for bit in range(BITS) if counts[bit] > 0)


def bands(value: int) -> tuple[int, ...]:
    """The bands of a hash, numbered so that different bands never compare equal."""
    mask = (1 << BAND_BITS) - 1
    return tuple(n << BAND_BITS | value >> (n * BAND_BITS) & mask for n in range(BANDS))


def distance(a: int, b: int) -> int:
    """In how many of 64 bits two hashes differ."""
    return (a ^ b).bit_count()
