"""What a running analytics is asked: events in over several connections, reads, files out."""

import http.client
import itertools
import random
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import orjson

from bench.analytics_data import Maker
from services.analytics.intake import Record
from services.analytics.models import Kind

TIMEOUT_SECONDS = 120.0
EVENTS_PER_CALL = 100
CONNECTIONS = 4


@dataclass(frozen=True)
class Target:
    """A running analytics, and what opens it."""

    port: int
    pid: int
    admin_token: str
    service_token: str

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_SECONDS)


def get(
    target: Target, connection: http.client.HTTPConnection, path: str, params: Mapping[str, object]
) -> tuple[float, Any]:
    """(seconds that the answer took, the answer)."""
    began = time.perf_counter()
    connection.request(
        "GET",
        f"/api/analytics/{path}?{urlencode(params)}",
        headers={"Authorization": f"Bearer {target.admin_token}"},
    )
    answer = connection.getresponse()
    content = answer.read()
    took = time.perf_counter() - began
    assert answer.status == 200, content[:300]
    return took, orjson.loads(content)


def on_the_wire(record: Record) -> dict[str, object]:
    """An event as the other services send it."""
    kind = Kind(record.kind).name
    _, service, provider, model, status, error, reason = record.facet
    attributes: dict[str, object] = {
        "gen_ai.provider.name": provider,
        "gen_ai.request.model": model,
        "http.response.status_code": status,
        "error.type": error,
        "trivet.end_reason": reason,
        "trivet.duration_seconds": None if not record.duration_us else record.duration_us / 1e6,
    }
    if kind == "chat":
        attributes |= {
            "gen_ai.request.stream": record.trait[3],
            "gen_ai.usage.input_tokens": record.input_tokens,
            "gen_ai.usage.output_tokens": record.output_tokens,
            "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.response.time_to_first_chunk": (record.first_token_us or 1_000) / 1e6,
            "trivet.cost_usd": (record.cost_nano_usd or 0) / 1e9,
            "trivet.usage_source": "exact",
            "trivet.assistant": record.trait[1],
            "trivet.question": record.text,
        }
    elif kind == "search":
        attributes |= {
            "trivet.query": record.text,
            "trivet.collection": "site",
            "trivet.mode": "hybrid",
            "trivet.cause": record.trait[7],
            "trivet.top_k": 4,
            "trivet.total_found": record.total_found,
            "trivet.top_score": record.top_score,
        }
    else:
        attributes |= {"trivet.rating": "up", "trivet.rated_request_id": "ab" * 16}
    assert isinstance(record.request_id, bytes)
    assert isinstance(record.visitor_id, bytes)
    return {
        "id": str(UUID(bytes=record.id)),
        "kind": kind,
        "time": datetime.fromtimestamp(record.time_us / 1e6, UTC).isoformat(),
        "service": service,
        "request_id": record.request_id.hex(),
        "session_id": record.session,
        "visitor_id": record.visitor_id.hex(),
        "attributes": {name: value for name, value in attributes.items() if value is not None},
    }


def bodies(calls: int) -> list[bytes]:
    """Calls that a site would make within a quarter of an hour, no event of them twice."""
    maker = Maker(text=True, seed=time.time_ns())
    start = time.time_ns() // 1000 - 900_000_000
    step = 900_000_000 // (calls * EVENTS_PER_CALL)
    times = itertools.count(start, step)
    return [
        orjson.dumps(
            {"events": [on_the_wire(maker.record(next(times))) for _ in range(EVENTS_PER_CALL)]}
        )
        for _ in range(calls)
    ]


