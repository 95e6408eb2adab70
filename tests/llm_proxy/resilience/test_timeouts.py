"""Time-outs of four kinds: those before the first output are followed by another attempt."""

from typing import Any

import pytest

from tests.llm_proxy.conftest import events_of, text_of
from tests.llm_proxy.resilience.conftest import Site
from tests.llm_proxy.resilience.test_flow import unanswering
from tests.llm_proxy.scripted import drips, stalls_midway, waits

pytestmark = pytest.mark.process

PATIENT = {"connect_seconds": 9, "first_output_seconds": 9, "silence_seconds": 9}
TWICE = {"attempts": 2, "first_delay_seconds": 0.001}


def timed(site: Site, model: str, **changes: Any) -> None:
    """`one` has these time-outs, and `two` stands in for it."""
    one = {"timeouts": {**PATIENT, "total_seconds": 20, **changes}, "retry": TWICE}
    site.configure(providers={"one": one}, fallbacks={f"one/{model}": [f"two/{model}"]})


def test_a_connection_that_is_not_made_in_time(site: Site) -> None:
    model = site.name()
    with unanswering() as url:
        one = {"base_url": url, "timeouts": {"connect_seconds": 0.05}, "retry": TWICE}
        site.configure(providers={"one": one}, fallbacks={f"one/{model}": [f"two/{model}"]})
        response = site.chat(f"one/{model}")
    assert response.headers["x-trivet-model"] == f"two/{model}"
    assert site.attributes_of(response)["trivet.attempts"] == 3


def test_hearts_beat_while_a_connection_is_made(site: Site) -> None:
    model = site.name()
    with unanswering() as url:
        one = {"base_url": url, "timeouts": {"connect_seconds": 0.2}, "retry": {"attempts": 1}}
        site.configure(providers={"one": one}, fallbacks={f"one/{model}": [f"two/{model}"]})
        response = site.chat(f"one/{model}", stream=True)
    assert response.content.startswith(b": keep-alive\n\n")
    assert text_of(response) == "Hello"


def test_a_first_word_that_does_not_come_in_time(site: Site) -> None:
    model = site.name()
    timed(site, model, first_output_seconds=0.06)
    step, gate = waits()
    site.upstream.will(model, step, drips)  # neither a head, nor data without a word, is one
    response = site.chat(f"one/{model}", stream=True)
    gate.open()
    assert text_of(response) == "Hello"
    assert site.models_of(response) == [model] * 3


def test_silence_after_the_first_word_ends_the_answer(site: Site) -> None:
    model = site.name()
    timed(site, model, silence_seconds=0.06)
    site.upstream.will(model, stalls_midway)
    response = site.chat(f"one/{model}", stream=True)
    assert text_of(response) == "Hel"
    name, data = events_of(response)[-1]
    assert (name, data["error"]["code"]) == ("error", 504)
    assert site.models_of(response) == [model]


@pytest.mark.parametrize("stream", [False, True])
def test_all_attempts_together_have_one_time(site: Site, stream: bool) -> None:
    model = site.name()
    timed(site, model, total_seconds=0.2)
    step, gate = waits()
    site.upstream.will(model, step, step, step)
    response = site.chat(f"one/{model}", stream=stream)
    gate.open()
    if response.content.startswith(b":"):
        assert events_of(response)[-1][1]["error"]["code"] == 504
    else:
        assert response.status_code == 504
    assert site.models_of(response) == [model]  # no time is left for another
