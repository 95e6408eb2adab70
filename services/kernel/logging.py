"""JSON log lines on standard output, written by a thread so that a slow reader blocks no one.

A line holds time, level, service, logger, message, request id and the record's `fields`. Of an
exception it holds the type and the places in the code, never its text: texts may hold keys.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
import traceback
from collections import deque
from datetime import UTC, datetime
from typing import Any, TextIO

import orjson

from services.kernel.context import REQUEST_ID

_MAX_WAITING_RECORDS = 10_000
_GATHER_SECONDS = 0.25
_LONGEST_WAIT_SECONDS = 5.0  # of two threads' first lines at one moment neither may have woken it


class AccessRecord(logging.LogRecord):
    """One request's record. A plain LogRecord finds out thread, process and place of the call,
    which no line tells and which take longer than all else about a line."""

    def __init__(self, logger: str, fields: dict[str, object]) -> None:
        self.name, self.msg, self.args = logger, "request", ()
        self.levelno, self.levelname = logging.INFO, "INFO"
        self.created = time.time()
        self.exc_info = self.exc_text = self.stack_info = None
        self.pathname = self.filename = self.module = self.funcName = ""
        self.lineno = 0
        self.fields = fields


class JsonFormatter(logging.Formatter):
    """One record → one line of JSON."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": getattr(record, "request_id", ""),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = _places(record.exc_info[1])
        return orjson.dumps(line, default=str).decode("utf-8", "replace")


def _places(error: BaseException) -> list[str]:
    """The exception's type and its frames, innermost last; its causes before it."""
    cause = error.__cause__ or error.__context__
    lines = _places(cause) if cause is not None else []
    for frame in traceback.extract_tb(error.__traceback__)[-12:]:
        short = "/".join(frame.filename.split("/")[-3:])
        lines.append(f"{short}:{frame.lineno} {frame.name}")
    return [*lines, f"{type(error).__module__}.{type(error).__qualname__}"]


class BufferedHandler(logging.Handler):
    """Keeps records until its thread writes them. When the buffer is full records are dropped
    and counted; the count is written with the next line."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._waiting: deque[logging.LogRecord] = deque()
        self._dropped = 0
        self._begun = threading.Event()  # lines wait where none did
        self._stopping = threading.Event()
        self._write_lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        if len(self._waiting) >= _MAX_WAITING_RECORDS:
            self._dropped += 1
            return
        record.request_id = REQUEST_ID.get()
        self._waiting.append(record)
        if len(self._waiting) == 1:
            self._begun.set()

    def createLock(self) -> None:  # noqa: N802  # logging's name; deque's append needs no lock
        self.lock = None

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._begun.wait(_LONGEST_WAIT_SECONDS)
            self._begun.clear()
            self._stopping.wait(_GATHER_SECONDS)
            self.flush()

    def flush(self) -> None:
        with self._write_lock:
            lines = [self.format(self._waiting.popleft()) for _ in range(len(self._waiting))]
            dropped, self._dropped = self._dropped, 0
            if dropped:
                notice = {"level": "warning", "message": "log lines dropped", "count": dropped}
                lines.append(orjson.dumps(notice).decode())
            if lines:
                self._stream.write("\n".join(lines) + "\n")
                self._stream.flush()

    def close(self) -> None:
        self._stopping.set()
        self._begun.set()
        self.flush()
        super().close()


def configure(service: str, level: str, stream: TextIO | None = None) -> BufferedHandler:
    """Sends all logging of the process through one JSON handler; `close` it at the end."""
    handler = BufferedHandler(stream or sys.stdout)
    handler.setFormatter(JsonFormatter(service))
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for noisy in ("httpx", "httpcore", "asyncio", "alembic", "chromadb", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    return handler
