"""`make doctor`: the machine, the settings, the ports, what runs; changes nothing."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from functools import partial

from scripts.stack import machine, pm2, ports, preflight, readiness
from scripts.stack import settings as stack_settings
from scripts.stack.certificates import certificate_of, days_left
from scripts.stack.console import Problem, command, say
from scripts.stack.nginx import Nginx
from scripts.stack.places import ROOT
from scripts.stack.service_settings import check_services
from scripts.stack.settings import StackSettings
from services.kernel.settings import load_environ

_MB = 1024**2


def main() -> None:
    settings = stack_settings.read()
    checks: dict[str, Callable[[], str]] = {
        "machine": _machine,
        "settings": _settings,
        "ports": lambda: _ports(settings),
        "disk": _disk,
        "certificate": lambda: _certificate(settings),
        "nginx": lambda: _nginx(settings),
    }
    results = [_report(name, check) for name, check in checks.items()]
    results += [_report(f"{p.name} {p.id}", partial(_process, p)) for p in pm2.ours()]
    results += [_report(gate.url, partial(_gate, gate)) for gate in readiness.gates(settings)]
    if not all(results):
        sys.exit(1)


def _report(name: str, check: Callable[[], str]) -> bool:
    try:
        say(f"  ok  {name}: {check()}")
    except Problem as problem:
        say(f"  NO  {name}: {problem}")
        return False
    return True


def _machine() -> str:
    machine.check()
    return f"Python {sys.version.split()[0]}, Node and npm are there"


def _settings() -> str:
    check_services(load_environ(ROOT))
    return "every service can read them"


def _ports(settings: StackSettings) -> str:
    preflight.check_ports(settings)
    return ", ".join(str(port.number) for port in ports.needed(settings))


def _disk() -> str:
    free = shutil.disk_usage(ROOT).free / 1024**3
    if free < 1:
        raise Problem(f"{free:.1f} GB are free: make room")
    return f"{free:.0f} GB are free"


def _certificate(settings: StackSettings) -> str:
    certificate = certificate_of(settings)
    if certificate is None:
        return "none needed without a DOMAIN"
    days = days_left(certificate.chain)
    if days < 14:
        raise Problem(f"ends in {days} days: renew it, then `make reload`")
    return f"good for {days} days"


def _nginx(settings: StackSettings) -> str:
    pid = Nginx(settings).pid()
    if pid is None:
        raise Problem("is not running: use `make run`")
    return f"process {pid}"


def _process(process: pm2.Process) -> str:
    if process.status != "online":
        raise Problem(f"is {process.status}: see {process.log}")
    return f"{process.memory_bytes // _MB} MB, restarted {process.restarts} times"


def _gate(gate: readiness.Gate) -> str:
    answer = readiness.ask(gate.url)
    if answer.state != "ok":
        raise Problem(f"{answer.state} {answer.detail}".strip())
    return "ok"


if __name__ == "__main__":
    command(main)
