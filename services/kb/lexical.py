"""Ranked search for words: SQLite FTS5 (bm25) over CJK bigrams and lightly stemmed words.

SQLite's own tokenizers take a Chinese clause as one word, or as trigrams that never match under
three characters. So the text is divided here, and FTS5 only sees words of letters and digits with
spaces between them; a query is built from the same words (`search_terms.py`), each in quotes, so
that no character of it can be FTS5's syntax. https://www.sqlite.org/fts5.html
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from sqlalchemy import Connection, text

from services.kb.search_filter import EVERYTHING, Scope
from services.kb.search_terms import Term, index_text, query_terms

# What a heading's word weighs beside one of the text.
_HEADING_WEIGHT = 2.0
# In a big collection a word that is in more than this share of the passages says little and costs
# much, and so do the commoner ones of many words; the rarest few are asked for in any case.
_COMMON_SHARE = 0.2
_MOST_ROWS = 20_000
_LEAST_WORDS = 3
_MIN_CHUNKS_TO_PRUNE = 2_000
_BIGRAM_SHARE = 0.7
# A query of one common word is soon covered in full: evidence needs some weight to count.
_DOUBT = 2.0


@dataclass(frozen=True)
class Match:
    """`score`: bm25, higher is better. `evidence`: how much of what the query asks for is there.

    1 means about one full occurrence of every word of the query, weighted by how rare they are.
    """

    chunk_id: int
    score: float
    evidence: float


class LexicalIndex:
    """One collection's words. Every method runs in its caller's transaction."""

    def __init__(self, collection_id: int) -> None:
        self._table = f"terms_{collection_id:d}"

    def create(self, connection: Connection) -> None:
        connection.exec_driver_sql(
            f"CREATE VIRTUAL TABLE IF NOT EXISTS {self._table} "
            "USING fts5(heading, body, tokenize='unicode61 remove_diacritics 2')"
        )
        connection.exec_driver_sql(
            f"CREATE VIRTUAL TABLE IF NOT EXISTS {self._table}_words "
            f"USING fts5vocab({self._table}, 'row')"
        )

    def drop(self, connection: Connection) -> None:
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {self._table}_words")
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {self._table}")

    def put(self, connection: Connection, chunk_id: int, heading: str, body: str) -> None:
        """Adds a passage, or replaces it."""
        self.remove(connection, [chunk_id])
        connection.exec_driver_sql(
            f"INSERT INTO {self._table} (rowid, heading, body) VALUES (?, ?, ?)",  # noqa: S608  # our own name
            (chunk_id, index_text(heading), index_text(body)),
        )

    def remove(self, connection: Connection, chunk_ids: Sequence[int]) -> None:
        statement = f"DELETE FROM {self._table} WHERE rowid = ?"  # noqa: S608  # our own name
        if chunk_ids:
            connection.exec_driver_sql(statement, [(chunk_id,) for chunk_id in chunk_ids])

    def merge_some(self, connection: Connection, pages: int) -> bool:
        """Merges what stands in many segments; what was deleted goes with it. False when all is
        merged. https://www.sqlite.org/fts5.html#the_merge_command"""
        driver = connection.connection.driver_connection
        assert driver is not None  # noqa: S101  # it is connected
        before = driver.total_changes
        statement = f"INSERT INTO {self._table} ({self._table}, rank) VALUES ('merge', ?)"  # noqa: S608  # our own name
        connection.exec_driver_sql(statement, (-pages,))
        return bool(driver.total_changes - before >= 2)  # as the documentation says

    def keep_only_chunks(self, connection: Connection) -> None:
        """Removes what is no passage of the database any more."""
        connection.exec_driver_sql(
            f"DELETE FROM {self._table} WHERE rowid NOT IN (SELECT id FROM chunks)"  # noqa: S608  # our own name
        )

    def search(
        self, connection: Connection, query: str, limit: int, scope: Scope = EVERYTHING
    ) -> list[Match]:
        """The best passages of the scope for a query, best first."""
        terms = query_terms(query)
        total = self._count(connection)
        if not terms or not total:
            return []
        counts = {term: min(total, self._passages_with(connection, term)) for term in terms}
        wanted = _worth_asking(counts, total)
        # Without the plus FTS5 would be asked once for each passage of the scope: 22 s for 10,000
        # of 20,000 passages, 0.03 s with it. https://www.sqlite.org/optoverview.html ("unary +")
        within = scope.condition("+rowid")
        rows = connection.execute(
            text(
                f"SELECT rowid, -bm25({self._table}, {_HEADING_WEIGHT}, 1.0) FROM {self._table} "  # noqa: S608  # our own name
                f"WHERE {self._table} MATCH :match {within} "
                "ORDER BY rank LIMIT :limit"
            ),
            {"match": _expression(wanted), "limit": limit, **scope.values},
        )
        whole = sum(_rarity(counts[term], total) * _share_expected(term) for term in wanted)
        return [Match(row[0], row[1], row[1] / (whole + _DOUBT)) for row in rows]

    def _count(self, connection: Connection) -> int:
        # The docsize table has one row for each passage and nothing else: cheap to count.
        statement = f"SELECT count(*) FROM {self._table}_docsize"  # noqa: S608  # our own name
        return int(connection.exec_driver_sql(statement).scalar_one())

    def _passages_with(self, connection: Connection, term: Term) -> int:
        where = "term >= ? AND term < ?" if term.prefix else "term = ?"
        values = (term.word, term.word + "\U0010ffff") if term.prefix else (term.word,)
        statement = f"SELECT coalesce(sum(doc), 0) FROM {self._table}_words WHERE {where}"  # noqa: S608  # our own name
        return int(connection.exec_driver_sql(statement, values).scalar_one())


def _rarity(count: int, total: int) -> float:
    """bm25's inverse document frequency as FTS5 computes it."""
    return max(1e-6, math.log((total - count + 0.5) / (count + 0.5)))


def _share_expected(term: Term) -> float:
    """About a third of a question's bigrams lie across two words, and no text repeats them."""
    return _BIGRAM_SHARE if len(term.word) == 2 and not term.word.isascii() else 1.0


def _worth_asking(counts: Mapping[Term, int], total: int) -> list[Term]:
    """All words, or in a big collection the rarer ones: FTS5 looks at every passage that holds any.
    `counts`: how many passages hold each word."""
    if total < _MIN_CHUNKS_TO_PRUNE:
        return list(counts)
    there = sorted((term for term in counts if counts[term]), key=counts.__getitem__)
    rare = [term for term in there if counts[term] <= _COMMON_SHARE * total] or there
    rows = accumulate(counts[term] for term in rare)
    few = [
        term
        for number, (term, looked_at) in enumerate(zip(rare, rows, strict=True), 1)
        if number <= _LEAST_WORDS or looked_at <= _MOST_ROWS
    ]
    return [*(term for term in counts if not counts[term]), *few]


def _expression(terms: Sequence[Term]) -> str:
    """Any of the words. They hold letters and digits alone, and stand in quotes all the same."""
    return " OR ".join(f'"{term.word}"{" *" if term.prefix else ""}' for term in terms)
