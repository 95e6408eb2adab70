"""Headers on the way in and on the way out."""

import re
import time

import httpx
import pytest

from tests.deploy.site import Site

SECURITY = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "strict-origin-when-cross-origin",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
}


def test_a_well_formed_request_id_is_kept_and_goes_on(door: Site) -> None:
    answer = httpx.get(door.url("api/search"), headers={"X-Request-ID": "caller.id_01-a"})
    assert answer.headers.get_list("x-request-id") == ["caller.id_01-a"]
    assert answer.json()["headers"]["x-request-id"] == "caller.id_01-a"


@pytest.mark.parametrize("bad", ["short", "x" * 65, "has a space", 'quote"quote', "../../etc"])
def test_a_bad_request_id_is_replaced(door: Site, bad: str) -> None:
    answer = httpx.get(door.url("api/search"), headers={"X-Request-ID": bad})
    made = answer.headers["x-request-id"]
    assert re.fullmatch(r"[0-9a-f]{32}", made)
    assert answer.json()["headers"]["x-request-id"] == made


def test_ids_that_nginx_makes_rise_and_differ(door: Site) -> None:
    began_ms = time.time_ns() // 10**6
    made = [httpx.get(door.url("api/search")).headers["x-request-id"] for _ in range(5)]
    times = [int(one[:13]) for one in made]
    assert began_ms <= times[0]
    assert times == sorted(times)
    assert times[-1] <= time.time_ns() // 10**6
    assert len({one[13:] for one in made}) == 5


def test_a_service_learns_the_address_from_the_peer_alone(door: Site) -> None:
    forged = {
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.example",
        "X-Real-IP": "203.0.113.9",
        "Forwarded": "for=203.0.113.9",
    }
    got = httpx.get(door.url("api/search"), headers=forged).json()["headers"]
    assert got["x-forwarded-for"] == "127.0.0.1"
    assert got["x-forwarded-proto"] == "http"
    assert not {"x-forwarded-host", "x-real-ip", "forwarded"} & got.keys()


def test_credentials_and_sessions_reach_the_service(door: Site) -> None:
    sent = {"Authorization": "Bearer sk-test-not-a-key", "X-Session-ID": "s-1", "Cookie": "a=b"}
    got = httpx.get(door.url("api/search"), headers=sent).json()["headers"]
    assert got["authorization"] == "Bearer sk-test-not-a-key"
    assert (got["x-session-id"], got["cookie"]) == ("s-1", "a=b")


@pytest.mark.parametrize("path", ["", "console/", "api/search", "nothing", "assets/chat-abc123.js"])
def test_every_answer_has_the_security_headers_once(door: Site, path: str) -> None:
    headers = httpx.get(door.url(path)).headers
    for name, value in SECURITY.items():
        assert headers.get_list(name) == [value]
    assert "strict-transport-security" not in headers
    assert headers["server"] == "nginx"


def test_the_content_security_policy_allows_our_own_files_only(door: Site) -> None:
    policy = httpx.get(door.url("")).headers["content-security-policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy
    assert "http:" not in policy and "https:" not in policy and "*" not in policy
