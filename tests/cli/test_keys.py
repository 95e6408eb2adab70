"""`trivet keys` as a person types it, against a running gateway."""

import os
import subprocess

import pytest
from cryptography.fernet import Fernet

from tests.kb.processes import ROOT, python
from tests.llm_proxy.conftest import KEY, Gateway, Start, start, vendor
from tests.llm_proxy.keys.making import call

__all__ = ["start", "vendor"]
pytestmark = pytest.mark.process


def trivet(gateway: Gateway, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    environ = {
        **os.environ,
        "TRIVET_DATA_DIR": str(gateway.folder / "data"),
        "TRIVET_LLM_PROXY_URLS": gateway.url,
    }
    command = python("-m", "services.cli", "keys", *arguments)
    return subprocess.run(
        command,
        cwd=ROOT,
        env=environ,
        input=typed,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_key_is_made_listed_rotated_and_revoked(start: Start) -> None:
    with start() as gateway:
        made = trivet(
            gateway, "create", "shop", "--model", "openai/*", "--requests-per-minute", "5"
        )
        assert made.returncode == 0, made.stderr
        secret = made.stdout.strip()
        assert call(gateway, secret).status_code == 200
        assert call(gateway, secret, "doubao/words").status_code == 403
        key_id = made.stderr.partition(":")[0]

        listed = trivet(gateway, "list").stdout
        assert key_id in listed
        assert "5/min" in listed
        assert secret not in listed

        rotated = trivet(gateway, "rotate", key_id, "--grace-seconds", "3600")
        newer = rotated.stdout.strip()
        assert [call(gateway, one).status_code for one in (secret, newer)] == [200, 200]

        assert trivet(gateway, "revoke", key_id).returncode == 0
        assert [call(gateway, one).status_code for one in (secret, newer)] == [401, 401]
        assert "revoked" in trivet(gateway, "list").stdout
        again = trivet(gateway, "rotate", key_id)
        assert again.returncode == 1
        assert again.stderr == "error: The key has been revoked.\n"


def test_a_key_for_pages_is_bound_to_them(start: Start) -> None:
    origin = "https://shop.example"
    with start() as gateway:
        made = trivet(gateway, "create", "page", "--origin", origin, "--assistant", "site")
        assert made.stdout.startswith("pk_")
        assert call(gateway, made.stdout.strip(), "assistant/site", origin).status_code == 200
        without = trivet(gateway, "create", "page", "--origin", origin)
        assert without.returncode == 1
        assert "needs assistant" in without.stderr


def test_a_providers_key_is_typed_and_not_an_argument(start: Start) -> None:
    with start(FERNET_KEY=Fernet.generate_key().decode()) as gateway:
        stored = trivet(gateway, "create", "main", "--provider", "keyless", typed=f"{KEY}\n")
        assert stored.returncode == 0, stored.stderr
        assert "the key of keyless is stored" in stored.stdout
        assert KEY not in stored.stdout + stored.stderr
        assert gateway.chat("keyless/words").status_code == 200
        renewed = trivet(gateway, "rotate-encryption")
        assert renewed.stdout == "1 keys are encrypted anew\n"


def test_without_a_gateway_it_says_so(start: Start) -> None:
    with start() as gateway:
        pass
    ended = trivet(gateway, "list")
    assert ended.returncode == 1
    assert "llm_proxy cannot be reached" in ended.stderr
    assert "Traceback" not in ended.stderr
