"""What PM2 runs, as far as the settings decide it: `python -m scripts.stack.applications` prints it
as JSON for ecosystem.config.js, so that `.env` has one reader.

Each application gets a digest of what it is started with (its settings, its code, its locked
packages). PM2 keeps it beside the process; where it differs, `make run` reloads that application.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.stack import settings as stack_settings
from scripts.stack.console import command
from scripts.stack.places import REQUIREMENTS, ROOT
from scripts.stack.settings import StackSettings
from scripts.stack.stamps import digest_of
from services.kernel.settings import CommonSettings, load_environ, table

_SERVICES = ROOT / "services"
_KERNEL = _SERVICES / "kernel"
_ECOSYSTEM = ROOT / "ecosystem.config.js"
_PREFIXES = ("LLM_PROXY_", "KB_", "ANALYTICS_")
_READ_BY_ENGINES = {"TRIVET_DATA_DIR", "TRIVET_LOG_LEVEL"}
# What a program may need to find its way; nothing else of the shell's environment reaches PM2.
_PASSED_ON = {"PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR", "PM2_HOME"}
_PASSED_ON_PREFIXES = ("TRIVET_", "LC_", "OPENBLAS_", "OMP_", "MKL_", "SSL_CERT_")
_VENDORS = ("DOUBAO_", "DASHSCOPE_", "TONGYI_", "DEEPSEEK_", "OPENAI_")
_SECRET_WORDS = ("KEY", "SECRET", "TOKEN", "PASSWORD", "CREDENTIAL")


@dataclass(frozen=True)
class Application:
    """One name in `pm2 list`: the code it runs and the settings it reads.

    A service reads what begins with its prefixes, what all share, and what else `.env` holds;
    an engine (`is_service` false) what begins with its prefixes, the data folder and the log level.
    """

    name: str
    code: tuple[Path, ...]
    prefixes: tuple[str, ...] = ()
    is_service: bool = False
    instances: int = 1


def applications(settings: StackSettings) -> list[Application]:
    """All that this stack needs, in the order in which it is started."""
    return [*_engines(settings), *_services(settings)]


def _engines(settings: StackSettings) -> Iterator[Application]:
    if not settings.chroma_url:
        yield Application("trivet-chroma", ())
    embedder, local_model = _SERVICES / "kb" / "embedder", _SERVICES / "llm_proxy" / "local_model"
    yield Application(
        "trivet-embedder", (_KERNEL, embedder), ("KB_EMBEDDER_", "KB_EMBEDDING_", "KB_MODEL")
    )
    yield Application("trivet-local-model", (_KERNEL, local_model), ("LLM_PROXY_LOCAL_MODEL_",))
    yield Application("trivet-log-rotation", (ROOT / "deploy" / "pm2",))


def _services(settings: StackSettings) -> Iterator[Application]:
    for name, prefixes in {
        "analytics": ("ANALYTICS_",),
        "kb": ("KB_",),
        "llm_proxy": ("LLM_PROXY_", *_VENDORS),
    }.items():
        shown = f"trivet-{name.replace('_', '-')}"
        code = (_KERNEL, _SERVICES / name)
        yield Application(shown, code, prefixes, True, settings.instances)


def digests(settings: StackSettings, environ: Mapping[str, str]) -> dict[str, str]:
    """Application → a hash of all that it is started with. Values cannot be read back from it."""
    return {
        application.name: _digest(application, settings, environ)
        for application in applications(settings)
    }


def _digest(application: Application, settings: StackSettings, environ: Mapping[str, str]) -> str:
    values = {name: value for name, value in environ.items() if _concerns(application, name)}
    described = json.dumps([values, _described(settings)], sort_keys=True)
    files = [*application.code, _ECOSYSTEM, REQUIREMENTS / "runtime.lock"]
    return hashlib.sha256((digest_of(files) + described).encode()).hexdigest()[:16]


def _concerns(application: Application, name: str) -> bool:
    """Whether an application may read a variable."""
    if name.startswith(application.prefixes):
        return True
    if not application.is_service:
        return bool(application.prefixes) and name in _READ_BY_ENGINES
    if name in _shared_names():
        return True
    others = (*_PREFIXES, *_VENDORS)
    return not name.startswith(others) and (name in _written_names() or name.startswith("TRIVET_"))


def _shared_names() -> set[str]:
    return {row.name for row in table(CommonSettings)}


def _written_names() -> set[str]:
    """The names in `.env`: what stands there is meant for us, vendors' variables included."""
    path = ROOT / ".env"
    if not path.is_file():
        return set()
    lines = path.read_text(encoding="utf-8").splitlines()
    return {line.partition("=")[0].removeprefix("export ").strip() for line in lines if "=" in line}


def _described(settings: StackSettings) -> dict[str, object]:
    """What ecosystem.config.js needs to know. Holds no secret."""
    return {
        "instances": settings.instances,
        "logs": str(settings.logs),
        "chroma": None
        if settings.chroma_url
        else {"path": str(settings.data / "chroma"), "port": settings.chroma_port},
    }


def clean_environ(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment that PM2 gets: it keeps what it is given, so no secret may be among it.

    A service reads its secrets from `.env` by itself.
    """
    found = os.environ if environ is None else environ
    secret = {row.name for row in table(StackSettings) if row.secret}
    return {
        name: value
        for name, value in found.items()
        if _may_pass(name) and name not in secret and not any(w in name for w in _SECRET_WORDS)
    }


def keep_clean_environ() -> None:
    """Drops from this process's environment what PM2 will not hand on.

    What is read after this is what the services will read: `.env` below the same environment.
    """
    clean = clean_environ()
    for name in set(os.environ) - clean.keys():
        del os.environ[name]


def _may_pass(name: str) -> bool:
    shared = name in _PASSED_ON or name in _shared_names()
    return shared or name.startswith((*_PASSED_ON_PREFIXES, *_PREFIXES, *_VENDORS))


def secrets_left_behind() -> list[str]:
    """Keys in the shell's environment that a service will not see, since they are not in `.env`."""
    ours = ("TRIVET_", "FERNET_", *_PREFIXES, *_VENDORS)
    passed, written = clean_environ(), _written_names()
    return sorted(
        name
        for name in os.environ
        if name.startswith(ours) and name not in passed and name not in written
        if any(word in name for word in _SECRET_WORDS)
    )


def main() -> None:
    keep_clean_environ()
    settings = stack_settings.read()
    environ = load_environ(ROOT)
    described = {
        **_described(settings),
        "digests": digests(settings, environ),
        "environ": clean_environ(),
    }
    sys.stdout.write(json.dumps(described))


if __name__ == "__main__":
    command(main)
