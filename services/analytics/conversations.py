"""Conversations as people read them: found by what was asked, and one of them whole.

A conversation stands where the newest of its questions that fits stands, so that the way through
the list is the way through the records, and each page costs the same. A question without a session
is a conversation of its own.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, Row

from services.analytics.combination import Dictionary
from services.analytics.conversation_schemas import (
    MAX_TURNS,
    ConversationAnswer,
    ConversationItem,
    ConversationPage,
    ConversationsQuery,
    Turn,
    TurnSearch,
)
from services.analytics.identifier import packed, unpacked
from services.analytics.models import KEY_BITS
from services.analytics.queries import RecordFinder
from services.analytics.record import RecordWriter, rfc3339
from services.analytics.schemas import RecordFilter
from services.analytics.statement import marks
from services.analytics.words import folded
from services.kernel.errors import NotFound

_WORKFLOW = "workflow"  # the cause of a chat in which nobody asked anything
_BATCH = 200
_MOST_LOOKED_AT = 5_000  # records for one page; a rare assistant is then looked for on the next
_CHUNK = 500
# A plus keeps SQLite from walking along the facets, of which each has very many records
# (https://www.sqlite.org/optoverview.html, "disqualifying WHERE clause terms").
_OF_SESSION = "SELECT key FROM event WHERE session = ? AND +facet IN {} ORDER BY key DESC LIMIT ?"
_VOTES = (
    "SELECT rated_request_id, rating, text FROM event WHERE rated_request_id IN {} ORDER BY key"
)
_SEARCHES = "SELECT key FROM event WHERE request_id IN {} AND +facet IN {} ORDER BY key"
_SESSION = "SELECT id, started_us, last_us, questions FROM session WHERE name = ?"
_SESSION_OF = "SELECT session FROM event WHERE request_id = ? AND +facet IN {} LIMIT 1"
_Vote = tuple[int, str | None]


@dataclass(frozen=True)
class _Session:
    """What the table of sessions knows of one."""

    id: int
    started_us: int
    last_us: int
    questions: int


class ConversationReader:
    """Reads conversations within one database connection."""

    def __init__(self, connection: Connection, dictionary: Dictionary) -> None:
        self._connection = connection
        self._finder = RecordFinder(connection, dictionary)
        self._dictionary = dictionary
        self._chats = dictionary.matching(kind="chat")

    # -- the list -------------------------------------------------------------------------------

    def page(self, wanted: ConversationsQuery) -> ConversationPage:
        """Conversations, the one with the newest question that fits first."""
        items, following = self._walk(wanted)
        traits, facets = self._dictionary.traits.values(), self._dictionary.facets.values()
        return ConversationPage(
            items=items,
            next_cursor=following,
            known_assistants=sorted({t.assistant for t in traits if t.assistant}),
            known_end_reasons=sorted(
                {f.end_reason for f in facets if f.end_reason and f.kind == "chat"}
            ),
        )

    def _walk(self, wanted: ConversationsQuery) -> tuple[list[ConversationItem], str | None]:
        same = ("text", "end_reason", "date_from", "date_to")
        records = RecordFilter.model_validate(
            {"kind": "chat", **{name: getattr(wanted, name) for name in same}}
        )
        test = _Test(wanted, records, self._dictionary)
        items: list[ConversationItem] = []
        seen: set[int] = set()
        cursor, looked = wanted.cursor, 0
        while looked < _MOST_LOOKED_AT:
            rows, following = self._finder.page(records, _BATCH, cursor)
            for row in rows:
                cursor = str(row.key)
                if row.session in seen or not test.holds(row):
                    continue
                if row.session is not None:
                    seen.add(row.session)
                item = self._item(row, test)
                if item is not None:
                    items.append(item)
                if len(items) == wanted.limit:
                    ended = following is None and row is rows[-1]
                    return items, None if ended else cursor
            if following is None:
                return items, None
            looked += len(rows)
        return items, cursor

    def _item(self, row: Row[Any], test: _Test) -> ConversationItem | None:
        """None: it stood further up already, for a newer question that fits."""
        rows = [row] if row.session is None else self._rows_of(row.session)
        if any(other.key > row.key and test.holds_with_text(other) for other in rows):
            return None
        session = None if row.session is None else self._session(row.session_id)
        return self._summed(row, rows, session)

    def _summed(
        self, found: Row[Any], rows: Sequence[Row[Any]], session: _Session | None
    ) -> ConversationItem:
        facets = [self._dictionary.facets[row.facet] for row in rows]
        traits = [self._dictionary.traits[row.trait] for row in rows]
        votes = Counter(rating for rating, _ in self._votes(rows).values())
        first, last = rows[-1], rows[0]
        return ConversationItem(
            id=found.session_id or unpacked(found.request_id) or "",
            started=rfc3339(session.started_us if session else first.key >> KEY_BITS),
            last=rfc3339(session.last_us if session else last.key >> KEY_BITS),
            questions=session.questions if session else 1,
            question=first.text,
            matching=found.text,
            visitor_id=unpacked(last.visitor_id),
            assistants=_distinct(trait.assistant for trait in traits),
            models=_distinct(f"{f.provider}/{f.model}" if f.provider else None for f in facets),
            end_reasons=dict(Counter(f.end_reason or "complete" for f in facets)),
            errors=sum(f.error_type is not None for f in facets),
            input_tokens=sum(row.input_tokens or 0 for row in rows),
            output_tokens=sum(row.output_tokens or 0 for row in rows),
            cost_usd=sum(row.cost_nano_usd or 0 for row in rows) / 10**9,
            thumbs_up=votes[1],
            thumbs_down=votes[-1],
        )

    # -- one of them ----------------------------------------------------------------------------

    def one(self, name: str, *, stores_questions: bool, stores_answers: bool) -> ConversationAnswer:
        """A conversation by its id, or by that of one of its requests. Raises NotFound."""
        session = self._session(name)
        rows = self._rows_of(session.id) if session else self._rows_with_request(name)
        if not rows:
            raise NotFound("There is no conversation of this id; perhaps it was cleaned up.")
        if session is None and rows[0].session is not None:
            session = self._session(rows[0].session_id)
        first, last = rows[-1], rows[0]
        count = session.questions if session else len(rows)
        return ConversationAnswer(
            id=last.session_id or unpacked(last.request_id) or "",
            started=rfc3339(session.started_us if session else first.key >> KEY_BITS),
            last=rfc3339(session.last_us if session else last.key >> KEY_BITS),
            visitor_id=unpacked(last.visitor_id),
            turns=self._turns(list(reversed(rows))),
            earlier_turns=max(count - len(rows), 0),
            stores_questions=stores_questions,
            stores_answers=stores_answers,
        )

    def _rows_with_request(self, request_id: str) -> Sequence[Row[Any]]:
        """The whole session of a request; the request alone where it has none."""
        statement = _SESSION_OF.format(marks(len(self._chats)))
        values = (packed(request_id), *self._chats)
        found = self._connection.exec_driver_sql(statement, values).first()
        if found is None:
            return ()
        if found[0] is not None:
            return self._rows_of(found[0])
        wanted = RecordFilter.model_validate({"kind": "chat", "request_id": request_id})
        return self._finder.page(wanted, 1, None)[0]

    def _turns(self, rows: Sequence[Row[Any]]) -> list[Turn]:
        votes, answers, searches = self._votes(rows), self._answers(rows), self._searches(rows)
        records = RecordWriter(self._dictionary).records(rows)
        turns = []
        for row, record in zip(rows, records, strict=True):
            rating, comment = votes.get(row.request_id, (None, None))
            told = {name: record[name] for name in Turn.model_fields if name in record}
            citations = orjson.loads(row.citations) if row.citations else None
            turns.append(
                Turn(
                    **{**told, "citations": citations, "rating": _RATINGS.get(rating)},
                    question=row.text,
                    answer=answers.get(row.key),
                    searches=searches[row.request_id],
                    comment=comment,
                )
            )
        return turns

    # -- what belongs to records ----------------------------------------------------------------

    def _session(self, name: str) -> _Session | None:
        row = self._connection.exec_driver_sql(_SESSION, (name,)).first()
        return None if row is None else _Session(*row)

    def _rows_of(self, session: int) -> list[Row[Any]]:
        """The latest questions of a session, newest first."""
        statement = _OF_SESSION.format(marks(len(self._chats)))
        values = (session, *self._chats, MAX_TURNS)
        keys = self._connection.exec_driver_sql(statement, values).scalars().all()
        return self._finder.rows(keys)

    def _votes(self, rows: Sequence[Row[Any]]) -> dict[Any, _Vote]:
        """The last vote on each request: (1 or -1, comment)."""
        wanted = tuple({row.request_id for row in rows})
        found = self._connection.exec_driver_sql(_VOTES.format(marks(len(wanted))), wanted)
        return {row.rated_request_id: (row.rating, row.text) for row in found}

    def _answers(self, rows: Sequence[Row[Any]]) -> dict[int, str]:
        keys = tuple(row.key for row in rows)
        statement = f"SELECT key, text FROM answer WHERE key IN {marks(len(keys))}"  # noqa: S608  # marks only
        found = self._connection.exec_driver_sql(statement, keys)
        return {row.key: row.text for row in found}

    def _searches(self, rows: Sequence[Row[Any]]) -> defaultdict[Any, list[TurnSearch]]:
        facets = self._dictionary.matching(kind="search")
        found: defaultdict[Any, list[TurnSearch]] = defaultdict(list)
        wanted = tuple({row.request_id for row in rows})
        statement = _SEARCHES.format(marks(len(wanted)), marks(len(facets)))
        keys = self._connection.exec_driver_sql(statement, (*wanted, *facets)).scalars().all()
        for row in reversed(self._finder.rows(keys[:_CHUNK])):
            trait = self._dictionary.traits[row.trait]
            found[row.request_id].append(
                TurnSearch(
                    query=row.text,
                    collection=trait.collection,
                    mode=trait.mode,
                    total_found=row.total_found,
                    top_score=row.top_score,
                )
            )
        return found


_RATINGS = {1: "up", -1: "down", None: None}


class _Test:
    """Whether a record is one of those that are looked for."""

    def __init__(
        self, wanted: ConversationsQuery, records: RecordFilter, dictionary: Dictionary
    ) -> None:
        self._wanted = wanted
        self._dictionary = dictionary
        self._visitor = packed(wanted.visitor) if wanted.visitor else None
        self._text = None if wanted.text is None else folded(wanted.text.rstrip("* "))
        self._end_us = records.to_us

    def holds(self, row: Row[Any]) -> bool:
        """What the finder does not look at."""
        trait, assistant = self._dictionary.traits[row.trait], self._wanted.assistant
        if trait.cause == _WORKFLOW or (assistant and trait.assistant != assistant):
            return False
        return self._visitor is None or row.visitor_id == self._visitor

    def holds_with_text(self, row: Row[Any]) -> bool:
        """All of it, for a record that the finder did not give; it is newer than one that fits."""
        if self._end_us is not None and row.key >> KEY_BITS >= self._end_us:
            return False
        reason = self._wanted.end_reason
        if reason and self._dictionary.facets[row.facet].end_reason != reason:
            return False
        if self._text is not None and self._text not in folded(row.text or ""):
            return False
        return self.holds(row)


def _distinct(words: Any) -> list[str]:
    return list(dict.fromkeys(word for word in words if word))
