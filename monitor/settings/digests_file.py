"""The entries of `config/digests.yaml`: who gets what, when and where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import holidays
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from monitor.digest import cron as cron_lines
from monitor.model import AUTHORITIES, CORRIDORS, PRIORITIES, TOPICS, ChannelSpec, DigestSpec
from monitor.settings.channels import Channel, ChannelUse, ChannelUseField
from monitor.settings.fields import Clock, Day, Line, Section, Span, UrlOrNothing, Zone, fail, nearest, shown


def _one_of(words: tuple[str, ...], what: str) -> BeforeValidator:
    def check(value: Any) -> str:
        if value not in words:
            raise fail(f"unknown {what} {shown(value)}", nearest(value, words))
        return str(value)

    return BeforeValidator(check)


def _holiday_country(value: str) -> str:
    if value and value.upper() not in holidays.list_supported_countries(include_aliases=True):
        raise fail(f"no public holidays are known for {value!r}", "two letters of ISO 3166, such as gb or jp")
    if value.lower() == "uk":
        raise fail("unknown country 'uk'", "write gb, its ISO 3166 code")
    return value.lower()


def _cron(value: str) -> str:
    try:
        if value:
            cron_lines.parse(value)
    except ValueError as error:
        raise fail(str(error), "minute hour day month weekday, weekdays by name: 30 7 * * mon-fri") from None
    return value


Cron = Annotated[str, AfterValidator(_cron)]
Corridor = Annotated[str, _one_of(CORRIDORS, "corridor")]
Topic = Annotated[str, _one_of(TOPICS, "topic")]
Priority = Annotated[str, _one_of(PRIORITIES, "priority")]
Authority = Annotated[str, _one_of(AUTHORITIES, "authority")]


class DigestOptions(Section):
    """One digest."""

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9-]{0,59}$",
        description="Its own short name: a-z, 0-9 and hyphens; never change it.",
    )
    title: Line = Field("", max_length=120, description="Its title for readers; the name when empty.")
    zone: Zone = Field("UTC", description="Time zone of its clock and of the times it shows.")
    lang: Literal["en", "ja"] = Field("en", description="Language of its labels: en or ja.")
    at: Clock = Field("08:00", description="Time of day it is sent, HH:MM.")
    cron: Cron = Field("", description="Five cron fields instead of `at` and `days`; weekdays by name.")
    days: tuple[Day, ...] = Field(
        ("mon", "tue", "wed", "thu", "fri"), min_length=1, description="Weekdays it is sent on, by name."
    )
    holidays: Annotated[str, AfterValidator(_holiday_country)] = Field(
        "", description="Country whose public holidays are left out, such as gb or jp."
    )
    quiet: Span = Field("", description="Span such as 22:00-07:00 in which immediate alerts wait.")
    immediate: bool = Field(False, description="Sends stories of high priority at once.")
    immediate_cap: int = Field(5, ge=1, le=500, description="Immediate alerts a day; the rest waits.")
    weekly: bool = Field(False, description="A weekly round-up with counts by corridor and topic.")
    empty: Literal["skip", "send"] = Field(
        "skip", description="What happens without news: skip, or send a line."
    )
    max_stories: int = Field(30, ge=1, le=500, description="Stories shown; the others are counted.")
    corridors: tuple[Corridor, ...] = Field((), description="Only these corridors; empty takes all.")
    topics: tuple[Topic, ...] = Field((), description="Only these topics; empty takes all.")
    priorities: tuple[Priority, ...] = Field((), description="Only these priorities; empty takes all.")
    authorities: tuple[Authority, ...] = Field(
        (), description="Only these kinds of sources; empty takes all."
    )
    langs: tuple[Literal["en", "ja"], ...] = Field((), description="Only articles in these languages.")
    min_score: float = Field(0.0, ge=0, description="Only stories that score at least this.")
    channels: tuple[ChannelUseField, ...] = Field(
        (),
        description="Where it goes: channel names, or `{channel: mail, recipients: […]}`; `file` when empty.",
    )
    browse_url: UrlOrNothing = Field("", description="Address of your Datasette; monitor.yaml's when empty.")

    @model_validator(mode="after")
    def _one_clock(self) -> DigestOptions:
        if self.cron and {"at", "days"} & self.model_fields_set:
            raise fail("cron stands beside at or days", "keep one of the two clocks")
        return self

    def to_spec(self, channels: Mapping[str, Channel], browse_url: str) -> DigestSpec:
        """The record; the channels it names must exist."""
        fields = self.model_dump(exclude={"channels"})
        fields["title"] = self.title or self.name
        fields["browse_url"] = self.browse_url or browse_url
        uses = self.channels or (ChannelUse(channel="file"),)
        specs = tuple(
            ChannelSpec(use.channel, channels[use.channel].kind, use.recipients)
            for use in uses
            if use.channel in channels
        )
        return DigestSpec(**fields, channels=specs)
