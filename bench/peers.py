"""Gateways that one would take instead, installed from their registries when they are asked for."""

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.contenders import ROOT, Bed, Contender, Running, clean_environ, process
from bench.process import free_port

VENV = ROOT / ".venv-bench"
NODE = ROOT / "bench" / "node"
LITELLM = "litellm[proxy]==1.106.2"
PORTKEY = "@portkey-ai/gateway@1.15.2"
LITELLM_MODELS = """\
model_list:
- model_name: "*"
  litellm_params:
    model: "openai/*"
    api_base: "{upstream}/v1"
    api_key: "unused"
litellm_settings:
  telemetry: false
  request_timeout: 120
"""


@dataclass(frozen=True)
class Peer(Contender):
    program: Path  # there once it is installed
    install: Callable[[], None]  # raises subprocess.CalledProcessError


def install_litellm() -> None:
    """Some 400 MB into .venv-bench."""
    subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    uv = shutil.which("uv")
    installer = [uv, "pip", "install", "--python"] if uv else []
    python = str(VENV / "bin/python")
    command = [*installer, python] if installer else [python, "-m", "pip", "install", "-q"]
    subprocess.run([*command, LITELLM], check=True)


def install_portkey() -> None:
    """Some 60 MB into bench/node/node_modules."""
    options = ("--no-save", "--no-package-lock", "--no-audit", "--no-fund")
    subprocess.run(["npm", "install", *options, "--prefix", str(NODE), PORTKEY], check=True)


@contextmanager
def start_litellm(bed: Bed) -> Iterator[Running]:
    room, port, key = bed.room("litellm"), free_port(), f"sk-{secrets.token_hex(16)}"
    configuration = room / "litellm.yaml"
    configuration.write_text(LITELLM_MODELS.format(upstream=bed.upstream_url))
    argv = [str(VENV / "bin/litellm"), "--config", str(configuration), "--host", "127.0.0.1"]
    environ = clean_environ(
        LITELLM_LOCAL_MODEL_COST_MAP="True",
        LITELLM_LOG="ERROR",
        LITELLM_MODE="PRODUCTION",
        LITELLM_MASTER_KEY=key,
    )
    with process(
        room,
        [*argv, "--port", str(port), "--num_workers", "1"],
        port,
        environ=environ,
        headers={"authorization": f"Bearer {key}"},
    ) as started:
        yield started


@contextmanager
def start_portkey(bed: Bed) -> Iterator[Running]:
    port = free_port()
    program = NODE / "node_modules/@portkey-ai/gateway/build/start-server.js"
    fetch = (NODE / "fetch.mjs").as_uri()
    headers = {
        "x-portkey-provider": "openai",
        "x-portkey-custom-host": f"{bed.upstream_url}/v1",
        "authorization": "Bearer unused",
    }
    with process(
        bed.room("portkey"),
        ["node", "--import", fetch, str(program), f"--port={port}", "--headless"],
        port,
        environ=clean_environ(NODE_ENV="production", TRUSTED_CUSTOM_HOSTS="127.0.0.1,localhost"),
        headers=headers,
    ) as started:
        yield started


PEERS = {
    "litellm": Peer(
        "LiteLLM",
        start_litellm,
        f"{LITELLM}, one worker, a master key, no database",
        VENV / "bin/litellm",
        install_litellm,
    ),
    "portkey": Peer(
        "Portkey",
        start_portkey,
        f"{PORTKEY} on Node, the upstream named in headers",
        NODE / "node_modules/@portkey-ai/gateway/build/start-server.js",
        install_portkey,
    ),
}


def provide(peer: Peer) -> None:
    """Install a peer that is not there.

    Raises:
        subprocess.CalledProcessError: its registry or its installer failed.
    """
    if not os.access(peer.program, os.R_OK):
        peer.install()
