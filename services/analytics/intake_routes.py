"""The routes by which events and votes come in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import uuid_utils

from services.analytics.gap_schemas import FeedbackAnswer, FeedbackBody
from services.analytics.intake import take_in
from services.analytics.schemas import EventsAnswer, EventsBody, RejectedEvent
from services.analytics.state import State
from services.kernel.auth import Access
from services.kernel.routing import Call, Operation, operation

ACall: TypeAlias = Call[State]
_TOO_OLD = "time: before the cutoff of the last cleanup"


def operations() -> list[Operation]:
    """Events are the other services' to tell, votes anybody's."""
    at, public = "/api/analytics", Access.PUBLIC
    return [
        operation("POST", f"{at}/events", post_events, access=Access.NEIGHBOUR),
        operation("POST", f"{at}/feedback", post_feedback, access=public, status=201),
    ]


async def post_events(call: ACall, body: EventsBody) -> EventsAnswer:
    """Take in events; the same id twice is one event"""
    return await _store(call.state, body.events)


async def post_feedback(call: ACall, body: FeedbackBody) -> FeedbackAnswer:
    """Vote on an answer, by the id of its request"""
    state = call.state
    state.feedback_limit.admit(call.context.client)
    event = {
        "id": str(uuid_utils.uuid7()),
        "kind": "feedback",
        "time": state.now(),
        "service": "analytics",
        "request_id": call.request_id,
        "session_id": call.session_id,
        "visitor_id": call.context.visitor_id,
        "attributes": {
            "trivet.rating": body.rating,
            "trivet.comment": body.comment,
            "trivet.rated_request_id": body.request_id,
        },
    }
    await _store(state, [event])
    return FeedbackAnswer(id=str(event["id"]))


async def _store(state: State, events: Sequence[Any]) -> EventsAnswer:
    """Checks, writes, and answers when what was taken is durable."""
    settings, now = state.settings, state.now()
    found = await state.check(
        lambda: take_in(
            events,
            store_questions=settings.store_questions,
            store_answers=settings.store_answers,
            now=now,
        )
    )
    stored = await state.writer.write([record for _, record in found.records])
    too_old = [(found.records[place][0], _TOO_OLD) for place in stored.too_old]
    rejected = sorted([*found.rejected, *too_old])
    state.metrics.count(stored.accepted, stored.duplicates, len(rejected))
    return EventsAnswer(
        accepted=stored.accepted,
        duplicates=stored.duplicates,
        rejected=[RejectedEvent(index=index, message=why) for index, why in rejected],
    )
