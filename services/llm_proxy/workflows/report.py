"""What analytics is told of a task that has ended: one event of the kind `workflow`."""

from __future__ import annotations

from datetime import datetime

from services.kernel.outbox import Outbox
from services.llm_proxy.workflows.tasks import Task


def report(outbox: Outbox, task: Task) -> None:
    """Records the task's end. Its calls of models are `chat` events of their own: the tokens and
    the cost here say which workflow they were for, and are not to be added to those."""
    result, error = task.result or {}, task.error or {}
    attributes: dict[str, object | None] = {
        "trivet.workflow": task.workflow,
        "trivet.workflow_mode": task.mode,
        "trivet.task_id": task.id,
        "trivet.poem_id": task.poem_id,
        "trivet.target_lang": task.inputs.get("target_lang"),
        "trivet.translator_type": result.get("translator_type"),
        "trivet.end_reason": task.status,
        "trivet.duration_seconds": _seconds_between(task.created_at, task.ended_at),
        "trivet.cost_usd": task.cost_usd,
        "gen_ai.response.model": result.get("model"),
        "gen_ai.usage.input_tokens": task.input_tokens,
        "gen_ai.usage.output_tokens": task.output_tokens,
        "error.type": error.get("type"),
    }
    known = {name: value for name, value in attributes.items() if value is not None}
    outbox.record("workflow", known, request_id=task.request_id, session_id=task.id)


def _seconds_between(begun: str, ended: str | None) -> float | None:
    if ended is None:
        return None
    span = datetime.fromisoformat(ended) - datetime.fromisoformat(begun)
    return max(0.0, span.total_seconds())
