"""What PM2 is given: applications, their digests, and an environment without secrets."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from scripts.stack import applications, pm2
from scripts.stack import settings as stack_settings
from scripts.stack.places import ROOT
from scripts.stack.settings import StackSettings
from scripts.stack.start import Plan
from tests.support.stack import SHELL_CANARIES

SERVICES = {"trivet-llm-proxy", "trivet-kb", "trivet-analytics"}


def digests(**environ: str) -> dict[str, str]:
    return applications.digests(stack_settings.read(environ), environ)


def changed(**environ: str) -> set[str]:
    """The applications that another environment makes new."""
    before, after = digests(TRIVET_LOG_LEVEL="info"), digests(TRIVET_LOG_LEVEL="info", **environ)
    return {name for name in before if before[name] != after.get(name)}


@pytest.mark.parametrize(
    ("name", "value", "concerned"),
    [
        ("LLM_PROXY_ANONYMOUS", "off", {"trivet-llm-proxy"}),
        ("LLM_PROXY_LOCAL_MODEL_SLOTS", "4", {"trivet-llm-proxy", "trivet-local-model"}),
        ("KB_CHUNK_TOKENS", "100", {"trivet-kb"}),
        ("KB_MODEL_PATH", "/models/x", {"trivet-kb", "trivet-embedder"}),
        ("ANALYTICS_FEEDBACK_PER_MINUTE", "3", {"trivet-analytics"}),
        ("DOUBAO_MODEL", "x", {"trivet-llm-proxy"}),
        ("TRIVET_PREFIX", "/chat/", SERVICES),
        ("PATH", "/bin", set()),
    ],
)
def test_a_setting_concerns_those_that_read_it(name: str, value: str, concerned: set[str]) -> None:
    assert changed(**{name: value}) == concerned


def test_a_port_concerns_every_neighbour() -> None:
    assert changed(KB_PORT="9") >= SERVICES


def test_chroma_is_left_out_when_there_is_one_elsewhere() -> None:
    elsewhere = stack_settings.read({"KB_CHROMA_URL": "http://10.0.0.5:8000"})
    names = [a.name for a in applications.applications(elsewhere)]
    assert "trivet-chroma" not in names
    assert set(names) > SERVICES


def test_nothing_secret_is_handed_to_pm2() -> None:
    shell = {
        **SHELL_CANARIES,
        "DOUBAO_API_KEY": "canary",
        "TRIVET_PYPI_INDEX_URL": "https://user:canary@pypi.example",
        "npm_config_token": "canary",
        "HTTPS_PROXY": "http://user:canary@proxy.example",
        "FERNET_KEY": "canary",
        "PATH": "/usr/bin",
        "TRIVET_LOG_LEVEL": "debug",
        "DOUBAO_MODEL": "m",
        "LC_ALL": "C.UTF-8",
    }
    passed = applications.clean_environ(shell)
    assert set(passed) == {"PATH", "TRIVET_LOG_LEVEL", "DOUBAO_MODEL", "LC_ALL"}


def test_a_key_in_the_shell_alone_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPSEEK_API_KEY", "sk-test-not-a-key")
    assert "DEEPSEEK_API_KEY" in applications.secrets_left_behind()


def ecosystem(tmp_path: Path, **more: str) -> list[dict[str, object]]:
    """What PM2 reads, with secrets lying about in the shell."""
    environ = {"PATH": os.environ["PATH"], "TRIVET_RUN_DIR": str(tmp_path), **SHELL_CANARIES}
    script = "console.log(JSON.stringify(require('./ecosystem.config.js')))"
    done = subprocess.run(
        ["node", "-e", script],
        cwd=ROOT,
        env={**environ, **more},
        capture_output=True,
        text=True,
        check=True,
    )
    assert not [c for c in SHELL_CANARIES.values() if c in done.stdout]
    apps: list[dict[str, object]] = json.loads(done.stdout)["apps"]
    return apps


def test_the_ecosystem_holds_every_application_with_its_digest(tmp_path: Path) -> None:
    apps = ecosystem(tmp_path)
    listed = applications.applications(stack_settings.read({}))
    assert {app["name"] for app in apps} == {application.name for application in listed}
    for app in apps:
        environ = app["env"]
        assert isinstance(environ, dict)
        assert len(environ["TRIVET_STARTED_WITH"]) == 16
        assert app["exec_mode"] == "fork"
        assert app["stop_exit_codes"] == [78]
        assert app["max_memory_restart"]


def test_services_drain_and_say_when_they_are_ready(tmp_path: Path) -> None:
    for app in ecosystem(tmp_path, TRIVET_INSTANCES="3"):
        if app["name"] in SERVICES:
            assert (app["instances"], app["instance_var"]) == (3, "TRIVET_INSTANCE")
            assert app["wait_ready"] is True
            assert app["kill_timeout"] == 30_000


def process(name: str, **more: object) -> pm2.Process:
    described = {
        "name": name,
        "id": 0,
        "pid": 1,
        "status": "online",
        "memory_bytes": 0,
        "restarts": 0,
        "root": ROOT,
        "started_with": digests_of_the_default()[name],
        "exit_code": None,
        "is_ours": True,
        "log": Path(os.devnull),
        **more,
    }
    return pm2.Process(**described)  # type: ignore[arg-type]  # a test's shorthand


def defaults() -> StackSettings:
    return stack_settings.read({})


def digests_of_the_default() -> dict[str, str]:
    return applications.digests(defaults(), {})


def all_online() -> list[pm2.Process]:
    listed = applications.applications(defaults())
    return [process(a.name, id=n) for a in listed for n in range(a.instances)]


def plan(there: list[pm2.Process], monkeypatch: pytest.MonkeyPatch) -> Plan:
    monkeypatch.setattr("scripts.stack.start.load_environ", lambda _root: {})
    return Plan.of(defaults(), there)


def test_nothing_is_done_where_all_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    found = plan(all_online(), monkeypatch)
    assert (found.delete, found.start, found.reload) == ([], [], [])


def test_everything_is_started_on_an_empty_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    found = plan([], monkeypatch)
    assert len(found.start) == 7
    assert found.delete == found.reload == []


def test_only_what_has_changed_is_reloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    there = [p for p in all_online() if p.name != "trivet-kb"]
    stale = [process("trivet-kb", started_with="other"), process("trivet-kb", id=9)]
    found = plan([*there, *stale], monkeypatch)
    assert (found.delete, found.start, found.reload) == ([], [], ["trivet-kb"])


@pytest.mark.parametrize("status", ["stopped", "errored", "waiting restart"])
def test_what_is_down_is_started_anew(status: str, monkeypatch: pytest.MonkeyPatch) -> None:
    there = [p for p in all_online() if p.name != "trivet-chroma"]
    found = plan([*there, process("trivet-chroma", status=status)], monkeypatch)
    assert (found.delete, found.start) == (["trivet-chroma"], ["trivet-chroma"])
    assert found.reload == []


def test_another_number_of_instances_is_started_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    there = [p for p in all_online() if p.name != "trivet-kb"]
    found = plan([*there, process("trivet-kb")], monkeypatch)
    assert (found.delete, found.start) == (["trivet-kb"], ["trivet-kb"])
