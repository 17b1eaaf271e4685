"""Rules an analyst reads: concepts, boolean expressions with proximity, scores with named parts.

`build` compiles the files, `classify` gives a verdict, `explain` shows how it came about,
`check_examples` runs the rules' own examples and `evaluate` scores labelled records.
"""

from monitor.rules.classify import classify
from monitor.rules.evaluate import Report, evaluate
from monitor.rules.examples import check_examples
from monitor.rules.explain import Explanation, explain, format_explanation
from monitor.rules.load import build
from monitor.rules.ruleset import Rule, RuleSet

__all__ = [
    "Explanation", "Report", "Rule", "RuleSet", "build", "check_examples", "classify", "evaluate", "explain",
    "format_explanation",
]  # fmt: skip
