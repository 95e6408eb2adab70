"""Another PM2 that runs this checkout already: `make run` under another HOME, or another user's.

Two of them would fight for the ports, each reviving what the other has ended.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from scripts.stack import pids, pm2
from scripts.stack.console import Problem
from scripts.stack.ports import Holder

_DAEMON = re.compile(r"PM2 v[^ ]+: God Daemon \((.+)\)")  # how it names itself


def refuse_another(held: Mapping[int, Iterable[Holder]]) -> None:
    """Raises Problem when what holds one of the ports is ours, but another PM2's child."""
    for there in held.values():
        for holder in there:
            home = _daemon_home(holder.pid) if holder.is_ours else None
            if home is not None and home.resolve() != pm2.home().resolve():
                raise Problem(
                    f"the PM2 of {home} runs this checkout already: use it by PM2_HOME={home}, or "
                    f"stop it with PM2_HOME={home} make stop"
                )


def _daemon_home(pid: int) -> Path | None:
    """The folder of the PM2 daemon above a process; None where there is none."""
    for ancestor in pids.ancestors(pid):
        try:
            line = Path(f"/proc/{ancestor}/cmdline").read_bytes()
        except OSError:
            continue
        found = _DAEMON.match(line.replace(b"\0", b" ").decode(errors="replace"))
        if found is not None:
            return Path(found[1])
    return None
