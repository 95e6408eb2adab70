"""CPU and memory come from /proc, and hold against what the process itself says."""

import os
import subprocess
import sys
import time
from pathlib import Path

from bench.process import cpu_seconds, memory, pin, running, tree
from tests.support.wait import until

NAP = "import time; time.sleep(60)"


def test_cpu_time_is_what_the_process_itself_counts() -> None:
    until(lambda: sum(range(100_000)) and time.process_time() > 0.3, what="some CPU is burnt")
    times = os.times()
    assert abs(cpu_seconds([os.getpid()]) - (times.user + times.system)) < 0.1


def test_memory_is_that_of_all_processes_named() -> None:
    alone = memory([os.getpid()])
    assert alone.rss_bytes >= alone.pss_bytes > 1_000_000
    assert memory([os.getpid()] * 2).rss_bytes > alone.rss_bytes * 1.5


def test_a_tree_holds_children_of_children(tmp_path: Path) -> None:
    nested = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {NAP!r}])"
    argv = [sys.executable, "-c", nested]
    with running(argv, log=tmp_path / "log", cwd=tmp_path) as process:
        pids = until(lambda: found if len(found := tree(process.pid)) == 2 else None)
    assert pids is not None
    assert pids[0] == process.pid
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), what="all have ended")


def test_a_process_is_pinned_to_the_core_it_was_given(tmp_path: Path) -> None:
    core = min(os.sched_getaffinity(0))
    argv = [sys.executable, "-c", NAP]
    with running(argv, log=tmp_path / "log", cwd=tmp_path, core=core) as process:
        assert os.sched_getaffinity(process.pid) == {core}


def test_a_core_that_is_not_there_pins_nothing() -> None:
    script = (
        "import os; from bench.process import pin; before = os.sched_getaffinity(0);"
        "pin(10_000); assert os.sched_getaffinity(0) == before"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    pin(None)
