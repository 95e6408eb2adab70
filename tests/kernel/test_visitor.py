"""A visitor's id lives for a day."""

from datetime import date
from pathlib import Path

from services.kernel.auth import Caller
from services.kernel.context import context_of
from services.kernel.visitor import DailySalt

DAY, NEXT = date(2026, 11, 21), date(2026, 11, 22)


def test_services_share_a_salt_and_its_file_is_private(tmp_path: Path) -> None:
    assert DailySalt(tmp_path).of(DAY) == DailySalt(tmp_path).of(DAY)
    (path,) = tmp_path.iterdir()
    assert path.name == "visitor-salt-20261121"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_salt_is_thrown_away_with_its_day(tmp_path: Path) -> None:
    salt = DailySalt(tmp_path)
    first, second = salt.of(DAY), salt.of(NEXT)
    assert first != second
    assert [path.name for path in tmp_path.iterdir()] == ["visitor-salt-20261122"]
    assert DailySalt(tmp_path).of(DAY) != first


def test_an_id_is_the_same_for_an_address_and_browser_and_holds_neither(tmp_path: Path) -> None:
    def id_of(address: str, agent: bytes) -> str:
        scope = {"headers": [(b"user-agent", agent)], "client": (address, 1)}
        return context_of(scope, None, DailySalt(tmp_path)).visitor_id

    assert id_of("203.0.113.7", b"a") == id_of("203.0.113.7", b"a")
    ids = {id_of("203.0.113.7", b"a"), id_of("203.0.113.8", b"a"), id_of("203.0.113.7", b"b")}
    assert len(ids) == 3
    assert {len(value) for value in ids} == {24}


def test_a_visitor_with_a_token_is_known_by_it_wherever_the_visitor_is(tmp_path: Path) -> None:
    def id_of(address: str, key: str, visitor: str | None) -> str:
        scope = {"headers": [(b"user-agent", b"a")], "client": (address, 1)}
        context = context_of(scope, None, DailySalt(tmp_path))
        context.caller = Caller("visitor", key, visitor)
        return context.visitor_id

    assert id_of("203.0.113.7", "k1", "v1") == id_of("203.0.113.8", "k1", "v1")
    behind_one_address = {
        id_of("203.0.113.7", key, visitor)
        for key, visitor in (("k1", "v1"), ("k1", "v2"), ("k2", "v1"), ("k1", None))
    }
    assert len(behind_one_address) == 4
    assert not any("v1" in found for found in behind_one_address)
