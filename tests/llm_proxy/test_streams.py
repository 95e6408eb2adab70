"""Properties of the stream readers: what the caller gets depends on no split of the bytes."""

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.kernel.sse import SseParser
from services.llm_proxy.providers.anthropic_answer import MessageDialect
from services.llm_proxy.providers.base import StreamReader
from services.llm_proxy.providers.dashscope_chat import ChatDialect
from services.llm_proxy.providers.dashscope_native import NativeDialect
from services.llm_proxy.providers.frames import MAX_EVENT_BYTES, Frames, last_boundary
from services.llm_proxy.providers.openai_shape import OpenAiDialect

LINE_ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
# Texts with all that has broken somebody's splitting of lines, words that the reader looks for too.
TEXTS = st.text(min_size=1, max_size=30) | st.sampled_from(
    ["\u2028", "\u0085", "\x00", "\ufeff", '"usage"', '"error": {"x": 1}', "[DONE]", "data: [DONE]"]
)
# Words of vendors, so that made-up JSON gets further than their first look.
KNOWN = st.sampled_from(
    [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "tool_use",
        "thinking",
        "error",
        "null",
        "stop",
    ]
)
KINDS = ("openai", "native", "chat", "anthropic")
CUTS = st.lists(st.integers(0, 5000), max_size=20)


def chunk(**delta: str) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": None}
    return json.dumps({"id": "c", "choices": [choice]}, ensure_ascii=False).encode()


FINISH = b'{"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}'
USAGE = b'{"id":"c","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}'


def framed(datas: Sequence[bytes], end: bytes, comments: bool = False) -> bytes:
    comment = b": keep-alive" + end + end if comments else b""
    return b"".join(comment + b"data: " + data + end + end for data in datas)


def split(data: bytes, cuts: Sequence[int]) -> list[bytes]:
    places = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    return [data[a:b] for a, b in pairwise(places)]


def read(reader: StreamReader, pieces: Sequence[bytes]) -> bytes:
    given = b""
    for piece in pieces:
        given += reader.feed(piece)
        if reader.ended or reader.failure:
            return given
    return given + reader.close()


@settings(max_examples=200, deadline=None)
@given(texts=st.lists(TEXTS, min_size=1, max_size=6), end=LINE_ENDS, cuts=CUTS, bom=st.booleans())
def test_a_stream_arrives_as_it_was_sent_however_it_was_split(
    texts: list[str], end: bytes, cuts: list[int], bom: bool
) -> None:
    datas = [chunk(role="assistant"), *(chunk(content=t) for t in texts), FINISH, USAGE, b"[DONE]"]
    sent = framed(datas, end, comments=True)
    reader = OpenAiDialect("p").stream()
    got = read(reader, split((b"\xef\xbb\xbf" if bom else b"") + sent, cuts))
    assert got == sent
    assert reader.failure is None
    assert reader.ended
    outcome = reader.outcome()
    assert outcome.usage is not None
    assert (outcome.usage.input_tokens, outcome.usage.output_tokens) == (3, 4)
    assert outcome.finish_reasons == ["stop"]


@settings(max_examples=200, deadline=None)
@given(texts=st.lists(TEXTS, min_size=1, max_size=6), end=LINE_ENDS, cuts=CUTS)
def test_a_usage_chunk_that_we_asked_for_is_left_out_and_nothing_else(
    texts: list[str], end: bytes, cuts: list[int]
) -> None:
    datas = [chunk(role="assistant"), *(chunk(content=t) for t in texts), FINISH]
    wanted = framed([*datas, b"[DONE]"], end)
    reader = OpenAiDialect("p", strip_usage=True).stream()
    got = read(reader, split(framed([*datas, USAGE, b"[DONE]"], end), cuts))
    assert got == wanted
    assert reader.outcome().usage is not None


@settings(max_examples=150, deadline=None)
@given(texts=st.lists(TEXTS, min_size=1, max_size=4), end=LINE_ENDS, cuts=CUTS)
def test_an_error_ends_the_stream_behind_what_came_before_it(
    texts: list[str], end: bytes, cuts: list[int]
) -> None:
    good = framed([chunk(role="assistant"), *(chunk(content=t) for t in texts)], end)
    bad = framed(
        [b'{"error":{"message":"no","code":"x","type":"TooManyRequests"}}', chunk(content="x")], end
    )
    reader = OpenAiDialect("p").stream()
    assert read(reader, split(good + bad, cuts)) == good
    assert reader.failure is not None
    assert reader.failure.status == 429


@settings(max_examples=150, deadline=None)
@given(texts=st.lists(TEXTS, min_size=1, max_size=4), end=LINE_ENDS, cuts=CUTS, lost=st.integers(1))
def test_a_stream_that_stops_anywhere_is_truncated_and_gives_whole_events_only(
    texts: list[str], end: bytes, cuts: list[int], lost: int
) -> None:
    sent = framed([chunk(role="assistant"), *(chunk(content=t) for t in texts), FINISH], end)
    part = sent[: lost % (len(sent) + 1)]
    reader = OpenAiDialect("p").stream()
    got = read(reader, split(part, cuts))
    assert reader.failure is not None
    assert sent.startswith(got) or got.rstrip(b"\r\n") in sent
    assert last_boundary(got) == len(got)


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=400), cuts=CUTS)
@pytest.mark.parametrize("kind", KINDS)
def test_garbage_never_raises(kind: str, data: bytes, cuts: list[int]) -> None:
    read(reader_of(kind), split(data, cuts))


