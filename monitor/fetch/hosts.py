"""Turn-taking: one request at a time per host, and so many hosts at a time.

A caller first waits for its host, then for one of the places that all hosts share. As a host
never holds more than one place, the places go round the hosts, and a host with a thousand pages
waiting gets as many turns as one with a single feed.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from monitor.fetch.wire import Wire

IDLE_S = 10.0  # a connection nobody waits for is closed after this
REMEMBERED = 2000  # hosts whose last request is remembered, for their crawl-delay


class Line:
    """The one line to a host: its wire, and when the next request may start."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self.callers = 0
        self.delay_s = 0.0
        self.last_at = float("-inf")  # end of the last request, loop time
        self.wire: Wire | None = None
        self.allow_private = False

    def wait_s(self, now: float) -> float:
        """Seconds until the next request may start."""
        return max(0.0, self.last_at + self.delay_s - now)


class Hosts:
    """All lines. `open_wire(allow_private)` makes the wire of one."""

    def __init__(
        self,
        *,
        total: int,
        open_wire: Callable[[bool], Wire],
        now: Callable[[], datetime],
    ) -> None:
        self._places = asyncio.Semaphore(total)
        self._open_wire = open_wire
        self._now = now
        self._lines: dict[str, Line] = {}
        self._idle: OrderedDict[str, Line] = OrderedDict()  # without callers, oldest first
        self._open: OrderedDict[str, Line] = OrderedDict()  # those of them with a connection
        self._pauses: dict[str, datetime] = {}
        self._max_idle = total
        self._sweep: asyncio.TimerHandle | None = None
        self._closing: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def turn(self, host: str, *, allow_private: bool) -> AsyncIterator[Wire]:
        """Wait for the host's turn, its crawl-delay and a free place; yields its wire."""
        loop = asyncio.get_running_loop()
        line = self._lines.setdefault(host, Line())
        self._idle.pop(host, None)
        self._open.pop(host, None)
        line.callers += 1
        try:
            async with line.turn:
                if (wait_s := line.wait_s(loop.time())) > 0:
                    await asyncio.sleep(wait_s)
                async with self._places:
                    try:
                        yield await self._wire_of(line, allow_private)
                    finally:
                        line.last_at = loop.time()
        finally:
            line.callers -= 1
            if not line.callers:
                self._rest(host, line)

    async def _wire_of(self, line: Line, allow_private: bool) -> Wire:
        """The line's wire. One opened for private addresses is never lent to others: its open
        connection would pass by the address check."""
        if line.wire is not None and line.allow_private != allow_private:
            wire, line.wire = line.wire, None
            await wire.aclose()
        if line.wire is None:
            line.wire = self._open_wire(allow_private)
            line.allow_private = allow_private
        return line.wire

    # --- what hosts ask for ---

    def slow_down(self, host: str, delay_s: float) -> None:
        """Leave `delay_s` seconds between two requests to this host from now on."""
        line = self._lines.setdefault(host, Line())
        line.delay_s = delay_s
        if not line.callers:
            self._rest(host, line)

    def pause(self, host: str, until: datetime) -> None:
        """Send nothing to this host before `until`."""
        now = self._now()
        self._pauses = {name: at for name, at in self._pauses.items() if at > now}
        self._pauses[host] = max(until, self._pauses.get(host, until))

    def pause_left_s(self, host: str) -> float:
        """Seconds until the host may be asked again; 0 when it may be now."""
        until = self._pauses.get(host)
        return 0.0 if until is None else max(0.0, (until - self._now()).total_seconds())

    # --- letting go ---

    def _rest(self, host: str, line: Line) -> None:
        self._idle[host] = line
        if line.wire is not None:
            self._open[host] = line
        while len(self._open) > self._max_idle:
            self._hang_up(self._open.popitem(last=False)[1])
        while len(self._idle) > REMEMBERED:
            forgotten = self._idle.popitem(last=False)[0]
            self._hang_up(self._lines.pop(forgotten))
            self._open.pop(forgotten, None)
        if self._sweep is None:
            self._sweep = asyncio.get_running_loop().call_later(IDLE_S, self._sweep_idle)

    def _sweep_idle(self) -> None:
        """Close what is idle; forget hosts that nothing needs to be remembered of."""
        self._sweep = None
        for line in self._open.values():
            self._hang_up(line)
        self._open.clear()
        for host in [host for host, line in self._idle.items() if not line.delay_s]:
            del self._idle[host], self._lines[host]

    def _hang_up(self, line: Line) -> None:
        if line.wire is not None:
            wire, line.wire = line.wire, None
            task = asyncio.get_running_loop().create_task(wire.aclose())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """Close every connection."""
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        for line in self._lines.values():
            self._hang_up(line)
        await asyncio.gather(*self._closing, return_exceptions=True)
        for memory in (self._lines, self._idle, self._open):
            memory.clear()
