"""`make run`, after everything is installed: starts what is not running, reloads what has changed.

A second run changes nothing that is there and as it should be.
"""

from __future__ import annotations

from pathlib import Path

from scripts.stack import applications, library, pm2, ports, preflight, readiness
from scripts.stack import settings as stack_settings
from scripts.stack.console import Problem, command, say, step
from scripts.stack.nginx import Nginx
from scripts.stack.orphans import end_orphans
from scripts.stack.places import ROOT
from scripts.stack.service_settings import check_services
from scripts.stack.settings import StackSettings
from services.kernel.auth import ensure_token
from services.kernel.settings import load_environ


def main() -> None:
    _leave_secrets_behind()
    settings = stack_settings.read()
    check_services(load_environ(ROOT))
    _refuse_second_checkout()
    preflight.check_ports(settings)
    _prepare_folders(settings)
    nginx = Nginx(settings)
    changed = nginx.prepare()
    _end_orphans(settings, nginx)
    _start_applications(settings)
    _start_nginx(nginx, changed)
    with step("Waiting until everything is ready"):
        readiness.wait(readiness.gates(settings))
    library.ingest(settings)
    _welcome(settings)


def _refuse_second_checkout() -> None:
    others = {process.root for process in pm2.processes() if process.is_ours} - {ROOT}
    if others:
        raise Problem(
            f"PM2 already runs Trivet from {others.pop()}: run `make stop` there, or give this one "
            "a PM2_HOME of its own"
        )


def _leave_secrets_behind() -> None:
    left = applications.secrets_left_behind()
    applications.keep_clean_environ()
    if left:
        say(f"  {', '.join(left)} is set in the shell only: write it into .env, or it is not seen")


def _prepare_folders(settings: StackSettings) -> None:
    settings.logs.mkdir(parents=True, exist_ok=True)
    settings.data.mkdir(parents=True, exist_ok=True)
    settings.data.chmod(0o700)
    ensure_token(ROOT / settings.admin_token_path)
    ensure_token(ROOT / settings.service_token_path)


def _end_orphans(settings: StackSettings, nginx: Nginx) -> None:
    """What outlived its supervisor would keep its port from the new one."""
    supervised = {process.pid for process in pm2.ours()}
    keepers = supervised | ({nginx.pid() or 0} - {0})
    ended = end_orphans({port.number for port in ports.needed(settings)}, keepers)
    if ended:
        say(f"  ended {ended} process(es) of this checkout that nobody supervised")


def _start_applications(settings: StackSettings) -> None:
    there = pm2.ours()
    plan = Plan.of(settings, there)
    pm2.delete([process.id for process in there if process.name in plan.delete])
    if plan.start:
        with step(f"Starting {', '.join(_short(plan.start))}"):
            pm2.start(plan.start)
    if plan.reload:
        with step(f"Taking changes: reloading {', '.join(_short(plan.reload))}"):
            pm2.reload(plan.reload)


def _short(names: list[str]) -> list[str]:
    return [name.removeprefix("trivet-") for name in names]


class Plan:
    """Names of applications: which to forget (and start anew), which to start, which to reload."""

    def __init__(self, delete: list[str], start: list[str], reload: list[str]) -> None:
        self.delete, self.start, self.reload = delete, start, reload

    @classmethod
    def of(cls, settings: StackSettings, there: list[pm2.Process]) -> Plan:
        """What takes the processes that are there to those that the settings ask for."""
        wanted = {a.name: a for a in applications.applications(settings)}
        digests = applications.digests(settings, load_environ(ROOT))
        broken = {p.name for p in there if p.status != "online"}
        counts = {name: sum(p.name == name for p in there) for name in {p.name for p in there}}
        resized = {n for n in counts if n in wanted and counts[n] != wanted[n].instances}
        delete = [n for n in counts if n not in wanted or n in broken or n in resized]
        start = [n for n in wanted if n not in counts or n in delete]
        stale = {p.name for p in there if p.started_with != digests.get(p.name)}
        return cls(delete, start, [n for n in wanted if n in stale and n not in start])


def _start_nginx(nginx: Nginx, changed: bool) -> None:
    if nginx.pid() is None:
        with step("Starting nginx"):
            nginx.start()
    elif changed:
        with step("Reloading nginx with its new configuration"):
            nginx.reload()


def _welcome(settings: StackSettings) -> None:
    base = settings.base_url
    token = _shown(ROOT / settings.admin_token_path)
    say("")
    say("Trivet is running.")
    say(f"  Chat page      {base}")
    say(f"  Console        {base}console/")
    say(f"  Admin token    cat {token}")
    say("  Processes      npx pm2 list · npx pm2 monit · npx pm2 logs · make stop")


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


if __name__ == "__main__":
    command(main)
