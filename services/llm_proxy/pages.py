"""What a page with the chat needs beside the chat itself.

It may be a page of another site: this service alone knows which origins a publishable key is bound
to, so it passes on what kb knows of the company and takes the opinions meant for analytics.
"""

from __future__ import annotations

from services.kernel.errors import NotFound
from services.kernel.routing import Call
from services.llm_proxy.schemas import AssistantProfile, FeedbackBody, FeedbackTaken
from services.llm_proxy.state import State


async def show_assistant(call: Call[State]) -> AssistantProfile:
    """What a chat page shows of an assistant and of the company behind it"""
    state, name = call.state, call.path["name"]
    if name not in state.assistants.current.names:
        raise NotFound("There is no assistant of this name.", param="name")
    known = await state.company.read()
    return AssistantProfile(
        assistant=name,
        company_info=known.get("company_info") or {},
        assistant_info=known.get("assistant_info") or {},
    )


async def take_feedback(call: Call[State], body: FeedbackBody) -> FeedbackTaken:
    """Vote on an answer, by the id of its request"""
    state, context = call.state, call.context
    await state.gate.admit_feedback(context)
    state.outbox.record(
        "feedback",
        {
            "trivet.rating": body.rating,
            "trivet.rated_request_id": body.request_id,
            **({"trivet.comment": body.comment} if body.comment else {}),
        },
        request_id=call.request_id,
        session_id=call.session_id,
        visitor_id=context.visitor_id,
    )
    return FeedbackTaken()
