"""Small rule sets for tests, and the shipped one."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from monitor import rules
from monitor.model import Document, Verdict
from monitor.rules.query import ask
from monitor.rules.reading import read
from monitor.settings.load import read_rule_files

CONFIG = Path(__file__).parent.parent / "config"
PLACES = """
jp: {about: a, kind: place, home: jp, terms: "Japan; Japanese; Tokyo; 日本"}
uk: {about: a, kind: place, home: uk, terms: "UK; U.K.; Britain; London; 英国"}
us: {about: a, kind: place, home: us, terms: "US; U.S.; Washington {case}; 米国"}
japan-actor: {about: a, homes: [jp]}
uk-actor: {about: a, homes: [uk]}
us-actor: {about: a, homes: [us]}
third-actor: {about: a, homes: [other]}
"""


def built(
    when: str = "@term", concepts: str = "term: {about: a, terms: chip}", extra: str = ""
) -> rules.RuleSet:
    """A rule set of one corridor rule with this `when`."""
    text = f"rules:\n  - id: r\n    why: w\n    corridor: uk-japan\n    when: {when!r}\n{extra}"
    return rules.build({"rules.yaml": text, "concepts/a.yaml": concepts})


def found(
    when: str, text: str, title: str = "", concepts: str = "term: {about: a, terms: chip}"
) -> list[str]:
    """The places, as given in the document, where `when` holds."""
    ruleset = built(when, concepts)
    document = Document(text=text, title=title)
    reading = read(document, ruleset)
    quotes = []
    for start, end, sentence in ask(ruleset.rules[0].when, reading, ruleset):
        field, first, last = reading.place(start, end)
        quotes.append((title if field == "title" else text)[first:last] if sentence >= 0 else "")
    return quotes


@cache
def shipped() -> rules.RuleSet:
    """The rules in config/."""
    return rules.build(read_rule_files(CONFIG))


def judged(title: str, text: str, **kwargs: str) -> Verdict:
    """The shipped rules' verdict."""
    return rules.classify(Document(text=text, title=title, **kwargs), shipped())
