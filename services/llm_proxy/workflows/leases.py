"""Who runs a task: a lease in the database, so that two instances never run the same one.

Every claim has a holder's name of its own. All that a runner writes is written only while the lease
is still its own, in the same transaction: a runner that was away too long writes nothing. Every
method blocks: call it in a thread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, func, or_, select, update

from services.kernel.database import read, write
from services.llm_proxy.workflows.backlog import Backlog, read_backlog
from services.llm_proxy.workflows.rows import append, now_text, one_task, set_step, tell
from services.llm_proxy.workflows.store import end_open_steps, record_result
from services.llm_proxy.workflows.tables import STEPS, TASKS
from services.llm_proxy.workflows.tasks import StepResult, Task

MAX_CLAIMS = 25  # without finishing a step in between: it would take the next process down, too
_STALE = "the step began anew, since what it had done was lost"


class LeaseLost(Exception):
    """The task is somebody else's by now, or has ended."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to run one task."""

    task_id: str
    holder: str


class Leases:
    """Claims, renewals, and what a runner writes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def claim(
        self, holder: str, limits: Mapping[str, int], now: float, seconds: float
    ) -> Lease | None:
        """The oldest task that may run: each workflow has a limit over all instances.

        A task whose holder let its lease run out is taken over and goes on.
        """
        free = _free(now)
        with read(self._engine) as connection:
            if connection.execute(select(TASKS.c.id).where(free).limit(1)).first() is None:
                return None
        with write(self._engine) as connection:
            busy = _running(connection, now)
            query = select(TASKS.c.workflow, func.min(TASKS.c.number)).where(free)
            rows = connection.execute(query.group_by(TASKS.c.workflow)).all()
            open_to = [n for name, n in rows if busy.get(name, 0) < limits.get(name, 1)]
            if not open_to:
                return None
            wanted = select(TASKS.c.id).where(TASKS.c.number == min(open_to))
            task_id = connection.execute(wanted).scalar_one()
            _take(connection, task_id, holder, now + seconds)
        return Lease(task_id, holder)

    def claim_this(self, task_id: str, holder: str, now: float, seconds: float) -> Lease | None:
        """One task, whatever its workflow's limit: for steps that cost no model anything."""
        with write(self._engine) as connection:
            query = select(TASKS.c.id).where(TASKS.c.id == task_id, TASKS.c.status == "pending")
            if connection.execute(query).first() is None:
                return None
            _take(connection, task_id, holder, now + seconds)
        return Lease(task_id, holder)

    def backlog(self) -> Backlog:
        """What is under way in all instances."""
        return read_backlog(self._engine)

    def renew(self, leases: Sequence[Lease], now: float, seconds: float) -> set[str]:
        """Holds on to the leases; the holders of those that are still one's own."""
        holders = [lease.holder for lease in leases]
        mine = TASKS.c.lease_holder.in_(holders) & (TASKS.c.status == "running")
        with write(self._engine) as connection:
            connection.execute(update(TASKS).where(mine).values(lease_until=now + seconds))
            return set(connection.execute(select(TASKS.c.lease_holder).where(mine)).scalars())

    def held(self, leases: Sequence[Lease]) -> set[str]:
        """The holders whose leases still hold; it only looks."""
        holders = [lease.holder for lease in leases]
        mine = TASKS.c.lease_holder.in_(holders) & (TASKS.c.status == "running")
        with read(self._engine) as connection:
            return set(connection.execute(select(TASKS.c.lease_holder).where(mine)).scalars())

    # -- what a runner writes ---------------------------------------------------------------------

    def release(self, lease: Lease) -> None:
        """Gives the task back, for another instance to go on with."""
        with write(self._engine) as connection:
            if _is_held(connection, lease):
                _set(connection, lease, status="pending", lease_holder=None, lease_until=None)
                _reopen_steps(connection, lease.task_id)

    def prepared(self, lease: Lease, briefing: Mapping[str, Any] | None, message: str) -> Task:
        """It is settled which briefing the task uses. Raises LeaseLost."""
        with write(self._engine) as connection:
            _require(connection, lease)
            kept = dict(briefing) if briefing is not None else None
            _set(connection, lease, prepared=1, briefing=kept, message=message)
            return tell(connection, lease.task_id, "status")

    def note(self, lease: Lease, message: str) -> Task:
        """Tells watchers what is being waited for. Raises LeaseLost."""
        with write(self._engine) as connection:
            _require(connection, lease)
            _set(connection, lease, message=message)
            return tell(connection, lease.task_id, "status")

    def begin_step(
        self,
        lease: Lease,
        position: int,
        prompt: Sequence[Mapping[str, str]],
        *,
        asked_model: str | None,
        waits: bool,
        message: str,
    ) -> Task:
        """The step begins, and the task waits with it where a person is to do it.

        Raises LeaseLost.
        """
        with write(self._engine) as connection:
            task = _require(connection, lease)
            step = task.steps[position]
            status = "waiting_for_person" if waits else "running"
            set_step(
                connection,
                lease.task_id,
                position,
                status=status,
                prompt=[dict(item) for item in prompt],
                asked_model=asked_model,
                attempts=step.attempts + 1,
                started_at=now_text(),
            )
            if waits:
                away = {"lease_holder": None, "lease_until": None}
                _set(connection, lease, status=status, message=message, **away)
            else:
                _set(connection, lease, message=message)
            return tell(connection, lease.task_id, "step_change")

    def token(self, lease: Lease, step: str, attempt: int, text: str) -> None:
        """A piece of text as it is written. Raises LeaseLost."""
        with write(self._engine) as connection:
            if not _is_held(connection, lease):
                raise LeaseLost
            data = {"step": step, "attempt": attempt, "text": text}
            append(connection, lease.task_id, "token", data)

    def finish_step(self, lease: Lease, position: int, result: StepResult) -> Task:
        """Records a step's result, once. Raises LeaseLost."""
        with write(self._engine) as connection:
            step = _require(connection, lease).steps[position]
            if step.status != "running":
                raise LeaseLost
            record_result(connection, lease.task_id, position, result)
            _set(connection, lease, claims=0, message=f"{step.name} is done")
            return tell(connection, lease.task_id, "step_change")

    def complete(self, lease: Lease, result: Mapping[str, Any], result_id: str | None) -> Task:
        """Raises LeaseLost."""
        values = {"result": dict(result), "result_id": result_id, "message": "completed"}
        return self._end(lease, "completed", values)

    def fail(self, lease: Lease, error: Mapping[str, Any], message: str) -> Task:
        """Raises LeaseLost."""
        return self._end(lease, "failed", {"error": dict(error), "message": message})

    def _end(self, lease: Lease, status: str, values: Mapping[str, Any]) -> Task:
        with write(self._engine) as connection:
            _require(connection, lease)
            gone = {"lease_holder": None, "lease_until": None, "ended_at": now_text()}
            _set(connection, lease, status=status, **gone, **values)
            end_open_steps(connection, lease.task_id, status)
            return tell(connection, lease.task_id, status)


