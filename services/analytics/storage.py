"""What one transaction does with new events: tell them from known ones, insert, count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from struct import pack

from sqlalchemy import Connection, func, select

from services.analytics.combination import facet_numbers, trait_numbers
from services.analytics.gap_candidates import add_candidates
from services.analytics.intake import Record
from services.analytics.intents import IntentRules, add_intents
from services.analytics.journal_models import Cleanup
from services.analytics.labels import LabelNumbers
from services.analytics.models import KEY_BITS, Event, table
from services.analytics.questions import add_questions
from services.analytics.rollups import RollupWriter
from services.analytics.sessions import add_to_sessions
from services.analytics.statement import insert_text, marks
from services.analytics.words import index_words

_event = table(Event)
_cleanup = table(Cleanup)
_CHUNK = 500  # of ids in one statement
_KEPT_BATCHES = 2_000
_INSERT_EVENT = insert_text(_event, list(_event.columns.keys()))
_INSERT_WORDS = "INSERT INTO event_words (rowid, words) VALUES (?, ?)"
_INSERT_ANSWER = "INSERT INTO answer (key, text) VALUES (?, ?)"
_INSERT_BATCH = """
INSERT INTO batch (events, keys)
VALUES (?1 + coalesce((SELECT events FROM batch ORDER BY seq DESC LIMIT 1), 0), ?2) RETURNING seq
"""


@dataclass(frozen=True)
class Stored:
    """What became of a batch; `too_old` are the places of records that a cleanup would have taken
    already, and that can therefore not be told from ones that were counted before."""

    accepted: int = 0
    duplicates: int = 0
    too_old: list[int] = field(default_factory=list)


class EventStore:
    """For one writer: remembers the numbers of words and combinations.

    `low_score`: a search whose best score lies below found nothing good.
    """

    def __init__(self, *, low_score: float = 0.5, rules: IntentRules | None = None) -> None:
        self._low_score = low_score
        self._rules = rules or IntentRules(())
        self._labels = LabelNumbers()
        self._facets = facet_numbers(self._labels)
        self._traits = trait_numbers(self._labels)
        self._rollups = RollupWriter(low_score)

    def add(self, connection: Connection, batches: Sequence[Sequence[Record]]) -> list[Stored]:
        """Stores batches in one write transaction; an id counts once, whoever sends it."""
        known = _known_ids(connection, [r.id for batch in batches for r in batch])
        horizon_us = connection.scalar(select(func.max(_cleanup.c.cutoff_us))) or 0
        fresh: list[Record] = []
        outcomes = [_sort_out(batch, known, horizon_us, fresh) for batch in batches]
        if fresh:
            self._insert(connection, fresh)
        return outcomes

    def forget(self) -> None:
        """To be called when a transaction was rolled back."""
        self._labels.forget()
        self._facets.forget()
        self._traits.forget()

    def _insert(self, connection: Connection, records: list[Record]) -> None:
        records.sort(key=lambda record: record.time_us)  # stable: as they arrived within one time
        by_facet = self._facets.learn(connection, (r.facet for r in records))
        by_trait = self._traits.learn(connection, (r.trait for r in records))
        sessions, begun = add_to_sessions(connection, records)
        keys = _place(connection, records)
        facets = [by_facet[record.facet] for record in records]
        rows = [
            _row(record, key, facet, by_trait[record.trait], sessions)
            for record, key, facet in zip(records, keys, facets, strict=True)
        ]
        connection.exec_driver_sql(_INSERT_EVENT, rows)
        words = [
            (key, index_words(record.text, facet))
            for record, key, facet in zip(records, keys, facets, strict=True)
            if record.text is not None
        ]
        if words:
            connection.exec_driver_sql(_INSERT_WORDS, words)
        answers = [(key, r.answer) for key, r in zip(keys, records, strict=True) if r.answer]
        if answers:
            connection.exec_driver_sql(_INSERT_ANSWER, answers)
        self._rollups.add(connection, records, facets, begun)
        add_questions(connection, records, keys)
        add_intents(connection, self._rules, records)
        add_candidates(connection, records, self._low_score)
        _note_arrival(connection, keys)


def _row(
    record: Record, key: int, facet: int, trait: int, sessions: dict[str, int]
) -> tuple[object, ...]:
    """In the order of the table's columns."""
    return (
        key,
        record.id,
        facet,
        trait,
        record.request_id,
        None if record.session is None else sessions[record.session],
        record.visitor_id,
        record.input_tokens,
        record.output_tokens,
        record.cost_nano_usd,
        record.duration_us,
        record.first_token_us,
        record.total_found,
        record.top_score,
        record.rating,
        record.rated_request_id,
        record.text,
        record.citations,
        record.extra,
    )


def _sort_out(
    batch: Sequence[Record], known: set[bytes], horizon_us: int, fresh: list[Record]
) -> Stored:
    """Puts new records into `fresh` and their ids into `known`."""
    accepted = duplicates = 0
    too_old: list[int] = []
    for place, record in enumerate(batch):
        if record.id in known:
            duplicates += 1
        elif record.time_us < horizon_us:
            too_old.append(place)
        else:
            known.add(record.id)
            fresh.append(record)
            accepted += 1
    return Stored(accepted, duplicates, too_old)


def _known_ids(connection: Connection, ids: Sequence[bytes]) -> set[bytes]:
    found: set[bytes] = set()
    for start in range(0, len(ids), _CHUNK):
        some = tuple(ids[start : start + _CHUNK])
        statement = f"SELECT id FROM event WHERE id IN {marks(len(some))}"  # noqa: S608  # marks only
        found.update(connection.exec_driver_sql(statement, some).scalars())
    return found


def _place(connection: Connection, records: Sequence[Record]) -> list[int]:
    """A free key for each of the records, which are in the order of time; rising.

    The 1,025th record of one microsecond takes a key of the next one.
    """
    keys: list[int] = []
    taken = _taken_keys(connection, [record.time_us << KEY_BITS for record in records])
    last = free_until = 0
    for record in records:
        key = record.time_us << KEY_BITS
        if key <= last or key in taken:
            key = max(key, last + 1)
            if key >= free_until:
                key, free_until = _gap(connection, key)
        keys.append(key)
        last = key
    return keys


def _taken_keys(connection: Connection, keys: Sequence[int]) -> set[int]:
    found: set[int] = set()
    for start in range(0, len(keys), _CHUNK):
        some = tuple(keys[start : start + _CHUNK])
        statement = f"SELECT key FROM event WHERE key IN {marks(len(some))}"  # noqa: S608  # marks only
        found.update(connection.exec_driver_sql(statement, some).scalars())
    return found


def _gap(connection: Connection, key: int) -> tuple[int, int]:
    """The first run of free keys from `key` on: its first key and the taken one after it."""
    rows = connection.exec_driver_sql("SELECT key FROM event WHERE key >= ? ORDER BY key", (key,))
    for (taken,) in rows:
        if taken != key:
            rows.close()
            return key, taken
        key += 1
    return key, 2**63


def _note_arrival(connection: Connection, keys: Sequence[int]) -> None:
    """For those who watch, here or at another instance."""
    packed = pack(f"<{len(keys)}q", *keys)
    seq = connection.exec_driver_sql(_INSERT_BATCH, (len(keys), packed)).scalar_one()
    if seq % 100 == 0:
        connection.exec_driver_sql("DELETE FROM batch WHERE seq <= ?", (seq - _KEPT_BATCHES,))
