"""Waits until everything answers, saying what it waits for."""

from __future__ import annotations

import json
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from scripts.stack import pm2
from scripts.stack.console import Problem, say
from scripts.stack.settings import StackSettings

_WAIT_SECONDS = 240.0
_PAUSE_SECONDS = 0.5
_SIGN_OF_LIFE_SECONDS = 5.0
_LOG_LINES = 8


@dataclass(frozen=True)
class Gate:
    """One address that must say yes before the stack counts as up."""

    application: str
    url: str


@dataclass(frozen=True)
class Answer:
    """What an address says: ok, degraded (200 with a failing check), or why it is not there."""

    state: str
    detail: str = ""


def gates(settings: StackSettings) -> list[Gate]:
    """Every instance of every service, every engine, and the way through nginx."""
    found = [
        Gate("trivet-embedder", _local(settings.embedder_port, "readyz")),
        Gate("trivet-local-model", _local(settings.local_model_port, "health")),
    ]
    if not settings.chroma_url:
        found.append(Gate("trivet-chroma", _local(settings.chroma_port, "api/v2/heartbeat")))
    for name, urls in _services(settings):
        found += [Gate(name, f"{url.rstrip('/')}/readyz") for url in urls]
    return [*found, Gate("nginx", f"{door(settings)}services/kb/readyz")]


def _services(settings: StackSettings) -> Iterable[tuple[str, tuple[str, ...]]]:
    yield "trivet-analytics", settings.analytics_urls
    yield "trivet-kb", settings.kb_urls
    yield "trivet-llm-proxy", settings.llm_proxy_urls


def _local(port: int, path: str) -> str:
    return f"http://127.0.0.1:{port}/{path}"


def door(settings: StackSettings) -> str:
    """nginx's own address on this machine; a domain may not be resolvable here."""
    host = settings.listen_address or "127.0.0.1"
    if settings.domain:
        return f"https://{host}:{settings.https_port}{settings.prefix}"
    return f"http://{host}:{settings.http_port}{settings.prefix}"


def ask(url: str, timeout_seconds: float = 3.0) -> Answer:
    """One look at an address. The certificate is not checked: it is our own, on our own machine."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with urllib.request.urlopen(url, timeout=timeout_seconds, context=context) as response:  # noqa: S310  # http(s) by construction
            return _judge(response.read())
    except urllib.error.HTTPError as error:
        return Answer("unavailable", _failing(error.read()))
    except (OSError, ValueError):
        return Answer("unreachable")


def _judge(body: bytes) -> Answer:
    state = _parsed(body).get("status", "ok")
    return Answer("ok") if state in {"ok", "ready"} else Answer(str(state), _failing(body))


def _parsed(body: bytes) -> dict[str, object]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _failing(body: bytes) -> str:
    checks = _parsed(body).get("checks")
    if not isinstance(checks, dict):
        return ""
    bad = {name: c for name, c in checks.items() if isinstance(c, dict) and not c.get("ok")}
    return ", ".join(f"{name}: {c.get('detail') or 'failing'}" for name, c in bad.items())


def wait(wanted: Iterable[Gate]) -> None:
    """Until every gate says ok. Raises Problem when one is down for good, or does not come up."""
    waiting, started, next_word = list(wanted), time.monotonic(), 0.0
    while True:
        answers = {gate: ask(gate.url) for gate in waiting}
        waiting = [gate for gate, answer in answers.items() if answer.state != "ok"]
        if not waiting:
            return
        elapsed = time.monotonic() - started
        if elapsed > _WAIT_SECONDS:
            _give_up({gate: answers[gate] for gate in waiting})
            return
        if elapsed >= next_word:
            say(f"  waiting for {_names(waiting)}")
            _raise_if_hopeless(waiting)
            next_word = elapsed + _SIGN_OF_LIFE_SECONDS
        time.sleep(_PAUSE_SECONDS)


def _names(waiting: Iterable[Gate]) -> str:
    return ", ".join(sorted({gate.application for gate in waiting}))


def _raise_if_hopeless(waiting: Iterable[Gate]) -> None:
    names = {gate.application for gate in waiting}
    for process in pm2.ours():
        if process.name in names and process.is_down_for_good:
            for line in _last_lines(process.log):
                say(f"  | {line}")
            raise Problem(f"{process.name} does not start: mend what it says above ({process.log})")


def _last_lines(log: Path) -> list[str]:
    try:
        return log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:]
    except OSError:
        return []


def _give_up(answers: dict[Gate, Answer]) -> None:
    degraded = all(answer.state == "degraded" for answer in answers.values())
    details = "; ".join(
        f"{gate.application} is {answer.state}" + (f" ({answer.detail})" if answer.detail else "")
        for gate, answer in answers.items()
    )
    if not degraded:
        raise Problem(f"not everything came up: {details}. Look at `pm2 logs`")
    say(f"  It works, but not all is well: {details}")
