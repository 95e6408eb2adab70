"""Tokens on disk, and who may use what."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from services.kernel.auth import Access, Caller, SessionSigner, ensure_token


def test_a_token_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "data" / "admin-token"
    token = ensure_token(path)
    assert ensure_token(path) == token
    assert len(token) >= 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_many_that_start_together_agree_on_one_token(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        tokens = set(pool.map(lambda _: ensure_token(tmp_path / "token"), range(40)))
    assert len(tokens) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["token"]


def test_a_session_ends_when_the_token_changes() -> None:
    value = SessionSigner("one").issue()
    assert SessionSigner("one").valid(value)
    assert not SessionSigner("two").valid(value)
    assert not SessionSigner("one").valid("")


def test_each_level_of_access_lets_in_those_below_it() -> None:
    visitor, neighbour = Caller("visitor", "key_1"), Caller("neighbour", "neighbour")
    application, administrator = Caller("application", "key_2"), Caller("administrator", "x")
    let_in = {
        access: [c.kind for c in (visitor, application, neighbour, administrator) if c.may(access)]
        for access in Access
    }
    assert let_in == {
        Access.PUBLIC: ["visitor", "application", "neighbour", "administrator"],
        Access.APPLICATION: ["application", "neighbour", "administrator"],
        Access.NEIGHBOUR: ["neighbour", "administrator"],
        Access.ADMINISTRATOR: ["administrator"],
    }
