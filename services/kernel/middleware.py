"""Around every request: its id, its line in the access log, its errors as JSON, its metrics.

Pure ASGI with one wrapper around `send`, because streams pass through it for every chunk.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter
from typing import Any

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.kernel.context import REQUEST_ID, RequestContext, context_of
from services.kernel.errors import InternalError, Overloaded, PermissionDenied, TrivetError
from services.kernel.logging import AccessRecord
from services.kernel.metrics import RequestMetrics
from services.kernel.protocol import PRESENCE, PUSH, Presence, Push
from services.kernel.rendering import error_response

_log = logging.getLogger(__name__)
_access_log = logging.getLogger("trivet.access")
_CLIENT_CLOSED_REQUEST = 499  # nginx's word for a caller who left before an answer


class Incoming:
    """The `receive` of a handler. `presence` is the server's, where it has one: it tells that the
    caller has left without a task that waits here for it."""

    __slots__ = ("_receive", "presence")

    def __init__(self, receive: Receive, presence: Presence | None) -> None:
        self._receive = receive
        self.presence = presence

    def __call__(self) -> Awaitable[Message]:
        return self._receive()


class Exchange:
    """One request on its way, and the `send` of its handler: remembers what has been sent.

    `push` is the server's, where it has one: it writes a piece of a body that has begun, without
    waiting, or returns False, and then `send` is to be used.
    """

    __slots__ = ("context", "headers", "push", "send", "status")

    def __init__(self, context: RequestContext, send: Send, push: Push | None) -> None:
        self.context = context
        self.send = send
        self.push = push
        self.status = 0
        self.headers: Sequence[tuple[bytes, bytes]] = ()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            request_id = (b"x-request-id", self.context.request_id.encode("ascii"))
            own = self.context.response_headers
            self.headers = [*message.get("headers", ()), request_id, *own]
            message["headers"] = self.headers
        await self.send(message)

    @property
    def streams_events(self) -> bool:
        content_type = next((v for k, v in self.headers if k.lower() == b"content-type"), b"")
        return content_type.startswith(b"text/event-stream")


class RequestMiddleware:
    """The outermost layer that knows a request."""

    def __init__(self, app: ASGIApp, *, owner: Any, metrics: RequestMetrics) -> None:
        self._app = app
        self._owner = owner  # has `state` and `visitor_salt`, set by the lifespan
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        context = context_of(scope, self._owner.state, self._owner.visitor_salt)
        scope["trivet"] = context
        path = scope["path"]
        if path[-1:] == "/" and path != "/":
            scope["path"] = path.rstrip("/") or "/"
        exchange = Exchange(context, send, scope.get(PUSH))
        token = REQUEST_ID.set(context.request_id)
        try:
            await self._app(scope, Incoming(receive, scope.get(PRESENCE)), exchange)
        except ClientDisconnect:
            exchange.status = exchange.status or _CLIENT_CLOSED_REQUEST
        except TrivetError as error:
            await self._fail(exchange, error, scope, receive)
        except Exception as exc:  # noqa: BLE001  # the last net: the caller still gets a body
            _log.error("unexpected error", exc_info=exc)
            await self._fail(exchange, _told(exc), scope, receive)
        finally:
            self._record(exchange, scope, perf_counter() - started)
            REQUEST_ID.reset(token)

    async def _fail(
        self, exchange: Exchange, error: TrivetError, scope: Scope, receive: Receive
    ) -> None:
        context = exchange.context
        context.log_fields.setdefault("error", error.type)
        if exchange.status == 0:
            response = error_response(error, context.request_id, context.error_form)
            await response(scope, receive, exchange)
        elif exchange.streams_events:
            body = context.error_form.event(error, context.request_id)
            await exchange.send({"type": "http.response.body", "body": body, "more_body": False})

    def _record(self, exchange: Exchange, scope: Scope, seconds: float) -> None:
        context, status = exchange.context, exchange.status or _CLIENT_CLOSED_REQUEST
        self._metrics.observe(scope["method"], context.route, status, seconds)
        if not _access_log.isEnabledFor(logging.INFO):
            return
        fields = {
            "method": scope["method"],
            "path": scope["path"],
            "status": status,
            "duration_ms": round(seconds * 1000, 3),
            "caller": context.caller.id,
            **context.log_fields,
        }
        _access_log.handle(AccessRecord(_access_log.name, fields))


def _told(error: Exception) -> TrivetError:
    """SQLite's own error lies within SQLAlchemy's, which not every service has."""
    own = getattr(error, "orig", error)
    code = own.sqlite_errorcode if isinstance(own, sqlite3.OperationalError) else 0
    if code & 0xFF == sqlite3.SQLITE_BUSY:  # extended codes hold more above
        return Overloaded("Too much is written just now. Please try again.", retry_after_seconds=1)
    return InternalError("Something went wrong on our side.")


class JsonCORSMiddleware(CORSMiddleware):
    """Starlette's CORS; a refused preflight answers with the contract's error body.

    `is_origin` knows more origins than `allow_origins`. Credentials are never allowed: a session's
    cookie is of no use on other sites' pages.
    """

    def __init__(self, app: ASGIApp, *, is_origin: Callable[[str], bool], **options: Any) -> None:
        super().__init__(app, **options)
        self._is_origin = is_origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and b"origin" not in dict(scope["headers"]):
            await self.app(scope, receive, send)
            return
        await super().__call__(scope, receive, send)

    def is_allowed_origin(self, origin: str) -> bool:
        return super().is_allowed_origin(origin) or self._is_origin(origin)

    def preflight_response(self, request_headers: Headers) -> Response:
        response = super().preflight_response(request_headers)
        if response.status_code < 400:  # HTTP's border between yes and no
            return response
        refusal = PermissionDenied("Pages of this origin may not call.")
        return error_response(refusal, request_headers.get("x-request-id", ""))
