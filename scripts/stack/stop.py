"""`make stop`: leaves no process and no port."""

from __future__ import annotations

from scripts.stack import pm2, ports, supervisor
from scripts.stack import settings as stack_settings
from scripts.stack.console import Problem, command, say, step
from scripts.stack.nginx import Nginx
from scripts.stack.orphans import end_orphans

_TRIES = 20


def main() -> None:
    settings = stack_settings.read()
    numbers = {port.number for port in ports.needed(settings)}
    supervisor.refuse_another(ports.holders(numbers))
    with step("Stopping"):
        Nginx(settings).stop()
        stop_applications()
        end_orphans(numbers, ())
    left = [h for there in ports.holders(numbers).values() for h in there if h.is_ours]
    if left:
        raise Problem(f"process {left[0].pid} ({left[0].name}) does not end: kill -9 {left[0].pid}")
    say("Nothing of Trivet is running.")


def stop_applications() -> None:
    """PM2 starts a process anew though it was deleted, where it was about to do so. So it is asked
    again, or ended with what it has revived, where it runs nothing else."""
    for _ in range(_TRIES):
        pm2.delete([process.id for process in pm2.ours()])
        left = pm2.processes()
        mine = [process for process in left if process.is_of_this_checkout]
        if len(mine) == len(left):
            if pm2.is_running():
                pm2.end()
            return
        if not mine:
            return
    names = ", ".join(sorted({process.name for process in mine}))
    raise Problem(f"PM2 starts {names} again and again: npx pm2 kill ends all that it runs")


if __name__ == "__main__":
    command(main)
