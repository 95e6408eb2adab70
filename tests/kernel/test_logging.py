"""Log lines are JSON and hold no exception's text."""

import io
import logging

import orjson

from services.kernel.context import REQUEST_ID
from services.kernel.logging import BufferedHandler, JsonFormatter

CANARY = "canary-not-a-key"


def lines_of(*records: logging.LogRecord) -> list[dict[str, object]]:
    stream = io.StringIO()
    handler = BufferedHandler(stream)
    handler.setFormatter(JsonFormatter("sample"))
    for record in records:
        handler.handle(record)
    handler.close()
    return [orjson.loads(line) for line in stream.getvalue().strip("\n").split("\n")]


def record(message: str, exc: BaseException | None = None) -> logging.LogRecord:
    info = (type(exc), exc, exc.__traceback__) if exc else None
    return logging.LogRecord("a.b", logging.ERROR, __file__, 1, message, (), info)


def test_a_line_holds_the_request_id_and_the_fields() -> None:
    token = REQUEST_ID.set("request-1")
    try:
        entry = record("done")
        entry.fields = {"status": 200}
        (line,) = lines_of(entry)
    finally:
        REQUEST_ID.reset(token)
    assert line["request_id"] == "request-1"
    assert (line["service"], line["level"], line["status"]) == ("sample", "error", 200)


def test_an_exception_is_told_by_type_and_place_without_its_text() -> None:
    try:
        try:
            raise ValueError(CANARY)
        except ValueError as inner:
            raise RuntimeError(CANARY) from inner
    except RuntimeError as exc:
        (line,) = lines_of(record("failed", exc))
    assert CANARY not in str(line)
    places = line["exception"]
    assert isinstance(places, list)
    assert places[-1] == "builtins.RuntimeError"
    assert "builtins.ValueError" in places
    assert any("test_logging.py" in place for place in places)


def test_a_message_of_many_lines_stays_one_line() -> None:
    (line,) = lines_of(record("one\ntwo\u2028three"))
    assert line["message"] == "one\ntwo\u2028three"


def test_when_the_reader_is_slow_lines_are_dropped_and_counted() -> None:
    handler = BufferedHandler(io.StringIO())
    handler._stopping.set()  # the writer thread rests: nothing is taken out
    handler._thread.join()
    for _ in range(10_050):
        handler.handle(record("x"))
    stream = io.StringIO()
    handler._stream = stream
    handler.setFormatter(JsonFormatter("sample"))
    handler.close()
    written = stream.getvalue().splitlines()
    assert len(written) == 10_001
    assert orjson.loads(written[-1])["count"] == 50
