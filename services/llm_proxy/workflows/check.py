"""Everything that can be wrong with a definition, found before it runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from services.llm_proxy.workflows.definition import (
    BRIEFING,
    PERSON,
    SUBJECT,
    Definition,
    JsonOutput,
    Step,
    TaggedOutput,
    Workflow,
)
from services.llm_proxy.workflows.template import BadPrompt, PromptRoom

# Says what is wrong with a model's name, or nothing.
KnowsModel = Callable[[str], str | None]
_NEEDED = {"translation": "translated_text", "briefing": "content"}
_TEXT = "text"


def problems_of(workflow: Workflow, model_problem: KnowsModel | None = None) -> list[str]:
    """One line for each mistake."""
    definition = workflow.definition
    checks = (_bad_names, _bad_modes, _bad_inputs, _bad_outputs, _bad_result)
    found = [problem for check in checks for problem in check(definition)]
    if model_problem is not None:
        found += _bad_models(definition, model_problem)
    room = PromptRoom(workflow.templates)
    for step in definition.steps:
        found += _bad_templates(definition, step, room)
    return found


def _visible(definition: Definition, before: Step) -> set[str]:
    """The names that a step may declare as its inputs."""
    position = definition.steps.index(before)
    names = {*definition.inputs, *(step.name for step in definition.steps[:position])}
    if definition.subject:
        names.add(SUBJECT)
    if definition.briefing != "none":
        names.add(BRIEFING)
    return names


def _bad_names(definition: Definition) -> Iterator[str]:
    names = [step.name for step in definition.steps]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"steps: two steps are called {name}"
    for name in sorted({*names, *definition.inputs} & {SUBJECT, BRIEFING, PERSON}):
        yield f"{name}: this name has a meaning of its own; take another"
    for name in sorted(set(names) & set(definition.inputs)):
        yield f"{name}: is the name of an input and of a step"
    if definition.briefing != "none" and definition.subject is None:
        yield "briefing: only a poem has one; set `subject: poem`"


def _bad_modes(definition: Definition) -> Iterator[str]:
    names = {step.name for step in definition.steps}
    if definition.default_mode not in definition.modes:
        yield f"default_mode: there is no mode {definition.default_mode}"
    for mode, chosen in definition.modes.items():
        if isinstance(chosen, str):
            performers = {chosen}
        else:
            performers = set(chosen.values())
            for name in sorted(names - set(chosen)):
                yield f"modes.{mode}: says nobody does step {name}"
            for name in sorted(set(chosen) - names):
                yield f"modes.{mode}: there is no step {name}"
        for performer in sorted(performers - {PERSON, *definition.models}):
            yield f"modes.{mode}: {performer} is neither a name in `models` nor `{PERSON}`"


def _bad_models(definition: Definition, model_problem: KnowsModel) -> Iterator[str]:
    for name, model in definition.models.items():
        problem = model_problem(model)
        if problem:
            yield f"models.{name}: {problem}"


def _bad_inputs(definition: Definition) -> Iterator[str]:
    for name, entry in definition.inputs.items():
        fits = entry.pattern is None or re.fullmatch(entry.pattern, entry.default or "")
        if entry.default and (not fits or len(entry.default) > entry.max_characters):
            yield f"inputs.{name}: its own default does not fit"
    for step in definition.steps:
        visible = _visible(definition, step)
        for name in step.inputs:
            if name not in visible:
                known = ", ".join(sorted(visible)) or "nothing"
                yield f"steps.{step.name}: input {name} is not known here; known are {known}"


def _bad_outputs(definition: Definition) -> Iterator[str]:
    for step in definition.steps:
        output = step.output
        if isinstance(output, TaggedOutput) and output.main not in output.fields:
            yield f"steps.{step.name}: main: {output.main} is none of its fields"
        if isinstance(output, JsonOutput):
            try:
                Draft202012Validator.check_schema(output.json_schema)
            except SchemaError as exc:
                yield f"steps.{step.name}: schema: {exc.json_path}: {exc.message}"[:300]
            if output.json_schema.get("type") != "object":
                yield f"steps.{step.name}: schema: must be of the type object"


def _bad_result(definition: Definition) -> Iterator[str]:
    for name, reference in definition.result.fields.items():
        step_name, _, output = reference.partition(".")
        step = definition.step(step_name)
        if step is None:
            yield f"result.{name}: there is no step {step_name}"
        elif output and output not in step.output.names:
            yield f"result.{name}: step {step_name} has no output {output}"
    stored_as = definition.result.stored_as
    if stored_as is None:
        return
    if definition.subject is None:
        yield f"result: a {stored_as} belongs to a poem; set `subject: poem`"
    if _NEEDED[stored_as] not in definition.result.fields:
        yield f"result: a {stored_as} needs the field {_NEEDED[stored_as]}"
    if stored_as == "translation" and "target_lang" not in definition.inputs:
        yield "result: a translation needs the input target_lang"


def _bad_templates(definition: Definition, step: Step, room: PromptRoom) -> Iterator[str]:
    asked: set[str] = set()
    for name in step.templates:
        try:
            asked |= room.variables(name)
        except BadPrompt as exc:
            yield f"steps.{step.name}: {exc}"
            return
    for name in sorted(asked - set(step.inputs)):
        yield f"steps.{step.name}: the prompt uses {name}, which is not in `inputs`"
    for name in sorted(set(step.inputs) - asked):
        yield f"steps.{step.name}: input {name} is declared and never used in the prompt"
    if asked == set(step.inputs) and asked <= _visible(definition, step):
        yield from _trial(definition, step, room)


def _trial(definition: Definition, step: Step, room: PromptRoom) -> Iterator[str]:
    """Fills the prompts with samples: a misspelt `poem.titel` shows itself."""
    for sparse in (False, True):
        samples = _samples(definition, sparse=sparse)
        values = {name: samples[name] for name in step.inputs}
        for name in step.templates:
            try:
                room.fill(name, values)
            except BadPrompt as exc:
                yield f"steps.{step.name}: {exc}"
                return


def _samples(definition: Definition, *, sparse: bool) -> dict[str, Any]:
    """A value for each name; `sparse`: what may be missing is."""
    samples: dict[str, Any] = dict.fromkeys(definition.inputs, _TEXT)
    samples[SUBJECT] = dict.fromkeys(("title", "author", "source_lang", "original_text"), _TEXT)
    samples[BRIEFING] = None if sparse else {"content": {_TEXT: _TEXT}, _TEXT: _TEXT}
    for step in definition.steps:
        samples[step.name] = _sample_output(step, sparse)
    return samples


def _sample_output(step: Step, sparse: bool) -> Any:
    output = step.output
    if isinstance(output, JsonOutput):
        return _sample_of(output.json_schema)
    if isinstance(output, TaggedOutput):
        kept = {n for n, field in output.fields.items() if field.required or n == output.main}
        return {name: None if sparse and name not in kept else _TEXT for name in output.fields}
    return {output.name: _TEXT}


def _sample_of(schema: Any) -> Any:
    kind = schema.get("type") if isinstance(schema, Mapping) else None
    if kind == "object":
        properties = schema.get("properties")
        entries = properties.items() if isinstance(properties, Mapping) else ()
        return {name: _sample_of(entry) for name, entry in entries}
    if kind == "array":
        return [_sample_of(schema.get("items"))]
    return {"integer": 1, "number": 1.0, "boolean": True}.get(str(kind), _TEXT)
