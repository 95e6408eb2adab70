"""A follow-up question, made to stand alone by a model: an assistant's `rewrite_model`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from services.kernel.context import RequestContext
from services.kernel.errors import TrivetError
from services.llm_proxy.assistants import Assistant
from services.llm_proxy.delivery import asking
from services.llm_proxy.providers.base import Ask
from services.llm_proxy.providers.dashscope_request import text_of_message
from services.llm_proxy.record import Record
from services.llm_proxy.state import State

MAX_SECONDS = 8.0  # the caller waits for it, and the search does well enough without
_MAX_TOKENS = 120
_MAX_MESSAGES = 6
_MAX_MESSAGE_CHARACTERS = 300
_MAX_ANSWER_CHARACTERS = 400
_INSTRUCTION = (
    "Rewrite the last question of this conversation so that it can be understood without it: put"
    " names in the place of words like it or that. Keep its language. Answer with the question"
    " alone. 请把对话中最后一个问题改写成脱离上下文也能理解的问题，保持原来的语言，"
    "只回答改写后的问题。"
)
_log = logging.getLogger(__name__)


async def rewritten(
    context: RequestContext,
    assistant: Assistant,
    messages: Sequence[Mapping[str, Any]],
    question: str,
    record: Record,
) -> str | None:
    """The question as it stands alone; None when the model fails, which is no reason to.

    What the call took is counted with `record`.
    """
    state: State = context.state
    body = _body(messages, question)
    ask = Ask(body, "", stream=False, request_id=context.request_id)
    aside = Record()
    aside.body = body
    try:
        target = state.catalog.current.resolve(assistant.config.rewrite_model, trusted=True)
        target = state.gate.affordable(context, target)
        async with asyncio.timeout(MAX_SECONDS):
            return _question_in(await state.dispatcher.whole(target, asking(ask), aside))
    except (TrivetError, TimeoutError) as exc:
        fields = {"assistant": assistant.name, "error": type(exc).__name__}
        _log.warning("a question was not rewritten", extra={"fields": fields})
        if isinstance(exc, TrivetError):
            aside.fail(exc)
        return None
    finally:
        record.count_aside(aside)


def _body(messages: Sequence[Mapping[str, Any]], question: str) -> dict[str, Any]:
    said = [
        f"{message['role']}: {text_of_message(message)[:_MAX_MESSAGE_CHARACTERS]}"
        for message in messages[:-1]
        if message.get("role") in ("user", "assistant")
    ]
    text = "\n".join([*said[-_MAX_MESSAGES:], f"user: {question}"])
    return {
        "messages": [
            {"role": "system", "content": _INSTRUCTION},
            {"role": "user", "content": text},
        ],
        "max_tokens": _MAX_TOKENS,
        "temperature": 0,
    }


def _question_in(answer: bytes) -> str | None:
    """The first line that was said, unless it is no question at all."""
    choices = orjson.loads(answer).get("choices") or [{}]  # the dialect has seen to the rest
    message = choices[0].get("message")
    text = message.get("content") if isinstance(message, dict) else None
    lines = text.strip().splitlines() if isinstance(text, str) else []
    line = lines[0].strip() if lines else ""
    return line if 0 < len(line) <= _MAX_ANSWER_CHARACTERS else None
