"""The outbox as a service uses it: in front of a real server, on a real disk."""

import json
import resource
import socket
import time
from collections.abc import Callable
from pathlib import Path

import anyio
import httpx
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from starlette.responses import JSONResponse, Response

from services.kernel.outbox import DiskOutbox
from services.kernel.outbox.pace import Pace
from services.kernel.settings import CommonSettings
from tests.kernel.outbox_receiver import Event, Receiver, receiving
from tests.support.ports import free_port

pytestmark = pytest.mark.anyio

QUICK = Pace(
    linger_seconds=0.01,
    sync_seconds=0.05,
    first_backoff_seconds=0.01,
    max_backoff_seconds=0.05,
    adopt_seconds=0.1,
    drain_seconds=2.0,
)
NOWHERE = "http://127.0.0.1:9"


def settings(
    folder: Path, *urls: str, instance: int = 0, max_bytes: int = 1024**3
) -> CommonSettings:
    return CommonSettings(
        data_dir=folder,
        instance=instance,
        instances=2,
        analytics_urls=urls or (NOWHERE,),
        outbox_max_bytes=max_bytes,
    )


def record(outbox: DiskOutbox, *numbers: int) -> None:
    for n in numbers:
        outbox.record("chat", {"n": n}, request_id=f"request-{n}", session_id="s1")


async def until(condition: Callable[[], object], what: str, timeout_seconds: float = 10.0) -> None:
    """As tests.support.wait.until, in an event loop that has work to do meanwhile."""
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        assert time.monotonic() < deadline, f"not in time: {what}"
        await anyio.sleep(0.005)


def numbers_of(receiver: Receiver) -> list[int]:
    return sorted(event["attributes"]["n"] for event in receiver.events.values())


def segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("outbox/*/0*.jsonl"))


async def test_a_recorded_event_arrives_with_the_service_token(tmp_path: Path) -> None:
    receiver = Receiver()
    with receiving(receiver) as url:
        async with DiskOutbox("kb", settings(tmp_path, url)) as outbox:
            record(outbox, 7)
            await until(lambda: receiver.events, "the event arrives", 2.0)
            assert outbox.check().ok
    (event,) = receiver.events.values()
    assert (event["service"], event["request_id"]) == ("kb", "request-7")
    assert receiver.tokens == [f"Bearer {(tmp_path / 'service-token').read_text().strip()}"]
    assert segments(tmp_path) == []


async def test_batches_hold_five_hundred_events_at_most(tmp_path: Path) -> None:
    receiver = Receiver()
    with receiving(receiver) as url:
        async with DiskOutbox("kb", settings(tmp_path, url), pace=QUICK) as outbox:
            record(outbox, *range(1_200))
            await until(lambda: len(receiver.events) == 1_200, "all arrive")
    assert max(receiver.batches) <= 500


async def test_nothing_is_lost_or_sent_twice_while_analytics_is_away(tmp_path: Path) -> None:
    receiver, port = Receiver(), free_port()
    away = httpx.URL(f"http://127.0.0.1:{port}")
    async with DiskOutbox("kb", settings(tmp_path, str(away)), pace=QUICK) as outbox:
        record(outbox, *range(5_000))
        await until(lambda: not outbox.check().ok, "the outage is seen")
        assert "cannot be reached" in outbox.check().detail
    with receiving(receiver) as url:
        async with DiskOutbox("kb", settings(tmp_path, url), pace=QUICK) as outbox:
            record(outbox, *range(5_000, 6_000))
            await until(lambda: len(receiver.events) == 6_000, "all arrive")
            await until(lambda: outbox.check().ok, "the outage is over")
    assert numbers_of(receiver) == list(range(6_000))
    assert sum(receiver.batches) == 6_000
    assert segments(tmp_path) == []


