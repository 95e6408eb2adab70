"""The stack suite against a stand-in stack, and what the setup suite reads out of `make run`."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from rich.console import Console
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from bench.options import Options, Unavailable
from bench.setup import steps
from bench.stack import Place, has_text, measure, pids_by_name
from tests.support.server import running

SAID = """\
▸ Python packages (412 MB)
  … uv is still at it (15 s)
  done in 31.4 s
▸ nginx
  done in 0.2 s
Chat: http://127.0.0.1:8740/
"""


async def chat(request: Request) -> Response:
    asked = await request.json()
    assert asked["model"] == "assistant/site"
    chunks: list[dict[str, object]] = [
        {"citations": [{"index": 1}, {"index": 2}], "choices": [{"delta": {"role": "assistant"}}]},
        {"choices": [{"delta": {"content": "Stop, copy, start."}}]},
        {"choices": []},
    ]
    events = [b"data: %b\n\n" % orjson.dumps(chunk) for chunk in chunks]
    return StreamingResponse(iter([*events, b"data: [DONE]\n\n"]), media_type="text/event-stream")


async def search(request: Request) -> Response:
    return JSONResponse({"results": [], "query": request.query_params["q"]})


SITE = Starlette(
    routes=[
        Route("/v1/chat/completions", chat, methods=["POST"]),
        Route("/api/search", search),
    ]
)


@pytest.fixture
def process() -> Iterator[int]:
    """A process that is there, for a pid that is one."""
    argv = [sys.executable, "-c", "print(flush=True); input()"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        yield child.pid
        child.kill()


def place(root: Path, base_url: str, apps: list[dict[str, object]], supervisor: int) -> Place:
    """A checkout whose PM2 says that `apps` run."""
    program = root / "node_modules/.bin/pm2"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho '[PM2] a banner'\necho '{orjson.dumps(apps).decode()}'\n")
    program.chmod(0o755)
    home = root / "pm2-home"
    home.mkdir()
    (home / "pm2.pid").write_text(str(supervisor))
    return Place(root, base_url, {**os.environ, "PM2_HOME": str(home)})


def options(folder: Path) -> Options:
    return Options(folder=folder, console=Console(), quick=True)


def test_a_running_stack_is_weighed_and_asked(tmp_path: Path, process: int) -> None:
    apps: list[dict[str, object]] = [
        {"name": "trivet-kb", "pid": process},
        {"name": "trivet-kb", "pid": process},
        {"name": "somebody-elses", "pid": process},
        {"name": "trivet-stopped", "pid": 0},
    ]
    with running(SITE) as base_url:
        tables, holds = measure(place(tmp_path, f"{base_url}/", apps, process), options(tmp_path))
    memory, answers, searches = tables
    assert [row[:2] for row in memory.rows] == [["pm2", "1"], ["trivet-kb", "2"], ["together", "3"]]
    assert all(float(cell) > 1 for cell in memory.rows[1][2:])
    assert holds
    assert [row[-1] for row in answers.rows] == ["2", "2"]
    assert all(float(cell) > 0 for row in answers.rows for cell in row[1:-1])
    assert all(float(cell) > 0 for row in searches.rows for cell in row[1:])


def test_no_stack_is_told_and_pm2_is_not_started_for_the_question(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    with pytest.raises(Unavailable, match="make run"):
        pids_by_name(place(tmp_path, "http://127.0.0.1:9/", [], gone.pid))


def test_a_pm2_that_runs_other_things_is_no_stack(tmp_path: Path, process: int) -> None:
    for name, apps in (("empty", []), ("other", [{"name": "somebody-elses", "pid": process}])):
        there = place(tmp_path / name, "http://127.0.0.1:9/", apps, process)
        with pytest.raises(Unavailable, match="make run"):
            pids_by_name(there)


def test_a_stack_that_does_not_answer_is_told(tmp_path: Path, process: int) -> None:
    there = place(tmp_path, "http://127.0.0.1:9/", [{"name": "trivet-kb", "pid": process}], process)
    with pytest.raises(Unavailable, match="does not answer"):
        measure(there, options(tmp_path))


def test_the_steps_of_make_run_are_read_with_their_seconds() -> None:
    assert steps(SAID) == [("Python packages (412 MB)", 31.4), ("nginx", 0.2)]


def test_text_is_told_from_other_chunks() -> None:
    assert has_text({"choices": [{"delta": {"content": "a"}}]})
    assert not has_text({"choices": [{"delta": {"role": "assistant", "content": ""}}]})
    assert not has_text({"choices": [], "usage": {}})
