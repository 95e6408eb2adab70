"""The parser reads any split of any bytes as the standard says."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.sse import SseError, SseEvent, SseParser, encode_comment, encode_event


def parse(*chunks: bytes) -> list[SseEvent]:
    parser = SseParser()
    return [event for chunk in chunks for event in parser.feed(chunk)]


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    return [data[a:b] for a, b in itertools.pairwise(places)]


STREAM = (
    b"\xef\xbb\xbfid:1\r\nevent:result\r\n:HTTP_STATUS/200\r\ndata:{\"a\":\"\xe4\xbd\xa0\"}\r\n\r\n"
    b"data: one\rdata: two\r\r: keep-alive\n\ndata: line\xe2\x80\xa8separator\n\ndata: [DONE]\n\n"
)  # fmt: skip


@given(st.lists(st.integers(0, 10_000), max_size=12))
def test_any_split_gives_the_same_events(cuts: list[int]) -> None:
    assert parse(*split(STREAM, cuts)) == parse(STREAM)


def test_one_byte_at_a_time_gives_the_same_events() -> None:
    assert parse(*(STREAM[i : i + 1] for i in range(len(STREAM)))) == parse(STREAM)


def test_the_fields_are_read() -> None:
    first, second, third, done = parse(STREAM)
    assert (first.id, first.event, first.comments) == ("1", "result", ("HTTP_STATUS/200",))
    assert first.text == '{"a":"你"}'
    assert second.data == b"one\ntwo"
    assert third.text == "line\u2028separator"
    assert done.data == b"[DONE]"


@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=6))
def test_arbitrary_bytes_never_break_it_and_splits_do_not_matter(
    data: bytes, cuts: list[int]
) -> None:
    assert parse(*split(data, cuts)) == parse(data)


def reference(stream: bytes) -> list[bytes]:
    """The standard's algorithm on the whole stream, written the slow way."""
    lines = re.split(rb"\r\n|\n|\r", stream.removeprefix(b"\xef\xbb\xbf"))[:-1]
    events: list[bytes] = []
    data: list[bytes] = []
    for line in lines:
        if line == b"":
            events += [b"\n".join(data)] if data else []
            data = []
        elif line == b"data" or line.startswith(b"data:"):
            data.append(line[5:].removeprefix(b" "))
    return events


WORDS = st.sampled_from(
    [b"data", b":", b" ", b"\r", b"\n", b"\r\n", b"x", b"event", b"\0", b"\xef"]
)


@given(st.lists(WORDS, max_size=40), st.lists(st.integers(0, 200), max_size=6))
def test_it_agrees_with_the_standard(words: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(words)
    assert [event.data for event in parse(*split(stream, cuts))] == reference(stream)


@given(st.binary(max_size=200))
def test_what_is_encoded_is_read_back(data: bytes) -> None:
    (event,) = parse(encode_event(data, event="token", id="7"))
    assert event.data == data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    assert (event.event, event.id) == ("token", "7")


def test_an_unfinished_event_is_not_dispatched_but_told() -> None:
    parser = SseParser()
    assert parser.feed(b"data: half\n") == []
    assert parser.close() is True
    assert parser.close() is False


def test_a_comment_is_no_event_and_an_id_with_nul_is_ignored() -> None:
    assert parse(encode_comment("waiting")) == []
    assert parse(b"id: a\0b\ndata: x\n\n")[0].id is None


@pytest.mark.parametrize("piece", [b"x" * 1000, b"data: " + b"x" * 500 + b"\n"])
def test_an_endless_line_or_event_is_refused(piece: bytes) -> None:
    parser = SseParser(max_event_bytes=10_000)
    with pytest.raises(SseError):
        for _ in range(50):
            parser.feed(piece)


def test_the_limit_counts_one_event_not_the_stream() -> None:
    parser = SseParser(max_event_bytes=1000)
    events = [event for _ in range(100) for event in parser.feed(b"data: " + b"x" * 500 + b"\n\n")]
    assert len(events) == 100
