"""The route table of workflows, briefings and work by hand."""

from __future__ import annotations

from services.kernel.auth import Access
from services.kernel.routing import Operation, operation, raw_operation
from services.llm_proxy.workflows.handlers import (
    cancel_task,
    generate_briefing,
    list_tasks,
    list_workflows,
    open_session,
    retry_task,
    run_workflow,
    show_briefing,
    show_session,
    show_task,
    submit_step,
    translate,
    watch_briefing,
    watch_task,
)
from services.llm_proxy.workflows.schemas import StepBody

_WORKFLOW, _BRIEFING, _MANUAL = "/api/v1/workflow", "/api/v1/bbr", "/api/v1/manual/sessions"


def workflow_operations() -> list[Operation]:
    """A task and its stream are open to whoever knows its id, which nobody can guess: EventSource
    cannot send a credential. All else is the administrator's."""
    return [*_tasks(), *_briefings(), *_by_hand()]


def _tasks() -> list[Operation]:
    administrator = Access.ADMINISTRATOR
    tasks, one = f"{_WORKFLOW}/tasks", f"{_WORKFLOW}/tasks/{{task_id}}"
    return [
        operation("POST", f"{_WORKFLOW}/translate", translate, access=administrator),
        operation("GET", f"{_WORKFLOW}/definitions", list_workflows, access=administrator),
        operation("POST", tasks, run_workflow, access=administrator),
        operation("GET", tasks, list_tasks, access=administrator),
        operation("GET", one, show_task, access=Access.PUBLIC),
        operation("DELETE", one, cancel_task, access=administrator),
        operation("POST", f"{one}/retry", retry_task, access=administrator),
        raw_operation(
            "GET",
            f"{one}/stream",
            watch_task,
            access=Access.PUBLIC,
            streams=True,
            summary="What has happened to a task, and what happens, as server-sent events",
        ),
    ]


def _briefings() -> list[Operation]:
    administrator = Access.ADMINISTRATOR
    one = f"{_BRIEFING}/{{poem_id}}"
    return [
        operation("POST", f"{_BRIEFING}/generate", generate_briefing, access=administrator),
        operation("GET", one, show_briefing, access=administrator),
        raw_operation(
            "GET",
            f"{one}/stream",
            watch_briefing,
            access=Access.PUBLIC,
            streams=True,
            summary="The making of a briefing, by the id of the task, the briefing or the poem",
        ),
    ]


def _by_hand() -> list[Operation]:
    administrator = Access.ADMINISTRATOR
    one = f"{_MANUAL}/{{session_id}}"
    return [
        operation("POST", _MANUAL, open_session, access=administrator),
        operation("GET", one, show_session, access=administrator),
        raw_operation(
            "POST",
            f"{one}/steps/{{step}}",
            submit_step,
            access=administrator,
            body=StepBody,
            summary="Takes a person's answer to a step, and gives the next prompt to copy",
        ),
    ]
