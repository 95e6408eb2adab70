"""YAML with variables of the environment → checked values; problems in words, never a value.

`${NAME}` stands for a variable (empty when unset), `${NAME:-default}` for one with a default.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from services.kernel.errors import ConfigurationError

Model = TypeVar("Model", bound=BaseModel)
_MAX_DEPTH = 32
_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")


def load_yaml(text: str, file: str) -> dict[str, Any]:
    """The document as a mapping. Raises ConfigurationError naming the line."""
    try:
        _require_names_once(yaml.compose(text, Loader=yaml.CSafeLoader), file)
        value = yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise ConfigurationError(f"{file}: no valid YAML{where}") from exc
    if not isinstance(value, dict):
        raise ConfigurationError(f"{file}: must be a mapping of names to values")
    _require_shallow(value, file)
    return value


def _require_names_once(root: yaml.Node | None, file: str) -> None:
    """Raises ConfigurationError where a name stands twice: YAML would take the last, silently."""
    waiting, seen = [root], set[int]()  # an alias may stand for what is being looked at
    while waiting:
        node = waiting.pop()
        if node is None or isinstance(node, yaml.ScalarNode) or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
            continue
        names = set[str]()
        for name, value in node.value:
            waiting.append(value)
            if isinstance(name, yaml.ScalarNode) and name.value in names:
                line = name.start_mark.line + 1
                raise ConfigurationError(f"{file}: {name.value} stands twice, again in line {line}")
            names.add(name.value if isinstance(name, yaml.ScalarNode) else "")


def _require_shallow(value: Any, file: str, depth: int = 0) -> None:
    """Raises ConfigurationError where an alias of YAML's stands within itself, as in `&a [*a]`."""
    if depth > _MAX_DEPTH:
        raise ConfigurationError(f"{file}: is nested too deeply")
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, dict | list):
            _require_shallow(item, file, depth + 1)


def expand(value: Any, environ: Mapping[str, str]) -> Any:
    """`value` with all variables filled in, in texts and in the names of entries."""
    if isinstance(value, str):
        return _VARIABLE.sub(lambda m: environ.get(m[1]) or m[2] or "", value)
    if isinstance(value, dict):
        return {expand(name, environ): expand(item, environ) for name, item in value.items()}
    if isinstance(value, list):
        return [expand(item, environ) for item in value]
    return value


def variable_of(value: Any) -> str | None:
    """The variable of a text that is nothing but one, as `${DOUBAO_API_KEY}`."""
    match = _VARIABLE.fullmatch(value) if isinstance(value, str) else None
    return match[1] if match else None


def checked(model: type[Model], value: Any, file: str) -> Model:
    """`value` as the model. Raises ConfigurationError with one line for each problem."""
    try:
        return model.model_validate(value)
    except ValidationError as exc:
        found = exc.errors(include_url=False, include_context=False, include_input=False)
        lines = [f"{file}: {'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in found]
        raise ConfigurationError(*lines) from exc
