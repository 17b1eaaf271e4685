"""Every match reaches each digest once: what is due is claimed, rendered and put into the outbox together."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from monitor import store as stores
from monitor.errors import StoreError
from monitor.model import ChannelSpec
from monitor.outbox import compose, message_id, outbox_key, preview
from monitor.store import Store
from tests.fakes import spec
from tests.store_kit import BBC, DAY, HOUR, METI, MINUTE, NIKKEI, NOW, desk, matched, verdict

MORNING = NOW + DAY - HOUR  # Tuesday 08:00 in London, in summer time
HIGH = verdict(priority="high")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with stores.open_store(tmp_path / "monitor.db") as opened:
        yield desk(opened)


def configured(store: Store, *specs, at: datetime = NOW) -> None:
    """A digest's window starts when it is first seen."""
    assert not compose(store, specs, at).composed


def outbox(store: Store) -> list[dict]:
    return [dict(row) for row in store.db.all("SELECT * FROM outbox ORDER BY id")]


def roles(store: Store, name: str = "morning") -> dict[int, str]:
    rows = store.db.all("SELECT match_id, role FROM digest_claims WHERE digest_name = ?", [name])
    return {row["match_id"]: row["role"] for row in rows}


# --- scheduled digests -----------------------------------------------------------------------


def test_a_digest_is_composed_when_it_is_due_and_only_then(store: Store) -> None:
    configured(store, spec())
    matched(store, METI, 1, at=NOW + HOUR)
    assert compose(store, [spec()], MORNING - MINUTE).composed == ()
    (made,) = compose(store, [spec()], MORNING).composed
    assert (made.kind, made.stories, made.rows) == ("scheduled", 1, 1)
    assert made.digest_id == "morning|scheduled|2026-05-05T07:00:00Z"
    assert compose(store, [spec()], MORNING + MINUTE).composed == ()
    assert roles(store) == {1: "new"}


def test_each_recipient_and_channel_has_its_own_row_and_key(store: Store) -> None:
    channels = (
        ChannelSpec("mail", "email", ("a@example.org", "b@example.org", "a@example.org")),
        ChannelSpec("team", "slack"),
        ChannelSpec("hook", "webhook"),
        ChannelSpec("file", "file"),
    )
    made = spec(channels=channels)
    configured(store, made)
    matched(store, METI, 1, at=NOW + HOUR)
    compose(store, [made], MORNING, domains={"mail": "example.org"})
    rows = outbox(store)
    assert [(row["channel"], row["recipient"]) for row in rows] == [
        ("mail", "a@example.org"), ("mail", "b@example.org"), ("team", ""), ("hook", ""), ("file", ""),
    ]  # fmt: skip
    assert len({row["key"] for row in rows}) == 5
    assert rows[0]["key"] == outbox_key("morning|scheduled|2026-05-05T07:00:00Z", "mail", "a@example.org")
    assert rows[0]["message_id"] == message_id(rows[0]["key"], "a@example.org", "example.org")
    assert rows[0]["message_id"].endswith("@example.org>")
    assert [bool(row["message_id"]) for row in rows] == [True, True, False, False, False]


def test_what_was_missed_while_down_is_sent_once_with_everything_in_it(store: Store) -> None:
    configured(store, spec())
    for day in range(3):
        matched(store, METI, day, at=NOW + HOUR + day * DAY)
    late = NOW + 3 * DAY + 5 * HOUR
    (made,) = compose(store, [spec()], late).composed
    assert made.stories == 3
    assert compose(store, [spec()], late + MINUTE).composed == ()


def test_nothing_from_before_a_digest_was_configured_is_sent(store: Store) -> None:
    matched(store, METI, 1, at=NOW - DAY)
    configured(store, spec())
    assert compose(store, [spec()], MORNING).composed[0].rows == 0


def test_an_empty_digest_is_skipped_but_its_hour_is_served(store: Store) -> None:
    configured(store, spec())
    (made,) = compose(store, [spec()], MORNING).composed
    assert (made.stories, made.rows) == (0, 0)
    matched(store, METI, 1, at=MORNING + MINUTE)
    assert compose(store, [spec()], MORNING + HOUR).composed == (), "the story waits for the next morning"


def test_an_empty_digest_can_say_so(store: Store) -> None:
    made = spec(empty="send")
    configured(store, made)
    compose(store, [made], MORNING)
    (row,) = outbox(store)
    assert "nothing new" in row["subject"]
    assert "0 of 4 sources read" in row["payload"]


