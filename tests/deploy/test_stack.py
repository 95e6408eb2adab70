"""The whole stack as a person runs it: make run, the README's curl lines, kill -9, make stop."""

import json
import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from scripts.stack import ports as machine_ports
from tests.support.stack import Stack
from tests.support.wait import until

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

APPLICATIONS = {
    "trivet-chroma": 1,
    "trivet-embedder": 1,
    "trivet-local-model": 1,
    "trivet-log-rotation": 1,
    "trivet-analytics": 2,
    "trivet-kb": 2,
    "trivet-llm-proxy": 2,
}
IDLE_MEMORY_LIMIT_BYTES = 2_500_000_000


def curl(stack: Stack, *arguments: str) -> str:
    """The very command line that the documentation shows."""
    return stack.command("curl", "-sS", "--max-time", "120", *arguments).stdout


def chat(question: str, **more: object) -> str:
    messages = [{"role": "user", "content": question}]
    return json.dumps({"model": "assistant/site", "messages": messages, **more})


def test_every_application_is_online(stack: Stack) -> None:
    found = stack.processes()
    assert {p["pm2_env"]["status"] for p in found} == {"online"}
    names = [p["name"] for p in found]
    assert {name: names.count(name) for name in names} == APPLICATIONS


def test_a_streamed_answer_of_the_local_model_has_its_sources(stack: Stack) -> None:
    body = chat("How do I back up Trivet?", stream=True)
    answer = curl(stack, "-N", f"{stack.base_url}/v1/chat/completions", "-d", body)
    lines = [
        line.removeprefix("data: ") for line in answer.splitlines() if line.startswith("data:")
    ]
    assert lines[-1] == "[DONE]"
    chunks = [json.loads(line) for line in lines[:-1]]
    assert any("backup" in c["source"] for c in chunks[0]["citations"])
    words = [c["choices"][0]["delta"].get("content") for c in chunks if c["choices"]]
    assert len("".join(filter(None, words))) > 10


@pytest.mark.parametrize(
    ("question", "source"),
    [("如何备份", "guide/zh/backup.md"), ("how+do+I+back+up", "guide/en/backup.md")],
)
def test_search_finds_the_right_passage(stack: Stack, question: str, source: str) -> None:
    found = json.loads(curl(stack, f"{stack.base_url}/api/search?q={question}&top_k=3"))
    assert found["success"]
    assert any(source in result["source"] for result in found["results"])


def test_the_company_is_known(stack: Stack) -> None:
    answer = json.loads(curl(stack, f"{stack.base_url}/api/company_info"))
    assert answer["success"]
    assert answer["company_info"]["name_en"]


def test_analytics_counts_those_very_calls(stack: Stack) -> None:
    url = f"{stack.base_url}/api/analytics/statistics?days=30"
    authorization = f"Authorization: Bearer {stack.admin_token}"

    def totals() -> tuple[int, int]:
        found = json.loads(curl(stack, "-H", authorization, url))
        return found["total_questions"], found["total_searches"]

    questions, searches = totals()
    curl(stack, f"{stack.base_url}/api/search?q=hello")
    curl(stack, f"{stack.base_url}/v1/chat/completions", "-d", chat("What is Trivet?"))
    until(lambda: totals()[0] > questions and totals()[1] > searches, 15, "both are counted")
    assert httpx.get(url).status_code == 401


def test_the_doctor_finds_nothing(stack: Stack) -> None:
    told = stack.command("make", "doctor").stdout
    assert "  NO  " not in told
    assert "trivet-kb" in told


def test_the_services_answer_on_the_loopback_alone(stack: Stack) -> None:
    """Whatever listens, listens on 127.0.0.1; nginx is the only one with a door to the outside."""
    open_ports = stack.ports - {int(stack.written["TRIVET_HTTP_PORT"])}
    addresses = {port: _addresses(port) for port in open_ports}
    assert set(addresses) == open_ports
    assert {address for there in addresses.values() for address in there} == {"0100007F"}


