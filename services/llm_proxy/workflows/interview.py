"""One step done by a model: the call, its text as it is written, the answer checked, one repair."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

from anyio import to_thread

from services.kernel.errors import UpstreamError
from services.kernel.rendering import error_payload
from services.llm_proxy.workflows.answer import BadAnswer, Outputs, parse_answer, response_format
from services.llm_proxy.workflows.board import Board
from services.llm_proxy.workflows.definition import Step
from services.llm_proxy.workflows.gateway import CallFailed, Gateway, Question, Said
from services.llm_proxy.workflows.leases import Lease, Leases
from services.llm_proxy.workflows.tasks import StepResult, Task

MAX_CALLS = 4  # of one question: the first, and again after a broken connection or a Retry-After
FIRST_WAIT_SECONDS = 0.5
TOKEN_SECONDS = 0.2  # pieces of text are kept for watchers this often
MAX_REPAIRS = 1


@dataclass(frozen=True)
class Interview:
    """What a step is about to ask."""

    lease: Lease
    task: Task
    position: int
    step: Step
    messages: list[dict[str, str]]


class Interviewer:
    """Asks models through the gateway."""

    def __init__(self, leases: Leases, board: Board, gateway: Gateway) -> None:
        self._leases = leases
        self._board = board
        self._gateway = gateway

    async def hold(self, interview: Interview, model: str) -> StepResult:
        """The step's result. Raises CallFailed, LeaseLost."""
        started, said_before, messages = monotonic(), list[Said](), interview.messages
        message = f"{interview.step.name} is being done"
        while True:
            said = await self._persistently(interview, model, messages, message)
            said_before.append(said)
            try:
                outputs = parse_answer(interview.step.output, said.text)
            except BadAnswer as wrong:
                if len(said_before) > MAX_REPAIRS:
                    raise CallFailed(_unfit(interview, said, wrong)) from wrong
                messages = [*interview.messages, *_repair(said, wrong)]
                message = f"{interview.step.name} is being repaired"
            else:
                return _result(said_before, outputs, monotonic() - started)

    async def _persistently(
        self, interview: Interview, model: str, messages: list[dict[str, str]], message: str
    ) -> Said:
        wait_seconds = FIRST_WAIT_SECONDS
        for call in range(1, MAX_CALLS + 1):
            try:
                return await self._once(interview, model, messages, message)
            except CallFailed as failure:
                if not failure.again or call == MAX_CALLS:
                    raise
                await asyncio.sleep(failure.again_seconds or wait_seconds)
                wait_seconds *= 2
        raise AssertionError  # the last call returns or raises

    async def _once(
        self, interview: Interview, model: str, messages: list[dict[str, str]], message: str
    ) -> Said:
        lease, step = interview.lease, interview.step

        def begin() -> Task:
            return self._leases.begin_step(
                lease,
                interview.position,
                messages,
                asked_model=model or None,
                waits=False,
                message=message,
            )

        task = await to_thread.run_sync(begin)
        self._board.ring(lease.task_id)
        attempt = task.steps[interview.position].attempts
        question = Question(
            model=model,
            messages=messages,
            request_id=f"{lease.task_id}.{interview.position}.{attempt}",
            session_id=lease.task_id,
            timeout_seconds=step.timeout_seconds,
            response_format=response_format(step.name, step.output),
            temperature=step.temperature,
            max_tokens=step.max_tokens,
        )
        pen = Pen(self._leases, self._board, lease, step.name, attempt)
        said = await self._gateway.ask(question, pen.write)
        await pen.flush()
        return said


class Pen:
    """Gathers a model's words and puts them into the task's history a few times a second."""

    def __init__(self, leases: Leases, board: Board, lease: Lease, step: str, attempt: int) -> None:
        self._leases, self._board, self._lease = leases, board, lease
        self._step, self._attempt = step, attempt
        self._pieces: list[str] = []
        self._flushed_at = monotonic()

    async def write(self, text: str) -> None:
        """Raises LeaseLost."""
        self._pieces.append(text)
        if monotonic() - self._flushed_at >= TOKEN_SECONDS:
            await self.flush()

    async def flush(self) -> None:
        """Raises LeaseLost."""
        text, self._pieces = "".join(self._pieces), []
        if text:
            arguments = (self._lease, self._step, self._attempt, text)
            await to_thread.run_sync(self._leases.token, *arguments)
            self._board.ring(self._lease.task_id)
        self._flushed_at = monotonic()


def _repair(said: Said, wrong: BadAnswer) -> list[dict[str, str]]:
    """The answer and what is wrong with it, for the same model to put right."""
    asked = f"{wrong} Answer again, in the form that was asked for, and with nothing else."
    return [{"role": "assistant", "content": said.text}, {"role": "user", "content": asked}]


def _unfit(interview: Interview, said: Said, wrong: BadAnswer) -> dict[str, Any]:
    cut = " It was cut off at its longest allowed length." if said.finish_reason == "length" else ""
    name = interview.step.name
    unfit = UpstreamError(f"the model's answer to {name} does not fit, repaired once: {wrong}{cut}")
    return dict(error_payload(unfit, interview.task.request_id)["error"])


def _result(said: Sequence[Said], outputs: Outputs, seconds: float) -> StepResult:
    """The last answer, with the costs of all."""
    usages = [item.usage for item in said if item.usage is not None]
    costs = [item.cost_usd for item in said if item.cost_usd is not None]
    return StepResult(
        answer=said[-1].text,
        outputs=outputs,
        seconds=seconds,
        model=said[-1].model,
        input_tokens=sum(usage.input_tokens for usage in usages) if usages else None,
        output_tokens=sum(usage.output_tokens for usage in usages) if usages else None,
        cost_usd=sum(costs) if costs else None,
    )