def test_filtered_stories_are_settled_and_no_update_later(store: Store) -> None:
    made = spec(corridors=("us-japan",))
    configured(store, made)
    story = matched(store, METI, 1, at=NOW + HOUR)
    compose(store, [made], MORNING)
    assert roles(store) == {1: "filtered"}
    story_id = store.db.value("SELECT story_id FROM matches WHERE id = ?", [story])
    matched(store, BBC, 2, at=MORNING + HOUR, joins=story_id, judged=verdict(corridors=("us-japan",)))
    (entry,) = store.unclaimed("morning", MORNING + DAY)
    assert entry.update == "", "it was never shown"
    compose(store, [made], MORNING + DAY)
    assert roles(store) == {1: "filtered", 2: "new"}


def test_what_does_not_fit_is_counted_and_claimed(store: Store) -> None:
    made = spec(max_stories=2)
    configured(store, made)
    for n in range(5):
        matched(store, METI, n, at=NOW + HOUR, judged=verdict(score=float(n + 1)))
    (composed,) = compose(store, [made], MORNING).composed
    assert (composed.stories, composed.more) == (2, 3)
    assert sorted(roles(store).values()) == ["new", "new", "overflow", "overflow", "overflow"]
    assert "3 more stories did not fit" in composed.text
    assert store.unclaimed("morning", MORNING + DAY) == []


def test_a_story_that_grows_is_an_update_of_itself(store: Store) -> None:
    configured(store, spec())
    matched(store, METI, 1, at=NOW + HOUR)
    compose(store, [spec()], MORNING)
    matched(store, BBC, 2, at=MORNING + HOUR, joins=1)
    matched(store, NIKKEI, 3, at=MORNING + HOUR, joins=1)
    (made,) = compose(store, [spec()], MORNING + DAY).composed
    assert made.stories == 1
    assert "Update: +2 outlets" in made.text
    assert roles(store) == {1: "new", 2: "update", 3: "update"}


def test_two_digests_claim_for_themselves(store: Store) -> None:
    both = [spec("london"), spec("tokyo", zone="Asia/Tokyo", lang="ja")]
    configured(store, *both)
    matched(store, METI, 1, at=NOW + HOUR)
    composed = compose(store, both, NOW + DAY).composed
    assert {made.name: made.stories for made in composed} == {"london": 1, "tokyo": 1}


def test_a_digest_that_cannot_be_rendered_claims_nothing_and_harms_no_other(store: Store) -> None:
    broken = spec("broken", channels=(ChannelSpec("pigeon", "pigeon"),))
    configured(store, broken, spec())
    matched(store, METI, 1, at=NOW + HOUR)
    report = compose(store, [broken, spec()], MORNING)
    assert [name for name, _ in report.failed] == ["broken"]
    assert "pigeon" in report.failed[0][1]
    assert [made.name for made in report.composed] == ["morning"]
    assert roles(store, "broken") == {}
    mended = replace(broken, channels=(ChannelSpec("file", "file"),))
    assert compose(store, [mended], MORNING + HOUR).composed[0].stories == 1


def test_a_database_that_fails_stops_the_pass(store: Store, tmp_path: Path) -> None:
    configured(store, spec())
    matched(store, METI, 1, at=NOW + HOUR)
    with stores.open_store(tmp_path / "monitor.db", read_only=True) as reader, pytest.raises(StoreError):
        compose(reader, [spec()], MORNING)
    assert roles(store) == {}


def test_by_hand_a_digest_is_composed_now_and_the_morning_sends_the_rest(store: Store) -> None:
    configured(store, spec(), spec("other"))
    matched(store, METI, 1, at=NOW + HOUR)
    (made,) = compose(store, [spec(), spec("other")], NOW + 2 * HOUR, only="morning", force=True).composed
    assert (made.name, made.stories) == ("morning", 1)
    matched(store, METI, 2, at=NOW + 3 * HOUR)
    assert [made.stories for made in compose(store, [spec()], MORNING).composed] == [1]


def test_changed_rules_and_backfills_alert_nobody(store: Store) -> None:
    configured(store, spec())
    matched(store, METI, 1, at=NOW + HOUR, alert=False)
    assert compose(store, [spec()], MORNING).composed[0].rows == 0


