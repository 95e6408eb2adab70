"""`/api/llm/keys`: the administrator's keys, and the exchange of a publishable one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from anyio import to_thread
from starlette.responses import Response

from services.kernel.errors import NotFound, PermissionDenied, Unprocessable
from services.kernel.rendering import json_response
from services.kernel.routing import Call
from services.llm_proxy.keys.credentials import origin_of
from services.llm_proxy.keys.schemas import (
    EncryptionRenewed,
    KeyBody,
    KeyCreated,
    KeyItem,
    KeyList,
    KeyPatch,
    RotateBody,
    VisitorBody,
    VisitorToken,
    described,
    stored,
)
from services.llm_proxy.keys.secret import APPLICATION, PUBLISHABLE, new_secret
from services.llm_proxy.keys.store import KeyRow, Spent
from services.llm_proxy.state import State

T = TypeVar("T")
_PREFIXES = {"application": APPLICATION, "publishable": PUBLISHABLE}


async def create_key(call: Call[State], body: KeyBody) -> Response:
    """Make a virtual key, or store a provider's; a virtual key's secret is shown this once"""
    state = call.state
    values = stored(body.model_dump(exclude={"value"}, exclude_none=True))
    if body.kind == "provider":
        state.catalog.current.provider(body.provider or "")
        secret, vault = body.value or "", state.keyring.vault
        row = await _run(lambda: state.keyring.store.create_provider(secret, values, vault))
        await state.keyring.book.has_changed()
        return json_response(KeyItem(**described(row, Spent())), 201)
    if body.assistant is not None:
        _require_assistant(state, body.assistant)
    secret = new_secret(_PREFIXES[body.kind])
    row = await _run(lambda: state.keyring.store.create_virtual(secret, values))
    await state.keyring.book.has_changed()
    return json_response(KeyCreated(**described(row, Spent()), key=secret), 201)


async def list_keys(call: Call[State]) -> KeyList:
    """All keys, newest first, with what they have spent; secrets only as hints"""
    state = call.state
    await state.keyring.ledger.write()
    rows, spent = await _run(
        lambda: (state.keyring.store.every(), state.keyring.store.spent(datetime.now(UTC)))
    )
    items = [KeyItem(**described(row, spent.get(row.id, Spent()))) for row in rows]
    return KeyList(items=items)


async def show_key(call: Call[State]) -> KeyItem:
    """One key, its secret only as a hint"""
    return await _item(call.state, call.path["key_id"])


async def change_key(call: Call[State], body: KeyPatch) -> KeyItem:
    """Change a key's name or limits; null takes a limit away"""
    state, key_id = call.state, call.path["key_id"]
    row = await _run(lambda: state.keyring.store.one(key_id))
    try:
        values = stored(body.changes_for(row.kind))
    except ValueError as exc:
        raise Unprocessable(str(exc)) from exc
    if "assistant" in values:
        _require_assistant(state, values["assistant"])
    await _run(lambda: state.keyring.store.change(key_id, values))
    await state.keyring.book.has_changed()
    return await _item(state, key_id)


async def rotate_key(call: Call[State], body: RotateBody) -> Response:
    """A new secret in the place of the old one, which may work on for a while"""
    state, key_id = call.state, call.path["key_id"]
    row = await _run(lambda: state.keyring.store.one(key_id))
    if row.kind == "provider":
        return json_response(await _replace(state, row, body))
    if body.value is not None:
        raise Unprocessable("value: a virtual key's secret is made here", param="value")
    secret = new_secret(_PREFIXES[row.kind])
    await _run(lambda: state.keyring.store.rotate_virtual(key_id, secret, body.grace_seconds))
    await state.keyring.book.has_changed()
    item = await _item(state, key_id)
    return json_response(KeyCreated(**item.model_dump(), key=secret))


async def _replace(state: State, row: KeyRow, body: RotateBody) -> KeyItem:
    """A provider's key cannot be made here: the new one comes with the call."""
    value = body.value
    if value is None:
        raise Unprocessable("value: the provider's new key is needed", param="value")
    await _run(lambda: state.keyring.store.replace_provider(row.id, value, state.keyring.vault))
    await state.keyring.book.has_changed()
    return await _item(state, row.id)


async def revoke_key(call: Call[State]) -> Response:
    """End a key for good"""
    state, key_id = call.state, call.path["key_id"]
    await _run(lambda: state.keyring.store.revoke(key_id))
    await state.keyring.book.has_changed()
    return Response(status_code=204)


async def renew_encryption(call: Call[State]) -> EncryptionRenewed:
    """Encrypt all providers' keys under the first key of FERNET_KEY"""
    state = call.state
    renewed, unreadable = await _run(
        lambda: state.keyring.store.renew_encryption(state.keyring.vault)
    )
    return EncryptionRenewed(renewed=renewed, unreadable=unreadable)


async def issue_visitor_token(call: Call[State], body: VisitorBody) -> VisitorToken:
    """A publishable key, from a page of its origins, becomes a visitor's token"""
    state, caller = call.state, call.caller
    key = state.keyring.book.by_id.get(caller.id)
    if key is None or key.assistant is None or caller.visitor is not None:
        raise PermissionDenied("Only a publishable key becomes a visitor's token.")
    await state.gate.admit_visitor(call.context)
    tokens, origin = state.keyring.tokens, origin_of(call.request.scope)
    known = tokens.visitor_of(body.token, key.id) if body.token else None
    return VisitorToken(
        token=tokens.issue(key.id, origin, known),
        expires_in_seconds=tokens.max_age_seconds,
        assistant=key.assistant,
    )


async def _item(state: State, key_id: str) -> KeyItem:
    await state.keyring.ledger.write()
    row, spent = await _run(
        lambda: (state.keyring.store.one(key_id), state.keyring.store.spent(datetime.now(UTC)))
    )
    return KeyItem(**described(row, spent.get(key_id, Spent())))


def _require_assistant(state: State, name: str) -> None:
    if name not in state.assistants.current.names:
        raise NotFound("There is no assistant of this name.", param="assistant")


async def _run(work: Callable[[], T]) -> T:
    return await to_thread.run_sync(work)
