"""Conversations, access and settings before running services: what played ones cannot get wrong."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import yaml
from cryptography.fernet import Fernet
from playwright.sync_api import Page, expect

from services.analytics.app import create_app as create_analytics
from services.analytics.settings import Settings as AnalyticsSettings
from services.kb.app import create_app as create_kb
from services.kb.settings import Settings as KbSettings
from services.kernel.settings import read_settings
from services.llm_proxy.app import create_app as create_llm_proxy
from services.llm_proxy.settings import Settings as LlmProxySettings
from tests.llm_proxy.conftest import ASSISTANTS, KEY, chat_body, models_file
from tests.mock_vendor import running_vendor
from tests.support.server import running
from tests.support.wait import until
from tests.web.conftest import Watch, open_door

pytestmark = pytest.mark.browser
GUIDE = (
    "# Backup\n\n## How do I back up Trivet?\n\nStop Trivet, copy the folder data, start it again."
)
NOWHERE = "http://127.0.0.1:9"
FERNET = Fernet.generate_key().decode()


@dataclass(frozen=True)
class Real:
    """The door before all three services."""

    url: str
    token: str

    def admin(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {self.token}"})

    def open(self, page: Page, address: str) -> None:
        page.goto(f"{self.url}console/#/{address}")
        page.get_by_label("Administrator's token").fill(self.token)
        page.keyboard.press("Enter")

    def ask(self, question: str, session: str) -> httpx.Response:
        """A visitor asks; the conversation can be read when this returns."""
        asked = chat_body("assistant/site", question)
        path = f"{self.url}v1/chat/completions"
        answer = httpx.post(path, json=asked, headers={"X-Session-ID": session}, timeout=30)
        assert answer.status_code == 200, answer.text
        with self.admin() as admin:
            where = {"id": answer.headers["x-request-id"]}
            found = "api/analytics/conversation"
            until(lambda: admin.get(found, params=where).status_code == 200, 10, "the event")
        return answer


@pytest.fixture(scope="module")
def real(pages: Path) -> Iterator[Real]:
    assert pages.is_dir()
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        home.chmod(0o755)  # nginx's workers are not root
        vendor = stack.enter_context(running_vendor())
        (home / "models.yaml").write_text(yaml.safe_dump(models_file(vendor), sort_keys=False))
        (home / "assistants.yaml").write_text(_without_threshold())
        environ = {
            "TRIVET_DATA_DIR": str(home / "data"),
            "TRIVET_STORE_ANSWERS": "true",
            "LLM_PROXY_MODELS_FILE": str(home / "models.yaml"),
            "LLM_PROXY_ASSISTANTS_FILE": str(home / "assistants.yaml"),
            "KB_EMBEDDER_URL": NOWHERE,
            "FERNET_KEY": FERNET,
        }
        urls = {}
        settings = read_settings(AnalyticsSettings, environ)
        urls["TRIVET_ANALYTICS_URLS"] = stack.enter_context(running(create_analytics(settings)))
        kb = create_kb(read_settings(KbSettings, environ | urls))
        urls["TRIVET_KB_URLS"] = stack.enter_context(running(kb))
        proxy = create_llm_proxy(LlmProxySettings.from_env(environ | urls), environ | urls)
        urls["TRIVET_LLM_PROXY_URLS"] = stack.enter_context(running(proxy))
        nginx, site = open_door(home, "/", NOWHERE, **urls)
        stack.callback(nginx.stop)
        told = Real(site, (home / "data" / "admin-token").read_text().strip())
        with told.admin() as admin:
            document = {"source": "guide/backup.md", "content": GUIDE}
            admin.put("api/documents", json=document, timeout=30).raise_for_status()
        yield told


def _without_threshold() -> str:
    """The project's assistants; of a single document a search by words thinks little."""
    file = yaml.safe_load(ASSISTANTS.read_text(encoding="utf-8"))
    file["assistants"]["site"]["min_score"] = 0
    return yaml.safe_dump(file, allow_unicode=True)


