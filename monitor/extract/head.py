"""What a page declares about itself in its head, collected in one walk."""

from __future__ import annotations

from dataclasses import dataclass, field

from lxml.html import HtmlElement

from monitor import text, urls
from monitor.extract.jsonld import LinkedArticle, linked_article


@dataclass(frozen=True, slots=True)
class Head:
    """`metas` maps lower-case names and properties to their first non-empty content."""

    metas: dict[str, str] = field(default_factory=dict)
    lang: str = ""  # the declared language tag, lower case
    canonical: str = ""
    title: str = ""  # the <title>
    linked: LinkedArticle = field(default_factory=LinkedArticle)

    def first(self, *names: str) -> str:
        return next((found for name in names if (found := self.metas.get(name, ""))), "")

    @property
    def site_names(self) -> list[str]:
        """What the outlet calls itself."""
        named = [self.first("og:site_name"), self.first("application-name"), self.linked.publisher]
        return [text.clean_line(name) for name in named if name]


def read_head(tree: HtmlElement, url: str) -> Head:
    metas = _metas(tree)
    title = tree.find(".//title")
    return Head(
        metas=metas,
        lang=_declared_lang(tree, metas),
        canonical=_canonical(tree, metas, url),
        title=text.clean_line(title.text or "") if title is not None else "",
        linked=linked_article(tree),
    )


def _metas(tree: HtmlElement) -> dict[str, str]:
    metas: dict[str, str] = {}
    for meta in tree.iter("meta"):
        content = (meta.get("content") or "").strip()
        if content:
            for attribute in ("property", "name", "itemprop", "http-equiv"):
                if name := meta.get(attribute):
                    metas.setdefault(name.strip().lower(), content)
    return metas


def _declared_lang(tree: HtmlElement, metas: dict[str, str]) -> str:
    root = next(tree.iter("html"), tree)
    declared = (
        root.get("lang") or root.get("xml:lang") or metas.get("og:locale") or metas.get("content-language")
    )
    return (declared or "").strip().lower().replace("_", "-")


def _canonical(tree: HtmlElement, metas: dict[str, str], url: str) -> str:
    for link in tree.iter("link"):
        if (link.get("rel") or "").strip().lower() == "canonical" and link.get("href"):
            return urls.absolute(url, link.get("href") or "")
    return urls.absolute(url, metas.get("og:url", "")) if metas.get("og:url") else ""
