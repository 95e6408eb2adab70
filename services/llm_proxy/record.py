"""What is known of one call while it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal

from services.kernel.errors import TrivetError
from services.llm_proxy.estimate import BYTES_PER_TOKEN, prompt_tokens
from services.llm_proxy.limits import Grant
from services.llm_proxy.providers.base import Outcome, StreamReader, Usage
from services.llm_proxy.target import Target

if TYPE_CHECKING:
    from services.llm_proxy.answer_tap import AnswerTap

MAX_QUESTION_CHARACTERS = 2000
WORKFLOW = "workflow"  # a cause: a step asks what nobody typed
Operation = Literal["chat", "embeddings"]  # by OpenTelemetry's names
EndReason = Literal["complete", "error", "truncated", "client_disconnect", "refused"]
UsageSource = Literal["exact", "estimated", "partial", "none"]


class Record:
    """One call while it runs. Fill in what becomes known; `Metering` closes it."""

    __slots__ = (
        "asides",
        "asked_model",
        "assistant",
        "attempts",
        "body",
        "cause",
        "citations",
        "end_reason",
        "error",
        "fallback_from",
        "first_output_seconds",
        "grant",
        "heard",
        "key_id",
        "operation",
        "outcome",
        "question",
        "reader",
        "sent_bytes",
        "started",
        "status",
        "stream",
        "target",
    )

    def __init__(self, operation: Operation = "chat") -> None:
        self.started = perf_counter()
        self.operation = operation
        self.asked_model: str | None = None
        self.grant: Grant | None = None  # what the limiter let in; the close settles it
        self.key_id: str | None = None  # the virtual key that pays
        self.body: Mapping[str, Any] = {}  # as the caller sent it
        self.target: Target | None = None  # of the latest attempt
        self.attempts = 0  # how many calls went upstream
        self.fallback_from: str | None = None  # what was asked for, where another stands in for it
        self.stream = False
        self.assistant: str | None = None
        self.question = ""
        self.cause: str | None = None  # where it was not a visitor who asked
        self.citations: list[str] | None = None
        self.sent_bytes = 0  # of the request that went upstream; 0: nothing went
        self.reader: StreamReader | None = None
        self.outcome: Outcome | None = None
        self.first_output_seconds: float | None = None
        self.status = 200
        self.error: TrivetError | None = None
        self.end_reason: EndReason = "complete"
        self.asides: list[Record] = []
        self.heard: AnswerTap | None = None  # where answers are kept

    def count_aside(self, aside: Record) -> None:
        """Another call was made to answer this chat: its tokens and its cost belong to it."""
        self.asides.append(aside)

    def first_output(self) -> None:
        """The caller is about to see the first real output."""
        if self.first_output_seconds is None:
            self.first_output_seconds = perf_counter() - self.started

    def fail(self, error: TrivetError, status: int | None = None) -> None:
        """The chat ends with an error; `status` is the HTTP status that the caller saw."""
        self.error = error
        if error.provider is None and self.target is not None and self.sent_bytes:
            error.provider = self.target.provider.name
        self.status = status or error.status
        self.end_reason = "error" if self.sent_bytes else "refused"

    def usage(self) -> tuple[Usage | None, UsageSource]:
        """Tokens and how they were come by."""
        outcome = self.outcome
        if outcome is None and self.reader is not None:
            outcome = self.outcome = self.reader.outcome()
        if outcome is not None and outcome.usage is not None:
            return outcome.usage, "exact"
        if not self.sent_bytes or (self.error is not None and not (outcome and outcome.pieces)):
            return None, "none"
        asked = prompt_tokens(self.body)
        if self.assistant is not None:  # passages were added to what the caller sent
            asked = max(asked, self.sent_bytes // BYTES_PER_TOKEN)
        usage = Usage(asked, outcome.pieces if outcome else 0)
        return usage, "estimated" if self.end_reason == "complete" else "partial"


def question_of(messages: Sequence[Mapping[str, Any]]) -> str:
    """The last text of a user, shortened."""
    for message in reversed(messages):
        if message.get("role") != "user":
            continue
        content = message.get("content")
        if isinstance(content, str):
            return content[:MAX_QUESTION_CHARACTERS]
        parts = content if isinstance(content, list) else []
        texts = (part.get("text") for part in parts if isinstance(part, dict))
        joined = "\n".join(text for text in texts if isinstance(text, str))
        return joined[:MAX_QUESTION_CHARACTERS]
    return ""
