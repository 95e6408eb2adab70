"""What the vendor does with a request, chosen by the model's name (`name:option=value:…`).

words[:count=3][:delay_ms=0][:usage=last|none][:first_ms=0]   a good answer
reasoning · tools · sources                   with thoughts, tool calls, document references
form:bytes=1 | crlf=1 | cr=1 | bom=1 | nospace=1   the same answer, split or framed unusually
verbatim                                      the request's `answer`, cut at its `cuts`
until_close                                   no length: the close is the end
keepalive                                     comments and blank lines before the answer
fail:code=QuotaExceeded[:echo=1][:retry_after=7][:sse=1]   an error of the vendor's table
error_event[:code=…][:after=2]                an error inside a stream that began with 200
silent · silent_head · comments_only          never an answer; never a body; comments for ever
stall:after=2 · cut:after=2 · truncated:after=2   part, then silence, reset, the end
garbage · html · notjson · empty · gzip · huge_event · huge_head   no answer at all
flaky                                         a connection is closed when it is used again
"""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable, Iterable
from itertools import islice, pairwise

from tests.mock_vendor.dialect import Ask, Dialect, dialect_of, internal_failure
from tests.mock_vendor.embeddings import embeddings
from tests.mock_vendor.wire import Answer, SeenRequest

Behaviour = Callable[[Ask, Dialect, Answer], Awaitable[None]]
WRONG_KEY = "sk-test-wrong-key"


async def respond(seen: SeenRequest, answer: Answer) -> None:
    """Answer one request."""
    if seen.path.endswith("/models"):
        await answer.whole(b'{"object":"list","data":[{"id":"words","object":"model"}]}')
        return
    if "/embeddings" in seen.path:
        await answer.whole(json.dumps(embeddings(seen)).encode())
        return
    dialect = dialect_of(seen.path)
    if dialect is None:
        await answer.whole(b'{"error":{"message":"no such path"}}', status=404)
        return
    ask = _ask(seen)
    if seen.headers.get("authorization") == f"Bearer {WRONG_KEY}":
        await _refuse_key(dialect, answer)
        return
    if first_ms := ask.number("first_ms", 0):
        await asyncio.sleep(first_ms / 1000)
    await BEHAVIOURS.get(ask.behaviour, words)(ask, dialect, answer)


def _ask(seen: SeenRequest) -> Ask:
    body = seen.body
    parts = seen.path.split("/")
    named = parts[4] if "/apps/" in seen.path else str(body.get("model", "words"))
    name, *options = named.removeprefix("bot-").split(":")
    pairs = dict(option.split("=", 1) for option in options)
    by_header = seen.headers.get("x-dashscope-sse") == "enable"
    return Ask(seen, name, pairs, by_header or bool(body.get("stream")))


async def _refuse_key(dialect: Dialect, answer: Answer) -> None:
    """Vendors like to repeat the key that they refuse."""
    for code in ("AuthenticationError", "InvalidApiKey", "invalid_api_key"):
        try:
            status, body = dialect.fail(code, f"Incorrect API key provided: {WRONG_KEY}")
        except KeyError:
            continue
        await answer.whole(json.dumps(body).encode(), status=status)
        return


async def _send(ask: Ask, answer: Answer, frames: Iterable[bytes]) -> None:
    delay_seconds = ask.number("delay_ms", 0) / 1000
    for frame in frames:
        await answer.chunk(frame)
        await asyncio.sleep(delay_seconds)


def _first(ask: Ask, dialect: Dialect, default: int) -> list[bytes]:
    """The frames before something goes wrong."""
    return list(islice(dialect.frames(ask), int(ask.number("after", default))))


async def words(ask: Ask, dialect: Dialect, answer: Answer) -> None:
    if not ask.stream:
        await answer.whole(json.dumps(dialect.whole(ask), ensure_ascii=False).encode())
        return
    await answer.begin()
    await _send(ask, answer, dialect.frames(ask))
    await answer.end()


async def form(ask: Ask, dialect: Dialect, answer: Answer) -> None:
    data = b"".join(dialect.frames(ask))
    if "crlf" in ask.options:
        data = data.replace(b"\n", b"\r\n")
    if "cr" in ask.options:
        data = data.replace(b"\n", b"\r")
    if "nospace" in ask.options:
        data = data.replace(b"data: ", b"data:")
    if "bom" in ask.options:
        data = b"\xef\xbb\xbf" + data
    await answer.begin()
    size = 1 if "bytes" in ask.options else len(data)
    await _send(ask, answer, [data[i : i + size] for i in range(0, len(data), size)])
    await answer.end()


async def verbatim(ask: Ask, dialect: Dialect, answer: Answer) -> None:
    data = ask.seen.body["answer"].encode()
    if not ask.stream:
        await answer.whole(data)
        return
    places = sorted({min(cut, len(data)) for cut in ask.seen.body.get("cuts", ())} | {0, len(data)})
    await answer.begin()
    for start, end in pairwise(places):
        await answer.chunk(data[start:end])
        await asyncio.sleep(0)
    await answer.end()


