"""The gateway as a step sees it: an API in OpenAI's shape over HTTP, with a key of its own.

Retries, fallbacks, limits and metering are the gateway's; what is tried again here is what any SDK
tries again: an instance that cannot be reached or broke off, and an answer with `Retry-After`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import httpx
import orjson

from services.kernel import VERSION
from services.kernel.context import CAUSE_HEADER
from services.kernel.errors import Overloaded, TrivetError, UpstreamError, UpstreamTimeout
from services.kernel.http_client import needs_tls
from services.kernel.rendering import error_payload
from services.kernel.sse import SseError, SseEvent, SseParser
from services.llm_proxy.providers.base import Usage
from services.llm_proxy.record import WORKFLOW
from services.llm_proxy.target import Target
from services.llm_proxy.workflows.definition import MAX_ANSWER_CHARACTERS

CONNECT_SECONDS = 3.0
SILENCE_SECONDS = 120.0  # the gateway beats every few seconds: longer silence is a dead connection
MAX_RETRY_AFTER_SECONDS = 120.0
_AGAIN_LATER = (429, 503)
OnText = Callable[[str], Awaitable[None]]
# The deployment behind a name, empty for the default; None where there is none by now.
FindTarget = Callable[[str], Target | None]


class CallFailed(Exception):
    """A call without an answer. `error` is the body of the contract; with `again_seconds` the call
    may be made once more after that time (None: as soon as one likes), without `again` not."""

    def __init__(
        self, error: Mapping[str, Any], *, again: bool = False, again_seconds: float | None = None
    ) -> None:
        super().__init__(error.get("type", ""))
        self.error = dict(error)
        self.again = again
        self.again_seconds = again_seconds


@dataclass(frozen=True, slots=True)
class Question:
    """One call of a model; an empty `model` is the gateway's default."""

    model: str
    messages: Sequence[Mapping[str, str]]
    request_id: str
    session_id: str
    timeout_seconds: float
    response_format: Mapping[str, Any] | None = None
    temperature: float | None = None
    max_tokens: int | None = None

    def body(self) -> dict[str, Any]:
        wanted: dict[str, Any] = {
            "model": self.model or None,
            "response_format": self.response_format,
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
        }
        named = {name: value for name, value in wanted.items() if value is not None}
        options = {"include_usage": True}
        return {**named, "messages": self.messages, "stream": True, "stream_options": options}


@dataclass(slots=True)
class Said:
    """A model's answer. `model` is the one that really wrote it."""

    text: str = ""
    model: str | None = None
    usage: Usage | None = None
    cost_usd: float | None = None
    finish_reason: str | None = None
    whole: bool = False
    pieces: list[str] = field(default_factory=list)


class Gateway:
    """Calls over HTTP; `base_urls` are its instances, the nearest first."""

    def __init__(self, base_urls: Sequence[str], credential: str, find_target: FindTarget) -> None:
        self._base_urls = tuple(url.rstrip("/") for url in base_urls)
        self._find_target = find_target
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS),
            headers={"Authorization": f"Bearer {credential}", "User-Agent": f"Trivet/{VERSION}"},
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=8),
            trust_env=False,
            verify=needs_tls(self._base_urls),
        )

    async def aclose(self) -> None:
        await self._client.aclose()

    async def ask(self, question: Question, on_text: OnText) -> Said:
        """The whole answer; `on_text` gets it piece by piece. Raises CallFailed."""
        try:
            async with asyncio.timeout(question.timeout_seconds):
                return await self._ask(question, on_text)
        except TimeoutError as exc:
            late = UpstreamTimeout("The model did not finish in the time that the step allows.")
            raise CallFailed(_told(late, question)) from exc

    async def _ask(self, question: Question, on_text: OnText) -> Said:
        headers = {
            "X-Request-ID": question.request_id,
            "X-Session-ID": question.session_id,
            CAUSE_HEADER: WORKFLOW,
        }
        for base_url in self._base_urls:
            url = f"{base_url}/v1/chat/completions"
            call = self._client.stream("POST", url, json=question.body(), headers=headers)
            try:
                async with call as response:
                    return await self._read(response, question, on_text)
            except httpx.ConnectError:
                continue  # nothing was sent: another instance may take it
            except (httpx.HTTPError, SseError) as exc:
                broken = UpstreamError("the connection to the gateway broke.")
                raise CallFailed(_told(broken, question), again=True) from exc
        away = Overloaded("The gateway cannot be reached.")
        raise CallFailed(_told(away, question), again=True)

    async def _read(self, response: httpx.Response, question: Question, on_text: OnText) -> Said:
        if response.is_error:
            await response.aread()
            raise _refused(response, question)
        said, parser, length = Said(), SseParser(), 0
        async for chunk in response.aiter_raw():
            for event in parser.feed(chunk):
                text = _take(said, event, question)
                if text:
                    length += len(text)
                    _require_bounded(length, question)
                    await on_text(text)
        if not said.whole:
            cut = UpstreamError("the answer broke off.")
            raise CallFailed(_told(cut, question), again=True)
        said.text = "".join(said.pieces)
        self._attribute(said, unquote(response.headers.get("x-trivet-model", "")), question)
        return said

    def _attribute(self, said: Said, named: str, question: Question) -> None:
        """Who wrote it and what it cost. A stream whose first bytes were a heartbeat has no name in
        its head: then it is what was asked for."""
        target = self._find_target(named or question.model)
        if target is None:
            said.model = named or question.model or said.model
            return
        said.model = target.name
        if said.usage is not None:
            said.cost_usd = target.cost_usd(said.usage)


def _take(said: Said, event: SseEvent, question: Question) -> str:
    """What an event says. Raises CallFailed for the error that ends a stream."""
    if event.data == b"[DONE]":
        said.whole = True
        return ""
    try:
        data = orjson.loads(event.data)
    except orjson.JSONDecodeError as exc:
        broken = UpstreamError("the gateway's answer made no sense.")
        raise CallFailed(_told(broken, question)) from exc
    if event.event == "error" or "error" in data:
        raise CallFailed(data.get("error") or {})
    said.model = said.model or data.get("model")
    usage = data.get("usage")
    if usage:
        said.usage = Usage(usage.get("prompt_tokens") or 0, usage.get("completion_tokens") or 0)
    choice = (data.get("choices") or [{}])[0]
    said.finish_reason = choice.get("finish_reason") or said.finish_reason
    text = (choice.get("delta") or {}).get("content") or ""
    if text:
        said.pieces.append(text)
    return str(text)


def _require_bounded(length: int, question: Question) -> None:
    if length > MAX_ANSWER_CHARACTERS:
        endless = UpstreamError(f"the answer is longer than {MAX_ANSWER_CHARACTERS} characters.")
        raise CallFailed(_told(endless, question))


def _refused(response: httpx.Response, question: Question) -> CallFailed:
    try:
        error = dict(response.json()["error"])
    except (ValueError, KeyError, TypeError):
        status = response.status_code
        error = _told(UpstreamError(f"the gateway answered with status {status}."), question)
    wait_seconds = _seconds_of(response.headers.get("retry-after"))
    again = response.status_code in _AGAIN_LATER and error.get("param") != "budget"
    return CallFailed(
        error, again=again and wait_seconds <= MAX_RETRY_AFTER_SECONDS, again_seconds=wait_seconds
    )


def _seconds_of(value: str | None) -> float:
    return float(value) if value and value.isdigit() else 1.0


def _told(error: TrivetError, question: Question) -> dict[str, Any]:
    """An error of ours as the task will show it."""
    return dict(error_payload(error, question.request_id)["error"])
