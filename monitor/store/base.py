"""What every room of the store stands on."""

from __future__ import annotations

from monitor.store.connection import Connection


class Base:
    """Holds the connection. The Store is made of small classes like this, one per noun."""

    def __init__(self, db: Connection) -> None:
        self.db = db
