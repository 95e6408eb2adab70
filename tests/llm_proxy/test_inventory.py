"""Models and assistants as they were loaded, for the console."""

from typing import Any

import yaml

from tests.llm_proxy.conftest import KEY, Gateway, Start, models_file
from tests.support.wait import until


def configuration(gateway: Gateway) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {gateway.admin_token}"}
    with gateway.client(headers=headers) as client:
        response = client.get("/api/llm/configuration")
    assert response.status_code == 200, response.text
    assert KEY not in response.text
    told: dict[str, Any] = response.json()
    return told


def named(items: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(item for item in items if item["name"] == name)


def test_providers_and_models_are_told_as_the_file_says(gateway: Gateway) -> None:
    told = configuration(gateway)
    openai = named(told["providers"], "openai")
    assert (openai["configured"], openai["keys"], openai["set_variable"]) == (True, 1, None)
    words = named(openai["models"], "words")
    assert (words["kind"], words["price"]["output"]) == ("chat", 2)
    assert named(openai["models"], "english")["languages"] == ["en"]
    assert named(openai["models"], "vectors")["kind"] == "embedding"
    keyless = named(told["providers"], "keyless")
    assert (keyless["configured"], keyless["set_variable"]) == (False, "NOBODY_SETS_THIS")
    assert told["default"] == "openai/words"
    assert told["aliases"] == {"short": "openai/words"}


def test_assistants_are_told_with_their_words_in_both_languages(gateway: Gateway) -> None:
    told = configuration(gateway)
    site = named(told["assistants"], "site")
    assert (site["collection"], site["top_k"], site["min_score"]) == ("site", 4, 0.25)
    assert "{passages}" in site["question"]["zh"]
    assert named(told["assistants"], "english")["model"] == "openai/english"


def test_addresses_and_headers_lose_what_may_be_a_credential(start: Start) -> None:
    with start() as gateway:
        file = models_file(gateway.vendor)
        file["providers"]["openai"]["headers"] = {"X-Team": "canary-not-a-key"}
        file["deployments"] = {"chat": [{"model": "openai/words", "api_key": "canary-not-a-key"}]}
        path = gateway.folder / "models.yaml"
        path.write_text(yaml.safe_dump(file))
        told = until(lambda: _with_headers(configuration(gateway)), 10, "the new file")
        assert told is not None and "canary" not in str(told)
        assert told["deployments"]["chat"] == [
            {"model": "openai/words", "weight": 1, "own_key": True}
        ]


def _with_headers(told: dict[str, Any]) -> dict[str, Any] | None:
    return told if named(told["providers"], "openai")["header_names"] == ["X-Team"] else None


def test_a_broken_file_is_told_while_the_old_one_is_in_force(start: Start) -> None:
    with start() as gateway:
        (gateway.folder / "models.yaml").write_text("providers: {openai: {}}\n")
        told = until(
            lambda: (t := configuration(gateway))["models_file"]["problem"] and t, 10, "the problem"
        )
        assert "providers.openai" in told["models_file"]["problem"]
        assert named(told["providers"], "openai")["configured"]


def test_providers_say_which_instance_saw_them_so(start: Start) -> None:
    with start(TRIVET_INSTANCE="3") as gateway:
        headers = {"Authorization": f"Bearer {gateway.admin_token}"}
        with gateway.client(headers=headers) as client:
            assert client.get("/api/llm/providers").json()["instance"] == 3
