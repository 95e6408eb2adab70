"""The gateway as a process of its own, told to stop and started again by a test."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import yaml

from tests.llm_proxy.conftest import Neighbours, assistants_file, models_file
from tests.mock_vendor import Vendor
from tests.support.ports import lasting_port
from tests.support.server import running
from tests.support.wait import until

ROOT = Path(__file__).parents[2]


@dataclass
class GatewayProcess:
    """One instance on a port of its own."""

    folder: Path
    port: int
    environ: dict[str, str]
    said: list[bytes] = field(default_factory=list)  # its log, once it has stopped

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        argv = [sys.executable, "-m", "services.llm_proxy"]
        self._process = subprocess.Popen(
            argv, cwd=self.folder, env=self.environ, stdout=subprocess.PIPE
        )
        until(self._is_up, 60, "the instance is up")

    def send_signal(self, sign: signal.Signals) -> None:
        self._process.send_signal(sign)

    def ended(self) -> int:
        """Waits for its end: the exit code."""
        said, _ = self._process.communicate(timeout=30)
        self.said.append(said)
        return self._process.returncode

    def _is_up(self) -> bool:
        assert self._process.poll() is None, "it ended at once"
        return self.readiness() == 200

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def readiness(self) -> int:
        """The status of `/readyz`; 0 where nobody listens."""
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5, trust_env=False).status_code
        except httpx.TransportError:
            return 0


@contextmanager
def running_processes(
    folder: Path, vendor: Vendor, count: int = 1
) -> Iterator[tuple[list[GatewayProcess], Neighbours]]:
    """Instances that share one folder, and what stands in for kb and analytics."""
    neighbours = Neighbours()
    (folder / "models.yaml").write_text(yaml.safe_dump(models_file(vendor), sort_keys=False))
    (folder / "assistants.yaml").write_text(assistants_file())
    with running(neighbours.app()) as neighbours_url:
        instances = [
            GatewayProcess(folder, port, _environ(folder, neighbours_url, port))
            for port in (lasting_port() for _ in range(count))
        ]
        try:
            for instance in instances:
                instance.start()
            yield instances, neighbours
        finally:
            for instance in instances:
                instance.kill()


def _environ(folder: Path, neighbours_url: str, port: int) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "LLM_PROXY_PORT": str(port),
        "TRIVET_DATA_DIR": str(folder / "data"),
        "TRIVET_KB_URLS": neighbours_url,
        "TRIVET_ANALYTICS_URLS": neighbours_url,
        "LLM_PROXY_MODELS_FILE": str(folder / "models.yaml"),
        "LLM_PROXY_ASSISTANTS_FILE": str(folder / "assistants.yaml"),
        "LLM_PROXY_ANONYMOUS_CHATS_PER_MINUTE": "100000",
    }
