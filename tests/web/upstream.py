"""The services as the pages see them, with every answer in the test's hand.

It stands where llm_proxy, kb and analytics stand, behind the real nginx: what a service would say
at a moment that a test needs cannot be had from the real ones.
"""

from __future__ import annotations

import asyncio
import json
import queue
import threading
from collections.abc import Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOKEN = "test-token-of-nobody"
COOKIE = "trivet_session"
KEY = "pk_test-not-a-key"
VISITOR_TOKEN = "vt_test-of-nobody"
CITATIONS = [
    {
        "index": 1,
        "id": "guide-en-backup-1",
        "title": "Back up and restore › How do I back up Trivet?",
        "url": "https://docs.example.com/en/backup#how",
        "source": "library/guide/en/backup.md#how-do-i-back-up-trivet",
        "snippet": "Stop Trivet with make stop, copy the folder data/, and start it with make run.",
        "relevance_score": 0.91,
    },
    {
        "index": 2,
        "id": "guide-en-backup-2",
        "title": "Back up and restore › What belongs in a backup?",
        "url": None,
        "source": "library/guide/en/backup.md#what-belongs-in-a-backup",
        "snippet": "The folder data/ holds everything: databases, tokens, the outbox.",
        "relevance_score": 0.84,
    },
]


class Chat:
    """One call of the chat: what the page sent, and what it is given, piece by piece."""

    def __init__(self, headers: Mapping[str, str], body: dict[str, Any]) -> None:
        self.headers = headers
        self.body = body
        self.disconnected = threading.Event()
        self._loop = asyncio.get_running_loop()
        self._steps: asyncio.Queue[Message | None] = asyncio.Queue()

    @property
    def question(self) -> str:
        return str(self.body["messages"][-1]["content"])

    def open(self, status: int = 200, **headers: str) -> None:
        """Answers with a status; `retry_after="3"` becomes a header."""
        kind = "text/event-stream; charset=utf-8" if status == 200 else "application/json"
        named = {"content-type": kind, "x-request-id": "request-0001", **headers}
        raw = [(k.replace("_", "-").encode(), v.encode()) for k, v in named.items()]
        self._put({"type": "http.response.start", "status": status, "headers": raw})

    def send(self, data: bytes) -> None:
        self._put({"type": "http.response.body", "body": data, "more_body": True})

    def chunk(self, text: str | None = None, **fields: object) -> None:
        """One chunk in OpenAI's shape."""
        delta = {} if text is None else {"content": text}
        self.event({"choices": [{"index": 0, "delta": delta, "finish_reason": None}], **fields})

    def event(self, data: object, name: str | None = None) -> None:
        head = f"event: {name}\n" if name else ""
        self.send(f"{head}data: {json.dumps(data, ensure_ascii=False)}\n\n".encode())

    def done(self) -> None:
        self.event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        self.send(b"data: [DONE]\n\n")
        self.end()

    def end(self) -> None:
        self._put({"type": "http.response.body", "body": b"", "more_body": False})

    def fail(self, status: int, kind: str, message: str, **headers: str) -> None:
        """Refuses with the contract's body."""
        self.open(status, **headers)
        self.send(json.dumps(error(status, kind, message)).encode())
        self.end()

    def _put(self, step: Message) -> None:
        self._loop.call_soon_threadsafe(self._steps.put_nowait, step)

    async def play(self, receive: Receive, send: Send) -> None:
        gone = asyncio.create_task(self._watch(receive))
        try:
            while True:
                step = asyncio.create_task(self._steps.get())
                await asyncio.wait({step, gone}, return_when=asyncio.FIRST_COMPLETED)
                if not step.done():
                    step.cancel()
                    return
                message = step.result()
                assert message is not None
                await send(message)
                if message.get("more_body") is False:
                    return
        finally:
            gone.cancel()

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.disconnected.set()


def error(status: int, kind: str, message: str) -> dict[str, object]:
    """The contract's error body."""
    fields = {"message": message, "type": kind, "code": status, "request_id": "request-0001"}
    return {"error": fields}


def models(*names: str) -> dict[str, object]:
    """The list of models, with the assistant at its end."""
    return {"object": "list", "data": [{"id": name} for name in (*names, "assistant/site")]}


