"""Tasks in the database, as callers change them: begin, read, cancel, answer by hand, forget.

Every method is one short transaction and blocks: call it in a thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select, update

from services.kernel.database import migrate, open_engine, read, write
from services.kernel.errors import Conflict
from services.llm_proxy.workflows.definition import Workflow
from services.llm_proxy.workflows.rows import (
    events_after,
    find_task,
    go_on,
    keep_definition,
    kept_definition,
    last_position,
    newest_number,
    news_since,
    now_text,
    one_task,
    set_step,
    snapshot_before,
    tasks_of,
    tell,
)
from services.llm_proxy.workflows.tables import DEFINITIONS, STEPS, TASKS
from services.llm_proxy.workflows.tasks import (
    CAME_TO_NOTHING,
    NewTask,
    StepRecord,
    StepResult,
    Task,
    TaskEvent,
)

_SCRIPTS = Path(__file__).parents[1] / "migrations"
_DELETED_AT_ONCE = 200


def open_workflow_engine(path: Path, lock_path: Path) -> Engine:
    """llm_proxy's database with its schema up to date; two may do so at once."""
    engine = open_engine(path, cache_mib=4, mmap_mib=0, pool_size=4)
    migrate(engine, _SCRIPTS, lock_path)
    return engine


class TaskStore:
    """What is not a runner's: see `Leases` for that."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # -- reading ----------------------------------------------------------------------------------

    def find(self, task_id: str) -> Task | None:
        with read(self._engine) as connection:
            return find_task(connection, task_id)

    def get(self, task_id: str) -> Task:
        """Raises NotFound."""
        with read(self._engine) as connection:
            return one_task(connection, task_id)

    def workflow(self, task: Task) -> Workflow:
        """What the task runs, as it was when it began."""
        with read(self._engine) as connection:
            return kept_definition(connection, task.definition)

    def newest(
        self,
        *,
        workflow: str | None = None,
        status: str | None = None,
        poem_id: str | None = None,
        result_id: str | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> list[tuple[int, Task]]:
        """(number, task), newest first; `before` is a number to go on from."""
        query = select(TASKS).order_by(TASKS.c.number.desc()).limit(limit)
        wanted = {
            TASKS.c.workflow: workflow,
            TASKS.c.status: status,
            TASKS.c.poem_id: poem_id,
            TASKS.c.result_id: result_id,
        }
        for column, value in wanted.items():
            if value is not None:
                query = query.where(column == value)
        if before is not None:
            query = query.where(TASKS.c.number < before)
        with read(self._engine) as connection:
            return tasks_of(connection, query)

    def events(self, task_id: str, after: int, limit: int) -> tuple[list[TaskEvent], Any]:
        """The next events of a task, and the payload that was true before the first of them."""
        with read(self._engine) as connection:
            found = events_after(connection, task_id, after, limit)
            if found and found[0].event == "token":
                return found, snapshot_before(connection, task_id, found[0].position)
            return found, {}

    def news(self, since: int) -> tuple[int, set[str]]:
        """(newest number of an event, tasks that have had events since)."""
        with read(self._engine) as connection:
            return news_since(connection, since)

    def newest_event(self) -> int:
        with read(self._engine) as connection:
            return newest_number(connection)

    def last_position(self, task_id: str) -> int:
        """The place of the task's newest event."""
        with read(self._engine) as connection:
            return last_position(connection, task_id)

    # -- changing ---------------------------------------------------------------------------------

    def create(self, new: NewTask) -> tuple[Task, bool]:
        """(the task, whether it is new): where one with the same `only_one` is under way, that."""
        with write(self._engine) as connection:
            if new.only_one is not None:
                query = select(TASKS.c.id).where(
                    TASKS.c.only_one == new.only_one, TASKS.c.ended_at.is_(None)
                )
                known = connection.execute(query).scalar()
                if known is not None:
                    return one_task(connection, known), False
            _insert(connection, new)
            return tell(connection, new.id, "status"), True

    def cancel(self, task_id: str) -> Task:
        """Raises NotFound, Conflict when it has ended. Whoever runs it sees it at its next look."""
        now = now_text()
        with write(self._engine) as connection:
            if one_task(connection, task_id).has_ended:
                raise Conflict("The task has already ended.")
            values = {
                "status": "cancelled",
                "message": "cancelled",
                "ended_at": now,
                "updated_at": now,
                "lease_holder": None,
                "lease_until": None,
            }
            connection.execute(update(TASKS).where(TASKS.c.id == task_id).values(**values))
            end_open_steps(connection, task_id, "cancelled")
            return tell(connection, task_id, "cancelled")

    def retry(self, task_id: str) -> Task:
        """The task may go on from its last finished step. Raises NotFound, Conflict."""
        with write(self._engine) as connection:
            if one_task(connection, task_id).status not in CAME_TO_NOTHING:
                raise Conflict("Only a task that failed or was cancelled can be started again.")
            _require_alone(connection, task_id)
            values = {"status": "pending", "message": "started again", "claims": 0, "error": None}
            times = {"ended_at": None, "updated_at": now_text()}
            connection.execute(update(TASKS).where(TASKS.c.id == task_id).values(**values, **times))
            go_on(connection, task_id)
            return tell(connection, task_id, "status")

    def answer(self, task_id: str, step: StepRecord, result: StepResult) -> Task:
        """A person's answer to the step that waits for it. Raises NotFound, Conflict."""
        now = now_text()
        with write(self._engine) as connection:
            task = one_task(connection, task_id)
            current = task.current
            if task.status != "waiting_for_person" or current is None or current != step:
                raise Conflict("The step no longer waits for an answer.")
            record_result(connection, task_id, step.position, result)
            message = f"{step.name} is done"
            values = {"status": "pending", "claims": 0, "message": message, "updated_at": now}
            connection.execute(update(TASKS).where(TASKS.c.id == task_id).values(**values))
            return tell(connection, task_id, "step_change")

    def forget(self, older_than_days: int) -> int:
        """Deletes tasks that ended long ago; some at a time, so that nobody waits long."""
        oldest = datetime.now(UTC) - timedelta(days=older_than_days)
        limit = oldest.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
        with write(self._engine) as connection:
            old = select(TASKS.c.id).where(TASKS.c.ended_at < limit).limit(_DELETED_AT_ONCE)
            gone = connection.execute(delete(TASKS).where(TASKS.c.id.in_(old))).rowcount
            used = select(TASKS.c.definition)
            connection.execute(delete(DEFINITIONS).where(DEFINITIONS.c.digest.not_in(used)))
            return gone


