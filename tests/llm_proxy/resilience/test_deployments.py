"""One name, several deployments: shared out, left alone when they fail, tried again by one call."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.llm_proxy.conftest import text_of
from tests.llm_proxy.resilience.conftest import Site
from tests.llm_proxy.scripted import breaks_before_output, fails, waits
from tests.llm_proxy.test_disconnect import Caller
from tests.support.wait import until

SOON = {"failures": 1, "seconds": 0.1, "max_seconds": 0.1}
LATE = {"failures": 1, "seconds": 60}
ONCE = {"attempts": 1}


def pair(site: Site, **cooldown: Any) -> tuple[str, str]:
    """`name` stands for a model at `one` and another at `two`."""
    first, second = site.name(), site.name()
    changed = {"cooldown": cooldown} if cooldown else {}
    site.configure(
        providers={"one": changed, "two": changed},
        deployments={"name": [{"model": f"one/{first}"}, {"model": f"two/{second}"}]},
    )
    return first, second


def test_calls_go_to_equals_in_turn_while_nothing_runs(site: Site) -> None:
    first, second = pair(site)
    for _ in range(6):
        assert site.chat("name").status_code == 200
    models = [call.model for call in site.upstream.calls]
    assert models.count(first) == models.count(second) == 3


def test_a_busy_deployment_is_passed_over(site: Site) -> None:
    first, second = pair(site)
    step, gate = waits()
    site.upstream.will(first, step)
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(site.chat, "name")
        until(lambda: site.upstream.calls, 5, "the first call is open")
        quick = [site.chat("name") for _ in range(4)]
        gate.open()
        assert slow.result(10).status_code == 200
    assert {response.headers["x-trivet-model"] for response in quick} == {f"two/{second}"}


def test_calls_are_shared_by_weight(site: Site) -> None:
    first, second = site.name(), site.name()
    site.configure(
        deployments={
            "name": [{"model": f"one/{first}", "weight": 3}, {"model": f"two/{second}"}],
        }
    )
    for _ in range(8):
        site.chat("name")
    models = [call.model for call in site.upstream.calls]
    assert (models.count(first), models.count(second)) == (6, 2)


@pytest.mark.parametrize("stream", [False, True])
def test_what_fails_at_one_is_answered_by_the_other_at_once(site: Site, stream: bool) -> None:
    first, second = pair(site)
    site.upstream.will(first, breaks_before_output if stream else fails(500))
    site.upstream.will(second, breaks_before_output if stream else fails(500))
    response = site.chat("name", stream=stream)  # the first fails, the second fails, one of them
    assert response.status_code == 200
    models = site.models_of(response)
    assert set(models[:2]) == {first, second}
    assert len(models) == 3
    assert "x-trivet-fallback" not in response.headers  # they are equals


def test_what_fails_is_left_alone(site: Site) -> None:
    first, second = pair(site, **LATE)
    site.upstream.will(first, fails(500))
    for _ in range(6):
        assert site.chat("name").status_code == 200
    models = [call.model for call in site.upstream.calls]
    assert models.count(first) == 1
    shown = site.deployment("one", first)
    assert shown["usable"] is False
    assert shown["reachable"] is False
    assert shown["failures"] == 1
    assert shown["cooling_down_until"].endswith("Z") or "+00:00" in shown["cooling_down_until"]
    assert site.deployment("two", second)["usable"] is True


def test_it_takes_as_many_failures_in_a_row_as_are_configured(site: Site) -> None:
    first, _ = pair(site, failures=2, seconds=60)
    site.upstream.will(first, fails(500))
    site.chat("name")
    assert site.deployment("one", first)["usable"] is True
    while site.deployment("one", first)["failures"]:
        site.chat("name")  # it answers well again: the count begins anew
    site.upstream.will(first, fails(500), fails(500))
    while site.upstream.script[first]:
        site.chat("name")
    assert site.deployment("one", first)["usable"] is False


def test_one_call_alone_finds_out_whether_it_is_back(site: Site) -> None:
    first, second = pair(site, **SOON)
    step, gate = waits()
    site.upstream.will(first, fails(500), step)
    while not site.deployment("one", first)["cooling_down_until"]:
        site.chat("name")
    until(lambda: site.deployment("one", first)["usable"], 5, "the time is over")
    site.upstream.calls.clear()
    with ThreadPoolExecutor(4) as threads:
        probe = threads.submit(probing, site, first)
        until(lambda: first in [call.model for call in site.upstream.calls], 5, "the probe")
        assert site.deployment("one", first)["usable"] is False
        others = list(threads.map(lambda _: site.chat("name"), range(3)))
        assert {response.headers["x-trivet-model"] for response in others} == {f"two/{second}"}
        gate.open()
        assert probe.result(10)
    until(lambda: site.deployment("one", first)["usable"], 5, "it is back")
    assert site.deployment("one", first)["failures"] == 0
    assert [call.model for call in site.upstream.calls].count(first) == 1


def probing(site: Site, model: str) -> bool:
    """Calls until one goes to the model; whether that was answered."""
    while True:
        response = site.chat("name")
        if model in site.models_of(response):
            return response.status_code == 200


def test_a_probe_that_fails_is_not_the_callers_trouble(site: Site) -> None:
    first, _ = pair(site, **SOON)
    site.upstream.will(first, fails(500), fails(500))
    while site.upstream.script[first]:
        assert site.chat("name").status_code == 200
    assert site.deployment("one", first)["failures"] == 2


def test_a_probe_whose_caller_leaves_decides_nothing(site: Site) -> None:
    first, _ = pair(site, **SOON)
    step, gate = waits()
    site.upstream.will(first, fails(500), step)
    while not site.deployment("one", first)["cooling_down_until"]:
        site.chat("name")
    until(lambda: site.deployment("one", first)["usable"], 5, "the time is over")
    callers = [Caller(site.gateway, "/v1/chat/completions", site.body("name")) for _ in range(3)]
    until(lambda: not site.upstream.script[first], 5, "the probe is open")
    for caller in callers:
        caller.leave()
    until(lambda: site.deployment("one", first)["running"] == 0, 5, "the probe is over")
    assert site.deployment("one", first)["usable"] is True
    gate.open()


def test_where_all_cool_down_the_one_that_is_back_soonest_is_asked(site: Site) -> None:
    first, second = pair(site, **LATE)
    site.upstream.will(first, fails(500), fails(500))
    site.upstream.will(second, fails(500), fails(500))
    assert site.chat("name").status_code == 502
    again = site.chat("name")
    assert again.status_code == 502
    assert len(site.models_of(again)) == 1  # to ask more often would not help anybody
    site.upstream.script.clear()
    assert site.chat("name").status_code == 200
    assert site.chat("name").status_code == 200


def test_the_only_deployment_is_asked_however_it_fares(site: Site) -> None:
    site.configure(providers={"one": {"cooldown": LATE}})
    model = site.name()
    site.upstream.will(model, *[fails(500)] * 4)
    assert [site.chat(f"one/{model}").status_code for _ in range(5)] == [502, 502, 502, 502, 200]


def test_deployments_have_time_outs_of_their_own(site: Site) -> None:
    slow, quick = site.name(), site.name()
    step, gate = waits()
    site.upstream.will(slow, step)
    impatient = {"first_output_seconds": 0.05, "total_seconds": 5}
    site.configure(
        providers={"one": {"retry": ONCE}},
        deployments={"name": [{"model": f"one/{slow}", "timeouts": impatient}]},
        fallbacks={"name": [f"two/{quick}"]},
    )
    response = site.chat("name", stream=True)
    gate.open()
    assert text_of(response) == "Hello"
    assert site.models_of(response) == [slow, quick]


def test_a_deployment_may_have_a_key_of_its_own(site: Site) -> None:
    model = site.name()
    site.configure(deployments={"name": [{"model": f"one/{model}", "api_key": "sk-test-own"}]})
    site.chat("name")
    assert site.upstream.calls[-1].key == "sk-test-own"


def test_deployments_without_their_key_are_left_out(site: Site) -> None:
    first, second = site.name(), site.name()
    site.configure(
        providers={"one": {"api_key": ""}},
        deployments={"name": [{"model": f"one/{first}"}, {"model": f"two/{second}"}]},
    )
    assert {site.chat("name").headers["x-trivet-model"] for _ in range(3)} == {f"two/{second}"}


def test_the_name_is_listed_among_the_models(site: Site) -> None:
    pair(site)
    with site.gateway.client() as client:
        listed = {item["id"]: item for item in client.get("/v1/models").json()["data"]}
    assert listed["name"]["owned_by"] == "trivet"


def test_a_reload_leaves_alone_what_it_does_not_change(site: Site) -> None:
    first, second = pair(site, **LATE)
    site.upstream.will(first, fails(500))
    while site.deployment("one", first)["usable"]:
        site.chat("name")
    deployments = {"name": [{"model": f"one/{first}"}, {"model": f"two/{second}", "weight": 2}]}
    site.configure(deployments=deployments)
    assert site.deployment("one", first)["usable"] is False
    elsewhere = {"one": {"base_url": site.upstream.base_url + "/"}}
    site.configure(providers=elsewhere, deployments=deployments)
    assert site.deployment("one", first)["usable"] is True  # another address: nothing is known


def test_metrics_count_retries_fallbacks_and_cooldowns(site: Site) -> None:
    first, second = site.name("metered"), site.name("metered")
    site.configure(
        providers={"one": {"cooldown": {"failures": 2, "seconds": 60}}},
        deployments={"name": [{"model": f"one/{first}"}]},
        fallbacks={"name": [f"two/{second}"]},
    )
    site.upstream.will(first, fails(500), fails(500))
    assert site.chat("name").status_code == 200
    with site.gateway.client() as client:
        text = client.get("/metrics").text
    for line in (
        f'trivet_llm_retries_total{{model="{first}",provider="one"}} 1.0',
        f'trivet_llm_fallbacks_total{{model="{first}",provider="one"}} 1.0',
        f'trivet_llm_cooldowns_total{{model="{first}",provider="one"}} 1.0',
        f'trivet_llm_cooling{{model="{first}",provider="one"}} 1.0',
        f'trivet_llm_cooling{{model="{second}",provider="two"}} 0.0',
    ):
        assert line in text
