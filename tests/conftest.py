"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples on every machine, and no deadline for one: a busy machine refuses no change. To look for
# new examples: pytest --hypothesis-profile=explore
settings.register_profile("steady", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile("steady")


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of reference data, where the machine has one."""
    folder = os.environ.get("MONITOR_TEST_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("MONITOR_TEST_DATA names no folder of reference data")
    return Path(folder)


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests talk to this machine only; a proxy variable would send them elsewhere."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
