"""The demo's articles, and the pages and feeds made of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from html import escape
from importlib.resources import files

from monitor import yamltext

OUTLETS = {
    "gov": "Ministry of Innovation (demo)",
    "wire": "Northern Wire (demo)",
    "kagaku": "科学産業通信 (demo)",
    "local": "The Local Gazette (demo)",
}
HOSTILE_SLUG = "broken-layout"


@dataclass(frozen=True, slots=True)
class Story:
    slug: str
    outlet: str
    title: str
    text: str
    published_at: datetime

    @property
    def path(self) -> str:
        return f"/{self.outlet}/{self.slug}.html"

    @property
    def paragraphs(self) -> list[str]:
        return [part.strip() for part in self.text.strip().split("\n\n")]

    @property
    def lang(self) -> str:
        return "ja" if any("\u3041" <= char <= "\u30ff" for char in self.text) else "en"


def articles(now: datetime) -> list[Story]:
    """Every article, dated backwards from `now`."""
    text = files("monitor.demo").joinpath("articles.yaml").read_text("utf-8")
    return [
        Story(row["slug"], row["outlet"], row["title"], row["text"], now - timedelta(hours=row["hours"]))
        for row in yamltext.parse("articles.yaml", text).data
    ]


def page(story: Story, others: list[Story]) -> str:
    """An article page with everything around it that real pages have."""
    body = "\n".join(f"<p>{escape(paragraph)}</p>" for paragraph in story.paragraphs)
    related = "\n".join(f'<li><a href="{other.path}">{escape(other.title)}</a></li>' for other in others[:5])
    site = escape(OUTLETS[story.outlet])
    return f"""<!doctype html>
<html lang="{story.lang}"><head><meta charset="utf-8">
<title>{escape(story.title)} | {site}</title>
<meta property="og:title" content="{escape(story.title)}"><meta property="og:site_name" content="{site}">
<meta property="article:published_time" content="{story.published_at.isoformat()}">
</head><body>
<div class="cookie-banner">We use cookies to improve your experience. <button>Accept all</button></div>
<nav><a href="/">Home</a> <a href="/{story.outlet}/">Latest</a> <a href="/about">About</a></nav>
<main><article><h1>{escape(story.title)}</h1>
<p class="meta"><time datetime="{story.published_at.isoformat()}">{story.published_at:%d %B %Y}</time></p>
{body}
</article>
<aside><h2>Related stories</h2><ul>{related}</ul></aside></main>
<footer>© {site}. All rights reserved.</footer>
</body></html>"""


def hostile_page() -> bytes:
    """Deep nesting and one enormous line: what a parser must survive."""
    return b"<html><body>" + b"<div><table><tr><td>" * 60_000 + b"x" * 500_000


def rss(outlet: str, stories: list[Story], base: str) -> bytes:
    items = "".join(
        f"<item><title>{escape(s.title)}</title><link>{base}{s.path}?utm_source=rss</link>"
        f'<guid isPermaLink="false">{s.slug}</guid><pubDate>{format_datetime(s.published_at)}</pubDate>'
        f"<description>{escape(s.paragraphs[0])}</description></item>"
        for s in stories
    )
    return (
        f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>{escape(OUTLETS[outlet])}'
        f"</title><link>{base}/{outlet}/</link><description>News</description><ttl>30</ttl>{items}"
        "</channel></rss>"
    ).encode()


def atom(outlet: str, stories: list[Story], base: str) -> bytes:
    entries = "".join(
        f"<entry><id>tag:demo,{s.slug}</id><title>{escape(s.title)}</title>"
        f'<link href="{base}{s.path}"/><updated>{s.published_at.isoformat()}</updated>'
        f"<published>{s.published_at.isoformat()}</published>"
        f"<summary>{escape(s.paragraphs[0])}</summary></entry>"
        for s in stories
    )
    newest = max(s.published_at for s in stories).isoformat()
    return (
        f'<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom">'
        f"<id>tag:demo,{outlet}</id><title>{escape(OUTLETS[outlet])}</title><updated>{newest}</updated>"
        f"{entries}</feed>"
    ).encode()


def rdf(outlet: str, stories: list[Story], base: str) -> bytes:
    """RSS 1.0 in EUC-JP, as a number of Japanese sites still serve it."""
    items = "".join(
        f'<item rdf:about="{base}{s.path}"><title>{escape(s.title)}</title><link>{base}{s.path}</link>'
        f"<description>{escape(s.paragraphs[0])}</description>"
        f"<dc:date>{s.published_at.astimezone(timezone(timedelta(hours=9))).isoformat()}</dc:date></item>"
        for s in stories
    )
    seq = "".join(f'<rdf:li rdf:resource="{base}{s.path}"/>' for s in stories)
    text = (
        '<?xml version="1.0" encoding="EUC-JP"?>'
        '<rdf:RDF xmlns="http://purl.org/rss/1.0/" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f'<channel rdf:about="{base}/{outlet}/"><title>{escape(OUTLETS[outlet])}</title>'
        f"<link>{base}/{outlet}/</link><description>News</description>"
        f"<items><rdf:Seq>{seq}</rdf:Seq></items></channel>{items}</rdf:RDF>"
    )
    return text.encode("euc-jp", "xmlcharrefreplace")


def listing(outlet: str, stories: list[Story]) -> bytes:
    rows = "".join(
        f'<li class="story"><a href="{s.path}">{escape(s.title)}</a>'
        f' <span class="date">{s.published_at:%Y-%m-%d}</span></li>'
        for s in stories
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(OUTLETS[outlet])}</title>'
        f'</head><body><nav><a href="/">Home</a> <a href="/about">About</a></nav><main><h1>Latest</h1>'
        f'<ul id="news">{rows}</ul></main></body></html>'
    ).encode()


def broken_feed() -> bytes:
    """A feed whose server answers with an error page and status 200."""
    return b"<!doctype html><html><head><title>503</title></head><body><h1>Service unavailable</h1></body>"
