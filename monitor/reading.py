"""One page from bytes to verdict: the pure function that the live worker and a backfill share.

It runs in a worker process, where `prepare` has loaded the rules once; nothing here touches the
network or the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from monitor import rules
from monitor.extract import extract
from monitor.model import Document, Extracted, Verdict

_SHORT_CHARS = 200  # a page text shorter than this says less than the feed's own teaser beside it

_ruleset: rules.RuleSet | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """What is known of an article before it is read. `body` None: there is no page, read the feed's text."""

    body: bytes | None
    url: str = ""
    content_type: str = ""
    title: str = ""  # the feed's
    summary: str = ""
    content: str = ""
    published: str = ""  # as the feed dates it, "" when it does not
    lang: str = ""
    source_id: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a page said and what the rules say of it. `basis`: page, feed or teaser."""

    verdict: Verdict
    title: str
    text: str
    basis: str
    label: str  # article, teaser, json-ld or feed
    lang: str = ""
    author: str = ""
    published: str = ""
    status: str = ""  # of the extraction; "" when there was no page
    reason: str = ""


def prepare(files: Mapping[str, str]) -> None:
    """Loads the rules for this process. Raises ConfigError."""
    global _ruleset
    _ruleset = rules.build(files)


def read(page: Page) -> Reading:
    """Extracts and classifies one page. Needs `prepare` to have run in this process."""
    assert _ruleset is not None, "prepare() loads the rules first"
    return read_with(page, _ruleset)


def read_with(page: Page, ruleset: rules.RuleSet) -> Reading:
    """The same with the rules at hand."""
    extracted = _extract(page) if page.body is not None else None
    text, basis, label = best_text(page, extracted)
    title = page.title or (extracted.title if extracted else "")
    lang = (extracted.lang if extracted else "") or page.lang
    verdict = rules.classify(
        Document(
            text=text,
            title=title,
            url=page.url,
            lang=lang,
            source_id=page.source_id,
            published=page.published or (extracted.published if extracted else ""),
        ),
        ruleset,
    )
    return Reading(
        verdict=verdict,
        title=title,
        text=text,
        basis=basis,
        label=label,
        lang=lang,
        author=extracted.author if extracted else "",
        published=extracted.published if extracted else "",
        status=extracted.status if extracted else "",
        reason=extracted.reason if extracted else "",
    )


def _extract(page: Page) -> Extracted:
    assert page.body is not None
    # Metadata doubles the cost of an extraction; the feed has usually given it already.
    return extract(
        page.body,
        url=page.url,
        content_type=page.content_type,
        title=page.title,
        published=page.published,
        want_metadata=not (page.title and page.published),
    )


def best_text(page: Page, extracted: Extracted | None) -> tuple[str, str, str]:
    """The fullest honest text of an article, where it is from (basis) and its label.

    A teaser of a paywalled page, or a page that gave nothing, is read together with what the feed
    itself says; a whole article stands alone.
    """
    own = page.content if len(page.content) > len(page.summary) else page.summary
    if extracted is None or extracted.status != "ok":
        return own, "feed", "feed"
    if extracted.label != "teaser" and len(extracted.text) >= _SHORT_CHARS:
        return extracted.text, "page", extracted.label
    if len(own) > len(extracted.text):
        return own, "feed", "feed"
    if own and own not in extracted.text:
        return f"{own}\n\n{extracted.text}", "teaser", extracted.label
    return extracted.text, "teaser" if extracted.label == "teaser" else "page", extracted.label
