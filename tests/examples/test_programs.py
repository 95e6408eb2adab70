"""The examples in Python, before a real gateway with a mock vendor behind it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from scripts.stack.places import ROOT
from tests.examples.conftest import ANSWER, EXAMPLES, PASSAGES
from tests.llm_proxy.conftest import Gateway

pytestmark = pytest.mark.process

PROGRAMS = ["with_openai.py", "with_stdlib.py"]


def run(program: str, gateway: Gateway, **environ: str) -> subprocess.CompletedProcess[str]:
    given = {"PATH": os.environ["PATH"], "PYTHONIOENCODING": "utf-8", "TRIVET_BASE": gateway.url}
    command = [sys.executable, str(EXAMPLES / "python" / program), "How do I back up?"]
    return subprocess.run(
        command, env={**given, **environ}, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_prints_sources_and_answer(program: str, gateway: Gateway) -> None:
    done = run(program, gateway)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"[1] {PASSAGES[0]['title']}", ANSWER]


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_says_why_it_was_refused(program: str, gateway: Gateway) -> None:
    done = run(program, gateway, TRIVET_KEY="sk_of-nobody")
    assert done.returncode == 1
    assert done.stderr.startswith("refused with status 401: ")
    assert "Traceback" not in done.stderr


def test_react_and_its_lock_name_the_same_versions() -> None:
    """The example is built with the root's packages: its own manifest must not say otherwise."""
    own = json.loads((EXAMPLES / "react" / "package.json").read_text())
    lock = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    for name, version in {**own["dependencies"], **own["devDependencies"]}.items():
        assert lock[f"node_modules/{name}"]["version"] == version, name
