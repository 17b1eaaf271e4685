"""What the steps need of the edges. The edges do not know these names; tests bring fakes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol, TypeVar

from monitor.model import (
    Fetched,
    FetchRequest,
    FetchState,
    Fingerprint,
    Join,
    PendingItem,
    PollRecord,
    Processed,
    StoryMember,
)

Clock = Callable[[], datetime]
T = TypeVar("T")


class Fetch(Protocol):
    def __call__(self, request: FetchRequest) -> Awaitable[Fetched]:
        """Gets one URL. Raises FetchError; never returns more than `max_body_bytes`."""
        ...


class Work(Protocol):
    async def run(
        self, function: Callable[..., T], /, *args: Any, deadline_s: float | None = None, **kwargs: Any
    ) -> T:
        """Runs a function in a killable process. Raises WorkerError."""
        ...


class PollStore(Protocol):
    """The database as polling sees it. Every method raises StoreError."""

    def fetch_states(self, urls: Collection[str]) -> Mapping[str, FetchState]: ...

    def recent_guids(self, source_id: str, limit: int = 2000) -> frozenset[str]: ...

    def item_dates(self, source_id: str, limit: int = 50) -> list[datetime]: ...

    def known(
        self, source_id: str, pairs: Sequence[tuple[str, str]]
    ) -> tuple[Collection[str], Collection[str]]:
        """Of (guid, identity) pairs: the guids this source has shown, the identities anybody has."""
        ...

    def write(self) -> AbstractContextManager[None]:
        """One transaction around several calls: all of them are kept, or none. Never await inside."""
        ...

    def record_poll(self, record: PollRecord) -> int:
        """Stores items, validators and the source's state in one transaction; returns how many were new."""
        ...


class ProcessStore(Protocol):
    """The database as processing sees it. Every method raises StoreError."""

    def pending(self, now: datetime, limit: int, exclude: Collection[int] = ()) -> list[PendingItem]: ...

    def story_candidates(
        self, fingerprint: Fingerprint, canonical_url: str, since: datetime
    ) -> list[StoryMember]: ...

    def write(self) -> AbstractContextManager[None]:
        """One transaction around several calls: all of them are kept, or none. Never await inside."""
        ...

    def record_outcome(self, processed: Processed, join: Join | None, now: datetime) -> int | None:
        """Stores everything an item came to in one transaction; returns the id of a new match."""
        ...