async def test_a_full_outbox_drops_new_events_counts_them_and_says_so(tmp_path: Path) -> None:
    receiver, registry = Receiver(), CollectorRegistry()
    refuse: list[bool] = [True]
    receiver.refuse = lambda _batch: Response(status_code=503) if refuse else None
    size = 1024**2
    with receiving(receiver) as url:
        configured = settings(tmp_path, url, max_bytes=size)
        async with DiskOutbox("kb", configured, registry=registry, pace=QUICK) as outbox:
            for n in range(200):
                outbox.record("chat", {"n": n, "filler": "x" * 10_000}, request_id="r")
                if n % 20 == 0:
                    await outbox.flush()
            check = outbox.check()
            assert not check.ok
            assert not check.critical
            assert "full: new events are dropped" in check.detail
            assert sum(path.stat().st_size for path in segments(tmp_path)) <= size
            numbers = outbox.numbers()
            assert numbers is not None
            kept = 200 - numbers.dropped["full"]
            assert 0 < kept < 200
            assert b'trivet_outbox_dropped_total{reason="full"}' in generate_latest(registry)
            refuse.clear()
            await until(lambda: len(receiver.events) == kept, "what was kept arrives")
            record(outbox, 1_000)
            await until(lambda: outbox.check().ok, "there is room again")
    assert numbers_of(receiver) == [*range(kept), 1_000]


async def test_a_disk_that_refuses_costs_no_event_once_it_takes_again(tmp_path: Path) -> None:
    receiver = Receiver()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with receiving(receiver) as url:
        async with DiskOutbox("kb", settings(tmp_path, url), pace=QUICK) as outbox:
            resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, hard))
            try:
                outbox.record("chat", {"n": 1, "filler": "x" * 5_000}, request_id="r")
                await until(lambda: not outbox.check().ok, "the fault is seen")
                assert "cannot be written to disk" in outbox.check().detail
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            record(outbox, 2)
            await until(lambda: len(receiver.events) == 2, "both arrive")
            assert outbox.check().ok
    assert numbers_of(receiver) == [1, 2]


async def test_rejected_events_are_kept_aside_and_shown(tmp_path: Path) -> None:
    receiver = Receiver(unfit=lambda event: event["attributes"]["n"] == 3)
    registry = CollectorRegistry()
    with receiving(receiver) as url:
        async with DiskOutbox(
            "kb", settings(tmp_path, url), registry=registry, pace=QUICK
        ) as outbox:
            record(outbox, *range(5))
            await until(
                lambda: b"rejected_total 1.0" in generate_latest(registry), "one is rejected"
            )
            assert outbox.check().ok
            assert "1 rejected events are kept aside" in outbox.check().detail
    assert numbers_of(receiver) == [0, 1, 2, 4]
    kept = json.loads((tmp_path / "outbox/kb-0/rejected.jsonl").read_text())
    assert (kept["reason"], kept["event"]["attributes"]["n"]) == ("unfit", 3)


def _poisoned(batch: list[Event]) -> Response | None:
    bad = any(event["attributes"]["n"] == 3 for event in batch)
    return JSONResponse({}, 400) if bad else None


async def test_an_event_that_spoils_its_batch_is_found_and_kept_aside(tmp_path: Path) -> None:
    receiver = Receiver(refuse=_poisoned)
    with receiving(receiver) as url:
        async with DiskOutbox("kb", settings(tmp_path, url), pace=QUICK) as outbox:
            record(outbox, *range(8))
            await until(lambda: len(receiver.events) == 7, "the others arrive")
    kept = json.loads((tmp_path / "outbox/kb-0/rejected.jsonl").read_text())
    assert (kept["reason"], kept["event"]["attributes"]["n"]) == ("refused with status 400", 3)
    assert segments(tmp_path) == []


async def test_a_batch_that_is_too_large_is_sent_in_parts(tmp_path: Path) -> None:
    receiver = Receiver(refuse=lambda b: Response(status_code=413) if len(b) > 10 else None)
    with receiving(receiver) as url:
        async with DiskOutbox("kb", settings(tmp_path, url), pace=QUICK) as outbox:
            record(outbox, *range(100))
            await until(lambda: len(receiver.events) == 100, "all arrive")
    assert not (tmp_path / "outbox/kb-0/rejected.jsonl").exists()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422, 429, 500, 503])
