"""The calls of workflows, briefings and work by hand; what is shared comes from `Workflows`."""

from __future__ import annotations

from contextlib import aclosing

from anyio import to_thread
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from services.kernel.context import RequestContext
from services.kernel.errors import NotFound
from services.kernel.rendering import json_response
from services.kernel.routing import Call
from services.llm_proxy.caller_watch import CallerWatch
from services.llm_proxy.state import State
from services.llm_proxy.workflows.intake import new_task
from services.llm_proxy.workflows.manual import session_of, step_body
from services.llm_proxy.workflows.schemas import (
    BriefingAnswer,
    BriefingBody,
    CancelAnswer,
    RunAnswer,
    RunBody,
    SessionAnswer,
    SessionBody,
    TaskItem,
    TaskList,
    TaskQuery,
    TranslateAnswer,
    TranslateBody,
    WorkflowList,
)
from services.llm_proxy.workflows.tasks import Task, payload_of
from services.llm_proxy.workflows.workshop import Workflows, described

TRANSLATION = "translation"
_STREAM_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]


async def translate(call: Call[State], body: TranslateBody) -> TranslateAnswer:
    """Begins a translation of a poem, in steps"""
    workflows = call.state.workflows
    workflow = workflows.library.get(TRANSLATION)
    poem = await workflows.shelf.poem(body.poem_id)
    inputs = {"target_lang": body.target_lang}
    new = new_task(workflow, body.workflow_mode, inputs, call.request_id, poem)
    task = await workflows.begin(new)
    return TranslateAnswer(task_id=task.id, poem_id=body.poem_id, target_lang=body.target_lang)


async def run_workflow(call: Call[State], body: RunBody) -> RunAnswer:
    """Begins a run of any workflow of config/workflows"""
    workflows = call.state.workflows
    workflow = workflows.library.get(body.workflow)
    poem = await workflows.shelf.poem(body.poem_id) if body.poem_id else None
    new = new_task(workflow, body.mode, body.inputs, call.request_id, poem)
    task = await workflows.begin(new)
    return RunAnswer(task_id=task.id, workflow=task.workflow, workflow_mode=task.mode)


async def list_workflows(call: Call[State]) -> WorkflowList:
    """The workflows that can be run: their inputs, modes and steps"""
    known = call.state.workflows.library.workflows.values()
    return WorkflowList(items=[described(workflow) for workflow in known])


async def list_tasks(call: Call[State], query: TaskQuery) -> TaskList:
    """Tasks, newest first"""
    store = call.state.workflows.store
    found = await to_thread.run_sync(
        lambda: store.newest(
            workflow=query.workflow,
            status=query.status,
            poem_id=query.poem_id,
            before=query.cursor,
            limit=query.limit + 1,
        )
    )
    shown = found[: query.limit]
    following = str(shown[-1][0]) if len(found) > query.limit else None
    items = [TaskItem(**payload_of(task)) for _, task in shown]
    return TaskList(items=items, next_cursor=following)


async def show_task(call: Call[State]) -> TaskItem:
    """A task as it stands now"""
    task = await to_thread.run_sync(call.state.workflows.store.get, call.path["task_id"])
    return TaskItem(**payload_of(task))


async def cancel_task(call: Call[State]) -> CancelAnswer:
    """Cancels a task; a model's call that runs for it ends within a second"""
    await call.state.workflows.cancel(call.path["task_id"])
    return CancelAnswer()


async def retry_task(call: Call[State]) -> TaskItem:
    """Starts a failed or cancelled task again, from its last finished step"""
    return TaskItem(**payload_of(await call.state.workflows.retry(call.path["task_id"])))


async def watch_task(scope: Scope, receive: Receive, send: Send) -> None:
    """`GET …/tasks/{task_id}/stream`: what has happened to a task, and what happens."""
    workflows = _workflows(scope)
    task = await to_thread.run_sync(workflows.store.get, scope["path_params"]["task_id"])
    await _stream(workflows, task, scope, receive, send)


# -- briefings ------------------------------------------------------------------------------------


async def generate_briefing(call: Call[State], body: BriefingBody) -> BriefingAnswer:
    """Begins a background briefing of a poem, unless there is one or one is being made"""
    workflows = call.state.workflows
    poem = await workflows.shelf.poem(body.poem_id)
    if not body.force_regenerate:
        known = await workflows.shelf.newest_briefing(body.poem_id)
        if known is not None:
            return BriefingAnswer(status="exists", bbr_id=str(known["id"]))
    task, _ = await workflows.briefings.start(poem, call.request_id)
    workflows.engine.wake()
    return BriefingAnswer(status="generating", poem_id=body.poem_id, task_id=task.id)


async def show_briefing(call: Call[State]) -> dict[str, object]:
    """A poem's newest briefing"""
    briefing = await call.state.workflows.shelf.newest_briefing(call.path["poem_id"])
    if briefing is None:
        raise NotFound("The poem has no briefing yet.")
    return {**briefing, "bbr_id": briefing.get("id")}


async def watch_briefing(scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /api/v1/bbr/{id}/stream`: by the id of the task, of the briefing or of the poem."""
    workflows = _workflows(scope)
    task = await workflows.briefings.task_of(scope["path_params"]["poem_id"])
    if task is None:
        raise NotFound("No briefing of this id has been made here.")
    await _stream(workflows, task, scope, receive, send)


# -- by hand --------------------------------------------------------------------------------------


async def open_session(call: Call[State], body: SessionBody) -> SessionAnswer:
    """Begins work by hand: the first prompt to copy"""
    workflows = call.state.workflows
    workflow = workflows.library.get(body.workflow)
    poem = await workflows.shelf.poem(body.poem_id)
    asked = "target_lang" in workflow.definition.inputs
    inputs = {"target_lang": body.target_lang} if asked else {}
    new = new_task(workflow, "manual", inputs, call.request_id, poem)
    return session_of(await workflows.begin(new), status="created")


async def show_session(call: Call[State]) -> SessionAnswer:
    """Where the work stands, with the prompt that waits; to go on later"""
    task = await to_thread.run_sync(call.state.workflows.store.get, call.path["session_id"])
    return session_of(task)


async def submit_step(scope: Scope, receive: Receive, send: Send) -> None:
    """`POST …/sessions/{session_id}/steps/{step}`: an answer, pasted back."""
    context: RequestContext = scope["trivet"]
    state: State = context.state
    request = Request(scope, receive)
    body = await step_body(request, receive, state.settings.json_body_max_bytes)
    params = scope["path_params"]
    task = await state.workflows.manual.submit(params["session_id"], params["step"], body)
    await json_response(session_of(task))(scope, receive, send)


def _workflows(scope: Scope) -> Workflows:
    context: RequestContext = scope["trivet"]
    state: State = context.state
    return state.workflows


async def _stream(
    workflows: Workflows, task: Task, scope: Scope, receive: Receive, send: Send
) -> None:
    """Sends the task's events until its end, or until the watcher leaves."""
    names = dict(scope["headers"])
    last_event_id = names.get(b"last-event-id", b"").decode("latin-1")
    with CallerWatch(receive) as watch:
        await send({"type": "http.response.start", "status": 200, "headers": _STREAM_HEADERS})
        if scope["method"] != "HEAD":
            async with aclosing(workflows.streams.events(task, last_event_id)) as events:
                async for data in events:
                    await send({"type": "http.response.body", "body": data, "more_body": True})
        watch.over = True
        await send({"type": "http.response.body", "body": b"", "more_body": False})
