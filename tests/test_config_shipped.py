"""What ships in config/ is right, complete and polite."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from monitor.settings import Config, load

CONFIG = Path(__file__).parent.parent / "config"


@pytest.fixture(scope="module")
def shipped() -> Config:
    return load(CONFIG, {})


def test_it_loads_without_a_problem_and_asks_for_a_contact(shipped: Config) -> None:
    assert [warning.message for warning in shipped.warnings] == ["no contact is set"]


def test_two_digests_at_eight_where_their_readers_are(shipped: Config) -> None:
    clocks = [(spec.name, spec.at, spec.zone, spec.lang) for spec in shipped.digests]
    assert clocks == [("london", "08:00", "Europe/London", "en"), ("tokyo", "08:00", "Asia/Tokyo", "ja")]
    assert all(use.kind == "file" for spec in shipped.digests for use in spec.channels)


def test_it_polls_everything_and_says_what_each_source_is(shipped: Config) -> None:
    assert len(shipped.sources) == 134
    for source in shipped.sources:
        assert source.enabled, source.id
        assert source.name, source.id
        assert source.country, source.id
        assert source.lang, source.id
        assert source.category, source.id


def test_japanese_dates_without_a_zone_are_japanese(shipped: Config) -> None:
    for source in shipped.sources:
        if source.country == "jp" and source.kind != "search":
            assert source.timezone == "Asia/Tokyo", source.id


def test_search_engines_whose_terms_restrict_are_marked(shipped: Config) -> None:
    marked = {source.id for source in shipped.sources if source.terms == "restrict"}
    assert {source.id for source in shipped.sources if "news.google.com" in source.url} < marked
    assert len(marked) == 37


def test_every_address_of_the_catalogue_is_there(shipped: Config, test_data: Path) -> None:
    catalogue = YAML(typ="safe", pure=True).load(test_data / "sources.yaml")
    wanted = {entry["url"] for entry in catalogue if entry["confidence"] in ("high", "medium")}
    assert wanted == {source.url for source in shipped.sources}
