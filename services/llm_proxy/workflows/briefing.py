"""Background briefings of poems: made once, used by every translation after it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from anyio import to_thread

from services.llm_proxy.workflows.definition import BRIEFING
from services.llm_proxy.workflows.library import Library
from services.llm_proxy.workflows.store import TaskStore
from services.llm_proxy.workflows.tasks import NewTask, Task


class Briefings:
    """Starts briefings; two who ask for one of the same poem at the same time start one."""

    def __init__(self, store: TaskStore, library: Library) -> None:
        self._store = store
        self._library = library

    async def start(self, poem: Mapping[str, Any], request_id: str) -> tuple[Task, bool]:
        """(the task that makes it, whether it was begun just now). Raises NotFound without a
        definition."""
        workflow = self._library.get(BRIEFING)
        new = NewTask(
            id=uuid4().hex,
            workflow=workflow,
            mode=workflow.definition.default_mode,
            inputs={
                name: entry.default or "" for name, entry in workflow.definition.inputs.items()
            },
            request_id=request_id,
            poem=poem,
            only_one=f"{BRIEFING}:{poem['id']}",
        )
        return await to_thread.run_sync(self._store.create, new)

    async def task_of(self, any_id: str) -> Task | None:
        """The task behind a task's id, a briefing's id, or a poem's: then the newest one."""
        task = await to_thread.run_sync(self._store.find, any_id)
        return task or await to_thread.run_sync(self._newest, any_id)

    def _newest(self, any_id: str) -> Task | None:
        made = self._store.newest(workflow=BRIEFING, result_id=any_id, limit=1)
        found = made or self._store.newest(workflow=BRIEFING, poem_id=any_id, limit=1)
        return found[0][1] if found else None
