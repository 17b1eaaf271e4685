"""A period of the past, for whoever asks: sent once, and nothing else is different afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from monitor import store as stores
from monitor.errors import InputError
from monitor.model import ChannelSpec
from monitor.outbox import Requested, aimed, compose, preview, request
from monitor.store import Store
from tests import smtp_server
from tests.cli import Outcome, monitor, write_config
from tests.fakes import spec
from tests.store_kit import DAY, HOUR, METI, NIKKEI, NOW, desk, matched

DOMAINS = {"mail": "example.org"}
MORNING = NOW + DAY - HOUR
LATER = NOW + 30 * DAY


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A desk whose morning digest has reported two stories, long ago."""
    with stores.open_store(tmp_path / "monitor.db") as opened:
        desk(opened)
        compose(opened, [spec()], NOW)
        matched(opened, METI, 1, at=NOW + HOUR, title="Early")
        matched(opened, METI, 2, at=NOW + 2 * HOUR, title="Late")
        compose(opened, [spec()], MORNING)
        yield opened


def asked(store: Store, made: Any = None, **changes: Any) -> Requested:
    spans: dict[str, Any] = {"since": NOW, "until": NOW + 3 * HOUR, "now": LATER, "domains": DOMAINS}
    return request(store, made or spec(), **(spans | changes))


def rows(store: Store) -> list[dict[str, Any]]:
    return [dict(row) for row in store.db.all("SELECT * FROM outbox WHERE digest_id LIKE '%requested%'")]


def rest(store: Store) -> list[list[tuple[Any, ...]]]:
    """What decides about every other digest."""
    tables = ("digest_state", "digest_claims", "matches")
    return [[tuple(row) for row in store.db.all(f"SELECT * FROM {table}")] for table in tables]


def test_what_was_reported_long_ago_is_written_once_more(store: Store) -> None:
    made = asked(store).composed
    assert (made.kind, made.stories, made.rows) == ("requested", 2, 1)
    assert made.digest_id == "morning|requested|2026-05-04T08:00:00Z/2026-05-04T11:00:00Z"
    (row,) = rows(store)
    assert (row["recipient"], row["status"]) == ("desk@example.org", "pending")
    shown = json.loads(row["payload"])
    for part in ("Early", "Late", "On request"):
        assert part in shown["text"]
        assert part in shown["html"]


def test_it_shows_what_a_preview_of_the_period_shows(store: Store) -> None:
    asked(store)
    until = NOW + 3 * HOUR
    expected = preview(store, spec(), until, since=NOW).text.replace("Preview", "On request")
    sent = json.loads(rows(store)[0]["payload"])["text"]
    assert sent.splitlines()[:-1] == expected.splitlines()[:-1], "all but the digest's id"


def test_the_period_ends_where_it_was_said_to(store: Store) -> None:
    asked(store, until=NOW + 1.5 * HOUR)
    assert "Late" not in rows(store)[0]["payload"]


def test_no_other_digest_is_changed_by_it(store: Store) -> None:
    matched(store, NIKKEI, 3, at=MORNING + HOUR, title="Not reported yet")
    before = rest(store)
    assert asked(store, until=MORNING + 2 * HOUR).composed.stories == 3
    assert rest(store) == before
    assert store.status(LATER)["digests"][0]["last_id"].startswith("morning|scheduled")
    (next_one,) = compose(store, [spec()], MORNING + DAY).composed
    assert (next_one.stories, "Not reported yet" in next_one.text) == (1, True)


def test_the_same_period_goes_to_the_same_recipient_once(store: Store) -> None:
    first = asked(store)
    second = asked(store, now=LATER + DAY)
    assert (second.composed.rows, [row.recipient for row in second.already]) == (0, ["desk@example.org"])
    assert first.composed.digest_id == second.composed.digest_id
    assert len(rows(store)) == 1


def test_the_same_period_goes_to_another_recipient(store: Store) -> None:
    asked(store)
    both = spec(channels=(ChannelSpec("mail", "email", ("desk@example.org", "new@example.org")),))
    third = asked(store, both)
    assert third.composed.rows == 1
    assert [row.recipient for row in third.already] == ["desk@example.org"]
    assert [row["recipient"] for row in rows(store)] == ["desk@example.org", "new@example.org"]


def test_whoever_says_again_gets_it_again_as_another_mail(store: Store) -> None:
    asked(store)
    assert asked(store, again=True).composed.rows == 1
    assert len({row["message_id"] for row in rows(store)}) == 2


