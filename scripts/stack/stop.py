"""`make stop`: leaves no process and no port."""

from __future__ import annotations

from scripts.stack import pm2, ports
from scripts.stack import settings as stack_settings
from scripts.stack.console import Problem, command, say, step
from scripts.stack.nginx import Nginx
from scripts.stack.orphans import end_orphans

_TRIES = 5


def main() -> None:
    settings = stack_settings.read()
    numbers = {port.number for port in ports.needed(settings)}
    with step("Stopping"):
        Nginx(settings).stop()
        _stop_applications()
        end_orphans(numbers, ())
    left = [h for there in ports.holders(numbers).values() for h in there if h.is_ours]
    if left:
        raise Problem(f"process {left[0].pid} ({left[0].name}) does not end: kill -9 {left[0].pid}")
    say("Nothing of Trivet is running.")


def _stop_applications() -> None:
    """Looks again: PM2 may revive a process that was about to start anew as it was deleted."""
    for _ in range(_TRIES):
        left = pm2.ours()
        if not left:
            break
        pm2.delete([process.id for process in left])
    else:
        names = ", ".join(sorted({process.name for process in left}))
        raise Problem(f"PM2 starts {names} again and again: npx pm2 kill ends all that it runs")
    if pm2.is_running() and not pm2.processes():
        pm2.end()


if __name__ == "__main__":
    command(main)
