"""The database: one SQLite file, described in storage/README.md.

`open_store(path)` gives a Store; its methods are grouped by noun in the files of this folder.
A method that writes is one transaction; `with store.write():` makes one of several.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType

from monitor.store.backfill import Backfill
from monitor.store.clock import Clock
from monitor.store.connection import Connection, connect
from monitor.store.digests import Digests
from monitor.store.feedback import Feedback
from monitor.store.housekeeping import Housekeeping
from monitor.store.life import Life
from monitor.store.matches import Matches, MatchFilter
from monitor.store.migrations import migrate
from monitor.store.outbox import Outbox
from monitor.store.search import Search
from monitor.store.service import Service
from monitor.store.sources import Sources
from monitor.store.status import Status
from monitor.store.stories import Stories

__all__ = ["MatchFilter", "Store", "open", "open_store"]


class Store(
    Sources,
    Backfill,  # and Items
    Stories,
    Digests,
    Outbox,
    Matches,
    Search,
    Life,
    Feedback,
    Status,
    Service,
    Clock,
    Housekeeping,
):
    """Everything the monitor remembers. Bound to the thread that opened it; raises only StoreError."""

    def __init__(self, db: Connection) -> None:
        super().__init__(db)
        self.path = db.path

    def write(self) -> AbstractContextManager[None]:
        """One transaction around several calls: all of them are kept, or none. Never await inside."""
        return self.db.write()

    def can_write(self) -> bool:
        """Whether no other program writes now. Asking waits for nobody."""
        return self.db.can_write()

    def wait_for_lock(self, seconds: float) -> None:
        """The most a call waits, and stands still, while another program writes."""
        self.db.wait_for_lock(seconds)

    def close(self) -> None:
        self.db.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_store(path: Path, *, read_only: bool = False, timeout_s: float = 30.0) -> Store:
    """Opens the database, making it or bringing it up to date first.

    `timeout_s` is how long to wait for another writer. Raises StoreError, which says what to do, when
    the file is locked, read-only, full, damaged, no database, or written by a newer program.
    """
    db = connect(path, read_only=read_only, timeout_s=timeout_s)
    try:
        migrate(db)
    except BaseException:
        db.raw.close()
        raise
    return Store(db)


open = open_store
