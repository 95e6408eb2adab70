"""The route table: what an operation takes and gives is read from its handler's annotations.

Order of the checks: unknown path 404, wrong method 405, who is calling 401/403, then the body (413,
400 for bad JSON, 422 for a body that does not fit its model), then the handler.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, get_type_hints

import orjson
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from services.kernel.auth import CHALLENGE, Access, Authenticator, Caller
from services.kernel.context import RequestContext
from services.kernel.errors import (
    InvalidRequest,
    MethodNotAllowed,
    PayloadTooLarge,
    PermissionDenied,
    TrivetError,
    Unauthenticated,
    Unprocessable,
)
from services.kernel.rendering import CONTRACT, ErrorForm, json_response

State = TypeVar("State")
Model = TypeVar("Model", bound=BaseModel)
Handler = Callable[..., Awaitable[Any]]


@dataclass(slots=True)
class Call(Generic[State]):
    """One call of an operation, as a handler sees it."""

    request: Request
    context: RequestContext
    state: State

    @property
    def caller(self) -> Caller:
        return self.context.caller

    @property
    def request_id(self) -> str:
        return self.context.request_id

    @property
    def session_id(self) -> str | None:
        return self.context.session_id

    @property
    def path(self) -> dict[str, str]:
        return self.request.path_params


@dataclass(frozen=True)
class Operation:
    """One row of the route table. Exactly one of `handler` and `app` is set.

    `instead_of_files`: the JSON that a handler which `takes_files` reads where no form comes.
    """

    method: str
    path: str
    access: Access
    summary: str
    handler: Handler | None = None
    app: ASGIApp | None = None
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    answer: Any = None
    status: int = 200
    streams: bool = False
    takes_files: bool = False
    instead_of_files: type[BaseModel] | None = None
    error_form: ErrorForm = CONTRACT
    refused: Callable[[RequestContext, TrivetError], None] | None = None


@dataclass(frozen=True)
class BodyBounds:
    """The largest bodies, in bytes."""

    json: int
    upload: int

    def require(self, item: Operation, content_length: int) -> None:
        """Raises PayloadTooLarge for a body that is announced to be larger."""
        largest = max(self.json, self.upload) if item.takes_files else self.json
        if content_length > largest:
            raise PayloadTooLarge(f"The body is larger than {largest} bytes.")


def operation(
    method: str,
    path: str,
    handler: Handler,
    *,
    access: Access,
    status: int = 200,
    summary: str | None = None,
    takes_files: bool = False,
    instead_of_files: type[BaseModel] | None = None,
) -> Operation:
    """An operation whose `query`, `body` and answer are taken from the handler's annotations."""
    hints = get_type_hints(handler)
    return Operation(
        method=method,
        path=path,
        access=access,
        summary=summary or (inspect.getdoc(handler) or "").partition("\n")[0],
        handler=handler,
        query=hints.get("query"),
        body=hints.get("body"),
        answer=hints.get("return"),
        status=status,
        takes_files=takes_files,
        instead_of_files=instead_of_files,
    )


def raw_operation(
    method: str,
    path: str,
    app: ASGIApp,
    *,
    access: Access,
    summary: str,
    body: type[BaseModel] | None = None,
    streams: bool = False,
    error_form: ErrorForm = CONTRACT,
    refused: Callable[[RequestContext, TrivetError], None] | None = None,
) -> Operation:
    """An operation served by a bare ASGI function, for hot paths; `body` only documents it.

    `refused` is told of callers who do not get as far as `app`.
    """
    return Operation(
        method,
        path,
        access,
        summary,
        app=app,
        body=body,
        streams=streams,
        error_form=error_form,
        refused=refused,
    )


def routes(
    operations: Sequence[Operation], authenticator: Authenticator, bounds: BodyBounds
) -> list[Route]:
    """Starlette routes in the order of the table; operations on one path share one route."""
    by_path: dict[str, dict[str, Operation]] = {}
    for item in operations:
        by_path.setdefault(item.path, {})[item.method] = item
    return [
        Route(path, _Endpoint(path, methods, authenticator, bounds))
        for path, methods in by_path.items()
    ]


