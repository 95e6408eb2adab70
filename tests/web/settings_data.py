"""What the services say of their settings: their own words, with values that tests give them."""

from __future__ import annotations

from typing import Any

from services.analytics.settings import Settings as Analytics
from services.kb.settings import Settings as Kb
from services.kernel.setting_table import described
from services.kernel.settings import CommonSettings, Environ, read_settings
from services.llm_proxy.settings import Settings as LlmProxy
from tests.web import access_data
from tests.web.upstream import Upstream

CANARY = "sk-test-not-a-key"
CLASSES: dict[str, type[CommonSettings]] = {
    "llm_proxy": LlmProxy,
    "kb": Kb,
    "analytics": Analytics,
}


def environ() -> Environ:
    """Some settings of the file `.env`, one of the environment."""
    given = Environ(
        {
            "DOUBAO_API_KEY": CANARY,
            "TRIVET_ALLOWED_ORIGINS": "https://www.example.org,https://shop.example.org",
            "TRIVET_LOG_LEVEL": "debug",
            "KB_CHUNK_TOKENS": "480",
        }
    )
    given.written = frozenset(given) - {"TRIVET_LOG_LEVEL"}
    return given


def settings(service: str, given: Environ | None = None) -> dict[str, Any]:
    read = read_settings(CLASSES[service], environ() if given is None else given)
    return described(service, "0.1.0", read).model_dump(mode="json")


def stock(upstream: Upstream) -> None:
    """Fills the played services. nginx leads `services/NAME/settings` to each one's own path, and
    they are played by one: a test says which it is."""
    access_data.stock(upstream)
    upstream.answers["/settings"] = (200, settings("llm_proxy"))
