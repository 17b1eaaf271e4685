"""The article's text out of a tree: trafilatura, set up our way."""

from __future__ import annotations

import functools
import logging
import re
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from monitor import text
from monitor.extract.load import MAX_BYTES

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_MAX_PARAGRAPHS = 50_000
# Below so many characters trafilatura takes all text of the page in one piece. A whole Japanese report is
# that short: its characters say two to three times as much.
_MIN_CHARS = 250
_MIN_CHARS_EAST = 100
_RULE = re.compile(r"[-|\s]+")  # under a table's head
_MARKS = re.compile(r"^(?:[-•*]\s+|\|\s*)|(?:\s*\|)$")


@functools.cache
def _options(least: int) -> Any:
    """Fast, no comments, no duplicate filter: that one keeps state between pages."""
    from trafilatura.settings import DEFAULT_CONFIG, Extractor

    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # "discarding data" is an outcome, not news
    config = deepcopy(DEFAULT_CONFIG)
    config["DEFAULT"]["MAX_FILE_SIZE"] = str(MAX_BYTES)
    config["DEFAULT"]["MIN_EXTRACTED_SIZE"] = str(least)
    config["DEFAULT"]["MAX_TREE_SIZE"] = str(_MAX_PARAGRAPHS)
    return Extractor(config=config, output_format="python", fast=True, comments=False, dedup=False)


def lines_of(tree: HtmlElement) -> list[str]:
    """The text's lines, one a paragraph, list item or table row. Leaves the tree as it is."""
    from trafilatura import bare_extraction
    from trafilatura.settings import Document

    east = (tree.get("lang") or "").lower().startswith(("ja", "zh"))
    try:
        found = bare_extraction(tree, options=_options(_MIN_CHARS_EAST if east else _MIN_CHARS))
    except MemoryError:
        raise
    except Exception:  # another's fault on one page: layout.paragraphs() reads it then
        return []
    if not isinstance(found, Document) or not found.text:
        return []
    cleaned = (_MARKS.sub("", line) for line in text.clean_text(found.text).split("\n"))
    return [line for line in cleaned if line and not _RULE.fullmatch(line)]
