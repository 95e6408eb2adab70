"""Short-lived tokens for visitors of a site that has a publishable key.

A token is bound to the key, to the page's origin and to one visitor. It is signed, not stored: the
key of the signature is derived from the token that all instances share.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import NamedTuple

from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

from services.kernel.auth import CHALLENGE
from services.kernel.errors import Unauthenticated

PREFIX = "vt_"


class Visitor(NamedTuple):
    """Who a token speaks for."""

    key_id: str
    origin: str
    id: str


class VisitorTokens:
    """Issues tokens and reads them; `secret` is shared by the instances."""

    def __init__(self, secret: str, *, max_age_seconds: int) -> None:
        self.max_age_seconds = max_age_seconds
        self._serializer = URLSafeTimedSerializer(
            secret, salt="trivet.visitor", signer_kwargs={"digest_method": _sha256}
        )

    def issue(self, key_id: str, origin: str, visitor_id: str | None = None) -> str:
        """A token for a new visitor, or for one who has been here before."""
        visitor_id = visitor_id or secrets.token_hex(8)
        return PREFIX + str(self._serializer.dumps([key_id, origin, visitor_id]))

    def read(self, token: str) -> Visitor:
        """Raises Unauthenticated for a token that is too old, or that nobody issued."""
        try:
            value = self._serializer.loads(token.removeprefix(PREFIX), max_age=self.max_age_seconds)
        except SignatureExpired as exc:
            raise Unauthenticated("The visitor's token has expired.", headers=CHALLENGE) from exc
        except BadSignature as exc:
            raise Unauthenticated("The visitor's token is not known.", headers=CHALLENGE) from exc
        return Visitor(*value)

    def visitor_of(self, token: str, key_id: str) -> str | None:
        """Who an old token, expired or not, spoke for; None where it is none of this key's."""
        try:
            value = self._serializer.loads(token.removeprefix(PREFIX))
        except BadSignature:
            return None
        visitor = Visitor(*value)
        return visitor.id if visitor.key_id == key_id else None


def _sha256(data: bytes = b"") -> hashlib._Hash:
    return hashlib.sha256(data)