def test_a_period_without_stories_sends_nothing_unless_the_digest_says_so(store: Store) -> None:
    nothing = {"since": NOW - DAY, "until": NOW - HOUR}
    assert asked(store, **nothing).composed.rows == 0
    assert rows(store) == []
    assert store.db.value("SELECT count(*) FROM digests WHERE kind = 'requested'") == 0
    assert asked(store, spec(empty="send"), **nothing).composed.rows == 1


def test_its_subject_names_the_whole_period(store: Store) -> None:
    assert asked(store, until=NOW + 3 * DAY).composed.subject.endswith("· Mon 4 May – Thu 7 May")
    japanese = spec("asa", lang="ja", title="日英", zone="Asia/Tokyo")
    assert asked(store, japanese).composed.subject == "日英: 2件 · 5月4日(月)"


def test_its_files_have_names_of_their_own_and_the_feed_gains_nothing(store: Store) -> None:
    files = spec(channels=(ChannelSpec("file", "file"),))
    for since in (NOW, NOW + HOUR / 2):
        asked(store, files, since=since)
    payloads = [json.loads(row["payload"]) for row in rows(store)]
    assert len({payload["name"] for payload in payloads}) == 2
    assert all(payload["entries"] == [] for payload in payloads)


# --- to whom ---------------------------------------------------------------------------------

KINDS = {"file": "file", "post": "email", "mail": "email", "team": "slack"}
TEAM = ChannelSpec("team", "slack")


@pytest.mark.parametrize(
    ("own", "targets", "expected"),
    [
        ((TEAM,), (), (TEAM,)),
        ((TEAM,), ("me@example.org",), (ChannelSpec("post", "email", ("me@example.org",)),)),
        (
            (ChannelSpec("mail", "email", ("desk@example.org",)),),
            ("me@example.org", "you@example.org"),
            (ChannelSpec("mail", "email", ("me@example.org", "you@example.org")),),
        ),
        ((TEAM,), ("file",), (ChannelSpec("file", "file"),)),
        (
            (ChannelSpec("mail", "email", ("desk@example.org",)),),
            ("mail",),
            (ChannelSpec("mail", "email", ("desk@example.org",)),),
        ),
    ],
    ids=["its own", "an address", "by the digest's own mail", "a channel", "all of a channel"],
)
def test_a_request_can_be_for_some_alone(
    own: tuple[ChannelSpec, ...], targets: tuple[str, ...], expected: tuple[ChannelSpec, ...]
) -> None:
    assert aimed(spec(channels=own), targets, KINDS).channels == expected


@pytest.mark.parametrize(
    ("target", "kinds", "says"),
    [
        ("fax", KINDS, "no such channel: fax"),
        ("mail", KINDS, "give a mail address"),
        ("me@example.org", {"file": "file"}, "no channel of kind email"),
    ],
)
def test_a_target_that_is_none_is_told(target: str, kinds: dict[str, str], says: str) -> None:
    with pytest.raises(InputError, match=says):
        aimed(spec(channels=(TEAM,)), (target,), kinds)


# --- by hand, over a real server -------------------------------------------------------------

_MAIL = """\
contact: t@example.org
channels:
  mail: {{kind: email, host: localhost, port: {port}, username: monitor, password: {{env: REQUEST_PASSWORD}},
         sender: Desk <monitor@example.org>, ca_file: "{ca_file}"}}
"""
_PERIOD = ("--since", "2026-05-04", "--as-of", "2026-05-05")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[smtp_server.Server]:
    with smtp_server.serve(tmp_path) as running:
        yield running


@pytest.fixture
def ask(tmp_path: Path, server: smtp_server.Server) -> Any:
    """`monitor digest desk --send …` of a desk with one story of 4 May and one of 1 May."""
    write_config(
        tmp_path / "config",
        monitor=_MAIL.format(port=server.port, ca_file=server.ca_file),
        digests="- {name: desk, channels: [file, {channel: mail, recipients: [desk@example.org]}]}\n",
    )
    with stores.open_store(tmp_path / "monitor.db") as opened:
        desk(opened)
        matched(opened, METI, 1, at=NOW, title="Of that Monday")
        matched(opened, METI, 2, at=NOW - 3 * DAY, title="Of the Friday before")

    def run(*arguments: str) -> Outcome:
        secret = {"REQUEST_PASSWORD": smtp_server.PASSWORD}
        start = ("--db", "monitor.db", "digest", "desk")
        return monitor(*start, *arguments, cwd=tmp_path, env=secret)

    return run