def test_a_conversation_leads_from_the_question_to_its_passage(page: Page, real: Real) -> None:
    answer = real.ask("How do I back up Trivet?", "visit-1")
    said = answer.json()["choices"][0]["message"]["content"]
    vote = {"request_id": answer.headers["x-request-id"], "rating": "down", "comment": "Too short"}
    httpx.post(f"{real.url}api/llm/feedback", json=vote).raise_for_status()
    real.open(page, "conversations?text=back+up")
    page.get_by_role("link", name="How do I back up Trivet?").click()
    expect(page.locator("trivet-answer-text")).to_contain_text(said[:20])
    expect(page.locator(".figures")).to_contain_text("ms")
    expect(page.get_by_text("1 search")).to_be_visible()
    page.locator(".cited a").first.click()
    expect(page.locator("[data-wanted]")).to_contain_text("Stop Trivet, copy the folder")
    page.go_back()

    def voted() -> bool:
        page.reload()
        page.locator("trivet-answer-text").wait_for()
        return page.get_by_text("Too short").count() > 0

    until(voted, 10, "the vote")


def test_a_key_is_made_used_up_and_revoked(page: Page, real: Real) -> None:
    real.open(page, "access/keys/new")
    page.get_by_label("Name").fill("Shop")
    page.get_by_label("Requests a minute").fill("1")
    page.get_by_role("button", name="Make the key").click()
    secret = page.locator("trivet-secret code").text_content() or ""
    assert secret.startswith("sk_")
    headers = {"Authorization": f"Bearer {secret}"}
    chat = f"{real.url}v1/chat/completions"

    def call() -> int:
        asked = chat_body("openai/words")
        return httpx.post(chat, json=asked, headers=headers, timeout=30).status_code

    assert [call(), call()] == [200, 429]
    page.get_by_role("button", name="I have stored it").click()
    expect(page.locator(".limits")).to_contain_text("1 of 1")
    page.get_by_role("link", name="Change").click()
    page.get_by_label("Requests a minute").fill("")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("No limits are set.")).to_be_visible()
    assert call() == 200
    page.get_by_role("button", name="Revoke").click()
    page.get_by_role("group").get_by_role("button", name="Revoke").click()
    expect(page.locator(".line .state")).to_have_text("Revoked")
    assert call() == 401


def test_a_vendors_key_is_stored_and_told_nowhere(page: Page, real: Real) -> None:
    real.open(page, "access/keys/new?kind=provider&provider=keyless")
    page.get_by_label("Name").fill("Spare")
    page.get_by_label("The provider’s key").fill("sk-test-of-the-page-not-a-key")
    page.get_by_role("button", name="Store the key").click()
    expect(page.get_by_role("heading", name="Spare")).to_be_visible()
    with real.admin() as admin:
        told = [
            admin.get(path).text
            for path in ("api/llm/keys", "api/llm/providers", "api/llm/configuration")
        ]
        providers = json.loads(told[1])["items"]
    assert "sk-test-of-the-page" not in "".join(told)
    assert next(one for one in providers if one["name"] == "keyless")["configured"] is True


def test_each_service_tells_what_it_runs_with_and_no_secret(page: Page, real: Real) -> None:
    real.open(page, "settings/common?q=TRIVET_STORE_ANSWERS")
    expect(page.locator("li").filter(has_text="TRIVET_STORE_ANSWERS")).to_contain_text("on")
    real_texts = []
    for part, name in (
        ("llm_proxy", "FERNET_KEY"),
        ("kb", "KB_CHUNK_TOKENS"),
        ("analytics", "ANALYTICS_LOW_SCORE"),
        ("models", "smollm2-135m"),
        ("assistants", "assistant/site"),
    ):
        page.goto(f"{real.url}console/#/settings/{part}")
        expected = "words" if part == "models" else name
        expect(page.get_by_text(expected, exact=True).first).to_be_visible()
        real_texts.append(page.locator("trivet-settings").evaluate("(e) => e.shadowRoot.innerHTML"))
    with real.admin() as admin:
        services = ("llm_proxy", "kb", "analytics")
        real_texts += [admin.get(f"services/{name}/settings").text for name in services]
        real_texts.append(admin.get("api/llm/configuration").text)
    for secret in (FERNET, KEY, real.token):
        assert secret not in "".join(real_texts)


def test_deployments_stand_as_the_last_calls_left_them(
    page: Page, real: Real, watch: Watch
) -> None:
    asked = chat_body("away/words")
    answer = httpx.post(f"{real.url}v1/chat/completions", json=asked, timeout=30)
    assert answer.status_code == 502
    real.open(page, "access/providers")
    away = page.locator(".providers > li").filter(has=page.get_by_role("heading", name="away"))
    expect(away).to_contain_text("Last call failed")
    expect(away).to_contain_text("proxy_error")
