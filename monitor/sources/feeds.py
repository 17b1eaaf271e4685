"""RSS 0.90–2.0, RDF, Atom 0.3/1.0 and CDF. The only file that knows feedparser.

    bytes | decode | tidy | outline: drop known (lxml) | feedparser | items

feedparser is given UTF-8 bytes in a stream (a bare string it would open as a file or URL) and no
base address: ids stay as written, links are resolved here.
"""

from __future__ import annotations

import calendar
import hashlib
import io
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import feedparser
import feedparser.mixin

from monitor import dates, text, urls
from monitor.model import ParsedFeed, ParsedItem
from monitor.sources import prune, search

log = logging.getLogger(__name__)

MAX_ENTRIES = 5_000
MAX_FEED_CHARS = 12_000_000
MAX_LOOSE_TAGS = 50_000
MAX_SUMMARY_CHARS = 2_000
MAX_CONTENT_CHARS = 200_000
MAX_GUID_CHARS = 1_000
MAX_AUTHOR_CHARS = 500
_HEADERS = {"content-type": "application/xml; charset=utf-8"}
_SY_MINUTES = {"hourly": 60, "daily": 1_440, "weekly": 10_080, "monthly": 43_200, "yearly": 525_600}
# What XML 1.0 forbids (§2.2), written plainly or as a reference: one would make the whole feed unreadable.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_FORBIDDEN_REFERENCE = re.compile(
    r"&#(?:0*(?:[0-8]|1[124-9]|2\d|3[01])|x0*(?:[0-8bcef]|1[0-9a-f])|x0*d[89a-f][0-9a-f]{2}|\d{8,}|x[0-9a-f]{7,});",
    re.I,
)
_DECLARATION = re.compile(r"<\?xml\b[^>]*>", re.I)
_PATH = re.compile(r"[^:\s]*/[^:\s]*(?::|$)|\?|[^\s:]+\.(?:s?html?|php|aspx?|cgi)\b", re.I)
_INLINE_MARKUP = re.compile(r"</?(?:a|b|i|em|strong|span|sub|sup|br|p|font|code)\b[^<>]*>", re.I)


@dataclass(frozen=True, slots=True)
class Context:
    """What reading entries needs to know of the place they come from."""

    url: str
    now: datetime
    zone: str = ""
    lang: str = ""
    country: str = ""
    atom: bool = False  # its titles say whether they are markup; RSS leaves that to be guessed
    known: frozenset[str] = frozenset()
    max_entries: int = MAX_ENTRIES

    def instant(self, raw: str) -> datetime | None:
        """A date string of this source as an instant; see dates.parse_feed_date."""
        month_first = dates.is_month_first(self.lang, self.country)
        return dates.parse_feed_date(raw, self.zone, self.now, month_first=month_first) if raw else None


def parse(document: str, root: str, context: Context) -> ParsedFeed:
    """Decoded XML to a feed. Entries whose own id is in `context.known` may be left out already."""
    problem = "" if len(document) <= MAX_FEED_CHARS else f"cut at {MAX_FEED_CHARS} characters"
    outline = _outlined(tidy(document[:MAX_FEED_CHARS]), context)
    result = _read(outline.data)
    entries = list(result.get("entries", ()))
    if not entries and not outline.well_formed and (mended := prune.mended(outline.data)):
        result = _read(mended)
        entries = list(result.get("entries", ()))
    if outline.beyond or len(entries) > context.max_entries:
        entries = entries[: context.max_entries]
        problem = f"only the first {len(entries) + outline.known} entries were read"
    about = _about(result.get("feed", {}), context)
    context = replace(context, url=context.url or about.home_url)  # a file has no address of its own
    version = str(result.get("version", ""))
    context = replace(context, lang=context.lang or about.lang, atom=version.startswith("atom"))
    items = tuple(_items(entries, outline, context))
    kind = _kind(version, root)
    if not kind and not items and not outline.total:
        return ParsedFeed("", problem=problem or f"not a feed: XML with the root element <{root}>")
    return replace(
        about, kind=kind or "rss", items=items, problem=problem, known=outline.known,
        skip_hours=outline.skips.hours, skip_days=outline.skips.days,
    )  # fmt: skip


def distinct(items: Sequence[ParsedItem]) -> tuple[ParsedItem, ...]:
    """The same items, with guids that several different pages share told apart by the page.

    A publisher who gives every entry one id would otherwise have one entry for ever.
    """
    pages: dict[str, set[str]] = {}
    for item in items:
        pages.setdefault(item.guid, set()).add(urls.canonical_url(item.url) or item.title)
    return tuple(
        item
        if len(pages[item.guid]) == 1
        else replace(item, guid=f"{item.guid} {urls.canonical_url(item.url) or content_hash(item)}")
        for item in items
    )


