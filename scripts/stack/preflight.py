"""What must be right before anything is downloaded or started: `.env` and the ports."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from scripts.stack import ports, settings, supervisor
from scripts.stack.console import Problem, command
from scripts.stack.machine import is_root

_FIRST_FREE_PORT = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")


def main() -> None:
    check_ports(settings.read())


def check_ports(found: settings.StackSettings) -> None:
    """Raises Problem when two parts want one port, or a stranger or another PM2 has one."""
    needed = ports.needed(found)
    counted = Counter(port.number for port in needed)
    twice = [port for port in needed if counted[port.number] > 1]
    if twice:
        names = ", ".join(sorted({port.setting for port in twice}))
        raise Problem(f"port {twice[0].number} is wanted twice: change one of {names} in .env")
    _check_permission(needed)
    held = ports.holders({port.number for port in needed})
    taken = [_taken(port, held[port.number]) for port in needed if port.number in held]
    problems = [problem for problem in taken if problem]
    if problems:
        raise Problem("; ".join(problems))
    supervisor.refuse_another(held)


def _check_permission(needed: list[ports.Port]) -> None:
    """Low ports are root's, unless the machine is set up otherwise."""
    first_free = int(_FIRST_FREE_PORT.read_text(encoding="ascii"))
    low = [port for port in needed if port.number < first_free]
    if low and not is_root():
        raise Problem(
            f"port {low[0].number} is for root only: set {low[0].setting} in .env, or allow it by "
            f"`sysctl -w net.ipv4.ip_unprivileged_port_start={low[0].number}`"
        )


def _taken(port: ports.Port, held_by: list[ports.Holder]) -> str:
    strangers = [holder for holder in held_by if not holder.is_ours]
    if not strangers:
        return ""
    who = f"{strangers[0].name} (process {strangers[0].pid})" if strangers[0].pid else "someone"
    return f"port {port.number} is taken by {who}: stop it, or set {port.setting} in .env"


if __name__ == "__main__":
    command(main)