def received(server: smtp_server.Server) -> list[EmailMessage]:
    return [message_from_bytes(body, policy=policy.default) for body in server.mailbox.bodies]


def test_an_analyst_mails_an_old_period_to_herself(ask: Any, server: smtp_server.Server) -> None:
    done = ask("--send", *_PERIOD, "--to", "me@example.org")
    assert done.code == 0, done.err
    assert "digest desk (requested): stories 1, messages 1" in done.err
    (envelope,) = server.mailbox.envelopes
    assert envelope.rcpt_tos == ["me@example.org"], "the desk is left alone"
    (message,) = received(server)
    assert message["To"] == "me@example.org"
    for kind in ("plain", "html"):
        text = message.get_body((kind,)).get_content()
        assert "Of that Monday" in text
        assert "Of the Friday before" not in text

    again = ask("--send", *_PERIOD, "--to", "me@example.org")
    assert again.code == 0
    assert "me@example.org by mail: has this period from an earlier request" in again.err
    assert len(server.mailbox.envelopes) == 1

    assert ask("--send", *_PERIOD, "--to", "me@example.org", "--again").code == 0
    first, second = received(server)
    assert first["Message-ID"] != second["Message-ID"]


def test_a_week_counts_back_from_the_moment_that_was_named(ask: Any, server: smtp_server.Server) -> None:
    done = ask("--send", "--since", "1w", "--as-of", "2026-05-05", "--to", "me@example.org")
    assert "stories 2, messages 1" in done.err
    (message,) = received(server)
    assert message["X-Digest-Id"] == "desk|requested|2026-04-28T00:00:00Z/2026-05-05T00:00:00Z"
    shown = ask("--since", "1w", "--as-of", "2026-05-05")
    assert "Of that Monday" in shown.out
    assert "Of the Friday before" in shown.out


def test_without_a_target_it_goes_where_the_digest_goes(
    ask: Any, server: smtp_server.Server, tmp_path: Path
) -> None:
    done = ask("--send", *_PERIOD)
    assert "stories 1, messages 2" in done.err
    assert [envelope.rcpt_tos for envelope in server.mailbox.envelopes] == [["desk@example.org"]]
    written = {path.name for path in tmp_path.rglob("desk-*.html")}
    assert written == {"desk-2026-05-05-0000-requested-since-2026-05-04-0000.html"}


def test_a_period_in_which_nothing_matched_sends_nothing(ask: Any, server: smtp_server.Server) -> None:
    done = ask("--send", "--since", "2026-03-01", "--as-of", "2026-03-02")
    assert (done.code, done.err.splitlines()[-1]) == (0, "nothing matched in this period: nothing to send")
    assert server.mailbox.envelopes == []


def test_a_refused_address_is_told_by_the_exit_code(ask: Any, server: smtp_server.Server) -> None:
    server.mailbox.rcpt_replies["gone@example.org"] = "550 5.1.1 no such user"
    done = ask("--send", *_PERIOD, "--to", "gone@example.org")
    assert done.code == 1
    assert "550 5.1.1 no such user" in done.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--send", *_PERIOD, "--preview", "x.html"], "exclude each other"),
        (["--send", "--as-of", "2026-05-05"], "needs --since"),
        (["--send", "--since", "2026-05-06", "--as-of", "2026-05-05"], "must lie before"),
        (["--send", "--since", "2026-05-06", "--as-of", "2999-01-01"], "in the future"),
        (["--since", "1d", "--to", "me@example.org"], "go with --send --since"),
        (["--send", "--again"], "go with --send --since"),
        (["--send", *_PERIOD, "--to", "a b@example.org"], "is not a mail address"),
        (["--send", *_PERIOD, "--to", "fax"], "no such channel: fax"),
    ],
)
def test_a_wish_that_makes_no_sense_is_exit_2(
    ask: Any, server: smtp_server.Server, arguments: list[str], says: str
) -> None:
    done = ask(*arguments)
    assert (done.code, says in done.err) == (2, True), done.err
    assert server.mailbox.envelopes == []


def test_the_digest_whose_period_is_sent_has_to_be_named(ask: Any, tmp_path: Path) -> None:
    done = monitor("digest", "--send", *_PERIOD, cwd=tmp_path)
    assert (done.code, "name the digest" in done.err) == (2, True), done.err
