"""Work by hand: the prompt to copy, the answer pasted back, the same record as an automatic run."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qs

from anyio import to_thread
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.types import Message, Receive

from services.kernel.errors import Conflict, InvalidRequest, NotFound, Unprocessable
from services.kernel.routing import parse_json, read_body, validated
from services.llm_proxy.workflows.answer import BadAnswer, parse_answer
from services.llm_proxy.workflows.board import Board
from services.llm_proxy.workflows.definition import PERSON
from services.llm_proxy.workflows.engine import Engine
from services.llm_proxy.workflows.schemas import SessionAnswer, SessionStep, StepBody
from services.llm_proxy.workflows.store import TaskStore
from services.llm_proxy.workflows.tasks import StepRecord, StepResult, Task, payload_of

SETTLE_SECONDS = 10.0  # how long a caller waits for the next prompt, or for kb to keep the result
_LOOK_SECONDS = 0.5


class ManualDesk:
    """Where persons do their steps; a session is a task, known by its id."""

    def __init__(self, store: TaskStore, engine: Engine, board: Board) -> None:
        self._store = store
        self._engine = engine
        self._board = board

    async def open(self, task: Task) -> Task:
        """Brings a new task to its first prompt."""
        return await self._settled(task)

    async def submit(self, task_id: str, step_name: str, body: StepBody) -> Task:
        """A person's answer. Raises NotFound, Conflict, Unprocessable."""
        task = await to_thread.run_sync(self._store.get, task_id)
        step = _waiting(task, step_name)
        workflow = await to_thread.run_sync(self._store.workflow, task)
        declared = workflow.definition.step(step_name)
        assert declared is not None  # noqa: S101  # a task's steps are its definition's
        try:
            outputs = parse_answer(declared.output, body.content)
        except BadAnswer as exc:
            raise Unprocessable(f"content: {exc}", param="content") from exc
        result = StepResult(body.content, outputs, _seconds_since(step.started_at), body.model_name)
        task = await to_thread.run_sync(self._store.answer, task_id, step, result)
        self._board.ring(task_id)
        return await self._settled(task)

    async def _settled(self, task: Task) -> Task:
        """Goes on up to where a person is needed again; what a model does is not waited for."""
        current = task.current
        if current is not None and current.performer != PERSON:
            self._engine.wake()
            return task
        await self._engine.run_now(task.id)
        looks = round(SETTLE_SECONDS / _LOOK_SECONDS)
        with self._board.listening(task.id) as bell:
            for _ in range(looks):
                task = await to_thread.run_sync(self._store.get, task.id)
                if task.status not in ("pending", "running"):
                    break
                await bell.wait(_LOOK_SECONDS)
        return task


def session_of(task: Task, status: str | None = None) -> SessionAnswer:
    """The task as the person at work sees it."""
    current = task.current
    waits = task.status == "waiting_for_person" and current is not None
    shown = payload_of(task)
    steps = [
        SessionStep(**item, outputs=step.outputs)
        for item, step in zip(shown["steps"], task.steps, strict=True)
    ]
    return SessionAnswer(
        session_id=task.id,
        task_id=task.id,
        poem_id=task.poem_id,
        target_lang=task.inputs.get("target_lang"),
        status=status or task.status,
        step=shown["current_step"],
        prompt=_prompt(current) if waits and current is not None else None,
        steps=steps,
        result=task.result,
        error=task.error,
    )


async def step_body(request: Request, receive: Receive, limit_bytes: int) -> StepBody:
    """The answer as JSON, as a form, or as `content` in the query. Raises the contract's errors."""
    query = request.query_params
    if "content" in query:
        return validated(StepBody, dict(query))
    raw = await read_body(receive, limit_bytes)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return validated(StepBody, await _parts_of(request, raw))
    if kind == "application/x-www-form-urlencoded" and not raw.lstrip().startswith((b"{", b"[")):
        return validated(StepBody, _fields_of(raw))
    return validated(StepBody, parse_json(raw))


async def _parts_of(request: Request, raw: bytes) -> dict[str, object]:
    try:
        form = await Request(request.scope, _replaying(raw)).form(max_files=0)
    except (MultiPartException, UnicodeDecodeError, LookupError) as exc:
        raise InvalidRequest("The body is no valid form.") from exc
    return dict(form)


def _fields_of(raw: bytes) -> dict[str, str]:
    try:
        pairs = parse_qs(raw.decode("utf-8"), strict_parsing=True, max_num_fields=16)
    except (UnicodeDecodeError, ValueError) as exc:
        raise InvalidRequest("The body is no valid form.") from exc
    return {name: values[-1] for name, values in pairs.items()}


def _replaying(raw: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": raw, "more_body": False}

    return receive


def _waiting(task: Task, step_name: str) -> StepRecord:
    step = next((step for step in task.steps if step.name == step_name), None)
    if step is None:
        raise NotFound("The session has no step of this name.")
    if step.status != "waiting_for_person":
        current = task.current.name if task.current and not task.has_ended else "none"
        raise Conflict(f"The step does not wait for an answer; the one that does is: {current}.")
    return step


def _prompt(step: StepRecord) -> str:
    """All that is to be copied into a chat."""
    return "\n\n".join(message["content"] for message in step.prompt or ())


def _seconds_since(started_at: str | None) -> float:
    if started_at is None:
        return 0.0
    return max(0.0, (datetime.now(UTC) - datetime.fromisoformat(started_at)).total_seconds())
