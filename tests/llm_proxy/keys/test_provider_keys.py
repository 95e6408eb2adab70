"""Providers' keys: encrypted at rest, in force without a restart."""

from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from services.kernel.errors import ConfigurationError, Conflict
from services.llm_proxy.keys.store import KeyStore
from services.llm_proxy.keys.vault import open_vault
from tests.llm_proxy.conftest import KEY, Start
from tests.llm_proxy.keys.making import admin, error_of, make_key

pytestmark = pytest.mark.process

OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))


def test_a_stored_key_is_used_at_once_replaced_and_forgotten(start: Start) -> None:
    with start(FERNET_KEY=OLD) as gateway, gateway.client(headers=admin(gateway)) as client:
        assert error_of(gateway.chat("keyless/words"))[0] == 404
        made = make_key(gateway, kind="provider", provider="keyless", value="sk-test-wrong-key")
        assert "key" not in made
        assert gateway.chat("keyless/words").status_code == 502
        path = f"/api/llm/keys/{made['id']}"
        assert client.post(f"{path}/rotate", json={}).status_code == 422
        assert client.post(f"{path}/rotate", json={"value": KEY}).status_code == 200
        assert gateway.chat("keyless/words").status_code == 200
        assert KEY not in client.get("/api/llm/keys").text
        stored = [path.read_bytes() for path in (gateway.folder / "data").glob("llm_proxy.db*")]
        assert KEY.encode() not in b"".join(stored)
        assert client.delete(path).status_code == 204
        assert gateway.chat("keyless/words").status_code == 404


def test_without_a_fernet_key_nothing_is_stored(start: Start) -> None:
    with start() as gateway:
        body = {"kind": "provider", "name": "x", "provider": "openai", "value": KEY}
        refused = gateway.post("/api/llm/keys", body, headers=admin(gateway))
        assert error_of(refused)[0] == 409
        assert "FERNET_KEY" in error_of(refused)[2]
        body["provider"] = "nobody"
        assert gateway.post("/api/llm/keys", body, headers=admin(gateway)).status_code == 404
        with gateway.client(headers=admin(gateway)) as client:
            assert client.get("/api/llm/keys").json()["items"] == []


def test_keys_are_encrypted_anew_by_a_call(start: Start) -> None:
    with start(FERNET_KEY=OLD) as gateway:
        make_key(gateway, kind="provider", provider="keyless", value=KEY)
    with start(FERNET_KEY=f"{NEW},{OLD}") as gateway:
        assert gateway.chat("keyless/words").status_code == 200
        answer = gateway.post("/api/llm/keys/encryption", {}, headers=admin(gateway))
        assert answer.json() == {"renewed": 1, "unreadable": 0}
    with start(FERNET_KEY=NEW) as gateway:
        assert gateway.chat("keyless/words").status_code == 200


def test_a_fernet_key_that_does_not_fit_is_told_by_readiness(start: Start) -> None:
    with start(FERNET_KEY=OLD) as gateway:
        make_key(gateway, kind="provider", provider="keyless", value=KEY)
    with start(FERNET_KEY=NEW) as gateway, gateway.client() as client:
        check = client.get("/readyz").json()["checks"]["keys"]
        assert check["ok"] is False
        assert "keyless" in check["detail"]
        assert gateway.chat("keyless/words").status_code == 404
        answer = gateway.post("/api/llm/keys/encryption", {}, headers=admin(gateway))
        assert answer.json() == {"renewed": 0, "unreadable": 1}


def test_a_fernet_key_that_is_none_stops_the_start_without_showing_it() -> None:
    with pytest.raises(ConfigurationError) as caught:
        open_vault("not-a-key")
    assert "FERNET_KEY" in caught.value.problems[0]
    assert "not-a-key" not in str(caught.value)


def test_there_is_a_bound_on_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.llm_proxy.keys.store.MAX_LIVE_KEYS", 2)
    store = KeyStore.open(tmp_path / "llm_proxy.db", tmp_path / "lock")
    values = {"kind": "application", "name": "x"}
    first = store.create_virtual("one", values)
    store.create_virtual("two", values)
    with pytest.raises(Conflict):
        store.create_virtual("three", values)
    store.revoke(first.id)
    store.create_virtual("three", values)
    store.close()
