"""Runs the command line inside the test, with real streams and a folder of its own."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitor import cli

RULES = """
rules:
- id: uk-japan
  why: The desk reads everything on chips and Japan.
  corridor: uk-japan
  when: semiconductor AND Japan
  matches: ["Japan and Britain sign a semiconductor pact"]
  ignores: ["Japan plays rugby"]
- id: chips
  why: What it is about.
  topic: semiconductors
  when: semiconductor
  matches: ["A semiconductor pact"]
  ignores: ["A rugby pact"]
"""


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


def write_config(folder: Path, **files: str) -> Path:
    """A small configuration; `sources="…"` gives the text of sources.yaml."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {
        "monitor": "contact: t@example.org\n",
        "sources": "",
        "digests": "",
        "rules": RULES,
        **files,
    }.items():
        (folder / f"{name}.yaml").write_text(text, "utf-8")
    return folder


def monitor(
    *arguments: str | Path, stdin: bytes = b"", cwd: Path, env: Mapping[str, str] | None = None
) -> Outcome:
    """`monitor …` in `cwd`."""
    streams = sys.stdin, sys.stdout, sys.stderr
    out, err = io.BytesIO(), io.BytesIO()
    before, environ, root = Path.cwd(), dict(os.environ), logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        os.chdir(cwd)
        os.environ.update(env or {})
        sys.stdin = io.TextIOWrapper(io.BytesIO(stdin))
        sys.stdout, sys.stderr = io.TextIOWrapper(out), io.TextIOWrapper(err)
        code = cli.main([str(argument) for argument in arguments])
        sys.stdout.flush()
        sys.stderr.flush()
        shown = out.getvalue().decode("utf-8"), err.getvalue().decode("utf-8")
    finally:
        sys.stdin, sys.stdout, sys.stderr = streams
        os.chdir(before)
        os.environ.clear()
        os.environ.update(environ)
        root.handlers[:] = handlers
        root.setLevel(level)
        logging.captureWarnings(False)
    return Outcome(code, *shown)
