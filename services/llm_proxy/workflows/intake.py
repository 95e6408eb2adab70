"""From what a caller gives to a task: the inputs checked as the definition declares them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from services.kernel.errors import Unprocessable
from services.llm_proxy.workflows.definition import Definition, Input, Workflow
from services.llm_proxy.workflows.tasks import NewTask


def new_task(
    workflow: Workflow,
    mode: str | None,
    inputs: Mapping[str, str],
    request_id: str,
    poem: Mapping[str, Any] | None = None,
) -> NewTask:
    """Raises Unprocessable, naming the field."""
    definition = workflow.definition
    chosen = mode or definition.default_mode
    if chosen not in definition.modes:
        modes = ", ".join(definition.modes)
        raise Unprocessable(f"mode: {workflow.name} has the modes {modes}.", param="mode")
    if (definition.subject is not None) != (poem is not None):
        need = "needs a" if poem is None else "takes no"
        raise Unprocessable(f"poem_id: {workflow.name} {need} poem.", param="poem_id")
    return NewTask(
        id=uuid4().hex,
        workflow=workflow,
        mode=chosen,
        inputs=_checked(definition, inputs),
        request_id=request_id,
        poem=poem,
    )


def _checked(definition: Definition, given: Mapping[str, str]) -> dict[str, str]:
    for name in given:
        if name not in definition.inputs:
            known = ", ".join(definition.inputs) or "none"
            raise _wrong(name, f"is no input of this workflow; its inputs are: {known}")
    return {name: _value(name, entry, given) for name, entry in definition.inputs.items()}


def _value(name: str, entry: Input, given: Mapping[str, str]) -> str:
    value = given.get(name, entry.default)
    if value is None or (entry.required and not value.strip()):
        raise _wrong(name, "is missing")
    if len(value) > entry.max_characters:
        raise _wrong(name, f"has more than {entry.max_characters} characters")
    if entry.pattern is not None and not re.fullmatch(entry.pattern, value):
        raise _wrong(name, f"does not match {entry.pattern}")
    return value


def _wrong(name: str, problem: str) -> Unprocessable:
    return Unprocessable(f"inputs.{name}: {problem}", param=f"inputs.{name}")
