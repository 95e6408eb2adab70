"""From a presented virtual key or visitor's token to the caller."""

from __future__ import annotations

from dataclasses import replace

from starlette.types import Scope

from services.kernel.auth import CHALLENGE, Caller
from services.kernel.errors import PermissionDenied, Unauthenticated
from services.llm_proxy.keys.book import Book, require_unexpired
from services.llm_proxy.keys.key import Key
from services.llm_proxy.keys.visitor import PREFIX, VisitorTokens


class Credentials:
    """Looks up what the kernel does not know: virtual keys and visitors' tokens."""

    def __init__(self, book: Book, tokens: VisitorTokens) -> None:
        self._book = book
        self._tokens = tokens

    def __call__(self, credential: str, scope: Scope) -> Caller | None:
        """The caller; None for a credential that nobody issued. Raises Unauthenticated for one
        that has ended, PermissionDenied for a publishable one on a foreign page."""
        if credential.startswith(PREFIX):
            return self._visitor(credential, scope)
        key = self._book.find(credential)
        if key is None:
            return None
        if key.kind == "publishable":
            _require_origin(key, origin_of(scope))
        return key.caller

    def _visitor(self, credential: str, scope: Scope) -> Caller:
        visitor = self._tokens.read(credential)
        key = self._book.by_id.get(visitor.key_id)
        if key is None or key.revoked:
            raise Unauthenticated("The token's key has been revoked.", headers=CHALLENGE)
        require_unexpired(key)
        origin = origin_of(scope)
        if origin != visitor.origin:
            raise PermissionDenied("The token was issued for pages of another origin.")
        _require_origin(key, origin)
        return replace(key.caller, visitor=visitor.id)


def origin_of(scope: Scope) -> str:
    """The Origin header; empty where there is none."""
    for name, value in scope["headers"]:
        if name == b"origin":
            return str(value.decode("latin-1"))
    return ""


def _require_origin(key: Key, origin: str) -> None:
    if origin not in key.origins:
        raise PermissionDenied("The key may not be used on pages of this origin.")
