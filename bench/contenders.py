"""What is measured: how each contender is started, reached, watched and ended."""

import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from bench.process import Memory, free_port, memory, running, settle, tree

ROOT = Path(__file__).resolve().parent.parent
PATH = "/v1/chat/completions"
CONTENDER_CORE = 0
LOAD_CORE = 1
READY_LIMIT_SECONDS = 60.0
LOG_TAIL_CHARACTERS = 800


class DidNotStart(Exception):
    """A contender gave no answer in time; the message holds the end of its log."""


@dataclass(frozen=True)
class Bed:
    """Where contenders run: a folder of their own, and the upstream they are to call."""

    folder: Path
    upstream_port: int

    @property
    def upstream_url(self) -> str:
        return f"http://127.0.0.1:{self.upstream_port}"

    def room(self, name: str) -> Path:
        """A new, empty folder for one start of one contender."""
        room = self.folder / f"{name}-{time.monotonic_ns()}"
        room.mkdir(parents=True)
        return room


@dataclass(frozen=True)
class Running:
    """A contender that answers."""

    url: str
    pids: tuple[int, ...] = ()  # roots of its process trees; none for `direct`
    headers: Mapping[str, str] = field(default_factory=dict)
    model_prefix: str = ""  # before the name that the upstream reads
    start_seconds: float | None = None  # from its start to its first whole answer
    idle: Memory | None = None
    companions: tuple[int, ...] = ()  # pids of ours that it needs beside it, measured apart
    inspect: Callable[[], Mapping[str, float]] = dict  # figures that only it can tell, at the end


Start = Callable[[Bed], AbstractContextManager[Running]]


@dataclass(frozen=True)
class Contender:
    name: str
    start: Start
    note: str  # what it does and does not do, for the report


def clean_environ(**more: str) -> dict[str, str]:
    """The environment of a contender: nothing of the caller's settings gets in."""
    kept = {
        name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ
    }
    return kept | more


def ask_once(url: str, headers: Mapping[str, str], model: str) -> bool:
    """One small call; True when a whole completion came back."""
    body = orjson.dumps({"model": model, "messages": [{"role": "user", "content": "hello"}]})
    request = urllib.request.Request(url, body, {"content-type": "application/json", **headers})
    with urllib.request.urlopen(request, timeout=10) as reply:
        return b"lorem ipsum" in reply.read()


def wait_ready(
    url: str, headers: Mapping[str, str], model: str, alive: Callable[[], bool], log: Path
) -> None:
    """Return at the first whole completion.

    Raises:
        DidNotStart: it ended, or gave none in time.
    """
    deadline, fault = time.monotonic() + READY_LIMIT_SECONDS, "no answer"
    while alive() and time.monotonic() < deadline:
        try:
            if ask_once(url, headers, model):
                return
        except urllib.error.HTTPError as exc:
            fault = f"{exc.code} {exc.read(300)!r}"
        except OSError as exc:
            fault = str(exc)
        time.sleep(0.005)
    raise DidNotStart(f"{fault}; {log}: …{log.read_text(errors='replace')[-LOG_TAIL_CHARACTERS:]}")


@contextmanager
def process(
    room: Path,
    argv: list[str],
    port: int,
    *,
    environ: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    model_prefix: str = "",
    companions: tuple[int, ...] = (),
    inspect: Callable[[], Mapping[str, float]] = dict,
    cwd: Path | None = None,
) -> Iterator[Running]:
    """Run a contender on its core until the caller is done; yields once it answers."""
    url, headers, log = f"http://127.0.0.1:{port}{PATH}", headers or {}, room / "output.log"
    began = time.monotonic()
    with running(
        argv,
        log=log,
        cwd=cwd or room,
        environ=environ or clean_environ(),
        core=CONTENDER_CORE,
    ) as child:
        wait_ready(url, headers, f"{model_prefix}mock", lambda: child.poll() is None, log)
        took = time.monotonic() - began
        settle(1.5)
        idle = memory(tree(child.pid))
        yield Running(url, (child.pid,), headers, model_prefix, took, idle, companions, inspect)


@contextmanager
def start_direct(bed: Bed) -> Iterator[Running]:
    yield Running(bed.upstream_url + PATH)


@contextmanager
def start_relay(bed: Bed) -> Iterator[Running]:
    port = free_port()
    argv = [sys.executable, "-m", "bench.relay", str(port), str(bed.upstream_port)]
    with process(bed.room("relay"), argv, port, cwd=ROOT) as started:
        yield started


DIRECT = Contender(
    "direct", start_direct, "no proxy at all: what the driver and the upstream can do"
)
RELAY = Contender(
    "bare relay",
    start_relay,
    "uvicorn and an httptools client; no authentication, limits, accounting or log",
)
