"""`/api/evaluate`."""

from __future__ import annotations

import uuid

from anyio import to_thread

from services.kb import catalogue
from services.kb.evaluation import GoldenQuestion, read_squad
from services.kb.evaluation_run import Evaluator
from services.kb.evaluation_schemas import (
    MAX_QUESTIONS,
    EvaluationBody,
    EvaluationList,
    EvaluationResponse,
    EvaluationRun,
    EvaluationsQuery,
)
from services.kb.evaluation_store import EvaluationStore, key_of
from services.kb.models import now
from services.kb.state import State
from services.kernel.errors import Unprocessable
from services.kernel.routing import Call


async def evaluate(call: Call[State], body: EvaluationBody) -> EvaluationResponse:
    """Measures search with golden questions, beside the previous run"""
    state = call.state
    evaluator = Evaluator(state.database, state.searcher)
    questions = await _questions(evaluator, body)
    overall, *pairs = await evaluator.run(
        body.collection, body.mode, questions, no_answer=body.no_answer
    )
    collection = await state.database.read(lambda c: catalogue.find(c, body.collection))
    run = EvaluationRun(
        id=uuid.uuid4().hex,
        created_at=now(),
        collection=body.collection,
        mode=body.mode,
        embedding_model=collection.model_name or None,
        overall=overall,
        pairs=pairs,
    )
    previous = await to_thread.run_sync(_exchange, state, key_of(questions, body.mode), run)
    return EvaluationResponse(previous=previous, **run.model_dump())


async def list_runs(call: Call[State], query: EvaluationsQuery) -> EvaluationList:
    """The last evaluations, newest first"""
    store = EvaluationStore(call.state.settings.evaluations_dir)
    return EvaluationList(items=await to_thread.run_sync(store.newest, query.limit))


async def _questions(evaluator: Evaluator, body: EvaluationBody) -> list[GoldenQuestion]:
    if body.queries is not None:
        return [GoldenQuestion(item.query, tuple(item.relevant)) for item in body.queries]
    try:
        golden = read_squad(body.squad)
    except ValueError as exc:
        raise Unprocessable(f"{exc}.", param="squad") from exc
    if not 0 < len(golden.questions) <= MAX_QUESTIONS:
        raise Unprocessable(f"Give 1 to {MAX_QUESTIONS} questions.", param="squad")
    return await evaluator.questions_of(body.collection, golden)


def _exchange(state: State, key: str, run: EvaluationRun) -> EvaluationRun | None:
    """Keeps the run and gives the one before it."""
    store = EvaluationStore(state.settings.evaluations_dir)
    previous = store.last(key)
    store.keep(key, run)
    return previous