def _addresses(port: int) -> set[str]:
    """Local addresses, in the kernel's hexadecimal, on which a port is listened on."""
    tables = [Path(f"/proc/net/{name}") for name in ("tcp", "tcp6")]
    rows = [line.split() for table in tables for line in table.read_text().splitlines()[1:]]
    return {
        address
        for address, _, number in (row[1].partition(":") for row in rows if row[3] == "0A")
        if int(number, 16) == port
    }


def test_idle_processes_stay_under_their_memory_limit(stack: Stack) -> None:
    pids = {process["pid"] for process in stack.processes()}
    pids.add(int((stack.pm2_home / "pm2.pid").read_text()))
    pids |= _nginx_pids(stack)
    total = sum(_proportional_bytes(pid) for pid in pids)
    assert total < IDLE_MEMORY_LIMIT_BYTES


def _nginx_pids(stack: Stack) -> set[int]:
    master = int((stack.run_dir / "nginx" / "nginx.pid").read_text())
    children = Path(f"/proc/{master}/task/{master}/children").read_text()
    return {master, *map(int, children.split())}


def _proportional_bytes(pid: int) -> int:
    """Memory of a process, shared pages divided among those that share them."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    found = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
    assert found
    return int(found[1]) * 1024


def test_a_second_run_changes_nothing(stack: Stack) -> None:
    before = {p["pm_id"]: p["pid"] for p in stack.processes()}
    nginx = (stack.run_dir / "nginx" / "nginx.pid").read_text()
    told = stack.command("make", "run").stdout
    assert {p["pm_id"]: p["pid"] for p in stack.processes()} == before
    assert (stack.run_dir / "nginx" / "nginx.pid").read_text() == nginx
    assert stack.base_url in told
    assert "console/" in told
    assert "admin-token" in told
    assert stack.admin_token not in told


@pytest.mark.parametrize("name", sorted(APPLICATIONS))
def test_a_killed_process_is_healed(stack: Stack, name: str) -> None:
    victim = next(p for p in stack.processes() if p["name"] == name)
    os.kill(victim["pid"], signal.SIGKILL)

    def is_back() -> bool:
        now = {p["pm_id"]: p for p in stack.processes()}[victim["pm_id"]]
        return bool(now["pm2_env"]["status"] == "online" and now["pid"] != victim["pid"])

    until(is_back, 30, f"{name} is back")
    until(lambda: _is_ready(stack), 120, "the whole stack is ready again")


def test_a_killed_worker_of_nginx_is_healed(stack: Stack) -> None:
    master = int((stack.run_dir / "nginx" / "nginx.pid").read_text())
    for pid in _nginx_pids(stack) - {master}:
        os.kill(pid, signal.SIGKILL)
    until(lambda: _is_ready(stack), 10, "nginx answers again")


def test_run_mends_what_lost_its_supervisor(stack: Stack) -> None:
    """nginx's master is killed, whose workers keep the port, and PM2's daemon, without its apps."""
    master = int((stack.run_dir / "nginx" / "nginx.pid").read_text())
    daemon = int((stack.pm2_home / "pm2.pid").read_text())
    os.kill(master, signal.SIGKILL)
    os.kill(daemon, signal.SIGKILL)
    stack.command("make", "run")
    assert _is_ready(stack)
    assert {p["pm2_env"]["status"] for p in stack.processes()} == {"online"}


def _is_ready(stack: Stack) -> bool:
    urls = [f"{stack.base_url}/services/{name}/readyz" for name in ("llm_proxy", "kb", "analytics")]
    try:
        answers = [httpx.get(url, timeout=10) for url in urls]
    except httpx.HTTPError:
        return False
    return all(a.status_code == 200 and '"status":"ok"' in a.text for a in answers)


@pytest.mark.parametrize("target", ["run", "stop"])
def test_a_second_pm2_does_not_take_over(stack: Stack, tmp_path: Path, target: str) -> None:
    """As with another HOME, or as another user: the two would fight for the ports."""
    done = subprocess.run(
        ["make", target],
        cwd=stack.root,
        env={**stack.environ, "PM2_HOME": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode != 0
    assert f"the PM2 of {stack.pm2_home} runs this checkout already" in done.stderr
    assert not (tmp_path / "pm2.pid").exists()
    test_every_application_is_online(stack)


def test_a_stopped_application_is_started_by_the_next_run(stack: Stack) -> None:
    stack.pm2("stop", "trivet-analytics")
    stack.pm2("delete", "trivet-local-model")
    stack.command("make", "run")
    test_every_application_is_online(stack)


def test_an_edited_env_is_taken_by_the_next_run(stack: Stack) -> None:
    before = {p["name"]: p["pid"] for p in stack.processes()}
    stack.write_env(ANALYTICS_FEEDBACK_PER_MINUTE="17", TRIVET_PREFIX="/chat/")
    try:
        told = stack.command("make", "run").stdout
        after = {p["name"]: p["pid"] for p in stack.processes()}
        assert f"{stack.base_url}/chat/" in told
        assert httpx.get(f"{stack.base_url}/chat/api/company_info").status_code == 200
        assert httpx.get(f"{stack.base_url}/api/company_info").status_code == 404
        assert after["trivet-analytics"] != before["trivet-analytics"]
        assert after["trivet-chroma"] == before["trivet-chroma"]
    finally:
        stack.write_env(ANALYTICS_FEEDBACK_PER_MINUTE="", TRIVET_PREFIX="")
        stack.command("make", "run")
    assert httpx.get(f"{stack.base_url}/api/company_info").status_code == 200


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({"KB_PORT": "none"}, "KB_PORT"),
        ({"TRIVET_PREFIX": "/a b/"}, "TRIVET_PREFIX"),
        ({"ANALYTICS_FEEDBACK_PER_MINUTE": "-1"}, "ANALYTICS_FEEDBACK_PER_MINUTE"),
        ({"KB_PORT": "9", "ANALYTICS_PORT": "9"}, "wanted twice"),
    ],
)
def test_a_broken_env_is_one_line_and_nothing_is_touched(
    stack: Stack, line: dict[str, str], words: str
) -> None:
    before = {p["pm_id"]: p["pid"] for p in stack.processes()}
    good = {name: stack.written.get(name, "") for name in line}
    stack.write_env(**line)
    try:
        done = stack.command("make", "run", check=False)
    finally:
        stack.write_env(**good)
    assert done.returncode != 0
    said = [text for text in done.stderr.splitlines() if text.startswith("trivet: ")]
    assert len(said) == 1
    assert words in said[0]
    assert ".env" in said[0]
    assert {p["pm_id"]: p["pid"] for p in stack.processes()} == before


class Load:
    """Calls and streams that go on until they are told to stop; keeps what failed."""

    def __init__(self, stack: Stack) -> None:
        self._base_url = stack.base_url
        self._headers = stack.admin
        self._ended = threading.Event()
        self.done = 0
        self.failures: list[str] = []

    def __enter__(self) -> "Load":
        self._threads = [threading.Thread(target=self._call) for _ in range(4)]
        self._threads += [threading.Thread(target=self._stream) for _ in range(4)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(60)

    def _call(self) -> None:
        chat = _chat("openai/words:first_ms=200")
        with httpx.Client(base_url=self._base_url, timeout=30, headers=self._headers) as client:
            while not self._ended.is_set():
                self._ask(client, "GET", "/api/company_info")
                self._ask(client, "POST", "/api/search", {"q": "backup", "mode": "lexical"})
                self._ask(client, "GET", "/api/analytics/health")
                self._ask(client, "POST", "/v1/chat/completions", chat)

    def _stream(self) -> None:
        chat = {**_chat("openai/words:count=20:delay_ms=50"), "stream": True}
        with httpx.Client(base_url=self._base_url, timeout=30, headers=self._headers) as client:
            while not self._ended.is_set():
                text = self._ask(client, "POST", "/v1/chat/completions", chat)
                if not text.endswith("data: [DONE]\n\n"):
                    self.failures.append(text[-300:])

    def _ask(self, client: httpx.Client, method: str, path: str, body: Any = None) -> str:
        self.done += 1
        try:
            answer = client.request(method, path, json=body)
        except httpx.HTTPError as error:
            self.failures.append(f"{path} {error!r}")
            return ""
        if answer.status_code != 200:
            self.failures.append(f"{path} {answer.status_code} {answer.text[:200]}")
        return answer.text


def _chat(model: str) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": "hi"}]}


def test_a_reload_loses_no_request_and_no_stream(stack: Stack) -> None:
    before = {p["pm_id"]: p["pid"] for p in stack.processes()}
    with Load(stack) as load:
        until(lambda: load.done > 20, 60, "the load is on")
        stack.command("make", "reload")
        seen = load.done
        until(lambda: load.done > seen + 20, 60, "the load goes on after the reload")
    assert load.failures[:5] == []
    after = {p["pm_id"]: p["pid"] for p in stack.processes()}
    reloaded = {p["name"] for p in stack.processes() if before[p["pm_id"]] != after[p["pm_id"]]}
    assert reloaded == {"trivet-analytics", "trivet-kb", "trivet-llm-proxy"}


def test_no_secret_lies_in_what_pm2_keeps(stack: Stack) -> None:
    stack.pm2("reload", "ecosystem.config.js", "--only", "trivet-analytics", "--update-env")
    stack.pm2("save", "--force")
    kept = [stack.pm2("jlist"), stack.pm2("prettylist"), stack.pm2("env", "0")]
    kept += [_text(path) for path in _files(stack.pm2_home)]
    for process in stack.processes():
        kept.append(Path(f"/proc/{process['pid']}/environ").read_text(errors="replace"))
    assert [c for c in stack.canaries if any(c in text for text in kept)] == []


def test_no_secret_lies_in_a_log_or_a_database(stack: Stack) -> None:
    httpx.post(f"{stack.base_url}/api/llm/doubao", json={"messages": []}, timeout=30)
    headers = {"Authorization": f"Bearer {next(iter(stack.canaries))}x"}
    httpx.get(f"{stack.base_url}/api/analytics/queries", headers=headers)
    tokens = {stack.data_dir / "admin-token", stack.data_dir / "service-token"}
    files = {*_files(stack.data_dir), *_files(stack.run_dir)} - tokens
    files = {path for path in files if path.suffix != ".safetensors"}  # weights, out of a package
    texts = {path.name: _text(path) for path in files}
    assert {(name, c) for name, text in texts.items() for c in stack.canaries if c in text} == set()


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except FileNotFoundError:  # an outbox's file that has been delivered meanwhile
        return ""


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_the_tokens_are_the_owners_alone(stack: Stack) -> None:
    for name in ("admin-token", "service-token"):
        assert (stack.data_dir / name).stat().st_mode & 0o777 == 0o600


@pytest.fixture(scope="module")
def stopped(stack: Stack) -> Iterator[Stack]:
    """The stack after `make stop`; it is started again afterwards."""
    stack.command("make", "stop")
    yield stack
    stack.command("make", "run")


def test_stop_leaves_no_process_and_no_port(stopped: Stack) -> None:
    assert set(machine_ports.listening()) & stopped.ports == set()
    at_work = [pid for pid in _pids() if _works_in(pid, stopped.root)]
    assert at_work == []


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _works_in(pid: int, folder: Path) -> bool:
    try:
        return Path(f"/proc/{pid}/cwd").readlink() == folder
    except OSError:
        return False


def test_a_port_that_a_stranger_holds_is_named_and_nothing_is_started(stopped: Stack) -> None:
    port = stopped.written["KB_PORT"]
    stranger = subprocess.Popen(
        ["python3", "-m", "http.server", port, "--bind", "127.0.0.1"],
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: int(port) in machine_ports.listening(), 10, "the stranger listens")
        done = stopped.command("make", "run", check=False)
    finally:
        stranger.terminate()
        stranger.wait(10)
    assert done.returncode != 0
    assert f"port {port} is taken by" in done.stderr
    assert "KB_PORT" in done.stderr
    assert set(machine_ports.listening()) & stopped.ports == set()
    assert not (stopped.pm2_home / "rpc.sock").exists()
