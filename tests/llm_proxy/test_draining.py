"""The gateway is told to stop: streams end, records are kept; a reload of all loses nothing."""

import signal
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest

from tests.deploy.site import site
from tests.llm_proxy.conftest import chat_body, events_of
from tests.llm_proxy.gateway_process import running_processes
from tests.mock_vendor import Vendor
from tests.support.wait import until

pytestmark = pytest.mark.process


def chat(base_url: str, model: str, **more: Any) -> httpx.Response:
    with httpx.Client(timeout=30, trust_env=False) as client:
        return client.post(f"{base_url}/v1/chat/completions", json=chat_body(model, **more))


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_gateway_that_is_told_to_stop_ends_its_streams_and_keeps_its_records(
    vendor: Vendor, tmp_path: Path, sign: signal.Signals
) -> None:
    with (
        running_processes(tmp_path, vendor) as ([gateway], neighbours),
        ThreadPoolExecutor(4) as threads,
    ):
        slow = "openai/words:count=30:delay_ms=50"
        streams = [threads.submit(chat, gateway.url, slow, stream=True) for _ in range(3)]
        whole = threads.submit(chat, gateway.url, "openai/words:first_ms=1000")
        until(lambda: vendor.open_streams == 4, 10, "all are running")
        gateway.send_signal(sign)
        until(lambda: gateway.readiness() != 200, 5, "it is not ready any more")
        assert vendor.open_streams > 0  # though it still works
        for stream in streams:
            events = events_of(stream.result(30))
            assert events[-1] == ("message", "[DONE]")
            assert sum('"w' in str(data).replace("'", '"') for _, data in events) == 30
        assert whole.result(30).status_code == 200
        assert gateway.ended() == 0
        assert gateway.said[0].count(b'"path":"/v1/chat/completions"') == 4
        ends = [event["attributes"]["trivet.end_reason"] for event in neighbours.events]
        assert ends == ["complete"] * 4


@contextmanager
def load(base_url: str) -> Iterator[list[str]]:
    """Streams and calls one after the other until the block ends; what failed, in words."""
    over, failures = Event(), list[str]()

    def work(model: str, stream: bool) -> int:
        done = 0
        while not over.is_set():
            try:
                response = chat(base_url, model, stream=stream)
            except httpx.HTTPError as error:
                failures.append(repr(error))
                continue
            done += 1
            whole = not stream or response.content.endswith(b"data: [DONE]\n\n")
            if response.status_code != 200 or not whole:
                failures.append(f"{response.status_code} {response.text[-200:]}")
        return done

    with ThreadPoolExecutor(8) as threads:
        works: list[Future[int]] = []
        for _ in range(4):
            works.append(threads.submit(work, "openai/words:count=10:delay_ms=40", True))
            works.append(threads.submit(work, "openai/words:first_ms=60", False))
        try:
            yield failures
        finally:
            over.set()
        assert all(running.result(30) > 3 for running in works)


def test_one_instance_after_the_other_is_started_anew_and_no_call_or_stream_is_lost(
    vendor: Vendor, tmp_path: Path
) -> None:
    with running_processes(tmp_path, vendor, 2) as (instances, _neighbours):
        urls = ",".join(instance.url for instance in instances)
        with (
            site(tmp_path / "nginx", {"TRIVET_LLM_PROXY_URLS": urls}) as front,
            load(f"{front.origin}{front.prefix.rstrip('/')}") as failures,
        ):
            for instance in instances:
                until(lambda: vendor.open_streams > 4, 10, "the load is on")
                instance.send_signal(signal.SIGINT)
                assert instance.ended() == 0
                instance.start()
        assert failures == []
