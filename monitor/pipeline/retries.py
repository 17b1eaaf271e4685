"""When an article that could not be fetched or read is taken up again. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from monitor.errors import FetchError, WorkerError
from monitor.model import PendingItem

# Waits between tries; together a little over a day, so that a site's bad night costs nothing.
FETCH_WAITS = (timedelta(minutes=15), timedelta(hours=1), timedelta(hours=4), timedelta(hours=19))
# Answers that another try will not change: the feed's own text has to do.
FINAL_STATUSES = frozenset({400, 401, 402, 403, 404, 405, 406, 410, 414, 415, 451})
FINAL_KINDS = frozenset({"too-large", "redirect", "encoding", "refused"})
# A process dies of its page, or because memory ran short or somebody killed it, which is over soon. Far
# enough apart that one bad page alone does not look like processes dying one after the other.
READ_WAITS = {
    "crash": (timedelta(minutes=1), timedelta(minutes=20), timedelta(hours=1), timedelta(hours=4)),
    "timeout": (timedelta(minutes=20),),  # each try may cost a process its whole deadline
}


def fetch_again_at(
    item: PendingItem, error: FetchError, now: datetime, tries: int, give_up_after: timedelta
) -> datetime | None:
    """When to ask for the page again; None when the feed's own text has to do.

    `tries` tries, over at least `give_up_after`; a site that says how long to wait is obeyed.
    """
    forbidden = error.kind == "robots" and error.retry_after_s is None  # else its rules could not be read yet
    if forbidden or error.kind in FINAL_KINDS or error.status in FINAL_STATUSES:
        return None
    tried = item.attempts + 1
    first = item.first_try_at or now
    if tried >= tries and now - first >= give_up_after:
        return None
    wait = FETCH_WAITS[min(tried, len(FETCH_WAITS)) - 1]
    asked = timedelta(seconds=min(error.retry_after_s or 0.0, 86_400.0))
    return now + max(wait, asked)


def read_again_at(item: PendingItem, error: WorkerError, now: datetime) -> datetime | None:
    """When to read a page again that broke its process; None when it has had its tries."""
    waits = READ_WAITS.get(error.kind, ())
    return now + waits[item.attempts] if item.attempts < len(waits) else None