async def until_close(ask: Ask, dialect: Dialect, answer: Answer) -> None:
    kind = "text/event-stream" if ask.stream else "application/json"
    await answer.raw(f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\n\r\n".encode())
    whole = json.dumps(dialect.whole(ask)).encode()
    await _send(ask, answer, dialect.frames(ask) if ask.stream else [whole])
    answer.close()


async def keepalive(ask: Ask, dialect: Dialect, answer: Answer) -> None:
    if ask.stream:
        await answer.begin()
        await _send(ask, answer, [b": keep-alive\n\n"] * 3 + [*dialect.frames(ask)])
    else:
        await answer.begin("application/json")
        await _send(ask, answer, [b"\n"] * 3 + [json.dumps(dialect.whole(ask)).encode()])
    await answer.end()


async def fail(ask: Ask, dialect: Dialect, answer: Answer) -> None:
    message = "The vendor says no."
    if "echo" in ask.options:
        message += " You sent " + ask.seen.headers.get("authorization", "")
    code = ask.options.get("code") or internal_failure(dialect.fail)
    status, body = dialect.fail(code, message)
    headers = {"retry-after": ask.options["retry_after"]} if "retry_after" in ask.options else {}
    text = json.dumps(body)
    if "sse" in ask.options:
        text = f"id:1\nevent:error\n:HTTP_STATUS/{status}\ndata:{text}\n\n"
    await answer.whole(text.encode(), status=status, headers=headers)


async def error_event(ask: Ask, dialect: Dialect, answer: Answer) -> None:
    frames = _first(ask, dialect, 0)
    code = ask.options.get("code") or internal_failure(dialect.fail)
    await answer.begin()
    await _send(ask, answer, [*frames, dialect.error_frame(code)])
    await answer.end()


async def silent(ask: Ask, dialect: Dialect, answer: Answer) -> None:
    await asyncio.Event().wait()


async def silent_head(ask: Ask, dialect: Dialect, answer: Answer) -> None:
    await answer.begin("text/event-stream" if ask.stream else "application/json")
    await asyncio.Event().wait()


async def comments_only(ask: Ask, dialect: Dialect, answer: Answer) -> None:
    await answer.begin()
    await _send(ask, answer, _first(ask, dialect, 0))
    while True:
        await answer.chunk(b": keep-alive\n\n")
        await asyncio.sleep(0.02)


async def stall(ask: Ask, dialect: Dialect, answer: Answer) -> None:
    await answer.begin()
    await _send(ask, answer, _first(ask, dialect, 2))
    await asyncio.Event().wait()


async def cut(ask: Ask, dialect: Dialect, answer: Answer) -> None:
    if not ask.stream:
        await answer.raw(b"HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n{")
        answer.close()
        return
    await answer.begin()
    frames = _first(ask, dialect, 2)
    await _send(ask, answer, [*frames, b'data: {"id":"half'])
    await asyncio.sleep(0.02)
    answer.cut()


async def truncated(ask: Ask, dialect: Dialect, answer: Answer) -> None:
    await answer.begin()
    await _send(ask, answer, _first(ask, dialect, 2))
    await answer.end()


async def garbage(ask: Ask, dialect: Dialect, answer: Answer) -> None:
    await answer.raw(b"\x16\x03\x01 this is not HTTP \x00\r\n\r\n")
    answer.close()


async def html(ask: Ask, dialect: Dialect, answer: Answer) -> None:
    await answer.whole(b"<html>maintenance</html>", content_type="text/html")


async def notjson(ask: Ask, dialect: Dialect, answer: Answer) -> None:
    if not ask.stream:
        await answer.whole(b'{"choices": [tru')
        return
    await answer.begin()
    await _send(ask, answer, [b"data: {not json\n\n", b"data: [DONE]\n\n"])
    await answer.end()


async def empty(ask: Ask, dialect: Dialect, answer: Answer) -> None:
    await answer.whole(b"", content_type="text/event-stream" if ask.stream else "application/json")


async def gzipped(ask: Ask, dialect: Dialect, answer: Answer) -> None:
    body = gzip.compress(json.dumps(dialect.whole(ask)).encode())
    await answer.whole(body, headers={"content-encoding": "gzip"})


async def huge_event(ask: Ask, dialect: Dialect, answer: Answer) -> None:
    await answer.begin()
    await _send(ask, answer, _first(ask, dialect, 2))
    for _ in range(16 * 16):
        await answer.chunk(b"x" * 65536)
    await answer.end()


async def huge_head(ask: Ask, dialect: Dialect, answer: Answer) -> None:
    await answer.raw(b"HTTP/1.1 200 OK\r\nx-endless: ")
    while not answer.transport.is_closing():
        await answer.raw(b"x" * 4096)
        await asyncio.sleep(0)


async def flaky(ask: Ask, dialect: Dialect, answer: Answer) -> None:
    """Answer, and reset the connection when the next request comes over it."""
    if answer.times_used > 1:
        answer.cut()
        return
    await words(ask, dialect, answer)


BEHAVIOURS: dict[str, Behaviour] = {
    "words": words,
    "form": form,
    "verbatim": verbatim,
    "until_close": until_close,
    "keepalive": keepalive,
    "fail": fail,
    "error_event": error_event,
    "silent": silent,
    "silent_head": silent_head,
    "comments_only": comments_only,
    "stall": stall,
    "cut": cut,
    "truncated": truncated,
    "garbage": garbage,
    "html": html,
    "notjson": notjson,
    "empty": empty,
    "gzip": gzipped,
    "huge_event": huge_event,
    "huge_head": huge_head,
    "flaky": flaky,
}
