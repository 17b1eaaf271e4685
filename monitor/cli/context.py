"""What commands share: where the configuration and the database are, opened when first needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.errors import MonitorError

if TYPE_CHECKING:
    from monitor.rules import RuleSet
    from monitor.settings import Config


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

    def introduction(self) -> tuple[str, str]:
        """(homepage, contact) for the User-Agent; empty where there is no configuration, or a wrong one."""
        from monitor import settings

        try:
            monitor = settings.load_monitor(self.config_dir(), self.environ)
        except MonitorError:
            return "", ""
        return monitor.homepage, monitor.contact

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


pass_env = click.make_pass_decorator(Env)
