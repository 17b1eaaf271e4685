"""One small file for each mistake in tests/data/config/, with the exact message it must get.

A file is named after the one it stands for; `# says LINE:COLUMN: …` comments hold the messages.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor import settings
from monitor.errors import ConfigError

CASES = sorted((Path(__file__).parent / "data" / "config").glob("*.yaml"))


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_a_mistake_gets_its_message(case: Path, tmp_path: Path) -> None:
    name = case.name.partition("-")[0] + ".yaml"
    text = case.read_text("utf-8")
    (tmp_path / "sources.yaml").write_text("")
    (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        settings.load(tmp_path, {})
    path = tmp_path / name
    found = [str(problem) for problem in caught.value.problems if problem.path == str(path)]
    expected = [f"{path}:{line[7:]}" for line in text.splitlines() if line.startswith("# says ")]
    assert sorted(found) == sorted(expected)
    assert "hunter2" not in str(caught.value)