# --- the first look --------------------------------------------------------------------------


def test_the_first_look_goes_to_files_alone_and_is_not_sent_again(store: Store) -> None:
    configured(store, spec())
    matched(store, METI, 1, at=NOW + MINUTE)
    (made,) = compose(store, [spec()], NOW + HOUR, first_look=True).composed
    assert made.kind == "first-look"
    assert [(row["channel"], row["kind"]) for row in outbox(store)] == [("file", "file")]
    assert compose(store, [spec()], MORNING).composed[0].rows == 0


def test_a_first_look_at_nothing_is_none(store: Store) -> None:
    assert compose(store, [spec()], NOW, first_look=True).composed == ()


# --- alerts ----------------------------------------------------------------------------------

ALERTS = spec(immediate=True, immediate_cap=2)


def test_high_priority_goes_out_at_once_and_not_again_in_the_morning(store: Store) -> None:
    configured(store, ALERTS)
    matched(store, METI, 1, at=NOW + HOUR, judged=HIGH, title="Big news")
    matched(store, METI, 2, at=NOW + HOUR)
    (made,) = compose(store, [ALERTS], NOW + HOUR).composed
    assert (made.kind, made.stories, made.subject) == ("immediate", 1, "Alert: Big news")
    assert compose(store, [ALERTS], NOW + HOUR).composed == ()
    (morning,) = compose(store, [ALERTS], MORNING).composed
    assert (morning.stories, "Big news" in morning.text) == (1, False)


def test_beyond_the_cap_alerts_wait_for_the_digest(store: Store) -> None:
    configured(store, ALERTS)
    for n in range(4):
        matched(store, METI, n, at=NOW + HOUR + n * MINUTE, judged=HIGH)
    assert len(compose(store, [ALERTS], NOW + 2 * HOUR).composed) == 2
    assert compose(store, [ALERTS], NOW + 3 * HOUR).composed == ()
    (morning,) = compose(store, [ALERTS], MORNING).composed
    assert morning.stories == 2


def test_the_cap_is_for_the_readers_day(store: Store) -> None:
    tokyo = replace(ALERTS, zone="Asia/Tokyo", immediate_cap=1, at="20:00")
    configured(store, tokyo)
    before = datetime(2026, 5, 4, 14, 50, tzinfo=UTC)  # 23:50 in Tokyo
    matched(store, METI, 1, at=before, judged=HIGH)
    assert [made.kind for made in compose(store, [tokyo], before).composed] == ["scheduled"]
    matched(store, METI, 2, at=before + MINUTE, judged=HIGH)
    assert len(compose(store, [tokyo], before + MINUTE).composed) == 1
    matched(store, METI, 3, at=before + 2 * MINUTE, judged=HIGH)
    assert compose(store, [tokyo], before + 2 * MINUTE).composed == ()
    assert len(compose(store, [tokyo], before + 10 * MINUTE).composed) == 1, "a new day has begun"


def test_alerts_wait_in_quiet_hours_and_are_not_lost(store: Store) -> None:
    quiet = replace(ALERTS, quiet="22:00-07:00")
    configured(store, quiet)
    night = NOW + 15 * HOUR  # midnight in London
    matched(store, METI, 1, at=night, judged=HIGH)
    assert compose(store, [quiet], night).composed == ()
    assert compose(store, [quiet], night + 6 * HOUR).composed == ()
    (made,) = compose(store, [quiet], night + 7 * HOUR).composed
    assert made.kind == "immediate"


def test_an_update_of_substance_follows_in_the_thread_of_its_alert(store: Store) -> None:
    two = replace(ALERTS, channels=(ChannelSpec("mail", "email", ("a@example.org", "b@example.org")),))
    domains = {"mail": "example.org"}
    configured(store, two)
    matched(store, BBC, 1, at=NOW + HOUR, judged=HIGH, title="Big news")
    compose(store, [two], NOW + HOUR, domains=domains)
    matched(store, NIKKEI, 2, at=NOW + 2 * HOUR, joins=1, judged=HIGH)
    assert compose(store, [two], NOW + 2 * HOUR).composed == (), "one more outlet can wait"
    matched(store, METI, 3, at=NOW + 3 * HOUR, joins=1, judged=HIGH, title="Big news")
    (made,) = compose(store, [two], NOW + 3 * HOUR, domains=domains).composed
    assert made.subject == "Re: Alert: Big news"
    first_a, first_b, second_a, second_b = (
        (row["message_id"], json.loads(row["payload"])["references"]) for row in outbox(store)
    )
    root = first_a[1][0]
    assert first_a[1] == first_b[1] == [root]
    assert second_a[1] == [root, first_a[0]], "each recipient's thread holds what that recipient got"
    assert second_b[1] == [root, first_b[0]]


