"""models.yaml: what it says, what is wrong with it, and that a change is taken."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from services.kernel.errors import ConfigurationError, NotFound
from services.llm_proxy.catalog import Catalog, parse_catalog
from services.llm_proxy.providers.base import Usage
from tests.llm_proxy.conftest import Start, chat_body
from tests.support.wait import until

SHIPPED = Path(__file__).parents[2] / "config" / "models.yaml"


def shipped(**environ: str) -> Catalog:
    return parse_catalog(SHIPPED.read_text(encoding="utf-8"), environ, "Trivet/test")


def test_without_any_key_the_local_model_is_the_default() -> None:
    target = shipped().resolve(None)
    assert (target.provider.name, target.model) == ("local", "smollm2-135m")


@pytest.mark.parametrize(
    ("environ", "provider", "model"),
    [
        (
            {"DOUBAO_API_KEY": "k", "OPENAI_API_KEY": "k"},
            "doubao",
            "doubao-1-5-thinking-vision-pro-250428",
        ),
        ({"DOUBAO_API_KEY": "k", "DOUBAO_MODEL": "ep-1"}, "doubao", "ep-1"),
        ({"DASHSCOPE_API_KEY": "k", "DASHSCOPE_APP_ID": "a"}, "dashscope", "app"),
        ({"DASHSCOPE_API_KEY": "k"}, "tongyi", "qwen-plus"),
        ({"DEEPSEEK_API_KEY": "k"}, "deepseek", "deepseek-chat"),
        ({"LLM_PROXY_LOCAL_MODEL_NAME": "other"}, "local", "other"),
    ],
)
def test_the_default_is_the_first_provider_with_its_key(
    environ: dict[str, str], provider: str, model: str
) -> None:
    target = shipped(**environ).resolve(None)
    assert (target.provider.name, target.model) == (provider, model)


def test_addresses_come_from_the_environment_with_the_vendors_as_default() -> None:
    assert shipped().providers["doubao"].config.base_url == (
        "https://ark.cn-beijing.volces.com/api/v3"
    )
    moved = shipped(DOUBAO_BASE_URL="http://127.0.0.1:1/x", LLM_PROXY_LOCAL_MODEL_PORT="18743")
    assert moved.providers["doubao"].config.base_url == "http://127.0.0.1:1/x"
    assert moved.providers["local"].config.base_url == "http://127.0.0.1:18743/v1"


@pytest.mark.parametrize("name", ["doubao", "deepseek", "openai", "tongyi", "dashscope"])
def test_a_provider_without_its_key_says_which_variable_to_set(name: str) -> None:
    with pytest.raises(NotFound, match="_API_KEY"):
        shipped().providers[name].require_key()


def test_an_application_without_its_id_says_which_variable_to_set() -> None:
    provider = shipped(DASHSCOPE_API_KEY="k").providers["dashscope"]
    with pytest.raises(NotFound, match="DASHSCOPE_APP_ID"):
        provider.chat(_ask())


def _ask() -> Any:
    from services.llm_proxy.providers.base import Ask

    return Ask(body=chat_body(None), model="app", stream=False, request_id="r")


def test_cost_counts_cached_tokens_apart() -> None:
    text = """
    default: [p]
    usd_per: {CNY: 0.1}
    providers:
      p:
        adapter: openai_compatible
        base_url: http://x
        models: {m: {price: {currency: CNY, input: 10, cached_input: 1, output: 100}}}
    """
    target = parse_catalog(text, {}, "t").resolve(None)
    usage = Usage(input_tokens=1000, output_tokens=10, cached_input_tokens=400)
    assert target.cost_usd(usage) == pytest.approx((600 * 10 + 400 * 1 + 10 * 100) / 1e6 * 0.1)


GOOD: dict[str, Any] = {
    "default": ["p"],
    "providers": {"p": {"adapter": "openai_compatible", "base_url": "http://x", "api_key": "k"}},
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"providers": {}}, "providers"),
        ({"providers": {"p": {"adapter": "magic", "base_url": "http://x"}}}, "adapter"),
        ({"providers": {"p": {"adapter": "doubao"}}}, "base_url"),
        ({"providers": {"p": {"adapter": "doubao", "base_url": "x"}}}, "not an http"),
        ({"providers": {"p": {**GOOD["providers"]["p"], "bsae": 1}}}, "bsae"),
        ({"providers": {"p": {**GOOD["providers"]["p"], "api_key": "a\nb"}}}, "api_key"),
        ({"providers": {"assistant": GOOD["providers"]["p"]}}, "not a name"),
        ({"providers": {"keys": GOOD["providers"]["p"]}}, "not a name"),
        ({"aliases": {"a": "nobody/m"}}, "aliases: nobody/m"),
        ({"default": ["nobody"]}, "default: nobody"),
        ({"usd_per": {"CNY": 0}}, "usd_per.CNY"),
        (
            {"providers": {"p": {**GOOD["providers"]["p"], "models": {"m": {"price": {
                "currency": "EUR", "input": 1, "output": 1}}}}}},
            "usd_per.EUR",
        ),
        ({"unheard_of": 1}, "unheard_of"),
        ({"deployments": {"n": []}}, "deployments.n"),
        ({"deployments": {"n": [{"model": "p"}]}}, "must be provider/model"),
        ({"deployments": {"n": [{"model": "q/m"}]}}, "deployments.n: q/m: there is no such"),
        ({"deployments": {"n": [{"model": "p/m", "weight": 0}]}}, "deployments.n.0.weight"),
        ({"deployments": {"n/m": [{"model": "p/m"}]}}, "not a name"),
        ({"deployments": {"p": [{"model": "p/m"}]}}, "has this name"),
        ({"deployments": {"n": [{"model": "p/m", "timeouts": {"total": 1}}]}}, "timeouts.total"),
        ({"fallbacks": {"nobody": ["p/m"]}}, "fallbacks.nobody: nobody: there is no such"),
        ({"fallbacks": {"p/m": ["nobody/m"]}}, "fallbacks.p/m: nobody/m: there is no such"),
        ({"fallbacks": {"p/m": []}}, "fallbacks.p/m"),
        ({"fallbacks": {"p/m": ["p"]}}, "fallbacks.p/m: p: has no default model"),
        ({"fallbacks": {"p/m": ["p/m"]}}, "p/m: goes in a circle"),
        ({"fallbacks": {"p/a": ["p/b", "p/a"]}}, "p/a: goes in a circle"),
        ({"fallbacks": {"p/a": ["p/b", "p/b"]}}, "p/b: goes in a circle"),
        ({"aliases": {"x": "p/a"}, "fallbacks": {"p/a": ["x"]}}, "x: goes in a circle"),
        (
            {"deployments": {"n": [{"model": "p/a"}]}, "fallbacks": {"n": ["p/b", "p/a"]}},
            "p/a: goes in a circle",
        ),
        ({"providers": {"p": {**GOOD["providers"]["p"], "retry": {"attempts": 0}}}}, "attempts"),
        ({"providers": {"p": {**GOOD["providers"]["p"], "api_keys": ["a\nb"]}}}, "api_keys"),
        ({"providers": {"p": {**GOOD["providers"]["p"], "api_keys": "k"}}}, "api_keys"),
        ({"providers": {"p": {**GOOD["providers"]["p"], "api_keys": ["k", {}]}}}, "api_keys"),
        ({"providers": {"p": {**GOOD["providers"]["p"], "api_key": ["k"]}}}, "api_key"),
        (
            {"providers": {"p": {**GOOD["providers"]["p"], "timeouts": {
                "total_seconds": float("inf")}}}},
            "timeouts.total_seconds",
        ),
        (
            {"providers": {"p": {**GOOD["providers"]["p"], "models": {"m": {"price": {
                "input": float("inf"), "output": 1}}}}}},
            "price.input",
        ),
        ({"providers": {"p": {**GOOD["providers"]["p"], "cooldown": {"second": 1}}}}, "second"),
    ],
)  # fmt: skip
def test_a_broken_file_is_refused_with_the_place_and_without_the_value(
    change: dict[str, Any], words: str
) -> None:
    text = yaml.safe_dump({**GOOD, **change})
    with pytest.raises(ConfigurationError) as raised:
        parse_catalog(text, {}, "t")
    assert any(words in problem for problem in raised.value.problems)
    assert "a\nb" not in str(raised.value)


def test_two_chains_may_name_each_other_since_each_is_all_that_happens() -> None:
    chains = {"p/a": ["p/b"], "p/b": ["p/a"]}
    catalog = parse_catalog(yaml.safe_dump({**GOOD, "fallbacks": chains}), {}, "t")
    for asked, stand_in in (("p/a", "p/b"), ("p/b", "p/a")):
        tiers = catalog.resolve(asked, trusted=True).tiers
        assert [tier.name for tier in tiers] == [asked, stand_in]


def test_a_chain_may_be_named_by_an_alias() -> None:
    top = {"aliases": {"x": "p/a"}, "fallbacks": {"x": ["p/b"]}}
    catalog = parse_catalog(yaml.safe_dump({**GOOD, **top}), {}, "t")
    for name in ("x", "p/a"):
        assert [tier.name for tier in catalog.resolve(name, trusted=True).tiers] == ["p/a", "p/b"]


def test_time_outs_are_the_deployments_then_the_models_then_the_providers() -> None:
    provider = {
        **GOOD["providers"]["p"],
        "timeouts": {"connect_seconds": 1, "silence_seconds": 2, "total_seconds": 3},
        "models": {"m": {"timeouts": {"silence_seconds": 20, "total_seconds": 30}}},
    }
    deployments = {"n": [{"model": "p/m", "timeouts": {"total_seconds": 300}}]}
    text = yaml.safe_dump({"providers": {"p": provider}, "deployments": deployments})
    times = parse_catalog(text, {}, "t").resolve("n").provider.config.timeouts
    assert (times.connect_seconds, times.silence_seconds, times.total_seconds) == (1, 20, 300)
    assert times.first_output_seconds == 120


def test_a_default_may_be_a_name_for_several() -> None:
    deployments = {"n": [{"model": "p/m"}]}
    text = yaml.safe_dump({**GOOD, "deployments": deployments, "default": ["n"]})
    assert parse_catalog(text, {}, "t").resolve(None).name == "p/m"


@pytest.mark.parametrize(
    "text", ["providers: [", "- a", "", "\x00", "providers: &a {x: *a}", "&a [*a]"]
)
def test_no_yaml_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"models\.yaml"):
        parse_catalog(text, {}, "t")


def test_a_changed_file_is_taken_and_a_broken_one_leaves_the_old(start: Start) -> None:
    with start() as gateway, gateway.client() as client:
        path = gateway.folder / "models.yaml"
        models = yaml.safe_load(path.read_text())
        models["aliases"]["brandnew"] = "openai/words"
        path.write_text(yaml.safe_dump(models, sort_keys=False))
        until(lambda: gateway.chat("brandnew").status_code == 200, 5, "the new file is in force")
        path.write_text("providers: [")

        def check() -> dict[str, Any]:
            checks: dict[str, dict[str, Any]] = client.get("/readyz").json()["checks"]
            return checks["models"]

        broken = until(lambda: check() if not check()["ok"] else None, 5, "the break is told")
        assert broken is not None
        assert "no valid YAML" in broken["detail"]
        assert client.get("/readyz").status_code == 200
        assert gateway.chat("brandnew").status_code == 200
        path.write_text(yaml.safe_dump(models, sort_keys=False))
        until(lambda: check()["ok"], 5, "the mended file is in force")


def test_a_missing_file_stops_the_start(start: Start, tmp_path: Path) -> None:
    with (
        pytest.raises(ConfigurationError, match=r"nowhere\.yaml cannot be read"),
        start(LLM_PROXY_MODELS_FILE=str(tmp_path / "nowhere.yaml")),
    ):
        raise AssertionError("it started")
