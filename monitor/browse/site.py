"""The web site: Datasette over the live file, read-only, with our pages, our words and our guard."""

from __future__ import annotations

import signal
import sqlite3
import time
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import uvicorn
from datasette.app import Datasette
from datasette.database import Database
from datasette.plugins import pm

from monitor.browse import plugin
from monitor.browse.guard import authorize
from monitor.browse.hosts import OwnHosts
from monitor.browse.metadata import DATABASE, metadata

HERE = Path(__file__).parent
SLOW_S = 0.2  # a count that takes longer than this …
KEEP_S = 60.0  # … is good for so long: every row of the archive is read for the counts of a page
KEPT = 300  # such counts at most
# What a view has as many rows as: its own order and columns would be worked out only to be counted.
COUNTED = {
    "select count(*) from matches_view ": "select count(*) from matches",
    "select count(*) from near_misses ": "select count(*) from items where outcome = 'near-miss'",
}
WAIT_S = 5.0  # a reader never waits for the writer, but for a checkpoint at most
SETTINGS = {
    "default_allow_sql": False,
    "allow_download": False,
    "suggest_facets": False,  # costs a query for every column; ours are chosen
    "default_facet_size": 12,
    "facet_time_limit_ms": 3000,  # for all facets of a page together; Datasette's 200 are for each
    "sql_time_limit_ms": 5000,
    "default_cache_ttl": 0,  # the worker writes all the time
    "truncate_cells_html": 300,
    "num_sql_threads": 4,
}


class Archive(Database):  # type: ignore[misc]
    """The file, opened so that nothing can be written and what is hidden reads as NULL."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._counts: dict[str, tuple[float, Any]] = {}

    async def execute(self, sql: str, params: Any = None, **named: Any) -> Any:
        """Rows are always fresh; slow counts (facets, totals) may be a minute old."""
        sql = COUNTED.get(sql, sql)
        answer = super().execute
        if "count(*)" not in sql:
            return await answer(sql, params, **named)
        return await self.kept(f"{sql}\0{params}\0{named}", lambda: answer(sql, params, **named))

    async def kept(self, key: str, work: Callable[[], Awaitable[Any]]) -> Any:
        """What `work` gives, or gave within the last minute if it was slow."""
        began = time.monotonic()
        kept = self._counts.get(key)
        if kept and began - kept[0] < KEEP_S:
            return kept[1]
        results = await work()
        if time.monotonic() - began > SLOW_S:
            if len(self._counts) >= KEPT:
                self._counts.clear()
            self._counts[key] = began, results
        return results

    def connect(self, write: bool = False) -> sqlite3.Connection:
        if write:
            raise sqlite3.OperationalError("the archive is read-only here")
        uri = f"{Path(self.path).absolute().as_uri()}?mode=ro"
        connection = sqlite3.connect(uri, uri=True, timeout=WAIT_S, check_same_thread=False)
        connection.set_authorizer(authorize)
        self._all_file_connections.append(connection)
        return connection


class Site(Datasette):  # type: ignore[misc]
    """Datasette with one database and a clock."""

    def __init__(self, path: Path, queries: Path, now: Callable[[], datetime]) -> None:
        super().__init__(
            memory=True,
            metadata=metadata(queries),
            settings=SETTINGS,
            template_dir=str(HERE / "templates"),
            static_mounts=[("desk", str(HERE / "static"))],
        )
        self.now = now
        self.remove_database("_memory")
        self.add_database(Archive(self, str(path), is_mutable=True), name=DATABASE)

    def close(self) -> None:
        """Lets go of the file."""
        self.executor.shutdown()
        for database in self.databases.values():
            database.close()


def build(path: Path, queries: Path, now: Callable[[], datetime]) -> Any:
    """The site over one database file; `queries` is the folder of ready questions."""
    # With rich installed, Datasette prints every local variable of every frame for each page not found.
    import_module("datasette.handle_exception").rich = None  # type: ignore[attr-defined]
    if not pm.is_registered(plugin):
        pm.register(plugin, name="monitor")
    return Site(path, queries, now)


def serve(site: Any, host: str, port: int, hosts: Collection[str] = ()) -> None:
    """Serves until SIGTERM or Ctrl-C, asked under its own names and those in `hosts` only."""
    for number in (signal.SIGINT, signal.SIGTERM):  # uvicorn stops, then raises the signal again
        signal.signal(number, lambda *_: None)
    application = OwnHosts(site.app(), host, hosts)
    uvicorn.run(application, host=host, port=port, log_level="warning", lifespan="on")