# --- round-up and preview --------------------------------------------------------------------


def test_a_round_up_has_the_week_and_its_bars(store: Store) -> None:
    weekly = spec("week", weekly=True)
    configured(store, weekly)
    for day in range(4):
        matched(store, METI, day, at=NOW + HOUR + day * DAY)
    assert compose(store, [weekly], NOW + 2 * DAY).composed == ()
    (made,) = compose(store, [weekly], NOW + 7 * DAY).composed
    assert (made.kind, made.stories) == ("weekly", 4)
    assert "UK–Japan: stories per week\n  Mon 4 May" in made.text
    assert "Semiconductors" in made.text.partition("Stories by topic, week of Mon 4 May")[2]


def test_a_preview_claims_nothing(store: Store) -> None:
    configured(store, spec())
    matched(store, METI, 1, at=NOW + HOUR)
    before = list(store.db.raw.iterdump())
    assert "1 story" in preview(store, spec(), NOW + 2 * HOUR).subject
    assert "nothing new" in preview(store, spec(), NOW + 2 * HOUR, since=NOW + 90 * MINUTE).subject
    assert "1 story" in preview(store, spec(), NOW + 2 * HOUR, since=NOW).subject
    assert list(store.db.raw.iterdump()) == before


def test_a_preview_of_any_moment_of_the_past_shows_what_was_known_then(store: Store) -> None:
    configured(store, spec())
    matched(store, METI, 1, at=NOW + HOUR, title="Early")
    compose(store, [spec()], MORNING)
    matched(store, METI, 2, at=MORNING + HOUR, title="Late")
    text = preview(store, spec(), MORNING, since=NOW).text
    assert "Early" in text
    assert "Late" not in text


# --- a fortnight -----------------------------------------------------------------------------


_ALL_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@pytest.mark.parametrize(
    ("start", "off"),
    [
        ("2026-03-22", {"london": {"2026-04-03", "2026-04-06"}}),
        ("2026-10-18", {"tokyo": {"2026-11-03"}}),
    ],
    ids=["spring", "autumn"],
)
def test_a_fortnight_across_the_change_loses_and_repeats_nothing(
    store: Store, start: str, off: dict[str, set[str]]
) -> None:
    """A story every five hours, a look every hour: one digest each working day, each story in one.

    Half past one at night in London is skipped on one of these days, or comes twice.
    """
    specs = (
        spec("london", holidays="gb"),
        spec("tokyo", zone="Asia/Tokyo", holidays="jp"),
        spec("night", at="01:30", days=_ALL_DAYS),
    )
    now = first = datetime.fromisoformat(start).replace(hour=12, tzinfo=UTC)
    last = first + timedelta(days=17)
    stories = 0
    composed = []
    while now < last:
        if (now - first) % (5 * HOUR) == timedelta(0) and now < first + timedelta(days=14):
            stories += 1
            matched(store, METI, f"{start}-{stories}", at=now)
        composed += compose(store, specs, now).composed
        now += HOUR
    for made in specs:
        zone = ZoneInfo(made.zone)
        mine = [each for each in composed if each.name == made.name]
        fired = [_fired(each.digest_id).astimezone(zone) for each in mine]
        days = [first.astimezone(zone).date() + timedelta(days=n) for n in range(1, 18)]
        due = [day for day in days if f"{day:%a}".lower() in made.days]
        assert [day.date() for day in fired] == [
            day for day in due if str(day) not in off.get(made.name, set())
        ], "each working day once, none left out"
        at = {f"{day:%H:%M}" for day in fired}
        assert at <= ({"01:30", "02:30"} if made.name == "night" else {"08:00"}), at
        assert sum(each.stories + each.more for each in mine) == stories
        assert len(roles(store, made.name)) == stories


def _fired(digest_id: str) -> datetime:
    return datetime.fromisoformat(digest_id.rpartition("|")[2].replace("Z", "+00:00"))
