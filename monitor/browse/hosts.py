"""Which names the archive may be asked under.

A page of somebody else's can point a name of its own at 127.0.0.1 and then read what answers there, in the
visitor's browser (DNS rebinding). The name then stands in the request, and is none of ours.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

LOCAL = ("localhost", "127.0.0.1", "::1")
_EVERYWHERE = ("0.0.0.0", "::")


def is_allowed(host: str, bound: str, more: Collection[str] = ()) -> bool:
    """Whether a request's Host header names this server. Ports do not matter.

    Listening on every address, any address will do, since only a name can be pointed elsewhere, and so
    will the machine's own name.
    """
    name = _name(host)
    known = {_name(each) for each in (*LOCAL, bound, *more)}
    if bound in _EVERYWHERE:
        return name in known or name == socket.gethostname().lower() or _is_address(name)
    return name in known


def _name(host: str) -> str:
    """Without port, brackets and the dot of the root, in lower case."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    name = host if host.count(":") > 1 else host.partition(":")[0]
    return name.rstrip(".")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class OwnHosts:
    """An application that answers only when it is asked under one of its names."""

    def __init__(self, application: Application, bound: str, more: Collection[str] = ()) -> None:
        self.application, self.bound, self.more = application, bound, more

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or self._is_ours(scope):
            await self.application(scope, receive, send)
        elif scope["type"] == "http":
            await _refuse(send)

    def _is_ours(self, scope: Scope) -> bool:
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        return len(hosts) == 1 and is_allowed(hosts[0].decode("latin-1"), self.bound, self.more)


async def _refuse(send: Send) -> None:
    text = b"This archive is not served under that name. `monitor browse --allow-host NAME` adds one.\n"
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(text))]
    await send({"type": "http.response.start", "status": 421, "headers": headers})
    await send({"type": "http.response.body", "body": text})
