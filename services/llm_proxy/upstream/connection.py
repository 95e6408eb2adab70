"""One connection to an origin, used by one exchange at a time."""

from __future__ import annotations

import asyncio
from typing import Protocol, cast

from services.llm_proxy.upstream.exchange import Exchange
from services.llm_proxy.upstream.request import Origin


class Owner(Protocol):
    """Who keeps the connection between two exchanges."""

    def released(self, connection: Connection) -> None: ...
    def gone(self, connection: Connection) -> None: ...


class Connection(asyncio.Protocol):
    """A keep-alive connection. It passes bytes to its exchange and itself back to its owner."""

    __slots__ = ("_exchange", "_owner", "_transport", "idle_since", "origin", "used")

    def __init__(self, origin: Origin, owner: Owner) -> None:
        self.origin = origin
        self.used = False
        self.idle_since = 0.0
        self._owner = owner
        self._exchange: Exchange | None = None
        self._transport: asyncio.Transport | None = None

    @property
    def usable(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def start(self, exchange: Exchange) -> None:
        """Send the exchange's request."""
        assert self._transport is not None  # noqa: S101  # connection_made came first
        self._exchange = exchange
        exchange.begin(self)
        self._transport.write(exchange.payload)

    def finish(self, *, keep: bool) -> None:
        """The exchange is over; the connection is kept for the next one or closed at once."""
        self._exchange = None
        if keep and self.usable:
            self.used = True
            self._owner.released(self)
        else:
            self.abort()

    def pause(self) -> None:
        if self._transport is not None:
            self._transport.pause_reading()

    def resume(self) -> None:
        if self._transport is not None:
            self._transport.resume_reading()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # -- asyncio's side ---------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._exchange is None:
            self.abort()  # bytes that nobody asked for: the connection is not clean
        else:
            self._exchange.feed(data)

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        exchange, self._exchange = self._exchange, None
        self._owner.gone(self)
        if exchange is not None:
            exchange.lost(reused=self.used, broken=exc is not None)
