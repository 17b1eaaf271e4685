"""What commands share: where the configuration and the database are, opened when first needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.errors import MonitorError, StoreError

if TYPE_CHECKING:
    from monitor.rules import RuleSet
    from monitor.settings import Config
    from monitor.store import Store


@dataclass(frozen=True)
class Env:
    """The options before the command, and the environment."""

    config: str | None
    db: str | None
    verbose: bool
    environ: Mapping[str, str]

    def config_dir(self) -> Path:
        """The folder of the configuration. Raises InputError when there is none."""
        from monitor.settings import find_config

        return find_config(self.config, self.environ, Path.cwd())

    def load(self) -> Config:
        """The whole configuration, logging set up as it says. Raises ConfigError or InputError."""
        from monitor import settings

        config = settings.load(self.config_dir(), self.environ, database=self._database())
        self._log(config)
        return config

    def load_rules(self) -> RuleSet:
        """The rules alone. Raises ConfigError or InputError."""
        from monitor import settings

        return settings.load_rules(self.config_dir())

    def store(self, config: Config | None = None, *, read_only: bool = False) -> Store:
        """The database that exists already. Raises StoreError; without `config` also as `database`.

        Who only asks the archive needs no `config`: compiling the rules would be most of the answer's time.
        """
        from monitor.store import open_store

        path = config.database if config else self.database()
        if not path.exists():
            raise StoreError(f"no database at {path}; `monitor run` makes it, --db FILE names another")
        return open_store(path, read_only=read_only)

    def introduction(self) -> tuple[str, str]:
        """(homepage, contact) for the User-Agent; empty where there is no configuration, or a wrong one."""
        from monitor import settings

        try:
            monitor = settings.load_monitor(self.config_dir(), self.environ)
        except MonitorError:
            return "", ""
        return monitor.homepage, monitor.contact

    def database(self) -> Path:
        """Where the database is, whatever else is wrong. Raises ConfigError or InputError."""
        from monitor import settings

        return self._database() or settings.load_monitor(self.config_dir(), self.environ).database

    def likely_database(self) -> Path:
        """The same where monitor.yaml is wrong too: what it names as far as it can be read, else the default.

        For whoever looks after a worker that has refused the file and goes on. Raises InputError.
        """
        from monitor import settings
        from monitor.errors import ConfigError

        try:
            return self.database()
        except ConfigError:
            return settings.named_database(self.config_dir(), self.environ)

    def _database(self) -> Path | None:
        given = self.db or self.environ.get("MONITOR_DB") or ""
        return Path(given).absolute() if given else None

    def _log(self, config: Config) -> None:
        from monitor import log

        chosen = config.monitor.logging
        log.configure(
            level="debug" if self.verbose else chosen.level,
            format=chosen.format,
            secrets=config.secret_values(),
        )


def now() -> datetime:
    """The clock of commands that look at what is stored; the steps have theirs in app.py."""
    return datetime.now(UTC)


pass_env = click.make_pass_decorator(Env)
