"""Where all of a name's deployments fail, others stand in, and the answer says so."""

import pytest

from tests.llm_proxy.conftest import events_of, text_of
from tests.llm_proxy.resilience.conftest import Site
from tests.llm_proxy.scripted import breaks_before_output, breaks_midway, fails
from tests.support.wait import until

ONCE = {"attempts": 1}


def chain(site: Site) -> list[str]:
    """Models at one, two and three; the latter stand in for the first. Each is asked once."""
    models = [site.name() for _ in range(3)]
    names = [
        f"{provider}/{model}"
        for provider, model in zip(("one", "two", "three"), models, strict=True)
    ]
    site.configure(
        providers={name: {"retry": ONCE} for name in ("one", "two", "three")},
        fallbacks={names[0]: names[1:]},
    )
    return models


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_names_the_model_that_gave_it(site: Site, stream: bool) -> None:
    models = chain(site)
    site.upstream.will(models[0], breaks_before_output if stream else fails(500))
    site.upstream.will(models[1], fails(429))
    response = site.chat(f"one/{models[0]}", stream=stream)
    assert response.status_code == 200
    assert site.models_of(response) == models
    assert response.headers["x-trivet-model"] == f"three/{models[2]}"
    assert response.headers["x-trivet-fallback"] == f"one/{models[0]}"
    if stream:
        chunks = [data for _, data in events_of(response) if isinstance(data, dict)]
        assert {chunk["model"] for chunk in chunks} == {models[2]}
        assert text_of(response) == "Hello"
    else:
        assert response.json()["model"] == models[2]
    attributes = site.attributes_of(response)
    assert attributes["gen_ai.provider.name"] == "three"
    assert attributes["gen_ai.request.model"] == models[2]
    assert attributes["trivet.fallback_from"] == f"one/{models[0]}"
    assert attributes["trivet.attempts"] == 3


def test_pages_of_other_origins_may_read_who_answered(site: Site) -> None:
    [first, second, _] = chain(site)
    site.upstream.will(first, fails(500))
    with site.gateway.client(headers={"Origin": "https://site.example"}) as client:
        response = client.post("/v1/chat/completions", json=site.body(f"one/{first}"))
    assert response.headers["x-trivet-model"] == f"two/{second}"
    exposed = response.headers["access-control-expose-headers"]
    assert {"X-Trivet-Model", "X-Trivet-Fallback"} <= set(exposed.split(", "))


@pytest.mark.parametrize("status", [401, 402, 403])
def test_a_refused_key_is_put_aside_and_a_stand_in_answers(site: Site, status: int) -> None:
    models = chain(site)
    site.upstream.will(models[0], fails(status))
    for _ in range(3):
        response = site.chat(f"one/{models[0]}")
        assert response.headers["x-trivet-model"] == f"two/{models[1]}"
    assert [call.model for call in site.upstream.calls].count(models[0]) == 1
    site.configure()
    other = site.chat(f"one/{site.name()}")  # nothing stands in for it, so it is asked
    assert other.status_code == 200


def test_a_used_up_quota_is_no_reason_to_come_again_but_for_a_stand_in(site: Site) -> None:
    models = chain(site)
    site.upstream.will(models[0], fails(429, "insufficient_quota"))
    for _ in range(3):
        assert site.chat(f"one/{models[0]}").headers["x-trivet-model"] == f"two/{models[1]}"
    assert [call.model for call in site.upstream.calls].count(models[0]) == 1


def test_a_request_at_fault_is_not_tried_elsewhere(site: Site) -> None:
    models = chain(site)
    site.upstream.will(models[0], fails(400))
    response = site.chat(f"one/{models[0]}")
    assert response.status_code == 400
    assert site.models_of(response) == models[:1]


def test_what_a_stand_in_does_not_understand_is_not_the_callers_fault(site: Site) -> None:
    models = chain(site)
    site.upstream.will(models[0], fails(503))
    site.upstream.will(models[1], fails(400))
    site.upstream.will(models[2], fails(404))
    response = site.chat(f"one/{models[0]}")
    assert response.status_code == 503
    assert response.json()["error"]["provider"] == "one"
    assert site.models_of(response) == models


def test_nothing_stands_in_for_embeddings(site: Site) -> None:
    site.configure(
        providers={"one": {"base_url": "http://127.0.0.1:9", "retry": ONCE}},
        fallbacks={"one": ["two/x"]},
    )
    headers = {"Authorization": f"Bearer {site.gateway.admin_token}"}
    body = {"model": "one/vectors", "input": "text"}
    response = site.gateway.post("/v1/embeddings", body, headers=headers)
    assert response.status_code == 502
    assert response.json()["error"]["provider"] == "one"


def test_after_the_first_output_nothing_stands_in(site: Site) -> None:
    models = chain(site)
    site.upstream.will(models[0], breaks_midway)
    response = site.chat(f"one/{models[0]}", stream=True)
    assert text_of(response) == "Hel"
    assert events_of(response)[-1][0] == "error"
    assert site.models_of(response) == models[:1]


def test_a_providers_chain_holds_for_models_without_one_of_their_own(site: Site) -> None:
    own, other, stand_in = (site.name() for _ in range(3))
    site.configure(
        providers={name: {"retry": ONCE} for name in ("one", "two", "three")},
        fallbacks={f"one/{own}": [f"two/{stand_in}"], "one": [f"three/{stand_in}"]},
    )
    for model, answered in ((own, "two"), (other, "three")):
        site.upstream.will(model, fails(500))
        response = site.chat(f"one/{model}")
        assert response.headers["x-trivet-model"] == f"{answered}/{stand_in}"


def test_an_alias_may_stand_for_several_and_several_may_stand_in(site: Site) -> None:
    models = [site.name() for _ in range(4)]
    site.configure(
        providers={name: {"retry": ONCE} for name in ("one", "two", "three")},
        deployments={
            "large": [{"model": f"one/{models[0]}"}, {"model": f"two/{models[1]}"}],
            "small": [{"model": f"two/{models[2]}"}, {"model": f"three/{models[3]}"}],
        },
        aliases={"best": "large"},
        fallbacks={"large": ["small"]},
    )
    for model in models[:2]:
        site.upstream.will(model, *[fails(500)] * 2)
    response = site.chat("best")
    assert response.headers["x-trivet-fallback"] == "large"
    assert site.models_of(response)[-1] in models[2:]


def test_a_stand_in_without_its_key_is_left_out(site: Site) -> None:
    first, third = site.name(), site.name()
    site.configure(
        providers={"one": {"retry": ONCE}, "two": {"api_key": ""}},
        fallbacks={f"one/{first}": ["two/x", f"three/{third}"]},
    )
    site.upstream.will(first, fails(500))
    assert site.chat(f"one/{first}").headers["x-trivet-model"] == f"three/{third}"


def test_what_nobody_listens_for_falls_back_too(site: Site) -> None:
    model = site.name()
    site.configure(
        providers={"one": {"base_url": "http://127.0.0.1:9", "retry": ONCE}},
        fallbacks={"one/x": [f"two/{model}"]},
    )
    assert site.chat("one/x").headers["x-trivet-model"] == f"two/{model}"
    until(lambda: site.listed()["one"]["reachable"] is False, 5, "it is told")


def test_a_name_that_fits_no_header_is_percent_encoded(site: Site) -> None:
    model = site.name("模型\r\nset-cookie: x")
    response = site.chat(f"one/{model}")
    assert response.status_code == 200
    assert response.headers["x-trivet-model"].startswith("one/%E6%A8%A1%E5%9E%8B%0D%0Aset-cookie")
    assert "set-cookie" not in response.headers
