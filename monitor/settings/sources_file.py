"""The entries of `config/sources.yaml`: one list, one entry for each place that is polled."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from monitor.model import SOURCE_KINDS, Source
from monitor.settings.fields import (
    Line,
    Regex,
    Section,
    Selector,
    Url,
    UrlOrNothing,
    ZoneOrNothing,
    fail,
    nearest,
)

_DIALECTS = {"rss", "atom", "rdf", "json", "jsonfeed", "rss2", "xml"}


def _kind(value: Any) -> str:
    if value in SOURCE_KINDS:
        return str(value)
    if str(value).lower() in _DIALECTS:
        raise fail(
            f"unknown kind {value!r}", "write feed: RSS, Atom, RDF and JSON Feed are told apart by content"
        )
    raise fail(f"unknown kind {value!r}", nearest(value, SOURCE_KINDS))


def _country(value: Any) -> str:
    word = str(value).lower()
    if isinstance(value, str) and (
        word in ("", "int") or (len(word) == 2 and word.isascii() and word.isalpha())
    ):
        if word == "uk":
            raise fail("unknown country 'uk'", "write gb, its ISO 3166 code")
        return word
    raise fail(f"unknown country {value!r}", "two letters of ISO 3166, such as gb, us, jp, or int")


class SourceEntry(Section):
    """One source."""

    id: str = Field(
        pattern=r"^[a-z0-9][a-z0-9-]{0,79}$",
        description="Its own short name: a-z, 0-9 and hyphens; never change it.",
    )
    name: Line = Field("", max_length=200, description="Its name for people; the id when empty.")
    kind: Annotated[Literal["feed", "page", "sitemap", "watch", "search"], BeforeValidator(_kind)] = Field(
        "feed",
        description="feed (RSS, Atom, RDF, JSON), page (a list of links), sitemap, watch (a changing page) "
        "or search (a news search; its links are decoded).",
    )
    url: Url = Field(description="What is polled.")
    homepage: UrlOrNothing = Field("", description="Where a person would look.")
    country: Annotated[str, BeforeValidator(_country)] = Field(
        "",
        description="Two letters of ISO 3166 (gb, us, jp) or int; its holidays are not counted as silence.",
    )
    lang: Literal["", "en", "ja"] = Field("", description="en or ja; empty when mixed.")
    category: Line = Field("", max_length=60, description="Group in the catalogue.")
    authority: Literal["official", "industry", "thinktank", "press", "aggregator"] = Field(
        "press",
        description="official, industry, thinktank, press or aggregator: who leads a story told by many.",
    )
    poll_minutes: int = Field(
        60, ge=1, le=44_640, description="Minutes between polls, as far as the site allows."
    )
    selector: Selector = Field(
        "", description="CSS selector of the links (page) or of the watched part (watch)."
    )
    link_pattern: Regex = Field(
        "", description="Regular expression searched in link targets (page, sitemap)."
    )
    timezone: ZoneOrNothing = Field(
        "", description="Zone of dates that come without one, such as Asia/Tokyo."
    )
    full_text: bool = Field(
        False, description="The feed carries whole articles; their pages are not fetched."
    )
    terms: Literal["", "restrict"] = Field(
        "", description="restrict: the publisher limits automated or commercial use; see restricted_sources."
    )
    allow_private: bool = Field(False, description="Allows loopback and private addresses, for tests.")
    enabled: bool = Field(True, description="false keeps the entry but does not poll it.")

    @model_validator(mode="after")
    def _options_fit_the_kind(self) -> SourceEntry:
        if self.kind == "page" and not (self.selector or self.link_pattern):
            raise fail("a page needs selector or link_pattern", "say which of its links are articles")
        if self.selector and self.kind not in ("page", "watch"):
            raise fail(f"selector has no meaning for kind {self.kind}", "remove it, or write kind: page")
        if self.link_pattern and self.kind not in ("page", "sitemap"):
            raise fail(f"link_pattern has no meaning for kind {self.kind}", "remove it, or write kind: page")
        return self

    def to_source(self, *, restricted: bool, floor_minutes: int, cap_minutes: int) -> Source:
        """The record, polled within floor and cap.

        `restricted` False switches it off when its terms restrict automated use.
        """
        fields = self.model_dump()
        fields["name"] = self.name or self.id
        fields["enabled"] = self.enabled and (restricted or self.terms != "restrict")
        fields["poll_minutes"] = min(max(self.poll_minutes, floor_minutes), cap_minutes)
        return Source(**fields)
