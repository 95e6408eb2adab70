"""The counts of all subjects in a file that every instance maps into its memory, under one lock.

A check takes the lock for some microseconds; the kernel frees it when its holder dies. Rows lie in
two regions, keys and strangers, each in sets of `WAYS`: where a set is full, the row that was not
used for the longest time is taken over. Somebody with that many addresses could have had as many
minutes' limits anyway.
"""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Self

from services.kernel.errors import ConfigurationError
from services.llm_proxy.limits.record import RECORD_WORDS, SEATS, Record

_FILE = "table-1"  # the number changes with the layout: an older process may still map its own
_HEADER_WORDS = 64
_GENERATIONS = 0  # of each seat
_NEWS = SEATS
_HEARD = _NEWS + 1  # by each seat
_WAYS = 8
_SETS = 1024
_REGION_WORDS = _SETS * _WAYS * RECORD_WORDS
_BYTES = 8 * (_HEADER_WORDS + 2 * _REGION_WORDS)


class Table:
    """The mapped file, and this process's seat in it. Made in `folder`; close it at the end.

    Raises ConfigurationError when it cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(folder / _FILE, os.O_RDWR | os.O_CREAT, 0o600)
        _make_room(self._descriptor)
        self._map = mmap.mmap(self._descriptor, _BYTES)
        self._words = memoryview(self._map).cast("q")
        self._seats = Seats(folder)
        self.seat = self._seats.claim()
        self.generation = self._end_generation(self.seat)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._seats.leave()
        self._words.release()
        self._map.close()
        os.close(self._descriptor)

    def try_lock(self) -> bool:
        """Takes the lock of the table, if nobody has it just now."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def unlock(self) -> None:
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def record(self, subject: str, tick: int, *, key: bool) -> Record:
        """The subject's row, its windows brought up to `tick`; a new one where there is none."""
        digest = _digest(subject)
        words = self._words
        first = _HEADER_WORDS + (0 if key else _REGION_WORDS)
        first += digest[0] % _SETS * _WAYS * RECORD_WORDS
        oldest = first
        for base in range(first, first + _WAYS * RECORD_WORDS, RECORD_WORDS):
            if words[base] == digest[0] and words[base + 1] == digest[1]:
                record = Record(words, base)
                break
            if words[base + 2] < words[oldest + 2]:
                oldest = base
        else:
            record = Record(words, oldest)
            record.take_over(digest)
        record.advance(tick)
        return record

    def generations(self) -> memoryview:
        """The generation of each seat; a call counts while it bears its seat's."""
        return self._words[_GENERATIONS : _GENERATIONS + SEATS]

    def bury_the_dead(self, record: Record) -> None:
        """Ends the generation of seats whose process is gone, with all calls it had."""
        for seat in record.seats():
            if seat != self.seat:
                with self._seats.if_free(seat) as free:
                    if free:
                        self._end_generation(seat)

    # -- news -------------------------------------------------------------------------------------

    @property
    def news(self) -> int:
        """Another number each time that somebody has changed what all keep in memory."""
        return self._words[_NEWS]

    def announce(self) -> int:
        """Tells all processes that there is something new; the number of this piece of news."""
        self._words[_NEWS] = news = time.time_ns()
        return news

    def has_heard(self, news: int) -> None:
        """This process knows everything up to `news`."""
        self._words[_HEARD + self.seat] = news

    def all_have_heard(self, news: int) -> bool:
        """Whether every living process knows everything up to `news`."""
        return all(self._knows(seat, news) for seat in range(SEATS))

    def _knows(self, seat: int, news: int) -> bool:
        if seat == self.seat or self._words[_HEARD + seat] >= news:
            return True
        with self._seats.if_free(seat) as free:
            return free

    def _end_generation(self, seat: int) -> int:
        self._words[_GENERATIONS + seat] += 1
        return self._words[_GENERATIONS + seat]


def _make_room(descriptor: int) -> None:
    """What is there stays. A hole would kill the process (SIGBUS) when it is first written to while
    the disk is full."""
    try:
        os.posix_fallocate(descriptor, 0, _BYTES)
    except OSError as exc:
        os.close(descriptor)
        raise ConfigurationError("data/limits: there is no room for its file") from exc


class Seats:
    """A number for each process, held by a file's lock, which the kernel frees when it dies."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: int | None = None

    def claim(self) -> int:
        """The first free seat. Waits for none: there are more than instances can be."""
        for seat in range(SEATS):
            descriptor = self._locked(seat)
            if descriptor is not None:
                self._held = descriptor
                return seat
        raise ConfigurationError("data/limits: more than 16 processes of llm_proxy share it")

    def leave(self) -> None:
        if self._held is not None:
            os.close(self._held)
            self._held = None

    @contextmanager
    def if_free(self, seat: int) -> Iterator[bool]:
        """Whether nobody sits there; inside the block nobody can take it."""
        descriptor = self._locked(seat)
        try:
            yield descriptor is not None
        finally:
            if descriptor is not None:
                os.close(descriptor)

    def _locked(self, seat: int) -> int | None:
        path = self._folder / f"seat-{seat}"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor


@lru_cache(maxsize=4096)
def _digest(subject: str) -> tuple[int, int]:
    first, second = struct.unpack("<2q", hashlib.blake2b(subject.encode(), digest_size=16).digest())
    return first, second
