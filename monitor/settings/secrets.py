"""Secrets are named in the configuration, never written: `{env: NAME}` or `{file: path}`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationInfo

from monitor.errors import ConfigError, Problem
from monitor.settings.fields import config_path, fail

MAX_FILE_BYTES = 65_536
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HOW = "write {env: NAME} or {file: /run/secrets/name} and keep the secret itself out of this file"


class Secret:
    """Where a secret is kept. Only `reveal` reads it; `str` and `repr` show its name alone."""

    __slots__ = ("_environ", "env", "file", "where")

    def __init__(
        self, *, env: str = "", file: Path | None = None, environ: Mapping[str, str], where: str = ""
    ) -> None:
        self.env = env
        self.file = file
        self.where = where  # the configuration file that names it, for messages
        self._environ = environ

    def __repr__(self) -> str:
        return f"Secret({self})"

    def __str__(self) -> str:
        return f"env: {self.env}" if self.env else f"file: {self.file}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and (self.env, self.file) == (other.env, other.file)

    def __hash__(self) -> int:
        return hash((self.env, self.file))

    def reveal(self) -> str:
        """The secret, without the line end a file gives it. Raises ConfigError when it is not there."""
        problem, value = self._read()
        if problem:
            raise ConfigError([Problem(self.where, 0, 0, problem, self._remedy())])
        return value

    def problem(self) -> str:
        """Why it cannot be read, or "" when it can."""
        return self._read()[0]

    def _read(self) -> tuple[str, str]:
        if self.env:
            value = self._environ.get(self.env, "")
            return (f"environment variable {self.env} is not set" if not value else ""), value
        assert self.file is not None
        try:
            with self.file.open("rb") as stream:
                raw = stream.read(MAX_FILE_BYTES + 1)
            value = raw.decode("utf-8-sig").rstrip("\r\n")
        except OSError as error:
            return f"secret file {self.file} cannot be read: {error.strerror}", ""
        except UnicodeDecodeError:
            return f"secret file {self.file} is not text", ""
        if len(raw) > MAX_FILE_BYTES:
            return f"secret file {self.file} is larger than {MAX_FILE_BYTES} bytes", ""
        return (f"secret file {self.file} is empty" if not value else ""), value

    def _remedy(self) -> str:
        return f"set {self.env} where the monitor is started" if self.env else "write the secret into it"


def _secret(value: Any, info: ValidationInfo) -> Secret:
    """No message repeats what was written: it may be the secret itself."""
    if isinstance(value, Secret):
        return value
    if not isinstance(value, dict):
        raise fail("a secret is named, not written here", _HOW)
    if len(value) != 1 or not ({"env", "file"} & value.keys()):
        raise fail("a secret has one key, env or file", _HOW)
    name = value.get("env", value.get("file"))
    if not isinstance(name, str) or not name.strip():
        raise fail("the name of a secret is empty or no text", _HOW)
    context = info.context or {}
    environ, where = context.get("environ", {}), context.get("path", "")
    if "file" in value:
        return Secret(file=config_path(name, info), environ=environ, where=where)
    if not _ENV_NAME.fullmatch(name):
        raise fail("env: takes the name of an environment variable", "letters, digits and _ only")
    return Secret(env=name, environ=environ, where=where)


SecretField = Annotated[Secret, BeforeValidator(_secret)]
