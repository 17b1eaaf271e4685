"""A changed configuration: noticed by its files' times, and what of it needs a restart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from monitor.settings import RULE_FOLDERS, Config

Load = Callable[[], Config]
Print = dict[str, tuple[int, int]]


class ConfigFiles:
    """The files of a configuration folder, watched by time and size."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._used = self._last = self._look()

    def settled_change(self) -> bool:
        """Whether the files differ from those in use, and nobody has written since the last look.

        An editor, or a checkout of many files, is given time to finish.
        """
        before, self._last = self._last, self._look()
        return self._last != self._used and self._last == before

    def note(self) -> None:
        """The files as they are now are those in use, or those already refused."""
        self._used = self._last = self._look()

    def _look(self) -> Print:
        found: Print = {}
        patterns = ("*.yaml", *(f"{name}/*.yaml" for name in RULE_FOLDERS))
        for path in sorted(path for pattern in patterns for path in self._folder.glob(pattern)):
            try:
                stat = path.stat()
            except OSError:
                continue  # gone between the two calls
            found[path.relative_to(self._folder).as_posix()] = (stat.st_mtime_ns, stat.st_size)
        return found


def differences(old: Config, new: Config) -> Iterator[str]:
    """What of a new configuration only a restart brings, as messages."""
    if old.database != new.database:
        yield f"the database is still {old.database}; restart to use {new.database}"
    if old.monitor.metrics != new.monitor.metrics:
        yield "metrics are served as before; restart to change that"
