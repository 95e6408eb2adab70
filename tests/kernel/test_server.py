"""A service as a process: ready, stopped, refused."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.support.ports import free_port
from tests.support.wait import until

pytestmark = pytest.mark.process

PROGRAM = """
import sys
from contextlib import asynccontextmanager
from services.kernel.app import build_app
from services.kernel.errors import ConfigurationError
from services.kernel.server import exit_on_configuration_error, serve
from services.kernel.settings import CommonSettings, read_settings

@asynccontextmanager
async def lifespan():
    if sys.argv[3:] == ["misconfigured"]:
        raise ConfigurationError("SAMPLE_PORT: must be a number")
    if sys.argv[3:] == ["broken"]:
        raise RuntimeError("canary-not-a-key in /a/secret/path")
    yield None

async def readiness(_state):
    return {}

def start():
    settings = read_settings(CommonSettings, {"TRIVET_DATA_DIR": sys.argv[2]})
    app = build_app("sample", settings, [], lifespan, readiness)
    serve("sample", int(sys.argv[1]), lambda: app)

exit_on_configuration_error(start)
"""


def start(
    port: int, data: Path, channel: int | None = None, *, fault: str = ""
) -> subprocess.Popen[str]:
    environ = {**os.environ, **({"NODE_CHANNEL_FD": str(channel)} if channel else {})}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(port), str(data), *([fault] if fault else [])],
        env=environ,
        pass_fds=[channel] if channel else [],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_it_tells_pm2_when_it_is_up_and_stops_on_sigint(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    ours.settimeout(20)
    port = free_port()
    process = start(port, tmp_path, theirs.fileno())
    try:
        assert ours.recv(100) == b'"ready"\n'
        assert httpx.get(f"http://127.0.0.1:{port}/readyz").json()["status"] == "ok"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
        ours.close()
        theirs.close()
    assert process.returncode == 0
    assert err == ""
    assert '"service":"sample"' in out


def test_a_taken_port_ends_it_with_78_and_one_line(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        process = start(port, tmp_path)
        _out, err = process.communicate(timeout=20)
    assert process.returncode == 78
    assert err.strip().splitlines() == [
        f"trivet: port {port} on 127.0.0.1 is taken: stop what holds it or change it in .env"
    ]


def test_it_listens_on_the_loopback_alone(tmp_path: Path) -> None:
    port = free_port()
    process = start(port, tmp_path)
    try:
        until(lambda: listening(port), 20)
        assert listening(port) == {"127.0.0.1"}
    finally:
        process.kill()
        process.communicate()


def listening(port: int) -> set[str]:
    """Addresses on which something listens at `port`, from the kernel's tables."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            local, state = line.split()[1], line.split()[3]
            address, _, number = local.partition(":")
            if state == "0A" and int(number, 16) == port:
                raw = bytes.fromhex(address)
                found.add(".".join(map(str, reversed(raw))) if len(raw) == 4 else address)
    return found


def test_a_start_that_fails_is_logged_without_the_exceptions_text(tmp_path: Path) -> None:
    process = start(free_port(), tmp_path, fault="broken")
    out, err = process.communicate(timeout=20)
    assert process.returncode == 1  # another start may help
    assert "builtins.RuntimeError" in out
    assert "could not start" in err
    assert "canary" not in out + err
    assert "/a/secret/path" not in out + err


def test_a_configuration_that_the_lifespan_refuses_ends_it_with_78(tmp_path: Path) -> None:
    process = start(free_port(), tmp_path, fault="misconfigured")
    _, err = process.communicate(timeout=20)
    assert process.returncode == 78
    assert err == "trivet: SAMPLE_PORT: must be a number\n"


def test_work_done_aside_leaves_its_imports_behind_even_when_it_fails(tmp_path: Path) -> None:
    program = """
import pathlib, sys
from services.kernel.server import aside

def work():
    import colorsys
    pathlib.Path(sys.argv[1]).write_text(colorsys.__name__)

def fail():
    raise RuntimeError("canary")

aside(work)
aside(fail)
assert "colorsys" not in sys.modules
"""
    done = tmp_path / "done"
    ran = subprocess.run([sys.executable, "-c", program, str(done)], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert done.read_text() == "colorsys"
