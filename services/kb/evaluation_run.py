"""Golden questions through the search that everyone uses, at most some at once."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from sqlalchemy import Connection, or_, select

from services.kb import catalogue
from services.kb.database import Database
from services.kb.evaluation import (
    DEPTH,
    GoldenQuestion,
    GoldenSet,
    no_answer_curve,
    rank_of,
    scores_of,
)
from services.kb.evaluation_schemas import CurvePointView, PairView
from services.kb.language import language_of
from services.kb.models import DOCUMENTS
from services.kb.search import Found, Searcher
from services.kb.search_filter import Condition
from services.kb.search_query import Mode, Query
from services.kb.search_ranking import Hit
from services.kernel.errors import Overloaded, Unprocessable

_AT_ONCE = 4
# A long document is several passages: so many make ten documents.
_PASSAGES = DEPTH * 3
_ATTEMPTS = 10
_RETRY_SECONDS = 1.0
_NAMES_AT_ONCE = 500


@dataclass(frozen=True)
class _Asked:
    """`rank` of the answer; `best` score with it in the collection, and `without` it."""

    pair: tuple[str, str]
    rank: int | None
    best: float
    without: float | None


class Evaluator:
    """Raises NotFound, Unprocessable for documents that are not there, Overloaded when searches
    stay degraded: words alone would be counted as the whole search."""

    def __init__(self, database: Database, searcher: Searcher) -> None:
        self._database = database
        self._searcher = searcher

    async def questions_of(self, collection: str, golden: GoldenSet) -> list[GoldenQuestion]:
        """A SQuAD's questions, with the documents whose text is the paragraph."""
        sources = await self._database.read(lambda c: _sources(c, collection, golden.paragraphs))
        return [GoldenQuestion(text, sources[number]) for text, number in golden.questions]

    async def run(
        self, collection: str, mode: Mode, questions: Sequence[GoldenQuestion], *, no_answer: bool
    ) -> list[PairView]:
        """Over all questions first, then by pair of languages."""
        languages = await self._database.read(lambda c: _languages(c, collection, questions))
        limit = asyncio.Semaphore(_AT_ONCE)

        async def one(question: GoldenQuestion, lang: str) -> _Asked:
            named = {languages[name] for name in question.relevant}
            async with limit:
                query = Query(question.query, collection, mode, _PASSAGES, snippets=False)
                pair = (lang, "+".join(sorted(named)))
                return await self._asked(query, question, pair, no_answer)

        spoken = _spoken([question.query for question in questions])
        asked = await asyncio.gather(*map(one, questions, spoken))
        pairs = sorted({item.pair for item in asked})
        views = [_view(pair, [item for item in asked if item.pair == pair]) for pair in pairs]
        return [_view(("", ""), asked), *views]

    async def _asked(
        self,
        query: Query,
        question: GoldenQuestion,
        pair: tuple[str, str],
        no_answer: bool,
    ) -> _Asked:
        found = await self._undegraded(query)
        return _Asked(
            pair=pair,
            rank=rank_of(question.relevant, [_names(hit) for hit in found.hits]),
            best=_best(found),
            without=await self._without(query, found, question) if no_answer else None,
        )

    async def _without(self, query: Query, found: Found, question: GoldenQuestion) -> float:
        sources = [name.partition("#")[0] for name in question.relevant]
        own = {hit.row.source for hit in found.hits if hit.row.document_id in question.relevant}
        left_out = Condition("source", "not_in", [*sources, *own])
        return _best(await self._undegraded(replace(query, conditions=[left_out])))

    async def _undegraded(self, query: Query) -> Found:
        for _ in range(_ATTEMPTS):
            found = await self._searcher.search(query)
            if not found.degraded:
                return found
            await asyncio.sleep(_RETRY_SECONDS)
        raise Overloaded("The search is degraded: see /readyz.")


def _spoken(texts: Sequence[str]) -> list[str]:
    """Languages; one that a short question does not tell is the commonest of the others."""
    found = [language_of(text) for text in texts]
    known = Counter(lang for lang in found if lang not in ("und", "zh", "ja", "ko"))
    commonest = known.most_common(1)[0][0] if known else "und"
    return [commonest if lang == "und" else lang for lang in found]


def _best(found: Found) -> float:
    return max((hit.relevance for hit in found.hits), default=0.0)


def _names(hit: Hit) -> list[str]:
    row = hit.row
    return [row.source, f"{row.source}#{row.anchor}", row.document_id]


def _view(pair: tuple[str, str], asked: Sequence[_Asked]) -> PairView:
    without = [item.without for item in asked if item.without is not None]
    curve = no_answer_curve([item.best for item in asked], without) if without else []
    return PairView(
        query_lang=pair[0],
        document_lang=pair[1],
        no_answer=[CurvePointView(**asdict(point)) for point in curve],
        **asdict(scores_of([item.rank for item in asked])),
    )


def _sources(
    connection: Connection, collection: str, paragraphs: Sequence[str]
) -> list[tuple[str, ...]]:
    c = DOCUMENTS.c
    within = select(c.source).where(c.collection_id == catalogue.find(connection, collection).id)
    found = []
    for paragraph in paragraphs:
        digest = hashlib.sha256(paragraph.encode()).hexdigest()
        rows = connection.execute(within.where(c.content_hash == digest)).scalars().all()
        if not rows:
            raise Unprocessable(
                "A paragraph is no document of the collection: ingest each as a file of its own.",
                param="squad",
            )
        found.append(tuple(rows))
    return found


def _languages(
    connection: Connection, collection: str, questions: Sequence[GoldenQuestion]
) -> dict[str, str]:
    """The languages of all documents that questions name, by the names they are given."""
    names = list(dict.fromkeys(name for question in questions for name in question.relevant))
    known = _known(connection, catalogue.find(connection, collection).id, names)
    missing = [name for name in names if name not in known and _source(name) not in known]
    if missing:
        raise Unprocessable(
            f"{len(missing)} relevant documents are not in the collection, such as {missing[0]!r}.",
            param="queries",
        )
    return {name: known.get(name) or known[_source(name)] for name in names}


def _known(connection: Connection, collection_id: int, names: Sequence[str]) -> dict[str, str]:
    c = DOCUMENTS.c
    known: dict[str, str] = {}
    for first in range(0, len(names), _NAMES_AT_ONCE):
        some = names[first : first + _NAMES_AT_ONCE]
        wanted = or_(c.source.in_([*some, *map(_source, some)]), c.id.in_(some))
        statement = select(c.id, c.source, c.lang).where(c.collection_id == collection_id, wanted)
        for row in connection.execute(statement):
            known[row.source] = known[row.id] = row.lang
    return known


def _source(name: str) -> str:
    return name.partition("#")[0]
