"""The kinds of values an option can have, each with the message a wrong one gets."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def fail(message: str, hint: str = "") -> PydanticCustomError:
    """The error of one value; load.py adds file, line and column."""
    return PydanticCustomError("monitor", "{message}", {"message": message, "hint": hint})


def nearest(word: object, words: Iterable[str]) -> str:
    """A hint: the nearest of `words`, or all of them when they are few and none is near."""
    words = list(words)
    close = difflib.get_close_matches(str(word).lower(), words, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]}?"
    return "one of " + ", ".join(words) if len(words) <= 24 else ""


class Section(BaseModel):
    """A mapping in a file: unknown keys are refused, values are not changed afterwards."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        validate_default=True,
        allow_inf_nan=False,
        arbitrary_types_allowed=True,
        hide_input_in_errors=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _empty_is_absent(cls, value: Any) -> Any:
        """`key:` with nothing after it means its default."""
        if value is None:
            return {}
        if isinstance(value, dict):
            return {key: content for key, content in value.items() if content is not None}
        return value


def _line(value: str) -> str:
    if _CONTROL.search(value):
        raise fail("contains a line break or control character", "keep it on one line")
    return value.strip()


def _url(value: str) -> str:
    value = _line(value)
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError as error:
        raise fail(f"not a web address: {error}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"\s", value):
        raise fail("not a web address", "it starts with https:// and has a host and no blanks")
    if parts.username is not None or parts.password is not None:
        raise fail("a web address with a user name or password", "keep secrets out of this file")
    if port == 0:
        raise fail("port 0 cannot be reached")
    return value


def _url_or_nothing(value: str) -> str:
    return _url(value) if value else ""


@lru_cache(maxsize=256)
def _zone_problem(value: str) -> str | None:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        return nearest_zone(value)
    return None


def nearest_zone(value: str) -> str:
    """A hint for a zone that does not exist."""
    zones = {zone.lower(): zone for zone in available_timezones()}
    tails = {zone.rsplit("/", 1)[-1].lower(): zone for zone in zones.values()}
    for table in (zones, tails):
        close = difflib.get_close_matches(value.lower().replace(" ", "_"), list(table), n=1, cutoff=0.75)
        if close:
            return f"did you mean {table[close[0]]}?"
    return "a name such as Europe/London or Asia/Tokyo"


def _zone(value: str) -> str:
    hint = _zone_problem(value)
    if hint is not None:
        raise fail(f"unknown time zone {value!r}", hint)
    return value


def _zone_or_nothing(value: str) -> str:
    return _zone(value) if value else ""


def _clock(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"([01]?[0-9]|2[0-3]):[0-5][0-9]", value):
        raise fail(f"not a time of day: {shown(value)}", "HH:MM on a 24-hour clock, such as 08:00")
    return value.zfill(5)


def _span(value: Any) -> str:
    if value == "":
        return ""
    ends = value.split("-") if isinstance(value, str) else []
    if len(ends) != 2:
        raise fail(f"not a span of the day: {shown(value)}", "HH:MM-HH:MM, such as 22:00-07:00")
    first, last = (_clock(end.strip()) for end in ends)
    if first == last:
        raise fail("a span that ends when it begins")
    return f"{first}-{last}"


def _day(value: Any) -> str:
    word = str(value).lower()
    if isinstance(value, str) and word in DAYS:
        return word
    full = word[:3] if isinstance(value, str) and len(word) > 3 and word[:3] in DAYS else ""
    hint = f"write {full}" if full else "by name, never by number: " + ", ".join(DAYS)
    raise fail(f"unknown weekday {shown(value)}", hint)


def _regex(value: str) -> str:
    try:
        re.compile(value)
    except (re.error, RecursionError, OverflowError) as error:
        raise fail(f"not a regular expression: {error}", "quote it with single quotes") from None
    return value


def _selector(value: str) -> str:
    from cssselect import HTMLTranslator, SelectorError

    try:
        HTMLTranslator().css_to_xpath(value)
    except SelectorError as error:
        raise fail(f"not a CSS selector: {error}") from None
    except RecursionError:
        raise fail("not a CSS selector: nested too deeply") from None
    return value


def _nonempty(check: Any) -> Any:
    return lambda value: check(value) if value else ""


def check_address(value: str) -> str:
    """One bare mail address. RFC 5321 allows more than anybody uses; a typing mistake is what matters."""
    value = _line(value)
    local, _, domain = value.rpartition("@")
    dots = domain.strip("[]").split(".")
    if not re.fullmatch(r"[^\s@<>(),;:\"\[\]\\]+", local) or not all(
        re.fullmatch(r"[^\W_]([\w-]*[^\W_])?", label) for label in dots
    ):
        raise fail(f"not a mail address: {shown(value)}", "one bare address, such as desk@example.org")
    return value


def config_path(value: Any, info: ValidationInfo) -> Path:
    """A path relative to the folder of the configuration, made absolute."""
    if not isinstance(value, (str, Path)) or not str(value).strip() or "\0" in str(value):
        raise fail("not a path")
    folder = Path((info.context or {}).get("dir", "."))
    return (folder / Path(value).expanduser()).resolve()


def shown(value: Any) -> str:
    """A value as a message repeats it: short, on one line, safe on a terminal."""
    text = ascii(value) if _CONTROL.search(str(value)) else repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


Line = Annotated[str, AfterValidator(_line)]
Url = Annotated[str, AfterValidator(_url)]
UrlOrNothing = Annotated[str, AfterValidator(_url_or_nothing)]
Zone = Annotated[str, AfterValidator(_zone)]
ZoneOrNothing = Annotated[str, AfterValidator(_zone_or_nothing)]
Clock = Annotated[str, BeforeValidator(_clock)]
Span = Annotated[str, BeforeValidator(_span)]
Day = Annotated[str, BeforeValidator(_day)]
Regex = Annotated[str, AfterValidator(_nonempty(_regex))]
Selector = Annotated[str, AfterValidator(_nonempty(_selector))]
Address = Annotated[str, AfterValidator(check_address)]
ConfigPath = Annotated[Path, BeforeValidator(config_path)]