def _require_alone(connection: Connection, task_id: str) -> None:
    """Raises Conflict while another task does what only one may do at a time."""
    key = select(TASKS.c.only_one).where(TASKS.c.id == task_id).scalar_subquery()
    other = select(TASKS.c.id).where(TASKS.c.only_one == key, TASKS.c.ended_at.is_(None))
    if connection.execute(other).first() is not None:
        raise Conflict("Another task is doing the same by now.")


def _insert(connection: Connection, new: NewTask) -> None:
    now, definition = now_text(), new.workflow.definition
    poem = dict(new.poem) if new.poem is not None else None
    row = {
        "id": new.id,
        "workflow": new.workflow.name,
        "mode": new.mode,
        "status": "pending",
        "definition": keep_definition(connection, new.workflow),
        "inputs": dict(new.inputs),
        "poem": poem,
        "poem_id": str(poem["id"]) if poem is not None else None,
        "prepared": int(definition.briefing == "none"),
        "only_one": new.only_one,
        "message": "waiting for its turn",
        "request_id": new.request_id,
        "claims": 0,
        "created_at": now,
        "updated_at": now,
    }
    connection.execute(insert(TASKS).values(**row))
    connection.execute(insert(STEPS), _first_steps(new))


def _first_steps(new: NewTask) -> Sequence[dict[str, Any]]:
    return [
        {
            "task_id": new.id,
            "position": position,
            "name": step.name,
            "status": "pending",
            "performer": new.workflow.definition.performer(new.mode, step.name),
            "attempts": 0,
        }
        for position, step in enumerate(new.workflow.definition.steps)
    ]


def record_result(connection: Connection, task_id: str, position: int, result: StepResult) -> None:
    """The step is finished, and this is what came of it."""
    set_step(
        connection,
        task_id,
        position,
        status="completed",
        answer=result.answer,
        outputs=dict(result.outputs),
        model=result.model,
        input_tokens=result.input_tokens,
        output_tokens=result.output_tokens,
        cost_usd=result.cost_usd,
        seconds=round(result.seconds, 3),
        ended_at=now_text(),
    )


def end_open_steps(connection: Connection, task_id: str, status: str) -> None:
    """A step that was under way ends as its task does."""
    under_way = STEPS.c.status.in_(("running", "waiting_for_person"))
    where = (STEPS.c.task_id == task_id) & under_way
    connection.execute(update(STEPS).where(where).values(status=status, ended_at=now_text()))
