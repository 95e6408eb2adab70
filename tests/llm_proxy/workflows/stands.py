"""What stands around a workflow in tests: a kb that keeps, a model that says what it is told."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

POEM = {
    "id": "0123456789abcdef0123456789abcdef",
    "title": "静夜思",
    "author": "李白",
    "source_lang": "zh",
    "original_text": "床前明月光，\n  疑是地上霜。",
}
BRIEFING = {
    "summary": "A traveller misses home.",
    "cultural_context": "The Tang dynasty.",
    "form_and_style": "A short old-style poem.",
    "challenges": ["the moon"],
}


@dataclass
class Kb:
    """kb's face as workflows use it; what is put twice with one task_id is kept once."""

    poems: dict[str, dict[str, Any]] = field(default_factory=lambda: {POEM["id"]: dict(POEM)})
    kept: dict[str, list[dict[str, Any]]] = field(
        default_factory=lambda: {"translations": [], "briefings": []}
    )
    events: list[dict[str, Any]] = field(default_factory=list)
    puts: int = 0
    away: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def app(self) -> Starlette:
        one = "/api/v1/poems/{poem_id}"
        return Starlette(
            routes=[
                Route("/api/analytics/events", self._events, methods=["POST"]),
                Route("/livez", self._live),
                Route(one, self._poem),
                Route(one + "/{kind}", self._list, methods=["GET"]),
                Route(one + "/{kind}", self._put, methods=["POST"]),
            ]
        )

    async def _live(self, request: Request) -> JSONResponse:
        return JSONResponse({"status": "ok"})

    async def _events(self, request: Request) -> JSONResponse:
        batch = orjson.loads(await request.body())["events"]
        self.events.extend(batch)
        return JSONResponse({"accepted": len(batch), "duplicates": 0, "rejected": []})

    async def _poem(self, request: Request) -> JSONResponse:
        found = self.poems.get(request.path_params["poem_id"])
        if self.away:
            return JSONResponse({"error": {"message": "away"}}, 503)
        if found is None:
            return JSONResponse({"error": {"message": "no poem"}}, 404)
        return JSONResponse(found)

    async def _list(self, request: Request) -> JSONResponse:
        if self.away:
            return JSONResponse({"error": {"message": "away"}}, 503)
        kept = self.kept[request.path_params["kind"]]
        found = [item for item in kept if item["poem_id"] == request.path_params["poem_id"]]
        return JSONResponse(list(reversed(found)))

    async def _put(self, request: Request) -> JSONResponse:
        if self.away:
            return JSONResponse({"error": {"message": "away"}}, 503)
        record = orjson.loads(await request.body())
        with self.lock:
            self.puts += 1
            kept = self.kept[request.path_params["kind"]]
            for item in kept:
                if item["task_id"] == record["task_id"]:
                    return JSONResponse(item)
            made = {**record, "id": uuid4().hex, "poem_id": request.path_params["poem_id"]}
            kept.append(made)
            return JSONResponse(made, 201)


def said_to(body: dict[str, Any]) -> str:
    """What a good model answers, by what it is asked for."""
    asked = body["messages"][-1]["content"]
    if body.get("response_format"):
        return json.dumps(BRIEFING)
    if "Compare this translation" in asked:
        return "Line 2 is weak."
    number = "revised" if "Revise your translation" in asked else "first"
    return f"<title>Quiet night</title><translation>moon\n  frost ({number})</translation>"


@dataclass
class Model:
    """An OpenAI-compatible model. `answer` gives the text, or a Response to be sent as it is."""

    answer: Callable[[dict[str, Any]], str | Response] = said_to
    calls: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    running: int = 0
    most_running: int = 0
    broken_off: int = 0  # calls whose caller left
    pieces: int = 3
    held: threading.Event = field(default_factory=threading.Event)
    seconds: float = 0.0
    first_seconds: float = 0.0  # of silence before the first piece

    def hold(self) -> None:
        """From now on answers stop after their first piece, until `release`."""
        self.held.set()

    def release(self) -> None:
        self.held.clear()

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/v1/chat/completions", self._chat, methods=["POST"])])

    async def _chat(self, request: Request) -> Response:
        body = orjson.loads(await request.body())
        self.calls.append(body)
        self.headers.append(dict(request.headers))
        answer = self.answer(body)
        if isinstance(answer, Response):
            return answer
        return StreamingResponse(self._stream(answer), media_type="text/event-stream")

    async def _stream(self, text: str) -> AsyncIterator[bytes]:
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        whole = False
        try:
            await asyncio.sleep(self.first_seconds)
            size = max(1, len(text) // self.pieces)
            for start in range(0, len(text), size):
                yield _chunk({"choices": [_choice(text[start : start + size])]})
                while self.held.is_set():  # noqa: ASYNC110  # set by the test, in another thread
                    await asyncio.sleep(0.005)
                await asyncio.sleep(self.seconds / self.pieces)
            yield _chunk({"choices": [_choice("", "stop")]})
            usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
            yield _chunk({"choices": [], "usage": usage})
            yield b"data: [DONE]\n\n"
            whole = True
        finally:
            self.running -= 1
            self.broken_off += not whole


def _choice(text: str, finish: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": {"content": text}, "finish_reason": finish}


def _chunk(more: dict[str, Any]) -> bytes:
    head = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "vendor-model"}
    return b"data: " + orjson.dumps({**head, **more}) + b"\n\n"
