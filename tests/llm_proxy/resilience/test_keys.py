"""Several keys a provider: in turn while they are good, put aside when they are refused."""

from typing import Any

import pytest
import yaml

from services.kernel.errors import ConfigurationError
from services.llm_proxy.catalog import parse_catalog
from tests.llm_proxy.resilience.conftest import Site
from tests.llm_proxy.scripted import fails, refuses

KEYS = ["sk-test-a", "sk-test-b", "sk-test-c"]


def keyed(site: Site) -> tuple[str, str]:
    """A provider with three keys of which nothing is known, and a model."""
    provider = site.name("many")
    site.configure(providers={provider: {"api_keys": KEYS}})
    return provider, site.name()


def keys_of(site: Site, request_id: str) -> list[str]:
    return [call.key for call in site.upstream.calls if call.request_id == request_id]


def test_good_keys_take_turns(site: Site) -> None:
    provider, model = keyed(site)
    for _ in range(6):
        assert site.chat(f"{provider}/{model}").status_code == 200
    assert sorted(call.key for call in site.upstream.calls) == sorted(KEYS * 2)


@pytest.mark.parametrize("stream", [False, True])
def test_a_refused_key_is_never_used_again_and_the_next_one_answers(
    site: Site, stream: bool
) -> None:
    provider, model = keyed(site)
    site.upstream.will(model, *[refuses(*KEYS[:2])] * 9)
    responses = [site.chat(f"{provider}/{model}", stream=stream) for _ in range(5)]
    assert [response.status_code for response in responses] == [200] * 5
    keys = [call.key for call in site.upstream.calls]
    assert [keys.count(key) for key in KEYS] == [1, 1, 5]


@pytest.mark.parametrize(("status", "other_model"), [(401, False), (402, False), (403, True)])
def test_a_403_may_be_about_one_model_alone(site: Site, status: int, other_model: bool) -> None:
    (provider, model), other = keyed(site), site.name()
    site.upstream.will(model, fails(status))
    site.chat(f"{provider}/{model}")
    refused = site.upstream.calls[0].key
    for _ in range(3):
        site.chat(f"{provider}/{other}")
    used = {call.key for call in site.upstream.calls if call.model == other}
    assert (refused in used) is other_model


def test_where_all_keys_are_refused_each_is_asked_once(site: Site) -> None:
    provider, model = keyed(site)
    site.upstream.will(model, *[refuses(*KEYS)] * 9)
    response = site.chat(f"{provider}/{model}")
    assert response.status_code == 502
    assert "refused our account" in response.json()["error"]["message"]
    assert sorted(keys_of(site, response.headers["x-request-id"])) == KEYS


def test_a_limited_key_is_passed_over_until_it_may_be_used(site: Site) -> None:
    provider, model = keyed(site)
    site.upstream.will(model, fails(429, retry_after="60"))
    assert site.chat(f"{provider}/{model}").status_code == 200
    limited = site.upstream.calls[0].key
    for _ in range(4):
        site.chat(f"{provider}/{model}")
    assert [call.key for call in site.upstream.calls].count(limited) == 1


def test_keys_are_shown_by_number_alone(site: Site) -> None:
    provider, model = keyed(site)
    site.configure(providers={provider: {"api_keys": KEYS, "models": {model: {}}}})
    site.chat(f"{provider}/{model}")
    item = site.listed()[provider]
    assert item["keys"] == 3
    assert [deployment["key"] for deployment in item["deployments"]] == [1, 2, 3]
    assert not [key for key in KEYS if key in str(site.listed())]


PLAIN: dict[str, Any] = {"adapter": "openai_compatible", "base_url": "http://x"}


@pytest.mark.parametrize(
    ("entry", "stored", "keys"),
    [
        ({"api_key": "${A}", "api_keys": ["${B}", "${C}"]}, (), ("a", "b")),
        ({"api_keys": ["${C}", "${B}"]}, (), ("b",)),
        ({"api_key": "${A}", "api_keys": ["${A}"]}, (), ("a",)),
        ({"api_key": "${A}"}, ("s", "t"), ("s", "t", "a")),
        ({"api_key": "${C}"}, ("s",), ("s",)),
        ({}, ("s",), ("s",)),
        ({}, (), ()),
    ],
)
def test_keys_come_from_the_file_and_from_a_store(
    entry: dict[str, Any], stored: tuple[str, ...], keys: tuple[str, ...]
) -> None:
    text = yaml.safe_dump({"providers": {"p": {**PLAIN, **entry}}})
    catalog = parse_catalog(text, {"A": "a", "B": "b"}, "t", {"p": stored, "nobody": ("x",)})
    config = catalog.provider("p").config
    assert config.api_keys == keys
    assert config.api_key == (keys[0] if keys else None)


def test_no_key_set_at_all_names_the_first_variable() -> None:
    text = yaml.safe_dump({"providers": {"p": {**PLAIN, "api_keys": ["${NONE}", "${NEITHER}"]}}})
    config = parse_catalog(text, {}, "t").provider("p").config
    assert config.api_key == ""
    assert config.key_variable == "NONE"


@pytest.mark.parametrize("stored", ["a\r\nb: c", "schlüssel"])
def test_a_stored_key_that_fits_no_header_is_refused_and_not_shown(stored: str) -> None:
    text = yaml.safe_dump({"providers": {"p": PLAIN}})
    with pytest.raises(ConfigurationError, match="api_key") as raised:
        parse_catalog(text, {}, "t", {"p": (stored,)})
    assert stored not in str(raised.value)
