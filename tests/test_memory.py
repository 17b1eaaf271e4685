"""Memory is given back when a process holds more than it needs, and only then."""

from __future__ import annotations

import pytest

from monitor import memory
from monitor.memory import Keeper


@pytest.fixture
def resident(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Megabytes the process seems to hold; giving back halves what is above a hundred."""
    held = [100.0]

    def give_back() -> None:
        held[0] = 100 + (held[0] - 100) / 2
        held.append(held[0])

    monkeypatch.setattr(memory, "resident_mb", lambda: held[0])
    monkeypatch.setattr(memory, "give_back", give_back)
    return held


def test_a_little_more_is_left_alone(resident: list[float]) -> None:
    keeper = Keeper(step_mb=16)
    resident[0] = 115
    keeper.look()
    assert len(resident) == 1


def test_much_more_is_given_back_and_the_rest_is_the_new_measure(resident: list[float]) -> None:
    keeper = Keeper(step_mb=16)
    resident[0] = 140
    keeper.look()
    assert resident == [120, 120]
    resident[0] = 130
    keeper.look()
    assert len(resident) == 2


@pytest.mark.skipif(memory._TRIM is None or not memory.resident_mb(), reason="neither glibc nor /proc")
def test_what_was_freed_between_what_is_kept_comes_back() -> None:
    from lxml import etree

    trees = [etree.fromstring("<a>" + "<b>text</b>" * 2000 + "</a>") for _ in range(200)]
    kept = trees[::20]
    held = memory.resident_mb()
    del trees
    memory.give_back()
    assert held > 60
    assert memory.resident_mb() < held - 30
    assert len(kept) == 10
