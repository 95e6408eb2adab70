"""An answer's text → the outputs that the step declares, or what is wrong with it in plain words.

The words go to a person who pasted the answer, and back to a model that is asked to repair it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson
from jsonschema import Draft202012Validator

from services.llm_proxy.workflows.definition import JsonOutput, Output, TaggedOutput, TextOutput

MAX_PROBLEMS = 5
Outputs = dict[str, Any]
_FENCED = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL | re.IGNORECASE)
_THOUGHTS = re.compile(r"^\s*<think>.*?</think>", re.DOTALL)


class BadAnswer(Exception):
    """An answer that does not fit; the text says what is missing or wrong."""


def parse_answer(output: Output, text: str) -> Outputs:
    """The outputs of an answer. Raises BadAnswer."""
    said = _THOUGHTS.sub("", text).strip()
    if not said:
        raise BadAnswer("The answer is empty.")
    if isinstance(output, TextOutput):
        return {output.name: _within(output.name, said, output.max_characters)}
    if isinstance(output, TaggedOutput):
        return _tagged(output, said)
    return _json(output, said)


def response_format(step: str, output: Output) -> Mapping[str, Any] | None:
    """What asks a model for JSON of this schema; None for plain text.

    https://platform.openai.com/docs/guides/structured-outputs
    """
    if not isinstance(output, JsonOutput):
        return None
    schema = {"name": step, "strict": True, "schema": output.json_schema}
    return {"type": "json_schema", "json_schema": schema}


def _within(name: str, text: str, max_characters: int) -> str:
    if len(text) > max_characters:
        raise BadAnswer(f"{name} has {len(text)} characters; at most {max_characters} are allowed.")
    return text


def _tagged(output: TaggedOutput, text: str) -> Outputs:
    opened = [name for name in output.fields if f"<{name}>" in text]
    if not opened:
        return {**dict.fromkeys(output.fields), output.main: _main(output, text)}
    found: Outputs = {}
    for name, field in output.fields.items():
        part = _between(name, text) if name in opened else None
        if not part and (field.required or name == output.main):
            state = "is empty" if name in opened else "is missing"
            raise BadAnswer(f"<{name}> {state}: write <{name}>…</{name}>.")
        found[name] = _within(name, part, field.max_characters) if part else None
    return found


def _main(output: TaggedOutput, text: str) -> str:
    needed = [name for name, field in output.fields.items() if field.required]
    missing = [name for name in needed if name != output.main]
    if missing:
        raise BadAnswer(f"<{missing[0]}> is missing: write <{missing[0]}>…</{missing[0]}>.")
    return _within(output.main, text, output.fields[output.main].max_characters)


def _between(name: str, text: str) -> str:
    """What stands between the first opening tag and the last closing one."""
    start = text.index(f"<{name}>") + len(name) + 2
    end = text.rfind(f"</{name}>")
    if end < start:
        raise BadAnswer(f"<{name}> is opened and never closed: end it with </{name}>.")
    return text[start:end].strip("\r\n").rstrip()


def _json(output: JsonOutput, text: str) -> Outputs:
    value = _loaded(text)
    if not isinstance(value, dict):
        raise BadAnswer("The answer must be one JSON object.")
    problems = list(Draft202012Validator(output.json_schema).iter_errors(value))
    if problems:
        lines = [f"{error.json_path}: {_said(error)}" for error in problems[:MAX_PROBLEMS]]
        raise BadAnswer("The JSON does not fit its schema: " + "; ".join(lines) + ".")
    return value


def _loaded(text: str) -> Any:
    """The JSON of an answer, bare, fenced, or with words around it."""
    fenced = _FENCED.search(text)
    start, end = text.find("{"), text.rfind("}")
    places = [text, fenced[1] if fenced else "", text[start : end + 1] if start >= 0 else ""]
    first: orjson.JSONDecodeError | None = None
    for candidate in filter(None, places):
        try:
            return orjson.loads(candidate)
        except orjson.JSONDecodeError as exc:
            first = exc if first is None or "{" not in text[:1] else first
    where = f" (line {first.lineno}, column {first.colno})" if first else ""
    raise BadAnswer(f"The answer is not valid JSON{where}.") from first


def _said(error: Any) -> str:
    """A schema's complaint without the value at fault, which may be long."""
    rule, wanted = error.validator, error.validator_value
    if rule == "required":
        return str(error.message)
    if rule in ("type", "enum", "const", "pattern"):
        return f"must have the {rule} {wanted}"
    return f"breaks the rule {rule}: {wanted}"[:200]
