"""Which ports the stack takes, and which process holds one (from /proc: no tool needed)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from scripts.stack.places import ROOT
from scripts.stack.settings import StackSettings

_LISTENING = "0A"  # state TCP_LISTEN in /proc/net/tcp
_INSTANCE_STEP = 1000


@dataclass(frozen=True)
class Port:
    """One port that the stack needs, and the setting that moves it."""

    number: int
    setting: str
    application: str


@dataclass(frozen=True)
class Holder:
    """A process that listens on a port; pid 0 when it is another user's."""

    pid: int
    name: str
    is_ours: bool


def needed(settings: StackSettings) -> list[Port]:
    return [*_door(settings), *_services(settings), *_engines(settings)]


def _door(settings: StackSettings) -> Iterator[Port]:
    if settings.domain:
        yield Port(settings.redirect_port, "TRIVET_REDIRECT_PORT", "nginx")
        yield Port(settings.https_port, "TRIVET_HTTPS_PORT", "nginx")
    else:
        yield Port(settings.http_port, "TRIVET_HTTP_PORT", "nginx")


def _services(settings: StackSettings) -> Iterator[Port]:
    bases = {
        "trivet-llm-proxy": (settings.llm_proxy_port, "LLM_PROXY_PORT"),
        "trivet-kb": (settings.kb_port, "KB_PORT"),
        "trivet-analytics": (settings.analytics_port, "ANALYTICS_PORT"),
    }
    for application, (base, setting) in bases.items():
        for instance in range(settings.instances):
            yield Port(base + _INSTANCE_STEP * instance, setting, application)


def _engines(settings: StackSettings) -> Iterator[Port]:
    if not settings.chroma_url:
        yield Port(settings.chroma_port, "TRIVET_CHROMA_PORT", "trivet-chroma")
    yield Port(settings.embedder_port, "KB_EMBEDDER_PORT", "trivet-embedder")
    yield Port(settings.local_model_port, "LLM_PROXY_LOCAL_MODEL_PORT", "trivet-local-model")


def listening() -> dict[int, int]:
    """Port → inode of the socket that listens on it, on any address."""
    found: dict[int, int] = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if not Path(table).exists():
            continue
        for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            if fields[3] == _LISTENING:
                found[int(fields[1].rpartition(":")[2], 16)] = int(fields[9])
    return found


def holders(numbers: set[int]) -> dict[int, list[Holder]]:
    """Port → the processes that listen on it, for those of `numbers` that are taken."""
    sockets = {f"socket:[{inode}]": port for port, inode in listening().items() if port in numbers}
    found: dict[int, list[Holder]] = {port: [] for port in sockets.values()}
    for pid in _processes():
        for port in {sockets[link] for link in _links(pid) if link in sockets}:
            found[port].append(Holder(pid, _name(pid), _is_ours(pid)))
    return {port: there or [Holder(0, "another user's", False)] for port, there in found.items()}


def _processes() -> Iterator[int]:
    yield from (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _links(pid: int) -> set[str]:
    found = set()
    try:
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # closed meanwhile
                found.add(str(descriptor.readlink()))
    except OSError:  # it ended meanwhile, or belongs to somebody else
        pass
    return found


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except OSError:
        return "gone"


def _is_ours(pid: int) -> bool:
    """Every process of the stack works in the checkout, nginx too."""
    try:
        return Path(f"/proc/{pid}/cwd").resolve(strict=True) == ROOT
    except OSError:
        return False