@settings(max_examples=150, deadline=None)
@given(value=st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5) | KNOWN,
       lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
           ["choices", "delta", "output", "usage", "error", "message", "code", "models", "text",
            "finish_reason", "thoughts", "input_tokens", "prompt_tokens", "content", "type",
            "content_block", "thinking", "stop_reason"]),
           inner, max_size=4), max_leaves=12))  # fmt: skip
@pytest.mark.parametrize("kind", KINDS)
def test_json_of_another_shape_never_raises_anything_but_our_errors(kind: str, value: Any) -> None:
    data = json.dumps(value).encode()
    read(reader_of(kind), [b"data: " + data + b"\n\n"])


def reader_of(kind: str, *, cumulative: bool = False) -> StreamReader:
    if kind == "openai":
        return OpenAiDialect("p", strip_usage=True, extra={"citations": []}).stream()
    if kind == "anthropic":
        return MessageDialect("p", secret="", wants_usage=True).stream()
    if kind == "native":
        return NativeDialect("p").stream()
    return ChatDialect(
        "p", secret="", model="m", request_id="r", cumulative=cumulative, wants_usage=True
    ).stream()


def application_frames(texts: Sequence[str], cumulative: bool) -> bytes:
    frames, said = [], ""
    for number, text in enumerate([*texts, ""]):
        said = said + text if cumulative else text
        finish = "stop" if number == len(texts) else "null"
        body = {"output": {"text": said, "finish_reason": finish}, "usage": {}}
        frames.append(b"id:%d\nevent:result\n:HTTP_STATUS/200\ndata:" % number)
        frames.append(json.dumps(body, ensure_ascii=False).encode() + b"\n\n")
    return b"".join(frames)


@settings(max_examples=150, deadline=None)
@given(texts=st.lists(TEXTS, min_size=1, max_size=6), cuts=CUTS, cumulative=st.booleans())
def test_an_applications_text_is_whole_cumulative_or_not(
    texts: list[str], cuts: list[int], cumulative: bool
) -> None:
    reader = reader_of("chat", cumulative=cumulative)
    got = read(reader, split(application_frames(texts, cumulative), cuts))
    assert reader.failure is None
    chunks = [json.loads(e.data) for e in SseParser().feed(got) if e.data != b"[DONE]"]
    said = [c["choices"][0]["delta"].get("content", "") for c in chunks if c["choices"]]
    assert "".join(said) == "".join(texts)


@settings(max_examples=100, deadline=None)
@given(texts=st.lists(TEXTS, min_size=1, max_size=6), cuts=CUTS)
def test_a_native_stream_arrives_as_it_was_sent(texts: list[str], cuts: list[int]) -> None:
    sent = application_frames(texts, cumulative=True)
    reader = NativeDialect("p").stream()
    assert read(reader, split(sent, cuts)) == sent
    assert reader.failure is None


@settings(max_examples=200, deadline=None)
@given(data=st.text("ab\r\n", max_size=60).map(str.encode), cuts=CUTS)
def test_frames_lose_and_invent_nothing(data: bytes, cuts: list[int]) -> None:
    frames = Frames()
    given = b"".join(frames.cut(piece) for piece in split(data, cuts))
    assert given + frames.rest() == data


def test_an_event_without_end_is_refused_and_not_kept_for_ever() -> None:
    for kind in KINDS:
        reader = reader_of(kind)
        fed = 0
        while reader.failure is None:
            reader.feed(b"data: " + b"x" * 65536)
            fed += 65536
            assert fed < MAX_EVENT_BYTES + 1024**2
        assert reader.failure.status == 502
        assert "too large" in reader.failure.message


@settings(max_examples=100, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 3000), min_size=1, max_size=60),
    ending=st.sampled_from(["\n", "\r"]),
)
def test_the_latest_events_are_kept_and_only_those(sizes: list[int], ending: str) -> None:
    events = [b"data: " + b"x" * size + 2 * ending.encode() for size in sizes]
    frames = Frames()
    for event in events:
        assert frames.cut(event) == event
        tail = frames.tail()
        assert tail.endswith(event)
    assert b"".join(events).endswith(tail)
    assert len(tail) >= min(2048, sum(map(len, events)))
    assert len(tail) <= 4096 + max(map(len, events))


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_the_end_of_a_large_event_is_seen_when_it_comes_byte_by_byte(end: bytes) -> None:
    for size in range(4090, 4100):
        frames = Frames()
        event = b"data: " + b"x" * size + end + end
        assert frames.cut(event[:4096]) == b""
        given = b"".join(frames.cut(event[i : i + 1]) for i in range(4096, len(event)))
        assert given == event


def test_tiny_pieces_of_a_large_event_are_put_together_in_reasonable_time() -> None:
    frames = Frames()
    event = b"data: " + b"x" * 300_000 + b"\n\n"
    given = b"".join(frames.cut(event[i : i + 1]) for i in range(len(event)))
    assert given == event


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("step", [1, 7, 10_000])
def test_ids_and_delays_of_a_stream_are_left_out(end: str, step: int) -> None:
    said = [f'data: {{"id":"x","choices":[{{"delta":{{"content":"id: {n}"}}}}]}}' for n in "ab"]
    said += ["data: [DONE]"]
    plain = "".join(f"event: message{end}{line}{end}{end}" for line in said).encode()
    numbers = [f"id: {n}{end}retry: 30{end}event" for n in range(3)]
    parts = plain.decode().split("event")[1:]
    numbered = "".join(map("".join, zip(numbers, parts, strict=True))).encode()
    reader = OpenAiDialect("p").stream()
    pieces = [numbered[i : i + step] for i in range(0, len(numbered), step)]
    given = b"".join(map(reader.feed, pieces)) + reader.close()
    assert (given, reader.ended, reader.failure) == (plain, True, None)
