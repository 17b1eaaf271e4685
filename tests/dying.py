"""Work that costs its process. Imported there, so it imports little."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitor.reading import Page, Reading


def once(path: str) -> str:
    """Dies unless it was tried before, and always of a path that ends in "always"."""
    if not Path(path).exists() or path.endswith("always"):
        Path(path).touch()
        os._exit(9)
    return Path(path).name


def of_page_two(page: Page) -> Reading:
    """Reads a page, but for the one whose address ends in /2."""
    from monitor import reading

    if page.url.endswith("/2"):
        os._exit(9)
    return reading.read(page)


def never(page: Page) -> Reading:
    """Takes forever."""
    time.sleep(3600)
    raise AssertionError(page)
