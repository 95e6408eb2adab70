"""A task and its steps as they stand in the database, and as callers see them.

pending ──▶ running ──▶ completed | failed | cancelled
   ▲           │                      │        │
   ├── waiting_for_person             │        │
   └─────────── started again ────────┴────────┘
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from services.llm_proxy.workflows.definition import PERSON, Workflow

TaskStatus = Literal["pending", "running", "waiting_for_person", "completed", "failed", "cancelled"]
CAME_TO_NOTHING: frozenset[str] = frozenset({"failed", "cancelled"})
ENDED: frozenset[str] = CAME_TO_NOTHING | {"completed"}
# The event of an end after which the task was started again: nobody is told it any more.
FORMER_END = "former_end"
Payload = dict[str, Any]


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One step of one task; `seconds` from its beginning to its answer."""

    position: int
    name: str
    status: str
    performer: str
    prompt: list[dict[str, str]] | None
    answer: str | None
    outputs: dict[str, Any] | None
    asked_model: str | None
    model: str | None
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: float | None
    seconds: float | None
    attempts: int
    started_at: str | None
    ended_at: str | None

    @property
    def tokens(self) -> int | None:
        if self.input_tokens is None and self.output_tokens is None:
            return None
        return (self.input_tokens or 0) + (self.output_tokens or 0)

    @property
    def written_by_person(self) -> bool:
        """Whether a person is the author; who names a model has pasted what that model wrote."""
        return self.performer == PERSON and self.model is None


@dataclass(frozen=True, slots=True)
class Task:
    """One run of a workflow."""

    id: str
    workflow: str
    mode: str
    status: str
    definition: str
    inputs: dict[str, str]
    poem: dict[str, Any] | None
    poem_id: str | None
    briefing: dict[str, Any] | None
    prepared: bool
    message: str
    error: dict[str, Any] | None
    result: dict[str, Any] | None
    result_id: str | None
    request_id: str
    claims: int
    created_at: str
    updated_at: str
    ended_at: str | None
    steps: Sequence[StepRecord] = ()

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED

    @property
    def current(self) -> StepRecord | None:
        """The first step that is not finished."""
        return next((step for step in self.steps if step.status != "completed"), None)

    @property
    def progress(self) -> int:
        """0 to 100; the last part is for handing the result over."""
        if self.status == "completed":
            return 100
        done = sum(step.status == "completed" for step in self.steps)
        return round(100 * done / (len(self.steps) + 1))

    @property
    def input_tokens(self) -> int:
        return sum(step.input_tokens or 0 for step in self.steps)

    @property
    def output_tokens(self) -> int:
        return sum(step.output_tokens or 0 for step in self.steps)

    @property
    def cost_usd(self) -> float | None:
        """None where no step has a price."""
        costs = [step.cost_usd for step in self.steps if step.cost_usd is not None]
        return sum(costs) if costs else None

    @property
    def seconds(self) -> float:
        return sum(step.seconds or 0.0 for step in self.steps)


@dataclass(frozen=True, slots=True)
class NewTask:
    """What a task is made of."""

    id: str
    workflow: Workflow
    mode: str
    inputs: Mapping[str, str]
    request_id: str
    poem: Mapping[str, Any] | None = None
    only_one: str | None = None


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a finished step leaves."""

    answer: str
    outputs: Mapping[str, Any]
    seconds: float
    model: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True)
class TaskEvent:
    """Something that watchers are told; `position` is its id on the wire."""

    position: int
    event: str
    data: Mapping[str, Any] = field(default_factory=dict)


def payload_of(task: Task) -> Payload:
    """The task payload of the contract, with what else a page may want."""
    current = task.current
    return {
        "task_id": task.id,
        "workflow": task.workflow,
        "workflow_mode": task.mode,
        "poem_id": task.poem_id,
        "target_lang": task.inputs.get("target_lang"),
        "status": task.status,
        "progress": task.progress,
        "current_step": None if current is None or task.has_ended else current.name,
        "steps": [_step_payload(step) for step in task.steps],
        "message": task.message,
        "result": task.result,
        "error": task.error,
        "created_at": task.created_at,
        "updated_at": task.updated_at,
    }


def _step_payload(step: StepRecord) -> Payload:
    return {
        "name": step.name,
        "status": step.status,
        "performer": "person" if step.performer == PERSON else "model",
        "seconds": step.seconds,
        "model": step.model,
        "tokens": step.tokens,
        "input_tokens": step.input_tokens,
        "output_tokens": step.output_tokens,
        "cost_usd": step.cost_usd,
        "attempts": step.attempts,
    }
