"""Records as they arrive, whichever instance they arrive at."""

import json
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from services.analytics import live
from services.analytics.live import Watcher
from services.analytics.settings import Settings
from services.kernel.sse import SseParser
from tests.analytics.conftest import Service, serve
from tests.analytics.making import chat, search

pytestmark = pytest.mark.process


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Service, Service]]:
    monkeypatch.setattr(live, "_POLL_SECONDS", 0.02)
    settings = Settings(data_dir=tmp_path)
    for first in serve(settings):
        for second in serve(settings):
            yield first, second


def records(chunks: Iterator[bytes], count: int) -> list[dict[str, object]]:
    """So many records of a stream."""
    parser = SseParser()
    found: list[dict[str, object]] = []
    for chunk in chunks:
        found += [json.loads(e.data) for e in parser.feed(chunk) if e.event == "record"]
        if len(found) >= count:
            break
    return found


def test_a_watcher_sees_what_arrives_at_another_instance(two: tuple[Service, Service]) -> None:
    here, there = two
    there.send(chat("before"))
    with here.administrator.stream("GET", "/api/analytics/live") as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-cache"
        chunks = response.iter_bytes()
        next(chunks)  # the feed has begun to look
        sent = [chat("first"), search("second")]
        there.send(*sent)
        found = records(chunks, 2)
    assert [record["id"] for record in found] == [event["id"] for event in sent]
    assert found[0] in there.queries()


def test_a_watcher_may_ask_for_one_kind(two: tuple[Service, Service]) -> None:
    here, _ = two
    with here.administrator.stream("GET", "/api/analytics/live?kind=search") as response:
        chunks = response.iter_bytes()
        next(chunks)
        here.send(chat("no"), search("yes"))
        found = records(chunks, 1)
    assert [record["text"] for record in found] == ["yes"]


def test_a_visitor_may_not_watch(two: tuple[Service, Service]) -> None:
    assert two[0].visitor.get("/api/analytics/live").status_code == 401


def test_watchers_are_bounded(
    two: tuple[Service, Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_MAX_WATCHERS", 1)
    here, _ = two
    with here.administrator.stream("GET", "/api/analytics/live") as response:
        chunks = response.iter_bytes()
        next(chunks)
        refused = here.administrator.get("/api/analytics/live")
        assert refused.status_code == 503
        assert "retry-after" in refused.headers


@pytest.mark.anyio
async def test_a_slow_watcher_is_told_how_many_it_missed() -> None:
    watcher = Watcher()
    watcher.put([(1, {"n": n}) for n in range(600)], missed=7)
    with anyio.fail_after(5):
        taken, missed = await watcher.take(1)
    assert [record["n"] for _, record in taken] == list(range(100, 600))
    assert missed == 107
