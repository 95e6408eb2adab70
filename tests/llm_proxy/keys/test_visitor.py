"""Visitors' tokens by themselves."""

import time

import pytest

from services.kernel.errors import Unauthenticated
from services.llm_proxy.keys.visitor import VisitorTokens


def test_a_token_speaks_for_its_visitor_until_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    tokens = VisitorTokens("a secret", max_age_seconds=10)
    token = tokens.issue("key_1", "https://shop.example", "somebody")
    assert token.startswith("vt_")
    assert tokens.read(token) == ("key_1", "https://shop.example", "somebody")
    now[0] += 11
    with pytest.raises(Unauthenticated, match="expired"):
        tokens.read(token)
    assert tokens.visitor_of(token, "key_1") == "somebody"
    assert tokens.visitor_of(token, "key_2") is None


def test_a_token_of_another_secret_is_not_known() -> None:
    token = VisitorTokens("one", max_age_seconds=10).issue("key_1", "https://shop.example")
    other = VisitorTokens("other", max_age_seconds=10)
    with pytest.raises(Unauthenticated, match="not known"):
        other.read(token)
    assert other.visitor_of(token, "key_1") is None
