"""One task from where it stands to its end, or to where a person must go on.

Whatever was finished is in the database before the next thing begins, so that a run may be cut off
anywhere: the next one reads what is there and goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from anyio import to_thread

from services.kernel.errors import (
    InternalError,
    InvalidRequest,
    NotFound,
    Overloaded,
    TrivetError,
    UpstreamError,
    UpstreamTimeout,
)
from services.kernel.rendering import error_payload
from services.llm_proxy.workflows.board import Board
from services.llm_proxy.workflows.briefing import Briefings
from services.llm_proxy.workflows.definition import BRIEFING, PERSON, SUBJECT, Step, Workflow
from services.llm_proxy.workflows.gateway import CallFailed
from services.llm_proxy.workflows.interview import Interview, Interviewer
from services.llm_proxy.workflows.leases import MAX_CLAIMS, Lease, Leases
from services.llm_proxy.workflows.shelf import Shelf, readable, translator_type
from services.llm_proxy.workflows.store import TaskStore
from services.llm_proxy.workflows.tasks import Task
from services.llm_proxy.workflows.template import BadPrompt, PromptRoom

P = ParamSpec("P")
T = TypeVar("T")
_LOOK_SECONDS = 0.5
_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 0.5, 10.0
_AWAY = (Overloaded, UpstreamTimeout, UpstreamError)


class RunFailed(Exception):
    """The task ends here: `error` is the body of the contract."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        super().__init__(error.get("type", ""))
        self.error = error


@dataclass(frozen=True)
class Runner:
    """Runs tasks; `kb_patience_seconds`: how long it waits for kb to come back."""

    store: TaskStore
    leases: Leases
    board: Board
    shelf: Shelf
    briefings: Briefings
    interviewer: Interviewer
    makes_briefings: bool
    kb_patience_seconds: float
    on_begun: Callable[[], None]  # a task was begun that somebody should run

    async def run(self, lease: Lease) -> Task:
        """The task as it stands afterwards. Raises LeaseLost when it is no longer ours to run."""
        task = await to_thread.run_sync(self.store.get, lease.task_id)
        try:
            return await self._advance(lease, task)
        except (RunFailed, CallFailed) as failure:
            error = failure.error
        except TrivetError as failure:
            error = error_payload(failure, task.request_id)["error"]
        message = str(error.get("message") or "The step failed.")
        return await self._write(lease, self.leases.fail, lease, error, message)

    async def _advance(self, lease: Lease, task: Task) -> Task:
        if task.claims > MAX_CLAIMS:
            raise InternalError("The task was begun many times and never came to its end.")
        workflow = await to_thread.run_sync(self.store.workflow, task)
        if not task.prepared:
            task = await self._prepare(lease, task, workflow)
        for position, step in enumerate(workflow.definition.steps):
            record = task.steps[position]
            if record.status == "completed":
                continue
            interview = Interview(lease, task, position, step, _messages(workflow, step, task))
            if record.performer == PERSON:
                return await self._wait_for_person(interview)
            model = workflow.definition.models[record.performer]
            result = await self.interviewer.hold(interview, model)
            task = await self._write(lease, self.leases.finish_step, lease, position, result)
        return await self._finish(lease, task, workflow)

    async def _wait_for_person(self, interview: Interview) -> Task:
        def begin() -> Task:
            return self.leases.begin_step(
                interview.lease,
                interview.position,
                interview.messages,
                asked_model=None,
                waits=True,
                message=f"waiting for a person to do {interview.step.name}",
            )

        return await self._write(interview.lease, begin)

    # -- the briefing -----------------------------------------------------------------------------

    async def _prepare(self, lease: Lease, task: Task, workflow: Workflow) -> Task:
        """Settles which briefing is used; one that cannot be made keeps no translation back."""
        poem = task.poem or {}
        message = "uses the newest briefing"
        briefing = await self._patiently(lease, lambda: self.shelf.newest_briefing(str(poem["id"])))
        makes = self.makes_briefings and workflow.definition.briefing == "make"
        if briefing is None:
            message = "goes on without a briefing"
            if makes and not workflow.definition.done_by_persons(task.mode):
                briefing, message = await self._made(lease, task)
        kept = readable(briefing)
        return await self._write(lease, self.leases.prepared, lease, kept, message)

    async def _made(self, lease: Lease, task: Task) -> tuple[dict[str, Any] | None, str]:
        try:
            made, _ = await self.briefings.start(task.poem or {}, task.request_id)
        except NotFound:
            return None, "there is no workflow for briefings: goes on without one"
        self.on_begun()
        await self._write(lease, self.leases.note, lease, "waits for the briefing")
        made = await self._ended(made)
        if made.status != "completed":
            return None, "the briefing could not be made: goes on without one"
        newest = await self._patiently(
            lease, lambda: self.shelf.newest_briefing(task.poem_id or "")
        )
        return newest, "the briefing is made"

    async def _ended(self, task: Task) -> Task:
        with self.board.listening(task.id) as bell:
            while not task.has_ended:
                await bell.wait(_LOOK_SECONDS)
                task = await to_thread.run_sync(self.store.get, task.id)
        return task

    # -- the end ----------------------------------------------------------------------------------

    async def _finish(self, lease: Lease, task: Task, workflow: Workflow) -> Task:
        """Hands the result over, to kb too where it is a translation or a briefing."""
        result = result_of(task, workflow)
        kind = workflow.definition.result.stored_as
        kept_id: str | None = None
        if kind is not None:
            kept_id = await self._patiently(lease, lambda: self.shelf.keep(kind, task, result))
            result["bbr_id" if kind == BRIEFING else f"{kind}_id"] = kept_id
        return await self._write(lease, self.leases.complete, lease, result, kept_id)

    async def _patiently(self, lease: Lease, call: Callable[[], Awaitable[T]]) -> T:
        """A call of kb, again and again while it is away."""
        loop = asyncio.get_running_loop()
        deadline, wait_seconds = loop.time() + self.kb_patience_seconds, _FIRST_WAIT_SECONDS
        while True:
            try:
                return await call()
            except _AWAY:
                if loop.time() + wait_seconds > deadline:
                    raise
            if wait_seconds == _FIRST_WAIT_SECONDS:
                await self._write(lease, self.leases.note, lease, "waits for kb")
            await asyncio.sleep(wait_seconds)
            wait_seconds = min(2 * wait_seconds, _LONGEST_WAIT_SECONDS)

    async def _write(
        self, lease: Lease, change: Callable[P, Task], *args: P.args, **kwargs: P.kwargs
    ) -> Task:
        task = await to_thread.run_sync(lambda: change(*args, **kwargs))
        self.board.ring(lease.task_id)
        return task


