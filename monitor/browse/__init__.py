"""`monitor browse`: the archive in a web browser, by Datasette (the extra `browse`).

    guard     what nobody may read here, enforced by SQLite itself
    hosts     under which names it answers
    metadata  titles, descriptions, facets and ready questions, from the schema's comments
    asked     the questions our own pages ask
    pages     home, dashboard and the page of one article
    plugin    where Datasette meets these
    site      puts them together

Nothing here writes, and nothing here is needed by the worker.
"""

from __future__ import annotations

HINT = "`monitor browse` needs Datasette: pip install -c constraints.txt 'japan-tech-monitor[browse]'"