def ready(service: str, **checks: str) -> dict[str, object]:
    """A `/readyz` in which all is well; a check is given with its detail."""
    named = {name: {"ok": True, "detail": detail} for name, detail in checks.items()}
    return {"status": "ok", "service": service, "version": "0.1.0", "checks": named}


class Upstream:
    """All services at once. `answers`: path → (status, body), to be changed by a test."""

    def __init__(self) -> None:
        self.chats: queue.Queue[Chat] = queue.Queue()
        self.answers: dict[str, tuple[int, object]] = {}
        self.requests: list[tuple[str, str]] = []
        self.feedback: list[dict[str, Any]] = []
        self.changes: list[tuple[str, str, Any]] = []  # method, path, body: JSON, else its bytes
        self.streams: queue.Queue[Chat] = queue.Queue()  # event streams that pages watch
        self.allowed_origin = ""  # whose pages may call with KEY
        self.reset()
        routes = [
            Route("/v1/chat/completions", _ChatEndpoint(self)),
            Route("/api/session", self._session, methods=["GET", "POST", "DELETE"]),
            Route("/api/llm/keys/visitor", self._visitor_token, methods=["POST"]),
            Route("/api/llm/feedback", self._feedback, methods=["POST"]),
            Route("/api/analytics/live", _StreamEndpoint(self)),
            Route("/api/jobs/{id}/stream", _StreamEndpoint(self)),
            Route("/api/v1/workflow/tasks/{id}/stream", _StreamEndpoint(self)),
            Route("/{path:path}", self._answer, methods=["GET"]),
            Route("/{path:path}", self._change, methods=["POST", "PATCH", "DELETE"]),
        ]
        self.app = _Origins(self, Starlette(routes=routes))

    def reset(self) -> None:
        while not self.chats.empty():
            self.chats.get_nowait()
        while not self.streams.empty():
            self.streams.get_nowait()
        self.requests.clear()
        self.feedback.clear()
        self.changes.clear()
        self.allowed_origin = ""
        self.answers = {
            "/api/llm/assistants/site": (200, COMPANY),
            "/v1/models": (200, models("doubao/pro")),
            "/readyz": (200, ready("any", database="12 ms", outbox="0 events wait")),
            "/api/analytics/statistics": (200, TOTALS),
            "/api/llm/providers": (200, {"items": PROVIDERS, "next_cursor": None}),
            "/api/analytics/gaps": (200, {"items": [], "total": 0, "next_cursor": None}),
            "/api/llm/keys": (200, _EMPTY),
            "/api/v1/workflow/tasks": (200, _EMPTY),
            "/api/jobs": (200, _EMPTY),
        }

    def next_chat(self) -> Chat:
        """The next question that a page asks."""
        return self.chats.get(timeout=10)

    def next_stream(self) -> Chat:
        """The next event stream that a page opens."""
        return self.streams.get(timeout=10)

    async def _session(self, request: Request) -> Response:
        self.requests.append((request.method, request.url.path))
        if request.method == "POST":
            if (await request.json()).get("token") != TOKEN:
                return _refusal()
            response = JSONResponse({"role": "administrator"})
            response.set_cookie(COOKIE, TOKEN, httponly=True, samesite="strict", path="/")
            return response
        if request.cookies.get(COOKIE) != TOKEN:
            return _refusal()
        if request.method == "GET":
            return JSONResponse({"role": "administrator"})
        gone = Response(status_code=204)
        gone.delete_cookie(COOKIE, path="/")
        return gone

    async def _visitor_token(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return _refusal()
        body = {"token": VISITOR_TOKEN, "expires_in_seconds": 900, "assistant": "site"}
        return JSONResponse(body)

    async def _feedback(self, request: Request) -> Response:
        status, answer = self.answers.get("/api/llm/feedback", (200, {"status": "recorded"}))
        self.feedback.append(await request.json())
        return JSONResponse(answer, status)

    async def _answer(self, request: Request) -> Response:
        path = request.url.path
        self.requests.append((request.method, path))
        administrators = ("/api/llm/providers", "/api/analytics/statistics")
        if path in administrators and request.cookies.get(COOKIE) != TOKEN:
            return _refusal()
        missing = (404, error(404, "not_found_error", "There is nothing at this path."))
        status, body = self.answers.get(path, missing)
        return JSONResponse(body, status)

    async def _change(self, request: Request) -> Response:
        """A change is answered by what `answers` has for "METHOD /path"."""
        method, path = request.method, request.url.path
        if request.cookies.get(COOKIE) != TOKEN:
            return _refusal()
        raw = await request.body()
        kind = request.headers.get("content-type", "")
        body = json.loads(raw) if kind == "application/json" and raw else raw
        self.changes.append((method, path, body))
        missing = (404, error(404, "not_found_error", "There is nothing at this path."))
        status, answer = self.answers.get(f"{method} {path}", missing)
        if callable(answer):
            answer = answer(body)
        return Response(status_code=status) if status == 204 else JSONResponse(answer, status)


class _Origins:
    """CORS as llm_proxy does it: the pages of one origin may call."""

    def __init__(self, upstream: Upstream, app: ASGIApp) -> None:
        self._upstream = upstream
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        origin = request.headers.get("origin", "")
        known = origin != "" and origin == self._upstream.allowed_origin

        async def forward(message: Message) -> None:
            if known and message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Access-Control-Allow-Origin"] = origin
                headers["Access-Control-Expose-Headers"] = "X-Request-ID, Retry-After"
            await send(message)

        if request.method == "OPTIONS":
            allow = {
                "Access-Control-Allow-Methods": "GET, POST",
                "Access-Control-Allow-Headers": "Authorization, Content-Type, X-Session-ID",
            }
            refused = error(403, "permission_error", "Pages of this origin may not call.")
            answer = Response(headers=allow) if known else JSONResponse(refused, 403)
            await answer(scope, receive, forward)
            return
        await self._app(scope, receive, forward)


class _ChatEndpoint:
    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        chat = Chat(dict(request.headers), await request.json())
        self._upstream.chats.put(chat)
        await chat.play(receive, send)


class _StreamEndpoint:
    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        stream = Chat({**request.headers, "path": request.url.path}, {})
        self._upstream.streams.put(stream)
        await stream.play(receive, send)


def _refusal() -> JSONResponse:
    body = error(401, "authentication_error", "The credential is not known.")
    return JSONResponse(body, 401)


_EMPTY: dict[str, object] = {"items": [], "next_cursor": None}

COMPANY = {
    "success": True,
    "company_info": {
        "name_en": "Sample",
        "name_cn": "示例公司",
        "email": "hello@example.com",
        "phone": "+86 10 0000 0000",
        "website": "https://example.com",
        "address_en": "1 Example Road",
        "address_cn": "示例路 1 号",
    },
    "assistant_info": {
        "name": "小足",
        "name_en": "Trivet",
        "full_name": "Trivet sample assistant",
        "suggested_questions_cn": [
            "Trivet 是什么？",
            "如何备份 Trivet？",
            "Trivet 使用哪些端口？",
            "如何接入豆包？",
        ],
        "suggested_questions_en": [
            "What is Trivet?",
            "How do I back up Trivet?",
            "Which ports does Trivet use?",
            "How do I connect Doubao?",
        ],
    },
}

TOTALS = {
    "total_questions": 128,
    "total_searches": 301,
    "total_zero_hits": 7,
    "total_sessions": 64,
    "total_errors": 2,
    "total_tokens": 90210,
    "total_cost_usd": 0.4182,
}

PROVIDERS = [
    {
        "name": "local",
        "adapter": "openai_compatible",
        "configured": True,
        "set_variable": None,
        "default_model": "smollm2-135m",
        "models": ["smollm2-135m"],
        "reachable": True,
        "last_error": None,
    },
    {
        "name": "doubao",
        "adapter": "doubao",
        "configured": False,
        "set_variable": "DOUBAO_API_KEY",
        "default_model": "doubao-1-5-thinking-vision-pro-250428",
        "models": ["doubao-1-5-thinking-vision-pro-250428"],
        "reachable": None,
        "last_error": None,
    },
    {
        "name": "dashscope",
        "adapter": "dashscope_app",
        "configured": False,
        "set_variable": "DASHSCOPE_API_KEY",
        "default_model": None,
        "models": [],
        "reachable": None,
        "last_error": None,
    },
]
