"""PM2 itself, with the applications of ecosystem.config.js that need no neighbour."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from scripts.stack import pm2 as stack_pm2
from scripts.stack import stop
from scripts.stack.places import NODE_MODULES, ROOT
from tests.support.ports import free_port
from tests.support.stack import SHELL_CANARIES
from tests.support.wait import until

pytestmark = pytest.mark.stack


class Pm2:
    """A PM2 of its own, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()

    def __call__(self, *arguments: str, **environ: str) -> str:
        done = subprocess.run(
            [NODE_MODULES / ".bin" / "pm2", *arguments],
            cwd=ROOT,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.folder),
                "PM2_HOME": str(self.folder / "pm2"),
                "TRIVET_RUN_DIR": str(self.folder / "run"),
                "LLM_PROXY_LOCAL_MODEL_PORT": str(self.port),
                **SHELL_CANARIES,
                **environ,
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return done.stdout

    def start(self, name: str) -> None:
        self("start", "ecosystem.config.js", "--only", name, "--silent")

    def process(self) -> dict[str, Any]:
        found: list[dict[str, Any]] = json.loads(self("jlist", "--silent"))
        return found[0]


@pytest.fixture
def pm2() -> Iterator[Pm2]:
    folder = Path(tempfile.mkdtemp(prefix="pm2-", dir="/tmp"))  # its sockets need a short path
    mine = Pm2(folder)
    yield mine
    mine("kill", "--silent")
    shutil.rmtree(folder, ignore_errors=True)


def test_an_application_is_online_when_it_has_said_so(pm2: Pm2) -> None:
    pm2.start("trivet-local-model")  # returns when the model is ready
    assert pm2.process()["pm2_env"]["status"] == "online"
    with closing(socket.create_connection(("127.0.0.1", pm2.port), timeout=5)):
        pass


def test_a_taken_port_stays_down_instead_of_storming(pm2: Pm2) -> None:
    with closing(socket.create_server(("127.0.0.1", pm2.port))):
        pm2.start("trivet-local-model")
        pm2.start("trivet-log-rotation")  # takes longer than the first delay of a restart, 100 ms
        found = pm2.process()
    assert found["pm2_env"]["exit_code"] == 78
    assert (found["pid"], found["pm2_env"]["restart_time"]) == (0, 0)
    log = Path(found["pm2_env"]["pm_err_log_path"]).read_text()
    assert log.count(f"port {pm2.port}") == 1


def test_a_reload_by_file_takes_no_secret_out_of_the_shell(pm2: Pm2) -> None:
    pm2.start("trivet-local-model")
    options = ("--only", "trivet-local-model", "--update-env", "--silent")
    pm2("reload", "ecosystem.config.js", *options, DOUBAO_API_KEY="canary-late-key")
    pm2("save", "--force")
    kept = pm2("jlist") + (pm2.folder / "pm2" / "dump.pm2").read_text()
    kept += Path(f"/proc/{pm2.process()['pid']}/environ").read_text()
    assert [c for c in [*SHELL_CANARIES.values(), "canary-late-key"] if c in kept] == []


def test_our_logs_and_nginxs_are_rotated_and_nobody_elses(pm2: Pm2) -> None:
    """Read again every second, at 1 KB, in place of every half minute at 10 MB."""
    logs = pm2.folder / "run" / "logs"
    logs.mkdir(parents=True)
    foreign = pm2.folder / "foreign.log"
    script = pm2.folder / "foreign.sh"
    script.write_text("sleep 600\n")
    pm2("start", str(script), "--name", "foreign", "--output", str(foreign), "--silent")
    for log in (foreign, logs / "nginx-access.log"):
        log.write_text("x" * 5000)
    quick = json.dumps({"max_size": "1K", "retain": 2, "workerInterval": 1})
    environ = {"pm2-logrotate": quick, "TRIVET_NGINX_LOGS": str(logs / "nginx-access.log")}
    wrapper = str(ROOT / "deploy" / "pm2" / "log-rotation.js")
    pm2("start", wrapper, "--name", "rotation", "--namespace", "trivet", "--silent", **environ)
    until(lambda: list(logs.glob("nginx-access__*.log")), 30, "nginx's log is rotated")
    until(lambda: (logs / "nginx-access.log").stat().st_size == 0, 10, "it begins anew")
    assert foreign.stat().st_size >= 5000
    assert list(pm2.folder.glob("foreign__*")) == []


CRASHING = """
import signal, sys, time
signal.signal(signal.SIGINT, lambda *_: (time.sleep(0.4), sys.exit(1)))
time.sleep(0.6)
sys.exit(1)
"""


def crashing(folder: Path, names: list[str]) -> str:
    """An ecosystem of applications that never get ready, of this checkout."""
    program = folder / "crashing.py"
    program.write_text(CRASHING)
    common = {
        "namespace": "trivet",
        "cwd": str(ROOT),
        "script": str(program),
        "interpreter": sys.executable,
        "exp_backoff_restart_delay": 100,
        "wait_ready": True,
        "listen_timeout": 8000,
        "kill_timeout": 3000,
    }
    file = folder / "crashing.config.js"
    apps = [{"name": name, **common} for name in names]
    file.write_text(f"module.exports = {json.dumps({'apps': apps})}")
    return str(file)


@pytest.mark.parametrize("beside_others", [False, True])
def test_what_crashes_again_and_again_is_stopped_too(
    pm2: Pm2, monkeypatch: pytest.MonkeyPatch, *, beside_others: bool
) -> None:
    monkeypatch.setenv("PM2_HOME", str(pm2.folder / "pm2"))
    if beside_others:
        lasting = pm2.folder / "lasting.py"
        lasting.write_text("import time; time.sleep(600)")
        pm2("start", str(lasting), "--name", "others", "--interpreter", sys.executable, "--silent")
    pm2("start", crashing(pm2.folder, [f"trivet-x{n}" for n in range(6)]), "--silent")
    stop.stop_applications()
    left = [process.name for process in stack_pm2.processes()]
    assert left == (["others"] if beside_others else [])
    assert stack_pm2.is_running() is beside_others
