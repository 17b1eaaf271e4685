"""Which addresses may be connected to, checked at the moment of connecting.

The name is looked up once, every address it gave is judged, and the connection goes to a judged
address: there is no second lookup that a hostile name server could answer differently. TLS still
checks the certificate against the name, because the name stays in the URL.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, Iterable, Sequence

import httpcore

from monitor.fetch.wire import Allowance, MeteredStream

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

PORTS = frozenset({80, 443, 8080, 8443})  # what the web is served on; anything else needs allow_private
MAX_ADDRESSES = 4  # tried in turn, so that one dead address does not hide the living ones

# `is_global` is wrong or silent about these in some Python releases, or they lead to private
# places by translation: each is refused by name.
DENIED = tuple(
    ipaddress.ip_network(net)
    for net in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT, RFC 6598
        "169.254.0.0/16",  # link-local: cloud metadata
        "192.0.0.0/24",  # IETF protocol assignments
        "192.88.99.0/24",  # 6to4 relays
        "198.18.0.0/15",  # benchmarking
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved and broadcast
        "::/96",  # unspecified, loopback, IPv4-compatible
        "::ffff:0:0:0/96",  # IPv4-translated
        "64:ff9b::/96",  # NAT64, RFC 6052
        "64:ff9b:1::/48",  # local NAT64, RFC 8215
        "100::/64",  # discard-only
        "2001::/23",  # protocol assignments, Teredo among them
        "2002::/16",  # 6to4
        "fe80::/10",  # link-local
        "fec0::/10",  # site-local, deprecated
        "ff00::/8",  # multicast
    )
)
# What `allow_private` opens. Link-local stays shut: nobody keeps a feed at a metadata service.
PRIVATE = tuple(
    ipaddress.ip_network(net)
    for net in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7")
)


class AddressRefused(httpcore.ConnectError):
    """The host leads to an address that must not be connected to."""


class LookupFailed(httpcore.ConnectError):
    """The host's name could not be resolved."""


def is_allowed(address: str, *, allow_private: bool = False) -> bool:
    """Whether a numeric address may be connected to. Anything that is no address is not allowed."""
    try:
        ip: Address = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    if allow_private and any(ip in net for net in PRIVATE):
        return True
    return ip.is_global and not any(ip in net for net in DENIED)


class Guard(httpcore.AsyncNetworkBackend):
    """A network backend that opens TCP connections to allowed addresses and nothing else."""

    def __init__(
        self,
        below: httpcore.AsyncNetworkBackend,
        resolve: Resolve,
        *,
        allow_private: bool,
        allowance: Allowance,
    ) -> None:
        self._below = below
        self._resolve = resolve
        self._allow_private = allow_private
        self._allowance = allowance

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that answers. Raises AddressRefused, LookupFailed, ConnectError."""
        if port not in PORTS and not self._allow_private:
            raise AddressRefused(f"port {port} is not one the web is served on")
        addresses = (await self._checked(host, port))[:MAX_ADDRESSES]
        share = None if timeout is None else timeout / len(addresses)
        for address in addresses[:-1]:
            try:
                return await self._open(address, port, share, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._open(addresses[-1], port, share, socket_options)

    async def _checked(self, host: str, port: int) -> Sequence[str]:
        """The host's addresses, all of them allowed: one bad address among good ones is an attack."""
        addresses = [host] if is_numeric(host) else await self._resolve(host, port)
        if not addresses:
            raise LookupFailed(f"{host} has no address")
        for address in addresses:
            if not is_allowed(address, allow_private=self._allow_private):
                raise AddressRefused(f"{host} leads to {address}, which is not a public address")
        return addresses

    async def _open(
        self,
        address: str,
        port: int,
        timeout: float | None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None,
    ) -> httpcore.AsyncNetworkStream:
        stream = await self._below.connect_tcp(address, port, timeout=timeout, socket_options=socket_options)
        self._allowance.opened += 1
        return MeteredStream(stream, self._allowance)

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Never: no URL leads to a local socket."""
        raise AddressRefused("local sockets are not fetched from")

    async def sleep(self, seconds: float) -> None:
        await self._below.sleep(seconds)


def is_numeric(host: str) -> bool:
    """Whether the host is a plain address. 2130706433 or 0x7f.1 are not: the resolver expands them."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
