"""Readable text, title, date, author and language of a page; trafilatura's one doorway."""

from __future__ import annotations

from monitor.extract.article import SKIPPED, extract
from monitor.extract.site import Learner, line_hash, line_hashes

__all__ = ["SKIPPED", "Learner", "extract", "line_hash", "line_hashes"]