@dataclass
class Sender:
    """Sends bodies over some connections, as fast as they are taken."""

    target: Target
    waiting: Iterator[bytes]
    accepted: int = 0
    refused: int = 0
    stop: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self) -> None:
        threads = [threading.Thread(target=self._send) for _ in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _send(self) -> None:
        connection = self.target.connect()
        headers = {"Authorization": f"Bearer {self.target.service_token}"}
        while not self.stop.is_set():
            with self._lock:
                body = next(self.waiting, None)
            if body is None:
                break
            connection.request("POST", "/api/analytics/events", body, headers)
            answer = connection.getresponse()
            content = answer.read()
            with self._lock:
                if answer.status == 200:
                    self.accepted += orjson.loads(content)["accepted"]
                else:
                    self.refused += 1
        connection.close()


@contextmanager
def intake(target: Target, waiting: Sequence[bytes]) -> Iterator[Sender]:
    """Events go in while the block runs, or until there are no more."""
    sender = Sender(target, iter(waiting))
    thread = threading.Thread(target=sender.run)
    thread.start()
    try:
        yield sender
    finally:
        sender.stop.set()
        thread.join()


class RemoteSender:
    """Senders in a process of their own."""

    def __init__(self, target: Target, calls: int) -> None:
        self.events_per_second = 0.0
        context = get_context("spawn")
        self._here, there = context.Pipe()
        self._process = context.Process(target=_send_all, args=(target, calls, there))

    def begin(self) -> None:
        """Returns when events begin to go in."""
        self._process.start()
        self._here.recv()

    def goes_on(self) -> bool:
        return not self._here.poll()

    def end(self) -> None:
        self.events_per_second = self._here.recv()
        self._process.join()


def _send_all(target: Target, calls: int, pipe: Connection) -> None:
    waiting = bodies(calls)
    pipe.send("ready")
    sender = Sender(target, iter(waiting))
    began = time.perf_counter()
    sender.run()
    pipe.send(sender.accepted / (time.perf_counter() - began))


@contextmanager
def sending(target: Target, calls: int) -> Iterator[RemoteSender]:
    """So many calls go in from another process; waits at the end until they have."""
    sender = RemoteSender(target, calls)
    sender.begin()
    try:
        yield sender
    finally:
        sender.end()


FILTERS: Sequence[Mapping[str, object]] = (
    {},
    {"service": "kb"},
    {"provider": "doubao"},
    {"model": "deepseek-mini"},
    {"status": 429},
    {"status": "error"},
    {"status": "ok"},
    {"kind": "feedback"},
    {"provider": "local", "model": "local-mini", "status": "error"},
    {"text": "备份"},
    {"text": "备份数据"},
    {"text": "备"},
    {"text": "reload"},
    {"text": "备份", "model": "deepseek-mini"},
    {"text": "reload", "service": "llm_proxy", "status": "error"},
    {"session": "*"},
    {"session": "*", "text": "备份"},
    {"date": "*"},
    {"date": "*", "text": "备份", "status": 502},
    {"date": "*", "provider": "dashscope", "status": "error"},
)


class Places:
    """Places anywhere in the records: cursors, days and conversations of random records."""

    def __init__(self, target: Target, connection: http.client.HTTPConnection) -> None:
        newest = get(target, connection, "queries", {"limit": 1})[1]["items"][0]["time"]
        self._newest_us = int(datetime.fromisoformat(newest).timestamp() * 1e6)
        self._random = random.Random(7)
        self._target, self._connection = target, connection

    def filled(self, wanted: Mapping[str, object], days: int) -> dict[str, object]:
        """`wanted` with a place in the last `days` days."""
        time_us = self._newest_us - self._random.randrange(days * 86_400_000_000)
        params = {name: value for name, value in wanted.items() if value != "*"}
        params |= {"limit": 100, "cursor": time_us << 10}
        if "session" in wanted:
            near = {"limit": 1, "cursor": time_us << 10}
            found = get(self._target, self._connection, "queries", near)[1]["items"]
            params["session"] = found[0]["session_id"] if found else "none"
            del params["cursor"]
        if "date" in wanted:
            day = datetime.fromtimestamp(time_us / 1e6, UTC).date().isoformat()
            params |= {"date_from": day, "date_to": day}
            del params["cursor"]
        return params


def export(target: Target, form: str, peak: list[int]) -> tuple[int, float]:
    """(rows, seconds) of a whole export; `peak` gets the greatest memory of the process."""
    connection = target.connect()
    headers = {"Authorization": f"Bearer {target.admin_token}"}
    began = time.perf_counter()
    connection.request("GET", f"/api/analytics/export?format={form}", headers=headers)
    answer = connection.getresponse()
    assert answer.status == 200
    lines = 0
    while chunk := answer.read(1 << 20):
        lines += chunk.count(b"\n")
        peak.append(resident_bytes(target.pid))
    return lines, time.perf_counter() - began


def resident_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0
