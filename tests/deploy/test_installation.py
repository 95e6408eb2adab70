"""What `make run` looks at before it touches anything, and how it remembers what it has done."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.stack import machine, mirrors, nginx_binary, pids, ports, preflight, python_packages
from scripts.stack import settings as stack_settings
from scripts.stack.console import Problem
from scripts.stack.orphans import end_orphans
from scripts.stack.places import NGINX_UNPACKED, PYTHON, REQUIREMENTS, ROOT
from scripts.stack.processes import run, succeeds
from scripts.stack.readiness import Gate, ask, wait
from scripts.stack.service_settings import check_services
from scripts.stack.stamps import digest_of, is_current, write
from tests.deploy.upstream import Upstream
from tests.support.ports import free_port
from tests.support.server import running
from tests.support.wait import until

LISTEN = "import socket, time; s = socket.create_server(('127.0.0.1', {})); time.sleep(60)"


def test_this_machine_is_good_enough() -> None:
    machine.check()


def test_everything_that_is_missing_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "output", lambda _command: "v18.19.0\n")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Problem, match=r"Node 20\.19.*v18\.19.*; npm was not found"):
        machine.check()


def test_without_a_python_one_line_says_what_to_install() -> None:
    done = subprocess.run(
        ["bash", ROOT / "scripts" / "python", "-V"],
        env={"PATH": os.environ["PATH"], "TRIVET_PYTHON": "no-such-python"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "apt install python3" in done.stderr


def test_a_port_that_is_taken_is_named_with_its_holder_and_its_setting(tmp_path: Path) -> None:
    port = free_port()
    settings = stack_settings.read({**_free_ports(), "KB_PORT": str(port), "TRIVET_INSTANCES": "1"})
    preflight.check_ports(settings)
    with subprocess.Popen([sys.executable, "-c", LISTEN.format(port)], cwd=tmp_path) as stranger:
        until(lambda: port in ports.listening(), 10, "it listens")
        with pytest.raises(Problem) as found:
            preflight.check_ports(settings)
        stranger.terminate()
    told = str(found.value)
    assert f"port {port} is taken by python" in told
    assert f"(process {stranger.pid})" in told
    assert "set KB_PORT in .env" in told


def _free_ports() -> dict[str, str]:
    names = [
        "TRIVET_HTTP_PORT",
        "LLM_PROXY_PORT",
        "ANALYTICS_PORT",
        "TRIVET_CHROMA_PORT",
        "KB_EMBEDDER_PORT",
        "LLM_PROXY_LOCAL_MODEL_PORT",
    ]
    return {name: str(free_port()) for name in names}


def test_one_port_for_two_is_refused() -> None:
    settings = stack_settings.read({"KB_PORT": "8800", "ANALYTICS_PORT": "8800"})
    with pytest.raises(
        Problem, match="8800 is wanted twice: change one of ANALYTICS_PORT, KB_PORT"
    ):
        preflight.check_ports(settings)


def test_a_second_instance_counts_too() -> None:
    settings = stack_settings.read({"KB_PORT": "7742", "ANALYTICS_PORT": "8742"})
    with pytest.raises(Problem, match="8742 is wanted twice"):
        preflight.check_ports(settings)


def test_a_low_port_is_refused_to_all_but_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = stack_settings.read({"DOMAIN": "a.example"})
    monkeypatch.setattr(preflight, "is_root", lambda: False)
    (tmp_path / "first").write_text("1024\n")
    monkeypatch.setattr(preflight, "_FIRST_FREE_PORT", tmp_path / "first")
    with pytest.raises(Problem, match="port 80 is for root only: set TRIVET_REDIRECT_PORT"):
        preflight.check_ports(settings)


def test_every_mistake_in_the_settings_is_named_at_once() -> None:
    bad = {"KB_CHUNK_TOKENS": "many", "ANALYTICS_FEEDBACK_PER_MINUTE": "0"}
    with pytest.raises(Problem) as found:
        check_services(bad)
    assert all(name in str(found.value) for name in bad)


def test_orphans_are_ended_and_children_of_supervisors_are_not() -> None:
    port = free_port()
    program = [sys.executable, "-c", LISTEN.format(port)]
    with subprocess.Popen(program, cwd=ROOT) as process:
        until(lambda: port in ports.listening(), 10, "it listens")
        assert end_orphans({port}, {os.getpid()}) == 0
        assert pids.is_alive(process.pid)
        assert end_orphans({port}, ()) == 1
        process.wait(10)
    assert not pids.is_alive(process.pid)


def test_a_process_of_another_folder_is_nobodys_orphan(tmp_path: Path) -> None:
    port = free_port()
    with subprocess.Popen([sys.executable, "-c", LISTEN.format(port)], cwd=tmp_path) as process:
        until(lambda: port in ports.listening(), 10, "it listens")
        assert end_orphans({port}, ()) == 0
        process.terminate()


def test_a_stamp_is_current_until_a_file_or_a_word_changes(tmp_path: Path) -> None:
    file, stamp = tmp_path / "a.lock", tmp_path / "stamp"
    file.write_text("1")
    write(stamp, digest_of([file], "v20"))
    assert is_current(stamp, digest_of([file], "v20"))
    assert not is_current(stamp, digest_of([file], "v22"))
    file.write_text("2")
    assert not is_current(stamp, digest_of([file], "v20"))


def test_mirrors_come_from_the_shell_or_from_env(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text(
        "# TORCH_INDEX_URL=https://commented.example\n"
        'TRIVET_PYPI_INDEX_URL="https://written.example/simple"\n'
        "TRIVET_NPM_REGISTRY=https://npm.example\n"
    )
    monkeypatch.setattr(mirrors, "ROOT", tmp_path)
    monkeypatch.setenv("TRIVET_NPM_REGISTRY", "https://shell.example")
    monkeypatch.delenv("TORCH_INDEX_URL", raising=False)
    found = mirrors.read_mirrors()
    assert found.python_environ()["UV_DEFAULT_INDEX"] == "https://written.example/simple"
    assert found.node_environ() == {"npm_config_registry": "https://shell.example"}
    assert found.torch_index_url == ""


def test_an_unreadable_env_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_bytes(b"\xff\xfe\x00rubbish")
    monkeypatch.setattr(mirrors, "ROOT", tmp_path)
    with pytest.raises(Problem, match=r"\.env cannot be read"):
        mirrors.read_mirrors()


def test_the_credentials_of_a_mirror_are_never_shown() -> None:
    url = "https://user:sk-test-not-a-key@mirror.example/whl/cpu"
    assert python_packages._without_credentials(url) == "https://mirror.example/whl/cpu"


def test_the_locks_hold_no_cuda_build_and_a_hash_for_everything() -> None:
    for path in REQUIREMENTS.glob("*.lock"):
        text = path.read_text()
        assert "nvidia-" not in text, path
        assert "http://" not in text and "https://" not in text, path
        pinned = [line for line in text.splitlines() if "==" in line and line[0] not in "# -"]
        assert pinned
        assert text.count("--hash=sha256:") >= len(pinned), path
    assert "+cpu" in (REQUIREMENTS / "torch.lock").read_text()


def test_the_settings_reader_alone_is_enough_for_the_first_checks() -> None:
    """Before the large downloads `.venv` holds python-dotenv only; the checks must need no more."""
    program = (
        "import sys; import scripts.stack.preflight\n"
        "files = [getattr(m, '__file__', None) or '' for m in list(sys.modules.values())]\n"
        "print({f.partition('site-packages/')[2].split('/')[0] for f in files if 'site-' in f})"
    )
    done = subprocess.run(
        [PYTHON, "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = ast.literal_eval(done.stdout) - {"_distutils_hack"}  # setuptools hooks itself in
    assert loaded == {"dotenv"}


def test_a_failing_program_shows_its_last_words(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Problem, match="mend it"):
        run(["sh", "-c", "echo the reason; exit 3"], otherwise="mend it")
    assert "| the reason" in capsys.readouterr().out
    assert not succeeds(["false"])
    with pytest.raises(Problem, match="no-such-program cannot be started"):
        run(["no-such-program"], otherwise="mend it")


def test_nginx_is_found_by_its_name_in_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NGINX_BIN", "/bin/true")
    assert nginx_binary.find() == Path("/bin/true")
    monkeypatch.setenv("NGINX_BIN", "/no/such/nginx")
    assert nginx_binary.find() is None
    with pytest.raises(Problem, match="NGINX_BIN names no program"):
        nginx_binary.install()


def test_without_apt_it_says_how_to_bring_nginx(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nginx_binary, "find", lambda: None)
    monkeypatch.setattr(nginx_binary, "has_apt", lambda: False)
    monkeypatch.delenv("NGINX_BIN", raising=False)
    with pytest.raises(Problem, match=r"install nginx 1\.22 or newer, or name one in NGINX_BIN"):
        nginx_binary.install()


def test_waiting_ends_when_everything_says_ok() -> None:
    with running(Upstream("any")) as url:
        wait([Gate("trivet-kb", f"{url}/readyz")])


def test_an_address_that_nobody_holds_is_unreachable() -> None:
    assert ask(f"http://127.0.0.1:{free_port()}/readyz").state == "unreachable"


def test_unpacked_nginx_lies_outside_of_what_git_sees() -> None:
    inside = NGINX_UNPACKED / "usr" / "sbin" / "nginx"
    done = subprocess.run(["git", "check-ignore", "-q", inside], cwd=ROOT, check=False)
    assert done.returncode == 0
