"""The pages of all operations, from the route tables of the services."""

from __future__ import annotations

import importlib
import inspect
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from scripts.docs.page import MADE, cell
from services.kernel.app import Application
from services.kernel.routing import Operation
from services.kernel.settings import read_settings

SERVICES = ("llm_proxy", "kb", "analytics")
_API_INTRO = """
What every operation shares (credentials, errors, streams, headers) is in [http.md](http.md). Each
service serves its description at `/openapi.json`, and nginx shows it as
`/services/NAME/openapi.json`; the files are kept in [openapi/](openapi/).
"""
_CALLERS = {
    "public": "anyone",
    "application": "a key",
    "neighbour": "neighbour",
    "administrator": "administrator",
}


def applications(data_dir: Path) -> dict[str, Application]:
    """The three services as `create_app` makes them with default settings; none is started."""
    return {name: _application(name, data_dir) for name in SERVICES}


def _application(service: str, data_dir: Path) -> Application:
    settings_class: Any = importlib.import_module(f"services.{service}.settings").Settings
    settings = replace(read_settings(settings_class, {}), data_dir=data_dir, run_dir=data_dir)
    create_app: Any = importlib.import_module(f"services.{service}.app").create_app
    # llm_proxy fills its configuration files in from an environment; the docs have none.
    takes_environ = "environ" in inspect.signature(create_app).parameters
    app = create_app(settings, {}) if takes_environ else create_app(settings)
    assert isinstance(app, Application)  # noqa: S101  # what build_app returns
    return app


def api_page(apps: Mapping[str, Application]) -> str:
    """docs/api.md."""
    parts = [MADE, "# The operations of each service", _API_INTRO.strip()]
    for name, app in apps.items():
        document = app.openapi()
        parts.append(f"## {name} · {_port(name, app)}")
        parts.append(f"OpenAPI: [openapi/{name}.json](openapi/{name}.json)")
        parts.append(_overview(app.operations))
        parts += [_described(item, document) for item in app.operations]
    return "\n\n".join(part for part in parts if part) + "\n"


def _port(service: str, app: Application) -> int:
    port: int = getattr(app.settings, f"{service}_port")
    return port


def _overview(operations: Sequence[Operation]) -> str:
    lines = ["| call | who | what |", "|---|---|---|"]
    for item in operations:
        who = _CALLERS[item.access.value]
        what = item.summary + (" *(may stream)*" if item.streams else "")
        lines.append(f"| `{item.method} {item.path}` | {who} | {cell(what)} |")
    return "\n".join(lines)


def _described(item: Operation, document: Mapping[str, Any]) -> str:
    """A section for an operation that takes or gives something of a known shape; else empty."""
    path = re.sub(r"{(\w+):\w+}", r"{\1}", item.path)
    described = document["paths"][path][item.method.lower()]
    rows = [*_parameters(described, document), *_body_fields(described, document)]
    answer = _answer(described, document)
    if not rows and not answer:
        return ""
    return "\n\n".join(filter(None, [f"### `{item.method} {item.path}`", _table(rows), answer]))


def _table(rows: Sequence[tuple[str, str, str]]) -> str:
    """Fields as (name, type, meaning); without the third column where nothing has a meaning."""
    if not rows:
        return ""
    width = 3 if any(row[2] for row in rows) else 2
    head = ("field", "type", "meaning")[:width]
    lines = [head, ("---",) * width, *(row[:width] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines).replace("| --- ", "|---")


def _parameters(
    described: Mapping[str, Any], document: Mapping[str, Any]
) -> list[tuple[str, str, str]]:
    return [
        (
            f"`{parameter['name']}` ({parameter['in']})",
            _shape(parameter["schema"], document, parameter["required"]),
            _about(parameter["schema"]),
        )
        for parameter in described["parameters"]
    ]


def _body_fields(
    described: Mapping[str, Any], document: Mapping[str, Any]
) -> list[tuple[str, str, str]]:
    content = described.get("requestBody", {}).get("content", {}).get("application/json", {})
    schema = _resolved(content.get("schema", {}), document)
    required = schema.get("required", ())
    return [
        (f"`{name}`", _shape(shape, document, name in required), _about(shape))
        for name, shape in schema.get("properties", {}).items()
    ]


def _answer(described: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    """The fields of the answer in one line."""
    good = next(status for status in described["responses"] if status != "default")
    content = described["responses"][good].get("content", {}).get("application/json", {})
    fields = _resolved(content.get("schema", {}), document).get("properties", {})
    shown = ", ".join(f"`{name}` ({_type(shape, document)})" for name, shape in fields.items())
    return f"Answers {good}: {shown}." if shown else ""


def _resolved(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _about(schema: Mapping[str, Any]) -> str:
    return cell(str(schema.get("description", "")))


def _shape(schema: Mapping[str, Any], document: Mapping[str, Any], required: bool) -> str:
    notes = [_type(schema, document)]
    for word, sign in (("minimum", "≥"), ("maximum", "≤"), ("exclusiveMinimum", ">")):
        if word in schema:
            notes.append(f"{sign} {schema[word]}")
    if required:
        notes.append("required")
    elif schema.get("default") not in (None, "", []):
        notes.append(f"default `{json.dumps(schema['default'], ensure_ascii=False)}`")
    return cell(", ".join(notes))


def _type(schema: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return _type(_resolved(schema, document), document)
    if "anyOf" in schema:
        kinds = [_type(part, document) for part in schema["anyOf"] if part.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}), document)}"
    return str(schema.get("type", "any"))
