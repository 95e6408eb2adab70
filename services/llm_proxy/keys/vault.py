"""Providers' keys at rest: encrypted with Fernet under FERNET_KEY.

Several keys, separated by commas: the first encrypts, all decrypt; so one can be replaced without
a gap (https://cryptography.io/en/latest/fernet/#cryptography.fernet.MultiFernet).
"""

from __future__ import annotations

from typing import Protocol

from services.kernel.errors import ConfigurationError, Conflict


class Vault(Protocol):
    """Encrypts and decrypts."""

    def encrypt(self, text: str) -> bytes: ...
    def decrypt(self, ciphertext: bytes) -> str | None:
        """None for what was encrypted under another key."""

    def renew(self, ciphertext: bytes) -> bytes | None:
        """The same under the first key; None for what cannot be read."""


class FernetVault:
    """A vault with the keys of FERNET_KEY. Raises ConfigurationError for what is none."""

    def __init__(self, fernet_keys: str) -> None:
        # The package weighs 6 MB of memory, which nobody without FERNET_KEY should pay.
        from cryptography.fernet import Fernet, InvalidToken, MultiFernet

        try:
            found = [Fernet(key.strip()) for key in fernet_keys.split(",") if key.strip()]
        except ValueError as exc:
            raise ConfigurationError(
                "FERNET_KEY: each key must be 32 bytes in URL-safe base64, as "
                "`python -c 'from cryptography.fernet import Fernet; "
                "print(Fernet.generate_key().decode())'` makes them"
            ) from exc
        self._fernet = MultiFernet(found)
        self._invalid = InvalidToken

    def encrypt(self, text: str) -> bytes:
        return self._fernet.encrypt(text.encode())

    def decrypt(self, ciphertext: bytes) -> str | None:
        try:
            return self._fernet.decrypt(ciphertext).decode()
        except self._invalid:
            return None

    def renew(self, ciphertext: bytes) -> bytes | None:
        try:
            return self._fernet.rotate(ciphertext)
        except self._invalid:
            return None


class NullVault:
    """Without FERNET_KEY: keeps nothing, reads nothing."""

    def encrypt(self, text: str) -> bytes:
        raise Conflict("Providers' keys are stored encrypted only: set FERNET_KEY, or use .env.")

    def decrypt(self, ciphertext: bytes) -> str | None:
        return None

    def renew(self, ciphertext: bytes) -> bytes | None:
        return None


def open_vault(fernet_keys: str) -> Vault:
    """The vault of FERNET_KEY; one that refuses when it is empty."""
    return FernetVault(fernet_keys) if fernet_keys.strip(", ") else NullVault()
