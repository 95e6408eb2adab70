"""What a workflow is: the form of config/workflows/NAME.yaml, its prompts' texts with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

PERSON = "person"  # the performer of a step that nobody automates
SUBJECT = "poem"
BRIEFING = "briefing"
MAX_STEPS = 32
MAX_INPUT_CHARACTERS = 200_000
MAX_ANSWER_CHARACTERS = 400_000
_NAME = r"^[a-z][a-z0-9_]{0,63}$"

Name = Annotated[str, Field(pattern=_NAME)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class Words(_Strict):
    """A text that people read, in both languages."""

    en: Annotated[str, Field(min_length=1)]
    zh: Annotated[str, Field(min_length=1)]


class Input(_Strict):
    """Something that the caller gives."""

    title: Words | None = None
    default: str | None = None
    pattern: str | None = None
    max_characters: Annotated[int, Field(ge=1, le=MAX_INPUT_CHARACTERS)] = 20_000

    @property
    def required(self) -> bool:
        return self.default is None

    @field_validator("pattern")
    @classmethod
    def _is_an_expression(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        except re.error as exc:
            raise ValueError("is no regular expression") from exc
        return value


class TextOutput(_Strict):
    """The whole answer, under one name."""

    form: Literal["text"]
    name: Name
    max_characters: Annotated[int, Field(ge=1)] = MAX_ANSWER_CHARACTERS

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)


class TaggedField(_Strict):
    """One `<name>…</name>` of an answer."""

    required: bool = False
    max_characters: Annotated[int, Field(ge=1)] = MAX_ANSWER_CHARACTERS


class TaggedOutput(_Strict):
    """Parts between tags. An answer without any tag is the part `main` as a whole."""

    form: Literal["tags"]
    main: Name
    fields: Annotated[dict[Name, TaggedField], Field(min_length=1)]

    @field_validator("fields", mode="before")
    @classmethod
    def _empty_entries(cls, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: entry or {} for name, entry in value.items()}
        return value

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.fields)


class JsonOutput(_Strict):
    """A JSON object that fits `schema` (JSON Schema 2020-12), asked for by `response_format`."""

    form: Literal["json"]
    json_schema: Annotated[dict[str, Any], Field(alias="schema")]

    @property
    def names(self) -> tuple[str, ...]:
        properties = self.json_schema.get("properties")
        return tuple(properties) if isinstance(properties, dict) else ()


Output = Annotated[TextOutput | TaggedOutput | JsonOutput, Field(discriminator="form")]


class Step(_Strict):
    """One step: what it is given, what it is asked, and what must come back.

    `prompt` and `system` name templates in the folder `prompts`. `inputs` are names of the
    workflow's inputs, of earlier steps, `poem` or `briefing`: the templates see these alone.
    """

    name: Name
    title: Words | None = None
    prompt: str
    system: str | None = None
    inputs: list[Name] = []
    output: Output
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    timeout_seconds: Annotated[float, Field(gt=0, le=3600)] = 600

    @property
    def templates(self) -> tuple[str, ...]:
        return (self.prompt,) if self.system is None else (self.system, self.prompt)


class Result(_Strict):
    """What becomes of the outputs: fields of the task's result, `step.output` or a whole `step`.

    `stored_as` hands them to kb, too: as a translation or a briefing of the poem.
    """

    stored_as: Literal["translation", "briefing"] | None = None
    fields: Annotated[dict[Name, str], Field(min_length=1)]


class Definition(_Strict):
    """One workflow. `briefing`: the newest briefing of the poem is used as an input, `make`: and
    made first where there is none."""

    title: Words
    description: Words | None = None
    subject: Literal["poem"] | None = None
    briefing: Literal["none", "use", "make"] = "none"
    inputs: dict[Name, Input] = {}
    concurrency: Annotated[int, Field(ge=1, le=64)] = 2
    models: dict[Name, str] = {}
    modes: Annotated[dict[Name, str | dict[Name, str]], Field(min_length=1)]
    default_mode: Name
    steps: Annotated[list[Step], Field(min_length=1, max_length=MAX_STEPS)]
    result: Result

    @field_validator("inputs", mode="before")
    @classmethod
    def _empty_entries(cls, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: entry or {} for name, entry in value.items()}
        return value

    def performer(self, mode: str, step: str) -> str:
        """`person`, or the name in `models` of who does a step. The mode is known to be there."""
        chosen = self.modes[mode]
        return chosen if isinstance(chosen, str) else chosen[step]

    def done_by_persons(self, mode: str) -> bool:
        """Whether no step of a mode needs a model."""
        return all(self.performer(mode, step.name) == PERSON for step in self.steps)

    def step(self, name: str) -> Step | None:
        return next((step for step in self.steps if step.name == name), None)

    @property
    def templates(self) -> Iterator[str]:
        for step in self.steps:
            yield from step.templates


class Workflow(_Strict):
    """A definition that has been checked, with all that a run of it needs.

    A task keeps it as it was when the task began: a file that changes meanwhile changes no run.
    """

    name: Name
    definition: Definition
    templates: Mapping[str, str]
