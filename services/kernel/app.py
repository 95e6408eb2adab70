"""`build_app`: the same middleware, error bodies, health and metrics for each service."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from anyio import to_thread
from prometheus_client import CollectorRegistry
from starlette.responses import Response
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from services.kernel import VERSION
from services.kernel.auth import Access, Authenticator, Lookup, ensure_token
from services.kernel.errors import NotFound
from services.kernel.health import Check, overall, report
from services.kernel.lifespan import live
from services.kernel.metrics import CONTENT_TYPE, RequestMetrics
from services.kernel.middleware import JsonCORSMiddleware, RequestMiddleware
from services.kernel.openapi import document
from services.kernel.rendering import json_response
from services.kernel.routing import BodyBounds, Call, FixedPaths, Operation, operation, routes
from services.kernel.setting_table import SettingList
from services.kernel.setting_table import described as described_settings
from services.kernel.settings import CommonSettings
from services.kernel.visitor import DailySalt

Lifespan = Callable[[], AbstractAsyncContextManager[Any]]
Readiness = Callable[[Any], Awaitable[Mapping[str, Check]]]
IsOrigin = Callable[[str], bool]
_EXPOSED_HEADERS = (
    "X-Request-ID",
    "X-Trivet-Model",
    "X-Trivet-Fallback",
    "Retry-After",
    "X-RateLimit-Limit-Requests",
    "X-RateLimit-Remaining-Requests",
    "X-RateLimit-Reset-Requests",
    "X-RateLimit-Limit-Tokens",
    "X-RateLimit-Remaining-Tokens",
    "X-RateLimit-Reset-Tokens",
    "X-Trivet-Model",
    "X-Trivet-Fallback",
    "X-Trivet-Trimmed",
)


class Application:
    """One service as an ASGI application; `state` is what its lifespan yields."""

    def __init__(self, service: str, settings: CommonSettings, lifespan: Lifespan) -> None:
        self.service = service
        self.settings = settings
        self.state: Any = None
        self.draining = False
        self.start_problems: tuple[str, ...] = ()  # fit to be shown
        self.operations: Sequence[Operation] = ()
        self.visitor_salt = DailySalt(settings.data_dir)
        self.authenticator: Authenticator
        self._document: dict[str, Any] | None = None
        self._lifespan = lifespan
        self._stack: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            self.start_problems = await live(self._living(), receive, send)
            return
        await self._stack(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        """This service's OpenAPI document. It takes 40 to 160 ms to make, so it is made once."""
        if self._document is None:
            self._document = document(self.service, VERSION, self.operations)
        return self._document

    def assemble(
        self,
        operations: Sequence[Operation],
        metrics: RequestMetrics,
        application: Lookup | None,
        is_origin: IsOrigin | None,
    ) -> None:
        settings = self.settings
        service_token = ensure_token(settings.service_token_path)
        self.authenticator = Authenticator(
            ensure_token(settings.admin_token_path), service_token, application=application
        )
        self.operations = operations
        bounds = BodyBounds(settings.json_body_max_bytes, settings.upload_max_bytes)
        table = routes(operations, self.authenticator, bounds)
        router = Router(table, redirect_slashes=False, default=_unknown_path)
        app: ASGIApp = RequestMiddleware(FixedPaths(table, router), owner=self, metrics=metrics)
        self._stack = _with_cors(app, settings.allowed_origins, is_origin)

    @asynccontextmanager
    async def _living(self) -> AsyncIterator[None]:
        async with self._lifespan() as state:
            self.state = state
            yield


def build_app(
    service: str,
    settings: CommonSettings,
    operations: Sequence[Operation],
    lifespan: Lifespan,
    readiness: Readiness,
    *,
    registry: CollectorRegistry | None = None,
    application: Lookup | None = None,
    is_origin: IsOrigin | None = None,
) -> Application:
    """A service: its own operations and, beside them, /livez /readyz /metrics /openapi.json
    /settings.

    `lifespan` owns every client and yields the typed state; `readiness` looks at that state.
    `application` knows virtual keys (see `Authenticator`), `is_origin` more origins whose pages may
    call than the settings name.
    """
    app = Application(service, settings, lifespan)
    metrics = RequestMetrics(registry or CollectorRegistry())
    every = [*operations, *_own_operations(app, readiness, metrics)]
    app.assemble(every, metrics, application, is_origin)
    return app


def _own_operations(
    app: Application, readiness: Readiness, metrics: RequestMetrics
) -> list[Operation]:
    async def live(_call: Call[Any]) -> dict[str, str]:
        """Whether the process answers"""
        return {"status": "ok", "service": app.service, "version": VERSION}

    async def ready(_call: Call[Any]) -> Response:
        """Whether the service can work, with a check for each part it leans on"""
        checks = dict(await readiness(app.state))
        if app.draining:
            checks["draining"] = Check(False, "the process is about to stop")
        status = 503 if overall(checks) == "unavailable" else 200
        return json_response(report(app.service, VERSION, checks), status)

    async def measured(_call: Call[Any]) -> Response:
        """Metrics in Prometheus' text format; not shown by nginx"""
        return Response(metrics.text(), headers={"content-type": CONTENT_TYPE})

    async def described(_call: Call[Any]) -> dict[str, Any]:
        """This document"""
        return await to_thread.run_sync(app.openapi)

    async def configured(_call: Call[Any]) -> SettingList:
        """Every setting that is in force; a secret only as set or not set"""
        return described_settings(app.service, VERSION, app.settings)

    handlers = {"/livez": live, "/readyz": ready, "/metrics": measured, "/openapi.json": described}
    return [
        *(
            operation("GET", path, handler, access=Access.PUBLIC)
            for path, handler in handlers.items()
        ),
        operation("GET", "/settings", configured, access=Access.ADMINISTRATOR),
    ]


async def _unknown_path(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        raise NotFound("There is nothing at this path.")
    await send({"type": "websocket.close", "code": 1000})


def _with_cors(app: ASGIApp, origins: Sequence[str], is_origin: IsOrigin | None) -> ASGIApp:
    if not origins and is_origin is None:
        return app
    return JsonCORSMiddleware(
        app,
        is_origin=is_origin or (lambda _origin: False),
        allow_origins=origins,
        allow_methods=("GET", "POST", "PUT", "PATCH", "DELETE"),
        allow_headers=(
            "Authorization",
            "Content-Type",
            "X-API-Key",
            "X-Request-ID",
            "X-Session-ID",
        ),
        expose_headers=_EXPOSED_HEADERS,
        max_age=600,
    )
