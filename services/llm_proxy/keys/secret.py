"""Secrets of virtual keys: made here, shown once, kept as a digest.

SHA-256 without salt or stretching is right for them, since each holds 256 random bits: there is
nothing to guess and no table to prepare (docs/decisions/0018).
"""

from __future__ import annotations

import hashlib
import secrets

APPLICATION, PUBLISHABLE = "sk_", "pk_"
_RANDOM_BYTES = 32


def new_secret(prefix: str) -> str:
    """A secret that nobody can guess; it goes into headers and URLs as it is."""
    return prefix + secrets.token_urlsafe(_RANDOM_BYTES)


def digest_of(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def hint_of(secret: str) -> str:
    """As much as helps to recognise a secret: `sk_9fK…x3Qw`; nothing of a short one."""
    return f"{secret[:6]}…{secret[-4:]}" if len(secret) >= 20 else "…"
