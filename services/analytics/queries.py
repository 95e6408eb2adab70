"""Which records: filtered, newest first, page by page; each page costs the same however far back.

A record's key is its time, so each index lies in the order of time. A filter by words is a set of
facets: their entries in the index are merged from the newest on. A text is found by FTS5, whose
rows have the same keys; the facets are words there, so FTS5 leaps over what a filter leaves out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Row

from services.analytics.combination import Dictionary
from services.analytics.identifier import packed
from services.analytics.models import KEY_BITS, Event, table
from services.analytics.schemas import RecordFilter
from services.analytics.sessions import number_of
from services.analytics.words import contiguous_runs, folded, match_expression
from services.kernel.errors import Unprocessable

_event = table(Event)
_CHUNK = 500
_MERGED = 200  # facets in one statement; SQLite's bound on compound selects is 500
_LAST = 2**63 - 1
# `analytics_folded` and `event_vocabulary` are each connection's own, see database.py. The function
# is Python's, so it is only asked where the text as it is does not tell.
_AND_CONTIGUOUS = (
    " AND EXISTS (SELECT 1 FROM event WHERE key = w.rowid "
    "AND (instr(text, ?) > 0 OR instr(analytics_folded(text), ?) > 0))"
)
_MAX_NAMED_WORDS = 300
_LAST_CHARACTER = "\U0010ffff"
_VOCABULARY = "SELECT term FROM temp.event_vocabulary WHERE term >= ? AND term < ? LIMIT ?"


@dataclass(frozen=True)
class Span:
    """Keys from `first` up to and without `end`."""

    first: int
    end: int


class RecordFinder:
    """Finds records within one database connection."""

    def __init__(self, connection: Connection, dictionary: Dictionary) -> None:
        self._connection = connection
        self._dictionary = dictionary.refreshed(connection)

    def page(
        self, wanted: RecordFilter, limit: int, cursor: str | None
    ) -> tuple[Sequence[Row[Any]], str | None]:
        """(rows of `event` with the conversation's name, cursor of the next page or None)."""
        keys = self.keys(wanted, limit + 1, cursor)
        rows = self._rows(keys, limit + 1)
        following = str(rows[limit - 1].key) if len(rows) > limit else None
        return rows[:limit], following

    def _rows(self, keys: list[int] | Span, limit: int) -> Sequence[Row[Any]]:
        return self._between(keys, limit) if isinstance(keys, Span) else self.rows(keys)

    def rows(self, keys: Sequence[int]) -> list[Row[Any]]:
        """The records with these keys, newest first."""
        found: list[Row[Any]] = []
        for start in range(0, len(keys), _CHUNK):
            some = keys[start : start + _CHUNK]
            marks = ",".join("?" * len(some))
            statement = f"{_SELECT} WHERE e.key IN ({marks}) ORDER BY e.key DESC"  # marks only
            found += self._connection.exec_driver_sql(statement, tuple(some)).all()
        return found

    def keys(self, wanted: RecordFilter, limit: int, cursor: str | None = None) -> list[int] | Span:
        """The newest keys that fit, at most `limit`; a place when all keys in it fit."""
        place = _place(wanted, cursor)
        facets = self._facets(wanted)
        if wanted.request_id is not None:
            where, value = "request_id = ?", packed(wanted.request_id)
            return self._few(where, value, wanted, facets, place, limit)
        if wanted.session is not None:
            session = number_of(self._connection, wanted.session)
            return self._few("session = ?", session, wanted, facets, place, limit)
        if wanted.text is not None:
            return self._by_text(wanted.text, facets, place, limit)
        return place if facets is None else self._by_facets(facets, place, limit)

    def _facets(self, wanted: RecordFilter) -> list[int] | None:
        """The facets that fit; None when all do."""
        status = wanted.status
        found = self._dictionary.matching(
            kind=wanted.kind,
            service=wanted.service,
            provider=wanted.provider,
            model=wanted.model,
            error_type=wanted.error_type,
            end_reason=wanted.end_reason,
            status=status if isinstance(status, int) else None,
        )
        if isinstance(status, str):
            words = self._dictionary.facets
            found = [n for n in found if (words[n].error_type is None) == (status == "ok")]
        return None if len(found) == len(self._dictionary.facets) else found

    def _between(self, place: Span, limit: int) -> Sequence[Row[Any]]:
        statement = f"{_SELECT} WHERE e.key >= ? AND e.key < ? ORDER BY e.key DESC LIMIT ?"
        values = (place.first, place.end, limit)
        return self._connection.exec_driver_sql(statement, values).all()

    def _few(
        self,
        where: str,
        value: object,
        wanted: RecordFilter,
        facets: list[int] | None,
        place: Span,
        limit: int,
    ) -> list[int]:
        """Of one request or conversation: few records, looked at one by one."""
        statement = f"SELECT key, facet, text FROM event WHERE {where} AND key >= ? AND key < ?"  # noqa: S608  # our own words
        values = (value, place.first, place.end)
        rows = self._connection.exec_driver_sql(f"{statement} ORDER BY key DESC", values)
        fitting = None if facets is None else set(facets)
        text = None if wanted.text is None else folded(wanted.text)
        found = (
            row.key
            for row in rows
            if (fitting is None or row.facet in fitting)
            and (text is None or text in folded(row.text or ""))
        )
        keys = list(islice(found, limit))
        rows.close()
        return keys

    def _by_text(self, text: str, facets: list[int] | None, place: Span, limit: int) -> list[int]:
        if facets == []:
            return []
        match = match_expression(text, facets, self._words_beginning_with)
        if match is None:
            raise Unprocessable("text: holds no word to look for", param="text")
        statement = (
            "SELECT w.rowid FROM event_words AS w WHERE event_words MATCH ? "
            "AND w.rowid >= ? AND w.rowid < ?"
        )
        values: list[object] = [match, place.first, place.end]
        for run in contiguous_runs(text):
            statement += _AND_CONTIGUOUS
            values += (run, run)
        statement += " ORDER BY w.rowid DESC LIMIT ?"
        rows = self._connection.exec_driver_sql(statement, (*values, limit))
        return [row[0] for row in rows]

    def _words_beginning_with(self, start: str) -> list[str] | None:
        """The words of the index; None when there are too many to name."""
        values = (start, start + _LAST_CHARACTER, _MAX_NAMED_WORDS + 1)
        rows = self._connection.exec_driver_sql(_VOCABULARY, values)
        words = [row[0] for row in rows]
        return words if len(words) <= _MAX_NAMED_WORDS else None

    def _by_facets(self, facets: list[int], place: Span, limit: int) -> list[int]:
        """The newest of several sorted lists: SQLite merges them and reads no more than it needs
        (https://www.sqlite.org/lang_select.html, compound selects)."""
        one = "SELECT key FROM event WHERE facet = ? AND key >= ? AND key < ?"
        found: list[list[int]] = []
        for start in range(0, len(facets), _MERGED):
            some = facets[start : start + _MERGED]
            statement = " UNION ALL ".join([one] * len(some)) + " ORDER BY key DESC LIMIT ?"
            values = [value for facet in some for value in (facet, place.first, place.end)]
            rows = self._connection.exec_driver_sql(statement, (*values, limit))
            found.append([row[0] for row in rows])
        return list(islice(merge(*found, reverse=True), limit))


_COLUMNS = ", ".join(f"e.{column.name}" for column in _event.columns)
_SELECT = (
    f"SELECT {_COLUMNS}, s.name AS session_id "  # noqa: S608  # the table's own columns
    "FROM event AS e LEFT JOIN session AS s ON s.id = e.session"
)


def _place(wanted: RecordFilter, cursor: str | None) -> Span:
    first = 0 if wanted.from_us is None else _key(wanted.from_us)
    end = _LAST if wanted.to_us is None else _key(wanted.to_us)
    return Span(first, end if cursor is None else min(end, int(cursor)))


def _key(time_us: int) -> int:
    """The first key of a time, within what SQLite can hold."""
    return max(0, min(time_us, _LAST >> KEY_BITS)) << KEY_BITS
