"""The queue before the model: queries first, passages with the time that is left.

Passages have threads of a lower priority where the model allows it: a query then begins at once,
and the system gives it the processor. Another model embeds all in one thread, and queries pass
between batches of passages.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import numpy as np

from services.kb.embedder.model import Encoded, Encoder, InputType
from services.kernel.errors import InternalError, Overloaded, TrivetError

_log = logging.getLogger(__name__)
_IDLE_SECONDS = 2.0
_BATCHES_BETWEEN_RESTS = 500
_QUERIES: tuple[InputType, ...] = ("query",)
_PASSAGES: tuple[InputType, ...] = ("passage",)
_ALL: tuple[InputType, ...] = ("query", "passage")

# Added to the niceness of the thread that embeds passages.
_NICER = 10
# So long after a query the next one is expected: it then waits for one passage, not for a batch.
_ATTENTIVE_SECONDS = 5.0
# Counting this much takes some milliseconds, which a query may have to wait.
_COUNTED_CHARACTERS = 16_000

LoadState = Literal["loading", "ready", "failed"]


@dataclass
class _Batch:
    """Texts to be embedded, or whose tokens are to be counted."""

    kind: InputType
    texts: list[str]
    counted: bool = False
    result: Future[Any] = field(default_factory=Future)


class BatchScheduler:
    """Owns the model and its threads. Between `start` and `stop` any task may `encode`."""

    def __init__(
        self, load: Callable[[], Encoder], *, batch_texts: int, max_waiting_texts: int
    ) -> None:
        self.state: LoadState = "loading"
        self.encoder: Encoder | None = None
        self._load = load
        self._batch_texts = batch_texts
        self._max_waiting_texts = max_waiting_texts
        self._waiting: dict[InputType, int] = {"query": 0, "passage": 0}
        self._queues: dict[InputType, deque[_Batch]] = {"query": deque(), "passage": deque()}
        self._lock = threading.Lock()
        # One for each kind of thread, so that a query wakes none of those that embed passages.
        self._changed = {
            kinds: threading.Condition(self._lock) for kinds in (_QUERIES, _PASSAGES, _ALL)
        }
        self._stopping = False
        self._apart = False  # whether passages have a thread of their own
        self._batches_since_rest = 0
        self._queried_at = self._worked_at = float("-inf")

    def start(self) -> None:
        """Loads the model in a thread; until then `encode` is refused."""
        threading.Thread(target=self._run, name="embedding", daemon=True).start()

    def stop(self) -> None:
        """Ends the threads after the batches in hand; what waits is cancelled."""
        with self._lock:
            self._stopping = True
            for queue in self._queues.values():
                for batch in queue:
                    batch.result.cancel()
                queue.clear()
            for changed in self._changed.values():
                changed.notify_all()

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

        The work is done before passages that wait, some thousand characters at a time.
        """
        self._require_ready()
        counts: list[int] = []
        for group in _groups_by_size(texts):
            with self._lock:
                batch = _Batch("passage", group, counted=True)
                self._queues["passage"].appendleft(batch)
                self._wake("passage", 1)
            counts += await asyncio.wrap_future(batch.result)
        return counts

    def _require_ready(self) -> None:
        if self.state != "ready":
            raise Overloaded(f"The embedding model is not ready: {self.state}.")

    def _enqueue(self, groups: list[list[str]], input_type: InputType) -> list[_Batch]:
        count = sum(len(group) for group in groups)
        with self._lock:
            if self._waiting[input_type] + count > self._max_waiting_texts:
                raise Overloaded("Too many texts wait to be embedded.", retry_after_seconds=2)
            self._waiting[input_type] += count
            batches = [_Batch(input_type, group) for group in groups]
            self._queues[input_type].extend(batches)
            self._wake(input_type, len(batches))
        return batches

    def _wake(self, kind: InputType, threads: int) -> None:
        for kinds, changed in self._changed.items():
            if kind in kinds:
                changed.notify(threads)

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
        self._apart = self.encoder.passage_threads > 0
        for _ in range(self.encoder.passage_threads):
            work = partial(self._run_apart, self.encoder)
            threading.Thread(target=work, name="passages", daemon=True).start()
        while not self._stopping:
            self._work(self.encoder, _QUERIES if self._apart else _ALL)

    def _run_apart(self, encoder: Encoder) -> None:
        _yield_to_others()
        while not self._stopping:
            self._work(encoder, _PASSAGES)

    def _work(self, encoder: Encoder, kinds: tuple[InputType, ...]) -> None:
        """Does the next batch; returns after a while without one, or when it is time to stop."""
        idle = False
        with self._lock:
            if not any(self._queues[kind] for kind in kinds) and not self._stopping:
                idle = not self._changed[kinds].wait(_IDLE_SECONDS)
            batch = self._popped(kinds)
        if batch is not None:
            self._embed(encoder, batch)
        elif idle and time.monotonic() - self._worked_at > _IDLE_SECONDS:
            self._rest()  # not while another thread works: it holds that one up

    def _popped(self, kinds: Sequence[InputType]) -> _Batch | None:
        queue = next((self._queues[kind] for kind in kinds if self._queues[kind]), None)
        if queue is None:
            return None
        batch = queue.popleft()
        if not batch.counted:
            self._waiting[batch.kind] -= len(batch.texts)
        if batch.kind == "query":
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
        self._worked_at = time.monotonic()
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
        if batch.counted:
            return encoder.count(batch.texts)
        asked = not self._apart and time.monotonic() - self._queried_at < _ATTENTIVE_SECONDS
        if batch.kind == "passage" and asked:
            return self._one_by_one(encoder, batch.texts)
        return encoder.encode(batch.texts, batch.kind)

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
            with self._lock:
                batch = self._popped(_QUERIES)
            if batch is None:
                return
            self._embed(encoder, batch)


def _yield_to_others() -> None:
    """Gives the calling thread what the others leave of the processor.

    Linux knows niceness by thread; elsewhere it is the process's, and stays as it is.
    https://man7.org/linux/man-pages/man2/setpriority.2.html (bugs)
    """
    if sys.platform == "linux":
        thread = threading.get_native_id()
        niceness = os.getpriority(os.PRIO_PROCESS, thread) + _NICER
        os.setpriority(os.PRIO_PROCESS, thread, niceness)


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
