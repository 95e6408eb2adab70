"""One thread that embeds, and the queue before it: queries pass between batches of passages."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from services.kb.embedder.model import Encoded, Encoder, InputType
from services.kernel.errors import InternalError, Overloaded, TrivetError

_log = logging.getLogger(__name__)
_IDLE_SECONDS = 2.0
_BATCHES_BETWEEN_RESTS = 500
_PRIORITY: dict[InputType, int] = {"query": 0, "passage": 1}

# So long after a query the next one is expected: it then waits for one passage, not for a batch.
_ATTENTIVE_SECONDS = 5.0
# Counting this much takes some milliseconds, which a query may have to wait.
_COUNTED_CHARACTERS = 16_000

LoadState = Literal["loading", "ready", "failed"]


@dataclass(order=True)
class _Batch:
    """Texts to be embedded; without an `input_type` their tokens are to be counted."""

    priority: int
    number: int
    texts: list[str] = field(compare=False)
    input_type: InputType | None = field(compare=False)
    result: Future[Any] = field(compare=False, default_factory=Future)


class BatchScheduler:
    """Owns the model and its thread. Between `start` and `stop` any task may `encode`."""

    def __init__(
        self, load: Callable[[], Encoder], *, batch_texts: int, max_waiting_texts: int
    ) -> None:
        self.state: LoadState = "loading"
        self.encoder: Encoder | None = None
        self._load = load
        self._batch_texts = batch_texts
        self._max_waiting_texts = max_waiting_texts
        self._waiting: dict[InputType, int] = {"query": 0, "passage": 0}
        self._queue: list[_Batch] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._stopping = False
        self._batches_since_rest = 0
        self._queried_at = float("-inf")
        self._thread = threading.Thread(target=self._run, name="embedding", daemon=True)

    def start(self) -> None:
        """Loads the model in the thread; until then `encode` is refused."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread after the batch in hand; what waits is cancelled."""
        with self._changed:
            self._stopping = True
            for batch in self._queue:
                batch.result.cancel()
            self._queue.clear()
            self._changed.notify()

    async def encode(self, texts: Sequence[str], input_type: InputType) -> Encoded:
        """Embeds texts, in order. Raises Overloaded while loading or when too many wait.

        When the caller is cancelled, the batches that have not begun are dropped.
        """
        self._require_ready()
        by_length = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        groups = [
            by_length[first : first + self._batch_texts]
            for first in range(0, len(texts), self._batch_texts)
        ]
        batches = self._enqueue([[texts[i] for i in group] for group in groups], input_type)
        try:
            parts = await asyncio.gather(*(asyncio.wrap_future(b.result) for b in batches))
        finally:
            for batch in batches:
                batch.result.cancel()
        vectors = np.concatenate([part.vectors for part in parts])
        inverse = np.argsort([index for group in groups for index in group])
        return Encoded(vectors[inverse], sum(part.tokens for part in parts))

    async def count(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text has. Raises Overloaded while the model is loading.

        The work is done between batches of passages, some thousand characters at a time.
        """
        self._require_ready()
        counts: list[int] = []
        for group in _groups_by_size(texts):
            with self._changed:
                batch = _Batch(_PRIORITY["passage"], next(self._numbers), group, None)
                heapq.heappush(self._queue, batch)
                self._changed.notify()
            counts += await asyncio.wrap_future(batch.result)
        return counts

    def _require_ready(self) -> None:
        if self.state != "ready":
            raise Overloaded(f"The embedding model is not ready: {self.state}.")

    def _enqueue(self, groups: list[list[str]], input_type: InputType) -> list[_Batch]:
        count = sum(len(group) for group in groups)
        with self._changed:
            if self._waiting[input_type] + count > self._max_waiting_texts:
                raise Overloaded("Too many texts wait to be embedded.", retry_after_seconds=2)
            self._waiting[input_type] += count
            priority = _PRIORITY[input_type]
            batches = [_Batch(priority, next(self._numbers), g, input_type) for g in groups]
            for batch in batches:
                heapq.heappush(self._queue, batch)
            self._changed.notify()
        return batches

    def _run(self) -> None:
        try:
            self.encoder = self._load()
        except Exception as exc:  # noqa: BLE001  # the process stays up and says so in /readyz
            self.state = "failed"
            _log.error("the embedding model could not be loaded", exc_info=exc)
            return
        self.state = "ready"
        _log.info(
            "the embedding model is ready", extra={"fields": {"model": self.encoder.card.name}}
        )
        while not self._stopping:
            batch = self._next()
            if batch is None:
                self._rest()
            else:
                self._embed(self.encoder, batch)

    def _next(self) -> _Batch | None:
        """The next batch; None after a while without one, or when it is time to stop."""
        with self._changed:
            if not self._queue and not self._stopping:
                self._changed.wait(_IDLE_SECONDS)
            if self._stopping or not self._queue:
                return None
            return self._popped()

    def _popped(self) -> _Batch:
        batch = heapq.heappop(self._queue)
        if batch.input_type is not None:
            self._waiting[batch.input_type] -= len(batch.texts)
        if batch.input_type == "query":
            self._queried_at = time.monotonic()
        return batch

    def _rest(self) -> None:
        """Once after work, when nothing waits; and now and then while work goes on."""
        if self._batches_since_rest and self.encoder is not None:
            self._batches_since_rest = 0
            self.encoder.rest()

    def _embed(self, encoder: Encoder, batch: _Batch) -> None:
        if not batch.result.set_running_or_notify_cancel():
            return
        self._batches_since_rest += 1
        if self._batches_since_rest > _BATCHES_BETWEEN_RESTS:
            self._rest()
        try:
            batch.result.set_result(self._done(encoder, batch))
        except TrivetError as error:
            batch.result.set_exception(error)
        except Exception as exc:  # noqa: BLE001  # whatever a model throws, the thread goes on
            _log.error("a batch could not be embedded", exc_info=exc)
            batch.result.set_exception(InternalError("The texts could not be embedded."))

    def _done(self, encoder: Encoder, batch: _Batch) -> Encoded | list[int]:
        if batch.input_type is None:
            return encoder.count(batch.texts)
        asked = time.monotonic() - self._queried_at < _ATTENTIVE_SECONDS
        if batch.input_type == "passage" and asked:
            return self._one_by_one(encoder, batch.texts)
        return encoder.encode(batch.texts, batch.input_type)

    def _one_by_one(self, encoder: Encoder, texts: Sequence[str]) -> Encoded:
        """Embeds passages singly, with the queries that wait in between."""
        parts: list[Encoded] = []
        for text in texts:
            self._serve_queries(encoder)
            parts.append(encoder.encode([text], "passage"))
        vectors = np.concatenate([part.vectors for part in parts])
        return Encoded(vectors, sum(part.tokens for part in parts))

    def _serve_queries(self, encoder: Encoder) -> None:
        while True:
            with self._changed:
                if not self._queue or self._queue[0].priority != _PRIORITY["query"]:
                    return
                batch = self._popped()
            self._embed(encoder, batch)


def _groups_by_size(texts: Sequence[str]) -> Iterator[list[str]]:
    group: list[str] = []
    size = 0
    for text in texts:
        group.append(text)
        size += len(text)
        if size >= _COUNTED_CHARACTERS:
            yield group
            group, size = [], 0
    if group:
        yield group
