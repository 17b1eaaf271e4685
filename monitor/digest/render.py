"""A digest as subject, HTML and text: the same facts in both, the HTML within the mail clients' limits."""

from __future__ import annotations

import textwrap
import unicodedata
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import css_inline
from jinja2 import Environment, PackageLoader, StrictUndefined

from monitor.digest import labels
from monitor.digest.snippets import Snippet
from monitor.digest.view import DigestView, StoryView, view
from monitor.model import Digest

# Gmail clips a message at 102,400 bytes of HTML; the rest is room for what relays add.
MAX_HTML_BYTES = 80_000
_FONTS = {
    "en": "-apple-system, 'Segoe UI', Roboto, Helvetica, Arial, 'Hiragino Sans', Meiryo, sans-serif",
    "ja": "'Hiragino Sans', 'Hiragino Kaku Gothic ProN', 'Yu Gothic', Meiryo, 'Noto Sans CJK JP', sans-serif",
}


@dataclass(frozen=True, slots=True)
class Rendered:
    """A digest as people read it. `digest` is the one shown: stories that did not fit count in `more`."""

    subject: str
    html: str
    text: str
    digest: Digest
    view: DigestView


def render(digest: Digest, *, max_html_bytes: int = MAX_HTML_BYTES) -> Rendered:
    """Subject, HTML and text of `digest`; the least important stories give way until the HTML fits."""
    shown = digest
    while True:
        seen = view(shown)
        html = _html(seen)
        size = len(html.encode())
        if size <= max_html_bytes or not shown.entries:
            return Rendered(seen.subject, html, _text(seen), shown, seen)
        # Stories are of similar size: leave out as many as the excess suggests, then look again.
        keep = min(len(shown.entries) - 1, len(shown.entries) * max_html_bytes // size)
        dropped = len(shown.entries) - keep
        shown = replace(shown, entries=shown.entries[:keep], more=shown.more + dropped)


@lru_cache(maxsize=2)
def _environment(autoescape: bool) -> Environment:
    return Environment(
        loader=PackageLoader("monitor.digest"),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _html(seen: DigestView) -> str:
    template = _environment(True).get_template("digest.html.jinja")
    raw = template.render(d=seen, w=partial(labels.word, seen.lang), fonts=_FONTS[_lang(seen)])
    # The media queries (dark mode, phones) cannot be inlined: their style element is kept. The
    # option keep_at_rules would move them before the charset, beyond where a browser looks for it.
    return css_inline.inline(raw, load_remote_stylesheets=False, minify_css=True)


def fragment(story: StoryView, lang: str) -> str:
    """One story as a piece of HTML without styles, for feeds."""
    template = _environment(True).get_template("entry.html.jinja")
    return template.render(s=story, w=partial(labels.word, lang))


def _lang(seen: DigestView) -> str:
    return "ja" if seen.lang == "ja" else "en"


# --- text ------------------------------------------------------------------------------------


def _text(seen: DigestView) -> str:
    template = _environment(False).get_template("digest.txt.jinja")
    text = template.render(
        d=seen, w=partial(labels.word, seen.lang), width=_width, quoted=_quoted, padded=_padded
    )
    return text.strip() + "\n"


def _quoted(snippet: Snippet) -> str:
    """A quote for the plain text: hits in asterisks, long lines folded, each line behind a bar."""
    marked = "".join(f"*{text}*" if is_hit else text for text, is_hit in snippet.pieces)
    return "\n".join(f"  | {line}" for line in textwrap.wrap(marked, 74, break_on_hyphens=False))


def _width(text: str) -> int:
    """Columns on a terminal: a full-width character takes two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _padded(text: str, columns: int = 34) -> str:
    return text + " " * max(1, columns - _width(text))
