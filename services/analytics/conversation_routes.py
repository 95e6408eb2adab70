"""The routes of conversations."""

from __future__ import annotations

from services.analytics.conversation_schemas import (
    ConversationAnswer,
    ConversationPage,
    ConversationQuery,
    ConversationsQuery,
)
from services.analytics.conversations import ConversationReader
from services.analytics.state import State
from services.kernel.auth import Access
from services.kernel.routing import Call, Operation, operation


def operations() -> list[Operation]:
    """What is told of conversations, to the administrator."""
    admin = Access.ADMINISTRATOR
    return [
        operation("GET", "/api/analytics/conversations", get_conversations, access=admin),
        operation("GET", "/api/analytics/conversation", get_conversation, access=admin),
    ]


async def get_conversations(call: Call[State], query: ConversationsQuery) -> ConversationPage:
    """Conversations, the one with the newest fitting question first"""
    dictionary = call.state.dictionary
    return await call.state.read(lambda c: ConversationReader(c, dictionary).page(query))


async def get_conversation(call: Call[State], query: ConversationQuery) -> ConversationAnswer:
    """One conversation whole: questions, answers as far as they are kept, passages, speed, cost"""
    state, settings = call.state, call.state.settings
    return await state.read(
        lambda connection: ConversationReader(connection, state.dictionary).one(
            query.id,
            stores_questions=settings.store_questions,
            stores_answers=settings.store_answers,
        )
    )