def result_of(task: Task, workflow: Workflow) -> dict[str, Any]:
    """What the definition's `result` asks for, with who wrote it and what it took."""
    outputs = {step.name: step.outputs or {} for step in task.steps}
    result: dict[str, Any] = {}
    for name, reference in workflow.definition.result.fields.items():
        step, _, output = reference.partition(".")
        result[name] = outputs[step].get(output) if output else outputs[step]
    last = next(iter(workflow.definition.result.fields.values())).partition(".")[0]
    author = next(step for step in task.steps if step.name == last)
    return {
        **result,
        "translator_type": translator_type(task, last),
        "model": author.model,
        "input_tokens": task.input_tokens,
        "output_tokens": task.output_tokens,
        "tokens": task.input_tokens + task.output_tokens,
        "cost_usd": task.cost_usd,
        "seconds": round(task.seconds, 3),
    }


def _messages(workflow: Workflow, step: Step, task: Task) -> list[dict[str, str]]:
    """The step's prompts, filled in. Raises RunFailed."""
    known: dict[str, Any] = {**task.inputs, SUBJECT: task.poem, BRIEFING: task.briefing}
    known.update({done.name: done.outputs for done in task.steps if done.outputs is not None})
    values = {name: known[name] for name in step.inputs}
    room = PromptRoom(workflow.templates)
    try:
        prompt = {"role": "user", "content": room.fill(step.prompt, values)}
        if step.system is None:
            return [prompt]
        return [{"role": "system", "content": room.fill(step.system, values)}, prompt]
    except BadPrompt as exc:
        wrong = InvalidRequest(f"The prompt of {step.name} cannot be filled in: {exc}")
        raise RunFailed(error_payload(wrong, task.request_id)["error"]) from exc
