"""Reads the whole configuration, and reports everything wrong in it at once."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from monitor import yamltext
from monitor.digest import clock
from monitor.errors import ConfigError, Problem
from monitor.memory import give_back
from monitor.model import ChannelSpec, DigestSpec, Source
from monitor.rules import RuleSet, build
from monitor.settings import explain
from monitor.settings.channels import Channel, FileChannel
from monitor.settings.digests_file import DigestOptions
from monitor.settings.fields import Section, nearest, shown
from monitor.settings.monitor_file import MonitorSettings
from monitor.settings.secrets import Secret
from monitor.settings.sources_file import SourceEntry
from monitor.yamltext import Loc, YamlText

MONITOR, SOURCES, DIGESTS, RULES = "monitor.yaml", "sources.yaml", "digests.yaml", "rules.yaml"
RULE_FOLDERS = ("rules", "concepts")
_ANY_DAY = datetime(2026, 1, 1, tzinfo=UTC)  # a schedule fires after it, or never
EntryT = TypeVar("EntryT", bound=Section)


@dataclass(frozen=True, slots=True)
class Config:
    """A configuration that is right: what every other part is started with."""

    dir: Path
    monitor: MonitorSettings
    sources: tuple[Source, ...]
    digests: tuple[DigestSpec, ...]
    rules: RuleSet
    channels: Mapping[str, Channel]
    operator: tuple[ChannelSpec, ...]
    database: Path
    warnings: tuple[Problem, ...] = ()
    # (channel, option) → (line, column) in monitor.yaml of every secret
    secret_places: Mapping[tuple[str, str], tuple[int, int]] = field(default_factory=dict)

    def used_channels(self) -> tuple[str, ...]:
        """Names of the channels that a digest or the operator uses, sorted."""
        specs = [spec for digest in self.digests for spec in digest.channels]
        return tuple(sorted({spec.channel for spec in (*specs, *self.operator)}))

    def missing_secrets(self) -> list[Problem]:
        """A problem for each secret that a used channel needs and that is not there."""
        found = []
        for name in self.used_channels():
            for option, secret in secrets_of(self.channels[name]):
                problem = secret.problem()
                if problem:
                    message = f"channel {name}: {option}: {problem}"
                    place = self.secret_places.get((name, option), (0, 0))
                    found.append(Problem(secret.where, *place, message, "the channel cannot send without it"))
        return found

    def secret_values(self) -> list[str]:
        """Every secret that can be read now: what logs must never show."""
        secrets = [secret for channel in self.channels.values() for _, secret in secrets_of(channel)]
        return [secret.reveal() for secret in secrets if not secret.problem()]


def secrets_of(channel: Channel) -> Iterator[tuple[str, Secret]]:
    """(option, secret) of everything in a channel that is one."""
    for option in type(channel).model_fields:
        value = getattr(channel, option)
        if isinstance(value, Secret):
            yield option, value


def load(config_dir: Path, environ: Mapping[str, str], *, database: Path | None = None) -> Config:
    """The configuration in a folder. `database` replaces the one named there.

    Raises ConfigError with every problem of all its files.
    """
    found = _load(config_dir, environ, database)
    # Made anew when what was read beside them is gone: as they are they lie scattered among the tokens of
    # their file, and Python gives no region of memory back that has one object left in it. Thirty megabytes
    # at ten thousand sources.
    sources = pickle.dumps(found.sources, pickle.HIGHEST_PROTOCOL)
    found = replace(found, sources=())
    give_back()
    return replace(found, sources=pickle.loads(sources))


def _load(config_dir: Path, environ: Mapping[str, str], database: Path | None) -> Config:
    reader = _Reader(config_dir, environ)
    monitor = reader.monitor()
    sources = reader.sources(monitor)
    channels = reader.channels(monitor)
    digests = reader.digests(channels, monitor.browse_url)
    operator = reader.operator(monitor, channels)
    ruleset = reader.rules()
    if reader.problems:
        raise ConfigError(reader.problems)
    assert ruleset is not None
    return Config(
        dir=config_dir,
        monitor=monitor,
        sources=sources,
        digests=digests,
        rules=ruleset,
        channels=channels,
        operator=operator,
        database=database or monitor.database,
        warnings=tuple(reader.warnings(monitor, sources, digests)),
        secret_places=reader.secret_places(channels),
    )


def load_monitor(config_dir: Path, environ: Mapping[str, str]) -> MonitorSettings:
    """monitor.yaml alone. Raises ConfigError."""
    reader = _Reader(config_dir, environ)
    found = reader.monitor()
    if reader.problems:
        raise ConfigError(reader.problems)
    return found


def named_database(config_dir: Path, environ: Mapping[str, str]) -> Path:
    """The database that monitor.yaml names, whatever else is wrong with it; the default if it names none."""
    reader = _Reader(config_dir, environ)
    file = reader.parsed(MONITOR)
    named = file.data.get("database") if file and isinstance(file.data, dict) else None
    chosen = {"database": named} if isinstance(named, str) else {}
    return MonitorSettings.model_validate(chosen, context=reader.context(MONITOR)).database


def load_digests(config_dir: Path, environ: Mapping[str, str]) -> tuple[DigestSpec, ...]:
    """The digests alone, with the channels they name. Raises ConfigError."""
    reader = _Reader(config_dir, environ)
    monitor = reader.monitor()
    found = reader.digests(reader.channels(monitor), monitor.browse_url)
    if reader.problems:
        raise ConfigError(reader.problems)
    return found


def load_rules(config_dir: Path) -> RuleSet:
    """The rules alone, for commands that need nothing else. Raises ConfigError."""
    files = read_rule_files(config_dir)
    try:
        return build(files)
    except ConfigError as error:
        raise ConfigError(in_folder(config_dir, error.problems)) from error


def in_folder(config_dir: Path, problems: list[Problem]) -> list[Problem]:
    """The same problems, their paths below the folder of the configuration."""
    return [replace(problem, path=str(config_dir / problem.path)) for problem in problems]


def read_rule_files(config_dir: Path) -> dict[str, str]:
    """Path below the folder → text, of rules.yaml, rules/*.yaml and concepts/*.yaml. Raises ConfigError.

    Rule sets are compared by a hash of these files, which must not depend on where the folder lies.
    """
    problems: list[Problem] = []
    more = [path for folder in RULE_FOLDERS for path in _yaml_files(config_dir / folder, problems)]
    paths = [config_dir / RULES, *more]
    texts = {path.relative_to(config_dir).as_posix(): _read(path, problems) for path in paths}
    if problems:
        raise ConfigError(problems)
    return {path: text or "" for path, text in texts.items()}


def _yaml_files(folder: Path, problems: list[Problem]) -> list[Path]:
    """What a folder holds, [] where there is none: glob() alone takes one that cannot be read for empty."""
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == ".yaml")
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        problem = f"the folder cannot be read: {error.strerror}"
        problems.append(Problem(str(folder), 0, 0, problem, "let this user read it (chmod -R a+rX)"))
        return []


def _read(path: Path, problems: list[Problem]) -> str | None:
    """The text of a file; None and a problem when there is none."""
    try:
        return path.read_text("utf-8-sig")
    except FileNotFoundError:
        problems.append(
            Problem(str(path), 0, 0, "the file is missing", "monitor init DIR writes a complete set")
        )
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        problems.append(Problem(str(path), line, 0, "not UTF-8", "save the file as UTF-8"))
    except OSError as error:
        hint = "the user that runs the monitor must be able to read it"
        problems.append(Problem(str(path), 0, 0, f"cannot be read: {error.strerror}", hint))
    return None


class _Reader:
    """Collects problems while it reads one file after the other."""

    def __init__(self, config_dir: Path, environ: Mapping[str, str]) -> None:
        self.dir = config_dir
        self.environ = environ
        self.problems: list[Problem] = []
        self._files: dict[str, YamlText] = {}

    def monitor(self) -> MonitorSettings:
        """Defaults where the file is missing or wrong, so that the other files can be checked too."""
        if not (self.dir / MONITOR).exists():
            self._files[MONITOR] = YamlText(str(self.dir / MONITOR), {}, {})
        file = self.parsed(MONITOR)
        found = self._validated(file, (), file.data, MonitorSettings) if file else None
        return found or MonitorSettings.model_validate({}, context=self.context(MONITOR))

    def channels(self, monitor: MonitorSettings) -> dict[str, Channel]:
        """Those of monitor.yaml, and the one that is always there."""
        always = FileChannel.model_validate({"kind": "file"}, context=self.context(MONITOR))
        return {"file": always, **monitor.channels}

    def secret_places(self, channels: Mapping[str, Channel]) -> dict[tuple[str, str], tuple[int, int]]:
        file = self._files[MONITOR]
        return {
            (name, option): file.place(("channels", name, option))
            for name, channel in channels.items()
            for option, _ in secrets_of(channel)
        }

    def sources(self, monitor: MonitorSettings) -> tuple[Source, ...]:
        entries = self._entries(SOURCES, SourceEntry, "id")
        self._refuse_repeats(SOURCES, "url", "is polled twice")
        return tuple(
            entry.to_source(
                restricted=monitor.restricted_sources,
                floor_minutes=monitor.poll.floor_minutes,
                cap_minutes=monitor.poll.cap_minutes,
            )
            for _, entry in entries
        )

    def digests(self, channels: Mapping[str, Channel], browse_url: str) -> tuple[DigestSpec, ...]:
        specs = []
        entries = self._entries(DIGESTS, DigestOptions, "name")
        for n, raw in self._raw(DIGESTS):
            self._check_uses(DIGESTS, (n, "channels"), raw.get("channels"), channels)
        for n, entry in entries:
            spec = entry.to_spec(channels, browse_url)
            self._check_fires(n, spec)
            specs.append(spec)
        return tuple(specs)

    def operator(self, monitor: MonitorSettings, channels: Mapping[str, Channel]) -> tuple[ChannelSpec, ...]:
        file = self._files.get(MONITOR)
        if file and isinstance(file.data, dict):
            self._check_uses(MONITOR, ("operator",), file.data.get("operator"), channels)
        return tuple(
            ChannelSpec(use.channel, channels[use.channel].kind, use.recipients)
            for use in monitor.operator
            if use.channel in channels
        )

    def rules(self) -> RuleSet | None:
        try:
            return load_rules(self.dir)
        except ConfigError as error:
            self.problems += error.problems
            return None

    def warnings(
        self, monitor: MonitorSettings, sources: tuple[Source, ...], digests: tuple[DigestSpec, ...]
    ) -> Iterator[Problem]:
        """What works, but hardly as meant."""
        if not monitor.contact:
            hint = "write contact: you@example.org, so that a site can reach you before it blocks you"
            yield Problem(str(self.dir / MONITOR), 0, 0, "no contact is set", hint)
        if not any(source.enabled for source in sources):
            yield Problem(str(self.dir / SOURCES), 0, 0, "no source is polled", "add one, or enable one")
        if not digests:
            yield Problem(str(self.dir / DIGESTS), 0, 0, "no digest is configured", "nothing will be sent")

    # --- one file ---

    def context(self, name: str) -> dict[str, Any]:
        return {"dir": self.dir, "environ": self.environ, "path": str(self.dir / name)}

    def parsed(self, name: str) -> YamlText | None:
        if name not in self._files:
            text = _read(self.dir / name, self.problems)
            if text is None:
                return None
            try:
                self._files[name] = yamltext.parse(str(self.dir / name), text)
            except ConfigError as error:
                self.problems += error.problems
                return None
        return self._files[name]

    def _validated(self, file: YamlText, root: Loc, data: Any, model: type[EntryT]) -> EntryT | None:
        try:
            return model.model_validate(data, context=self.context(Path(file.path).name))
        except ValidationError as error:
            self.problems += explain.problems(file, root, error, model)
            return None

    def _entries(self, name: str, model: type[EntryT], key: str) -> list[tuple[int, EntryT]]:
        """The right entries of a file that is one list, with their numbers; the others are problems."""
        file = self.parsed(name)
        if file is None or file.data is None:
            return []
        if not isinstance(file.data, list):
            self.problems.append(file.problem((), f"must be a list of '- {key}: …' entries"))
            return []
        self._refuse_repeats(name, key, "stands twice")
        found = [(n, self._validated(file, (n,), entry, model)) for n, entry in enumerate(file.data)]
        return [(n, entry) for n, entry in found if entry is not None]

    def _raw(self, name: str) -> list[tuple[int, dict[str, Any]]]:
        """The entries of a list as they stand, right or wrong."""
        file = self._files.get(name)
        data = file.data if file and isinstance(file.data, list) else []
        return [(n, entry) for n, entry in enumerate(data) if isinstance(entry, dict)]

    def _refuse_repeats(self, name: str, key: str, what: str) -> None:
        first: dict[str, int] = {}
        for n, entry in self._raw(name):
            value, file = entry.get(key), self._files[name]
            if not isinstance(value, str):
                continue
            if value in first:
                line = file.place((first[value], key))[0]
                self.problems.append(file.problem((n, key), f"{key} {value} {what}", f"first in line {line}"))
            first.setdefault(value, n)

    def _check_uses(self, name: str, root: Loc, uses: Any, channels: Mapping[str, Channel]) -> None:
        """Channels that exist, and recipients where, and only where, the channel has any."""
        for n, use in enumerate(uses if isinstance(uses, list) else []):
            raw = use if isinstance(use, dict) else {"channel": use}
            if isinstance(raw.get("channel"), str):
                wanted = bool(raw.get("recipients"))
                self._check_use(self._files[name], (*root, n), raw["channel"], wanted, channels)

    def _check_use(
        self, file: YamlText, loc: Loc, name: str, recipients: bool, channels: Mapping[str, Channel]
    ) -> None:
        channel = channels.get(name)
        if channel is None:
            if not self._is_wrong_itself(name):
                problem = f"channel {shown(name)} is not in {MONITOR}"
                self.problems.append(file.problem(loc, problem, nearest(name, channels)))
        elif channel.kind == "email" and not recipients:
            hint = f"write {{channel: {name}, recipients: [desk@example.org]}}"
            self.problems.append(file.problem(loc, f"channel {name} has no recipients", hint))
        elif channel.kind != "email" and recipients:
            problem = f"channel {name} of kind {channel.kind} takes no recipients"
            self.problems.append(file.problem((*loc, "recipients"), problem, "remove them"))

    def _is_wrong_itself(self, channel: str) -> bool:
        """The channel stands in monitor.yaml, and what is wrong there is reported already."""
        file = self._files.get(MONITOR)
        if file is None:
            return True
        channels = file.data.get("channels") if isinstance(file.data, dict) else None
        return isinstance(channels, dict) and channel in channels

    def _check_fires(self, n: int, spec: DigestSpec) -> None:
        try:
            clock.next_at(spec, _ANY_DAY)
        except ValueError:
            loc: Loc = (n, "cron" if spec.cron else "days")
            self.problems.append(self._files[DIGESTS].problem(loc, f"digest {spec.name} is never due"))
