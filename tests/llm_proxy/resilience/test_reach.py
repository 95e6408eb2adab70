"""A virtual key's models and budget hold for stand-ins and for each of several deployments."""

import pytest

from tests.llm_proxy.keys.making import call, error_of, make_key
from tests.llm_proxy.resilience.conftest import Site
from tests.llm_proxy.scripted import fails

ONCE = {"retry": {"attempts": 1}}
PRICED = {"price": {"input": 1, "output": 2}}


def chain(site: Site) -> list[str]:
    """A model of `one`, for which `two` and then `three` stand in."""
    names = [f"{provider}/{site.name()}" for provider in ("one", "two", "three")]
    site.configure(
        providers=dict.fromkeys(("one", "two", "three"), ONCE),
        fallbacks={names[0]: names[1:]},
    )
    return names


@pytest.mark.parametrize("stream", [False, True])
def test_a_stand_in_that_the_key_does_not_allow_is_passed_over(site: Site, stream: bool) -> None:
    first, second, third = chain(site)
    key = make_key(site.gateway, models=[first, third])["key"]
    site.upstream.will(first.partition("/")[2], fails(500))
    response = call(site.gateway, key, first, stream=stream)
    assert response.status_code == 200
    assert response.headers["x-trivet-model"] == third
    assert second.partition("/")[2] not in site.models_of(response)


def test_where_the_key_allows_no_stand_in_the_error_comes_back(site: Site) -> None:
    first, *_ = chain(site)
    key = make_key(site.gateway, models=[first])["key"]
    site.upstream.will(first.partition("/")[2], fails(500))
    response = call(site.gateway, key, first)
    assert error_of(response)[:2] == (502, "proxy_error")
    assert site.models_of(response) == [first.partition("/")[2]]


def test_a_key_for_all_models_has_the_whole_chain(site: Site) -> None:
    first, second, third = chain(site)
    for name in (first, second):
        site.upstream.will(name.partition("/")[2], fails(500))
    response = call(site.gateway, make_key(site.gateway)["key"], first)
    assert response.headers["x-trivet-model"] == third


@pytest.mark.parametrize(
    ("models", "reached"),
    [
        (["fast"], {"one", "two"}),
        (["nick"], {"one", "two"}),
        (["one/*"], {"one"}),
        (["three/*"], None),
    ],
)
@pytest.mark.parametrize("asked", ["fast", "nick"])
def test_of_several_deployments_those_that_the_key_allows_are_used(
    site: Site, models: list[str], reached: set[str] | None, asked: str
) -> None:
    names = [f"{provider}/{site.name()}" for provider in ("one", "two")]
    site.configure(
        deployments={"fast": [{"model": name} for name in names]}, aliases={"nick": "fast"}
    )
    key = make_key(site.gateway, models=models)["key"]
    answers = [call(site.gateway, key, asked) for _ in range(4)]
    if reached is None or (models == ["nick"] and asked == "fast"):
        assert {answer.status_code for answer in answers} == {403}
    else:
        used = {answer.headers["x-trivet-model"].partition("/")[0] for answer in answers}
        assert used == reached


def test_a_key_with_a_budget_uses_no_stand_in_without_a_price(site: Site) -> None:
    first, second, third = (f"{p}/{site.name()}" for p in ("one", "two", "three"))
    priced = {name.partition("/")[0]: name.partition("/")[2] for name in (first, third)}
    prices = {provider: {**ONCE, "models": {model: PRICED}} for provider, model in priced.items()}
    site.configure(providers=prices, fallbacks={first: [second, third]})
    key = make_key(site.gateway, daily_budget_usd=5)["key"]
    site.upstream.will(first.partition("/")[2], fails(500))
    response = call(site.gateway, key, first)
    assert response.headers["x-trivet-model"] == third
    assert second.partition("/")[2] not in site.models_of(response)