def content_hash(item: ParsedItem) -> str:
    """An id for an item that has none: of what it says."""
    said = "\x1f".join((item.title, item.summary, item.published_raw, item.url))
    return "content:" + hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:32]


def ttl_of_period(period: str, frequency: str) -> int | None:
    """Minutes between updates as mod_syndication gives them; daily and 1 are its defaults."""
    if not period and not frequency:
        return None
    minutes = _SY_MINUTES.get(period.strip().lower() or "daily")
    times = int(frequency) if frequency.isascii() and frequency.isdigit() else 1
    return max(1, minutes // max(1, times)) if minutes else None


def _outlined(data: bytes, context: Context) -> prune.Outline:
    """The outline; of a document with very much broken markup, that of its well-formed beginning.

    feedparser's lenient parser takes 35 µs a tag, lxml's a hundredth of it.
    """
    outline = prune.outline(data, context.known, context.max_entries)
    if outline.well_formed or data.count(b"<") + data.count(b"&") < MAX_LOOSE_TAGS:
        return outline
    return prune.outline(prune.mended(data) or b"", context.known, context.max_entries)


# --- feedparser and its traps ----------------------------------------------------------------


def tidy(document: str) -> bytes:
    """UTF-8 without what XML forbids; the declaration goes, because its encoding no longer holds."""
    document = _FORBIDDEN_REFERENCE.sub("", _FORBIDDEN.sub("", document))
    document = _DECLARATION.sub("", document[:500]) + document[500:]
    return document.lstrip().encode("utf-8", "replace")


def _read(data: bytes) -> Mapping[str, Any]:
    try:
        result: Mapping[str, Any] = feedparser.parse(
            io.BytesIO(data), response_headers=_HEADERS, sanitize_html=False, resolve_relative_uris=False
        )
    # Hostile input makes it raise nearly anything (ValueError, LookupError, RecursionError, …); what
    # was meant as a feed then simply gives nothing.
    except Exception as error:
        log.debug("feedparser failed", exc_info=error)
        return {}
    return result


def _short_author(original: Any) -> Any:
    """Its e-mail pattern takes time that grows with the square of an author's name: 5 s for 16 kB."""

    def sync(self: Any, key: str = "author") -> None:
        holder = self._get_context()
        value = dict.get(holder, key)
        if isinstance(value, str) and len(value) > MAX_AUTHOR_CHARS:
            holder[key] = value[:MAX_AUTHOR_CHARS]
        original(self, key)

    return sync


def _base_left_behind(original: Any) -> Any:
    """With no base around it, an entry's xml:base was kept for all the entries after it."""

    def end(self: Any, tag: str) -> None:
        original(self, tag)
        if not self.basestack or not self.basestack[-1]:
            self.baseuri = ""

    return end


_Mixin = feedparser.mixin._FeedParserMixin
_Mixin._sync_author_detail = _short_author(_Mixin._sync_author_detail)
_Mixin.unknown_endtag = _base_left_behind(_Mixin.unknown_endtag)


def _kind(version: str, root: str) -> str:
    if version in ("rss10", "rss090") or (not version and root == "rdf"):
        return "rdf"
    if version.startswith("atom") or (not version and root == "feed"):
        return "atom"
    return "rss" if version or root in ("rss", "channel") else ""


# --- the feed itself -------------------------------------------------------------------------


def _about(feed: Mapping[str, Any], context: Context) -> ParsedFeed:
    hubs = (
        urls.absolute(context.url, link.get("href", "")) for link in _links(feed) if link.get("rel") == "hub"
    )
    ttl = _str(feed, "ttl").strip()
    period = ttl_of_period(_str(feed, "sy_updateperiod"), _str(feed, "sy_updatefrequency").strip())
    return ParsedFeed(
        "",
        title=_title(feed, markup=True),
        home_url=urls.absolute(context.url, _str(feed, "link")),
        lang=_lang(_str(feed, "language")),
        ttl_minutes=period or (int(ttl) if ttl.isascii() and ttl.isdigit() and int(ttl[:9]) > 0 else None),
        hub_url=next((hub for hub in hubs if hub), ""),
    )


# --- entries ---------------------------------------------------------------------------------


def _items(
    entries: Sequence[Mapping[str, Any]], outline: prune.Outline, context: Context
) -> list[ParsedItem]:
    ids = outline.ids if len(outline.ids) == len(entries) else ()
    return [_item(entry, ids[n] if ids else "", context) for n, entry in enumerate(entries)]


def _item(entry: Mapping[str, Any], own_id: str, context: Context) -> ParsedItem:
    link = _link(entry, context.url)
    summary, content = _texts(entry)
    raw, published_at = _published(entry, context)
    item = ParsedItem(
        guid=text.clean_line(own_id or _str(entry, "id"), limit=MAX_GUID_CHARS),
        url=search.target(link),
        title=_title(entry, markup=not context.atom or _detail(entry, "title").get("type") != "text/plain"),
        summary=summary,
        content=content,
        published_at=published_at,
        published_raw=raw,
        author=text.clean_line(_str(entry, "author")[:MAX_AUTHOR_CHARS]),
        lang=_lang(_detail(entry, "title").get("language") or "") or context.lang,
        outlet=_outlet(entry),
    )
    return item if item.guid else replace(item, guid=urls.canonical_url(item.url) or content_hash(item))


def _link(entry: Mapping[str, Any], base: str) -> str:
    """The entry's page: its link, else an alternate of any type, else an id that is an address."""
    choices = [_str(entry, "link")]
    choices += [link.get("href", "") for link in _links(entry) if link.get("rel", "alternate") == "alternate"]
    if _raw(entry, "guidislink"):
        choices.append(_str(entry, "id"))
    guid = _str(entry, "id").strip()
    for choice in choices:
        # An id is a link only when it looks like one: resolved, "item-7" would become an address.
        if choice.strip() == guid and not urls.is_http(guid) and not _PATH.match(guid):
            continue
        if found := urls.absolute(base, choice):
            return found
    return ""


def _texts(entry: Mapping[str, Any]) -> tuple[str, str]:
    """(summary, full text), both plain; the full text is "" when the summary is all there is."""
    summary = text.plain(_str(entry, "summary")[: MAX_CONTENT_CHARS * 2])[:MAX_CONTENT_CHARS]
    bodies = [
        str(part.get("value") or "") for part in _raw(entry, "content") or () if isinstance(part, Mapping)
    ]
    longest = max(bodies, key=len, default="")
    content = text.plain(longest[: MAX_CONTENT_CHARS * 2])[:MAX_CONTENT_CHARS] if longest else ""
    if len(content) <= len(summary):
        content = summary if len(summary) > MAX_SUMMARY_CHARS else ""
    return summary[:MAX_SUMMARY_CHARS], content


def _published(entry: Mapping[str, Any], context: Context) -> tuple[str, datetime | None]:
    """The date as written and as an instant: published, else updated, else created."""
    first = ""
    for key in ("published", "updated", "created"):
        raw = text.clean_line(_str(entry, key), limit=200)
        first = first or raw
        instant = context.instant(raw)
        if instant is None and raw:
            instant = _as_feedparser_has_it(_raw(entry, f"{key}_parsed"), context.now)
        if instant:
            return raw, instant
    return first, None


def _as_feedparser_has_it(parsed: object, now: datetime) -> datetime | None:
    """Its reading of forms that dates.py does not know (Korean, Greek, Hungarian): UTC."""
    try:
        instant = datetime.fromtimestamp(calendar.timegm(parsed), UTC)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError, OSError):
        return None
    return min(instant, now) if instant > datetime(1971, 1, 1, tzinfo=UTC) else None


