"""`make reload`: new code and settings into the services, a new configuration into nginx.

The services go one instance after the other, so that no request is lost; nginx by its own signal,
after it has checked what it is given, and only when that differs from what it has: it closes idle
connections then, and a caller who is about to use one has to connect again.
"""

from __future__ import annotations

from scripts.stack import pm2, readiness
from scripts.stack import settings as stack_settings
from scripts.stack.console import Problem, command, say, step
from scripts.stack.nginx import Nginx
from scripts.stack.places import ROOT
from scripts.stack.service_settings import check_services
from services.kernel.settings import load_environ

_SERVICES = ["trivet-analytics", "trivet-kb", "trivet-llm-proxy"]


def main() -> None:
    settings = stack_settings.read()
    check_services(load_environ(ROOT))
    if not pm2.ours():
        raise Problem("Trivet is not running: use `make run`")
    nginx = Nginx(settings)
    changed = nginx.prepare()
    for name in _SERVICES:
        with step(f"Reloading {name}"):
            pm2.reload([name])
    if changed or nginx.pid() is None:
        with step("Reloading nginx with its new configuration"):
            nginx.reload()
    with step("Waiting until everything is ready"):
        readiness.wait(readiness.gates(settings))
    say("Reloaded.")


if __name__ == "__main__":
    command(main)
