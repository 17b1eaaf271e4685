"""The article's text out of a tree: trafilatura, set up our way."""

from __future__ import annotations

import functools
import logging
import re
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from monitor import text
from monitor.extract.layout import fold
from monitor.extract.load import MAX_BYTES

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_MAX_PARAGRAPHS = 50_000
_MARKS = re.compile(r"^(?:[-•*]\s+|\|\s*)|(?:\s*\|)$")


@functools.cache
def _options() -> Any:
    """Fast, no comments, no duplicate filter: that one keeps state between pages."""
    from trafilatura.settings import DEFAULT_CONFIG, Extractor

    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # "discarding data" is an outcome, not news
    config = deepcopy(DEFAULT_CONFIG)
    config["DEFAULT"]["MAX_FILE_SIZE"] = str(MAX_BYTES)
    config["DEFAULT"]["MAX_TREE_SIZE"] = str(_MAX_PARAGRAPHS)
    return Extractor(config=config, output_format="python", fast=True, comments=False, dedup=False)


def lines_of(tree: HtmlElement) -> tuple[list[str], frozenset[str]]:
    """The text's lines, and which of them (folded) are headings. Changes the tree."""
    from trafilatura import bare_extraction

    found = bare_extraction(tree, options=_options())
    if found is None or not found.text:
        return [], frozenset()
    headings = frozenset(fold("".join(head.itertext())) for head in found.body.iter("head"))
    cleaned = (_MARKS.sub("", line) for line in text.clean_text(found.text).split("\n"))
    return [line for line in cleaned if line], headings
