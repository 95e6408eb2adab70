"""An upstream in OpenAI's shape that does, call by call, what a test says."""

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.support.server import running


@dataclass(frozen=True)
class Seen:
    """One call as it arrived; `at` is the monotonic clock's time."""

    body: dict[str, Any]
    key: str
    request_id: str
    at: float

    @property
    def model(self) -> str:
        return str(self.body["model"])


Step = Callable[[Seen], Awaitable[Response]]


@dataclass
class Upstream:
    """`script` holds what happens to the next calls of a model; then it answers well."""

    base_url: str = ""
    calls: list[Seen] = field(default_factory=list)
    script: dict[str, deque[Step]] = field(default_factory=lambda: defaultdict(deque))

    def will(self, model: str, *steps: Step) -> None:
        self.script[model].extend(steps)

    def models(self, request_id: str) -> list[str]:
        """The models that one of our calls went to, in order."""
        return [call.model for call in self.calls if call.request_id == request_id]

    def app(self) -> Starlette:
        async def chat(request: Request) -> Response:
            body = orjson.loads(await request.body())
            key = request.headers.get("authorization", "").removeprefix("Bearer ")
            seen = Seen(body, key, request.headers["x-request-id"], time.monotonic())
            self.calls.append(seen)
            steps = self.script[seen.model]
            return await (steps.popleft() if steps else well)(seen)

        return Starlette(routes=[Route("/v1/chat/completions", chat, methods=["POST"])])


@contextmanager
def running_upstream() -> Iterator[Upstream]:
    upstream = Upstream()
    with running(upstream.app()) as url:
        upstream.base_url = f"{url}/v1"
        yield upstream


async def well(seen: Seen) -> Response:
    """A good answer, which names the model as vendors do."""
    if seen.body.get("stream"):
        chunks: list[dict[str, Any]] = [
            {"delta": {"role": "assistant"}},
            {"delta": {"content": "Hello"}},
            {"delta": {}, "finish_reason": "stop"},
        ]
        events = [orjson.dumps({"model": seen.model, "choices": [chunk]}) for chunk in chunks]
        text = b"".join(b"data: %b\n\n" % event for event in (*events, b"[DONE]"))
        return Response(text, media_type="text/event-stream")
    message = {"role": "assistant", "content": "Hello"}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return JSONResponse({"model": seen.model, "choices": [choice]})


def fails(status: int, code: str = "x", **headers: str) -> Step:
    """An error status; `retry_after_ms="5"` becomes a header."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def answer(_seen: Seen) -> Response:
        error = {"message": "no", "code": code}
        return JSONResponse({"error": error}, status, headers=named)

    return answer


def refuses(*keys: str) -> Step:
    """401 for these keys."""

    async def answer(seen: Seen) -> Response:
        return await (fails(401) if seen.key in keys else well)(seen)

    return answer


def waits(step: Step = well) -> tuple[Step, "Gate"]:
    """An answer that waits until the gate is opened."""
    gate = Gate()

    async def answer(seen: Seen) -> Response:
        gate.loop = asyncio.get_running_loop()
        await gate.opened.wait()
        return await step(seen)

    return answer, gate


class Gate:
    """Opened from the test's thread."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.loop: asyncio.AbstractEventLoop | None = None

    def open(self) -> None:
        assert self.loop is not None
        self.loop.call_soon_threadsafe(self.opened.set)


async def breaks_midway(seen: Seen) -> Response:
    """A stream that says something and ends without its end."""

    async def events() -> AsyncIterator[bytes]:
        chunk = {"delta": {"content": "Hel"}}
        yield b"data: %b\n\n" % orjson.dumps({"model": seen.model, "choices": [chunk]})

    return StreamingResponse(events(), media_type="text/event-stream")


def breaks_when_told() -> tuple[Step, Gate, Gate]:
    """A stream that says something when the first gate is opened, and with the second one ends
    without its end."""
    begin, end = Gate(), Gate()

    async def answer(seen: Seen) -> Response:
        async def events() -> AsyncIterator[bytes]:
            begin.loop = end.loop = asyncio.get_running_loop()
            yield b": hello\n\n"
            await begin.opened.wait()
            chunk = {"delta": {"content": "Hel"}}
            yield b"data: %b\n\n" % orjson.dumps({"model": seen.model, "choices": [chunk]})
            await end.opened.wait()

        return StreamingResponse(events(), media_type="text/event-stream")

    return answer, begin, end


async def stalls_midway(seen: Seen) -> Response:
    """A stream that says something and then nothing more."""

    async def events() -> AsyncIterator[bytes]:
        chunk = {"delta": {"content": "Hel"}}
        yield b"data: %b\n\n" % orjson.dumps({"model": seen.model, "choices": [chunk]})
        await asyncio.Event().wait()

    return StreamingResponse(events(), media_type="text/event-stream")


async def drips(seen: Seen) -> Response:
    """A stream of data in which there is never a word."""

    async def events() -> AsyncIterator[bytes]:
        chunk = {"delta": {"role": "assistant", "content": ""}}
        while True:
            yield b"data: %b\n\n" % orjson.dumps({"model": seen.model, "choices": [chunk]})
            await asyncio.sleep(0.01)

    return StreamingResponse(events(), media_type="text/event-stream")


async def breaks_before_output(seen: Seen) -> Response:
    """A stream that begins, says nothing and ends."""
    text = b": hello\n\ndata: %b\n\n" % orjson.dumps(
        {"model": seen.model, "choices": [{"delta": {"role": "assistant"}}]}
    )
    return Response(text, media_type="text/event-stream")