async def test_no_status_makes_it_lose_a_whole_batch(tmp_path: Path, status: int) -> None:
    refuse: list[int] = [status]
    receiver = Receiver(refuse=lambda _b: Response(status_code=refuse[0]) if refuse else None)
    with receiving(receiver) as url:
        async with DiskOutbox("kb", settings(tmp_path, url), pace=QUICK) as outbox:
            record(outbox, *range(4))
            await until(lambda: not outbox.check().ok, "the refusal is seen")
            assert str(status) in outbox.check().detail
            refuse.clear()
            await until(lambda: len(receiver.events) == 4, "all arrive in the end")
    assert not (tmp_path / "outbox/kb-0/rejected.jsonl").exists()


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"accepted":0,"duplicates":0,"rejected":[]}'])
async def test_an_answer_that_is_not_analytics_own_counts_as_none(
    tmp_path: Path, body: bytes
) -> None:
    wrong: list[bytes] = [body]
    receiver = Receiver(refuse=lambda _batch: Response(wrong[0]) if wrong else None)
    with receiving(receiver) as url:
        async with DiskOutbox("kb", settings(tmp_path, url), pace=QUICK) as outbox:
            record(outbox, 1)
            await until(lambda: not outbox.check().ok, "the wrong answer is seen")
            wrong.clear()
            await until(lambda: receiver.events, "it arrives in the end")


async def test_a_token_that_was_changed_is_read_again(tmp_path: Path) -> None:
    def stale(_batch: list[Event]) -> Response | None:
        return Response(status_code=401) if receiver.tokens[-1] != "Bearer new" else None

    receiver = Receiver(refuse=stale)
    with receiving(receiver) as url:
        async with DiskOutbox("kb", settings(tmp_path, url), pace=QUICK) as outbox:
            record(outbox, 1)
            await until(lambda: receiver.tokens, "the old token is refused")
            (tmp_path / "service-token").write_text("new")
            await until(lambda: receiver.events, "the new token is used")


async def test_an_instance_that_is_down_is_passed_over(tmp_path: Path) -> None:
    receiver = Receiver()
    with receiving(receiver) as url:
        dead = f"http://127.0.0.1:{free_port()}"
        async with DiskOutbox("kb", settings(tmp_path, dead, url), pace=QUICK) as outbox:
            record(outbox, 1)
            await until(lambda: receiver.events, "the other instance takes it")
            assert outbox.check().ok


async def test_stopping_delivers_what_is_in_memory(tmp_path: Path) -> None:
    receiver = Receiver()
    with receiving(receiver) as url:
        async with DiskOutbox("kb", settings(tmp_path, url)) as outbox:
            record(outbox, *range(50))
    assert numbers_of(receiver) == list(range(50))


async def test_stopping_while_analytics_hangs_is_bounded_and_leaves_events_on_disk(
    tmp_path: Path,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        pace = Pace(drain_seconds=0.2, linger_seconds=0.0, request_timeout_seconds=600)
        with anyio.fail_after(30):
            async with DiskOutbox("kb", settings(tmp_path, url), pace=pace) as outbox:
                record(outbox, 1)
    assert len(segments(tmp_path)) == 1


async def test_an_event_after_the_end_is_ignored(tmp_path: Path) -> None:
    async with DiskOutbox("kb", settings(tmp_path), pace=QUICK) as outbox:
        pass
    record(outbox, 1)
    assert segments(tmp_path) == []


async def test_an_event_of_more_than_64_kib_is_dropped_and_counted(tmp_path: Path) -> None:
    async with DiskOutbox("kb", settings(tmp_path), pace=QUICK) as outbox:
        outbox.record("chat", {"a": "x" * 70_000}, request_id="r")
        numbers = outbox.numbers()
        assert numbers is not None
        assert numbers.dropped == {"unfit": 1}
        assert "1 events were dropped" in outbox.check().detail


async def test_instance_0_adopts_what_a_gone_instance_left(tmp_path: Path) -> None:
    async with DiskOutbox("kb", settings(tmp_path, instance=5), pace=QUICK) as gone:
        record(gone, *range(10))
    receiver = Receiver()
    with receiving(receiver) as url:
        async with DiskOutbox("kb", settings(tmp_path, url), pace=QUICK):
            await until(lambda: len(receiver.events) == 10, "they are delivered")
            await until(lambda: not (tmp_path / "outbox/kb-5").exists(), "the folder goes")


async def test_a_running_instance_keeps_its_own_events(tmp_path: Path) -> None:
    receiver = Receiver()
    with receiving(receiver) as url:
        async with DiskOutbox("kb", settings(tmp_path, instance=1), pace=QUICK) as other:
            record(other, 1)
            await other.flush()
            async with DiskOutbox("kb", settings(tmp_path, url), pace=QUICK) as outbox:
                record(outbox, 2)
                await until(lambda: receiver.events, "its own event arrives")
            assert numbers_of(receiver) == [2]
