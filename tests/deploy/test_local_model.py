"""The local model, for real: the packaged weights behind OpenAI's API."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from scripts.stack.places import ROOT
from services.kernel.errors import ConfigurationError
from services.llm_proxy.local_model.engine import default_threads, parameters, weights
from services.llm_proxy.local_model.settings import Settings
from tests.support.ports import free_port
from tests.support.wait import until


def start(port: int, **more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "services.llm_proxy.local_model"],
        cwd=ROOT,
        env={**os.environ, "LLM_PROXY_LOCAL_MODEL_PORT": str(port), **more},
        stderr=subprocess.PIPE,
        text=True,
        pass_fds=[int(fd) for fd in [more.get("NODE_CHANNEL_FD")] if fd],
    )


@contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)
        if process.stderr:
            process.stderr.close()


@pytest.fixture(scope="module")
def model() -> Iterator[str]:
    """Base URL of a running local model, which told over PM2's channel that it is ready."""
    port, (mine, its) = free_port(), socket.socketpair()
    with closing(mine), ended(start(port, NODE_CHANNEL_FD=str(its.fileno()))):
        its.close()
        mine.settimeout(60)
        assert mine.recv(64) == b'"ready"\n'
        yield f"http://127.0.0.1:{port}"


def ask(model: str, question: str, **more: object) -> httpx.Response:
    messages = [{"role": "user", "content": question}]
    body = {"model": "smollm2-135m", "messages": messages, "max_tokens": 24, **more}
    return httpx.post(f"{model}/v1/chat/completions", json=body, timeout=60)


def test_it_finds_a_fact_in_a_passage(model: str) -> None:
    question = "Passage: The backup lies in the folder /srv/blue.\n\nWhere does the backup lie?"
    answer = ask(model, question, temperature=0).json()
    assert "/srv/blue" in answer["choices"][0]["message"]["content"]
    assert answer["usage"]["total_tokens"] > 0


def test_it_streams_chunks_with_usage_and_an_end(model: str) -> None:
    answer = ask(model, "Count to five.", stream=True, stream_options={"include_usage": True})
    data = re.findall(r"^data: (.+)$", answer.text, re.MULTILINE)
    chunks = [json.loads(line) for line in data[:-1]]
    assert data[-1] == "[DONE]"
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert len(chunks) > 3
    assert chunks[-1]["usage"]["completion_tokens"] > 0


def test_it_is_healthy_and_names_itself(model: str) -> None:
    assert httpx.get(f"{model}/health").json() == {"status": "ok"}
    listed = httpx.get(f"{model}/v1/models").json()
    assert listed["data"][0]["id"] == "smollm2-135m"


def test_two_chats_are_answered_side_by_side(model: str) -> None:
    with httpx.Client(timeout=60) as client:
        body = {"messages": [{"role": "user", "content": "Tell a story."}], "stream": True}
        with (
            client.stream("POST", f"{model}/v1/chat/completions", json=body) as first,
            client.stream("POST", f"{model}/v1/chat/completions", json=body) as second,
        ):
            assert next(first.iter_raw())
            assert next(second.iter_raw())


def test_a_prompt_beyond_the_context_is_refused(model: str) -> None:
    answer = ask(model, "word " * 6000)
    assert answer.status_code == 400


def test_pages_of_other_sites_may_not_talk_to_it(model: str) -> None:
    headers = httpx.get(f"{model}/health", headers={"Origin": "http://evil.example"}).headers
    assert headers.get("access-control-allow-origin", "") == ""


def test_a_taken_port_ends_it_for_good_with_a_plain_word() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as holder:
        port = holder.getsockname()[1]
        with ended(start(port)) as process:
            assert process.wait(30) == 78
            assert process.stderr is not None
            assert f"port {port}" in process.stderr.read()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_at_once(number: signal.Signals) -> None:
    port = free_port()
    with ended(start(port)) as process:
        until(lambda: _answers(port), 60, "the model answers")
        process.send_signal(number)
        assert process.wait(5) == 0


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def test_a_file_that_is_no_model_ends_it_for_good(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_text("rubbish")
    path = str(tmp_path / "model.gguf")
    with ended(start(free_port(), LLM_PROXY_LOCAL_MODEL_PATH=path)) as process:
        assert process.wait(60) == 78


def test_a_missing_file_is_named_by_its_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="LLM_PROXY_LOCAL_MODEL_PATH"):
        weights(Settings(model_path=str(tmp_path / "none.gguf")))


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (2, 1), (4, 2), (8, 4), (64, 4)])
def test_it_leaves_cores_to_the_others(cores: int, threads: int) -> None:
    assert default_threads(cores) == threads


def test_it_is_bounded_and_on_the_loopback_alone() -> None:
    chosen = parameters(Settings(context_tokens=2048, threads=3, slots=4, local_model_port=1))
    assert list(chosen.hostnames) == ["127.0.0.1"]
    assert (chosen.n_ctx, chosen.n_parallel, chosen.cpuparams.n_threads) == (2048, 4, 3)
    assert chosen.cache_ram_mib == 0
    assert not chosen.endpoint_slots


def test_openmp_is_found_where_the_system_has_none() -> None:
    script = (
        "from services.llm_proxy.local_model import openmp;"
        "openmp.load('no-such-library.so.1');"
        "print('torch/lib/libgomp.so.1' in open('/proc/self/maps').read())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "True"
