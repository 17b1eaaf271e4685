"""HTTP, politely: `Fetcher` gets one URL at a time from each host, within bounds."""

from monitor.fetch.client import Fetcher

__all__ = ["Fetcher"]
