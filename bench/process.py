"""Processes as the benchmarks see them: pinned, started, measured out of /proc, ended."""

import os
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
STOP_SECONDS = 30.0


@dataclass(frozen=True)
class Memory:
    """Of a whole tree of processes. PSS divides shared pages among those who share them."""

    rss_bytes: int
    pss_bytes: int


def _stat_fields(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the command, which may hold spaces and brackets."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def tree(pid: int) -> list[int]:
    """`pid` and all that descend from it, at this moment."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int(_stat_fields(int(entry.name))[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found = [pid]
    for known in found:
        found.extend(children.get(known, []))
    return found


def cpu_seconds(pids: Sequence[int]) -> float:
    """User and system time so far (fields 14 and 15 of proc(5)'s stat), in steps of a tick."""
    ticks = 0
    for pid in pids:
        values = _stat_fields(pid)
        ticks += int(values[11]) + int(values[12])
    return ticks / TICKS_PER_SECOND


def machine_busy_seconds() -> float:
    """Time in which the processors of this machine did something, all of them together."""
    values = [int(value) for value in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    idle, iowait, guest = values[3], values[4], sum(values[8:10])
    return (sum(values) - idle - iowait - guest) / TICKS_PER_SECOND


def memory(pids: Sequence[int]) -> Memory:
    """RSS and PSS of the processes together, from /proc/PID/smaps_rollup."""
    rss = pss = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            name, _, rest = line.partition(":")
            if name == "Rss":
                rss += int(rest.split()[0]) * 1024
            elif name == "Pss":
                pss += int(rest.split()[0]) * 1024
    return Memory(rss, pss)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def raise_file_limit() -> None:
    """Thousands of open streams need as many descriptors; children inherit the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def pin(core: int | None) -> None:
    """Keep this process on one core; None, or a machine without such a core, leaves it free."""
    if core is not None and core in os.sched_getaffinity(0):
        os.sched_setaffinity(0, {core})


def prepare(core: int | None, niceness: int) -> None:
    """What a child does to itself before it becomes its program."""
    pin(core)
    os.nice(niceness)


@contextmanager
def running(
    argv: Sequence[str],
    *,
    log: Path,
    cwd: Path,
    environ: Mapping[str, str] | None = None,
    core: int | None = None,
    niceness: int = 0,
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process on `core`, its output in `log`; on the way out end it and its children."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            list(argv),
            cwd=cwd,
            env=None if environ is None else dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # A group, to end it as one; not a session: the scheduler would weigh those apart.
            process_group=0,
            preexec_fn=lambda: prepare(core, niceness),
        )
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask the process to stop, insist after a while, and leave nothing of its group behind."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def settle(limit_seconds: float, busy_share: float = 0.15) -> None:
    """Wait until the machine does nearly nothing, at most so long."""
    deadline = time.monotonic() + limit_seconds
    while time.monotonic() < deadline:
        before = machine_busy_seconds()
        time.sleep(0.2)
        if (machine_busy_seconds() - before) / 0.2 < busy_share:
            return
