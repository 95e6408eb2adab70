"""What a service tells the administrator of its settings, and what it keeps to itself."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.kernel.app import build_app
from services.kernel.health import Check
from services.kernel.setting_table import without_credential
from services.kernel.settings import CommonSettings, load_environ, read_settings, setting
from tests.support.server import running

CANARY = "canary-not-a-key"


@dataclass(frozen=True, kw_only=True)
class Settings(CommonSettings):
    key: str = setting("T_KEY", "", "Opens doors.", secret=True)
    spare_key: str = setting("T_SPARE_KEY", "", "Opens other doors.", secret=True)
    address: str = setting("T_URL", "", "Where the engine is.")
    depth: int = setting("T_DEPTH", 3, "How deep.", minimum=1, maximum=9)


ENVIRON = {
    "T_KEY": CANARY,
    "T_URL": f"https://user:{CANARY}@engine.example:8443/v1?token={CANARY}#{CANARY}",
    "TRIVET_KB_URLS": f"http://{CANARY}@127.0.0.1:1,http://127.0.0.1:2",
    "TRIVET_TLS_KEY": f"/etc/{CANARY}.pem",
    "T_DEPTH": "3",
}


@asynccontextmanager
async def _live() -> AsyncIterator[None]:
    yield


async def _ready(_state: Any) -> dict[str, Check]:
    return {}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Response]:
    """What the administrator is answered."""
    folder = tmp_path_factory.mktemp("service") / "data"
    settings = read_settings(Settings, {**ENVIRON, "TRIVET_DATA_DIR": str(folder)})
    app = build_app("t", settings, [], _live, _ready)
    with running(app) as url:
        assert httpx.get(f"{url}/settings").status_code == 401
        for name in ("service-token",):
            token = (folder / name).read_text().strip()
            refused = httpx.get(f"{url}/settings", headers={"Authorization": f"Bearer {token}"})
            assert refused.status_code == 403
        token = (folder / "admin-token").read_text().strip()
        yield httpx.get(f"{url}/settings", headers={"Authorization": f"Bearer {token}"})


def items(told: httpx.Response) -> dict[str, dict[str, Any]]:
    return {item["name"]: item for item in told.json()["items"]}


def test_no_secret_nor_a_part_of_one_is_told(told: httpx.Response) -> None:
    assert told.status_code == 200
    assert CANARY not in told.text
    key, spare = items(told)["T_KEY"], items(told)["T_SPARE_KEY"]
    assert (key["value"], key["default"], key["is_set"], key["secret"]) == (None, None, True, True)
    assert (spare["value"], spare["is_set"], spare["source"]) == (None, False, "default")


def test_where_a_private_key_lies_is_nobodys_business(told: httpx.Response) -> None:
    item = items(told)["TRIVET_TLS_KEY"]
    assert item["value"] is None
    assert item["is_set"] is True


def test_where_on_the_disk_the_tokens_lie_is_not_told(told: httpx.Response) -> None:
    assert items(told)["TRIVET_DATA_DIR"]["value"] == "…/data"
    assert items(told)["TRIVET_RUN_DIR"]["value"] == "run"


def test_addresses_lose_their_credentials_and_keep_the_rest(told: httpx.Response) -> None:
    assert items(told)["T_URL"]["value"] == "https://engine.example:8443/v1"
    assert items(told)["TRIVET_KB_URLS"]["value"] == "http://127.0.0.1:1,http://127.0.0.1:2"
    assert without_credential("no address: a@b?c") == "no address: a@b?c"
    assert without_credential("https://[::1?" + CANARY) == "…"


def test_a_setting_says_its_value_its_bounds_and_where_it_comes_from(told: httpx.Response) -> None:
    depth = items(told)["T_DEPTH"]
    assert (depth["value"], depth["default"]) == ("3", "3")
    assert (depth["minimum"], depth["maximum"]) == (1, 9)
    assert depth["source"] == "environment"  # it was given, though it says what the default does
    assert depth["group"] == "own"
    level = items(told)["TRIVET_LOG_LEVEL"]
    assert (level["source"], level["group"]) == ("default", "common")
    assert level["choices"] == ["debug", "info", "warning", "error"]
    assert items(told)["TRIVET_ANALYTICS_URLS"]["value"].startswith("http://127.0.0.1:8742,")


def test_the_file_and_the_environment_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("T_DEPTH=4\nT_URL=https://a.example\nT_KEY=\n")
    monkeypatch.setenv("T_URL", "https://b.example")
    monkeypatch.setenv("TRIVET_LOG_LEVEL", "debug")
    settings = read_settings(Settings, load_environ(tmp_path))
    sources = {name: settings.sources.get(name) for name in ("T_DEPTH", "T_URL", "T_KEY")}
    assert sources == {"T_DEPTH": "file", "T_URL": "environment", "T_KEY": None}
    assert settings.sources["TRIVET_LOG_LEVEL"] == "environment"
