"""The gateway as a process that is told to stop: streams end, records are kept, then it goes."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.llm_proxy.conftest import Neighbours, assistants_file, chat_body, events_of, models_file
from tests.mock_vendor import Vendor
from tests.support.ports import free_port
from tests.support.server import running
from tests.support.wait import until

pytestmark = pytest.mark.process
ROOT = Path(__file__).parents[2]


@dataclass
class Service:
    """A gateway in a process of its own."""

    url: str
    process: subprocess.Popen[bytes]
    neighbours: Neighbours

    def chat(self, model: str, **more: Any) -> httpx.Response:
        with httpx.Client(timeout=30, trust_env=False) as client:
            return client.post(f"{self.url}/v1/chat/completions", json=chat_body(model, **more))

    def ready(self) -> int:
        """The status of `/readyz`; 0 where nobody listens any more."""
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5, trust_env=False).status_code
        except httpx.TransportError:
            return 0


@contextmanager
def running_service(folder: Path, vendor: Vendor) -> Iterator[Service]:
    neighbours, port = Neighbours(), free_port()
    (folder / "models.yaml").write_text(yaml.safe_dump(models_file(vendor), sort_keys=False))
    (folder / "assistants.yaml").write_text(assistants_file())
    with running(neighbours.app()) as neighbours_url:
        environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "LLM_PROXY_PORT": str(port),
            "TRIVET_DATA_DIR": str(folder / "data"),
            "TRIVET_KB_URLS": neighbours_url,
            "TRIVET_ANALYTICS_URLS": neighbours_url,
            "LLM_PROXY_MODELS_FILE": str(folder / "models.yaml"),
            "LLM_PROXY_ASSISTANTS_FILE": str(folder / "assistants.yaml"),
        }
        argv = [sys.executable, "-m", "services.llm_proxy"]
        process = subprocess.Popen(argv, cwd=folder, env=environ, stdout=subprocess.PIPE)
        service = Service(f"http://127.0.0.1:{port}", process, neighbours)
        try:
            until(lambda: service.ready() == 200, 30, "the service is up")
            yield service
        finally:
            process.kill()
            process.communicate()


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_service_that_is_told_to_stop_ends_its_streams_and_keeps_its_records(
    vendor: Vendor, tmp_path: Path, sign: signal.Signals
) -> None:
    with running_service(tmp_path, vendor) as service, ThreadPoolExecutor(4) as threads:
        slow = "openai/words:count=30:delay_ms=50"
        streams = [threads.submit(service.chat, slow, stream=True) for _ in range(3)]
        whole = threads.submit(service.chat, "openai/words:first_ms=1000")
        until(lambda: vendor.open_streams == 4, 10, "all are running")
        service.process.send_signal(sign)
        until(lambda: service.ready() != 200, 5, "it is not ready any more")
        assert vendor.open_streams > 0  # though it still works
        for stream in streams:
            events = events_of(stream.result(30))
            assert events[-1] == ("message", "[DONE]")
            assert sum('"w' in str(data).replace("'", '"') for _, data in events) == 30
        assert whole.result(30).status_code == 200
        said, _ = service.process.communicate(timeout=20)
        assert service.process.returncode == 0
        assert said.count(b'"path":"/v1/chat/completions"') == 4  # the last log lines, too
        ends = [event["attributes"]["trivet.end_reason"] for event in service.neighbours.events]
        assert ends == ["complete"] * 4
