"""The relay's own HTTP/1.1 client: asyncio and httptools behind a small face.

It exists because a general client costs more than the relaying itself: for each chunk it does one
`feed_data` and one wake-up. What it has: pooled keep-alive connections per origin (bounded), TLS
with certificate and host name checks, timeouts of four kinds, chunked, sized and until-close
bodies, one retry where a kept connection turned out dead, back-pressure, abort at once.
What it has not, on purpose: HTTP proxies, redirects, compression, cookies, HTTP/2.
"""

from services.llm_proxy.upstream.client import Client, Saturated
from services.llm_proxy.upstream.exchange import BrokenOff, Exchange
from services.llm_proxy.upstream.request import Origin, Request, Timeouts, parse_url

__all__ = [
    "BrokenOff",
    "Client",
    "Exchange",
    "Origin",
    "Request",
    "Saturated",
    "Timeouts",
    "parse_url",
]
