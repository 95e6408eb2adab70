"""Around every request: its id, its line in the access log, its errors as JSON, its metrics.

Pure ASGI with one wrapper around `send`, because streams pass through it for every chunk.
"""

from __future__ import annotations

import logging
from time import perf_counter
from typing import Any

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.kernel.context import REQUEST_ID, RequestContext, context_of
from services.kernel.errors import InternalError, PayloadTooLarge, PermissionDenied, TrivetError
from services.kernel.metrics import RequestMetrics
from services.kernel.rendering import error_response

_log = logging.getLogger(__name__)
_access_log = logging.getLogger("trivet.access")
_CLIENT_CLOSED_REQUEST = 499  # nginx's word for a caller who left before an answer


class _Exchange:
    """One request on its way: remembers what has been sent."""

    __slots__ = ("content_type", "context", "send", "status")

    def __init__(self, context: RequestContext, send: Send) -> None:
        self.context = context
        self.send = send
        self.status = 0
        self.content_type = b""

    async def forward(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = list(message.get("headers", ()))
            self.content_type = next((v for k, v in headers if k.lower() == b"content-type"), b"")
            headers.append((b"x-request-id", self.context.request_id.encode("ascii")))
            message = {**message, "headers": headers}
        await self.send(message)


class RequestMiddleware:
    """The outermost layer that knows a request."""

    def __init__(
        self, app: ASGIApp, *, owner: Any, metrics: RequestMetrics, max_body_bytes: int
    ) -> None:
        self._app = app
        self._owner = owner  # has `state` and `visitor_salt`, set by the lifespan
        self._metrics = metrics
        self._max_body_bytes = max_body_bytes

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
        exchange = _Exchange(context, send)
        token = REQUEST_ID.set(context.request_id)
        try:
            self._refuse_oversize(scope)
            await self._app(scope, receive, exchange.forward)
        except ClientDisconnect:
            exchange.status = exchange.status or _CLIENT_CLOSED_REQUEST
        except TrivetError as error:
            await self._fail(exchange, error, scope, receive)
        except Exception as exc:  # noqa: BLE001  # the last net: the caller still gets a body
            _log.error("unexpected error", exc_info=exc)
            failure = InternalError("Something went wrong on our side.")
            await self._fail(exchange, failure, scope, receive)
        finally:
            self._record(exchange, scope, perf_counter() - started)
            REQUEST_ID.reset(token)

    def _refuse_oversize(self, scope: Scope) -> None:
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit() and int(value) > self._max_body_bytes:
                raise PayloadTooLarge(f"The body is larger than {self._max_body_bytes} bytes.")

    async def _fail(
        self, exchange: _Exchange, error: TrivetError, scope: Scope, receive: Receive
    ) -> None:
        context = exchange.context
        context.log_fields.setdefault("error", error.type)
        if exchange.status == 0:
            response = error_response(error, context.request_id, context.error_form)
            await response(scope, receive, exchange.forward)
        elif exchange.content_type.startswith(b"text/event-stream"):
            body = context.error_form.event(error, context.request_id)
            await exchange.send({"type": "http.response.body", "body": body, "more_body": False})

    def _record(self, exchange: _Exchange, scope: Scope, seconds: float) -> None:
        context, status = exchange.context, exchange.status or _CLIENT_CLOSED_REQUEST
        self._metrics.observe(scope["method"], context.route, status, seconds)
        if not _access_log.isEnabledFor(logging.INFO):
            return
        record = _access_log.makeRecord(
            _access_log.name, logging.INFO, __file__, 0, "request", (), None
        )
        record.fields = {
            "method": scope["method"],
            "path": scope["path"],
            "status": status,
            "duration_ms": round(seconds * 1000, 3),
            "caller": context.caller.id,
            **context.log_fields,
        }
        _access_log.handle(record)


class JsonCORSMiddleware(CORSMiddleware):
    """Starlette's CORS; a refused preflight answers with the contract's error body."""

    def preflight_response(self, request_headers: Headers) -> Response:
        response = super().preflight_response(request_headers)
        if response.status_code < 400:  # HTTP's border between yes and no
            return response
        refusal = PermissionDenied("Pages of this origin may not call.")
        return error_response(refusal, request_headers.get("x-request-id", ""))