def _title(holder: Mapping[str, Any], *, markup: bool) -> str:
    """One plain line. Of a title that is declared plain, only what must be markup is taken out."""
    raw = _str(holder, "title")[:10_000]
    if not markup and "<" in raw and not _INLINE_MARKUP.search(raw):
        return text.clean_line(raw)
    return text.clean_line(text.plain(raw))


def _outlet(entry: Mapping[str, Any]) -> str:
    source = _raw(entry, "source")
    named = _str(source, "title") if isinstance(source, Mapping) else ""
    return text.clean_line(text.plain((named or _str(entry, "news_source"))[:500]), limit=200)


def _links(holder: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [link for link in _raw(holder, "links") or () if isinstance(link, Mapping)]


def _detail(holder: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    detail = _raw(holder, f"{key}_detail")
    return detail if isinstance(detail, Mapping) else {}


def _str(holder: Mapping[str, Any], key: str) -> str:
    value = _raw(holder, key)
    return value if isinstance(value, str) else ""


def _raw(holder: Mapping[str, Any], key: str) -> Any:
    """Past feedparser's own `get`, which passes a publication date off as an update."""
    return dict.get(holder, key) if isinstance(holder, dict) else holder.get(key)


def _lang(tag: str) -> str:
    return text.clean_line(tag, limit=40).lower().replace("_", "-")
