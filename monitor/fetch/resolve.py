"""Looking names up without letting a slow name server stop anything else.

Each lookup has a thread of its own, which dies with the process. The event loop's shared
executor has few threads, all of them waited for at exit: half a dozen dead names would hold up
everybody's lookups, and then the shutdown.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Sequence

from monitor.fetch.guard import LookupFailed

MAX_LOOKUPS = 128  # abandoned lookups included; a resolver that swallows so many is out of order

_running = threading.BoundedSemaphore(MAX_LOOKUPS)


async def resolve(host: str, port: int) -> Sequence[str]:
    """The host's numeric addresses, best first, without repeats. Raises LookupFailed."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Sequence[str]] = loop.create_future()
    if not _running.acquire(blocking=False):
        raise LookupFailed("too many name lookups are waiting for an answer")
    threading.Thread(target=_look_up, args=(host, port, loop, answer), daemon=True).start()
    return await answer


def _look_up(
    host: str, port: int, loop: asyncio.AbstractEventLoop, answer: asyncio.Future[Sequence[str]]
) -> None:
    result: Sequence[str] | LookupFailed
    try:
        rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        result = list(dict.fromkeys(str(row[4][0]) for row in rows))
    except (OSError, UnicodeError) as error:
        result = LookupFailed(f"{host} cannot be looked up: {error}")
    finally:
        _running.release()
    with contextlib.suppress(RuntimeError):  # the loop has been closed meanwhile: nobody waits any more
        loop.call_soon_threadsafe(_deliver, answer, result)


def _deliver(answer: asyncio.Future[Sequence[str]], result: Sequence[str] | LookupFailed) -> None:
    if answer.done():  # the caller ran out of time
        return
    if isinstance(result, LookupFailed):
        answer.set_exception(result)
    else:
        answer.set_result(result)
