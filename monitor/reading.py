"""One page from bytes to verdict: the pure function that the live worker and a backfill share.

It runs in a worker process, where `prepare` or `use` has taken the rules once; nothing here touches the
network or the database. Extraction is nine tenths of the cost, and most pages hold none of the words
a rule asks for: those are told by a look at their whole text, or a second one at what is left once the
menus are cut, and not read any further (see rules.prefilter). A share of them is read in full all the
same, so that a fault of these looks would show.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b

from monitor import rules, urls
from monitor.extract import SKIPPED as SKIPPED
from monitor.extract import extract
from monitor.extract.site import Sites
from monitor.extract.skim import skim
from monitor.model import Document, Extracted, Verdict
from monitor.rules.prefilter import Prefilter, derive

_SHORT_CHARS = 200  # a page text shorter than this says less than the feed's own teaser beside it

AUDIT_SHARE = 0.01

_ruleset: rules.RuleSet | None = None
_prefilter: Prefilter | None = None
_sites = Sites()
_audit_share = AUDIT_SHARE


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
    seen_at: datetime | None = None  # bounds dates the page gives, and fills in their year
    learn: bool = False  # lets what its site repeats be learnt and cut; an archive is read without memory


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
    audited: bool = False  # read in full although it seemed to need no reading
    audit_miss: bool = False  # ... and it was needed: the prefilter is at fault


def prepare(files: Mapping[str, str], *, prefilter: bool = False, audit_share: float = AUDIT_SHARE) -> None:
    """Compiles the rules for this process. Raises ConfigError. The rest is as `use` has it."""
    use(rules.build(files), prefilter=prefilter, audit_share=audit_share)


def use(ruleset: rules.RuleSet, *, prefilter: bool = False, audit_share: float = AUDIT_SHARE) -> None:
    """Takes compiled rules for this process.

    With `prefilter` a page that cannot match is not extracted, but for `audit_share` (0 to 1) of those.
    """
    global _ruleset, _prefilter, _audit_share, _sites
    _sites = Sites()
    _ruleset = ruleset
    _prefilter = derive(ruleset) if prefilter else None
    _audit_share = audit_share


def read(page: Page) -> Reading:
    """Extracts and classifies one page. Needs `prepare` or `use` to have run in this process.

    A page that cannot match comes back with the status SKIPPED and the feed's own text.
    """
    assert _ruleset is not None, "prepare() loads the rules first"
    looked = read_with(page, _ruleset, _prefilter)
    if looked.status != SKIPPED or not is_audited(page.url, _audit_share):
        return looked
    full = read_with(page, _ruleset)
    return replace(full, audited=True, audit_miss=full.verdict.match or full.verdict.near_miss)


def read_with(page: Page, ruleset: rules.RuleSet, prefilter: Prefilter | None = None) -> Reading:
    """The same with the rules at hand, and no audit."""
    if prefilter and page.body is not None and not may_match(page, prefilter):
        return _skipped(page, ruleset.version)
    extracted = _extract(page, prefilter) if page.body is not None else None
    if extracted and extracted.status == SKIPPED:
        return _skipped(page, ruleset.version)
    return _judged(page, extracted, ruleset)


def may_match(page: Page, prefilter: Prefilter) -> bool:
    """Whether a rule's gate could hold on the page, or on what the feed says of it."""
    text = skim(page.body or b"", page.content_type, titles=not page.title)
    if text is None:
        return True
    return prefilter.may_match(f"{_told(page)}\n{text}")


def _told(page: Page) -> str:
    """What the feed says of the article."""
    return "\n".join((page.title, page.summary, page.content))


def is_audited(url: str, share: float) -> bool:
    """Whether a page is among those read in full in any case: the same answer for a URL each time."""
    digest = blake2b(url.encode("utf-8", "surrogatepass"), digest_size=4).digest()
    return int.from_bytes(digest, "big") < share * 2**32


def _skipped(page: Page, version: str) -> Reading:
    text, basis, label = best_text(page, None)
    verdict = Verdict(match=False, near_miss=False, score=0.0, rules_version=version)
    reason = "no rule's gate can hold"
    return Reading(verdict, page.title, text, basis, label, page.lang, status=SKIPPED, reason=reason)


def _judged(page: Page, extracted: Extracted | None, ruleset: rules.RuleSet) -> Reading:
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


def _extract(page: Page, prefilter: Prefilter | None) -> Extracted:
    assert page.body is not None
    host = urls.host_of(page.url) if page.learn else ""
    # Metadata doubles the cost of an extraction; the feed has usually given it already.
    extracted = extract(
        page.body,
        url=page.url,
        content_type=page.content_type,
        title=page.title,
        published=page.published,
        want_metadata=not (page.title and page.published),
        now=page.seen_at,
        boilerplate=_sites.furniture(host) if host else frozenset(),
        worth=(lambda text: prefilter.may_match(f"{_told(page)}\n{text}")) if prefilter else None,
    )
    if host and extracted.status == "ok":
        _sites.learn(host, extracted.text)
    return extracted


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
