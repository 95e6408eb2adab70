"""Rows ↔ tasks, and the few statements that every change of a task is made of."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, func, insert, select, update

from services.kernel.errors import NotFound
from services.llm_proxy.workflows.definition import Workflow
from services.llm_proxy.workflows.tables import DEFINITIONS, EVENTS, STEPS, TASKS
from services.llm_proxy.workflows.tasks import (
    CAME_TO_NOTHING,
    FORMER_END,
    StepRecord,
    Task,
    TaskEvent,
    payload_of,
)

_TASK_FIELDS = [field.name for field in fields(Task) if field.name != "steps"]
_STEP_FIELDS = [field.name for field in fields(StepRecord)]


def now_text() -> str:
    """This moment as it is kept and shown."""
    return datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def find_task(connection: Connection, task_id: str) -> Task | None:
    """The task with its steps."""
    row = connection.execute(select(TASKS).where(TASKS.c.id == task_id)).mappings().one_or_none()
    return None if row is None else _task(row, _steps(connection, [task_id])[task_id])


def one_task(connection: Connection, task_id: str) -> Task:
    """Raises NotFound."""
    task = find_task(connection, task_id)
    if task is None:
        raise NotFound("There is no task of this id.")
    return task


def tasks_of(connection: Connection, query: Select[Any]) -> list[tuple[int, Task]]:
    """(number, task) for each row of a query over TASKS, in its order."""
    rows = connection.execute(query).mappings().all()
    steps = _steps(connection, [row["id"] for row in rows])
    return [(row["number"], _task(row, steps[row["id"]])) for row in rows]


def _task(row: RowMapping, steps: Sequence[StepRecord]) -> Task:
    values = {name: row[name] for name in _TASK_FIELDS}
    return Task(**{**values, "prepared": bool(row["prepared"])}, steps=steps)


def _steps(connection: Connection, task_ids: Sequence[str]) -> dict[str, list[StepRecord]]:
    found: dict[str, list[StepRecord]] = {task_id: [] for task_id in task_ids}
    query = select(STEPS).where(STEPS.c.task_id.in_(task_ids)).order_by(STEPS.c.position)
    for row in connection.execute(query).mappings():
        found[row["task_id"]].append(StepRecord(**{name: row[name] for name in _STEP_FIELDS}))
    return found


def keep_definition(connection: Connection, workflow: Workflow) -> str:
    """The digest under which the workflow is kept from now on."""
    body = workflow.model_dump(mode="json", by_alias=True)
    digest = sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    known = select(DEFINITIONS.c.digest).where(DEFINITIONS.c.digest == digest)
    if connection.execute(known).one_or_none() is None:
        connection.execute(insert(DEFINITIONS).values(digest=digest, body=body))
    return digest


def kept_definition(connection: Connection, digest: str) -> Workflow:
    """The workflow as it was when a task began."""
    query = select(DEFINITIONS.c.body).where(DEFINITIONS.c.digest == digest)
    return Workflow.model_validate(connection.execute(query).scalar_one())


def set_step(connection: Connection, task_id: str, position: int, **values: Any) -> None:
    """Changes one step."""
    where = (STEPS.c.task_id == task_id) & (STEPS.c.position == position)
    connection.execute(update(STEPS).where(where).values(**values))


def tell(connection: Connection, task_id: str, event: str) -> Task:
    """An event with the task payload as it now stands, in the transaction of what it tells of."""
    task = one_task(connection, task_id)
    append(connection, task_id, event, payload_of(task))
    return task


def append(connection: Connection, task_id: str, event: str, data: Mapping[str, Any]) -> None:
    """Puts an event at the end of the task's history."""
    position = last_position(connection, task_id) + 1
    row = {"task_id": task_id, "position": position, "event": event, "data": dict(data)}
    connection.execute(insert(EVENTS).values(**row))


def go_on(connection: Connection, task_id: str) -> None:
    """Undoes the task's end: its open steps wait again, and its history goes on."""
    step = (STEPS.c.task_id == task_id) & STEPS.c.status.in_(CAME_TO_NOTHING)
    connection.execute(update(STEPS).where(step).values(status="pending", ended_at=None))
    end = (EVENTS.c.task_id == task_id) & EVENTS.c.event.in_(CAME_TO_NOTHING)
    connection.execute(update(EVENTS).where(end).values(event=FORMER_END))


def last_position(connection: Connection, task_id: str) -> int:
    """The place of the newest event of a task; 0 where there is none."""
    last = select(func.coalesce(func.max(EVENTS.c.position), 0)).where(EVENTS.c.task_id == task_id)
    return int(connection.execute(last).scalar_one())


def events_after(
    connection: Connection, task_id: str, position: int, limit: int
) -> list[TaskEvent]:
    """The next events of a task, the oldest first."""
    columns = (EVENTS.c.position, EVENTS.c.event, EVENTS.c.data)
    query = select(*columns).where(EVENTS.c.task_id == task_id, EVENTS.c.position > position)
    rows = connection.execute(query.order_by(EVENTS.c.position).limit(limit))
    return [TaskEvent(*row) for row in rows]


def snapshot_before(connection: Connection, task_id: str, position: int) -> dict[str, Any]:
    """The latest whole payload up to a position: pieces of text are kept without one."""
    query = select(EVENTS.c.data).where(
        EVENTS.c.task_id == task_id,
        EVENTS.c.position <= position,
        EVENTS.c.event.not_in(("token", FORMER_END)),
    )
    newest = query.order_by(EVENTS.c.position.desc()).limit(1)
    return dict(connection.execute(newest).scalar() or {})


def news_since(connection: Connection, number: int) -> tuple[int, set[str]]:
    """The newest number of all events, and the tasks that have had one since `number`."""
    query = select(func.max(EVENTS.c.number), EVENTS.c.task_id).where(EVENTS.c.number > number)
    rows = connection.execute(query.group_by(EVENTS.c.task_id)).all()
    return max((row[0] for row in rows), default=number), {row[1] for row in rows}


def newest_number(connection: Connection) -> int:
    """The number of the newest event."""
    return int(connection.execute(select(func.coalesce(func.max(EVENTS.c.number), 0))).scalar_one())
