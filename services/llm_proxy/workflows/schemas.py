"""Wire types of workflows, briefings and work by hand."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.llm_proxy.workflows.definition import MAX_ANSWER_CHARACTERS
from services.llm_proxy.workflows.tasks import TaskStatus

_Id = Annotated[str, Field(min_length=1, max_length=64)]
_Language = Annotated[str, Field(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")]
_Name = Annotated[str, Field(min_length=1, max_length=64)]
_Sometimes = Annotated[str | None, Field(exclude_if=lambda value: value is None)]
Mode = Literal["hybrid", "manual", "reasoning", "non_reasoning"]


class TranslateBody(BaseModel):
    """A translation of one poem."""

    poem_id: _Id
    target_lang: _Language
    workflow_mode: Mode = "hybrid"


class TranslateAnswer(BaseModel):
    task_id: str
    status: Literal["pending"] = "pending"
    poem_id: str
    target_lang: str


class RunBody(BaseModel):
    """A run of any workflow; `inputs` as its definition declares them."""

    model_config = ConfigDict(extra="forbid")

    workflow: _Name
    mode: _Name | None = None
    poem_id: _Id | None = None
    inputs: dict[_Name, str] = {}


class RunAnswer(BaseModel):
    task_id: str
    status: Literal["pending"] = "pending"
    workflow: str
    workflow_mode: str


class StepItem(BaseModel):
    name: str
    status: str
    performer: Literal["person", "model"]
    seconds: float | None
    model: str | None
    tokens: int | None
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: float | None
    attempts: int


class TaskItem(BaseModel):
    """The task payload; events carry the same, with the event's name as `event`."""

    task_id: str
    workflow: str
    workflow_mode: str
    poem_id: str | None
    target_lang: str | None
    status: TaskStatus
    progress: Annotated[int, Field(ge=0, le=100)]
    current_step: str | None
    steps: list[StepItem]
    message: str
    result: dict[str, Any] | None
    error: dict[str, Any] | None
    created_at: str
    updated_at: str


class TaskQuery(BaseModel):
    workflow: _Name | None = None
    status: TaskStatus | None = None
    poem_id: _Id | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 50
    cursor: Annotated[int, Field(ge=1, le=2**53)] | None = None


class TaskList(BaseModel):
    items: list[TaskItem]
    next_cursor: str | None


class CancelAnswer(BaseModel):
    status: Literal["cancelled"] = "cancelled"


class InputItem(BaseModel):
    name: str
    required: bool
    default: str | None
    pattern: str | None
    max_characters: int
    title: dict[str, str] | None


class WorkflowItem(BaseModel):
    """A workflow that can be run."""

    name: str
    title: dict[str, str]
    description: dict[str, str] | None
    needs_poem: bool
    inputs: list[InputItem]
    modes: list[str]
    default_mode: str
    steps: list[str]
    concurrency: int


class WorkflowList(BaseModel):
    items: list[WorkflowItem]
    next_cursor: None = None


class BriefingBody(BaseModel):
    """A background briefing of one poem."""

    poem_id: _Id
    force_regenerate: bool = False


class BriefingAnswer(BaseModel):
    """`exists` with `bbr_id`, or `generating` with `poem_id` and `task_id`."""

    status: Literal["exists", "generating"]
    bbr_id: _Sometimes = None
    poem_id: _Sometimes = None
    task_id: _Sometimes = None


class SessionBody(BaseModel):
    """Work by hand on one poem; `workflow` is the translation unless another is named."""

    poem_id: _Id
    target_lang: _Language
    workflow: _Name = "translation"


class StepBody(BaseModel):
    """What a person wrote, or what a model wrote for them: then its name."""

    content: Annotated[str, Field(min_length=1, max_length=MAX_ANSWER_CHARACTERS)]
    model_name: Annotated[str, Field(max_length=200)] | None = None


class SessionStep(StepItem):
    """A step with what came of it."""

    outputs: dict[str, Any] | None


class SessionAnswer(BaseModel):
    """Where the work stands: `prompt` is to be copied, its answer goes to the step `step`."""

    session_id: str
    task_id: str
    poem_id: str | None
    target_lang: str | None
    status: str
    step: str | None
    prompt: str | None
    steps: list[SessionStep]
    result: dict[str, Any] | None
    error: dict[str, Any] | None
