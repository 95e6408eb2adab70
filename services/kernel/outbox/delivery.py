"""From disk to analytics: batches over HTTP until each event is taken, at least once.

What the answers mean. 2xx in analytics' own shape: taken, but for those it names as rejected, which
are kept aside. 400, 413, 422: something in the batch is unfit or there is too much of it, so it is
halved until the unfit events stand alone. Anything else, and no answer at all: later, with
exponential backoff and jitter. Nothing is given up: an event that is refused alone is only kept
aside when analytics took another one of the same batch, so that a fault of the whole way (a wrong
build at the other end) holds the events back instead of setting them aside.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import anyio
import httpx
import orjson

from services.kernel import VERSION
from services.kernel.http_client import needs_tls
from services.kernel.outbox.journal import Batch, Journal
from services.kernel.outbox.pace import Pace
from services.kernel.outbox.rejected import RejectedFile

_log = logging.getLogger(__name__)
_PATH = "/api/analytics/events"
_UNFIT = frozenset({400, 413, 422})
_MAX_RETRY_AFTER_SECONDS = 30.0

Rejection = tuple[bytes, str]


class _Undelivered(Exception):
    """No instance took the batch; `args[0]` says why, in words fit for `/readyz`."""

    def __init__(self, reason: str, retry_after_seconds: float = 0.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True)
class _Answer:
    """`rejected` is None when the batch as a whole was refused with `status`."""

    status: int
    rejected: list[Rejection] | None


class Delivery:
    """Owns the reading side of a journal. `token` reads the service token from its file."""

    def __init__(
        self,
        journal: Journal,
        rejected: RejectedFile,
        *,
        base_urls: Sequence[str],
        token: Callable[[], str],
        pace: Pace,
    ) -> None:
        self.problem = ""
        self.delivered = 0
        self.rejected = 0
        self.torn = 0
        self._journal = journal
        self._rejected = rejected
        self._urls = deque(url.rstrip("/") + _PATH for url in base_urls)
        self._read_token = token
        self._pace = pace
        self._fresh = asyncio.Event()
        self._draining = asyncio.Event()
        self._one_thread = anyio.CapacityLimiter(1)
        self._headers: dict[str, str] = {}

    def notify(self) -> None:
        """Says that something was written. To be called in the event loop."""
        self._fresh.set()

    def drain(self) -> None:
        """Makes `run` end as soon as nothing waits, or at the first failure."""
        self._draining.set()
        self._fresh.set()

    async def run(self) -> None:
        """Delivers until `drain` or cancellation; never raises for a fault of net or disk."""
        limits = httpx.Limits(max_connections=2, max_keepalive_connections=2)
        timeout = httpx.Timeout(self._pace.request_timeout_seconds, connect=2.0)
        tls = needs_tls(self._urls)
        async with httpx.AsyncClient(
            timeout=timeout, limits=limits, trust_env=False, verify=tls
        ) as client:
            failures = 0
            while True:
                self._fresh.clear()
                try:
                    idle = not await self._step(client)
                    self.problem, failures = "", 0
                    if idle and self._draining.is_set():
                        return
                    if idle:
                        await self._fresh.wait()
                        await self._pause(self._pace.linger_seconds)
                except _Undelivered as exc:
                    failures += 1
                    self._note(exc.reason)
                    if self._draining.is_set():
                        return
                    await self._pause(max(exc.retry_after_seconds, self._backoff(failures)))

    async def _step(self, client: httpx.AsyncClient) -> bool:
        """Delivers one batch; False when none waits."""
        try:
            batch = await self._in_thread(self._next_batch)
            if batch is None:
                return False
            rejected = await self._deliver(client, batch.lines) if batch.lines else []
            await self._in_thread(lambda: self._finish(batch, rejected))
        except OSError as exc:
            raise _Undelivered("the folder of the events cannot be used") from exc
        self.delivered += len(batch.lines) - len(rejected)
        self.rejected += len(rejected)
        self.torn += batch.torn
        return True

    def _next_batch(self) -> Batch | None:
        return self._journal.read(self._pace.batch_max_events, self._pace.batch_max_bytes)

    def _finish(self, batch: Batch, rejected: list[Rejection]) -> None:
        if rejected:
            self._rejected.append(rejected)
            _log.warning("events were rejected", extra={"fields": {"count": len(rejected)}})
        if batch.torn:
            _log.warning("torn lines were skipped", extra={"fields": {"count": batch.torn}})
        self._journal.commit(batch)

    async def _in_thread(self, work: Callable[[], Any]) -> Any:
        return await anyio.to_thread.run_sync(work, limiter=self._one_thread)

    async def _deliver(self, client: httpx.AsyncClient, lines: list[bytes]) -> list[Rejection]:
        """Has each line taken; returns those that are not fit to be."""
        parts = deque([lines])
        rejected: list[Rejection] = []
        refused_alone: list[Rejection] = []
        taken = False
        while parts:
            part = parts.popleft()
            answer = await self._post(client, part)
            if answer.rejected is not None:
                rejected += answer.rejected
                taken = True
            elif len(part) > 1:
                parts += (part[: len(part) // 2], part[len(part) // 2 :])
            else:
                refused_alone.append((part[0], f"refused with status {answer.status}"))
        if refused_alone and not taken:
            raise _Undelivered(f"analytics refuses every event: {refused_alone[0][1]}")
        return rejected + refused_alone

    async def _post(self, client: httpx.AsyncClient, lines: list[bytes]) -> _Answer:
        """Asks one instance after the other until one says yes or no to these lines."""
        if not self._headers:
            self._headers = await self._in_thread(self._fresh_headers)
        body = b'{"events":[' + b",".join(lines) + b"]}"
        failure = _Undelivered("no address of analytics is set")
        for _ in range(len(self._urls)):
            try:
                response = await client.post(self._urls[0], content=body, headers=self._headers)
                return _understood(response, lines)
            except httpx.HTTPError:
                failure = _Undelivered("analytics cannot be reached")
            except _Undelivered as exc:
                failure = exc
            self._urls.rotate(-1)  # the next one may do better, and goes first from now on
        self._headers = {}  # the token may have been changed
        raise failure

    def _fresh_headers(self) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self._read_token()}",
            "Content-Type": "application/json",
            "User-Agent": f"Trivet/{VERSION}",
        }

    def _note(self, reason: str) -> None:
        if reason != self.problem:
            _log.warning("events wait", extra={"fields": {"reason": reason}})
        self.problem = reason

    def _backoff(self, failures: int) -> float:
        """Doubles up to the longest pause, less up to a half at random: senders must not march in
        step. https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/"""
        exponent = min(failures - 1, 16)
        longest = min(
            self._pace.max_backoff_seconds, self._pace.first_backoff_seconds * 2.0**exponent
        )
        return longest * random.uniform(0.5, 1.0)  # noqa: S311  # spreads load, guards nothing

    async def _pause(self, seconds: float) -> None:
        """Waits, but not through a drain."""
        try:
            await asyncio.wait_for(self._draining.wait(), seconds)
        except TimeoutError:
            return


def _understood(response: httpx.Response, lines: list[bytes]) -> _Answer:
    """The answer of one instance; raises _Undelivered when another one should be asked."""
    status = response.status_code
    if status in _UNFIT:
        return _Answer(status, None)
    if not response.is_success:
        raise _Undelivered(f"analytics answers with status {status}", _retry_after(response))
    try:
        body = orjson.loads(response.content)
        rejected = [(lines[int(r["index"])], str(r["message"])) for r in body["rejected"]]
        counted = int(body["accepted"]) + int(body["duplicates"]) + len(rejected)
    except (ValueError, KeyError, IndexError, TypeError) as exc:
        raise _Undelivered("what answers for analytics is something else") from exc
    if counted != len(lines):
        raise _Undelivered("analytics did not account for each event")
    return _Answer(status, rejected)


def _retry_after(response: httpx.Response) -> float:
    value = response.headers.get("retry-after", "")
    return min(float(value), _MAX_RETRY_AFTER_SECONDS) if value.isdigit() else 0.0