class FixedPaths:
    """Goes straight to the operations of a path that stands in the table word for word, as a chat's
    does; the router tries one pattern after the other. Fixed paths win over patterns."""

    def __init__(self, table: Sequence[Route], router: ASGIApp) -> None:
        self._endpoints = {route.path: route.app for route in table if "{" not in route.path}
        self._router = router

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = self._endpoints.get(scope["path"]) if scope["type"] == "http" else None
        await (endpoint or self._router)(scope, receive, send)


class _Endpoint:
    """All operations of one path."""

    def __init__(
        self,
        path: str,
        methods: Mapping[str, Operation],
        authenticator: Authenticator,
        bounds: BodyBounds,
    ) -> None:
        self._path = path
        self._methods = dict(methods)
        self._error_form = next(iter(methods.values())).error_form
        if "GET" in methods:
            self._methods.setdefault("HEAD", methods["GET"])
        self._authenticator = authenticator
        self._bounds = bounds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        context: RequestContext = scope["trivet"]
        context.route = self._path
        context.error_form = self._error_form
        item = self._methods.get(scope["method"])
        if item is None:
            allowed = ", ".join(sorted(self._methods))
            raise MethodNotAllowed(f"Use {allowed} here.", headers={"Allow": allowed})
        self._let_in(item, context, scope)
        if item.app is not None:
            await item.app(scope, receive, send)
            return
        response = await self._answer(item, context, Request(scope, receive, send))
        await response(scope, receive, send)

    def _let_in(self, item: Operation, context: RequestContext, scope: Scope) -> None:
        """Raises Unauthenticated, PermissionDenied, PayloadTooLarge."""
        try:
            context.caller = self._authenticator.identify(scope)
            _admit(context.caller, item.access)
            self._bounds.require(item, context.content_length)
        except TrivetError as error:
            if item.refused is not None:
                item.refused(context, error)
            raise

    async def _answer(self, item: Operation, context: RequestContext, request: Request) -> Response:
        assert item.handler is not None  # noqa: S101  # an operation without app has a handler
        arguments: dict[str, Any] = {}
        if item.query is not None:
            arguments["query"] = validated(item.query, query_values(item.query, request))
        if item.body is not None:
            raw = await read_body(request.receive, self._bounds.json)
            arguments["body"] = validated(item.body, parse_json(raw))
        result = await item.handler(Call(request, context, context.state), **arguments)
        return result if isinstance(result, Response) else json_response(result, item.status)


def _admit(caller: Caller, access: Access) -> None:
    if caller.may(access):
        return
    if caller.kind == "visitor":
        raise Unauthenticated("This call needs a credential.", headers=CHALLENGE)
    raise PermissionDenied("The credential does not allow this call.")


async def read_body(receive: Receive, limit_bytes: int) -> bytes:
    """The whole body. Raises PayloadTooLarge over the limit, ClientDisconnect when cut."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    body: bytes = message.get("body", b"")
    pieces = [body]
    size = len(body)
    while message.get("more_body", False) and size <= limit_bytes:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
    if size > limit_bytes:
        raise PayloadTooLarge(f"The body is larger than {limit_bytes} bytes.")
    return body if len(pieces) == 1 else b"".join(pieces)


def parse_json(raw: bytes) -> Any:
    """JSON in UTF-8, whatever the content type says: `curl -d` labels it a form."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as exc:
        raise InvalidRequest("The body is not valid JSON in UTF-8.") from exc


def query_values(model: type[BaseModel], request: Request) -> dict[str, Any]:
    """The query string's values; a list where the model's field is one."""
    params = request.query_params
    return {
        name: params.getlist(name) if _is_list(model, name) else params[name] for name in params
    }


def _is_list(model: type[BaseModel], name: str) -> bool:
    found = model.model_fields.get(name)
    return found is not None and "list" in str(found.annotation)


def validated(model: type[Model], value: Any) -> Model:
    """`value` as the model. Raises Unprocessable, which names the first field that does not fit."""
    try:
        return model.model_validate(value)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_context=False, include_input=False)[0]
        param = ".".join(str(part) for part in first["loc"]) or None
        where = f"{param}: " if param else ""
        raise Unprocessable(f"{where}{first['msg']}", param=param) from exc