def _free(now: float) -> Any:
    left = (TASKS.c.status == "running") & (TASKS.c.lease_until < now)
    return or_(TASKS.c.status == "pending", left)


def _running(connection: Connection, now: float) -> dict[str, int]:
    query = (
        select(TASKS.c.workflow, func.count())
        .where(TASKS.c.status == "running", TASKS.c.lease_until >= now)
        .group_by(TASKS.c.workflow)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def _take(connection: Connection, task_id: str, holder: str, until: float) -> None:
    values = {
        "status": "running",
        "lease_holder": holder,
        "lease_until": until,
        "claims": TASKS.c.claims + 1,
        "updated_at": now_text(),
    }
    lost = _reopen_steps(connection, task_id)
    values["message"] = _STALE if lost else "running"
    connection.execute(update(TASKS).where(TASKS.c.id == task_id).values(**values))
    tell(connection, task_id, "status")


def _reopen_steps(connection: Connection, task_id: str) -> bool:
    where = (STEPS.c.task_id == task_id) & (STEPS.c.status == "running")
    return bool(connection.execute(update(STEPS).where(where).values(status="pending")).rowcount)


def _is_held(connection: Connection, lease: Lease) -> bool:
    query = select(TASKS.c.id).where(
        TASKS.c.id == lease.task_id,
        TASKS.c.status == "running",
        TASKS.c.lease_holder == lease.holder,
    )
    return connection.execute(query).first() is not None


def _require(connection: Connection, lease: Lease) -> Task:
    if not _is_held(connection, lease):
        raise LeaseLost
    return one_task(connection, lease.task_id)


def _set(connection: Connection, lease: Lease, **values: Any) -> None:
    where = TASKS.c.id == lease.task_id
    connection.execute(update(TASKS).where(where).values(updated_at=now_text(), **values))
