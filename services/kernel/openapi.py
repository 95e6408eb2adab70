"""The OpenAPI 3.1 document of a service, made from its route table.

https://spec.openapis.org/oas/v3.1.0
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from services.kernel.auth import Access
from services.kernel.routing import Operation

_REF = "#/components/schemas/{model}"
_ERROR_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "code", "request_id"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "code": {"type": "integer"},
                "request_id": {"type": "string"},
                "param": {"type": "string"},
                "provider": {"type": "string"},
            },
        }
    },
}


def document(service: str, version: str, operations: Sequence[Operation]) -> dict[str, Any]:
    """The document as plain data."""
    references, schemas = _schemas(operations)
    paths: dict[str, dict[str, Any]] = {}
    for item in operations:
        path = re.sub(r"{(\w+):\w+}", r"{\1}", item.path)
        paths.setdefault(path, {})[item.method.lower()] = _described(item, references, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": f"Trivet {service}", "version": version},
        "paths": paths,
        "components": {
            "schemas": {**schemas, "Error": _ERROR_SCHEMA},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "apiKey": {"type": "apiKey", "in": "header", "name": "x-api-key"},
            },
        },
    }


def _schemas(
    operations: Iterable[Operation],
) -> tuple[dict[tuple[type[BaseModel], str], dict[str, Any]], dict[str, Any]]:
    wanted: list[tuple[type[BaseModel], Any]] = []
    for item in operations:
        taken = (item.query, item.body, item.instead_of_files)
        wanted += [(model, "validation") for model in taken if model is not None]
        if (model := _answered(item.answer)) is not None:
            wanted.append((model, "serialization"))
    references, definitions = models_json_schema(wanted, ref_template=_REF)
    return references, definitions.get("$defs", {})  # type: ignore[return-value]  # keys are pairs


def _answered(kind: Any) -> type[BaseModel] | None:
    """The model of an answer, or of the items of a bare list."""
    item = get_args(kind)[0] if get_origin(kind) is list else kind
    return item if isinstance(item, type) and issubclass(item, BaseModel) else None


def _described(
    item: Operation,
    references: dict[tuple[type[BaseModel], str], dict[str, Any]],
    schemas: dict[str, Any],
) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": re.sub(r"\W+", "_", f"{item.method.lower()}{item.path}").strip("_"),
        "summary": item.summary,
        "parameters": [*_path_parameters(item), *_query_parameters(item, references, schemas)],
        "responses": _responses(item, references),
    }
    if item.access is not Access.PUBLIC:
        described["security"] = [{"bearer": []}, {"apiKey": []}]
    if content := _content(item, references):
        described["requestBody"] = {"required": True, "content": content}
    return described


def _content(
    item: Operation, references: dict[tuple[type[BaseModel], str], dict[str, Any]]
) -> dict[str, Any]:
    content = _files() if item.takes_files else {}
    if (model := item.body or item.instead_of_files) is not None:
        content["application/json"] = {"schema": references[(model, "validation")]}
    return content


def _files() -> dict[str, Any]:
    one = {"type": "string", "contentMediaType": "application/octet-stream"}
    files = {"type": "array", "items": one}
    form = {"type": "object", "properties": {"files": files, "collection": {"type": "string"}}}
    return {"multipart/form-data": {"schema": form}}


def _path_parameters(item: Operation) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)", item.path)
    ]


def _query_parameters(
    item: Operation,
    references: dict[tuple[type[BaseModel], str], dict[str, Any]],
    schemas: dict[str, Any],
) -> list[dict[str, Any]]:
    if item.query is None:
        return []
    name = references[(item.query, "validation")]["$ref"].rpartition("/")[2]
    schema = schemas[name]
    required = set(schema.get("required", ()))
    return [
        {"name": field, "in": "query", "required": field in required, "schema": shape}
        for field, shape in schema.get("properties", {}).items()
    ]


def _responses(
    item: Operation, references: dict[tuple[type[BaseModel], str], dict[str, Any]]
) -> dict[str, Any]:
    content: dict[str, Any] = {}
    if (model := _answered(item.answer)) is not None:
        schema = references[(model, "serialization")]
        if get_origin(item.answer) is list:
            schema = {"type": "array", "items": schema}
        content["application/json"] = {"schema": schema}
    elif item.app is not None or item.answer is not None:
        content["application/json"] = {"schema": {}}
    if item.streams:
        content["text/event-stream"] = {"schema": {"type": "string"}}
    good: dict[str, Any] = {"description": "Done."}
    if content and item.status != 204:  # HTTP: no content
        good["content"] = content
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {str(item.status): good, "default": {"description": "An error.", "content": error}}
