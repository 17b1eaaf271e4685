"""What can be read in the browser, and what cannot.

Two fences. Datasette shows only the tables and views named here and runs no SQL but the ready
questions. Behind it SQLite's own authorizer makes every hidden column NULL, so that a filter, a link,
a plugin or a later Datasette cannot open a way around.
"""

from __future__ import annotations

import sqlite3

# What people start from, then what it is made of. A table that is added later is closed until named.
READABLE = ("matches_view", "near_misses", "source_health", "stories", "items", "digests")

_ALL = frozenset({"*"})
# Addresses, messages, and texts in which a receiver or an address of the configuration may be quoted.
_OPEN_OF_OUTBOX = frozenset(
    "id digest_id digest_name channel kind subject status attempts created_at retry_at sent_at".split()
)
_HIDDEN = {
    "feedback": frozenset({"note"}),
    "fetches": _ALL,
    "runs": frozenset({"report"}),
    "sources": frozenset({"url", "permanent_url", "config"}),  # a private feed's key is in its address
    "state": _ALL,
    "sqlite_stat1": _ALL,
    "sqlite_stat4": _ALL,  # holds samples of what is indexed
}
_REFUSED = frozenset({sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH})
_PRAGMAS = frozenset(  # what Datasette and FTS5 look up; none of them changes anything
    "table_info table_xinfo foreign_key_list index_list index_info index_xinfo database_list data_version"
    " compile_options function_list module_list schema_version".split()
)


def is_readable(table: str) -> bool:
    """Whether Datasette may show this table or view."""
    return table in READABLE


def is_hidden(table: str, column: str) -> bool:
    """Whether a column reads as NULL here, also inside a view."""
    if not column:  # count(*): no column at all
        return False
    if table == "outbox":
        return column not in _OPEN_OF_OUTBOX
    hidden = _HIDDEN.get(table, frozenset())
    return hidden is _ALL or column in hidden


def authorize(
    action: int, first: str | None, second: str | None, database: str | None, source: str | None
) -> int:
    """SQLite's authorizer: called for every table, column and function a statement would touch.

    Writing is left to the read-only file to refuse: FTS5 and json_each() declare tables of their own.
    """
    if action == sqlite3.SQLITE_READ and is_hidden(first or "", second or ""):
        return sqlite3.SQLITE_IGNORE
    if action in _REFUSED or (action == sqlite3.SQLITE_PRAGMA and first not in _PRAGMAS):
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK
