"""The life of an item as text for a terminal: what happened to it, and what would happen today."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from monitor.rules.lifts import told as lift_told
from monitor.rules.today import PartChange, Today, outcome_of

INDENT = " " * 9
_LONGEST_CONDITION = 200
_BASIS = {
    "text": "on the text that was kept",
    "teaser": "on the title and teaser alone, the text was not kept",
}


def told(life: dict[str, Any], today: Today, basis: str) -> str:
    """Several lines, each with its kind in front; `basis` is text or teaser."""
    item = life["item"]
    lines = [
        f"item {item['id']}: {item['title']}",
        item["url"],
        *(f"seen     {row['seen_at']} in {row['source_id']}" for row in life["sightings"]),
        f"outcome  {item['outcome'] or item['status']}: {item['reason'] or '-'}",
    ]
    if life["article"]:
        lines.append(f"read     {life['article']['extracted_at']}, {life['article']['chars']} characters")
    for verdict in life["verdicts"]:
        lines += _verdict(verdict)
    lines += _today(today, basis)
    if life["story"]:
        others = len(life["story"].get("members", [])) - 1
        noun = "article" if others == 1 else "articles"
        lines.append(f"story    {life['match']['story_id']}, with {others} other {noun}")
    lines += [f"{row['decision']:<8} {row['reason']}" for row in life["joins"]]
    lines += [f"digest   {row['digest_name']} ({row['kind']}) of {row['composed_at']}: {row['role']}"
              for row in life["claims"]]  # fmt: skip
    if life["match"] and not life["claims"]:
        lines.append("digest   none yet")
    lines += [f"message  {row['status']} to {row['recipient'] or row['channel']}" for row in life["outbox"]]
    lines += [f"judged   {row['judgement']} {row['note']}".rstrip() for row in life["feedback"]]
    return "\n".join(lines)


def _verdict(verdict: dict[str, Any]) -> list[str]:
    kind = _named(outcome_of(verdict["match"], verdict["near_miss"]))
    head = f"judged   {verdict['decided_at']} on the {verdict['basis']}: {kind}, score {verdict['score']:g}"
    parts = [
        f"{INDENT}{part['weight']:+g} {part['rule']}: {part['label']}"
        + (f" [{part['quote']}]" if part["quote"] else "")
        for part in verdict["parts"]
    ]
    return [f"{head}: {verdict['why']}", *parts]


# --- today ---------------------------------------------------------------------------------


def _today(today: Today, basis: str) -> list[str]:
    now = today.verdict
    why = f": {now.why}" if today.changed or not today.then else ""
    return [
        f"today    {_BASIS[basis]}, {_rules(today)}: {_named(today.outcome)}, score {now.score:g}{why}",
        *(INDENT + line for line in _details(today)),
    ]


def _rules(today: Today) -> str:
    """Which rules decide today, and whether they decide as then."""
    which = "the same rules" if today.same_rules else "the rules as they are now"
    if not today.then:
        return f"{which}, first asked now"
    if today.then != today.outcome:
        return f"{which}, no longer {_named(today.then)}"
    return f"{which}, {'otherwise than then' if today.changed else 'as then'}"


def _details(today: Today) -> Iterator[str]:
    for sign, changes in (("now also", today.gained), ("no longer", today.lost)):
        for key, values in changes.items():
            yield f"{sign} {key}: {', '.join(values)}"
    yield from map(_part, today.parts)
    if today.verdict.match:
        return
    for account in today.rules:
        if account.result == "not met":
            missing = " and ".join(account.missing)
            yield f"{account.rule}: not met, it lacks {_cut(missing)}"
        elif account.result in ("ruled out", "below threshold"):
            yield f"{account.rule}: {account.result}, {account.score:g} of {account.threshold:g}"
    yield from (f"{lift.rule} would match: {lift_told(lift)}" for lift in today.lifts)


def _part(change: PartChange) -> str:
    was, has = (("nothing" if weight is None else f"{weight:+g}") for weight in (change.then, change.now))
    return f"{change.rule}: {change.label}: {has}, then {was}"


def _named(outcome: str) -> str:
    """An outcome of the archive in words: near miss for near-miss."""
    return outcome.replace("-", " ")


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_CONDITION else text[:_LONGEST_CONDITION] + " …"
