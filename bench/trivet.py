"""One process of llm_proxy with all of its features on, and the analytics process it reports to."""

import json
import secrets
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from bench.contenders import (
    LOAD_CORE,
    PATH,
    READY_LIMIT_SECONDS,
    ROOT,
    Bed,
    Contender,
    DidNotStart,
    Running,
    clean_environ,
    process,
)
from bench.plan import FULL, QUICK
from bench.process import free_port, running

OUTBOX_LIMIT_SECONDS = 90.0
ANALYTICS_NICENESS = 10  # it shares the core of upstream and driver, and must not slow them
PROVIDER = "bench"
LIMITS = {
    "requests_per_minute": 100_000_000,
    "tokens_per_minute": 1_000_000_000,
    "concurrent": 100_000,
    "daily_budget_usd": 1e6,
    "monthly_budget_usd": 1e6,
}
PRICE = {"currency": "USD", "input": 0.5, "output": 1.5}  # so that costs are counted, too


def models_file(bed: Bed) -> str:
    """models.yaml with the mock upstream as its one provider (JSON is YAML)."""
    provider = {
        "adapter": "openai_compatible",
        "base_url": f"{bed.upstream_url}/v1",
        "api_key": "test-not-a-key",
        "models": {name: {"price": PRICE} for name in FULL.models() + QUICK.models()},
        "any_model": True,
    }
    return json.dumps({"providers": {PROVIDER: provider}})


def settings(room: Path, bed: Bed, ports: Mapping[str, int]) -> dict[str, str]:
    """The environment of both processes: everything in `room`, nothing of this machine's `.env`."""
    models, assistants = room / "models.yaml", room / "assistants.yaml"
    models.write_text(models_file(bed))
    assistants.write_text("assistants: {}\n")
    return clean_environ(
        PYTHONPATH=str(ROOT),
        # As ecosystem.config.js starts them.
        PYTHONUNBUFFERED="1",
        MALLOC_ARENA_MAX="2",
        TRIVET_DATA_DIR=str(room / "data"),
        TRIVET_RUN_DIR=str(room / "run"),
        TRIVET_INSTANCES="1",
        TRIVET_ANALYTICS_URLS=f"http://127.0.0.1:{ports['analytics']}",
        LLM_PROXY_PORT=str(ports["llm_proxy"]),
        ANALYTICS_PORT=str(ports["analytics"]),
        LLM_PROXY_MODELS_FILE=str(models),
        LLM_PROXY_ASSISTANTS_FILE=str(assistants),
    )


def write_token(path: Path) -> str:
    """An administrator's token where the services look for one."""
    path.parent.mkdir(parents=True)
    token = secrets.token_urlsafe(32)
    path.touch(mode=0o600)
    path.write_text(token + "\n")
    return token


def fetch(url: str, token: str) -> bytes:
    request = urllib.request.Request(url, headers={"authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=10) as reply:
        content: bytes = reply.read()
    return content


def make_key(url: str, token: str) -> str:
    """A virtual key with every kind of limit, each far above what is measured."""
    body = json.dumps({"name": "bench", **LIMITS}).encode()
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    request = urllib.request.Request(url.removesuffix(PATH) + "/api/llm/keys", body, headers)
    with urllib.request.urlopen(request, timeout=10) as reply:
        key: str = json.load(reply)["key"]
    return key


def wait_for_analytics(url: str, token: str, log: Path) -> None:
    """Return when analytics says that it can work.

    Raises:
        DidNotStart: not in time.
    """
    deadline = time.monotonic() + READY_LIMIT_SECONDS
    while time.monotonic() < deadline:
        try:
            fetch(f"{url}/readyz", token)
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise DidNotStart(f"analytics is not ready; see {log}")


def accounted(url: str, analytics_url: str, token: str) -> Mapping[str, float]:
    """How many calls were made, and how many of them analytics knows once the outbox is empty."""
    metrics = fetch(url.removesuffix(PATH) + "/metrics", token).decode()
    calls = sum(
        float(line.rpartition(" ")[2])
        for line in metrics.splitlines()
        if line.startswith("trivet_request_duration_seconds_count") and f'route="{PATH}"' in line
    )
    deadline, known = time.monotonic() + OUTBOX_LIMIT_SECONDS, -1.0
    while known < calls and time.monotonic() < deadline:
        statistics = fetch(f"{analytics_url}/api/analytics/statistics?days=1", token)
        known = float(json.loads(statistics)["total_questions"])
        time.sleep(0.2)
    return {"calls": calls, "recorded": known, "missing": calls - known}


@contextmanager
def start(bed: Bed) -> Iterator[Running]:
    room = bed.room("trivet")
    token = write_token(room / "data" / "admin-token")
    ports = {"llm_proxy": free_port(), "analytics": free_port()}
    environ = settings(room, bed, ports)
    analytics_url = f"http://127.0.0.1:{ports['analytics']}"
    with running(
        [sys.executable, "-m", "services.analytics"],
        log=room / "analytics.log",
        cwd=room,
        environ=environ,
        core=LOAD_CORE,
        niceness=ANALYTICS_NICENESS,
    ) as analytics:
        wait_for_analytics(analytics_url, token, room / "analytics.log")
        with process(
            room,
            [sys.executable, "-m", "services.llm_proxy"],
            ports["llm_proxy"],
            environ=environ,
            headers={"authorization": f"Bearer {token}"},
            model_prefix=f"{PROVIDER}/",
            companions=(analytics.pid,),
        ) as started:
            url = started.url
            headers = {"authorization": f"Bearer {make_key(url, token)}"}
            check = partial(accounted, url, analytics_url, token)
            yield replace(started, headers=headers, inspect=check)


TRIVET = Contender(
    "trivet",
    start,
    "one process of llm_proxy, all features on; a virtual key with limits, a real analytics",
)
