"""Two real processes over one `data/`: what one learns the other knows; one may die at any time."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from cryptography.fernet import Fernet

from tests.llm_proxy.conftest import KEY, Neighbours, assistants_file, chat_body, models_file
from tests.mock_vendor import Vendor
from tests.support.ports import free_port
from tests.support.server import running
from tests.support.wait import until

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[3]


class Instances:
    """Both, by their URLs."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        self.folder = folder
        self.ports = [free_port(), free_port()]
        self.urls = [f"http://127.0.0.1:{port}" for port in self.ports]
        self._environ = {**os.environ, "PYTHONPATH": str(ROOT), **environ}
        self.processes: list[subprocess.Popen[bytes]] = []
        self.client = httpx.Client(timeout=30, trust_env=False)

    def start(self, number: int) -> subprocess.Popen[bytes]:
        """One instance, without waiting for it."""
        own = {"LLM_PROXY_PORT": str(self.ports[number])}
        with (self.folder / f"log-{number}").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "services.llm_proxy"],
                cwd=self.folder,
                env={**self._environ, **own},
                stdout=log,
                stderr=log,
            )
        self.processes.append(process)
        return process

    def wait(self, number: int) -> None:
        def up() -> bool:
            try:
                return self.client.get(f"{self.urls[number]}/livez").status_code == 200
            except httpx.HTTPError:
                return False

        until(up, 60, f"instance {number} is up")

    def make_key(self, **fields: Any) -> dict[str, Any]:
        response = self.client.post(
            f"{self.urls[0]}/api/llm/keys", json={"name": "x", **fields}, headers=self.admin
        )
        assert response.status_code == 201, response.text
        made: dict[str, Any] = response.json()
        return made

    @property
    def admin(self) -> dict[str, str]:
        token = (self.folder / "data" / "admin-token").read_text().strip()
        return {"Authorization": f"Bearer {token}"}

    def chat(self, number: int, key: str, model: str = "openai/words", **more: Any) -> int:
        return self.client.post(
            f"{self.urls[number]}/v1/chat/completions",
            json=chat_body(model, **more),
            headers={"Authorization": f"Bearer {key}"},
        ).status_code

    @contextmanager
    def stream(self, number: int, key: str) -> Iterator[Iterator[bytes]]:
        """A stream that has begun and will go on for long."""
        body = chat_body("openai/words:count=5000:delay_ms=20", stream=True)
        headers = {"Authorization": f"Bearer {key}"}
        url = f"{self.urls[number]}/v1/chat/completions"
        with self.client.stream("POST", url, json=body, headers=headers) as response:
            assert response.status_code == 200
            pieces = response.iter_bytes()
            next(pieces)
            yield pieces

    def close(self) -> None:
        self.client.close()
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)


@pytest.fixture
def instances(tmp_path: Path, vendor: Vendor) -> Iterator[Instances]:
    (tmp_path / "models.yaml").write_text(yaml.safe_dump(models_file(vendor), sort_keys=False))
    (tmp_path / "assistants.yaml").write_text(assistants_file())
    with running(Neighbours().app()) as neighbours:
        made = Instances(
            tmp_path,
            {
                "TRIVET_DATA_DIR": str(tmp_path / "data"),
                "TRIVET_KB_URLS": neighbours,
                "TRIVET_ANALYTICS_URLS": neighbours,
                "LLM_PROXY_MODELS_FILE": str(tmp_path / "models.yaml"),
                "LLM_PROXY_ASSISTANTS_FILE": str(tmp_path / "assistants.yaml"),
                "FERNET_KEY": Fernet.generate_key().decode(),
            },
        )
        try:
            for number in (0, 1):  # together, on an empty folder
                made.start(number)
            for number in (0, 1):
                made.wait(number)
            yield made
        finally:
            made.close()


def test_a_key_made_by_one_is_known_to_the_other_when_the_answer_comes(
    instances: Instances,
) -> None:
    for _ in range(5):
        made = instances.make_key()
        assert instances.chat(1, made["key"]) == 200
        path = f"/api/llm/keys/{made['id']}"
        instances.client.delete(instances.urls[0] + path, headers=instances.admin)
        assert instances.chat(1, made["key"]) == 401
    assert instances.chat(1, instances.make_key()["key"], "keyless/words") == 404
    instances.make_key(kind="provider", provider="keyless", value=KEY)
    assert instances.chat(1, instances.make_key()["key"], "keyless/words") == 200


def test_under_load_both_together_let_through_what_one_may(instances: Instances) -> None:
    key = instances.make_key(requests_per_minute=40)["key"]
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda n: instances.chat(n % 2, key), range(80)))
    assert statuses.count(200) == 40
    assert statuses.count(429) == 40


def test_calls_at_once_are_counted_together_and_a_killed_instances_are_forgotten(
    instances: Instances,
) -> None:
    key = instances.make_key(concurrent=2)["key"]
    with instances.stream(0, key):
        killed = instances.processes[1]
        with pytest.raises(httpx.HTTPError), instances.stream(1, key) as dying:
            assert [instances.chat(number, key) for number in (0, 1)] == [429, 429]
            os.kill(killed.pid, signal.SIGKILL)
            list(dying)
        killed.wait(5)
        assert instances.chat(0, key) == 200
        with instances.stream(0, key):
            assert instances.chat(0, key) == 429
        instances.start(1)
        instances.wait(1)
        until(lambda: instances.chat(1, key) == 200, 5, "one of two places is free")
        with instances.stream(1, key):
            assert instances.chat(0, key) == 429


def test_a_lock_holders_death_does_not_stop_the_other(instances: Instances) -> None:
    """One is killed at any moment, again and again, under load; the limits go on to hold."""
    key = instances.make_key(tokens_per_minute=10**9, concurrent=2)["key"]
    over = threading.Event()

    def load(number: int) -> set[int]:
        seen = set()
        while not over.is_set():
            try:
                seen.add(instances.chat(number, key))
            except httpx.HTTPError:
                over.wait(0.05)
        return seen

    with ThreadPoolExecutor(2) as pool:
        running_loads = [pool.submit(load, number) for number in (0, 1)]
        for _ in range(3):
            victim = instances.processes[-1]
            os.kill(victim.pid, signal.SIGKILL)
            victim.wait(5)
            instances.start(1)
            instances.wait(1)
        over.set()
        statuses = set().union(*(one.result() for one in running_loads))
    assert statuses <= {200, 429}
    with instances.stream(0, key), instances.stream(1, key):
        assert [instances.chat(number, key) for number in (0, 1)] == [429, 429]


def test_money_that_was_spent_outlives_a_kill(instances: Instances) -> None:
    key = instances.make_key(daily_budget_usd=0.00004)["key"]  # a chat costs 0.000015
    assert [instances.chat(1, key) for _ in range(2)] == [200, 200]
    instances.wait(1)  # an answer goes out a moment before it is paid: by the next one it is
    for process in instances.processes:
        os.kill(process.pid, signal.SIGKILL)
        process.wait(5)
    for number in (0, 1):
        instances.start(number)
    for number in (0, 1):
        instances.wait(number)
    assert instances.chat(0, key) == 200
    instances.wait(0)
    assert instances.chat(1, key) == 429
