"""A workflow's task leaves one result, however often it is sent."""

from __future__ import annotations

from sqlalchemy import Connection, Table, select

from services.kernel.errors import Conflict


def stored_for(
    connection: Connection, results: Table, poem_id: str, task_id: str | None
) -> str | None:
    """The id of the result that a task has left in a table, if any. Raises Conflict when it is of
    another poem."""
    if task_id is None:
        return None
    c = results.c
    row = connection.execute(select(c.id, c.poem_id).where(c.task_id == task_id)).one_or_none()
    if row is None:
        return None
    if row.poem_id != poem_id:
        raise Conflict("This task has left its result at another poem.", param="task_id")
    return str(row.id)
