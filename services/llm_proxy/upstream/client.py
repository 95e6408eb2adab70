"""The pool: connections per origin, opened on demand, kept while they are clean."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter

import anyio.to_thread

from services.kernel.errors import Overloaded, TrivetError, UpstreamError, UpstreamTimeout
from services.llm_proxy.upstream.connection import Connection
from services.llm_proxy.upstream.exchange import Exchange
from services.llm_proxy.upstream.request import Origin, Request, Timeouts


class Saturated(Overloaded):
    """So many connections to one origin are open already that no other is made."""


class Client:
    """Sends requests over pooled connections.

    At most `max_connections` are open to one origin (then Saturated) and `max_idle` of them wait
    for work, for `idle_seconds` at most. Use within one event loop; `aclose` closes everything.
    `tls` replaces the system's trust store (OpenSSL's `SSL_CERT_FILE` is obeyed without it).
    """

    def __init__(
        self,
        *,
        max_connections: int = 4096,
        max_idle: int = 256,
        idle_seconds: float = 55.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._max_connections = max_connections
        self._max_idle = max_idle
        self._idle_seconds = idle_seconds
        self._tls = tls
        self._tls_lock = asyncio.Lock()
        self._idle: dict[Origin, list[Connection]] = {}
        self._open: Counter[Origin] = Counter()
        self._all: set[Connection] = set()
        self._sweeper: asyncio.TimerHandle | None = None
        self._closed = False
        self._emptied = asyncio.Event()  # set when the last connection of a closed client is gone

    async def open(self, request: Request, timeouts: Timeouts) -> Exchange:
        """Send `request`; the answer is read from the exchange.

        Raises UpstreamError when the origin cannot be reached, UpstreamTimeout when connecting
        takes too long, Saturated when too many connections are open.
        """
        exchange = Exchange(request, timeouts, self._reopen)
        connection = self._checkout(request.origin)
        if connection is None:
            connection = await self._connect(request.origin, timeouts.connect_seconds)
        connection.start(exchange)
        return exchange

    async def aclose(self) -> None:
        """Close all connections; exchanges that are running fail."""
        self._closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
        for connection in list(self._all):
            connection.abort()
        if self._all:
            await self._emptied.wait()

    @property
    def connections(self) -> int:
        """How many connections are open, idle ones included."""
        return len(self._all)

    async def _reopen(self, exchange: Exchange) -> None:
        """A kept connection died before a byte of answer: send once more over a new one."""
        try:
            connection = await self._connect(exchange.origin, exchange.timeouts.connect_seconds)
        except TrivetError as error:
            exchange.fail(error)
            return
        if exchange.failed:  # it ran out of time while the connection was made
            connection.finish(keep=True)
        else:
            connection.start(exchange)

    def _checkout(self, origin: Origin) -> Connection | None:
        idle = self._idle.get(origin)
        while idle:
            connection = idle.pop()
            if connection.usable:
                return connection
        return None

    async def _connect(self, origin: Origin, timeout_seconds: float) -> Connection:
        if self._closed or self._open[origin] >= self._max_connections:
            raise Saturated("Too many calls are open to this upstream.")
        self._open[origin] += 1
        connection = Connection(origin, self)
        self._all.add(connection)
        try:
            await self._dial(connection, timeout_seconds)
        except BaseException:
            connection.abort()
            self.gone(connection)
            raise
        return connection

    async def _dial(self, connection: Connection, timeout_seconds: float) -> None:
        origin = connection.origin
        try:
            async with asyncio.timeout(timeout_seconds):
                secure = origin.scheme == "https"
                await asyncio.get_running_loop().create_connection(
                    lambda: connection,
                    origin.host,
                    origin.port,
                    ssl=await self._tls_context() if secure else None,
                    server_hostname=origin.host if secure else None,
                )
        except TimeoutError as exc:
            raise UpstreamTimeout("The upstream could not be reached in time.") from exc
        except ssl.SSLCertVerificationError as exc:
            raise UpstreamError("The upstream's certificate is not trusted.") from exc
        except ssl.SSLError as exc:
            raise UpstreamError("No secure connection to the upstream could be made.") from exc
        except (OSError, UnicodeError) as exc:
            raise UpstreamError("The upstream could not be reached.") from exc

    async def _tls_context(self) -> ssl.SSLContext:
        async with self._tls_lock:
            if self._tls is None:  # reads some hundred certificates: not on the event loop
                self._tls = await anyio.to_thread.run_sync(_default_tls)
        return self._tls

    # -- the connections' owner -------------------------------------------------------------------

    def released(self, connection: Connection) -> None:
        idle = self._idle.setdefault(connection.origin, [])
        if self._closed or len(idle) >= self._max_idle:
            connection.abort()
            return
        loop = asyncio.get_running_loop()
        connection.idle_since = loop.time()
        idle.append(connection)
        if self._sweeper is None:
            self._sweeper = loop.call_later(self._idle_seconds, self._sweep)

    def gone(self, connection: Connection) -> None:
        if connection not in self._all:
            return
        self._all.discard(connection)
        self._open[connection.origin] -= 1
        idle = self._idle.get(connection.origin, [])
        if connection in idle:
            idle.remove(connection)
        if self._closed and not self._all:
            self._emptied.set()

    def _sweep(self) -> None:
        """Close what has been idle too long; the oldest lie first."""
        loop = asyncio.get_running_loop()
        oldest = loop.time() - self._idle_seconds
        for idle in self._idle.values():
            while idle and idle[0].idle_since <= oldest:
                idle.pop(0).abort()
        waiting = any(self._idle.values())
        self._sweeper = loop.call_later(self._idle_seconds, self._sweep) if waiting else None


def _default_tls() -> ssl.SSLContext:
    """The system's trust store, or certifi's where the system has none (slim images)."""
    context = ssl.create_default_context()
    paths = ssl.get_default_verify_paths()
    if not (paths.cafile or paths.capath):
        import certifi  # only where it is needed

        context.load_verify_locations(certifi.where())
    context.set_alpn_protocols(["http/1.1"])
    return context
