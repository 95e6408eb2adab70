"""kb, its embedder and Chroma as processes of the bench's own, on a folder of its own."""

import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.options import Unavailable
from bench.process import Memory, cpu_seconds, free_port, memory, running, tree
from services.kernel.auth import ensure_token
from services.kernel.settings import load_environ

ROOT = Path(__file__).resolve().parent.parent
START_LIMIT_SECONDS = 120.0
STARTS = 5


@dataclass(frozen=True)
class Engines:
    """What runs, and how long it took to begin: until the first answer, and until it was ready."""

    data_dir: Path
    kb_url: str
    embedder_url: str
    chroma_url: str
    pids: dict[str, int]
    seconds: dict[str, float]

    def client(self, url: str) -> httpx.Client:
        token = (self.data_dir / "admin-token").read_text().strip()
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.Client(base_url=url, headers=headers, timeout=600, trust_env=False)

    def embedding(self) -> httpx.Client:
        """As kb calls the embedder: with the services' token, over connections that are kept."""
        token = (self.data_dir / "service-token").read_text().strip()
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.Client(
            base_url=self.embedder_url, headers=headers, timeout=600, trust_env=False
        )

    def memory(self) -> dict[str, Memory]:
        return {name: memory(tree(pid)) for name, pid in self.pids.items()}

    def cpu_seconds(self) -> dict[str, float]:
        return {name: cpu_seconds(tree(pid)) for name, pid in self.pids.items()}


@dataclass(frozen=True)
class _Started:
    """A process that answers; `seconds`: how long that took."""

    pid: int
    seconds: float


@contextmanager
def engines(data_dir: Path) -> Iterator[Engines]:
    """All three, ready. Before that kb and the embedder are started `STARTS` times over: the very
    first start writes their files, and of the others one alone tells little."""
    chroma = Path(sys.executable).with_name("chroma")
    if not chroma.is_file():
        raise Unavailable("nothing is installed yet: `make run` installs it")
    data_dir.mkdir(parents=True)
    ensure_token(data_dir / "admin-token")
    ports = {name: free_port() for name in ("chroma", "embedder", "kb", "analytics")}
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    environ = {
        **load_environ(ROOT),
        "TRIVET_DATA_DIR": str(data_dir),
        "KB_PORT": str(ports["kb"]),
        "KB_EMBEDDER_PORT": str(ports["embedder"]),
        "KB_EMBEDDER_URL": urls["embedder"],
        "KB_CHROMA_URL": urls["chroma"],
        "TRIVET_ANALYTICS_URLS": urls["analytics"],  # nobody listens: events wait in the outbox
    }
    environ.pop("PYTHONDONTWRITEBYTECODE", None)  # nobody's start compiles everything
    seconds: dict[str, float] = {}
    python = [sys.executable, "-m"]
    place = ["--host", "127.0.0.1", "--port", str(ports["chroma"])]
    store = [str(chroma), "run", "--path", str(data_dir / "chroma"), *place]
    commands = {"embedder": [*python, "services.kb.embedder"], "kb": [*python, "services.kb"]}
    for name, command in commands.items():
        took = []
        for _ in range(1 + STARTS):
            with _started(command, name, urls, environ, data_dir) as started:
                took.append(started.seconds)
        seconds[f"{name}, the first time"] = took[0]
        seconds[name] = statistics.median(took[1:])
    with (
        _started(store, "chroma", urls, environ, data_dir) as store_process,
        _started(commands["kb"], "kb", urls, environ, data_dir) as kb,
        _started(commands["embedder"], "embedder", urls, environ, data_dir) as embedder,
    ):
        seconds["chroma"] = store_process.seconds
        pids = {"kb": kb.pid, "embedder": embedder.pid, "chroma": store_process.pid}
        yield Engines(data_dir, urls["kb"], urls["embedder"], urls["chroma"], pids, seconds)


# kb is there when it answers a search, with the words alone while nobody embeds.
_READY = {"chroma": "/api/v2/heartbeat", "kb": "/api/search?q=trivet", "embedder": "/readyz"}


@contextmanager
def _started(
    argv: list[str],
    name: str,
    urls: dict[str, str],
    environ: dict[str, str],
    data_dir: Path,
) -> Iterator[_Started]:
    log = data_dir / f"{name}.log"
    with httpx.Client(base_url=urls[name], timeout=5, trust_env=False) as client:
        began = time.perf_counter()
        with running(argv, log=log, cwd=ROOT, environ=environ) as process:
            while not _answers(client, _READY[name]):
                if process.poll() is not None or time.perf_counter() - began > START_LIMIT_SECONDS:
                    raise Unavailable(f"{name} does not start: see {log}")
                time.sleep(0.01)
            yield _Started(process.pid, time.perf_counter() - began)


def _answers(client: httpx.Client, path: str) -> bool:
    try:
        return client.get(path).status_code < 400
    except httpx.HTTPError:
        return False
