"""Records to JSON columns and back. Reading is tolerant: an older file may lack newer fields."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields, replace
from typing import Any

from monitor.model import Amount, Evidence, Fingerprint, PollHints, Source


def dump(value: object) -> str:
    """Compact JSON, Japanese left readable."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def names(text: str) -> tuple[str, ...]:
    """A JSON array of strings."""
    return tuple(json.loads(text))


def dump_amounts(amounts: Iterable[Amount]) -> str:
    return dump([asdict(amount) for amount in _finite(amounts)])


def _finite(amounts: Iterable[Amount]) -> tuple[Amount, ...]:
    """JSON has no infinity, and one misread number must not keep an article out."""
    return tuple(amount for amount in amounts if math.isfinite(amount.value))


def amounts(text: str) -> tuple[Amount, ...]:
    return tuple(Amount(each["text"], each["currency"], float(each["value"])) for each in json.loads(text))


def dump_evidence(evidence: Iterable[Evidence]) -> str:
    return dump([asdict(each) for each in evidence])


def evidence(text: str) -> tuple[Evidence, ...]:
    return tuple(Evidence(**each) for each in json.loads(text))


def dump_source(source: Source) -> str:
    return dump(asdict(source))


def source(text: str, row_id: str, url: str) -> Source:
    """The configured entry; with fields of other versions left out."""
    return Source(**(_known(Source, json.loads(text)) | {"id": row_id, "url": url}))


def dump_hints(hints: PollHints) -> str:
    skips = {"skip_hours": sorted(hints.skip_hours), "skip_days": sorted(hints.skip_days)}
    return dump({"ttl_minutes": hints.ttl_minutes, **skips})


def hints(text: str) -> PollHints:
    stored = json.loads(text)
    skips = (frozenset(stored.get(name, ())) for name in ("skip_hours", "skip_days"))
    return PollHints(stored.get("ttl_minutes"), *skips)


def dump_features(fingerprint: Fingerprint) -> str:
    """What there is, but for what has its own column."""
    features = asdict(replace(fingerprint, amounts=_finite(fingerprint.amounts)))
    for column in ("simhash", "text_sha256"):
        del features[column]
    return dump({name: value for name, value in features.items() if value})


def fingerprint(features: str, simhash: str, text_sha256: str) -> Fingerprint:
    stored = _known(Fingerprint, json.loads(features))
    money = tuple(Amount(**amount) for amount in stored.pop("amounts", ()))
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()
    }
    return Fingerprint(**values, simhash=int(simhash, 16), text_sha256=text_sha256, amounts=money)


def _known(record: type, stored: Mapping[str, Any]) -> dict[str, Any]:
    wanted = {field.name for field in fields(record)}
    return {name: value for name, value in stored.items() if name in wanted}
