"""A right configuration becomes records; secrets are named and never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor import settings
from monitor.errors import ConfigError, InputError
from monitor.settings import Secret, load

RULES = """
rules:
- id: uk-japan
  why: The desk reads everything on chips and Japan.
  corridor: uk-japan
  when: semiconductor AND Japan
  matches: ["Japan and Britain sign a semiconductor pact"]
  ignores: ["Japan plays rugby"]
"""
CHANNELS = """
channels:
  mail:
    kind: email
    host: smtp.example.org
    username: desk
    password: {env: SMTP_PASSWORD}
    sender: Desk <desk@example.org>
  slack: {kind: slack, webhook: {file: slack.txt}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The least that can be loaded: a rule, and empty files."""
    config = tmp_path / "config"
    config.mkdir()
    (config / "rules.yaml").write_text(RULES, "utf-8")
    for name in ("monitor.yaml", "sources.yaml", "digests.yaml"):
        (config / name).write_text("", "utf-8")
    return config


def test_empty_files_are_a_working_monitor(folder: Path) -> None:
    config = load(folder, {})
    assert config.database == folder.parent / "storage" / "monitor.db"
    assert config.channels["file"].kind == "file"
    assert (config.monitor.first_run_days, config.monitor.poll.concurrency) == (7, 100)
    assert (config.sources, config.digests, config.operator) == ((), (), ())


def test_a_missing_monitor_file_means_defaults_and_missing_sources_are_a_problem(folder: Path) -> None:
    (folder / "monitor.yaml").unlink()
    (folder / "sources.yaml").unlink()
    with pytest.raises(ConfigError, match=r"sources\.yaml: the file is missing") as caught:
        load(folder, {})
    assert len(caught.value.problems) == 1


def test_an_option_with_nothing_after_it_has_its_default(folder: Path) -> None:
    (folder / "monitor.yaml").write_text("contact:\npoll:\nlimits:\n  timeout_s:\nchannels:\noperator:\n")
    monitor = load(folder, {}).monitor
    assert (monitor.contact, monitor.limits.timeout_s, monitor.channels) == ("", 30, {})


def test_paths_in_yaml_are_relative_to_the_configuration(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "monitor.yaml").write_text("database: data/x.db\n")
    monkeypatch.chdir("/")
    assert load(folder, {}).database == folder / "data" / "x.db"
    assert load(folder, {}, database=Path("other.db")).database == Path("other.db")


def test_sources_become_records(folder: Path) -> None:
    (folder / "sources.yaml").write_text(
        "- id: a\n  url: https://example.org/feed\n  country: GB\n"
        "- id: b\n  url: https://example.jp/\n  kind: page\n  selector: li > a\n  timezone: Asia/Tokyo\n"
        "  terms: restrict\n"
    )
    first, second = load(folder, {}).sources
    assert (first.name, first.country, first.kind, first.poll_minutes) == ("a", "gb", "feed", 60)
    assert (second.selector, second.timezone, second.enabled) == ("li > a", "Asia/Tokyo", True)


def test_one_switch_turns_off_sources_whose_terms_restrict(folder: Path) -> None:
    (folder / "monitor.yaml").write_text("restricted_sources: false\n")
    (folder / "sources.yaml").write_text(
        "- {id: a, url: 'https://a.example', terms: restrict}\n- {id: b, url: 'https://b.example'}\n"
    )
    assert [source.enabled for source in load(folder, {}).sources] == [False, True]


def test_no_source_is_polled_more_often_than_the_floor_or_less_often_than_the_cap(folder: Path) -> None:
    (folder / "monitor.yaml").write_text("poll: {floor_minutes: 30, cap_minutes: 600}\n")
    (folder / "sources.yaml").write_text(
        "- {id: a, url: 'https://a.example', poll_minutes: 5}\n"
        "- {id: b, url: 'https://b.example', poll_minutes: 1440}\n"
    )
    assert [source.poll_minutes for source in load(folder, {}).sources] == [30, 600]


def test_digests_become_records_with_their_channels(folder: Path) -> None:
    (folder / "monitor.yaml").write_text(CHANNELS + "operator: [slack]\nbrowse_url: http://desk.example/\n")
    (folder / "digests.yaml").write_text(
        "- {name: london, at: 8:00, zone: Europe/London}\n"
        "- name: tokyo\n  cron: 30 7 * * mon-fri\n  zone: Asia/Tokyo\n  lang: ja\n  quiet: 22:00 - 7:00\n"
        "  channels: [slack, {channel: mail, recipients: [a@example.org]}]\n"
    )
    config = load(folder, {})
    london, tokyo = config.digests
    assert (london.at, london.title, london.browse_url) == ("08:00", "london", "http://desk.example/")
    assert [(use.channel, use.kind) for use in london.channels] == [("file", "file")]
    assert [(use.kind, use.recipients) for use in tokyo.channels] == [
        ("slack", ()),
        ("email", ("a@example.org",)),
    ]
    assert (tokyo.cron, tokyo.quiet) == ("30 7 * * mon-fri", "22:00-07:00")
    assert [use.channel for use in config.operator] == ["slack"]
    assert config.used_channels() == ("file", "mail", "slack")


def test_problems_of_all_files_come_at_once(folder: Path) -> None:
    (folder / "monitor.yaml").write_text("polls: 1\n")
    (folder / "sources.yaml").write_text("- id: a\n")
    (folder / "digests.yaml").write_text("- name: a\n  zone: Nowhere\n")
    (folder / "rules.yaml").write_text("- id: [\n")
    with pytest.raises(ConfigError) as caught:
        load(folder, {})
    names = {Path(problem.path).name for problem in caught.value.problems}
    assert names == {"monitor.yaml", "sources.yaml", "digests.yaml", "rules.yaml"}


def test_rules_are_read_from_their_folder_too(folder: Path) -> None:
    (folder / "rules").mkdir()
    (folder / "rules" / "more.yaml").write_text("rules:\n- {id: m, why: w, topic: ai, when: robot}\n")
    assert {rule.id for rule in load(folder, {}).rules.rules} > {"m"}
    (folder / "rules" / "more.yaml").write_text("rules:\n- {id: m, why: w, topic: ai, when: '@robot'}\n")
    with pytest.raises(ConfigError) as caught:
        load(folder, {})
    assert [(p.path, p.line) for p in caught.value.problems] == [(str(folder / "rules/more.yaml"), 2)]


def test_a_file_that_is_not_utf8_names_the_line(folder: Path) -> None:
    (folder / "sources.yaml").write_bytes("# 出典\n# 半導体\n".encode("shift_jis"))
    with pytest.raises(ConfigError, match=r"sources\.yaml:1: not UTF-8; save the file as UTF-8"):
        load(folder, {})


# --- secrets ---


def test_a_secret_is_read_from_the_environment_or_a_file(folder: Path) -> None:
    (folder / "monitor.yaml").write_text(CHANNELS)
    (folder / "slack.txt").write_text("https://hooks.example/T0\n")
    channels = load(folder, {"SMTP_PASSWORD": "geheim"}).channels
    assert channels["mail"].password.reveal() == "geheim"  # type: ignore[union-attr]
    assert channels["slack"].webhook.reveal() == "https://hooks.example/T0"  # type: ignore[union-attr]


def test_a_secret_shows_only_its_name(folder: Path) -> None:
    (folder / "monitor.yaml").write_text(CHANNELS)
    (folder / "slack.txt").write_text("geheim-2\n")
    config = load(folder, {"SMTP_PASSWORD": "geheim-1"})
    for shown in (repr(config), str(config), repr(config.channels), f"{config.monitor}"):
        assert "geheim" not in shown
    assert "SMTP_PASSWORD" in repr(config.channels["mail"])
    assert config.secret_values() == ["geheim-1", "geheim-2"]


def test_a_missing_secret_matters_only_where_it_is_used(folder: Path) -> None:
    (folder / "monitor.yaml").write_text(CHANNELS)
    assert load(folder, {}).missing_secrets() == []
    (folder / "digests.yaml").write_text("- name: a\n  channels: [slack]\n")
    config = load(folder, {})
    (problem,) = config.missing_secrets()
    assert "channel slack: webhook: secret file" in problem.message
    with pytest.raises(ConfigError, match="SMTP_PASSWORD is not set; set SMTP_PASSWORD where"):
        config.channels["mail"].password.reveal()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "is empty"), (b"\xff\xfe\xff", "is not text"), (b"x" * 70_000, "is larger than")],
)
def test_a_secret_file_that_cannot_be_one(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "secret"
    path.write_bytes(content)
    assert says in Secret(file=path, environ={}).problem()


# --- where the configuration is ---


def test_the_option_wins_over_the_environment_and_the_folder(tmp_path: Path) -> None:
    for name in ("config", "a", "b/config"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "sources.yaml").touch()
    assert settings.find_config(None, {}, tmp_path) == Path("config")
    assert settings.find_config(None, {"MONITOR_CONFIG": "a"}, tmp_path) == Path("a")
    assert settings.find_config("b", {"MONITOR_CONFIG": "a"}, tmp_path) == Path("b/config")


@pytest.mark.parametrize("option", [None, "missing", "empty"])
def test_no_configuration_points_to_init(tmp_path: Path, option: str | None) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="monitor init DIR"):
        settings.find_config(option, {}, tmp_path)
