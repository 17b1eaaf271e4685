"""Where Datasette meets our pages and our guard: one function for each of its hooks."""

from __future__ import annotations

import sqlite3
from typing import Any

from datasette import NotFound, Response, hookimpl
from markupsafe import Markup

from monitor.browse import pages
from monitor.browse.facets import DeskFacet
from monitor.browse.guard import is_readable
from monitor.browse.metadata import DATABASE
from monitor.store.words import parse

NOTHING = '""'  # an FTS query that finds nothing
_LINKS = {"item_id": "/item/{}", "story_id": "/monitor/matches_view?story_id={}"}
_LARGEST = 2**63 - 1  # SQLite's integers


def permission_allowed(datasette: Any, action: str, resource: Any) -> bool | None:
    """No SQL but the ready questions, no copy of the file, no table that is not named in the guard."""
    if action == "view-table":
        database, table = resource
        return database == DATABASE and is_readable(table)
    if action in ("execute-sql", "view-database-download"):
        return False
    return None


def prepare_connection(conn: sqlite3.Connection, database: str) -> None:
    """Datasette's search box understands what `monitor search` does, 日英 as typed."""
    if database == DATABASE:
        conn.create_function("escape_fts", 1, lambda typed: parse(str(typed)).fts() or NOTHING)


def extra_template_vars() -> dict[str, Any]:
    """Words and dates for people, in our templates and Datasette's."""
    return dict(pages.words())


def extra_css_urls() -> list[str]:
    """Our few rules on top of Datasette's own."""
    return ["/desk/desk.css"]


def render_cell(column: str, value: Any, table: str | None, database: str) -> Any:
    """Numbers of items and stories become links to what they are."""
    if database != DATABASE or not isinstance(value, int):
        return None
    link = _LINKS.get(column)
    return Markup('<a href="{}">{}</a>').format(link.format(value), value) if link else None


def register_facet_classes() -> list[type]:
    return [DeskFacet]


def register_routes() -> list[tuple[str, Any]]:
    """Our pages stand before Datasette's; the list of files, with their paths, stands nowhere."""
    return [
        (r"/$", home),
        (r"/dashboard$", dashboard),
        (r"/match/(?P<match>\d+)$", match),
        (r"/item/(?P<item>\d+)$", item),
        (r"/-/databases(\.json)?$", nowhere),
    ]


async def home(datasette: Any, request: Any) -> Any:
    return await _page(datasette, request, "home.html", await pages.home(_ask(datasette), datasette.now()))


async def dashboard(datasette: Any, request: Any) -> Any:
    content = await pages.dashboard(_ask(datasette), datasette.now())
    return await _page(datasette, request, "dashboard.html", {**content, "chart": Markup(content["chart"])})


async def match(datasette: Any, request: Any) -> Any:
    number = _number(request.url_vars["match"])
    return await _article(datasette, request, await pages.item_of(_ask(datasette), number))


async def item(datasette: Any, request: Any) -> Any:
    return await _article(datasette, request, _number(request.url_vars["item"]))


async def _article(datasette: Any, request: Any, item: int | None) -> Any:
    content = await pages.article(_ask(datasette), item) if item is not None else None
    if content is None:
        raise NotFound("The archive has no such article.")
    return await _page(datasette, request, "article.html", content)


async def nowhere(datasette: Any, request: Any) -> Any:
    raise NotFound("Not shown here.")


def _number(digits: str) -> int:
    return min(int(digits[:20]), _LARGEST)


def _ask(datasette: Any) -> pages.Ask:
    return pages.Ask(datasette.get_database(DATABASE))


async def _page(datasette: Any, request: Any, template: str, content: dict[str, Any]) -> Any:
    await datasette.ensure_permissions(request.actor, ["view-instance"])
    return Response.html(await datasette.render_template(template, content, request=request))


# Called rather than written above each function: Datasette has no types, and a decorator would lose ours.
for _hook in (
    permission_allowed,
    extra_template_vars,
    extra_css_urls,
    render_cell,
    register_facet_classes,
    register_routes,
):
    hookimpl(_hook)
hookimpl(prepare_connection, trylast=True)  # after Datasette's own escape_fts
