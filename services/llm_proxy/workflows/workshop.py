"""The parts of workflows, put together for the lifespan of one instance."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from anyio import to_thread
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine as DatabaseEngine
from sqlalchemy.exc import SQLAlchemyError

from services.kernel.auth import ensure_token
from services.kernel.background import background
from services.kernel.errors import TrivetError
from services.kernel.http_client import NeighbourClient
from services.kernel.outbox import Outbox
from services.llm_proxy.catalog import Catalog
from services.llm_proxy.settings import Settings
from services.llm_proxy.target import Target
from services.llm_proxy.workflows.backlog import BacklogMeters
from services.llm_proxy.workflows.board import Board
from services.llm_proxy.workflows.briefing import Briefings
from services.llm_proxy.workflows.changes import Changes
from services.llm_proxy.workflows.definition import Input, Words, Workflow
from services.llm_proxy.workflows.engine import Engine
from services.llm_proxy.workflows.gateway import Gateway
from services.llm_proxy.workflows.interview import Interviewer
from services.llm_proxy.workflows.leases import Leases
from services.llm_proxy.workflows.library import Library
from services.llm_proxy.workflows.manual import ManualDesk
from services.llm_proxy.workflows.report import report
from services.llm_proxy.workflows.runner import Runner
from services.llm_proxy.workflows.schemas import InputItem, WorkflowItem
from services.llm_proxy.workflows.shelf import Shelf
from services.llm_proxy.workflows.store import TaskStore, open_workflow_engine
from services.llm_proxy.workflows.stream import TaskStream
from services.llm_proxy.workflows.tasks import NewTask, Task

_FORGET_SECONDS = 3600.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Workflows:
    """What the handlers use."""

    library: Library
    store: TaskStore
    engine: Engine
    board: Board
    shelf: Shelf
    briefings: Briefings
    manual: ManualDesk
    streams: TaskStream
    outbox: Outbox

    async def begin(self, new: NewTask) -> Task:
        """Keeps a new task and sees that it is run: by a person at once, by a model in its turn."""
        task, _ = await to_thread.run_sync(self.store.create, new)
        return await self._set_going(task, new.workflow)

    async def retry(self, task_id: str) -> Task:
        """A task that came to nothing goes on from its last finished step, with the definition
        that it began with. Raises NotFound, Conflict."""
        task = await to_thread.run_sync(self.store.retry, task_id)
        self.board.ring(task_id)
        return await self._set_going(task, await to_thread.run_sync(self.store.workflow, task))

    async def _set_going(self, task: Task, workflow: Workflow) -> Task:
        if workflow.definition.done_by_persons(task.mode):
            return await self.manual.open(task)
        self.engine.wake()
        return task

    async def cancel(self, task_id: str) -> None:
        """Raises NotFound, Conflict."""
        task = await to_thread.run_sync(self.store.cancel, task_id)
        self.engine.let_go(task_id)
        self.engine.wake()
        self.board.ring(task_id)
        report(self.outbox, task)


@asynccontextmanager
async def open_workflows(
    settings: Settings,
    library: Library,
    kb: NeighbourClient,
    outbox: Outbox,
    catalog: Callable[[], Catalog],
    is_stopping: Callable[[], bool],
    registry: CollectorRegistry,
) -> AsyncIterator[Workflows]:
    """Workflows that run for as long as the block does."""
    async with AsyncExitStack() as stack:
        database = await to_thread.run_sync(
            open_workflow_engine, settings.database_path, settings.migration_lock_path
        )
        stack.callback(database.dispose)
        gateway = _gateway(settings, catalog)
        stack.push_async_callback(gateway.aclose)
        changes = Changes(database)
        stack.callback(changes.close)
        workflows = _assembled(
            settings, library, kb, outbox, database, changes, gateway, is_stopping
        )
        meters = BacklogMeters(lambda: workflows.engine.backlog, lambda: library.workflows)
        registry.register(meters)
        stack.callback(registry.unregister, meters)
        for work, name in (
            (library.watch(settings.reload_seconds), "watch workflows"),
            (workflows.board.watch(), "watch tasks"),
            (_forget(workflows.store, settings.workflow_retention_days), "forget tasks"),
        ):
            await stack.enter_async_context(background(work, name))
        await stack.enter_async_context(workflows.engine.working())
        yield workflows


def _assembled(
    settings: Settings,
    library: Library,
    kb: NeighbourClient,
    outbox: Outbox,
    database: DatabaseEngine,
    changes: Changes,
    gateway: Gateway,
    is_stopping: Callable[[], bool],
) -> Workflows:
    store, leases, shelf = TaskStore(database), Leases(database), Shelf(kb)
    board, briefings = Board(store, changes), Briefings(store, library)
    runner = Runner(
        store=store,
        leases=leases,
        board=board,
        shelf=shelf,
        briefings=briefings,
        interviewer=Interviewer(leases, board, gateway),
        makes_briefings=settings.workflow_makes_briefings,
        kb_patience_seconds=settings.workflow_kb_patience_seconds,
        on_begun=lambda: engine.wake(),
    )
    engine = Engine(
        leases,
        changes,
        runner,
        library,
        board,
        lease_seconds=settings.workflow_lease_seconds,
        on_ended=lambda task: report(outbox, task),
    )
    streams = TaskStream(
        store,
        board,
        heartbeat_seconds=settings.workflow_heartbeat_seconds,
        is_stopping=is_stopping,
    )
    manual = ManualDesk(store, engine, board)
    return Workflows(library, store, engine, board, shelf, briefings, manual, streams, outbox)


def _gateway(settings: Settings, catalog: Callable[[], Catalog]) -> Gateway:
    """The gateway's own door, this instance's first; with a key of its own where one is set."""
    urls = settings.llm_proxy_urls
    own = settings.instance % len(urls)
    token = settings.workflow_api_key or ensure_token(settings.service_token_path)

    def find_target(model: str) -> Target | None:
        try:
            return catalog().resolve(model or None, trusted=True)
        except TrivetError:
            return None  # the file has changed since the call was made

    return Gateway((*urls[own:], *urls[:own]), token, find_target)


async def _forget(store: TaskStore, retention_days: int) -> None:
    """Deletes what ended long ago, until cancelled. 0 days: nothing is deleted."""
    while retention_days:
        try:
            while await to_thread.run_sync(store.forget, retention_days):
                pass
        except SQLAlchemyError as exc:
            _log.error("old tasks cannot be deleted", exc_info=exc)
        await asyncio.sleep(_FORGET_SECONDS)


def described(workflow: Workflow) -> WorkflowItem:
    """A workflow as a page shows it."""
    definition = workflow.definition
    return WorkflowItem(
        name=workflow.name,
        title=definition.title.model_dump(),
        description=_words(definition.description),
        needs_poem=definition.subject is not None,
        inputs=[_input(name, entry) for name, entry in definition.inputs.items()],
        modes=list(definition.modes),
        default_mode=definition.default_mode,
        steps=[step.name for step in definition.steps],
        concurrency=definition.concurrency,
    )


def _input(name: str, entry: Input) -> InputItem:
    kept = entry.model_dump(include={"default", "pattern", "max_characters"})
    return InputItem(name=name, required=entry.required, title=_words(entry.title), **kept)


def _words(words: Words | None) -> dict[str, str] | None:
    return None if words is None else words.model_dump()


def model_problem(catalog: Callable[[], Catalog]) -> Callable[[str], str | None]:
    """Says what is wrong with a model's name in a definition; an empty one is the default."""

    def problem(model: str) -> str | None:
        try:
            catalog().resolve(model or None, trusted=True)
        except TrivetError as error:
            return error.message
        return None

    return problem


def open_library(
    settings: Settings, environ: Mapping[str, str], catalog: Callable[[], Catalog]
) -> Library:
    """The definitions of config/workflows."""
    return Library(settings.workflows_dir, environ, model_problem(catalog))
