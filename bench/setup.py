"""The setup suite: a fresh clone, empty caches, `make run`, and what then runs."""

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench import stack
from bench.options import Options, Unavailable
from bench.process import free_port
from bench.report import Result, Table, figure

ROOT = Path(__file__).resolve().parent.parent
PORTS = (
    "TRIVET_HTTP_PORT",
    "TRIVET_CHROMA_PORT",
    "LLM_PROXY_LOCAL_MODEL_PORT",
    "KB_EMBEDDER_PORT",
)
# Instance n listens on port + 1000 n: these need room above them.
SERVICE_PORTS = {"LLM_PROXY_PORT": 21741, "KB_PORT": 21739, "ANALYTICS_PORT": 21742}
CACHES = ("UV_CACHE_DIR", "PIP_CACHE_DIR", "npm_config_cache")
STEP = re.compile(
    r"^▸ (?P<step>.+)\n(?:(?!▸ ).*\n)*? {2}done in (?P<seconds>[\d.]+) s$", re.MULTILINE
)
RUN_LIMIT_SECONDS = 1800.0


@contextmanager
def clone() -> Iterator[tuple[Path, dict[str, str]]]:
    """A clone of the last commit with ports, PM2 and caches of its own; stopped and removed."""
    with tempfile.TemporaryDirectory(prefix="trivet-setup-") as folder:
        root = Path(folder) / "trivet"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(root)], check=True)
        ports = {name: free_port() for name in PORTS} | SERVICE_PORTS
        (root / ".env").write_text("".join(f"{name}={port}\n" for name, port in ports.items()))
        environ = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
        environ |= {name: str(Path(folder) / name.lower()) for name in CACHES}
        environ["PM2_HOME"] = str(Path(folder) / "pm2")
        try:
            yield root, environ | {"TRIVET_HTTP_PORT": str(ports["TRIVET_HTTP_PORT"])}
        finally:
            subprocess.run(["make", "stop"], cwd=root, env=environ, capture_output=True)
            pm2 = root / "node_modules/.bin/pm2"
            if pm2.exists():
                subprocess.run([str(pm2), "kill"], cwd=root, env=environ, capture_output=True)


def make_run(root: Path, environ: Mapping[str, str], log: Path) -> tuple[float, str]:
    """Seconds that `make run` took, and what it said.

    Raises:
        Unavailable: it failed.
    """
    began = time.monotonic()
    with log.open("w+") as output:
        done = subprocess.run(
            ["make", "run"],
            cwd=root,
            env=dict(environ),
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=RUN_LIMIT_SECONDS,
        )
        took = time.monotonic() - began
        output.seek(0)
        text = output.read()
    if done.returncode:
        raise Unavailable(f"`make run` failed in a fresh clone, see {log}")
    return took, text


def steps(text: str) -> list[tuple[str, float]]:
    """The steps that `make run` named, with their seconds."""
    return [(found["step"], float(found["seconds"])) for found in STEP.finditer(text)]


def size_mb(folder: Path) -> float:
    done = subprocess.run(["du", "-sm", str(folder)], capture_output=True, text=True, check=True)
    return float(done.stdout.split()[0])


def run(options: Options) -> Result:
    """Set a stack up from nothing and measure it.

    Raises:
        Unavailable: there is no make or git, or `make run` failed.
    """
    for program in ("make", "git"):
        if shutil.which(program) is None:
            raise Unavailable(f"{program} is not installed")
    with clone() as (root, environ):
        first, text = make_run(root, environ, options.folder / "make-run-first.log")
        second, _ = make_run(root, environ, options.folder / "make-run-second.log")
        rows = [(f"of it: {name}", figure(seconds)) for name, seconds in steps(text)]
        table = Table(
            "`make run`, seconds",
            ("", "s"),
            [
                ("a fresh clone, empty caches of uv, pip and npm", figure(first)),
                *rows,
                ("again, with nothing changed", figure(second)),
            ],
            f"On the disk afterwards: {size_mb(root):,.0f} MB.",
        )
        port = environ["TRIVET_HTTP_PORT"]
        place = stack.Place(root, f"http://127.0.0.1:{port}/", environ)
        tables, holds = stack.measure(place, options)
    tables = [table, *tables]
    return Result(
        suite="setup",
        title="From a clone to an answer",
        introduction="A clone of the last commit, its own ports, PM2 and caches, and `make run`.",
        tables=tables,
        raw=[{"heading": item.heading, "rows": item.rows} for item in tables],
        reached=holds,
    )
