"""Background reports on poems in the database. Each call runs in its caller's transaction."""

from __future__ import annotations

from typing import Any

import orjson
import uuid_utils
from sqlalchemy import Connection, delete, insert, select

from services.kb.models import now
from services.kb.poems import poem
from services.kb.poems.schemas import BriefingsQuery, BriefingView, NewBriefing
from services.kb.poems.tables import BRIEFINGS
from services.kb.poems.task import stored_for
from services.kernel.errors import NotFound


def page(connection: Connection, poem_id: str, query: BriefingsQuery) -> list[BriefingView]:
    """A poem's briefings, newest first. Raises NotFound."""
    poem.get(connection, poem_id)
    c = BRIEFINGS.c
    statement = select(BRIEFINGS).where(c.poem_id == poem_id).order_by(c.id.desc())
    rows = connection.execute(statement.offset(query.skip).limit(query.limit))
    return [_view(row) for row in rows]


def get(connection: Connection, briefing_id: str) -> BriefingView:
    """Raises NotFound."""
    row = connection.execute(select(BRIEFINGS).where(BRIEFINGS.c.id == briefing_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such briefing.", param="briefing_id")
    return _view(row)


def get_of(connection: Connection, poem_id: str, briefing_id: str) -> BriefingView:
    """Raises NotFound, too, when it is another poem's."""
    view = get(connection, briefing_id)
    if view.poem_id != poem_id:
        raise NotFound("This poem has no such briefing.", param="briefing_id")
    return view


def create(connection: Connection, poem_id: str, new: NewBriefing) -> BriefingView:
    """The briefing; what its task has left already, if so. Raises NotFound and Conflict."""
    poem.get(connection, poem_id)
    briefing_id = stored_for(connection, BRIEFINGS, poem_id, new.task_id)
    if briefing_id is not None:
        return get(connection, briefing_id)
    briefing_id = uuid_utils.uuid7().hex
    values = {**new.model_dump(), "content": orjson.dumps(new.content).decode()}
    connection.execute(
        insert(BRIEFINGS).values(id=briefing_id, poem_id=poem_id, created_at=now(), **values)
    )
    return get(connection, briefing_id)


def remove(connection: Connection, poem_id: str, briefing_id: str) -> None:
    """Raises NotFound."""
    get_of(connection, poem_id, briefing_id)
    connection.execute(delete(BRIEFINGS).where(BRIEFINGS.c.id == briefing_id))


def _view(row: Any) -> BriefingView:
    return BriefingView.model_validate({**row._mapping, "content": orjson.loads(row.content)})
