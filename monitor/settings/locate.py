"""Where the configuration is: the option, the environment, or ./config."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from monitor.errors import InputError

_MARKS = ("monitor.yaml", "sources.yaml", "rules.yaml", "digests.yaml")
_HINT = "`monitor init DIR` writes one to start from"


def find_config(option: str | None, environ: Mapping[str, str], cwd: Path) -> Path:
    """The folder with the YAML files, as given: relative paths stay short in messages.

    A folder that holds one as `config/`, as `monitor init` leaves it, is understood too.
    Raises InputError when there is none.
    """
    given = option or environ.get("MONITOR_CONFIG") or ""
    asked = Path(given) if given else Path("config")
    for folder in (asked, asked / "config"):
        try:
            if any((cwd / folder / mark).is_file() for mark in _MARKS):
                return folder
        except OSError as error:  # is_file() answers False only where it could look
            problem = f"configuration: {folder} cannot be read: {error.strerror}"
            raise InputError(f"{problem}; let this user read it (chmod -R a+rX)") from error
    if not given:
        raise InputError(f"no configuration: there is no folder ./config; {_HINT}, --config names another")
    if not (cwd / asked).is_dir():
        raise InputError(f"no configuration: {given} is not a folder; {_HINT}")
    raise InputError(f"no configuration: {given} holds none of {', '.join(_MARKS)}; {_HINT}")
