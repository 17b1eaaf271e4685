"""config/README.md names every option with its default and one sentence, and no others.

MONITOR_UPDATE_DOCS=1 writes the tables anew from the models.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from monitor import yamltext
from monitor.settings import channels
from monitor.settings.digests_file import DigestOptions
from monitor.settings.monitor_file import MonitorSettings
from monitor.settings.sources_file import SourceEntry

README = Path(__file__).parent.parent / "config" / "README.md"
MODELS: dict[str, type[BaseModel]] = {
    "monitor": MonitorSettings,
    "file": channels.FileChannel,
    "email": channels.EmailChannel,
    "slack": channels.SlackChannel,
    "webhook": channels.WebhookChannel,
    "apprise": channels.AppriseChannel,
    "source": SourceEntry,
    "digest": DigestOptions,
    "use": channels.ChannelUse,
}


def options(model: type[BaseModel], prefix: str = "") -> dict[str, tuple[str, str]]:
    """Dotted name → (default, sentence) of every option of a model."""
    found: dict[str, tuple[str, str]] = {}
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found |= options(field.annotation, f"{prefix}{name}.")
        else:
            found[prefix + name] = (_default(field.default), field.description or "")
    return found


def _default(value: Any) -> str:
    if value is PydanticUndefined:
        return "required"
    if value is None or value in ("", (), {}):
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return f"`[{', '.join(value)}]`"
    return f"`{value}`"


def table(model: type[BaseModel]) -> str:
    rows = [f"| `{name}` | {default} | {says} |" for name, (default, says) in options(model).items()]
    return "\n".join(["| option | default | meaning |", "|---|---|---|", *rows])


def _between(name: str) -> re.Pattern[str]:
    return re.compile(rf"(<!-- options: {name} -->\n)(.*?)(<!-- end -->)", re.DOTALL)


@pytest.mark.parametrize("name", MODELS)
def test_every_option_is_documented_as_it_is(name: str) -> None:
    text = README.read_text("utf-8")
    expected = table(MODELS[name])
    if os.environ.get("MONITOR_UPDATE_DOCS"):
        text = _between(name).sub(lambda match: f"{match[1]}{expected}\n{match[3]}", text)
        README.write_text(text, "utf-8")
    match = _between(name).search(text)
    assert match, f"config/README.md has no table {name}"
    assert match[2].strip() == expected


@pytest.mark.parametrize("name", MODELS)
def test_an_option_has_one_sentence(name: str) -> None:
    for option, (_, says) in options(MODELS[name]).items():
        assert says.endswith("."), option
        assert len(says) < 140, option
        assert "|" not in says, option


def test_the_readme_has_no_table_of_something_else() -> None:
    assert set(re.findall(r"<!-- options: (\w+) -->", README.read_text("utf-8"))) == set(MODELS)


def test_the_examples_in_the_readme_are_right() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    monitor, sources, digests = (yamltext.parse("README.md", block).data for block in blocks)
    MonitorSettings.model_validate(monitor, context={"dir": "."})
    assert [SourceEntry.model_validate(entry).id for entry in sources] == ["riken", "nedo"]
    assert [DigestOptions.model_validate(entry).name for entry in digests] == ["tokyo-chips", "first-monday"]
