"""`monitor init` and `monitor check`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.cli import RULES, monitor, write_config

MAIL = "contact: t@example.org\nchannels:\n  slack: {kind: slack, webhook: {env: HOOK}}\n"


def test_a_right_configuration_is_summed_up(tmp_path: Path) -> None:
    write_config(
        tmp_path / "config", sources="- {id: a, url: 'https://example.org'}\n", digests="- name: d\n"
    )
    done = monitor("check", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert done.out == "config: 1 sources (1 polled), 1 digests, 2 rules, 0 concepts, 4 examples: all right\n"
    (shown,) = monitor("check", "--json", cwd=tmp_path).lines
    assert shown["ok"] is True
    assert (shown["problems"], shown["counts"]["sources"], shown["counts"]["examples"]) == ([], 1, 4)


def test_every_problem_is_a_line_and_exit_2(tmp_path: Path) -> None:
    write_config(tmp_path / "config", monitor="polls: 1\n", sources="- id: a\n", digests="- name: D\n")
    done = monitor("check", cwd=tmp_path)
    assert done.code == 2
    assert [line.partition(": ")[0] for line in done.out.splitlines()] == [
        "config/digests.yaml:1:9", "config/monitor.yaml:1:1", "config/sources.yaml:1:3",
    ]  # fmt: skip
    assert done.err == "3 problems\n"
    (shown,) = monitor("check", "--json", cwd=tmp_path).lines
    assert [(entry["line"], entry["column"]) for entry in shown["problems"]] == [(1, 9), (1, 1), (1, 3)]


def test_the_rules_own_examples_are_run(tmp_path: Path) -> None:
    write_config(tmp_path / "config", rules=RULES.replace("Japan plays rugby", "Japan, a semiconductor land"))
    done = monitor("check", cwd=tmp_path)
    assert done.code == 2
    assert done.out.startswith("config/rules.yaml:3")
    assert "uk-japan" in done.out


def test_a_missing_secret_is_a_problem_when_its_channel_is_used(tmp_path: Path) -> None:
    config = write_config(
        tmp_path / "config", monitor=MAIL, sources="- {id: a, url: 'https://example.org'}\n"
    )
    (config / "digests.yaml").write_text("- name: d\n")
    assert monitor("check", cwd=tmp_path).code == 0
    (config / "digests.yaml").write_text("- {name: d, channels: [slack]}\n")
    done = monitor("check", cwd=tmp_path)
    assert done.code == 2
    line = next(n for n, text in enumerate(MAIL.splitlines(), 1) if "HOOK" in text)
    where = f"config/monitor.yaml:{line}:"
    assert where in done.out, done.out
    assert "channel slack: webhook: environment variable HOOK is not set" in done.out
    assert monitor("check", cwd=tmp_path, env={"HOOK": "https://hooks.example/x"}).code == 0


def test_without_secrets_all_else_is_still_looked_at(tmp_path: Path) -> None:
    """An image is built where its secrets are not."""
    config = write_config(
        tmp_path / "config",
        monitor="contact: a@b.example\nchannels:\n  slack: {kind: slack, webhook: {file: /nowhere/slack}}\n",
        digests="- {name: desk, channels: [slack]}\n",
    )
    assert monitor("check", cwd=tmp_path).code == 2
    assert monitor("check", "--no-secrets", cwd=tmp_path).code == 0
    (config / "sources.yaml").write_text("- {id: a, nonsense: 1}\n")
    assert "nonsense" in monitor("check", "--no-secrets", cwd=tmp_path).out


@pytest.mark.parametrize("closed", [".", "rules", "concepts"])
def test_a_folder_that_cannot_be_read_is_named_and_not_taken_for_empty(closed: str) -> None:
    with TemporaryDirectory() as name:  # pytest's own folders lie in one that only root may enter
        Path(name).chmod(0o755)
        config = write_config(Path(name) / "config")
        for folder in ("rules", "concepts"):
            (config / folder).mkdir()
        (config / closed).chmod(0o700 if os.geteuid() == 0 else 0)
        try:
            with as_nobody():
                done = monitor("check", cwd=Path(name))
        finally:
            (config / closed).chmod(0o755)
    assert done.code == 2
    assert "cannot be read: Permission denied" in done.out + done.err
    assert "chmod -R a+rX" in done.out + done.err
    assert "Traceback" not in done.err


@contextmanager
def as_nobody() -> Iterator[None]:
    """Root may read everything; nobody may not."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_a_recommendation_is_no_problem(tmp_path: Path) -> None:
    write_config(
        tmp_path / "config",
        monitor="",
        sources="- {id: a, url: 'https://example.org'}\n",
        digests="- name: d\n",
    )
    done = monitor("check", cwd=tmp_path)
    assert done.code == 0
    assert "no contact is set" in done.err


def test_init_writes_a_configuration_that_checks(tmp_path: Path) -> None:
    done = monitor("init", "desk", cwd=tmp_path)
    assert (done.code, done.out) == (0, "")
    assert monitor("--config", "desk", "check", cwd=tmp_path).code == 0
    assert monitor("check", cwd=tmp_path / "desk").code == 0


def test_init_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "desk/config").mkdir(parents=True)
    (tmp_path / "desk/config/rules.yaml").write_text("mine")
    done = monitor("init", "desk", cwd=tmp_path)
    assert done.code == 2
    assert "exists already" in done.err
    assert [path.name for path in (tmp_path / "desk/config").iterdir()] == ["rules.yaml"]


def test_init_into_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert monitor("init", "file", cwd=tmp_path).code == 2
    assert monitor("init", "file/below", cwd=tmp_path).code == 2
